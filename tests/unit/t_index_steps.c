// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reader of the index stopped between any two of its loads while the writer goes on: what
 * tests/index/ leaves to chance is arranged here. The walk below does what
 * rmeta_index_lookup() does, one load at a time; the writer's functions are the real ones.
 * Nothing is freed and no slot is reused before the reader has ended, as RCU sees to.
 *
 * Scripts of the writer and places where the reader stops are drawn at random, in one chain
 * that a resize may split and join, so that they meet in all ways within a few steps.
 */
#include "index_bed.h"

enum {
	TRIALS = 300000,
	CHAIN = 6,		/* blocks mapped at the start */
	BLOCKS = 12,		/* blocks that the script may map */
	OPERATIONS = 8,		/* most in one script */
	SLOTS = CHAIN + 2 * OPERATIONS,
	MOVING = 0,		/* number of the block that moves */
	STABLE = 1,		/* number of the block that is left alone */
};

static block_t blocks[BLOCKS];
static struct bed bed;
static slot_t slot_of[BLOCKS];
static slot_t old_slot;		/* of MOVING, while it has two */
static slot_t next_slot;
static u64 random_state = 1;

static u32 draw(u32 limit)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)((random_state >> 33) % limit);
}

/* One lookup, stopped between loads. */
struct walk {
	const struct rmeta_index_table *table;
	block_t block;
	const u32 *from;	/* what is to be loaded next */
	slot_t slot;
	u32 steps;
	bool ended;
};

static void walk_on(struct walk *walk)
{
	walk->steps++;
	if (!walk->table) {
		walk->table = rcu_dereference_raw(bed.index.table);
		walk->from = head_of(&bed.index, walk->table, walk->block);
		return;
	}
	walk->slot = READ_ONCE(*walk->from);
	if (walk->slot == RMETA_NO_SLOT || block_of(&bed.index, walk->slot) == walk->block)
		walk->ended = true;
	else
		walk->from = link_of(walk->table, walk->slot);
}

static void map_number(u32 number)
{
	slot_of[number] = next_slot;
	map(&bed, next_slot++, blocks[number]);
}

static void move_or_finish(void)
{
	if (old_slot != RMETA_NO_SLOT) {
		rmeta_index_remove(&bed.index, old_slot);
		old_slot = RMETA_NO_SLOT;
	} else {
		old_slot = slot_of[MOVING];
		map_number(MOVING);
	}
}

/* One step of the writer: move, resize, or map or unmap a block that is neither's. */
static void write_on(void)
{
	u32 number = STABLE + 1 + draw(BLOCKS - STABLE - 1);

	switch (draw(6)) {
	case 0:
	case 1:
		move_or_finish();
		break;
	case 2:
		resize(&bed.index, 64U << draw(3));
		break;
	default:
		if (slot_of[number] == RMETA_NO_SLOT) {
			map_number(number);
		} else {
			rmeta_index_remove(&bed.index, slot_of[number]);
			slot_of[number] = RMETA_NO_SLOT;
		}
	}
}

/* Blocks of one bucket of 64, which two doublings spread over up to four. */
static void choose_blocks(void)
{
	block_t block = 0;
	u32 number;

	for (number = 0; number < BLOCKS; number++, block++) {
		while (hash_block(&bed.index, block) >> 58 != 17)
			block++;
		blocks[number] = block;
	}
}

static void start_chain(void)
{
	u32 i, number;

	memset(slot_of, 0xff, sizeof(slot_of));
	old_slot = RMETA_NO_SLOT;
	next_slot = 0;
	for (i = 0; i < CHAIN; i++) {
		number = i <= STABLE ? i : STABLE + 1 + draw(BLOCKS - STABLE - 1);
		if (slot_of[number] == RMETA_NO_SLOT)
			map_number(number);
	}
	/* Where in the chain the two are is left to chance, too: put others ahead. */
	if (draw(2)) {
		rmeta_index_remove(&bed.index, slot_of[STABLE]);
		map_number(STABLE);
	}
}

/* End of a reader: everything that waited for it is freed, and the index made empty. */
static void finish(void)
{
	struct heap_header *header;
	u32 number;

	heap.reading = false;
	while ((header = heap.late)) {
		heap.late = header->next;
		test_free(header + 1);
	}
	if (old_slot != RMETA_NO_SLOT)
		rmeta_index_remove(&bed.index, old_slot);
	for (number = 0; number < BLOCKS; number++)
		if (slot_of[number] != RMETA_NO_SLOT)
			rmeta_index_remove(&bed.index, slot_of[number]);
	resize(&bed.index, 64);
}

int main(void)
{
	u32 trial, missed = 0, wrong = 0, endless = 0, met = 0;

	make_bed(&bed, 0x243f6a8885a308d3ULL, SLOTS);
	choose_blocks();
	for (trial = 0; trial < TRIALS; trial++) {
		u32 number = draw(3) ? draw(2) : draw(BLOCKS), left = 1 + draw(OPERATIONS);
		struct walk walk = { .block = blocks[number] };

		start_chain();
		heap.reading = true;
		while (!walk.ended && left--) {
			u32 loads = draw(3);

			while (loads-- && !walk.ended)
				walk_on(&walk);
			if (!walk.ended) {
				write_on();
				met++;
			}
		}
		while (!walk.ended && walk.steps <= SLOTS + 2)
			walk_on(&walk);
		endless += !walk.ended;
		missed += number <= STABLE && walk.slot == RMETA_NO_SLOT;
		wrong += number == STABLE && walk.slot != slot_of[STABLE];
		finish();
	}
	drop_bed(&bed);

	is(missed, 0, "%u lookups, stopped for %u changes: no mapped block is missed", TRIALS, met);
	is(wrong, 0, "a block that is left alone is found in its slot");
	is(endless, 0, "no walk takes more steps than there are slots");
	is(heap.live, 0, "everything is freed");
	return done();
}
