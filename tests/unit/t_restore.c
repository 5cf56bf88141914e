// SPDX-License-Identifier: GPL-2.0-only
/*
 * Putting a table onto a spare, with the power going at every write: a new spare is there with all
 * of the table or does not load, its own spare is never worse than before, and a second run
 * finishes either.
 */
#include "tap.h"
#include "restore.h"
#include "spare.h"

#define LUCKS 12	/* outcomes tried for each cut */

static const struct spare_params params = {
	.spare_sectors = 16384, .main_sectors = 2000003, .block_shift = 3, .groups = 1,
	.fill = 500, .seed = 1,
};

/* The table of a spare as a restore sees it. */
struct source {
	const struct spare *spare;
	const struct rmeta_entry *entries;
	u64 nr_slots;
	unsigned int erased;
	int erase_result;
};

static void fill(void *ctx, u32 page, struct rmeta_entry *entries)
{
	struct source *source = ctx;
	u64 first = (u64)page * RMETA_PAGE_ENTRIES, nr;

	for (nr = 0; nr < RMETA_PAGE_ENTRIES && first + nr < source->nr_slots; nr++)
		entries[nr] = source->entries[first + nr];
}

static int erased(void *ctx)
{
	struct source *source = ctx;

	source->erased++;
	return source->erase_result;
}

static struct source source_of(const struct spare *spare)
{
	return (struct source){
		.spare = spare,
		.entries = spare->entries[SPARE_NEW],
		.nr_slots = min(rmeta_slots(&spare->geo), spare->nr_pages * RMETA_PAGE_ENTRIES),
	};
}

static struct rmeta_restore own_restore(struct source *source)
{
	return (struct rmeta_restore){
		.sb = source->spare->sb[SPARE_NEW],
		.geo = source->spare->geo,
		.nr_slots = source->nr_slots,
		.fill = fill,
		.ctx = source,
	};
}

/* Onto a device of @sectors; the uuid differs from that of any spare. */
static struct rmeta_restore new_restore(struct source *source, u64 sectors)
{
	struct rmeta_restore restore = own_restore(source);

	memset(&restore.sb, 0, sizeof(restore.sb));
	memset(restore.sb.uuid, 0xee, sizeof(restore.sb.uuid));
	restore.sb.created = 1790000000;
	restore.erased = erased;
	rmeta_geometry_init(&restore.geo, sectors, source->spare->geo.main_sectors,
			    source->spare->geo.block_shift);
	return restore;
}

static struct rmeta_judgement judge(struct disk *disk, struct source *source)
{
	struct rmeta_restore restore = own_restore(source);
	struct rmeta_judgement judgement = { .device_sectors = disk->sectors };

	rmeta_restore_judge(&disk_ops, disk, &restore, &judgement);
	return judgement;
}

/* Does the disk load? Return: -1, or the entries that are not those of the source; @uuid: out. */
static long load(struct disk *disk, const struct source *source, u8 uuid[16])
{
	struct rmeta_load load = {
		.device_sectors = disk->sectors, .read_only = true, .batch = 8, .hash_seed = 1,
	};
	static const struct rmeta_entry none;
	struct rmeta_table table;
	long different = 0;
	u64 slot;

	if (rmeta_table_load(&table, &disk_ops, disk, &load))
		return -1;
	memcpy(uuid, table.sb.uuid, 16);
	for (slot = 0; slot < source->nr_slots; slot++) {
		const struct rmeta_entry *got = slot / RMETA_GROUP_SLOTS < table.entries.nr_groups ?
			rmeta_table_entry(&table, (slot_t)slot) : &none;

		different += memcmp(got, &source->entries[slot], sizeof(*got)) != 0;
	}
	rmeta_table_exit(&table);
	return different;
}

static bool is_new(const u8 uuid[16])
{
	return uuid[0] == 0xee;
}

/*
 * Another device
 */

