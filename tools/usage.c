// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who uses a device: device_usage() of device.h. Reads /proc/self/mountinfo, /proc/swaps
 * and sysfs; opens no device but loop devices, and those only to ask whether they are busy.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "device.h"
#include "escape.h"
#include "report.h"

#define PATH_BYTES 4096

static char *usage_of_block(dev_t number, unsigned int depth);

static bool is_block_device(const char *path, dev_t number)
{
	struct stat stat_buf;

	return !stat(path, &stat_buf) && S_ISBLK(stat_buf.st_mode) && stat_buf.st_rdev == number;
}

/*
 * A line of mountinfo: "36 35 98:0 /root /where options optional... - type source super".
 * btrfs shows an anonymous number, so the source counts too.
 */
static char *mount_of_line(char *line, dev_t number)
{
	char where[PATH_BYTES], source[PATH_BYTES];
	unsigned int major_nr, minor_nr;
	char *rest, *escaped, *text;

	if (sscanf(line, "%*s %*s %u:%u %*s %4095s", &major_nr, &minor_nr, where) != 3)
		return NULL;
	if (makedev(major_nr, minor_nr) != number) {
		rest = strstr(line, " - ");
		if (!rest || sscanf(rest, " - %*s %4095s", source) != 1 || source[0] != '/')
			return NULL;
		escape_undo_octal(source);
		if (!is_block_device(source, number))
			return NULL;
	}
	escape_undo_octal(where);
	escaped = escape_text(where, strlen(where));
	text = report_format("mounted on %s", escaped);
	free(escaped);
	return text;
}

static char *find_mount(dev_t number)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, *text = NULL;
	size_t room = 0;

	if (!mounts)
		return NULL;
	while (!text && getline(&line, &room, mounts) > 0)
		text = mount_of_line(line, number);
	free(line);
	fclose(mounts);
	return text;
}

/* Swap on a block device or on a file. */
static char *find_swap(const struct stat *stat_buf)
{
	FILE *swaps = fopen("/proc/swaps", "re");
	char *line = NULL, *text = NULL;
	char path[PATH_BYTES];
	struct stat swap;
	size_t room = 0;

	if (!swaps)
		return NULL;
	while (!text && getline(&line, &room, swaps) > 0) {
		if (sscanf(line, "%4095s", path) != 1 || path[0] != '/')
			continue;
		escape_undo_octal(path);
		if (stat(path, &swap))
			continue;
		if (S_ISBLK(swap.st_mode) ? S_ISBLK(stat_buf->st_mode) &&
					    swap.st_rdev == stat_buf->st_rdev :
		    swap.st_dev == stat_buf->st_dev && swap.st_ino == stat_buf->st_ino)
			text = report_format("swap space");
	}
	free(line);
	fclose(swaps);
	return text;
}

/* One line of a file in sysfs, without its newline. Return: false when there is none. */
static bool read_line(const char *path, char *line, size_t bytes)
{
	FILE *file = fopen(path, "re");
	bool good;

	if (!file)
		return false;
	good = fgets(line, (int)bytes, file);
	fclose(file);
	if (good)
		line[strcspn(line, "\n")] = 0;
	return good;
}

/* The first entry of a directory of sysfs, or false. */
static bool first_entry(const char *path, char *name, size_t bytes)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool found = false;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, bytes, "%s", entry->d_name);
		found = true;
	}
	closedir(dir);
	return found;
}

/* Device mapper, md, bcache: whoever sysfs names as a holder. */
static char *find_holder(const char *sysfs)
{
	char path[PATH_BYTES], holder[256], name[256], *escaped, *text;

	snprintf(path, sizeof(path), "%s/holders", sysfs);
	if (!first_entry(path, holder, sizeof(holder)))
		return NULL;
	snprintf(path, sizeof(path), "%s/holders/%s/dm/name", sysfs, holder);
	if (!read_line(path, name, sizeof(name)))
		return report_format("held by %s", holder);
	escaped = escape_text(name, strlen(name));
	text = report_format("held by device mapper (%s, \"%s\")", holder, escaped);
	free(escaped);
	return text;
}

