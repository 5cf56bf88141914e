// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock of remaptab. It is the directory's: the file is another one after each change, and a file for
 * the lock only would be one more to explain.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory.h"
#include "escape.h"
#include "remaptab_lock.h"
#include "report.h"

/* Return: 0, or a negative errno: -ENOLINK for a link that leads nowhere. */
static int find_file(char **path, const char *given)
{
	struct stat link;

	*path = realpath(given, NULL);
	if (*path)
		return 0;
	if (errno != ENOENT)
		return -errno;
	if (!lstat(given, &link))
		return -ENOLINK;
	*path = strdup(given);
	if (!*path)
		report_out_of_memory();
	return 0;
}

int remaptab_lock(struct remaptab_lock *lock, const char *path)
{
	char *shown;
	int r;

	*lock = (struct remaptab_lock){ .fd = -1 };
	r = find_file(&lock->path, path);
	if (!r) {
		lock->fd = directory_open(lock->path);
		r = min(lock->fd, 0);
	}
	while (!r && flock(lock->fd, LOCK_EX))
		if (errno != EINTR)
			r = -errno;
	if (!r)
		return 0;
	shown = escape_text(path, strlen(path));
	if (r == -ENOLINK)
		report_error("%s is a link to a file that is not there; nothing was changed", shown);
	else
		report_error("cannot lock %s: %s; nothing was changed", shown, strerror(-r));
	free(shown);
	return r;
}

void remaptab_unlock(struct remaptab_lock *lock)
{
	if (lock->fd >= 0)
		close(lock->fd);
	free(lock->path);
	*lock = (struct remaptab_lock){ .fd = -1 };
}
