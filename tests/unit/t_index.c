// SPDX-License-Identifier: GPL-2.0-only
/*
 * The index alone: what it finds, when it resizes, what it does without memory and what it
 * weighs. How evenly it hashes is in t_index_hash.c; what readers see while the writer works
 * is tests/index/ to show.
 */
#include "index_bed.h"

static u64 prng_state = 88172645463325252ULL;

static u64 prng(void)
{
	u64 z = prng_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* The n-th block of a sequence without repetitions: odd factor, modulo 2^48. */
static block_t scattered(u64 n)
{
	return n * 0x9e3779b97f4bULL & ((1ULL << RMETA_BLOCK_BITS) - 1);
}

/* Slots 0 .. @nr - 1 that the index does not find under scattered(slot). */
static u32 count_wrong(const struct bed *bed, u32 nr)
{
	u32 slot, wrong = 0;

	for (slot = 0; slot < nr; slot++)
		wrong += rmeta_index_lookup(&bed->index, scattered(slot)) != slot;
	return wrong;
}

/* Of @nr blocks that were never mapped, those that the index claims to find. */
static u32 count_phantoms(const struct bed *bed, u32 nr)
{
	u32 i, wrong = 0;

	for (i = 0; i < nr; i++)
		wrong += rmeta_index_lookup(&bed->index, scattered(0x40000000ULL + i)) !=
			 RMETA_NO_SLOT;
	return wrong;
}

static void test_empty_and_one(void)
{
	block_t last = (1ULL << RMETA_BLOCK_BITS) - 1;
	struct bed bed;

	make_bed(&bed, SEED, 1);
	is(rmeta_index_buckets(&bed.index), 64, "empty: 64 buckets");
	is(rmeta_index_bytes(&bed.index), heap.bytes, "empty: bytes are those allocated");
	ok(rmeta_index_lookup(&bed.index, 0) == RMETA_NO_SLOT &&
	   rmeta_index_lookup(&bed.index, last) == RMETA_NO_SLOT, "empty: nothing is found");
	map(&bed, 0, 0);
	ok(rmeta_index_lookup(&bed.index, 0) == 0 &&
	   rmeta_index_lookup(&bed.index, last) == RMETA_NO_SLOT, "one: found, another is not");
	rmeta_index_remove(&bed.index, 0);
	is(rmeta_index_lookup(&bed.index, 0), RMETA_NO_SLOT, "one: gone when removed");
	map(&bed, 0, last);
	ok(rmeta_index_lookup(&bed.index, last) == 0 &&
	   rmeta_index_lookup(&bed.index, 0) == RMETA_NO_SLOT, "one: slot reused for 2^48 - 1");
	is(bed.index.count, 1, "one: count is 1");
	is(bed.nr_events, 0, "one: no resize");
	drop_bed(&bed);
	is(heap.live, 0, "one: everything is freed");
}

/* Blocks whose lookup must not be misled by masks, nor by neighbours at the end of main. */
static void test_high_blocks(void)
{
	const u32 nr = 3000;
	u32 slot, wrong = 0;
	struct bed bed;

	make_bed(&bed, SEED, nr);
	for (slot = 0; slot < nr; slot++) {
		block_t block = (1ULL << RMETA_BLOCK_BITS) - 1 - slot;

		rmeta_entry_at(&bed.entries, slot)->where =
			rmeta_where(block, (u16)(slot * 0x1111));
		rmeta_index_insert(&bed.index, slot);
	}
	for (slot = 0; slot < nr; slot++) {
		wrong += rmeta_index_lookup(&bed.index, (1ULL << RMETA_BLOCK_BITS) - 1 - slot) !=
			 slot;
		rmeta_entry_at(&bed.entries, slot)->where ^= 1ULL << 63;
		wrong += rmeta_index_lookup(&bed.index, (1ULL << RMETA_BLOCK_BITS) - 1 - slot) !=
			 slot;
		wrong += rmeta_index_lookup(&bed.index, slot) != RMETA_NO_SLOT;
	}
	is(wrong, 0, "high blocks: the last %u below 2^48 are found whatever their masks", nr);
	drop_bed(&bed);
}

static void test_collisions(void)
{
	const u32 nr = 60;
	block_t blocks[60], block = 0;
	u32 slot, wrong = 0;
	struct bed bed;
	u64 steps;

	make_bed(&bed, SEED, nr);
	for (slot = 0; slot < nr; slot++) {
		while (hash_block(&bed.index, block) >> 58 != 17)
			block++;
		blocks[slot] = block++;
		map(&bed, slot, blocks[slot]);
	}
	is(longest_chain(&bed, &steps), nr, "collisions: %u blocks in one chain", nr);
	for (slot = 0; slot < nr; slot++)
		wrong += rmeta_index_lookup(&bed.index, blocks[slot]) != slot;
	is(wrong, 0, "collisions: all are found");
	rmeta_index_remove(&bed.index, nr - 1);		/* first of the chain */
	rmeta_index_remove(&bed.index, 0);		/* last */
	rmeta_index_remove(&bed.index, 30);
	rmeta_index_remove(&bed.index, 31);
	for (slot = 0; slot < nr; slot++) {
		bool gone = slot == nr - 1 || slot == 0 || slot == 30 || slot == 31;

		wrong += rmeta_index_lookup(&bed.index, blocks[slot]) !=
			 (gone ? RMETA_NO_SLOT : slot);
	}
	is(wrong, 0, "collisions: first, last and two middle ones removed, the others stay");
	drop_bed(&bed);
}

static bool same_events(const struct bed *bed, const struct event *want, unsigned int nr)
{
	unsigned int i;

	if (bed->nr_events != nr)
		return false;
	for (i = 0; i < nr; i++)
		if (bed->events[i].from != want[i].from || bed->events[i].to != want[i].to ||
		    bed->events[i].count != want[i].count)
			return false;
	return true;
}

static void test_loads(void)
{
	static const struct event up[] = {
		{ 64, 128, 97 }, { 128, 256, 193 }, { 256, 512, 385 }, { 512, 1024, 769 },
		{ 1024, 2048, 1537 },
	};
	static const struct event down[] = {
		{ 2048, 1024, 1023 }, { 1024, 512, 511 }, { 512, 256, 255 }, { 256, 128, 127 },
		{ 128, 64, 63 },
	};
	static const u32 totals[] = { 50, 100, 200, 500, 1000, 2000 };
	static const u32 buckets[] = { 64, 128, 256, 512, 1024, 2048 };
	u32 slot = 0, wrong = 0;
	struct bed bed;
	unsigned int i;

	make_bed(&bed, SEED, 2000);
	for (i = 0; i < ARRAY_SIZE(totals); i++) {
		for (; slot < totals[i]; slot++) {
			map(&bed, slot, scattered(slot));
			wrong += count_wrong(&bed, slot + 1);
			wrong += rmeta_index_lookup(&bed.index, scattered(slot + 1)) !=
				 RMETA_NO_SLOT;
		}
		is(rmeta_index_buckets(&bed.index), buckets[i], "growth: %u remaps in %u buckets",
		   totals[i], buckets[i]);
	}
	is(wrong, 0, "growth: every lookup after every insert is right");
	ok(same_events(&bed, up, ARRAY_SIZE(up)), "growth: reported at 97, 193, 385, 769, 1537");
	is(bed.index.resizes, 5, "growth: five resizes counted");
	is(rmeta_index_bytes(&bed.index), heap.bytes, "growth: old tables are freed");

	bed.nr_events = 0;
	while (slot--) {
		rmeta_index_remove(&bed.index, slot);
		wrong += count_wrong(&bed, slot);
		wrong += rmeta_index_lookup(&bed.index, scattered(slot)) != RMETA_NO_SLOT;
	}
	is(wrong, 0, "shrinking: every lookup after every remove is right");
	ok(same_events(&bed, down, ARRAY_SIZE(down)),
	   "shrinking: reported at 1023, 511, 255, 127, 63");
	is(rmeta_index_buckets(&bed.index), 64, "shrinking: never below 64 buckets");
	is(bed.index.count, 0, "shrinking: empty at the end");
	drop_bed(&bed);
}

/* The load rule at sizes that no test can fill, by the arithmetic alone. */
static void test_arithmetic(void)
{
	u64 max_slots = RMETA_MAX_SLOTS;
	unsigned int bits, wrong = 0;

	for (bits = 6; bits < 31; bits++) {
		u32 buckets = 1U << bits;
		u64 full = (u64)buckets * 3 / 2;

		wrong += grown_buckets(buckets, full) != buckets;
		wrong += grown_buckets(buckets, full + 1) != buckets * 2;
		wrong += grown_buckets(64, full + 1) != buckets * 2;
		wrong += shrunk_buckets(buckets * 2, buckets) != buckets * 2;
		wrong += shrunk_buckets(buckets * 2, buckets - 1) != buckets;
	}
	is(wrong, 0, "arithmetic: exact at every size from 64 to 2^31 buckets");
	is(grown_buckets(64, max_slots), RMETA_INDEX_MAX, "arithmetic: 2^31 buckets for 2^32 - 1");
	is(grown_buckets(RMETA_INDEX_MAX, max_slots), RMETA_INDEX_MAX, "arithmetic: then no more");
	is(shrunk_buckets(RMETA_INDEX_MAX, 0), 64, "arithmetic: empty is 64 from any size");
}

static void test_presize(void)
{
	static const struct { u64 count; u32 buckets; } cases[] = {
		{ 0, 64 }, { 1, 64 }, { 96, 64 }, { 97, 128 }, { 192, 128 }, { 193, 256 },
		{ 1000, 1024 }, { 1000000, 1 << 20 },
	};
	unsigned int i, wrong = 0;
	struct bed bed;
	u32 slot;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		make_bed(&bed, SEED, 1000);
		wrong += rmeta_index_presize(&bed.index, cases[i].count) != 0;
		wrong += rmeta_index_buckets(&bed.index) != cases[i].buckets;
		wrong += rmeta_index_bytes(&bed.index) != heap.bytes;
		drop_bed(&bed);
	}
	is(wrong, 0, "presize: chooses what growing would have chosen");

	make_bed(&bed, SEED, 20000);
	rmeta_index_presize(&bed.index, 20000);
	for (slot = 0; slot < 20000; slot++)
		map(&bed, slot, scattered(slot));
	ok(!bed.nr_events && !bed.index.resizes, "presize: no resize while 20000 are inserted");
	is(count_wrong(&bed, 20000) + count_phantoms(&bed, 20000), 0, "presize: lookups are right");
	drop_bed(&bed);
}

