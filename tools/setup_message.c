// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup salvage, scrub, health-scan, commit, breaker-reset: messages to a live device that
 * start or stop something, or do it at once.
 */
#include "live.h"
#include "report.h"
#include "setup.h"

/**
 * struct message_options - command line of one of these verbs
 * @common: first
 * @stop: stop it rather than start it
 * @message: what is sent
 * @said: what is printed then, behind the name of the device
 * @stop_message: what is sent to stop it
 */
struct message_options {
	struct common_options common;
	bool stop;
	const char *message;
	const char *said;
	const char *stop_message;
};

static const struct option_row rows[] = {
	{ .name = "stop", .kind = OPTION_FLAG, .field = offsetof(struct message_options, stop),
	  .help = "stop it; what it has done stays" },
};

static const struct operand_row operands[] = {
	{ "NAME", OPTION_NAME },
};

#define ONE_NAME \
	.operands = operands, .nr_operands = ARRAY_SIZE(operands), \
	.min_operands = ARRAY_SIZE(operands)
#define STARTS_AND_STOPS \
	.usage = "[--stop] NAME", .rows = rows, .nr_rows = ARRAY_SIZE(rows), ONE_NAME

static int run(void *opaque)
{
	struct message_options *options = opaque;
	const char *operand = options->common.operands[0];
	const char *message = options->stop ? options->stop_message : options->message;
	struct json *json = report_json();
	struct live live;
	int r;

	r = live_find(&live, operand);
	if (r) {
		live_report(operand, r);
		return report_finish(STATUS_FAILED);
	}
	r = live_refresh(&live, true);
	if (!r) {
		r = live_message(&live, message, NULL);
		if (r)
			dmdev_report(live.dev.name, r);
	}
	if (!r && json) {
		json_key_text(json, "device", live.dev.name);
		json_key_text(json, "message", message);
	}
	if (!r)
		report_out("%s: %s\n", live.dev.shown, options->stop ? "stopped" : options->said);
	live_free(&live);
	return report_finish(r ? STATUS_FAILED : STATUS_DONE);
}

static const struct tool salvage_tool = {
	.name = SETUP_TOOL,
	.verb = "salvage",
	.summary = "Try to read from main, again and again, what is on it only: pending sectors.",
	.details = "Runs beside other requests. What it recovers is on the spare from then on.",
	.example = "remap-setup salvage archive",
	STARTS_AND_STOPS,
};

static struct message_options salvage_options = {
	.message = "salvage start",
	.said = "trying pending sectors again; remap-top shows how far it is",
	.stop_message = "salvage stop",
};

const struct verb setup_salvage = {
	.tool = &salvage_tool,
	.help = "try pending sectors on main again",
	.options = &salvage_options,
	.run = run,
};

static const struct tool scrub_tool = {
	.name = SETUP_TOOL,
	.verb = "scrub",
	.summary = "Read all five copies of the spare's metadata, and repair those that are bad.",
	.details = "",
	.example = "remap-setup scrub archive",
	STARTS_AND_STOPS,
};

static struct message_options scrub_options = {
	.message = "scrub start",
	.said = "reading all copies of the metadata; remap-top shows how far it is",
	.stop_message = "scrub stop",
};

const struct verb setup_scrub = {
	.tool = &scrub_tool,
	.help = "check and repair the metadata while it is in use",
	.options = &scrub_options,
	.run = run,
};

static const struct tool scan_tool = {
	.name = SETUP_TOOL,
	.verb = "health-scan",
	.summary = "Read main from end to end for bad blocks, when the device has nothing else to do.",
	.details = "It has main for 1% of the time at most: a disk of 4 TB takes weeks.",
	.example = "remap-setup health-scan archive",
	STARTS_AND_STOPS,
};

static struct message_options scan_options = {
	.message = "scan start",
	.said = "looking for bad blocks; remap-top shows how far it is",
	.stop_message = "scan stop",
};

const struct verb setup_health_scan = {
	.tool = &scan_tool,
	.help = "read all of main for bad blocks",
	.options = &scan_options,
	.run = run,
};

static const struct tool commit_tool = {
	.name = SETUP_TOOL,
	.verb = "commit",
	.summary = "Make all changes of the metadata durable that came before.",
	.usage = "NAME",
	.details = "What a write needs is durable when the write is; this is for the rest.",
	.example = "remap-setup commit archive",
	ONE_NAME,
};

static struct message_options commit_options = {
	.message = "commit",
	.said = "all of the metadata is durable",
};

const struct verb setup_commit = {
	.tool = &commit_tool,
	.help = "make the metadata durable",
	.options = &commit_options,
	.run = run,
};

static const struct tool breaker_tool = {
	.name = SETUP_TOOL,
	.verb = "breaker-reset",
	.summary = "Allow automatic remaps again after too many of them in too short a time.",
	.usage = "NAME",
	.details = "Look at the disk first: so many errors may come from a cable or a controller.",
	.example = "remap-setup breaker-reset archive",
	ONE_NAME,
};

static struct message_options breaker_options = {
	.message = "breaker reset",
	.said = "automatic remaps are allowed again",
};

const struct verb setup_breaker_reset = {
	.tool = &breaker_tool,
	.help = "allow automatic remaps again",
	.options = &breaker_options,
	.run = run,
};
