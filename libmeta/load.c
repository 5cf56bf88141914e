// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading (rule 7): superblocks, activation, pages, growth, claims, in this order, each
 * step durable before the next. See table.h and docs/format.md.
 *
 * All pages are read before the activation, since the activation number must be above that
 * of every page; nothing but the superblock is written before it.
 */
#include "table_private.h"


/* A page that is not five times ok, and what is to be done about it. */
struct page_repair {
	u32 page;
	u64 sequence;		/* of the winner, and */
	u8 reserved;		/* its reserved byte */
	u8 ok;			/* copies equal to the winner; 0: there is none, initialise */
	u8 invalid;
	u8 stale;
	u8 unreadable;
};

struct loader {
	struct rmeta_table *table;
	struct rmeta_load *load;
	bool probing;		/* behind pages_used */
	bool found;		/* a valid page in the group being probed */
	bool entries_found;	/* there is a used entry behind pages_used */
	u32 activations;	/* highest seen */
	u32 hidden;		/* superblocks that cannot be read */
	u32 unreadable_pages;	/* pages with two or more unreadable copies */
	struct page_repair *repairs;
	u32 nr_repairs;
	u32 max_repairs;
};

static int refuse(struct rmeta_load *load, u32 page, int error, const char *problem)
{
	load->problem = problem;
	load->problem_page = page;
	return error;
}

/* Make room for one more element of @size bytes in a growing array. */
static int make_room(void **array, u32 nr, u32 *max, size_t size)
{
	u32 larger = *max ? *max * 2 : 64;
	void *copy;

	if (nr < *max)
		return 0;
	copy = rmeta_zalloc(larger * size);
	if (!copy)
		return -ENOMEM;
	if (nr)
		memcpy(copy, *array, nr * size);
	rmeta_free(*array);
	*array = copy;
	*max = larger;
	return 0;
}

/*
 * a. Superblocks
 */

static int judge_superblocks(struct rmeta_load *load, const struct rmeta_scan *scan)
{
	const u32 super = RMETA_OBJECT_SUPERBLOCK;
	unsigned int copy;
	bool geometry = false, blank = true;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (scan->defect[copy] == RMETA_BAD_VERSION)
			return refuse(load, super, -EOPNOTSUPP,
				      "made by another version of the format; use its tools");
	if (scan->winner < 0) {
		if (rmeta_scan_mask(scan, RMETA_UNREADABLE) == RMETA_ALL_COPIES)
			return refuse(load, super, -EIO, "no superblock of the spare can be read");
		for (copy = 0; copy < RMETA_COPIES; copy++) {
			geometry |= scan->defect[copy] == RMETA_BAD_GEOMETRY;
			blank &= scan->defect[copy] == RMETA_BAD_ZERO;
		}
		if (geometry)
			return refuse(load, super, -EFBIG,
				      "the superblock does not fit the length of this device; see remap-check");
		return refuse(load, super, -ENODATA,
			      blank ? "no superblock: blank; make a spare with remap-format" :
			      "no valid superblock; if this is a spare, see remap-check");
	}
	if (scan->conflict)
		return refuse(load, super, -EUCLEAN,
			      "superblocks with equal sequences differ; run remap-check");
	if (rmeta_scan_mask(scan, RMETA_FOREIGN))
		return refuse(load, super, -EUCLEAN,
			      "superblocks of two spares (a format cut short?); run remap-check");
	return 0;
}

static int judge_fields(struct rmeta_table *table, struct rmeta_load *load)
{
	const struct rmeta_superblock *sb = &table->sb;
	const u32 super = RMETA_OBJECT_SUPERBLOCK;

	if (sb->feature_incompat)
		return refuse(load, super, -EOPNOTSUPP,
			      "made by a newer version: unknown incompatible features");
	if (sb->feature_ro_compat && !load->read_only)
		return refuse(load, super, -EROFS,
			      "made by a newer version: unknown features; read-only is possible");
	if (load->main_sectors && load->main_sectors < sb->main_sectors)
		return refuse(load, super, -EINVAL,
			      "main is shorter than the main this spare was made for");
	return 0;
}

