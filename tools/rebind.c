// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of sectors that a clone of main does not have. Block by block, with M the missing
 * sectors of the block:
 *
 *	no slot				all of M is lost; a slot is taken, into which the
 *					rest of the block is copied from new main
 *	mapped, none of M pending	nothing: slots have them
 *	mapped, some of M pending	those are lost; pending sectors that new main has are copied from
 *					there, since a lost entry has no pending ones
 *	lost				nothing: slots have them, or they were lost before
 *
 * Slots are durable before the entries that say so (rule 4).
 */
#include <unistd.h>

#include "lost.h"
#include "progress.h"
#include "rebind.h"
#include "report.h"
#include "salvage.h"
#include "slot_copy.h"
#include "spare.h"
#include "stop.h"

#define BATCH_BLOCKS 4096U

/* A block of which sectors are missing, and what becomes of it. Masks have a bit for each sector. */
struct block {
	block_t number;
	slot_t slot;		/* RMETA_NO_SLOT: none yet */
	u16 lost;		/* becomes so; 0: the block stays as it is */
	u16 copy;		/* from new main into the slot */
};

/* Goes through missing sectors block by block. */
struct walk {
	const struct ranges *missing;
	size_t range;
	u64 at_sector;
};

/* Return: false at the end. @mask: missing sectors of the block. */
static bool next_block(struct walk *walk, u8 shift, block_t *number, u16 *mask)
{
	const struct ranges *missing = walk->missing;
	u64 first_sector, end_sector, from, to;

	if (walk->range == missing->nr)
		return false;
	*number = max(walk->at_sector, missing->range[walk->range].first) >> shift;
	first_sector = *number << shift;
	end_sector = first_sector + ((u64)1 << shift);
	for (*mask = 0; walk->range < missing->nr; walk->range++) {
		const struct range *range = &missing->range[walk->range];

		if (range->first >= end_sector)
			break;
		from = max(range->first, first_sector);
		to = min(range->end, end_sector);
		*mask |= (u16)(((1U << (to - from)) - 1) << (from - first_sector));
		if (range->end > end_sector)
			break;
	}
	walk->at_sector = end_sector;
	return true;
}

/* What becomes of a block; and counts it. */
static void decide(struct rebind *rebind, struct block *block, block_t number, u16 missing)
{
	const struct rmeta_table *table = rebind->table;
	u16 all = rmeta_block_mask(number, table->sb.main_sectors, table->sb.block_shift), mask;
	const struct rmeta_entry *entry;

	*block = (struct block){ .number = number };
	block->slot = rmeta_index_lookup(&table->index, number);
	if (block->slot == RMETA_NO_SLOT) {
		block->lost = missing;
		block->copy = all & (u16)~missing;
		rebind->fresh_lost += hweight16(missing);
		rebind->claims++;
		rebind->copied += hweight16(block->copy);
		return;
	}
	entry = rmeta_table_entry(table, block->slot);
	mask = rmeta_where_mask(entry->where);
	rebind->in_slots += hweight16(missing & (u16)~mask);
	if (entry->state == RMETA_LOST) {
		rebind->lost_before += hweight16(missing & mask);
	} else if (missing & mask) {
		block->lost = missing & mask;
		block->copy = mask & (u16)~missing;
		rebind->pending_lost += hweight16(block->lost);
		rebind->turned++;
		rebind->copied += hweight16(block->copy);
	}
}

static int refuse_unreadable(const struct rebind *rebind, u64 sector)
{
	report_error("%s: sector %llu cannot be read, which the mapfile calls rescued: it is no main to rely on, take another device",
		     rebind->main->shown, (unsigned long long)sector);
	return STATUS_FAILED;
}

/* Can what has to be copied be read? */
static int try_block(const struct rebind *rebind, const struct block *block)
{
	u64 first_sector = block->number << rebind->table->sb.block_shift;
	unsigned int bit;
	u8 data[512];

	for (bit = 0; bit < 16; bit++)
		if (block->copy & BIT(bit) &&
		    salvage_read(rebind->main, first_sector + bit, 1, data, NULL, NULL))
			return refuse_unreadable(rebind, first_sector + bit);
	return STATUS_DONE;
}