static void onto_new(void)
{
	struct spare spare;
	struct source source;
	struct rmeta_restore restore;
	struct disk disk;
	struct run run = { 0 };
	u8 uuid[16] = { 0 };

	spare_make(&spare, &params);
	source = source_of(&spare);
	disk_init(&disk, 40000);
	restore = new_restore(&source, 40000);
	is(rmeta_restore_new(&disk_ops, &disk, &restore), 0, "onto a larger, blank device");
	ok(!load(&disk, &source, uuid) && is_new(uuid), "every entry is there, under a new uuid");
	is(source.erased, 1, "slots could be filled once");
	is(restore.bad_copies, 0, "all copies were written");
	is(restore.written, restore.sb.pages_used, "a write for each page");
	run_check(&run, &disk, ANSWER_DRY);
	ok(!run.result && !run.check.found, "a check finds nothing");
	is(run.check.sb.state, 0, "it is not in use");

	/* Again over it, which the caller might allow: sequences go up. */
	restore = new_restore(&source, 40000);
	restore.sb.uuid[0] = 0xed;
	rmeta_restore_new(&disk_ops, &disk, &restore);
	is(restore.sb.activations, 2, "sequences are above any found");

	source.nr_slots = rmeta_slots(&restore.geo) + 1ULL;
	restore.nr_slots = source.nr_slots;
	is(rmeta_restore_new(&disk_ops, &disk, &restore), -ENOSPC, "too many slots");
	source = source_of(&spare);
	source.erase_result = -EDOM;
	restore = new_restore(&source, 40000);
	is(rmeta_restore_new(&disk_ops, &disk, &restore), -EDOM, "slots could not be filled");
	is(load(&disk, &source, uuid), -1, "what is left does not load");
	source.nr_slots = 0;
	source.erase_result = 0;
	restore = new_restore(&source, 40000);
	is(rmeta_restore_new(&disk_ops, &disk, &restore), 0, "an empty table");
	ok(!load(&disk, &source, uuid) && is_new(uuid), "loads");
	disk_exit(&disk);
	spare_free(&spare);
}

static void bad_copies(void)
{
	struct spare spare;
	struct source source;
	struct rmeta_restore restore;
	struct disk disk;
	u8 uuid[16];
	unsigned int copy;

	spare_make(&spare, &params);
	source = source_of(&spare);
	disk_init(&disk, 16384);
	for (copy = 0; copy < 3; copy++)
		disk_break_writes(&disk, spare_sector(&spare, 1, copy));
	restore = new_restore(&source, 16384);
	is(rmeta_restore_new(&disk_ops, &disk, &restore), 0, "three copies of a page fail");
	is(restore.bad_copies, 3, "they are counted");
	ok(!load(&disk, &source, uuid), "it loads from the others");
	disk_break_writes(&disk, spare_sector(&spare, 1, 3));
	restore = new_restore(&source, 16384);
	is(rmeta_restore_new(&disk_ops, &disk, &restore), -EIO, "four fail");
	is(load(&disk, &source, uuid), -1, "what is left does not load");
	disk_exit(&disk);
	disk_init(&disk, 16384);
	disk_break_writes(&disk, 4096);
	restore = new_restore(&source, 16384);
	is(rmeta_restore_new(&disk_ops, &disk, &restore), -EIO, "one superblock fails");
	disk_exit(&disk);
	spare_free(&spare);
}

/*
 * Cut at every step, over what may have been there. No load and no repair may find a table with
 * fewer entries, and a second restore works.
 */
static void cut_new(const char *over, struct disk *before, const struct spare *spare)
{
	unsigned int bad_loads = 0, bad_repairs = 0, bad_again = 0, cuts = 0, whole = 0, luck;
	struct source source = source_of(spare);
	struct rmeta_restore restore = new_restore(&source, before->sectors);
	struct disk disk, copy;
	struct run run = { 0 };
	u64 steps, step;
	u8 uuid[16];
	long r;

	disk_init(&disk, before->max_blocks * 8);
	disk_init(&copy, before->max_blocks * 8);
	disk_copy(&disk, before);
	rmeta_restore_new(&disk_ops, &disk, &restore);
	steps = disk.steps;
	for (step = 1; step <= steps; step++)
		for (luck = 0; luck < LUCKS; luck++) {
			disk_copy(&disk, before);
			disk.random = step * LUCKS + luck;
			disk.fatal_step = step;
			restore = new_restore(&source, before->sectors);
			rmeta_restore_new(&disk_ops, &disk, &restore);
			disk_revive(&disk);
			r = load(&disk, &source, uuid);
			bad_loads += r > 0 && is_new(uuid);
			whole += !r;
			disk_copy(&copy, &disk);
			run_check(&run, &copy, ANSWER_YES);
			bad_repairs += load(&copy, &source, uuid) > 0 && is_new(uuid);
			restore = new_restore(&source, before->sectors);
			restore.sb.uuid[0]++;
			bad_again += rmeta_restore_new(&disk_ops, &disk, &restore) ||
				     load(&disk, &source, uuid) || uuid[0] != 0xef;
			cuts++;
		}
	ok(!bad_loads && whole, "cut over %s: all of the table or nothing loads (%u cuts)", over,
	   cuts);
	ok(!bad_repairs, "cut over %s: nor does a repair make less of it", over);
	ok(!bad_again, "cut over %s: a second restore works", over);
	disk_exit(&disk);
	disk_exit(&copy);
}

