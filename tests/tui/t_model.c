// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model of remap-top: rates, counters that begin anew, forecasts, order, filter, events, and
 * devices that come and go; from status lines as the target prints them.
 */
#include <locale.h>
#include <stdlib.h>

#include "tap.h"
#include "columns.h"
#include "model.h"

#define UUID_A "5cf03c0e-1f4e-4a55-9d7e-0d6f0c1b2a01"
#define UUID_B "5cf03c0e-1f4e-4a55-9d7e-0d6f0c1b2a02"

/* What the tests change of a status line; NULL is "ok", UUID_A, "-". */
struct numbers {
	const char *mode;
	const char *uuid;
	unsigned long long used, slots, pending, lost, retired, health;
	unsigned long long read_errors, write_errors, spare_errors, remapped_reads, remapped_writes;
	const char *reads, *writes;
};

#define NUMBERS .slots = 1000

static void add(struct sample *sample, const char *name, const struct numbers *n)
{
	struct sample_device *device = sample_add(sample);

	device->name = strdup(name);
	device->dev = strdup("253:0");
	device->main_name = strdup("sdb");
	device->spare_name = strdup("sdc");
	device->sectors = 131072;
	if (asprintf(&device->status,
		     "1 %s %llu/%llu %llu %llu %llu 5 %llu 8:16 8:33 %s 8 %llu %llu %llu %llu %llu %s %s 64 0 1022 0 - 0/131072 0 - rw - - - off 0 0 off 0/59 0 0 0 0",
		     n->mode ?: "ok", n->used, n->slots, n->pending, n->lost, n->retired, n->health, n->uuid ?: UUID_A,
		     n->read_errors, n->write_errors, n->spare_errors, n->remapped_reads,
		     n->remapped_writes, n->reads ?: "-", n->writes ?: "-") < 0)
		abort();
}

/* A sample of one device at @seconds. Return: its row. */
static const struct row *look(struct model *model, double seconds, const struct numbers *numbers)
{
	struct sample sample = { .time_ms = 1800000000000ULL + (u64)(seconds * 1000),
				 .clock_ms = (u64)(seconds * 1000) };

	if (numbers)
		add(&sample, "safe", numbers);
	model_update(model, &sample);
	sample_clear(&sample);
	return model->rows[0];
}

/* Numbers that rates are compared by: thousandths. */
static long milli(double rate)
{
	return (long)(rate * 1000 + (rate < 0 ? -0.5 : 0.5));
}

static void test_rates(void)
{
	struct numbers n = { NUMBERS, .reads = "100", .writes = "10" };
	const struct row *row;
	struct model model;

	model_init(&model, NULL, 0);
	row = look(&model, 10, &n);
	is(milli(row->rate[RATE_READS]), -1000, "one sample is no rate");
	n.reads = "350";
	n.read_errors = 3;
	n.write_errors = 1;
	n.spare_errors = 1;
	n.remapped_reads = 4;
	n.remapped_writes = 6;
	row = look(&model, 12.5, &n);
	is(milli(row->rate[RATE_READS]), 100000, "250 reads in 2.5 seconds");
	is(milli(row->rate[RATE_WRITES]), 0, "no writes");
	is(milli(row->rate[RATE_ERRORS]), 2000, "errors of all kinds are added up");
	is(milli(row->rate[RATE_REMAPPED]), 4000, "remapped reads and writes, too");
	is(milli(row->rate[RATE_READ_SECTORS]), -1000, "what nobody counts is unknown");
	row = look(&model, 12.5, &n);
	is(milli(row->rate[RATE_READS]), -1000, "no time, no rate");
	n.reads = "-";
	row = look(&model, 13, &n);
	is(milli(row->rate[RATE_READS]), -1000, "a counter that became unknown has no rate");
	n.reads = "1000000";
	row = look(&model, 14, &n);
	is(milli(row->rate[RATE_READS]), -1000, "nor has one that was unknown before");
	is(milli(row->rate[RATE_WRITES]), 0, "the others have");
	model_exit(&model);
}

/* Reads are counted by the device and by the target, which do not agree; one look has only the latter. */
static void test_counters_of_two(void)
{
	static const u64 device_reads[] = { 1000, 1010, 0, 1030, 1040 };
	static const long wanted[] = { -1000, 10000, -1000, -1000, 10000 };
	const struct row *row;
	struct model model;
	unsigned int i;

	model_init(&model, NULL, 0);
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct numbers n = { NUMBERS, .reads = "500000", .writes = "500000" };
		struct sample sample = { .clock_ms = 1000 * (i + 1) };

		add(&sample, "safe", &n);
		sample.devices[0].has_io = device_reads[i];
		sample.devices[0].io[IO_READS] = device_reads[i];
		sample.devices[0].io[IO_WRITES] = device_reads[i];
		model_update(&model, &sample);
		sample_clear(&sample);
		row = model.rows[0];
		is(milli(row->rate[RATE_READS]), wanted[i], "look %u: a rate is of one counter, or none", i);
		is(milli(row->rate[RATE_WRITES]), wanted[i], "of writes, too");
	}
	model_exit(&model);
}

