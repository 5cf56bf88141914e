/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes that make sectors lost because main became another device, a clone that does not have them.
 * Userspace only: nobody reads the table meanwhile.
 */
#ifndef RMETA_LOST_H
#define RMETA_LOST_H

#include "table.h"

/**
 * rmeta_change_claim_lost() - an unmapped block, of which nobody has some sectors, gets a slot
 * @table: the table
 * @change: out
 * @slot: from rmeta_table_reserve(); the other sectors of the block are durable in it
 * @block: of main, not mapped
 * @lost: mask of the sectors that nobody has; not 0
 * @reason: enum rmeta_reason
 */
void rmeta_change_claim_lost(struct rmeta_table *table, struct rmeta_change *change, slot_t slot,
			     block_t block, u16 lost, enum rmeta_reason reason);

/**
 * rmeta_change_lose() - pending sectors of a block become lost, in the slot that it has
 * @table: the table
 * @change: out
 * @slot: mapped; pending sectors that are not lost are durable in it now
 * @lost: mask of the sectors that nobody has, all of them pending; not 0
 *
 * Context: the writer, where there are no readers: one could take a lost sector for a pending one.
 */
void rmeta_change_lose(struct rmeta_table *table, struct rmeta_change *change, slot_t slot,
		       u16 lost);

#endif
