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
#include "escape.h"
#include "options.h"
#include "output.h"
#include "progress.h"
#include "units.h"

enum dump_format {
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_CSV,
	FORMAT_HTML,
	FORMAT_MAPFILE,
	FORMAT_BADBLOCKS,
	FORMAT_DMTABLE,
	FORMAT_NONE = -1,	/* not said */
};

static const char *const format_choices[] = {
	"text", "json", "csv", "html", "mapfile", "badblocks", "dmtable", NULL
};

#define BADBLOCKS_BYTES 1024		/* what badblocks(8) counts in without its -b */

/**
 * struct dump_options - the command line
 * @format: enum dump_format
 * @output: file, or NULL
 * @unit_bytes: of the list of bad blocks; 0 when not said
 * @main_name: main, in a device-mapper table, or NULL
 * @spare_name: the spare, likewise
 * @copies: show every copy, also good ones
 * @page_text: number of a page as it was written, or NULL
 * @raw: show bytes
 * @page: number of the object to show alone: a page, or RMETA_OBJECT_SUPERBLOCK
 */
struct dump_options {
	struct common_options common;
	int format;
	const char *output;
	u64 unit_bytes;
	const char *main_name;
	const char *spare_name;
	bool copies;
	const char *page_text;
	bool raw;
	u32 page;
};

#define FIELD(member) offsetof(struct dump_options, member)

static const struct option_row rows[] = {
	{ .letter = 'F', .name = "format", .kind = OPTION_CHOICE, .field = FIELD(format),
	  .argument = "FORMAT", .choices = format_choices, .help = "what to print" },
	{ .letter = 'o', .name = "output", .kind = OPTION_FILE, .field = FIELD(output),
	  .argument = "FILE",
	  .help = "write to FILE, compressed if it ends in .gz; it appears when it is complete" },
	{ .letter = 'b', .name = "block-size", .kind = OPTION_SIZE, .field = FIELD(unit_bytes),
	  .argument = "BYTES", .min = 512, .max = 1U << 30,
	  .help = "badblocks: what the numbers count (default 1024)" },
	{ .name = "main", .kind = OPTION_DEVICE, .field = FIELD(main_name), .argument = "DEV",
	  .help = "dmtable: main, as the table is to name it" },
	{ .name = "spare", .kind = OPTION_DEVICE, .field = FIELD(spare_name), .argument = "DEV",
	  .help = "dmtable: the spare, as the table is to name it (default: SPARE)" },
	{ .name = "copies", .kind = OPTION_FLAG, .field = FIELD(copies),
	  .help = "show every copy of superblock and pages, not only the damaged ones" },
	{ .name = "page", .kind = OPTION_TEXT, .field = FIELD(page_text), .argument = "N",
	  .help = "show table page N: its copies and entries" },
	{ .name = "raw", .kind = OPTION_FLAG, .field = FIELD(raw),
	  .help = "show the bytes of the superblock, or of --page N; -o gets them as they are" },
};

