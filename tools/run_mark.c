// SPDX-License-Identifier: GPL-2.0-only
/*
 * Marks under /run/dm-remap. A mark is a file; it counts when it holds the text that is asked for, and
 * nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run_mark.h"

#define MARK_TEXT 64

static const char *const dirs[] = {
	[RUN_MARK_EXPOSED] = RUN_DIR "/exposed",
	[RUN_MARK_CLOSED] = RUN_DIR "/closed",
};

static void mark_path(enum run_mark mark, const char *of, char *path, size_t bytes)
{
	snprintf(path, bytes, "%s/%s", dirs[mark], of);
}

int run_dir_make(void)
{
	return mkdir(RUN_DIR, 0755) && errno != EEXIST ? -errno : 0;
}

int run_mark_set(enum run_mark mark, const char *of, const char *text)
{
	size_t length = strlen(text);
	char path[300];
	int fd, r = run_dir_make();

	if (r)
		return r;
	if (mkdir(dirs[mark], 0755) && errno != EEXIST)
		return -errno;
	mark_path(mark, of, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (write(fd, text, length) != (ssize_t)length)
		r = -EIO;
	close(fd);
	return r;
}

int run_mark_clear(enum run_mark mark, const char *of)
{
	char path[300];

	mark_path(mark, of, path, sizeof(path));
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

bool run_mark_is(enum run_mark mark, const char *of, const char *text)
{
	char path[300], found[MARK_TEXT];
	ssize_t length;
	int fd;

	mark_path(mark, of, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, found, sizeof(found));
	close(fd);
	return length == (ssize_t)strlen(text) && !memcmp(found, text, (size_t)length);
}

const char *run_mark_dir(enum run_mark mark)
{
	return dirs[mark];
}
