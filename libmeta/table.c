// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slot table as a thing in memory: its life, its slots, its counts, and its superblock.
 * Changes to entries are in change.c, loading is in load.c. See table.h.
 */
#include "table_private.h"

void rmeta_table_account(struct rmeta_table *table, const struct rmeta_entry *entry, int sign)
{
	struct rmeta_counts *counts = &table->counts;
	unsigned int bits = hweight16(rmeta_where_mask(entry->where));

	switch (entry->state) {
	case RMETA_MAPPED:
		counts->mapped += sign;
		counts->pending_sectors += sign * (int)bits;
		break;
	case RMETA_LOST:
		counts->lost += sign;
		counts->lost_sectors += sign * (int)bits;
		break;
	case RMETA_RETIRED:
		counts->retired += sign;
		break;
	case RMETA_RESERVED:
		counts->reserved += sign;
		break;
	}
}

u32 rmeta_table_page_slots(const struct rmeta_table *table, u32 page)
{
	u64 first_slot = (u64)page * RMETA_PAGE_ENTRIES;
	u32 slots = rmeta_slots(&table->store.geo);

	return first_slot >= slots ? 0 : min(slots - (u32)first_slot, (u32)RMETA_PAGE_ENTRIES);
}

int rmeta_table_alloc(struct rmeta_table *table, unsigned int batch)
{
	const struct rmeta_geometry *geo = &table->store.geo;
	unsigned int nr;

	table->entries.max_groups = DIV_ROUND_UP(geo->table_pages, RMETA_GROUP_PAGES);
	table->entries.group = rmeta_zalloc((size_t)table->entries.max_groups *
					    sizeof(*table->entries.group));
	table->page_live = rmeta_zalloc(geo->table_pages);
	table->page_free = rmeta_zalloc(geo->table_pages);
	table->objects = rmeta_zalloc(batch * sizeof(*table->objects));
	table->images = rmeta_zalloc(batch * sizeof(*table->images));
	table->overlay = rmeta_zalloc(RMETA_PAGE_ENTRIES * sizeof(*table->overlay));
	if (!table->entries.group || !table->page_live || !table->page_free || !table->objects ||
	    !table->images || !table->overlay)
		return -ENOMEM;
	for (nr = 0; nr < batch; nr++) {
		table->images[nr] = rmeta_zalloc(RMETA_BYTES);
		if (!table->images[nr])
			return -ENOMEM;
	}
	return 0;
}

void rmeta_table_exit(struct rmeta_table *table)
{
	unsigned int nr;
	u32 group;

	rmeta_index_exit(&table->index);
	for (group = 0; table->entries.group && group < table->entries.max_groups; group++)
		rmeta_free(table->entries.group[group]);
	rmeta_free(table->entries.group);
	rmeta_free(table->page_live);
	rmeta_free(table->page_free);
	for (nr = 0; table->images && nr < table->store.batch; nr++)
		rmeta_free(table->images[nr]);
	rmeta_free(table->images);
	rmeta_free(table->objects);
	rmeta_free(table->overlay);
	rmeta_free(table->sb_raw);
	rmeta_store_exit(&table->store);
	memset(table, 0, sizeof(*table));
}

int rmeta_table_add_group(struct rmeta_table *table)
{
	u32 group = table->entries.nr_groups;
	int r;

	if (!table->entries.group[group])
		table->entries.group[group] = rmeta_zalloc(RMETA_GROUP_SLOTS *
							   sizeof(struct rmeta_entry));
	if (!table->entries.group[group])
		return -ENOMEM;
	r = rmeta_index_grow(&table->index, group + 1);
	if (r)
		return r;
	table->entries.nr_groups++;
	return 0;
}

/*
 * The superblock
 */

