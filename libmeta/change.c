// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of entries: what each kind of change makes of an entry, and applying them: on
 * disk first, then in memory. See table.h.
 *
 * What becomes visible when, for each transition of an entry (old -> new), after the page
 * is durable:
 *
 *	reserved -> mapped, lost	entry written, then linked: a reader that finds the
 *					slot sees the whole entry. With a move the block's old
 *					slot is still linked behind the new one.
 *	mapped -> mapped, smaller mask	one store of ->where
 *	lost -> lost, smaller mask	likewise
 *	lost -> mapped, mask 0		->where first, then ->state; a reader that loads ->state
 *					first never takes a lost sector for a pending one
 *	mapped, lost -> retired, free	unlinked; the entry is changed only after a grace
 *					period, since a reader may stand on it
 *	reserved -> retired		nobody looks
 *
 * mapped -> lost happens only as a move to another slot, never in place where there are readers: one
 * could take a lost sector for a pending one. (Where there are none: lost.h.)
 */
#include "table_private.h"

static u32 change_time(struct rmeta_table *table)
{
	return (u32)table->store.ops->now(table->store.host);
}

static void start_change(struct rmeta_table *table, struct rmeta_change *change, slot_t slot)
{
	change->slot = slot;
	change->entry = *rmeta_table_entry(table, slot);
	change->error = 0;
}

void rmeta_change_claim(struct rmeta_table *table, struct rmeta_change *change, slot_t slot,
			block_t block, u16 pending, enum rmeta_reason reason)
{
	change->slot = slot;
	change->error = 0;
	change->entry = (struct rmeta_entry){
		.where = rmeta_where(block, pending),
		.time = change_time(table),
		.state = RMETA_MAPPED,
		.reason = reason,
	};
}

void rmeta_change_mask(struct rmeta_table *table, struct rmeta_change *change, slot_t slot,
		       u16 clear)
{
	u64 where;

	start_change(table, change, slot);
	where = change->entry.where;
	change->entry.where = rmeta_where(rmeta_where_block(where),
					  rmeta_where_mask(where) & ~clear);
	if (!rmeta_where_mask(change->entry.where))
		change->entry.state = RMETA_MAPPED;
}

void rmeta_change_move(struct rmeta_table *table, struct rmeta_change *change, slot_t from,
		       slot_t to, u16 clear, u16 lost)
{
	u64 where;

	start_change(table, change, from);
	where = change->entry.where;
	change->entry.where = rmeta_where(rmeta_where_block(where),
					  (rmeta_where_mask(where) & ~clear) | lost);
	if (lost)
		change->entry.state = RMETA_LOST;
	else if (!rmeta_where_mask(change->entry.where))
		change->entry.state = RMETA_MAPPED;
	change->slot = to;
	change->entry.time = change_time(table);
	change->entry.reason = RMETA_REASON_MOVED;
	change->entry.generation++;
}

void rmeta_change_retire(struct rmeta_table *table, struct rmeta_change *change, slot_t slot,
			 block_t block)
{
	start_change(table, change, slot);
	change->entry.where = rmeta_where(block, 0);
	change->entry.time = change_time(table);
	change->entry.state = RMETA_RETIRED;
}

void rmeta_change_free(struct rmeta_table *table, struct rmeta_change *change, slot_t slot)
{
	change->slot = slot;
	change->error = 0;
	memset(&change->entry, 0, sizeof(change->entry));
}

static bool is_linked(const struct rmeta_entry *entry)
{
	return entry->state == RMETA_MAPPED || entry->state == RMETA_LOST;
}

/* The page as it would be with @nr changes, all of this page. */
static int prepare_page(struct rmeta_table *table, struct rmeta_object *object, u8 *image,
			u32 page, const struct rmeta_change *changes, unsigned int nr)
{
	slot_t first_slot = page * RMETA_PAGE_ENTRIES;
	struct rmeta_page_header header = {
		.main_sectors = table->store.geo.main_sectors,
		.block_shift = table->store.geo.block_shift,
		.page = page,
	};
	unsigned int i;
	int r;

	r = rmeta_next_sequence(&table->store, &header.sequence);
	if (r)
		return r;
	memcpy(header.uuid, table->store.uuid, sizeof(header.uuid));
	memcpy(table->overlay, rmeta_table_entry(table, first_slot),
	       RMETA_PAGE_ENTRIES * sizeof(*table->overlay));
	for (i = 0; i < nr; i++)
		table->overlay[changes[i].slot - first_slot] = changes[i].entry;
	rmeta_page_encode(image, &header, table->overlay);
	object->number = page;
	object->live = table->page_live[page];
	object->image = image;
	return 0;
}

