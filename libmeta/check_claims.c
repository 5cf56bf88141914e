// SPDX-License-Identifier: GPL-2.0-only
/*
 * Phase 3 of the check: no block may have two slots. Owns the comparison of claims, by
 * generation modulo 256 as in a load, and the list of losers.
 *
 * Whether any block is claimed twice is found out by sorting, which is several times as fast as
 * looking every block up, each time at another place of memory. Only where one is, the index is
 * filled to see which slots they are, in the order of slots.
 *
 * Losers are retired only after every other page has been written (check_repair.c), because
 * the claim that wins must be durable first (docs/format.md, rule 5). Until then their
 * entries in memory stay as they are.
 */
#include <inttypes.h>

#include "check_private.h"

static struct rmeta_entry *entry_of(const struct rmeta_checker *checker, slot_t slot)
{
	return rmeta_entry_at(&checker->entries, slot);
}

static int add_loser(struct rmeta_checker *checker, slot_t slot)
{
	struct check_page *state = check_page_at(checker, slot / RMETA_PAGE_ENTRIES);

	if (checker->nr_losers == checker->max_losers) {
		u32 larger = checker->max_losers ? checker->max_losers * 2 : 64;
		slot_t *losers = rmeta_zalloc(larger * sizeof(*losers));

		if (!losers)
			return -ENOMEM;
		if (checker->nr_losers)
			memcpy(losers, checker->losers, checker->nr_losers * sizeof(*losers));
		rmeta_free(checker->losers);
		checker->losers = losers;
		checker->max_losers = larger;
	}
	checker->losers[checker->nr_losers++] = slot;
	state->flags |= CHECK_RETIRE;
	state->approved++;
	return 0;
}

/*
 * Of two claims of one block, is that of @slot the one to keep? @equal: neither is newer;
 * then the later time, which is a guess, and after it the lower slot.
 */
static bool is_kept(const struct rmeta_checker *checker, slot_t slot, slot_t rival, bool *equal)
{
	const struct rmeta_entry *one = entry_of(checker, slot), *two = entry_of(checker, rival);
	u8 ahead = (u8)(one->generation - two->generation);

	*equal = !ahead || ahead == 128;
	if (!*equal)
		return ahead < 128;
	if (one->time != two->time)
		return one->time > two->time;
	return slot < rival;
}

static bool ask_claim(struct rmeta_checker *checker, slot_t kept, slot_t loser, bool equal)
{
	struct rmeta_problem problem = rmeta_check_problem(equal ? RMETA_P_CLAIM_EQUAL :
							   RMETA_P_CLAIM_OLDER);
	const struct rmeta_entry *one = entry_of(checker, kept), *two = entry_of(checker, loser);
	bool frozen = checker->frozen, yes;

	problem.page = loser / RMETA_PAGE_ENTRIES;
	problem.slot = loser;
	problem.other = kept;
	problem.block = rmeta_where_block(one->where);
	/* A claim that is kept in a page nobody has decided upon may not be there in the end. */
	if (check_page_at(checker, kept / RMETA_PAGE_ENTRIES)->flags & CHECK_FROZEN)
		checker->frozen = true;
	yes = rmeta_check_raise(checker, &problem,
				 "generation %u of time %" PRIu32 " in slot %" PRIu32 " against %u of time %" PRIu32 " in slot %" PRIu32 "%s",
				 one->generation, one->time, kept, two->generation, two->time,
				 loser, equal ? "; what only the other slot holds is given up" : "");
	checker->frozen = frozen;
	return yes;
}

static int check_claim(struct rmeta_checker *checker, slot_t slot)
{
	slot_t rival = rmeta_index_lookup(&checker->index,
					  rmeta_where_block(entry_of(checker, slot)->where));
	bool equal, kept;

	if (rival == RMETA_NO_SLOT) {
		rmeta_index_insert(&checker->index, slot);
		return 0;
	}
	kept = is_kept(checker, slot, rival, &equal);
	if (kept) {
		rmeta_index_remove(&checker->index, rival);
		rmeta_index_insert(&checker->index, slot);
	}
	if (!ask_claim(checker, kept ? slot : rival, kept ? rival : slot, equal))
		return 0;
	return add_loser(checker, kept ? rival : slot);
}

