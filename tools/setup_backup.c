// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup backup: keep the list of what a spare holds where it does not die with the spare. What
 * is written is remap-dump's JSON, by remap-dump itself; this chooses the name, and forgets old ones:
 *
 *	<uuid of the spare>-<UTC time>.json.gz
 *
 * Of a spare's backups the newest NEWEST stay, and of those behind them the newest of each day, up to
 * DAYS of them. Nothing that has another name is touched.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "escape.h"
#include "live.h"
#include "report.h"
#include "setup.h"
#include "spare.h"
#include "units.h"

#define BACKUP_DIR "/var/lib/dm-remap"
#define NEWEST 20
#define DAYS 366
#define UUID_CHARS 36
#define TIME_FORMAT "%Y%m%dT%H%M%SZ"
#define TIME_CHARS 16		/* of TIME_FORMAT */
#define DAY_CHARS 8		/* of those, the day */
#define SUFFIX ".json.gz"
#define NAME_CHARS (UUID_CHARS + 1 + TIME_CHARS + sizeof(SUFFIX) - 1)

struct backup_options {
	struct common_options common;
	const char *dir;
};

static const struct option_row rows[] = {
	{ .letter = 'd', .name = "directory", .kind = OPTION_FILE,
	  .field = offsetof(struct backup_options, dir), .argument = "DIR",
	  .help = "where backups are, instead of " BACKUP_DIR },
};

static const struct operand_row operands[] = {
	{ "TARGET", OPTION_DEVICE },
};

static const struct tool tool = {
	.name = SETUP_TOOL,
	.verb = "backup",
	.summary = "Write the list of what a spare holds to a file: TARGET is a live device, or a spare.",
	.usage = "[-d DIR] TARGET",
	.details = "The newest 20 of a spare are kept, and one of each day. remap-restore and\n"
		   "remap-recover --dump read them. There is no data in them.",
	.example = "remap-setup backup archive",
	.operands = operands,
	.nr_operands = ARRAY_SIZE(operands),
	.min_operands = ARRAY_SIZE(operands),
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

static struct backup_options backup_options = { .dir = BACKUP_DIR };

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

/*
 * Forgetting
 */

static bool is_backup_of(const char *name, const char *uuid)
{
	return strlen(name) == NAME_CHARS && !strncmp(name, uuid, UUID_CHARS) &&
	       name[UUID_CHARS] == '-' && name[UUID_CHARS + 1 + DAY_CHARS] == 'T' &&
	       !strcmp(name + NAME_CHARS - (sizeof(SUFFIX) - 1), SUFFIX);
}

static int newest_first(const void *a, const void *b)
{
	return strcmp(*(char *const *)b, *(char *const *)a);
}

static bool same_day(const char *name, const char *other)
{
	return !strncmp(name, other, UUID_CHARS + 1 + DAY_CHARS);
}

/* @names: of one spare, newest first. Return: how many files were removed. */
static unsigned int remove_old(int dir_fd, char **names, size_t nr)
{
	unsigned int days = 0, removed = 0;
	size_t i;

	for (i = NEWEST; i < nr; i++) {
		/* The newest of a day may be among those that stay anyhow. */
		if (!same_day(names[i], names[i - 1]) && days++ < DAYS)
			continue;
		if (!unlinkat(dir_fd, names[i], 0))
			removed++;
		else
			report_warn("cannot remove the old backup %s: %s", names[i],
				    strerror(errno));
	}
	return removed;
}

static unsigned int forget(const char *path, const char *uuid)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char **names = NULL, *name;
	size_t nr = 0, room = 0;
	unsigned int removed;

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		if (!is_backup_of(entry->d_name, uuid))
			continue;
		names = report_grow(names, nr, &room, sizeof(*names));
		name = report_alloc(NAME_CHARS + 1);
		names[nr++] = strcpy(name, entry->d_name);
	}
	if (nr)
		qsort(names, nr, sizeof(*names), newest_first);
	removed = remove_old(dirfd(dir), names, nr);
	while (nr)
		free(names[--nr]);
	free(names);
	closedir(dir);
	return removed;
}

/*
 * Making one
 */

/* The spare of a live device, or the operand itself. */
static int find_spare(struct live *live, const char *operand, const char **spare)
{
	bool is_live;

	if (live_choose(live, operand, &is_live))
		return STATUS_FAILED;
	*spare = operand;
	if (!is_live)
		return STATUS_DONE;
	*spare = live->spare;
	return live_refresh(live, false) ? STATUS_FAILED : STATUS_DONE;
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

static int make_backup(const char *spare, const char *dir)
{
	char uuid[UUID_CHARS + 4], when[TIME_CHARS + 1], path[PATH_MAX], *shown;
	struct json *json = report_json();
	time_t now = time(NULL);
	unsigned int removed;
	struct tm tm;
	int status;

	status = find_uuid(spare, uuid);
	if (status)
		return status;
	if (mkdir(dir, 0700) && errno != EEXIST) {
		shown = escape_text(dir, strlen(dir));
		report_error("cannot make the directory %s: %s; there is no backup", shown,
			     strerror(errno));
		free(shown);
		return STATUS_FAILED;
	}
	strftime(when, sizeof(when), TIME_FORMAT, gmtime_r(&now, &tm));
	if ((size_t)snprintf(path, sizeof(path), "%s/%s-%s" SUFFIX, dir, uuid, when) >=
	    sizeof(path)) {
		report_error("the name of the directory is too long; there is no backup");
		return STATUS_FAILED;
	}
	status = run_dump(spare, path);
	if (access(path, F_OK)) {
		report_error("there is no backup: remap-dump failed with status %d", status);
		return status ? status : STATUS_FAILED;
	}
	removed = forget(dir, uuid);
	shown = escape_text(path, strlen(path));
	report_out("%s written, %u old one%s removed\n", shown, removed, units_s(removed));
	free(shown);
	if (json) {
		json_key_text(json, "file", path);
		json_key_number(json, "removed", removed);
	}
	return status;
}

static int run(void *opaque)
{
	struct backup_options *options = opaque;
	struct live live = { .sectors = 0 };
	const char *spare;
	int status;

	status = find_spare(&live, options->common.operands[0], &spare);
	if (!status)
		status = make_backup(spare, options->dir);
	live_free(&live);
	return report_finish(status);
}

const struct verb setup_backup = {
	.tool = &tool,
	.help = "keep a list of what a spare holds",
	.options = &backup_options,
	.run = run,
};
