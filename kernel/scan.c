// SPDX-License-Identifier: GPL-2.0-only
/*
 * The health scan: reads main from one end to the other, so that a bad block is found before
 * somebody needs it. What it finds goes the way of a failed read: readable sectors get a slot,
 * the others are pending, if policy and breaker allow it.
 *
 * A pass reads a MiB at a time, when the device has had no request for half a second, and then
 * waits for 99 times as long as that took, so that it has main for a hundredth of the time at
 * most, by its own clock. The next pass begins @interval seconds after this one did, or after
 * an eighth of that if this one has found errors. Blocks that live in slots, or that somebody
 * is working on, are passed over: what main has there is stale, or being seen to.
 *
 * A read of main that fails is made again in smaller pieces, and then block by block:
 *
 *	status of the block alone	what is done
 *	success				nothing
 *	MEDIUM				counted, and recorded
 *	IOERR, TARGET			counted; recorded under read_policy remap, if main can
 *					still read elsewhere
 *	anything else			the same place again later, and after some time passed over
 */
#include <linux/mm.h>
#include <linux/part_stat.h>
#include <linux/vmalloc.h>

#include "remap.h"

#define SCAN_SECTORS REMAP_REGION_SECTORS
#define SCAN_BYTES REMAP_REGION_BYTES
#define PIECE_SECTORS 128U		/* what a read that failed is made again in */
#define QUIET (HZ / 2)			/* without a request: idle */
#define SHARE 100			/* one part of the time in so many */
#define ERROR_FACTOR 8			/* times as often after errors */
#define RETRY (10 * HZ)			/* when main does not answer at all */
#define TRIES 6
#define LONGEST (600 * HZ)		/* of one wait for the next pass */

static u64 scan_end(const struct remap_core *core)
{
	return min_t(u64, core->live->ti->len, core->main_sectors);
}

/* Read from main into the buffer. */
static blk_status_t read_main(struct remap_core *core, u64 sector, unsigned int sectors)
{
	struct remap_scan *scan = &core->scan;
	unsigned int bytes = sectors << SECTOR_SHIFT, at, length;
	blk_status_t status;

	bio_init(scan->bio, core->main, scan->bio->bi_inline_vecs, SCAN_BYTES >> PAGE_SHIFT,
		 REQ_OP_READ);
	scan->bio->bi_ioprio = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0);
	scan->bio->bi_iter.bi_sector = sector;
	for (at = 0; at < bytes; at += length) {
		length = min_t(unsigned int, bytes - at, PAGE_SIZE);
		__bio_add_page(scan->bio, vmalloc_to_page(scan->buffer + at), length, 0);
	}
	submit_bio_wait(scan->bio);
	status = scan->bio->bi_status;
	bio_uninit(scan->bio);
	return status;
}

static bool is_plain(struct remap_core *core, block_t block)
{
	struct remap_view view;

	if (!remap_region_test(core->regions, remap_block_sector(core, block)))
		return true;
	if (remap_fenced(core, block) || remap_busy_test(core, block))
		return false;
	rcu_read_lock();
	remap_look(core, block, &view);
	rcu_read_unlock();
	return view.slot == RMETA_NO_SLOT;
}

/* Put the block into a slot, with what can be read of it. Owner of the block. */
static void record(struct remap_core *core, block_t block, blk_status_t status)
{
	const struct remap_features *features = &core->live->features;
	struct remap_ctx *ctx = &core->jobs[REMAP_JOB_SCAN].ctx;
	u16 all = remap_covered(core, block), got;

	if (core->table.read_only || READ_ONCE(features->no_auto_remap) ||
	    READ_ONCE(core->breaker_open))
		return;
	if (remap_judge(status) == REMAP_STS_UNSURE &&
	    (!READ_ONCE(features->read_remap) ||
	     remap_main_alive(ctx, block, REQ_OP_READ) != REMAP_ALIVE))
		return;
	got = remap_salvage(ctx, block, all, true);
	if (got != all && remap_breaker_take(core))
		remap_claim(ctx, block, ctx->image, got, RMETA_REASON_SCAN);
}

static void found_error(struct remap_core *core, block_t block)
{
	struct remap_scan *scan = &core->scan;

	scan->pass_errors = true;
	WRITE_ONCE(scan->errors, scan->errors + 1);
	remap_note_error(core, REQ_OP_READ, remap_block_sector(core, block));
}

/* Returns BLK_STS_OK when the block has been seen to, good or bad. */
static blk_status_t scan_block(struct remap_core *core, block_t block)
{
	struct remap_ctx *ctx = &core->jobs[REMAP_JOB_SCAN].ctx;
	u16 all = remap_covered(core, block);
	struct remap_busy *busy = remap_busy_try(core, block);
	blk_status_t status = BLK_STS_OK;
	struct remap_view view;

	if (!busy)
		return BLK_STS_OK;
	rcu_read_lock();
	remap_look(core, block, &view);
	rcu_read_unlock();
	if (view.slot != RMETA_NO_SLOT || remap_fenced(core, block))
		goto out;
	remap_set_budget(ctx, 1);
	status = remap_main_buffer(ctx, REQ_OP_READ, remap_block_sector(core, block), ctx->image,
				   hweight16(all));
	switch (remap_judge(status)) {
	case REMAP_STS_MEDIUM:
	case REMAP_STS_UNSURE:
		found_error(core, block);
		record(core, block, status);
		status = BLK_STS_OK;
		break;
	default:
		break;
	}
out:
	remap_busy_release(core, busy);
	return status;
}

