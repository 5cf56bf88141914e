// SPDX-License-Identifier: GPL-2.0-only
/* Races around the rewrite of a neighbour, which is to show whether main still lives. */
#include "race.h"

static uint64_t neighbour(uint64_t block)
{
	return block + BLOCK;
}

/*
 * A write of the neighbour took the fast path, which nobody counts: it reaches main between the
 * rewriter's read and write, and is known to be complete only when the rewriter has gone.
 */
static void rewrite_fast(uint64_t block)
{
	struct bed_op write = write_op(neighbour(block), BLOCK, FIRST);
	struct bed_op failing = write_op(block, BLOCK, SECOND);

	hold_main("before", "w", neighbour(block), 2);
	bed_start(&write);
	is_held("gmain", 1, "the write is not held");
	fail_main("w", block, BLOCK, "IOERR");
	bed_start(&failing);
	is_held("gmain", 2, "the neighbour is not rewritten");
	hold_main("after", "w", neighbour(block), 1);
	bed_message("gmain", "release first");
	is_held("gmain", 2, "the write is not held on its way back");
	bed_message("gmain", "release first");
	expect_done(bed_finish(&failing), "failing write");
	release("gmain");
	expect_done(bed_finish(&write), "write of the neighbour");
}

/*
 * A write of the neighbour took the slow path, which the rewriter waits for. Without that it is as
 * above: what is released second is the rewrite. With it, that is the write, and the rewrite comes
 * to be held later.
 */
static void rewrite_slow(uint64_t block)
{
	struct bed_op write = write_op(neighbour(block), BLOCK, FIRST);
	struct bed_op failing = write_op(block, BLOCK, SECOND);

	hold_main("before", "w", neighbour(block), 2);
	bed_start(&write);
	is_held("gmain", 1, "the write is not held");
	bed_message("main", "reset");
	fail_main("w", block, BLOCK, "IOERR");
	bed_start(&failing);
	must(bed_wait("main", FAILED_WRITES, 2), "the write does not fail");
	for_a_chance("gmain", 2);
	hold_main("after", "w", neighbour(block), 1);
	bed_message("gmain", "release first");
	bed_done_within(&write, CHANCE_MS);
	bed_message("gmain", "release first");
	bed_done_within(&failing, CHANCE_MS);
	settle(&failing);
	settle(&write);
	expect_done(failing.error, "failing write");
	expect_done(write.error, "write of the neighbour");
}

/* Something is mapped in the region, far enough not to be asked. */
static void mark_region(uint64_t block)
{
	map_block(block + 40 * BLOCK);
}

static void verify_neighbour(uint64_t block)
{
	expect_data(neighbour(block), BLOCK, FIRST, "the neighbour's data");
	expect_data(block, BLOCK, SECOND, "failing write's data");
}

const struct scene rewrites[] = {
	{ "rewrite-fast", NULL, rewrite_fast, verify_neighbour, true,
	  "a neighbour is rewritten over a write in flight that took the fast path" },
	{ "rewrite-slow", mark_region, rewrite_slow, verify_neighbour, true,
	  "a neighbour is rewritten over a write in flight that took the slow path" },
	{ .name = NULL },
};
