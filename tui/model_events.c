// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happened to a device, from what is different between two of its status lines.
 */
#include <stdlib.h>

#include "escape.h"
#include "model.h"
#include "units.h"

void model_note(struct model *model, const struct row *row, enum report_color color,
		const char *fmt, ...)
{
	struct event *event = &model->event[model->nr_events++ % MODEL_EVENTS];
	va_list ap;

	free(event->text);
	*event = (struct event){ .time_ms = model->time_ms, .row = row, .color = color };
	va_start(ap, fmt);
	if (vasprintf(&event->text, fmt, ap) < 0)
		report_out_of_memory();
	va_end(ap);
}

static void compare_mode(struct model *model, const struct row *row,
			 const struct status_line *old)
{
	static const enum report_color colors[] = { COLOR_GOOD, COLOR_WARN, COLOR_BAD };

	if (row->status.mode != old->mode)
		model_note(model, row, colors[min(row_mode_rank(row), 2U)], "mode: %s, was %s",
			   row_mode(row), status_mode_name(old->mode));
	if (row->status.needs_check && !old->needs_check)
		model_note(model, row, COLOR_WARN, "a check of its metadata is due");
	if (row->status.read_only != old->read_only)
		model_note(model, row, COLOR_WARN, "now %s",
			   row->status.read_only ? "read-only" : "read-write");
}

static bool grew(u64 now, u64 old)
{
	return now != STATUS_UNKNOWN && old != STATUS_UNKNOWN && now > old;
}

static void compare_slots(struct model *model, const struct row *row,
			  const struct status_line *old)
{
	const struct status_line *now = &row->status;

	if (grew(now->used, old->used))
		model_note(model, row, COLOR_WARN, "%llu block%s remapped, %llu of %llu slots used",
			   (unsigned long long)(now->used - old->used),
			   units_s(now->used - old->used), (unsigned long long)now->used,
			   (unsigned long long)now->slots);
	else if (grew(old->used, now->used))
		model_note(model, row, COLOR_GOOD, "%llu block%s back on main, %llu of %llu slots used",
			   (unsigned long long)(old->used - now->used),
			   units_s(old->used - now->used), (unsigned long long)now->used,
			   (unsigned long long)now->slots);
	if (grew(now->retired, old->retired))
		model_note(model, row, COLOR_WARN, "%llu slot%s retired: bad places of the spare",
			   (unsigned long long)(now->retired - old->retired),
			   units_s(now->retired - old->retired));
}

/* A number of sectors that is better small. */
static void compare_sectors(struct model *model, const struct row *row, const char *what,
			    enum report_color color, u64 now, u64 old)
{
	if (grew(now, old))
		model_note(model, row, color, "%llu more sector%s %s: %llu",
			   (unsigned long long)(now - old), units_s(now - old), what,
			   (unsigned long long)now);
	else if (grew(old, now))
		model_note(model, row, COLOR_GOOD, "%llu sector%s no longer %s: %llu left",
			   (unsigned long long)(old - now), units_s(old - now), what,
			   (unsigned long long)now);
}

static void compare_errors(struct model *model, const struct row *row,
			   const struct status_line *old)
{
	const struct status_line *now = &row->status;
	char where[64] = "";

	if (now->last_error != STATUS_UNKNOWN)
		snprintf(where, sizeof(where), ", last at sector %llu",
			 (unsigned long long)now->last_error);
	if (grew(now->read_errors, old->read_errors))
		model_note(model, row, COLOR_BAD, "%llu read error%s of main%s",
			   (unsigned long long)(now->read_errors - old->read_errors),
			   units_s(now->read_errors - old->read_errors), where);
	if (grew(now->write_errors, old->write_errors))
		model_note(model, row, COLOR_BAD, "%llu write error%s of main%s",
			   (unsigned long long)(now->write_errors - old->write_errors),
			   units_s(now->write_errors - old->write_errors), where);
	if (grew(now->spare_errors, old->spare_errors))
		model_note(model, row, COLOR_BAD, "%llu error%s of the spare",
			   (unsigned long long)(now->spare_errors - old->spare_errors),
			   units_s(now->spare_errors - old->spare_errors));
}

static void compare_copies(struct model *model, const struct row *row,
			   const struct status_line *old)
{
	const struct status_line *now = &row->status;

	if (now->live_copies == STATUS_UNKNOWN || old->live_copies == STATUS_UNKNOWN ||
	    now->live_copies == old->live_copies)
		return;
	model_note(model, row, now->live_copies < old->live_copies ? COLOR_BAD : COLOR_GOOD,
		   "%llu live cop%s of the metadata, %s %llu",
		   (unsigned long long)now->live_copies, now->live_copies == 1 ? "y" : "ies", "was",
		   (unsigned long long)old->live_copies);
}

bool model_is_other_spare(const struct status_line *a, const struct status_line *b)
{
	return a->has_uuid && b->has_uuid && memcmp(a->uuid, b->uuid, sizeof(a->uuid));
}

void model_compare(struct model *model, const struct row *row, const struct status_line *old)
{
	compare_mode(model, row, old);
	if (model_is_other_spare(&row->status, old)) {
		model_note(model, row, COLOR_WARN, "another spare");
		return;		/* none of its numbers go on from those before */
	}
	compare_errors(model, row, old);
	compare_slots(model, row, old);
	compare_sectors(model, row, "pending", COLOR_WARN, row->status.pending, old->pending);
	compare_sectors(model, row, "lost", COLOR_BAD, row->status.lost, old->lost);
	compare_copies(model, row, old);
}
