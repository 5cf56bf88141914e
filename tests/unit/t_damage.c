// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the check survives, counted: every way to destroy one to four of five copies, all
 * superblocks gone, random damage, and power that goes during the repair. In memory, with
 * fixed seeds; DAMAGE_ROUNDS in the environment makes the random part longer.
 */
#include "tap.h"
#include "spare.h"

static const struct spare_params small = {
	.spare_sectors = 16384, .main_sectors = 2000003, .block_shift = 3, .groups = 1,
	.fill = 500, .seed = 1,
};
static const struct spare_params sectors = {
	.spare_sectors = 16400, .main_sectors = 400000, .block_shift = 0, .groups = 1,
	.fill = 3000, .seed = 2,
};
static const struct spare_params groups = {
	.spare_sectors = 300000, .main_sectors = 50000007, .block_shift = 3, .groups = 2,
	.fill = 20000, .seed = 3,
};
static const struct spare_params large_blocks = {
	.spare_sectors = 140000, .main_sectors = 9999999, .block_shift = 4, .groups = 1,
	.fill = 1000, .seed = 4,
};

/* Under a sanitizer everything takes several times as long and is done less often. */
#ifdef __SANITIZE_ADDRESS__
#define ROUNDS 600
#define WAYS_STEP 7	/* every so many of the 30 ways */
#else
#define ROUNDS 3000
#define WAYS_STEP 1
#endif

/* What a series of damages and repairs came to. */
struct tally {
	u32 cases;
	u32 problems;
	u32 failures;
};

/* The first few failures are worth a line each. */
static void fail(struct tally *tally, const char *what, const struct run *run, long detail)
{
	if (tally->failures++ < 5)
		note("case %u: %s (result %d, found %u, fixed %u, detail %ld)", tally->cases, what,
		     run->result, run->check.found, run->check.fixed, detail);
}

/* Repair @disk, and see to it that all entries are back and that a second run is clean. */
static bool repair(struct tally *tally, const struct spare *spare, struct disk *disk,
		   enum answer answer)
{
	const char *problem;
	struct run run = { 0 };
	long different;

	tally->cases++;
	run_check(&run, disk, answer);
	tally->problems += run.check.found;
	if (run.result || run.check.found != run.check.fixed) {
		fail(tally, "not repaired", &run, 0);
		return false;
	}
	run_check(&run, disk, ANSWER_YES);
	if (run.result || run.check.found) {
		fail(tally, "second run is not clean", &run, 0);
		return false;
	}
	different = spare_compare(spare, disk, SPARE_NEW, true, &problem);
	if (different) {
		fail(tally, problem ? problem : "entries differ", &run, different);
		return false;
	}
	return true;
}


static void damage_copies(const struct spare *spare, struct disk *disk, u32 object, u8 copies,
			  enum damage damage, u64 *random)
{
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (copies & BIT(copy))
			spare_damage(spare, disk, object, copy, damage, random);
}

/*
 * One to four of five copies: the 30 subsets, of each object alone, and of all at once.
 */

