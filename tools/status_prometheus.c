// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text format of Prometheus, for the textfile collector of the node exporter. Base units;
 * counters end in _total; what is not known is left out.
 */
#include "status_report.h"

#define SECTOR_BYTES 512

/**
 * struct metric - one metric of a device
 * @name: without "dm_remap_"
 * @is_counter: else a gauge
 * @help: one line
 * @field: of struct status_line, a u64
 * @scale: what its unit is in the base unit
 */
struct metric {
	const char *name;
	bool is_counter;
	const char *help;
	size_t field;
	double scale;
};

#define FIELD(member) offsetof(struct status_line, member)

static const struct metric metrics[] = {
	{ "health_ratio", false, "Health, 1 when nothing is wrong, 0 when failed.", FIELD(health), 0.01 },
	{ "slots", false, "Slots of the spare.", FIELD(slots), 1 },
	{ "slots_used", false, "Slots that stand in for a block.", FIELD(used), 1 },
	{ "slots_retired", false, "Slots that were bad themselves.", FIELD(retired), 1 },
	{ "pending_bytes", false, "Data whose only copy is on bad blocks of main.", FIELD(pending),
	  SECTOR_BYTES },
	{ "lost_bytes", false, "Data that nobody has.", FIELD(lost), SECTOR_BYTES },
	{ "metadata_live_copies", false, "Live copies of the metadata; 5 is all.", FIELD(live_copies), 1 },
	{ "fenced_blocks", false, "Blocks whose metadata is in doubt: I/O errors.", FIELD(fenced), 1 },
	{ "block_bytes", false, "Size of a slot.", FIELD(block_sectors), SECTOR_BYTES },
	{ "size_bytes", false, "Size of the device.", FIELD(sectors), SECTOR_BYTES },
	{ "breaker_left_slots", false, "Slots that may still be taken automatically in this window.",
	  FIELD(breaker_left), 1 },
	{ "parked_requests", false, "Requests that wait for a block to be worked on.", FIELD(parked), 1 },
	{ "recent_main_errors", false, "Errors of main within the last hour.", FIELD(recent_errors), 1 },
	{ "scan_position_bytes", false, "Where the health scan of main is.", FIELD(scan_position),
	  SECTOR_BYTES },
	{ "main_read_errors_total", true, "Read errors of main, over the life of the spare.",
	  FIELD(read_errors), 1 },
	{ "main_write_errors_total", true, "Write errors of main, over the life of the spare.",
	  FIELD(write_errors), 1 },
	{ "spare_errors_total", true, "Errors of the spare since activation or stats reset.",
	  FIELD(spare_errors), 1 },
	{ "remapped_reads_total", true, "Reads that went to slots.", FIELD(remapped_reads), 1 },
	{ "remapped_writes_total", true, "Writes that went to slots.", FIELD(remapped_writes), 1 },
	{ "reads_total", true, "Reads of the device.", FIELD(reads), 1 },
	{ "writes_total", true, "Writes of the device.", FIELD(writes), 1 },
	{ "scan_errors_total", true, "Blocks that the health scan found unreadable.", FIELD(scan_errors), 1 },
	{ "scan_passes_total", true, "Complete passes of the health scan.", FIELD(scan_passes), 1 },
};

static void print_head(FILE *stream, const char *name, const char *type, const char *help)
{
	fprintf(stream, "# HELP dm_remap_%s %s\n# TYPE dm_remap_%s %s\n", name, help, name, type);
}

/* Text that is safe to print may have these only of what a label must not have. */
static void print_label(FILE *stream, const char *label, const char *text)
{
	fprintf(stream, "%s=\"", label);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', stream);
		fputc(*text, stream);
	}
	fputc('"', stream);
}

/* All but the closing brace. */
static void print_series(FILE *stream, const char *name, const struct row *row)
{
	fprintf(stream, "dm_remap_%s{", name);
	print_label(stream, "name", row->shown);
	fputc(',', stream);
	print_label(stream, "main", row->main_name);
	fputc(',', stream);
	print_label(stream, "spare", row->spare_name);
}

static void print_metric(const struct model *model, const struct metric *metric, FILE *stream)
{
	const struct row *row;
	size_t i;
	u64 value;

	print_head(stream, metric->name, metric->is_counter ? "counter" : "gauge", metric->help);
	for (i = 0; i < model->nr_rows; i++) {
		row = model->rows[i];
		if (!status_row_is_known(row))
			continue;
		memcpy(&value, (const char *)&row->status + metric->field, sizeof(value));
		if (value == STATUS_UNKNOWN)
			continue;
		print_series(stream, metric->name, row);
		fprintf(stream, "} %.17g\n", metric->scale < 1 ? (double)value / 100 :
							       (double)value * metric->scale);
	}
}

