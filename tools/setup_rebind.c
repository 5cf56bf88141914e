// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup rebind: main was cloned to another disk; the spare becomes that one's. What the clone
 * did not get, and no slot has, becomes lost: reads of it fail until it is written, and never give what
 * a new disk happens to have there. What is refused, in the order it is looked at:
 *
 *	spare in use, damaged, not certain	spare.h, spare_refuse.h
 *	spare not released by another host	--adopt
 *	new main in use				stop what has it
 *	new main is a spare, or this one	never
 *	new main has another spare		never
 *	new main shorter than main was		never
 *	longer, without an identity		never
 *	a mapfile of something else		never
 *	new main is no clone of what main was	--accept-changed-main
 *	the clone is not finished		--accept-incomplete
 *	too few slots				never
 *
 * The superblocks, which say whose spare it is, are written last: until then it is the old main's.
 */
#include <unistd.h>

#include "assembly.h"
#include "confirm.h"
#include "escape.h"
#include "main_print.h"
#include "other_spares.h"
#include "rebind.h"
#include "remaptab_follow.h"
#include "rescue_map.h"
#include "setup.h"
#include "setup_rows.h"
#include "spare_refuse.h"
#include "stop.h"
#include "units.h"

struct rebind_options {
	struct common_options common;
	const char *mapfile;
	const char *tab;
	bool complete;
	bool accept_incomplete;
	bool accept_changed;
	bool adopt;
	bool yes;
	bool dry_run;
};

#define FIELD(member) offsetof(struct rebind_options, member)

static const struct option_row rows[] = {
	{ .letter = 'm', .name = "mapfile", .kind = OPTION_FILE, .field = FIELD(mapfile),
	  .argument = "MAP", .help = "ddrescue's mapfile of the copy from main to NEWMAIN" },
	{ .name = "complete", .kind = OPTION_FLAG, .field = FIELD(complete),
	  .help = "instead of a mapfile: every sector of main was copied" },
	{ .name = "accept-incomplete", .kind = OPTION_FLAG, .field = FIELD(accept_incomplete),
	  .help = "sectors that ddrescue has not tried to the end become lost, too" },
	{ .name = "accept-changed-main", .kind = OPTION_FLAG, .field = FIELD(accept_changed),
	  .help = "go on though NEWMAIN is not what main was when SPARE was released" },
	ROW_ADOPT(FIELD(adopt)),
	ROW_TAB(FIELD(tab)),
	ROW_YES(FIELD(yes)),
	ROW_DRY_RUN(FIELD(dry_run)),
};

static const struct operand_row operands[] = {
	{ "SPARE", OPTION_DEVICE },
	{ "NEWMAIN", OPTION_DEVICE },
};

static const struct tool tool = {
	.name = SETUP_TOOL,
	.verb = "rebind",
	.summary = "Make SPARE the spare of NEWMAIN, a clone of the main it was for.",
	.usage = "--mapfile MAP|--complete [--adopt] [-y|-n] [-z FILE] SPARE NEWMAIN",
	.details = "Sectors that were not copied and are in no slot become lost: read errors, until they\n"
		   "are written. NEWMAIN is only read. What it has more than main had is not used.",
	.example = "remap-setup rebind --mapfile clone.map /dev/sdc1 /dev/sdd",
	.operands = operands,
	.nr_operands = ARRAY_SIZE(operands),
	.min_operands = ARRAY_SIZE(operands),
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
	.undo = true,
};

static struct rebind_options rebind_options = { .tab = REMAPTAB_PATH };

/**
 * struct rebinding - a spare that is to get another main
 * @options: command line
 * @spare: open for writing
 * @main: new main, open for reading
 * @load: the spare's table
 * @identity: of new main
 * @map: what was copied
 * @missing: sectors that were not
 * @rebind: what becomes of them
 * @bound: it is new main's already: a run was cut short behind the last superblock
 * @listed: remaptab has a line for the spare
 * @written: done
 */
struct rebinding {
	const struct rebind_options *options;
	struct device spare;
	struct device main;
	struct spare_load load;
	struct identity identity;
	struct rescue_map map;
	struct ranges missing;
	struct rebind rebind;
	bool bound;
	bool listed;
	bool written;
};

/*
 * May they be used?
 */

static int check_spare(struct rebinding *re)
{
	int status;

	if (device_open(&re->spare, re->options->common.operands[0], DEVICE_WRITE, "spare"))
		return STATUS_FAILED;
	status = spare_load(&re->load, &re->spare, true);
	if (!status)
		status = spare_refuse_unsure(&re->load, &re->spare);
	if (!status)
		status = spare_refuse_foreign(&re->load, &re->spare);
	if (!status)
		status = spare_refuse_unreleased(&re->load.table.sb, &re->spare, re->options->adopt);
	return status;
}

