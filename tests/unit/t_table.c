// SPDX-License-Identifier: GPL-2.0-only
/*
 * table.c, change.c, load.c, create.c: slots and entries as a host uses them, and what a load
 * accepts, repairs and refuses. Crashes are the simulator's business.
 */
#include "tap.h"
#include "memdisk.h"

#define MAIN_SECTORS ((1ULL << 21) + 3)		/* the last block has three sectors */
#define LAST_BLOCK (MAIN_SECTORS / 8)

static struct memdisk disk;
static struct rmeta_table table;
static struct rmeta_load load;

static void start(u64 mib)
{
	memdisk_init(&disk, mib);
	is(memdisk_format(&disk, MAIN_SECTORS, 3), 0, "format %" PRIu64 " MiB", mib);
	is(memdisk_load(&disk, &table, &load), 0, "load");
}

static void again(void)
{
	rmeta_table_exit(&table);
	is(memdisk_load(&disk, &table, &load), 0, "load again");
}

static void stop(void)
{
	rmeta_table_exit(&table);
	memdisk_exit(&disk);
}

static slot_t take(void)
{
	slot_t slot = RMETA_NO_SLOT;

	rmeta_table_reserve(&table, &slot);
	return slot;
}

static slot_t map(block_t block, u16 pending)
{
	struct rmeta_change change;
	slot_t slot = take();

	rmeta_change_claim(&table, &change, slot, block, pending, RMETA_REASON_WRITE);
	rmeta_table_apply(&table, &change, 1);
	return change.error ? RMETA_NO_SLOT : slot;
}

static int apply(struct rmeta_change *change)
{
	rmeta_table_apply(&table, change, 1);
	return change->error;
}

static u16 mask_of(slot_t slot)
{
	return rmeta_where_mask(rmeta_table_entry(&table, slot)->where);
}

static u64 page_sector(unsigned int copy, u32 page)
{
	return rmeta_page_sector(&table.store.geo, copy, page);
}

static void test_life_of_a_block(void)
{
	struct rmeta_change change;
	slot_t slot, moved;

	start(8);
	is(rmeta_slots(&table.store.geo), 750, "750 slots in 8 MiB");
	is(table.sb.pages_used, 3, "a first activation makes pages ready");
	is(rmeta_table_free_slots(&table), 750, "all are free");
	is(rmeta_table_ready(&table), 750, "and ready");

	slot = map(42, 0xf0);
	is(slot, 0, "first claim takes slot 0");
	is(rmeta_index_lookup(&table.index, 42), slot, "it is found");
	is(rmeta_index_lookup(&table.index, 43), RMETA_NO_SLOT, "its neighbour is not");
	is(table.counts.pending_sectors, 4, "pending sectors are counted");

	rmeta_change_mask(&table, &change, slot, 0x30);
	is(apply(&change), 0, "clear two bits");
	is(mask_of(slot), 0xc0, "two are left");
	again();
	is(mask_of(slot), 0xc0, "also after a load");
	is(table.counts.pending_sectors, 2, "and counted");

	moved = take();
	rmeta_change_move(&table, &change, slot, moved, 0, 0x01);
	is(apply(&change), 0, "move it, one sector lost");
	is(rmeta_index_lookup(&table.index, 42), moved, "the new slot is found while both claim");
	rmeta_change_retire(&table, &change, slot, 42);
	is(apply(&change), 0, "retire the old slot");
	is(rmeta_index_lookup(&table.index, 42), moved, "the new slot is found");
	is(rmeta_table_entry(&table, moved)->generation, 1, "of the next generation");
	is(rmeta_table_entry(&table, moved)->state, RMETA_LOST, "state lost");
	is(table.counts.retired, 1, "one slot is retired");
	is(table.counts.pending_sectors, 0, "a lost entry has no pending sectors");
	is(table.counts.lost_sectors, 3, "what was pending is lost with it");
	again();
	is(rmeta_index_lookup(&table.index, 42), moved, "all that after a load");
	is(load.retired_losers, 0, "with no loser to retire");
	is(table.counts.lost_sectors, 3, "and the same counts");

	rmeta_change_mask(&table, &change, moved, 0xff);
	is(apply(&change), 0, "write all of it");
	is(rmeta_table_entry(&table, moved)->state, RMETA_MAPPED, "lost becomes mapped");
	rmeta_change_free(&table, &change, moved);
	is(apply(&change), 0, "free it");
	is(rmeta_index_lookup(&table.index, 42), RMETA_NO_SLOT, "it is gone");
	is(rmeta_table_free_slots(&table), 749, "its slot is free, the retired one is not");
	again();
	is(rmeta_index_lookup(&table.index, 42), RMETA_NO_SLOT, "also after a load");
	is(rmeta_table_free_slots(&table), 749, "and the counts are the same");
	is(map(42, 0), moved, "a freed slot is used again");
	is(rmeta_table_entry(&table, moved)->generation, 0, "with generation 0");
	stop();
}

