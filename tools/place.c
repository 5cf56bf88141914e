// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the addresses of a list are. See place.h.
 *
 *	the list was made on		its addresses are	subtracted
 *	nobody says			of main			0
 *	a device, with --offset		of that device		--offset
 *	main, or its mapped device	of main			0
 *	main's disk			of the disk		main's start
 *	another partition of it		of that partition	main's start - its start
 *
 * and where the list's addresses are of the whole disk by its nature (smart, kernel logs), main's
 * start, whichever device is named. Main's start is in the superblock if main was there when the
 * spare was formatted.
 */
#include <limits.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "escape.h"
#include "place.h"
#include "report.h"
#include "signature.h"
#include "units.h"

/* A partition that starts behind this is on no disk: a damaged or hostile superblock. */
#define MAX_START_SECTORS ((u64)1 << 54)

static bool knows_main(const struct rmeta_superblock *sb)
{
	static const u8 none[sizeof(sb->main_partuuid)];

	return (sb->main_id[0] || sb->main_start ||
		memcmp(sb->main_partuuid, none, sizeof(none))) &&
	       sb->main_start < MAX_START_SECTORS;
}

__attribute__((format(printf, 3, 4)))
static int found(struct place *place, s64 origin_sectors, const char *fmt, ...)
{
	va_list ap;

	place->origin_sectors = origin_sectors;
	va_start(ap, fmt);
	vsnprintf(place->explained, sizeof(place->explained), fmt, ap);
	va_end(ap);
	return 0;
}

static int found_on_disk(struct place *place, u64 main_start)
{
	return found(place, (s64)main_start, "of the whole disk; main starts at its sector %llu",
		     (unsigned long long)main_start);
}

static int refuse_other_disk(const struct device *dev, const struct identity *identity,
			     const struct rmeta_superblock *sb)
{
	char *here = escape_text(identity->id, strlen(identity->id));
	char *there = escape_text(sb->main_id, strlen(sb->main_id));

	report_error("%s is another disk (%s) than the one that main is on (%s); nothing was changed (--offset insists)",
		     dev->shown, here, there);
	free(here);
	free(there);
	return -EINVAL;
}

/* The device that the list was made on is here. */
static int find_on_device(struct place *place, bool of_disk, const struct rmeta_superblock *sb,
			  const struct device *dev)
{
	bool known = knows_main(sb), as_long = dev->sectors == sb->main_sectors;
	struct identity identity;

	identity_get(dev, &identity);
	if (identity.id[0] && sb->main_id[0] && strcmp(identity.id, sb->main_id))
		return refuse_other_disk(dev, &identity, sb);
	if (of_disk && known)
		return found_on_disk(place, sb->main_start);
	if (of_disk && as_long)
		return found_on_disk(place, identity.start_sectors);
	if (!of_disk && as_long && (!known || identity.start_sectors == sb->main_start ||
				    !identity.start_sectors))
		return found(place, 0, "of main");
	if (!of_disk && known)
		return found(place, (s64)sb->main_start - (s64)identity.start_sectors,
			     "of %.60s; main starts at its sector %lld", dev->shown,
			     (long long)sb->main_start - (long long)identity.start_sectors);
	report_error("%s is not as long as main, and the spare does not know where main starts on its disk (it was formatted by size): give --offset; nothing was changed",
		     dev->shown);
	return -EINVAL;
}

/* A name as the kernel says it, "sda", is that in /dev unless there is such a file here. */
static const char *find_path(const char *name, char *path, size_t bytes)
{
	if (strchr(name, '/') || !access(name, F_OK))
		return name;
	snprintf(path, bytes, "/dev/%s", name);
	return access(path, F_OK) ? name : path;
}

static int find_by_device(struct place *place, bool of_disk, const struct rmeta_superblock *sb)
{
	char in_dev[PATH_MAX];
	const char *path = find_path(place->made_on, in_dev, sizeof(in_dev));
	bool missing = access(path, F_OK);
	struct device dev;
	char *shown;
	int r;

	if (of_disk && knows_main(sb) && missing)
		return found_on_disk(place, sb->main_start);
	if (missing) {
		shown = escape_text(place->made_on, strlen(place->made_on));
		report_error("cannot find %s, which the list was made on: %s; give --offset, where main starts on it; nothing was changed",
			     shown, strerror(ENOENT));
		free(shown);
		return -ENOENT;
	}
	r = device_open(&dev, path, DEVICE_READ, "device that the list was made on");
	if (r)
		return r;
	r = find_on_device(place, of_disk, sb, &dev);
	device_close(&dev);
	return r;
}

int place_find(struct place *place, bool of_disk, const struct rmeta_superblock *sb)
{
	if (place->have_offset)
		return found(place, (s64)place->offset_sectors,
			     "of a device on which main starts at sector %llu (--offset)",
			     (unsigned long long)place->offset_sectors);
	if (place->made_on)
		return find_by_device(place, of_disk, sb);
	if (!of_disk)
		return found(place, 0, "of main");
	if (knows_main(sb))
		return found_on_disk(place, sb->main_start);
	report_error("the list's addresses are of the whole disk, and the spare does not know where main starts on it (it was formatted by size): give --offset, 0 if main is the whole disk, or --made-on DEV; nothing was changed");
	return -EINVAL;
}

void place_disk_name(const char *path, char *name, size_t bytes)
{
	char in_dev[PATH_MAX], link[64], target[PATH_MAX], partition[PATH_MAX + 16], *base;
	struct stat stat_buf;

	path = find_path(path, in_dev, sizeof(in_dev));
	base = strrchr(path, '/');
	snprintf(name, bytes, "%s", base ? base + 1 : path);
	if (stat(path, &stat_buf) || !S_ISBLK(stat_buf.st_mode))
		return;
	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(stat_buf.st_rdev),
		 minor(stat_buf.st_rdev));
	if (!realpath(link, target))
		return;
	snprintf(partition, sizeof(partition), "%s/partition", target);
	base = strrchr(target, '/');
	if (!access(partition, F_OK)) {
		*base = 0;
		base = strrchr(target, '/');
	}
	if (base)
		snprintf(name, bytes, "%s", base + 1);
}

bool place_check_source(const struct list_source *source, const struct rmeta_superblock *sb)
{
	if (!sb->main_id[0])
		return true;
	if (source->wwid[0] && !strncasecmp(sb->main_id, "naa.", 4))
		return !strcasecmp(source->wwid, sb->main_id);
	/* Other identities have the serial number in them, or are it; eui and nvme do not say. */
	if (source->serial[0] && (!strncmp(sb->main_id, "t10.", 4) || !strchr(sb->main_id, '.')))
		return strstr(sb->main_id, source->serial);
	return true;
}
