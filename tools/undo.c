// SPDX-License-Identifier: GPL-2.0-only
/*
 * The writing half of the undo. For every batch of writes, in this order, each step durable
 * before the next:
 *
 *	the undo file and its name	(first batch only, or at the end if there was none)
 *	old contents and checksums of all writes of the batch, appended
 *	the batch, on the device	(not here: by whoever called)
 *
 * so that what is on the device can always be explained by what is in the file. After a
 * failure nothing more is let through: a file that lacks a batch in the middle proves nothing.
 */
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "directory.h"
#include "escape.h"
#include "report.h"
#include "spare.h"
#include "undo.h"
#include "undo_file.h"

#define CHUNK_BLOCKS 32768UL	/* bits of one piece of the map of saved blocks: 128 MiB */
#define MARKS_BITS 64

static const char *configured_path;
static const char *configured_tool;

/**
 * struct undo - the undo of one device
 * @path: of the file, as given
 * @shown: the same, safe to print
 * @fd: the file, -1 until it is made
 * @bytes: length of the file
 * @header: of the file
 * @records: in the file
 * @saved: map of the blocks whose old contents are in the file: a bit each, in pieces that
 *	are there once they have a bit
 * @nr_chunks: pieces of @saved
 * @batch: records that are to be appended
 * @batch_bytes: their length
 * @batch_room: room for them
 * @error: 0, or what stopped everything
 */
struct undo {
	const char *path;
	char *shown;
	int fd;
	u64 bytes;
	struct undo_header header;
	u64 records;
	u64 **saved;
	size_t nr_chunks;
	u8 *batch;
	size_t batch_bytes;
	size_t batch_room;
	int error;
};

void undo_configure(const char *path, const char *tool)
{
	configured_path = path;
	configured_tool = tool;
}

/*
 * The map of saved blocks
 */

static bool is_saved(const struct undo *undo, u64 block)
{
	const u64 *chunk = undo->saved[block / CHUNK_BLOCKS];
	u64 bit = block % CHUNK_BLOCKS;

	return chunk && (chunk[bit / MARKS_BITS] >> (bit % MARKS_BITS) & 1);
}

static void mark_saved(struct undo *undo, u64 block)
{
	u64 **chunk = &undo->saved[block / CHUNK_BLOCKS];
	u64 bit = block % CHUNK_BLOCKS;

	if (!*chunk)
		*chunk = report_alloc(CHUNK_BLOCKS / 8);
	(*chunk)[bit / MARKS_BITS] |= (u64)1 << (bit % MARKS_BITS);
}

/*
 * The file
 */

static int fail(struct undo *undo, const char *what, int error)
{
	report_error("undo file %s %s: %s; nothing more is written to the device", undo->shown,
		     what, strerror(error));
	undo->error = -error;
	report_must_fail();
	return undo->error;
}

/* What can be said before the file is made. Return: 0, or a negative errno, reported. */
static int check_path(struct undo *undo, const struct device *dev)
{
	struct stat there;
	int fd, error = 0;

	if (lstat(undo->path, &there)) {
		fd = directory_open(undo->path);
		if (fd < 0)
			error = -fd;
		else if (faccessat(fd, ".", W_OK, AT_EACCESS))
			error = errno;
		if (fd >= 0)
			close(fd);
		if (error)
			report_error("undo file %s cannot be made: %s; nothing was changed",
				     undo->shown, strerror(error));
		return -error;
	}
	if (device_is_at(dev, undo->path))
		report_error("undo file %s is the device itself; nothing was changed", undo->shown);
	else
		report_error("undo file %s is there already; it is not overwritten, since it may be the only way back from an earlier run; nothing was changed",
			     undo->shown);
	return -EEXIST;
}

/* Append all of it. Return: 0, or a negative errno. */
static int append(const struct undo *undo, const u8 *data, size_t bytes)
{
	off_t at = (off_t)undo->bytes;
	ssize_t done;

	for (; bytes; data += done, at += done, bytes -= (size_t)done) {
		done = pwrite(undo->fd, data, bytes, at);
		if (done < 0 && errno == EINTR)
			done = 0;
		else if (done <= 0)
			return done ? -errno : -ENOSPC;
	}
	return 0;
}

