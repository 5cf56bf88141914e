// SPDX-License-Identifier: GPL-2.0-only
/*
 * A composite for libext2fs. See composite_fs.h.
 */
#include "composite_fs.h"
#include "report.h"

/* The I/O manager has no argument to pass a pointer in: one at a time. */
static struct composite_fs *io_view;
static struct struct_io_manager composite_manager;

static errcode_t composite_open(const char *name, int flags, io_channel *channel)
{
	io_channel io = calloc(1, sizeof(*io));

	if (!io)
		return EXT2_ET_NO_MEMORY;
	io->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	io->manager = &composite_manager;
	io->name = strdup(name);
	io->block_size = 1024;
	io->refcount = 1;
	*channel = io;
	return 0;
}

static errcode_t composite_close(io_channel io)
{
	if (--io->refcount > 0)
		return 0;
	free(io->name);
	free(io);
	return 0;
}

static errcode_t composite_set_blksize(io_channel io, int bytes)
{
	io->block_size = bytes;
	return 0;
}

static u64 read_bytes(u64 start, u64 bytes, char *data)
{
	u64 sector = start / 512 + io_view->offset_sectors, missing;
	u64 sectors = (start % 512 + bytes + 511) / 512;
	char *buffer = report_alloc(sectors * 512);

	missing = composite_read(io_view->composite, sector, sectors, buffer, NULL, NULL);
	memcpy(data, buffer + start % 512, bytes);
	free(buffer);
	return missing;
}

/* What nobody has, as something that libext2fs goes on behind. */
static void stand_in(char *data, u64 bytes, u64 block_bytes)
{
	struct ext2_dir_entry *entry = (struct ext2_dir_entry *)data;

	memset(data, 0, bytes);
	if (io_view->lenient == LENIENT_DIRECTORIES && bytes == block_bytes)
		ext2fs_set_rec_len(io_view->fs, (unsigned int)block_bytes, entry);
}

/* A negative count is a number of bytes. */
static errcode_t composite_read64(io_channel io, unsigned long long block, int count, void *data)
{
	u64 block_bytes = (u64)io->block_size, start = block * block_bytes, at, part;
	u64 bytes = count < 0 ? (u64)-(int64_t)count : (u64)count * block_bytes;
	u64 end = (io_view->composite->main_sectors - io_view->offset_sectors) * 512;

	if (start >= end || bytes > end - start)
		return EXT2_ET_SHORT_READ;
	if (!read_bytes(start, bytes, data))
		return 0;
	if (io_view->lenient == LENIENT_NOT)
		return EIO;
	io_view->gaps = true;
	for (at = 0; at < bytes; at += part) {
		part = min(block_bytes, bytes - at);
		if (read_bytes(start + at, part, (char *)data + at))
			stand_in((char *)data + at, part, block_bytes);
	}
	return 0;
}

static errcode_t composite_read32(io_channel io, unsigned long block, int count, void *data)
{
	return composite_read64(io, block, count, data);
}

static errcode_t composite_write64(io_channel io, unsigned long long block, int count,
				   const void *data)
{
	return EROFS;
}

static errcode_t composite_write32(io_channel io, unsigned long block, int count,
				   const void *data)
{
	return EROFS;
}

static errcode_t composite_flush(io_channel io)
{
	return 0;
}

static struct struct_io_manager composite_manager = {
	.magic = EXT2_ET_MAGIC_IO_MANAGER,
	.name = "dm-remap composite",
	.open = composite_open,
	.close = composite_close,
	.set_blksize = composite_set_blksize,
	.read_blk = composite_read32,
	.write_blk = composite_write32,
	.flush = composite_flush,
	.read_blk64 = composite_read64,
	.write_blk64 = composite_write64,
};

errcode_t composite_fs_open(struct composite_fs *view)
{
	static const struct { int superblock; unsigned int blocksize; } backups[] = {
		{ 0, 0 }, { 32768, 4096 }, { 8193, 1024 }, { 16384, 2048 },
	};
	int flags = EXT2_FLAG_64BITS | EXT2_FLAG_SOFTSUPP_FEATURES |
		    EXT2_FLAG_IGNORE_CSUM_ERRORS | EXT2_FLAG_SKIP_MMP;
	errcode_t error = 0, first = 0;
	size_t i;

	io_view = view;
	for (i = 0; i < ARRAY_SIZE(backups); i++) {
		error = ext2fs_open2("composite", NULL, flags, backups[i].superblock,
				     backups[i].blocksize, &composite_manager, &view->fs);
		if (!error && i)
			report_warn("the first superblock of the filesystem is unusable; its backup at block %d is used",
				    backups[i].superblock);
		if (!error)
			return 0;
		view->fs = NULL;
		if (!i)
			first = error;
	}
	return first;
}
