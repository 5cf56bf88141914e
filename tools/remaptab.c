// SPDX-License-Identifier: GPL-2.0-only
/*
 * /etc/remaptab. Blanks in a field are written \040, as in fstab.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
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
	text = report_format_va(fmt, ap);
	va_end(ap);
	report_error("%s:%u: %s", tab->shown, entry->line, text);
	free(text);
	return false;
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
	escape_undo_octal(text);
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
	escape_undo_octal(text);
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

static const struct remaptab_entry *good_by_name(const struct remaptab *tab, const char *name)
{
	size_t i;

	for (i = 0; i < tab->nr; i++)
		if (!strcmp(tab->entry[i].name, name))
			return &tab->entry[i];
	return NULL;
}

static bool parse_name(struct remaptab *tab, struct remaptab_entry *entry, const char *text)
{
	const struct remaptab_entry *other = good_by_name(tab, text);
	const char *problem = dm_table_name_problem(text);
	char *escaped = escape_text(text, strlen(text));
	bool good = true;

	if (problem)
		good = refuse(tab, "NAME is \"%s\", which %s", escaped, problem);
	else if (other)
		good = refuse(tab, "the name \"%s\" is that of line %u already", escaped, other->line);
	free(escaped);
	/* It becomes the name of a file. */
	entry->name = strdup(problem ? "nameless" : text);
	if (!entry->name)
		report_out_of_memory();
	return good;
}

static bool parse_options(struct remaptab *tab, struct remaptab_entry *entry, const char *text)
{
	char *problem = table_options_parse(&entry->options, text);

	if (!problem)
		return true;
	refuse(tab, "%s", problem);
	free(problem);
	return false;
}

/* All of them, whatever is wrong with one: main is hidden all the same. */
static bool parse_fields(struct remaptab *tab, struct remaptab_entry *entry, char **field,
			 unsigned int nr)
{
	bool good = true;

	if (nr < 3 || nr > FIELDS)
		good = refuse(tab, "has %u field%s; a line is: NAME MAIN SPARE [OPTIONS]", nr, units_s(nr));
	if (!parse_name(tab, entry, field[0]))
		good = false;
	if (nr > 1 && !parse_main(tab, entry, field[1]))
		good = false;
	if (nr > 2 && !parse_spare(tab, entry, field[2]))
		good = false;
	if (nr > 3 && !parse_options(tab, entry, field[3]))
		good = false;
	return good;
}

static void free_entry(struct remaptab_entry *entry)
{
	free(entry->name);
	free(entry->path);
}

/* A line that is not used: but what is main by it is nobody else's. */
static void set_apart(struct remaptab *tab, const struct remaptab_entry *entry)
{
	tab->wrong++;
	tab->apart = report_grow(tab->apart, tab->nr_apart, &tab->apart_room, sizeof(*entry));
	tab->apart[tab->nr_apart++] = *entry;
}

static void parse_line(struct remaptab *tab, char *text, size_t bytes, unsigned int line)
{
	char *field[FIELDS + 1], *rest = text, *word;
	struct remaptab_entry *entry;
	unsigned int nr = 0;
	bool good = true;

	/* The one behind the last, until it is known to be good. */
	tab->entry = report_grow(tab->entry, tab->nr, &tab->room, sizeof(*tab->entry));
	entry = &tab->entry[tab->nr];
	*entry = (struct remaptab_entry){ .line = line };
	if (memchr(text, 0, bytes))
		good = refuse(tab, "has a NUL byte, behind which nothing would be seen");
	while ((word = strsep(&rest, " \t\r\n"))) {
		if (*word == '#')
			break;
		if (*word && nr <= FIELDS)
			field[nr++] = word;
	}
	if (!nr) {
		tab->wrong += !good;
		return;
	}
	if (!parse_fields(tab, entry, field, nr))
		good = false;
	if (good)
		tab->nr++;
	else
		set_apart(tab, entry);
}

static bool same_main(const struct remaptab_entry *a, const struct remaptab_entry *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case REMAPTAB_ID:
		return !strcmp(a->main.id, b->main.id) &&
		       a->main.start_sectors == b->main.start_sectors;
	case REMAPTAB_PARTUUID:
		return !memcmp(a->main.partuuid, b->main.partuuid, 16);
	case REMAPTAB_PATH_GIVEN:
		return !strcmp(a->path, b->path);
	default:
		return false;
	}
}

/*
 * Two spares for one main: one of them is old, and would give old data as good. Nothing tells which, so
 * none is used.
 */
static void set_rivals_apart(struct remaptab *tab, const char *path)
{
	char *command = remaptab_disable_command(path, "NAME");
	bool *rival = report_alloc(tab->nr + 1);
	size_t i, j, kept = 0;

	for (j = 1; j < tab->nr; j++) {
		for (i = 0; i < j && !same_main(&tab->entry[i], &tab->entry[j]);)
			i++;
		if (i == j)
			continue;
		rival[i] = rival[j] = true;
		report_error("%s:%u: main is that of line %u already, with another spare: neither line is used until one is gone (%s)",
			     tab->shown, tab->entry[j].line, tab->entry[i].line, command);
	}
	for (i = 0; i < tab->nr; i++) {
		if (rival[i])
			set_apart(tab, &tab->entry[i]);
		else
			tab->entry[kept++] = tab->entry[i];
	}
	tab->nr = kept;
	free(rival);
	free(command);
}