static void thirty_ways(const struct spare_params *params, const char *name, u32 max_pages)
{
	u32 first_object = 0, object, page;
	struct tally tally;
	enum damage damage;
	struct spare spare;
	struct disk disk;
	u64 random = 7;
	u8 copies;

	spare_make(&spare, params);
	disk_init(&disk, params->spare_sectors);
	for (damage = 0; damage < NR_DAMAGES; damage++) {
		memset(&tally, 0, sizeof(tally));
		for (copies = 1; copies < RMETA_ALL_COPIES; copies += WAYS_STEP) {
			/* Each object by itself: the superblock is the one after the last page. */
			for (object = first_object; object <= min(spare.nr_pages, max_pages);
			     object++) {
				disk_copy(&disk, &spare.disk);
				damage_copies(&spare, &disk, object == min(spare.nr_pages, max_pages) ?
					      SPARE_SUPER : object, copies, damage, &random);
				repair(&tally, &spare, &disk, ANSWER_PREEN);
			}
			/* All of them at once, one subset for all, then one for each. */
			disk_copy(&disk, &spare.disk);
			damage_copies(&spare, &disk, SPARE_SUPER, copies, damage, &random);
			for (page = 0; page < spare.nr_pages; page++)
				damage_copies(&spare, &disk, page, copies, damage, &random);
			repair(&tally, &spare, &disk, ANSWER_PREEN);
			disk_copy(&disk, &spare.disk);
			damage_copies(&spare, &disk, SPARE_SUPER, copies, damage, &random);
			for (page = 0; page < spare.nr_pages; page++)
				damage_copies(&spare, &disk, page,
					      (u8)(1 + disk_random(&random) % 30), damage, &random);
			repair(&tally, &spare, &disk, ANSWER_PREEN);
		}
		ok(!tally.failures,
		   "%s, %u pages: %u ways of %s: %u cases, %u problems preened, all entries back, second run clean",
		   name, spare.nr_pages, DIV_ROUND_UP(30, WAYS_STEP), damage_names[damage],
		   tally.cases, tally.problems);
	}
	disk_exit(&disk);
	spare_free(&spare);
}

/*
 * All superblocks gone, and up to four of five copies of pages with them
 */

static void all_superblocks_gone(const struct spare_params *params, const char *name)
{
	struct tally tally = { 0 };
	struct disk disk, before;
	enum damage damage, super;
	u32 page, preened = 0;
	struct spare spare;
	struct run run = { 0 };
	u64 random = 11;
	u8 copies;

	spare_make(&spare, params);
	disk_init(&disk, params->spare_sectors);
	disk_init(&before, params->spare_sectors);
	for (damage = 0; damage < NR_DAMAGES; damage++)
		for (copies = 0; copies < RMETA_ALL_COPIES; copies += WAYS_STEP) {
			static const enum damage supers[] = {
				DAMAGE_ZERO, DAMAGE_NOISE, DAMAGE_FLIP, DAMAGE_UNREADABLE
			};

			super = supers[disk_random(&random) % ARRAY_SIZE(supers)];
			disk_copy(&disk, &spare.disk);
			damage_copies(&spare, &disk, SPARE_SUPER, RMETA_ALL_COPIES, super, &random);
			for (page = 0; page < spare.nr_pages; page++)
				damage_copies(&spare, &disk, page, copies, damage, &random);
			disk_copy(&before, &disk);
			run_check(&run, &disk, ANSWER_PREEN);
			preened += !disk_same(&disk, &before) || run.check.fixed;
			repair(&tally, &spare, &disk, ANSWER_YES);
		}
	ok(!tally.failures,
	   "%s: no superblock, and 0 to 4 copies of every page damaged: %u cases, %u problems repaired, all entries back, second run clean",
	   name, tally.cases, tally.problems);
	is(preened, 0, "%s: preening writes nothing where no superblock is left", name);
	disk_exit(&before);
	disk_exit(&disk);
	spare_free(&spare);
}

/*
 * Random damage: never worse
 */

/* What whole copies of a page say that slots hold, before a repair. */
struct claims {
	block_t block[RMETA_COPIES];
	bool valid[RMETA_COPIES];
};

static struct claims *note_claims(const struct spare *spare, struct disk *disk)
{
	struct claims *claims = calloc((size_t)spare->nr_pages * RMETA_PAGE_ENTRIES,
				       sizeof(*claims));
	struct rmeta_page_header header;
	struct rmeta_entry entry;
	unsigned int copy, nr;
	u32 page;

