// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows from samples. What a counter did between two samples:
 *
 *	known before and now, not smaller	its growth
 *	known before and now, smaller		it began anew in between (`stats reset`, a reload, a device
 *						that was made again): what it has counted since
 *	unknown at either end, another spare,	no rate
 *	or no time between them
 *
 * So no rate is ever negative.
 */
#include <stdlib.h>

#include "escape.h"
#include "model.h"

#define FULL_MOST 1e15		/* seconds; a recording may name any number of slots */

void model_init(struct model *model, const char *const *names, size_t nr_names)
{
	*model = (struct model){ .names = names, .nr_names = nr_names };
}

static void free_row(struct row *row)
{
	free(row->name);
	free(row->shown);
	free(row->dev);
	free(row->main_name);
	free(row->spare_name);
	free(row->problem);
	free(row->map);
	free(row);
}

void model_exit(struct model *model)
{
	size_t i;

	for (i = 0; i < model->nr_rows; i++)
		free_row(model->rows[i]);
	for (i = 0; i < MODEL_EVENTS; i++)
		free(model->event[i].text);
	free(model->rows);
	free(model->view);
	free(model->filter);
	*model = (struct model){ .rows = NULL };
}

static struct row *find_row(const struct model *model, const char *name, u64 start_sector)
{
	size_t i;

	for (i = 0; i < model->nr_rows; i++)
		if (model->rows[i]->start_sector == start_sector &&
		    !strcmp(model->rows[i]->name, name))
			return model->rows[i];
	return NULL;
}

static void forget_rates(struct row *row)
{
	unsigned int i;

	memset(row->known, 0, sizeof(row->known));
	for (i = 0; i < RATE_NR; i++)
		row->rate[i] = RATE_UNKNOWN;
	row->growth.nr = 0;
	row->full_seconds = FULL_UNKNOWN;
}

/* "safe", or "safe+2048". */
static void show_name(struct row *row, u64 start_sector)
{
	char *escaped = escape_text(row->name, strlen(row->name));

	free(row->shown);
	row->shown = escaped;
	row->start_sector = start_sector;
	if (!start_sector)
		return;
	if (asprintf(&row->shown, "%s+%llu", escaped, (unsigned long long)start_sector) < 0)
		report_out_of_memory();
	free(escaped);
}

static struct row *add_row(struct model *model, const char *name, u64 start_sector)
{
	struct row *row = report_alloc(sizeof(*row));

	row->name = strdup(name);
	if (!row->name)
		report_out_of_memory();
	show_name(row, start_sector);
	forget_rates(row);
	model->rows = report_grow(model->rows, model->nr_rows, &model->room, sizeof(*model->rows));
	model->rows[model->nr_rows++] = row;
	return row;
}

/* The row of a device that was never seen: the one that was kept for its name, or a new one. */
static struct row *new_row(struct model *model, const char *name, u64 start_sector)
{
	size_t i;

	for (i = 0; i < model->nr_rows; i++)
		if (model->rows[i]->presence == ROW_ABSENT && !strcmp(model->rows[i]->name, name)) {
			show_name(model->rows[i], start_sector);
			return model->rows[i];
		}
	return add_row(model, name, start_sector);
}

static bool is_wanted(const struct model *model, const char *name)
{
	size_t i;

	for (i = 0; i < model->nr_names; i++)
		if (!strcmp(model->names[i], name))
			return true;
	return !model->nr_names;
}

