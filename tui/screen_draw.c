// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is on the screen. From top to bottom: a line with the time and a sum; the heads of the
 * columns; rows; the selected device with the map of its main and what happened; a line with a
 * problem, if there is one; keys.
 */
#include <curses.h>
#include <stdlib.h>

#include "screen.h"
#include "units.h"

#define LINE_BYTES 1024

unsigned long screen_attributes(const struct screen *screen, enum report_color color)
{
	static const unsigned long plain[] = {
		[COLOR_STRONG] = A_BOLD, [COLOR_BAD] = A_BOLD,
	};

	if (color == COLOR_NONE)
		return A_NORMAL;
	if (color == COLOR_STRONG || !screen->has_color)
		return color <= COLOR_STRONG ? plain[color] : A_NORMAL;
	return (unsigned long)COLOR_PAIR(color) | (color == COLOR_BAD ? A_BOLD : 0);
}

/* Draw text from (@y, @x) on, as much of it as fits before column @end. Return: column after it. */
static int put(const struct screen *screen, int y, int x, int end, const char *text)
{
	unsigned int cells;
	size_t bytes;

	move(y, x);
	for (; *text; text += bytes) {
		bytes = text_step(text, &cells);
		if (x + (int)cells > end)
			break;
		if (!screen->charset->is_utf8 && (unsigned char)*text >= 0x80)
			addch('?');
		else
			addnstr(text, (int)bytes);
		x += (int)cells;
	}
	return x;
}