static void test_resets(void)
{
	struct numbers n = { NUMBERS, .reads = "5000", .writes = "5000", .spare_errors = 7,
			     .remapped_reads = 900, .read_errors = 50 };
	const struct row *row;
	struct model model;
	unsigned int i;

	model_init(&model, NULL, 0);
	look(&model, 1, &n);
	n.spare_errors = 0;
	n.remapped_reads = 6;
	n.reads = "20";
	row = look(&model, 3, &n);
	for (i = 0; i < RATE_NR; i++)
		ok(row->rate[i] >= 0 || row->rate[i] == RATE_UNKNOWN, "rate %u is not negative", i);
	is(milli(row->rate[RATE_REMAPPED]), 3000, "after a reset counts what was counted since");
	is(milli(row->rate[RATE_READS]), 10000, "also where a device was made again");
	is(milli(row->rate[RATE_ERRORS]), 0, "a reset is no error");
	is(model.nr_events, 0, "and no event");
	n.uuid = "-";
	look(&model, 3.5, &n);
	is(model.nr_events, 0, "a spare that is not known is not another one");
	n.uuid = UUID_A;
	look(&model, 3.6, &n);
	is(model.nr_events, 0, "and back");
	n.uuid = UUID_B;
	n.read_errors = 4000;
	n.used = 500;
	row = look(&model, 4, &n);
	is(milli(row->rate[RATE_ERRORS]), -1000, "numbers of another spare are no growth");
	is(model.nr_events, 1, "there is one event");
	is_str(model.event[0].text, "another spare", "which says so");
	model_exit(&model);
}

static void test_forecast(void)
{
	struct numbers n = { NUMBERS, .used = 100 };
	const struct row *row;
	struct model model;
	unsigned int i;

	model_init(&model, NULL, 0);
	row = look(&model, 0, &n);
	ok(row->full_seconds == FULL_UNKNOWN, "one sample is no forecast");
	row = look(&model, 10, &n);
	ok(row->full_seconds == FULL_NEVER, "no growth: never");
	n.used = 110;
	row = look(&model, 20, &n);
	is(row->full_seconds, 1780, "10 slots in 20 seconds, 890 are left");
	n.retired = 90;
	row = look(&model, 20, &n);
	is(row->full_seconds, 1600, "retired slots are not free");
	n.used = 105;
	row = look(&model, 30, &n);
	ok(row->full_seconds == FULL_UNKNOWN, "blocks were brought home: it begins anew");
	n.used = 910;
	row = look(&model, 31, &n);
	is(row->full_seconds, 0, "no slot is left");
	n.used = 200;
	n.retired = 0;
	look(&model, 40, &n);
	n.used = 300;
	row = look(&model, 41, &n);
	is(row->full_seconds, 7, "100 slots in a second, 700 are left");
	for (i = 0; i < 2000; i++)
		row = look(&model, 42 + i, &n);
	ok(row->full_seconds == FULL_NEVER, "what is older than ten minutes does not count");
	for (i = 0; i < 5000; i++) {
		n.used = 300 + i / 100;
		row = look(&model, 3000 + i, &n);
	}
	ok(row->full_seconds > 60000 && row->full_seconds < 80000,
	   "a slot in 100 seconds, 651 are left: %llu s", (unsigned long long)row->full_seconds);
	n.slots = UINT64_MAX - 1;
	look(&model, 9000, &n);
	n.used++;
	row = look(&model, 9100, &n);
	is(row->full_seconds, 1000000000000000, "more slots than there can be");
	model_exit(&model);
}