/* Make a durable change visible, but for an unlinked entry, which needs a grace period. */
static bool publish(struct rmeta_table *table, const struct rmeta_change *change)
{
	struct rmeta_entry *entry = rmeta_table_entry(table, change->slot);

	rmeta_table_account(table, entry, -1);
	rmeta_table_account(table, &change->entry, 1);
	if (is_linked(entry) && !is_linked(&change->entry)) {
		rmeta_index_remove(&table->index, change->slot);
		return true;
	}
	if (is_linked(entry)) {
		WRITE_ONCE(entry->where, change->entry.where);
		smp_store_release(&entry->state, change->entry.state);
		return false;
	}
	*entry = change->entry;
	if (is_linked(entry))
		rmeta_index_insert(&table->index, change->slot);
	return false;
}

/*
 * Is it the retirement of a claim that has lost its block to a move? When the page does not
 * take it, it is made in memory alone, as a load would.
 */
static bool is_loser(const struct rmeta_table *table, const struct rmeta_change *change)
{
	const struct rmeta_entry *entry = rmeta_table_entry(table, change->slot);

	return change->entry.state == RMETA_RETIRED && is_linked(entry) &&
	       rmeta_index_lookup(&table->index, rmeta_where_block(entry->where)) != change->slot;
}

static void publish_batch(struct rmeta_table *table, struct rmeta_change *changes,
			  unsigned int nr)
{
	bool unlinked = false;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if ((!changes[i].error || is_loser(table, &changes[i])) &&
		    publish(table, &changes[i]))
			unlinked = true;
	if (!unlinked)
		return;
	rmeta_synchronize_rcu();
	for (i = 0; i < nr; i++) {
		if (is_linked(&changes[i].entry) ||
		    (changes[i].error && !is_loser(table, &changes[i])))
			continue;
		*rmeta_table_entry(table, changes[i].slot) = changes[i].entry;
		if (changes[i].entry.state == RMETA_FREE)
			rmeta_table_slot_freed(table, changes[i].slot);
	}
}

static u32 page_of(const struct rmeta_change *change)
{
	return change->slot / RMETA_PAGE_ENTRIES;
}

static bool in_batch(const struct rmeta_object *objects, unsigned int nr, u32 page)
{
	while (nr--)
		if (objects[nr].number == page)
			return true;
	return false;
}

/*
 * Commit changes from the front of the list: as many runs of one page each as fit into a
 * batch. A page that comes up again waits for the next batch, since its next version may
 * only start when this one is done. Returns how many changes it took.
 */
static unsigned int apply_batch(struct rmeta_table *table, struct rmeta_change *changes,
				unsigned int nr)
{
	unsigned int nr_objects = 0, taken = 0, run, i, object;
	int error;

	while (taken < nr && nr_objects < table->store.batch) {
		u32 page = page_of(&changes[taken]);

		if (in_batch(table->objects, nr_objects, page))
			break;
		for (run = 1; taken + run < nr && page_of(&changes[taken + run]) == page; run++)
			;
		error = prepare_page(table, &table->objects[nr_objects],
				     table->images[nr_objects], page, &changes[taken], run);
		for (i = taken; i < taken + run; i++)
			changes[i].error = error;
		taken += run;
		if (!error)
			nr_objects++;
	}
	rmeta_commit(&table->store, table->objects, nr_objects);
	for (object = 0, i = 0; object < nr_objects; object++) {
		const struct rmeta_object *o = &table->objects[object];

		table->page_live[o->number] = o->live;
		for (; i < taken && (changes[i].error || page_of(&changes[i]) != o->number); i++)
			;
		for (; i < taken && page_of(&changes[i]) == o->number; i++)
			changes[i].error = o->error;
	}
	for (i = 0; i < taken; i++)
		if (changes[i].error && changes[i].entry.state == RMETA_RETIRED &&
		    is_linked(rmeta_table_entry(table, changes[i].slot)))
			table->unretired = true;
	publish_batch(table, changes, taken);
	return taken;
}

static bool may_change(const struct rmeta_table *table, const struct rmeta_change *changes,
		       unsigned int nr)
{
	if (table->read_only)
		return false;
	while (table->unretired && nr--)
		if (changes[nr].entry.state == RMETA_FREE)
			return false;
	return true;
}

int rmeta_table_apply(struct rmeta_table *table, struct rmeta_change *changes, unsigned int nr)
{
	unsigned int at, short_pages = 0;
	int r = 0;

	if (!may_change(table, changes, nr)) {
		for (at = 0; at < nr; at++)
			changes[at].error = -EROFS;
		return -EROFS;
	}
	for (at = 0; at < nr;)
		at += apply_batch(table, changes + at, nr - at);
	for (at = 0; at < nr; at++) {
		if (changes[at].error && !r)
			r = changes[at].error;
		if (hweight8(table->page_live[page_of(&changes[at])]) < 2)
			short_pages++;
	}
	if (short_pages)
		rmeta_table_set_needs_check(table);
	return r;
}
