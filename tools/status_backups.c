// SPDX-License-Identifier: GPL-2.0-only
/*
 * How old the backups are of what spares hold.
 */
#include <time.h>

#include "backup_dir.h"
#include "escape.h"
#include "status_report.h"
#include "units.h"

static int find_one(struct status_report *report, const struct row *row, const char *dir, time_t now)
{
	struct status_backup *backup;
	u64 age = BACKUP_NEVER;
	time_t when = 0;
	char uuid[40];
	int r;

	r = backup_dir_newest(dir, units_uuid(row->status.uuid, uuid), &when, NULL);
	if (r && r != -ENOENT)
		return r;
	if (!r)
		age = when < now ? (u64)(now - when) : 0;
	report->backups = report_grow(report->backups, report->nr_backups, &report->backup_room,
				      sizeof(*report->backups));
	backup = &report->backups[report->nr_backups++];
	*backup = (struct status_backup){ .row = row, .age_seconds = age };
	return 0;
}

int status_find_backups(struct status_report *report, const char *dir)
{
	const struct row *row;
	time_t now = time(NULL);
	char *shown;
	int r = 0;
	size_t i;

	report->backup_dir = dir;
	for (i = 0; i < report->model.nr_rows && !r; i++) {
		row = report->model.rows[i];
		if (status_row_is_known(row) && row->status.has_uuid)
			r = find_one(report, row, dir, now);
	}
	if (!r)
		return 0;
	shown = escape_text(dir, strlen(dir));
	report_error("cannot read the directory of backups %s: %s", shown, strerror(-r));
	free(shown);
	return r;
}

u64 status_backup_age(const struct status_report *report, const struct row *row)
{
	size_t i;

	for (i = 0; i < report->nr_backups; i++)
		if (report->backups[i].row == row)
			return report->backups[i].age_seconds;
	return STATUS_UNKNOWN;
}
