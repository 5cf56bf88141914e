// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding out what is on a spare, for remap-dump and remap-recover: through a load in memory
 * where one is possible, otherwise from the best copies; or from a dump, where there is no spare.
 * Reads only.
 */
#include "check.h"
#include "dump.h"
#include "dump_file.h"
#include "progress.h"

/**
 * struct entry_reader - entries from pages, where there is no table
 */
struct entry_reader {
	struct dump *dump;
	dump_entry_fn fn;
	void *ctx;
};

/* The copy of a page that counts; of equals that differ one of those that most are like. */
static const u8 *best_copy(const struct rmeta_scan *scan, u8 *const raw[RMETA_COPIES])
{
	return raw[__builtin_ctz(rmeta_check_page_winners(scan, raw))];
}

static int read_page_entries(void *ctx, u32 page, const struct rmeta_scan *scan,
			     u8 *const raw[RMETA_COPIES])
{
	struct entry_reader *reader = ctx;
	struct dump *dump = reader->dump;
	u32 slots = rmeta_slots(&dump->store.geo);
	struct rmeta_entry entry;
	unsigned int nr;
	const u8 *best;

	if (scan->winner < 0)
		return 0;
	best = best_copy(scan, raw);
	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++) {
		u64 slot = (u64)page * RMETA_PAGE_ENTRIES + nr;

		rmeta_page_entry(best, nr, &entry);
		if (slot >= slots || entry.state == RMETA_FREE ||
		    rmeta_entry_valid(&entry, dump->sb.main_sectors, dump->sb.block_shift))
			continue;
		if (dump_is_loser(dump, (slot_t)slot)) {
			entry.state = RMETA_RETIRED;
			entry.where = rmeta_where(rmeta_where_block(entry.where), 0);
		}
		reader->fn(reader->ctx, (slot_t)slot, &entry);
	}
	return 0;
}

int dump_entries(struct dump *dump, dump_entry_fn fn, void *ctx)
{
	struct entry_reader reader = { dump, fn, ctx };
	u64 slots = min((u64)dump->nr_pages * RMETA_PAGE_ENTRIES,
			(u64)rmeta_slots(&dump->store.geo));
	u64 slot;

	if (dump->file) {
		dump_file_entries(dump->file, fn, ctx);
		return 0;
	}
	if (!dump->spare.loaded)
		return rmeta_scan_pages(&dump->store, 0, dump->nr_pages, read_page_entries,
					&reader);
	for (slot = 0; slot < slots; slot++) {
		const struct rmeta_entry *entry;

		entry = rmeta_table_entry(&dump->spare.table, (slot_t)slot);
		if (entry->state != RMETA_FREE)
			fn(ctx, (slot_t)slot, entry);
	}
	return 0;
}

/* First pass over the pages: verdicts, and the sums that a loaded table would have. */
static int survey_page(void *ctx, u32 page, const struct rmeta_scan *scan,
		       u8 *const raw[RMETA_COPIES])
{
	struct dump *dump = ctx;
	u32 slots = rmeta_slots(&dump->store.geo);
	bool good = rmeta_scan_mask(scan, RMETA_OK) == RMETA_ALL_COPIES;
	struct rmeta_entry entry;
	unsigned int nr;
	const u8 *best;

	if (!good)
		dump->damaged_pages++;
	if (!good || dump->every_copy)
		verdicts_add_page(&dump->verdicts, page, scan);
	progress_update(page);
	if (scan->winner < 0)
		dump->lost_pages++;
	if (dump->spare.loaded || scan->winner < 0)
		return 0;
	best = best_copy(scan, raw);
	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++) {
		rmeta_page_entry(best, nr, &entry);
		if (entry.state == RMETA_FREE)
			continue;
		if ((u64)page * RMETA_PAGE_ENTRIES + nr >= slots ||
		    rmeta_entry_valid(&entry, dump->sb.main_sectors, dump->sb.block_shift)) {
			dump->broken_entries++;
			continue;
		}
		if (entry.state == RMETA_RETIRED)
			dump->counts.retired++;
		else if (entry.state == RMETA_LOST)
			dump->counts.lost++;
		else
			dump->counts.mapped++;
		if (entry.state == RMETA_MAPPED)
			dump->counts.pending_sectors += hweight16(rmeta_where_mask(entry.where));
		if (entry.state == RMETA_LOST)
			dump->counts.lost_sectors += hweight16(rmeta_where_mask(entry.where));
	}
	return 0;
}

static void scan_superblocks(struct dump *dump)
{
	u8 *raw[RMETA_COPIES];
	u8 *buffer = report_alloc(RMETA_COPIES * RMETA_BYTES);
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		raw[copy] = buffer + copy * RMETA_BYTES;
	rmeta_scan_superblocks(&dump->store, dump->dev.sectors, &dump->verdicts.superblocks, raw);
	dump->verdicts.judged = true;
	free(buffer);
}

/* What the check settles for need not be what a scan alone puts first. */
static void take_verdicts(void *ctx, const struct rmeta_scan *scan)
{
	struct dump *dump = ctx;

	dump->verdicts.superblocks = *scan;
}

static bool repair_nothing(void *ctx, const struct rmeta_problem *problem)
{
	return false;
}

/* Is there a whole copy of any page of a group? */
static int note_whole_page(void *ctx, u32 page, const struct rmeta_scan *scan,
			   u8 *const raw[RMETA_COPIES])
{
	bool *found = ctx;

	*found |= scan->winner >= 0;
	return 0;
}

/*
 * Pages in use, as a load finds them: groups behind those that the superblock knows count
 * until one has no page of this spare (docs/format.md, rule 7d).
 */
