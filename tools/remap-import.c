// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-import: give every block of a list of bad places a slot of a spare, with its sectors
 * pending: their data is on main still, as far as main can read it.
 *
 * Reads the list without holding the spare, so that a badblocks run of hours can be at the
 * other end of a pipe. Then plans, looks at main if asked to, and applies the plan only if all
 * of it fits.
 */
#include <limits.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "escape.h"
#include "import.h"
#include "signature.h"
#include "undo.h"
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
};

static const struct tool tool = {
	.name = "remap-import",
	.summary = "Take the bad blocks of a list out of use: TARGET, a spare that is not in use, "
		   "stands in\nfor them from its next activation on.",
	.usage = "[-t TYPE] [-b BYTES] [--from FILE|--smart DEV] [--made-on DEV] [--offset BYTES] "
		 "[-n] TARGET",
	.details = "A block that is in the spare already stays as it is: a list may be imported "
		   "again.\nA list that does not fit changes nothing.",
	.example = "remap-import --smart /dev/sdb /dev/sdc1",
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
	if (options->verify > VERIFY_NONE && !options->main)
		return options_misused(&tool, "--verify needs --main DEV to read from");
	if (!options->from && !options->smart && isatty(STDIN_FILENO))
		return options_misused(&tool,
				       "no list: give --from FILE, or pipe one into standard input");
	if (options->main && options->verify == VERIFY_UNSAID)
		options->verify = VERIFY_SAMPLE;
	return -1;
}

/* Open the spare and load its table. */
static int open_spare(struct import *import, bool read_only)
{
	if (device_open(&import->dev, import->options.common.operand, DEVICE_WRITE, "spare"))
		return STATUS_FAILED;
	return spare_load(&import->spare, &import->dev, read_only);
}

static void close_spare(struct import *import)
{
	spare_unload(&import->spare);
	device_close(&import->dev);
}

/* Something of somebody else in the metadata area: the device may have a new owner. */
static int refuse_foreign(struct import *import)
{
	char *foreign = signature_find(&import->dev, &import->spare.table.store.geo);

	if (!foreign)
		return STATUS_DONE;
	report_error("%s is a spare, but also holds something else: %s; nothing was changed (see remap-check -n %s)",
		     import->dev.shown, foreign, import->dev.shown);
	free(foreign);
	return STATUS_FAILED;
}

/* A live device is not taken yet, which is not what "not a spare" sounds like. */
static void explain_live(const char *operand)
{
	char path[PATH_MAX], link[PATH_MAX], *shown;
	struct stat stat_buf;
	const char *dir = strchr(operand, '/') ? "" : "/dev/mapper/";

	snprintf(path, sizeof(path), "%s%s", dir, operand);
	if (stat(path, &stat_buf) || !S_ISBLK(stat_buf.st_mode))
		return;
	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u/dm/name", major(stat_buf.st_rdev),
		 minor(stat_buf.st_rdev));
	if (access(link, F_OK))
		return;
	shown = escape_text(path, strlen(path));
	report_error("%s is a mapped device: if it is a live dm-remap device, remove it and import into its spare, or send it the blocks as messages (dmsetup message)",
		     shown);
	free(shown);
}