static void cuts_new(void)
{
	struct spare spare, empty;
	struct spare_params other = params;
	struct disk blank;

	spare_make(&spare, &params);
	disk_init(&blank, params.spare_sectors);
	cut_new("a blank device", &blank, &spare);
	other.seed = 7;
	other.fill = 0;
	spare_make(&empty, &other);
	cut_new("an empty spare", &empty.disk, &spare);
	disk_exit(&blank);
	spare_free(&empty);
	spare_free(&spare);
}

/*
 * Its own spare
 */

/* Is the disk as the spare was made, but for sequences of pages? */
static unsigned int differences(struct spare *spare, struct disk *disk)
{
	unsigned int different = 0, copy;
	u8 want[RMETA_BYTES];
	u32 page;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		spare_image(spare, SPARE_SUPER, copy, SPARE_NEW, want);
		different += memcmp(want, disk_at(disk, rmeta_superblock_sector(copy)),
				    RMETA_BYTES) != 0;
		for (page = 0; page < spare->nr_pages; page++) {
			u8 *got = disk_at(disk, spare_sector(spare, page, copy));
			struct rmeta_page_header header;

			if (rmeta_page_decode(got, spare->sb[SPARE_NEW].uuid, page, (u8)copy,
					      &header) != RMETA_GOOD) {
				different++;
				continue;
			}
			spare_image(spare, page, copy, SPARE_NEW, want);
			/* magic and crc, then the sequence */
			different += memcmp(want + 16, got + 16, RMETA_BYTES - 16) != 0;
		}
	}
	return different;
}

/* Ways to damage a spare such that a superblock is left. */
static void damage_spare(const struct spare *spare, struct disk *disk, unsigned int way)
{
	u64 random = way + 1;
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		if (way & 1)
			spare_damage(spare, disk, 1, copy, DAMAGE_NOISE, &random);
		if (way & 2)
			spare_damage(spare, disk, 2, copy, copy == 3 ? DAMAGE_OLD : DAMAGE_ZERO,
				     &random);
		if (way & 4)
			spare_damage(spare, disk, 0, copy, DAMAGE_OLD, &random);
		if (way & 8 && copy != 2)
			spare_damage(spare, disk, SPARE_SUPER, copy, copy & 1 ? DAMAGE_ZERO :
				     DAMAGE_OLD, &random);
	}
}

static void onto_own(void)
{
	unsigned int way, bad = 0, bad_judgements = 0;
	struct spare spare;
	struct disk disk;
	struct run run = { 0 };

	spare_make(&spare, &params);
	disk_init(&disk, params.spare_sectors);
	for (way = 0; way < 16; way++) {
		struct source source = source_of(&spare);
		struct rmeta_restore restore = own_restore(&source);
		struct rmeta_judgement judgement;

		disk_copy(&disk, &spare.disk);
		damage_spare(&spare, &disk, way);
		judgement = judge(&disk, &source);
		bad_judgements += !judgement.is_own || !judgement.unchanged ||
				  judgement.damaged != ((way & ~4U) != 0) ||
				  judgement.pages[RMETA_MATCH_LOST] != (way & 1) ||
				  judgement.pages[RMETA_MATCH_DIFFERS] !=
				  (unsigned int)(!!(way & 2) + !!(way & 4));
		bad += rmeta_restore_own(&disk_ops, &disk, &restore, &judgement) != 0;
		bad += differences(&spare, &disk) != 0 || (!way && disk.writes);
		run_check(&run, &disk, ANSWER_DRY);
		bad += run.result || run.check.found;
	}
	ok(!bad_judgements, "its own spare is recognised, and what is wrong with it");
	ok(!bad, "all of it comes back byte for byte but for sequences");
	disk_exit(&disk);
	spare_free(&spare);
}

