// SPDX-License-Identifier: GPL-2.0-only
/*
 * One task of libdevmapper for each call. libdevmapper logs to stderr by itself, so its log is
 * taken away; what it does by udev is waited for, and without udev it makes the nodes itself.
 */
#include <errno.h>
#include <libdevmapper.h>
#include <string.h>

#include "dm_table.h"

/* What device mapper does not escape in names, and a line of a file does not need to quote. */
#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.:=@_"

__attribute__((format(printf, 5, 6)))
static void drop_log(int level, const char *file, int line, int error, const char *fmt, ...)
{
}

const char *dm_table_name_problem(const char *name)
{
	if (!*name)
		return "is empty";
	if (strlen(name) > DM_TABLE_NAME_BYTES)
		return "is longer than 127 bytes";
	if (*name == '-' || *name == '.')
		return "begins with - or .";
	if (name[strspn(name, NAME_CHARACTERS)])
		return "has characters other than letters, digits, and +-.:=@_";
	return !strcmp(name, "control") ? "is device mapper's own" : NULL;
}

static struct dm_task *new_task(int type, const char *name)
{
	struct dm_task *task;

	dm_log_with_errno_init(drop_log);
	task = dm_task_create(type);
	if (task && name && !dm_task_set_name(task, name)) {
		dm_task_destroy(task);
		task = NULL;
	}
	return task;
}

/* Run @task and free it. @good: what came before went well. */
static int run_task(struct dm_task *task, bool good)
{
	int r = 0;

	if (!task)
		return -ENOMEM;
	if (!good)
		r = -ENOMEM;
	else if (!dm_task_run(task))
		r = dm_task_get_errno(task) ? -dm_task_get_errno(task) : -EIO;
	dm_task_destroy(task);
	return r;
}

/* The same, for tasks after which udev has something to do. */
static int run_task_and_wait(struct dm_task *task, bool good)
{
	uint32_t cookie = 0;
	int r;

	good = task && good && dm_task_set_cookie(task, &cookie, 0);
	r = run_task(task, good);
	if (cookie)
		dm_udev_wait(cookie);
	/* The tree of nodes is changed by a queue of libdevmapper's own. */
	dm_task_update_nodes();
	return r;
}

static bool set_line(struct dm_task *task, const struct dm_line *line)
{
	return task && dm_task_add_target(task, 0, line->sectors, line->target, line->params) &&
	       (!line->read_only || dm_task_set_ro(task));
}

int dm_table_has_target(const char *target)
{
	struct dm_task *task = new_task(DM_DEVICE_GET_TARGET_VERSION, target);
	int r = run_task(task, true);

	return r == -EINVAL ? -ENOENT : r;
}

bool dm_table_exists(const char *name, const char *uuid)
{
	struct dm_task *task = new_task(DM_DEVICE_INFO, name);
	struct dm_info info = { .exists = 0 };

	if (task && (!uuid || dm_task_set_uuid(task, uuid)) && dm_task_run(task))
		dm_task_get_info(task, &info);
	if (task)
		dm_task_destroy(task);
	return info.exists;
}

int dm_table_load(const char *name, const struct dm_line *line)
{
	struct dm_task *task = new_task(DM_DEVICE_RELOAD, name);

	return run_task(task, set_line(task, line));
}

int dm_table_suspend(const char *name, bool freeze)
{
	struct dm_task *task = new_task(DM_DEVICE_SUSPEND, name);

	return run_task(task, task && (freeze || dm_task_skip_lockfs(task)));
}

int dm_table_resume(const char *name)
{
	return run_task_and_wait(new_task(DM_DEVICE_RESUME, name), true);
}

int dm_table_remove(const char *name)
{
	struct dm_task *task = new_task(DM_DEVICE_REMOVE, name);

	/* udev may have it open for a moment, to look at it. */
	return run_task_and_wait(task, task && dm_task_retry_remove(task));
}

/*
 * Step by step: libdevmapper's create with a table does not tell which errno the table was refused with.
 */
int dm_table_create(const char *name, const char *uuid, const struct dm_line *line)
{
	struct dm_task *task = new_task(DM_DEVICE_CREATE, name);
	int r;

	/* Without a table there is nothing for udev to do, and nobody who would end a wait. */
	r = run_task(task, task && dm_task_set_uuid(task, uuid));
	if (r == -EBUSY)
		return -EEXIST;
	if (r)
		return r;
	r = dm_table_load(name, line);
	if (!r)
		r = dm_table_resume(name);
	if (r)
		dm_table_remove(name);
	return r;
}
