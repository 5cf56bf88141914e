// SPDX-License-Identifier: GPL-2.0-only
/*
 * The index: which slot stands in for a block of main (contract in index.h).
 *
 * Owns the heads and the links, and decides how many buckets there are. Promises that a
 * reader under RCU finds every block that was mapped when it began and was not touched since,
 * whatever the writer does meanwhile, and that it comes to an end. Borrows the entries, of
 * which it reads blocks only. Does not know what a slot is for, nor why it is mapped.
 *
 *	table --> { shift, heads, links[] }
 *	                    |      |
 *	                    |      +--> links[g]: next slot, for each of 16,192 slots of group g
 *	                    +---------> heads[b]: first slot of bucket b
 *
 * A chain is heads[b] -> slot -> links of slot -> ... -> RMETA_NO_SLOT. A slot is in one chain
 * at most. Its block, and so its bucket, is in its entry, which does not change its block
 * while the slot is linked, nor for one grace period after it was unlinked.
 *
 * What a reader can see
 * =====================
 *
 * There is one writer, so that the writer's own steps are in order and never overlap. A
 * reader loads the table pointer once, then heads[b] once, then one link after the other. Say
 * that an element is *ahead* of those that follow it in its chain. The order of two elements
 * never changes within one table, and in cases 1 to 3 every link, also the link of a removed
 * element, leads to an element further behind, or to the end.
 *
 * 1. Insert. S is new, A was first:
 *
 *	heads[b] --> A --> B		before
 *	        S --> A --> B		(i)  link of S is written; nobody can reach S
 *	heads[b] --> S --> A --> B	(ii) head is written, with release
 *
 *    A reader that loaded the head before (ii) sees A, B; after it S, A, B. Whoever sees S
 *    sees its link, its entry and the pointers to their chunks, since all were written
 *    before (ii) and are reached through the number that (ii) stored (dependent loads).
 *
 * 2. Remove. P is S's predecessor, or the head:
 *
 *	P --> S --> N			before
 *	P --------> N			one store; the link of S still leads to N
 *
 *    A reader that stands on S goes on to N. If N is removed next, its predecessor is now
 *    P: the link of S stays as it is and still leads to N, whose link is frozen in turn. So
 *    from a removed element one gets, through removed ones, to the first element behind it
 *    that was linked at that time and still is, and skips none that is linked throughout.
 *
 * 3. Move. The block gets slot T while it still has slot S; T is inserted, then S removed. T
 *    goes directly ahead of S:
 *
 *	A --> S --> N			S is found
 *	A --> T --> S --> N		T is found, or S by who had loaded the link of A before
 *	A --> T ------> N		likewise: the link that changed is that of T
 *
 *    Nothing is ever inserted between T and S, so that every way past S leads over T or S,
 *    and to step on either is to find the block. (With T at the head instead, a reader that
 *    had passed the head before T came would miss both if S went before it got there.)
 *    S is still right for one grace period after it was unlinked. Case 4 keeps T and S
 *    together.
 *
 * 4. Resize. New heads and new links are filled in private, old ones left alone; then one
 *    store with release replaces the pointer to both:
 *
 *	table --> { heads, links }	a reader that has this pointer walks the old chains,
 *					which nobody changes any more,
 *	table --> { heads', links' }	or has this one, and walks the new ones
 *
 *    Heads and links hang on one pointer, so that they are never mixed. The old ones are freed
 *    after a grace period; the writer waits for it here, so that at most two tables
 *    exist and case 5 needs to think of one only. A chain is copied front to back, each
 *    element behind those that are already in its new bucket: two slots of one block have
 *    one hash, come one after the other from one old chain, and stay neighbours.
 *
 * 5. Reuse. S was removed, a grace period went by, S gets another block and is inserted into
 *    another chain. A reader that could stand on S began before the grace period ended,
 *    hence ended within it. One that began later meets only elements that were still linked
 *    after S was removed; their links, frozen since (case 2) or not, do not lead to S until
 *    case 1 inserts it again. Without the wait, a reader on S would be carried off into the
 *    other chain: it would miss what is behind S in its own.
 *
 * 6. A new group of links. The pointer is written before any slot of the group is inserted;
 *    as in case 1 nobody gets there before it is visible. A chunk does not move.
 *
 * Never misses: let E be linked in a reader's table from before the reader began until it has
 * ended. The head is E or ahead of E; by 1 to 3 each step goes to E or to an element still
 * ahead of it, or, from a removed element, to one that is. With 5, the element it stands on
 * keeps its meaning. So the walk arrives at E, unless it finds an answer before. A block that
 * moves is found by the same argument with its two slots, which are neighbours, for E. An
 * answer is right because the entry of an element on which a reader stands keeps its block.
 *
 * Never loops: each step leads behind. Elements that are inserted meanwhile are ahead of the
 * reader or, by moves, behind it; but each of those is a slot of its own, since none
 * comes back before the reader has ended, and slots are finite.
 */
