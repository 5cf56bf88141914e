// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-restore: put the table that a dump holds onto a spare.
 *
 * Decides what SPARE is: the spare that was dumped, unchanged since, gets its table back; anything
 * else becomes a new spare: restore_own.c and restore_new.c. What that means for each sector is
 * restore_table.c's; the engine writes.
 */
#include "progress.h"
#include "report.h"
#include "restore_show.h"
#include "spare.h"
#include "units.h"

#define FIELD(member) offsetof(struct restore_options, member)

static const struct option_row rows[] = {
	{ .letter = 'i', .name = "input", .kind = OPTION_FILE, .field = FIELD(input),
	  .argument = "DUMP", .help = "JSON of remap-dump, .gz too; \"-\" is standard input" },
	{ .name = "data-from", .kind = OPTION_DEVICE, .field = FIELD(old), .argument = "OLDSPARE",
	  .help = "copy what slots hold from the spare that was dumped; only read" },
	{ .name = "main", .kind = OPTION_DEVICE, .field = FIELD(main), .argument = "DEV",
	  .help = "save from main what only main has of blocks that become lost; only read" },
	{ .name = "data-map", .kind = OPTION_FILE, .field = FIELD(old_map), .argument = "FILE",
	  .help = "OLDSPARE is a copy by ddrescue, and this its mapfile: what it lacks is lost" },
	{ .name = "main-map", .kind = OPTION_FILE, .field = FIELD(main_map), .argument = "FILE",
	  .help = "likewise of --main" },
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

static int check_options(const struct restore_options *options)
{
	if (!options->input)
		return options_misused(&tool, "-i DUMP is needed");
	if (options->keep_pending && options->old)
		return options_misused(&tool,
				       "--keep-pending is for when the old spare is gone; with --data-from it is asked itself");
	if (options->old_map && !options->old)
		return options_misused(&tool, "--data-map goes with --data-from only");
	if (options->main_map && !options->main)
		return options_misused(&tool, "--main-map goes with --main only");
	return -1;
}

/*
 * Telling
 */

/* What became of the sectors. The dump is not needed any more. */
static void find_lost(struct restore_session *session)
{
	dump_file_drop_entries(&session->file);
	if (restore_table_lost(&session->table, &session->restore.geo, &session->lost))
		report_out_of_memory();
}

static void write_json(const struct restore_session *session)
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

static int run(struct restore_session *session)
{
	int status = restore_read(session);

	if (!status && device_open(&session->spare, session->options.common.operand, DEVICE_WRITE,
				   "spare"))
		status = STATUS_FAILED;
	if (!status && spare_refuse_marked(&session->spare))
		status = STATUS_FAILED;
	if (!status)
		status = restore_judge(session, &session->spare, &session->judgement);
	if (status)
		return status;
	session->own = session->judgement.is_own;
	session->restore.sb = session->file.sb;
	status = session->own ? restore_plan_own(session) : restore_plan_new(session);
	if (status >= 0)
		return status;
	if (session->options.dry_run) {
		if (!session->own) {
			find_lost(session);
			restore_show_lost(session);
		}
		report_out("dry run: nothing was written\n");
		write_json(session);
		return STATUS_DONE;
	}
	status = session->own ? restore_write_own(session) : restore_write_new(session);
	session->done = !status;
	if (session->done && !session->own) {
		find_lost(session);
		restore_show_lost(session);
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
	struct restore_session session = { .options.keep_pending = false };
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
	ranges_free(&session.main_absent);
	ranges_free(&session.old_absent);
	dump_file_free(&session.file);
	free(session.old_judgement.match);
	device_close(&session.main);
	device_close(&session.old);
	device_close(&session.spare);
	return report_finish(status);
}