int remaptab_read(struct remaptab *tab, const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned int line = 0;
	char *text = NULL;
	size_t room = 0;
	ssize_t bytes;
	int r;

	r = file ? 0 : -errno;
	*tab = (struct remaptab){ .shown = escape_text(path, strlen(path)) };
	if (!file && r == -ENOENT)
		return 0;
	if (file) {
		while ((bytes = getline(&text, &room, file)) > 0)
			parse_line(tab, text, (size_t)bytes, ++line);
		if (!feof(file))
			r = -errno;
		fclose(file);
		free(text);
	}
	if (r)
		report_error("cannot read %s: %s", tab->shown, strerror(-r));
	else
		set_rivals_apart(tab, path);
	return r;
}

void remaptab_free(struct remaptab *tab)
{
	while (tab->nr)
		free_entry(&tab->entry[--tab->nr]);
	while (tab->nr_apart)
		free_entry(&tab->apart[--tab->nr_apart]);
	free(tab->entry);
	free(tab->apart);
	free(tab->shown);
	*tab = (struct remaptab){ .shown = NULL };
}

const struct remaptab_entry *remaptab_by_name(const struct remaptab *tab, const char *name)
{
	const struct remaptab_entry *entry = good_by_name(tab, name);
	size_t i;

	for (i = 0; !entry && i < tab->nr_apart; i++)
		if (!strcmp(tab->apart[i].name, name))
			entry = &tab->apart[i];
	return entry;
}

bool remaptab_is_used(const struct remaptab *tab, const struct remaptab_entry *entry)
{
	return remaptab_by_spare(tab, entry->spare_uuid) == entry;
}

const struct remaptab_entry *remaptab_need(const struct remaptab *tab, const char *name)
{
	const struct remaptab_entry *entry = remaptab_by_name(tab, name);
	char *shown;

	if (entry)
		return entry;
	shown = escape_text(name, strlen(name));
	report_error("%s has no line for %s; nothing was changed", tab->shown, shown);
	free(shown);
	return NULL;
}

char *remaptab_disable_command(const char *path, const char *name)
{
	char *command = command_make("remap-setup disable");

	command = command_value(command, "-T", path, REMAPTAB_PATH);
	return command_word(command, name);
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
		return dev && device_is_at(dev, entry->path);
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
	for (i = 0; i < tab->nr_apart; i++)
		if (is_main_of(&tab->apart[i], dev, identity))
			return &tab->apart[i];
	return NULL;
}

/*
 * Writing
 */

/* All lines of @from but the one that goes. Return: 0 or a negative errno: not all of it was read. */
static int copy_lines(FILE *from, FILE *to, unsigned int remove)
{
	char *text = NULL;
	unsigned int line = 0;
	size_t room = 0;
	ssize_t bytes;

	while ((bytes = getline(&text, &room, from)) > 0) {
		if (++line == remove)
			continue;
		fwrite(text, 1, (size_t)bytes, to);
		if (text[bytes - 1] != '\n')
			fputc('\n', to);
	}
	free(text);
	return feof(from) ? 0 : -errno;
}

/*
 * Where our hook is, the initramfs has a copy of the file, and with it what is hidden before root is mounted: old
 * lines there can keep a machine from booting.
 */
static void remind_of_initramfs(const char *path)
{
	static const char *const hooks[] = {
		"/usr/share/initramfs-tools/hooks/dm-remap", "/etc/initramfs-tools/hooks/dm-remap",
	};
	char *changed = realpath(path, NULL), *own = realpath(REMAPTAB_PATH, NULL);

	if (changed && own && !strcmp(changed, own) && (!access(hooks[0], F_OK) || !access(hooks[1], F_OK)))
		report_info("the initramfs has a copy of %s that is older now: update-initramfs -u",
			    REMAPTAB_PATH);
	free(changed);
	free(own);
}

int remaptab_change(const char *path, unsigned int remove, const char *add)
{
	static const struct device none = { .host.fd = -1 };
	struct output output;
	char *shown;
	FILE *old;
	int r = 0, closed;

	old = fopen(path, "re");
	if (!old && errno != ENOENT)
		r = -errno;
	if (!r) {
		closed = output_open(&output, path, &none);
		if (closed) {
			if (old)
				fclose(old);
			return closed;
		}
		if (old)
			r = copy_lines(old, output.stream, remove);
		else
			fputs("# NAME MAIN SPARE [OPTIONS]: remaptab(5)\n", output.stream);
		if (add)
			fputs(add, output.stream);
		closed = output_close(&output, !r);
		/* Everybody may read it, whatever umask says: udev's helper, monitoring. */
		if (!r && !closed)
			chmod(path, 0644);
	}
	if (old)
		fclose(old);
	if (!r) {
		if (!closed)
			remind_of_initramfs(path);
		return closed;
	}
	shown = escape_text(path, strlen(path));
	report_error("cannot read %s: %s; nothing was changed", shown, strerror(-r));
	free(shown);
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