int rmeta_table_commit_super(struct rmeta_table *table)
{
	struct rmeta_object object = { .number = RMETA_OBJECT_SUPERBLOCK };
	int r;

	if (table->read_only)
		return -EROFS;
	r = rmeta_next_sequence(&table->store, &table->sb.sequence);
	if (r)
		return r;
	rmeta_superblock_encode(table->sb_raw, &table->sb);
	object.image = table->sb_raw;
	object.live = table->sb_live;
	rmeta_commit(&table->store, &object, 1);
	table->sb_live = object.live;
	return object.error;
}

void rmeta_table_set_needs_check(struct rmeta_table *table)
{
	bool on_disk = table->sb.state & RMETA_NEEDS_CHECK;

	table->needs_check = true;
	table->sb.state |= RMETA_NEEDS_CHECK;
	if (!on_disk && !table->read_only)
		rmeta_table_commit_super(table);
}

int rmeta_table_release(struct rmeta_table *table)
{
	int r;

	if (table->read_only)
		return 0;
	table->sb.state &= ~RMETA_IN_USE;
	r = rmeta_table_commit_super(table);
	if (r)
		table->sb.state |= RMETA_IN_USE;
	return r;
}

unsigned int rmeta_table_live_copies(const struct rmeta_table *table)
{
	unsigned int least = hweight8(table->sb_live);
	u32 page;

	for (page = 0; page < table->sb.pages_used && least; page++)
		least = min(least, hweight8(table->page_live[page]));
	return least;
}

/*
 * Growth (rule 6). What a crash can leave, pages_used on disk being P, then Q:
 *
 *	pages not yet, or partly, initialised; P	the load probes, finds some, finishes
 *	all initialised; P				likewise
 *	all initialised; P in some superblocks, Q in others	Q wins
 *
 * and in none of these does an entry of the new pages exist, since they are used only
 * after Q is durable in all live superblocks.
 */

int rmeta_table_init_pages(struct rmeta_table *table, u32 first_page, u32 nr_pages,
			   bool (*wanted)(struct rmeta_table *table, u32 page))
{
	struct rmeta_page_header header = {
		.main_sectors = table->store.geo.main_sectors,
		.block_shift = table->store.geo.block_shift,
	};
	u32 page = first_page, end = first_page + nr_pages;
	unsigned int nr, i;
	int r;

	memcpy(header.uuid, table->store.uuid, sizeof(header.uuid));
	while (page < end) {
		for (nr = 0; nr < table->store.batch && page < end; page++) {
			struct rmeta_object *object = &table->objects[nr];

			if (wanted && !wanted(table, page))
				continue;
			r = rmeta_next_sequence(&table->store, &header.sequence);
			if (r)
				return r;
			header.page = page;
			object->number = page;
			object->image = table->images[nr++];
			rmeta_page_encode(object->image, &header, NULL);
		}
		rmeta_initialise(&table->store, table->objects, nr);
		for (i = 0; i < nr; i++) {
			if (table->objects[i].error)
				return table->objects[i].error;
			table->page_live[table->objects[i].number] = table->objects[i].live;
		}
	}
	return 0;
}

static int commit_pages_used(struct rmeta_table *table, u32 pages_used)
{
	u32 old = table->sb.pages_used;
	int r;

	table->sb.pages_used = pages_used;
	if (!RMETA_RULE(GROW_SUPER_FIRST))
		return 0;
	r = rmeta_table_commit_super(table);
	if (r)
		table->sb.pages_used = old;
	return r;
}

/* Undo what growing has done in memory to groups from @nr_groups on. */
static void forget_groups(struct rmeta_table *table, u32 nr_groups)
{
	table->entries.nr_groups = nr_groups;
}

/* Initialise whole groups, each durably before the next, so that a load finds all of them. */
static int init_groups(struct rmeta_table *table, u32 first_page, u32 nr_pages)
{
	u32 done, part;
	int r = 0;

	for (done = 0; done < nr_pages && !r; done += part) {
		part = min(nr_pages - done, (u32)RMETA_GROUP_PAGES);
		r = rmeta_table_init_pages(table, first_page + done, part, NULL);
	}
	return r;
}

