// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hash of the index: blocks that fail in patterns must spread over the buckets as random
 * ones would, and a chain that is long under one seed must not be under another.
 */
#include "index_bed.h"

/*
 * Failing disks fail in patterns: runs, every n-th track, the same place in every zone. With
 * a perfect hash the longest of 65,536 chains of one element on average would be 8 or
 * 9, and a hit would compare 1.5 entries.
 */
static void test_patterns(void)
{
	static const u64 seeds[] = { 0, 1, ~0ULL, 0x8000000000000000ULL, SEED };
	u32 slot, longest, worst_chain = 0, worst_stride = 0;
	double worst_steps = 0;
	unsigned int i, stride;
	struct bed bed;
	u64 steps;

	for (i = 0; i < ARRAY_SIZE(seeds); i++) {
		for (stride = 0; stride <= RMETA_BLOCK_BITS - 8; stride++) {
			u32 nr = 1U << min(16U, RMETA_BLOCK_BITS - stride);

			make_bed(&bed, seeds[i], nr);
			rmeta_index_presize(&bed.index, nr);
			for (slot = 0; slot < nr; slot++)
				map(&bed, slot, (u64)slot << stride);
			longest = longest_chain(&bed, &steps);
			if (longest > worst_chain) {
				worst_chain = longest;
				worst_stride = stride;
			}
			if (nr == 1U << 16)
				worst_steps = max(worst_steps, (double)steps / nr);
			drop_bed(&bed);
		}
	}
	ok(worst_chain <= 12, "patterns: strides of 2^0 to 2^40, five seeds: longest chain %u "
	   "(stride 2^%u), at most 12", worst_chain, worst_stride);
	ok(worst_steps <= 1.52, "patterns: a hit compares at most %.3f entries, at most 1.52",
	   worst_steps);

	/* Odd strides near a power of two, and all blocks that differ in two bits of 48. */
	worst_chain = 0;
	for (stride = 1; stride <= 32; stride++) {
		make_bed(&bed, SEED, 1 << 16);
		rmeta_index_presize(&bed.index, 1 << 16);
		for (slot = 0; slot < 1 << 16; slot++)
			map(&bed, slot, slot * ((1ULL << stride) - 1));
		worst_chain = max(worst_chain, longest_chain(&bed, &steps));
		drop_bed(&bed);
	}
	ok(worst_chain <= 12, "patterns: strides of 2^k - 1: longest chain %u, at most 12",
	   worst_chain);

	make_bed(&bed, SEED, RMETA_BLOCK_BITS * RMETA_BLOCK_BITS);
	for (slot = 0, i = 0; i < RMETA_BLOCK_BITS; i++)
		for (stride = 0; stride < i; stride++)
			map(&bed, slot++, 1ULL << i | 1ULL << stride);
	longest = longest_chain(&bed, &steps);
	ok(longest <= 8, "patterns: %u blocks of two bits each: longest chain %u, at most 8", slot,
	   longest);
	drop_bed(&bed);
}

/* The seed decides which blocks collide: those of one long chain are scattered by another. */
static void test_seed(void)
{
	const u32 nr = 1000;
	block_t block = 0;
	struct bed bed, other;
	u32 slot;
	u64 steps;

	make_bed(&bed, SEED, nr);
	make_bed(&other, SEED + 1, nr);
	for (slot = 0; slot < nr; slot++, block++) {
		while (hash_block(&bed.index, block) >> 54 != 5)
			block++;
		map(&bed, slot, block);
		map(&other, slot, block);
	}
	is(longest_chain(&bed, &steps), nr, "seed: %u blocks chosen to share one of 1024 chains",
	   nr);
	ok(longest_chain(&other, &steps) <= 10, "seed: with another their longest chain is %u",
	   longest_chain(&other, &steps));
	drop_bed(&bed);
	drop_bed(&other);
}

int main(void)
{
	test_patterns();
	test_seed();
	return done();
}
