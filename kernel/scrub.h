/* SPDX-License-Identifier: GPL-2.0-only */
/* Repair of the spare's metadata while it is live; see scrub.c. */
#ifndef REMAP_SCRUB_H
#define REMAP_SCRUB_H

#include "table.h"

struct remap_core;

/**
 * struct remap_scrub - scrubbing; all but @wanted belongs to the metadata worker
 * @wanted: asked for and not done
 * @running: has begun
 * @super_done: the superblock has been seen to
 * @page: next page
 * @fenced: blocks that were fenced when it began
 * @error: of the last scrub that ended, or 0
 * @found: by the present or the last scrub
 */
struct remap_scrub {
	bool wanted;
	bool running;
	bool super_done;
	u32 page;
	unsigned int fenced;
	int error;
	struct rmeta_scrub found;
};

void remap_scrub_start(struct remap_core *core);
void remap_scrub_stop(struct remap_core *core);
void remap_scrub_resume(struct remap_core *core);
bool remap_scrub_step(struct remap_core *core);
void remap_scrub_forget(struct remap_core *core);

#endif
