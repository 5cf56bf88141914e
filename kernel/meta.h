/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests to the metadata worker, the one writer of the table; see meta.c. */
#ifndef REMAP_META_H
#define REMAP_META_H

#include <linux/completion.h>
#include <linux/list.h>

#include "table.h"

#define REMAP_META_PAGES 16		/* pages committed together */
#define REMAP_META_CHANGES (8 * RMETA_PAGE_ENTRIES)
#define REMAP_META_BATCH 256		/* small requests taken at once */

struct remap_core;

enum remap_meta_op {
	REMAP_META_CLAIM,	/* @slot for unmapped @block, @bits pending */
	REMAP_META_MASK,	/* clear @bits of @slot */
	REMAP_META_MOVE,	/* @block from @from to @slot, @clear unmasked, @bits lost */
	REMAP_META_RETIRE,	/* @slot is bad */
	REMAP_META_FREE,	/* @slot: the data of @block is durable on main */
	REMAP_META_RESERVE,	/* out: @slot */
	REMAP_META_UNRESERVE,	/* @slot was not needed */
	REMAP_META_COMMIT,	/* save the counters; all earlier requests are done then */
};

/**
 * struct remap_meta - a request to the metadata worker
 * @list: in core->meta_requests
 * @op: what
 * @slot: see enum remap_meta_op
 * @from: likewise
 * @block: likewise
 * @bits: likewise
 * @clear: likewise
 * @reason: of a claim
 * @applied: private
 * @was_linked: private
 * @error: out: 0, -EEXIST (the block has been mapped meanwhile), -EROFS (that page can no
 *	longer be changed; the slot was taken back), -ENOSPC, -EIO (the block is fenced now)
 * @done: completed last
 */
struct remap_meta {
	struct list_head list;
	enum remap_meta_op op;
	slot_t slot;
	slot_t from;
	block_t block;
	u16 bits;
	u16 clear;
	enum rmeta_reason reason;
	bool applied;
	bool was_linked;
	int error;
	struct completion done;
};

/**
 * struct remap_range - blocks of a message
 * @first: first block
 * @nr: how many
 */
struct remap_range {
	block_t first;
	u64 nr;
};

/**
 * struct remap_import - a bulk claim of blocks whose data stays on main
 * @list: in core->imports
 * @ranges: sorted, disjoint
 * @nr_ranges: how many
 * @reason: of the claims
 * @range: private: the range to go on with
 * @at: private: the block in it
 * @handled: out: blocks that are mapped now
 * @error: out: the first error; the rest was not tried
 * @stop: set by the owner: no more
 * @done: completed last
 */
struct remap_import {
	struct list_head list;
	const struct remap_range *ranges;
	unsigned int nr_ranges;
	enum rmeta_reason reason;
	unsigned int range;
	u64 at;
	u64 handled;
	int error;
	bool stop;
	struct completion done;
};

int remap_meta_init(struct remap_core *core);
void remap_meta_exit(struct remap_core *core);
void remap_meta_start(struct remap_core *core, struct list_head *requests);
int remap_meta_wait(struct remap_meta *request);
int remap_meta_run(struct remap_core *core, struct remap_meta *request);
void remap_meta_import(struct remap_core *core, struct remap_import *import);
void remap_meta_kick(struct remap_core *core);

#endif
