// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-top: devices of dm-remap as they live. This file is its command line.
 */
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "escape.h"
#include "options.h"
#include "source_live.h"
#include "top.h"
#include "units.h"

#define INTERVAL_LEAST_MS 100
#define INTERVAL_MOST_MS 3600000

/**
 * struct top_options - the command line
 * @interval: seconds as they were written, or NULL
 * @sort: index into column_names
 * @batch: text instead of a screen
 * @frames: number as it was written, or NULL
 * @record: file, or NULL
 * @replay: file, or NULL
 */
struct top_options {
	struct common_options common;
	const char *interval;
	int sort;
	bool batch;
	const char *frames;
	const char *record;
	const char *replay;
};

#define FIELD(member) offsetof(struct top_options, member)

static const struct option_row rows[] = {
	{ .letter = 'd', .name = "delay", .kind = OPTION_TEXT, .field = FIELD(interval),
	  .argument = "SECONDS", .help = "from one look to the next, 0.1 to 3600 (default 1)" },
	{ .letter = 's', .name = "sort", .kind = OPTION_CHOICE, .field = FIELD(sort),
	  .argument = "COLUMN", .choices = column_names, .help = "sort by this column" },
	{ .letter = 'b', .name = "batch", .kind = OPTION_FLAG, .field = FIELD(batch),
	  .help = "print text, as where there is no terminal" },
	{ .letter = 'n', .name = "frames", .kind = OPTION_TEXT, .field = FIELD(frames),
	  .argument = "N", .help = "with -b: end after N looks" },
	{ .name = "record", .kind = OPTION_FILE, .field = FIELD(record), .argument = "FILE",
	  .help = "keep what is seen in FILE, which is not there yet" },
	{ .name = "replay", .kind = OPTION_FILE, .field = FIELD(replay), .argument = "FILE",
	  .help = "show what was recorded; needs no device, no root and no kernel module" },
};

static const struct tool tool = {
	.name = "remap-top",
	.summary = "Show devices of dm-remap as they live: health, slots, rates, maps, events.",
	.usage = "[-d SECONDS] [-s COLUMN] [-b [-n N]] [--record FILE|--replay FILE] [NAME...]",
	.details = "NAME is that of a mapped device, or /dev/mapper/NAME; all devices without it. "
		   "F1 shows the keys.",
	.example = "remap-top -b -n 2 safe",
	.operand = "NAME",
	.operand_kind = OPTION_NAME,
	.is_list = true,
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

/* "2", "0.5". @ms: out. Return: NULL, or why it is not such a number. */
static const char *parse_seconds(const char *text, u64 *ms)
{
	const char *point = strchr(text, '.'), *reason;
	char whole[24] = "", fraction[4] = "000";
	u64 seconds, rest;
	size_t bytes = point ? (size_t)(point - text) : strlen(text);

	if (bytes >= sizeof(whole))
		return "is too large; it must be at most 3600";
	memcpy(whole, text, bytes);
	reason = units_parse_number(point && !bytes ? "0" : whole, &seconds);
	if (reason)
		return reason;
	if (point) {
		if (!point[1] || strspn(point + 1, "0123456789") != strlen(point + 1))
			return "is not a number";
		memcpy(fraction, point + 1, min(strlen(point + 1), (size_t)3));
	}
	reason = units_parse_number(fraction, &rest);
	if (reason)
		return reason;
	if (seconds > INTERVAL_MOST_MS / 1000 || seconds * 1000 + rest > INTERVAL_MOST_MS)
		return "is too large; it must be at most 3600";
	if (seconds * 1000 + rest < INTERVAL_LEAST_MS)
		return "is too small; it must be at least 0.1";
	*ms = seconds * 1000 + rest;
	return NULL;
}

/* Return: -1, or main()'s exit status. */
static int bad_value(const char *option, const char *value, const char *reason)
{
	char *escaped = escape_text(value, strlen(value));
	int status = options_misused(&tool, "%s: \"%s\" %s", option, escaped, reason);

	free(escaped);
	return status;
}

/* Return: -1, or main()'s exit status. */
static int check_options(struct top_options *options, struct top *top)
{
	const char *reason;

	if (options->interval) {
		reason = parse_seconds(options->interval, &top->interval_ms);
		if (reason)
			return bad_value("-d", options->interval, reason);
	}
	if (options->frames) {
		reason = units_parse_number(options->frames, &top->nr_frames);
		if (!reason && !top->nr_frames)
			reason = "is too small; it must be at least 1";
		if (reason)
			return bad_value("-n", options->frames, reason);
		if (!options->batch && !options->common.report.json)
			return options_misused(&tool, "-n goes with -b only");
	}
	if (options->record && options->replay)
		return options_misused(&tool, "--record and --replay do not go together");
	return -1;
}

/* What mapped devices are called. Return: -1, or main()'s exit status. */
static int check_names(struct top_options *options)
{
	static const char dir[] = "/dev/mapper/";
	size_t i;

	for (i = 0; i < options->common.nr_list; i++) {
		const char **name = &options->common.list[i];

		if (!strncmp(*name, dir, sizeof(dir) - 1))
			*name += sizeof(dir) - 1;
		if (strchr(*name, '/') || !**name)
			return bad_value("NAME", *name,
					 "is not the name of a mapped device");
	}
	return -1;
}

/* Return: exit status. */
static int show(struct top *top, const struct top_options *options)
{
	bool is_screen = !options->batch && !options->common.report.json &&
			 isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	int status;

	if (is_screen && view_curses(top, &status))
		return status;
	return view_batch(top);
}

/* Has what is printed or kept of the first look a map? A screen gets it when it is there. */
static enum live_maps wanted_maps(const struct top_options *options)
{
	return options->batch && (options->common.report.verbose || options->record) ?
	       LIVE_MAPS_FIRST : LIVE_MAPS_LATER;
}

int main(int argc, char **argv)
{
	struct top_options options = { .sort = COLUMN_NAME };
	struct top top = { .source = NULL };
	int status;

	setlocale(LC_CTYPE, "");
	status = options_parse(&tool, &options, argc, argv);
	if (status >= 0)
		return status;
	status = check_options(&options, &top);
	if (status < 0)
		status = check_names(&options);
	if (status >= 0)
		return status;
	status = options.replay ? source_replay(options.replay, &top.source) :
				  source_live(&top.source, wanted_maps(&options));
	if (status)
		return report_finish(status);
	if (options.record && recording_open(&top.recording, options.record)) {
		source_free(top.source);
		return report_finish(STATUS_FAILED);
	}
	model_init(&top.model, options.common.list, options.common.nr_list);
	top.model.sort = (unsigned int)options.sort;
	status = show(&top, &options);
	if (recording_close(&top.recording)) {
		report_error("--record: the recording could not be written");
		status = STATUS_FAILED;
	}
	model_exit(&top.model);
	source_free(top.source);
	free(top.problem);
	return report_finish(status);
}
