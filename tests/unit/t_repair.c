// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a repair leaves behind: in the superblock, for a load that comes in between, and for
 * copies that come back later with something newer than what was shown meanwhile.
 */
#include "tap.h"
#include "spare.h"

static const struct spare_params params = {
	.spare_sectors = 16384, .main_sectors = 2000003, .block_shift = 3, .groups = 1,
	.fill = 300, .seed = 1,
};

/*
 * What a repair leaves
 */

static void superblock_after(void)
{
	struct rmeta_superblock sb;
	struct spare spare;
	struct run run = { 0 };
	u64 random = 3;

	spare_make(&spare, &params);
	spare_damage(&spare, &spare.disk, 1, 2, DAMAGE_NOISE, &random);
	run_check(&run, &spare.disk, ANSWER_PREEN);
	rmeta_superblock_decode(disk_at(&spare.disk, 0), 0, &sb);
	is(sb.activations, spare.sb[SPARE_NEW].activations + 1, "a repair takes an activation");
	is(sb.sequence >> RMETA_SEQUENCE_SHIFT, sb.activations, "and sequences of it");
	is(sb.state, spare.sb[SPARE_NEW].state,
	   "it leaves the state as it was: main's print still holds, no check is due");
	is(sb.activated, spare.sb[SPARE_NEW].activated, "a check is no use of the device");
	spare_free(&spare);
}

/*
 * A copy that could not be read, nor rewritten, comes back after the repair with a newer
 * version than the one that was shown meanwhile. It must not win.
 */
static void hidden_copies_never_win(void)
{
	unsigned int bad = 0, cases = 0, hidden, copy;
	struct rmeta_superblock sb;
	u64 random = 3, sector;
	const char *problem;

	for (hidden = 0; hidden < RMETA_COPIES; hidden++) {
		struct run run = { 0 };
		struct spare spare;
		u32 page;

		spare_make(&spare, &params);
		for (copy = 0; copy < RMETA_COPIES; copy++)
			for (page = 0; page <= spare.nr_pages; page++) {
				u32 object = page < spare.nr_pages ? page : SPARE_SUPER;

				sector = spare_sector(&spare, object, copy);
				if (copy == hidden) {
					disk_break_reads(&spare.disk, sector);
					disk_break_writes(&spare.disk, sector);
				} else {
					spare_damage(&spare, &spare.disk, object, copy, DAMAGE_OLD,
						     &random);
				}
			}
		run_check(&run, &spare.disk, ANSWER_YES);
		bad += run.result || run.check.fixed >= run.check.found || !run.check.written;
		memset(spare.disk.unreadable, 0, spare.disk.max_blocks);
		memset(spare.disk.unwritable, 0, spare.disk.max_blocks);
		run_check(&run, &spare.disk, ANSWER_YES);
		bad += run.result || run.check.fixed != run.check.found || !run.check.found;
		bad += spare_compare(&spare, &spare.disk, SPARE_OLD, true, &problem) != 0;
		rmeta_superblock_decode(disk_at(&spare.disk, 0), 0, &sb);
		bad += !(sb.state & RMETA_IN_USE);	/* as the old version says */
		cases++;
		spare_free(&spare);
	}
	ok(!bad, "what was hidden from a repair never wins later (%u copies)", cases);
}

/*
 * One superblock, which cannot be read, is of an activation that was cut off in its first
 * step. A repair that is cut off at any step must not have used the same sequence.
 */
static void hidden_activation(void)
{
	unsigned int bad = 0, cases = 0;
	struct spare spare;
	struct disk disk;
	struct run run = { 0 };
	u64 step, sector;
	u8 *raw;

	spare_make(&spare, &params);
	disk_init(&disk, params.spare_sectors);
	sector = spare_sector(&spare, SPARE_SUPER, 2);
	spare.sb[SPARE_OLD] = spare.sb[SPARE_NEW];
	spare.sb[SPARE_OLD].activations++;
	spare.sb[SPARE_OLD].sequence = rmeta_sequence(spare.sb[SPARE_OLD].activations, 1);
	raw = disk_at(&spare.disk, sector);
	spare_image(&spare, SPARE_SUPER, 2, SPARE_OLD, raw);
	disk_break_reads(&spare.disk, sector);
	disk_break_writes(&spare.disk, sector);
	for (step = 1; step <= 6; step++) {
		disk_copy(&disk, &spare.disk);
		disk.random = step;
		disk.fatal_step = step;
		run_check(&run, &disk, ANSWER_YES);
		disk_revive(&disk);
		memset(disk.unreadable, 0, disk.max_blocks);
		memset(disk.unwritable, 0, disk.max_blocks);
		run_check(&run, &disk, ANSWER_YES);
		bad += run.result || run.problems[RMETA_P_SB_CONFLICT] ||
		       run.check.fixed != run.check.found;
		cases++;
	}
	ok(!bad, "no sequence of an activation that was hidden is used again (%u cuts)", cases);
	disk_exit(&disk);
	spare_free(&spare);
}

/*
 * The superblock is rebuilt while a page is lost; power goes. A load in between must not take
 * the lost page for one that was never used.
 */
