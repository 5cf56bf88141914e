// SPDX-License-Identifier: GPL-2.0-only
/*
 * A spare for fuzzers. See fuzz_disk.h.
 *
 * Spares are small, so that an execution is short: 8 MiB is the smallest there is, of which 3
 * are slots and table.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_disk.h"

#define FUZZ_BASES 5
#define FUZZ_SMALL 3		/* of them: few pages */
#define BLOCK 4096
#define BLOCK_SECTORS (BLOCK / 512)

/**
 * struct base - a valid spare
 * @spare_sectors: its length
 * @main_sectors: length of its main
 * @block_shift: log2 of sectors per block
 * @remaps: blocks that get a slot
 */
struct base {
	u64 spare_sectors;
	u64 main_sectors;
	u8 block_shift;
	unsigned int remaps;
};

/*
 * Few pages first: 4 to 8. The last has more than one group of pages, and the second not in use.
 */
static const struct base bases[FUZZ_BASES] = {
	{ 8 << 11, (1 << 21) + 5, 4, 40 },
	{ 8 << 11, 1 << 20, 3, 300 },
	{ 9 << 11, (1 << 22) + 1, 4, 0 },
	{ 8 << 11, 3000, 0, 100 },
	{ 16 << 11, 1 << 22, 0, 200 },
};

u8 fuzz_u8(struct fuzz_input *input)
{
	if (!input->bytes)
		return 0;
	input->bytes--;
	return *input->data++;
}

u16 fuzz_u16(struct fuzz_input *input)
{
	u16 low = fuzz_u8(input);

	return (u16)(low | fuzz_u8(input) << 8);
}

u32 fuzz_u32(struct fuzz_input *input)
{
	u32 low = fuzz_u16(input);

	return low | (u32)fuzz_u16(input) << 16;
}

/*
 * The disk
 */

static void touch(struct fuzz_disk *disk, u64 block)
{
	if (disk->dirty[block])
		return;
	disk->dirty[block] = 1;
	disk->dirty_blocks[disk->nr_dirty++] = (u32)block;
}

static int transfer(struct fuzz_disk *disk, struct rmeta_io *io)
{
	u64 block = io->sector / BLOCK_SECTORS, end = block + io->bytes / BLOCK;

	FUZZ_CHECK(io->bytes && io->bytes % BLOCK == 0, "a request of %u bytes", io->bytes);
	FUZZ_CHECK(io->sector % BLOCK_SECTORS == 0, "a request to sector %llu",
		   (unsigned long long)io->sector);
	if (io->op == RMETA_WRITE)
		disk->writes++;
	if (io->sector > disk->sectors || io->bytes / 512 > disk->sectors - io->sector)
		return -EIO;
	for (; block < end; block++)
		if (io->op == RMETA_WRITE ? disk->unwritable[block] : disk->unreadable[block])
			return -EIO;
	if (io->op == RMETA_READ) {
		memcpy(io->data, disk->data + io->sector * 512, io->bytes);
		return 0;
	}
	for (block = io->sector / BLOCK_SECTORS; block < end; block++) {
		touch(disk, block);
		disk->unreadable[block] = 0;
	}
	memcpy(disk->data + io->sector * 512, io->data, io->bytes);
	return 0;
}

static void fuzz_disk_submit(void *host, struct rmeta_io *ios, unsigned int nr_ios)
{
	unsigned int nr;

	for (nr = 0; nr < nr_ios; nr++)
		ios[nr].error = transfer(host, &ios[nr]);
}

static u64 fuzz_disk_now(void *host)
{
	return 1800000000;
}

const struct rmeta_host_ops fuzz_disk_ops = {
	.submit = fuzz_disk_submit,
	.now = fuzz_disk_now,
};

/*
 * Making the valid ones, with the engine itself
 */

/* Entries of every kind: pending wholly and in part, written, lost, retired, moved, free. */
static void fill(struct rmeta_table *table, const struct base *base)
{
	u64 stride = rmeta_blocks(&table->store.geo) / (base->remaps + 1);
	struct rmeta_change change;
	slot_t slot, to;
	unsigned int nr;
	u16 sectors;

	for (nr = 0; nr < base->remaps; nr++) {
		block_t block = nr % 4 == 1 ? (nr - 1) * stride + 1 : nr * stride;

		sectors = rmeta_block_mask(block, base->main_sectors, base->block_shift);
		FUZZ_CHECK(!rmeta_table_reserve(table, &slot), "no slot");
		rmeta_change_claim(table, &change, slot, block, nr % 3 ? sectors : 0,
				   (enum rmeta_reason)(1 + nr % (RMETA_NR_REASONS - 1)));
		FUZZ_CHECK(!rmeta_table_apply(table, &change, 1), "no claim");
		if (nr % 7 == 3) {
			rmeta_change_mask(table, &change, slot, sectors & 0x5555);
			FUZZ_CHECK(!rmeta_table_apply(table, &change, 1), "no mask");
		}
		if (nr % 11 == 5 && !rmeta_table_reserve(table, &to)) {
			rmeta_change_move(table, &change, slot, to, 0, nr % 2 ? sectors : 0);
			FUZZ_CHECK(!rmeta_table_apply(table, &change, 1), "no move");
			rmeta_change_retire(table, &change, slot, block);
			FUZZ_CHECK(!rmeta_table_apply(table, &change, 1), "no retirement");
		}
		if (nr % 13 == 6) {
			rmeta_change_free(table, &change, slot);
			FUZZ_CHECK(!rmeta_table_apply(table, &change, 1), "not freed");
		}
	}
}

