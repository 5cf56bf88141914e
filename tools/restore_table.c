// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of the entries of a dump on another spare.
 *
 * Each sector of a block was, at the time of the dump, in the slot (S), pending, that is on main
 * only (P), or lost (L). An entry is *trusted* when the dump still tells the truth about it: the old
 * spare is here and holds the same entry, or it is not here, but was released cleanly before the
 * dump, or somebody vouches for it.
 *
 *	not trusted		any sector may have been written since: every sector is lost.
 *				Main must not be read for P: what it has may be old.
 *	trusted, mapped, and every S can be copied (or there is none)
 *				S is copied, P stays pending: mapped
 *	trusted, mapped, and some S cannot be copied (without the old spare: all of them)
 *				those become lost, and a lost entry has no pending sectors: P is
 *				copied from main where that can be read, else lost, too
 *	trusted, lost		S is copied or becomes lost, L stays lost
 *
 * Retired entries say that a slot of the old spare is bad, and are left out.
 */
#include <unistd.h>

#include "progress.h"
#include "report.h"
#include "restore.h"
#include "restore_table.h"
#include "slot_copy.h"

#define RUN_SECTORS 2048	/* copied at once */

/**
 * struct filling - what restore_table_fill() works with
 * @data: RUN_SECTORS sectors
 */
struct filling {
	struct restore_table *table;
	const struct dump_file *file;
	const struct restore_sources *sources;
	const struct device *spare;
	const struct rmeta_geometry *geo;
	u8 *data;
};

static void collect(void *ctx, slot_t slot, const struct rmeta_entry *entry)
{
	struct restore_table *table = ctx;

	if (entry->state == RMETA_RETIRED) {
		table->retired++;
		return;
	}
	table->entries[table->nr] = *entry;
	table->old_slots[table->nr++] = slot;
}

int restore_table_make(struct restore_table *table, const struct dump_file *file)
{
	u64 nr = (u64)file->counts.mapped + file->counts.lost;

	*table = (struct restore_table){
		.entries = malloc((nr + 1) * sizeof(*table->entries)),
		.old_slots = malloc((nr + 1) * sizeof(*table->old_slots)),
	};
	if (!table->entries || !table->old_slots)
		return -ENOMEM;
	dump_file_entries(file, collect, table);
	return 0;
}

void restore_table_free(struct restore_table *table)
{
	free(table->entries);
	free(table->old_slots);
	*table = (struct restore_table){ .nr = 0 };
}

static u16 sectors_of(const struct filling *filling, const struct rmeta_entry *entry)
{
	return rmeta_block_mask(rmeta_where_block(entry->where), filling->geo->main_sectors,
				filling->geo->block_shift);
}

static bool is_trusted(const struct filling *filling, slot_t old_slot)
{
	const struct restore_sources *sources = filling->sources;

	if (!sources->old)
		return sources->keep_pending ||
		       !(filling->file->sb.state & RMETA_IN_USE);
	return sources->unchanged ||
	       sources->match[old_slot / RMETA_PAGE_ENTRIES] == RMETA_MATCH_SAME;
}

/* An entry is to become lost, with sectors @gone; its pending ones are saved if they can be. */
static int lose(struct filling *filling, u32 nr, u16 gone, bool trusted)
{
	struct restore_table *table = filling->table;
	struct rmeta_entry *entry = &table->entries[nr];
	const struct device *main_dev = filling->sources->main;
	block_t block = rmeta_where_block(entry->where);
	u16 mask = rmeta_where_mask(entry->where), failed = mask;
	int error = 0;

	if (entry->state == RMETA_MAPPED && mask) {
		if (main_dev && trusted && !filling->spare)
			failed = 0;
		else if (main_dev && trusted)
			failed = slot_copy(filling->spare, main_dev, block << filling->geo->block_shift,
					   rmeta_slot_sector(filling->geo, nr), mask, &error);
		table->saved_sectors += hweight16(mask & (u16)~failed);
		table->pending_lost += hweight16(failed);
	} else if (entry->state == RMETA_LOST) {
		table->lost_before += hweight16(mask);
	}
	entry->state = RMETA_LOST;
	entry->where = rmeta_where(block, gone | failed);
	return error;
}

/* One entry whose slot is not copied as a whole. */
static int fill_entry(struct filling *filling, u32 nr)
{
	struct restore_table *table = filling->table;
	struct rmeta_entry *entry = &table->entries[nr];
	slot_t old_slot = table->old_slots[nr];
	u16 mask = rmeta_where_mask(entry->where), in_slot = sectors_of(filling, entry) & ~mask;
	bool trusted = is_trusted(filling, old_slot);
	u16 gone = in_slot;
	int error = 0;

	if (trusted && filling->sources->old && !filling->spare)
		gone = 0;
	else if (trusted && filling->sources->old)
		gone = slot_copy(filling->spare, filling->sources->old,
				 rmeta_slot_sector(&filling->file->geo, old_slot),
				 rmeta_slot_sector(filling->geo, nr), in_slot, &error);
	if (trusted && filling->sources->old)
		table->copied_sectors += hweight16(in_slot & (u16)~gone);
	if (error)
		return error;
	if (gone || !trusted || entry->state == RMETA_LOST)
		return lose(filling, nr, gone, trusted);
	return 0;
}

