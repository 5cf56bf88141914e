// SPDX-License-Identifier: GPL-2.0-only
/*
 * The columns of the table of devices.
 */
#include <langinfo.h>
#include <stdlib.h>
#include <wchar.h>

#include "columns.h"

#define WIDTH_MOST 120		/* of a cell; four bytes each fit CELL_BYTES */
#define BAR_LEAST 6		/* cells by which a bar that says something makes a column wider */

const struct charset *charset_get(void)
{
	static const struct charset ascii = {
		.cell = { ".", "o", "p", "L" }, .full = "#", .empty = ".",
	};
	static const struct charset utf8 = {
		.is_utf8 = true, .cell = { "·", "▒", "▓", "█" }, .full = "█", .empty = "░",
	};

	return strcmp(nl_langinfo(CODESET), "UTF-8") ? &ascii : &utf8;
}

/*
 * Numbers
 */

static double known(u64 number)
{
	return number == STATUS_UNKNOWN ? -1 : (double)number;
}

void show_rate(double rate, char *text)
{
	if (rate < 0)
		snprintf(text, CELL_BYTES, "-");
	else if (rate > 0 && rate < 0.05)
		snprintf(text, CELL_BYTES, "<0.1");
	else if (rate > 0 && rate < 9.95)
		snprintf(text, CELL_BYTES, "%.1f", rate);
	else if (rate < 99999.5)
		snprintf(text, CELL_BYTES, "%.0f", rate);
	else if (rate < 9999.5e3)
		snprintf(text, CELL_BYTES, "%.0fk", rate / 1e3);
	else if (rate < 9999.5e6)
		snprintf(text, CELL_BYTES, "%.0fM", rate / 1e6);
	else if (rate < 999.5e9)
		snprintf(text, CELL_BYTES, "%.3gG", rate / 1e9);
	else
		snprintf(text, CELL_BYTES, ">999G");
}

static void show_count(u64 count, char *text)
{
	if (count == STATUS_UNKNOWN)
		snprintf(text, CELL_BYTES, "-");
	else if (count < 100000)
		snprintf(text, CELL_BYTES, "%llu", (unsigned long long)count);
	else
		show_rate((double)count, text);
}

void show_full(u64 seconds, char *text)
{
	if (seconds == FULL_UNKNOWN || seconds == FULL_NEVER)
		snprintf(text, CELL_BYTES, "-");
	else if (!seconds)
		snprintf(text, CELL_BYTES, "full");
	else if (seconds < 120)
		snprintf(text, CELL_BYTES, "%llus", (unsigned long long)seconds);
	else if (seconds < 120 * 60)
		snprintf(text, CELL_BYTES, "%llum", (unsigned long long)seconds / 60);
	else if (seconds < 48 * 3600)
		snprintf(text, CELL_BYTES, "%lluh", (unsigned long long)seconds / 3600);
	else if (seconds < 1000ULL * 86400)
		snprintf(text, CELL_BYTES, "%llud", (unsigned long long)seconds / 86400);
	else
		snprintf(text, CELL_BYTES, ">2y");
}

/* Share of the slots that is in use or retired; below 0 when it is not known. */
static double used_share(const struct row *row)
{
	const struct status_line *status = &row->status;

	if (!row->has_status || status->used == STATUS_UNKNOWN ||
	    status->slots == STATUS_UNKNOWN || !status->slots)
		return -1;
	return min(((double)status->used + max(known(status->retired), 0.0)) /
		   (double)status->slots, 1.0);
}

/*
 * Cells
 */

static void name_text(const struct row *row, const struct charset *charset, unsigned int width,
		      char *text)
{
	snprintf(text, CELL_BYTES, "%s", row->shown);
}

static void mode_text(const struct row *row, const struct charset *charset, unsigned int width,
		      char *text)
{
	snprintf(text, CELL_BYTES, "%s", row_mode(row));
}

static void health_text(const struct row *row, const struct charset *charset, unsigned int width,
			char *text)
{
	show_count(row->has_status ? row->status.health : STATUS_UNKNOWN, text);
}

/* A bar and a percentage; where there is little room only the latter. */
static void slots_text(const struct row *row, const struct charset *charset, unsigned int width,
		       char *text)
{
	double share = used_share(row);
	unsigned int bar = width > 5 ? width - 5 : 0, i, full;
	size_t bytes = 0;
	char percent[8] = "-";

	if (share >= 0)	/* 100% is none left, 0% none taken */
		snprintf(percent, sizeof(percent), share > 0 && share < 0.01 ? "<1%%" : "%d%%",
			 (int)(share * 100));
	full = share > 0 ? max((unsigned int)(share * bar), 1U) : 0;
	for (i = 0; i < bar; i++)
		bytes += (size_t)snprintf(text + bytes, CELL_BYTES - bytes, "%s",
					  share < 0 ? " " : i < full ? charset->full : charset->empty);
	snprintf(text + bytes, CELL_BYTES - bytes, bar ? " %4s" : "%4s", percent);
}

