/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What remap-top knows: a row for each device, with rates and forecasts worked out from successive
 * samples, the order in which rows are shown, and what happened. Does no I/O, knows no terminal,
 * and takes its time from the samples only.
 */
#ifndef TUI_MODEL_H
#define TUI_MODEL_H

#include "report.h"
#include "sample.h"
#include "status_line.h"

/* Counters that rates are made of. Each may begin anew at any time. */
enum counter {
	COUNTER_READS, COUNTER_WRITES, COUNTER_READ_SECTORS, COUNTER_WRITE_SECTORS,
	COUNTER_REMAPPED_READS, COUNTER_REMAPPED_WRITES,
	COUNTER_READ_ERRORS, COUNTER_WRITE_ERRORS, COUNTER_SPARE_ERRORS,
	COUNTER_NR
};

/* Events per second. */
enum rate {
	RATE_READS, RATE_WRITES, RATE_READ_SECTORS, RATE_WRITE_SECTORS,
	RATE_REMAPPED,		/* requests that went to slots */
	RATE_ERRORS,		/* of main and of the spare */
	RATE_NR
};
#define RATE_UNKNOWN (-1.0)

enum presence {
	ROW_HERE,	/* in the last sample */
	ROW_GONE,	/* was in an earlier one */
	ROW_ABSENT,	/* was asked for by name, and never seen */
};

/* Time until no slot is free, in seconds. */
#define FULL_NEVER UINT64_MAX		/* no slots were taken of late */
#define FULL_UNKNOWN (UINT64_MAX - 1)

#define GROWTH_WINDOW_MS (10 * 60 * 1000)	/* "the present rate" is that of this time */
#define GROWTH_POINTS 64

/**
 * struct growth - how many slots were in use at times of the last ten minutes
 * @point: the oldest first
 * @nr: how many there are
 * @last_used: in the last sample
 */
struct growth {
	struct growth_point {
		u64 clock_ms;
		u64 used;
	} point[GROWTH_POINTS];
	unsigned int nr;
	u64 last_used;
};

/**
 * struct row - a device
 * @name: of the mapped device, not safe to print
 * @start_sector: of the line of its table
 * @shown: its name, safe to print: "safe", or "safe+2048" for a line that does not begin at 0
 * @dev: number of the mapped device, safe to print
 * @main_name: safe to print; likewise @spare_name
 * @sectors: length of the line
 * @presence: if it is there now; what follows is of the last time that it was
 * @in_sample: private
 * @has_status: the status could be parsed
 * @status: its fields
 * @problem: why not, safe to print; else NULL
 * @clock_ms: when @counter was taken
 * @known: which of @counter are known
 * @had_io: reads and writes in @counter are those of the device, not of the target
 * @counter: as they were in the last sample
 * @rate: RATE_UNKNOWN where nothing can be said
 * @growth: for @full_seconds
 * @full_seconds: forecast, or FULL_NEVER, FULL_UNKNOWN
 * @map: of main, or NULL
 */
struct row {
	char *name;
	u64 start_sector;
	char *shown;
	char *dev;
	char *main_name;
	char *spare_name;
	u64 sectors;
	enum presence presence;
	bool in_sample;
	bool has_status;
	struct status_line status;
	char *problem;
	u64 clock_ms;
	bool known[COUNTER_NR];
	bool had_io;
	u64 counter[COUNTER_NR];
	double rate[RATE_NR];
	struct growth growth;
	u64 full_seconds;
	struct map *map;
};

#define MODEL_EVENTS 256	/* that are kept */

/**
 * struct event - something that happened to a device
 * @time_ms: of the sample that showed it
 * @row: which device
 * @color: how bad it is
 * @text: what, safe to print
 */
struct event {
	u64 time_ms;
	const struct row *row;
	enum report_color color;
	char *text;
};

/**
 * struct model - everything
 * @names: devices to show; all if there are none
 * @nr_names: how many
 * @rows: all devices ever seen, in that order; a row never moves
 * @nr_rows: how many
 * @room: private
 * @view: those that are shown, in the order they are shown in
 * @nr_view: how many
 * @view_room: private
 * @sort: index into top_columns[]
 * @reversed: the other way round than the column's own
 * @filter: text that a row must have, or NULL
 * @event: ring: event number n is event[n % MODEL_EVENTS]
 * @nr_events: so far, also those that are no longer kept
 * @nr_samples: so far
 * @time_ms: of the last sample
 * @clock_ms: of the last sample
 */
struct model {
	const char *const *names;
	size_t nr_names;
	struct row **rows;
	size_t nr_rows;
	size_t room;
	struct row **view;
	size_t nr_view;
	size_t view_room;
	unsigned int sort;
	bool reversed;
	char *filter;
	struct event event[MODEL_EVENTS];
	u64 nr_events;
	u64 nr_samples;
	u64 time_ms;
	u64 clock_ms;
};

/**
 * model_init() - a model that has seen nothing
 * @model: out; to be freed with model_exit()
 * @names: of the devices to show, which stay the caller's
 * @nr_names: how many; 0 for all devices
 */
void model_init(struct model *model, const char *const *names, size_t nr_names);

void model_exit(struct model *model);

/**
 * model_update() - a sample was taken
 * @model: the model
 * @sample: no older than those before
 *
 * Afterwards @model->view is in order.
 */
void model_update(struct model *model, const struct sample *sample);

/* A device of this name is expected: after model_update(), it is absent if it is not there. */
void model_expect(struct model *model, const char *name);

/**
 * model_arrange() - bring @model->view in order
 *
 * After @sort, @reversed or the filter were changed.
 */
void model_arrange(struct model *model);

/* Show only rows that have @text in a name or their mode, in either case; NULL or "": all. */
void model_filter(struct model *model, const char *text);

/* Are two status lines of different spares? Not where one of them does not know. */
bool model_is_other_spare(const struct status_line *a, const struct status_line *b);

/* Mode of a row as it is shown: that of the status, or "gone", "absent", "unknown". */
const char *row_mode(const struct row *row);

/* How bad a mode is: 0 for ok. */
unsigned int row_mode_rank(const struct row *row);

/**
 * model_sum() - all devices that are shown, in words: "3 devices: 2 ok, 1 failed"
 *
 * Return: a text to free().
 */
char *model_sum(const struct model *model);

/**
 * model_compare() - note what is different in a row's status
 * @model: the model, with the time of the new sample
 * @row: of which device, with the new status
 * @old: the status before
 */
void model_compare(struct model *model, const struct row *row, const struct status_line *old);

/* Note that something happened. */
__attribute__((format(printf, 4, 5)))
void model_note(struct model *model, const struct row *row, enum report_color color,
		const char *fmt, ...);

#endif