int rmeta_table_grow_by(struct rmeta_table *table, u32 nr_groups)
{
	u32 first_page = table->sb.pages_used, old_groups = table->entries.nr_groups, page;
	u32 nr_pages = table->store.geo.table_pages - first_page;
	u32 group;
	int r = 0;

	if (table->read_only)
		return -EROFS;
	if (!nr_pages)
		return -ENOSPC;
	nr_groups = min(nr_groups, DIV_ROUND_UP(nr_pages, (u32)RMETA_GROUP_PAGES));
	nr_pages = min(nr_pages, nr_groups * RMETA_GROUP_PAGES);
	for (group = 0; group < nr_groups && !r; group++)
		r = rmeta_table_add_group(table);
	if (r) {
		forget_groups(table, old_groups);
		return r;
	}
	if (!RMETA_RULE(GROW_PAGES_FIRST)) {
		r = commit_pages_used(table, first_page + nr_pages);
		if (!r)
			r = init_groups(table, first_page, nr_pages);
	} else {
		r = init_groups(table, first_page, nr_pages);
		if (!r)
			r = commit_pages_used(table, first_page + nr_pages);
	}
	if (r) {
		forget_groups(table, old_groups);
		return r;
	}
	for (page = first_page; page < first_page + nr_pages; page++)
		table->page_free[page] = (u8)rmeta_table_page_slots(table, page);
	return 0;
}

int rmeta_table_grow(struct rmeta_table *table)
{
	return rmeta_table_grow_by(table, 1);
}

/*
 * Slots
 */

static bool page_usable(const struct rmeta_table *table, u32 page)
{
	return table->page_free[page] && hweight8(table->page_live[page]) >= 2;
}

u32 rmeta_table_ready(const struct rmeta_table *table)
{
	u32 ready = 0, page;

	for (page = table->cursor; page < table->sb.pages_used; page++)
		if (page_usable(table, page))
			ready += table->page_free[page];
	return ready;
}

u32 rmeta_table_free_slots(const struct rmeta_table *table)
{
	const struct rmeta_counts *counts = &table->counts;

	return rmeta_slots(&table->store.geo) -
	       (counts->mapped + counts->lost + counts->retired + counts->reserved);
}

static struct rmeta_entry *page_entries(const struct rmeta_table *table, u32 page)
{
	return rmeta_table_entry(table, page * RMETA_PAGE_ENTRIES);
}

int rmeta_table_reserve(struct rmeta_table *table, slot_t *slot)
{
	struct rmeta_entry *entry;
	unsigned int nr;

	if (table->read_only)
		return -EROFS;
	while (table->cursor < table->sb.pages_used && !page_usable(table, table->cursor)) {
		table->cursor++;
		table->cursor_entry = 0;
	}
	if (table->cursor >= table->sb.pages_used)
		return -ENOSPC;
	entry = page_entries(table, table->cursor);
	for (nr = table->cursor_entry; entry[nr].state != RMETA_FREE; nr++)
		;
	table->cursor_entry = (u8)nr;
	entry[nr].state = RMETA_RESERVED;
	table->page_free[table->cursor]--;
	rmeta_table_account(table, &entry[nr], 1);
	*slot = table->cursor * RMETA_PAGE_ENTRIES + nr;
	return 0;
}

void rmeta_table_unreserve(struct rmeta_table *table, slot_t slot)
{
	struct rmeta_entry *entry = rmeta_table_entry(table, slot);

	rmeta_table_account(table, entry, -1);
	memset(entry, 0, sizeof(*entry));
	rmeta_table_slot_freed(table, slot);
}

void rmeta_table_slot_freed(struct rmeta_table *table, slot_t slot)
{
	u32 page = slot / RMETA_PAGE_ENTRIES;

	table->page_free[page]++;
	rmeta_table_search_from(table, page);
}

void rmeta_table_search_from(struct rmeta_table *table, u32 page)
{
	if (page <= table->cursor) {
		table->cursor = page;
		table->cursor_entry = 0;
	}
}
