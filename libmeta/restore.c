// SPDX-License-Identifier: GPL-2.0-only
/*
 * Putting a table onto a spare. See restore.h.
 *
 * Another device. Its metadata are erased, then pages are written, page 0 after all others, then
 * the superblocks; each step is durable before the next. What a cut can leave:
 *
 *	some old superblocks		as with a format: what was there before
 *	no superblock, no page 0	nothing that loads and nothing that can be rebuilt, whatever
 *					other pages are there: a half-made format
 *	no superblock, some page 0	all of the table; remap-check rebuilds the superblock
 *	some superblocks		all of the table; a load writes the others
 *
 * Another device that replaces a spare: superblocks are marked, from before the first slot is written
 * to when the other spare does not count any more. One mark at least is there throughout, since
 * copy 0 and the others are never written at a time. What a cut can leave, as above, but:
 *
 *	no superblock, no page 0	only between erasing superblocks and marking them
 *	some marked as being made	nothing that anybody rebuilds; the other spare is whole
 *	some marked as taking over	all of the table; rmeta_restore_finish()
 *
 * Its own spare, released cleanly with sequence S = a:c. Nothing was written after S, so a:c+1 and
 * on are unused; page p is written as a:c+1+p. A load after a cut takes activation a+1 and wins
 * over all of them; a second restore writes the same bytes under the same numbers. The superblock
 * stays, since S is what says that the table is the spare's. What a cut can leave:
 *
 *	a page that was lost is lost	does not load, as before
 *	an older version of a page	loads as before
 *	the table's page		right
 *
 * Its own spare without a superblock, all pages the same: nothing but the superblock is missing.
 */
#include "create_private.h"
#include "marks.h"
#include "restore.h"

#define BATCH_PAGES 64

/* Memory for the pages of one batch. */
struct batch {
	struct rmeta_store store;
	struct rmeta_object objects[BATCH_PAGES];
	u8 *images;
	struct rmeta_entry entries[RMETA_PAGE_ENTRIES];
};

static void batch_free(struct batch *batch)
{
	if (!batch)
		return;
	rmeta_store_exit(&batch->store);
	rmeta_free(batch->images);
	rmeta_free(batch);
}

static struct batch *batch_new(const struct rmeta_host_ops *ops, void *host,
			       const struct rmeta_restore *restore)
{
	struct batch *batch = rmeta_zalloc(sizeof(*batch));

	if (!batch)
		return NULL;
	batch->store.ops = ops;
	batch->store.host = host;
	batch->store.geo = restore->geo;
	memcpy(batch->store.uuid, restore->sb.uuid, sizeof(batch->store.uuid));
	batch->images = rmeta_zalloc(BATCH_PAGES * RMETA_BYTES);
	if (!batch->images || rmeta_store_init(&batch->store, BATCH_PAGES)) {
		batch_free(batch);
		return NULL;
	}
	return batch;
}

/* The table's version of a page as number @nr of a batch, under the next sequence. */
static int prepare(struct batch *batch, const struct rmeta_restore *restore, unsigned int nr,
		   u32 page)
{
	struct rmeta_object *object = &batch->objects[nr];
	struct rmeta_page_header header = {
		.main_sectors = batch->store.geo.main_sectors,
		.block_shift = batch->store.geo.block_shift,
		.page = page,
	};
	int r;

	r = rmeta_next_sequence(&batch->store, &header.sequence);
	if (r)
		return r;
	memcpy(header.uuid, batch->store.uuid, sizeof(header.uuid));
	memset(batch->entries, 0, sizeof(batch->entries));
	restore->fill(restore->ctx, page, batch->entries);
	memset(object, 0, sizeof(*object));
	object->number = page;
	object->image = batch->images + (size_t)nr * RMETA_BYTES;
	rmeta_page_encode(object->image, &header, batch->entries);
	return 0;
}

/* Are these pages in two copies each? */
static int count_copies(struct rmeta_restore *restore, const struct rmeta_object *objects,
			unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (hweight8(objects[i].live) < 2)
			return -EIO;
		restore->bad_copies += RMETA_COPIES - hweight8(objects[i].live);
		restore->written += objects[i].number != RMETA_OBJECT_SUPERBLOCK;
	}
	return 0;
}