#include "index.h"

/*
 * Slots linked per 100 buckets: more than GROW_LOAD doubles the table, fewer than SHRINK_LOAD
 * halves it. Either leaves it half way from doing the other, so that it cannot flutter.
 */
#define GROW_LOAD 150
#define SHRINK_LOAD 50

#define RESCHED_BUCKETS 4096		/* buckets copied between two rmeta_cond_resched() */

/**
 * struct rmeta_index_table - what readers get with one pointer
 * @heads: first slot of each bucket, or RMETA_NO_SLOT
 * @shift: 64 - log2 of the number of buckets: the bucket is the top bits of the hash
 * @links: per group, the next slot of each of its slots; those of slots that were never
 *	linked mean nothing. entries->max_groups pointers, the first index->nr_groups valid.
 */
struct rmeta_index_table {
	u32 *heads;
	u32 shift;
	u32 *links[];
};

/*
 * Two rounds of fold and multiply, the constant twice. The seed goes in first, so that which
 * blocks collide depends on it. Measured: runs and strides of any power of two collide as
 * often as random numbers do, in the top bits, which are the bucket. (Multiplying before the
 * first fold saves nothing and makes some strides 20% worse.)
 */
static inline u64 hash_block(const struct rmeta_index *index, block_t block)
{
	u64 hash = block ^ index->seed;

	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93ULL;
	return (hash ^ hash >> 32) * 0xd6e8feb86659fd93ULL;
}

static inline u32 *head_of(const struct rmeta_index *index, const struct rmeta_index_table *table,
			   block_t block)
{
	return &table->heads[hash_block(index, block) >> table->shift];
}

static inline u32 *link_of(const struct rmeta_index_table *table, slot_t slot)
{
	u32 group = slot / RMETA_GROUP_SLOTS;

	return &table->links[group][slot - group * RMETA_GROUP_SLOTS];
}

static inline block_t block_of(const struct rmeta_index *index, slot_t slot)
{
	return rmeta_where_block(READ_ONCE(rmeta_entry_at(index->entries, slot)->where));
}

/* Only the writer, of whom there is one, replaces the table: it may look without RCU. */
static struct rmeta_index_table *writer_table(const struct rmeta_index *index)
{
	return rcu_dereference_protected(index->table, true);
}

static void free_links(struct rmeta_index_table *table, u32 from_group, u32 to_group)
{
	u32 group;

	for (group = from_group; group < to_group; group++)
		rmeta_free(table->links[group]);
}

static int alloc_links(struct rmeta_index_table *table, u32 from_group, u32 to_group)
{
	u32 group;

	for (group = from_group; group < to_group; group++) {
		table->links[group] = rmeta_zalloc(RMETA_GROUP_SLOTS * sizeof(u32));
		if (!table->links[group]) {
			free_links(table, from_group, group);
			return -ENOMEM;
		}
	}
	return 0;
}

static void free_table(struct rmeta_index_table *table, u32 nr_groups)
{
	free_links(table, 0, nr_groups);
	rmeta_free(table->heads);
	rmeta_free(table);
}

static u64 table_bytes(const struct rmeta_index *index)
{
	return sizeof(struct rmeta_index_table) + (u64)index->entries->max_groups * sizeof(u32 *);
}

