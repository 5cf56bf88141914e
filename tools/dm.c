// SPDX-License-Identifier: GPL-2.0-only
/*
 * The live devices of the target. See dm.h. Owns everything that is said to libdevmapper, and
 * keeps that from writing to stderr by itself.
 *
 * Devices are found by number and addressed by name from then on: a number is given to another
 * device at once when one goes away, a name means what its owner says.
 */
#include <fcntl.h>
#include <libdevmapper.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dm.h"
#include "escape.h"
#include "report.h"

#define LOG_LEVEL_MASK 7	/* libdevmapper puts flags above the level */
#define LOG_WARNING 4

/* What libdevmapper has to say is the errno in other words. */
__attribute__((format(printf, 5, 6)))
static void log_quietly(int level, const char *file, int line, int dm_errno, const char *fmt, ...)
{
	char *text, *shown;
	va_list ap;

	(void)file;
	(void)line;
	(void)dm_errno;
	if ((level & LOG_LEVEL_MASK) > LOG_WARNING || !report_is_verbose())
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text)
		return;
	shown = escape_text(text, strlen(text));
	report_verbose("libdevmapper: %s", shown);
	free(shown);
	free(text);
}

static char *copy_text(const char *text)
{
	size_t bytes = strlen(text ? text : "") + 1;

	return memcpy(report_alloc(bytes), text ? text : "", bytes);
}

/* Return: NULL without memory, and where device mapper does not answer at all. */
static struct dm_task *try_task(int type)
{
	dm_log_with_errno_init(log_quietly);
	return dm_task_create(type);
}

/* After dmdev_check(). Return: never NULL. */
static struct dm_task *new_task(int type)
{
	struct dm_task *task = try_task(type);

	if (!task)
		report_out_of_memory();
	return task;
}

static int run_task(struct dm_task *task)
{
	int error;

	if (dm_task_run(task))
		return 0;
	error = dm_task_get_errno(task);
	if (error == EPERM)
		return -EACCES;
	/* No ioctl was done at all. */
	return error ? -error : -ENOSYS;
}

int dmdev_check(void)
{
	char path[PATH_MAX];
	struct dm_task *task;
	int fd, r;

	snprintf(path, sizeof(path), "%s/control", dm_dir());
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return -EACCES;
	if (fd >= 0)
		close(fd);
	/* Where the node is missing the library makes it, if the driver is there. */
	task = try_task(DM_DEVICE_VERSION);
	if (!task)
		return -ENOSYS;
	r = run_task(task);
	dm_task_destroy(task);
	return r;
}

int dmdev_target_version(u32 version[3])
{
	struct dm_versions *target;
	struct dm_task *task;
	int r;

	r = dmdev_check();
	if (r)
		return r;
	task = new_task(DM_DEVICE_LIST_VERSIONS);
	r = run_task(task);
	target = r ? NULL : dm_task_get_versions(task);
	while (target && strcmp(target->name, DMDEV_TARGET))
		target = target->next ? (void *)((char *)target + target->next) : NULL;
	if (target)
		memcpy(version, target->version, sizeof(target->version));
	else if (!r)
		r = -ENOENT;
	dm_task_destroy(task);
	return r;
}

bool dmdev_is_ours(const char *target)
{
	return !strcmp(target, DMDEV_TARGET) || !strcmp(target, DMDEV_TARGET_V4);
}

/*
 * Asking for a device
 */

static void copy_lines(struct dm_task *task, struct dmdev_lines *lines)
{
	struct dmdev_line *line;
	u64 start, sectors;
	char *target, *text;
	void *next = NULL;

	do {
		next = dm_get_next_target(task, next, &start, &sectors, &target, &text);
		if (!target)
			continue;
		lines->line = report_grow(lines->line, lines->nr, &lines->room, sizeof(*line));
		line = &lines->line[lines->nr++];
		line->start_sectors = start;
		line->sectors = sectors;
		line->target = copy_text(target);
		line->text = copy_text(text);
	} while (next);
}

static void copy_info(struct dm_task *task, const struct dm_info *info, struct dmdev *dev)
{
	free(dev->uuid);
	dev->uuid = copy_text(dm_task_get_uuid(task));
	dev->major = info->major;
	dev->minor = info->minor;
	dev->open_count = (u32)info->open_count;
	dev->event_nr = info->event_nr;
	dev->suspended = info->suspended;
	dev->read_only = info->read_only;
	dev->live_table = info->live_table;
}