static void test_presence(void)
{
	static const char *const names[] = { "safe", "nowhere" };
	struct numbers n = { NUMBERS, .used = 5, .reads = "10", .writes = "0" };
	const struct row *row;
	struct model model;
	struct sample sample = { .time_ms = 1800000009000ULL, .clock_ms = 9000 };

	model_init(&model, names, 2);
	row = look(&model, 1, NULL);
	is_str(row_mode(row), "absent", "a device that was asked for, and was never seen");
	row = look(&model, 2, &n);
	is_str(row_mode(row), "ok", "it is there");
	row = look(&model, 3, NULL);
	is_str(row_mode(row), "gone", "and is not");
	ok(row->full_seconds == FULL_UNKNOWN && row->rate[RATE_READS] == RATE_UNKNOWN,
	   "what is gone has no rates");
	n.reads = "20";
	row = look(&model, 4, &n);
	is_str(row_mode(row), "ok", "it is back");
	is(milli(row->rate[RATE_READS]), -1000, "and its counters are compared with none before");
	is_str(model.event[model.nr_events - 1].text, "is back", "which is an event");
	add(&sample, "other", &n);
	model_update(&model, &sample);
	sample_clear(&sample);
	is(model.nr_rows, 2, "what was not asked for is not shown");
	is_str(row_mode(model.rows[1]), "absent", "the second was never there");
	add(&sample, "nowhere", &n);
	sample.devices[0].start_sector = 2048;
	sample.clock_ms = 10000;
	model_update(&model, &sample);
	sample_clear(&sample);
	is(model.nr_rows, 2, "a table with a line of ours behind others");
	is_str(model.rows[1]->shown, "nowhere+2048", "is the device that was asked for");
	is_str(row_mode(model.rows[1]), "ok", "and is there");
	model_exit(&model);
}

static void test_events(void)
{
	struct numbers n = { NUMBERS, .used = 5, .pending = 8 };
	struct model model;
	char *all = NULL;
	size_t bytes;
	FILE *stream;
	u64 i;

	model_init(&model, NULL, 0);
	look(&model, 1, &n);
	is(model.nr_events, 0, "the first sample is no event");
	n.mode = "degraded";
	n.used = 7;
	n.pending = 3;
	n.lost = 1;
	n.retired = 2;
	n.read_errors = 2;
	n.write_errors = 1;
	n.spare_errors = 3;
	look(&model, 2, &n);
	stream = open_memstream(&all, &bytes);
	for (i = 0; i < model.nr_events; i++)
		fprintf(stream, "%s\n", model.event[i].text);
	fclose(stream);
	is_str(all,
	       "mode: degraded, was ok\n"
	       "2 read errors of main\n"
	       "1 write error of main\n"
	       "3 errors of the spare\n"
	       "2 blocks remapped, 7 of 1000 slots used\n"
	       "2 slots retired: bad places of the spare\n"
	       "5 sectors no longer pending: 3 left\n"
	       "1 more sector lost: 1\n", "everything that changed is an event");
	free(all);
	for (i = 0; i < 1000; i++) {
		n.used++;
		look(&model, 3 + (double)i, &n);
	}
	is(model.nr_events, 1008, "more events than are kept are counted");
	is_str(model.event[1007 % MODEL_EVENTS].text, "1 block remapped, 1007 of 1000 slots used",
	       "and the last ones are there");
	model_exit(&model);
}

/* Names of the rows that are shown, in order. */
static const char *shown(const struct model *model)
{
	static char text[200];
	size_t i;

	*text = 0;
	for (i = 0; i < model->nr_view; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 model->view[i]->shown);
	return text;
}

static void test_order(void)
{
	struct sample sample = { .clock_ms = 1 };
	struct model model;

	model_init(&model, NULL, 0);
	add(&sample, "beta", &(struct numbers){ NUMBERS, .used = 10, .lost = 3, .health = 40 });
	add(&sample, "alpha", &(struct numbers){ NUMBERS, .used = 500, .health = 80 });
	add(&sample, "Gamma", &(struct numbers){ NUMBERS, .used = 10, .health = 100 });
	add(&sample, "dead", &(struct numbers){ NUMBERS, .mode = "failed", .lost = 3, .health = 0 });
	model_update(&model, &sample);
	sample_clear(&sample);
	is_str(shown(&model), "alpha beta dead Gamma", "by name, in either case");
	model.reversed = true;
	model_arrange(&model);
	is_str(shown(&model), "Gamma dead beta alpha", "the other way round");
	model.reversed = false;
	model.sort = COLUMN_SLOTS;
	model_arrange(&model);
	is_str(shown(&model), "alpha beta Gamma dead", "the most slots first, equals by name");
	model.sort = COLUMN_HEALTH;
	model_arrange(&model);
	is_str(shown(&model), "dead beta alpha Gamma", "the least health first");
	model.sort = COLUMN_MODE;
	model_arrange(&model);
	is_str(shown(&model), "dead alpha beta Gamma", "the worst mode first");
	model.sort = COLUMN_LOST;
	model_filter(&model, "A");
	is_str(shown(&model), "beta dead alpha Gamma", "all have an a");
	model_filter(&model, "FAIL");
	is_str(shown(&model), "dead", "a mode is found");
	model_filter(&model, "sdc");
	is(model.nr_view, 4, "a spare is found");
	model_filter(&model, "nothing");
	is(model.nr_view, 0, "nothing passes");
	model_filter(&model, "");
	is(model.nr_view, 4, "an empty filter is none");
	model_exit(&model);
}

