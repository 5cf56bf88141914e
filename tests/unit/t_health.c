// SPDX-License-Identifier: GPL-2.0-only
/*
 * The health score of the target, row by row of its formula, and what must hold of it at all.
 */
#include "tap.h"
#include "format.h"
#define DIV_ROUND_UP_ULL(n, d) (((n) + (d) - 1) / (d))
#include "../../kernel/health.h"

#define WELL .slots = 1000, .live_copies = RMETA_COPIES

static const struct {
	const char *what;
	unsigned int score;
	struct remap_condition condition;
} rows[] = {
	{ "nothing at all is wrong", 100, { WELL } },
	{ "failed", 0, { WELL, .failed = true } },
	{ "one lost sector", 70, { WELL, .lost = 1 } },
	{ "many lost sectors", 70, { WELL, .lost = 100000 } },
	{ "one pending sector", 90, { WELL, .pending = 1 } },
	{ "64 pending sectors", 89, { WELL, .pending = 64 } },
	{ "640 pending sectors", 80, { WELL, .pending = 640 } },
	{ "many pending sectors", 80, { WELL, .pending = 1ULL << 40 } },
	{ "one slot", 99, { WELL, .used = 1 } },
	{ "a thirtieth of the slots", 98, { WELL, .used = 34 } },
	{ "half of the slots", 85, { WELL, .used = 500 } },
	{ "all slots", 70, { WELL, .used = 1000 } },
	{ "one copy of the metadata less", 90, { .slots = 1000, .live_copies = 4 } },
	{ "one copy left", 60, { .slots = 1000, .live_copies = 1 } },
	{ "no copy left", 50, { .slots = 1000, .live_copies = 0 } },
	{ "a check is due", 90, { WELL, .needs_check = true } },
	{ "a block is fenced", 85, { WELL, .fenced = 1 } },
	{ "many blocks are fenced", 85, { WELL, .fenced = 1000 } },
	{ "slots fail", 95, { WELL, .slots_failing = true } },
	{ "the breaker is open", 80, { WELL, .breaker_open = true } },
	{ "one error within the hour", 99, { WELL, .recent = 1 } },
	{ "two", 98, { WELL, .recent = 2, .before = 100 } },
	{ "three", 98, { WELL, .recent = 3 } },
	{ "four, and none before: worse", 92, { WELL, .recent = 4 } },
	{ "four, and sixteen before: as bad as ever", 97, { WELL, .recent = 4, .before = 16 } },
	{ "four, and fifteen before: worse", 92, { WELL, .recent = 4, .before = 15 } },
	{ "a hundred, and a thousand before", 93, { WELL, .recent = 100, .before = 1000 } },
	{ "a million within the hour", 85, { WELL, .recent = 1000000 } },
	{ "none within the hour, a thousand before", 100, { WELL, .before = 1000 } },
	{ "everything at once", 1,
	  { .slots = 1000, .used = 1000, .lost = 5, .pending = 1000, .live_copies = 1,
	    .needs_check = true, .fenced = 3, .slots_failing = true, .breaker_open = true,
	    .recent = 5000 } },
	{ "a spare of 2^32 - 1 slots, one used", 99,
	  { .slots = 4294967295ULL, .used = 1, .live_copies = RMETA_COPIES } },
	{ "and all", 70,
	  { .slots = 4294967295ULL, .used = 4294967295ULL, .live_copies = RMETA_COPIES } },
};

/* Of two conditions, the one that is worse in one number has no better score. */
static void test_monotony(void)
{
	unsigned int step, worse = 0;

	for (step = 0; step < 20000; step++) {
		struct remap_condition a = {
			.slots = 1000,
			.used = step * 7 % 1001,
			.pending = step * 13 % 700,
			.lost = step % 3 == 0,
			.live_copies = step % 6,
			.recent = step % 41,
			.before = 1000000,
		}, b = a;

		switch (step % 5) {
		case 0:
			b.used += b.used < 1000;
			break;
		case 1:
			b.pending++;
			break;
		case 2:
			b.live_copies -= b.live_copies > 0;
			break;
		case 3:
			b.recent++;
			break;
		default:
			b.lost++;
		}
		worse += remap_health(&b) > remap_health(&a);
	}
	is(worse, 0, "worse in one number is never better in all");
}

int main(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		is(remap_health(&rows[i].condition), rows[i].score, "%s", rows[i].what);
	test_monotony();
	return done();
}
