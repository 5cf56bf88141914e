// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a list, or as much of it as has arrived, to slots: plan, look at main, and carry the plan
 * out only if all of it fits.
 */
#include "import.h"
#include "stop.h"
#include "undo.h"
#include "units.h"

#define DOUBTED_BLOCKS 8	/* with --follow: this many must be read well to doubt the list */

const char *import_so_far(const struct import *import)
{
	static char text[64];

	if (!import->imported)
		return "nothing was changed";
	snprintf(text, sizeof(text), "%llu block%s imported before",
		 (unsigned long long)import->imported,
		 import->imported == 1 ? " was" : "s were");
	return text;
}

static int check_plan(const struct import *import)
{
	const struct list *list = &import->list;
	u32 free_slots = rmeta_table_free_slots(&import->spare.table);

	if (list->rejected && import->options.strict) {
		report_error("%llu %s %s rejected and --strict given; %s",
			     (unsigned long long)list->rejected,
			     import_noun(list, list->rejected),
			     list->rejected == 1 ? "was" : "were", import_so_far(import));
		return STATUS_FAILED;
	}
	if (list->rejected && !list->taken) {
		report_error("%s: no %s is a block of main; nothing was changed (a list for another device, or a wrong -b or --offset?)",
			     import->list_name, import_noun(list, 1));
		return STATUS_FAILED;
	}
	if (import->plan.wanted > free_slots) {
		report_error("the list does not fit: %llu blocks need a slot, %u of %u are free in %s; %s",
			     (unsigned long long)import->plan.wanted, free_slots,
			     rmeta_slots(&import->spare.table.store.geo), import->dev.shown,
			     import_so_far(import));
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

static int make_plan(struct import *import)
{
	import_plan_free(&import->plan);
	if (!import_plan_make(&import->plan, &import->spare.table, &import->list.ranges))
		return STATUS_DONE;
	report_error("not enough memory for the plan; %s", import_so_far(import));
	return STATUS_FAILED;
}

static bool nothing_fails(const struct import *import)
{
	return import->verify.blocks_read && !import->verify.blocks_failed;
}

static int refuse_list(const struct import *import)
{
	const struct import_verify *verify = &import->verify;

	report_error("none of %llu block%s read from %s fails: wrong -b, offset or device? Nothing was changed (--verify=none insists)",
		     (unsigned long long)verify->blocks_read, units_s(verify->blocks_read),
		     verify->main.shown);
	return STATUS_FAILED;
}

/* --verify. The plan is made again if blocks were found around those of the list. */
static int verify_plan(struct import *import)
{
	struct import_verify *verify = &import->verify;
	u64 around = verify->around;
	int r;

	/* Blocks that were kept back are among those of this plan. */
	if (!import->verified)
		verify->blocks_read = 0;
	verify->sample = import->options.verify == VERIFY_SAMPLE;
	if (import->options.verify <= VERIFY_NONE || !import->plan.wanted ||
	    (verify->sample && import->verified) ||
	    import->plan.wanted > rmeta_table_free_slots(&import->spare.table))
		return STATUS_DONE;
	r = import_verify_run(verify, &import->plan, &import->list);
	if (r) {
		report_error("not enough memory to look at main; %s", import_so_far(import));
		return STATUS_FAILED;
	}
	import->verified = verify->blocks_failed;
	if (nothing_fails(import) && !import->options.follow)
		return refuse_list(import);
	return verify->around > around ? make_plan(import) : STATUS_DONE;
}

static int apply_offline(struct import *import)
{
	unsigned int live_copies;
	u64 imported = 0;
	int r, status = STATUS_DONE;

	r = import_apply(&import->spare.table, &import->plan, import->list.parser->reason,
			 &imported);
	import->imported += imported;
	if (r) {
		report_error("%s: %s after %llu of %llu blocks; those are imported, run remap-check -n %s, then the same import again",
			     import->dev.shown, strerror(-r), (unsigned long long)imported,
			     (unsigned long long)import->plan.wanted, import->dev.shown);
		status = STATUS_FAILED;
	}
	if (spare_release(&import->spare, &import->dev))
		status = STATUS_FAILED;
	live_copies = rmeta_table_live_copies(&import->spare.table);
	import->totals.free_slots = rmeta_table_free_slots(&import->spare.table);
	if (!status && live_copies < RMETA_COPIES) {
		report_warn("%s: only %u of 5 copies of some metadata could be written; run remap-check, and think of another spare",
			    import->dev.shown, live_copies);
		status = STATUS_LOOK;
	}
	return status;
}

/* Load the spare anew, for writing, and do it. */
static int import_offline(struct import *import)
{
	int status;

	spare_unload(&import->spare);
	status = spare_load(&import->spare, &import->dev, false);
	if (status)
		return status;
	/* Pages that could not be repaired on the way give no slots. */
	status = make_plan(import);
	if (!status)
		status = check_plan(import);
	if (!status)
		return apply_offline(import);
	spare_release(&import->spare, &import->dev);
	return status;
}

static int plan(struct import *import)
{
	int status;

	status = import_open(import, true);
	if (status)
		return status;
	if (memcmp(import->sb.uuid, import->spare.table.sb.uuid, sizeof(import->sb.uuid))) {
		report_error("%s was formatted while the list was read; %s", import->dev.shown,
			     import_so_far(import));
		return STATUS_FAILED;
	}
	status = make_plan(import);
	return status ? status : verify_plan(import);
}

/* The plan counts: it is shown, and carried out if it can be. */
static void count_plan(struct import *import)
{
	struct import_totals *totals = &import->totals;

	totals->planned = true;
	totals->ranges += import->list.ranges.nr;
	totals->blocks += import->plan.blocks;
	totals->present += import->plan.present;
	totals->wanted += import->plan.wanted;
	totals->only_there = import->plan.only_there;
	totals->free_slots = rmeta_table_free_slots(&import->spare.table);
}

static int apply(struct import *import)
{
	u64 before = import->imported;
	int status;

	status = check_plan(import);
	if (status)
		return status;
	if (import->options.dry_run) {
		report_out("dry run: nothing was changed\n");
		return STATUS_DONE;
	}
	if (!import->plan.wanted) {
		report_out("nothing to import\n");
		undo_nothing(&import->dev);
		return STATUS_DONE;
	}
	status = import->is_live ? import_apply_live(import) : import_offline(import);
	if (status <= STATUS_LOOK)
		report_out("imported %llu block%s%s\n",
			   (unsigned long long)(import->imported - before),
			   units_s(import->imported - before), import->options.copy ? "" :
			   "; their data stays on main until it is written anew");
	return status;
}

int import_list(struct import *import)
{
	int status;

	status = plan(import);
	if (status)
		return status;
	count_plan(import);
	import_show_plan(import);
	return apply(import);
}

/*
 * --follow: what arrived
 */

/*
 * Main has given every block so far that was read of it. While those are few the list is not
 * refused, nor taken: blocks wait for others.
 */
static int wait_for_more(struct import *import)
{
	if (import->verify.blocks_read >= DOUBTED_BLOCKS)
		return refuse_list(import);
	report_verbose("%llu block%s of the list can be read from %s; waiting for more of it",
		       (unsigned long long)import->verify.blocks_read,
		       units_s(import->verify.blocks_read), import->verify.main.shown);
	return STATUS_DONE;
}

static int take_arrived(struct import *import)
{
	int status;

	status = plan(import);
	if (status)
		return status;
	if (!import->verified && nothing_fails(import))
		return wait_for_more(import);
	count_plan(import);
	status = apply(import);
	ranges_free(&import->list.ranges);
	return status;
}

int import_arrived(struct import *import)
{
	int status;

	if (import->arrived == import->list.taken)
		return 0;
	import->arrived = import->list.taken;
	status = take_arrived(import);
	import_plan_free(&import->plan);
	import->plan = (struct import_plan){ .blocks = 0 };
	import_close(import);
	fflush(stdout);
	import->status = max(import->status, status);
	return status > STATUS_LOOK ? -ECANCELED : 0;
}

int import_end_following(struct import *import)
{
	if (import->list.ranges.nr)
		return refuse_list(import);
	if (!import->options.dry_run)
		report_out("%s: imported %llu block%s in all\n",
			   stop_requested() ? "stopped" : "end of the list",
			   (unsigned long long)import->imported, units_s(import->imported));
	return import->status;
}
