// SPDX-License-Identifier: GPL-2.0-only
/*
 * A spare device in memory. See disk.h.
 */
#include "disk.h"

#define BLOCK_SECTORS (DISK_BLOCK / 512)

u64 disk_random(u64 *state)
{
	u64 z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static void *get(size_t nr, size_t bytes)
{
	void *p = calloc(nr, bytes);

	if (!p)
		abort();
	return p;
}

void disk_init(struct disk *disk, u64 max_sectors)
{
	memset(disk, 0, sizeof(*disk));
	disk->sectors = max_sectors;
	disk->max_blocks = DIV_ROUND_UP(max_sectors, BLOCK_SECTORS);
	disk->block = get(disk->max_blocks, sizeof(*disk->block));
	disk->unreadable = get(disk->max_blocks, 1);
	disk->unwritable = get(disk->max_blocks, 1);
	disk->random = 1;
	disk->now = 1800000000;
}

void disk_exit(struct disk *disk)
{
	u64 nr;

	for (nr = 0; nr < disk->max_blocks; nr++)
		free(disk->block[nr]);
	free(disk->block);
	free(disk->unreadable);
	free(disk->unwritable);
	memset(disk, 0, sizeof(*disk));
}

static u8 *block_at(struct disk *disk, u64 nr)
{
	if (!disk->block[nr])
		disk->block[nr] = get(1, DISK_BLOCK);
	return disk->block[nr];
}

void disk_copy(struct disk *to, const struct disk *from)
{
	u64 nr;

	for (nr = 0; nr < from->max_blocks; nr++) {
		if (from->block[nr]) {
			memcpy(block_at(to, nr), from->block[nr], DISK_BLOCK);
		} else if (to->block[nr]) {
			free(to->block[nr]);
			to->block[nr] = NULL;
		}
	}
	memcpy(to->unreadable, from->unreadable, from->max_blocks);
	memcpy(to->unwritable, from->unwritable, from->max_blocks);
	to->sectors = from->sectors;
	to->now = from->now;
	to->steps = 0;
	to->writes = 0;
	to->fatal_step = 0;
	to->dead = false;
}

bool disk_same(const struct disk *disk, const struct disk *other)
{
	static const u8 zero[DISK_BLOCK];
	u64 nr;

	for (nr = 0; nr < disk->max_blocks; nr++) {
		const u8 *one = disk->block[nr] ? disk->block[nr] : zero;
		const u8 *two = other->block[nr] ? other->block[nr] : zero;

		if (one != two && memcmp(one, two, DISK_BLOCK))
			return false;
	}
	return true;
}

u8 *disk_at(struct disk *disk, u64 sector)
{
	assert(!(sector % BLOCK_SECTORS) && sector / BLOCK_SECTORS < disk->max_blocks);
	return block_at(disk, sector / BLOCK_SECTORS);
}

void disk_break_reads(struct disk *disk, u64 sector)
{
	disk->unreadable[sector / BLOCK_SECTORS] = 1;
}

void disk_break_writes(struct disk *disk, u64 sector)
{
	disk->unwritable[sector / BLOCK_SECTORS] = 1;
}

void disk_revive(struct disk *disk)
{
	disk->dead = false;
	disk->fatal_step = 0;
}

static int read_block(struct disk *disk, u64 nr, u8 *data)
{
	if (disk->unreadable[nr])
		return -EIO;
	if (disk->block[nr])
		memcpy(data, disk->block[nr], DISK_BLOCK);
	else
		memset(data, 0, DISK_BLOCK);
	return 0;
}

/* Power goes while a block is written: old, new, or some sectors of each. */
static void write_cut(struct disk *disk, u64 nr, const u8 *data)
{
	u64 luck = disk_random(&disk->random);
	unsigned int sector;

	if (luck % 3 == 0)
		return;
	for (sector = 0; sector < BLOCK_SECTORS; sector++)
		if (luck % 3 == 1 || (luck >> (8 + sector) & 1))
			memcpy(block_at(disk, nr) + sector * 512, data + sector * 512, 512);
	disk->unreadable[nr] = 0;
}

static int write_block(struct disk *disk, u64 nr, const u8 *data, bool cut)
{
	if (disk->unwritable[nr])
		return -EIO;
	if (cut) {
		write_cut(disk, nr, data);
		return -EIO;
	}
	memcpy(block_at(disk, nr), data, DISK_BLOCK);
	disk->unreadable[nr] = 0;
	disk->writes++;
	return 0;
}

static int transfer(struct disk *disk, const struct rmeta_io *io, bool cut)
{
	u64 first = io->sector / BLOCK_SECTORS, nr = io->bytes / DISK_BLOCK, at;
	u8 *data = io->data;
	int r = 0;

	assert(!(io->sector % BLOCK_SECTORS) && nr && !(io->bytes % DISK_BLOCK));
	if (disk->dead || io->sector + io->bytes / 512 > disk->sectors)
		return -EIO;
	for (at = 0; at < nr && !r; at++, data += DISK_BLOCK) {
		if (io->op == RMETA_READ)
			r = read_block(disk, first + at, data);
		else
			r = write_block(disk, first + at, data, cut);
	}
	return r;
}

static void disk_submit(void *host, struct rmeta_io *ios, unsigned int nr_ios)
{
	struct disk *disk = host;
	bool writes = false, cut;
	unsigned int nr;

	for (nr = 0; nr < nr_ios; nr++)
		writes |= ios[nr].op == RMETA_WRITE;
	if (writes && !disk->dead)
		disk->steps++;
	cut = writes && disk->fatal_step && disk->steps == disk->fatal_step;
	for (nr = 0; nr < nr_ios; nr++)
		ios[nr].error = transfer(disk, &ios[nr], cut);
	if (cut)
		disk->dead = true;
}

static u64 disk_now(void *host)
{
	return ((struct disk *)host)->now;
}

const struct rmeta_host_ops disk_ops = {
	.submit = disk_submit,
	.now = disk_now,
};