static u32 log2_buckets(u32 buckets)
{
	u32 bits = 0;

	while (buckets >> bits > 1)
		bits++;
	return bits;
}

/*
 * An empty table of @buckets, a power of two, with links for all groups; or NULL. The heads,
 * which are the largest piece, are asked for first: then a failure costs least.
 */
static struct rmeta_index_table *alloc_table(const struct rmeta_index *index, u32 buckets)
{
	u64 head_bytes = (u64)buckets * sizeof(u32);
	struct rmeta_index_table *table;
	u32 *heads;

	if (head_bytes != (size_t)head_bytes)
		return NULL;
	heads = rmeta_zalloc(head_bytes);
	if (!heads)
		return NULL;
	table = rmeta_zalloc(table_bytes(index));
	if (!table)
		goto no_table;
	if (alloc_links(table, 0, index->nr_groups))
		goto no_links;

	memset(heads, 0xff, head_bytes);	/* RMETA_NO_SLOT */
	table->heads = heads;
	table->shift = 64 - log2_buckets(buckets);
	return table;

no_links:
	rmeta_free(table);
no_table:
	rmeta_free(heads);
	return NULL;
}

/* Buckets that hold @count slots without growing, starting from @buckets. */
static u32 grown_buckets(u32 buckets, u64 count)
{
	while (buckets < RMETA_INDEX_MAX && count * 100 > (u64)buckets * GROW_LOAD)
		buckets *= 2;
	return buckets;
}

/* Buckets that hold @count slots without shrinking, starting from @buckets. */
static u32 shrunk_buckets(u32 buckets, u64 count)
{
	while (buckets > RMETA_INDEX_MIN && count * 100 < (u64)buckets * SHRINK_LOAD)
		buckets /= 2;
	return buckets;
}

/* Put @slot behind all others of its bucket in a table that no reader has. */
static void append_slot(const struct rmeta_index *index, struct rmeta_index_table *table,
			slot_t slot)
{
	u32 *tail = head_of(index, table, block_of(index, slot));

	while (*tail != RMETA_NO_SLOT)
		tail = link_of(table, *tail);
	*link_of(table, slot) = RMETA_NO_SLOT;
	*tail = slot;
}

/* Case 4. Buckets are the top bits of the hash, so both tables are walked in address order. */
static void copy_chains(const struct rmeta_index *index, const struct rmeta_index_table *from,
			struct rmeta_index_table *to)
{
	u32 bucket;
	slot_t slot;

	for (bucket = 0; bucket < index->buckets; bucket++) {
		if (bucket % RESCHED_BUCKETS == 0)
			rmeta_cond_resched();
		for (slot = from->heads[bucket]; slot != RMETA_NO_SLOT;
		     slot = *link_of(from, slot))
			append_slot(index, to, slot);
	}
}

/*
 * A failed allocation is tried again at the next change; while it keeps failing the distance
 * doubles, since an allocation that fails may first have searched all of memory.
 */
static void hold_off(struct rmeta_index *index)
{
	index->holdoff = index->next_holdoff;
	index->next_holdoff = min(index->next_holdoff * 2 + 1, (u32)RMETA_INDEX_HOLDOFF - 1);
}

static void resize(struct rmeta_index *index, u32 buckets)
{
	struct rmeta_index_table *old = writer_table(index);
	struct rmeta_index_table *new;
	u32 from = index->buckets;

	if (buckets == from)
		return;
	if (index->holdoff) {
		index->holdoff--;
		return;
	}
	new = alloc_table(index, buckets);
	if (!new) {
		hold_off(index);
		return;
	}
	copy_chains(index, old, new);
	rcu_assign_pointer(index->table, new);
	WRITE_ONCE(index->buckets, buckets);
	WRITE_ONCE(index->resizes, index->resizes + 1);
	index->holdoff = 0;
	index->next_holdoff = 0;

	rmeta_synchronize_rcu();
	free_table(old, index->nr_groups);
	if (index->resized)
		index->resized(index->host, from, buckets, index->count);
}