static void test_problem(void)
{
	struct sample sample = { .clock_ms = 1000 };
	struct sample_device *device;
	struct model model;

	model_init(&model, NULL, 0);
	look(&model, 0.5, &(struct numbers){ NUMBERS });
	device = sample_add(&sample);
	device->name = strdup("safe");
	device->dev = strdup("253:0");
	device->main_name = strdup("-");
	device->spare_name = strdup("-");
	device->status = strdup("7 of \033[31m the future");
	model_update(&model, &sample);
	sample_clear(&sample);
	is_str(row_mode(model.rows[0]), "unknown", "a status line of another layout");
	is_str(model.rows[0]->problem, "status of layout 7, which this version does not know",
	       "is named");
	ok(model.rows[0]->full_seconds == FULL_UNKNOWN, "and nothing is forecast");
	model_exit(&model);
}

static void test_cells(void)
{
	static const struct { double rate; const char *text; } rates[] = {
		{ -1, "-" }, { 0, "0" }, { 0.01, "<0.1" }, { 0.3, "0.3" }, { 9.94, "9.9" },
		{ 9.96, "10" }, { 99999, "99999" }, { 100000, "100k" }, { 9999499, "9999k" },
		{ 12e6, "12M" }, { 12e9, "12G" }, { 999.4e9, "999G" },
		{ 1.8e19, ">999G" },
	};
	static const struct { u64 seconds; const char *text; } times[] = {
		{ FULL_NEVER, "-" }, { FULL_UNKNOWN, "-" }, { 0, "full" }, { 119, "119s" },
		{ 120, "2m" }, { 7200, "2h" }, { 172800, "2d" }, { 86399999, "999d" },
		{ 86400000, ">2y" },
	};
	struct charset plain = { .full = "#", .empty = "." }, utf8 = { .is_utf8 = true };
	char text[CELL_BYTES];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		show_rate(rates[i].rate, text);
		is_str(text, rates[i].text, "a rate of %g", rates[i].rate);
	}
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		show_full(times[i].seconds, text);
		is_str(text, times[i].text, "%llu seconds", (unsigned long long)times[i].seconds);
	}
	cell_fit(text, "abc", 5, true, &plain);
	is_str(text, "abc  ", "filled up");
	cell_fit(text, "abc", 5, false, &plain);
	is_str(text, "  abc", "on the other side");
	cell_fit(text, "abcdef", 4, true, &plain);
	is_str(text, "abc+", "cut");
	if (setlocale(LC_CTYPE, "C.UTF-8")) {
		cell_fit(text, "Bücher", 7, true, &utf8);
		is_str(text, "Bücher ", "characters are counted, not bytes");
		cell_fit(text, "Bücher", 2, true, &utf8);
		is_str(text, "B+", "and cut");
		cell_fit(text, "日本語", 5, true, &utf8);
		is_str(text, "日本+", "wide ones take two cells");
		cell_fit(text, "日本語", 4, true, &utf8);
		is_str(text, "日+ ", "and are cut as a whole");
		cell_fit(text, "abe\u0301cd", 3, true, &utf8);
		is_str(text, "ab+", "what combines with a character goes with it");
	}
}

static void test_map(void)
{
	struct map map = { .main_sectors = 1000000 };
	u8 cells[MAP_CELLS * 2];

	map_mark(&map, 999999, 2000000, MAP_LOST);
	is(map.cell[MAP_CELLS - 1], MAP_LOST, "the last sector is in the last cell");
	map_mark(&map, 0, 1, MAP_PENDING);
	map_mark(&map, 0, 1, MAP_REMAPPED);
	is(map.cell[0], MAP_PENDING, "a cell keeps what is worse");
	map_mark(&map, 5, 5, MAP_LOST);
	is(map.cell[0], MAP_PENDING, "no sectors, no mark");
	map_fold(&map, cells, 3);
	ok(cells[0] == MAP_PENDING && cells[1] == MAP_GOOD && cells[2] == MAP_LOST,
	   "folded to three cells");
	map_fold(&map, cells, MAP_CELLS * 2);
	ok(cells[1] == MAP_PENDING && cells[2] == MAP_GOOD && cells[MAP_CELLS * 2 - 1] == MAP_LOST,
	   "spread over more");
}

int main(void)
{
	test_rates();
	test_counters_of_two();
	test_resets();
	test_forecast();
	test_presence();
	test_events();
	test_order();
	test_problem();
	test_cells();
	test_map();
	return done();
}
