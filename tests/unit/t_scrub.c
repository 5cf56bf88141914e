// SPDX-License-Identifier: GPL-2.0-only
/*
 * scrub.c: bad copies are found and brought back while the table is live, and what may be
 * somebody else's, or cannot be judged, is left alone. Crashes are the simulator's business.
 */
#include "tap.h"
#include "memdisk.h"

#define MAIN_SECTORS (1ULL << 21)

static struct memdisk disk;
static struct rmeta_table table;
static struct rmeta_load load;

static void start(u64 mib)
{
	memdisk_init(&disk, mib);
	is(memdisk_format(&disk, MAIN_SECTORS, 3), 0, "format %" PRIu64 " MiB", mib);
	is(memdisk_load(&disk, &table, &load), 0, "load");
}

static void stop(void)
{
	rmeta_table_exit(&table);
	memdisk_exit(&disk);
}

static int map(block_t block)
{
	struct rmeta_change change;
	slot_t slot;

	if (rmeta_table_reserve(&table, &slot))
		return -ENOSPC;
	rmeta_change_claim(&table, &change, slot, block, 0, RMETA_REASON_WRITE);
	return rmeta_table_apply(&table, &change, 1);
}

static int scrub(struct rmeta_scrub *found)
{
	int r;

	memset(found, 0, sizeof(*found));
	r = rmeta_table_scrub_super(&table, found);
	return r ? r : rmeta_table_scrub_pages(&table, 0, table.sb.pages_used, found);
}

static u8 *page_bytes(unsigned int copy, u32 page)
{
	return disk.data + rmeta_page_sector(&table.store.geo, copy, page) * 512;
}

static u8 *super_bytes(unsigned int copy)
{
	return disk.data + rmeta_superblock_sector(copy) * 512;
}

/* Superblock and zone of one copy. */
static void kill_copy(unsigned int copy, bool reads, bool writes)
{
	memdisk_fault(&disk, rmeta_superblock_sector(copy), 8, reads, writes);
	memdisk_fault(&disk, rmeta_page_sector(&table.store.geo, copy, 0),
		      table.store.geo.table_pages * 8, reads, writes);
}

/* After any of the below: nothing is missing, here and after a load. */
static void all_is_well(u32 mapped)
{
	struct rmeta_scrub found;

	is(rmeta_table_live_copies(&table), 5, "all copies are live");
	disk.writes = 0;
	is(scrub(&found), 0, "scrub again");
	is(found.bad, 0, "nothing to do");
	is(disk.writes, 0, "nothing written");
	rmeta_table_exit(&table);
	is(memdisk_load(&disk, &table, &load), 0, "load again");
	is(load.repaired, 0, "nothing to repair");
	is(table.counts.mapped, mapped, "%u remaps", mapped);
}

static void test_clean(void)
{
	struct rmeta_scrub found;

	start(64);
	is(map(7), 0, "a remap");
	disk.reads = 0;
	is(scrub(&found), 0, "scrub");
	is(found.pages, table.sb.pages_used, "every page in use is looked at");
	is(found.bad, 0, "none is bad");
	ok(disk.reads <= 5 + 5 * 32, "read in %llu requests, %u pages at a time",
	   (unsigned long long)disk.reads, load.batch);
	all_is_well(1);
	stop();
}

static void test_rot(void)
{
	struct rmeta_scrub found;

	start(8);
	is(map(7), 0, "a remap");
	page_bytes(1, 0)[100] ^= 1;
	page_bytes(4, 0)[4000] ^= 1;
	super_bytes(2)[50] ^= 1;
	is(rmeta_table_live_copies(&table), 5, "bits flip, and nobody notices");
	is(scrub(&found), 0, "scrub");
	is(found.bad, 3, "three bad copies");
	is(found.repaired, 3, "repaired");
	is(found.dead, 0, "none is left");
	ok(!table.needs_check, "no check is due");
	all_is_well(1);

	memset(page_bytes(0, 0), 0, RMETA_BYTES);
	memset(page_bytes(1, 0), 0x55, RMETA_BYTES);
	memset(page_bytes(2, 0), 0, RMETA_BYTES);
	memset(page_bytes(3, 0), 0xaa, RMETA_BYTES);
	memset(page_bytes(4, 0), 0, RMETA_BYTES);
	is(scrub(&found), 0, "no copy of a page is left on the spare");
	is(found.repaired, 5, "five copies are written from memory");
	all_is_well(1);

	memset(disk.data, 0, RMETA_ZONE_START * 512);
	is(scrub(&found), 0, "no superblock is left");
	is(found.repaired, 5, "five are written from memory");
	all_is_well(1);
	stop();
}

/* What was in a copy when its writes began to be lost without a word. */
static void test_lost_write(void)
{
	static u8 old[RMETA_BYTES];
	struct rmeta_scrub found;

	start(8);
	is(map(7), 0, "a remap");
	memcpy(old, page_bytes(3, 0), RMETA_BYTES);
	is(map(8), 0, "another");
	memcpy(page_bytes(3, 0), old, RMETA_BYTES);
	is(scrub(&found), 0, "a copy is old: its last write was lost");
	is(found.repaired, 1, "repaired");
	all_is_well(2);
	stop();
}

