// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another spare for a device whose own is gone. See replace_dead.h.
 *
 * The old spare is not written to: nobody reaches it, and what is in its slots may be had back some day.
 * What a cut leaves is a device that is down, and
 *
 *	the new spare		remaptab	the same command
 *	no spare		the old one	begins anew
 *	whole			the old one	is refused, for that is another spare; says how that is opened
 *	whole			the new one	is refused, for the backup is of another one; says the same
 *
 * Nothing on a spare tells what it was made for, so that it goes on by itself in no case.
 */
#include "backup_dir.h"
#include "closed.h"
#include "command.h"
#include "confirm.h"
#include "dead_spare.h"
#include "other_spares.h"
#include "remaptab_follow.h"
#include "report.h"
#include "restore_show.h"
#include "run_lock.h"
#include "stop.h"
#include "units.h"

static char *again(const struct dead *dead)
{
	const struct replace_dead_options *options = dead->options;
	const struct live_swap *swap = &dead->swap;
	char *command = command_make("remap-setup replace-spare");

	command = command_value(command, "--from-backup", options->backup, NULL);
	command = command_value(command, "--main", swap->is_live ? swap->live.main : options->main,
				NULL);
	command = dead_with_options(command, options);
	command = command_value(command, "-d", options->dir, BACKUP_DIR);
	command = command_value(command, "-T", options->tab, REMAPTAB_PATH);
	command = command_word(command, swap->is_live ? swap->live.dev.name : options->name);
	return command_word(command, options->spare);
}

/*
 * The new spare
 */

/*
 * What is refused as somebody's spare is as an earlier run leaves it that was cut short before remaptab
 * followed: for the same main, and never active.
 */
static void say_made(const struct dead *dead, const struct rmeta_superblock *made)
{
	const struct rmeta_superblock *sb = &dead->session.file.sb;
	struct assembly_options options;
	char *open, *enable, *disable = NULL;

	if (made->activated || made->main_sectors != sb->main_sectors ||
	    made->main_start != sb->main_start || strcmp(made->main_id, sb->main_id) ||
	    memcmp(made->main_partuuid, sb->main_partuuid, sizeof(sb->main_partuuid)) ||
	    strcmp(made->label, sb->label))
		return;
	options = dead_as_asked(dead);
	open = assembly_command(&options, NULL);
	enable = command_value(command_make("remap-setup enable"), "-T", dead->options->tab,
			       REMAPTAB_PATH);
	enable = command_word(enable, dead->options->name);
	if (dead->line)
		disable = remaptab_disable_command(dead->options->tab, dead->line->name);
	report_error("if this command made it, and was cut short: %s brings the device up, and %s%s%s puts it into remaptab",
		     open, disable ?: "", disable ? ", then " : "", enable);
	free(disable);
	free(enable);
	free(open);
}

static int plan(struct dead *dead)
{
	struct restore_session *session = &dead->session;
	struct rmeta_superblock made;
	struct rmeta_geometry geo;
	int status;

	if (device_open(&session->spare, dead->options->spare, DEVICE_WRITE, "new spare"))
		return STATUS_FAILED;
	if (!session->spare.is_block) {
		report_error("%s is an image file; losetup -f --show %s makes a block device of it",
			     session->spare.shown, session->spare.shown);
		return STATUS_FAILED;
	}
	status = spare_refuse_marked(&session->spare);
	if (!status)
		status = restore_judge(session, &session->spare, &session->judgement);
	if (!status && session->judgement.is_own) {
		report_error("%s is the spare that %s is of: remap-restore -i puts its table back; nothing was changed",
			     session->spare.shown, session->file.shown);
		status = STATUS_FAILED;
	}
	if (status)
		return status;
	session->restore.sb = session->file.sb;
	session->options.main = dead->main;
	session->live = dead->swap.is_live;
	status = restore_plan_new(session);
	if (status == STATUS_FAILED && spare_superblock(&made, &geo, &session->spare))
		say_made(dead, &made);
	return status;
}