static const struct tool tool = {
	.name = "remap-dump",
	.summary = "Show what is on SPARE: identity, copies, remapped, pending, lost and retired "
		   "blocks.",
	.usage = "[-F FORMAT] [-o FILE] [--copies] [--page N] [--raw] SPARE",
	.details = "SPARE is only read; it may be live.",
	.example = "remap-dump -F json /dev/sdc1 | jq .summary",
	.operand = "SPARE",
	.operand_kind = OPTION_DEVICE,
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

/* Two options that do not go together. Return: -1, or main()'s exit status. */
static int check_format(const struct dump_options *options)
{
	int format = options->format;
	bool is_report = format == FORMAT_NONE || format == FORMAT_TEXT || format == FORMAT_JSON;

	if (options->common.report.json && format != FORMAT_NONE && format != FORMAT_JSON)
		return options_misused(&tool, "--json contradicts -F %s", format_choices[format]);
	if (options->raw && (format != FORMAT_NONE || options->common.report.json))
		return options_misused(&tool, "--raw has no format; leave -F and --json out");
	if (options->copies && !is_report)
		return options_misused(&tool, "--copies goes with -F text, -F json and --raw, not with -F %s",
				       format_choices[format]);
	if (options->page_text && !is_report)
		return options_misused(&tool, "--page goes with -F text, -F json and --raw, not with -F %s",
				       format_choices[format]);
	if (options->unit_bytes && format != FORMAT_BADBLOCKS)
		return options_misused(&tool, "-b goes with -F badblocks only");
	if (options->unit_bytes % 512)
		return options_misused(&tool, "-b: %llu bytes is not a multiple of 512",
				       (unsigned long long)options->unit_bytes);
	if ((options->main_name || options->spare_name) && format != FORMAT_DMTABLE)
		return options_misused(&tool, "--main and --spare go with -F dmtable only");
	return -1;
}

/* Return: -1, or main()'s exit status. */
static int check_names(const struct dump_options *options)
{
	const char *spare_name = options->spare_name ? options->spare_name :
						       options->common.operand;

	if (options->format != FORMAT_DMTABLE)
		return -1;
	if (!options->main_name)
		return options_misused(&tool, "-F dmtable needs --main DEV, to name main in the table");
	if (strchr(options->main_name, '\n') || strchr(spare_name, '\n'))
		return options_misused(&tool, "a device-mapper table cannot name a path with a line break");
	if (!strcmp(options->main_name, spare_name))
		return options_misused(&tool, "main and the spare have the same name");
	return -1;
}

/* Return: -1, or main()'s exit status. */
static int check_page(struct dump_options *options)
{
	const char *reason;
	char *escaped;
	int status;
	u64 page;

	options->page = RMETA_OBJECT_SUPERBLOCK;
	if (!options->page_text)
		return -1;
	reason = units_parse_number(options->page_text, &page);
	if (!reason && page >= RMETA_OBJECT_SUPERBLOCK)
		reason = "is larger than any page's number";
	if (reason) {
		escaped = escape_text(options->page_text, strlen(options->page_text));
		status = options_misused(&tool, "--page: \"%s\" %s", escaped, reason);
		free(escaped);
		return status;
	}
	options->page = (u32)page;
	return -1;
}

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
	bool good = rmeta_scan_mask(scan, RMETA_OK) == RMETA_ALL_COPIES;
	struct rmeta_entry entry;
	unsigned int nr;

	if (!good)
		dump->damaged_pages++;
	if (!good || dump->every_copy)
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
	if (dump->damaged_pages)
		report_warn("%s: %u of %u table pages have copies that are not good; see remap-check -n %s",
			    dump->dev.shown, dump->damaged_pages, dump->nr_pages, dump->dev.shown);
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
	return dump->damaged_pages || (dump->sb.state & RMETA_NEEDS_CHECK) ||
	       rmeta_scan_mask(&dump->verdicts.superblocks, RMETA_OK) != RMETA_ALL_COPIES ?
	       STATUS_LOOK : STATUS_DONE;
}

/* Main is looked at if it is here: a table for another main would be worse than none. */
static int check_main(struct dump *dump, const struct dump_options *options)
{
	struct device main_dev = { .path = NULL };
	struct stat main_stat;
	int status = STATUS_FAILED;
	char *escaped;

	if (stat(options->main_name, &main_stat) && errno == ENOENT) {
		escaped = escape_text(options->main_name, strlen(options->main_name));
		report_info("main %s is not here: its length was not checked", escaped);
		free(escaped);
		return STATUS_DONE;
	}
	if (device_open(&main_dev, options->main_name, DEVICE_READ, "main"))
		return STATUS_FAILED;
	if (device_is_at(&dump->dev, options->main_name) ||
	    (options->spare_name && device_is_at(&main_dev, options->spare_name)))
		report_error("%s is named both as main and as spare", main_dev.shown);
	else if (main_dev.sectors < dump->sb.main_sectors)
		report_error("main %s has %llu sectors, but this spare is for a main of %llu sectors",
			     main_dev.shown, (unsigned long long)main_dev.sectors,
			     (unsigned long long)dump->sb.main_sectors);
	else
		status = STATUS_DONE;
	device_close(&main_dev);
	return status;
}

static int show_badblocks(struct dump *dump, const struct dump_options *options, FILE *stream)
{
	u32 unit_bytes = options->unit_bytes ? (u32)options->unit_bytes : BADBLOCKS_BYTES;

	report_info("the numbers count units of %u bytes%s", unit_bytes, options->unit_bytes ? "" :
		    " (badblocks' default; a filesystem's own block size, with -b, for e2fsck -l)");
	if (unit_bytes > 512U << dump->sb.block_shift)
		report_info("a unit is listed whole where one of its blocks of %u bytes is bad",
			    512U << dump->sb.block_shift);
	return dump_badblocks(dump, stream, unit_bytes);
}

/*
 * Are there no entries but those that are shown? A load takes groups of pages over that the
 * superblock does not know. One with entries was in use, so that a page of it without a copy
 * had entries, too; one without is a growth cut short (docs/format.md, rule 7d).
 */
static bool is_all_known(const struct dump *dump)
{
	u64 slot, slots = min((u64)dump->nr_pages * RMETA_PAGE_ENTRIES,
			      (u64)rmeta_slots(&dump->store.geo));

	if (!dump->spare.loaded || !dump->lost_pages)
		return dump->spare.loaded;
	slot = (u64)(dump->nr_pages - dump->spare.load.recovered_pages) * RMETA_PAGE_ENTRIES;
	for (; slot < slots; slot++)
		if (rmeta_table_entry(&dump->spare.table, (slot_t)slot)->state != RMETA_FREE)
			return false;
	return true;
}