static void cuts_own(void)
{
	unsigned int bad = 0, worse = 0, cuts = 0, luck, way;
	struct spare spare;
	struct disk disk;

	spare_make(&spare, &params);
	disk_init(&disk, params.spare_sectors);
	for (way = 1; way < 16; way += 2) {
		struct source source = source_of(&spare);
		struct rmeta_restore restore = own_restore(&source);
		struct rmeta_judgement judgement;
		const char *problem;
		u64 steps, step;

		disk_copy(&disk, &spare.disk);
		damage_spare(&spare, &disk, way);
		judgement = judge(&disk, &source);
		rmeta_restore_own(&disk_ops, &disk, &restore, &judgement);
		steps = disk.steps;
		for (step = 1; step <= steps; step++)
			for (luck = 0; luck < LUCKS; luck++) {
				bool there = false;
				unsigned int copy;

				disk_copy(&disk, &spare.disk);
				damage_spare(&spare, &disk, way);
				disk.random = step * LUCKS + luck;
				disk.fatal_step = step;
				restore = own_restore(&source);
				judgement = judge(&disk, &source);
				rmeta_restore_own(&disk_ops, &disk, &restore, &judgement);
				disk_revive(&disk);
				/* Page 1 was lost: it is there, or there is no load. */
				for (copy = 0; copy < RMETA_COPIES; copy++) {
					struct rmeta_page_header header;

					there |= rmeta_page_decode(disk_at(&disk,
						spare_sector(&spare, 1, copy)), NULL, 1, (u8)copy,
						&header) == RMETA_GOOD;
				}
				worse += spare_compare(&spare, &disk, SPARE_NEW, true,
						       &problem) >= 0 && !there;
				judgement = judge(&disk, &source);
				restore = own_restore(&source);
				bad += !judgement.unchanged ||
				       rmeta_restore_own(&disk_ops, &disk, &restore, &judgement) ||
				       differences(&spare, &disk);
				cuts++;
			}
	}
	ok(!worse, "cut on its own spare: a lost page is there, or there is no load");
	ok(!bad, "cut on its own spare: a second run brings all of it back (%u cuts)", cuts);
	disk_exit(&disk);
	spare_free(&spare);
}

static void without_super(void)
{
	struct spare spare;
	struct source source;
	struct rmeta_restore restore;
	struct rmeta_judgement judgement;
	struct rmeta_superblock sb;
	const char *problem;
	u64 random = 1;
	unsigned int copy;

	spare_make(&spare, &params);
	source = source_of(&spare);
	for (copy = 0; copy < RMETA_COPIES; copy++)
		spare_damage(&spare, &spare.disk, SPARE_SUPER, copy, DAMAGE_ZERO, &random);
	spare_damage(&spare, &spare.disk, 1, 4, DAMAGE_ZERO, &random);
	judgement = judge(&spare.disk, &source);
	ok(judgement.is_own && !judgement.has_super && !judgement.unchanged &&
	   judgement.pages[RMETA_MATCH_SAME] == spare.nr_pages,
	   "no superblock: its own by its pages, all of them the same");
	restore = own_restore(&source);
	is(rmeta_restore_own(&disk_ops, &spare.disk, &restore, &judgement), 0, "it gets one");
	is(spare_compare(&spare, &spare.disk, SPARE_NEW, true, &problem), 0, "and loads");
	rmeta_superblock_decode(disk_at(&spare.disk, 0), 0, &sb);
	ok(sb.activations == 4 && sb.sequence == rmeta_sequence(4, 1), "under a new activation");
	is(sb.state, RMETA_IN_USE, "which does not claim that it was released, or main's prints");
	is(strcmp(sb.label, spare.sb[SPARE_NEW].label), 0, "with the table's label");
	judgement = judge(&spare.disk, &source);
	ok(!judgement.damaged, "the bad copy of a page was rewritten, too");
	spare_free(&spare);
}

