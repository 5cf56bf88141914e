// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-status: how devices of dm-remap are, once. This file is its command line, and gathers what
 * the others judge and print.
 */
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "backup_dir.h"
#include "columns.h"
#include "escape.h"
#include "options.h"
#include "output.h"
#include "remaptab.h"
#include "source_live.h"
#include "status_report.h"
#include "units.h"

#define MODULES_DIR "/lib/modules"
#define FREE_WARNING 20		/* percent */
#define FREE_CRITICAL 10
#define NAGIOS_UNKNOWN SEVERITY_UNKNOWN

enum form { FORM_TEXT, FORM_PROMETHEUS, FORM_NAGIOS };

/**
 * struct status_options - the command line
 * @form: enum form; JSON is in @common
 * @output: file, or NULL
 * @warning: percent as it was written, or NULL; likewise @critical
 * @delay: seconds as they were written, or NULL
 * @remaptab: file, or NULL: none is read; likewise the directories @modules and @backups
 * @replay: recording, or NULL
 */
struct status_options {
	struct common_options common;
	int form;
	const char *output;
	const char *warning;
	const char *critical;
	const char *delay;
	const char *remaptab;
	const char *modules;
	const char *backups;
	const char *replay;
};

#define FIELD(member) offsetof(struct status_options, member)

static const struct option_row rows[] = {
	{ .name = "prometheus", .kind = OPTION_VALUE, .field = FIELD(form),
	  .value = FORM_PROMETHEUS, .help = "print metrics for a textfile collector" },
	{ .letter = 'o', .name = "output", .kind = OPTION_FILE, .field = FIELD(output),
	  .argument = "FILE", .help = "with --prometheus: write FILE, complete or not at all" },
	{ .name = "nagios", .kind = OPTION_VALUE, .field = FIELD(form), .value = FORM_NAGIOS,
	  .help = "print one line, and exit with 0 to 3, as a plugin of Nagios" },
	{ .letter = 'w', .name = "warning", .kind = OPTION_TEXT, .field = FIELD(warning),
	  .argument = "PERCENT", .help = "warn when fewer slots are free (default 20)" },
	{ .letter = 'c', .name = "critical", .kind = OPTION_TEXT, .field = FIELD(critical),
	  .argument = "PERCENT", .help = "critical when fewer slots are free (default 10)" },
	{ .letter = 'd', .name = "delay", .kind = OPTION_TEXT, .field = FIELD(delay),
	  .argument = "SECONDS", .help = "look twice, 1 to 3600 seconds apart, for the time to full" },
	{ .name = "remaptab", .kind = OPTION_FILE, .field = FIELD(remaptab), .argument = "FILE",
	  .help = "instead of " REMAPTAB_PATH },
	{ .name = "modules", .kind = OPTION_FILE, .field = FIELD(modules), .argument = "DIR",
	  .help = "instead of " MODULES_DIR },
	{ .name = "backups", .kind = OPTION_FILE, .field = FIELD(backups), .argument = "DIR",
	  .help = "where backups are, instead of " BACKUP_DIR },
	{ .name = "replay", .kind = OPTION_FILE, .field = FIELD(replay), .argument = "FILE",
	  .help = "the status at the end of a recording of remap-top" },
};