/*
 * Another device
 */

static int write_pages(struct batch *batch, struct rmeta_restore *restore, u32 page, u32 end)
{
	unsigned int nr;
	int r;

	while (page < end) {
		for (nr = 0; nr < BATCH_PAGES && page < end; nr++) {
			r = prepare(batch, restore, nr, page++);
			if (r)
				return r;
		}
		rmeta_initialise(&batch->store, batch->objects, nr);
		r = count_copies(restore, batch->objects, nr);
		if (r)
			return r;
		if (restore->progress)
			restore->progress(restore->ctx, page, restore->sb.pages_used);
	}
	return 0;
}

#define MARK_FIRST ((u8)BIT(0))
#define MARK_THEN (RMETA_ALL_COPIES & (u8)~BIT(0))

/* Before anything of the table is there. */
static int mark_making(struct batch *batch, struct rmeta_restore *restore)
{
	int r = rmeta_create_describe(&batch->store, &restore->sb);

	memcpy(restore->sb.host_id, restore->replaces, sizeof(restore->sb.host_id));
	return r ? r : rmeta_mark_write(&batch->store, NULL, &restore->sb, RMETA_ALL_COPIES,
					RMETA_MARK_MAKING);
}

/* Marked superblocks become ones that count. */
static int unmark(struct rmeta_store *store, struct rmeta_superblock *sb)
{
	int r;

	memset(sb->host_id, 0, sizeof(sb->host_id));
	r = rmeta_mark_write(store, NULL, sb, MARK_THEN, RMETA_MARK_NONE);
	return r ? r : rmeta_mark_write(store, NULL, sb, MARK_FIRST, RMETA_MARK_NONE);
}

static int take_over(struct batch *batch, struct rmeta_restore *restore)
{
	struct rmeta_superblock *sb = &restore->sb;
	int r = rmeta_create_describe(&batch->store, sb);

	if (!r)
		r = rmeta_mark_write(&batch->store, NULL, sb, MARK_FIRST, RMETA_MARK_TAKING);
	if (!r)
		r = rmeta_mark_write(&batch->store, NULL, sb, MARK_THEN, RMETA_MARK_TAKING);
	if (!r)
		r = restore->taking(restore->ctx);
	return r ? r : unmark(&batch->store, sb);
}

int rmeta_restore_finish(const struct rmeta_host_ops *ops, void *host, u8 uuid[16])
{
	struct rmeta_store store = { .ops = ops, .host = host };
	struct rmeta_superblock sb;
	int r = rmeta_mark_find(ops, host, &sb);

	if (r != RMETA_MARK_TAKING)
		return r < 0 ? r : -ENODATA;
	r = rmeta_store_init(&store, 1);
	if (r)
		return r;
	memcpy(uuid, sb.uuid, sizeof(sb.uuid));
	r = unmark(&store, &sb);
	rmeta_store_exit(&store);
	return r;
}

int rmeta_restore_new(const struct rmeta_host_ops *ops, void *host, struct rmeta_restore *restore)
{
	u64 pages = DIV_ROUND_UP(restore->nr_slots, RMETA_PAGE_ENTRIES);
	struct batch *batch;
	int r;

	restore->bad_copies = restore->written = 0;
	if (restore->nr_slots > rmeta_slots(&restore->geo))
		return -ENOSPC;
	pages = DIV_ROUND_UP(pages, RMETA_GROUP_PAGES) * RMETA_GROUP_PAGES;
	restore->sb.pages_used = (u32)min(pages, (u64)restore->geo.table_pages);
	batch = batch_new(ops, host, restore);
	if (!batch)
		return -ENOMEM;
	rmeta_create_activation(&batch->store);
	r = rmeta_create_erase(&batch->store);
	if (!r && restore->replaces)
		r = mark_making(batch, restore);
	if (!r && restore->erased)
		r = restore->erased(restore->ctx);
	if (!r)
		r = write_pages(batch, restore, 1, restore->sb.pages_used);
	if (!r && restore->sb.pages_used)
		r = write_pages(batch, restore, 0, 1);
	if (!r)
		r = restore->replaces ? take_over(batch, restore) :
					rmeta_create_super(&batch->store, &restore->sb);
	batch_free(batch);
	return r;
}

