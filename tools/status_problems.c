// SPDX-License-Identifier: GPL-2.0-only
/*
 * What needs attention, and what to do about it: the one place that judges a status.
 */
#include <stdlib.h>

#include "backup_dir.h"
#include "command.h"
#include "escape.h"
#include "status_report.h"
#include "units.h"

__attribute__((format(printf, 4, 5)))
static void add_problem(struct status_report *report, enum severity severity, const char *subject,
			const char *fmt, ...)
{
	struct problem *problem;
	va_list ap;

	report->problems = report_grow(report->problems, report->nr_problems,
				       &report->problem_room, sizeof(*report->problems));
	problem = &report->problems[report->nr_problems++];
	problem->severity = severity;
	problem->subject = strdup(subject);
	va_start(ap, fmt);
	if (!problem->subject || vasprintf(&problem->text, fmt, ap) < 0)
		report_out_of_memory();
	va_end(ap);
}

bool status_row_is_known(const struct row *row)
{
	return row->presence == ROW_HERE && row->has_status;
}

u64 status_free_slots(const struct status_line *status)
{
	u64 retired = status->retired == STATUS_UNKNOWN ? 0 : status->retired;
	u64 left;

	if (status->used == STATUS_UNKNOWN || status->slots == STATUS_UNKNOWN)
		return STATUS_UNKNOWN;
	left = status->slots > status->used ? status->slots - status->used : 0;
	return left > retired ? left - retired : 0;
}

/* Is a number known, and not zero? */
static bool is_some(u64 number)
{
	return number && number != STATUS_UNKNOWN;
}

/* @name: of the device, as a word of a command. */
static void judge_mode(struct status_report *report, const struct row *row, const char *name)
{
	switch (row->status.mode) {
	case STATUS_MODE_FAILED:
		add_problem(report, SEVERITY_CRITICAL, row->shown,
			    "has failed, and all I/O with it: the kernel log (dmesg) says why; "
			    "then close it and open it again");
		break;
	case STATUS_MODE_FULL:
		add_problem(report, SEVERITY_CRITICAL, row->shown,
			    "no slot is free, new bad blocks are I/O errors: copy %s to a new disk, or "
			    "use a larger spare", row->main_name);
		break;
	case STATUS_MODE_BREAKER:
		add_problem(report, SEVERITY_CRITICAL, row->shown,
			    "too many blocks went bad in a short time, and none is remapped any more: "
			    "look at %s (smartctl -x /dev/%s), then: remap-setup breaker-reset %s",
			    row->main_name, row->main_name, name);
		break;
	case STATUS_MODE_INACTIVE:
		add_problem(report, SEVERITY_WARNING, row->shown,
			    "is not active: dmsetup resume %s", name);
		break;
	default:
		break;
	}
}

/* What is wrong with data on main. */
static void judge_data(struct status_report *report, const struct row *row, const char *name)
{
	const struct status_line *status = &row->status;

	if (is_some(status->lost))
		add_problem(report, SEVERITY_CRITICAL, row->shown,
			    "%llu sector%s lost: reads of %s fail until they are written; "
			    "remap-dump /dev/%s lists them, restore their files from a backup",
			    (unsigned long long)status->lost, units_s(status->lost),
			    status->lost == 1 ? "it" : "them", row->spare_name);
	if (is_some(status->pending))
		add_problem(report, SEVERITY_WARNING, row->shown,
			    "%llu sector%s pending, only on the bad blocks of %s: "
			    "remap-setup salvage %s",
			    (unsigned long long)status->pending, units_s(status->pending),
			    row->main_name, name);
}

/* What is wrong with the spare. */
static void judge_spare(struct status_report *report, const struct row *row, const char *name)
{
	const struct status_line *status = &row->status;

	if (status->live_copies < 5)
		add_problem(report, SEVERITY_WARNING, row->shown,
			    "%llu of 5 copies of the metadata live: look at %s, then: "
			    "remap-setup scrub %s",
			    (unsigned long long)status->live_copies, row->spare_name, name);
	if (status->needs_check)
		add_problem(report, SEVERITY_WARNING, row->shown,
			    "the metadata is due for a check: close it, then: remap-check /dev/%s",
			    row->spare_name);
	if (is_some(status->fenced))
		add_problem(report, SEVERITY_WARNING, row->shown,
			    "%llu block%s fenced, I/O errors until a scrub: "
			    "remap-setup scrub %s",
			    (unsigned long long)status->fenced, units_s(status->fenced), name);
	if (is_some(status->spare_errors))
		add_problem(report, SEVERITY_WARNING, row->shown,
			    "%llu error%s of the spare: look at %s (smartctl -x /dev/%s); if it happened "
			    "once: dmsetup message %s %llu stats reset",
			    (unsigned long long)status->spare_errors, units_s(status->spare_errors),
			    row->spare_name, row->spare_name, name,
			    (unsigned long long)row->start_sector);
}

