// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-restore: put the table that a dump holds onto a spare.
 *
 * Decides what SPARE is: the spare that was dumped, unchanged since, gets its table back; anything
 * else becomes a new spare. What that means for each sector is restore_table.c's; the engine writes.
 */
#include "dump_file.h"
#include "escape.h"
#include "options.h"
#include "progress.h"
#include "restore.h"
#include "restore_table.h"
#include "signature.h"
#include "spare.h"
#include "undo.h"
#include "units.h"

#define RANGES_SHOWN 20

struct restore_options {
	struct common_options common;
	const char *input;
	const char *old;
	const char *main;
	bool keep_pending;
	bool accept_incomplete;
	bool force;
	bool large_spare;
	bool dry_run;
};

#define FIELD(member) offsetof(struct restore_options, member)

static const struct option_row rows[] = {
	{ .letter = 'i', .name = "input", .kind = OPTION_FILE, .field = FIELD(input),
	  .argument = "DUMP", .help = "JSON of remap-dump, .gz too; \"-\" is standard input" },
	{ .name = "data-from", .kind = OPTION_DEVICE, .field = FIELD(old), .argument = "OLDSPARE",
	  .help = "copy what slots hold from the spare that was dumped; only read" },
	{ .name = "main", .kind = OPTION_DEVICE, .field = FIELD(main), .argument = "DEV",
	  .help = "save from main what only main has of blocks that become lost; only read" },
	{ .name = "keep-pending", .kind = OPTION_FLAG, .field = FIELD(keep_pending),
	  .help = "nothing was written since the dump of a spare that was in use" },
	{ .name = "accept-incomplete", .kind = OPTION_FLAG, .field = FIELD(accept_incomplete),
	  .help = "take the dump of a damaged spare, which may lack entries" },
	{ .letter = 'f', .name = "force", .kind = OPTION_FLAG, .field = FIELD(force),
	  .help = "overwrite a filesystem, volume or partition table" },
	{ .name = "allow-large-spare", .kind = OPTION_FLAG, .field = FIELD(large_spare),
	  .help = "accept a spare as large as main or larger" },
	{ .letter = 'n', .name = "dry-run", .kind = OPTION_FLAG, .field = FIELD(dry_run),
	  .help = "check and show the plan, write nothing" },
};

static const struct tool tool = {
	.name = "remap-restore",
	.summary = "Put the table of a dump onto SPARE.",
	.usage = "-i DUMP.json[.gz] [--data-from OLDSPARE] [--main DEV] [-f] [-n] [-z FILE] SPARE",
	.details = "The spare that was dumped, unchanged since, gets its table back. Any other "
		   "device becomes a\nnew spare; a dump has no data, so what was in slots is lost "
		   "there without --data-from.",
	.example = "remap-restore -i attic.json.gz --data-from /dev/sdc1 /dev/sdd1",
	.operand = "SPARE",
	.operand_kind = OPTION_DEVICE,
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
	.undo = true,
};

/**
 * struct session - a restore
 * @file: the dump
 * @spare: open for writing
 * @old: open if --data-from was given
 * @main: open if --main was given
 * @judgement: of the spare
 * @old_judgement: of the old one
 * @own: the spare is the one that was dumped
 * @sources: for a new spare
 * @table: what it gets
 * @lost: sectors of main that nobody has then
 * @restore: for the engine
 * @done: it was written
 */
struct session {
	struct restore_options options;
	struct dump_file file;
	struct device spare;
	struct device old;
	struct device main;
	struct rmeta_judgement judgement;
	struct rmeta_judgement old_judgement;
	bool own;
	struct restore_sources sources;
	struct restore_table table;
	struct ranges lost;
	struct rmeta_restore restore;
	bool done;
};

static int check_options(const struct restore_options *options)
{
	if (!options->input)
		return options_misused(&tool, "-i DUMP is needed");
	if (options->keep_pending && options->old)
		return options_misused(&tool,
				       "--keep-pending is for when the old spare is gone; with --data-from it is asked itself");
	return -1;
}