	for (page = 0; page < spare->nr_pages; page++)
		for (copy = 0; copy < RMETA_COPIES; copy++) {
			const u8 *raw = disk_at(disk, spare_sector(spare, page, copy));

			if (rmeta_page_decode(raw, NULL, page, (u8)copy, &header) != RMETA_GOOD)
				continue;
			for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++) {
				struct claims *c = &claims[page * RMETA_PAGE_ENTRIES + nr];

				rmeta_page_entry(raw, nr, &entry);
				c->valid[copy] = entry.state == RMETA_MAPPED ||
						 entry.state == RMETA_LOST;
				c->block[copy] = rmeta_where_block(entry.where);
			}
		}
	return claims;
}

/* Claims on the repaired disk that no whole copy had before. */
static u32 count_invented(const struct spare *spare, struct disk *disk,
			  const struct claims *claims)
{
	struct rmeta_page_header header;
	struct rmeta_entry entry;
	unsigned int copy, nr, other;
	u32 page, invented = 0;

	for (page = 0; page < spare->nr_pages; page++)
		for (copy = 0; copy < RMETA_COPIES; copy++) {
			const u8 *raw = disk_at(disk, spare_sector(spare, page, copy));

			if (rmeta_page_decode(raw, NULL, page, (u8)copy, &header) != RMETA_GOOD)
				continue;
			for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++) {
				const struct claims *c = &claims[page * RMETA_PAGE_ENTRIES + nr];
				bool known = false;

				rmeta_page_entry(raw, nr, &entry);
				if (entry.state != RMETA_MAPPED && entry.state != RMETA_LOST)
					continue;
				for (other = 0; other < RMETA_COPIES; other++)
					known |= c->valid[other] &&
						 c->block[other] == rmeta_where_block(entry.where);
				invented += !known;
			}
		}
	return invented;
}

/* One byte or bit changed, under a checksum that is right. */
static void poke(const struct spare *spare, struct disk *disk, u32 object, u8 copies, u64 *random)
{
	unsigned int at = (unsigned int)(disk_random(random) % (object == SPARE_SUPER ? 160 : 4096));
	u8 bits = disk_random(random) % 2 ? (u8)disk_random(random) :
		  (u8)(1 << disk_random(random) % 8);
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		u8 *raw = disk_at(disk, spare_sector(spare, object, copy));

		if (!(copies & BIT(copy)))
			continue;
		raw[at] ^= bits;
		if (object == SPARE_SUPER)
			rmeta_superblock_set_copy(raw, (u8)copy);
		else
			rmeta_page_set_copy(raw, (u8)copy);
	}
}

static void damage_at_random(const struct spare *spare, struct disk *disk, u64 *random)
{
	unsigned int hits = 1 + (unsigned int)(disk_random(random) % 6);
	u8 copies;
	u32 object;

	while (hits--) {
		object = (u32)(disk_random(random) % (spare->nr_pages + 2));
		if (object >= spare->nr_pages)
			object = SPARE_SUPER;
		copies = disk_random(random) % 3 ? (u8)(disk_random(random) % 32) : RMETA_ALL_COPIES;
		if (disk_random(random) % 2)
			poke(spare, disk, object, copies, random);
		else
			damage_copies(spare, disk, object, copies,
				      (enum damage)(disk_random(random) % NR_DAMAGES), random);
	}
}

/* Some copies cannot be written for now. */
static void break_writes_at_random(const struct spare *spare, struct disk *disk, u64 *random)
{
	unsigned int copy;
	u32 page;

	for (page = 0; page <= spare->nr_pages; page++)
		for (copy = 0; copy < RMETA_COPIES; copy++)
			if (!(disk_random(random) % 6))
				disk_break_writes(disk, spare_sector(spare, page < spare->nr_pages ?
								     page : SPARE_SUPER, copy));
}

static bool report_only(const struct run *run)
{
	unsigned int row;

	for (row = 0; row < RMETA_NR_PROBLEMS; row++)
		if (run->problems[row] && (rmeta_problem_types[row].flags & RMETA_NO_REPAIR))
			return true;
	return false;
}

