// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine's I/O on a file descriptor: what is written is read back, whatever the order and
 * the neighbours; every request has its own error; a flush that fails fails all writes.
 */
#include <fcntl.h>
#include <unistd.h>

#include "host_file.h"
#include "tap.h"

#define NR 150			/* more than one system call takes */
#define BYTES 4096

static u8 buffers[NR][BYTES];

static int open_temporary(void)
{
	char path[] = "/tmp/t_host_file.XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	return fd;
}

static struct rmeta_io make_io(enum rmeta_op op, u64 sector, void *data)
{
	return (struct rmeta_io){ .op = op, .sector = sector, .bytes = BYTES, .data = data,
				  .error = 1 };
}

/* Block @nr of the file is full of bytes that say so. */
static u8 pattern(unsigned int nr)
{
	return (u8)(nr * 7 + 1);
}

static bool is_full_of(const u8 *data, u8 byte)
{
	unsigned int i;

	for (i = 0; i < BYTES; i++)
		if (data[i] != byte)
			return false;
	return true;
}

static unsigned int count_errors(const struct rmeta_io *ios, unsigned int nr, int error)
{
	unsigned int i, found = 0;

	for (i = 0; i < nr; i++)
		found += ios[i].error == error;
	return found;
}

/* Writes blocks in runs of @run neighbours, the runs themselves from the back. */
static void test_orders(struct rmeta_file *file, unsigned int run)
{
	struct rmeta_io ios[NR];
	unsigned int i, nr, good = 0;

	if (ftruncate(file->fd, 0))
		perror("ftruncate");
	for (i = 0; i < NR; i++) {
		nr = (NR / run - 1 - i / run) * run + i % run;
		memset(buffers[i], pattern(nr), BYTES);
		ios[i] = make_io(RMETA_WRITE, nr * 8ULL, buffers[i]);
	}
	rmeta_file_ops.submit(file, ios, NR);
	is(count_errors(ios, NR, 0), NR, "runs of %u: all writes succeed", run);
	memset(buffers, 0, sizeof(buffers));
	for (i = 0; i < NR; i++)
		ios[i] = make_io(RMETA_READ, i * 8ULL, buffers[i]);
	rmeta_file_ops.submit(file, ios, NR);
	is(count_errors(ios, NR, 0), NR, "runs of %u: all reads succeed", run);
	for (i = 0; i < NR; i++)
		good += is_full_of(buffers[i], pattern(i));
	is(good, NR, "runs of %u: what was written is read", run);
}

static void test_end(struct rmeta_file *file)
{
	struct rmeta_io ios[4];
	unsigned int i;

	if (ftruncate(file->fd, 2 * BYTES + 100))
		perror("ftruncate");
	for (i = 0; i < 4; i++)
		ios[i] = make_io(RMETA_READ, i * 8ULL, buffers[i]);
	rmeta_file_ops.submit(file, ios, 4);
	is(ios[0].error, 0, "a read before the end succeeds");
	is(ios[1].error, 0, "so does the last whole one");
	is(ios[2].error, -EIO, "a read across the end fails");
	is(ios[3].error, -EIO, "a read behind the end fails");
}

static void test_mixed(struct rmeta_file *file)
{
	struct rmeta_io ios[3];

	memset(buffers[0], 0x11, BYTES);
	memset(buffers[2], 0x33, BYTES);
	if (ftruncate(file->fd, 8 * BYTES) || pwrite(file->fd, buffers[2], BYTES, BYTES) != BYTES)
		perror("file");
	ios[0] = make_io(RMETA_WRITE, 0, buffers[0]);
	ios[1] = make_io(RMETA_READ, 8, buffers[1]);
	ios[2] = make_io(RMETA_WRITE, 16, buffers[2]);
	rmeta_file_ops.submit(file, ios, 3);
	is(count_errors(ios, 3, 0), 3, "reads and writes in one call");
	ok(is_full_of(buffers[1], 0x33), "a read between two writes reads");
}

static int veto(void *ctx, const struct rmeta_io *ios, unsigned int nr_ios)
{
	*(unsigned int *)ctx += nr_ios;
	return -EINTR;
}

static void test_veto(struct rmeta_file *file)
{
	struct rmeta_io ios[3];
	unsigned int calls = 0;

	if (ftruncate(file->fd, 0) || ftruncate(file->fd, 8 * BYTES))
		perror("file");
	memset(buffers[0], 0x11, BYTES);
	memset(buffers[2], 0x33, BYTES);
	file->before_write = veto;
	file->ctx = &calls;
	ios[0] = make_io(RMETA_WRITE, 0, buffers[0]);
	ios[1] = make_io(RMETA_READ, 8, buffers[1]);
	ios[2] = make_io(RMETA_WRITE, 16, buffers[2]);
	rmeta_file_ops.submit(file, ios, 3);
	is(calls, 3, "the hook is asked before writes");
	ok(ios[0].error == -EINTR && ios[2].error == -EINTR, "writes that it forbids fail");
	is(ios[1].error, 0, "a read among them is done");
	ios[0] = make_io(RMETA_READ, 0, buffers[0]);
	rmeta_file_ops.submit(file, ios, 1);
	is(calls, 3, "the hook is not asked before reads");
	ok(is_full_of(buffers[0], 0), "nothing was written");
	file->before_write = NULL;
}

static void test_failures(void)
{
	struct rmeta_io ios[3];
	struct rmeta_file file = { .fd = -1 };
	unsigned int i;

	file.fd = open("/dev/null", O_RDWR);	/* takes writes, and cannot be flushed */
	for (i = 0; i < 3; i++)
		ios[i] = make_io(RMETA_WRITE, i * 8ULL, buffers[i]);
	rmeta_file_ops.submit(&file, ios, 3);
	is(count_errors(ios, 3, -EINVAL), 3, "a flush that fails fails every write");
	ios[1] = make_io(RMETA_READ, 8, buffers[1]);
	rmeta_file_ops.submit(&file, ios, 3);
	is(ios[1].error, -EIO, "a read among them has its own error");
	close(file.fd);

	file.fd = open("/proc/self/exe", O_RDONLY);
	ios[0] = make_io(RMETA_READ, 0, buffers[0]);
	ios[1] = make_io(RMETA_WRITE, 8, buffers[1]);
	rmeta_file_ops.submit(&file, ios, 2);
	is(ios[0].error, 0, "a read of what is open for reading only");
	is(ios[1].error, -EBADF, "a write to it fails");
	close(file.fd);
}

int main(void)
{
	struct rmeta_file file = { .fd = open_temporary() };

	if (!ok(file.fd >= 0, "a temporary file"))
		return done();
	test_orders(&file, 1);
	test_orders(&file, 2);
	test_orders(&file, 75);
	test_orders(&file, NR);
	test_end(&file);
	test_mixed(&file);
	test_veto(&file);
	test_failures();
	ok(rmeta_file_ops.now(&file) > 1700000000, "the clock runs");
	close(file.fd);
	return done();
}
