// SPDX-License-Identifier: GPL-2.0-only
/*
 * What LVM, LUKS, md, btrfs, ZFS, partitions and filesystems need on top of a mapped device.
 *
 * The udev rules hide main from all that goes by udev. This is for what looks into every device by
 * itself: each has its own way to be told not to.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "blockdev.h"
#include "dm.h"
#include "report.h"
#include "setup_advice.h"
#include "signature.h"

#define BY_ID "/dev/disk/by-id"

/* In the texts @NAME@ is the name of the device, and @MAIN@ a path of main that lasts. */
static const struct advice {
	const char *type;
	const char *text;
} advice[] = {
	{ "LVM2_member",
	  "LVM: have it leave main alone, in the section devices of /etc/lvm/lvm.conf or lvmlocal.conf:\n"
	  "    global_filter = [ \"r|^@MAIN@$|\" ]\n"
	  "and if use_devicesfile is 1: lvmdevices --adddev /dev/mapper/@NAME@" },
	{ "crypto_LUKS",
	  "LUKS: UUID= in /etc/crypttab leads to the mapped device; or name /dev/mapper/@NAME@ there, and to\n"
	  "cryptsetup; never main. With nofail,x-systemd.device-timeout=0 it is opened when a late spare comes" },
	{ "linux_raid_member",
	  "md: mdadm --assemble --scan looks into all devices, also into main: in /etc/mdadm/mdadm.conf\n"
	  "    DEVICE /dev/mapper/@NAME@\n"
	  "with the other members behind it, instead of a DEVICE line that has partitions or containers" },
	{ "btrfs",
	  "btrfs: in /etc/fstab mount it with the option\n"
	  "    device=/dev/mapper/@NAME@\n"
	  "and one for each other member. btrfs device scan without devices may find main:\n"
	  "btrfs device scan --forget, then btrfs device scan /dev/mapper/@NAME@" },
	{ "zfs_member",
	  "ZFS: import the pool by this path, and it stays: zpool import -d /dev/mapper/@NAME@ POOL, with -d for\n"
	  "each other member; in /etc/default/zfs: ZPOOL_IMPORT_PATH=\"/dev/mapper\"" },
	{ "swap",
	  "swap: UUID= in /etc/fstab leads to the mapped device; or name /dev/mapper/@NAME@ there, never main" },
	{ "",
	  "partitions: they are /dev/mapper/@NAME@-part1 and so on, made by kpartx (apt-get install kpartx) when the\n"
	  "device comes up; before remap-setup close: kpartx -d -p -part /dev/mapper/@NAME@" },
};

static const char filesystem_advice[] =
	"filesystem: UUID= in /etc/fstab leads to the mapped device; or name /dev/mapper/@NAME@ there, never main.\n"
	"With nofail,x-systemd.device-timeout=0 it is mounted when a late spare comes";

/* A link by the identity of a disk, which does not change as /dev/sdb does. */
static bool find_by_id(dev_t number, char path[PATH_MAX])
{
	DIR *dir = opendir(BY_ID);
	struct dirent *entry;
	bool found = false;
	struct stat st;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		snprintf(path, PATH_MAX, BY_ID "/%s", entry->d_name);
		found = !stat(path, &st) && S_ISBLK(st.st_mode) && st.st_rdev == number;
	}
	closedir(dir);
	return found;
}

static void find_main_path(const char *name, char path[PATH_MAX])
{
	struct dmdev_lines lines = { .nr = 0 };
	char word[64], plain[BLOCKDEV_PATH];
	struct dmdev live;
	dev_t number;

	strcpy(path, "MAIN");
	if (dmdev_find(&live, name))
		return;
	if (!dmdev_table(&live, &lines)) {
		if (lines.nr && sscanf(lines.line[0].text, "%63s", word) == 1 &&
		    blockdev_parse(word, &number) && !find_by_id(number, path))
			snprintf(path, PATH_MAX, "%s", blockdev_path(number, plain));
		dmdev_lines_free(&lines);
	}
	dmdev_free(&live);
}

static void print(const char *text, const char *name)
{
	char main[PATH_MAX];
	const char *mark;

	find_main_path(name, main);
	while ((mark = strchr(text, '@'))) {
		report_out("%.*s%s", (int)(mark - text), text, mark[1] == 'N' ? name : main);
		text = strchr(mark + 1, '@') + 1;
	}
	report_out("%s\n", text);
}

static const char *find(const char *type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(advice); i++)
		if (!strcmp(advice[i].type, type))
			return advice[i].text;
	return filesystem_advice;
}

void setup_advice(const char *name)
{
	char path[PATH_MAX], *type;
	struct device dev;

	snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	if (device_peek(&dev, path))
		return;
	type = signature_type(&dev);
	device_close(&dev);
	if (type)
		print(find(type), name);
	free(type);
}