static void no_silent_loss_after_cut(void)
{
	unsigned int silent = 0, loaded = 0, copy, luck;
	struct rmeta_page_header header;
	struct spare spare;
	struct disk disk;
	struct run run = { 0 };
	const char *problem;
	u64 steps, step, random = 5;
	bool there;

	spare_make(&spare, &params);
	disk_init(&disk, params.spare_sectors);
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		spare_damage(&spare, &spare.disk, SPARE_SUPER, copy, DAMAGE_ZERO, &random);
		spare_damage(&spare, &spare.disk, 1, copy, DAMAGE_NOISE, &random);
	}
	disk_copy(&disk, &spare.disk);
	run_check(&run, &disk, ANSWER_YES);
	steps = disk.steps;
	for (step = 1; step <= steps; step++)
		for (luck = 0; luck < 8; luck++) {
			disk_copy(&disk, &spare.disk);
			disk.random = step * 8 + luck;
			disk.fatal_step = step;
			run_check(&run, &disk, ANSWER_YES);
			disk_revive(&disk);
			there = false;
			for (copy = 0; copy < RMETA_COPIES; copy++)
				there |= rmeta_page_decode(disk_at(&disk, spare_sector(&spare, 1,
										       copy)),
							   NULL, 1, (u8)copy, &header) ==
					 RMETA_GOOD;
			if (spare_compare(&spare, &disk, SPARE_NEW, false, &problem) < 0)
				continue;
			loaded++;
			silent += !there;
		}
	ok(!silent && loaded, "a load after a cut never passes over a lost page (%u loads)", loaded);
	disk_exit(&disk);
	spare_free(&spare);
}

/* While a repair is under way the superblocks say so. */
static void marked_while_repairing(void)
{
	struct rmeta_superblock sb;
	struct spare spare;
	struct disk disk;
	struct run run = { 0 };
	u64 random = 3, steps, step;
	unsigned int unmarked = 0;
	u32 page;

	spare_make(&spare, &params);
	for (page = 0; page < spare.nr_pages; page++)
		spare_damage(&spare, &spare.disk, page, 2, DAMAGE_UNREADABLE, &random);
	disk_init(&disk, params.spare_sectors);
	disk_copy(&disk, &spare.disk);
	run_check(&run, &disk, ANSWER_YES);
	steps = disk.steps;
	/* Two steps activate, two take the mark away. */
	for (step = 3; step + 2 <= steps; step++) {
		disk_copy(&disk, &spare.disk);
		disk.fatal_step = step;
		run_check(&run, &disk, ANSWER_YES);
		disk_revive(&disk);
		rmeta_superblock_decode(disk_at(&disk, 0), 0, &sb);
		unmarked += !(sb.state & RMETA_NEEDS_CHECK);
	}
	ok(!unmarked && steps > 4, "a repair that stops half-way leaves the mark \"needs check\"");
	disk_exit(&disk);
	spare_free(&spare);
}

/* Five superblocks rebuilt from nothing, on a device that grew: what can be known is right. */
static void rebuilt_superblock(void)
{
	struct spare_params larger = params;
	struct rmeta_superblock *sb;
	struct spare spare;
	struct run run = { 0 };
	u64 random = 3;
	unsigned int copy;

	larger.room_sectors = 40000;
	spare_make(&spare, &larger);
	for (copy = 0; copy < RMETA_COPIES; copy++)
		spare_damage(&spare, &spare.disk, SPARE_SUPER, copy, DAMAGE_ZERO, &random);
	spare.disk.sectors = 39999;
	run_check(&run, &spare.disk, ANSWER_YES);
	sb = &run.check.sb;
	ok(!run.result && run.check.found == 1 && run.check.fixed == 1, "rebuilt on a longer device");
	ok(!memcmp(sb->uuid, spare.sb[SPARE_NEW].uuid, 16) &&
	   sb->main_sectors == params.main_sectors && sb->block_shift == params.block_shift &&
	   sb->zone_sectors == spare.geo.zone_sectors && sb->zone_slots == spare.geo.zone_slots &&
	   sb->table_pages == spare.geo.table_pages && sb->pages_used == spare.nr_pages,
	   "uuid, main, block size, zones and pages are what they were");
	ok(sb->spare_sectors <= spare.geo.spare_sectors &&
	   sb->spare_sectors + 40 > spare.geo.spare_sectors, "its length is right to a zone's rounding");
	ok(sb->state & RMETA_IN_USE, "it does not claim to have been released cleanly");
	spare_free(&spare);
}

/* A device without any trace is searched only when told to. */
static void search_on_request(void)
{
	struct spare_params larger = params;
	struct spare spare;
	struct run run = { 0 };
	u64 random = 3;
	unsigned int copy;
	u32 page;

	larger.room_sectors = 40000;
	spare_make(&spare, &larger);
	for (copy = 0; copy < RMETA_COPIES; copy++)
		spare_damage(&spare, &spare.disk, SPARE_SUPER, copy, DAMAGE_ZERO, &random);
	for (page = 0; page < spare.nr_pages; page++)
		spare_damage(&spare, &spare.disk, page, 0, DAMAGE_ZERO, &random);
	spare.disk.sectors = 40000;
	run_check(&run, &spare.disk, ANSWER_YES);
	is(run.result, -ENODATA, "no superblock, no zone 0, another length: nothing of ours to be seen");
	run.check.search = true;
	run.result = rmeta_check_run(&disk_ops, &spare.disk, &run.check);
	ok(!run.result && run.check.have_sb && run.check.fixed == run.check.found,
	   "and all of it found by a search of the device");
	spare_free(&spare);
}

int main(void)
{
	superblock_after();
	hidden_copies_never_win();
	hidden_activation();
	no_silent_loss_after_cut();
	marked_while_repairing();
	rebuilt_superblock();
	search_on_request();
	return done();
}