static int load_superblock(struct loader *loader)
{
	struct rmeta_table *table = loader->table;
	struct rmeta_load *load = loader->load;
	struct rmeta_object object = { .number = RMETA_OBJECT_SUPERBLOCK };
	u8 *raw[RMETA_COPIES] = { NULL };
	struct rmeta_scan scan;
	unsigned int copy;
	int r;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		raw[copy] = rmeta_zalloc(RMETA_BYTES);
		if (!raw[copy]) {
			r = -ENOMEM;
			goto out;
		}
	}
	rmeta_scan_superblocks(&table->store, load->device_sectors, &scan, raw);
	r = judge_superblocks(load, &scan);
	if (r)
		goto out;
	rmeta_superblock_decode(raw[scan.winner], (u8)scan.winner, &table->sb);
	rmeta_geometry_check(&table->sb, load->device_sectors, &table->store.geo);
	r = judge_fields(table, load);
	if (r)
		goto out;
	memcpy(table->store.uuid, table->sb.uuid, sizeof(table->store.uuid));
	table->sb_raw = raw[scan.winner];
	raw[scan.winner] = NULL;
	load->was_in_use = table->sb.state & RMETA_IN_USE;
	table->needs_check = table->sb.state & RMETA_NEEDS_CHECK;
	loader->activations = max(table->sb.activations,
				  (u32)(table->sb.sequence >> RMETA_SEQUENCE_SHIFT));
	loader->hidden = hweight8(rmeta_scan_mask(&scan, RMETA_UNREADABLE));

	object.image = table->sb_raw;
	object.live = rmeta_scan_mask(&scan, RMETA_OK);
	object.first = rmeta_scan_mask(&scan, RMETA_CORRUPT) |
		       rmeta_scan_mask(&scan, RMETA_UNREADABLE);
	object.then = rmeta_scan_mask(&scan, RMETA_STALE);
	if (!load->read_only && RMETA_RULE(REWRITE_SUPER)) {
		load->repaired += hweight8(object.first | object.then);
		rmeta_rewrite(&table->store, &object, 1);
		load->repaired -= RMETA_COPIES - hweight8(object.live);
	}
	table->sb_live = object.live;
	if (!load->read_only && hweight8(table->sb_live) < 2)
		r = refuse(load, RMETA_OBJECT_SUPERBLOCK, -EROFS,
			   "only one superblock can be written; read-only is possible");
out:
	for (copy = 0; copy < RMETA_COPIES; copy++)
		rmeta_free(raw[copy]);
	return r;
}

/*
 * Reading pages
 */

static int note_repair(struct loader *loader, u32 page, const struct rmeta_scan *scan,
		       u8 *const raw[RMETA_COPIES])
{
	struct page_repair *repair;
	u8 unreadable = rmeta_scan_mask(scan, RMETA_UNREADABLE);
	int r;

	if (hweight8(unreadable) >= 2)
		loader->unreadable_pages++;
	r = make_room((void **)&loader->repairs, loader->nr_repairs, &loader->max_repairs,
		      sizeof(*loader->repairs));
	if (r)
		return r;
	repair = &loader->repairs[loader->nr_repairs++];
	memset(repair, 0, sizeof(*repair));
	repair->page = page;
	if (scan->winner >= 0) {
		struct rmeta_page_header header;

		rmeta_page_decode(raw[scan->winner], NULL, page, (u8)scan->winner, &header);
		repair->sequence = header.sequence;
		repair->reserved = header.reserved;
	}
	repair->ok = rmeta_scan_mask(scan, RMETA_OK);
	repair->unreadable = unreadable;
	repair->invalid = rmeta_scan_mask(scan, RMETA_CORRUPT) |
			  rmeta_scan_mask(scan, RMETA_FOREIGN) | unreadable;
	repair->stale = rmeta_scan_mask(scan, RMETA_STALE);
	return 0;
}