static void never_worse(const struct spare_params *params, const char *name, u32 rounds)
{
	u32 round, changed = 0, invented = 0, unclean = 0, refused = 0, loads = 0, lies = 0;
	struct disk disk, before;
	struct spare spare;
	u64 random = 13;

	spare_make(&spare, params);
	disk_init(&disk, params->spare_sectors);
	disk_init(&before, params->spare_sectors);
	for (round = 0; round < rounds; round++) {
		struct run run = { 0 }, preen = { 0 };
		struct claims *claims;
		const char *problem;

		disk_copy(&disk, &spare.disk);
		damage_at_random(&spare, &disk, &random);
		disk_copy(&before, &disk);
		claims = note_claims(&spare, &disk);
		run_check(&run, &disk, ANSWER_DRY);
		changed += !disk_same(&disk, &before) || disk.writes || run.check.written;
		if (round % 4 == 3)
			break_writes_at_random(&spare, &disk, &random);
		run_check(&preen, &disk, ANSWER_PREEN);
		invented += count_invented(&spare, &disk, claims);
		if (round % 4 == 3) {
			run_check(&run, &disk, ANSWER_YES);
			invented += count_invented(&spare, &disk, claims);
			memset(disk.unwritable, 0, disk.max_blocks);
		}
		run_check(&run, &disk, ANSWER_YES);
		invented += count_invented(&spare, &disk, claims);
		free(claims);
		if (run.result == -ENODATA || report_only(&run)) {
			refused++;
			continue;
		}
		lies += run.check.found != run.check.fixed;
		run_check(&run, &disk, ANSWER_YES);
		if (run.result || run.check.found) {
			run.log = unclean++ < 3;
			if (run.log)
				note("round %u: second run: result %d, found %u", round, run.result,
				     run.check.found);
			run_check(&run, &disk, ANSWER_DRY);
		}
		if (spare_compare(&spare, &disk, SPARE_NEW, false, &problem) < 0 && loads++ < 3)
			note("round %u: does not load: %s", round, problem);
	}
	is(changed, 0, "%s: %u rounds of random damage, every fourth on copies that fail to be written: a run without leave to write changes no byte",
	   name, rounds);
	is(invented, 0, "%s: no repair maps a block to a slot that no whole copy mapped", name);
	is(lies + unclean, 0, "%s: all is repaired and a second run is clean, but for %u rounds that can only be reported",
	   name, refused);
	is(loads, 0, "%s: what was repaired loads read-write", name);
	disk_exit(&before);
	disk_exit(&disk);
	spare_free(&spare);
}

/*
 * Power goes during the repair
 */

static void prepare_cut(const struct spare *spare, struct disk *disk, unsigned int scenario,
			u64 *random)
{
	u32 page;
	u8 *raw;

	switch (scenario) {
	case 0:		/* one whole copy of everything */
		for (page = 0; page < spare->nr_pages; page++)
			damage_copies(spare, disk, page,
				      RMETA_ALL_COPIES & ~BIT(disk_random(random) % 5),
				      (enum damage)(disk_random(random) % NR_DAMAGES), random);
		damage_copies(spare, disk, SPARE_SUPER,
			      RMETA_ALL_COPIES & ~BIT(disk_random(random) % 5),
			      (enum damage)(disk_random(random) % NR_DAMAGES), random);
		break;
	case 1:		/* no superblock, some of the pages */
		damage_copies(spare, disk, SPARE_SUPER, RMETA_ALL_COPIES, DAMAGE_ZERO, random);
		for (page = 0; page < spare->nr_pages; page++)
			damage_copies(spare, disk, page, (u8)(disk_random(random) % 31),
				      (enum damage)(disk_random(random) % NR_DAMAGES), random);
		break;
	case 2:		/* stale and unreadable: everything is committed again */
		for (page = 0; page < spare->nr_pages; page++) {
			spare_damage(spare, disk, page, page % 5, DAMAGE_UNREADABLE, random);
			spare_damage(spare, disk, page, (page + 2) % 5, DAMAGE_OLD, random);
		}
		spare_damage(spare, disk, SPARE_SUPER, 0, DAMAGE_UNREADABLE, random);
		spare_damage(spare, disk, SPARE_SUPER, 4, DAMAGE_OLD, random);
		break;
	case 3:		/* a field that needs a commit of every page: the reserved byte */
		for (page = 0; page < spare->nr_pages; page++) {
			unsigned int copy;

			for (copy = 0; copy < RMETA_COPIES; copy++) {
				raw = disk_at(disk, spare_sector(spare, page, copy));
				raw[48 + 15] ^= raw[48 + 12] ? 0x80 : 0;
				rmeta_page_set_copy(raw, (u8)copy);
			}
		}
		spare_damage(spare, disk, 0, 1, DAMAGE_NOISE, random);
		break;
	}
}