/* What the list is to be read for. Everything that can be refused before it is read, is. */
static int look_at_spare(struct import *import)
{
	int status;

	status = open_spare(import, true);
	if (status == STATUS_FAILED)
		explain_live(import->options.common.operand);
	if (!status)
		status = refuse_foreign(import);
	if (!status) {
		import->sb = import->spare.table.sb;
		import->list.main_sectors = import->sb.main_sectors;
		import->list.block_shift = import->sb.block_shift;
	}
	close_spare(import);
	return status;
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

static int check_plan(const struct import *import)
{
	const struct list *list = &import->list;
	u32 free_slots = rmeta_table_free_slots(&import->spare.table);

	if (list->rejected && import->options.strict) {
		report_error("%llu %s %s rejected and --strict given; nothing was changed",
			     (unsigned long long)list->rejected,
			     import_noun(list, list->rejected),
			     list->rejected == 1 ? "was" : "were");
		return STATUS_FAILED;
	}
	if (list->rejected && !list->taken) {
		report_error("%s: no %s is a block of main; nothing was changed (a list for another device, or a wrong -b or --offset?)",
			     import->list_name, import_noun(list, 1));
		return STATUS_FAILED;
	}
	if (import->plan.wanted > free_slots) {
		report_error("the list does not fit: %llu blocks need a slot, %u of %u are free in %s; nothing was changed",
			     (unsigned long long)import->plan.wanted, free_slots,
			     rmeta_slots(&import->spare.table.store.geo), import->dev.shown);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

static int make_plan(struct import *import)
{
	import_plan_free(&import->plan);
	if (!import_plan_make(&import->plan, &import->spare.table, &import->list.ranges))
		return STATUS_DONE;
	report_error("not enough memory for the plan; nothing was changed");
	return STATUS_FAILED;
}

/* --verify. The plan is made again if blocks were found around those of the list. */
static int verify_plan(struct import *import)
{
	struct import_verify *verify = &import->verify;
	int r;

	if (import->options.verify <= VERIFY_NONE || !import->plan.wanted ||
	    import->plan.wanted > rmeta_table_free_slots(&import->spare.table))
		return STATUS_DONE;
	verify->sample = import->options.verify == VERIFY_SAMPLE;
	r = import_verify_run(verify, &import->plan, &import->list);
	if (r) {
		report_error("not enough memory to look at main; nothing was changed");
		return STATUS_FAILED;
	}
	if (!verify->blocks_failed) {
		report_error("none of %llu block%s read from %s fails: wrong -b, offset or device? Nothing was changed (--verify=none insists)",
			     (unsigned long long)verify->blocks_read,
			     units_s(verify->blocks_read), verify->main.shown);
		return STATUS_FAILED;
	}
	return verify->around ? make_plan(import) : STATUS_DONE;
}

static int apply_plan(struct import *import)
{
	unsigned int live_copies;
	int r, status = STATUS_DONE;

	r = import_apply(&import->spare.table, &import->plan, import->list.parser->reason,
			 &import->imported);
	if (r) {
		report_error("%s: %s after %llu of %llu blocks; those are imported, run remap-check -n %s, then the same import again",
			     import->dev.shown, strerror(-r), (unsigned long long)import->imported,
			     (unsigned long long)import->plan.wanted, import->dev.shown);
		status = STATUS_FAILED;
	}
	if (spare_release(&import->spare, &import->dev))
		status = STATUS_FAILED;
	live_copies = rmeta_table_live_copies(&import->spare.table);
	if (!status)
		report_out("imported %llu block%s; their data stays on main until it is written anew\n",
			   (unsigned long long)import->imported, units_s(import->imported));
	if (!status && live_copies < RMETA_COPIES) {
		report_warn("%s: only %u of 5 copies of some metadata could be written; run remap-check, and think of another spare",
			    import->dev.shown, live_copies);
		status = STATUS_LOOK;
	}
	return status;
}

/* Load the spare anew, for writing, and do it. */
static int import_for_real(struct import *import)
{
	int status;

	spare_unload(&import->spare);
	status = spare_load(&import->spare, &import->dev, false);
	if (status)
		return status;
	/* Pages that could not be repaired on the way give no slots. */
	status = make_plan(import);
	if (!status)
		status = check_plan(import);
	if (!status)
		return apply_plan(import);
	spare_release(&import->spare, &import->dev);
	return status;
}

/* The list is read. Plan without writing; only a plan that fits opens the spare for real. */
static int import_list(struct import *import)
{
	int status;

	status = open_spare(import, true);
	if (status)
		return status;
	if (memcmp(import->sb.uuid, import->spare.table.sb.uuid, sizeof(import->sb.uuid))) {
		report_error("%s was formatted while the list was read; nothing was changed",
			     import->dev.shown);
		return STATUS_FAILED;
	}
	status = make_plan(import);
	if (!status)
		status = verify_plan(import);
	if (status)
		return status;
	import_show_plan(import);
	status = check_plan(import);
	if (status)
		return status;
	if (import->options.dry_run) {
		report_out("dry run: nothing was changed\n");
		return STATUS_DONE;
	}
	if (!import->plan.wanted) {
		report_out("nothing to import\n");
		undo_nothing(&import->dev);
		return STATUS_DONE;
	}
	return import_for_real(import);
}

static int run(struct import *import)
{
	int status;

	status = look_at_spare(import);
	if (!status && import->options.main &&
	    import_verify_open(&import->verify, import->options.main, &import->sb))
		status = STATUS_FAILED;
	if (!status)
		status = import_read(import);
	if (!status)
		status = check_source(import);
	if (status)
		return status;
	status = import_list(import);
	if (import->spare.loaded)
		import_write_json(import);
	close_spare(import);
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
	status = run(&import);
	import_plan_free(&import.plan);
	device_close(&import.verify.main);
	list_free(&import.list);
	while (import.nr_notes)
		free(import.notes[--import.nr_notes]);
	free(import.notes);
	free(import.list_name);
	return report_finish(status);
}
