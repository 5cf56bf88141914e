// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which blocks of a list have a slot already? Asked from the side that has fewer: for each
 * block of the list, or for each slot in use.
 */
#include "import.h"

static bool is_in_use(const struct rmeta_entry *entry)
{
	return entry->state == RMETA_MAPPED || entry->state == RMETA_LOST;
}

static int take_by_block(struct import_plan *plan, const struct rmeta_table *table,
			 const struct ranges *ranges)
{
	block_t block, from;
	size_t i;
	int r;

	for (i = 0; i < ranges->nr; i++) {
		from = ranges->range[i].first;
		for (block = from; block <= ranges->range[i].end; block++) {
			bool here = block < ranges->range[i].end &&
				    rmeta_index_lookup(&table->index, block) != RMETA_NO_SLOT;

			if (!here && block < ranges->range[i].end)
				continue;
			plan->present += here;
			if (block > from) {
				r = ranges_add(&plan->own, from, block);
				if (r)
					return r;
			}
			from = block + 1;
		}
	}
	return ranges_finish(&plan->own);
}

/* @ranges without the blocks of @holes, all of which are in it. */
static int subtract(struct ranges *out, const struct ranges *ranges, const struct ranges *holes)
{
	size_t i, hole = 0;
	block_t from;
	int r = 0;

	for (i = 0; i < ranges->nr && !r; i++) {
		from = ranges->range[i].first;
		for (; hole < holes->nr && holes->range[hole].first < ranges->range[i].end && !r;
		     hole++) {
			if (holes->range[hole].first > from)
				r = ranges_add(out, from, holes->range[hole].first);
			from = holes->range[hole].end;
		}
		if (!r && from < ranges->range[i].end)
			r = ranges_add(out, from, ranges->range[i].end);
	}
	return r ? r : ranges_finish(out);
}

static int take_by_slot(struct import_plan *plan, const struct rmeta_table *table,
			const struct ranges *ranges)
{
	u64 slots = min((u64)table->sb.pages_used * RMETA_PAGE_ENTRIES,
			(u64)rmeta_slots(&table->store.geo));
	struct ranges present = { .nr = 0 };
	u64 slot;
	int r = 0;

	for (slot = 0; slot < slots && !r; slot++) {
		const struct rmeta_entry *entry = rmeta_table_entry(table, (slot_t)slot);
		block_t block = rmeta_where_block(entry->where);

		if (!is_in_use(entry) || !ranges_contain(ranges, block))
			continue;
		plan->present++;
		r = ranges_add(&present, block, block + 1);
	}
	if (!r)
		r = ranges_finish(&present);
	if (!r)
		r = subtract(&plan->own, ranges, &present);
	ranges_free(&present);
	return r;
}

int import_plan_make(struct import_plan *plan, const struct rmeta_table *table,
		     const struct ranges *ranges)
{
	u64 in_use = table->counts.mapped + table->counts.lost;
	int r = 0;

	*plan = (struct import_plan){ .blocks = ranges_blocks(ranges), .fresh = &plan->own };
	if (!in_use)
		plan->fresh = ranges;
	else if (plan->blocks <= in_use)
		r = take_by_block(plan, table, ranges);
	else
		r = take_by_slot(plan, table, ranges);
	plan->wanted = plan->blocks - plan->present;
	plan->only_there = in_use - plan->present;
	return r;
}

void import_plan_free(struct import_plan *plan)
{
	ranges_free(&plan->own);
}
