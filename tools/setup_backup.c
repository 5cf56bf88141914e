// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup backup: keep the list of what a spare holds where it does not die with the spare. Of one
 * device, of all that are live, or, until it is stopped, of each that has an event.
 */
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "backup.h"
#include "backup_dir.h"
#include "blockdev.h"
#include "escape.h"
#include "live.h"
#include "report.h"
#include "setup.h"
#include "setup_rows.h"
#include "stop.h"
#include "units.h"

#define WATCH_SETTLE_SECONDS 5	/* bad blocks come in groups: one backup for all of one */
#define WATCH_PAUSE_SECONDS 60	/* the most behind a backup: a dying disk has events without end */

struct backup_options {
	struct common_options common;
	const char *dir;
	bool all;
	bool watch;
};

#define FIELD(member) offsetof(struct backup_options, member)

static const struct option_row rows[] = {
	ROW_DIRECTORY(FIELD(dir)),
	{ .name = "all", .kind = OPTION_FLAG, .field = FIELD(all),
	  .help = "of all live devices" },
	{ .name = "watch", .kind = OPTION_FLAG, .field = FIELD(watch),
	  .help = "of each live device now, and after each of its events, until a signal comes" },
};

static const struct operand_row operands[] = {
	{ "TARGET", OPTION_DEVICE },
};

