/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk in memory, for tests of the engine: a host whose I/O can be made to fail by sector
 * range and direction, that counts, and that can stop working after so many writes.
 * Not for proving crash safety: that is the simulator's, which enumerates.
 */
#ifndef MEMDISK_H
#define MEMDISK_H

#include <stdlib.h>
#include <string.h>
#include "table.h"

#define MEMDISK_FAULTS 16

/**
 * struct memdisk_fault - a range that fails
 * @first_sector: of the range
 * @end_sector: behind the range
 * @reads: reads of it fail
 * @writes: writes of it fail, and change nothing
 */
struct memdisk_fault {
	u64 first_sector;
	u64 end_sector;
	bool reads;
	bool writes;
};

/**
 * struct memdisk - a disk in memory
 * @data: its bytes; calloc()ed, so that a large one costs what is touched
 * @sectors: its length
 * @faults: ranges that fail
 * @nr_faults: how many
 * @reads: requests so far
 * @writes: likewise
 * @batches: calls of submit() with a write in them: durability points
 * @most_in_batch: most writes in one of them
 * @now: what the clock says
 * @resizes: of the index
 * @last_from: buckets before the last of them
 * @last_to: buckets after it
 * @last_count: remaps at it
 */
struct memdisk {
	u8 *data;
	u64 sectors;
	struct memdisk_fault faults[MEMDISK_FAULTS];
	unsigned int nr_faults;
	u64 reads;
	u64 writes;
	u64 batches;
	unsigned int most_in_batch;
	u64 now;
	unsigned int resizes;
	u32 last_from;
	u32 last_to;
	u64 last_count;
};

static bool memdisk_fails(const struct memdisk *disk, const struct rmeta_io *io)
{
	u64 end_sector = io->sector + io->bytes / 512;
	unsigned int nr;

	if (end_sector > disk->sectors)
		return true;
	for (nr = 0; nr < disk->nr_faults; nr++) {
		const struct memdisk_fault *fault = &disk->faults[nr];

		if (io->sector < fault->end_sector && end_sector > fault->first_sector &&
		    (io->op == RMETA_READ ? fault->reads : fault->writes))
			return true;
	}
	return false;
}

static void memdisk_submit(void *host, struct rmeta_io *ios, unsigned int nr_ios)
{
	struct memdisk *disk = host;
	unsigned int nr, writes = 0;

	for (nr = 0; nr < nr_ios; nr++) {
		struct rmeta_io *io = &ios[nr];

		io->error = memdisk_fails(disk, io) ? -EIO : 0;
		if (io->op == RMETA_READ)
			disk->reads++;
		else
			writes++;
		if (io->error)
			continue;
		if (io->op == RMETA_READ)
			memcpy(io->data, disk->data + io->sector * 512, io->bytes);
		else
			memcpy(disk->data + io->sector * 512, io->data, io->bytes);
	}
	disk->writes += writes;
	disk->batches += writes != 0;
	if (writes > disk->most_in_batch)
		disk->most_in_batch = writes;
}

static u64 memdisk_now(void *host)
{
	return ((struct memdisk *)host)->now;
}

static void memdisk_resized(void *host, u32 from, u32 to, u64 count)
{
	struct memdisk *disk = host;

	disk->resizes++;
	disk->last_from = from;
	disk->last_to = to;
	disk->last_count = count;
}

static const struct rmeta_host_ops memdisk_ops = {
	.submit = memdisk_submit,
	.now = memdisk_now,
	.resized = memdisk_resized,
};

__attribute__((unused))
static void memdisk_init(struct memdisk *disk, u64 mib)
{
	memset(disk, 0, sizeof(*disk));
	disk->sectors = mib << 11;
	disk->data = calloc(1, disk->sectors * 512);
	disk->now = 1700000000;
	if (!disk->data)
		abort();
}

__attribute__((unused))
static void memdisk_exit(struct memdisk *disk)
{
	free(disk->data);
	disk->data = NULL;
}

__attribute__((unused))
static void memdisk_fault(struct memdisk *disk, u64 first_sector, u64 nr_sectors, bool reads,
			  bool writes)
{
	if (disk->nr_faults == MEMDISK_FAULTS)
		abort();
	disk->faults[disk->nr_faults++] = (struct memdisk_fault){
		.first_sector = first_sector,
		.end_sector = first_sector + nr_sectors,
		.reads = reads,
		.writes = writes,
	};
}

__attribute__((unused))
static void memdisk_heal(struct memdisk *disk)
{
	disk->nr_faults = 0;
}

/* Format the disk for a main of @main_sectors. */
__attribute__((unused))
static int memdisk_format(struct memdisk *disk, u64 main_sectors, u8 block_shift)
{
	static u8 nr;
	struct rmeta_format_params params = {
		.spare_sectors = disk->sectors,
		.main_sectors = main_sectors,
		.block_shift = block_shift,
		.uuid = { 0xd1, 0x5c, ++nr },
		.now = disk->now,
		.label = "test",
	};

	return rmeta_format(&memdisk_ops, disk, &params);
}

__attribute__((unused))
static int memdisk_load(struct memdisk *disk, struct rmeta_table *table, struct rmeta_load *load)
{
	memset(load, 0, sizeof(*load));
	load->device_sectors = disk->sectors;
	load->batch = 4;
	load->hash_seed = 0x1234567;
	return rmeta_table_load(table, &memdisk_ops, disk, load);
}

__attribute__((unused))
static int memdisk_load_read_only(struct memdisk *disk, struct rmeta_table *table,
				  struct rmeta_load *load)
{
	memset(load, 0, sizeof(*load));
	load->device_sectors = disk->sectors;
	load->batch = 4;
	load->read_only = true;
	return rmeta_table_load(table, &memdisk_ops, disk, load);
}

#endif