static bool is_claim(const struct rmeta_checker *checker, const struct rmeta_entry *entry)
{
	return (entry->state == RMETA_MAPPED || entry->state == RMETA_LOST) &&
	       rmeta_where_block(entry->where) < rmeta_blocks(&checker->check->geo);
}

#define RADIX_BITS 11
#define RADIX (1U << RADIX_BITS)

/*
 * Least significant digit first; digits that are the same everywhere are passed over. @blocks and
 * @other take turns. Return: the one with the result.
 */
static block_t *sort_blocks(block_t *blocks, block_t *other, u64 nr)
{
	block_t differing = 0, *swap;
	unsigned int shift, digit;
	u64 i, sum, here, count[RADIX];

	for (i = 1; i < nr; i++)
		differing |= blocks[i] ^ blocks[0];
	for (shift = 0; shift < 64 && differing >> shift; shift += RADIX_BITS) {
		if (!(differing >> shift & (RADIX - 1)))
			continue;
		memset(count, 0, sizeof(count));
		for (i = 0; i < nr; i++)
			count[blocks[i] >> shift & (RADIX - 1)]++;
		for (digit = 0, sum = 0; digit < RADIX; digit++) {
			here = count[digit];
			count[digit] = sum;
			sum += here;
		}
		for (i = 0; i < nr; i++)
			other[count[blocks[i] >> shift & (RADIX - 1)]++] = blocks[i];
		swap = blocks;
		blocks = other;
		other = swap;
	}
	return blocks;
}

/* Do blocks ascend from claim to claim, as after one import? Then none is there twice. */
static bool do_claims_ascend(const struct rmeta_checker *checker, u64 slots, u64 *claims)
{
	bool ascend = true;
	block_t last = 0;
	u64 slot;

	for (*claims = 0, slot = 0; slot < slots; slot++) {
		const struct rmeta_entry *entry = entry_of(checker, (slot_t)slot);
		block_t block = rmeta_where_block(entry->where);

		if (!is_claim(checker, entry))
			continue;
		ascend &= !*claims || last < block;
		last = block;
		(*claims)++;
	}
	return ascend;
}

/* Is any block claimed twice? Without memory to find out, one may be. */
static bool may_be_claimed_twice(const struct rmeta_checker *checker, u64 slots, u64 claims)
{
	block_t *blocks = rmeta_zalloc(claims * 2 * sizeof(*blocks)), *sorted;
	u64 slot, nr = 0;
	bool twice = false;

	if (!blocks)
		return true;
	for (slot = 0; slot < slots; slot++) {
		const struct rmeta_entry *entry = entry_of(checker, (slot_t)slot);

		if (is_claim(checker, entry))
			blocks[nr++] = rmeta_where_block(entry->where);
	}
	sorted = sort_blocks(blocks, blocks + nr, nr);
	for (slot = 1; slot < nr && !twice; slot++)
		twice = sorted[slot - 1] == sorted[slot];
	rmeta_free(blocks);
	return twice;
}

int rmeta_check_claims(struct rmeta_checker *checker)
{
	u64 slots = min((u64)checker->nr_pages * RMETA_PAGE_ENTRIES,
			(u64)rmeta_slots(&checker->check->geo)), slot, claims;
	int r = 0;

	if (do_claims_ascend(checker, slots, &claims) ||
	    !may_be_claimed_twice(checker, slots, claims))
		return 0;
	/* Without the memory for it the index resizes itself as it fills. */
	rmeta_index_presize(&checker->index, claims);
	for (slot = 0; slot < slots && !r; slot++)
		if (is_claim(checker, entry_of(checker, (slot_t)slot)))
			r = check_claim(checker, (slot_t)slot);
	return r;
}