/* Every block has two slots, the lower one older; the newer must be found at any size. */
static void test_move(void)
{
	const u32 nr = 40, filler = 5000;
	u32 slot, wrong = 0;
	struct bed bed;

	make_bed(&bed, SEED, 2 * nr + filler);
	for (slot = 0; slot < nr; slot++)
		map(&bed, slot, scattered(slot));
	for (slot = 0; slot < nr; slot++) {
		map(&bed, nr + slot, scattered(slot));
		wrong += rmeta_index_lookup(&bed.index, scattered(slot)) != nr + slot;
	}
	is(wrong, 0, "move: of two slots the newer is found");
	for (slot = 2 * nr; slot < 2 * nr + filler; slot++)
		map(&bed, slot, scattered(slot));
	for (slot = 0; slot < nr; slot++)
		wrong += rmeta_index_lookup(&bed.index, scattered(slot)) != nr + slot;
	is(wrong, 0, "move: also when the table grew in between, to %u buckets",
	   rmeta_index_buckets(&bed.index));
	for (slot = 2 * nr; slot < 2 * nr + filler; slot++)
		rmeta_index_remove(&bed.index, slot);
	for (slot = 0; slot < nr; slot++)
		wrong += rmeta_index_lookup(&bed.index, scattered(slot)) != nr + slot;
	is(wrong, 0, "move: also when it shrank again, to %u", rmeta_index_buckets(&bed.index));
	for (slot = 0; slot < nr; slot++) {
		bool newer = slot % 2;

		rmeta_index_remove(&bed.index, newer ? nr + slot : slot);
		wrong += rmeta_index_lookup(&bed.index, scattered(slot)) !=
			 (newer ? slot : nr + slot);
	}
	is(wrong, 0, "move: whichever is removed, the other stays");
	is(bed.index.count, nr, "move: count is right");
	drop_bed(&bed);
}

