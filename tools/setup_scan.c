// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup scan: the spares on all block devices, whose main is where, and bringing up what can be.
 *
 * Of a device that is none only the places of superblocks are read, and only of those that can be one:
 * not too short, not a live device itself, not suspended. One superblock of the five is enough.
 */
#include <sys/sysmacros.h>

#include "assembly.h"
#include "backup_dir.h"
#include "closed.h"
#include "dm.h"
#include "escape.h"
#include "find_main.h"
#include "find_spare.h"
#include "remaptab.h"
#include "run_lock.h"
#include "setup.h"
#include "setup_rows.h"
#include "units.h"

struct scan_options {
	struct common_options common;
	const char *tab;
	const char *dir;
	bool assemble;
	bool listed;
	bool unless_closed;
};

#define FIELD(member) offsetof(struct scan_options, member)

static const struct option_row rows[] = {
	{ .letter = 'a', .name = "assemble", .kind = OPTION_FLAG, .field = FIELD(assemble),
	  .help = "bring up the devices of all spares that are found" },
	{ .letter = 'l', .name = "listed", .kind = OPTION_FLAG, .field = FIELD(listed),
	  .help = "only those in remaptab, and say which of them are missing" },
	{ .name = "unless-closed", .kind = OPTION_FLAG, .field = FIELD(unless_closed),
	  .help = "leave down what was closed and not plugged in anew since" },
	ROW_TAB(FIELD(tab)),
	ROW_DIRECTORY(FIELD(dir)),
};

