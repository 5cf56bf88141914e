// SPDX-License-Identifier: GPL-2.0-only
/*
 * A status as a table for people, as JSON, and as the line of a plugin of Nagios.
 */
#include <sys/ioctl.h>
#include <unistd.h>

#include "columns.h"
#include "escape.h"
#include "status_report.h"
#include "top.h"

static const char *const severity_names[] = {
	[SEVERITY_NONE] = "OK", [SEVERITY_WARNING] = "WARNING",
	[SEVERITY_CRITICAL] = "CRITICAL", [SEVERITY_UNKNOWN] = "UNKNOWN",
};

/*
 * Text
 */

#define BACKUP_WIDTH 7		/* with a blank before it */

/* Columns that the output has; 0: as many as are needed. */
static unsigned int output_width(void)
{
	struct winsize size;

	return isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? size.ws_col : 0;
}

static void print_cell(const char *cell, enum report_color color, bool is_first)
{
	report_out("%s%s%s%s", is_first ? "" : " ", color ? report_paint(stdout, color) : "", cell,
		   color ? report_paint(stdout, COLOR_NONE) : "");
}

/* "-", "never", "5m", "7h", "3d": the last column, where backups were looked for. */
static void print_backup(const struct status_report *report, const struct row *row)
{
	u64 age = status_backup_age(report, row);
	char cell[24] = "-";

	if (age == BACKUP_NEVER)
		snprintf(cell, sizeof(cell), "never");
	else if (age >= BACKUP_OLD_SECONDS && age != STATUS_UNKNOWN)
		snprintf(cell, sizeof(cell), "%llud", (unsigned long long)age / 86400);
	else if (age >= 3600 && age != STATUS_UNKNOWN)
		snprintf(cell, sizeof(cell), "%lluh", (unsigned long long)age / 3600);
	else if (age != STATUS_UNKNOWN)
		snprintf(cell, sizeof(cell), "%llum", (unsigned long long)age / 60);
	print_cell(cell, age != STATUS_UNKNOWN && age > BACKUP_OLD_SECONDS ? COLOR_WARN : COLOR_NONE,
		   false);
}

/*
 * The last column is not the model's. It makes room before the one that says when slots are used up does:
 * a backup that is missing is said below, too. Return: it is shown.
 */
static bool layout(const struct status_report *report, unsigned int *widths)
{
	unsigned int width = output_width(), columns = COLUMNS_ALL & ~COLUMNS_RATES;

	if (report->nr_backups) {
		columns_layout(&report->model, columns, width > BACKUP_WIDTH ? width - BACKUP_WIDTH : width,
			       widths);
		if (widths[COLUMN_FULL])
			return true;
	}
	columns_layout(&report->model, columns, width, widths);
	return false;
}

static void print_table(const struct status_report *report)
{
	const struct model *model = &report->model;
	const struct charset *charset = charset_get();
	unsigned int widths[COLUMN_NR], i;
	bool has_backup = layout(report, widths);
	char cell[CELL_BYTES];
	size_t at;

	for (i = 0; i < COLUMN_NR; i++) {
		if (!widths[i])
			continue;
		cell_fit(cell, top_columns[i].title, widths[i], top_columns[i].is_left, charset);
		print_cell(cell, COLOR_STRONG, !i);
	}
	if (has_backup)
		print_cell("BACKUP", COLOR_STRONG, false);
	report_out("\n");
	for (at = 0; at < model->nr_view; at++) {
		for (i = 0; i < COLUMN_NR; i++) {
			if (!widths[i])
				continue;
			column_cell(&top_columns[i], model->view[at], charset, widths[i], cell);
			print_cell(cell, top_columns[i].color(model->view[at]), !i);
		}
		if (has_backup)
			print_backup(report, model->view[at]);
		report_out("\n");
	}
}

void status_print_text(const struct status_report *report)
{
	const struct problem *problem;
	size_t i;

	if (report->model.nr_view)
		print_table(report);
	else
		report_out("no devices\n");
	for (i = 0; i < report->nr_problems; i++) {
		problem = &report->problems[i];
		report_out("%s%s%s%s %s: %s\n", i ? "" : "\n",
			   report_paint(stdout, problem->severity == SEVERITY_WARNING ?
						COLOR_WARN : COLOR_BAD),
			   severity_names[problem->severity], report_paint(stdout, COLOR_NONE),
			   problem->subject, problem->text);
	}
}

/*
 * JSON
 */

static void put_count(struct json *json, const char *key, u64 count)
{
	json_key(json, key);
	if (count == STATUS_UNKNOWN)
		json_null(json);
	else
		json_number(json, count);
}

static void put_big(struct json *json, const char *key, u64 count)
{
	json_key(json, key);
	if (count == STATUS_UNKNOWN)
		json_null(json);
	else
		json_big(json, count);
}

