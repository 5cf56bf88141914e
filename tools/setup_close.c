// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup close: take a device down, and leave in its spare what tells at the next time whether
 * main was written to meanwhile. The kernel releases the spare; the checksums of main's ends and
 * this host's id are put into the superblock behind it, by a load and a release of the tools' own. Then
 * a backup is made of the list of what the spare holds.
 */
#include "backup.h"
#include "backup_dir.h"
#include "blockdev.h"
#include "closed.h"
#include "dm.h"
#include "dm_in_use.h"
#include "dm_table.h"
#include "escape.h"
#include "main_print.h"
#include "setup.h"
#include "setup_rows.h"
#include "spare.h"
#include "this_host.h"

struct close_options {
	struct common_options common;
	const char *dir;
	bool no_backup;
	bool hand_over;
};

#define FIELD(member) offsetof(struct close_options, member)

static const struct option_row rows[] = {
	ROW_DIRECTORY(FIELD(dir)),
	{ .name = "no-backup", .kind = OPTION_FLAG, .field = FIELD(no_backup),
	  .help = "make no backup of what the spare holds" },
	{ .name = "hand-over", .kind = OPTION_FLAG, .field = FIELD(hand_over),
	  .help = "leave no host on record: any host may open the spare next" },
};

static struct close_options close_options = { .dir = BACKUP_DIR };

static const struct operand_row operands[] = {
	{ "NAME", OPTION_NAME },
};

static const struct tool tool = {
	.name = SETUP_TOOL,
	.verb = "close",
	.summary = "Take down device NAME, which nobody uses any more.",
	.usage = "[-d DIR|--no-backup] [--hand-over] NAME",
	.details = "Checksums of the first and last MiB of main are left in the spare, by which the\n"
		   "next open finds out whether main was written to meanwhile; and a backup of what the\n"
		   "spare holds is made.",
	.example = "remap-setup close archive",
	.operands = operands,
	.nr_operands = ARRAY_SIZE(operands),
	.min_operands = ARRAY_SIZE(operands),
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

/* What a line of the device's table is made of. */
struct pair {
	char main[BLOCKDEV_PATH];
	char spare[BLOCKDEV_PATH];
	u64 sectors;
};

static bool get_pair(struct pair *pair, const struct dmdev_line *line)
{
	char words[2][64];
	dev_t numbers[2];

	if (!dmdev_is_ours(line->target) ||
	    sscanf(line->text, "%63s %63s", words[0], words[1]) != 2 ||
	    !blockdev_parse(words[0], &numbers[0]) || !blockdev_parse(words[1], &numbers[1]))
		return false;
	blockdev_path(numbers[0], pair->main);
	blockdev_path(numbers[1], pair->spare);
	pair->sectors = line->sectors;
	return true;
}

/* Return: an exit status: STATUS_LOOK when the device is down, but this could not be done. */
static int leave_print(const struct pair *pair, bool hand_over)
{
	struct spare_load load = { .loaded = false };
	struct device main, spare;
	u32 print[2] = { 0, 0 };
	int status, r;

	r = device_peek(&main, pair->main);
	if (!r)
		r = main.sectors < pair->sectors ? -ENODEV :
						  main_print_read(&main, pair->sectors, print);
	if (r)
		report_info("%s: its first or last MiB cannot be read (%s): no checksums are left, and the next open cannot tell whether it changed",
			    pair->main, strerror(-r));
	device_close(&main);
	if (device_open(&spare, pair->spare, DEVICE_WRITE, "spare"))
		return STATUS_LOOK;
	status = spare_load(&load, &spare, false);
	if (!status) {
		load.table.sb.main_print[0] = print[0];
		load.table.sb.main_print[1] = print[1];
		load.print_valid = !r;
		if (hand_over)
			this_host_forget(&load.table.sb);
		else
			this_host_sign(&load.table.sb);
		status = spare_release(&load, &spare);
	}
	spare_unload(&load);
	device_close(&spare);
	return status ? STATUS_LOOK : STATUS_DONE;
}

/* Return: STATUS_LOOK when the device is down, but there is no whole backup, which was said. */
static int leave_backup(const struct pair *pair, const char *dir)
{
	struct backup backup;

	backup_make(&backup, pair->spare, dir);
	if (backup_was_made(&backup) && !backup.partial)
		return STATUS_DONE;
	report_warn("what %s holds is on record nowhere else: remap-setup backup -d DIR %s, or close with --no-backup",
		    pair->spare, pair->spare);
	return STATUS_LOOK;
}

static int close_device(struct dmdev *dev, const struct dmdev_lines *lines,
			const struct close_options *options)
{
	struct pair pair;
	int r, status = STATUS_DONE, one;
	bool marked;
	size_t i;

	if (dev->open_count)
		return dm_in_use_refuse(dev);
	/* The uuid is not ours where dmsetup made the device: that does not come up by itself. */
	marked = !strncmp(dev->uuid, BLOCKDEV_OUR_UUID, strlen(BLOCKDEV_OUR_UUID)) && lines->nr &&
		 get_pair(&pair, &lines->line[0]);
	if (marked)
		closed_mark(dev->uuid, pair.spare);
	r = dm_table_remove(dev->name);
	if (r && marked)
		closed_forget(dev->uuid);
	if (r == -EBUSY)
		return dm_in_use_refuse(dev);
	if (r) {
		dmdev_report(dev->name, r);
		return STATUS_FAILED;
	}
	report_out("%s is down\n", dev->shown);
	for (i = 0; i < lines->nr && !dev->read_only; i++) {
		if (!get_pair(&pair, &lines->line[i]))
			continue;
		one = leave_print(&pair, options->hand_over);
		if (!options->no_backup)
			one = max(one, leave_backup(&pair, options->dir));
		status = max(status, one);
	}
	return status;
}

static int run(void *opaque)
{
	const struct close_options *options = opaque;
	const char *operand = options->common.operands[0];
	struct dmdev_lines lines = { .nr = 0 };
	struct dmdev dev;
	int status = STATUS_FAILED, r;

	r = dmdev_find(&dev, operand);
	if (!r)
		r = dmdev_table(&dev, &lines);
	if (r)
		dmdev_report(operand, r);
	else
		status = close_device(&dev, &lines, options);
	dmdev_lines_free(&lines);
	dmdev_free(&dev);
	return report_finish(status);
}

const struct verb setup_close = {
	.tool = &tool,
	.help = "take a device down",
	.options = &close_options,
	.run = run,
};
