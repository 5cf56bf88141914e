// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that an administrator has taken down. The mark holds the sequence number that the kernel gave
 * to the spare's disk when it appeared (BLKGETDISKSEQ, since 5.15; linux/fs.h): a disk that is plugged in
 * again has another one, and so has a mapped device or a loop device that is set up again.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "closed.h"
#include "report.h"
#include "run_mark.h"

#define SEQUENCE_TEXT 32

/* Return: 0 or a negative errno. */
static int sequence_of(const char *path, char text[SEQUENCE_TEXT])
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), r = 0;
	uint64_t sequence;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, BLKGETDISKSEQ, &sequence))
		r = -errno;
	else
		snprintf(text, SEQUENCE_TEXT, "%" PRIu64 "\n", sequence);
	close(fd);
	return r;
}

void closed_mark(const char *dm_uuid, const char *spare)
{
	char text[SEQUENCE_TEXT];
	int r = sequence_of(spare, text);

	if (!r)
		r = run_mark_set(RUN_MARK_CLOSED, dm_uuid, text);
	/* One that is gone will be a new one when it comes. */
	if (r && r != -ENOENT && r != -ENXIO && r != -ENODEV)
		report_warn("%s: %s: it comes up again when a disk is plugged in", run_mark_dir(RUN_MARK_CLOSED),
			    strerror(-r));
}

void closed_forget(const char *dm_uuid)
{
	run_mark_clear(RUN_MARK_CLOSED, dm_uuid);
}

bool closed_is(const char *dm_uuid, const char *spare)
{
	char text[SEQUENCE_TEXT];

	return !sequence_of(spare, text) && run_mark_is(RUN_MARK_CLOSED, dm_uuid, text);
}
