// SPDX-License-Identifier: GPL-2.0-only
/*
 * The line of a device follows its main or spare. See remaptab_follow.h.
 */
#include <stdio.h>

#include "remaptab_follow.h"
#include "remaptab_lock.h"
#include "report.h"
#include "units.h"

#define BLANKS " \t\r\n"

/* A line as it is in the file, without its newline; to free(). NULL: it is gone. */
static char *read_line(const char *path, unsigned int number)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;
	ssize_t bytes = -1;

	if (!file)
		return NULL;
	while (number-- && (bytes = getline(&text, &room, file)) > 0)
		;
	fclose(file);
	if (bytes <= 0) {
		free(text);
		return NULL;
	}
	text[strcspn(text, "\n")] = 0;
	return text;
}

/* The line with another main and spare, and what follows these as it was; to free(). */
static char *edit(const char *line, const struct identity *main, const u8 uuid[16])
{
	size_t name_at = strspn(line, BLANKS), name = strcspn(line + name_at, BLANKS);
	const char *main_at = line + name_at + name, *rest;
	char *fields, *field, text[40];
	size_t main_bytes;

	main_at += strspn(main_at, BLANKS);
	main_bytes = strcspn(main_at, BLANKS);
	rest = main_at + main_bytes;
	rest += strspn(rest, BLANKS);
	rest += strcspn(rest, BLANKS);
	if (!main)
		return report_format("%.*s %.*s UUID=%s%s\n", (int)name, line + name_at,
				     (int)main_bytes, main_at, units_uuid(uuid, text), rest);
	fields = remaptab_line("x", main, uuid, "");
	fields[strcspn(fields, "\n")] = 0;
	field = report_format("%.*s %s%s\n", (int)name, line + name_at, fields + 2, rest);
	free(fields);
	return field;
}

static int change(const char *path, const struct remaptab *tab,
		  const struct remaptab_entry *entry, const struct identity *main,
		  const u8 uuid[16])
{
	char *old = read_line(path, entry->line), *new;
	int r = 0;

	if (!old) {
		report_error("%s:%u: the line of %s is gone", tab->shown, entry->line, entry->name);
		return -ENOENT;
	}
	new = edit(old, main, uuid);
	if (strncmp(old, new, strlen(old)) || strlen(new) != strlen(old) + 1)
		r = remaptab_change(path, entry->line, new);
	if (!r)
		report_out("%s: %s", tab->shown, new);
	free(old);
	free(new);
	return r;
}

int remaptab_follow(const char *path, const u8 uuid[16], const struct identity *main,
		    const u8 new_uuid[16], bool *listed)
{
	const struct remaptab_entry *entry;
	struct remaptab tab = { .shown = NULL };
	struct remaptab_lock lock;
	int r;

	*listed = false;
	r = remaptab_lock(&lock, path);
	if (!r)
		r = remaptab_read(&tab, path);
	if (!r) {
		entry = remaptab_by_spare(&tab, uuid);
		*listed = entry;
		if (entry)
			r = change(lock.path, &tab, entry, main, new_uuid);
	}
	remaptab_free(&tab);
	remaptab_unlock(&lock);
	return r;
}