static const struct tool tool = {
	.name = "remap-status",
	.summary = "Show how devices of dm-remap are, what needs attention, and what to do.",
	.usage = "[--json|--prometheus [-o FILE]|--nagios] [-w PERCENT] [-c PERCENT] [NAME...]",
	.details = "NAME is that of a mapped device, or /dev/mapper/NAME. Without it: all devices, "
		   "those of remaptab\nthat are not there, and installed kernels without the module.",
	.example = "remap-status --prometheus -o /var/lib/prometheus/node-exporter/dm-remap.prom",
	.operand = "NAME",
	.operand_kind = OPTION_NAME,
	.is_list = true,
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

/* A number within limits, if it was given. Return: -1, or main()'s exit status. */
static int parse_within(const char *option, const char *value, u64 least, u64 most, u64 *number)
{
	const char *reason;
	char *escaped;
	int status;
	u64 parsed;

	if (!value)
		return -1;
	reason = units_parse_number(value, &parsed);
	if (!reason && parsed >= least && parsed <= most) {
		*number = parsed;
		return -1;
	}
	escaped = escape_text(value, strlen(value));
	if (reason)
		status = options_misused(&tool, "%s: \"%s\" %s", option, escaped, reason);
	else
		status = options_misused(&tool, "%s: %s is not within %llu to %llu", option, escaped,
					 (unsigned long long)least, (unsigned long long)most);
	free(escaped);
	return status;
}

/* Return: -1, or main()'s exit status. */
static int check_options(struct status_options *options, struct status_report *report, u64 *delay)
{
	int status = parse_within("-w", options->warning, 0, 100, &report->free_warning);

	if (status < 0)
		status = parse_within("-c", options->critical, 0, 100, &report->free_critical);
	if (status < 0)
		status = parse_within("-d", options->delay, 1, 3600, delay);
	if (status >= 0)
		return status;
	if (report->free_critical > report->free_warning)
		return options_misused(&tool, "-c %llu is more than -w %llu: it would never only warn",
				       (unsigned long long)report->free_critical,
				       (unsigned long long)report->free_warning);
	if (options->form && options->common.report.json)
		return options_misused(&tool, "--json does not go with --prometheus or --nagios");
	if (options->output && options->form != FORM_PROMETHEUS)
		return options_misused(&tool, "-o goes with --prometheus only");
	if (options->replay && options->delay)
		return options_misused(&tool, "-d does not go with --replay");
	return -1;
}

/* What mapped devices are called. Return: -1, or main()'s exit status. */
static int check_names(struct status_options *options)
{
	static const char dir[] = "/dev/mapper/";
	char *escaped;
	int status;
	size_t i;

	for (i = 0; i < options->common.nr_list; i++) {
		const char **name = &options->common.list[i];

		if (!strncmp(*name, dir, sizeof(dir) - 1))
			*name += sizeof(dir) - 1;
		if (!strchr(*name, '/') && **name)
			continue;
		escaped = escape_text(*name, strlen(*name));
		status = options_misused(&tool, "NAME: \"%s\" is not the name of a mapped device",
					 escaped);
		free(escaped);
		return status;
	}
	return -1;
}

/* Take one sample, or all that a recording has. Return: STATUS_DONE, or with an error reported. */
static int take_samples(struct model *model, struct source *source, u64 delay)
{
	u64 looks = delay ? 2 : 1;
	struct sample sample;
	int r = 1;

	while (r > 0 && (source->is_recording || looks)) {
		sample = (struct sample){ .devices = NULL };
		r = source_next(source, &sample);
		if (r > 0)
			model_update(model, &sample);
		sample_clear(&sample);
		if (looks && --looks && !source->is_recording)
			sleep((unsigned int)delay);
	}
	if (r >= 0)
		return STATUS_DONE;
	report_error("%s", source->problem);
	return source->status;
}

/* What should be here besides the devices. */
static int look_around(struct status_report *report, const struct status_options *options)
{
	struct remaptab tab;
	size_t i;
	int r = 0;

	if (options->remaptab) {
		r = remaptab_read(&tab, options->remaptab);
		for (i = 0; i < tab.nr; i++)
			model_expect(&report->model, tab.entry[i].name);
		if (tab.wrong)
			r = -EBADMSG;
		remaptab_free(&tab);
	}
	if (!r && options->modules)
		r = status_find_kernels(report, options->modules);
	return r ? STATUS_FAILED : STATUS_DONE;
}

static int gather(struct status_report *report, const struct status_options *options, u64 delay)
{
	struct source *source;
	int status;

	status = options->replay ? source_replay(options->replay, &source) :
				   source_live(&source, LIVE_MAPS_NONE);
	if (status)
		return status;
	status = take_samples(&report->model, source, delay);
	source_free(source);
	if (!status && !options->common.nr_list)
		status = look_around(report, options);
	if (!status && options->backups && status_find_backups(report, options->backups))
		status = STATUS_FAILED;
	return status;
}

static int write_prometheus(const struct status_report *report, const char *path)
{
	const struct device none = { .path = NULL };
	struct output output;

	if (output_open(&output, path, &none))
		return STATUS_FAILED;
	status_print_prometheus(report, output.stream);
	return output_close(&output, true) ? STATUS_FAILED : STATUS_DONE;
}

static int show(const struct status_report *report, const struct status_options *options)
{
	struct json *json = report_json();

	if (options->form == FORM_PROMETHEUS)
		return write_prometheus(report, options->output);
	if (options->form == FORM_NAGIOS)
		return status_print_nagios(report);
	if (json)
		status_print_json(report, json);
	else
		status_print_text(report);
	return report->nr_problems ? STATUS_LOOK : STATUS_DONE;
}

int main(int argc, char **argv)
{
	struct status_options options = { .remaptab = NULL };
	struct status_report report = {
		.free_warning = FREE_WARNING, .free_critical = FREE_CRITICAL,
	};
	u64 delay = 0;
	int status;

	setlocale(LC_CTYPE, "");
	status = options_parse(&tool, &options, argc, argv);
	if (status >= 0)
		return status;
	status = check_options(&options, &report, &delay);
	if (status < 0)
		status = check_names(&options);
	if (status >= 0)
		return options.form == FORM_NAGIOS ? NAGIOS_UNKNOWN : status;
	/* A recording may be of another machine: of this one only what was asked for is looked at. */
	if (!options.replay) {
		options.remaptab = options.remaptab ?: REMAPTAB_PATH;
		options.modules = options.modules ?: MODULES_DIR;
		options.backups = options.backups ?: BACKUP_DIR;
	}
	model_init(&report.model, options.common.list, options.common.nr_list);
	report.model.sort = COLUMN_MODE;	/* the worst at the top */
	status = gather(&report, &options, delay);
	if (!status) {
		status_find_problems(&report);
		status = show(&report, &options);
	} else if (options.form == FORM_NAGIOS) {
		report_out("DM-REMAP UNKNOWN - the status is not known, see stderr\n");
		status = NAGIOS_UNKNOWN;
	}
	status_report_exit(&report);
	return report_finish(status);
}
