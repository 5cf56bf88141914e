// SPDX-License-Identifier: GPL-2.0-only
/* Contract in dmctl.h. Every call has a buffer of its own, so that threads may call. */
#include "dmctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#define DATA_BYTES 131072		/* a message of 4,096 ranges */

struct request {
	struct dm_ioctl io;
	char data[DATA_BYTES];
};

static int control_fd;
static pthread_once_t opened = PTHREAD_ONCE_INIT;

static void open_control(void)
{
	control_fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (control_fd < 0) {
		perror("/dev/mapper/control");
		exit(16);
	}
}

static void start(struct request *rq, const char *device)
{
	memset(&rq->io, 0, sizeof(rq->io));
	rq->io.version[0] = DM_VERSION_MAJOR;
	rq->io.data_size = sizeof(*rq);
	rq->io.data_start = offsetof(struct request, data);
	snprintf(rq->io.name, sizeof(rq->io.name), "%s", device);
}

static int run(struct request *rq, unsigned long command)
{
	pthread_once(&opened, open_control);
	return ioctl(control_fd, command, rq) ? -errno : 0;
}

int dmctl_message(const char *device, const char *text, char *answer)
{
	struct request rq;
	struct dm_target_msg *message = (void *)rq.data;
	int r;

	start(&rq, device);
	message->sector = 0;
	if ((size_t)snprintf(message->message, DATA_BYTES - sizeof(*message), "%s", text) >=
	    DATA_BYTES - sizeof(*message))
		return -E2BIG;
	r = run(&rq, DM_TARGET_MSG);
	if (answer)
		snprintf(answer, DMCTL_TEXT, "%s", !r && rq.io.flags & DM_DATA_OUT_FLAG ?
			 (char *)&rq + rq.io.data_start : "");
	return r;
}

int dmctl_status(const char *device, char *text)
{
	struct request rq;
	const struct dm_target_spec *spec;
	int r;

	start(&rq, device);
	rq.io.flags = DM_NOFLUSH_FLAG;
	r = run(&rq, DM_TABLE_STATUS);
	if (r)
		return r;
	if (!rq.io.target_count || rq.io.flags & DM_BUFFER_FULL_FLAG)
		return -EIO;
	spec = (void *)((char *)&rq + rq.io.data_start);
	snprintf(text, DMCTL_TEXT, "%s", (const char *)(spec + 1));
	return 0;
}

uint64_t dmctl_field(const char *text, unsigned int number, char *word)
{
	size_t length;

	for (; number; number--) {
		text += strcspn(text, " ");
		text += strspn(text, " ");
	}
	length = strcspn(text, " ");
	if (length >= DMCTL_TEXT)
		length = DMCTL_TEXT - 1;
	memcpy(word, text, length);
	word[length] = 0;
	return strtoull(word, NULL, 10);
}

static int simple(const char *device, unsigned long command, unsigned int flags)
{
	struct request rq;

	start(&rq, device);
	rq.io.flags = flags;
	return run(&rq, command);
}

int dmctl_reload(const char *device, uint64_t sectors, const char *type, const char *params)
{
	struct request rq;
	struct dm_target_spec *spec = (void *)rq.data;

	start(&rq, device);
	memset(spec, 0, sizeof(*spec));
	spec->length = sectors;
	snprintf(spec->target_type, sizeof(spec->target_type), "%s", type);
	snprintf((char *)(spec + 1), DATA_BYTES - sizeof(*spec), "%s", params);
	rq.io.target_count = 1;
	return run(&rq, DM_TABLE_LOAD);
}

int dmctl_load(const char *device, uint64_t sectors, const char *type, const char *params)
{
	bool made;
	int r;

	r = simple(device, DM_DEV_CREATE, 0);
	made = !r;
	if (r && r != -EBUSY)
		return r;
	r = dmctl_reload(device, sectors, type, params);
	if (r && made)
		dmctl_remove(device);
	return r;
}

int dmctl_clear(const char *device)
{
	return simple(device, DM_TABLE_CLEAR, 0);
}

int dmctl_suspend(const char *device, bool suspend, bool noflush)
{
	return simple(device, DM_DEV_SUSPEND, DM_SKIP_LOCKFS_FLAG |
		      (suspend ? DM_SUSPEND_FLAG : 0) | (noflush ? DM_NOFLUSH_FLAG : 0));
}

int dmctl_remove(const char *device)
{
	return simple(device, DM_DEV_REMOVE, 0);
}

int dmctl_path(const char *device, char *path, size_t size)
{
	struct request rq;
	int r;

	start(&rq, device);
	r = run(&rq, DM_DEV_STATUS);
	if (!r)
		snprintf(path, size, "/dev/dm-%u", minor(rq.io.dev));
	return r;
}
