// SPDX-License-Identifier: GPL-2.0-only
/*
 * The comparison of what slots hold with another device. See retired_to.h.
 */
#include <fcntl.h>
#include <unistd.h>

#include "progress.h"
#include "report.h"
#include "retired_to.h"
#include "salvage.h"
#include "stop.h"

#define BLOCK_SECTORS (1U << RMETA_MAX_BLOCK_SHIFT)
#define BLOCK_BYTES (BLOCK_SECTORS * 512)

/* One block while it is compared. Masks have a bit for each of its sectors. */
struct block {
	u64 first_sector;	/* of main */
	u16 bad;		/* could not be read just now */
	u64 read_sector;	/* where the reading began */
};

static void note_bad(void *ctx, u64 sector, u64 sectors)
{
	struct block *block = ctx;
	u64 nr;

	for (nr = sector - block->read_sector; sectors; nr++, sectors--)
		block->bad |= (u16)BIT(nr);
}

/* Return: mask of the sectors that could not be read. */
static u16 read_block(struct block *block, const struct device *dev, u64 sector, u64 sectors,
		      u8 *data)
{
	block->bad = 0;
	block->read_sector = sector;
	salvage_read(dev, sector, sectors, data, note_bad, block);
	return block->bad;
}

static void count(u16 mask, u64 first_sector, u64 *sectors, u64 *first)
{
	if (!mask)
		return;
	*sectors += hweight16(mask);
	*first = min(*first, first_sector + (u64)__builtin_ctz(mask));
}

static void compare_block(struct retired_to *result, const struct rmeta_table *table, slot_t slot,
			  const struct device *spare, const struct device *dev)
{
	const struct rmeta_entry *entry = rmeta_table_entry(table, slot);
	const struct rmeta_geometry *geo = &table->store.geo;
	block_t number = rmeta_where_block(entry->where);
	u16 all = rmeta_block_mask(number, geo->main_sectors, geo->block_shift);
	u16 held = all & (u16)~rmeta_where_mask(entry->where), different = 0, bad, slot_bad = 0;
	struct block block = { .first_sector = number << geo->block_shift };
	static u8 there[BLOCK_BYTES], here[BLOCK_BYTES];
	unsigned int nr;

	bad = read_block(&block, dev, block.first_sector, hweight16(all), there);
	if (held)
		slot_bad = held & read_block(&block, spare, rmeta_slot_sector(geo, slot),
					     hweight16(all), here);
	held &= (u16)~(bad | slot_bad);
	for (nr = 0; nr < BLOCK_SECTORS; nr++)
		if (held & BIT(nr) && memcmp(there + nr * 512, here + nr * 512, 512))
			different |= (u16)BIT(nr);
	result->compared += hweight16(held);
	result->slots_unreadable += hweight16(slot_bad);
	count(different, block.first_sector, &result->different, &result->first_different);
	count(bad, block.first_sector, &result->unreadable, &result->first_unreadable);
}

int retired_to_compare(struct retired_to *result, const struct rmeta_table *table,
		       const struct device *spare, const struct device *dev)
{
	u64 slots = min((u64)table->sb.pages_used * RMETA_PAGE_ENTRIES,
			(u64)rmeta_slots(&table->store.geo));
	u64 slot, done = 0;
	int r = 0;

	*result = (struct retired_to){
		.first_different = RETIRED_TO_NONE,
		.first_unreadable = RETIRED_TO_NONE,
	};
	/* What was copied there a moment ago may be in memory only. */
	if (fdatasync(dev->host.fd)) {
		r = -errno;
		report_error("%s could not be flushed: %s; nothing was changed", dev->shown,
			     strerror(-r));
		return r;
	}
	posix_fadvise(dev->host.fd, 0, 0, POSIX_FADV_DONTNEED);
	progress_begin("comparing blocks", table->counts.mapped + table->counts.lost);
	for (slot = 0; slot < slots && !r; slot++) {
		u8 state = rmeta_table_entry(table, (slot_t)slot)->state;

		if (state != RMETA_MAPPED && state != RMETA_LOST)
			continue;
		compare_block(result, table, (slot_t)slot, spare, dev);
		progress_update(++done);
		if (stop_requested())
			r = -EINTR;
	}
	progress_end();
	if (r)
		report_error("interrupted; nothing was changed");
	return r;
}
