// SPDX-License-Identifier: GPL-2.0-only
/*
 * Five copies of one object. See copies.h.
 *
 * What can be on disk while a new version N of an object replaces O, five copies live, F a
 * write in flight (old, new or torn):
 *
 *	before       O O O O O	a load sees O
 *	step 1       F O O O F	3 whole copies of O; N wins if one of the two arrived
 *	between      N O O O N	N wins
 *	step 2       N F F F N	2 whole copies of N
 *	acknowledged N N N N N
 *
 * so at the worst instant a cut and one more copy can be lost. With four live: 2 then 2,
 * with three or two: one at a time. In general a step may take as many copies as leave two
 * whole ones (old or new) that are not in flight, but at least one; the first of five takes
 * two, so that three whole old copies stand against a version that may still fail.
 *
 * A write that fails may have left anything. Its copy leaves the live set, and because
 * later versions have higher sequences, it can only win a later load if everything newer
 * is gone.
 */
#include "copies.h"

#define SCAN_PAGES RMETA_GROUP_PAGES	/* pages read by one request, at most */

#ifdef RMETA_MUTABLE
enum rmeta_rule rmeta_rule_off;
#endif

u8 rmeta_scan_mask(const struct rmeta_scan *scan, enum rmeta_verdict verdict)
{
	unsigned int copy;
	u8 mask = 0;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (scan->verdict[copy] == verdict)
			mask |= BIT(copy);
	return mask;
}

int rmeta_store_init(struct rmeta_store *store, unsigned int batch)
{
	unsigned int nr;

	store->batch = batch;
	store->buffers = rmeta_zalloc(batch * RMETA_COPIES * sizeof(*store->buffers));
	store->ios = rmeta_zalloc(batch * RMETA_COPIES * sizeof(*store->ios));
	if (!store->buffers || !store->ios)
		goto fail;
	for (nr = 0; nr < batch * RMETA_COPIES; nr++) {
		store->buffers[nr] = rmeta_zalloc(RMETA_BYTES);
		if (!store->buffers[nr])
			goto fail;
	}
	return 0;
fail:
	rmeta_store_exit(store);
	return -ENOMEM;
}

void rmeta_store_exit(struct rmeta_store *store)
{
	unsigned int nr;

	for (nr = 0; store->buffers && nr < store->batch * RMETA_COPIES; nr++)
		rmeta_free(store->buffers[nr]);
	rmeta_free(store->buffers);
	rmeta_free(store->ios);
	store->buffers = NULL;
	store->ios = NULL;
}

int rmeta_next_sequence(struct rmeta_store *store, u64 *sequence)
{
	if (store->counter + 1 >= (u64)1 << RMETA_SEQUENCE_SHIFT)
		return -EOVERFLOW;
	store->counter++;
	*sequence = rmeta_sequence(store->activations, store->counter);
	return 0;
}

/*
 * Reading
 */

static bool is_superblock(const struct rmeta_object *object)
{
	return object->number == RMETA_OBJECT_SUPERBLOCK;
}

static void set_io(struct rmeta_io *io, enum rmeta_op op, u64 sector, u32 bytes, void *data)
{
	io->op = op;
	io->sector = sector;
	io->bytes = bytes;
	io->data = data;
	io->error = 0;
}

static void count_errors(struct rmeta_store *store, const struct rmeta_io *ios, unsigned int nr_ios)
{
	unsigned int nr;

	for (nr = 0; nr < nr_ios; nr++)
		if (ios[nr].error)
			store->spare_errors++;
}

/* Choose the winner among copies marked RMETA_OK; the others that are whole become stale. */
static void choose_winner(struct rmeta_scan *scan, u8 *const raw[RMETA_COPIES],
			  bool (*same)(const void *raw, const void *other))
{
	int copy;

	scan->winner = -1;
	scan->conflict = false;
	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (scan->verdict[copy] == RMETA_OK &&
		    (scan->winner < 0 || scan->sequence[copy] > scan->sequence[scan->winner]))
			scan->winner = copy;
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		if (scan->verdict[copy] != RMETA_OK || copy == scan->winner)
			continue;
		if (scan->sequence[copy] < scan->sequence[scan->winner])
			scan->verdict[copy] = RMETA_STALE;
		else if (!same(raw[copy], raw[scan->winner]))
			scan->conflict = true;
	}
}