/* A run of plain blocks. Returns BLK_STS_OK when all of them have been seen to. */
static blk_status_t scan_run(struct remap_core *core, u64 sector, unsigned int sectors)
{
	unsigned int piece = sectors > PIECE_SECTORS ? PIECE_SECTORS : remap_block_sectors(core);
	blk_status_t status = read_main(core, sector, sectors);
	unsigned int at;

	if (!status)
		return BLK_STS_OK;
	if (remap_judge(status) == REMAP_STS_OTHER)
		return status;
	for (at = 0; at < sectors; at += piece) {
		if (remap_job_stopping(&core->jobs[REMAP_JOB_SCAN]))
			return BLK_STS_AGAIN;
		if (sectors > PIECE_SECTORS)
			status = scan_run(core, sector + at, min(piece, sectors - at));
		else
			status = scan_block(core, (sector + at) >> core->block_shift);
		if (status)
			return status;
	}
	return BLK_STS_OK;
}

/* @sectors from @sector, without what is not plainly on main. */
static blk_status_t scan_range(struct remap_core *core, u64 sector, unsigned int sectors)
{
	unsigned int block_sectors = remap_block_sectors(core);
	u64 end = sector + sectors, from, to;
	blk_status_t status;

	if (!remap_region_test(core->regions, sector))
		return scan_run(core, sector, sectors);
	for (from = sector; from < end; from = to) {
		to = min(end, from + block_sectors);
		if (!is_plain(core, from >> core->block_shift))
			continue;
		while (to < end && is_plain(core, to >> core->block_shift))
			to = min(end, to + block_sectors);
		status = scan_run(core, from, to - from);
		if (status)
			return status;
	}
	return BLK_STS_OK;
}

/* A pass is over, or none has begun: how long until the next? */
static long wait_for_pass(struct remap_core *core)
{
	struct remap_scan *scan = &core->scan;
	u32 seconds = READ_ONCE(scan->interval);
	unsigned long due;
	long left;

	if (xchg(&scan->asked, false))
		return 0;
	if (!seconds)
		return REMAP_JOB_DONE;
	if (!scan->begun)
		return 0;
	due = scan->pass_start + (unsigned long)seconds * HZ /
	      (scan->pass_errors ? ERROR_FACTOR : 1);
	left = (long)(due - jiffies);
	return clamp_t(long, left, 0, LONGEST);
}

static void begin_pass(struct remap_core *core)
{
	struct remap_scan *scan = &core->scan;

	scan->under_way = true;
	scan->begun = true;
	scan->pass_start = jiffies;
	scan->pass_errors = false;
	scan->tries = 0;
}

static void end_pass(struct remap_core *core)
{
	struct remap_scan *scan = &core->scan;

	scan->under_way = false;
	WRITE_ONCE(scan->position, 0);
	WRITE_ONCE(scan->passes, scan->passes + 1);
	remap_info(core, "health scan: a pass over %llu sectors is complete%s", scan_end(core),
		   scan->pass_errors ? ", errors were found" : "");
	remap_event(core);
}

static int get_buffer(struct remap_scan *scan)
{
	if (!scan->bio)
		scan->bio = bio_kmalloc(SCAN_BYTES >> PAGE_SHIFT, GFP_KERNEL);
	if (!scan->buffer)
		scan->buffer = vmalloc(SCAN_BYTES);
	return scan->bio && scan->buffer ? 0 : -ENOMEM;
}

/*
 * Requests of the device itself, from the counters that device mapper keeps of it anyway. It does
 * not count those that are ours until they are sent on or completed.
 */
static u64 count_requests(struct remap_core *core, bool *busy)
{
	struct block_device *whole = dm_disk(core->md)->part0;
	long in_flight = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		in_flight += part_stat_local_read_cpu(whole, in_flight[0], cpu) +
			     part_stat_local_read_cpu(whole, in_flight[1], cpu);
	*busy = in_flight > 0 || READ_ONCE(core->nr_working) || READ_ONCE(core->nr_parked);
	return part_stat_read(whole, ios[STAT_READ]) + part_stat_read(whole, ios[STAT_WRITE]) +
	       part_stat_read(whole, ios[STAT_DISCARD]) + part_stat_read(whole, ios[STAT_FLUSH]);
}

/* Has nobody used the device for some time? */
static bool is_idle(struct remap_core *core)
{
	struct remap_scan *scan = &core->scan;
	bool busy;
	u64 now = count_requests(core, &busy);

	if (busy || now != scan->seen) {
		scan->seen = now;
		scan->quiet_since = jiffies;
		return false;
	}
	return time_after_eq(jiffies, scan->quiet_since + QUIET);
}