static void pending_text(const struct row *row, const struct charset *charset, unsigned int width,
			 char *text)
{
	show_count(row->has_status ? row->status.pending : STATUS_UNKNOWN, text);
}

static void lost_text(const struct row *row, const struct charset *charset, unsigned int width,
		      char *text)
{
	show_count(row->has_status ? row->status.lost : STATUS_UNKNOWN, text);
}

static void reads_text(const struct row *row, const struct charset *charset, unsigned int width,
		       char *text)
{
	show_rate(row->rate[RATE_READS], text);
}

static void writes_text(const struct row *row, const struct charset *charset, unsigned int width,
			char *text)
{
	show_rate(row->rate[RATE_WRITES], text);
}

static void remapped_text(const struct row *row, const struct charset *charset, unsigned int width,
			  char *text)
{
	show_rate(row->rate[RATE_REMAPPED], text);
}

static void errors_text(const struct row *row, const struct charset *charset, unsigned int width,
			char *text)
{
	show_rate(row->rate[RATE_ERRORS], text);
}

static void full_text(const struct row *row, const struct charset *charset, unsigned int width,
		      char *text)
{
	show_full(row->full_seconds, text);
}

/*
 * What rows are sorted by
 */

static double mode_key(const struct row *row)
{
	return row_mode_rank(row);
}

/* The worst is at the top; what is not known is at the bottom. */
static double health_key(const struct row *row)
{
	double health = row->has_status ? known(row->status.health) : -1;

	return health < 0 ? 1000 : health;
}

static double pending_key(const struct row *row)
{
	return row->has_status ? known(row->status.pending) : -1;
}

static double lost_key(const struct row *row)
{
	return row->has_status ? known(row->status.lost) : -1;
}

static double reads_key(const struct row *row)
{
	return row->rate[RATE_READS];
}

static double writes_key(const struct row *row)
{
	return row->rate[RATE_WRITES];
}

static double remapped_key(const struct row *row)
{
	return row->rate[RATE_REMAPPED];
}

static double errors_key(const struct row *row)
{
	return row->rate[RATE_ERRORS];
}

static double full_key(const struct row *row)
{
	return (double)row->full_seconds;
}

/*
 * Colours
 */

static enum report_color no_color(const struct row *row)
{
	return COLOR_NONE;
}

static enum report_color name_color(const struct row *row)
{
	return COLOR_STRONG;
}

static enum report_color mode_color(const struct row *row)
{
	static const enum report_color colors[] = { COLOR_GOOD, COLOR_WARN, COLOR_BAD, COLOR_BAD };

	return colors[row_mode_rank(row)];
}

static enum report_color health_color(const struct row *row)
{
	double health = row->has_status ? known(row->status.health) : -1;

	if (health < 0)
		return COLOR_NONE;
	return health >= 90 ? COLOR_GOOD : health >= 50 ? COLOR_WARN : COLOR_BAD;
}

static enum report_color slots_color(const struct row *row)
{
	double share = used_share(row);

	return share >= 0.95 ? COLOR_BAD : share >= 0.8 ? COLOR_WARN : COLOR_NONE;
}

static enum report_color pending_color(const struct row *row)
{
	return pending_key(row) > 0 ? COLOR_WARN : COLOR_NONE;
}

static enum report_color lost_color(const struct row *row)
{
	return lost_key(row) > 0 ? COLOR_BAD : COLOR_NONE;
}

static enum report_color errors_color(const struct row *row)
{
	return row->rate[RATE_ERRORS] > 0 ? COLOR_BAD : COLOR_NONE;
}

static enum report_color full_color(const struct row *row)
{
	return row->full_seconds < 86400 ? COLOR_BAD :
	       row->full_seconds < 7 * 86400 ? COLOR_WARN : COLOR_NONE;
}

const struct column top_columns[COLUMN_NR] = {
	[COLUMN_NAME] = { "NAME", "name", "of the mapped device", 8, 32, 0, .is_left = true,
		.is_ascending = true, .text = name_text, .color = name_color },
	[COLUMN_MODE] = { "MODE", "mode", "ok, degraded, full, breaker, failed, inactive", 8, 8, 1,
		.is_left = true, .key = mode_key, .text = mode_text, .color = mode_color },
	[COLUMN_HEALTH] = { "HEALTH", "health", "of 100", 6, 6, 5,
		.is_ascending = true, .key = health_key, .text = health_text,
		.color = health_color },
	[COLUMN_SLOTS] = { "SLOTS", "slots", "used or retired, of all", 5, 16, 3,
		.key = used_share, .text = slots_text, .color = slots_color },
	[COLUMN_PENDING] = { "PEND", "pending", "sectors whose only copy is on main", 5, 5, 6,
		.key = pending_key, .text = pending_text, .color = pending_color },
	[COLUMN_LOST] = { "LOST", "lost", "sectors that nobody has", 5, 5, 2,
		.key = lost_key, .text = lost_text, .color = lost_color },
	[COLUMN_READS] = { "R/S", "reads", "of the device, a second", 5, 5, 9,
		.key = reads_key, .text = reads_text, .color = no_color },
	[COLUMN_WRITES] = { "W/S", "writes", "of the device, a second", 5, 5, 10,
		.key = writes_key, .text = writes_text, .color = no_color },
	[COLUMN_REMAPPED] = { "RMP/S", "remapped", "requests that went to slots, a second", 5, 5, 8,
		.key = remapped_key, .text = remapped_text, .color = no_color },
	[COLUMN_ERRORS] = { "ERR/S", "errors", "of main and spare, a second", 5, 5, 7,
		.key = errors_key, .text = errors_text, .color = errors_color },
	[COLUMN_FULL] = { "FULL", "full", "when, at the rate of the last ten minutes", 4, 4, 4,
		.is_ascending = true, .key = full_key, .text = full_text, .color = full_color },
};

