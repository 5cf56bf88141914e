// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device whose spare is gone: which it is, whether the spare is gone indeed, and where main is. See
 * dead_spare.h. Nothing is written here.
 */
#include "backup_dir.h"
#include "command.h"
#include "dead_spare.h"
#include "escape.h"
#include "find_main.h"
#include "find_spare.h"
#include "newest_backup.h"
#include "report.h"
#include "units.h"

char *dead_with_options(char *command, const struct replace_dead_options *options)
{
	command = command_flag(command, options->keep_pending, "--keep-pending");
	command = command_flag(command, options->accept_incomplete, "--accept-incomplete");
	command = command_flag(command, options->force, "-f");
	return command_flag(command, options->large_spare, "--allow-large-spare");
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

int dead_refuse_readable(struct dead *dead)
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

struct assembly_options dead_as_asked(const struct dead *dead)
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
	struct assembly_options enlarged = dead_as_asked(dead);
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
	restore = dead_with_options(restore, options);
	restore = command_word(restore, options->spare);
	enlarged.force_main = true;
	open = assembly_command(&enlarged, NULL);
	report_error("if it was enlarged: %s, and then %s", restore, open);
	free(open);
	free(restore);
	return STATUS_FAILED;
}

int dead_check_main(struct dead *dead, const struct identity *identity)
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

int dead_find(struct dead *dead)
{
	int status = find_line(dead);

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
		status = dead_refuse_readable(dead);
	if (!status && !dead->main)
		status = find_its_main(dead);
	if (!status)
		warn_unknown(dead);
	return status;
}