/* Is there anything that the device can be recognised by, as there has to be where it is longer? */
static bool has_identity(const struct identity *identity)
{
	static const u8 none[16];

	return *identity->id || memcmp(identity->partuuid, none, sizeof(none));
}

static int check_length(const struct rebinding *re)
{
	u64 got = re->main.sectors, wanted = re->load.table.sb.main_sectors;
	const char *name = re->main.shown;

	if (got == wanted || (got > wanted && has_identity(&re->identity)))
		return STATUS_DONE;
	if (got < wanted)
		report_error("%s has %llu sectors, fewer than the %llu of the main of %s: it cannot be a clone of it; nothing was changed",
			     name, (unsigned long long)got, (unsigned long long)wanted,
			     re->spare.shown);
	else
		report_error("%s has %llu sectors, more than the %llu of the main of %s, and nothing that it could be recognised by in spite of that; nothing was changed (clone main into a partition, or a volume, of %llu sectors, and give that)",
			     name, (unsigned long long)got, (unsigned long long)wanted,
			     re->spare.shown, (unsigned long long)wanted);
	return STATUS_FAILED;
}

static int check_blocks(const struct rebinding *re)
{
	u32 block_bytes = 512U << re->load.table.sb.block_shift, logical = re->main.logical_bytes;

	if (logical <= block_bytes && logical >= re->spare.logical_bytes)
		return STATUS_DONE;
	report_error("%s has logical blocks of %u bytes; between the %u of %s and its remap unit, %u, are needed; nothing was changed",
		     re->main.shown, logical, re->spare.logical_bytes, re->spare.shown, block_bytes);
	return STATUS_FAILED;
}

/* In an image file there is no device that scan could bring up. */
static int refuse_other_spares(const struct rebinding *re)
{
	const struct device *main = &re->main;
	const u8 *uuid = re->load.table.sb.uuid;
	int status = listed_spare_refuse(main, &re->identity, uuid, re->options->tab);

	if (status || !main->is_block)
		return status;
	return other_spares_refuse(main, &re->identity, re->spare.stat.st_rdev, uuid,
				   re->options->tab);
}

static int check_main(struct rebinding *re)
{
	const char *path = re->options->common.operands[1];
	struct rmeta_superblock sb;
	struct rmeta_geometry geo;
	int status;

	if (device_is_at(&re->spare, path)) {
		report_error("spare and new main are one device: %s", re->spare.shown);
		return STATUS_FAILED;
	}
	if (device_open(&re->main, path, DEVICE_READ, "new main"))
		return STATUS_FAILED;
	status = assembly_refuse_used(&re->main, "new main",
				      "; unmount it, or stop what has it");
	if (!status && spare_superblock(&sb, &geo, &re->main)) {
		report_error("new main %s is a spare of dm-remap itself; nothing was changed",
			     re->main.shown);
		status = STATUS_FAILED;
	}
	identity_get(&re->main, &re->identity);
	if (!status)
		status = refuse_other_spares(re);
	if (!status)
		status = check_length(re);
	if (!status)
		status = check_blocks(re);
	re->bound = identity_compare(&re->identity, &re->load.table.sb) == IDENTITY_SAME;
	if (!status && identity_same_disk(&re->main, &re->spare))
		report_warn("%s and %s are on one disk: they will fail together", re->main.shown,
			    re->spare.shown);
	return status;
}

/*
 * What is missing?
 */

static void take_ranges(struct ranges *missing, const struct ranges *ranges)
{
	size_t i;

	for (i = 0; i < ranges->nr; i++)
		if (ranges_add(missing, ranges->range[i].first, ranges->range[i].end))
			report_out_of_memory();
}

static int read_map(struct rebinding *re)
{
	const char *path = re->options->mapfile;
	char *shown;
	int r;

	if (!path)
		return STATUS_DONE;
	re->map.sectors = re->load.table.sb.main_sectors;
	r = rescue_map_read(&re->map, path);
	if (r == -ENOENT) {
		shown = escape_text(path, strlen(path));
		report_error("cannot open the mapfile %s: %s", shown, strerror(-r));
		free(shown);
	}
	if (!r) {
		take_ranges(&re->missing, &re->map.todo);
		take_ranges(&re->missing, &re->map.bad);
		if (ranges_finish(&re->missing))
			report_out_of_memory();
	}
	return r ? STATUS_FAILED : STATUS_DONE;
}

static bool has_missing(const struct rebinding *re, u64 first, u64 end)
{
	size_t i;

	for (i = 0; i < re->missing.nr; i++)
		if (re->missing.range[i].first < end && re->missing.range[i].end > first)
			return true;
	return false;
}