const char *const column_names[] = {
	"name", "mode", "health", "slots", "pending", "lost", "reads", "writes", "remapped",
	"errors", "full", NULL
};

/*
 * Layout
 */

static unsigned int sum_widths(const unsigned int *widths)
{
	unsigned int i, sum = 0;

	for (i = 0; i < COLUMN_NR; i++)
		if (widths[i])
			sum += widths[i] + (sum ? 1 : 0);
	return sum;
}

static void drop_column(unsigned int *widths)
{
	unsigned int i, last = 0;

	for (i = 1; i < COLUMN_NR; i++)
		if (widths[i] && (!last || top_columns[i].dropped > top_columns[last].dropped))
			last = i;
	widths[last] = 0;
}

void columns_layout(const struct model *model, unsigned int among, unsigned int width,
		    unsigned int *widths)
{
	unsigned int i, longest = top_columns[COLUMN_NAME].narrow, room;
	size_t at;

	for (at = 0; at < model->nr_view; at++)
		longest = max(longest, text_width(model->view[at]->shown));
	longest = min(longest, top_columns[COLUMN_NAME].wide);
	for (i = 0; i < COLUMN_NR; i++)
		widths[i] = among & 1U << i ? top_columns[i].narrow : 0;
	while (width && sum_widths(widths) > width && sum_widths(widths) > widths[COLUMN_NAME])
		drop_column(widths);
	room = width ? width - min(sum_widths(widths), width) : UINT32_MAX;
	if (widths[COLUMN_SLOTS] && room >= BAR_LEAST) {
		widths[COLUMN_SLOTS] += BAR_LEAST;
		room -= BAR_LEAST;
	}
	i = min(room, longest - widths[COLUMN_NAME]);
	widths[COLUMN_NAME] += i;
	room -= i;
	if (widths[COLUMN_SLOTS] > top_columns[COLUMN_SLOTS].narrow)
		widths[COLUMN_SLOTS] += min(room, top_columns[COLUMN_SLOTS].wide -
						  widths[COLUMN_SLOTS]);
}

size_t text_step(const char *text, unsigned int *cells)
{
	mbstate_t state = { 0 };
	wchar_t wide;
	size_t bytes;
	int width;

	*cells = 1;
	if (*text >= ' ' && *text < 0x7f)
		return 1;
	bytes = mbrtowc(&wide, text, strlen(text), &state);
	if (bytes == (size_t)-1 || bytes == (size_t)-2)
		return 1;
	width = wcwidth(wide);
	*cells = width > 0 ? (unsigned int)width : 0;
	return bytes;
}

unsigned int text_width(const char *text)
{
	unsigned int width = 0, cells;

	while (*text) {
		text += text_step(text, &cells);
		width += cells;
	}
	return width;
}

void cell_fit(char *out, const char *text, unsigned int width, bool is_left,
	      const struct charset *charset)
{
	unsigned int used = 0, cells;
	size_t at = 0, bytes, fill;

	width = min(width, (unsigned int)WIDTH_MOST);
	for (; *text; text += bytes) {
		bytes = text_step(text, &cells);
		/* What the locale cannot show was safe for a terminal with UTF-8 only. */
		if (used + cells > width || at + bytes >= CELL_BYTES - WIDTH_MOST)
			break;
		if (!charset->is_utf8 && (unsigned char)*text >= 0x80) {
			out[at++] = '?';
		} else {
			memcpy(out + at, text, bytes);
			at += bytes;
		}
		used += cells;
	}
	out[at] = 0;
	if (*text && used && width > 1) {	/* it was cut: the last character, and what combines with it, says so */
		while (at && text_width(out) >= width) {
			while (at && (out[--at] & 0xc0) == 0x80)
				;
			out[at] = 0;
		}
		out[at++] = '+';
		out[at] = 0;
	}
	used = text_width(out);
	fill = width > used ? width - used : 0;
	if (is_left) {
		memset(out + at, ' ', fill);
	} else {
		memmove(out + fill, out, at);
		memset(out, ' ', fill);
	}
	out[at + fill] = 0;
}

void column_cell(const struct column *column, const struct row *row, const struct charset *charset,
		 unsigned int width, char *text)
{
	char raw[CELL_BYTES];

	column->text(row, charset, width, raw);
	cell_fit(text, raw, width, column->is_left, charset);
}
