// SPDX-License-Identifier: GPL-2.0-only
/*
 * /etc/remaptab. Blanks in a field are written \040, as in fstab.
 */
#include <ctype.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dm_table.h"
#include "escape.h"
#include "output.h"
#include "remaptab.h"
#include "report.h"
#include "units.h"

#define FIELDS 4

__attribute__((format(printf, 2, 3)))
static bool refuse(struct remaptab *tab, const char *fmt, ...)
{
	const struct remaptab_entry *entry = &tab->entry[tab->nr];
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		report_out_of_memory();
	va_end(ap);
	report_error("%s:%u: %s", tab->shown, entry->line, text);
	free(text);
	return false;
}

/* Undo the octal escapes of a field, in place. */
static void unescape(char *text)
{
	char *out = text;

	for (; *text; text++) {
		unsigned int value;

		if (text[0] == '\\' && sscanf(text + 1, "%3o", &value) == 1 && value && value < 256 &&
		    isdigit((unsigned char)text[2]) && isdigit((unsigned char)text[3])) {
			*out++ = (char)value;
			text += 3;
		} else {
			*out++ = *text;
		}
	}
	*out = 0;
}

static bool parse_id(struct remaptab *tab, struct remaptab_entry *entry, char *text)
{
	char *at = strrchr(text, '@');
	const char *reason;

	if (at && at[1] && !at[1 + strspn(at + 1, "0123456789")]) {
		reason = units_parse_number(at + 1, &entry->main.start_sectors);
		if (reason)
			return refuse(tab, "the first sector of main %s", reason);
		*at = 0;
	}
	unescape(text);
	if (!*text || strlen(text) >= sizeof(entry->main.id))
		return refuse(tab, "ID= takes 1 to %zu bytes, the WWID or serial number of a disk",
			      sizeof(entry->main.id) - 1);
	memcpy(entry->main.id, text, strlen(text) + 1);
	entry->kind = REMAPTAB_ID;
	return true;
}

static bool parse_main(struct remaptab *tab, struct remaptab_entry *entry, char *text)
{
	char *escaped;

	if (!strcmp(text, "-"))
		return true;
	if (!strncmp(text, "ID=", 3))
		return parse_id(tab, entry, text + 3);
	if (!strncmp(text, "PARTUUID=", 9) && units_parse_uuid(text + 9, entry->main.partuuid)) {
		entry->kind = REMAPTAB_PARTUUID;
		return true;
	}
	unescape(text);
	if (!strncmp(text, "/dev/", 5)) {
		entry->kind = REMAPTAB_PATH_GIVEN;
		entry->path = strdup(text);
		if (!entry->path)
			report_out_of_memory();
		return true;
	}
	escaped = escape_text(text, strlen(text));
	refuse(tab, "MAIN is \"%s\"; it must be ID=TEXT[@SECTOR], PARTUUID=UUID, /dev/... or -", escaped);
	free(escaped);
	return false;
}

static bool parse_spare(struct remaptab *tab, struct remaptab_entry *entry, const char *text)
{
	const struct remaptab_entry *other;
	char *escaped;

	if (!strncmp(text, "UUID=", 5) && units_parse_uuid(text + 5, entry->spare_uuid)) {
		other = remaptab_by_spare(tab, entry->spare_uuid);
		return !other || refuse(tab, "the spare is that of line %u already", other->line);
	}
	escaped = escape_text(text, strlen(text));
	refuse(tab, "SPARE is \"%s\"; it must be UUID= and the uuid that remap-dump shows", escaped);
	free(escaped);
	return false;
}

static bool parse_name(struct remaptab *tab, struct remaptab_entry *entry, const char *text)
{
	const struct remaptab_entry *other = remaptab_by_name(tab, text);
	const char *problem = dm_table_name_problem(text);
	char *escaped = escape_text(text, strlen(text));
	bool good = true;

	if (problem)
		good = refuse(tab, "NAME is \"%s\", which %s", escaped, problem);
	else if (other)
		good = refuse(tab, "the name \"%s\" is that of line %u already", escaped, other->line);
	free(escaped);
	entry->name = strdup(text);
	if (!entry->name)
		report_out_of_memory();
	return good;
}

static bool parse_fields(struct remaptab *tab, struct remaptab_entry *entry, char **field,
			 unsigned int nr)
{
	char *problem;

	if (nr < 3 || nr > FIELDS)
		return refuse(tab, "has %u field%s; a line is: NAME MAIN SPARE [OPTIONS]", nr, units_s(nr));
	if (!parse_name(tab, entry, field[0]) || !parse_main(tab, entry, field[1]) ||
	    !parse_spare(tab, entry, field[2]))
		return false;
	if (nr < FIELDS)
		return true;
	problem = table_options_parse(&entry->options, field[3]);
	if (!problem)
		return true;
	refuse(tab, "%s", problem);
	free(problem);
	return false;
}

static void free_entry(struct remaptab_entry *entry)
{
	free(entry->name);
	free(entry->path);
}