static int load_entries(struct loader *loader, u32 page, const u8 *raw)
{
	struct rmeta_table *table = loader->table;
	u32 slots = rmeta_table_page_slots(table, page), free_slots = 0, nr;
	/* Stepped through, not numbered: behind the last slot the number may not fit. */
	struct rmeta_entry *entry = rmeta_table_entry(table, page * RMETA_PAGE_ENTRIES);
	const char *wrong;

	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++, entry++) {
		rmeta_page_entry(raw, nr, entry);
		wrong = rmeta_entry_valid(entry, table->sb.main_sectors, table->sb.block_shift);
		if (!wrong && nr >= slots && entry->state != RMETA_FREE)
			wrong = "entry is behind the last slot";
		if (wrong)
			return refuse(loader->load, page, -EUCLEAN,
				      "invalid entry in the slot table; run remap-check");
		if (entry->state == RMETA_FREE) {
			free_slots += nr < slots;
			continue;
		}
		rmeta_table_account(table, entry, 1);
		if (loader->probing)
			loader->entries_found = true;
	}
	table->page_free[page] = (u8)free_slots;
	return 0;
}

static int load_page(void *ctx, u32 page, const struct rmeta_scan *scan,
		     u8 *const raw[RMETA_COPIES])
{
	struct loader *loader = ctx;
	struct rmeta_table *table = loader->table;
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (RMETA_RULE(ACTIVATION_PAGES))
			loader->activations = max(loader->activations,
						  (u32)(scan->sequence[copy] >>
							RMETA_SEQUENCE_SHIFT));
	table->page_live[page] = rmeta_scan_mask(scan, RMETA_OK);
	table->page_free[page] = (u8)rmeta_table_page_slots(table, page);
	if (scan->winner < 0) {
		if (!loader->probing)
			return refuse(loader->load, page, -EUCLEAN,
				      "no valid copy of a page of the slot table; run remap-check");
		return note_repair(loader, page, scan, raw);
	}
	if (scan->conflict)
		return refuse(loader->load, page, -EUCLEAN,
			      "copies of a page with equal sequences differ; run remap-check");
	/*
	 * A page in use got two copies at least when it was initialised, so older pages of
	 * another format can be three of its five. Four mean that the front of another spare
	 * was written over this device, and that its table is what would be overwritten.
	 */
	if (!loader->probing && hweight8(rmeta_scan_mask(scan, RMETA_FOREIGN)) == 4)
		return refuse(loader->load, page, -EUCLEAN,
			      "four of five copies of a page belong to another spare; run remap-check");
	loader->found = true;
	if (table->page_live[page] != RMETA_ALL_COPIES) {
		int r = note_repair(loader, page, scan, raw);

		if (r)
			return r;
	}
	return load_entries(loader, page, raw[scan->winner]);
}

static int load_pages(struct loader *loader)
{
	struct rmeta_table *table = loader->table;
	u32 table_pages = table->store.geo.table_pages, page, nr, repairs, unreadable;
	int r;

	for (page = 0; page < table_pages; page += nr) {
		loader->probing = page >= table->sb.pages_used;
		loader->found = false;
		if (loader->probing && !RMETA_RULE(PROBE_GROWTH))
			break;
		nr = min(table_pages - page, (u32)RMETA_GROUP_PAGES);
		repairs = loader->nr_repairs;
		unreadable = loader->unreadable_pages;
		r = rmeta_table_add_group(table);
		if (r)
			return r;
		r = rmeta_scan_pages(&table->store, page, nr, load_page, loader);
		if (r)
			return r;
		if (loader->probing && !loader->found) {
			table->entries.nr_groups--;
			loader->nr_repairs = repairs;
			loader->unreadable_pages = unreadable;
			break;
		}
		if (loader->probing)
			loader->load->recovered_pages += nr;
	}
	return 0;
}

/*
 * b. Activation
 */