/* @task: addressed; destroyed. @dev gets its name unless it has one. */
static int ask(struct dm_task *task, struct dmdev *dev, struct dmdev_lines *lines)
{
	struct dm_info info;
	int r;

	dm_task_no_flush(task);
	r = run_task(task);
	if (!r && (!dm_task_get_info(task, &info) || !info.exists))
		r = -ENXIO;
	if (!r) {
		copy_info(task, &info, dev);
		copy_lines(task, lines);
		if (!dev->name) {
			dev->name = copy_text(dm_task_get_name(task));
			dev->shown = escape_text(dev->name, strlen(dev->name));
		}
	}
	dm_task_destroy(task);
	return r;
}

static int ask_by_name(int type, const char *name, struct dmdev *dev, struct dmdev_lines *lines)
{
	struct dm_task *task = new_task(type);

	*lines = (struct dmdev_lines){ .nr = 0 };
	if (!dm_task_set_name(task, name)) {
		/* No device can have this name. */
		dm_task_destroy(task);
		return -ENXIO;
	}
	return ask(task, dev, lines);
}

static int ask_by_number(int type, dev_t number, struct dmdev *dev, struct dmdev_lines *lines)
{
	struct dm_task *task;

	*lines = (struct dmdev_lines){ .nr = 0 };
	if (!dm_is_dm_major(major(number)))
		return -ENOTTY;
	task = new_task(type);
	dm_task_set_major_minor(task, (int)major(number), (int)minor(number), 1);
	return ask(task, dev, lines);
}

int dmdev_status(struct dmdev *dev, struct dmdev_lines *lines)
{
	return ask_by_name(DM_DEVICE_STATUS, dev->name, dev, lines);
}

int dmdev_table(struct dmdev *dev, struct dmdev_lines *lines)
{
	return ask_by_name(DM_DEVICE_TABLE, dev->name, dev, lines);
}

/*
 * Finding devices
 */

static bool have_ours(const struct dmdev_lines *lines)
{
	size_t i;

	for (i = 0; i < lines->nr; i++)
		if (dmdev_is_ours(lines->line[i].target))
			return true;
	return false;
}

static int find(struct dmdev *dev, const char *operand, struct dmdev_lines *lines)
{
	size_t dir_bytes = strlen(dm_dir());
	struct stat stat_buf;

	if (!strchr(operand, '/'))
		return ask_by_name(DM_DEVICE_TABLE, operand, dev, lines);
	if (!stat(operand, &stat_buf))
		return S_ISBLK(stat_buf.st_mode) ?
		       ask_by_number(DM_DEVICE_TABLE, stat_buf.st_rdev, dev, lines) : -ENOTTY;
	/* Nobody makes nodes here, perhaps. */
	if (!strncmp(operand, dm_dir(), dir_bytes) && operand[dir_bytes] == '/' &&
	    !strchr(operand + dir_bytes + 1, '/'))
		return ask_by_name(DM_DEVICE_TABLE, operand + dir_bytes + 1, dev, lines);
	return -ENXIO;
}

/* @r: what finding a device has given, which a missing module or one of another version explains. */
static int check_version(int r)
{
	u32 version[3];
	int version_r = dmdev_target_version(version);

	if (version_r == -ENOENT)
		return -ENOPKG;
	if (version_r)
		return version_r;
	return version[0] == DMDEV_VERSION ? r : -EPROTONOSUPPORT;
}

int dmdev_find(struct dmdev *dev, const char *operand)
{
	struct dmdev_lines lines = { .nr = 0 };
	int r;

	*dev = (struct dmdev){ .name = NULL };
	r = dmdev_check();
	if (!r)
		r = find(dev, operand, &lines);
	if (!r && !have_ours(&lines))
		r = -ENOTTY;
	dmdev_lines_free(&lines);
	if (!r || r == -ENXIO)
		r = check_version(r);
	if (r)
		dmdev_free(dev);
	return r;
}

