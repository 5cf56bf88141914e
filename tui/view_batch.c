// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames as text: for each sample the time and a sum, the table, with -v the maps, and what has
 * happened since the frame before. With --json an object for each.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "stop.h"
#include "top.h"
#include "units.h"

#define MAP_WIDTH 64		/* cells of a map in a line of text */

static void paint(const char *text, enum report_color color)
{
	if (color == COLOR_NONE)
		report_out("%s", text);
	else
		report_out("%s%s%s", report_paint(stdout, color), text,
			   report_paint(stdout, COLOR_NONE));
}

/* A line without blanks at its end. */
static void print_table(const struct model *model, const struct charset *charset)
{
	unsigned int widths[COLUMN_NR], i;
	char cell[CELL_BYTES];
	size_t at;

	columns_layout(model, COLUMNS_ALL, 0, widths);
	for (i = 0; i < COLUMN_NR; i++) {
		cell_fit(cell, top_columns[i].title, widths[i], top_columns[i].is_left, charset);
		report_out("%s", i ? " " : "");
		paint(cell, COLOR_STRONG);
	}
	report_out("\n");
	for (at = 0; at < model->nr_view; at++) {
		const struct row *row = model->view[at];

		for (i = 0; i < COLUMN_NR; i++) {
			column_cell(&top_columns[i], row, charset, widths[i], cell);
			report_out("%s", i ? " " : "");
			paint(cell, top_columns[i].color(row));
		}
		report_out("\n");
		if (row->problem && row->presence == ROW_HERE)
			report_out("  %s: %s\n", row->shown, row->problem);
	}
}

static void print_maps(const struct model *model, const struct charset *charset)
{
	u8 cells[MAP_WIDTH];
	char size[UNITS_TEXT];
	unsigned int i;
	size_t at;

	for (at = 0; at < model->nr_view; at++) {
		const struct row *row = model->view[at];

		if (!row->map)
			continue;
		map_fold(row->map, cells, MAP_WIDTH);
		report_out("  %s: main %s, %s\n    ", row->shown, row->main_name,
			   units_size(row->map->main_sectors * 512, size));
		for (i = 0; i < MAP_WIDTH; i++)
			report_out("%s", charset->cell[cells[i]]);
		report_out("\n");
	}
}

/* @from: number of the first event that was not shown yet. */
static void print_events(const struct model *model, u64 from)
{
	if (model->nr_events - from > MODEL_EVENTS) {
		report_out("  %llu more events\n",
			   (unsigned long long)(model->nr_events - from - MODEL_EVENTS));
		from = model->nr_events - MODEL_EVENTS;
	}
	for (; from < model->nr_events; from++) {
		const struct event *event = &model->event[from % MODEL_EVENTS];

		report_out("  ");
		paint(event->row->shown, COLOR_STRONG);
		report_out(": ");
		paint(event->text, event->color);
		report_out("\n");
	}
}

static void print_frame(const struct model *model, const struct charset *charset, u64 from)
{
	char time[UNITS_TEXT], *sum = model_sum(model);

	report_out("%s%s  %s\n", model->nr_samples > 1 ? "\n" : "",
		   units_time(model->time_ms / 1000, time), sum);
	free(sum);
	if (model->nr_view)
		print_table(model, charset);
	if (report_is_verbose())
		print_maps(model, charset);
	print_events(model, from);
	fflush(stdout);
}

static void put_count(struct json *json, const char *key, u64 count)
{
	if (count != STATUS_UNKNOWN) {
		json_key_number(json, key, count);
		return;
	}
	json_key(json, key);
	json_null(json);
}

static void put_rate(struct json *json, const char *key, double rate)
{
	json_key(json, key);
	if (rate < 0)
		json_null(json);
	else
		json_decimal(json, rate);
}