static void cut_repairs(const struct spare_params *params, const char *name)
{
	static const char *const scenarios[] = {
		"one whole copy of everything", "no superblock", "stale and unreadable copies",
		"changed entries"
	};
	struct disk disk, damaged;
	struct spare spare;
	unsigned int scenario, seed;
	u64 random = 17, step;

	spare_make(&spare, params);
	disk_init(&disk, params->spare_sectors);
	disk_init(&damaged, params->spare_sectors);
	for (scenario = 0; scenario < ARRAY_SIZE(scenarios); scenario++) {
		struct tally tally = { 0 };
		struct run run = { 0 };
		const char *problem;
		u64 steps;

		disk_copy(&damaged, &spare.disk);
		prepare_cut(&spare, &damaged, scenario, &random);
		disk_copy(&disk, &damaged);
		repair(&tally, &spare, &disk, ANSWER_YES);
		steps = disk.steps;
		for (step = 1; step <= steps; step++)
			for (seed = 0; seed < 8; seed++) {
				disk_copy(&disk, &damaged);
				disk.random = step * 64 + seed;
				disk.fatal_step = step;
				run_check(&run, &disk, ANSWER_YES);
				disk_revive(&disk);
				/*
				 * A load in between: it may refuse, but must not show
				 * anything else.
				 */
				if (seed >= 6 &&
				    spare_compare(&spare, &disk, SPARE_NEW, true, &problem) > 0)
					fail(&tally, "a load shows something else", &run, (long)step);
				/* Twice cut, now and then, at another step. */
				if (seed & 1) {
					disk.steps = 0;
					disk.fatal_step = 1 + disk_random(&random) % steps;
					run_check(&run, &disk, ANSWER_YES);
					disk_revive(&disk);
				}
				repair(&tally, &spare, &disk, ANSWER_YES);
			}
		ok(!tally.failures, "%s: %s: repair cut at each of %u steps, %u times in all: the next run finishes it",
		   name, scenarios[scenario], (unsigned int)steps, tally.cases - 1);
	}
	disk_exit(&damaged);
	disk_exit(&disk);
	spare_free(&spare);
}

int main(void)
{
	const char *rounds_text = getenv("DAMAGE_ROUNDS");
	u32 rounds = rounds_text ? (u32)strtoul(rounds_text, NULL, 10) : ROUNDS;

	thirty_ways(&small, "8 MiB", 3);
	thirty_ways(&sectors, "blocks of one sector", 21);
	thirty_ways(&groups, "two groups", 2);
	all_superblocks_gone(&small, "8 MiB");
	all_superblocks_gone(&sectors, "blocks of one sector");
	all_superblocks_gone(&groups, "two groups");
	all_superblocks_gone(&large_blocks, "blocks of 8 KiB");
	never_worse(&small, "8 MiB", rounds);
	never_worse(&sectors, "blocks of one sector", rounds / 3);
	cut_repairs(&small, "8 MiB");
	cut_repairs(&sectors, "blocks of one sector");
	return done();
}
