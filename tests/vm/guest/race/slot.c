// SPDX-License-Identifier: GPL-2.0-only
/* Races around the move of a block from a slot that has gone bad to another, and cuts of it. */
#include "race.h"

#include <errno.h>
#include <string.h>

#define SLOT_TRIES 2u		/* the bio itself, and its context */

/* A write of a sibling is on its way to the old slot when the move begins. */
static void slot_in_flight(uint64_t block)
{
	struct bed_op sibling = write_op(block + 5, 1, FIRST);
	struct bed_op failing = write_op(block + 2, 1, SECOND);

	hold_slots("w");
	bed_start(&sibling);
	is_held("gspare", 1, "the sibling is not held");
	fail_slot(2, 1);
	bed_start(&failing);
	must(bed_wait("spare", FAILED_WRITES, SLOT_TRIES), "the slot does not fail");
	bed_done_within(&failing, CHANCE_MS);
	release("gspare");
	expect_done(bed_finish(&sibling), "sibling");
	expect_done(bed_finish(&failing), "failing write");
}

/* A write of a sibling comes when the old slot has been copied. */
static void slot_has_copied(uint64_t block)
{
	struct bed_op sibling = write_op(block + 5, 1, FIRST);
	struct bed_op failing = write_op(block + 2, 1, SECOND);

	fail_slot(2, 1);
	hold_slots("w");
	bed_start(&failing);
	is_held("gspare", 1, "the copy is not held");
	bed_start(&sibling);
	bed_done_within(&sibling, CHANCE_MS);
	release("gspare");
	expect_done(bed_finish(&failing), "failing write");
	expect_done(bed_finish(&sibling), "sibling");
}

/* Two writes find the slot bad, before anybody looks into that. */
static void two_movers(uint64_t block)
{
	struct bed_op sibling = write_op(block + 5, 1, FIRST);
	struct bed_op failing = write_op(block + 2, 1, SECOND);

	fail_slot(0, BLOCK);
	hold_round_slot(2);
	bed_start(&failing);
	is_held("aspare", 1, "the first write is not held");
	bed_start(&sibling);
	is_held("aspare", 2, "the second write is not held");
	hold_slots("w");
	hold_slots("w");
	release("aspare");
	is_held("gspare", 1, "the copy is not held");
	for_a_chance("gspare", 2);
	settle(&failing);
	settle(&sibling);
	expect_done(failing.error, "failing write");
	expect_done(sibling.error, "sibling");
}

/*---- power goes while a block moves ----*/

/*
 * A move is an image in the new slot, five copies of a page with the new claim, and five with the
 * old slot retired. Rounds cut before each of these writes in turn, and after the last.
 */
enum { MOVE_WRITES = 11 };

static void cut_move(uint64_t block)
{
	struct bed_op failing = write_op(block + 2, 1, SECOND);
	char word[DMCTL_TEXT];
	bool acknowledged;
	int r;

	scene_down();
	wipe_spare();
	start("4 format breaker 1000000 60");
	round_slot = 0;
	map_block(block);
	must(!bed_write(scene_fd, block, BLOCK, FIRST), "cannot write to the slot");
	fail_slot(2, 1);
	bed_message("gspare", "hold before w 0+%llu 100 %u", (unsigned long long)stack_spare_sectors(),
		    scene_round % (MOVE_WRITES + 1));
	failing.fd = scene_fd;
	bed_start(&failing);
	while (!bed_done_within(&failing, 1) && !bed_word("gspare", HELD, word))
		;
	/* no more is caught, and nothing more gets through */
	bed_message("gspare", "open");
	bed_message("gspare", "drop");
	bed_message("gspare", "release fail");
	settle(&failing);
	acknowledged = !failing.error;
	scene_down();

	bed_message("gspare", "open");
	bed_message("spare", "clear");
	r = bring_up("");
	expect(!r, "cannot be loaded after the cut: %s", strerrorname_np(-r));
	if (r) {
		wipe_spare();
		start("1 format");
		return;
	}
	expect_data(block, 2, FIRST, "acknowledged data");
	expect_data(block + 3, 5, FIRST, "acknowledged data");
	r = bed_read(scene_fd, block + 2, 1, SECOND);
	if (r == -EILSEQ && !acknowledged)
		r = bed_read(scene_fd, block + 2, 1, FIRST);
	expect(!r, "the write under way: %s", r ? strerrorname_np(-r) : "");
}

const struct scene slot_moves[] = {
	{ "slot-in-flight", map_block, slot_in_flight, verify_sibling, false,
	  "a write is in flight to a slot that turns out to be bad" },
	{ "slot-copied", map_block, slot_has_copied, verify_sibling, false,
	  "a write comes after a bad slot was copied and before its block lives elsewhere" },
	{ "two-movers", map_block, two_movers, verify_sibling, false,
	  "two writes find one slot bad" },
	{ "move-cut", NULL, cut_move, NULL, true,
	  "power goes while a block moves from a bad slot to another" },
	{ .name = NULL },
};