/* Was it cloned from what main was when the spare was released? Its ends tell, if they were copied. */
static int check_print(const struct rebinding *re)
{
	const struct rmeta_superblock *sb = &re->load.table.sb;
	u64 sectors = sb->main_sectors, end = min(sectors, (u64)2048);
	u32 print[2];
	bool same;
	int r;

	/* What was copied a moment ago may be in memory only. */
	if (fdatasync(re->main.host.fd)) {
		report_error("%s cannot be flushed: %s; nothing was changed", re->main.shown,
			     strerror(errno));
		return STATUS_FAILED;
	}
	r = main_print_read(&re->main, sectors, print);
	if (r) {
		report_error("the first or last MiB of new main %s cannot be read: %s; nothing was changed",
			     re->main.shown, strerror(-r));
		return STATUS_FAILED;
	}
	if (re->load.load.was_in_use || !(sb->state & RMETA_PRINT_VALID)) {
		report_info("%s has no checksums of a clean release: whether %s is a clone of what main was then cannot be told",
			    re->spare.shown, re->main.shown);
		return STATUS_DONE;
	}
	same = (print[0] == sb->main_print[0] || has_missing(re, 0, end)) &&
	       (print[1] == sb->main_print[1] || has_missing(re, sectors - end, sectors));
	if (same)
		return STATUS_DONE;
	if (re->options->accept_changed) {
		report_warn("%s is not what main was when %s was last released; accepted",
			    re->main.shown, re->spare.shown);
		return STATUS_DONE;
	}
	report_error("%s is not what main was when %s was last released: its first or last MiB differ; nothing was changed (is it a clone of another disk, or one that was written to? --accept-changed-main goes on)",
		     re->main.shown, re->spare.shown);
	return STATUS_FAILED;
}

/* Areas that ddrescue would still work on, and that no slot has. */
static int check_finished(const struct rebinding *re)
{
	struct rebind untried = re->rebind;
	u64 sectors;

	untried.missing = &re->map.todo;
	rebind_count(&untried);
	sectors = untried.pending_lost + untried.fresh_lost;
	if (!sectors || re->options->accept_incomplete)
		return STATUS_DONE;
	report_error("the mapfile says that %llu sectors which no slot has were not tried to the end; nothing was changed (let ddrescue go on; --accept-incomplete: they are lost)",
		     (unsigned long long)sectors);
	return STATUS_FAILED;
}

static int plan(struct rebinding *re)
{
	int status = read_map(re);

	re->rebind = (struct rebind){
		.table = &re->load.table,
		.spare = &re->spare,
		.main = &re->main,
		.missing = &re->missing,
	};
	if (!status)
		status = check_print(re);
	if (!status)
		status = check_finished(re);
	return status ? status : rebind_plan(&re->rebind);
}

/*
 * Doing it
 */

static void put_identity(struct rmeta_superblock *sb, const struct identity *identity)
{
	memset(sb->main_id, 0, sizeof(sb->main_id));
	memcpy(sb->main_id, identity->id, min(strlen(identity->id), sizeof(sb->main_id) - 1));
	memcpy(sb->main_partuuid, identity->partuuid, sizeof(sb->main_partuuid));
	sb->main_start = identity->start_sectors;
	sb->read_errors = 0;
	sb->write_errors = 0;
}

static int write_spare(struct rebinding *re)
{
	struct rmeta_superblock *sb = &re->load.table.sb;
	int status;

	spare_unload(&re->load);
	status = spare_load(&re->load, &re->spare, false);
	if (!status)
		status = rebind_apply(&re->rebind);
	if (status)
		return status;
	put_identity(sb, &re->identity);
	re->load.print_valid = !main_print_read(&re->main, sb->main_sectors, sb->main_print);
	status = spare_release(&re->load, &re->spare);
	re->written = !status;
	return status;
}

/* Behind what main was: the device does not grow. */
static u64 unused_sectors(const struct rebinding *re)
{
	return re->main.sectors - re->load.table.sb.main_sectors;
}