/*
 * Judging
 */

/* What the callbacks for pages need. */
struct judge {
	struct rmeta_judgement *judgement;
	const struct rmeta_restore *restore;
	struct rmeta_entry entries[RMETA_PAGE_ENTRIES];
	struct rmeta_entry found[RMETA_PAGE_ENTRIES];
	u32 highest;		/* activation of any page of this spare */
	bool any_page;
	bool other_layout;	/* pages of this spare contradict the table's */
	bool group_found;	/* behind the table's pages */
};

static void note_copies(struct judge *judge, const struct rmeta_scan *scan)
{
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		judge->highest = max(judge->highest,
				     (u32)(scan->sequence[copy] >> RMETA_SEQUENCE_SHIFT));
		judge->other_layout |= scan->defect[copy] == RMETA_BAD_GEOMETRY;
	}
	judge->any_page |= scan->winner >= 0;
}

static void decode_winner(struct judge *judge, const struct rmeta_scan *scan,
			  u8 *const raw[RMETA_COPIES])
{
	unsigned int nr;

	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++)
		rmeta_page_entry(raw[scan->winner], nr, &judge->found[nr]);
}

static int judge_page(void *ctx, u32 page, const struct rmeta_scan *scan,
		      u8 *const raw[RMETA_COPIES])
{
	struct judge *judge = ctx;
	struct rmeta_judgement *judgement = judge->judgement;
	enum rmeta_match match = RMETA_MATCH_LOST;

	note_copies(judge, scan);
	judgement->damaged |= rmeta_scan_mask(scan, RMETA_OK) != RMETA_ALL_COPIES;
	if (scan->winner >= 0) {
		memset(judge->entries, 0, sizeof(judge->entries));
		judge->restore->fill(judge->restore->ctx, page, judge->entries);
		decode_winner(judge, scan, raw);
		match = !scan->conflict &&
			!memcmp(judge->entries, judge->found, sizeof(judge->found)) ?
			RMETA_MATCH_SAME : RMETA_MATCH_DIFFERS;
	}
	judgement->pages[match]++;
	if (judgement->match)
		judgement->match[page] = (u8)match;
	return 0;
}

static int judge_page_behind(void *ctx, u32 page, const struct rmeta_scan *scan,
			     u8 *const raw[RMETA_COPIES])
{
	struct judge *judge = ctx;
	unsigned int nr;

	note_copies(judge, scan);
	if (scan->winner < 0)
		return 0;
	judge->group_found = true;
	decode_winner(judge, scan, raw);
	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++)
		judge->judgement->behind |= judge->found[nr].state != RMETA_FREE;
	return 0;
}

static int judge_pages(struct rmeta_store *store, struct judge *judge)
{
	u32 page = judge->restore->sb.pages_used, nr;
	int r = rmeta_scan_pages(store, 0, page, judge_page, judge);

	judge->group_found = true;
	while (!r && judge->group_found && page < store->geo.table_pages) {
		nr = min(store->geo.table_pages - page, (u32)RMETA_GROUP_PAGES);
		judge->group_found = false;
		r = rmeta_scan_pages(store, page, nr, judge_page_behind, judge);
		page += nr;
	}
	return r;
}

static bool same_layout(const struct rmeta_superblock *a, const struct rmeta_superblock *b)
{
	return a->spare_sectors == b->spare_sectors && a->main_sectors == b->main_sectors &&
	       a->block_shift == b->block_shift;
}