static void put_status(struct json *json, const struct row *row)
{
	const struct status_line *status = &row->status;

	put_count(json, "health", status->health);
	put_count(json, "used", status->used);
	put_count(json, "slots", status->slots);
	put_count(json, "free", status_free_slots(status));
	put_count(json, "retired", status->retired);
	put_count(json, "pending_sectors", status->pending);
	put_count(json, "lost_sectors", status->lost);
	put_count(json, "live_copies", status->live_copies);
	put_count(json, "fenced", status->fenced);
	put_count(json, "block_sectors", status->block_sectors);
	put_big(json, "sectors", status->sectors);
	put_big(json, "read_errors", status->read_errors);
	put_big(json, "write_errors", status->write_errors);
	put_big(json, "spare_errors", status->spare_errors);
	put_big(json, "recent_errors", status->recent_errors);
	put_big(json, "last_error_sector", status->last_error);
	put_big(json, "remapped_reads", status->remapped_reads);
	put_big(json, "remapped_writes", status->remapped_writes);
	put_big(json, "reads", status->reads);
	put_big(json, "writes", status->writes);
	put_count(json, "breaker_left", status->breaker_left);
	put_count(json, "parked", status->parked);
	put_big(json, "scan_position", status->scan_position);
	put_big(json, "scan_errors", status->scan_errors);
	put_big(json, "scan_passes", status->scan_passes);
	json_key_bool(json, "needs_check", status->needs_check);
	json_key_bool(json, "read_only", status->read_only);
	put_count(json, "full_in_seconds", row->full_seconds >= FULL_UNKNOWN ? STATUS_UNKNOWN :
		  row->full_seconds);
}

static void put_row(const struct status_report *report, struct json *json, const struct row *row)
{
	u64 age = status_backup_age(report, row);

	json_map(json);
	json_key_text(json, "name", row->name);
	json_key_big(json, "start_sector", row->start_sector);
	json_key_text(json, "mode", row_mode(row));
	json_key_text(json, "main", row->main_name);
	json_key_text(json, "spare", row->spare_name);
	if (status_row_is_known(row))
		put_status(json, row);
	json_key_text(json, "backup", age == STATUS_UNKNOWN ? NULL : age == BACKUP_NEVER ? "never" :
		      age > BACKUP_OLD_SECONDS ? "old" : "ok");
	put_count(json, "backup_age_seconds", age == BACKUP_NEVER ? STATUS_UNKNOWN : age);
	json_map_end(json);
}

void status_print_json(const struct status_report *report, struct json *json)
{
	size_t i;

	json_key_text(json, "status", severity_names[status_worst(report)]);
	json_key(json, "devices");
	json_array(json);
	for (i = 0; i < report->model.nr_view; i++)
		put_row(report, json, report->model.view[i]);
	json_array_end(json);
	json_key(json, "problems");
	json_array(json);
	for (i = 0; i < report->nr_problems; i++) {
		json_map(json);
		json_key_text(json, "severity", severity_names[report->problems[i].severity]);
		json_key(json, "subject");
		json_plain(json, report->problems[i].subject);
		json_key(json, "text");
		json_plain(json, report->problems[i].text);
		json_map_end(json);
	}
	json_array_end(json);
	json_key(json, "kernels");
	json_array(json);
	for (i = 0; i < report->nr_kernels; i++) {
		json_map(json);
		json_key(json, "version");
		json_plain(json, report->kernels[i].version);
		json_key_bool(json, "module", report->kernels[i].has_module);
		json_map_end(json);
	}
	json_array_end(json);
}

/*
 * Nagios: "DM-REMAP WARNING - text; text | perfdata". A bar in a text would end it.
 */

static void print_plain(const char *text)
{
	for (; *text; text++)
		report_out("%c", *text == '|' ? '/' : *text);
}

/* 'LABEL' with quotes doubled, and without the sign that ends a label. */
static void print_perf_label(const char *name, const char *what)
{
	report_out(" '");
	for (; *name; name++)
		report_out("%s%c", *name == '\'' ? "'" : "", *name == '=' || *name == '|' ? '_' : *name);
	report_out("_%s'=", what);
}

static void print_perf(const struct status_report *report, const struct row *row)
{
	const struct status_line *status = &row->status;
	u64 left = status_free_slots(status);

	if (left != STATUS_UNKNOWN && status->slots) {
		print_perf_label(row->shown, "free");
		report_out("%.2f%%;%llu:;%llu:;0;100", (double)left * 100 / (double)status->slots,
			   (unsigned long long)report->free_warning,
			   (unsigned long long)report->free_critical);
	}
	if (status->health != STATUS_UNKNOWN) {
		print_perf_label(row->shown, "health");
		report_out("%llu;;;0;100", (unsigned long long)status->health);
	}
	if (status->pending != STATUS_UNKNOWN) {
		print_perf_label(row->shown, "pending");
		report_out("%lluB;0;;0", (unsigned long long)status->pending * 512);
	}
	if (status->lost != STATUS_UNKNOWN) {
		print_perf_label(row->shown, "lost");
		report_out("%lluB;;0;0", (unsigned long long)status->lost * 512);
	}
}

int status_print_nagios(const struct status_report *report)
{
	enum severity worst = status_worst(report);
	size_t i, known = 0;

	report_out("DM-REMAP %s - ", severity_names[worst]);
	for (i = 0; i < report->nr_problems; i++) {
		report_out("%s", i ? "; " : "");
		print_plain(report->problems[i].subject);
		report_out(": ");
		print_plain(report->problems[i].text);
	}
	if (!report->nr_problems)
		report_out("%zu device%s ok", report->model.nr_rows,
			   report->model.nr_rows == 1 ? "" : "s");
	for (i = 0; i < report->model.nr_rows; i++)
		if (status_row_is_known(report->model.rows[i])) {
			report_out("%s", known++ ? "" : " |");
			print_perf(report, report->model.rows[i]);
		}
	report_out("\n");
	return (int)worst;
}