static const struct tool tool = {
	.name = SETUP_TOOL,
	.verb = "scan",
	.summary = "Find spares on all block devices, and their mains.",
	.usage = "[--assemble] [--listed] [--unless-closed] [-d DIR]",
	.details = "Names and options of devices are those of remaptab; of what is not in there the\n"
		   "label of the spare is its name. What open would refuse is left down, and said.",
	.example = "remap-setup scan --assemble",
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

static struct scan_options scan_options = { .tab = REMAPTAB_PATH, .dir = BACKUP_DIR };

enum scan_state {
	SCAN_LIVE,
	SCAN_IN_USE,		/* but not by dm-remap */
	SCAN_DOWN,
	SCAN_NO_MAIN,
	SCAN_MAINS,		/* several that could be it */
};

/* A spare that was found. */
struct found {
	const struct blockdev *dev;
	struct rmeta_superblock sb;
	enum scan_state state;
	struct blockdev main;
	char *live;		/* name of the device that has it, or NULL */
	char *usage;		/* who else has it, or NULL */
};

struct scan {
	const struct scan_options *options;
	struct blockdev_list list;
	struct remaptab tab;
	struct found *found;
	size_t nr;
	size_t room;
	int status;
};

/* The live device that has a spare. */
static char *live_name(const struct dmdev_list *live, const struct rmeta_superblock *sb)
{
	char dm_uuid[BLOCKDEV_DM_UUID];
	size_t i;

	blockdev_dm_uuid(sb->uuid, dm_uuid);
	for (i = 0; i < live->nr; i++)
		if (!strcmp(live->dev[i].uuid, dm_uuid))
			return strdup(live->dev[i].shown);
	return NULL;
}

static void judge(struct scan *scan, struct found *found, const struct device *dev,
		  const struct dmdev_list *live)
{
	unsigned int others;

	found->live = live_name(live, &found->sb);
	found->usage = found->live ? NULL : device_usage(&dev->stat);
	if (find_main(&found->main, &others, &scan->list, &found->sb, dev->stat.st_rdev))
		found->state = SCAN_DOWN;
	else
		found->state = others ? SCAN_MAINS : SCAN_NO_MAIN;
	if (found->live)
		found->state = SCAN_LIVE;
	else if (found->usage)
		found->state = SCAN_IN_USE;
}

static void look_at(struct scan *scan, const struct blockdev *blockdev,
		    const struct dmdev_list *live)
{
	struct found found = { .dev = blockdev };
	struct rmeta_geometry geo;
	struct device dev;

	if (blockdev->sectors < RMETA_MIN_SPARE_SECTORS || blockdev->ours || blockdev->suspended ||
	    device_peek(&dev, blockdev->path))
		return;
	if (spare_superblock(&found.sb, &geo, &dev) &&
	    (!scan->options->listed || remaptab_by_spare(&scan->tab, found.sb.uuid))) {
		judge(scan, &found, &dev, live);
		scan->found = report_grow(scan->found, scan->nr, &scan->room, sizeof(found));
		scan->found[scan->nr++] = found;
	}
	device_close(&dev);
}

static void look_at_all(struct scan *scan)
{
	struct dmdev_list live = { .nr = 0 };
	size_t i;

	/* Where device mapper cannot be asked nothing is live, or nothing can be brought up. */
	if (dmdev_list(&live))
		live = (struct dmdev_list){ .nr = 0 };
	for (i = 0; i < scan->list.nr; i++)
		look_at(scan, &scan->list.dev[i], &live);
	dmdev_list_free(&live);
}

/*
 * Bringing up
 */

/*
 * Another one that is as good: a copy of the spare, or a second spare of its main, unless remaptab has
 * chosen. One of the two is old, and nothing tells which.
 */
static bool is_rival(const struct scan *scan, const struct found *found, const struct found *other)
{
	const struct remaptab_entry *entry = remaptab_by_spare(&scan->tab, found->sb.uuid);
	const struct remaptab_entry *others = remaptab_by_spare(&scan->tab, other->sb.uuid);

	if (other == found || other->state == SCAN_LIVE || other->state == SCAN_IN_USE)
		return false;
	if (!memcmp(found->sb.uuid, other->sb.uuid, 16))
		return true;
	if (!found->main.number || found->main.number != other->main.number)
		return false;
	return (others || !entry) && !(others && others->options.no_auto);
}

static bool refuse_rivals(struct scan *scan, const struct found *found,
			  const struct assembly_options *options)
{
	struct assembly_options chosen = *options;
	const struct found *other = scan->found;
	char *command;
	size_t i;

	for (i = 0; i < scan->nr && !is_rival(scan, found, other); i++)
		other++;
	if (i == scan->nr)
		return false;
	chosen.name = options->name ?: "NAME";
	chosen.main = options->main ?: "MAIN";
	chosen.spare = "SPARE";
	command = assembly_command(&chosen, NULL);
	report_error("%s and %s are both %s%s: one of them is old, and would give old data as good; say which: %s",
		     found->dev->path, other->dev->path,
		     memcmp(found->sb.uuid, other->sb.uuid, 16) ? "spares of " : "copies of one spare",
		     memcmp(found->sb.uuid, other->sb.uuid, 16) ? found->main.path : "", command);
	free(command);
	scan->status = STATUS_LOOK;
	return true;
}

/* Is it to be left down because it was closed by hand? That is said. */
static bool stays_closed(const struct scan *scan, const struct found *found,
			 const struct assembly_options *options)
{
	char dm_uuid[BLOCKDEV_DM_UUID], *command;

	if (!scan->options->unless_closed ||
	    !closed_is(blockdev_dm_uuid(found->sb.uuid, dm_uuid), found->dev->path))
		return false;
	command = assembly_command(options, NULL);
	report_info("%s: its device was closed and is left down; to bring it up: %s",
		    found->dev->path, command);
	free(command);
	return true;
}

static void assemble(struct scan *scan, struct found *found)
{
	const struct remaptab_entry *entry = remaptab_by_spare(&scan->tab, found->sb.uuid);
	struct assembly assembly = { .options = {
		.name = entry ? entry->name : NULL,
		.main = entry ? entry->path : NULL,
		.spare = found->dev->path,
		.features = entry ? entry->options.features : "",
		.nr_features = entry ? entry->options.nr_features : 0,
		.backups = scan->options->dir,
		.listed = entry,
		.read_only = entry && entry->options.read_only,
	} };
	int status;

	if ((entry && entry->options.no_auto) || stays_closed(scan, found, &assembly.options) ||
	    refuse_rivals(scan, found, &assembly.options))
		return;
	status = assembly_examine(&assembly, &scan->list);
	if (!status)
		status = assembly_start(&assembly);
	if (!status) {
		found->state = SCAN_LIVE;
		found->live = strdup(assembly.name);
	} else {
		scan->status = STATUS_LOOK;
	}
	assembly_end(&assembly);
}

static void assemble_all(struct scan *scan)
{
	size_t i;

	if (assembly_check_target()) {
		scan->status = STATUS_FAILED;
		return;
	}
	for (i = 0; i < scan->nr; i++) {
		if (scan->found[i].state == SCAN_LIVE)
			continue;
		assemble(scan, &scan->found[i]);
	}
}

/* Lines of remaptab of which no spare was found. */
static void say_missing(struct scan *scan)
{
	const struct spare_search search = {
		.list = &scan->list,
		.tab = scan->options->tab,
		.dir = scan->options->dir,
	};
	char uuid[40];
	size_t i, nr;

	for (i = 0; i < scan->tab.nr; i++) {
		const struct remaptab_entry *entry = &scan->tab.entry[i];

		for (nr = 0; nr < scan->nr; nr++)
			if (!memcmp(scan->found[nr].sb.uuid, entry->spare_uuid, 16))
				break;
		if (nr < scan->nr)
			continue;
		scan->status = STATUS_LOOK;
		if (spare_say_taking(&search, entry->spare_uuid, entry->name, entry->name))
			continue;
		report_error("%s: its spare is not here (uuid %s): without it blocks of main are old, so main is not used instead",
			     entry->name, units_uuid(entry->spare_uuid, uuid));
	}
}

/*
 * Showing
 */

static const char *const state_names[] = {
	[SCAN_LIVE] = "live", [SCAN_IN_USE] = "in use", [SCAN_DOWN] = "down",
	[SCAN_NO_MAIN] = "main is not here", [SCAN_MAINS] = "several devices could be main",
};

static void show_one(const struct found *found, struct json *json)
{
	char *label = escape_text(found->sb.label, strlen(found->sb.label)), uuid[40];
	bool has_main = found->main.number;

	units_uuid(found->sb.uuid, uuid);
	report_out("%-16s %-36s  %-14s %-16s %s%s%s%s%s\n", found->dev->path, uuid,
		   *label ? label : "-", has_main ? found->main.path : "-",
		   state_names[found->state], found->live ? " as " : "",
		   found->live ? found->live : "", found->usage ? ": " : "",
		   found->usage ? found->usage : "");
	if (json) {
		json_map(json);
		json_key_text(json, "spare", found->dev->path);
		json_key_text(json, "uuid", uuid);
		json_key_text(json, "label", found->sb.label);
		json_key_text(json, "main", has_main ? found->main.path : NULL);
		json_key_text(json, "state", state_names[found->state]);
		json_key_text(json, "name", found->live);
		json_map_end(json);
	}
	free(label);
}

static void show(const struct scan *scan)
{
	struct json *json = report_json();
	size_t i;

	if (scan->nr)
		report_out("%-16s %-36s  %-14s %-16s %s\n", "SPARE", "UUID", "LABEL", "MAIN", "STATE");
	else
		report_info("no spare was found on %zu block device%s", scan->list.nr,
			    units_s(scan->list.nr));
	if (json) {
		json_key_number(json, "devices_seen", scan->list.nr);
		json_key(json, "spares");
		json_array(json);
	}
	for (i = 0; i < scan->nr; i++)
		show_one(&scan->found[i], json);
	if (json)
		json_array_end(json);
}

static void free_found(struct scan *scan)
{
	while (scan->nr) {
		free(scan->found[--scan->nr].live);
		free(scan->found[scan->nr].usage);
	}
	free(scan->found);
}

static void scan_all(struct scan *scan)
{
	const struct scan_options *options = scan->options;

	if (remaptab_read(&scan->tab, options->tab) || blockdev_list(&scan->list)) {
		scan->status = STATUS_FAILED;
		return;
	}
	if (scan->tab.wrong)
		scan->status = STATUS_LOOK;
	look_at_all(scan);
	if (options->assemble)
		assemble_all(scan);
	if (options->listed)
		say_missing(scan);
	show(scan);
}

/* The rules and the unit ask for just this: any of them does what another one would. */
static bool is_of_event(const struct scan_options *options)
{
	return options->listed && options->unless_closed && !strcmp(options->tab, REMAPTAB_PATH);
}

static int run(void *opaque)
{
	struct scan scan = { .options = opaque };
	int lock = -1;

	if (scan.options->assemble)
		lock = is_of_event(scan.options) ? run_lock_for_event() : run_lock();
	if (lock == RUN_LOCK_COVERED)
		report_info("another scan is about to begin, and does it");
	else
		scan_all(&scan);
	free_found(&scan);
	blockdev_list_free(&scan.list);
	remaptab_free(&scan.tab);
	run_unlock(lock);
	return report_finish(scan.status);
}

const struct verb setup_scan = {
	.tool = &tool,
	.help = "find spares on all block devices, and bring up their devices",
	.options = &scan_options,
	.run = run,
};
