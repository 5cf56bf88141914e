// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block devices, from sysfs.
 */
#include <blkid/blkid.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "blockdev.h"
#include "escape.h"
#include "report.h"
#include "sysfs.h"
#include "units.h"

#define CLASS "/sys/class/block"

bool blockdev_parse(const char *text, dev_t *number)
{
	unsigned int major_nr, minor_nr;
	char end;

	if (sscanf(text, "%u:%u%c", &major_nr, &minor_nr, &end) != 2)
		return false;
	*number = makedev(major_nr, minor_nr);
	return true;
}

bool blockdev_parse_spare(const char *text, dev_t *number)
{
	char spare[64];

	return sscanf(text, "%*63s %63s", spare) == 1 && blockdev_parse(spare, number);
}

/* The name of the kernel for it is what its directory is called, but for "!" instead of "/". */
static void set_path(struct blockdev *dev, const char *dir, const char *name)
{
	char mapped[BLOCKDEV_PATH], *escaped;
	size_t i;

	if (!strncmp(name, "dm-", 3) && sysfs_read(dir, "dm/name", mapped, 130)) {
		escaped = escape_text(mapped, strlen(mapped));
		snprintf(dev->path, sizeof(dev->path), "/dev/mapper/%.300s", escaped);
	} else {
		escaped = escape_text(name, strlen(name));
		snprintf(dev->path, sizeof(dev->path), "/dev/%.300s", escaped);
		for (i = 5; dev->path[i]; i++)
			if (dev->path[i] == '!')
				dev->path[i] = '/';
	}
	free(escaped);
}

static bool read_device(struct blockdev *dev, const char *dir, const char *name)
{
	char value[200];

	*dev = (struct blockdev){ .number = 0 };
	if (!sysfs_read(dir, "dev", value, sizeof(value)) ||
	    !blockdev_parse(value, &dev->number))
		return false;
	if (sysfs_read(dir, "size", value, sizeof(value)))
		dev->sectors = strtoull(value, NULL, 10);
	/* Most devices are not mapped, and there may be hundreds. */
	if (!strncmp(name, "dm-", 3)) {
		dev->ours = sysfs_read(dir, "dm/uuid", value, sizeof(value)) &&
			    !strncmp(value, BLOCKDEV_OUR_UUID, strlen(BLOCKDEV_OUR_UUID));
		dev->suspended = sysfs_read(dir, "dm/suspended", value, sizeof(value)) &&
				 strcmp(value, "0");
	}
	set_path(dev, dir, name);
	return true;
}

int blockdev_get(struct blockdev *dev, dev_t number)
{
	char dir[64], target[BLOCKDEV_PATH];
	const char *name;
	ssize_t bytes;

	snprintf(dir, sizeof(dir), "/sys/dev/block/%u:%u", major(number), minor(number));
	bytes = readlink(dir, target, sizeof(target) - 1);
	if (bytes < 0)
		return -ENODEV;
	target[bytes] = 0;
	name = strrchr(target, '/');
	return read_device(dev, dir, name ? name + 1 : target) ? 0 : -ENODEV;
}

const char *blockdev_path(dev_t number, char *path)
{
	struct blockdev dev;

	if (blockdev_get(&dev, number))
		snprintf(path, BLOCKDEV_PATH, "%u:%u", major(number), minor(number));
	else
		memcpy(path, dev.path, BLOCKDEV_PATH);
	return path;
}

const char *blockdev_dm_uuid(const u8 uuid[16], char *dm_uuid)
{
	char text[40];

	snprintf(dm_uuid, BLOCKDEV_DM_UUID, BLOCKDEV_OUR_UUID "%s", units_uuid(uuid, text));
	return dm_uuid;
}

static int by_number(const void *a, const void *b)
{
	const struct blockdev *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

int blockdev_list(struct blockdev_list *list)
{
	DIR *class = opendir(CLASS);
	char dir[BLOCKDEV_PATH];
	struct dirent *entry;
	struct blockdev dev;
	int r;

	*list = (struct blockdev_list){ .nr = 0 };
	if (!class) {
		r = -errno;
		report_error("cannot list block devices: %s: %s", CLASS, strerror(-r));
		return r;
	}
	while ((entry = readdir(class))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(dir, sizeof(dir), "%s/%s", CLASS, entry->d_name);
		if (!read_device(&dev, dir, entry->d_name) || !dev.sectors)
			continue;
		list->dev = report_grow(list->dev, list->nr, &list->room, sizeof(dev));
		list->dev[list->nr++] = dev;
	}
	closedir(class);
	if (list->nr)
		qsort(list->dev, list->nr, sizeof(dev), by_number);
	return 0;
}

void blockdev_list_free(struct blockdev_list *list)
{
	free(list->dev);
	*list = (struct blockdev_list){ .nr = 0 };
}

char *blockdev_model(dev_t number)
{
	char dir[64], value[200] = "";
	dev_t disk = number;

	if (blkid_devno_to_wholedisk(number, NULL, 0, &disk))
		disk = number;
	snprintf(dir, sizeof(dir), "/sys/dev/block/%u:%u", major(disk), minor(disk));
	if (!sysfs_read(dir, "device/model", value, sizeof(value)))
		*value = 0;
	return escape_text(value, strlen(value));
}
