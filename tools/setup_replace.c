// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup replace-spare: everything that a spare holds goes to another device, which takes its
 * place. Of what cannot be read any more is said that it is lost.
 *
 * At no instant do both count (docs/format.md, rule 13). What a cut leaves, and what the same command
 * does then:
 *
 *	new spare			old spare	again
 *	as it was, or empty		whole		from the beginning
 *	marked as being made		whole		from the beginning
 *	marked as taking over		whole		from the beginning: it may have been used since
 *	marked as taking over		marked, or gone	new superblocks, and the rest of the old ones.
 *							Who names the new one twice says that it is gone;
 *							that it is not here is looked at
 *	whole				gone		remaptab is left
 *
 * A live device is taken down for it, and comes up again with what there is then.
 */
#include "backup.h"
#include "backup_dir.h"
#include "closed.h"
#include "command.h"
#include "confirm.h"
#include "dm_table.h"
#include "erase.h"
#include "escape.h"
#include "live_swap.h"
#include "marks.h"
#include "remaptab_follow.h"
#include "replace_dead.h"
#include "replacing.h"
#include "restore_show.h"
#include "setup.h"
#include "setup_rows.h"
#include "spare_refuse.h"
#include "stop.h"
#include "units.h"

#define FIELD(member) offsetof(struct replace_options, member)

static const struct option_row rows[] = {
	{ .name = "from-backup", .kind = OPTION_FILE, .field = FIELD(from_backup),
	  .argument = "FILE", .help = "the old spare is gone: by this list of what it held" },
	{ .name = "keep-pending", .kind = OPTION_FLAG, .field = FIELD(keep_pending),
	  .help = "nothing was written since the backup, of a spare that was in use" },
	{ .name = "accept-incomplete", .kind = OPTION_FLAG, .field = FIELD(accept_incomplete),
	  .help = "take the backup of a damaged spare, which may lack entries" },
	{ .name = "main", .kind = OPTION_DEVICE, .field = FIELD(main), .argument = "DEV",
	  .help = "main, of a spare that is not live, if it is not found by itself" },
	ROW_DIRECTORY(FIELD(dir)),
	{ .name = "no-backup", .kind = OPTION_FLAG, .field = FIELD(no_backup),
	  .help = "make no backup of what the old spare holds" },
	ROW_ADOPT(FIELD(adopt)),
	{ .letter = 'f', .name = "force", .kind = OPTION_FLAG, .field = FIELD(force),
	  .help = "overwrite a filesystem, volume or partition table on NEWSPARE" },
	ROW_LARGE_SPARE(FIELD(large_spare)),
	ROW_TAB(FIELD(tab)),
	ROW_YES(FIELD(yes)),
	ROW_DRY_RUN(FIELD(dry_run)),
};

static const struct operand_row operands[] = {
	{ "NAME|OLDSPARE", OPTION_NAME },
	{ "NEWSPARE", OPTION_DEVICE },
};