static int create_file(struct undo *undo)
{
	u8 *raw;
	int r;

	undo->fd = open(undo->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (undo->fd < 0)
		return fail(undo, "cannot be made", errno);
	flock(undo->fd, LOCK_EX | LOCK_NB);	/* nobody else has it yet; a reader will ask */
	spare_random(undo->header.uuid, sizeof(undo->header.uuid));
	undo->header.created = rmeta_file_ops.now(NULL);
	raw = report_alloc(UNDO_HEADER_BYTES);
	undo_header_encode(raw, &undo->header);
	r = append(undo, raw, UNDO_HEADER_BYTES);
	free(raw);
	if (r) {
		unlink(undo->path);
		return fail(undo, "cannot be written", -r);
	}
	undo->bytes = UNDO_HEADER_BYTES;
	r = directory_sync(undo->path);
	return r ? fail(undo, "cannot be made durable", -r) : 0;
}

/* Append what was collected, durably. */
static int write_batch(struct undo *undo)
{
	int r = append(undo, undo->batch, undo->batch_bytes);

	if (r)
		return fail(undo, "cannot be written", -r);
	if (fdatasync(undo->fd))
		return fail(undo, "cannot be made durable", errno);
	undo->bytes += undo->batch_bytes;
	undo->batch_bytes = 0;
	return 0;
}

/*
 * Records
 */

static u8 *batch_room(struct undo *undo, size_t bytes)
{
	size_t room = undo->batch_room;
	u8 *batch;

	while (undo->batch_bytes + bytes > room)
		room = room ? room * 2 : 65536;
	if (room != undo->batch_room) {
		batch = realloc(undo->batch, room);
		if (!batch)
			return NULL;
		undo->batch = batch;
		undo->batch_room = room;
	}
	return undo->batch + undo->batch_bytes;
}

/* Read what a block holds, sector by sector if need be. Return: mask of unreadable sectors. */
static u8 read_old(const struct device *dev, u64 block, u8 sectors, u8 *old)
{
	struct rmeta_io io = {
		.op = RMETA_READ,
		.sector = block * UNDO_BLOCK_SECTORS,
		.bytes = sectors * 512,
		.data = old,
	};
	struct rmeta_file file = { .fd = dev->host.fd };
	unsigned int i;
	u8 unread = 0;

	rmeta_file_ops.submit(&file, &io, 1);
	for (i = 0; io.error && i < sectors; i++) {
		struct rmeta_io one = {
			.op = RMETA_READ,
			.sector = io.sector + i,
			.bytes = 512,
			.data = old + i * 512,
		};

		rmeta_file_ops.submit(&file, &one, 1);
		if (one.error) {
			memset(one.data, 0, one.bytes);
			unread |= (u8)(1U << i);
		}
	}
	return unread;
}

/* One block of a write: sectors @first up to @end of the device, of which @data is the new. */
static int add_record(struct undo *undo, const struct device *dev, u64 block, u64 first,
		      u64 end, const u8 *data, u64 batch)
{
	u64 start = block * UNDO_BLOCK_SECTORS, sector;
	struct undo_record record = {
		.number = undo->records,
		.batch = batch,
		.block = block,
		.sectors = (u8)min(dev->sectors - start, (u64)UNDO_BLOCK_SECTORS),
		.has_old = !is_saved(undo, block),
	};
	u8 *raw = batch_room(undo, UNDO_RECORD_BYTES + UNDO_BLOCK_BYTES);

	if (!raw)
		return fail(undo, "cannot be written", ENOMEM);
	for (sector = first; sector < end; sector++) {
		record.written |= (u8)(1U << (sector - start));
		record.crc[sector - start] =
			rmeta_crc32(0, data + (sector - first) * 512, 512);
	}
	if (record.has_old) {
		record.unread = read_old(dev, block, record.sectors, raw + UNDO_RECORD_BYTES);
		mark_saved(undo, block);
	}
	undo_record_encode(raw, &record, undo->header.uuid);
	undo->batch_bytes += undo_record_bytes(&record);
	undo->records++;
	return 0;
}

static int add_write(struct undo *undo, const struct device *dev, const struct rmeta_io *io,
		     u64 batch)
{
	u64 end = min(io->sector + io->bytes / 512, dev->sectors);
	u64 sector = io->sector, next;
	const u8 *data = io->data;
	int r = 0;

	for (; sector < end && !r; sector = next) {
		next = min((sector / UNDO_BLOCK_SECTORS + 1) * UNDO_BLOCK_SECTORS, end);
		r = add_record(undo, dev, sector / UNDO_BLOCK_SECTORS, sector, next,
			       data + (sector - io->sector) * 512, batch);
	}
	return r;
}

int undo_save(struct device *dev, const struct rmeta_io *ios, unsigned int nr_ios)
{
	struct undo *undo = dev->undo;
	u64 batch = undo->records;
	unsigned int i;
	int r = undo->error;

	if (!r && undo->fd < 0)
		r = create_file(undo);
	for (i = 0; i < nr_ios && !r; i++)
		if (ios[i].op == RMETA_WRITE)
			r = add_write(undo, dev, &ios[i], batch);
	return r ? r : write_batch(undo);
}

/*
 * Beginning and end
 */

int undo_attach(struct device *dev)
{
	struct rmeta_geometry geo;
	struct rmeta_superblock sb;
	struct undo *undo;
	int r;

	if (!configured_path)
		return 0;
	undo = report_alloc(sizeof(*undo));
	undo->fd = -1;
	undo->path = configured_path;
	undo->shown = escape_text(undo->path, strlen(undo->path));
	dev->undo = undo;
	r = check_path(undo, dev);
	if (r)
		return r;
	undo->header.device_sectors = dev->sectors;
	snprintf(undo->header.tool, sizeof(undo->header.tool), "%s", configured_tool);
	snprintf(undo->header.path, sizeof(undo->header.path), "%s", dev->path);
	undo->header.has_spare_uuid = spare_superblock(&sb, &geo, dev);
	if (undo->header.has_spare_uuid)
		memcpy(undo->header.spare_uuid, sb.uuid, sizeof(sb.uuid));
	undo->nr_chunks = dev->sectors / UNDO_BLOCK_SECTORS / CHUNK_BLOCKS + 1;
	undo->saved = report_alloc(undo->nr_chunks * sizeof(*undo->saved));
	return 0;
}

/* The record that ends the file. */
static void write_end(struct undo *undo, const struct device *dev)
{
	struct undo_record record = {
		.number = undo->records,
		.batch = undo->records,
		.block = UNDO_NO_BLOCK,
	};
	u8 *raw = batch_room(undo, UNDO_RECORD_BYTES);

	if (!raw)
		return;
	undo_record_encode(raw, &record, undo->header.uuid);
	undo->batch_bytes += UNDO_RECORD_BYTES;
	if (write_batch(undo))
		return;
	if (undo->records)
		report_info("to undo this: remap-check --apply-undo %s %s", undo->shown,
			    dev->shown);
}

void undo_nothing(struct device *dev)
{
	struct undo *undo = dev->undo;

	if (undo && undo->fd < 0 && !undo->error)
		create_file(undo);
}

void undo_detach(struct device *dev)
{
	struct undo *undo = dev->undo;
	size_t i;

	if (!undo)
		return;
	if (undo->fd >= 0 && !undo->error)
		write_end(undo, dev);
	if (undo->fd >= 0)
		close(undo->fd);
	for (i = 0; undo->saved && i < undo->nr_chunks; i++)
		free(undo->saved[i]);
	free(undo->saved);
	free(undo->batch);
	free(undo->shown);
	free(undo);
	dev->undo = NULL;
}
