// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock of those who bring devices up. See run_lock.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "report.h"
#include "run_lock.h"
#include "run_mark.h"

#define LOCK_FILE RUN_DIR "/lock"
#define NEXT_FILE RUN_DIR "/next"	/* its lock is that of the one who waits */

/* Return: a file, or a negative errno. */
static int open_file(const char *path)
{
	int r = run_dir_make(), fd;

	if (r)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

int run_lock(void)
{
	int fd = open_file(LOCK_FILE), r = min(fd, 0);

	while (!r && flock(fd, LOCK_EX))
		if (errno != EINTR)
			r = -errno;
	if (r)
		report_warn("%s: %s: what brings up devices at the same time is not waited for", LOCK_FILE,
			    strerror(-r));
	return fd;
}

int run_lock_for_event(void)
{
	int next = open_file(NEXT_FILE), lock;

	if (next >= 0 && flock(next, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
		close(next);
		return RUN_LOCK_COVERED;
	}
	lock = run_lock();
	/* Who comes now may be about something that this one does not see any more. */
	run_unlock(next);
	return lock;
}

void run_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}