int rmeta_index_init(struct rmeta_index *index, const struct rmeta_entries *entries, u64 seed,
		     void (*resized)(void *host, u32 from, u32 to, u64 count), void *host)
{
	struct rmeta_index_table *table;

	memset(index, 0, sizeof(*index));
	index->entries = entries;
	index->seed = seed;
	index->resized = resized;
	index->host = host;

	table = alloc_table(index, RMETA_INDEX_MIN);
	if (!table)
		return -ENOMEM;
	index->buckets = RMETA_INDEX_MIN;
	rcu_assign_pointer(index->table, table);
	return 0;
}

void rmeta_index_exit(struct rmeta_index *index)
{
	struct rmeta_index_table *table = writer_table(index);

	if (table)
		free_table(table, index->nr_groups);
	rcu_assign_pointer(index->table, NULL);
}

int rmeta_index_grow(struct rmeta_index *index, u32 nr_groups)
{
	if (nr_groups <= index->nr_groups)
		return 0;
	if (alloc_links(writer_table(index), index->nr_groups, nr_groups))
		return -ENOMEM;
	WRITE_ONCE(index->nr_groups, nr_groups);
	return 0;
}

int rmeta_index_presize(struct rmeta_index *index, u64 count)
{
	u32 buckets = grown_buckets(RMETA_INDEX_MIN, count);
	struct rmeta_index_table *old = writer_table(index);
	struct rmeta_index_table *new;

	if (buckets == index->buckets)
		return 0;
	new = alloc_table(index, buckets);
	if (!new)
		return -ENOMEM;
	rcu_assign_pointer(index->table, new);
	WRITE_ONCE(index->buckets, buckets);
	free_table(old, index->nr_groups);
	return 0;
}

slot_t rmeta_index_lookup(const struct rmeta_index *index, block_t block)
{
	const struct rmeta_index_table *table = rcu_dereference_raw(index->table);
	slot_t slot = READ_ONCE(*head_of(index, table, block));

	while (slot != RMETA_NO_SLOT && block_of(index, slot) != block)
		slot = READ_ONCE(*link_of(table, slot));
	return slot;
}

/* Where a slot of @block is to be linked: ahead of its older slot (case 3), or at the head. */
static u32 *place_for(const struct rmeta_index *index, struct rmeta_index_table *table,
		      block_t block)
{
	u32 *head = head_of(index, table, block);
	u32 *from;

	for (from = head; *from != RMETA_NO_SLOT; from = link_of(table, *from))
		if (block_of(index, *from) == block)
			return from;
	return head;
}

void rmeta_index_insert(struct rmeta_index *index, slot_t slot)
{
	struct rmeta_index_table *table = writer_table(index);
	u32 *at = place_for(index, table, block_of(index, slot));

	WRITE_ONCE(*link_of(table, slot), *at);
	/* Whoever sees @slot sees its link and its entry. */
	smp_store_release(at, slot);
	WRITE_ONCE(index->count, index->count + 1);

	resize(index, grown_buckets(index->buckets, index->count));
}

void rmeta_index_remove(struct rmeta_index *index, slot_t slot)
{
	struct rmeta_index_table *table = writer_table(index);
	u32 *from = head_of(index, table, block_of(index, slot));

	/* Case 2. By slot, not by block: in a move the block has two. */
	while (*from != slot)
		from = link_of(table, *from);
	/* The successor may have been linked a moment ago: likewise. */
	smp_store_release(from, *link_of(table, slot));
	WRITE_ONCE(index->count, index->count - 1);

	resize(index, shrunk_buckets(index->buckets, index->count));
}

u32 rmeta_index_buckets(const struct rmeta_index *index)
{
	return READ_ONCE(index->buckets);
}

u64 rmeta_index_bytes(const struct rmeta_index *index)
{
	return table_bytes(index) + (u64)READ_ONCE(index->buckets) * sizeof(u32) +
	       (u64)READ_ONCE(index->nr_groups) * RMETA_GROUP_SLOTS * sizeof(u32);
}
