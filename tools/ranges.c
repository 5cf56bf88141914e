// SPDX-License-Identifier: GPL-2.0-only
/*
 * A set of ranges: an array with a sorted front and an unsorted tail. When the tail is long
 * enough it is sorted by radix and merged into the front, from the back, in place. The tail
 * may grow to a quarter of the front, so that every range is moved a bounded number of
 * times, and memory is at most one and a half times that of the distinct ranges, plus a
 * constant.
 */
#include <sys/mman.h>

#include "ranges.h"

#define TAIL_MIN ((size_t)1 << 20)	/* 16 MiB */
#define ROOM_MIN ((size_t)1 << 12)
#define RADIX_BITS 11
#define RADIX (1U << RADIX_BITS)
#define HUGE_BYTES ((size_t)2 << 20)	/* a huge page */

/*
 * Memory. An array of HUGE_BYTES or more is mapped by itself, in huge pages where the kernel
 * has them: filling 160 MiB in pages of 4 KiB would take as long as parsing what goes in there.
 */

static bool is_mapped(size_t nr)
{
	return nr * sizeof(struct range) >= HUGE_BYTES;
}

/* Address space for @bytes, aligned to huge pages, without memory; or NULL. */
static char *map_space(size_t bytes)
{
	char *space, *aligned;

	space = mmap(NULL, bytes + HUGE_BYTES, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (space == MAP_FAILED)
		return NULL;
	aligned = (char *)(((uintptr_t)space + HUGE_BYTES - 1) & ~(uintptr_t)(HUGE_BYTES - 1));
	if (aligned > space)
		munmap(space, (size_t)(aligned - space));
	if (aligned < space + HUGE_BYTES)
		munmap(aligned + bytes, (size_t)(space + HUGE_BYTES - aligned));
	return aligned;
}

static void free_array(struct range *array, size_t nr)
{
	if (is_mapped(nr))
		munmap(array, nr * sizeof(*array));
	else
		free(array);
}

/* @old of @old_nr ranges, or NULL, becomes one of @nr, which is more. Or NULL; then @old stays. */
static struct range *grow_array(struct range *old, size_t old_nr, size_t nr)
{
	size_t bytes = nr * sizeof(*old), old_bytes = old_nr * sizeof(*old);
	char *space;
	void *array;

	if (!is_mapped(nr))
		return realloc(old, bytes);
	space = map_space(bytes);
	if (!space)
		return NULL;
	if (is_mapped(old_nr))
		array = mremap(old, old_bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, space);
	else
		array = mmap(space, bytes, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (array == MAP_FAILED) {
		munmap(space, bytes);
		return NULL;
	}
	madvise(array, bytes, MADV_HUGEPAGE);
	if (old && !is_mapped(old_nr)) {
		memcpy(array, old, old_bytes);
		free(old);
	}
	return array;
}

/* Ranges there is room for in as many whole huge pages as @nr need. */
static size_t round_room(size_t nr)
{
	const size_t per_page = HUGE_BYTES / sizeof(struct range);

	return is_mapped(nr) ? DIV_ROUND_UP(nr, per_page) * per_page : nr;
}

static int need_scratch(struct ranges *set, size_t nr)
{
	nr = round_room(nr);
	if (set->scratch_room >= nr)
		return 0;
	free_array(set->scratch, set->scratch_room);
	set->scratch = grow_array(NULL, 0, nr);
	set->scratch_room = set->scratch ? nr : 0;
	return set->scratch ? 0 : -ENOMEM;
}

/*
 * Least significant digit first; digits that are the same everywhere are passed over.
 * @range and @other take turns; the result is in the one that is returned.
 */
static struct range *sort_by_radix(struct range *range, struct range *other, size_t nr)
{
	block_t differing = 0;
	unsigned int shift;
	size_t i;

	for (i = 1; i < nr; i++)
		differing |= range[i].first ^ range[0].first;
	for (shift = 0; shift < 64 && differing >> shift; shift += RADIX_BITS) {
		size_t count[RADIX] = { 0 }, sum = 0, here;
		struct range *swap;

		if (!(differing >> shift & (RADIX - 1)))
			continue;
		for (i = 0; i < nr; i++)
			count[range[i].first >> shift & (RADIX - 1)]++;
		for (i = 0; i < RADIX; i++) {
			here = count[i];
			count[i] = sum;
			sum += here;
		}
		for (i = 0; i < nr; i++)
			other[count[range[i].first >> shift & (RADIX - 1)]++] = range[i];
		swap = range;
		range = other;
		other = swap;
	}
	return range;
}

/* Join ranges that overlap or touch; they are sorted. Return: how many are left. */
static size_t join_neighbours(struct range *range, size_t nr)
{
	size_t in, out = 0;

	for (in = 1; in < nr; in++) {
		if (range[in].first <= range[out].end)
			range[out].end = max(range[out].end, range[in].end);
		else
			range[++out] = range[in];
	}
	return nr ? out + 1 : 0;
}

int ranges_finish(struct ranges *set)
{
	size_t nr_front = set->nr_sorted, nr_tail = set->nr - nr_front, at;
	struct range *tail;
	int r;

	if (!nr_tail)	/* also where nothing was ever added and there is no memory yet */
		return 0;
	tail = set->range + nr_front;
	r = need_scratch(set, nr_tail);
	if (r)
		return r;
	if (sort_by_radix(tail, set->scratch, nr_tail) == tail)
		memcpy(set->scratch, tail, nr_tail * sizeof(*tail));
	nr_tail = join_neighbours(set->scratch, nr_tail);
	at = nr_front + nr_tail;
	set->nr = at;
	/* From the back: what is written is never in front of what is still to be read. */
	while (nr_tail) {
		if (nr_front && set->range[nr_front - 1].first > set->scratch[nr_tail - 1].first)
			set->range[--at] = set->range[--nr_front];
		else
			set->range[--at] = set->scratch[--nr_tail];
	}
	set->nr = join_neighbours(set->range, set->nr);
	set->nr_sorted = set->nr;
	return 0;
}

int ranges_make_room(struct ranges *set)
{
	struct range *range;
	size_t room;
	int r;

	if (set->nr - set->nr_sorted >= max(TAIL_MIN, set->nr_sorted / 4)) {
		r = ranges_finish(set);
		if (r || set->nr < set->room)
			return r;
	}
	/* Double while small; later by what the tail may grow to before it is merged. */
	room = max(ROOM_MIN, set->room * 2);
	room = min(room, set->room + max(TAIL_MIN, set->nr_sorted / 4));
	room = round_room(room);
	range = grow_array(set->range, set->room, room);
	if (!range)
		return -ENOMEM;
	set->range = range;
	set->room = room;
	return 0;
}

size_t ranges_find(const struct ranges *set, block_t block)
{
	size_t low = 0, high = set->nr, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (set->range[middle].end <= block)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool ranges_contain(const struct ranges *set, block_t block)
{
	size_t nr = ranges_find(set, block);

	return nr < set->nr && set->range[nr].first <= block;
}

u64 ranges_blocks(const struct ranges *set)
{
	u64 blocks = 0;
	size_t i;

	for (i = 0; i < set->nr; i++)
		blocks += set->range[i].end - set->range[i].first;
	return blocks;
}

void ranges_free(struct ranges *set)
{
	free_array(set->range, set->room);
	free_array(set->scratch, set->scratch_room);
	*set = (struct ranges){ .nr = 0 };
}