static void test_full(void)
{
	struct rmeta_change changes[750];
	unsigned int nr;
	slot_t slot;

	start(8);
	for (nr = 0; nr < 750; nr++)
		rmeta_change_claim(&table, &changes[nr], take(), nr * 3, 0,
				   RMETA_REASON_BADBLOCKS);
	is(rmeta_table_reserve(&table, &slot), -ENOSPC, "751st slot: none");
	is(rmeta_table_grow(&table), -ENOSPC, "and growing does not help");
	is(table.counts.reserved, 750, "reserved slots are counted");
	disk.batches = disk.most_in_batch = 0;
	is(rmeta_table_apply(&table, changes, 750), 0, "750 claims in one call");
	is(disk.batches, 2, "are committed in two steps");
	is(disk.most_in_batch, 9, "of at most three copies of three pages");
	is(rmeta_table_free_slots(&table), 0, "full");
	again();
	is(table.counts.mapped, 750, "all are there");
	for (nr = 0; nr < 750; nr++)
		if (rmeta_index_lookup(&table.index, nr * 3) == RMETA_NO_SLOT)
			break;
	is(nr, 750, "and found");
	stop();
}

static void test_unreserve(void)
{
	slot_t first, second;

	start(8);
	first = take();
	second = take();
	rmeta_table_unreserve(&table, first);
	is(take(), first, "a slot given back is given out again");
	rmeta_table_unreserve(&table, second);
	rmeta_table_unreserve(&table, first);
	is(table.counts.reserved, 0, "none is reserved");
	map(1, 0);
	again();
	is(rmeta_table_free_slots(&table), 749, "a promise does not survive a load");
	stop();
}

static void test_last_block(void)
{
	start(8);
	is(rmeta_block_mask(LAST_BLOCK, MAIN_SECTORS, 3), 0x07, "the last block has three sectors");
	ok(map(LAST_BLOCK, 0x07) != RMETA_NO_SLOT, "map it");
	again();
	is(table.counts.pending_sectors, 3, "three sectors are pending");
	stop();
}

static void test_growth(void)
{
	struct rmeta_change *changes = calloc(20000, sizeof(*changes));
	unsigned int nr;
	slot_t slot;
	int r;

	start(128);
	is(table.sb.pages_used, 64, "one group to begin with");
	for (nr = 0; nr < 20000; nr++) {
		r = rmeta_table_reserve(&table, &slot);
		if (r == -ENOSPC && !rmeta_table_grow(&table))
			r = rmeta_table_reserve(&table, &slot);
		if (r)
			break;
		rmeta_change_claim(&table, &changes[nr], slot, nr * 11, 0xff,
				   RMETA_REASON_BADBLOCKS);
	}
	is(nr, 20000, "20,000 slots");
	is(table.sb.pages_used, table.store.geo.table_pages, "the last group is a short one");
	is(rmeta_table_apply(&table, changes, nr), 0, "20,000 claims");
	is(disk.last_from, 8192, "buckets grew from");
	is(disk.last_to, 16384, "to");
	is(disk.last_count, 12289, "at the first count above 1.5 of them");
	again();
	is(table.counts.mapped, 20000, "all there after a load");
	is(load.recovered_pages, 0, "nothing behind pages_used");
	free(changes);
	stop();
}

