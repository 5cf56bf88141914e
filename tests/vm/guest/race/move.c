// SPDX-License-Identifier: GPL-2.0-only
/* Races around the move of a block from main into a slot, because it failed or by message. */
#include "race.h"

#include <errno.h>

/*---- a write to main, and its block moves ----*/

static void move_by_write(uint64_t block)
{
	struct bed_op sibling = write_op(block + 5, 1, FIRST);

	hold_main("before", "w", block, 1);
	bed_start(&sibling);
	is_held("gmain", 1, "the sibling is not held");
	fail_main("w", block + 2, 1, "MEDIUM");
	expect_done(bed_write(scene_fd, block + 2, 1, SECOND), "failing write");
	release("gmain");
	expect_done(bed_finish(&sibling), "sibling");
}

void verify_sibling(uint64_t block)
{
	expect_data(block, 2, OLD, "old data");
	expect_data(block + 2, 1, SECOND, "failing write's data");
	expect_data(block + 3, 2, OLD, "old data");
	expect_data(block + 5, 1, FIRST, "sibling's data");
	expect_data(block + 6, 2, OLD, "old data");
}

static void move_by_message(uint64_t block)
{
	struct bed_op sibling = write_op(block + 5, 1, FIRST);

	hold_main("before", "w", block, 1);
	bed_start(&sibling);
	is_held("gmain", 1, "the write is not held");
	map_block(block);
	release("gmain");
	expect_done(bed_finish(&sibling), "write");
}

void verify_message(uint64_t block)
{
	expect_data(block, 5, OLD, "old data");
	expect_data(block + 5, 1, FIRST, "the write's data");
	expect_data(block + 6, 2, OLD, "old data");
}

/* The write is over between the owner's copy of the block and the new place being known. */
static void move_has_copied(uint64_t block)
{
	struct bed_op sibling = write_op(block + 5, 1, FIRST);
	struct bed_op failing = write_op(block + 2, 1, SECOND);

	hold_main("before", "w", block, 1);
	bed_start(&sibling);
	is_held("gmain", 1, "the sibling is not held");
	fail_main("w", block + 2, 1, "MEDIUM");
	hold_slots("w");
	bed_start(&failing);
	is_held("gspare", 1, "the copy is not held");
	release("gmain");
	bed_done_within(&sibling, CHANCE_MS);
	release("gspare");
	expect_done(bed_finish(&failing), "failing write");
	expect_done(bed_finish(&sibling), "sibling");
}

/* A read fails and its block is being recorded when a write of a sibling completes on main. */
static void read_has_copied(uint64_t block)
{
	struct bed_op sibling = write_op(block + 5, 1, FIRST);
	struct bed_op failing = { .fd = scene_fd, .sector = block, .sectors = BLOCK };

	hold_main("before", "w", block, 1);
	bed_start(&sibling);
	is_held("gmain", 1, "the sibling is not held");
	fail_main("r", block + 2, 1, "MEDIUM");
	hold_slots("w");
	bed_start(&failing);
	is_held("gspare", 1, "the copy is not held");
	release("gmain");
	bed_done_within(&sibling, CHANCE_MS);
	release("gspare");
	expect(bed_finish(&failing) == -ENODATA, "the read did not fail");
	expect_done(bed_finish(&sibling), "sibling");
}

static void verify_read(uint64_t block)
{
	expect_data(block, 2, OLD, "old data");
	expect(bed_read(scene_fd, block + 2, 1, 0) == -ENODATA, "the bad sector can be read");
	expect_data(block + 3, 2, OLD, "old data");
	expect_data(block + 5, 1, FIRST, "sibling's data");
	expect_data(block + 6, 2, OLD, "old data");
}

/*---- two bios that failed ----*/

/* A read has failed; before it gets any further the block is rewritten, into a slot. */
static void read_and_rewrite(uint64_t block)
{
	struct bed_op failing = { .fd = scene_fd, .sector = block, .sectors = BLOCK };
	uint64_t used = bed_number(SCENE_REMAP, BED_USED);

	fail_main("rw", block + 4, 1, "MEDIUM");
	hold_main("after", "r", block, 1);
	bed_start(&failing);
	is_held("gmain", 1, "the read is not held");
	expect_done(bed_write(scene_fd, block, BLOCK, FIRST), "rewrite");
	release("gmain");
	bed_finish(&failing);
	expect(bed_number(SCENE_REMAP, BED_USED) == used + 1, "not one slot for the block");
}

static void verify_rewrite(uint64_t block)
{
	expect_data(block, BLOCK, FIRST, "the rewrite's data");
}

static void two_writes_fail(uint64_t block)
{
	struct bed_op first = write_op(block, 3, FIRST), second = write_op(block + 3, 2, SECOND);
	uint64_t used = bed_number(SCENE_REMAP, BED_USED);

	fail_main("w", block, BLOCK, "MEDIUM");
	hold_main("after", "w", block, 2);
	bed_start(&first);
	is_held("gmain", 1, "the first write is not held");
	bed_start(&second);
	is_held("gmain", 2, "the second write is not held");
	release("gmain");
	expect_done(bed_finish(&first), "first write");
	expect_done(bed_finish(&second), "second write");
	expect(bed_number(SCENE_REMAP, BED_USED) == used + 1, "not one slot for the block");
}

static void verify_two(uint64_t block)
{
	expect_data(block, 3, FIRST, "first write's data");
	expect_data(block + 3, 2, SECOND, "second write's data");
	expect_data(block + 5, 3, OLD, "old data");
}

const struct scene moves[] = {
	{ "sibling", NULL, move_by_write, verify_sibling, false,
	  "a write is in flight to main while its block moves because of another sector" },
	{ "message", NULL, move_by_message, verify_message, false,
	  "a write is in flight to main while a message remaps its block" },
	{ "copied", NULL, move_has_copied, verify_sibling, false,
	  "a write completes on main after its block was copied and before it lives elsewhere" },
	{ "read-copied", NULL, read_has_copied, verify_read, false,
	  "the same while a failed read is being recorded" },
	{ "read-rewrite", NULL, read_and_rewrite, verify_rewrite, false,
	  "a read fails, and its block is rewritten before anybody looks into that" },
	{ "two-writes", NULL, two_writes_fail, verify_two, false,
	  "two writes fail for one block" },
	{ .name = NULL },
};
