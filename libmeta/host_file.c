// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine's I/O in userspace: pread(), pwrite(), fdatasync().
 *
 * Promises what struct rmeta_host_ops asks for: every request has its own error, and a
 * write without one is durable when submit() returns. Knows no format and no policy.
 */
#include <limits.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "host_file.h"

#define MERGE_MAX 64		/* requests in one system call */

/* Transfers one request; partial transfers go on where they stopped. Return: 0 or -errno. */
static int transfer_one(int fd, const struct rmeta_io *io)
{
	off_t offset = (off_t)(io->sector * 512);
	char *data = io->data;
	size_t left = io->bytes;
	ssize_t bytes;

	while (left) {
		if (io->op == RMETA_WRITE)
			bytes = pwrite(fd, data, left, offset);
		else
			bytes = pread(fd, data, left, offset);
		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes < 0)
			return -errno;
		if (!bytes)	/* the end of the device */
			return -EIO;
		data += bytes;
		offset += bytes;
		left -= (size_t)bytes;
	}
	return 0;
}

/*
 * Requests at the front of @ios that one system call can do: same direction, each starting
 * where the one before it ends.
 */
static unsigned int count_contiguous(const struct rmeta_io *ios, unsigned int nr_ios)
{
	unsigned int nr = 1;

	while (nr < nr_ios && nr < MERGE_MAX && ios[nr].op == ios[0].op &&
	       ios[nr].sector == ios[nr - 1].sector + ios[nr - 1].bytes / 512)
		nr++;
	return nr;
}

/*
 * Transfers @nr contiguous requests. If they do not go through as a whole each is tried by
 * itself, so that one bad sector fails one request; a write done twice writes the same.
 */
static void transfer_run(int fd, struct rmeta_io *ios, unsigned int nr)
{
	struct iovec iov[MERGE_MAX];
	off_t offset = (off_t)(ios[0].sector * 512);
	size_t total_bytes = 0;
	unsigned int i;
	ssize_t bytes;

	if (nr > 1) {
		for (i = 0; i < nr; i++) {
			iov[i].iov_base = ios[i].data;
			iov[i].iov_len = ios[i].bytes;
			total_bytes += ios[i].bytes;
			ios[i].error = 0;
		}
		if (ios[0].op == RMETA_WRITE)
			bytes = pwritev(fd, iov, (int)nr, offset);
		else
			bytes = preadv(fd, iov, (int)nr, offset);
		if (bytes >= 0 && (size_t)bytes == total_bytes)
			return;
	}
	for (i = 0; i < nr; i++)
		ios[i].error = transfer_one(fd, &ios[i]);
}

static void fail_run(struct rmeta_io *ios, unsigned int nr, int error)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		ios[i].error = error;
}

static bool has_writes(const struct rmeta_io *ios, unsigned int nr_ios)
{
	unsigned int i;

	for (i = 0; i < nr_ios; i++)
		if (ios[i].op == RMETA_WRITE)
			return true;
	return false;
}

static void file_submit(void *host, struct rmeta_io *ios, unsigned int nr_ios)
{
	struct rmeta_file *file = host;
	bool writes = has_writes(ios, nr_ios);
	unsigned int i, nr;
	int error = 0;

	if (writes && file->before_write)
		error = file->before_write(file->ctx, ios, nr_ios);
	for (i = 0; i < nr_ios; i += nr) {
		nr = count_contiguous(&ios[i], nr_ios - i);
		if (!error || ios[i].op == RMETA_READ)
			transfer_run(file->fd, &ios[i], nr);
		else
			fail_run(&ios[i], nr, error);
	}
	if (!writes || error || !fdatasync(file->fd))
		return;
	error = -errno;
	for (i = 0; i < nr_ios; i++)
		if (ios[i].op == RMETA_WRITE && !ios[i].error)
			ios[i].error = error;
}

static u64 file_now(void *host)
{
	time_t now = time(NULL);

	return now > 0 ? (u64)now : 0;
}

const struct rmeta_host_ops rmeta_file_ops = {
	.submit = file_submit,
	.now = file_now,
};
