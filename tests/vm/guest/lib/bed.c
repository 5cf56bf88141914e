// SPDX-License-Identifier: GPL-2.0-only
/* Contract in bed.h. */
#include "bed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 10000

void bed_die(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	printf("# set-up failed: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	exit(16);
}

uint64_t bed_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void bed_sleep_ms(unsigned int ms)
{
	struct timespec span = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&span, NULL);
}

int bed_open(const char *device)
{
	char path[64];
	int fd = dmctl_path(device, path, sizeof(path));

	if (fd)
		bed_die("%s: %s", device, strerror(-fd));
	fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		bed_die("%s: %s", path, strerror(errno));
	return fd;
}

int bed_do(struct bed_op *op)
{
	struct iovec iov = { NULL, op->sectors * SECTOR_SIZE };
	off_t offset = (off_t)(op->sector * SECTOR_SIZE);
	ssize_t bytes;

	op->error = 0;
	op->wrong = -1;
	if (op->device) {
		op->error = dmctl_message(op->device, op->message, op->answer);
		return op->error;
	}
	if (op->sectors > BED_MAX_SECTORS || posix_memalign(&iov.iov_base, 4096, iov.iov_len))
		bed_die("no buffer of %llu sectors", (unsigned long long)op->sectors);
	if (op->write) {
		sectors_fill(iov.iov_base, op->sector, op->sectors, op->tag);
		bytes = pwritev2(op->fd, &iov, 1, offset, op->rw_flags);
	} else {
		memset(iov.iov_base, 0x5c, iov.iov_len);
		bytes = preadv2(op->fd, &iov, 1, offset, op->rw_flags);
	}
	if (bytes < 0)
		op->error = -errno;
	else if ((size_t)bytes != iov.iov_len)
		op->error = -EIO;
	else if (!op->write && op->tag)
		op->wrong = sectors_wrong(iov.iov_base, op->sector, op->sectors, op->tag);
	free(iov.iov_base);
	return op->error ? op->error : op->wrong >= 0 ? -EILSEQ : 0;
}

int bed_write(int fd, uint64_t sector, uint64_t sectors, uint64_t tag)
{
	struct bed_op op = { .fd = fd, .write = true, .sector = sector, .sectors = sectors,
			     .tag = tag };

	return bed_do(&op);
}

int bed_read(int fd, uint64_t sector, uint64_t sectors, uint64_t tag)
{
	struct bed_op op = { .fd = fd, .sector = sector, .sectors = sectors, .tag = tag };

	return bed_do(&op);
}

static void *run_op(void *arg)
{
	struct bed_op *op = arg;

	bed_do(op);
	atomic_store(&op->done, true);
	return NULL;
}

void bed_start(struct bed_op *op)
{
	atomic_store(&op->done, false);
	if (pthread_create(&op->thread, NULL, run_op, op))
		bed_die("cannot start a thread");
}

bool bed_done_within(struct bed_op *op, unsigned int ms)
{
	uint64_t end = bed_ms() + ms;

	while (!atomic_load(&op->done)) {
		if (bed_ms() >= end)
			return atomic_load(&op->done);
		bed_sleep_ms(1);
	}
	return true;
}

int bed_finish(struct bed_op *op)
{
	pthread_join(op->thread, NULL);
	return op->error ? op->error : op->wrong >= 0 ? -EILSEQ : 0;
}

void bed_message(const char *device, const char *format, ...)
{
	char text[DMCTL_TEXT];
	va_list args;
	int r;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	r = dmctl_message(device, text, NULL);
	if (r)
		bed_die("message %s to %s: %s", text, device, strerror(-r));
}

uint64_t bed_word(const char *device, unsigned int number, char *word)
{
	char text[DMCTL_TEXT];
	int r = dmctl_status(device, text);

	if (r)
		bed_die("status of %s: %s", device, strerror(-r));
	return dmctl_field(text, number, word);
}

uint64_t bed_number(const char *device, enum bed_field field)
{
	char word[DMCTL_TEXT];

	return bed_word(device, field, word);
}

bool bed_wait(const char *device, unsigned int number, uint64_t least)
{
	uint64_t end = bed_ms() + WAIT_MS;
	char word[DMCTL_TEXT];

	while (bed_word(device, number, word) < least) {
		if (bed_ms() >= end)
			return false;
		bed_sleep_ms(1);
	}
	return true;
}

void bed_create(const char *device, uint64_t sectors, const char *type, const char *format, ...)
{
	char params[DMCTL_TEXT], path[64], link[128];
	va_list args;
	int r;

	va_start(args, format);
	vsnprintf(params, sizeof(params), format, args);
	va_end(args);
	r = dmctl_load(device, sectors, type, params);
	if (!r)
		r = dmctl_suspend(device, false, false);
	if (r)
		bed_die("create %s: %s %s: %s", device, type, params, strerror(-r));
	dmctl_path(device, path, sizeof(path));
	snprintf(link, sizeof(link), "/dev/mapper/%s", device);
	unlink(link);
	if (symlink(path, link))
		bed_die("%s: %s", link, strerror(errno));
}

void bed_remove(const char *device)
{
	uint64_t end = bed_ms() + WAIT_MS;
	char link[128];
	int r;

	while ((r = dmctl_remove(device)) == -EBUSY && bed_ms() < end)
		bed_sleep_ms(5);
	if (r)
		bed_die("remove %s: %s", device, strerror(-r));
	snprintf(link, sizeof(link), "/dev/mapper/%s", device);
	unlink(link);
}
