/* SPDX-License-Identifier: GPL-2.0-only */
/* The job that tries pending sectors on main again; see salvage.c. */
#ifndef REMAP_SALVAGE_H
#define REMAP_SALVAGE_H

#include <linux/types.h>

struct remap_core;
struct remap_job;

/**
 * struct remap_salvage - how far the salvage job is
 * @next: slot to look at next
 * @end: where the pass ends
 * @wanted: pending sectors when it began
 * @tried: of these
 * @healed: of these, now in their slots
 * @started: there has been a pass since the load
 */
struct remap_salvage {
	u64 next;
	u64 end;
	u64 wanted;
	u64 tried;
	u64 healed;
	bool started;
};

long remap_salvage_step(struct remap_job *job);
void remap_salvage_start(struct remap_core *core);

#endif