/* All of the spare. Return: exit status, or a negative errno. */
static int show_spare(struct dump *dump, const struct dump_options *options, FILE *stream)
{
	switch (options->format) {
	case FORMAT_JSON:
		return dump_json(dump, report_json());
	case FORMAT_CSV:
		return dump_csv(dump, stream);
	case FORMAT_HTML:
		return dump_html(dump, stream);
	case FORMAT_BADBLOCKS:
		return show_badblocks(dump, options, stream);
	case FORMAT_MAPFILE:
	case FORMAT_DMTABLE:
		if (!is_all_known(dump)) {
			report_error("%s: no %s of a spare whose entries are not all known: it would call stale or lost data good; see remap-check -n %s",
				     dump->dev.shown, format_choices[options->format],
				     dump->dev.shown);
			return STATUS_DAMAGED;
		}
		if (options->format == FORMAT_MAPFILE)
			return dump_mapfile(dump, stream);
		if (check_main(dump, options))
			return STATUS_FAILED;
		return dump_dmtable(dump, stream, options->main_name, options->spare_name ?
				    options->spare_name : options->common.operand);
	default:
		return dump_text(dump, stream);
	}
}

static int show_raw(struct dump *dump, const struct dump_options *options,
		    const struct dump_object *object, FILE *stream)
{
	bool binary = options->output && strcmp(options->output, "-");
	unsigned int unreadable;

	if (object->scan.winner < 0 && !dump->every_copy) {
		report_error("%s: no copy is good; --copies shows all five", dump->dev.shown);
		return STATUS_DAMAGED;
	}
	unreadable = dump_raw(dump, object, stream, binary);
	if (!unreadable)
		return STATUS_DONE;
	report_warn("%s: %u cop%s could not be read%s", dump->dev.shown, unreadable,
		    unreadable == 1 ? "y" : "ies", binary ? " and stand as zeroes" : "");
	return STATUS_LOOK;
}

/* The superblock or one page. Return: exit status, or a negative errno. */
static int show_object(struct dump *dump, const struct dump_options *options, FILE *stream)
{
	struct dump_object object = { .number = options->page };
	int status = STATUS_DONE, r;

	if (options->page_text && options->page >= dump->store.geo.table_pages) {
		report_error("--page: %s has %u table pages, 0 to %u; there is no page %u",
			     dump->dev.shown, dump->store.geo.table_pages,
			     dump->store.geo.table_pages - 1, options->page);
		return STATUS_FAILED;
	}
	if (options->page_text && options->page >= dump->nr_pages)
		report_info("page %u is not in use: what is there means nothing", options->page);
	r = dump_object_read(&object, dump);
	if (r)
		status = r;
	else if (options->raw)
		status = show_raw(dump, options, &object, stream);
	else if (options->format == FORMAT_JSON)
		dump_page_json(dump, &object, report_json());
	else
		dump_page_text(dump, &object, stream);
	dump_object_free(&object);
	return status;
}

/* @complete: out: the output is worth a file. Return: exit status. */
static int run(struct dump *dump, const struct dump_options *options, FILE *stream,
	       bool *complete)
{
	int status, r;

	status = examine(dump);
	if (!dump->ready || status == STATUS_FAILED)
		return status;
	r = options->raw || options->page_text ? show_object(dump, options, stream) :
						 show_spare(dump, options, stream);
	if (r < 0) {
		report_error("%s: %s", dump->dev.shown, strerror(-r));
		return STATUS_FAILED;
	}
	*complete = r < STATUS_DAMAGED;
	return max(status, r);
}

int main(int argc, char **argv)
{
	struct dump_options options = { .format = FORMAT_NONE };
	struct dump dump = { .store = { .ops = &rmeta_file_ops } };
	bool complete = false;
	struct output output;
	int status;

	status = options_parse(&tool, &options, argc, argv);
	if (status >= 0)
		return status;
	status = check_format(&options);
	if (status < 0)
		status = check_names(&options);
	if (status < 0)
		status = check_page(&options);
	if (status >= 0)
		return status;
	if (options.common.report.json)
		options.format = FORMAT_JSON;
	options.common.report.json = options.format == FORMAT_JSON;
	report_configure(&options.common.report);
	dump.every_copy = options.copies;
	if (device_open(&dump.dev, options.common.operand, DEVICE_READ, "spare"))
		return report_finish(STATUS_FAILED);
	dump.store.host = &dump.dev.host;
	if (output_open(&output, options.output, &dump.dev)) {
		device_close(&dump.dev);
		return report_finish(STATUS_FAILED);
	}
	report_json_to(output.stream);
	status = run(&dump, &options, output.stream, &complete);
	spare_unload(&dump.spare);
	rmeta_store_exit(&dump.store);
	verdicts_free(&dump.verdicts);
	status = report_finish(status);
	if (output_close(&output, complete && status < STATUS_FAILED))
		status = STATUS_FAILED;
	device_close(&dump.dev);
	return status;
}