static void parse_line(struct remaptab *tab, char *text, unsigned int line)
{
	char *field[FIELDS + 1], *rest = text, *word;
	struct remaptab_entry *entry;
	unsigned int nr = 0;

	while ((word = strsep(&rest, " \t\r\n"))) {
		if (*word == '#')
			break;
		if (*word && nr <= FIELDS)
			field[nr++] = word;
	}
	if (!nr)
		return;
	/* The one behind the last, until it is known to be good. */
	tab->entry = report_grow(tab->entry, tab->nr, &tab->room, sizeof(*tab->entry));
	entry = &tab->entry[tab->nr];
	*entry = (struct remaptab_entry){ .line = line };
	if (parse_fields(tab, entry, field, nr)) {
		tab->nr++;
	} else {
		tab->wrong++;
		free_entry(entry);
	}
}

int remaptab_read(struct remaptab *tab, const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned int line = 0;
	char *text = NULL;
	size_t room = 0;
	int r;

	r = file ? 0 : -errno;
	*tab = (struct remaptab){ .shown = escape_text(path, strlen(path)) };
	if (!file && r == -ENOENT)
		return 0;
	if (file) {
		while (getline(&text, &room, file) > 0)
			parse_line(tab, text, ++line);
		if (ferror(file))
			r = -EIO;
		fclose(file);
		free(text);
	}
	if (r)
		report_error("cannot read %s: %s", tab->shown, strerror(-r));
	return r;
}

void remaptab_free(struct remaptab *tab)
{
	while (tab->nr)
		free_entry(&tab->entry[--tab->nr]);
	free(tab->entry);
	free(tab->shown);
	*tab = (struct remaptab){ .shown = NULL };
}

const struct remaptab_entry *remaptab_by_name(const struct remaptab *tab, const char *name)
{
	size_t i;

	for (i = 0; i < tab->nr; i++)
		if (!strcmp(tab->entry[i].name, name))
			return &tab->entry[i];
	return NULL;
}

const struct remaptab_entry *remaptab_by_spare(const struct remaptab *tab, const u8 uuid[16])
{
	size_t i;

	for (i = 0; i < tab->nr; i++)
		if (!memcmp(tab->entry[i].spare_uuid, uuid, 16))
			return &tab->entry[i];
	return NULL;
}

static bool is_main_of(const struct remaptab_entry *entry, const struct device *dev,
		       const struct identity *identity)
{
	switch (entry->kind) {
	case REMAPTAB_ID:
		return !strcmp(entry->main.id, identity->id) &&
		       entry->main.start_sectors == identity->start_sectors;
	case REMAPTAB_PARTUUID:
		return !memcmp(entry->main.partuuid, identity->partuuid, 16);
	case REMAPTAB_PATH_GIVEN:
		return device_is_at(dev, entry->path);
	default:
		return false;
	}
}

const struct remaptab_entry *remaptab_by_main(const struct remaptab *tab, const struct device *dev,
					      const struct identity *identity)
{
	size_t i;

	for (i = 0; i < tab->nr; i++)
		if (is_main_of(&tab->entry[i], dev, identity))
			return &tab->entry[i];
	return NULL;
}

/*
 * Writing
 */

/* All lines of @from but the one that goes. */
static void copy_lines(FILE *from, FILE *to, unsigned int remove)
{
	char *text = NULL;
	unsigned int line = 0;
	size_t room = 0;
	ssize_t bytes;

	while ((bytes = getline(&text, &room, from)) > 0) {
		if (++line == remove)
			continue;
		fputs(text, to);
		if (text[bytes - 1] != '\n')
			fputc('\n', to);
	}
	free(text);
}

int remaptab_change(const char *path, unsigned int remove, const char *add)
{
	static const struct device none = { .host.fd = -1 };
	struct output output;
	FILE *old;
	int r;

	r = output_open(&output, path, &none);
	if (r)
		return r;
	old = fopen(path, "re");
	if (old) {
		copy_lines(old, output.stream, remove);
		fclose(old);
	} else {
		fputs("# NAME MAIN SPARE [OPTIONS]: remaptab(5)\n", output.stream);
	}
	if (add)
		fputs(add, output.stream);
	r = output_close(&output, true);
	/* Everybody may read it, whatever umask says: udev's helper, monitoring. */
	if (!r)
		chmod(path, 0644);
	return r;
}

/* What parse_id() reads. */
static void print_escaped(FILE *stream, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= ' ' || c >= 0x7f || c == '\\' || c == '#' || c == '@')
			fprintf(stream, "\\%03o", c);
		else
			fputc(c, stream);
	}
}

char *remaptab_line(const char *name, const struct identity *identity, const u8 spare_uuid[16],
		    const char *options)
{
	static const u8 zero[16];
	char *text = NULL, uuid[40];
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	if (!stream)
		report_out_of_memory();
	fprintf(stream, "%s ", name);
	if (*identity->id) {
		fputs("ID=", stream);
		print_escaped(stream, identity->id);
		if (identity->start_sectors)
			fprintf(stream, "@%llu", (unsigned long long)identity->start_sectors);
	} else if (memcmp(identity->partuuid, zero, 16)) {
		fprintf(stream, "PARTUUID=%s", units_uuid(identity->partuuid, uuid));
	} else {
		fputs("-", stream);
	}
	fprintf(stream, " UUID=%s%s%s\n", units_uuid(spare_uuid, uuid), *options ? " " : "", options);
	if (fclose(stream))
		report_out_of_memory();
	return text;
}