static void put_host(struct rmeta_superblock *sb, const struct rmeta_load *load)
{
	memset(sb->host_id, 0, sizeof(sb->host_id));
	memset(sb->host_name, 0, sizeof(sb->host_name));
	if (load->host_id)
		memcpy(sb->host_id, load->host_id, sizeof(sb->host_id));
	if (load->host_name)
		memcpy(sb->host_name, load->host_name,
		       strnlen(load->host_name, sizeof(sb->host_name) - 1));
}

/* The superblock of this activation, and sequences under it; nothing is written. */
static int prepare_activation(struct loader *loader)
{
	struct rmeta_table *table = loader->table;
	struct rmeta_superblock *sb = &table->sb;

	/*
	 * An unreadable superblock may hold an activation that the others never got: it was cut
	 * off in its first step. One number for each hidden copy is passed over.
	 */
	if (RMETA_RULE(ACTIVATION_HIDDEN))
		loader->activations += loader->hidden;
	if (loader->activations >= RMETA_MAX_ACTIVATIONS)
		return refuse(loader->load, RMETA_OBJECT_SUPERBLOCK, -EOVERFLOW,
			      "activated too often; dump, format and restore the spare");
	sb->activations = loader->activations + 1;
	sb->activated = table->store.ops->now(table->store.host);
	sb->state |= RMETA_IN_USE;
	sb->state &= ~RMETA_PRINT_VALID;
	if (table->needs_check)
		sb->state |= RMETA_NEEDS_CHECK;
	put_host(sb, loader->load);
	table->store.activations = sb->activations;
	table->store.counter = 0;
	return 0;
}

/*
 * c. Pages, d. growth
 */

static void prepare_repair(struct rmeta_table *table, const struct page_repair *repair,
			   struct rmeta_object *object, u8 *image, u64 sequence)
{
	struct rmeta_page_header header = {
		.sequence = sequence,
		.main_sectors = table->store.geo.main_sectors,
		.page = repair->page,
		.block_shift = table->store.geo.block_shift,
		.reserved = repair->reserved,
	};

	/* Entries in memory are what the winner held, so this is the winner, byte for byte. */
	memcpy(header.uuid, table->store.uuid, sizeof(header.uuid));
	rmeta_page_encode(image, &header,
			  rmeta_table_entry(table, repair->page * RMETA_PAGE_ENTRIES));
	object->number = repair->page;
	object->image = image;
	object->live = table->page_live[repair->page];
	object->first = repair->invalid;
	object->then = repair->stale;
}

static int rewrite_batch(struct loader *loader, const struct page_repair *const *repairs,
			 unsigned int nr)
{
	struct rmeta_table *table = loader->table;
	unsigned int i, again = 0;
	u64 sequence;
	int r;

	for (i = 0; i < nr; i++)
		prepare_repair(table, repairs[i], &table->objects[i], table->images[i],
			       repairs[i]->sequence);
	rmeta_rewrite(&table->store, table->objects, nr);
	for (i = 0; i < nr; i++) {
		u8 live = table->objects[i].live;

		loader->load->repaired += hweight8(live) - hweight8(repairs[i]->ok);
		table->page_live[repairs[i]->page] = live;
		if (!RMETA_RULE(RECOMMIT) || hweight8(live) < 2 ||
		    (live == RMETA_ALL_COPIES && !repairs[i]->unreadable))
			continue;
		r = rmeta_next_sequence(&table->store, &sequence);
		if (r)
			return r;
		prepare_repair(table, repairs[i], &table->objects[again], table->images[again],
			       sequence);
		again++;
	}
	rmeta_commit(&table->store, table->objects, again);
	for (i = 0; i < again; i++)
		table->page_live[table->objects[i].number] = table->objects[i].live;
	return 0;
}

static bool page_missing(struct rmeta_table *table, u32 page)
{
	return !table->page_live[page];
}