static int find_pages(struct dump *dump)
{
	u32 table_pages = rmeta_device_pages(&dump->store.geo, dump->dev.sectors), nr;
	bool found = true;
	int r;

	dump->nr_pages = min(dump->sb.pages_used, table_pages);
	if (dump->sb.pages_used > table_pages)
		report_warn("%s: it is too short for %u of its %u table pages; what they held is gone",
			    dump->dev.shown, dump->sb.pages_used - table_pages,
			    dump->sb.pages_used);
	while (found && dump->nr_pages < table_pages) {
		nr = min(table_pages - dump->nr_pages, (u32)RMETA_GROUP_PAGES);
		found = false;
		r = rmeta_scan_pages(&dump->store, dump->nr_pages, nr, note_whole_page, &found);
		if (r)
			return r;
		if (found)
			dump->nr_pages += nr;
	}
	return 0;
}

/*
 * The table cannot be loaded. The superblock is the one that the check would settle for, in
 * memory: it finds one also where all five are gone.
 */
static int find_superblock(struct dump *dump)
{
	static const struct rmeta_check_ops ops = {
		.fix = repair_nothing,
		.superblocks = take_verdicts,
	};
	struct rmeta_check check = {
		.device_sectors = dump->dev.sectors,
		.ops = &ops,
		.ctx = dump,
	};

	if (rmeta_check_run(&rmeta_file_ops, &dump->dev.host, &check) || !check.have_sb)
		return STATUS_DAMAGED;
	dump->sb = check.sb;
	dump->store.geo = check.geo;
	memcpy(dump->store.uuid, dump->sb.uuid, sizeof(dump->store.uuid));
	if (find_pages(dump)) {
		report_error("%s: its table pages could not be read", dump->dev.shown);
		return STATUS_FAILED;
	}
	dump->sb.pages_used = dump->nr_pages;
	report_warn("%s: shown is what the best copies hold, not what the target would accept",
		    dump->dev.shown);
	return STATUS_DONE;
}

static void warn_of_damage(const struct dump *dump)
{
	unsigned int good = hweight8(rmeta_scan_mask(&dump->verdicts.superblocks, RMETA_OK));

	if (good < RMETA_COPIES)
		report_warn("%s: %u of 5 superblocks are not good; see remap-check -n %s",
			    dump->dev.shown, RMETA_COPIES - good, dump->dev.shown);
	if (dump->damaged_pages)
		report_warn("%s: %u of %u table pages have copies that are not good; see remap-check -n %s",
			    dump->dev.shown, dump->damaged_pages, dump->nr_pages, dump->dev.shown);
	if (dump->broken_entries)
		report_warn("%s: %llu entries break the format and are left out", dump->dev.shown,
			    (unsigned long long)dump->broken_entries);
	if (dump->sb.state & RMETA_NEEDS_CHECK)
		report_warn("%s is marked as needing a check; see remap-check", dump->dev.shown);
}

int dump_examine(struct dump *dump)
{
	int status, r;

	r = rmeta_store_init(&dump->store, 1);
	if (r) {
		report_error("%s", strerror(-r));
		return STATUS_FAILED;
	}
	scan_superblocks(dump);
	status = spare_load(&dump->spare, &dump->dev, true);
	if (dump->spare.loaded) {
		dump->sb = dump->spare.table.sb;
		dump->store.geo = dump->spare.table.store.geo;
		dump->nr_pages = dump->sb.pages_used;
		dump->counts = dump->spare.table.counts;
	} else if (status != STATUS_DAMAGED || find_superblock(dump)) {
		return status;
	}
	dump->ready = true;
	memcpy(dump->store.uuid, dump->sb.uuid, sizeof(dump->store.uuid));
	progress_begin("reading table pages", dump->nr_pages);
	r = rmeta_scan_pages(&dump->store, 0, dump->nr_pages, survey_page, dump);
	progress_end();
	if (!r && !dump->spare.loaded)
		r = dump_settle_claims(dump);
	if (r) {
		report_error("%s: %s", dump->dev.shown, strerror(-r));
		return STATUS_FAILED;
	}
	warn_of_damage(dump);
	if (status)
		return status;
	return dump->damaged_pages || (dump->sb.state & RMETA_NEEDS_CHECK) ||
	       rmeta_scan_mask(&dump->verdicts.superblocks, RMETA_OK) != RMETA_ALL_COPIES ?
	       STATUS_LOOK : STATUS_DONE;
}

/*
 * A load takes groups of pages over that the superblock does not know. One with entries was in
 * use, so that a page of it without a copy had entries, too; one without is a growth cut short
 * (docs/format.md, rule 7d).
 */
bool dump_is_all_known(const struct dump *dump)
{
	u64 slot, slots = min((u64)dump->nr_pages * RMETA_PAGE_ENTRIES,
			      (u64)rmeta_slots(&dump->store.geo));

	if (dump->file)
		return !dump->file->damaged;
	if (!dump->spare.loaded || !dump->lost_pages)
		return dump->spare.loaded;
	slot = (u64)(dump->nr_pages - dump->spare.load.recovered_pages) * RMETA_PAGE_ENTRIES;
	for (; slot < slots; slot++)
		if (rmeta_table_entry(&dump->spare.table, (slot_t)slot)->state != RMETA_FREE)
			return false;
	return true;
}

void dump_take_file(struct dump *dump, struct dump_file *file)
{
	dump->file = file;
	dump->sb = file->sb;
	dump->store.geo = file->geo;
	dump->nr_pages = file->sb.pages_used;
	dump->counts = file->counts;
	dump->ready = true;
}

void dump_exit(struct dump *dump)
{
	spare_unload(&dump->spare);
	rmeta_store_exit(&dump->store);
	verdicts_free(&dump->verdicts);
	free(dump->losers);
	dump->losers = NULL;
	dump->nr_losers = 0;
}
