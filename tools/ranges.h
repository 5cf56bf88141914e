/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set of ranges of blocks, filled in any order, with duplicates and overlaps. Memory
 * follows the number of distinct ranges, not the number of additions; additions in
 * ascending order cost almost nothing.
 */
#ifndef TOOLS_RANGES_H
#define TOOLS_RANGES_H

#include "host.h"

/**
 * struct range - blocks @first to @end - 1
 */
struct range {
	block_t first;
	block_t end;
};

/**
 * struct ranges - the set; all zero is an empty one
 * @range: ranges[0..nr - 1]. The first @nr_sorted are in ascending order and neither
 *	overlap nor touch; the rest are as they came
 * @nr: ranges held
 * @nr_sorted: see @range
 * @room: ranges there is memory for
 * @scratch: for sorting
 * @scratch_room: ranges there is memory for in it
 */
struct ranges {
	struct range *range;
	size_t nr;
	size_t nr_sorted;
	size_t room;
	struct range *scratch;
	size_t scratch_room;
};

/**
 * ranges_make_room() - sort and merge what is there, and get memory for at least one more
 *
 * Return: 0 or -ENOMEM.
 */
int ranges_make_room(struct ranges *set);

/**
 * ranges_add() - add blocks @first to @end - 1
 * @set: the set
 * @first: first block
 * @end: block after the last one, above @first
 *
 * Return: 0 or -ENOMEM.
 */
static inline int ranges_add(struct ranges *set, block_t first, block_t end)
{
	struct range *last = set->nr ? &set->range[set->nr - 1] : NULL;

	if (last && first >= last->first && first <= last->end) {
		last->end = max(last->end, end);
		return 0;
	}
	if (set->nr == set->room) {
		int r = ranges_make_room(set);

		if (r)
			return r;
		last = set->nr ? &set->range[set->nr - 1] : NULL;
	}
	if (set->nr_sorted == set->nr && (!last || first > last->end))
		set->nr_sorted++;
	/* There is room, so there is memory: NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	set->range[set->nr++] = (struct range){ first, end };
	return 0;
}

/**
 * ranges_finish() - put the whole set in order
 *
 * Afterwards range[0..nr - 1] are in ascending order and neither overlap nor touch.
 *
 * Return: 0 or -ENOMEM.
 */
int ranges_finish(struct ranges *set);

/* Index of the first range of a finished set that ends behind @block; @nr if there is none. */
size_t ranges_find(const struct ranges *set, block_t block);

/* Is a block in a finished set? */
bool ranges_contain(const struct ranges *set, block_t block);

/* Number of blocks in a finished set. */
u64 ranges_blocks(const struct ranges *set);

/* Free the memory of a set. */
void ranges_free(struct ranges *set);

#endif