static int repair_pages(struct loader *loader)
{
	struct rmeta_table *table = loader->table;
	const struct page_repair **batch;
	unsigned int nr = 0;
	u32 i;
	int r = 0;

	if (!RMETA_RULE(REWRITE_PAGES))
		return 0;
	batch = rmeta_zalloc(table->store.batch * sizeof(*batch));
	if (!batch)
		return -ENOMEM;
	for (i = 0; i < loader->nr_repairs && !r; i++) {
		if (loader->repairs[i].ok)
			batch[nr++] = &loader->repairs[i];
		if (nr == table->store.batch || i + 1 == loader->nr_repairs) {
			r = rewrite_batch(loader, batch, nr);
			nr = 0;
		}
	}
	rmeta_free(batch);
	return r;
}

/*
 * Take the groups found behind pages_used over. When their missing pages cannot be
 * initialised but nothing is in them yet, they are left alone: the table is complete without.
 */
static int finish_growth(struct loader *loader)
{
	struct rmeta_table *table = loader->table;
	u32 recovered = loader->load->recovered_pages;
	int r;

	if (!recovered)
		return 0;
	if (!table->read_only) {
		r = rmeta_table_init_pages(table, table->sb.pages_used, recovered, page_missing);
		if (r == -EIO && !loader->entries_found) {
			table->entries.nr_groups -= DIV_ROUND_UP(recovered, RMETA_GROUP_PAGES);
			loader->load->recovered_pages = 0;
			table->needs_check = true;
			return 0;
		}
		if (r)
			return r;
	}
	table->sb.pages_used += recovered;
	return table->read_only ? 0 : rmeta_table_commit_super(table);
}

static bool any_page_short(const struct rmeta_table *table)
{
	u32 page;

	for (page = 0; page < table->sb.pages_used; page++)
		if (hweight8(table->page_live[page]) < 2)
			return true;
	return false;
}

static int load_all(struct loader *loader)
{
	struct rmeta_table *table = loader->table;
	int r;

	r = load_superblock(loader);
	if (r)
		return r;
	r = rmeta_table_alloc(table, table->store.batch);
	if (r)
		return r;
	r = rmeta_index_init(&table->index, &table->entries, loader->load->hash_seed, NULL, NULL);
	if (r)
		return r;
	r = load_pages(loader);
	if (r)
		return r;
	if (loader->load->was_in_use && loader->unreadable_pages)
		table->needs_check = true;
	if (!table->read_only) {
		r = prepare_activation(loader);
		if (!r && RMETA_RULE(ACTIVATION_FIRST))
			r = rmeta_table_commit_super(table);
		if (!r)
			r = repair_pages(loader);
		if (!r && !RMETA_RULE(ACTIVATION_FIRST))
			r = rmeta_table_commit_super(table);
		if (r)
			return r;
	}
	r = finish_growth(loader);
	if (r)
		return r;
	r = rmeta_table_load_claims(table, loader->load);
	if (r)
		return r;
	if (table->needs_check || any_page_short(table))
		rmeta_table_set_needs_check(table);
	if (table->read_only)
		return 0;
	return table->sb.pages_used ? 0 : rmeta_table_grow(table);
}

int rmeta_table_load(struct rmeta_table *table, const struct rmeta_host_ops *ops, void *host,
		     struct rmeta_load *load)
{
	struct loader loader = { .table = table, .load = load };
	int r;

	load->problem = NULL;
	load->problem_page = RMETA_OBJECT_SUPERBLOCK;
	load->repaired = 0;
	load->retired_losers = 0;
	load->recovered_pages = 0;
	load->was_in_use = false;
	memset(table, 0, sizeof(*table));
	table->read_only = load->read_only;
	table->store.ops = ops;
	table->store.host = host;
	r = rmeta_store_init(&table->store, load->batch);
	if (!r)
		r = load_all(&loader);
	rmeta_free(loader.repairs);
	if (r) {
		if (!load->problem)
			load->problem = r == -ENOMEM ? "out of memory" :
					"the spare's metadata could not be written";
		rmeta_table_exit(table);
		return r;
	}
	table->index.resized = ops->resized;
	table->index.host = host;
	return 0;
}