/* Return: the superblocks contradict neither the table nor each other. */
static bool judge_superblocks(struct rmeta_store *store, struct judge *judge)
{
	struct rmeta_judgement *judgement = judge->judgement;
	const struct rmeta_superblock *own = &judge->restore->sb;
	struct rmeta_superblock sb;
	struct rmeta_scan scan;

	rmeta_scan_superblocks(store, judgement->device_sectors, &scan, store->buffers);
	judgement->damaged |= rmeta_scan_mask(&scan, RMETA_OK) != RMETA_ALL_COPIES;
	judgement->has_super = scan.winner >= 0;
	if (scan.winner < 0)
		return true;
	rmeta_superblock_decode(store->buffers[scan.winner], (u8)scan.winner, &sb);
	if (memcmp(sb.uuid, own->uuid, sizeof(sb.uuid)) || !same_layout(&sb, own) ||
	    rmeta_scan_mask(&scan, RMETA_FOREIGN) || scan.conflict)
		return false;
	judgement->unchanged = sb.sequence == own->sequence && !(sb.state & RMETA_IN_USE) &&
			       sb.pages_used == own->pages_used;
	return true;
}

int rmeta_restore_judge(const struct rmeta_host_ops *ops, void *host,
			const struct rmeta_restore *restore, struct rmeta_judgement *judgement)
{
	struct batch *batch = batch_new(ops, host, restore);
	struct judge *judge = rmeta_zalloc(sizeof(*judge));
	struct rmeta_judgement blank = {
		.device_sectors = judgement->device_sectors,
		.match = judgement->match,
	};
	bool agree;
	int r = -ENOMEM;

	*judgement = blank;
	if (batch && judge) {
		judge->judgement = judgement;
		judge->restore = restore;
		agree = judge_superblocks(&batch->store, judge);
		r = judge_pages(&batch->store, judge);
		judgement->is_own = agree && !judge->other_layout &&
				    (judgement->has_super || judge->any_page);
		if (!judgement->is_own || judgement->behind ||
		    judge->highest > restore->sb.sequence >> RMETA_SEQUENCE_SHIFT)
			judgement->unchanged = false;
	}
	rmeta_free(judge);
	batch_free(batch);
	return r;
}

/*
 * Its own spare
 */

/* What the callback for pages needs. */
struct writer {
	struct batch *batch;
	struct rmeta_restore *restore;
	unsigned int nr;
	u64 counter;		/* page p is written under counter + 1 + p */
	struct rmeta_entry found[RMETA_PAGE_ENTRIES];
};

static int flush_pages(struct writer *writer)
{
	unsigned int nr = writer->nr;

	writer->nr = 0;
	rmeta_rewrite(&writer->batch->store, writer->batch->objects, nr);
	return count_copies(writer->restore, writer->batch->objects, nr);
}

static bool holds_table(struct writer *writer, u32 page, const struct rmeta_scan *scan,
			u8 *const raw[RMETA_COPIES])
{
	struct rmeta_entry *entries = writer->batch->entries;
	unsigned int nr;

	if (rmeta_scan_mask(scan, RMETA_OK) != RMETA_ALL_COPIES || scan->conflict)
		return false;
	memset(entries, 0, sizeof(writer->batch->entries));
	writer->restore->fill(writer->restore->ctx, page, entries);
	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++)
		rmeta_page_entry(raw[scan->winner], nr, &writer->found[nr]);
	return !memcmp(entries, writer->found, sizeof(writer->found));
}

/* Invalid copies first, then whole ones, never so many at once that no two are left. */
static int restore_page(void *ctx, u32 page, const struct rmeta_scan *scan,
			u8 *const raw[RMETA_COPIES])
{
	struct writer *writer = ctx;
	struct rmeta_object *object = &writer->batch->objects[writer->nr];
	int r;

	if (writer->restore->progress)
		writer->restore->progress(writer->restore->ctx, page,
					  writer->restore->sb.pages_used);
	if (holds_table(writer, page, scan, raw))
		return 0;
	writer->batch->store.counter = writer->counter + page;
	r = prepare(writer->batch, writer->restore, writer->nr, page);
	if (r)
		return r;
	object->then = rmeta_scan_mask(scan, RMETA_OK) | rmeta_scan_mask(scan, RMETA_STALE);
	object->first = RMETA_ALL_COPIES & ~object->then;
	return ++writer->nr == BATCH_PAGES ? flush_pages(writer) : 0;
}