static enum rmeta_verdict verdict_of(enum rmeta_defect defect)
{
	switch (defect) {
	case RMETA_GOOD:
		return RMETA_OK;
	case RMETA_BAD_UUID:
		return RMETA_FOREIGN;
	case RMETA_BAD_READ:
		return RMETA_UNREADABLE;
	default:
		return RMETA_CORRUPT;
	}
}

void rmeta_scan_superblocks(struct rmeta_store *store, u64 device_sectors,
			    struct rmeta_scan *scan, u8 *raw[RMETA_COPIES])
{
	u8 uuid[RMETA_COPIES][sizeof_field(struct rmeta_superblock, uuid)];
	struct rmeta_io ios[RMETA_COPIES];
	struct rmeta_superblock sb;
	struct rmeta_geometry geo;
	int copy, best = -1;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		set_io(&ios[copy], RMETA_READ, rmeta_superblock_sector(copy), RMETA_BYTES,
		       raw[copy]);
	store->ops->submit(store->host, ios, RMETA_COPIES);
	count_errors(store, ios, RMETA_COPIES);

	memset(scan, 0, sizeof(*scan));
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		enum rmeta_defect defect = RMETA_BAD_READ;

		if (!ios[copy].error) {
			defect = rmeta_superblock_decode(raw[copy], copy, &sb);
			if (defect == RMETA_GOOD && rmeta_geometry_check(&sb, device_sectors, &geo))
				defect = RMETA_BAD_GEOMETRY;
		}
		scan->defect[copy] = defect;
		scan->verdict[copy] = verdict_of(defect);
		if (defect != RMETA_GOOD)
			continue;
		scan->sequence[copy] = sb.sequence;
		memcpy(uuid[copy], sb.uuid, sizeof(uuid[copy]));
		if (best < 0 || sb.sequence > scan->sequence[best])
			best = copy;
	}
	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (scan->verdict[copy] == RMETA_OK &&
		    memcmp(uuid[copy], uuid[best], sizeof(uuid[best]))) {
			scan->verdict[copy] = RMETA_FOREIGN;
			scan->defect[copy] = RMETA_BAD_UUID;
		}
	choose_winner(scan, raw, rmeta_superblock_same);
}

static enum rmeta_defect judge_page(const struct rmeta_store *store, u32 page, const u8 *raw,
				    unsigned int copy, struct rmeta_page_header *header)
{
	enum rmeta_defect defect = rmeta_page_decode(raw, store->uuid, page, copy, header);

	if (defect == RMETA_GOOD && (header->main_sectors != store->geo.main_sectors ||
				     header->block_shift != store->geo.block_shift))
		defect = RMETA_BAD_GEOMETRY;
	return defect;
}

static void scan_page(struct rmeta_store *store, u32 page, u8 *const raw[RMETA_COPIES],
		      u8 unreadable, struct rmeta_scan *scan)
{
	struct rmeta_page_header header;
	unsigned int copy;
	int good = -1;

	memset(scan, 0, sizeof(*scan));
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		enum rmeta_defect defect = RMETA_BAD_READ;

		if (good >= 0 && !(unreadable & BIT(copy)) &&
		    rmeta_page_is_copy_of(raw[copy], copy, raw[good], (u8)good)) {
			scan->sequence[copy] = scan->sequence[good];
			continue;	/* RMETA_GOOD and RMETA_OK are zero */
		}
		if (!(unreadable & BIT(copy)))
			defect = judge_page(store, page, raw[copy], copy, &header);
		scan->defect[copy] = defect;
		scan->verdict[copy] = verdict_of(defect);
		if (defect != RMETA_GOOD)
			continue;
		scan->sequence[copy] = header.sequence;
		good = (int)copy;
	}
	choose_winner(scan, raw, rmeta_page_same);
}

/* Buffers for a run of pages of each copy, and what could not be read of it. */
struct page_run {
	u8 *data[RMETA_COPIES];
	u8 unreadable[SCAN_PAGES];	/* per page of the run, a mask of copies */
};

/*
 * Read @nr pages of the copies in @copies, halving what fails until the bad page is alone:
 * a run of 64 pages with one bad sector costs 13 requests more, not 63.
 */