static void print_presence(const struct model *model, FILE *stream)
{
	const struct row *row;
	size_t i;

	print_head(stream, "present", "gauge", "Whether a device that should be there is.");
	for (i = 0; i < model->nr_rows; i++) {
		fprintf(stream, "dm_remap_present{");
		print_label(stream, "name", model->rows[i]->shown);
		fprintf(stream, "} %d\n", model->rows[i]->presence == ROW_HERE);
	}
	print_head(stream, "status_understood", "gauge",
		   "Whether the status of the device could be read by this version.");
	for (i = 0; i < model->nr_rows; i++) {
		row = model->rows[i];
		if (row->presence != ROW_HERE)
			continue;
		fprintf(stream, "dm_remap_status_understood{");
		print_label(stream, "name", row->shown);
		fprintf(stream, "} %d\n", row->has_status);
	}
}

static void print_modes(const struct model *model, FILE *stream)
{
	const struct row *row;
	unsigned int mode;
	size_t i;

	print_head(stream, "mode", "gauge", "1 for the mode that the device is in, 0 for the others.");
	for (i = 0; i < model->nr_rows; i++) {
		row = model->rows[i];
		for (mode = 0; mode < STATUS_NR_MODES && status_row_is_known(row); mode++) {
			print_series(stream, "mode", row);
			fprintf(stream, ",mode=\"%s\"} %d\n", status_mode_name(mode),
				row->status.mode == mode);
		}
	}
}

/* What has a line only where it is known, computed from more than one field. */
static void print_computed(const struct model *model, FILE *stream)
{
	const struct row *row;
	size_t i;

	print_head(stream, "slots_free", "gauge", "Slots that are neither in use nor retired.");
	for (i = 0; i < model->nr_rows; i++) {
		row = model->rows[i];
		if (!status_row_is_known(row) || status_free_slots(&row->status) == STATUS_UNKNOWN)
			continue;
		print_series(stream, "slots_free", row);
		fprintf(stream, "} %llu\n", (unsigned long long)status_free_slots(&row->status));
	}
	print_head(stream, "needs_check", "gauge", "Whether the metadata is due for remap-check.");
	for (i = 0; i < model->nr_rows; i++) {
		if (!status_row_is_known(model->rows[i]))
			continue;
		print_series(stream, "needs_check", model->rows[i]);
		fprintf(stream, "} %d\n", model->rows[i]->status.needs_check);
	}
	print_head(stream, "read_only", "gauge", "Whether the device is read-only.");
	for (i = 0; i < model->nr_rows; i++) {
		if (!status_row_is_known(model->rows[i]))
			continue;
		print_series(stream, "read_only", model->rows[i]);
		fprintf(stream, "} %d\n", model->rows[i]->status.read_only);
	}
}

/* Of a device without a backup it is infinite, so that one rule is for both. */
static void print_backups(const struct status_report *report, FILE *stream)
{
	const struct status_backup *backup;
	size_t i;

	print_head(stream, "backup_age_seconds", "gauge",
		   "Age of the newest backup of what the spare holds; +Inf when there is none.");
	for (i = 0; i < report->nr_backups; i++) {
		backup = &report->backups[i];
		print_series(stream, "backup_age_seconds", backup->row);
		if (backup->age_seconds == BACKUP_NEVER)
			fputs("} +Inf\n", stream);
		else
			fprintf(stream, "} %llu\n", (unsigned long long)backup->age_seconds);
	}
}

void status_print_prometheus(const struct status_report *report, FILE *stream)
{
	size_t i;

	print_presence(&report->model, stream);
	print_modes(&report->model, stream);
	for (i = 0; i < ARRAY_SIZE(metrics); i++)
		print_metric(&report->model, &metrics[i], stream);
	print_computed(&report->model, stream);
	print_backups(report, stream);
	print_head(stream, "module_installed", "gauge",
		   "Whether an installed kernel has the module.");
	for (i = 0; i < report->nr_kernels; i++) {
		fprintf(stream, "dm_remap_module_installed{");
		print_label(stream, "kernel", report->kernels[i].version);
		fprintf(stream, "} %d\n", report->kernels[i].has_module);
	}
}