__attribute__((format(printf, 5, 6)))
static int put_format(const struct screen *screen, int y, int x, int end, const char *fmt, ...)
{
	char text[LINE_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return put(screen, y, x, end, text);
}

/* A line in reverse, from end to end. */
static void draw_bar(int y)
{
	mvchgat(y, 0, COLS, A_REVERSE, 0, NULL);
}

static void draw_head(const struct screen *screen)
{
	const struct model *model = &screen->top->model;
	const char *state = screen->ended ? "end of recording" : screen->paused ? "paused" :
			    screen->top->source->is_recording ? "replay" : "";
	int end = COLS - (int)strlen(state), x;
	char time[UNITS_TEXT], *sum = model_sum(model);

	units_time(model->time_ms / 1000, time);
	x = put_format(screen, 0, 0, end - 1, "%s  ", COLS < 80 && strlen(time) > 19 ?
		       time + 11 : time);
	attrset((int)screen_attributes(screen, COLOR_STRONG));
	x = put(screen, 0, x, end - 1, sum);
	attrset(A_NORMAL);
	if (model->filter)
		put_format(screen, 0, x, end - 1, "  filter: %s", screen->filter);
	attrset((int)screen_attributes(screen, COLOR_WARN));
	put(screen, 0, max(end, 0), COLS, state);
	attrset(A_NORMAL);
	free(sum);
}

static void draw_titles(const struct screen *screen, const unsigned int *widths)
{
	const struct model *model = &screen->top->model;
	char cell[CELL_BYTES];
	unsigned int i;
	int x = 0;

	for (i = 0; i < COLUMN_NR; i++) {
		if (!widths[i])
			continue;
		cell_fit(cell, top_columns[i].title, widths[i], top_columns[i].is_left, screen->charset);
		attrset(i == model->sort ? A_REVERSE | A_BOLD : A_REVERSE);
		x = put(screen, 1, x, COLS, cell);
		attrset(A_REVERSE);
		x = put(screen, 1, x, COLS, " ");
	}
	for (; x < COLS; x++)
		addch(' ');
	attrset(A_NORMAL);
}

static void draw_row(const struct screen *screen, const unsigned int *widths, int y,
		     const struct row *row)
{
	char cell[CELL_BYTES];
	unsigned int i;
	int x = 0;

	for (i = 0; i < COLUMN_NR; i++) {
		if (!widths[i])
			continue;
		column_cell(&top_columns[i], row, screen->charset, widths[i], cell);
		attrset((int)screen_attributes(screen, row->presence == ROW_HERE ||
					       i == COLUMN_MODE ? top_columns[i].color(row) :
					       COLOR_NONE));
		x = put(screen, y, x, COLS, cell) + 1;
	}
	attrset(A_NORMAL);
	if (row == screen->selected)
		draw_bar(y);
}

static void draw_table(struct screen *screen, int y, int lines)
{
	const struct model *model = &screen->top->model;
	unsigned int widths[COLUMN_NR];
	int i;

	columns_layout(model, COLUMNS_ALL, (unsigned int)COLS, widths);
	draw_titles(screen, widths);
	screen->table_lines = (unsigned int)lines;
	screen_settle(screen);
	for (i = 0; i < lines && screen->first + (size_t)i < model->nr_view; i++)
		draw_row(screen, widths, y + i, model->view[screen->first + (size_t)i]);
	if (!model->nr_view)
		put(screen, y, 0, COLS, model->nr_rows ? "No device passes the filter." :
		    "There is no device of dm-remap.");
}

/* "1.5 MiB/s" of a rate of sectors. @text: UNITS_TEXT bytes and two more. */
static const char *show_bytes(double sectors, char *text)
{
	if (sectors < 0)
		return "-";
	/* An absurd recording may give a rate that no number of bytes holds. */
	units_size(sectors * 512 < 0x1p63 ? (u64)(sectors * 512) : 1ULL << 63, text);
	return strcat(text, "/s");
}

static void draw_device(const struct screen *screen, int y)
{
	const struct row *row = screen->selected;
	char size[UNITS_TEXT], reads[UNITS_TEXT + 2], writes[UNITS_TEXT + 2];

	if (row && row->problem)
		put_format(screen, y, 0, COLS, "%s: %s", row->shown, row->problem);
	else if (row && row->presence != ROW_ABSENT)
		put_format(screen, y, 0, COLS, "%s: main %s, %s, spare %s; reads %s, writes %s",
			   row->shown, row->main_name, units_size(row->sectors * 512, size),
			   row->spare_name, show_bytes(row->rate[RATE_READ_SECTORS], reads),
			   show_bytes(row->rate[RATE_WRITE_SECTORS], writes));
	else if (row)
		put_format(screen, y, 0, COLS, "%s: there is no such device", row->shown);
	draw_bar(y);
}

static enum report_color cell_color(enum map_cell cell)
{
	static const enum report_color colors[] = {
		[MAP_GOOD] = COLOR_GOOD, [MAP_REMAPPED] = COLOR_STRONG, [MAP_PENDING] = COLOR_WARN,
		[MAP_LOST] = COLOR_BAD,
	};

	return colors[cell];
}

static void draw_map(const struct screen *screen, int y)
{
	const struct row *row = screen->selected;
	unsigned int nr = min((unsigned int)COLS, (unsigned int)MAP_CELLS), i;
	u8 cells[MAP_CELLS];

	if (!row || !row->map) {
		put(screen, y, 0, COLS, row ? "(no map of main yet)" : "");
		return;
	}
	map_fold(row->map, cells, nr);
	for (i = 0; i < nr; i++) {
		attrset((int)screen_attributes(screen, cell_color(cells[i])));
		put(screen, y, (int)i, COLS, screen->charset->cell[cells[i]]);
	}
	attrset(A_NORMAL);
}

static void draw_legend(const struct screen *screen, int y)
{
	static const char *const names[] = { "good", "remapped", "pending", "lost" };
	const struct row *row = screen->selected;
	unsigned int i;
	int x = 0;

	for (i = 0; i < MAP_NR_STATES; i++) {
		attrset((int)screen_attributes(screen, cell_color(i)));
		x = put(screen, y, x, COLS, screen->charset->cell[i]);
		attrset(A_NORMAL);
		x = put_format(screen, y, x, COLS, " %s  ", names[i]);
	}
	if (row && row->has_status && row->status.last_error != STATUS_UNKNOWN)
		put_format(screen, y, x, COLS, "last error: sector %llu",
			   (unsigned long long)row->status.last_error);
}

/* The last events, the newest first. */
static void draw_events(const struct screen *screen, int y, int end)
{
	const struct model *model = &screen->top->model;
	u64 nr = model->nr_events, oldest = nr > MODEL_EVENTS ? nr - MODEL_EVENTS : 0;
	char time[UNITS_TEXT];
	int x;

	while (y < end && nr > oldest) {
		const struct event *event = &model->event[--nr % MODEL_EVENTS];

		if (!screen->all_events && event->row != screen->selected)
			continue;
		units_time(event->time_ms / 1000, time);
		x = put_format(screen, y, 0, COLS, "%.8s ", strlen(time) > 19 ? time + 11 : time);
		if (screen->all_events) {
			attrset((int)screen_attributes(screen, COLOR_STRONG));
			x = put(screen, y, x, COLS, event->row->shown);
			attrset(A_NORMAL);
			x = put(screen, y, x, COLS, ": ");
		}
		attrset((int)screen_attributes(screen, event->color));
		put(screen, y++, x, COLS, event->text);
		attrset(A_NORMAL);
	}
}

static void draw_keys(const struct screen *screen, int y)
{
	static const struct { const char *key, *what; } keys[] = {
		{ "F1", "Help" }, { "F4", "Filter" }, { "F6", "Sort" }, { "F10", "Quit" },
		{ "Space", "Pause" }, { "e", "Events" }, { "n", "Next" }, { "I", "Invert" },
	};
	unsigned int i;
	int x = 0;

	if (screen->pane == PANE_FILTER) {
		x = put_format(screen, y, 0, COLS - 1, "Filter: %s", screen->filter);
		move(y, x);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (x + (int)(strlen(keys[i].key) + strlen(keys[i].what)) > COLS)
			break;
		x = put(screen, y, x, COLS, keys[i].key);
		attrset(A_REVERSE);
		x = put(screen, y, x, COLS, keys[i].what);
		attrset(A_NORMAL);
		x = put(screen, y, x, COLS, " ");
	}
}

static void draw_help(struct screen *screen, int end)
{
	const char *const *help = screen_help();
	unsigned int nr = 0;
	int y;

	while (help[nr])
		nr++;
	if (screen->scroll + (unsigned int)end > nr)
		screen->scroll = nr > (unsigned int)end ? nr - (unsigned int)end : 0;
	for (y = 0; y < end && help[screen->scroll + (unsigned int)y]; y++)
		put(screen, y, 0, COLS, help[screen->scroll + (unsigned int)y]);
	put(screen, LINES - 1, 0, COLS, "Down, Up: more. Any other key: back");
}

static void draw_sort(const struct screen *screen, int end)
{
	unsigned int first = screen->scroll >= (unsigned int)end - 1 ?
			     screen->scroll - (unsigned int)end + 2 : 0;
	int y;

	put(screen, 0, 0, COLS, "Sort by");
	for (y = 1; y < end && first + (unsigned int)y <= COLUMN_NR; y++) {
		const struct column *column = &top_columns[first + (unsigned int)y - 1];

		put_format(screen, y, 0, COLS, "  %-9s %s", column->name, column->what);
		if (column == &top_columns[screen->scroll])
			draw_bar(y);
	}
	put(screen, LINES - 1, 0, COLS, "Up, Down, Enter; Esc: as it was");
}

static void draw_main(struct screen *screen)
{
	const char *problem = screen->top->problem;
	int bottom = LINES - 1 - (problem ? 1 : 0);	/* where keys or the problem begin */
	int room = bottom - 2, details = min(max(room / 2, 3), 12);
	int at = bottom - details;

	draw_head(screen);
	draw_table(screen, 2, at - 2);
	draw_device(screen, at++);
	draw_map(screen, at++);
	if (bottom - at > 2)
		draw_legend(screen, at++);
	draw_events(screen, at, bottom);
	if (problem) {
		attrset((int)screen_attributes(screen, COLOR_BAD));
		put(screen, bottom, 0, COLS, problem);
		attrset(A_NORMAL);
	}
	draw_keys(screen, LINES - 1);
}

void screen_draw(struct screen *screen)
{
	erase();
	if (LINES < SCREEN_LINES_LEAST || COLS < SCREEN_COLUMNS_LEAST)
		put_format(screen, 0, 0, COLS, "%dx%d: %dx%d is needed", COLS, LINES,
			   SCREEN_COLUMNS_LEAST, SCREEN_LINES_LEAST);
	else if (screen->pane == PANE_HELP)
		draw_help(screen, LINES - 1);
	else if (screen->pane == PANE_SORT)
		draw_sort(screen, LINES - 1);
	else
		draw_main(screen);
	if (screen->pane != PANE_FILTER)
		move(LINES - 1, COLS - 1);
	refresh();
}
