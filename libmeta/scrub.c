// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scrubbing: reading all five copies of what is in use while the table is live, and bringing
 * those that are not what they should be back to life. See table.h.
 *
 * At a load the highest sequence counts, since nobody knows better. Here somebody does: what
 * is in memory is what is durable and was acknowledged, so it is what the copies are made to
 * hold, and a whole copy with something else in it is a write that got lost or one that failed
 * and yet arrived. Cases of one object, O being what is in memory:
 *
 *	five copies hold O, all of them live	nothing to do
 *	some hold O, the others do not		these are rewritten with O: first those that are
 *						invalid, then those that are whole but old, or
 *						whose last write failed
 *	none holds O, fewer than two are live	a commit failed half-way and was reported as
 *						failed: all are rewritten, and that it failed is
 *						certain from then on
 *	none holds O, two or more are live	memory and spare disagree, and which is right cannot
 *						be told: nothing is written
 *	one is of a later activation, or	somebody else uses the spare: nothing is written
 *	a superblock of another spare
 *	none can be read			the spare is away: nothing is written, and all
 *						copies are taken for what they were
 *
 * A rewrite is under a new sequence, and all live copies are then committed again under one
 * more, so that a copy that could not be read or written this time can never win later.
 */
#include "table_private.h"

/* How to make the present contents of an object, under a new sequence. */
typedef int (*encode_fn)(struct rmeta_table *table, struct rmeta_object *object);

static int encode_super(struct rmeta_table *table, struct rmeta_object *object)
{
	int r = rmeta_next_sequence(&table->store, &table->sb.sequence);

	if (!r)
		rmeta_superblock_encode(object->image, &table->sb);
	return r;
}

static void encode_as(struct rmeta_table *table, u32 page, u64 sequence, u8 reserved, u8 *image)
{
	struct rmeta_page_header header = {
		.sequence = sequence,
		.main_sectors = table->store.geo.main_sectors,
		.page = page,
		.block_shift = table->store.geo.block_shift,
		.reserved = reserved,
	};

	memcpy(header.uuid, table->store.uuid, sizeof(header.uuid));
	rmeta_page_encode(image, &header, rmeta_table_entry(table, page * RMETA_PAGE_ENTRIES));
}

static int encode_table_page(struct rmeta_table *table, struct rmeta_object *object)
{
	u64 sequence;
	int r = rmeta_next_sequence(&table->store, &sequence);

	if (!r)
		encode_as(table, object->number, sequence, 0, object->image);
	return r;
}

/* Sort the copies of an object by what is to be done about them. */
static void judge(struct rmeta_object *object, const struct rmeta_scan *scan, u8 live, bool same)
{
	u8 ok = rmeta_scan_mask(scan, RMETA_OK);
	u8 whole = ok | rmeta_scan_mask(scan, RMETA_STALE);

	object->live = same ? ok & live : 0;
	object->then = whole & ~object->live;
	object->first = RMETA_ALL_COPIES & ~whole;
}

/* Rewrite the bad copies of objects, then commit all of their live ones. */
static int bring_back(struct rmeta_table *table, struct rmeta_object *objects, unsigned int nr,
		      encode_fn encode, struct rmeta_scrub *scrub)
{
	unsigned int i, before = 0, after = 0;
	int r;

	for (i = 0; i < nr; i++) {
		before += hweight8(objects[i].live);
		r = encode(table, &objects[i]);
		if (r)
			return r;
	}
	rmeta_rewrite(&table->store, objects, nr);
	for (i = 0; RMETA_RULE(RECOMMIT) && i < nr; i++) {
		r = encode(table, &objects[i]);
		if (r)
			return r;
	}
	if (RMETA_RULE(RECOMMIT))
		rmeta_commit(&table->store, objects, nr);
	for (i = 0; i < nr; i++) {
		after += hweight8(objects[i].live);
		scrub->dead += RMETA_COPIES - hweight8(objects[i].live);
	}
	scrub->repaired += after > before ? after - before : 0;
	return 0;
}

/*
 * Superblock
 */

/* Are there superblocks that are not ours to overwrite? */
static bool super_is_foreign(const struct rmeta_table *table, const struct rmeta_scan *scan,
			     u8 *const raw[RMETA_COPIES])
{
	struct rmeta_superblock sb;
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (scan->defect[copy] == RMETA_BAD_VERSION || scan->verdict[copy] == RMETA_FOREIGN)
			return true;
	if (scan->winner < 0)
		return false;
	rmeta_superblock_decode(raw[scan->winner], (u8)scan->winner, &sb);
	return memcmp(sb.uuid, table->sb.uuid, sizeof(sb.uuid)) ||
	       sb.sequence >> RMETA_SEQUENCE_SHIFT > table->store.activations;
}

static int scrub_super(struct rmeta_table *table, const struct rmeta_scan *scan,
		       u8 *const raw[RMETA_COPIES], struct rmeta_scrub *scrub)
{
	struct rmeta_object object = {
		.number = RMETA_OBJECT_SUPERBLOCK,
		.image = table->sb_raw,
	};
	bool same = scan->winner >= 0 && !scan->conflict &&
		    rmeta_superblock_same(raw[scan->winner], table->sb_raw);
	int r;

	if (rmeta_scan_mask(scan, RMETA_UNREADABLE) == RMETA_ALL_COPIES)
		return -EIO;
	if (super_is_foreign(table, scan, raw)) {
		scrub->foreign = true;
		return -EUCLEAN;
	}
	/* Its sequence is known, so that a lost write can be told from a wrong memory. */
	if (!same && scan->winner >= 0 && hweight8(table->sb_live) >= 2 &&
	    scan->sequence[scan->winner] >= table->sb.sequence)
		return -EUCLEAN;
	judge(&object, scan, table->sb_live, same);
	if (object.live == RMETA_ALL_COPIES)
		return 0;
	scrub->bad += RMETA_COPIES - hweight8(object.live);
	r = bring_back(table, &object, 1, encode_super, scrub);
	if (!r)
		table->sb_live = object.live;
	return r;
}

