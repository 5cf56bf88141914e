/* SPDX-License-Identifier: GPL-2.0-only */
/* Bringing blocks home to main; see unmap.c. */
#ifndef REMAP_UNMAP_H
#define REMAP_UNMAP_H

#include "busy.h"
#include "meta.h"

/**
 * struct remap_homing - a block that is being unmapped
 * @busy: ownership of it
 * @block: which
 * @slot: it has now
 * @in_slot: mask of the sectors that are there
 * @error: why it stays there, or 0
 * @home_before: blocks before it that had no slot
 * @request: frees the slot
 */
struct remap_homing {
	struct remap_busy *busy;
	block_t block;
	slot_t slot;
	u16 in_slot;
	int error;
	u64 home_before;
	struct remap_meta request;
};

/**
 * struct remap_unmap - an unmap message under way
 * @ranges: sorted, disjoint
 * @nr_ranges: how many
 * @range: of the block to go on with
 * @at: that block, in it
 * @home: blocks before it that had no slot
 * @freed: blocks that had one, until now
 * @error: out: that of the first block that has one, or 0
 * @error_block: out: which
 * @blocks: being unmapped together
 * @nr: how many
 */
struct remap_unmap {
	const struct remap_range *ranges;
	unsigned int nr_ranges;
	unsigned int range;
	u64 at;
	u64 home;
	u64 freed;
	int error;
	block_t error_block;
	struct remap_homing blocks[REMAP_MESSAGE_BLOCKS];
	unsigned int nr;
};

int remap_unmap(struct remap_core *core, struct remap_unmap *unmap);

#endif