/* Copies of page 0 die one after the other; what they hold last is what they keep. */
static void test_dying_copies(void)
{
	unsigned int copy;
	slot_t slot;

	start(8);
	map(1, 0);
	for (copy = 0; copy < 3; copy++) {
		memdisk_fault(&disk, page_sector(copy, 0), 8, true, true);
		ok(map(10 + copy, 0) != RMETA_NO_SLOT, "a claim with %u copies left", 4 - copy);
		is(rmeta_table_live_copies(&table), 4 - copy, "live copies");
	}
	ok(!table.needs_check, "no check is due yet");
	memdisk_fault(&disk, page_sector(3, 0), 8, true, true);
	is(map(20, 0), RMETA_NO_SLOT, "not with one copy left");
	ok(table.needs_check, "now a check is due");
	is(rmeta_index_lookup(&table.index, 20), RMETA_NO_SLOT, "the failed claim is not seen");
	ok(rmeta_index_lookup(&table.index, 12) != RMETA_NO_SLOT, "the others are");
	is(rmeta_table_reserve(&table, &slot), 0, "a page with enough copies gives slots");
	ok(slot >= RMETA_PAGE_ENTRIES, "  from behind the dying one");

	rmeta_table_exit(&table);
	is(memdisk_load_read_only(&disk, &table, &load), 0, "load from the last copy, read-only");
	ok(rmeta_index_lookup(&table.index, 12) != RMETA_NO_SLOT, "acknowledged claims are there");
	ok(table.needs_check, "and the need for a check too");
	memdisk_heal(&disk);
	again();
	ok(rmeta_index_lookup(&table.index, 12) != RMETA_NO_SLOT,
	   "old copies that come back do not win");
	is(rmeta_table_live_copies(&table), 5, "they are rewritten");
	stop();
}

static void test_dead_superblocks(void)
{
	unsigned int copy;

	start(8);
	map(7, 0);
	rmeta_table_release(&table);
	rmeta_table_exit(&table);
	for (copy = 0; copy < 3; copy++)
		memdisk_fault(&disk, rmeta_superblock_sector(copy), 8, true, true);
	is(memdisk_load(&disk, &table, &load), 0, "two superblocks are enough to write");
	is(rmeta_table_live_copies(&table), 2, "live copies");
	rmeta_table_exit(&table);
	memdisk_fault(&disk, rmeta_superblock_sector(3), 8, true, true);
	is(memdisk_load(&disk, &table, &load), -EROFS, "one is not");
	ok(load.problem, "%s", load.problem);
	is(memdisk_load_read_only(&disk, &table, &load), 0, "but enough to read");
	ok(rmeta_index_lookup(&table.index, 7) != RMETA_NO_SLOT, "what was mapped is mapped");
	rmeta_table_exit(&table);
	memdisk_fault(&disk, rmeta_superblock_sector(4), 8, true, true);
	is(memdisk_load(&disk, &table, &load), -EIO, "none at all: an I/O error");
	memdisk_exit(&disk);
}

static void test_refusals(void)
{
	u8 old_super[RMETA_BYTES];
	u64 writes;
	unsigned int copy;

	memdisk_init(&disk, 8);
	is(memdisk_load(&disk, &table, &load), -ENODATA, "blank");
	ok(strstr(load.problem, "blank"), "  %s", load.problem);
	memset(disk.data, 0x55, disk.sectors * 512);
	is(memdisk_load(&disk, &table, &load), -ENODATA, "something else");
	ok(!strstr(load.problem, "blank"), "  %s", load.problem);
	is(disk.writes, 0, "nothing was written to it");
	memset(disk.data, 0, disk.sectors * 512);
	is(memdisk_format(&disk, 0, 3), -EINVAL, "a main of no sectors");
	is(memdisk_format(&disk, MAIN_SECTORS, 5), -EINVAL, "a block of 32 sectors");
	is(memdisk_format(&disk, 1ULL << 52, 3), -EINVAL, "a main of 2^49 blocks");
	is(disk.writes, 0, "nothing was written for these");
	is(memdisk_format(&disk, MAIN_SECTORS, 3), 0, "format");

	memset(&load, 0, sizeof(load));
	load.device_sectors = disk.sectors;
	load.batch = 1;
	load.main_sectors = MAIN_SECTORS - 1;
	writes = disk.writes;
	is(rmeta_table_load(&table, &memdisk_ops, &disk, &load), -EINVAL, "main too short");
	load.main_sectors = 0;
	load.device_sectors = disk.sectors - 8;
	is(rmeta_table_load(&table, &memdisk_ops, &disk, &load), -EFBIG, "spare too short");
	is(disk.writes, writes, "nothing was written");

	/* another format over it, which cannot erase three superblocks */
	for (copy = 2; copy < RMETA_COPIES; copy++)
		memdisk_fault(&disk, rmeta_superblock_sector(copy), 8, false, true);
	is(memdisk_format(&disk, MAIN_SECTORS, 3), -EIO, "a format that fails half way");
	memdisk_heal(&disk);
	is(memdisk_load(&disk, &table, &load), 0, "leaves the old spare");
	rmeta_table_exit(&table);

	/* superblocks of two spares, by whatever means */
	memcpy(old_super, disk.data + 512 * rmeta_superblock_sector(2), sizeof(old_super));
	is(memdisk_format(&disk, MAIN_SECTORS, 3), 0, "another format");
	memcpy(disk.data + 512 * rmeta_superblock_sector(2), old_super, sizeof(old_super));
	is(memdisk_load(&disk, &table, &load), -EUCLEAN, "superblocks of two spares");
	ok(load.problem, "  %s", load.problem);
	is(memdisk_format(&disk, MAIN_SECTORS, 3), 0, "and can be done again");
	is(memdisk_load(&disk, &table, &load), 0, "then it loads");
	stop();
}

