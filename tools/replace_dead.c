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
#include "assembly.h"
#include "backup_dir.h"
#include "closed.h"
#include "command.h"
#include "confirm.h"
#include "escape.h"
#include "find_main.h"
#include "find_spare.h"
#include "live_swap.h"
#include "newest_backup.h"
#include "other_spares.h"
#include "remaptab_follow.h"
#include "replace_dead.h"
#include "report.h"
#include "restore_session.h"
#include "restore_show.h"
#include "run_lock.h"
#include "stop.h"
#include "units.h"

/**
 * struct dead - a device whose spare is gone
 * @session: the restore that it is
 * @options: what is asked for
 * @swap: the device, if it is live
 * @list: block devices
 * @tab: remaptab
 * @line: of the name, or NULL
 * @main: where main is
 * @found: main, if it was looked for
 * @listed: remaptab has a line for the old spare
 * @written: done
 */
struct dead {
	struct restore_session session;
	const struct replace_dead_options *options;
	struct live_swap swap;
	struct blockdev_list list;
	struct remaptab tab;
	const struct remaptab_entry *line;
	const char *main;
	struct blockdev found;
	bool listed;
	bool written;
};

/* What the user had said, of which remap-restore has the same options. */
static char *with_options(char *command, const struct replace_dead_options *options)
{
	command = command_flag(command, options->keep_pending, "--keep-pending");
	command = command_flag(command, options->accept_incomplete, "--accept-incomplete");
	command = command_flag(command, options->force, "-f");
	return command_flag(command, options->large_spare, "--allow-large-spare");
}

static char *again(const struct dead *dead)
{
	const struct replace_dead_options *options = dead->options;
	const struct live_swap *swap = &dead->swap;
	char *command = command_make("remap-setup replace-spare");

	command = command_value(command, "--from-backup", options->backup, NULL);
	command = command_value(command, "--main", swap->is_live ? swap->live.main : options->main,
				NULL);
	command = with_options(command, options);
	command = command_value(command, "-d", options->dir, BACKUP_DIR);
	command = command_value(command, "-T", options->tab, REMAPTAB_PATH);
	command = command_word(command, swap->is_live ? swap->live.dev.name : options->name);
	return command_word(command, options->spare);
}

/*
 * Which device, and is the backup that of its spare?
 */

/* Another file is newer: by the state of the spare in it, or by its time, of this one when it was last written. */
static void warn_older(const struct dead *dead)
{
	const struct replace_dead_options *options = dead->options;
	const struct dump_file *file = &dead->session.file;
	char ours[UNITS_TEXT], theirs[UNITS_TEXT], *path;
	struct newest_backup newest;
	struct stat this, that;

	if (!newest_backup_find(&newest, options->dir, file->sb.uuid) ||
	    stat(options->backup, &this) || stat(newest.path, &that) ||
	    (this.st_dev == that.st_dev && this.st_ino == that.st_ino) ||
	    newest.sequence < file->sb.sequence ||
	    (newest.sequence == file->sb.sequence && newest.when <= this.st_mtime))
		return;
	path = escape_text(newest.path, strlen(newest.path));
	report_warn("%s, of %s (sequence %llu), is not the newest backup of that spare: %s is, of %s (sequence %llu); blocks that were remapped since are read from main, where they are old",
		    file->shown, units_time((u64)this.st_mtime, ours),
		    (unsigned long long)file->sb.sequence, path,
		    units_time((u64)newest.when, theirs), (unsigned long long)newest.sequence);
	free(path);
}

/* Of a live device the number of blocks is known, though not which they are. */
static void warn_unknown(const struct dead *dead)
{
	const struct live *live = &dead->swap.live;
	const struct rmeta_counts *counts = &dead->session.file.counts;
	u64 known = (u64)counts->mapped + counts->lost;

	if (dead->swap.is_live && live->status.used != STATUS_UNKNOWN && live->status.used > known)
		report_warn("%s has %llu blocks on its spare, and %s knows of %llu: the others are read from main, where they are old",
			    live->dev.shown, (unsigned long long)live->status.used,
			    dead->session.file.shown, (unsigned long long)known);
}

static int check_uuid(const struct dead *dead, const u8 uuid[16])
{
	char theirs[40], ours[40];

	if (!memcmp(uuid, dead->session.file.sb.uuid, 16))
		return STATUS_DONE;
	report_error("%s is of another spare than that of %s: of uuid %s, not %s; nothing was changed",
		     dead->session.file.shown, dead->options->name,
		     units_uuid(dead->session.file.sb.uuid, theirs), units_uuid(uuid, ours));
	return STATUS_FAILED;
}