static const struct tool tool = {
	.name = SETUP_TOOL,
	.verb = "backup",
	.summary = "Write the list of what a spare holds to a file: TARGET is a live device, or a spare.",
	.usage = "[-d DIR] TARGET|--all|--watch",
	.details = "The newest 20 of a spare are kept, and one of each day. remap-restore and\n"
		   "remap-recover --dump read them. There is no data in them.",
	.example = "remap-setup backup archive",
	.operands = operands,
	.nr_operands = ARRAY_SIZE(operands),
	.min_operands = 0,
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

static struct backup_options backup_options = { .dir = BACKUP_DIR };

/* The spare of a live device, or the operand itself. */
static int find_spare(struct live *live, const char *operand, const char **spare)
{
	bool is_live;

	if (live_choose(live, operand, &is_live))
		return STATUS_FAILED;
	*spare = operand;
	if (!is_live)
		return STATUS_DONE;
	*spare = live->spare;
	return live_refresh(live, false) ? STATUS_FAILED : STATUS_DONE;
}

static void show(const struct backup *backup)
{
	struct json *json = report_json();
	char *shown = escape_text(backup->path, strlen(backup->path));

	report_out("%s written, %u old one%s removed\n", shown, backup->removed,
		   units_s(backup->removed));
	if (backup->partial)
		report_warn("%s has only what could be read of the spare: whole backups were left as they are",
			    shown);
	free(shown);
	if (!json)
		return;
	json_key_text(json, "file", backup->path);
	json_key_number(json, "removed", backup->removed);
	json_key_bool(json, "partial", backup->partial);
}

static int backup_one(const char *operand, const char *dir)
{
	struct live live = { .sectors = 0 };
	struct backup backup;
	const char *spare;
	int status;

	status = find_spare(&live, operand, &spare);
	if (!status) {
		status = backup_make(&backup, spare, dir);
		if (backup_was_made(&backup))
			show(&backup);
	}
	live_free(&live);
	return status;
}

/* Of each of its lines. */
static int backup_device(struct dmdev *dev, const char *dir)
{
	struct dmdev_lines lines;
	struct backup backup;
	char spare[BLOCKDEV_PATH];
	int status = STATUS_DONE, one, r;
	dev_t number;
	size_t i;

	r = dmdev_table(dev, &lines);
	if (r) {
		/* It may have been taken down meanwhile. */
		if (r != -ENXIO)
			dmdev_report(dev->name, r);
		return r == -ENXIO ? STATUS_DONE : STATUS_FAILED;
	}
	for (i = 0; i < lines.nr; i++) {
		if (!dmdev_is_ours(lines.line[i].target) ||
		    !blockdev_parse_spare(lines.line[i].text, &number))
			continue;
		one = backup_make(&backup, blockdev_path(number, spare), dir);
		if (backup_was_made(&backup)) {
			if (report_json())
				json_map(report_json());
			show(&backup);
			if (report_json()) {
				json_key_text(report_json(), "device", dev->name);
				json_map_end(report_json());
			}
		}
		status = max(status, one);
	}
	dmdev_lines_free(&lines);
	return status;
}

static int backup_all(const char *dir)
{
	struct json *json = report_json();
	struct dmdev_list list;
	int status = STATUS_DONE, r;
	size_t i;

	r = dmdev_list(&list);
	if (r) {
		dmdev_report(NULL, r);
		return STATUS_FAILED;
	}
	if (json) {
		json_key(json, "backups");
		json_array(json);
	}
	for (i = 0; i < list.nr; i++)
		status = max(status, backup_device(&list.dev[i], dir));
	if (json)
		json_array_end(json);
	if (!list.nr)
		report_info("there is no device of dm-remap");
	dmdev_list_free(&list);
	return status;
}

/*
 * Watching
 */

/* What was backed up last of a device. */
struct watched {
	char *uuid;	/* device mapper's */
	u32 event_nr;
	bool here;
};

struct watch {
	const char *dir;
	struct watched *device;
	size_t nr;
	size_t room;
};

static struct watched *find_watched(struct watch *watch, const struct dmdev *dev)
{
	struct watched *watched;
	size_t i;

	for (i = 0; i < watch->nr; i++)
		if (!strcmp(watch->device[i].uuid, dev->uuid))
			return &watch->device[i];
	watch->device = report_grow(watch->device, watch->nr, &watch->room, sizeof(*watched));
	watched = &watch->device[watch->nr++];
	/* Not the number that it has: of what was never seen there is a backup to make. */
	*watched = (struct watched){ .uuid = strdup(dev->uuid), .event_nr = ~dev->event_nr };
	if (!watched->uuid)
		report_out_of_memory();
	return watched;
}

static void forget_gone(struct watch *watch)
{
	size_t i, kept = 0;

	for (i = 0; i < watch->nr; i++) {
		if (watch->device[i].here)
			watch->device[kept++] = watch->device[i];
		else
			free(watch->device[i].uuid);
	}
	watch->nr = kept;
}

/* Return: how many backups were tried, or a negative errno. */
static int look(struct watch *watch)
{
	struct dmdev_list list;
	struct watched *watched;
	int tried = 0, r;
	size_t i;

	r = dmdev_list(&list);
	if (r)
		return r;
	for (i = 0; i < watch->nr; i++)
		watch->device[i].here = false;
	for (i = 0; i < list.nr; i++) {
		watched = find_watched(watch, &list.dev[i]);
		watched->here = true;
		if (watched->event_nr == list.dev[i].event_nr)
			continue;
		/* Of before the backup: what comes while it is made is not in it. */
		watched->event_nr = list.dev[i].event_nr;
		backup_device(&list.dev[i], watch->dir);
		tried++;
	}
	dmdev_list_free(&list);
	forget_gone(watch);
	return tried;
}

/* Until a signal comes. */
static int watch_events(const char *dir)
{
	struct watch watch = { .dir = dir };
	struct dm_ioctl arm = {
		.version = { DM_VERSION_MAJOR, 0, 0 },
		.data_size = sizeof(arm),
	};
	unsigned int pause = WATCH_SETTLE_SECONDS;
	int control, r = dmdev_check();

	control = r ? -1 : open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (!r && control < 0)
		r = -errno;
	stop_catch();
	while (!r && !stop_requested()) {
		/* Before the look, so that no event falls between the two. */
		if (ioctl(control, DM_DEV_ARM_POLL, &arm)) {
			r = -errno;
			break;
		}
		r = look(&watch);
		if (r > 0) {
			r = 0;
			stop_pause(pause);
			pause = min(2 * pause, (unsigned int)WATCH_PAUSE_SECONDS);
		} else if (!r) {
			pause = WATCH_SETTLE_SECONDS;
			if (stop_wait(control))
				stop_pause(WATCH_SETTLE_SECONDS);
		}
	}
	if (control >= 0)
		close(control);
	for (; watch.nr; watch.nr--)
		free(watch.device[watch.nr - 1].uuid);
	free(watch.device);
	if (r)
		dmdev_report(NULL, r);
	return r ? STATUS_FAILED : STATUS_DONE;
}

static int run(void *opaque)
{
	struct backup_options *options = opaque;
	const struct common_options *common = &options->common;
	int status;

	if (!options->all + !options->watch + !common->nr_operands != 2)
		return options_misused(&tool, "exactly one of TARGET, --all and --watch is needed");
	if (options->watch && common->report.json)
		return options_misused(&tool, "--json does not go with --watch: it has no end");
	if (options->watch)
		status = watch_events(options->dir);
	else if (options->all)
		status = backup_all(options->dir);
	else
		status = backup_one(common->operands[0], options->dir);
	return report_finish(status);
}

const struct verb setup_backup = {
	.tool = &tool,
	.help = "keep a list of what a spare holds",
	.options = &backup_options,
	.run = run,
};