static void test_failures_of_setup(void)
{
	struct rmeta_entry *groups[4] = { NULL };
	struct rmeta_entries entries = { .group = groups, .max_groups = 4 };
	struct rmeta_index index;
	u64 fail, live;
	int wrong = 0;

	for (fail = 0; fail < 2; fail++) {
		heap.allowed = fail;
		wrong += rmeta_index_init(&index, &entries, SEED, NULL, NULL) != -ENOMEM;
		wrong += heap.live != 0;
		rmeta_index_exit(&index);
	}
	is(wrong, 0, "no memory: init fails cleanly, exit after it is harmless");

	heap.allowed = ~0ULL;
	rmeta_index_init(&index, &entries, SEED, NULL, NULL);
	rmeta_index_grow(&index, 1);
	live = heap.live;
	for (fail = 0; fail < 3; fail++) {
		heap.allowed = fail;
		wrong += rmeta_index_grow(&index, 4) != -ENOMEM;
		wrong += index.nr_groups != 1 || heap.live != live;
	}
	is(wrong, 0, "no memory: grow fails and changes nothing");
	for (fail = 0; fail < 3; fail++) {
		heap.allowed = fail;
		wrong += rmeta_index_presize(&index, 1000) != -ENOMEM;
		wrong += rmeta_index_buckets(&index) != 64 || heap.live != live;
	}
	is(wrong, 0, "no memory: presize fails and changes nothing");
	heap.allowed = ~0ULL;
	is(rmeta_index_grow(&index, 4), 0, "memory again: grow works");
	is(rmeta_index_grow(&index, 2), 0, "grow to fewer groups is nothing to do");
	is(index.nr_groups, 4, "and takes none away");
	rmeta_index_exit(&index);
	is(heap.live, 0, "no memory: nothing leaks");
}