static int bring_up(struct dead *dead)
{
	struct assembly assembly = { .options = dead_as_asked(dead) };
	const u8 *uuid = dead->session.restore.sb.uuid;
	char dm_uuid[BLOCKDEV_DM_UUID], *command;
	int status;

	if (dead->swap.is_live)
		return live_swap_up(&dead->swap, dead->options->spare, uuid);
	status = assembly_examine(&assembly, &dead->list);
	if (!status)
		status = assembly_start(&assembly);
	if (!status)
		report_out("/dev/mapper/%s is up: main %s, spare %s\n", assembly.name,
			   assembly.main.shown, assembly.spare.shown);
	if (status) {
		closed_forget(blockdev_dm_uuid(uuid, dm_uuid));
		command = assembly_command(&assembly.options, NULL);
		report_error("the new spare is whole, but its device is down; to bring it up: %s",
			     command);
		free(command);
	}
	assembly_end(&assembly);
	return status;
}

static int tell(struct dead *dead)
{
	const struct restore_table *table = &dead->session.table;
	u64 lost = table->counts.lost_sectors - table->lost_before;
	char uuid[40], old[40], dm_uuid[BLOCKDEV_DM_UUID];
	int status = STATUS_DONE;

	restore_show_lost(&dead->session);
	/* Once it is listed an event of a disk could be first; it comes up below. */
	closed_mark(blockdev_dm_uuid(dead->session.restore.sb.uuid, dm_uuid), dead->session.spare.path);
	if (remaptab_follow(dead->options->tab, dead->session.file.sb.uuid, NULL,
			    dead->session.restore.sb.uuid, &dead->listed)) {
		report_warn("the line of the old spare in remaptab is as it was: put the new uuid there, or, when the device is up, use remap-setup disable and then enable");
		status = STATUS_LOOK;
	}
	report_out("%s is the spare now, uuid %s\n", dead->session.spare.shown,
		   units_uuid(dead->session.restore.sb.uuid, uuid));
	report_warn("should the old spare (uuid %s) come back, keep it away from main: it would give old data as good",
		    units_uuid(dead->session.file.sb.uuid, old));
	if (!lost)
		return status;
	report_warn("%llu sector%s lost: reads of %s fail until %s written; remap-recover --files names the files",
		    (unsigned long long)lost, lost == 1 ? " is" : "s are", lost == 1 ? "it" : "them",
		    lost == 1 ? "it is" : "they are");
	return STATUS_LOOK;
}

/* Will it come up by the command that is given again as it was up before? */
static bool is_as_listed(const struct dead *dead)
{
	const struct live_swap *swap = &dead->swap;
	const struct remaptab_entry *line = dead->line;

	if (!line)
		return !swap->nr_words && !swap->live.dev.read_only;
	return !strcmp(line->options.nr_features ? line->options.features : "", swap->words) &&
	       line->options.read_only == swap->live.dev.read_only;
}

/* There is no spare for now, so nothing can be brought up. */
static void say_down(const struct dead *dead)
{
	const struct live_swap *live = &dead->swap;
	char *go_on = again(dead), *open;

	report_error("%s is down: %s makes the spare, and brings it up",
		     live->is_live ? live->live.dev.shown : dead->options->name, go_on);
	free(go_on);
	if (!live->is_live || is_as_listed(dead))
		return;
	open = live_swap_command(live, dead->options->spare);
	report_error("the options that it had are not in remaptab; to have them again: remap-setup close %s then, and %s",
		     live->live.dev.shown, open);
	free(open);
}

/* What may have come meanwhile: somebody was asked, and another scan may have been waited for. */
static int look_again(struct dead *dead)
{
	int status;

	blockdev_list_free(&dead->list);
	if (blockdev_list(&dead->list))
		return STATUS_FAILED;
	status = dead_refuse_readable(dead);
	if (!status && !dead->swap.is_live)
		status = assembly_refuse_used(&dead->session.main, "main", "");
	return status;
}