/* Take the counters of a sample; what is not known is not touched. @known: out. */
static void read_counters(const struct row *row, const struct sample_device *device,
			  u64 counter[COUNTER_NR], bool known[COUNTER_NR])
{
	const struct status_line *status = &row->status;
	unsigned int i;

	for (i = 0; i < COUNTER_NR; i++)
		counter[i] = STATUS_UNKNOWN;
	if (row->has_status) {
		counter[COUNTER_READS] = status->reads;
		counter[COUNTER_WRITES] = status->writes;
		counter[COUNTER_REMAPPED_READS] = status->remapped_reads;
		counter[COUNTER_REMAPPED_WRITES] = status->remapped_writes;
		counter[COUNTER_READ_ERRORS] = status->read_errors;
		counter[COUNTER_WRITE_ERRORS] = status->write_errors;
		counter[COUNTER_SPARE_ERRORS] = status->spare_errors;
	}
	if (device->has_io) {
		counter[COUNTER_READS] = device->io[IO_READS];
		counter[COUNTER_WRITES] = device->io[IO_WRITES];
		counter[COUNTER_READ_SECTORS] = device->io[IO_READ_SECTORS];
		counter[COUNTER_WRITE_SECTORS] = device->io[IO_WRITE_SECTORS];
	}
	for (i = 0; i < COUNTER_NR; i++)
		known[i] = counter[i] != STATUS_UNKNOWN;
}

static void update_rates(struct row *row, const struct sample_device *device, u64 clock_ms)
{
	static const enum rate rate_of[] = {
		[COUNTER_READS] = RATE_READS, [COUNTER_WRITES] = RATE_WRITES,
		[COUNTER_READ_SECTORS] = RATE_READ_SECTORS,
		[COUNTER_WRITE_SECTORS] = RATE_WRITE_SECTORS,
		[COUNTER_REMAPPED_READS] = RATE_REMAPPED, [COUNTER_REMAPPED_WRITES] = RATE_REMAPPED,
		[COUNTER_READ_ERRORS] = RATE_ERRORS, [COUNTER_WRITE_ERRORS] = RATE_ERRORS,
		[COUNTER_SPARE_ERRORS] = RATE_ERRORS,
	};
	double seconds = (double)(clock_ms - row->clock_ms) / 1000;
	u64 counter[COUNTER_NR], growth;
	bool known[COUNTER_NR];
	unsigned int i;

	read_counters(row, device, counter, known);
	/* Reads and writes of the target are not those of the device: they do not go on from each other. */
	if (device->has_io != row->had_io)
		row->known[COUNTER_READS] = row->known[COUNTER_WRITES] = false;
	row->had_io = device->has_io;
	for (i = 0; i < RATE_NR; i++)
		row->rate[i] = RATE_UNKNOWN;
	for (i = 0; i < COUNTER_NR && clock_ms > row->clock_ms; i++) {
		if (!known[i] || !row->known[i])
			continue;
		growth = counter[i] >= row->counter[i] ? counter[i] - row->counter[i] : counter[i];
		if (row->rate[rate_of[i]] < 0)
			row->rate[rate_of[i]] = 0;
		row->rate[rate_of[i]] += (double)growth / seconds;
	}
	memcpy(row->counter, counter, sizeof(counter));
	memcpy(row->known, known, sizeof(known));
	row->clock_ms = clock_ms;
}

/* Keep points that are far enough apart for the window to hold them all. */
static void note_growth(struct growth *growth, u64 clock_ms, u64 used)
{
	struct growth_point *point = growth->point;
	unsigned int old = 0;

	if (growth->nr && used < growth->last_used)
		growth->nr = 0;		/* blocks were brought home: what was before says nothing */
	growth->last_used = used;
	while (old < growth->nr && point[old].clock_ms + GROWTH_WINDOW_MS < clock_ms)
		old++;
	growth->nr -= old;
	memmove(point, point + old, growth->nr * sizeof(*point));
	if (growth->nr && clock_ms < point[growth->nr - 1].clock_ms +
				     GROWTH_WINDOW_MS / (GROWTH_POINTS - 2))
		return;
	point[growth->nr++] = (struct growth_point){ clock_ms, used };
}

