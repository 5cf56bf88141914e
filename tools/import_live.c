// SPDX-License-Identifier: GPL-2.0-only
/*
 * Carrying out a plan on a live device.
 */
#include <stdio.h>

#include "import.h"
#include "live_send.h"
#include "progress.h"
#include "stop.h"

#define IMPORT_BLOCKS ((u64)1 << 16)	/* in one message, so that there is progress and an end */
#define COPY_BLOCKS ((u64)64)		/* main is read for each, and may take half a minute */

static int send_plan(struct import *import, struct live_send *send)
{
	const struct ranges *fresh = import->plan.fresh;
	int r = 0;
	size_t i;

	progress_begin("importing blocks", import->plan.wanted);
	for (i = 0; i < fresh->nr && !r; i++)
		r = live_send_range(send, fresh->range[i].first, fresh->range[i].end);
	if (!r)
		r = live_send_rest(send);
	progress_end();
	import->imported += send->done;
	import->totals.free_slots -= min(send->done, import->totals.free_slots);
	return r;
}

static int check_copies(struct import *import)
{
	const struct live *live = &import->live;

	if (live_refresh(&import->live, false))
		return STATUS_FAILED;
	if (live->status.live_copies >= RMETA_COPIES)
		return STATUS_DONE;
	report_warn("%s: only %llu of 5 copies of some metadata could be written; remap-setup scrub %s, and think of another spare",
		    live->dev.shown, (unsigned long long)live->status.live_copies,
		    live->dev.shown);
	return STATUS_LOOK;
}

int import_apply_live(struct import *import)
{
	char verb[64] = "remap";
	struct live_send send = {
		.live = &import->live,
		.verb = verb,
		.verb_words = import->options.copy ? 1 : 2,
		.block_shift = import->list.block_shift,
		.end_sectors = import->list.main_sectors,
		.most_blocks = import->options.copy ? COPY_BLOCKS : IMPORT_BLOCKS,
	};
	int r;

	if (!import->options.follow)
		stop_catch();
	if (!import->options.copy)
		snprintf(verb, sizeof(verb), "import %s",
			 rmeta_reason_name(import->list.parser->reason));
	r = send_plan(import, &send);
	if (r)
		report_error("%s: %s; %llu of %llu blocks were imported and are durable, the same import again takes the rest",
			     import->live.dev.shown, live_send_explain(&send, r),
			     (unsigned long long)send.done,
			     (unsigned long long)import->plan.wanted);
	live_send_free(&send);
	return r ? STATUS_FAILED : check_copies(import);
}