void rebind_count(struct rebind *rebind)
{
	struct walk walk = { .missing = rebind->missing };
	struct block block;
	block_t number;
	u16 missing;

	while (next_block(&walk, rebind->table->sb.block_shift, &number, &missing))
		decide(rebind, &block, number, missing);
}

int rebind_plan(struct rebind *rebind)
{
	struct walk walk = { .missing = rebind->missing };
	u8 shift = rebind->table->sb.block_shift;
	u64 have = rmeta_table_free_slots(rebind->table);
	int status = STATUS_DONE;
	struct block block;
	block_t number;
	u16 missing;

	while (!status && next_block(&walk, shift, &number, &missing)) {
		decide(rebind, &block, number, missing);
		/* One that does not fit is refused below; then there is no use in reading. */
		if (block.lost && rebind->claims <= have)
			status = try_block(rebind, &block);
		if (stop_requested()) {
			report_error("interrupted; nothing was changed");
			return STATUS_CANCELLED;
		}
	}
	if (!status && rebind->claims > have) {
		report_error("%s has %llu free slots, but %llu blocks have sectors that nobody has, and each of them needs one; nothing was changed (let ddrescue get more of main, or move to a larger spare first)",
			     rebind->spare->shown, (unsigned long long)have,
			     (unsigned long long)rebind->claims);
		status = STATUS_FAILED;
	}
	return status;
}

/*
 * Doing it
 */

static int fill_slot(const struct rebind *rebind, const struct block *block)
{
	const struct rmeta_geometry *geo = &rebind->table->store.geo;
	u64 first_sector = block->number << geo->block_shift;
	int error = 0;
	u16 failed = slot_copy(rebind->spare, rebind->main, first_sector,
			       rmeta_slot_sector(geo, block->slot), block->copy, &error);

	if (!error && failed) {
		refuse_unreadable(rebind, first_sector + (u64)__builtin_ctz(failed));
		error = -EIO;
	}
	return error;
}

static int prepare(const struct rebind *rebind, struct block *block, struct rmeta_change *change)
{
	struct rmeta_table *table = rebind->table;
	bool fresh = block->slot == RMETA_NO_SLOT;
	int r = fresh ? spare_reserve_slot(table, &block->slot) : 0;

	if (!r)
		r = fill_slot(rebind, block);
	if (r)
		return r;
	if (fresh)
		rmeta_change_claim_lost(table, change, block->slot, block->number, block->lost,
					RMETA_REASON_IMPORT);
	else
		rmeta_change_lose(table, change, block->slot, block->lost);
	return 0;
}

static int apply_batch(const struct rebind *rebind, struct rmeta_change *changes, unsigned int nr)
{
	if (fdatasync(rebind->spare->host.fd))
		return -errno;
	return rmeta_table_apply(rebind->table, changes, nr);
}

static int apply_all(struct rebind *rebind, struct rmeta_change *changes)
{
	struct rebind again = *rebind;	/* what was counted is not counted again */
	struct walk walk = { .missing = rebind->missing };
	u8 shift = rebind->table->sb.block_shift;
	unsigned int nr = 0;
	struct block block;
	block_t number;
	u64 done = 0;
	u16 missing;
	int r = 0;

	while (!r && next_block(&walk, shift, &number, &missing)) {
		decide(&again, &block, number, missing);
		if (!block.lost)
			continue;
		r = prepare(rebind, &block, &changes[nr]);
		if (!r && ++nr == BATCH_BLOCKS) {
			r = apply_batch(rebind, changes, nr);
			nr = 0;
		}
		progress_update(++done);
	}
	return r || !nr ? r : apply_batch(rebind, changes, nr);
}

int rebind_apply(struct rebind *rebind)
{
	struct rmeta_change *changes = report_alloc(BATCH_BLOCKS * sizeof(*changes));
	int r;

	progress_begin("marking blocks", rebind->claims + rebind->turned);
	r = apply_all(rebind, changes);
	progress_end();
	free(changes);
	if (!r)
		return STATUS_DONE;
	report_error("%s: %s; it is bound to its old main still, and the same command goes on",
		     rebind->spare->shown, stop_requested() ? "interrupted" : strerror(-r));
	return stop_requested() ? STATUS_CANCELLED : STATUS_FAILED;
}
