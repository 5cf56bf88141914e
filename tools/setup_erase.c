// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup erase: make a spare that is not needed any more a device with nothing of dm-remap on it.
 * Decides whether it is needed; the engine erases. What is refused, in the order it is looked at:
 *
 *	in use, not a device			device.h says which
 *	not a spare, or a damaged one		spare.h says which; remap-check
 *	made by a newer version			never
 *	a spare, and a filesystem since		--force
 *	in use by another host			--adopt
 *	slots hold data				--retired-to, if it is true
 *	sectors are lost			--retired-to, if they can be read there
 *
 * An erase that was cut short was allowed when it began, and is finished.
 */
#include "confirm.h"
#include "erase.h"
#include "escape.h"
#include "progress.h"
#include "remaptab.h"
#include "report.h"
#include "retired_to.h"
#include "setup.h"
#include "setup_rows.h"
#include "signature.h"
#include "spare_refuse.h"
#include "stop.h"
#include "units.h"

struct erase_options {
	struct common_options common;
	const char *retired_to;
	const char *tab;
	bool adopt;
	bool force;
	bool yes;
	bool dry_run;
};

#define FIELD(member) offsetof(struct erase_options, member)

static const struct option_row rows[] = {
	{ .name = "retired-to", .kind = OPTION_DEVICE, .field = FIELD(retired_to),
	  .argument = "DEV", .help = "all that the spare stands in for is on DEV; checked, only read" },
	ROW_ADOPT(FIELD(adopt)),
	{ .letter = 'f', .name = "force", .kind = OPTION_FLAG, .field = FIELD(force),
	  .help = "erase a filesystem, volume or partition table, too" },
	ROW_TAB(FIELD(tab)),
	ROW_YES(FIELD(yes)),
	{ .letter = 'n', .name = "dry-run", .kind = OPTION_FLAG, .field = FIELD(dry_run),
	  .help = "check everything, write nothing" },
};

static const struct tool tool = {
	.name = SETUP_TOOL,
	.verb = "erase",
	.summary = "Make SPARE, which is not needed any more, a device with nothing of dm-remap on it.",
	.usage = "[--retired-to DEV] [--adopt] [-f] [-y|-n] [-z FILE] SPARE",
	.details = "Refused while a slot holds data or sectors are lost, unless all of it is found on DEV,\n"
		   "the new main. --force does not change that. What is in slots is not overwritten.",
	.example = "remap-setup erase --retired-to /dev/sdd /dev/sdc1",
	.operand = "SPARE",
	.operand_kind = OPTION_DEVICE,
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
	.undo = true,
};

static struct erase_options erase_options = { .tab = REMAPTAB_PATH };

/**
 * struct erasure - a spare that is to be erased
 * @options: command line
 * @dev: the spare
 * @load: its table, unless @resumed
 * @sb: its superblock, or what a mark keeps of it
 * @resumed: an erase of it was cut short
 * @stored: blocks of which the slot has at least one sector
 * @retired_to: what was found there
 * @listed: it is in remaptab
 * @written: it was erased
 */
struct erasure {
	const struct erase_options *options;
	struct device dev;
	struct spare_load load;
	struct rmeta_superblock sb;
	bool resumed;
	u32 stored;
	struct retired_to retired_to;
	bool listed;
	bool written;
};

/*
 * Is it needed?
 */

static int check_signature(const struct erasure *erasure)
{
	struct rmeta_geometry geo;
	bool fits = !rmeta_geometry_check(&erasure->sb, erasure->dev.sectors, &geo);
	char *foreign = signature_find(&erasure->dev, fits ? &geo : NULL);
	int status = STATUS_DONE;

	if (!foreign)
		return STATUS_DONE;
	if (erasure->options->force) {
		report_info("%s holds a signature that --force erases: %s", erasure->dev.shown,
			    foreign);
	} else {
		report_error("%s is a spare, but also holds something else: %s; nothing was changed (--force erases both)",
			     erasure->dev.shown, foreign);
		status = STATUS_FAILED;
	}
	free(foreign);
	return status;
}

