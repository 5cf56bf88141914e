// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claims on one block by several slots, where there is no load to settle them: the newest one counts,
 * as in a load, and what would be retired there is shown as retired. Where none is newer than all others
 * nothing is decided, and all are shown.
 */
#include "dump.h"

/* A claim, in the order of blocks. */
struct claim {
	block_t block;
	slot_t slot;
	u16 mask;
	u8 state;
	u8 generation;
};

struct claims {
	struct claim *list;
	size_t nr;
	size_t room;
};

static void take_claim(void *ctx, slot_t slot, const struct rmeta_entry *entry)
{
	struct claims *claims = ctx;

	if (entry->state == RMETA_RETIRED)
		return;
	claims->list = report_grow(claims->list, claims->nr, &claims->room, sizeof(*claims->list));
	claims->list[claims->nr++] = (struct claim){
		.block = rmeta_where_block(entry->where),
		.slot = slot,
		.mask = rmeta_where_mask(entry->where),
		.state = entry->state,
		.generation = entry->generation,
	};
}

static int by_block(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static int by_slot(const void *a, const void *b)
{
	const slot_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Is it newer than all others of the block? Half of the numbers apart, neither of two is. */
static bool is_newest(const struct claim *claim, const struct claim *rivals, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (&rivals[i] != claim && (u8)(claim->generation - rivals[i].generation - 1) >= 127)
			return false;
	return true;
}

static void retire(struct dump *dump, const struct claim *claim, size_t *room)
{
	struct rmeta_counts *counts = &dump->counts;

	dump->losers = report_grow(dump->losers, dump->nr_losers, room, sizeof(*dump->losers));
	dump->losers[dump->nr_losers++] = claim->slot;
	counts->retired++;
	if (claim->state == RMETA_LOST) {
		counts->lost--;
		counts->lost_sectors -= hweight16(claim->mask);
	} else {
		counts->mapped--;
		counts->pending_sectors -= hweight16(claim->mask);
	}
}

int dump_settle_claims(struct dump *dump)
{
	struct claims claims = { .nr = 0 };
	size_t start, end, nr, newest, room = 0;
	int r = dump_entries(dump, take_claim, &claims);

	if (claims.nr)
		qsort(claims.list, claims.nr, sizeof(*claims.list), by_block);
	for (start = 0; start < claims.nr; start = end) {
		const struct claim *rivals = &claims.list[start];

		for (end = start + 1; end < claims.nr && claims.list[end].block == rivals->block; end++)
			;
		for (newest = 0; newest < end - start; newest++)
			if (is_newest(&rivals[newest], rivals, end - start))
				break;
		for (nr = 0; nr < end - start && newest < end - start; nr++)
			if (nr != newest)
				retire(dump, &rivals[nr], &room);
	}
	if (dump->nr_losers)
		qsort(dump->losers, dump->nr_losers, sizeof(*dump->losers), by_slot);
	free(claims.list);
	return r;
}

bool dump_is_loser(const struct dump *dump, slot_t slot)
{
	return dump->nr_losers && bsearch(&slot, dump->losers, dump->nr_losers,
					  sizeof(*dump->losers), by_slot);
}