/* How long to leave main alone after having had it for @ns. */
static long rest_after(struct remap_scan *scan, u64 ns)
{
	long rest = (long)nsecs_to_jiffies(ns * (SHARE - 1)) + 1;

	scan->rests = true;
	scan->rest_until = jiffies + rest;
	return rest;
}

/**
 * remap_scan_step() - read some more of main
 * @job: the job
 *
 * Return: see struct remap_job.
 * Context: of a step.
 */
long remap_scan_step(struct remap_job *job)
{
	struct remap_core *core = job->ctx.core;
	struct remap_scan *scan = &core->scan;
	u64 end = scan_end(core), start, took;
	unsigned int sectors;
	blk_status_t status;
	long left;

	if (get_buffer(scan))
		return RETRY;
	/* However often somebody starts it, or suspends and resumes. Time goes on: look once. */
	left = scan->rests ? (long)(scan->rest_until - jiffies) : 0;
	if (left > 0)
		return left;
	scan->rests = false;
	if (!scan->under_way) {
		long wait = wait_for_pass(core);

		if (wait)
			return wait;
		begin_pass(core);
	}
	/* Going on is what was asked for. */
	WRITE_ONCE(scan->asked, false);
	if (!is_idle(core))
		return HZ / 4;
	if (scan->position >= end) {
		end_pass(core);
		return 1;
	}
	/* To the next border of regions, so that one bit tells of all of it. */
	sectors = min_t(u64, end - scan->position,
			SCAN_SECTORS - (scan->position & (SCAN_SECTORS - 1)));
	start = ktime_get_ns();
	status = scan_range(core, scan->position, sectors);
	took = ktime_get_ns() - start;
	WRITE_ONCE(scan->work_ns, scan->work_ns + took);
	if (status && status != BLK_STS_AGAIN && ++scan->tries < TRIES)
		return max_t(long, RETRY, rest_after(scan, took));
	if (status != BLK_STS_AGAIN) {
		scan->tries = 0;
		WRITE_ONCE(scan->position, scan->position + sectors);
	}
	return rest_after(scan, took);
}

/**
 * remap_scan_start() - make a pass now, or go on with the one that was stopped
 * @core: live
 *
 * Context: process; sleeps until a step that is under way is over.
 */
void remap_scan_start(struct remap_core *core)
{
	WRITE_ONCE(core->scan.asked, true);
	if (!remap_job_kick(&core->jobs[REMAP_JOB_SCAN]))
		remap_job_start(&core->jobs[REMAP_JOB_SCAN], NULL);
}

/**
 * remap_scan_stop() - no more scanning, until it is started again
 * @core: the core
 *
 * Context: process; sleeps until a step that is under way is over.
 */
void remap_scan_stop(struct remap_core *core)
{
	WRITE_ONCE(core->scan.asked, false);
	remap_job_stop(&core->jobs[REMAP_JOB_SCAN]);
}

/**
 * remap_scan_interval() - how often a pass is to begin by itself
 * @core: live
 * @interval: seconds; 0: never. A pass that is under way goes on.
 *
 * Has effect when remap_scan_wake() has been called.
 *
 * Context: any.
 */
void remap_scan_interval(struct remap_core *core, u32 interval)
{
	WRITE_ONCE(core->scan.interval, interval);
}

/**
 * remap_scan_wake() - let the job see a new interval
 * @core: has been live
 *
 * Context: process, without event_lock; sleeps until a step that is under way is over.
 */
void remap_scan_wake(struct remap_core *core)
{
	if (!READ_ONCE(core->scan.interval))
		return;
	if (!remap_job_kick(&core->jobs[REMAP_JOB_SCAN]))
		remap_job_start(&core->jobs[REMAP_JOB_SCAN], NULL);
}

/**
 * remap_scan_share() - how much of the time the scan has had main
 * @core: the core
 *
 * Return: millionths of the time since the statistics were reset.
 */
u32 remap_scan_share(const struct remap_core *core)
{
	u64 ns = ktime_get_ns() - READ_ONCE(core->scan.measured);
	u64 work_us = div_u64(READ_ONCE(core->scan.work_ns), 1000);

	return (u32)min_t(u64, div64_u64(work_us * 1000000, max(div_u64(ns, 1000), 1ULL)), U32_MAX);
}

/**
 * remap_scan_reset() - count errors, passes and the share of the time from here
 * @core: the core
 *
 * Context: process.
 */
void remap_scan_reset(struct remap_core *core)
{
	WRITE_ONCE(core->scan.errors, 0);
	WRITE_ONCE(core->scan.passes, 0);
	WRITE_ONCE(core->scan.work_ns, 0);
	WRITE_ONCE(core->scan.measured, ktime_get_ns());
}

/**
 * remap_scan_exit() - free what a scan used
 * @core: its jobs have ended
 */
void remap_scan_exit(struct remap_core *core)
{
	vfree(core->scan.buffer);
	kfree(core->scan.bio);
}