static void read_run(struct rmeta_store *store, struct page_run *run, u32 first_page, u32 at,
		     u32 nr, u8 copies)
{
	struct rmeta_io ios[RMETA_COPIES];
	u8 of[RMETA_COPIES], failed = 0;
	unsigned int copy, nr_ios = 0, io;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		if (!(copies & BIT(copy)))
			continue;
		of[nr_ios] = copy;
		set_io(&ios[nr_ios++], RMETA_READ,
		       rmeta_page_sector(&store->geo, copy, first_page + at), nr * RMETA_BYTES,
		       run->data[copy] + (size_t)at * RMETA_BYTES);
	}
	store->ops->submit(store->host, ios, nr_ios);
	for (io = 0; io < nr_ios; io++)
		if (ios[io].error)
			failed |= BIT(of[io]);
	if (!failed)
		return;
	if (nr == 1) {
		count_errors(store, ios, nr_ios);
		run->unreadable[at] |= failed;
		return;
	}
	read_run(store, run, first_page, at, nr / 2, failed);
	read_run(store, run, first_page, at + nr / 2, nr - nr / 2, failed);
}

int rmeta_scan_pages(struct rmeta_store *store, u32 first_page, u32 nr_pages, rmeta_page_fn fn,
		     void *ctx)
{
	u32 run_pages = min(nr_pages, (u32)SCAN_PAGES), at, nr;
	u8 *raw[RMETA_COPIES];
	struct rmeta_scan scan;
	struct page_run *run;
	unsigned int copy;
	int r = 0;

	if (!nr_pages)
		return 0;
	run = rmeta_zalloc(sizeof(*run));
	if (!run)
		return -ENOMEM;
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		run->data[copy] = rmeta_zalloc((size_t)run_pages * RMETA_BYTES);
		if (!run->data[copy]) {
			r = -ENOMEM;
			goto out;
		}
	}
	while (nr_pages && !r) {
		nr = min(nr_pages, run_pages);
		memset(run->unreadable, 0, sizeof(run->unreadable));
		read_run(store, run, first_page, 0, nr, RMETA_ALL_COPIES);
		for (at = 0; at < nr && !r; at++) {
			for (copy = 0; copy < RMETA_COPIES; copy++)
				raw[copy] = run->data[copy] + (size_t)at * RMETA_BYTES;
			scan_page(store, first_page + at, raw, run->unreadable[at], &scan);
			r = fn(ctx, first_page + at, &scan, raw);
		}
		first_page += nr;
		nr_pages -= nr;
	}
out:
	for (copy = 0; copy < RMETA_COPIES; copy++)
		rmeta_free(run->data[copy]);
	rmeta_free(run);
	return r;
}

/*
 * Writing
 */

/* Of @mask, the lowest, the highest, the second lowest, ... until there are @count. */
static u8 farthest_apart(u8 mask, unsigned int count)
{
	int low = 0, high = RMETA_COPIES - 1;
	bool take_low = true;
	u8 taken = 0;

	while (hweight8(taken) < count && low <= high) {
		int copy = take_low ? low++ : high--;

		if (mask & BIT(copy)) {
			taken |= BIT(copy);
			take_low = !take_low;
		}
	}
	return taken;
}

/* The copies that the next step of a commit may have in flight. */
static u8 next_step(u8 todo, u8 done)
{
	int nr_todo = hweight8(todo), nr_done = hweight8(done);
	int count = nr_todo + nr_done - 2;

	if (!RMETA_RULE(STEPS))
		return todo;
	if (nr_todo == RMETA_COPIES)
		count = 2;
	if (count < 1)
		count = 1;
	return farthest_apart(todo, min(count, nr_todo));
}

static u64 copy_sector(const struct rmeta_store *store, const struct rmeta_object *object,
		       unsigned int copy)
{
	return is_superblock(object) ? rmeta_superblock_sector(copy) :
				       rmeta_page_sector(&store->geo, copy, object->number);
}

/*
 * Write the copies that each object has in flight, all at once, and wait. Afterwards
 * @flight holds those that failed.
 */