int rmeta_table_scrub_super(struct rmeta_table *table, struct rmeta_scrub *scrub)
{
	u8 *raw[RMETA_COPIES] = { NULL };
	struct rmeta_scan scan;
	unsigned int copy;
	int r = -ENOMEM;

	if (table->read_only)
		return -EROFS;
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		raw[copy] = rmeta_zalloc(RMETA_BYTES);
		if (!raw[copy])
			goto out;
	}
	rmeta_scan_superblocks(&table->store, table->sb.spare_sectors, &scan, raw);
	r = scrub_super(table, &scan, raw, scrub);
	/* In memory only: the superblocks are not to be written. */
	if (r == -EUCLEAN)
		table->needs_check = true;
out:
	for (copy = 0; copy < RMETA_COPIES; copy++)
		rmeta_free(raw[copy]);
	return r;
}

/*
 * Pages
 */

struct scrubber {
	struct rmeta_table *table;
	struct rmeta_scrub *scrub;
	unsigned int nr;	/* objects that are to be brought back */
	bool disagree;
	u8 *image;		/* of memory, for comparison */
};

/* Does the winner hold what is in memory? */
static bool page_is_current(struct scrubber *scrubber, u32 page, const struct rmeta_scan *scan,
			    u8 *const raw[RMETA_COPIES])
{
	struct rmeta_page_header header;

	if (scan->winner < 0 || scan->conflict)
		return false;
	rmeta_page_decode(raw[scan->winner], NULL, page, (u8)scan->winner, &header);
	encode_as(scrubber->table, page, header.sequence, header.reserved, scrubber->image);
	return rmeta_page_same(raw[scan->winner], scrubber->image);
}

static int scrub_page(void *ctx, u32 page, const struct rmeta_scan *scan,
		      u8 *const raw[RMETA_COPIES])
{
	struct scrubber *scrubber = ctx;
	struct rmeta_table *table = scrubber->table;
	struct rmeta_object *object = &table->objects[scrubber->nr];
	u8 live = table->page_live[page];
	u8 whole = rmeta_scan_mask(scan, RMETA_OK) | rmeta_scan_mask(scan, RMETA_STALE);
	bool same = page_is_current(scrubber, page, scan, raw);

	if (rmeta_scan_mask(scan, RMETA_UNREADABLE) == RMETA_ALL_COPIES)
		return -EIO;
	scrubber->scrub->pages++;
	if ((!same && hweight8(live) >= 2 && hweight8(whole & live) >= 2) ||
	    (scan->winner >= 0 && scan->sequence[scan->winner] >> RMETA_SEQUENCE_SHIFT >
	     table->store.activations)) {
		scrubber->scrub->page = page;
		scrubber->disagree = true;
		return 0;
	}
	judge(object, scan, live, same);
	if (object->live == RMETA_ALL_COPIES)
		return 0;
	scrubber->scrub->bad += RMETA_COPIES - hweight8(object->live);
	object->number = page;
	object->image = table->images[scrubber->nr++];
	return 0;
}

static int scrub_batch(struct scrubber *scrubber)
{
	struct rmeta_table *table = scrubber->table;
	bool dead = false;
	unsigned int i;
	int r;

	r = bring_back(table, table->objects, scrubber->nr, encode_table_page, scrubber->scrub);
	if (r)
		return r;
	for (i = 0; i < scrubber->nr; i++) {
		u8 live = table->objects[i].live;

		table->page_live[table->objects[i].number] = live;
		dead |= hweight8(live) < 2;
		/* Slots of a page that takes changes again may be given out again. */
		if (hweight8(live) >= 2)
			rmeta_table_search_from(table, table->objects[i].number);
	}
	if (dead)
		rmeta_table_set_needs_check(table);
	return 0;
}

int rmeta_table_scrub_pages(struct rmeta_table *table, u32 first_page, u32 nr_pages,
			    struct rmeta_scrub *scrub)
{
	struct scrubber scrubber = { .table = table, .scrub = scrub };
	u32 end = first_page + min(nr_pages, table->sb.pages_used - first_page), nr;
	int r = 0;

	if (table->read_only)
		return -EROFS;
	scrubber.image = rmeta_zalloc(RMETA_BYTES);
	if (!scrubber.image)
		return -ENOMEM;
	for (; first_page < end && !r; first_page += nr) {
		nr = min(end - first_page, (u32)table->store.batch);
		scrubber.nr = 0;
		r = rmeta_scan_pages(&table->store, first_page, nr, scrub_page, &scrubber);
		if (!r && scrubber.nr)
			r = scrub_batch(&scrubber);
	}
	if (scrubber.disagree) {
		rmeta_table_set_needs_check(table);
		r = r ?: -EUCLEAN;
	}
	rmeta_free(scrubber.image);
	return r;
}