static void make_base(struct fuzz_disk *disk, const struct base *base)
{
	struct rmeta_format_params params = {
		.spare_sectors = base->spare_sectors,
		.main_sectors = base->main_sectors,
		.block_shift = base->block_shift,
		.uuid = { 0xf0, 0x22, (u8)(base - bases) },
		.now = 1700000000,
		.label = "fuzz",
		.main_id = "wwn-0x5000c500a1b2c3d4",
		.main_start = 2048,
	};
	struct rmeta_load load = {
		.device_sectors = base->spare_sectors,
		.batch = 8,
		.hash_seed = 1,
	};
	struct rmeta_table table;

	FUZZ_CHECK(!rmeta_format(&fuzz_disk_ops, disk, &params), "no format");
	FUZZ_CHECK(!rmeta_table_load(&table, &fuzz_disk_ops, disk, &load), "no load");
	fill(&table, base);
	FUZZ_CHECK(!rmeta_table_release(&table), "no release");
	disk->geo = table.store.geo;
	disk->nr_pages = table.sb.pages_used;
	rmeta_table_exit(&table);
}

static void make_disk(struct fuzz_disk *disk, const struct base *base)
{
	u64 blocks;

	disk->max_sectors = base->spare_sectors + (1 << 11);
	disk->sectors = base->spare_sectors;
	blocks = disk->max_sectors / BLOCK_SECTORS;
	disk->fd = -1;
	disk->data = calloc(1, disk->max_sectors * 512);
	disk->base = calloc(1, disk->max_sectors * 512);
	disk->unreadable = calloc(1, blocks);
	disk->unwritable = calloc(1, blocks);
	disk->dirty = calloc(1, blocks);
	disk->dirty_blocks = calloc(blocks, sizeof(*disk->dirty_blocks));
	disk->file_dirty = calloc(blocks, sizeof(*disk->file_dirty));
	make_base(disk, base);
	memcpy(disk->base, disk->data, disk->max_sectors * 512);
}

static void restore_block(struct fuzz_disk *disk, u64 block)
{
	memcpy(disk->data + block * BLOCK, disk->base + block * BLOCK, BLOCK);
	disk->unreadable[block] = 0;
	disk->unwritable[block] = 0;
	disk->dirty[block] = 0;
}

/* First sector of copy @copy of object @object: page 0, 1, ... and the superblock behind them. */
static u64 object_sector(const struct fuzz_disk *disk, u32 object, unsigned int copy)
{
	if (object >= disk->geo.table_pages)
		return rmeta_superblock_sector(copy);
	return rmeta_page_sector(&disk->geo, copy, object);
}

static void restore(struct fuzz_disk *disk)
{
	u32 nr;

	for (nr = 0; nr < disk->nr_dirty; nr++)
		restore_block(disk, disk->dirty_blocks[nr]);
	disk->nr_dirty = 0;
	disk->writes = 0;
	disk->faults = false;
	disk->sectors = disk->geo.spare_sectors;
}

/*
 * Patches
 */

enum patch {
	PATCH_FIELD,	/* bytes at an offset, checksum renewed */
	PATCH_ENTRY,	/* one entry of a page, checksum renewed */
	PATCH_BYTES,	/* bytes at an offset, checksum left as it is */
	PATCH_FILL,	/* one byte all over */
	PATCH_OTHER,	/* what another object, or copy, holds */
	PATCH_READS,	/* cannot be read */
	PATCH_WRITES,	/* cannot be written */
	PATCH_LENGTH,	/* of the device */
	NR_PATCHES
};

static void renew_checksum(u8 *raw)
{
	size_t at = memcmp(raw, "DMREMAP4", 8) ? 4 : 8;
	__le32 crc;

	memset(raw + at, 0, 4);
	crc = cpu_to_le32(rmeta_crc32(0, raw, RMETA_BYTES));
	memcpy(raw + at, &crc, 4);
}

/* Superblock and low pages are picked most often; the superblock with numbers from 0xe0 on. */
static u32 pick_object(const struct fuzz_disk *disk, struct fuzz_input *input)
{
	u8 number = fuzz_u8(input);

	return number >= 0xe0 ? disk->geo.table_pages :
	       number % min(disk->geo.table_pages, 0xe0U);
}

