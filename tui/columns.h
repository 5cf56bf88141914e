/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The columns of the table of devices, for all views: how they are called, what is in a cell, how
 * rows are sorted by them, and which of them fit into a width.
 */
#ifndef TUI_COLUMNS_H
#define TUI_COLUMNS_H

#include "model.h"

enum column_id {
	COLUMN_NAME, COLUMN_MODE, COLUMN_HEALTH, COLUMN_SLOTS, COLUMN_PENDING, COLUMN_LOST,
	COLUMN_READS, COLUMN_WRITES, COLUMN_REMAPPED, COLUMN_ERRORS, COLUMN_FULL,
	COLUMN_NR
};

#define CELL_BYTES 512		/* that any cell fits into, with its NUL */

/**
 * struct charset - what may be drawn
 * @is_utf8: the terminal shows UTF-8
 * @cell: for each enum map_cell
 * @full: a filled part of a bar
 * @empty: an empty part
 */
struct charset {
	bool is_utf8;
	const char *cell[MAP_NR_STATES];
	const char *full;
	const char *empty;
};

/* What the locale allows; setlocale() was called. */
const struct charset *charset_get(void);

/**
 * struct column - a column
 * @title: at its head
 * @name: for -s
 * @what: in a few words, for the help
 * @narrow: fewest cells of the screen it can do with
 * @wide: most that it can use
 * @dropped: columns with a higher number make room first
 * @is_left: aligned to the left
 * @is_ascending: sorted so
 * @key: what it is sorted by, or NULL: the name
 * @text: what is in a cell, of at most @width characters: CELL_BYTES at @text
 * @color: of a cell
 */
struct column {
	const char *title;
	const char *name;
	const char *what;
	unsigned int narrow;
	unsigned int wide;
	unsigned int dropped;
	bool is_left;
	bool is_ascending;
	double (*key)(const struct row *row);
	void (*text)(const struct row *row, const struct charset *charset, unsigned int width,
		     char *text);
	enum report_color (*color)(const struct row *row);
};

extern const struct column top_columns[COLUMN_NR];
extern const char *const column_names[];	/* ended by NULL */

#define COLUMNS_ALL ((1U << COLUMN_NR) - 1)
/* Rates need two looks. */
#define COLUMNS_RATES (1U << COLUMN_READS | 1U << COLUMN_WRITES | 1U << COLUMN_REMAPPED | 1U << COLUMN_ERRORS)

/**
 * columns_layout() - which columns are shown, and how wide
 * @model: what is shown
 * @among: those that may be shown: a bit of each
 * @width: of the screen; 0 for as much as is useful
 * @widths: out: of each column, 0 for one that is not shown
 */
void columns_layout(const struct model *model, unsigned int among, unsigned int width,
		    unsigned int *widths);

/**
 * column_cell() - a cell, of exactly @width characters
 * @column: which
 * @row: which
 * @charset: what may be drawn
 * @width: from columns_layout()
 * @text: out: CELL_BYTES
 */
void column_cell(const struct column *column, const struct row *row, const struct charset *charset,
		 unsigned int width, char *text);

/* Put @text into @out (CELL_BYTES), cut or filled up to @width characters, of at most 120. */
void cell_fit(char *out, const char *text, unsigned int width, bool is_left,
	      const struct charset *charset);

/**
 * text_step() - the first character of a text
 * @text: not empty
 * @cells: out: how wide it is on the screen
 *
 * Return: its length in bytes; what is no character in this locale is bytes of one cell each.
 */
size_t text_step(const char *text, unsigned int *cells);

/* How many cells of the screen @text takes. */
unsigned int text_width(const char *text);

/* A rate, or a number of things, in five characters at most: "0.3", "99999", "120k", "-". */
void show_rate(double rate, char *text);

/* Time until the slots are used up, in four characters at most: "full", "3d", "-". */
void show_full(u64 seconds, char *text);

#endif
