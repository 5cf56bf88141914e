// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keys do. They are those of htop where it has the same.
 */
#include <curses.h>

#include "screen.h"

#define KEY_ESCAPE 27
#define KEY_CTRL_L 12

static const char *const help[] = {
	"Keys",
	"  Up Down PgUp PgDn Home End",
	"         choose a device",
	"  F4 /   filter: names and modes",
	"  F6 s > sort by a column",
	"  I      sort the other way round",
	"  e      events: of all devices, or one",
	"  Space  pause, and go on",
	"  n      next sample now",
	"  F1 h ? this help",
	"  F10 q  quit",
	"Columns",
	"  NAME   of the mapped device; with +N",
	"         the line of its table at N",
	"  MODE   ok degraded full breaker failed",
	"         inactive; gone, absent, unknown",
	"  HEALTH of 100",
	"  SLOTS  used or retired, of all",
	"  PEND   sectors only main has, if it can",
	"  LOST   sectors that nobody has",
	"  R/S W/S  requests to the device a second",
	"  RMP/S  of them, to slots",
	"  ERR/S  errors of main and spare a second",
	"  FULL   when no slot is left, at the rate",
	"         of the last ten minutes",
	NULL
};

const char *const *screen_help(void)
{
	return help;
}

static size_t selected_index(const struct screen *screen)
{
	const struct model *model = &screen->top->model;
	size_t i;

	for (i = 0; i < model->nr_view; i++)
		if (model->view[i] == screen->selected)
			return i;
	return 0;
}

void screen_settle(struct screen *screen)
{
	const struct model *model = &screen->top->model;
	size_t at = selected_index(screen), lines = max(screen->table_lines, 1U);

	screen->selected = model->nr_view ? model->view[at] : NULL;
	if (at < screen->first)
		screen->first = at;
	if (at >= screen->first + lines)
		screen->first = at - lines + 1;
	if (screen->first + lines > model->nr_view)
		screen->first = model->nr_view > lines ? model->nr_view - lines : 0;
}

/* Choose the row that is @by further down. */
static void move_selection(struct screen *screen, long by)
{
	const struct model *model = &screen->top->model;
	long at = (long)selected_index(screen) + by;

	if (!model->nr_view)
		return;
	at = min(max(at, 0L), (long)model->nr_view - 1);
	screen->selected = model->view[at];
	screen_settle(screen);
}

static void begin_filter(struct screen *screen)
{
	const char *filter = screen->top->model.filter;

	snprintf(screen->filter, sizeof(screen->filter), "%s", filter ? filter : "");
	screen->pane = PANE_FILTER;
}

static void table_key(struct screen *screen, int key)
{
	struct model *model = &screen->top->model;
	long page = max((long)screen->table_lines, 1L);

	switch (key) {
	case KEY_UP: move_selection(screen, -1); break;
	case KEY_DOWN: move_selection(screen, 1); break;
	case KEY_PPAGE: move_selection(screen, -page); break;
	case KEY_NPAGE: move_selection(screen, page); break;
	case KEY_HOME: move_selection(screen, -(long)model->nr_view); break;
	case KEY_END: move_selection(screen, (long)model->nr_view); break;
	case KEY_F(1): case 'h': case '?':
		screen->pane = PANE_HELP;
		screen->scroll = 0;
		break;
	case KEY_F(4): case '/': case '\\':
		begin_filter(screen);
		break;
	case KEY_F(6): case 's': case '>': case '.':
		screen->pane = PANE_SORT;
		screen->scroll = model->sort;
		break;
	case 'I':
		model->reversed = !model->reversed;
		model_arrange(model);
		screen_settle(screen);
		break;
	case 'e': screen->all_events = !screen->all_events; break;
	case ' ': screen->paused = !screen->paused; break;
	case 'n': screen->steps++; break;
	case KEY_F(10): case 'q': case 'Q': screen->quit = true; break;
	case KEY_CTRL_L: clearok(curscr, TRUE); break;
	}
}

/* Scrolls by what it was told when it is drawn: how much fits is known there. */
static void help_key(struct screen *screen, int key)
{
	switch (key) {
	case KEY_DOWN: case ' ': case KEY_NPAGE:
		screen->scroll++;
		break;
	case KEY_UP: case KEY_PPAGE:
		screen->scroll -= screen->scroll > 0;
		break;
	case KEY_RESIZE:
		break;
	default:
		screen->pane = PANE_TABLE;
	}
}

static void sort_key(struct screen *screen, int key)
{
	struct model *model = &screen->top->model;

	switch (key) {
	case KEY_UP:
		screen->scroll -= screen->scroll > 0;
		break;
	case KEY_DOWN:
		screen->scroll += screen->scroll + 1 < COLUMN_NR;
		break;
	case KEY_HOME: screen->scroll = 0; break;
	case KEY_END: screen->scroll = COLUMN_NR - 1; break;
	case KEY_ENTER: case '\n': case '\r':
		model->sort = screen->scroll;
		model->reversed = false;
		model_arrange(model);
		screen->pane = PANE_TABLE;
		screen_settle(screen);
		break;
	case KEY_ESCAPE: case 'q': case KEY_F(10):
		screen->pane = PANE_TABLE;
		break;
	}
}

static void filter_key(struct screen *screen, int key)
{
	size_t bytes = strlen(screen->filter);

	switch (key) {
	case KEY_ENTER: case '\n': case '\r':
		screen->pane = PANE_TABLE;
		return;
	case KEY_ESCAPE:
		screen->pane = PANE_TABLE;
		bytes = 0;
		break;
	case KEY_BACKSPACE: case 127: case '\b':
		while (bytes && (screen->filter[--bytes] & 0xc0) == 0x80)
			;	/* a character of UTF-8 goes as a whole */
		break;
	default:
		if (key < ' ' || key > 0xff || bytes + 1 >= sizeof(screen->filter))
			return;
		screen->filter[bytes++] = (char)key;
	}
	screen->filter[bytes] = 0;
	model_filter(&screen->top->model, screen->filter);
	screen_settle(screen);
}

void screen_key(struct screen *screen, int key)
{
	switch (screen->pane) {
	case PANE_TABLE: table_key(screen, key); break;
	case PANE_HELP: help_key(screen, key); break;
	case PANE_SORT: sort_key(screen, key); break;
	case PANE_FILTER: filter_key(screen, key); break;
	}
}
