// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes that make sectors lost. See lost.h; what a change is: table.h.
 */
#include "lost.h"

void rmeta_change_claim_lost(struct rmeta_table *table, struct rmeta_change *change, slot_t slot,
			     block_t block, u16 lost, enum rmeta_reason reason)
{
	rmeta_change_claim(table, change, slot, block, lost, reason);
	change->entry.state = RMETA_LOST;
}

void rmeta_change_lose(struct rmeta_table *table, struct rmeta_change *change, slot_t slot,
		       u16 lost)
{
	const struct rmeta_entry *entry = rmeta_table_entry(table, slot);

	*change = (struct rmeta_change){ .slot = slot, .entry = *entry };
	change->entry.where = rmeta_where(rmeta_where_block(entry->where), lost);
	change->entry.state = RMETA_LOST;
}