static void put_row(struct json *json, const struct row *row)
{
	const struct status_line *status = &row->status;

	json_map(json);
	json_key_text(json, "name", row->name);
	json_key_big(json, "start_sector", row->start_sector);
	json_key_text(json, "mode", row_mode(row));
	put_count(json, "health", row->has_status ? status->health : STATUS_UNKNOWN);
	put_count(json, "used", row->has_status ? status->used : STATUS_UNKNOWN);
	put_count(json, "slots", row->has_status ? status->slots : STATUS_UNKNOWN);
	put_count(json, "pending_sectors", row->has_status ? status->pending : STATUS_UNKNOWN);
	put_count(json, "lost_sectors", row->has_status ? status->lost : STATUS_UNKNOWN);
	put_rate(json, "reads_per_second", row->rate[RATE_READS]);
	put_rate(json, "writes_per_second", row->rate[RATE_WRITES]);
	put_rate(json, "remapped_per_second", row->rate[RATE_REMAPPED]);
	put_rate(json, "errors_per_second", row->rate[RATE_ERRORS]);
	put_count(json, "full_in_seconds", row->full_seconds >= FULL_UNKNOWN ? STATUS_UNKNOWN :
		  row->full_seconds);
	json_map_end(json);
}

static void put_frame(struct json *json, const struct model *model, u64 from)
{
	size_t at;

	json_map(json);
	json_key_number(json, "time_ms", model->time_ms);
	json_key(json, "devices");
	json_array(json);
	for (at = 0; at < model->nr_view; at++)
		put_row(json, model->view[at]);
	json_array_end(json);
	json_key(json, "events");
	json_array(json);
	if (model->nr_events - from > MODEL_EVENTS)
		from = model->nr_events - MODEL_EVENTS;
	for (; from < model->nr_events; from++) {
		const struct event *event = &model->event[from % MODEL_EVENTS];

		json_map(json);
		json_key_text(json, "name", event->row->name);
		json_key(json, "text");
		json_plain(json, event->text);
		json_map_end(json);
	}
	json_array_end(json);
	json_map_end(json);
}

/*
 * Wait until @until_ms, or for a signal. Signals that ask the program to end are let in while it
 * waits only, so that none comes between looking for one and waiting.
 */
static void wait_until(u64 until_ms)
{
	struct timespec left;
	sigset_t ending, old;
	u64 now_ms;

	sigemptyset(&ending);
	sigaddset(&ending, SIGHUP);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigprocmask(SIG_BLOCK, &ending, &old);
	while (!stop_requested() && (now_ms = top_clock_ms()) < until_ms) {
		left = (struct timespec){ (time_t)((until_ms - now_ms) / 1000),
					  (long)((until_ms - now_ms) % 1000 * 1000000) };
		ppoll(NULL, 0, &left, &old);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
}

/* What was asked for by name and is not there is something to look at. */
static bool is_complete(const struct model *model)
{
	size_t i;

	for (i = 0; i < model->nr_rows; i++)
		if (model->rows[i]->presence == ROW_ABSENT)
			return false;
	return true;
}

int view_batch(struct top *top)
{
	const struct charset *charset = charset_get();
	u64 interval_ms = top->interval_ms ? top->interval_ms : TOP_INTERVAL_MS;
	u64 next_ms = top_clock_ms(), from = 0;
	struct model *model = &top->model;
	struct json *json = report_json();
	int r = 1;

	stop_catch();
	if (json) {
		json_key(json, "frames");
		json_array(json);
	}
	while (r > 0 && !stop_requested()) {
		r = top_step(top);
		if (r <= 0)
			break;
		if (json)
			put_frame(json, model, from);
		else
			print_frame(model, charset, from);
		from = model->nr_events;
		if (top->nr_frames && model->nr_samples >= top->nr_frames)
			break;
		if (ferror(stdout))
			break;
		next_ms = max(next_ms + interval_ms, top_clock_ms());
		if (!top->source->is_recording)
			wait_until(next_ms);
	}
	if (json)
		json_array_end(json);
	if (r < 0) {
		report_error("%s", top->problem);
		return top->status;
	}
	return is_complete(model) ? STATUS_DONE : STATUS_LOOK;
}
