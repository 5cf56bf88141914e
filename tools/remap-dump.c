// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-dump: show what is on a spare. Opens it for reading only, so that it can be used on
 * anything at any time: a live spare, the only copy of a broken one.
 *
 * Shows what a load would see where one is possible. Where it is not, because a page has no
 * good copy or claims contradict each other, shows what the best copies hold, and says so.
 */
#include "check.h"
#include "dump.h"
#include "options.h"
#include "output.h"
#include "progress.h"

enum dump_format { FORMAT_TEXT, FORMAT_JSON };

static const char *const format_choices[] = { "text", "json", NULL };

struct dump_options {
	struct common_options common;
	int format;
	const char *output;
};

#define FIELD(member) offsetof(struct dump_options, member)

static const struct option_row rows[] = {
	{ .letter = 'F', .name = "format", .kind = OPTION_CHOICE, .field = FIELD(format),
	  .argument = "FORMAT", .choices = format_choices, .help = "what to print" },
	{ .letter = 'o', .name = "output", .kind = OPTION_FILE, .field = FIELD(output),
	  .argument = "FILE", .help = "write to FILE; it appears when it is complete" },
};

static const struct tool tool = {
	.name = "remap-dump",
	.summary = "Show what is on SPARE: identity, copies, remapped, pending, lost and retired "
		   "blocks.",
	.usage = "[-F FORMAT] [-o FILE] SPARE",
	.details = "SPARE is only read; it may be live.",
	.example = "remap-dump -F json /dev/sdc1 | jq .summary",
	.operand = "SPARE",
	.operand_kind = OPTION_DEVICE,
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

/**
 * struct entry_reader - entries from pages, where there is no table
 */
struct entry_reader {
	struct dump *dump;
	dump_entry_fn fn;
	void *ctx;
};

static int read_page_entries(void *ctx, u32 page, const struct rmeta_scan *scan,
			     u8 *const raw[RMETA_COPIES])
{
	struct entry_reader *reader = ctx;
	struct dump *dump = reader->dump;
	u32 slots = rmeta_slots(&dump->store.geo);
	struct rmeta_entry entry;
	unsigned int nr;

	if (scan->winner < 0)
		return 0;
	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++) {
		u64 slot = (u64)page * RMETA_PAGE_ENTRIES + nr;

		rmeta_page_entry(raw[scan->winner], nr, &entry);
		if (slot < slots && entry.state != RMETA_FREE &&
		    !rmeta_entry_valid(&entry, dump->sb.main_sectors, dump->sb.block_shift))
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
	struct rmeta_entry entry;
	unsigned int nr;

	if (rmeta_scan_mask(scan, RMETA_OK) != RMETA_ALL_COPIES)
		verdicts_add_page(&dump->verdicts, page, scan);
	progress_update(page);
	if (scan->winner < 0)
		dump->lost_pages++;
	if (dump->spare.loaded || scan->winner < 0)
		return 0;
	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++) {
		rmeta_page_entry(raw[scan->winner], nr, &entry);
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
	free(buffer);
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
	u32 table_pages = dump->store.geo.table_pages, nr;
	bool found = true;
	int r;

	dump->nr_pages = dump->sb.pages_used;
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
	static const struct rmeta_check_ops ops = { .fix = repair_nothing };
	struct rmeta_check check = { .device_sectors = dump->dev.sectors, .ops = &ops };

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
	if (dump->verdicts.nr_pages)
		report_warn("%s: %zu of %u table pages have copies that are not good; see remap-check -n %s",
			    dump->dev.shown, dump->verdicts.nr_pages, dump->nr_pages, dump->dev.shown);
	if (dump->broken_entries)
		report_warn("%s: %llu entries break the format and are left out", dump->dev.shown,
			    (unsigned long long)dump->broken_entries);
	if (dump->sb.state & RMETA_NEEDS_CHECK)
		report_warn("%s is marked as needing a check; see remap-check", dump->dev.shown);
}

/* Fill in everything that the formats show. Return: exit status to go on with. */
static int examine(struct dump *dump)
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
	if (r) {
		report_error("%s: %s", dump->dev.shown, strerror(-r));
		return STATUS_FAILED;
	}
	warn_of_damage(dump);
	if (status)
		return status;
	return dump->verdicts.nr_pages || (dump->sb.state & RMETA_NEEDS_CHECK) ||
	       rmeta_scan_mask(&dump->verdicts.superblocks, RMETA_OK) != RMETA_ALL_COPIES ?
	       STATUS_LOOK : STATUS_DONE;
}

static int run(struct dump *dump, const struct dump_options *options, FILE *stream)
{
	int status, r;

	status = examine(dump);
	if (!dump->ready || status == STATUS_FAILED)
		return status;
	r = options->format == FORMAT_JSON ? dump_json(dump, report_json()) :
					     dump_text(dump, stream);
	if (!r)
		return status;
	report_error("%s: %s", dump->dev.shown, strerror(-r));
	return STATUS_FAILED;
}

int main(int argc, char **argv)
{
	struct dump_options options = { .format = FORMAT_TEXT };
	struct dump dump = { .store = { .ops = &rmeta_file_ops } };
	struct output output;
	int status;

	status = options_parse(&tool, &options, argc, argv);
	if (status >= 0)
		return status;
	if (options.common.report.json)
		options.format = FORMAT_JSON;
	options.common.report.json = options.format == FORMAT_JSON;
	report_configure(&options.common.report);
	if (device_open(&dump.dev, options.common.operand, DEVICE_READ, "spare"))
		return report_finish(STATUS_FAILED);
	dump.store.host = &dump.dev.host;
	if (output_open(&output, options.output, &dump.dev)) {
		device_close(&dump.dev);
		return report_finish(STATUS_FAILED);
	}
	report_json_to(output.stream);
	status = run(&dump, &options, output.stream);
	spare_unload(&dump.spare);
	rmeta_store_exit(&dump.store);
	verdicts_free(&dump.verdicts);
	status = report_finish(status);
	if (output_close(&output, status < STATUS_FAILED))
		status = STATUS_FAILED;
	device_close(&dump.dev);
	return status;
}