/* Is it all elsewhere? */
static int check_retired_to(struct erasure *erasure)
{
	const char *path = erasure->options->retired_to, *name = erasure->dev.shown;
	const struct retired_to *found = &erasure->retired_to;
	struct device dev;
	int status = STATUS_FAILED;

	if (device_open(&dev, path, DEVICE_READ, "device"))
		return STATUS_FAILED;
	if (device_is_at(&erasure->dev, path)) {
		report_error("--retired-to names the spare itself, %s; nothing was changed", name);
	} else if (dev.sectors < erasure->sb.main_sectors) {
		report_error("%s has %llu sectors, but the main of %s has %llu: it cannot be all there; nothing was changed",
			     dev.shown, (unsigned long long)dev.sectors, name,
			     (unsigned long long)erasure->sb.main_sectors);
	} else if (!retired_to_compare(&erasure->retired_to, &erasure->load.table, &erasure->dev,
				       &dev)) {
		if (found->different)
			report_error("%s: %llu of %llu sectors that slots of %s hold are something else there, the first is sector %llu; nothing was changed",
				     dev.shown, (unsigned long long)found->different,
				     (unsigned long long)found->compared, name,
				     (unsigned long long)found->first_different);
		if (found->unreadable)
			report_error("%s: %llu sectors that %s stands in for cannot be read there, the first is sector %llu; nothing was changed",
				     dev.shown, (unsigned long long)found->unreadable, name,
				     (unsigned long long)found->first_unreadable);
		if (found->slots_unreadable)
			report_error("%s: %llu sectors in slots cannot be read, and are not known to be on %s; nothing was changed",
				     name, (unsigned long long)found->slots_unreadable, dev.shown);
		if (!found->different && !found->unreadable && !found->slots_unreadable)
			status = STATUS_DONE;
	}
	device_close(&dev);
	return status;
}

static int check_slots(struct erasure *erasure)
{
	const struct rmeta_counts *counts = &erasure->load.table.counts;
	const char *name = erasure->dev.shown;
	u32 only_main = counts->mapped + counts->lost - erasure->stored;

	if (erasure->options->retired_to)
		return check_retired_to(erasure);
	if (erasure->stored)
		report_error("%s holds data of %u block%s of main; it is not erased, not even with --force (remap-setup unmap NAME --all brings blocks back to main; --retired-to DEV if all of it is on DEV)",
			     name, erasure->stored, units_s(erasure->stored));
	if (counts->lost)
		report_error("%s knows of %u block%s with lost sectors, which without it would be read from main, where they are old; it is not erased, not even with --force (--retired-to DEV if all of it is on DEV)",
			     name, counts->lost, units_s(counts->lost));
	if (erasure->stored || counts->lost)
		return STATUS_FAILED;
	if (only_main)
		report_info("%s knows of %u bad block%s of main of which it has no data; that is forgotten",
			    name, only_main, units_s(only_main));
	return STATUS_DONE;
}

/* Find out what it is, and refuse. Nothing is written. */
static int examine(struct erasure *erasure)
{
	enum rmeta_mark mark = spare_mark(&erasure->dev, &erasure->sb);
	int status;

	erasure->resumed = mark == RMETA_MARK_ERASING || mark == RMETA_MARK_MAKING;
	if (erasure->resumed) {
		report_info(mark == RMETA_MARK_ERASING ?
			    "an erasure of %s was cut short; it is finished" :
			    "%s was to replace another spare, which is whole still; it is erased",
			    erasure->dev.shown);
		return check_signature(erasure);
	}
	status = spare_load(&erasure->load, &erasure->dev, true);
	if (status)
		return status;
	erasure->sb = erasure->load.table.sb;
	erasure->stored = spare_count_stored(&erasure->load.table);
	status = spare_refuse_unsure(&erasure->load, &erasure->dev);
	if (!status)
		status = check_signature(erasure);
	if (!status)
		status = spare_refuse_unreleased(&erasure->sb, &erasure->dev,
						 erasure->options->adopt);
	return status ? status : check_slots(erasure);
}

/* Who brings up what is listed would miss it. */
static int look_into_tab(struct erasure *erasure)
{
	const struct remaptab_entry *entry;
	struct remaptab tab;
	int status = STATUS_FAILED;
	char *command;

	if (!remaptab_read(&tab, erasure->options->tab)) {
		entry = remaptab_by_spare(&tab, erasure->sb.uuid);
		erasure->listed = entry;
		if (entry) {
			command = remaptab_disable_command(erasure->options->tab, entry->name);
			report_warn("%s:%u: %s is the spare of %s; take the line out with: %s",
				    tab.shown, entry->line, erasure->dev.shown, entry->name,
				    command);
			free(command);
		}
		status = STATUS_DONE;
	}
	remaptab_free(&tab);
	return status;
}

/*
 * Erasing
 */

static int wipe_signatures(void *ctx)
{
	struct erasure *erasure = ctx;

	return signature_wipe(&erasure->dev);
}

static void show_progress(void *ctx, u32 done, u32 total)
{
	progress_total(total);
	progress_update(done);
}