static int restore_pages(struct batch *batch, struct rmeta_restore *restore, u64 counter)
{
	struct writer *writer = rmeta_zalloc(sizeof(*writer));
	int r;

	if (!writer)
		return -ENOMEM;
	writer->batch = batch;
	writer->restore = restore;
	writer->counter = counter;
	/* Scans read with buffers of their own, so a batch may be written between two pages. */
	r = rmeta_scan_pages(&batch->store, 0, restore->sb.pages_used, restore_page, writer);
	if (!r && writer->nr)
		r = flush_pages(writer);
	rmeta_free(writer);
	return r;
}

/* Superblocks that lost are rewritten from the one that counts. */
static int rewrite_super(struct batch *batch, struct rmeta_restore *restore, u64 device_sectors)
{
	struct rmeta_object object = { .number = RMETA_OBJECT_SUPERBLOCK };
	struct rmeta_scan scan;

	rmeta_scan_superblocks(&batch->store, device_sectors, &scan, batch->store.buffers);
	if (scan.winner < 0)
		return -EIO;
	memcpy(batch->images, batch->store.buffers[scan.winner], RMETA_BYTES);
	object.image = batch->images;
	object.live = rmeta_scan_mask(&scan, RMETA_OK);
	object.then = rmeta_scan_mask(&scan, RMETA_STALE);
	object.first = RMETA_ALL_COPIES & ~(object.live | object.then);
	rmeta_rewrite(&batch->store, &object, 1);
	return count_copies(restore, &object, 1);
}

static int note_activation(void *ctx, u32 page, const struct rmeta_scan *scan,
			   u8 *const raw[RMETA_COPIES])
{
	u32 *highest = ctx;
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		*highest = max(*highest, (u32)(scan->sequence[copy] >> RMETA_SEQUENCE_SHIFT));
	return 0;
}

/*
 * The superblock from the table. One number for each superblock that cannot be read is passed
 * over, as in a load: it may hold an activation that no other copy got.
 */
static int write_super(struct batch *batch, struct rmeta_restore *restore, u64 device_sectors)
{
	struct rmeta_object object = { .number = RMETA_OBJECT_SUPERBLOCK, .image = batch->images };
	struct rmeta_superblock *sb = &restore->sb;
	u32 highest = max(sb->activations, (u32)(sb->sequence >> RMETA_SEQUENCE_SHIFT));
	struct rmeta_scan scan;
	int r;

	rmeta_scan_superblocks(&batch->store, device_sectors, &scan, batch->store.buffers);
	r = rmeta_scan_pages(&batch->store, 0, sb->pages_used, note_activation, &highest);
	if (r)
		return r;
	highest += hweight8(rmeta_scan_mask(&scan, RMETA_UNREADABLE));
	if (highest >= RMETA_MAX_ACTIVATIONS)
		return -EOVERFLOW;
	batch->store.activations = sb->activations = highest + 1;
	batch->store.counter = 0;
	r = rmeta_next_sequence(&batch->store, &sb->sequence);
	if (r)
		return r;
	sb->state |= RMETA_IN_USE;
	sb->state &= (u16)~RMETA_PRINT_VALID;
	memset(object.image, 0, RMETA_BYTES);
	rmeta_superblock_encode(object.image, sb);
	rmeta_initialise(&batch->store, &object, 1);
	return count_copies(restore, &object, 1);
}

int rmeta_restore_own(const struct rmeta_host_ops *ops, void *host,
		      struct rmeta_restore *restore, const struct rmeta_judgement *judgement)
{
	u64 last = restore->sb.sequence;
	struct batch *batch = batch_new(ops, host, restore);
	int r = 0;

	restore->bad_copies = restore->written = 0;
	if (!batch)
		return -ENOMEM;
	if (!judgement->has_super) {
		r = write_super(batch, restore, judgement->device_sectors);
		last = restore->sb.sequence;
	}
	batch->store.activations = (u32)(last >> RMETA_SEQUENCE_SHIFT);
	if (!r)
		r = restore_pages(batch, restore,
				  last & (((u64)1 << RMETA_SEQUENCE_SHIFT) - 1));
	if (!r && judgement->has_super)
		r = rewrite_super(batch, restore, judgement->device_sectors);
	batch_free(batch);
	return r;
}