static int exchange(struct dead *dead)
{
	int status, up;

	status = look_again(dead);
	if (!status)
		status = live_swap_down(&dead->swap);
	if (status)
		return status;
	stop_catch();
	status = restore_write_new(&dead->session);
	dead->written = !status;
	if (!status) {
		if (restore_table_lost(&dead->session.table, &dead->session.restore.geo,
				       &dead->session.lost))
			report_out_of_memory();
		status = tell(dead);
	}
	device_close(&dead->session.main);
	device_close(&dead->session.spare);
	if (!dead->written) {
		say_down(dead);
		return status;
	}
	up = bring_up(dead);
	return max(status, up);
}

/*
 * The old spare cannot be marked as one that is to stay down. Where it comes back just now a scan would bring
 * it up with main: none does anything until this one is done.
 */
static int carry_out(struct dead *dead)
{
	int lock = run_lock();
	int status = exchange(dead);

	run_unlock(lock);
	return status;
}

static int run_on(struct dead *dead)
{
	const struct replace_dead_options *options = dead->options;
	struct restore_session *session = &dead->session;
	struct identity identity;
	int status;

	session->options = (struct restore_options){
		.input = options->backup,
		.keep_pending = options->keep_pending,
		.accept_incomplete = options->accept_incomplete,
		.force = options->force,
		.large_spare = options->large_spare,
		.dry_run = options->dry_run,
	};
	status = restore_read(session);
	if (!status && blockdev_list(&dead->list))
		status = STATUS_FAILED;
	if (!status)
		status = dead_find(dead);
	if (status)
		return status;
	status = plan(dead);
	if (status >= 0)
		return status;
	identity_get(&session->main, &identity);
	status = dead_check_main(dead, &identity);
	if (!status)
		status = listed_spare_refuse(&session->main, &identity, session->file.sb.uuid,
					     options->tab);
	if (!status)
		status = other_spares_refuse(&session->main, &identity, session->spare.stat.st_rdev,
					     session->file.sb.uuid, options->tab);
	if (status)
		return status;
	if (options->dry_run) {
		if (restore_table_lost(&session->table, &session->restore.geo, &session->lost))
			report_out_of_memory();
		restore_show_lost(session);
		report_out("dry run: nothing was written\n");
		return STATUS_DONE;
	}
	if (!confirm(options->yes, "Destroy what is on %s, and make it the spare of %s",
		     session->spare.shown, options->name))
		return STATUS_CANCELLED;
	return carry_out(dead);
}

static void write_json(const struct dead *dead)
{
	const struct restore_session *session = &dead->session;
	const struct restore_table *table = &session->table;
	struct json *json = report_json();
	char uuid[40];

	if (!json)
		return;
	json_key_text(json, "name", dead->options->name);
	json_key_text(json, "backup", dead->options->backup);
	json_key_text(json, "spare", dead->options->spare);
	json_key_text(json, "old_uuid", units_uuid(session->file.sb.uuid, uuid));
	json_key_text(json, "uuid", dead->written ? units_uuid(session->restore.sb.uuid, uuid) : NULL);
	json_key_number(json, "mapped", table->counts.mapped);
	json_key_number(json, "pending_sectors", table->counts.pending_sectors);
	json_key_number(json, "lost", table->counts.lost);
	json_key_number(json, "lost_sectors", table->counts.lost_sectors);
	json_key_number(json, "lost_before_sectors", table->lost_before);
	json_key_number(json, "saved_sectors", table->saved_sectors);
	json_key_number(json, "retired_left_out", table->retired);
	json_key_bool(json, "listed", dead->listed);
	json_key_bool(json, "dry_run", dead->options->dry_run);
	json_key_bool(json, "written", dead->written);
}

int replace_dead(const struct replace_dead_options *options)
{
	struct dead dead = { .options = options };
	int status = run_on(&dead);

	write_json(&dead);
	restore_table_free(&dead.session.table);
	ranges_free(&dead.session.lost);
	dump_file_free(&dead.session.file);
	device_close(&dead.session.main);
	device_close(&dead.session.spare);
	live_swap_free(&dead.swap);
	remaptab_free(&dead.tab);
	blockdev_list_free(&dead.list);
	return status;
}