/* A resize takes one allocation for heads, one for the table, one for each group. */
static void test_failures_of_resize(void)
{
	const u32 nr = 40000;
	u64 fail, live, tries;
	unsigned int wrong = 0;
	struct bed bed;
	u32 slot;

	for (fail = 0; fail < 5; fail++) {
		make_bed(&bed, SEED, 3 * RMETA_GROUP_SLOTS);
		for (slot = 0; slot < 96; slot++)
			map(&bed, slot, scattered(slot));
		live = heap.live;
		heap.allowed = fail;
		map(&bed, 96, scattered(96));
		wrong += rmeta_index_buckets(&bed.index) != 64 || bed.nr_events ||
			 heap.live != live || count_wrong(&bed, 97);
		heap.allowed = ~0ULL;
		map(&bed, 97, scattered(97));
		wrong += rmeta_index_buckets(&bed.index) != 128 || bed.nr_events != 1 ||
			 bed.events[0].count != 98 || count_wrong(&bed, 98);
		drop_bed(&bed);
	}
	is(wrong, 0, "resize without memory: no error, no leak, done by the next insert");

	make_bed(&bed, SEED, nr + RMETA_INDEX_HOLDOFF);
	heap.allowed = 0;
	tries = heap.tries;
	for (slot = 0; slot < nr; slot++)
		map(&bed, slot, scattered(slot));
	tries = heap.tries - tries;
	ok(tries >= 10 && tries <= 10 + nr / RMETA_INDEX_HOLDOFF + 1,
	   "resize without memory: %u inserts tried %" PRIu64 " allocations", nr, tries);
	ok(rmeta_index_buckets(&bed.index) == 64 && !bed.index.resizes,
	   "resize without memory: still 64 buckets");
	is(count_wrong(&bed, nr), 0, "resize without memory: long chains, right answers");
	heap.allowed = ~0ULL;
	for (; !bed.nr_events && slot < nr + RMETA_INDEX_HOLDOFF; slot++)
		map(&bed, slot, scattered(slot));
	ok(bed.nr_events == 1 && bed.events[0].from == 64 && bed.events[0].to == 32768,
	   "memory again: one resize doubles as often as it takes (at %u remaps)", slot);
	is(count_wrong(&bed, slot), 0, "memory again: lookups are right");

	heap.allowed = 0;
	while (slot > 10)
		rmeta_index_remove(&bed.index, --slot);
	ok(rmeta_index_buckets(&bed.index) == 32768 && !count_wrong(&bed, 10),
	   "shrinking without memory: no error");
	heap.allowed = ~0ULL;
	for (fail = 0; fail < RMETA_INDEX_HOLDOFF; fail++) {
		rmeta_index_remove(&bed.index, 9);
		map(&bed, 9, scattered(9));
	}
	ok(rmeta_index_buckets(&bed.index) == 64 && !count_wrong(&bed, 10),
	   "memory again: shrunk at once to 64");
	drop_bed(&bed);
	is(heap.live, 0, "resize without memory: nothing leaks");
}