static void test_dead_and_back(void)
{
	struct rmeta_scrub found;
	unsigned int nr, copy;

	for (nr = 1; nr <= 3; nr++) {
		start(8);
		is(map(7), 0, "a remap");
		for (copy = 0; copy < nr; copy++)
			kill_copy((copy * 2 + 1) % RMETA_COPIES, true, true);
		is(map(8), 0, "%u copies die; a remap", nr);
		is(scrub(&found), 0, "scrub while they are dead");
		is(found.repaired, 0, "brings none back");
		is(rmeta_table_live_copies(&table), 5 - nr, "%u are live", 5 - nr);
		is(map(9), 0, "a remap");
		memdisk_heal(&disk);
		is(scrub(&found), 0, "they are back: scrub");
		is(found.repaired, nr * (1 + table.sb.pages_used), "of every page and the superblock");
		ok(!table.needs_check, "no check is due");
		all_is_well(3);
		stop();
	}
}

static void test_page_without_changes(void)
{
	struct rmeta_scrub found;
	unsigned int copy;

	start(8);
	is(map(7), 0, "a remap");
	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (copy != 2)
			memdisk_fault(&disk, rmeta_page_sector(&table.store.geo, copy, 0), 8, true,
				      true);
	is(map(8), -EIO, "four copies of a page die in a change");
	is(table.page_live[0], 1 << 2, "one is live, and what it holds is that change");
	memdisk_heal(&disk);
	is(scrub(&found), 0, "they are back: scrub");
	is(rmeta_table_live_copies(&table), 5, "all copies are live");
	ok(table.needs_check, "a check is still due");
	is(table.counts.mapped, 1, "the change has failed");
	is(map(9), 0, "and the page takes others");
	rmeta_table_exit(&table);
	is(memdisk_load(&disk, &table, &load), 0, "load");
	is(table.counts.mapped, 2, "two remaps");
	is(rmeta_index_lookup(&table.index, 8), RMETA_NO_SLOT, "the one that failed is not there");
	stop();
}

/* The search for free slots has gone on to the next page, past more of it than the first has used. */
static void test_page_with_slots_again(void)
{
	struct rmeta_scrub found;
	unsigned int copy, i;
	bool in_page = true;
	slot_t slot;
	u8 ready;

	start(64);
	is(map(7), 0, "a remap");
	for (copy = 1; copy < RMETA_COPIES; copy++)
		memdisk_fault(&disk, rmeta_page_sector(&table.store.geo, copy, 0), 8, true, true);
	is(map(8), -EIO, "four copies of a page die in a change");
	ready = table.page_free[0];
	ok(ready > 200, "%u of its slots are free", ready);
	for (i = 0; i < 200; i++)
		if (rmeta_table_reserve(&table, &slot) || slot / RMETA_PAGE_ENTRIES != 1)
			break;
	is(i, 200, "slots come from the next page");
	memdisk_heal(&disk);
	is(scrub(&found), 0, "the copies are back: scrub");
	for (i = 0; i < ready; i++)
		if (rmeta_table_reserve(&table, &slot) || slot / RMETA_PAGE_ENTRIES != 0)
			in_page = false;
	ok(in_page, "the free slots of the page come first");
	is(table.page_free[0], 0, "all of them");
	is(rmeta_table_reserve(&table, &slot), 0, "one more");
	is(slot, RMETA_PAGE_ENTRIES + 200, "is where the next page was left");
	stop();
}

static void test_left_alone(void)
{
	struct rmeta_superblock sb;
	struct rmeta_scrub found;
	unsigned int copy;
	u8 *raw;

	start(8);
	is(map(7), 0, "a remap");
	memdisk_fault(&disk, 0, disk.sectors, true, true);
	is(scrub(&found), -EIO, "the spare is away");
	is(rmeta_table_live_copies(&table), 5, "nothing is concluded from that");
	memdisk_heal(&disk);
	is(scrub(&found), 0, "it is back");
	is(found.bad, 0, "as it was");

	/* Another host activates it. */
	disk.writes = 0;
	raw = super_bytes(4);
	rmeta_superblock_decode(raw, 4, &sb);
	sb.sequence = rmeta_sequence(sb.activations + 1, 1);
	rmeta_superblock_encode(raw, &sb);
	rmeta_superblock_set_copy(raw, 4);
	is(scrub(&found), -EUCLEAN, "a superblock of a later activation");
	ok(found.foreign, "is somebody else's");
	ok(table.needs_check, "a check is due");
	rmeta_superblock_decode(raw, 4, &sb);
	is(sb.sequence >> RMETA_SEQUENCE_SHIFT, table.store.activations + 1ULL, "it is as it was");
	stop();

	start(8);
	is(map(7), 0, "a remap");
	rmeta_table_entry(&table, 0)->time ^= 1;
	disk.writes = 0;
	is(scrub(&found), -EUCLEAN, "memory and all copies of a page differ");
	is(found.page, 0, "in page 0");
	is(found.pages, table.sb.pages_used, "the others have been looked at");
	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (rmeta_page_decode(page_bytes(copy, 0), table.sb.uuid, 0, (u8)copy,
				      &(struct rmeta_page_header){ 0 }) != RMETA_GOOD)
			break;
	is(copy, RMETA_COPIES, "its copies are as they were");
	ok(table.needs_check, "a check is due");
	stop();

	start(8);
	rmeta_table_exit(&table);
	is(memdisk_load_read_only(&disk, &table, &load), 0, "a read-only load");
	is(scrub(&found), -EROFS, "is not scrubbed");
	stop();
}

int main(void)
{
	test_clean();
	test_rot();
	test_lost_write();
	test_dead_and_back();
	test_page_without_changes();
	test_page_with_slots_again();
	test_left_alone();
	return done();
}
