/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What remap-status knows, and the forms in which it is said. The rows are those of remap-top's
 * model, so that both say the same of a device.
 */
#ifndef TOOLS_STATUS_REPORT_H
#define TOOLS_STATUS_REPORT_H

#include "model.h"

/* How bad a problem is; the values are the exit statuses of plugins of Nagios. */
enum severity { SEVERITY_NONE = 0, SEVERITY_WARNING = 1, SEVERITY_CRITICAL = 2, SEVERITY_UNKNOWN = 3 };

/**
 * struct problem - something that needs attention
 * @severity: how bad
 * @subject: name of a device or version of a kernel, safe to print
 * @text: what it is and what to do, safe to print
 */
struct problem {
	enum severity severity;
	char *subject;
	char *text;
};

/**
 * struct status_kernel - a kernel that is installed
 * @version: name of its directory, safe to print
 * @has_module: modprobe finds dm-remap there
 */
struct status_kernel {
	char *version;
	bool has_module;
};

/**
 * struct status_backup - the newest backup of what the spare of a row holds
 * @row: of the model
 * @age_seconds: 0 where the clock was set back since; or BACKUP_NEVER
 */
struct status_backup {
	const struct row *row;
	u64 age_seconds;
};

#define BACKUP_NEVER (STATUS_UNKNOWN - 1)
#define BACKUP_OLD_SECONDS (2 * 86400)	/* older than this is a problem */

/**
 * struct status_report - everything
 * @model: the devices; those of remaptab that are not there are among its rows
 * @kernels: installed ones, in order
 * @nr_kernels: how many
 * @kernel_room: private
 * @backups: of the rows that have a status; none at all where nobody looked
 * @nr_backups: how many
 * @backup_room: private
 * @problems: the worst first
 * @nr_problems: how many
 * @problem_room: private
 * @backup_dir: where they are, for commands in messages; or NULL
 * @free_warning: percent of free slots, below which there is a problem
 * @free_critical: likewise, a critical one
 */
struct status_report {
	struct model model;
	struct status_kernel *kernels;
	size_t nr_kernels;
	size_t kernel_room;
	struct status_backup *backups;
	size_t nr_backups;
	size_t backup_room;
	const char *backup_dir;
	struct problem *problems;
	size_t nr_problems;
	size_t problem_room;
	u64 free_warning;
	u64 free_critical;
};

#define FULL_SOON_SECONDS (7 * 86400)	/* full within this time is a problem */

/* Is there a status to show of a row? */
bool status_row_is_known(const struct row *row);

/* Slots that are neither in use nor retired; STATUS_UNKNOWN where that is not known. */
u64 status_free_slots(const struct status_line *status);

/**
 * status_find_problems() - all that needs attention
 * @report: with devices and kernels; its problems are made
 */
void status_find_problems(struct status_report *report);

/* The worst severity of all problems. SEVERITY_UNKNOWN is less than SEVERITY_CRITICAL. */
enum severity status_worst(const struct status_report *report);

/**
 * status_find_kernels() - which kernels have the module
 * @report: its kernels are made
 * @dir: where kernels have their modules
 *
 * Return: 0, or a negative errno with an error reported.
 */
int status_find_kernels(struct status_report *report, const char *dir);

/**
 * status_find_backups() - how old backups are
 * @report: with all rows that will be; its backups are made
 * @dir: where they are
 *
 * Return: 0, or a negative errno with an error reported: the directory cannot be read. One that is not
 * there has none.
 */
int status_find_backups(struct status_report *report, const char *dir);

/* Age of the newest backup of a row: seconds, BACKUP_NEVER, or STATUS_UNKNOWN. */
u64 status_backup_age(const struct status_report *report, const struct row *row);

void status_print_text(const struct status_report *report);
void status_print_json(const struct status_report *report, struct json *json);

/* In the text format of Prometheus. */
void status_print_prometheus(const struct status_report *report, FILE *stream);

/* The line of a plugin of Nagios. Return: its exit status. */
int status_print_nagios(const struct status_report *report);

/* Free what was found. */
void status_report_exit(struct status_report *report);

#endif
