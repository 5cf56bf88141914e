// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-dump: show what is on a spare. Opens it for reading only, so that it can be used on
 * anything at any time: a live spare, the only copy of a broken one.
 *
 * Shows what a load would see where one is possible. Where it is not, because a page has no
 * good copy or claims contradict each other, shows what the best copies hold, and says so.
 */
#include "dump.h"
#include "dump_record.h"
#include "escape.h"
#include "options.h"
#include "output.h"
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

static const char *const hash_choices[] = { "none", "sha256", NULL };

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
 * @hash: index into hash_choices
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
	int hash;
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
	{ .name = "hash", .kind = OPTION_CHOICE, .field = FIELD(hash), .argument = "KIND",
	  .choices = hash_choices,
	  .help = "print digests of SPARE and of the output, for the record" },
};

static const struct tool tool = {
	.name = "remap-dump",
	.summary = "Show what is on SPARE: identity, copies, remapped, pending, lost and retired "
		   "blocks.",
	.usage = "[-F FORMAT] [-o FILE] [--copies] [--page N] [--raw] [--hash sha256] SPARE",
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
		if (!dump_is_all_known(dump)) {
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

	status = dump_examine(dump);
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
	struct record record = { .dev = &dump.dev };
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
	record.stream = output.stream;
	if (options.hash && record_begin(&record, &dump.dev, &output)) {
		output_close(&output, false);
		device_close(&dump.dev);
		return report_finish(STATUS_FAILED);
	}
	report_json_to(record.stream);
	status = run(&dump, &options, record.stream, &complete);
	dump_exit(&dump);
	status = report_finish(status);
	if (record_close(&record))
		status = STATUS_FAILED;
	if (output_close(&output, complete && status < STATUS_FAILED))
		status = STATUS_FAILED;
	if (options.hash && complete && status < STATUS_FAILED &&
	    record_print(&record, tool.name, output.path))
		status = STATUS_FAILED;
	device_close(&dump.dev);
	return status;
}