/* Random maps, moves and unmaps against a plain array. */
static void test_against_model(void)
{
	enum { BLOCKS = 3000, SLOTS = 4000, STEPS = 400000 };
	static slot_t slot_of[BLOCKS], free_slots[SLOTS];
	u32 i, nr_free = 0, wrong = 0, target = 0;
	struct bed bed;

	make_bed(&bed, SEED, SLOTS);
	for (i = 0; i < BLOCKS; i++)
		slot_of[i] = RMETA_NO_SLOT;
	for (i = 0; i < SLOTS; i++)
		free_slots[nr_free++] = i;

	for (i = 0; i < STEPS; i++) {
		u32 block = (u32)(prng() % BLOCKS);
		slot_t old = slot_of[block];
		bool move = old != RMETA_NO_SLOT && prng() % 4 == 0;
		u32 mapped = SLOTS - nr_free;

		/* The number of remaps wanders up and down, so that both resizes happen. */
		if (i % 20000 == 0)
			target = i % 40000 ? 20 : BLOCKS * 9 / 10;
		if (move || (old == RMETA_NO_SLOT && mapped < target)) {
			/* Any free slot will do; swap a random one to the end. */
			u32 pick = (u32)(prng() % nr_free);
			slot_t slot = free_slots[pick];

			free_slots[pick] = free_slots[--nr_free];
			map(&bed, slot, scattered(block));
			slot_of[block] = slot;
		}
		if (move || (old != RMETA_NO_SLOT && mapped > target)) {
			rmeta_index_remove(&bed.index, old);
			free_slots[nr_free++] = old;
			if (!move)
				slot_of[block] = RMETA_NO_SLOT;
		}
		wrong += rmeta_index_lookup(&bed.index, scattered(block)) != slot_of[block];
		wrong += bed.index.count != SLOTS - nr_free;
		if (i % 1000 == 0)
			for (block = 0; block < BLOCKS; block++)
				wrong += rmeta_index_lookup(&bed.index, scattered(block)) !=
					 slot_of[block];
	}
	is(wrong, 0, "model: %d random changes, every answer right", STEPS);
	ok(bed.index.resizes >= 40, "model: through %" PRIu64 " resizes", bed.index.resizes);
	drop_bed(&bed);
}

/* Bytes per remap, entries and all directories included. */
static double bytes_per_remap(const struct bed *bed)
{
	u64 bytes = heap.bytes + bed->entries.max_groups * sizeof(*bed->entries.group) +
		    (u64)bed->entries.nr_groups * RMETA_GROUP_SLOTS * sizeof(struct rmeta_entry);

	return (double)bytes / (double)bed->index.count;
}

static void test_million(void)
{
	const u32 nr = 1000000;
	u32 slot, wrong = 0;
	struct bed bed;

	make_bed(&bed, SEED, nr);
	for (slot = 0; slot < nr; slot++) {
		map(&bed, slot, scattered(slot));
		wrong += rmeta_index_lookup(&bed.index, scattered(slot)) != slot;
	}
	is(wrong, 0, "million: every block is found once inserted");
	is(count_wrong(&bed, nr), 0, "million: and at the end");
	is(count_phantoms(&bed, nr), 0, "million: a million others are not");
	is(rmeta_index_buckets(&bed.index), 1 << 20, "million: in 2^20 buckets");
	is(bed.index.resizes, 14, "million: after 14 resizes");
	is(rmeta_index_bytes(&bed.index), heap.bytes, "million: bytes are those allocated");
	ok(bytes_per_remap(&bed) <= 28, "million: %.2f bytes per remap all told, at most 28",
	   bytes_per_remap(&bed));
	for (slot = 1; slot < nr; slot += 2)
		rmeta_index_remove(&bed.index, slot);
	for (slot = 0; slot < nr; slot++)
		wrong += rmeta_index_lookup(&bed.index, scattered(slot)) !=
			 (slot % 2 ? RMETA_NO_SLOT : slot);
	is(wrong, 0, "million: every other one removed, the rest is right");
	is(rmeta_index_buckets(&bed.index), 1 << 19, "million: 500000 in 2^19 buckets");
	drop_bed(&bed);
	is(heap.live, 0, "million: everything is freed");
}

int main(void)
{
	test_empty_and_one();
	test_high_blocks();
	test_collisions();
	test_loads();
	test_arithmetic();
	test_presize();
	test_move();
	test_failures_of_setup();
	test_failures_of_resize();
	test_against_model();
	test_million();
	return done();
}
