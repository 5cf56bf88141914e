// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another device than the one that was dumped: it becomes a new spare, with what the dump, the old
 * spare and main have. See restore_session.h.
 */
#include "clone_map.h"
#include "escape.h"
#include "report.h"
#include "restore_session.h"
#include "signature.h"
#include "spare.h"
#include "stop.h"
#include "units.h"

/* May what is on the device be overwritten? */
static int check_contents(struct restore_session *session)
{
	const char *name = session->spare.shown;
	struct spare_survey survey;
	int status = STATUS_FAILED;

	if (session->half_made)
		return restore_check_signature(session, NULL);
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
	return status ? status : restore_check_signature(session, NULL);
}

static bool is_main(const struct restore_session *session)
{
	const struct rmeta_superblock *sb = &session->file.sb;
	struct identity identity;

	identity_get(&session->spare, &identity);
	return *identity.id && !strcmp(identity.id, sb->main_id) &&
	       identity.start_sectors == sb->main_start &&
	       session->spare.sectors == sb->main_sectors;
}

static int check_size(struct restore_session *session)
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

static int open_old(struct restore_session *session)
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
	status = restore_judge(session, &session->old, judgement);
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
	if (session->options.old_map &&
	    clone_map_take(&session->old, &session->old_absent, session->options.old_map,
			   session->file.sb.spare_sectors, "the old spare"))
		return STATUS_FAILED;
	session->sources.old = &session->old;
	session->sources.match = judgement->match;
	session->sources.unchanged = judgement->unchanged;
	return STATUS_DONE;
}

static int open_main(struct restore_session *session)
{
	const char *name;

	if (device_open(&session->main, session->options.main, DEVICE_READ, "main"))
		return STATUS_FAILED;
	name = session->main.shown;
	if (!session->live)
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
	if (session->options.main_map &&
	    clone_map_take(&session->main, &session->main_absent, session->options.main_map,
			   session->file.sb.main_sectors, "main"))
		return STATUS_FAILED;
	session->sources.main = &session->main;
	return STATUS_DONE;
}

/* The table as it will be; with @spare, slots are filled. */
static int make_table(struct restore_session *session, const struct device *spare)
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

static void warn_of_age(const struct restore_session *session)
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

int restore_plan_new(struct restore_session *session)
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
	if (!status && session->options.old && !session->sources.old)
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
	struct restore_session *session = ctx;

	if (!session->sources.old && !session->sources.main)
		return 0;
	return make_table(session, &session->spare);
}

static void fill_from_table(void *ctx, u32 page, struct rmeta_entry *entries)
{
	const struct restore_session *session = ctx;
	u64 first = (u64)page * RMETA_PAGE_ENTRIES;

	if (first < session->table.nr)
		memcpy(entries, session->table.entries + first,
		       min((u64)RMETA_PAGE_ENTRIES, session->table.nr - first) *
		       sizeof(*entries));
}

int restore_write_new(struct restore_session *session)
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
	if (restore->replaces)
		report_error("%s could not be made the new spare: %s; the same command goes on, with the old spare instead of the name of a device",
			     session->spare.shown,
			     stop_requested() ? "interrupted" : strerror(-r));
	else
		report_error("%s could not be restored: %s; it is no spare now, and can be restored or formatted again%s",
			     session->spare.shown, strerror(-r), r == -EIO ?
			     " (all five superblocks and two copies of each page must be writable; try another device)" :
			     "");
	return STATUS_FAILED;
}
