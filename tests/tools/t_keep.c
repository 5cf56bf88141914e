// SPDX-License-Identifier: GPL-2.0-only
/*
 * What was overwritten is put back: while the device is still open, when it was opened again, and
 * when some of it cannot be written at all.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "keep.h"
#include "tap.h"

#define SECTORS 24
#define PIECE_BYTES 4096

static char path[] = "/tmp/t_keep.XXXXXX";
static u8 before[SECTORS * 512];

static int write_piece(struct device *dev, u64 sector, u8 byte)
{
	u8 data[PIECE_BYTES];
	struct rmeta_io io = {
		.op = RMETA_WRITE, .sector = sector, .bytes = sizeof(data), .data = data,
	};

	memset(data, byte, sizeof(data));
	rmeta_file_ops.submit(&dev->host, &io, 1);
	return io.error;
}

static bool is_as_before(void)
{
	u8 now[sizeof(before)];
	int fd = open(path, O_RDONLY);
	bool same = pread(fd, now, sizeof(now), 0) == sizeof(now) &&
		    !memcmp(now, before, sizeof(now));

	close(fd);
	return same;
}

/* Three pieces, one of them twice. */
static void overwrite(struct keep *keep, struct device *dev)
{
	ok(!device_open(dev, path, DEVICE_WRITE, "spare"), "open");
	keep_start(keep, dev);
	ok(!write_piece(dev, 0, 1) && !write_piece(dev, 8, 2) && !write_piece(dev, 0, 3) &&
	   !write_piece(dev, 16, 4), "write");
	ok(!is_as_before(), "it was overwritten");
}

static void test_still_open(void)
{
	struct device dev;
	struct keep keep;

	overwrite(&keep, &dev);
	is(keep_restore(&keep, &dev), 0, "restore while it is open");
	is(keep.nr, 0, "what is put back is not kept again");
	ok(is_as_before(), "all is as before");
	keep_free(&keep);
	device_close(&dev);
}

static void test_opened_again(void)
{
	struct device dev;
	struct keep keep;

	overwrite(&keep, &dev);
	device_close(&dev);
	ok(!device_open(&dev, path, DEVICE_WRITE, "spare"), "open again");
	is(keep_restore(&keep, &dev), 0, "restore when it was opened again");
	ok(is_as_before(), "all is as before");
	keep_free(&keep);
	device_close(&dev);
}

/* Nobody can write the sectors from 16 on. */
static int refuse_end(void *ctx, const struct rmeta_io *ios, unsigned int nr_ios)
{
	unsigned int i;

	(void)ctx;
	for (i = 0; i < nr_ios; i++)
		if (ios[i].sector >= 16)
			return -EIO;
	return 0;
}

static void test_never_written(void)
{
	struct device dev;
	struct keep keep;

	ok(!device_open(&dev, path, DEVICE_WRITE, "spare"), "open");
	dev.host.before_write = refuse_end;
	keep_start(&keep, &dev);
	is(write_piece(&dev, 0, 1), 0, "the first is written");
	is(write_piece(&dev, 16, 2), -EIO, "the last cannot be");
	is(keep_restore(&keep, &dev), 0, "what never was written needs no restore");
	ok(is_as_before(), "all is as before");
	keep_free(&keep);
	device_close(&dev);
}

static void test_not_any_more(void)
{
	struct device dev;
	struct keep keep;

	overwrite(&keep, &dev);
	device_close(&dev);
	ok(!device_open(&dev, path, DEVICE_WRITE, "spare"), "open again");
	dev.host.before_write = refuse_end;
	is(keep_restore(&keep, &dev), -EIO, "what cannot be put back is an error");
	before[16 * 512] ^= 0xff;
	ok(!is_as_before(), "the last is not as before");
	before[16 * 512] ^= 0xff;
	memset(before + 16 * 512, 4, PIECE_BYTES);
	ok(is_as_before(), "the others are");
	keep_free(&keep);
	device_close(&dev);
}

int main(void)
{
	size_t i;
	int fd;

	for (i = 0; i < sizeof(before); i++)
		before[i] = (u8)(i / 512 + 100);
	fd = mkstemp(path);
	if (fd < 0 || write(fd, before, sizeof(before)) != sizeof(before))
		return 1;
	close(fd);
	test_still_open();
	test_opened_again();
	test_never_written();
	test_not_any_more();
	unlink(path);
	return done();
}