static void patch_copy(struct fuzz_disk *disk, enum patch kind, u64 sector, u16 offset,
		       const u8 *bytes, size_t nr_bytes, const u8 *other)
{
	u64 block = sector / BLOCK_SECTORS;
	u8 *raw = disk->data + sector * 512;

	touch(disk, block);
	switch (kind) {
	case PATCH_FIELD:
	case PATCH_ENTRY:
	case PATCH_BYTES:
		memcpy(raw + offset, bytes, min(nr_bytes, (size_t)(BLOCK - offset)));
		if (kind != PATCH_BYTES)
			renew_checksum(raw);
		break;
	case PATCH_FILL:
		memset(raw, offset, BLOCK);
		break;
	case PATCH_OTHER:
		memmove(raw, other, BLOCK);
		break;
	case PATCH_READS:
		disk->unreadable[block] = 1;
		disk->faults = true;
		break;
	default:
		disk->unwritable[block] = 1;
		disk->faults = true;
		break;
	}
}

static void patch_length(struct fuzz_disk *disk, u16 number)
{
	disk->sectors = number & 0x8000 ? disk->max_sectors - (number & 0x1fff) % disk->max_sectors :
			disk->max_sectors * (number & 0x7fff) / 0x8000;
	disk->sectors = max(disk->sectors, (u64)1);
}

static void patch(struct fuzz_disk *disk, struct fuzz_input *input)
{
	enum patch kind = (enum patch)(fuzz_u8(input) % NR_PATCHES);
	u8 copies, other_copy;
	u32 object, other;
	size_t nr_bytes = 0;
	const u8 *bytes = input->data;
	unsigned int copy;
	u16 offset = 0;

	if (kind == PATCH_LENGTH) {
		patch_length(disk, fuzz_u16(input));
		return;
	}
	object = pick_object(disk, input);
	copies = fuzz_u8(input);
	other = object;
	other_copy = 0;
	if (kind == PATCH_OTHER) {
		other = pick_object(disk, input);
		other_copy = fuzz_u8(input) % RMETA_COPIES;
	} else if (kind == PATCH_ENTRY) {
		offset = (u16)(48 + 16 * (fuzz_u8(input) % RMETA_PAGE_ENTRIES));
		nr_bytes = 16;
	} else if (kind <= PATCH_FILL) {
		offset = fuzz_u16(input) % BLOCK;
		nr_bytes = kind == PATCH_FILL ? 0 : 1 + fuzz_u8(input) % 64;
	}
	bytes = input->data;
	nr_bytes = min(nr_bytes, input->bytes);
	input->data += nr_bytes;
	input->bytes -= nr_bytes;
	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (copies & 1U << copy)
			patch_copy(disk, kind, object_sector(disk, object, copy), offset, bytes,
				   nr_bytes, disk->data + object_sector(disk, other, other_copy) * 512);
}

struct fuzz_disk *fuzz_disk_begin(struct fuzz_input *input, bool large)
{
	static struct fuzz_disk disks[FUZZ_BASES];
	u8 number = fuzz_u8(input), left = fuzz_u8(input);
	unsigned int which = large ? FUZZ_SMALL + number % (FUZZ_BASES - FUZZ_SMALL) :
			     number % FUZZ_SMALL;
	struct fuzz_disk *disk = &disks[which];

	if (!disk->data)
		make_disk(disk, &bases[which]);
	restore(disk);
	while (left-- && input->bytes)
		patch(disk, input);
	return disk;
}

static void write_block(const struct fuzz_disk *disk, u64 block)
{
	FUZZ_CHECK(pwrite(disk->fd, disk->data + block * BLOCK, BLOCK, (off_t)(block * BLOCK)) ==
		   BLOCK, "no room in the file");
}

/* All that a valid spare holds: its slots are empty, and nobody writes to them. */
static void write_all(const struct fuzz_disk *disk)
{
	unsigned int copy;
	u32 object;

	for (object = 0; object <= disk->geo.table_pages; object++)
		for (copy = 0; copy < RMETA_COPIES; copy++)
			write_block(disk, object_sector(disk, object, copy) / BLOCK_SECTORS);
}

const char *fuzz_disk_path(struct fuzz_disk *disk)
{
	static char path[64];
	u64 bytes = disk->sectors * 512;
	u32 nr;

	if (disk->fd < 0) {
		disk->fd = memfd_create("spare", MFD_CLOEXEC);
		FUZZ_CHECK(disk->fd >= 0, "no file in memory");
	}
	for (nr = 0; nr < disk->nr_file_dirty; nr++)
		write_block(disk, disk->file_dirty[nr]);
	if (bytes != disk->file_bytes)
		write_all(disk);
	for (nr = 0; nr < disk->nr_dirty; nr++)
		write_block(disk, disk->dirty_blocks[nr]);
	memcpy(disk->file_dirty, disk->dirty_blocks, disk->nr_dirty * sizeof(*disk->file_dirty));
	disk->nr_file_dirty = disk->nr_dirty;
	disk->file_bytes = bytes;
	FUZZ_CHECK(!ftruncate(disk->fd, (off_t)bytes), "no length");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", disk->fd);
	return path;
}
