// SPDX-License-Identifier: GPL-2.0-only
/*
 * Carrying out a plan, in batches: each is durable before the next is begun, so that what is
 * interrupted can be begun again.
 */
#include "import.h"
#include "progress.h"

#define BATCH_CLAIMS (SPARE_BATCH_PAGES * RMETA_PAGE_ENTRIES)

/* Have slots for @wanted claims ready, with as few commits as possible. */
static int grow_for(struct rmeta_table *table, u64 wanted)
{
	u64 ready = rmeta_table_ready(table);
	int r;

	if (wanted <= ready)
		return 0;
	/* Where that does not go through, spare_reserve_slot() tries with a group at a time. */
	r = rmeta_table_grow_by(table, (u32)DIV_ROUND_UP(wanted - ready, (u64)RMETA_GROUP_SLOTS));
	return r == -ENOSPC || r == -EIO ? 0 : r;
}

static int apply_batch(struct rmeta_table *table, struct rmeta_change *changes, unsigned int nr,
		       u64 *imported)
{
	unsigned int i;
	int r;

	r = rmeta_table_apply(table, changes, nr);
	for (i = 0; i < nr; i++)
		*imported += !changes[i].error;
	progress_update(*imported);
	return r;
}

static int claim_blocks(struct rmeta_table *table, const struct import_plan *plan,
			enum rmeta_reason reason, struct rmeta_change *changes, u64 *imported)
{
	const struct ranges *fresh = plan->fresh;
	unsigned int nr = 0;
	block_t block;
	slot_t slot;
	size_t i;
	int r;

	for (i = 0; i < fresh->nr; i++) {
		for (block = fresh->range[i].first; block < fresh->range[i].end; block++) {
			r = spare_reserve_slot(table, &slot);
			if (r)
				return r;
			rmeta_change_claim(table, &changes[nr++], slot, block,
					   rmeta_block_mask(block, table->sb.main_sectors,
							    table->sb.block_shift),
					   reason);
			if (nr < BATCH_CLAIMS)
				continue;
			r = apply_batch(table, changes, nr, imported);
			if (r)
				return r;
			nr = 0;
		}
	}
	return nr ? apply_batch(table, changes, nr, imported) : 0;
}

int import_apply(struct rmeta_table *table, const struct import_plan *plan,
		 enum rmeta_reason reason, u64 *imported)
{
	struct rmeta_change *changes;
	int r;

	changes = calloc(min(plan->wanted, (u64)BATCH_CLAIMS), sizeof(*changes));
	if (!changes)
		return -ENOMEM;
	/* Saves the resizes on the way; without the memory for it they just happen. */
	if (!table->index.count)
		rmeta_index_presize(&table->index, plan->wanted);
	progress_begin("importing blocks", plan->wanted);
	r = grow_for(table, plan->wanted);
	if (!r)
		r = claim_blocks(table, plan, reason, changes, imported);
	progress_end();
	free(changes);
	return r;
}
