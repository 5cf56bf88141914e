// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup udev, for the udev rules: what a block device is to dm-remap. And expose, which lets a
 * main of remaptab be seen though its device is not up.
 */
#include <blkid/blkid.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "blockdev.h"
#include "escape.h"
#include "remaptab.h"
#include "run_mark.h"
#include "setup.h"
#include "setup_rows.h"
#include "spare.h"
#include "units.h"

struct udev_options {
	struct common_options common;
	const char *tab;
	bool hide;
};

#define FIELD(member) offsetof(struct udev_options, member)

static const struct option_row udev_rows[] = { ROW_TAB(FIELD(tab)) };

static const struct option_row expose_rows[] = {
	{ .name = "hide", .kind = OPTION_FLAG, .field = FIELD(hide),
	  .help = "hide it again" },
	ROW_TAB(FIELD(tab)),
};

static const struct operand_row device_operand[] = {
	{ "DEVICE", OPTION_DEVICE },
};

static const struct operand_row name_operand[] = {
	{ "NAME", OPTION_TEXT },
};

static const struct tool udev_tool = {
	.name = SETUP_TOOL,
	.verb = "udev",
	.summary = "Print what DEVICE is to dm-remap, as properties for udev.",
	.usage = "DEVICE",
	.details = "Prints nothing for a device that is nothing to it.",
	.example = "remap-setup udev /dev/sdc1",
	.operands = device_operand,
	.nr_operands = 1,
	.min_operands = 1,
	.rows = udev_rows,
	.nr_rows = ARRAY_SIZE(udev_rows),
};

static const struct tool expose_tool = {
	.name = SETUP_TOOL,
	.verb = "expose",
	.summary = "Let the main of NAME be seen though its device is not up, until the next boot.",
	.usage = "[--hide] NAME",
	.details = "Blocks that live on the spare are old on main. Mount it read-only, if at all, and\n"
		   "only if the spare will not come back; remap-recover gives what both have.",
	.example = "remap-setup expose archive",
	.operands = name_operand,
	.nr_operands = 1,
	.min_operands = 1,
	.rows = expose_rows,
	.nr_rows = ARRAY_SIZE(expose_rows),
};

static struct udev_options udev_options = { .tab = REMAPTAB_PATH };
static struct udev_options expose_options = { .tab = REMAPTAB_PATH };

/*
 * The line of which a device is main. The device is not opened: one that cannot be read, or is slow to
 * answer, is main all the same.
 */
static const struct remaptab_entry *entry_of(const struct remaptab *tab, const char *path)
{
	struct device dev = { .host.fd = -1, .is_block = true };
	struct identity identity;

	if (stat(path, &dev.stat) || !S_ISBLK(dev.stat.st_mode))
		return NULL;
	identity_get(&dev, &identity);
	return remaptab_by_main(tab, &dev, &identity);
}

/* The same, also for a partition of main. */
static const struct remaptab_entry *entry_of_disk_too(const struct remaptab *tab, const char *path,
						      dev_t number)
{
	const struct remaptab_entry *entry = entry_of(tab, path);
	char disk_path[BLOCKDEV_PATH];
	dev_t disk = number;

	if (entry || blkid_devno_to_wholedisk(number, NULL, 0, &disk) || disk == number)
		return entry;
	return entry_of(tab, blockdev_path(disk, disk_path));
}

static bool has_path(const struct remaptab_entry *entry, const char *path)
{
	return entry->kind == REMAPTAB_PATH_GIVEN && !strcmp(entry->path, path);
}

/*
 * The line that gives one of the links that udev is about to make: while its rules are run there is none
 * yet, and their names are in the environment.
 */
static const struct remaptab_entry *entry_of_links(const struct remaptab *tab)
{
	const char *links = getenv("DEVLINKS");
	const struct remaptab_entry *found = NULL;
	char *copy, *rest, *path;
	size_t i;

	if (!links)
		return NULL;
	copy = rest = strdup(links);
	if (!copy)
		report_out_of_memory();
	while (!found && (path = strsep(&rest, " "))) {
		for (i = 0; i < tab->nr && !found; i++)
			if (has_path(&tab->entry[i], path))
				found = &tab->entry[i];
		for (i = 0; i < tab->nr_apart && !found; i++)
			if (has_path(&tab->apart[i], path))
				found = &tab->apart[i];
	}
	free(copy);
	return found;
}

static void print_property(const char *key, const char *value)
{
	printf("%s=%s\n", key, value);
}

static void print_spare(const struct rmeta_superblock *sb)
{
	char uuid[40], label[4 * sizeof(sb->label) + 1];

	print_property("DM_REMAP_ROLE", "spare");
	print_property("ID_FS_TYPE", "remap_spare");
	print_property("ID_FS_USAGE", "other");
	print_property("ID_FS_UUID", units_uuid(sb->uuid, uuid));
	print_property("ID_FS_UUID_ENC", uuid);
	if (*sb->label && !blkid_encode_string(sb->label, label, sizeof(label)))
		print_property("ID_FS_LABEL_ENC", label);
}

