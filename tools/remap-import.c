// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-import: give every block of a list of bad places a slot of a spare, with its sectors
 * pending: their data is on main still, as far as main can read it.
 *
 * The list is read without holding the spare, so that a badblocks run of hours can be at the
 * other end of a pipe.
 */
#include <unistd.h>

#include "escape.h"
#include "import.h"
#include "stop.h"
#include "units.h"

static const char *const type_choices[] = {
	"auto", "badblocks", "smart", "ddrescue", "kmsg", "mdadm", "dumpe2fs", "csv", NULL
};

static const char *const verify_choices[] = { "none", "sample", "all", NULL };

#define FIELD(member) offsetof(struct import_options, member)

static const struct option_row rows[] = {
	{ .letter = 't', .name = "type", .kind = OPTION_CHOICE, .field = FIELD(type),
	  .argument = "TYPE", .choices = type_choices, .help = "what the list is" },
	{ .letter = 'b', .name = "block-size", .kind = OPTION_SIZE, .field = FIELD(unit_bytes),
	  .argument = "BYTES", .min = 512, .max = 1U << 30,
	  .help = "size of what the list counts, if it does not say" },
	{ .name = "from", .kind = OPTION_FILE, .field = FIELD(from), .argument = "FILE",
	  .help = "read the list from FILE, not from standard input" },
	{ .name = "smart", .kind = OPTION_DEVICE, .field = FIELD(smart), .argument = "DEV",
	  .help = "run smartctl on DEV for the list" },
	{ .name = "made-on", .kind = OPTION_DEVICE, .field = FIELD(made_on), .argument = "DEV",
	  .help = "device that the list was made on, if not main" },
	{ .name = "offset", .kind = OPTION_SIZE, .field = FIELD(offset_bytes),
	  .argument = "BYTES", .max = (u64)1 << 62, .help = "where main starts on that device" },
	{ .name = "io-errors", .kind = OPTION_FLAG, .field = FIELD(io_errors),
	  .help = "kmsg: take plain I/O errors, too" },
	{ .name = "unfinished", .kind = OPTION_FLAG, .field = FIELD(unfinished),
	  .help = "ddrescue: take what is not trimmed or scraped, too" },
	{ .name = "main", .kind = OPTION_DEVICE, .field = FIELD(main), .argument = "DEV",
	  .help = "main, for --verify" },
	{ .name = "verify", .kind = OPTION_CHOICE_OR, .field = FIELD(verify),
	  .argument = "HOW", .choices = verify_choices, .value = VERIFY_ALL,
	  .help = "read from main what is to be imported" },
	{ .name = "strict", .kind = OPTION_FLAG, .field = FIELD(strict),
	  .help = "import nothing if any entry is rejected" },
	{ .letter = 'n', .name = "dry-run", .kind = OPTION_FLAG, .field = FIELD(dry_run),
	  .help = "show the plan, change nothing" },
	{ .name = "copy", .kind = OPTION_FLAG, .field = FIELD(copy),
	  .help = "live device: copy now what main can still read" },
	{ .name = "follow", .kind = OPTION_FLAG, .field = FIELD(follow),
	  .help = "import entries as they come, until the list ends" },
};