static int by_number(const void *a, const void *b)
{
	const struct dmdev *x = a, *y = b;

	if (x->major != y->major)
		return x->major < y->major ? -1 : 1;
	return x->minor < y->minor ? -1 : x->minor > y->minor;
}

/* Take a device into the list if it is one of ours. */
static int list_add_ours(struct dmdev_list *list, const char *name)
{
	struct dmdev dev = { .name = NULL };
	struct dmdev_lines lines;
	int r;

	r = ask_by_name(DM_DEVICE_TABLE, name, &dev, &lines);
	if (!r && have_ours(&lines)) {
		list->dev = report_grow(list->dev, list->nr, &list->room, sizeof(dev));
		list->dev[list->nr++] = dev;
	} else {
		dmdev_free(&dev);
	}
	dmdev_lines_free(&lines);
	return r == -ENXIO ? 0 : r;
}

int dmdev_list(struct dmdev_list *list)
{
	struct dm_names *names;
	struct dm_task *task;
	int r;

	*list = (struct dmdev_list){ .nr = 0 };
	r = dmdev_check();
	if (r)
		return r;
	task = new_task(DM_DEVICE_LIST);
	r = run_task(task);
	names = r ? NULL : dm_task_get_names(task);
	/* Without any device there is one name without a number. */
	while (names && names->dev && !r) {
		r = list_add_ours(list, names->name);
		names = names->next ? (void *)((char *)names + names->next) : NULL;
	}
	dm_task_destroy(task);
	if (r)
		dmdev_list_free(list);
	else if (list->nr)
		qsort(list->dev, list->nr, sizeof(*list->dev), by_number);
	return r;
}

/*
 * Messages
 */

int dmdev_message(const struct dmdev *dev, u64 sector, const char *message, char **answer)
{
	struct dm_task *task = new_task(DM_DEVICE_TARGET_MSG);
	int r = -ENOMEM;

	if (dm_task_set_name(task, dev->name) && dm_task_set_sector(task, sector) &&
	    dm_task_set_message(task, message))
		r = run_task(task);
	if (!r && answer)
		*answer = copy_text(dm_task_get_message_response(task));
	dm_task_destroy(task);
	return r;
}

/*
 * Freeing, and errors in words
 */

void dmdev_free(struct dmdev *dev)
{
	free(dev->name);
	free(dev->shown);
	free(dev->uuid);
	*dev = (struct dmdev){ .name = NULL };
}

void dmdev_list_free(struct dmdev_list *list)
{
	while (list->nr)
		dmdev_free(&list->dev[--list->nr]);
	free(list->dev);
	*list = (struct dmdev_list){ .nr = 0 };
}

void dmdev_lines_free(struct dmdev_lines *lines)
{
	while (lines->nr) {
		free(lines->line[--lines->nr].target);
		free(lines->line[lines->nr].text);
	}
	free(lines->line);
	*lines = (struct dmdev_lines){ .nr = 0 };
}

const char *dmdev_explain(int error)
{
	switch (error) {
	case -ENOSYS:
		return "no device mapper in this kernel, or no /dev/mapper/control to reach it by (modprobe dm_mod)";
	case -EACCES:
		return "no permission to use device mapper (/dev/mapper/control): only root has it";
	case -ENXIO:
		return "no such mapped device (dmsetup ls lists those there are)";
	case -ENOPKG:
		return "no such mapped device, and the module of dm-remap is not loaded (modprobe dm-remap)";
	case -ENOTTY:
		return "not a device of dm-remap (dmsetup ls --target remap lists those there are)";
	case -EPROTONOSUPPORT:
		return "the dm-remap module in the kernel is of another version than the tools, which are for version 4 (modinfo dm-remap)";
	case -EBUSY:
		return "suspended, or not in operation yet: dmsetup resume it, then do this again";
	case -EROFS:
		return "read-only";
	case -EIO:
		return "has failed, all I/O to it fails: the kernel log says why (dmesg)";
	default:
		return strerror(-error);
	}
}

void dmdev_report(const char *operand, int error)
{
	char *shown;

	if (!operand) {
		report_error("%s", dmdev_explain(error));
		return;
	}
	shown = escape_text(operand, strlen(operand));
	report_error("%s: %s", shown, dmdev_explain(error));
	free(shown);
}
