// SPDX-License-Identifier: GPL-2.0-only
/*
 * SHA-256, by nettle.
 */
#include <nettle/sha2.h>
#include <unistd.h>

#include "digest.h"
#include "progress.h"
#include "report.h"
#include "stop.h"

#define READ_BYTES (1024 * 1024)

struct digest_stream {
	FILE *below;
	struct sha256_ctx context;
};

static void finish(struct sha256_ctx *context, char *text)
{
	u8 raw[SHA256_DIGEST_SIZE];
	unsigned int i;

	sha256_digest(context, sizeof(raw), raw);
	for (i = 0; i < sizeof(raw); i++)
		snprintf(text + 2 * i, 3, "%02x", raw[i]);
}

/* Sectors one by one, where they cannot be read at once. Return: how many cannot be. */
static u64 read_sectors(int fd, u8 *data, u64 first_sector, u64 sectors)
{
	u64 sector, unread = 0;

	for (sector = 0; sector < sectors; sector++)
		if (pread(fd, data + sector * 512, 512,
			  (off_t)((first_sector + sector) * 512)) != 512) {
			memset(data + sector * 512, 0, 512);
			unread++;
		}
	return unread;
}

int digest_device(const struct device *dev, char *text, u64 *unread_sectors)
{
	u8 *data = report_alloc(READ_BYTES);
	struct sha256_ctx context;
	u64 sector = 0, sectors;
	size_t bytes;

	sha256_init(&context);
	*unread_sectors = 0;
	progress_begin("digest of the device", dev->sectors);
	for (; sector < dev->sectors && !stop_requested(); sector += sectors) {
		sectors = min(dev->sectors - sector, (u64)READ_BYTES / 512);
		bytes = sectors * 512;
		if (pread(dev->host.fd, data, bytes, (off_t)(sector * 512)) != (ssize_t)bytes)
			*unread_sectors += read_sectors(dev->host.fd, data, sector, sectors);
		sha256_update(&context, bytes, data);
		progress_update(sector);
	}
	progress_end();
	free(data);
	finish(&context, text);
	return *unread_sectors == dev->sectors ? -EIO : 0;
}

int digest_file(int fd, char *text)
{
	u8 *data = report_alloc(READ_BYTES);
	struct sha256_ctx context;
	ssize_t bytes;
	off_t offset = 0;
	int r = 0;

	sha256_init(&context);
	while ((bytes = pread(fd, data, READ_BYTES, offset)) > 0) {
		sha256_update(&context, (size_t)bytes, data);
		offset += bytes;
	}
	if (bytes < 0)
		r = -errno;
	free(data);
	finish(&context, text);
	return r;
}

static ssize_t write_through(void *cookie, const char *data, size_t bytes)
{
	struct digest_stream *digest = cookie;
	size_t written = fwrite(data, 1, bytes, digest->below);

	sha256_update(&digest->context, written, (const u8 *)data);
	return (ssize_t)written;
}

static int flush_below(void *cookie)
{
	struct digest_stream *digest = cookie;

	return fflush(digest->below);
}

FILE *digest_stream_open(FILE *below, struct digest_stream **digest)
{
	static const cookie_io_functions_t functions = {
		.write = write_through, .close = flush_below,
	};
	struct digest_stream *made = report_alloc(sizeof(*made));
	FILE *stream = fopencookie(made, "w", functions);

	if (!stream)
		report_out_of_memory();
	made->below = below;
	sha256_init(&made->context);
	*digest = made;
	return stream;
}

void digest_stream_end(struct digest_stream *digest, char *text)
{
	finish(&digest->context, text);
	free(digest);
}
