/* SPDX-License-Identifier: GPL-2.0-only */
/* The health scan of main; see scan.c. */
#ifndef REMAP_SCAN_H
#define REMAP_SCAN_H

#include <linux/bio.h>

struct remap_core;
struct remap_job;

/**
 * struct remap_scan - the health scan of main; written by its step but for @interval, @asked
 * @interval: seconds from the beginning of one pass to that of the next; 0: none by itself
 * @asked: a pass is to begin now
 * @under_way: in a pass
 * @begun: there has been a pass
 * @position: sector of main where the pass goes on
 * @pass_start: jiffies when the pass, or the last one, began
 * @pass_errors: the pass, or the last one, has found errors
 * @errors: blocks found unreadable since the statistics were reset
 * @passes: complete ones, since then
 * @work_ns: time spent reading, since @measured
 * @measured: ktime
 * @rests: until @rest_until, in jiffies
 * @rest_until: see @rests
 * @tries: of the present place, when main fails for other reasons than a bad block
 * @seen: requests that the device had completed when last looked at
 * @quiet_since: jiffies; nothing but @seen has been completed since
 * @buffer: what is read, or NULL: no scan yet
 * @bio: reads into @buffer
 */
struct remap_scan {
	u32 interval;
	bool asked;
	bool under_way;
	bool begun;
	u64 position;
	unsigned long pass_start;
	bool pass_errors;
	u64 errors;
	u64 passes;
	u64 work_ns;
	u64 measured;
	bool rests;
	unsigned long rest_until;
	unsigned int tries;
	u64 seen;
	unsigned long quiet_since;
	u8 *buffer;
	struct bio *bio;
};

long remap_scan_step(struct remap_job *job);
void remap_scan_start(struct remap_core *core);
void remap_scan_stop(struct remap_core *core);
void remap_scan_interval(struct remap_core *core, u32 interval);
void remap_scan_wake(struct remap_core *core);
void remap_scan_reset(struct remap_core *core);
u32 remap_scan_share(const struct remap_core *core);
void remap_scan_exit(struct remap_core *core);

#endif
