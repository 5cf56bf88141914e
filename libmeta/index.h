/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The index: which slot stands in for a block of main.
 *
 * A chained hash table whose links are slot numbers: a head per bucket and a next per slot,
 * 4 bytes each; the key of a chain element is in its entry. Readers hold rcu_read_lock()
 * and take no other lock; there is one writer. Load is kept between 0.5 and 1.5 by exact
 * integer arithmetic: above 150 remaps per 100 buckets the table doubles until it is not,
 * below 50 it halves, and it never has fewer than RMETA_INDEX_MIN buckets. A resize builds
 * new heads and links beside the old ones, publishes both with one pointer, and frees the
 * old ones after a grace period, so that readers never wait and never miss.
 *
 * Memory at 1,000,000 remaps: 16 (entry) + 4 (link) + 4 to 8 (heads) bytes each.
 *
 * Knows nothing of pages, copies, masks or I/O.
 */
#ifndef RMETA_INDEX_H
#define RMETA_INDEX_H

#include "entries.h"

#define RMETA_INDEX_MIN 64		/* buckets */
#define RMETA_INDEX_MAX (1U << 31)	/* buckets */
#define RMETA_INDEX_HOLDOFF 1024	/* most changes between two tries of a failing resize */

struct rmeta_index_table;

/**
 * struct rmeta_index - a block-to-slot map
 * @table: heads and links, replaced as a whole by a resize
 * @entries: whose blocks are compared; not owned
 * @seed: of the hash, random
 * @count: slots linked
 * @resizes: how often the number of buckets changed since rmeta_index_init()
 * @buckets: heads in @table
 * @nr_groups: groups of links allocated
 * @holdoff: inserts or removes to let pass before a resize that failed is tried again
 * @next_holdoff: @holdoff after the next failure; 0 when the last resize succeeded
 * @resized: called after each resize, or NULL
 * @host: its first argument
 */
struct rmeta_index {
	struct rmeta_index_table __rcu *table;
	const struct rmeta_entries *entries;
	u64 seed;
	u64 count;
	u64 resizes;
	u32 buckets;
	u32 nr_groups;
	u32 holdoff;
	u32 next_holdoff;
	void (*resized)(void *host, u32 from, u32 to, u64 count);
	void *host;
};

/**
 * rmeta_index_init() - make an empty index
 * @index: out
 * @entries: its entries; max_groups must be final
 * @seed: of the hash; random, so that nobody can aim at one chain
 * @resized: called by the writer after each resize with the old and new number of buckets
 *	and the count, or NULL
 * @host: first argument of @resized
 *
 * Return: 0 or -ENOMEM.
 * Context: may sleep.
 */
int rmeta_index_init(struct rmeta_index *index, const struct rmeta_entries *entries, u64 seed,
		     void (*resized)(void *host, u32 from, u32 to, u64 count), void *host);

/**
 * rmeta_index_exit() - free an index; no reader may be left
 */
void rmeta_index_exit(struct rmeta_index *index);

/**
 * rmeta_index_grow() - get links for more slots
 * @index: the index
 * @nr_groups: groups of RMETA_GROUP_SLOTS slots that must have links; at most
 *	entries->max_groups
 *
 * Must be called before a slot of a new group is inserted. Links of groups that are there
 * stay where they are: readers are not disturbed.
 *
 * Return: 0 or -ENOMEM, then nothing has changed.
 * Context: the writer; may sleep.
 */
int rmeta_index_grow(struct rmeta_index *index, u32 nr_groups);

/**
 * rmeta_index_presize() - choose the number of buckets for an empty index
 * @index: an index with no slot in it
 * @count: remaps that are about to be inserted
 *
 * Saves the resizes of a load. Not reported to the host and not counted as a resize.
 *
 * Return: 0 or -ENOMEM, then nothing has changed (and inserting still works).
 * Context: the writer, before there are readers; may sleep.
 */
int rmeta_index_presize(struct rmeta_index *index, u64 count);

/**
 * rmeta_index_lookup() - which slot stands in for @block?
 * @index: the index
 * @block: block of main
 *
 * While a block is moved both its slots are linked for an instant; the newer is found. A
 * block that has a linked slot throughout is never missed, whatever the writer does.
 *
 * Return: the slot, or RMETA_NO_SLOT.
 * Context: any, under rcu_read_lock() (or the writer). Never waits.
 */
slot_t rmeta_index_lookup(const struct rmeta_index *index, block_t block);

/**
 * rmeta_index_insert() - link a slot
 * @index: the index
 * @slot: whose entry already holds its block; not linked now
 *
 * To move a block, insert its new slot before the old one is removed.
 *
 * Visible to readers when this returns. May resize; a failed allocation then is no error,
 * the chains just stay longer until the next insert tries again (after repeated failures:
 * one of the next RMETA_INDEX_HOLDOFF).
 *
 * Context: the writer; may sleep (for the grace period of a resize).
 */
void rmeta_index_insert(struct rmeta_index *index, slot_t slot);

/**
 * rmeta_index_remove() - unlink a slot
 * @index: the index
 * @slot: linked now; its entry still holds its block
 *
 * A reader may stand on the slot for one more grace period: until then neither its entry
 * nor its link may change. The caller waits with rmeta_synchronize_rcu(). May resize.
 *
 * Context: the writer; may sleep.
 */
void rmeta_index_remove(struct rmeta_index *index, slot_t slot);

/**
 * rmeta_index_buckets() - number of buckets now
 * Context: any.
 */
u32 rmeta_index_buckets(const struct rmeta_index *index);

/**
 * rmeta_index_bytes() - memory in use by heads, links and their directories
 * Context: any.
 */
u64 rmeta_index_bytes(const struct rmeta_index *index);

#endif