/* Entries from @nr on whose slots are neighbours on both spares and are full. */
static u32 run_length(const struct filling *filling, u32 nr)
{
	const struct restore_table *table = filling->table;
	u32 most = RUN_SECTORS >> filling->geo->block_shift, length = 0;
	u8 shift = filling->geo->block_shift;
	u64 old_sector, new_sector;

	if (!filling->sources->old || !filling->spare)
		return 0;
	old_sector = rmeta_slot_sector(&filling->file->geo, table->old_slots[nr]);
	new_sector = rmeta_slot_sector(filling->geo, nr);
	while (length < most && nr + length < table->nr) {
		const struct rmeta_entry *entry = &table->entries[nr + length];
		slot_t old_slot = table->old_slots[nr + length];

		if (entry->state != RMETA_MAPPED || rmeta_where_mask(entry->where) ||
		    hweight16(sectors_of(filling, entry)) != 1U << shift ||
		    !is_trusted(filling, old_slot) ||
		    rmeta_slot_sector(&filling->file->geo, old_slot) !=
		    old_sector + ((u64)length << shift) ||
		    rmeta_slot_sector(filling->geo, nr + length) !=
		    new_sector + ((u64)length << shift))
			break;
		length++;
	}
	return length;
}

/* Copy a run. Return: 0; 1 when it has to be done one by one; or a negative errno. */
static int copy_run(struct filling *filling, u32 nr, u32 length)
{
	u64 sectors = (u64)length << filling->geo->block_shift;
	u64 from = rmeta_slot_sector(&filling->file->geo, filling->table->old_slots[nr]);
	const struct device *old = filling->sources->old;
	size_t absent = old->absent ? ranges_find(old->absent, from) : 0;
	ssize_t got;

	if (old->absent && absent < old->absent->nr &&
	    old->absent->range[absent].first < from + sectors)
		return 1;
	got = pread(old->host.fd, filling->data, sectors * 512, (off_t)(from * 512));
	if (got != (ssize_t)(sectors * 512))
		return 1;
	filling->table->copied_sectors += sectors;
	return slot_write(filling->spare, rmeta_slot_sector(filling->geo, nr), sectors, filling->data);
}

static int fill_all(struct filling *filling)
{
	struct restore_table *table = filling->table;
	u32 nr = 0, end, length;
	int r, error;

	while (nr < table->nr) {
		length = run_length(filling, nr);
		r = length ? copy_run(filling, nr, length) : 1;
		if (r < 0)
			return r;
		end = nr + max(length, 1U);
		for (; r && nr < end; nr++) {
			error = fill_entry(filling, nr);
			if (error)
				return error;
		}
		nr = end;
		if (filling->spare)
			progress_update(nr);
	}
	return 0;
}

static void count_all(struct restore_table *table)
{
	u32 nr;

	for (nr = 0; nr < table->nr; nr++) {
		const struct rmeta_entry *entry = &table->entries[nr];
		unsigned int bits = hweight16(rmeta_where_mask(entry->where));

		if (entry->state == RMETA_MAPPED) {
			table->counts.mapped++;
			table->counts.pending_sectors += bits;
		} else {
			table->counts.lost++;
			table->counts.lost_sectors += bits;
		}
	}
}

int restore_table_lost(const struct restore_table *table, const struct rmeta_geometry *geo,
		       struct ranges *lost)
{
	unsigned int bit;
	u32 nr;
	int r;

	for (nr = 0; nr < table->nr; nr++) {
		const struct rmeta_entry *entry = &table->entries[nr];
		u64 sector = rmeta_where_block(entry->where) << geo->block_shift;

		if (entry->state != RMETA_LOST)
			continue;
		for (bit = 0; bit < 16; bit++) {
			if (!(rmeta_where_mask(entry->where) & 1U << bit))
				continue;
			r = ranges_add(lost, sector + bit, sector + bit + 1);
			if (r)
				return r;
		}
	}
	return ranges_finish(lost);
}

int restore_table_fill(struct restore_table *table, const struct dump_file *file,
		       const struct restore_sources *sources, const struct device *spare,
		       const struct rmeta_geometry *geo)
{
	struct filling filling = { table, file, sources, spare, geo, NULL };
	int r;

	filling.data = report_alloc(RUN_SECTORS * 512);
	if (spare)
		progress_begin("filling slots", table->nr);
	r = fill_all(&filling);
	if (!r && spare && fdatasync(spare->host.fd)) {
		r = -errno;
		report_error("%s cannot be written: %s", spare->shown, strerror(-r));
	}
	if (spare)
		progress_end();
	free(filling.data);
	if (!r)
		count_all(table);
	return r;
}
