// SPDX-License-Identifier: GPL-2.0-only
/*
 * The directory of backups. See backup_dir.h.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backup_dir.h"
#include "report.h"

#define NEWEST 20
#define DAYS 366
#define UUID_CHARS 36
#define TIME_FORMAT "%Y%m%dT%H%M%SZ"
#define TIME_CHARS 16		/* of TIME_FORMAT */
#define DAY_CHARS 8		/* of those, the day */

static const char *suffix(bool whole)
{
	return whole ? ".json.gz" : ".partial.json.gz";
}

void backup_dir_name(char *name, const char *uuid, time_t when, bool whole)
{
	char text[TIME_CHARS + 1];
	struct tm tm;

	strftime(text, sizeof(text), TIME_FORMAT, gmtime_r(&when, &tm));
	snprintf(name, BACKUP_NAME_BYTES, "%s-%s%s", uuid, text, suffix(whole));
}

static bool is_backup_of(const char *name, const char *uuid, bool whole)
{
	return !strncmp(name, uuid, UUID_CHARS) && name[UUID_CHARS] == '-' &&
	       strnlen(name, BACKUP_NAME_BYTES) > UUID_CHARS + 1 + TIME_CHARS &&
	       name[UUID_CHARS + 1 + DAY_CHARS] == 'T' &&
	       !strcmp(name + UUID_CHARS + 1 + TIME_CHARS, suffix(whole));
}

static int newest_first(const void *a, const void *b)
{
	return strcmp(*(char *const *)b, *(char *const *)a);
}

/* Names of backups, the newest first. Return: how many, or a negative errno. */
static int list_names(DIR **dir, char ***names, const char *path, const char *uuid, bool whole)
{
	struct dirent *entry;
	size_t nr = 0, room = 0;

	*names = NULL;
	*dir = opendir(path);
	if (!*dir)
		return -errno;
	while ((entry = readdir(*dir))) {
		if (!is_backup_of(entry->d_name, uuid, whole))
			continue;
		*names = report_grow(*names, nr, &room, sizeof(**names));
		(*names)[nr] = strdup(entry->d_name);
		if (!(*names)[nr++])
			report_out_of_memory();
	}
	if (nr)
		qsort(*names, nr, sizeof(**names), newest_first);
	return (int)nr;
}

static void free_names(DIR *dir, char **names, int nr)
{
	while (nr > 0)
		free(names[--nr]);
	free(names);
	if (dir)
		closedir(dir);
}

static bool same_day(const char *name, const char *other)
{
	return !strncmp(name, other, UUID_CHARS + 1 + DAY_CHARS);
}

unsigned int backup_dir_forget(const char *path, const char *uuid, bool whole)
{
	unsigned int days = 0, removed = 0;
	char **names;
	int i, nr;
	DIR *dir;

	nr = list_names(&dir, &names, path, uuid, whole);
	for (i = NEWEST; i < nr; i++) {
		/* The newest of a day may be among those that stay anyhow. */
		if (!same_day(names[i], names[i - 1]) && days++ < DAYS)
			continue;
		if (!unlinkat(dirfd(dir), names[i], 0))
			removed++;
		else
			report_warn("cannot remove the old backup %s: %s", names[i],
				    strerror(errno));
	}
	free_names(dir, names, nr);
	return removed;
}

int backup_dir_newest(const char *path, const char *uuid, time_t *when, char *name)
{
	struct tm tm = { .tm_isdst = 0 };
	char **names;
	int nr, i, r = -ENOENT;
	DIR *dir;

	nr = list_names(&dir, &names, path, uuid, true);
	for (i = 0; i < nr && r; i++) {
		if (!strptime(names[i] + UUID_CHARS + 1, TIME_FORMAT, &tm))
			continue;
		*when = timegm(&tm);
		if (name)
			snprintf(name, BACKUP_NAME_BYTES, "%s", names[i]);
		r = 0;
	}
	free_names(dir, names, nr);
	return nr < 0 ? nr : r;
}
