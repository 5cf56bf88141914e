// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables with commas: those of remap-dump -F csv, known by the line of names that they begin
 * with, and plain ones of a sector and, if more than one, a count of sectors.
 *
 * Of a dump only what a block of main stands for is taken: its mapped and lost entries. Slots
 * that are retired say something of the spare it came from, not of main.
 */
#include "list_parser.h"

#define MAX_COLUMNS 64

/**
 * struct table - what is in which column
 * @begun: the first line has been seen
 * @is_dump: of remap-dump; otherwise plain
 * @sector: column of the first sector
 * @count: column of the number of sectors, or -1
 * @state: column of the state of an entry, or -1
 */
struct table {
	bool begun;
	bool is_dump;
	int sector;
	int count;
	int state;
};

static bool word_is(const struct scan *word, const char *text)
{
	return scan_left(word) == strlen(text) && !memcmp(word->at, text, scan_left(word));
}

/*
 * The next field of a line, without blanks and quotes around it. Names and numbers have no
 * commas or quotes inside. Return: false when there is none.
 */
static bool next_field(struct scan *line, struct scan *field)
{
	const char *comma;

	if (!line->at)
		return false;
	comma = memchr(line->at, ',', scan_left(line));
	*field = (struct scan){ line->at, comma ? comma : line->end };
	line->at = comma ? comma + 1 : NULL;
	scan_blanks(field);
	while (field->end > field->at && is_blank(field->end[-1]))
		field->end--;
	if (scan_left(field) >= 2 && *field->at == '"' && field->end[-1] == '"') {
		field->at++;
		field->end--;
	}
	return true;
}

/* A line of names. Return: does it name the sector? */
static bool parse_names(struct table *table, const char *text, size_t bytes)
{
	struct scan line = scan_line(text, bytes), name;
	struct table found = { .begun = true, .sector = -1, .count = -1, .state = -1 };
	int column;

	for (column = 0; column < MAX_COLUMNS && next_field(&line, &name); column++) {
		if (word_is(&name, "main_sector")) {
			found.sector = column;
			found.is_dump = true;
		} else if (word_is(&name, "sector")) {
			found.sector = column;
		} else if (word_is(&name, "sectors") || word_is(&name, "count")) {
			found.count = column;
		} else if (word_is(&name, "state")) {
			found.state = column;
		}
	}
	if (found.sector < 0)
		return false;
	*table = found;
	return true;
}

static bool recognise(const char *line, size_t bytes)
{
	struct scan scan = scan_line(line, bytes);
	struct table table;
	u64 number;

	if (scan_number(&scan, &number)) {
		scan_blanks(&scan);
		if (!scan_word(&scan, ","))
			return false;
		scan_blanks(&scan);
		return scan_number(&scan, &number) && scan.at == scan.end;
	}
	return parse_names(&table, line, bytes) &&
	       (table.is_dump || table.count >= 0 || bytes == strlen("sector"));
}

static bool whole_number(struct scan field, u64 *number)
{
	return scan_number(&field, number) && field.at == field.end;
}

static int parse_fields(struct list *list, const char *text, size_t bytes)
{
	const struct table *table = list->state;
	struct scan line = scan_line(text, bytes), field, state = { NULL, NULL };
	bool have_sector = false;
	u64 sector = 0, count = 1;
	int column;

	for (column = 0; next_field(&line, &field); column++) {
		if (column == table->sector) {
			if (!whole_number(field, &sector)) {
				list_reject(list, text, bytes,
					    scan_explain(field.at, scan_left(&field)));
				return 0;
			}
			have_sector = true;
		} else if (column == table->count) {
			if (!whole_number(field, &count)) {
				list_reject(list, text, bytes, "has a count that is not a number");
				return 0;
			}
		} else if (column == table->state) {
			state = field;
		} else if (!table->is_dump && table->state < 0) {
			list_reject(list, text, bytes, "has more than a sector and a count");
			return 0;
		}
	}
	if (!have_sector) {
		list_reject(list, text, bytes, "names no sector");
		return 0;
	}
	if (state.at && word_is(&state, "retired")) {
		list->silent++;
		return 0;
	}
	return list_add(list, sector, count, text, bytes);
}

static int parse_line(struct list *list, const char *text, size_t bytes)
{
	struct table *table = list->state;

	if (table->begun)
		return parse_fields(list, text, bytes);
	if (parse_names(table, text, bytes)) {
		list->silent++;
		if (table->is_dump && list->unit_bytes != 512)
			return list_fail(list, "a dump counts sectors of 512 bytes, -b cannot be %u",
					 list->unit_bytes);
		return 0;
	}
	*table = (struct table){ .begun = true, .sector = 0, .count = 1, .state = -1 };
	return parse_fields(list, text, bytes);
}

const struct list_parser list_csv = {
	.name = "csv",
	.title = "a table of sectors and counts, or a dump of remap-dump -F csv",
	.reason = RMETA_REASON_IMPORT,
	.unit_bytes = 512,
	.follows = true,
	.line_bytes = LIST_LINE_BYTES,
	.state_bytes = sizeof(struct table),
	.recognise = recognise,
	.line = parse_line,
};