/* An earlier run came as far as remaptab, if the new spare is the one that it has by now. */
static int check_line(const struct dead *dead, const struct remaptab_entry *line)
{
	int status = check_uuid(dead, line->spare_uuid);
	struct rmeta_superblock sb;
	struct rmeta_geometry geo;
	struct device dev;
	char *command;

	if (!status || device_peek(&dev, dead->options->spare))
		return status;
	if (spare_superblock(&sb, &geo, &dev) && !memcmp(sb.uuid, line->spare_uuid, 16)) {
		command = command_value(command_make("remap-setup open"), "-T",
					dead->options->tab, REMAPTAB_PATH);
		command = command_word(command, line->name);
		report_error("%s is that spare: %s brings the device up", dev.shown, command);
		free(command);
	}
	device_close(&dev);
	return status;
}

static int find_line(struct dead *dead)
{
	const struct remaptab_entry *line;

	if (remaptab_read(&dead->tab, dead->options->tab))
		return STATUS_FAILED;
	line = remaptab_by_name(&dead->tab, dead->options->name);
	dead->line = line;
	if (!line || remaptab_is_used(&dead->tab, line))
		return STATUS_DONE;
	report_error("%s:%u: this line is not used, so it says nothing of %s; nothing was changed (correct it first)",
		     dead->tab.shown, line->line, line->name);
	return STATUS_FAILED;
}

static int find_live(struct dead *dead)
{
	int status = live_swap_find(&dead->swap, dead->options->name);
	const struct remaptab_entry *line;
	char *shown;
	u8 uuid[16];

	if (status)
		return status;
	if (!dead->swap.is_live) {
		shown = escape_text(dead->options->name, strlen(dead->options->name));
		report_error("%s is a live device, and a file here is called so, too; nothing was changed (say /dev/mapper/%s)",
			     shown, shown);
		free(shown);
		return STATUS_FAILED;
	}
	if (dead->options->main) {
		report_error("--main is for a device that is down; the main of %s is %s",
			     dead->swap.live.dev.shown, dead->swap.live.main);
		return STATUS_USAGE;
	}
	dead->main = dead->swap.live.main;
	if (live_spare_uuid(&dead->swap.live, uuid)) {
		/* By its name, which the operand needs not be. */
		line = remaptab_by_name(&dead->tab, dead->swap.live.dev.name);
		if (line && (!remaptab_is_used(&dead->tab, line) ||
			     memcmp(line->spare_uuid, uuid, sizeof(uuid))))
			line = NULL;
		dead->line = line;
		return check_uuid(dead, uuid);
	}
	report_error("which spare %s has is not known, neither by its status nor by its uuid in device mapper; nothing was changed (with it closed, its name is enough)",
		     dead->swap.live.dev.shown);
	return STATUS_FAILED;
}

static int find_device(struct dead *dead)
{
	const char *name = dead->options->name;
	struct live live;
	int r;

	r = live_find(&live, name);
	if (!r) {
		live_free(&live);
		return find_live(dead);
	}
	if (r != -ENXIO) {
		live_report(name, r);
		return STATUS_FAILED;
	}
	if (dm_table_name_problem(name))
		return assembly_check_name(name);
	return dead->line ? check_line(dead, dead->line) : STATUS_DONE;
}

/*
 * What a replacement left that was cut short at its last step has all that slots held. By the uuid alone: main
 * may have nothing on record, and needs not be known. A device that is up came up with the old spare since.
 */
static int refuse_taking(struct dead *dead)
{
	const struct replace_dead_options *options = dead->options;
	const u8 *uuid = dead->session.file.sb.uuid;
	const struct remaptab_entry *line = dead->line;
	bool listed = line && !memcmp(line->spare_uuid, uuid, sizeof(line->spare_uuid));
	const struct spare_search search = {
		.list = &dead->list,
		.tab = options->tab,
		.dir = options->dir,
	};
	char dm_uuid[BLOCKDEV_DM_UUID], *shown;
	int status = STATUS_DONE;

	if (dm_table_exists(NULL, blockdev_dm_uuid(uuid, dm_uuid)))
		return STATUS_DONE;
	shown = escape_text(options->name, strlen(options->name));
	if (spare_say_taking(&search, uuid, shown, listed ? line->name : NULL))
		status = STATUS_FAILED;
	free(shown);
	return status;
}

/* A spare that can be read has data that a backup has not. */
static int refuse_readable(struct dead *dead)
{
	const struct live_swap *swap = &dead->swap;
	struct blockdev found;
	const char *path = NULL;
	char *command;

	if (swap->is_live && spare_loads_at(swap->live.spare))
		path = swap->live.spare;
	else if (swap->is_live && live_swap_say_back(swap, &dead->list))
		return STATUS_FAILED;
	else if (!swap->is_live &&
		 find_spare_that_loads(&found, &dead->list, dead->session.file.sb.uuid,
				       false))
		path = found.path;
	if (!path)
		return STATUS_DONE;
	command = command_make("remap-setup replace-spare");
	command = command_flag(command, dead->options->force, "-f");
	command = command_flag(command, dead->options->large_spare, "--allow-large-spare");
	command = command_value(command, "-d", dead->options->dir, BACKUP_DIR);
	command = command_value(command, "-T", dead->options->tab, REMAPTAB_PATH);
	command = command_word(command, swap->is_live ? swap->live.dev.name : path);
	command = command_word(command, dead->options->spare);
	report_error("the spare %s can be read: %s takes what its slots hold along; nothing was changed",
		     path, command);
	free(command);
	return STATUS_FAILED;
}