/* A partition of a device that is used makes the device used. */
static char *find_used_partition(const char *sysfs, unsigned int depth)
{
	DIR *dir = opendir(sysfs);
	char path[PATH_BYTES], line[64], *usage = NULL, *text = NULL;
	unsigned int major_nr, minor_nr;
	struct dirent *entry;

	if (!dir)
		return NULL;
	while (!usage && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s/partition", sysfs, entry->d_name);
		if (entry->d_name[0] == '.' || access(path, F_OK))
			continue;
		snprintf(path, sizeof(path), "%s/%s/dev", sysfs, entry->d_name);
		if (!read_line(path, line, sizeof(line)) ||
		    sscanf(line, "%u:%u", &major_nr, &minor_nr) != 2)
			continue;
		usage = usage_of_block(makedev(major_nr, minor_nr), depth);
		if (usage)
			text = report_format("through its partition %s (%s)", entry->d_name, usage);
	}
	closedir(dir);
	free(usage);
	return text;
}

/* Is the loop device free? Asks the kernel with O_EXCL; without permission it cannot say. */
static bool loop_is_claimed(const char *name)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return errno == EBUSY;
	close(fd);
	return false;
}

static char *usage_of_loop(const char *name, unsigned int depth)
{
	char path[PATH_BYTES], line[64], *usage, *text = NULL;
	unsigned int major_nr, minor_nr;

	snprintf(path, sizeof(path), "/sys/block/%s/dev", name);
	if (!read_line(path, line, sizeof(line)) ||
	    sscanf(line, "%u:%u", &major_nr, &minor_nr) != 2)
		return NULL;
	usage = usage_of_block(makedev(major_nr, minor_nr), depth);
	if (usage)
		text = report_format("it is behind /dev/%s (%s)", name, usage);
	else if (loop_is_claimed(name))
		text = report_format("it is behind /dev/%s, which another program holds", name);
	free(usage);
	return text;
}

/* Loop devices with this file (or block device) behind them that are themselves used. */
static char *find_busy_loop(const struct stat *stat_buf, unsigned int depth)
{
	DIR *dir = opendir("/sys/block");
	char path[PATH_BYTES], backing[PATH_BYTES], *text = NULL;
	struct dirent *entry;
	struct stat behind;

	if (!dir)
		return NULL;
	while (!text && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "loop", 4))
			continue;
		snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", entry->d_name);
		if (!read_line(path, backing, sizeof(backing)) || stat(backing, &behind))
			continue;
		if (S_ISBLK(stat_buf->st_mode) ?
		    S_ISBLK(behind.st_mode) && behind.st_rdev == stat_buf->st_rdev :
		    behind.st_dev == stat_buf->st_dev && behind.st_ino == stat_buf->st_ino)
			text = usage_of_loop(entry->d_name, depth);
	}
	closedir(dir);
	return text;
}

/* @depth: how many more devices may be stacked: a guard, not a limit anyone meets. */
static char *usage_of_block(dev_t number, unsigned int depth)
{
	struct stat stat_buf = { .st_mode = S_IFBLK, .st_rdev = number };
	char sysfs[64], *text;

	if (!depth)
		return NULL;
	snprintf(sysfs, sizeof(sysfs), "/sys/dev/block/%u:%u", major(number), minor(number));
	text = find_mount(number);
	if (!text)
		text = find_swap(&stat_buf);
	if (!text)
		text = find_holder(sysfs);
	if (!text)
		text = find_busy_loop(&stat_buf, depth - 1);
	if (!text)
		text = find_used_partition(sysfs, depth - 1);
	return text;
}

char *device_usage(const struct stat *stat_buf)
{
	char *text;

	if (S_ISBLK(stat_buf->st_mode))
		return usage_of_block(stat_buf->st_rdev, 8);
	text = find_swap(stat_buf);
	return text ? text : find_busy_loop(stat_buf, 8);
}
