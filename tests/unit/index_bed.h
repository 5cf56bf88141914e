/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An index to experiment on, for the unit tests of the index. The code is included rather than
 * linked, so that allocations can be counted and made to fail, and chains can be measured.
 */
#ifndef INDEX_BED_H
#define INDEX_BED_H

#include "host.h"
#include "tap.h"

struct heap_header {
	struct heap_header *next;
	size_t bytes;
};

/*
 * Allocations in hand, their bytes as asked for, tries so far, and how many more may succeed.
 * While a reader is under way, what is freed goes to @late, and is freed when it has ended.
 */
static struct {
	u64 live;
	u64 bytes;
	u64 tries;
	u64 allowed;
	bool reading;
	struct heap_header *late;
} heap = { .allowed = ~0ULL };

static void *test_zalloc(size_t bytes)
{
	struct heap_header *header;

	heap.tries++;
	if (!heap.allowed)
		return NULL;
	if (heap.allowed != ~0ULL)
		heap.allowed--;
	header = calloc(1, sizeof(*header) + bytes);
	if (!header)
		return NULL;
	header->bytes = bytes;
	heap.live++;
	heap.bytes += bytes;
	return header + 1;
}

static void test_free(const void *p)
{
	struct heap_header *header = (struct heap_header *)p - 1;

	if (!p)
		return;
	if (heap.reading) {
		header->next = heap.late;
		heap.late = header;
		return;
	}
	heap.live--;
	heap.bytes -= header->bytes;
	memset(header, 0xff, sizeof(*header) + header->bytes);
	free(header);
}

#define rmeta_zalloc test_zalloc
#define rmeta_free test_free
#include "index.c"
#undef rmeta_zalloc
#undef rmeta_free

#define MAX_EVENTS 64
#define SEED 0x243f6a8885a308d3ULL

struct event {
	u32 from;
	u32 to;
	u64 count;
};

/* An index with its entries, and the resizes it reported. */
struct bed {
	struct rmeta_entries entries;
	struct rmeta_index index;
	struct event events[MAX_EVENTS];
	unsigned int nr_events;
};

static void note_resize(void *host, u32 from, u32 to, u64 count)
{
	struct bed *bed = host;

	if (bed->nr_events < MAX_EVENTS)
		bed->events[bed->nr_events] = (struct event){ from, to, count };
	bed->nr_events++;
}

static void add_groups(struct bed *bed, u32 nr_groups)
{
	struct rmeta_entries *entries = &bed->entries;

	for (; entries->nr_groups < nr_groups; entries->nr_groups++)
		entries->group[entries->nr_groups] =
			calloc(RMETA_GROUP_SLOTS, sizeof(struct rmeta_entry));
}

/* An empty index with room for @slots slots. */
static void make_bed(struct bed *bed, u64 seed, u32 slots)
{
	u32 nr_groups = DIV_ROUND_UP(slots, RMETA_GROUP_SLOTS);

	memset(bed, 0, sizeof(*bed));
	bed->entries.max_groups = nr_groups;
	bed->entries.group = calloc(nr_groups, sizeof(*bed->entries.group));
	add_groups(bed, nr_groups);
	if (rmeta_index_init(&bed->index, &bed->entries, seed, note_resize, bed) ||
	    rmeta_index_grow(&bed->index, nr_groups)) {
		printf("Bail out! out of memory\n");
		exit(1);
	}
}

static void drop_bed(struct bed *bed)
{
	u32 group;

	rmeta_index_exit(&bed->index);
	for (group = 0; group < bed->entries.nr_groups; group++)
		free(bed->entries.group[group]);
	free(bed->entries.group);
}

static void map(struct bed *bed, slot_t slot, block_t block)
{
	rmeta_entry_at(&bed->entries, slot)->where = rmeta_where(block, 0);
	rmeta_index_insert(&bed->index, slot);
}

/* Longest chain, and through @steps the entries that looking all slots up once compares. */
__attribute__((unused))
static u32 longest_chain(const struct bed *bed, u64 *steps)
{
	const struct rmeta_index_table *table = writer_table(&bed->index);
	u32 bucket, length, longest = 0;
	slot_t slot;

	*steps = 0;
	for (bucket = 0; bucket < bed->index.buckets; bucket++) {
		length = 0;
		for (slot = table->heads[bucket]; slot != RMETA_NO_SLOT;
		     slot = *link_of(table, slot))
			*steps += ++length;
		longest = max(longest, length);
	}
	return longest;
}

#endif