static const struct tool tool = {
	.name = SETUP_TOOL,
	.verb = "replace-spare",
	.summary = "Move all that a spare holds to NEWSPARE, which takes its place.",
	.usage = "[--from-backup FILE] [--main DEV] [-f] [-y|-n] NAME|OLDSPARE NEWSPARE",
	.details = "NAME is a live device that nobody has open; it is taken down for that and comes up\n"
		   "again. The old spare is none afterwards. What cannot be read from it becomes lost;\n"
		   "of one that is gone a backup knows which blocks these are.",
	.example = "remap-setup replace-spare archive /dev/sde",
	.operands = operands,
	.nr_operands = ARRAY_SIZE(operands),
	.min_operands = ARRAY_SIZE(operands),
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

static struct replace_options replace_options = { .dir = BACKUP_DIR, .tab = REMAPTAB_PATH };

/*
 * Where are we?
 */

/* The command that was given, with other devices. @main: for a spare whose device is down, or NULL. */
static char *again(const struct replace_options *options, const char *main, const char *old,
		   const char *new)
{
	char *command = command_make("remap-setup replace-spare");

	command = command_value(command, "--main", main, NULL);
	command = command_flag(command, options->adopt, "--adopt");
	command = command_flag(command, options->force, "-f");
	command = command_flag(command, options->large_spare, "--allow-large-spare");
	command = command_flag(command, options->no_backup, "--no-backup");
	command = command_value(command, "-d", options->dir, BACKUP_DIR);
	command = command_value(command, "-T", options->tab, REMAPTAB_PATH);
	command = command_word(command, old);
	return command_word(command, new);
}

/* Nobody has said where the old one is. If it counts it may have been used since, and is not to be finished with. */
static int refuse_counting(const struct replacing *re, const u8 uuid[16])
{
	const char *new = re->options->common.operands[1];
	char text[40], dm_uuid[BLOCKDEV_DM_UUID], *command;
	struct blockdev_list list;
	struct blockdev old;
	int status = STATUS_FAILED;

	if (blockdev_list(&list))
		return STATUS_FAILED;
	if (find_spare(&old, &list, uuid)) {
		command = again(re->options, re->options->main, old.path, new);
		report_error("the spare that %s was to replace (uuid %s) is here, %s, and may have been used since; nothing was changed: %s copies it anew",
			     re->session.spare.shown, units_uuid(uuid, text), old.path, command);
		free(command);
	} else if (dm_table_exists(NULL, blockdev_dm_uuid(uuid, dm_uuid))) {
		report_error("the spare that %s was to replace is that of a live device since (uuid %s); nothing was changed",
			     re->session.spare.shown, units_uuid(uuid, text));
	} else {
		status = STATUS_DONE;
	}
	blockdev_list_free(&list);
	return status;
}

/*
 * Was an earlier run cut short behind the point of no return? Not while the spare that it was about is
 * whole; and who names another one means something else.
 */
static int find_last_step(struct replacing *re, int mark, const struct rmeta_superblock *new)
{
	char uuid[40], *command;
	struct rmeta_superblock sb;
	struct rmeta_geometry geo;
	struct device old;

	if (mark != RMETA_MARK_TAKING)
		return STATUS_DONE;
	memcpy(re->old_uuid, new->host_id, sizeof(re->old_uuid));
	re->finish = true;
	if (device_is_at(&re->session.spare, re->old_path)) {
		spare_warn_used_since(re->options->dir, new, re->session.spare.shown);
		return refuse_counting(re, re->old_uuid);
	}
	if (device_open(&old, re->old_path, DEVICE_READ, "old spare")) {
		command = again(re->options, re->options->main, re->options->common.operands[1],
				re->options->common.operands[1]);
		report_error("if that is gone for good: %s makes a spare of what was copied", command);
		free(command);
		return STATUS_FAILED;
	}
	if (spare_superblock(&sb, &geo, &old)) {
		re->finish = false;
		if (memcmp(sb.uuid, new->host_id, sizeof(sb.uuid))) {
			report_error("%s takes over from the spare with uuid %s, which %s is not; nothing was changed",
				     re->session.spare.shown, units_uuid(new->host_id, uuid), old.shown);
			device_close(&old);
			return STATUS_FAILED;
		}
	}
	device_close(&old);
	return STATUS_DONE;
}

static int open_new(struct replacing *re)
{
	struct restore_session *session = &re->session;
	struct rmeta_superblock sb;
	int mark, status;

	if (device_open(&session->spare, re->options->common.operands[1], DEVICE_WRITE, "new spare"))
		return STATUS_FAILED;
	mark = rmeta_mark_find(&rmeta_file_ops, &session->spare.host, &sb);
	if (mark < 0)
		report_out_of_memory();
	session->half_made = mark == RMETA_MARK_MAKING || mark == RMETA_MARK_TAKING;
	status = find_last_step(re, mark, &sb);
	if (status)
		return status;
	if (!re->finish && device_is_at(&session->spare, re->old_path)) {
		report_error("old and new spare are one device: %s", session->spare.shown);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

static int plan(struct replacing *re)
{
	struct restore_session *session = &re->session;
	int status;

	session->options.old = re->old_path;
	session->options.force = re->options->force;
	session->options.large_spare = re->options->large_spare;
	status = replacing_load_old(re, DEVICE_READ);
	if (!status)
		replacing_open_main(re);
	session->restore.sb = session->file.sb;
	return status ? status : restore_plan_new(session);
}

/*
 * Doing it
 */

static int erase_old(struct replacing *re, struct device *old, u32 pages_used)
{
	const struct rmeta_erase erase = {
		.device_sectors = old->sectors,
		.pages_used = pages_used,
	};

	return rmeta_erase(&rmeta_file_ops, &old->host, &erase);
}

/* The new spare has everything: from here on the old one must not count. */
static int retire_old(void *ctx)
{
	struct replacing *re = ctx;

	re->old_error = erase_old(re, &re->session.old, re->load.table.sb.pages_used);
	/* A dying spare that cannot be written any more is no reason to stay with it. */
	return stop_requested() ? -EINTR : 0;
}

static int write_new(struct replacing *re)
{
	struct restore_session *session = &re->session;
	int status;

	session->restore.replaces = re->old_uuid;
	session->restore.taking = retire_old;
	restore_table_free(&session->table);
	if (restore_table_make(&session->table, &session->file))
		report_out_of_memory();
	if (session->table.nr > rmeta_slots(&session->restore.geo)) {
		report_error("%s has too few slots for what %s holds by now", session->spare.shown,
			     session->old.shown);
		return STATUS_FAILED;
	}
	status = restore_write_new(session);
	if (!status && restore_table_lost(&session->table, &session->restore.geo, &session->lost))
		report_out_of_memory();
	return status;
}

/* Return: an exit status: STATUS_LOOK when there is no whole backup, which was said. */
static int back_up(const struct replacing *re)
{
	struct backup backup;

	if (re->options->no_backup)
		return STATUS_DONE;
	backup_make(&backup, re->old_path, re->options->dir);
	if (backup_was_made(&backup) && !backup.partial)
		return STATUS_DONE;
	report_error("there is no backup of what %s holds, and afterwards nobody could tell; nothing was changed (-d DIR, or --no-backup)",
		     re->session.old.shown);
	return STATUS_FAILED;
}

/* With the device down, if it was live. */
static int replace(struct replacing *re)
{
	int status;

	status = replacing_load_old(re, DEVICE_WRITE);
	if (!status) {
		stop_catch();
		status = write_new(re);
	}
	re->written = !status;
	if (re->old_error)
		report_warn("%s could not be erased: %s; take it off this host: used with main once more it would give old data as good",
			    re->session.old.shown, strerror(-re->old_error));
	return status;
}

/* An earlier run had come so far. */
static int finish_earlier(struct replacing *re)
{
	struct device *spare = &re->session.spare;
	struct rmeta_superblock sb;
	struct device old;
	int r;

	report_info("replacing a spare by %s was cut short; it is finished", spare->shown);
	r = rmeta_restore_finish(&rmeta_file_ops, &spare->host, re->session.restore.sb.uuid);
	if (r) {
		report_error("the superblocks of %s could not be written: %s; the same command tries again",
			     spare->shown, strerror(-r));
		return STATUS_FAILED;
	}
	re->written = true;
	if (device_is_at(spare, re->old_path))
		return STATUS_DONE;
	if (device_open(&old, re->old_path, DEVICE_WRITE, "old spare"))
		return STATUS_LOOK;
	if (rmeta_mark_find(&rmeta_file_ops, &old.host, &sb) == RMETA_MARK_ERASING &&
	    !memcmp(sb.uuid, re->old_uuid, sizeof(sb.uuid)))
		re->old_error = erase_old(re, &old, 0);
	device_close(&old);
	return re->old_error ? STATUS_LOOK : STATUS_DONE;
}

/*
 * What was taken down, for this or by hand, is not to be brought up by an event of a disk while it is
 * being replaced, nor because it has another uuid now.
 */
static void leave_down(const struct replacing *re)
{
	char dm_uuid[BLOCKDEV_DM_UUID];

	if (!re->session.spare.is_block ||
	    !(re->swap.down || closed_is(blockdev_dm_uuid(re->old_uuid, dm_uuid), re->old_path)))
		return;
	closed_mark(blockdev_dm_uuid(re->session.restore.sb.uuid, dm_uuid), re->session.spare.path);
}

static int follow(struct replacing *re)
{
	leave_down(re);
	if (!remaptab_follow(re->options->tab, re->old_uuid, NULL, re->session.restore.sb.uuid,
			     &re->listed))
		return STATUS_DONE;
	report_warn("the line of the old spare in remaptab is as it was: put the new uuid there, or, when the device is up, use remap-setup disable and then enable");
	return STATUS_LOOK;
}

static int tell(struct replacing *re)
{
	const struct restore_session *session = &re->session;
	u64 lost = session->table.counts.lost_sectors - session->table.lost_before;
	char uuid[40];
	int status = follow(re);

	report_out("%s is the spare now, uuid %s; the old one is none any more\n",
		   session->spare.shown, units_uuid(session->restore.sb.uuid, uuid));
	if (lost) {
		report_warn("%llu sector%s lost now, for slots could not be read: reads of %s fail until %s written; remap-recover --files names the files",
			    (unsigned long long)lost, lost == 1 ? " is" : "s are",
			    lost == 1 ? "it" : "them", lost == 1 ? "it is" : "they are");
		status = STATUS_LOOK;
	}
	return re->old_error ? STATUS_LOOK : status;
}

static bool is_spare(const char *path)
{
	struct rmeta_superblock sb;
	struct rmeta_geometry geo;
	struct device dev;
	bool is;

	if (device_peek(&dev, path))
		return false;
	is = spare_superblock(&sb, &geo, &dev);
	device_close(&dev);
	return is;
}

/* Neither is a spare for now, so nothing can be brought up. */
static void say_down(const struct replacing *re)
{
	const char *path = re->options->common.operands[1];
	char *go_on = again(re->options, re->swap.live.main, re->old_path, path);
	char *open = live_swap_command(&re->swap, path);

	report_error("%s is down: %s goes on, and then %s", re->swap.live.dev.shown, go_on, open);
	free(open);
	free(go_on);
}

static int carry_out(struct replacing *re)
{
	const char *path = re->options->common.operands[1];
	int status, up;

	status = back_up(re);
	replacing_close_old(re);
	if (!status)
		status = live_swap_down(&re->swap);
	if (status)
		return status;
	status = replace(re);
	if (!status) {
		restore_show_lost(&re->session);
		status = tell(re);
	}
	replacing_close_old(re);
	device_close(&re->session.spare);
	if (!re->swap.down)
		return status;
	if (!re->written && !is_spare(re->old_path)) {
		say_down(re);
		return status;
	}
	if (re->written)
		up = live_swap_up(&re->swap, path, re->session.restore.sb.uuid);
	else
		up = live_swap_up(&re->swap, re->old_path, re->old_uuid);
	return max(status, up);
}

/* The old spare of a live device cannot be loaded: where else it is, or what is left of it. */
static void say_what_is_left(const struct replacing *re)
{
	const struct live *live = &re->swap.live;
	struct blockdev_list list;
	u8 uuid[16];

	if (!live_spare_uuid(live, uuid) || blockdev_list(&list))
		return;
	if (!live_swap_say_back(&re->swap, &list))
		spare_say_backup(re->options->dir, re->options->tab, uuid, live->dev.name);
	blockdev_list_free(&list);
}

static int run_on(struct replacing *re)
{
	int status;

	status = replacing_find_old(re);
	if (!status)
		status = open_new(re);
	if (status)
		return status;
	if (re->finish && re->options->dry_run) {
		report_out("dry run: an earlier run would be finished; nothing was written\n");
		return STATUS_DONE;
	}
	if (re->finish) {
		status = finish_earlier(re);
		return re->written ? max(status, tell(re)) : status;
	}
	status = plan(re);
	if (status > 0 && !re->load.loaded && re->swap.is_live)
		say_what_is_left(re);
	if (status >= 0)
		return status;
	if (re->options->dry_run) {
		restore_show_lost(&re->session);
		report_out("dry run: nothing was written\n");
		return STATUS_DONE;
	}
	if (!confirm(re->options->yes, "Destroy what is on %s, and replace %s by it",
		     re->session.spare.shown, re->session.old.shown))
		return STATUS_CANCELLED;
	return carry_out(re);
}

static void write_json(const struct replacing *re)
{
	const struct restore_table *table = &re->session.table;
	struct json *json = report_json();
	char uuid[40];

	if (!json)
		return;
	json_key_text(json, "name", re->swap.is_live ? re->swap.live.dev.name : NULL);
	json_key_text(json, "old_spare", re->old_path);
	json_key_text(json, "spare", re->options->common.operands[1]);
	json_key_text(json, "old_uuid", units_uuid(re->old_uuid, uuid));
	json_key_text(json, "uuid", re->written ?
		      units_uuid(re->session.restore.sb.uuid, uuid) : NULL);
	json_key_number(json, "mapped", table->counts.mapped);
	json_key_number(json, "lost", table->counts.lost);
	json_key_number(json, "lost_sectors", table->counts.lost_sectors);
	json_key_number(json, "lost_before_sectors", table->lost_before);
	json_key_number(json, "copied_sectors", table->copied_sectors);
	json_key_number(json, "saved_sectors", table->saved_sectors);
	json_key_number(json, "retired_left_out", table->retired);
	json_key_bool(json, "finished", re->finish);
	json_key_bool(json, "listed", re->listed);
	json_key_bool(json, "dry_run", re->options->dry_run);
	json_key_bool(json, "written", re->written);
}

/* Options that say nothing of what is done. */
static int check_options(const struct replace_options *options)
{
	if (!options->from_backup && (options->keep_pending || options->accept_incomplete))
		return options_misused(&tool, "--%s goes with --from-backup only",
				       options->keep_pending ? "keep-pending" : "accept-incomplete");
	if (options->from_backup && (options->no_backup || options->adopt))
		return options_misused(&tool, "--%s is about an old spare that is there; with --from-backup there is none",
				       options->no_backup ? "no-backup" : "adopt");
	return -1;
}

static int run_by_backup(const struct replace_options *options)
{
	const struct replace_dead_options dead = {
		.backup = options->from_backup,
		.name = options->common.operands[0],
		.spare = options->common.operands[1],
		.main = options->main,
		.tab = options->tab,
		.dir = options->dir,
		.keep_pending = options->keep_pending,
		.accept_incomplete = options->accept_incomplete,
		.force = options->force,
		.large_spare = options->large_spare,
		.yes = options->yes,
		.dry_run = options->dry_run,
	};

	return report_finish(replace_dead(&dead));
}

static int run(void *opaque)
{
	struct replacing re = { .options = opaque };
	int status = check_options(re.options);

	if (status >= 0)
		return status;
	if (re.options->from_backup)
		return run_by_backup(re.options);
	status = run_on(&re);
	write_json(&re);
	replacing_close_old(&re);
	restore_table_free(&re.session.table);
	ranges_free(&re.session.lost);
	device_close(&re.session.main);
	device_close(&re.session.spare);
	live_swap_free(&re.swap);
	spare_operand_free(&re.named);
	return report_finish(status);
}

const struct verb setup_replace = {
	.tool = &tool,
	.help = "move all that a spare holds to another device",
	.options = &replace_options,
	.run = run,
};