/* What must not pass for the spare of a table, or for one that nobody changed. */
static void judged(void)
{
	struct spare spare, other;
	struct spare_params params_other = params;
	struct source source;
	struct rmeta_judgement judgement;
	struct disk disk;
	u64 random = 1;
	unsigned int copy;

	spare_make(&spare, &params);
	source = source_of(&spare);
	disk_init(&disk, params.spare_sectors);
	judgement = judge(&disk, &source);
	ok(!judgement.is_own, "a blank device is not it");
	params_other.seed = 2;
	spare_make(&other, &params_other);
	judgement = judge(&other.disk, &source);
	ok(!judgement.is_own && !judgement.unchanged, "nor is another spare");
	spare_image(&spare, SPARE_SUPER, 1, SPARE_NEW, disk_at(&other.disk, 1024));
	judgement = judge(&other.disk, &source);
	ok(!judgement.is_own, "nor one with a superblock of it among others");
	spare_free(&other);
	params_other = params;
	params_other.main_sectors--;
	spare_make(&other, &params_other);
	judgement = judge(&other.disk, &source);
	ok(!judgement.is_own, "nor one for a main of another length");
	for (copy = 0; copy < RMETA_COPIES; copy++)
		spare_damage(&other, &other.disk, SPARE_SUPER, copy, DAMAGE_ZERO, &random);
	judgement = judge(&other.disk, &source);
	ok(!judgement.is_own, "also when only its pages say so");
	spare_free(&other);

	for (copy = 0; copy < RMETA_COPIES; copy++)
		spare_damage(&spare, &spare.disk, SPARE_SUPER, copy, DAMAGE_OLD, &random);
	judgement = judge(&spare.disk, &source);
	ok(judgement.is_own && !judgement.unchanged, "an older superblock proves nothing");
	spare.sb[SPARE_OLD] = spare.sb[SPARE_NEW];
	spare.sb[SPARE_OLD].sequence++;
	for (copy = 0; copy < RMETA_COPIES; copy++)
		spare_damage(&spare, &spare.disk, SPARE_SUPER, copy, DAMAGE_OLD, &random);
	judgement = judge(&spare.disk, &source);
	ok(judgement.is_own && !judgement.unchanged, "nor does a newer one");
	spare.sb[SPARE_OLD] = spare.sb[SPARE_NEW];
	spare.sb[SPARE_OLD].state |= RMETA_IN_USE;
	for (copy = 0; copy < RMETA_COPIES; copy++)
		spare_damage(&spare, &spare.disk, SPARE_SUPER, copy, DAMAGE_OLD, &random);
	judgement = judge(&spare.disk, &source);
	ok(judgement.is_own && !judgement.unchanged, "nor does one that is in use");
	spare.sb[SPARE_OLD] = spare.sb[SPARE_NEW];
	spare.sequence[SPARE_OLD][1] = rmeta_sequence(4, 1);
	spare_damage(&spare, &spare.disk, SPARE_SUPER, 2, DAMAGE_OLD, &random);
	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (copy != 2)
			spare_damage(&spare, &spare.disk, SPARE_SUPER, copy, DAMAGE_ZERO, &random);
	judgement = judge(&spare.disk, &source);
	ok(judgement.unchanged, "one superblock is enough");
	spare_damage(&spare, &spare.disk, 1, 3, DAMAGE_OLD, &random);
	judgement = judge(&spare.disk, &source);
	ok(judgement.is_own && !judgement.unchanged,
	   "but not beside a page of a later activation");
	disk_exit(&disk);
	spare_free(&spare);
}

/* A table that does not reach as far as the pages of the spare. */
static void behind(void)
{
	struct spare_params larger = params;
	struct spare spare;
	struct source source;
	struct rmeta_judgement judgement;

	larger.spare_sectors = 1400000;
	larger.groups = 2;
	larger.fill = 20000;
	spare_make(&spare, &larger);
	source = source_of(&spare);
	judgement = judge(&spare.disk, &source);
	ok(judgement.unchanged && !judgement.behind, "two groups, both in the table");
	spare.sb[SPARE_NEW].pages_used = RMETA_GROUP_PAGES;
	judgement = judge(&spare.disk, &source);
	ok(judgement.behind && !judgement.unchanged, "entries behind the table are a change");
	spare_free(&spare);
}

int main(void)
{
	onto_new();
	bad_copies();
	cuts_new();
	onto_own();
	cuts_own();
	without_super();
	judged();
	behind();
	return done();
}
