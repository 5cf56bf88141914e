// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making a backup. See backup.h.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup_dir.h"
#include "directory.h"
#include "escape.h"
#include "report.h"
#include "spare.h"
#include "units.h"
#include "backup.h"

/* remap-dump is beside this program, installed or not; else where programs are. */
static int run_dump(const char *spare, const char *path)
{
	char *argv[] = { "remap-dump", "-q", "-F", "json", "-o", (char *)path, "--",
			 (char *)spare, NULL };
	char program[PATH_MAX + 16];
	ssize_t bytes = readlink("/proc/self/exe", program, PATH_MAX);
	char *slash;
	int r = ENOENT, status;
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	program[max(bytes, (ssize_t)0)] = 0;
	slash = strrchr(program, '/');
	if (slash) {
		strcpy(slash + 1, "remap-dump");
		r = posix_spawn(&pid, program, &actions, NULL, argv, environ);
	}
	if (r == ENOENT)
		r = posix_spawnp(&pid, "remap-dump", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r) {
		report_error("cannot run remap-dump: %s; there is no backup", strerror(r));
		return STATUS_FAILED;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return STATUS_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_FAILED;
}

static int find_uuid(const char *spare, char *uuid)
{
	struct rmeta_superblock sb;
	struct rmeta_geometry geo;
	struct device dev;
	bool found;

	if (device_open(&dev, spare, DEVICE_READ, "spare"))
		return STATUS_FAILED;
	found = spare_superblock(&sb, &geo, &dev);
	if (found)
		units_uuid(sb.uuid, uuid);
	else
		report_error("%s has no superblock that is whole, so it is no spare or a damaged one (remap-check -n %s); there is no backup",
			     dev.shown, dev.shown);
	device_close(&dev);
	return found ? STATUS_DONE : STATUS_FAILED;
}

static int make_directory(const char *dir)
{
	char *shown;
	int error;

	if (!mkdir(dir, 0700)) {
		directory_sync(dir);
		return STATUS_DONE;
	}
	error = errno;
	if (error == EEXIST)
		return STATUS_DONE;
	shown = escape_text(dir, strlen(dir));
	report_error("cannot make the directory %s: %s; there is no backup", shown, strerror(error));
	free(shown);
	return STATUS_FAILED;
}

/* @path: out: PATH_MAX bytes. Return: false, reported, when it does not fit. */
static bool make_path(char *path, const char *dir, const char *uuid, time_t when, bool whole)
{
	char name[BACKUP_NAME_BYTES];

	backup_dir_name(name, uuid, when, whole);
	if (snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX)
		return true;
	report_error("the name of the directory is too long; there is no backup");
	return false;
}

/*
 * It is called partial until it is known that it is not: a crash leaves nothing that could be taken for
 * a whole one.
 */
static int name_whole(const char *written, const char *path)
{
	int error;

	if (!rename(written, path)) {
		error = -directory_sync(path);
		if (!error)
			return STATUS_DONE;
	} else {
		error = errno;
		unlink(written);
	}
	report_error("a backup could not be given its name: %s", strerror(error));
	return STATUS_FAILED;
}

int backup_make(struct backup *backup, const char *spare, const char *dir)
{
	char uuid[40], partial[PATH_MAX], whole[PATH_MAX];
	time_t now = time(NULL);
	int status, named;

	*backup = (struct backup){ .removed = 0 };
	status = find_uuid(spare, uuid);
	if (!status)
		status = make_directory(dir);
	if (status)
		return status;
	if (!make_path(partial, dir, uuid, now, false) || !make_path(whole, dir, uuid, now, true))
		return STATUS_FAILED;
	status = run_dump(spare, partial);
	if (access(partial, F_OK)) {
		report_error("there is no backup: remap-dump failed with status %d", status);
		return status ? status : STATUS_FAILED;
	}
	backup->partial = status >= STATUS_DAMAGED;
	named = backup->partial ? STATUS_DONE : name_whole(partial, whole);
	if (named)
		return named;
	memcpy(backup->path, backup->partial ? partial : whole, PATH_MAX);
	backup->removed = backup_dir_forget(dir, uuid, !backup->partial);
	return status;
}