static void test_read_only_writes_nothing(void)
{
	u64 writes;

	start(8);
	map(3, 0);
	rmeta_table_exit(&table);
	memset(disk.data + rmeta_superblock_sector(1) * 512, 0, RMETA_BYTES);
	writes = disk.writes;
	is(memdisk_load_read_only(&disk, &table, &load), 0, "read-only over a damaged superblock");
	is(load.was_in_use, 1, "it knows that it was not released");
	is(map(4, 0), RMETA_NO_SLOT, "no change is possible");
	is(rmeta_table_release(&table), 0, "release is nothing to do");
	is(disk.writes, writes, "and nothing was written");
	stop();
}

/* A slot goes bad in a page that has one live copy left: the move works, the retirement not. */
static void test_move_out_of_a_dying_page(void)
{
	struct rmeta_change change;
	unsigned int copy;
	slot_t slot, to;

	start(8);
	slot = map(77, 0);
	for (copy = 0; copy < 4; copy++)
		memdisk_fault(&disk, page_sector(copy, 0), 8, true, true);
	is(map(78, 0), RMETA_NO_SLOT, "four copies of its page die");
	to = take();
	ok(to >= RMETA_PAGE_ENTRIES, "a slot of a good page");
	rmeta_change_move(&table, &change, slot, to, 0, 0);
	is(apply(&change), 0, "the new claim, in a good page");
	rmeta_change_retire(&table, &change, slot, 77);
	is(apply(&change), -EROFS, "the old slot's page takes no change");
	is(rmeta_index_lookup(&table.index, 77), to, "  the new one is found");
	is(table.counts.mapped, 1, "  and counted once");
	is(table.counts.retired, 1, "  and the old one as retired, as after a load");
	rmeta_change_free(&table, &change, to);
	is(apply(&change), -EROFS, "now nothing may be freed: the old claim would come back");
	again();
	is(load.retired_losers, 1, "a load knows the loser");
	is(rmeta_index_lookup(&table.index, 77), to, "  and the winner");
	ok(table.needs_check, "  and that a check is due");
	rmeta_change_free(&table, &change, to);
	is(apply(&change), -EROFS, "  and still frees nothing");
	memdisk_heal(&disk);
	again();
	is(load.retired_losers, 1, "with the copies back the loser is retired");
	again();
	is(load.retired_losers, 0, "  for good");
	rmeta_change_free(&table, &change, to);
	is(apply(&change), 0, "  and the block can be freed");
	stop();
}

/* What a move finds for a masked sector is no longer masked in the new claim itself. */
static void test_move_clears(void)
{
	struct rmeta_change change;
	slot_t slot, to;

	start(8);
	slot = map(5, 0x0f);
	to = take();
	rmeta_change_move(&table, &change, slot, to, 0x03, 0x80);
	is(rmeta_where_mask(change.entry.where), 0x8c, "salvaged sectors are not lost, the others are");
	is(change.entry.state, RMETA_LOST, "state lost");
	is(apply(&change), 0, "move");
	slot = to;
	to = take();
	rmeta_change_move(&table, &change, slot, to, 0x8c, 0);
	is(apply(&change), 0, "move again, with all that was lost written");
	is(mask_of(to), 0, "nothing is masked");
	is(rmeta_table_entry(&table, to)->state, RMETA_MAPPED, "lost becomes mapped");
	is(table.counts.lost_sectors, 3, "the old claim still counts");
	rmeta_change_retire(&table, &change, slot, 5);
	is(apply(&change), 0, "retire it");
	is(table.counts.lost_sectors, 0, "nothing is lost");
	again();
	is(mask_of(rmeta_index_lookup(&table.index, 5)), 0, "nor after a load");
	stop();
}

