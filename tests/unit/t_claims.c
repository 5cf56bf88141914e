// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claims in any order: the check finds every block that has two slots and no other, whether blocks
 * ascend with slots, descend, or are all over main.
 */
#include "check.h"
#include "memdisk.h"
#include "tap.h"

#define SLOTS 1500		/* of 8 MiB with blocks of 1 KiB */
#define MAIN_SECTORS (1ULL << 40)

static u32 nr_equal, nr_older, nr_others;

static bool count_problem(void *ctx, const struct rmeta_problem *problem)
{
	if (problem->code == RMETA_P_CLAIM_EQUAL)
		nr_equal++;
	else if (problem->code == RMETA_P_CLAIM_OLDER)
		nr_older++;
	else
		nr_others++;
	return false;
}

static void check(struct memdisk *disk)
{
	static const struct rmeta_check_ops ops = { .fix = count_problem };
	struct rmeta_check run = { .device_sectors = disk->sectors, .ops = &ops };

	nr_equal = nr_older = nr_others = 0;
	is(rmeta_check_run(&memdisk_ops, disk, &run), 0, "the check runs");
}

/* The block that a slot of a page image of each copy stands in for. */
static void set_block(struct memdisk *disk, const struct rmeta_geometry *geo, slot_t slot,
		      block_t block, u8 generation)
{
	struct rmeta_entry entry;
	unsigned int copy;
	u8 *raw;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		raw = disk->data + rmeta_page_sector(geo, copy, slot / RMETA_PAGE_ENTRIES) * 512;
		rmeta_page_entry(raw, slot % RMETA_PAGE_ENTRIES, &entry);
		entry.where = rmeta_where(block, 0);
		entry.generation = generation;
		rmeta_page_set_entry(raw, slot % RMETA_PAGE_ENTRIES, &entry);
	}
}

/* A spare of which slot i stands in for block @block_of(i). */
static struct rmeta_geometry make(struct memdisk *disk, block_t (*block_of)(u32 nr))
{
	struct rmeta_table table;
	struct rmeta_geometry geo;
	struct rmeta_change change;
	struct rmeta_load load;
	slot_t slot;
	u32 nr;

	memdisk_init(disk, 8);
	if (memdisk_format(disk, MAIN_SECTORS, 1) || memdisk_load(disk, &table, &load))
		abort();
	for (nr = 0; nr < SLOTS; nr++) {
		if (rmeta_table_reserve(&table, &slot))
			abort();
		rmeta_change_claim(&table, &change, slot, block_of(nr), 0, RMETA_REASON_WRITE);
		if (slot != nr || rmeta_table_apply(&table, &change, 1))
			abort();
	}
	geo = table.store.geo;
	rmeta_table_release(&table);
	rmeta_table_exit(&table);
	return geo;
}

static block_t ascending(u32 nr)
{
	return 1000 + nr * 3ULL;
}

static block_t descending(u32 nr)
{
	return (1ULL << 38) - nr;
}

/* Odd multiples modulo a power of two: all over main, each once. */
static block_t scattered(u32 nr)
{
	return nr * 0x9e3779b97ULL & ((1ULL << 39) - 1);
}

static void test_order(const char *name, block_t (*block_of)(u32 nr))
{
	struct memdisk disk;
	struct rmeta_geometry geo = make(&disk, block_of);

	check(&disk);
	is(nr_equal + nr_older + nr_others, 0, "%s: clean", name);
	set_block(&disk, &geo, SLOTS - 1, block_of(0), 0);
	check(&disk);
	is(nr_equal, 1, "%s: the first block, again in the last slot", name);
	set_block(&disk, &geo, 700, block_of(699), 1);
	check(&disk);
	is(nr_equal, 1, "%s: that one still", name);
	is(nr_older, 1, "%s: and a neighbour with the next generation", name);
	set_block(&disk, &geo, 3, block_of(699), 2);
	check(&disk);
	is(nr_older, 2, "%s: and a third slot for that", name);
	is(nr_others, 0, "%s: nothing else", name);
	memdisk_exit(&disk);
}

int main(void)
{
	test_order("ascending", ascending);
	test_order("descending", descending);
	test_order("scattered", scattered);
	return done();
}
