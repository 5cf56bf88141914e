// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which rows are shown, and in which order.
 */
#include <stdlib.h>

#include "columns.h"
#include "model.h"

const char *row_mode(const struct row *row)
{
	if (row->presence == ROW_GONE)
		return "gone";
	if (row->presence == ROW_ABSENT)
		return "absent";
	return row->has_status ? status_mode_name(row->status.mode) : "unknown";
}

unsigned int row_mode_rank(const struct row *row)
{
	static const unsigned int ranks[STATUS_NR_MODES] = {
		[STATUS_MODE_OK] = 0, [STATUS_MODE_INACTIVE] = 1, [STATUS_MODE_DEGRADED] = 1,
		[STATUS_MODE_BREAKER] = 1, [STATUS_MODE_FULL] = 2, [STATUS_MODE_FAILED] = 3,
	};

	if (row->presence == ROW_GONE)
		return 1;
	if (row->presence == ROW_ABSENT || !row->has_status)
		return 2;
	return ranks[row->status.mode];
}

static int compare_names(const struct row *a, const struct row *b)
{
	int order = strcasecmp(a->shown, b->shown);

	if (!order)
		order = strcmp(a->name, b->name);
	if (!order)
		order = (a->start_sector > b->start_sector) - (a->start_sector < b->start_sector);
	return order;
}

static int compare_rows(const void *a, const void *b, void *ctx)
{
	const struct row *row_a = *(const struct row *const *)a;
	const struct row *row_b = *(const struct row *const *)b;
	const struct model *model = ctx;
	const struct column *column = &top_columns[model->sort];
	double key_a, key_b;
	int order;

	if (!column->key)
		order = compare_names(row_a, row_b);
	else {
		key_a = column->key(row_a);
		key_b = column->key(row_b);
		order = (key_a > key_b) - (key_a < key_b);
		if (!column->is_ascending)
			order = -order;
	}
	if (order)
		return model->reversed ? -order : order;
	return compare_names(row_a, row_b);
}

static bool passes(const struct model *model, const struct row *row)
{
	const char *filter = model->filter;

	return !filter || strcasestr(row->shown, filter) || strcasestr(row_mode(row), filter) ||
	       (row->main_name && strcasestr(row->main_name, filter)) ||
	       (row->spare_name && strcasestr(row->spare_name, filter));
}

void model_arrange(struct model *model)
{
	size_t i;

	model->nr_view = 0;
	for (i = 0; i < model->nr_rows; i++) {
		if (!passes(model, model->rows[i]))
			continue;
		model->view = report_grow(model->view, model->nr_view, &model->view_room,
					  sizeof(*model->view));
		model->view[model->nr_view++] = model->rows[i];
	}
	if (model->nr_view)
		qsort_r(model->view, model->nr_view, sizeof(*model->view), compare_rows, model);
}

void model_filter(struct model *model, const char *text)
{
	free(model->filter);
	model->filter = NULL;
	if (text && *text) {
		model->filter = strdup(text);
		if (!model->filter)
			report_out_of_memory();
	}
	model_arrange(model);
}

char *model_sum(const struct model *model)
{
	const char *modes[16];
	unsigned int counts[16] = { 0 }, nr = 0, i;
	char *text = NULL;
	size_t bytes = 0, at;
	FILE *stream = open_memstream(&text, &bytes);

	if (!stream)
		report_out_of_memory();
	for (at = 0; at < model->nr_view; at++) {
		const char *mode = row_mode(model->view[at]);

		for (i = 0; i < nr && strcmp(modes[i], mode); i++)
			;
		if (i == ARRAY_SIZE(modes))
			continue;
		if (i == nr)
			modes[nr++] = mode;
		counts[i]++;
	}
	fprintf(stream, "%zu device%s", model->nr_view, model->nr_view == 1 ? "" : "s");
	for (i = 0; i < nr; i++)
		fprintf(stream, "%s%u %s", i ? ", " : ": ", counts[i], modes[i]);
	if (model->nr_view < model->nr_rows)
		fprintf(stream, " (of %zu)", model->nr_rows);
	if (fclose(stream))
		report_out_of_memory();
	return text;
}
