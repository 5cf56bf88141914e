/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The screen: what is on it, how it is drawn, what keys do. Private to the curses view.
 */
#ifndef TUI_SCREEN_H
#define TUI_SCREEN_H

#include "top.h"

#define SCREEN_LINES_LEAST 10
#define SCREEN_COLUMNS_LEAST 40
#define FILTER_BYTES 64

enum pane {
	PANE_TABLE,	/* table, map and events */
	PANE_HELP,
	PANE_SORT,	/* columns to choose from */
	PANE_FILTER,	/* as PANE_TABLE, with a line to type in */
};

/**
 * struct screen - the state of the curses view
 * @top: the program
 * @charset: what may be drawn
 * @has_color: there are colours
 * @pane: what is shown
 * @selected: the row that map and events are of; NULL without rows
 * @first: index into the model's view of the first row on the screen
 * @table_lines: rows that fit, as they were drawn last
 * @scroll: first line of help, or chosen column of the sort menu
 * @filter: what is being typed
 * @paused: no samples are taken
 * @steps: as many are taken at once nevertheless
 * @all_events: of all devices, not of the selected one
 * @ended: the recording has
 * @quit: the user has had enough
 */
struct screen {
	struct top *top;
	const struct charset *charset;
	bool has_color;
	enum pane pane;
	struct row *selected;
	size_t first;
	unsigned int table_lines;
	unsigned int scroll;
	char filter[FILTER_BYTES];
	bool paused;
	unsigned int steps;
	bool all_events;
	bool ended;
	bool quit;
};

/* Draw everything anew; the terminal gets what is different. */
void screen_draw(struct screen *screen);

/* Do what a key says. @key: from getch(). */
void screen_key(struct screen *screen, int key);

/* After the model changed: keep a row selected, and in sight. */
void screen_settle(struct screen *screen);

/* Attributes of a colour, on this screen. */
unsigned long screen_attributes(const struct screen *screen, enum report_color color);

/* Lines of the help; the last is followed by NULL. */
const char *const *screen_help(void);

#endif