static int erase(struct erasure *erasure)
{
	const struct rmeta_erase params = {
		.device_sectors = erasure->dev.sectors,
		.pages_used = erasure->resumed ? 0 : erasure->sb.pages_used,
		.wipe = wipe_signatures,
		.progress = show_progress,
		.ctx = erasure,
	};
	const char *name = erasure->dev.shown;
	struct rmeta_superblock sb;
	int r;

	progress_begin("erasing table pages", 0);
	r = rmeta_erase(&rmeta_file_ops, &erasure->dev.host, &params);
	progress_end();
	if (!r) {
		erasure->written = true;
		return STATUS_DONE;
	}
	report_error("%s could not be erased: %s; %s", name,
		     stop_requested() ? "interrupted" : strerror(-r),
		     spare_mark(&erasure->dev, &sb) == RMETA_MARK_ERASING ?
		     "it is half erased, and the same command goes on" :
		     "it is a spare still, and remap-check -p repairs what was written");
	return stop_requested() ? STATUS_CANCELLED : STATUS_FAILED;
}

/*
 * Telling
 */

static void show(const struct erasure *erasure)
{
	const struct rmeta_counts *counts = &erasure->load.table.counts;
	char *label = escape_text(erasure->sb.label, strlen(erasure->sb.label));
	char uuid[40], size[UNITS_TEXT];

	report_out("spare       %s, %s\n", erasure->dev.shown,
		   units_size(erasure->dev.sectors * 512, size));
	if (*label)
		report_out("label       %s\n", label);
	report_out("uuid        %s\n", units_uuid(erasure->sb.uuid, uuid));
	free(label);
	if (erasure->resumed)
		return;
	report_out("blocks      %u, of which slots have data of %u, and sectors of %u are lost\n",
		   counts->mapped + counts->lost, erasure->stored, counts->lost);
	if (counts->retired)
		report_out("retired     %u slots, which the next owner of the device may find bad\n",
			   counts->retired);
	if (erasure->options->retired_to)
		report_out("compared    %llu sectors, all as on the device that --retired-to names\n",
			   (unsigned long long)erasure->retired_to.compared);
}

static void write_json(const struct erasure *erasure)
{
	const struct rmeta_counts *counts = &erasure->load.table.counts;
	const struct retired_to *found = &erasure->retired_to;
	struct json *json = report_json();
	char uuid[40];

	if (!json)
		return;
	json_key_text(json, "spare", erasure->dev.path);
	json_key_text(json, "uuid", units_uuid(erasure->sb.uuid, uuid));
	json_key_text(json, "label", erasure->sb.label);
	json_key_bool(json, "resumed", erasure->resumed);
	json_key_number(json, "mapped", counts->mapped);
	json_key_number(json, "stored", erasure->stored);
	json_key_number(json, "lost", counts->lost);
	json_key_number(json, "retired", counts->retired);
	json_key_text(json, "retired_to", erasure->options->retired_to);
	json_key_number(json, "compared_sectors", found->compared);
	json_key_number(json, "different_sectors", found->different);
	json_key_number(json, "unreadable_sectors", found->unreadable + found->slots_unreadable);
	json_key_bool(json, "listed", erasure->listed);
	json_key_bool(json, "dry_run", erasure->options->dry_run);
	json_key_bool(json, "written", erasure->written);
}

static int run_on(struct erasure *erasure)
{
	const struct erase_options *options = erasure->options;
	int status;

	status = examine(erasure);
	if (!status)
		status = look_into_tab(erasure);
	if (status)
		return status;
	show(erasure);
	if (options->dry_run) {
		report_out("dry run: nothing was written\n");
		return STATUS_DONE;
	}
	if (!confirm(options->yes || erasure->resumed, "Erase the spare on %s", erasure->dev.shown))
		return STATUS_CANCELLED;
	stop_catch();
	status = erase(erasure);
	if (status)
		return status;
	report_out("%s is not a spare any more; nothing that is known is on it\n",
		   erasure->dev.shown);
	return erasure->listed ? STATUS_LOOK : STATUS_DONE;
}

static int run(void *opaque)
{
	struct erasure erasure = { .options = opaque };
	int status = STATUS_FAILED;

	if (!device_open(&erasure.dev, erasure.options->common.operand, DEVICE_WRITE, "spare")) {
		status = run_on(&erasure);
		write_json(&erasure);
	}
	spare_unload(&erasure.load);
	device_close(&erasure.dev);
	return report_finish(status);
}

const struct verb setup_erase = {
	.tool = &tool,
	.help = "make a spare that is not needed any more an empty device",
	.options = &erase_options,
	.run = run,
};