static void test_failed_growth(void)
{
	unsigned int copy, loads;

	start(128);
	for (copy = 1; copy < RMETA_COPIES; copy++)
		memdisk_fault(&disk, page_sector(copy, 0), 2 * RMETA_GROUP_PAGES * 8, true, true);
	is(rmeta_table_grow(&table), -EIO, "no growth into four dead copies");
	for (loads = 0; loads < 3; loads++) {
		again();
		is(table.sb.pages_used, RMETA_GROUP_PAGES, "a load leaves the half-made group alone");
	}
	memdisk_heal(&disk);
	again();
	is(table.sb.pages_used, table.store.geo.table_pages, "and finishes it when it can");
	stop();
}

static void test_read_only_change(void)
{
	struct rmeta_change change = { .slot = 0 };

	start(8);
	rmeta_table_exit(&table);
	is(memdisk_load_read_only(&disk, &table, &load), 0, "read-only");
	is(rmeta_table_apply(&table, &change, 1), -EROFS, "a change is refused");
	is(change.error, -EROFS, "and its error says so");
	stop();
}

/* The CRC is right, the version is not: another program's property. */
static void test_other_version(void)
{
	u8 *raw;
	u32 crc;

	start(8);
	rmeta_table_exit(&table);
	raw = disk.data + rmeta_superblock_sector(3) * 512;
	raw[12] = 5;
	memset(raw + 8, 0, 4);
	crc = htole32(rmeta_crc32(0, raw, RMETA_BYTES));
	memcpy(raw + 8, &crc, sizeof(crc));
	disk.writes = 0;
	is(memdisk_load(&disk, &table, &load), -EOPNOTSUPP, "a superblock of version 5");
	ok(load.problem, "  %s", load.problem);
	is(disk.writes, 0, "  and nothing was written");
	memdisk_exit(&disk);
}

/* dd of the front of one spare, superblocks and zone 0, over another of the same size. */
static void test_front_of_another(void)
{
	struct memdisk other;
	u64 front_sectors, writes;

	start(8);
	map(1, 0);
	rmeta_table_exit(&table);
	other = disk;
	start(8);
	map(2, 0);
	front_sectors = page_sector(1, 0);
	rmeta_table_exit(&table);
	memcpy(disk.data, other.data, front_sectors * 512);
	writes = disk.writes;
	is(memdisk_load(&disk, &table, &load), -EUCLEAN, "four foreign copies against one");
	ok(load.problem, "  %s", load.problem);
	is(disk.writes, writes, "  and nothing was written");
	memdisk_exit(&other);
	memdisk_exit(&disk);
}

static void test_activations_used_up(void)
{
	struct rmeta_superblock sb;
	unsigned int copy;

	start(8);
	rmeta_table_exit(&table);
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		u8 *raw = disk.data + rmeta_superblock_sector(copy) * 512;

		rmeta_superblock_decode(raw, copy, &sb);
		sb.activations = RMETA_MAX_ACTIVATIONS;
		sb.sequence = rmeta_sequence(RMETA_MAX_ACTIVATIONS, 1);
		rmeta_superblock_encode(raw, &sb);
	}
	is(memdisk_load(&disk, &table, &load), -EOVERFLOW, "no activation is left");
	is(memdisk_load_read_only(&disk, &table, &load), 0, "reading needs none");
	rmeta_table_exit(&table);
	is(memdisk_format(&disk, MAIN_SECTORS, 3), 0, "a format begins anew");
	is(memdisk_load(&disk, &table, &load), 0, "and loads");
	stop();
}

int main(void)
{
	test_life_of_a_block();
	test_full();
	test_unreserve();
	test_last_block();
	test_growth();
	test_dying_copies();
	test_dead_superblocks();
	test_refusals();
	test_read_only_writes_nothing();
	test_move_out_of_a_dying_page();
	test_move_clears();
	test_failed_growth();
	test_read_only_change();
	test_other_version();
	test_front_of_another();
	test_activations_used_up();
	return done();
}