/* Is @left less than so many percent of @all? Exact for what there can be, and right for any number. */
static bool is_below(u64 left, u64 all, u64 percent)
{
	return (double)left * 100 < (double)all * (double)percent;
}

static void judge_room(struct status_report *report, const struct row *row)
{
	u64 left = status_free_slots(&row->status), slots = row->status.slots;
	enum severity severity = SEVERITY_NONE;

	if (row->status.mode == STATUS_MODE_FULL || left == STATUS_UNKNOWN)
		return;
	if (is_below(left, slots, report->free_critical))
		severity = SEVERITY_CRITICAL;
	else if (is_below(left, slots, report->free_warning))
		severity = SEVERITY_WARNING;
	if (severity)
		add_problem(report, severity, row->shown,
			    "%llu of %llu slots free: copy %s to a new disk, or use a larger spare",
			    (unsigned long long)left, (unsigned long long)slots, row->main_name);
	if (row->full_seconds <= FULL_SOON_SECONDS)
		add_problem(report, SEVERITY_WARNING, row->shown,
			    "no slot is free in %llu hours, if it goes on like this: copy %s to a new disk",
			    (unsigned long long)row->full_seconds / 3600, row->main_name);
}

static void judge_backup(struct status_report *report, const struct row *row)
{
	u64 age = status_backup_age(report, row);
	char *command;

	if (!row->status.used)	/* a spare that is new: there is nothing to lose */
		return;
	command = command_make("remap-setup backup");
	command = command_word(command_value(command, "-d", report->backup_dir, BACKUP_DIR), row->name);
	if (age == BACKUP_NEVER)
		add_problem(report, SEVERITY_WARNING, row->shown,
			    "no backup of what its spare holds: %s; is "
			    "dm-remap-backup.timer enabled?", command);
	else if (age != STATUS_UNKNOWN && age > BACKUP_OLD_SECONDS)
		add_problem(report, SEVERITY_WARNING, row->shown,
			    "the newest backup of what its spare holds is %llu days old: "
			    "%s; is dm-remap-backup.timer enabled?",
			    (unsigned long long)age / 86400, command);
	free(command);
}

static void judge_row(struct status_report *report, const struct row *row)
{
	size_t before = report->nr_problems;
	char *name;

	if (row->presence != ROW_HERE) {
		add_problem(report, SEVERITY_CRITICAL, row->shown,
			    "is not there: remap-setup scan says which devices are; "
			    "do not use its main without it");
		return;
	}
	if (!row->has_status) {
		add_problem(report, SEVERITY_UNKNOWN, row->shown, "%s",
			    row->problem ? row->problem : "has no status");
		return;
	}
	name = escape_shell(row->name);
	judge_mode(report, row, name);
	judge_data(report, row, name);
	judge_spare(report, row, name);
	judge_room(report, row);
	if (row->status.mode == STATUS_MODE_DEGRADED && report->nr_problems == before)
		add_problem(report, SEVERITY_WARNING, row->shown,
			    "is degraded: slots have failed; look at %s", row->spare_name);
	judge_backup(report, row);
	free(name);
}

/* UNKNOWN is between WARNING and CRITICAL, as those who are woken see it. */
static int rank(enum severity severity)
{
	static const int ranks[] = {
		[SEVERITY_NONE] = 0, [SEVERITY_WARNING] = 1, [SEVERITY_UNKNOWN] = 2,
		[SEVERITY_CRITICAL] = 3,
	};

	return ranks[severity];
}

static int compare_problems(const void *a, const void *b)
{
	const struct problem *first = a, *second = b;
	int order = rank(second->severity) - rank(first->severity);

	if (!order)
		order = strcmp(first->subject, second->subject);
	return order ? order : strcmp(first->text, second->text);
}

void status_find_problems(struct status_report *report)
{
	size_t i;

	for (i = 0; i < report->model.nr_rows; i++)
		judge_row(report, report->model.rows[i]);
	for (i = 0; i < report->nr_kernels; i++)
		if (!report->kernels[i].has_module)
			add_problem(report, SEVERITY_WARNING, report->kernels[i].version,
				    "this kernel has no dm-remap module, a boot of it has no devices: "
				    "dkms autoinstall -k %s", report->kernels[i].version);
	if (report->nr_problems)
		qsort(report->problems, report->nr_problems, sizeof(*report->problems),
		      compare_problems);
}

enum severity status_worst(const struct status_report *report)
{
	enum severity worst = SEVERITY_NONE;
	size_t i;

	for (i = 0; i < report->nr_problems; i++)
		if (rank(report->problems[i].severity) > rank(worst))
			worst = report->problems[i].severity;
	return worst;
}

void status_report_exit(struct status_report *report)
{
	size_t i;

	for (i = 0; i < report->nr_problems; i++) {
		free(report->problems[i].subject);
		free(report->problems[i].text);
	}
	for (i = 0; i < report->nr_kernels; i++)
		free(report->kernels[i].version);
	free(report->problems);
	free(report->kernels);
	free(report->backups);
	model_exit(&report->model);
}