static int read_dump(struct session *session)
{
	const struct restore_options *options = &session->options;
	struct dump_file *file = &session->file;
	int status = dump_file_read(file, options->input);

	if (status)
		return status;
	if (file->damaged && !options->accept_incomplete) {
		report_error("%s is the dump of a damaged spare and may lack entries: their blocks would be read from main, where they are old; --accept-incomplete takes it as it is",
			     file->shown);
		return STATUS_DAMAGED;
	}
	if (file->damaged)
		report_warn("%s may lack entries; blocks that it does not name are read from main",
			    file->shown);
	if (file->sb.feature_ro_compat) {
		report_error("%s is of a spare made by a newer version, with features unknown here; use its tools",
			     file->shown);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

/*
 * The spare that was dumped
 */

static void fill_from_file(void *ctx, u32 page, struct rmeta_entry *entries)
{
	const struct dump_file *file = ctx;
	slot_t first = page * RMETA_PAGE_ENTRIES;
	const struct rmeta_entry *from = file->entries.group[first / RMETA_GROUP_SLOTS];

	if (from)
		memcpy(entries, from + first % RMETA_GROUP_SLOTS,
		       RMETA_PAGE_ENTRIES * sizeof(*entries));
}

static struct rmeta_restore own_restore(struct session *session)
{
	return (struct rmeta_restore){
		.sb = session->file.sb,
		.geo = session->file.geo,
		.fill = fill_from_file,
		.ctx = &session->file,
	};
}

/* Is @dev the spare that was dumped? @judgement->match is set by the caller. */
static int judge(struct session *session, struct device *dev, struct rmeta_judgement *judgement)
{
	struct rmeta_restore restore = own_restore(session);

	judgement->device_sectors = dev->sectors;
	if (!rmeta_restore_judge(&rmeta_file_ops, &dev->host, &restore, judgement))
		return STATUS_DONE;
	report_error("out of memory");
	return STATUS_FAILED;
}

static bool holds_all(const struct rmeta_judgement *judgement)
{
	return !judgement->pages[RMETA_MATCH_LOST] && !judgement->pages[RMETA_MATCH_DIFFERS] &&
	       !judgement->behind;
}

static int check_signature(struct session *session, const struct rmeta_geometry *geo)
{
	char *foreign = signature_find(&session->spare, geo);
	int status = STATUS_DONE;

	if (!foreign)
		return STATUS_DONE;
	if (session->options.force) {
		report_info("%s holds a signature that --force overrides: %s", session->spare.shown,
			    foreign);
	} else {
		report_error("%s holds something else: %s; nothing was changed (--force overrides it)",
			     session->spare.shown, foreign);
		status = STATUS_FAILED;
	}
	free(foreign);
	return status;
}

/* What can be done with the spare that was dumped. Return: exit status, or -1 to write. */
static int plan_own(struct session *session)
{
	const struct rmeta_judgement *judgement = &session->judgement;
	const char *name = session->spare.shown;
	int status;

	report_out("spare       %s, the one that was dumped\n", name);
	report_out("entries     %u, of them %u retired\n", session->file.nr_entries,
		   session->file.counts.retired);
	if (session->options.old) {
		report_error("%s is the spare that was dumped: its slots hold the data; leave --data-from out",
			     name);
		return STATUS_FAILED;
	}
	if (!judgement->unchanged && !holds_all(judgement)) {
		report_error("%s has changed since the dump was taken: of %u table pages %u differ from it, %u are lost%s; what it says now is newer. remap-check -n %s shows what can be repaired",
			     name, session->file.sb.pages_used,
			     judgement->pages[RMETA_MATCH_DIFFERS],
			     judgement->pages[RMETA_MATCH_LOST],
			     judgement->behind ? ", and there are entries behind them" : "", name);
		return STATUS_FAILED;
	}
	status = check_signature(session, &session->file.geo);
	if (status)
		return status;
	if (holds_all(judgement) && (!judgement->damaged ||
				     (judgement->has_super && !judgement->unchanged))) {
		if (!session->options.dry_run)
			undo_nothing(&session->spare);
		report_info("%s holds all of the dump already; nothing was written%s%s", name,
			    judgement->damaged ? "; damaged copies are for remap-check -p " : "",
			    judgement->damaged ? name : "");
		return judgement->damaged ? STATUS_LOOK : STATUS_DONE;
	}
	report_out("pages       %u: %u as in the dump, %u lost, %u older\n",
		   session->file.sb.pages_used, judgement->pages[RMETA_MATCH_SAME],
		   judgement->pages[RMETA_MATCH_LOST], judgement->pages[RMETA_MATCH_DIFFERS]);
	if (!judgement->has_super)
		report_out("superblock  none is left; it is written from the dump\n");
	return -1;
}

static int write_own(struct session *session)
{
	int r;

	session->restore = own_restore(session);
	r = rmeta_restore_own(&rmeta_file_ops, &session->spare.host, &session->restore,
			      &session->judgement);
	if (!r)
		return STATUS_DONE;
	report_error("%s could not be restored: %s; it is no worse than before, and this can be run again",
		     session->spare.shown, strerror(-r));
	return STATUS_FAILED;
}

/*
 * Another device
 */

/* May what is on the device be overwritten? */
static int check_contents(struct session *session)
{
	const char *name = session->spare.shown;
	struct spare_survey survey;
	int status = STATUS_FAILED;

	if (spare_survey(&survey, &session->spare))
		return STATUS_FAILED;
	if (survey.kind == SPARE_REMAPS)
		report_error("%s is another spare of dm-remap, %s%s%s, and holds %u remap%s; it is not overwritten, not even with --force",
			     name, *survey.label ? "labelled \"" : "without a label",
			     survey.label, *survey.label ? "\"" : "", survey.remaps,
			     units_s(survey.remaps));
	else if (survey.kind == SPARE_BROKEN)
		report_error("%s is a damaged dm-remap spare that may hold remaps; it is not overwritten (see remap-check -n %s)",
			     name, name);
	else
		status = STATUS_DONE;
	free(survey.label);
	return status ? status : check_signature(session, NULL);
}

static bool is_main(const struct session *session)
{
	const struct rmeta_superblock *sb = &session->file.sb;
	struct identity identity;

	identity_get(&session->spare, &identity);
	return *identity.id && !strcmp(identity.id, sb->main_id) &&
	       identity.start_sectors == sb->main_start &&
	       session->spare.sectors == sb->main_sectors;
}

static int check_size(struct session *session)
{
	const struct rmeta_geometry *geo = &session->restore.geo;
	const char *name = session->spare.shown;
	char size[UNITS_TEXT], other[UNITS_TEXT];
	u32 block_bytes = 512U << session->file.sb.block_shift;
	int r;

	if (is_main(session)) {
		report_error("%s is main itself, by its disk's id; the spare is another device",
			     name);
		return STATUS_FAILED;
	}
	if (block_bytes < session->spare.logical_bytes) {
		report_error("%s has logical blocks of %u bytes; the remap unit of the dump is %u bytes",
			     name, session->spare.logical_bytes, block_bytes);
		return STATUS_FAILED;
	}
	units_size(session->spare.sectors * 512, size);
	r = rmeta_geometry_init(&session->restore.geo, session->spare.sectors,
				session->file.sb.main_sectors, session->file.sb.block_shift);
	if (r) {
		report_error("%s is too small to be a spare: %s; at least %s is needed", name,
			     size, units_size(RMETA_MIN_SPARE_SECTORS * 512, other));
		return STATUS_FAILED;
	}
	if (session->table.nr > rmeta_slots(geo)) {
		report_error("%s is too small: %s have %u slots of %u bytes, and the dump needs %u; nothing was changed",
			     name, size, rmeta_slots(geo), block_bytes, session->table.nr);
		return STATUS_FAILED;
	}
	units_size(session->file.sb.main_sectors * 512, other);
	if (session->spare.sectors >= session->file.sb.main_sectors &&
	    !session->options.large_spare) {
		report_error("the spare %s (%s) is not smaller than main (%s): is it main? (--allow-large-spare if not)",
			     name, size, other);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

static int open_old(struct session *session)
{
	struct rmeta_judgement *judgement = &session->old_judgement;
	const char *name;
	int status;

	if (device_open(&session->old, session->options.old, DEVICE_READ, "old spare"))
		return STATUS_FAILED;
	name = session->old.shown;
	if (device_is_at(&session->spare, session->options.old)) {
		report_error("%s is named both as new and as old spare", name);
		return STATUS_FAILED;
	}
	device_warn_used(&session->old);
	judgement->match = report_alloc(session->file.sb.pages_used + 1U);
	status = judge(session, &session->old, judgement);
	if (status)
		return status;
	if (!judgement->is_own) {
		report_error("%s is not the spare that was dumped", name);
		return STATUS_FAILED;
	}
	if (!judgement->unchanged &&
	    (judgement->pages[RMETA_MATCH_DIFFERS] || judgement->behind)) {
		report_error("%s has changed since the dump was taken: take a new dump of it, with remap-dump",
			     name);
		return STATUS_FAILED;
	}
	if (!judgement->unchanged && judgement->pages[RMETA_MATCH_LOST])
		report_warn("%s: %u of %u table pages are lost, and nothing proves that the dump is still right about them: all of their blocks become lost",
			    name, judgement->pages[RMETA_MATCH_LOST], session->file.sb.pages_used);
	session->sources.old = &session->old;
	session->sources.match = judgement->match;
	session->sources.unchanged = judgement->unchanged;
	return STATUS_DONE;
}

static int open_main(struct session *session)
{
	const char *name;

	if (device_open(&session->main, session->options.main, DEVICE_READ, "main"))
		return STATUS_FAILED;
	name = session->main.shown;
	device_warn_used(&session->main);
	if (device_is_at(&session->spare, session->options.main) ||
	    (session->options.old && device_is_at(&session->old, session->options.main))) {
		report_error("%s is named both as main and as spare", name);
		return STATUS_FAILED;
	}
	if (session->main.sectors < session->file.sb.main_sectors) {
		report_error("main %s has %llu sectors, but the dump is of a spare for a main of %llu sectors",
			     name, (unsigned long long)session->main.sectors,
			     (unsigned long long)session->file.sb.main_sectors);
		return STATUS_FAILED;
	}
	session->sources.main = &session->main;
	return STATUS_DONE;
}

/* The table as it will be; with @spare, slots are filled. */
static int make_table(struct session *session, const struct device *spare)
{
	int r;

	restore_table_free(&session->table);
	r = restore_table_make(&session->table, &session->file);
	if (!r)
		r = restore_table_fill(&session->table, &session->file, &session->sources, spare,
				       &session->restore.geo);
	if (r == -ENOMEM)
		report_error("out of memory");
	return r;
}

static void warn_of_age(const struct session *session)
{
	const struct dump_file *file = &session->file;
	char when[UNITS_TEXT];

	if (session->options.old)
		return;
	if (file->sb.state & RMETA_IN_USE)
		report_warn("the dump was taken while the spare was in use%s: blocks that were remapped since are read from main, where they are old",
			    session->options.keep_pending ? "" :
			    ", so that what main has of pending sectors may be old, and they become lost (--keep-pending if nothing was written since)");
	else
		report_info("the dump is right only if the spare was not used after it (it was last activated %s): what was remapped since is read from main",
			    units_time(file->sb.activated, when));
}

/* Everything that can be refused before anything is written. Return: exit status, or -1. */
static int plan_new(struct session *session)
{
	const struct restore_table *table = &session->table;
	const struct rmeta_superblock *sb = &session->file.sb;
	char size[UNITS_TEXT], *label;
	int status;

	session->sources.keep_pending = session->options.keep_pending;
	status = check_contents(session);
	if (!status && restore_table_make(&session->table, &session->file))
		report_out_of_memory();
	if (!status)
		status = check_size(session);
	if (!status && session->options.old)
		status = open_old(session);
	if (!status && session->options.main)
		status = open_main(session);
	if (!status && make_table(session, NULL))
		status = STATUS_FAILED;
	if (status)
		return status;
	warn_of_age(session);
	label = escape_text(sb->label, strlen(sb->label));
	report_out("spare       %s, %s, becomes a new one\n", session->spare.shown,
		   units_size(session->spare.sectors * 512, size));
	report_out("label       %s\n", label);
	report_out("slots       %u, of which %u will be in use\n", rmeta_slots(&session->restore.geo),
		   table->nr);
	if (table->retired)
		report_out("retired     %u slots of the old spare are left out\n", table->retired);
	if (session->options.old)
		report_out("data        %llu sectors to copy from %s\n",
			   (unsigned long long)table->copied_sectors, session->old.shown);
	free(label);
	return -1;
}

static int fill_slots(void *ctx)
{
	struct session *session = ctx;

	if (!session->sources.old && !session->sources.main)
		return 0;
	return make_table(session, &session->spare);
}

static void fill_from_table(void *ctx, u32 page, struct rmeta_entry *entries)
{
	const struct session *session = ctx;
	u64 first = (u64)page * RMETA_PAGE_ENTRIES;

	if (first < session->table.nr)
		memcpy(entries, session->table.entries + first,
		       min((u64)RMETA_PAGE_ENTRIES, session->table.nr - first) *
		       sizeof(*entries));
}

static int write_new(struct session *session)
{
	struct rmeta_restore *restore = &session->restore;
	const struct rmeta_superblock *old = &session->file.sb;
	int r;

	if (session->options.force && signature_wipe(&session->spare))
		return STATUS_FAILED;
	restore->sb = (struct rmeta_superblock){
		.created = rmeta_file_ops.now(NULL),
		.main_start = old->main_start,
		.feature_compat = old->feature_compat,
	};
	memcpy(restore->sb.main_partuuid, old->main_partuuid, sizeof(old->main_partuuid));
	memcpy(restore->sb.main_id, old->main_id, sizeof(old->main_id));
	memcpy(restore->sb.label, old->label, sizeof(old->label));
	spare_new_uuid(restore->sb.uuid);
	restore->nr_slots = session->table.nr;
	restore->fill = fill_from_table;
	restore->erased = fill_slots;
	restore->ctx = session;
	r = rmeta_restore_new(&rmeta_file_ops, &session->spare.host, restore);
	if (!r)
		return STATUS_DONE;
	report_error("%s could not be restored: %s; it is no spare now, and can be restored or formatted again%s",
		     session->spare.shown, strerror(-r), r == -EIO ?
		     " (all five superblocks and two copies of each page must be writable; try another device)" :
		     "");
	return STATUS_FAILED;
}

/*
 * Telling
 */

/* What became of the sectors. The dump is not needed any more. */
static void find_lost(struct session *session)
{
	dump_file_drop_entries(&session->file);
	if (restore_table_lost(&session->table, &session->restore.geo, &session->lost))
		report_out_of_memory();
}

static void show_lost(const struct session *session)
{
	const struct restore_table *table = &session->table;
	const struct ranges *lost = &session->lost;
	size_t i, shown = report_is_verbose() ? lost->nr : min(lost->nr, (size_t)RANGES_SHOWN);

	report_out("pending     %llu sectors, which only main has\n",
		   (unsigned long long)table->counts.pending_sectors);
	if (table->copied_sectors || table->saved_sectors)
		report_out("copied      %llu sectors from the old spare, %llu from main\n",
			   (unsigned long long)table->copied_sectors,
			   (unsigned long long)table->saved_sectors);
	report_out("lost        %llu sectors of main in %u blocks; %llu were before\n",
		   (unsigned long long)table->counts.lost_sectors, table->counts.lost,
		   (unsigned long long)table->lost_before);
	for (i = 0; i < shown; i++)
		report_out("              %llu to %llu\n", (unsigned long long)lost->range[i].first,
			   (unsigned long long)lost->range[i].end - 1);
	if (shown < lost->nr)
		report_out("              and %zu more ranges (-v lists them)\n", lost->nr - shown);
	if (table->pending_lost)
		report_info("%llu of the lost sectors were on main only, and may be there still: their blocks have other lost sectors (--main DEV saves them)",
			    (unsigned long long)table->pending_lost);
}

static void write_json(const struct session *session)
{
	const struct restore_table *table = &session->table;
	const struct rmeta_counts *counts = session->own ? &session->file.counts : &table->counts;
	struct json *json = report_json();
	char uuid[40];
	size_t i;

	if (!json)
		return;
	json_key_text(json, "spare", session->spare.path);
	json_key_text(json, "dump", session->options.input);
	json_key_bool(json, "own", session->own);
	json_key_text(json, "uuid", session->own || session->done ?
		      units_uuid(session->restore.sb.uuid, uuid) : NULL);
	json_key_text(json, "label", session->file.sb.label);
	json_key_number(json, "mapped", counts->mapped);
	json_key_number(json, "pending_sectors", counts->pending_sectors);
	json_key_number(json, "lost", counts->lost);
	json_key_number(json, "lost_sectors", counts->lost_sectors);
	json_key_number(json, "retired", session->own ? counts->retired : 0);
	json_key_number(json, "retired_left_out", table->retired);
	json_key_number(json, "copied_sectors", table->copied_sectors);
	json_key_number(json, "saved_sectors", table->saved_sectors);
	json_key(json, "lost_ranges");
	json_array(json);
	for (i = 0; i < session->lost.nr; i++) {
		json_map(json);
		json_key_number(json, "main_sector", session->lost.range[i].first);
		json_key_number(json, "sectors", session->lost.range[i].end -
				session->lost.range[i].first);
		json_map_end(json);
	}
	json_array_end(json);
	json_key_bool(json, "dry_run", session->options.dry_run);
	json_key_bool(json, "written", session->done);
}

static int run(struct session *session)
{
	int status = read_dump(session);

	if (!status && device_open(&session->spare, session->options.common.operand, DEVICE_WRITE,
				   "spare"))
		status = STATUS_FAILED;
	if (!status)
		status = judge(session, &session->spare, &session->judgement);
	if (status)
		return status;
	session->own = session->judgement.is_own;
	session->restore.sb = session->file.sb;
	status = session->own ? plan_own(session) : plan_new(session);
	if (status >= 0)
		return status;
	if (session->options.dry_run) {
		if (!session->own) {
			find_lost(session);
			show_lost(session);
		}
		report_out("dry run: nothing was written\n");
		write_json(session);
		return STATUS_DONE;
	}
	status = session->own ? write_own(session) : write_new(session);
	session->done = !status;
	if (session->done && !session->own) {
		find_lost(session);
		show_lost(session);
	}
	write_json(session);
	if (status)
		return status;
	if (session->restore.bad_copies)
		report_warn("%s: %u copies of superblock and pages could not be written",
			    session->spare.shown, session->restore.bad_copies);
	return session->restore.bad_copies || session->table.counts.lost_sectors ? STATUS_LOOK :
										   STATUS_DONE;
}

int main(int argc, char **argv)
{
	struct session session = { .options.keep_pending = false };
	int status;

	status = options_parse(&tool, &session.options, argc, argv);
	if (status >= 0)
		return status;
	status = check_options(&session.options);
	if (status >= 0)
		return status;
	status = run(&session);
	progress_end();
	restore_table_free(&session.table);
	ranges_free(&session.lost);
	dump_file_free(&session.file);
	free(session.old_judgement.match);
	device_close(&session.main);
	device_close(&session.old);
	device_close(&session.spare);
	return report_finish(status);
}