static void write_flight(struct rmeta_store *store, struct rmeta_object *objects, unsigned int nr)
{
	unsigned int nr_ios = 0, object, copy, io = 0;

	for (object = 0; object < nr; object++)
		for (copy = 0; copy < RMETA_COPIES; copy++) {
			u8 *buffer = store->buffers[nr_ios];

			if (!(objects[object].flight & BIT(copy)))
				continue;
			memcpy(buffer, objects[object].image, RMETA_BYTES);
			if (is_superblock(&objects[object]))
				rmeta_superblock_set_copy(buffer, copy);
			else
				rmeta_page_set_copy(buffer, copy);
			set_io(&store->ios[nr_ios++], RMETA_WRITE,
			       copy_sector(store, &objects[object], copy), RMETA_BYTES, buffer);
		}
	if (!nr_ios)
		return;
	store->ops->submit(store->host, store->ios, nr_ios);
	count_errors(store, store->ios, nr_ios);
	for (object = 0; object < nr; object++)
		for (copy = 0; copy < RMETA_COPIES; copy++)
			if ((objects[object].flight & BIT(copy)) && !store->ios[io++].error)
				objects[object].flight &= ~BIT(copy);
}

/* A step has been written: move its copies on, and end the commit if too few are left. */
static void end_step(struct rmeta_object *object)
{
	u8 failed = object->flight;

	object->todo &= ~object->step;
	object->done |= object->step & ~failed;
	if (RMETA_RULE(FAILED_NOT_LIVE))
		object->live &= ~failed;
	if (RMETA_RULE(TWO_LIVE) && hweight8(object->live) < 2) {
		object->error = -EIO;
		object->todo = 0;
	}
	if (!RMETA_RULE(ALL_LIVE))
		object->todo = 0;
}

void rmeta_commit(struct rmeta_store *store, struct rmeta_object *objects, unsigned int nr)
{
	bool more, failed = false;
	unsigned int object;

	for (object = 0; object < nr; object++) {
		objects[object].error = 0;
		objects[object].done = 0;
		objects[object].todo = objects[object].live;
		if (RMETA_RULE(TWO_LIVE) && hweight8(objects[object].live) < 2) {
			objects[object].error = -EROFS;
			objects[object].todo = 0;
		}
	}
	do {
		more = false;
		for (object = 0; object < nr; object++)
			objects[object].step = objects[object].flight =
				next_step(objects[object].todo, objects[object].done);
		write_flight(store, objects, nr);
		for (object = 0; object < nr; object++) {
			if (!objects[object].todo)
				continue;
			failed |= objects[object].flight != 0;
			end_step(&objects[object]);
			more |= objects[object].todo != 0;
		}
	} while (more);
	if (failed && !RMETA_RULE(SEQUENCE_UNIQUE))
		store->counter -= nr;
}

/*
 * The losers that may be rewritten next: two at a time, since more would be torn together.
 * Those that are stale are whole copies still, of the version before: of them only as many as
 * leave two whole copies that are not in flight.
 */
static u8 next_rewrite(const struct rmeta_object *object)
{
	int count = hweight8(object->live) + hweight8(object->then) - 2;

	if (!RMETA_RULE(REWRITE_TWO))
		return object->first ? object->first : object->then;
	if (object->first)
		return farthest_apart(object->first, 2);
	return farthest_apart(object->then, (unsigned int)max(1, min(2, count)));
}

void rmeta_rewrite(struct rmeta_store *store, struct rmeta_object *objects, unsigned int nr)
{
	unsigned int object;
	bool more;

	do {
		more = false;
		for (object = 0; object < nr; object++) {
			struct rmeta_object *o = &objects[object];

			o->step = next_rewrite(o);
			o->flight = o->step;
			o->first &= ~o->step;
			o->then &= ~o->step;
			more |= o->step != 0;
		}
		write_flight(store, objects, nr);
		for (object = 0; object < nr; object++)
			objects[object].live |= objects[object].step & ~objects[object].flight;
	} while (more);
}

void rmeta_initialise(struct rmeta_store *store, struct rmeta_object *objects, unsigned int nr)
{
	unsigned int object;

	for (object = 0; object < nr; object++)
		objects[object].flight = RMETA_ALL_COPIES;
	write_flight(store, objects, nr);
	for (object = 0; object < nr; object++) {
		objects[object].live = RMETA_ALL_COPIES & ~objects[object].flight;
		objects[object].error = hweight8(objects[object].live) < 2 ? -EIO : 0;
	}
}