/*
 * Main
 */

static int find_its_main(struct dead *dead)
{
	const struct rmeta_superblock *sb = &dead->session.file.sb;
	unsigned int others;

	if (dead->options->main)
		dead->main = dead->options->main;
	else if (dead->line && dead->line->path)
		dead->main = dead->line->path;
	if (dead->main)
		return STATUS_DONE;
	if (!find_main(&dead->found, &others, &dead->list, sb, 0)) {
		report_error(others ? "several devices here could be the main of the spare that %s is of; say which: --main DEV" :
			     "the main of the spare that %s is of is not here, or nothing on record tells it; nothing was changed (--main DEV)",
			     dead->session.file.shown);
		return STATUS_FAILED;
	}
	dead->main = dead->found.path;
	return STATUS_DONE;
}

/* How the device is brought up that was not live: as remaptab has it. */
static struct assembly_options as_asked(const struct dead *dead)
{
	const struct table_options *options = dead->line ? &dead->line->options : NULL;

	return (struct assembly_options){
		.name = dead->options->name,
		.main = dead->main,
		.spare = dead->options->spare,
		.features = options ? options->features : "",
		.nr_features = options ? options->nr_features : 0,
		.read_only = options && options->read_only,
		.listed = dead->line,
	};
}

/* A length that the device could not be brought up with. */
static int check_length(const struct dead *dead, enum identity_verdict verdict)
{
	const struct replace_dead_options *options = dead->options;
	const struct device *main = &dead->session.main;
	const struct rmeta_superblock *sb = &dead->session.file.sb;
	struct assembly_options enlarged = as_asked(dead);
	char got[UNITS_TEXT], wanted[UNITS_TEXT], *restore, *open;

	if (identity_fits(main->sectors, verdict, sb))
		return STATUS_DONE;
	report_error("%s has %llu sectors (%s), but the main of the spare that %s is of has %llu (%s), and nothing on record tells that it is that one; nothing was changed",
		     main->shown, (unsigned long long)main->sectors,
		     units_size(main->sectors * 512, got), dead->session.file.shown,
		     (unsigned long long)sb->main_sectors,
		     units_size(sb->main_sectors * 512, wanted));
	restore = command_value(command_make("remap-restore"), "-i", options->backup, NULL);
	restore = command_value(restore, "--main", dead->main, NULL);
	restore = with_options(restore, options);
	restore = command_word(restore, options->spare);
	enlarged.force_main = true;
	open = assembly_command(&enlarged, NULL);
	report_error("if it was enlarged: %s, and then %s", restore, open);
	free(open);
	free(restore);
	return STATUS_FAILED;
}

/* With main open: is it that main, and free to be used? What is live is both. */
static int check_main(struct dead *dead, const struct identity *identity)
{
	const struct device *main = &dead->session.main;
	const struct rmeta_superblock *sb = &dead->session.file.sb;
	enum identity_verdict verdict;
	char *difference;
	int status;

	if (dead->swap.is_live)
		return STATUS_DONE;
	if (!main->is_block) {
		report_error("%s is an image file; losetup -f --show %s makes a block device of it",
			     main->shown, main->shown);
		return STATUS_FAILED;
	}
	verdict = identity_compare(identity, sb);
	if (verdict == IDENTITY_SAME || verdict == IDENTITY_UNKNOWN) {
		status = check_length(dead, verdict);
		return status ? status :
		       assembly_refuse_used(main, "main", "; unmount it, or stop what has it");
	}
	difference = identity_difference(identity, sb, verdict);
	report_error("%s is not the main of the spare that %s is of: %s; nothing was changed",
		     main->shown, dead->session.file.shown, difference);
	free(difference);
	return STATUS_FAILED;
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
	options = as_asked(dead);
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
	struct assembly assembly = { .options = as_asked(dead) };
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
	status = refuse_readable(dead);
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
		status = find_line(dead);
	if (!status) {
		warn_older(dead);
		status = refuse_taking(dead);
	}
	/* Before it is asked what is live: it loads the module. */
	if (!status)
		status = assembly_check_target();
	if (!status)
		status = find_device(dead);
	if (!status)
		status = refuse_readable(dead);
	if (!status && !dead->main)
		status = find_its_main(dead);
	if (status)
		return status;
	warn_unknown(dead);
	status = plan(dead);
	if (status >= 0)
		return status;
	identity_get(&session->main, &identity);
	status = check_main(dead, &identity);
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
