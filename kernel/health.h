/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The health score as a function of numbers, and nothing else, so that it can be tested
 * without a device.
 */
#ifndef REMAP_HEALTH_H
#define REMAP_HEALTH_H

/**
 * struct remap_condition - what the score is made of
 * @failed: all I/O fails
 * @needs_check: the metadata needs a check
 * @slots_failing: slots have failed in this activation
 * @breaker_open: no more automatic remaps
 * @lost: sectors that nobody has
 * @pending: sectors whose only copy is on main
 * @used: slots in use or retired
 * @slots: of the spare, at least 1
 * @live_copies: of the metadata, of RMETA_COPIES
 * @fenced: blocks whose metadata is in doubt
 * @recent: errors of main within the last hour
 * @before: errors of main within the 23 hours before that
 */
struct remap_condition {
	bool failed;
	bool needs_check;
	bool slots_failing;
	bool breaker_open;
	u64 lost;
	u64 pending;
	u64 used;
	u64 slots;
	u32 live_copies;
	u32 fenced;
	u64 recent;
	u64 before;
};

/* 1 for one error within the hour, and 1 more for each doubling, up to @most. */
static inline u32 remap_rate_points(u64 errors, u32 most)
{
	u32 points = 0;

	for (; errors && points < most; errors >>= 1)
		points++;
	return points;
}

/**
 * remap_health() - how well a device is, in one number
 * @c: its condition
 *
 * 100 when nothing at all is wrong, 0 when it has failed, else at least 1. Subtracted are:
 *
 *	30	there are lost sectors
 *	10..20	there are pending sectors: 10, and one more for each 64
 *	1..30	the share of slots in use or retired, rounded up
 *	10	each metadata copy that is not live
 *	10	the metadata needs a check
 *	15	blocks are fenced
 *	5	slots have failed in this activation
 *	20	the breaker is open
 *	1..10	main has failed requests within the last hour: 1 for one of them, and 1 more for
 *		each doubling
 *	5	and it gets worse: they are more than a quarter of those of the 23 hours before,
 *		and at least four
 *
 * Return: the score.
 */
static inline u32 remap_health(const struct remap_condition *c)
{
	u64 bad = 0;

	if (c->failed)
		return 0;
	if (c->lost)
		bad += 30;
	if (c->pending)
		bad += c->pending / 64 < 10 ? 10 + c->pending / 64 : 20;
	bad += DIV_ROUND_UP_ULL(30 * (c->used < c->slots ? c->used : c->slots), c->slots);
	bad += 10 * (RMETA_COPIES - c->live_copies);
	if (c->needs_check)
		bad += 10;
	if (c->fenced)
		bad += 15;
	if (c->slots_failing)
		bad += 5;
	if (c->breaker_open)
		bad += 20;
	bad += remap_rate_points(c->recent, 10);
	if (c->recent >= 4 && c->recent > c->before / 4)
		bad += 5;
	return bad < 100 ? (u32)(100 - bad) : 1;
}

#endif