static void update_forecast(struct row *row, u64 clock_ms)
{
	const struct status_line *status = &row->status;
	const struct growth_point *first = row->growth.point;
	u64 free_slots, retired;

	row->full_seconds = FULL_UNKNOWN;
	if (!row->has_status || status->used == STATUS_UNKNOWN || status->slots == STATUS_UNKNOWN) {
		row->growth.nr = 0;
		return;
	}
	note_growth(&row->growth, clock_ms, status->used);
	retired = status->retired == STATUS_UNKNOWN ? 0 : status->retired;
	free_slots = status->slots > status->used ? status->slots - status->used : 0;
	free_slots = free_slots > retired ? free_slots - retired : 0;
	if (!free_slots)
		row->full_seconds = 0;
	else if (status->used == first->used && clock_ms > first->clock_ms)
		row->full_seconds = FULL_NEVER;
	else if (clock_ms > first->clock_ms)
		row->full_seconds = (u64)min((double)free_slots *
					     (double)(clock_ms - first->clock_ms) / 1000 /
					     (double)(status->used - first->used), FULL_MOST);
}

/* Parse the status. @old: out: the one before. Return: there was one before. */
static bool take_status(struct row *row, const struct sample_device *device,
			struct status_line *old)
{
	bool had_status = row->has_status;
	char *escaped;
	int r;

	*old = row->status;
	free(row->problem);
	row->problem = NULL;
	r = status_line_parse(&row->status, device->status);
	row->has_status = !r;
	if (r) {
		escaped = escape_text(device->status, strcspn(device->status, " "));
		if (asprintf(&row->problem, r == -EPROTONOSUPPORT ?
			     "status of layout %s, which this version does not know" :
			     "status not understood: %s ...", escaped) < 0)
			report_out_of_memory();
		free(escaped);
	}
	return had_status;
}

static void replace_text(char **text, const char *with)
{
	free(*text);
	*text = escape_text(with, strlen(with));
}

static void take_device(struct model *model, struct row *row, const struct sample_device *device)
{
	bool was_here = row->presence == ROW_HERE && row->dev, had_status;
	struct status_line old;

	if (row->dev && row->presence != ROW_HERE)
		model_note(model, row, COLOR_GOOD, "is back");
	else if (!row->dev && model->nr_samples)
		model_note(model, row, COLOR_NONE, "appeared");
	row->presence = ROW_HERE;
	row->in_sample = true;
	replace_text(&row->dev, device->dev);
	replace_text(&row->main_name, device->main_name);
	replace_text(&row->spare_name, device->spare_name);
	row->sectors = device->sectors;
	if (device->map) {
		if (!row->map)
			row->map = report_alloc(sizeof(*row->map));
		*row->map = *device->map;
	}
	had_status = take_status(row, device, &old);
	if (!was_here || (had_status && row->has_status &&
			  model_is_other_spare(&old, &row->status)))
		forget_rates(row);
	if (had_status && row->has_status)
		model_compare(model, row, &old);
	update_rates(row, device, model->clock_ms);
	update_forecast(row, model->clock_ms);
}

void model_update(struct model *model, const struct sample *sample)
{
	struct row *row;
	size_t i;

	model->time_ms = sample->time_ms;
	model->clock_ms = sample->clock_ms;
	for (i = 0; i < model->nr_names && !model->nr_samples; i++)
		if (!find_row(model, model->names[i], 0))
			add_row(model, model->names[i], 0)->presence = ROW_ABSENT;
	for (i = 0; i < model->nr_rows; i++)
		model->rows[i]->in_sample = false;
	for (i = 0; i < sample->nr_devices; i++) {
		const struct sample_device *device = &sample->devices[i];

		if (!is_wanted(model, device->name))
			continue;
		row = find_row(model, device->name, device->start_sector);
		if (!row)
			row = new_row(model, device->name, device->start_sector);
		if (!row->in_sample)	/* no sample should name a device twice */
			take_device(model, row, device);
	}
	for (i = 0; i < model->nr_rows; i++) {
		row = model->rows[i];
		if (row->in_sample || row->presence != ROW_HERE)
			continue;
		row->presence = ROW_GONE;
		forget_rates(row);
		model_note(model, row, COLOR_WARN, "is gone");
	}
	model->nr_samples++;
	model_arrange(model);
}

void model_expect(struct model *model, const char *name)
{
	size_t i;

	for (i = 0; i < model->nr_rows; i++)
		if (!strcmp(model->rows[i]->name, name))
			return;
	add_row(model, name, 0)->presence = ROW_ABSENT;
	model_arrange(model);
}
