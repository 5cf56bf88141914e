// SPDX-License-Identifier: GPL-2.0-only
/*
 * The spare that was dumped, unchanged since: it gets its table back. See restore_session.h.
 */
#include "report.h"
#include "restore_session.h"
#include "signature.h"
#include "undo.h"

static void fill_from_file(void *ctx, u32 page, struct rmeta_entry *entries)
{
	const struct dump_file *file = ctx;
	slot_t first = page * RMETA_PAGE_ENTRIES;
	const struct rmeta_entry *from = file->entries.group[first / RMETA_GROUP_SLOTS];

	if (from)
		memcpy(entries, from + first % RMETA_GROUP_SLOTS,
		       RMETA_PAGE_ENTRIES * sizeof(*entries));
}

static struct rmeta_restore own_restore(struct restore_session *session)
{
	return (struct rmeta_restore){
		.sb = session->file.sb,
		.geo = session->file.geo,
		.fill = fill_from_file,
		.ctx = &session->file,
	};
}

int restore_judge(struct restore_session *session, struct device *dev,
		  struct rmeta_judgement *judgement)
{
	struct rmeta_restore restore = own_restore(session);

	judgement->device_sectors = dev->sectors;
	if (!rmeta_restore_judge(&rmeta_file_ops, &dev->host, &restore, judgement))
		return STATUS_DONE;
	report_error("out of memory");
	return STATUS_FAILED;
}

static bool holds_all(const struct rmeta_judgement *judgement)
{
	return !judgement->pages[RMETA_MATCH_LOST] && !judgement->pages[RMETA_MATCH_DIFFERS] &&
	       !judgement->behind;
}

int restore_check_signature(struct restore_session *session, const struct rmeta_geometry *geo)
{
	char *foreign = signature_find(&session->spare, geo);
	int status = STATUS_DONE;

	if (!foreign)
		return STATUS_DONE;
	if (session->options.force) {
		report_info("%s holds a signature that --force overrides: %s", session->spare.shown,
			    foreign);
	} else {
		report_error("%s holds something else: %s; nothing was changed (--force overrides it)",
			     session->spare.shown, foreign);
		status = STATUS_FAILED;
	}
	free(foreign);
	return status;
}

int restore_plan_own(struct restore_session *session)
{
	const struct rmeta_judgement *judgement = &session->judgement;
	const char *name = session->spare.shown;
	int status;

	report_out("spare       %s, the one that was dumped\n", name);
	report_out("entries     %u, of them %u retired\n", session->file.nr_entries,
		   session->file.counts.retired);
	if (session->options.old) {
		report_error("%s is the spare that was dumped: its slots hold the data; leave --data-from out",
			     name);
		return STATUS_FAILED;
	}
	if (!judgement->unchanged && !holds_all(judgement)) {
		report_error("%s has changed since the dump was taken: of %u table pages %u differ from it, %u are lost%s; what it says now is newer. remap-check -n %s shows what can be repaired",
			     name, session->file.sb.pages_used,
			     judgement->pages[RMETA_MATCH_DIFFERS],
			     judgement->pages[RMETA_MATCH_LOST],
			     judgement->behind ? ", and there are entries behind them" : "", name);
		return STATUS_FAILED;
	}
	status = restore_check_signature(session, &session->file.geo);
	if (status)
		return status;
	if (holds_all(judgement) && (!judgement->damaged ||
				     (judgement->has_super && !judgement->unchanged))) {
		if (!session->options.dry_run)
			undo_nothing(&session->spare);
		report_info("%s holds all of the dump already; nothing was written%s%s", name,
			    judgement->damaged ? "; damaged copies are for remap-check -p " : "",
			    judgement->damaged ? name : "");
		return judgement->damaged ? STATUS_LOOK : STATUS_DONE;
	}
	report_out("pages       %u: %u as in the dump, %u lost, %u older\n",
		   session->file.sb.pages_used, judgement->pages[RMETA_MATCH_SAME],
		   judgement->pages[RMETA_MATCH_LOST], judgement->pages[RMETA_MATCH_DIFFERS]);
	if (!judgement->has_super)
		report_out("superblock  none is left; it is written from the dump\n");
	return -1;
}

int restore_write_own(struct restore_session *session)
{
	int r;

	session->restore = own_restore(session);
	r = rmeta_restore_own(&rmeta_file_ops, &session->spare.host, &session->restore,
			      &session->judgement);
	if (!r)
		return STATUS_DONE;
	report_error("%s could not be restored: %s; it is no worse than before, and this can be run again",
		     session->spare.shown, strerror(-r));
	return STATUS_FAILED;
}