static void show(const struct rebinding *re)
{
	const struct rebind *rebind = &re->rebind;
	char *label = escape_text(re->load.table.sb.label, strlen(re->load.table.sb.label));
	char *id = escape_text(re->identity.id, strlen(re->identity.id));
	char *old = escape_text(re->load.table.sb.main_id, strlen(re->load.table.sb.main_id));
	char uuid[40], size[UNITS_TEXT];

	report_out("spare       %s%s%s, uuid %s\n", re->spare.shown, *label ? ", " : "", label,
		   units_uuid(re->load.table.sb.uuid, uuid));
	report_out("old main    %s\n", *old ? old : "nothing on record");
	report_out("new main    %s, %s%s%s\n", re->main.shown,
		   units_size(re->main.sectors * 512, size), *id ? ", id " : "", id);
	if (unused_sectors(re))
		report_out("not used    the last %llu sectors of new main, %s; the device keeps its length, %llu sectors\n",
			   (unsigned long long)unused_sectors(re),
			   units_size(unused_sectors(re) * 512, size),
			   (unsigned long long)re->load.table.sb.main_sectors);
	free(old);
	free(id);
	free(label);
	if (re->bound)
		return;
	report_out("not copied  %llu sectors; slots have %llu of them\n",
		   (unsigned long long)ranges_blocks(&re->missing),
		   (unsigned long long)rebind->in_slots);
	report_out("lost        %llu sectors that were pending, %llu of which nothing was known, %llu as before\n",
		   (unsigned long long)rebind->pending_lost,
		   (unsigned long long)rebind->fresh_lost, (unsigned long long)rebind->lost_before);
	report_out("slots       %llu are taken; %llu sectors of new main are copied there\n",
		   (unsigned long long)rebind->claims, (unsigned long long)rebind->copied);
}

static void write_json(const struct rebinding *re)
{
	const struct rebind *rebind = &re->rebind;
	struct json *json = report_json();
	char uuid[40];

	if (!json || !re->load.loaded)
		return;
	json_key_text(json, "spare", re->spare.path);
	json_key_text(json, "uuid", units_uuid(re->load.table.sb.uuid, uuid));
	json_key_text(json, "label", re->load.table.sb.label);
	json_key_text(json, "main", re->main.path);
	json_key_text(json, "main_id", re->identity.id);
	json_key_number(json, "main_start", re->identity.start_sectors);
	json_key_number(json, "unused_sectors", re->main.sectors > re->load.table.sb.main_sectors ?
			unused_sectors(re) : 0);
	json_key_bool(json, "bound_before", re->bound);
	json_key_number(json, "missing_sectors", ranges_blocks(&re->missing));
	json_key_number(json, "in_slots_sectors", rebind->in_slots);
	json_key_number(json, "lost_before_sectors", rebind->lost_before);
	json_key_number(json, "pending_lost_sectors", rebind->pending_lost);
	json_key_number(json, "fresh_lost_sectors", rebind->fresh_lost);
	json_key_number(json, "slots", rebind->claims);
	json_key_number(json, "copied_sectors", rebind->copied);
	json_key_bool(json, "listed", re->listed);
	json_key_bool(json, "dry_run", re->options->dry_run);
	json_key_bool(json, "written", re->written);
}

/* Bring remaptab into line, and say what comes next. */
static int finish(struct rebinding *re)
{
	const struct rmeta_superblock *sb = &re->load.table.sb;
	u64 lost = re->rebind.pending_lost + re->rebind.fresh_lost;
	int status = STATUS_DONE;

	if (remaptab_follow(re->options->tab, sb->uuid, &re->identity, sb->uuid, &re->listed)) {
		report_warn("its line in remaptab is as it was; the same command tries that again");
		status = STATUS_LOOK;
	}
	if (!identity_on_record(sb))
		report_info("%s has nothing that it can be recognised by: it is found by what is on it, after a close, or has to be named",
			    re->main.shown);
	if (lost) {
		report_warn("%llu sectors are lost: reads of them fail until they are written; remap-recover --files names the files",
			    (unsigned long long)lost);
		status = STATUS_LOOK;
	}
	report_out("%s is the spare of %s now; the old main must not be used with it any more\n",
		   re->spare.shown, re->main.shown);
	return status;
}

static int run_on(struct rebinding *re)
{
	const struct rebind_options *options = re->options;
	int status;

	status = check_spare(re);
	if (!status)
		status = check_main(re);
	if (!status && re->bound)
		report_info("%s is the spare of %s already", re->spare.shown, re->main.shown);
	else if (!status)
		status = plan(re);
	if (status)
		return status;
	show(re);
	if (options->dry_run) {
		report_out("dry run: nothing was written\n");
		return STATUS_DONE;
	}
	if (!re->bound) {
		if (!confirm(options->yes, "Make %s the spare of %s", re->spare.shown,
			     re->main.shown))
			return STATUS_CANCELLED;
		stop_catch();
		status = write_spare(re);
		if (status)
			return status;
	}
	return finish(re);
}

static int run(void *opaque)
{
	struct rebinding re = { .options = opaque };
	int status;

	if (!re.options->mapfile == !re.options->complete)
		return options_misused(&tool, "what was copied has to be said: by --mapfile, or --complete");
	status = run_on(&re);
	write_json(&re);
	spare_unload(&re.load);
	rescue_map_free(&re.map);
	ranges_free(&re.missing);
	device_close(&re.main);
	device_close(&re.spare);
	return report_finish(status);
}

const struct verb setup_rebind = {
	.tool = &tool,
	.help = "make a spare that of a clone of its main",
	.options = &rebind_options,
	.run = run,
};