static void print_member(const struct remaptab_entry *entry)
{
	print_property("DM_REMAP_ROLE", "member");
	print_property("DM_REMAP_NAME", entry->name);
	/* What blkid found before, and others act upon. */
	print_property("ID_FS_TYPE", "remap_member");
	print_property("ID_FS_USAGE", "raid");
}

/*
 * A spare that was given to somebody else, who left some of what it was, is what it is now; but not one
 * that is listed: it is not brought up, and that is said.
 */
static bool is_spare(struct rmeta_superblock *sb, struct device *dev, const struct remaptab *tab)
{
	struct rmeta_geometry geo;
	char *foreign;

	if (dev->sectors < RMETA_MIN_SPARE_SECTORS || !spare_superblock(sb, &geo, dev))
		return false;
	if (remaptab_by_spare(tab, sb->uuid))
		return true;
	foreign = signature_find(dev, &geo);
	free(foreign);
	return !foreign;
}

static int print_unlisted(const char *path, const struct remaptab *tab)
{
	struct rmeta_superblock sb;
	struct device dev;
	int r;

	r = device_peek(&dev, path);
	if (r) {
		report_error("cannot open the device: %s", strerror(-r));
		return STATUS_FAILED;
	}
	if (is_spare(&sb, &dev, tab))
		print_spare(&sb);
	device_close(&dev);
	return STATUS_DONE;
}

/* First what remaptab says: a main may hold what is left of a spare that it was once. */
static int run_udev(void *opaque)
{
	struct udev_options *options = opaque;
	const char *path = options->common.operands[0];
	const struct remaptab_entry *entry = NULL;
	struct stat stat_buf;
	int status = STATUS_DONE;
	struct remaptab tab;

	if (!remaptab_read(&tab, options->tab) && !stat(path, &stat_buf) &&
	    S_ISBLK(stat_buf.st_mode))
		entry = entry_of_disk_too(&tab, path, stat_buf.st_rdev);
	if (!entry)
		entry = entry_of_links(&tab);
	if (entry) {
		if (!run_mark_is(RUN_MARK_EXPOSED, entry->name, ""))
			print_member(entry);
	} else {
		status = print_unlisted(path, &tab);
	}
	remaptab_free(&tab);
	return report_finish(status);
}

/* Have udev look at a device again. */
static void trigger(dev_t number)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/uevent", major(number), minor(number));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "change", 6) != 6)
		report_warn("udev could not be told to look at %u:%u again", major(number),
			    minor(number));
	if (fd >= 0)
		close(fd);
}

static int expose(const struct remaptab *tab, const struct remaptab_entry *entry, bool hide)
{
	struct blockdev_list list;
	unsigned int found = 0;
	size_t i;
	int r;

	r = hide ? run_mark_clear(RUN_MARK_EXPOSED, entry->name) :
		   run_mark_set(RUN_MARK_EXPOSED, entry->name, "");
	if (r) {
		report_error("%s: %s", run_mark_dir(RUN_MARK_EXPOSED), strerror(-r));
		return STATUS_FAILED;
	}
	r = blockdev_list(&list);
	for (i = 0; !r && i < list.nr; i++) {
		if (list.dev[i].ours || list.dev[i].suspended ||
		    entry_of_disk_too(tab, list.dev[i].path, list.dev[i].number) != entry)
			continue;
		trigger(list.dev[i].number);
		report_out("%s is %s\n", list.dev[i].path, hide ? "hidden" : "exposed");
		found++;
	}
	blockdev_list_free(&list);
	if (!found)
		report_warn("the main of %s is not here", entry->name);
	else if (!hide)
		report_warn("blocks of main that live on the spare are old on it: write nothing to it");
	return found ? STATUS_DONE : STATUS_LOOK;
}

static int run_expose(void *opaque)
{
	struct udev_options *options = opaque;
	const struct remaptab_entry *entry;
	int status = STATUS_FAILED;
	struct remaptab tab;

	if (!remaptab_read(&tab, options->tab)) {
		entry = remaptab_need(&tab, options->common.operands[0]);
		if (entry)
			status = expose(&tab, entry, options->hide);
	}
	remaptab_free(&tab);
	return report_finish(status);
}

const struct verb setup_udev = {
	.tool = &udev_tool,
	.help = "print what a device is to dm-remap, for udev rules",
	.options = &udev_options,
	.run = run_udev,
};

const struct verb setup_expose = {
	.tool = &expose_tool,
	.help = "let the main of a device be seen though the device is not up",
	.options = &expose_options,
	.run = run_expose,
};
