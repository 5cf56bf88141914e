// SPDX-License-Identifier: GPL-2.0-only
/*
 * Erasing a spare (rule 12). See erase.h.
 *
 * A spare whose superblocks are all gone is one that somebody ran dd over: its table is rebuilt from
 * its pages, and rightly so. An erase must not leave that. So superblocks are marked before anything
 * is destroyed, one of them, the anchor, first, and the anchor is what goes last. Each step is
 * durable before the next:
 *
 *	step				what a cut during it leaves
 *	mark the anchor			the spare, whole, by the other superblocks
 *	mark the other superblocks	the spare, whole, as long as one of them is not marked yet
 *	zero page 0 of all zones	the mark
 *	zero the other pages		the mark
 *	what the caller wipes		the mark
 *	zero the other superblocks	the mark, in the anchor
 *	zero the anchor			the mark, or nothing: it is in the anchor's first sector
 *
 * "Whole" is why the anchor is never the only superblock that holds what counts.
 */
#include "erase.h"
#include "marks.h"

#define WRITE_PAGES 512U	/* of each zone at once */

/**
 * struct erasing - an erase under way
 * @store: I/O, layout
 * @erase: what the caller wants
 * @sb: what all marks say
 * @raw: the superblock's bytes, so that what this version does not know is kept
 * @anchor: copy that is marked first and zeroed last
 * @zeroes: WRITE_PAGES pages of them
 */
struct erasing {
	struct rmeta_store store;
	const struct rmeta_erase *erase;
	struct rmeta_superblock sb;
	u8 raw[RMETA_BYTES];
	u8 anchor;
	u8 *zeroes;
};

/* Return: a copy that says an erase goes on, or that there was nothing yet to be kept; or -1. */
static int find_marked(u8 *const raw[RMETA_COPIES], const struct rmeta_scan *scan,
		       struct rmeta_superblock *sb)
{
	enum rmeta_mark mark;
	int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		if (scan->defect[copy] == RMETA_BAD_READ)
			continue;
		mark = rmeta_mark_decode(raw[copy], (u8)copy, sb);
		if (mark == RMETA_MARK_ERASING || mark == RMETA_MARK_MAKING)
			return copy;
	}
	return -1;
}

/* Which superblock is to be marked everywhere, and where to begin. */
static int choose(struct erasing *erasing)
{
	struct rmeta_store *store = &erasing->store;
	struct rmeta_scan scan;
	int copy;

	rmeta_scan_superblocks(store, erasing->erase->device_sectors, &scan, store->buffers);
	copy = scan.winner;
	if (copy >= 0) {
		rmeta_superblock_decode(store->buffers[copy], (u8)copy, &erasing->sb);
		erasing->sb.pages_used = max(erasing->sb.pages_used, erasing->erase->pages_used);
		erasing->anchor = rmeta_scan_mask(&scan, RMETA_OK) == BIT(0);
	} else {
		copy = find_marked(store->buffers, &scan, &erasing->sb);
		if (copy < 0)
			return -ENODATA;
		erasing->anchor = (u8)copy;
	}
	memcpy(erasing->raw, store->buffers[copy], RMETA_BYTES);
	return rmeta_geometry_check(&erasing->sb, erasing->erase->device_sectors, &store->geo) ?
	       -EFBIG : 0;
}

/* Send writes; all of them are durable when there is no error. */
static int submit(struct erasing *erasing, struct rmeta_io *ios, unsigned int nr)
{
	unsigned int i;

	erasing->store.ops->submit(erasing->store.host, ios, nr);
	for (i = 0; i < nr; i++)
		if (ios[i].error)
			return ios[i].error;
	return 0;
}

static int mark_superblocks(struct erasing *erasing, u8 copies)
{
	return rmeta_mark_write(&erasing->store, erasing->raw, &erasing->sb, copies,
				RMETA_MARK_ERASING);
}

static int zero_superblocks(struct erasing *erasing, u8 copies)
{
	struct rmeta_io ios[RMETA_COPIES];
	unsigned int nr = 0;
	u8 copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (copies & BIT(copy))
			ios[nr++] = (struct rmeta_io){
				.op = RMETA_WRITE,
				.sector = rmeta_superblock_sector(copy),
				.bytes = RMETA_BYTES,
				.data = erasing->zeroes,
			};
	return submit(erasing, ios, nr);
}

static int zero_pages(struct erasing *erasing, u32 first, u32 nr)
{
	struct rmeta_io ios[RMETA_COPIES];
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		ios[copy] = (struct rmeta_io){
			.op = RMETA_WRITE,
			.sector = rmeta_page_sector(&erasing->store.geo, copy, first),
			.bytes = nr * RMETA_BYTES,
			.data = erasing->zeroes,
		};
	return submit(erasing, ios, RMETA_COPIES);
}

/*
 * Pages that a table in use can have, and a group behind it whose initialisation was cut short. Not
 * the whole table, which is 20 GB on a spare of 1 TB: what is behind was never written, or is of
 * older spares, whose page 0 is gone as this one's.
 */
static int zero_table(struct erasing *erasing)
{
	const struct rmeta_erase *erase = erasing->erase;
	u64 groups = DIV_ROUND_UP(erasing->sb.pages_used, RMETA_GROUP_PAGES) + 1;
	u32 end = (u32)min(groups * RMETA_GROUP_PAGES, (u64)erasing->store.geo.table_pages);
	u32 page, nr = 1;
	int r = 0;

	for (page = 0; page < end && !r; page += nr, nr = min(end - page, WRITE_PAGES)) {
		if (erase->progress)
			erase->progress(erase->ctx, page, end);
		r = zero_pages(erasing, page, nr);
	}
	return r;
}

int rmeta_erase(const struct rmeta_host_ops *ops, void *host, const struct rmeta_erase *erase)
{
	struct erasing erasing = { .store = { .ops = ops, .host = host }, .erase = erase };
	u8 others;
	int r;

	r = rmeta_store_init(&erasing.store, 1);
	if (r)
		return r;
	erasing.zeroes = rmeta_zalloc((size_t)WRITE_PAGES * RMETA_BYTES);
	r = erasing.zeroes ? choose(&erasing) : -ENOMEM;
	others = RMETA_ALL_COPIES & (u8)~BIT(erasing.anchor);
	if (!r)
		r = mark_superblocks(&erasing, (u8)BIT(erasing.anchor));
	if (!r)
		r = mark_superblocks(&erasing, others);
	if (!r)
		r = zero_table(&erasing);
	if (!r && erase->wipe)
		r = erase->wipe(erase->ctx);
	if (!r)
		r = zero_superblocks(&erasing, others);
	if (!r)
		r = zero_superblocks(&erasing, (u8)BIT(erasing.anchor));
	rmeta_free(erasing.zeroes);
	rmeta_store_exit(&erasing.store);
	return r;
}