static const struct tool tool = {
	.name = "remap-import",
	.summary = "Take the bad blocks of a list out of use. TARGET is a live device of dm-remap, or a "
		   "spare\nthat is not in use, which stands in for them from its next activation on.",
	.usage = "[-t TYPE] [-b BYTES] [--from FILE|--smart DEV] [--made-on DEV] [--offset BYTES] "
		 "[--follow] [-n] TARGET",
	.details = "A block that is in the spare already stays as it is: a list may be imported "
		   "again.\nA list that does not fit changes nothing. Of a live device 8 blocks are read "
		   "first;\nif none fails, the list is refused.",
	.example = "badblocks /dev/sdb | remap-import safe",
	.operand = "TARGET",
	.operand_kind = OPTION_DEVICE,
	.undo = true,
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

static int check_options(struct import_options *options)
{
	const struct list_parser *parser = options->type == IMPORT_AUTO ? NULL :
					   list_parsers[options->type - 1];

	if (options->unit_bytes % 512)
		return options_misused(&tool,
				       "-b: %llu bytes is not a whole number of 512-byte sectors",
				       (unsigned long long)options->unit_bytes);
	if (options->offset_bytes != IMPORT_NO_OFFSET && options->offset_bytes % 512)
		return options_misused(&tool,
				       "--offset: %llu bytes is not a whole number of 512-byte sectors",
				       (unsigned long long)options->offset_bytes);
	if (options->from && options->smart)
		return options_misused(&tool, "--from and --smart exclude each other");
	if (options->smart && parser && parser != &list_smart)
		return options_misused(&tool, "--smart gives a list of type smart, not %s",
				       parser->name);
	if (parser && parser->unit_fixed && options->unit_bytes)
		return options_misused(&tool, "-b: a list of type %s says itself what it counts",
				       parser->name);
	if (options->follow && options->smart)
		return options_misused(&tool, "--smart gives a list at once: there is nothing to --follow");
	if (options->follow && options->common.undo)
		return options_misused(&tool, "-z is for one import, --follow makes many");
	if (!options->from && !options->smart && isatty(STDIN_FILENO))
		return options_misused(&tool,
				       "no list: give --from FILE, or pipe one into standard input");
	return -1;
}

/* What depends on whether the target is live. */
static int check_for_target(struct import *import)
{
	struct import_options *options = &import->options;

	if (!import->is_live && options->verify > VERIFY_NONE && !options->main)
		return options_misused(&tool, "--verify needs --main DEV to read from");
	if (!import->is_live && options->copy)
		return options_misused(&tool, "--copy is for a live device");
	if (import->is_live && options->common.undo)
		return options_misused(&tool,
				       "-z is for a spare that is not in use (dmsetup message unmap brings blocks of a live device back)");
	if (options->verify == VERIFY_UNSAID && (import->is_live || options->main))
		options->verify = VERIFY_SAMPLE;
	return -1;
}

/* A list that says which disk it is of must be of main's. */
static int check_source(struct import *import)
{
	char *serial, *main_id;

	if (place_check_source(&import->list.source, &import->sb))
		return STATUS_DONE;
	serial = escape_text(import->list.source.serial, strlen(import->list.source.serial));
	main_id = escape_text(import->sb.main_id, strlen(import->sb.main_id));
	if (import->place.have_offset)
		report_warn("%s is of the disk with serial number %s, main is on %s", import->list_name,
			    serial, main_id);
	else
		report_error("%s is of another disk (serial number %s) than the one that main is on (%s); nothing was changed (--offset insists)",
			     import->list_name, serial, main_id);
	free(serial);
	free(main_id);
	return import->place.have_offset ? STATUS_DONE : STATUS_FAILED;
}

static int run(struct import *import)
{
	int status;

	status = import_read(import);
	if (!status)
		status = check_source(import);
	if (!status)
		status = import->options.follow ? import_end_following(import) :
						  import_list(import);
	if (import->totals.planned)
		import_write_json(import);
	import_close(import);
	if (!status && import->list.rejected)
		return STATUS_LOOK;
	return status;
}

int main(int argc, char **argv)
{
	struct import import = { .options = {
		.type = IMPORT_AUTO,
		.offset_bytes = IMPORT_NO_OFFSET,
		.verify = VERIFY_UNSAID,
	} };
	int status;

	status = options_parse(&tool, &import.options, argc, argv);
	if (status >= 0)
		return status;
	status = check_options(&import.options);
	if (status >= 0)
		return status;
	status = import_target(&import);
	if (!status) {
		status = check_for_target(&import);
		if (status >= 0)
			return status;
		if (import.options.follow)
			stop_catch();
		status = run(&import);
	}
	live_free(&import.live);
	import_plan_free(&import.plan);
	device_close(&import.verify.main);
	list_free(&import.list);
	while (import.nr_notes)
		free(import.notes[--import.nr_notes]);
	free(import.notes);
	free(import.list_name);
	return report_finish(status);
}
