// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way of a bio down to a device and back up: the fast path, the splitting of bios that
 * meet remapped blocks, and the re-test of writes that main has completed. Decides where a
 * bio goes and who is to work on it; does no I/O of its own and never sleeps.
 *
 * Cases of a bio on its way down, beyond the fast path. B is a block boundary, a bio is
 * cut where its case changes and the rest comes back as another bio:
 *
 *	unmapped run	|----B----B--|		to main; a write is counted in core->flight
 *	slot run	|SSSSBSSSSBSS|		slots that are neighbours on the spare, and no
 *						mask bit of a wanted sector: to the spare as
 *						one bio, counted; a write with FUA
 *	pending run	|pppp|			read: to main, which has the only copy
 *	lost run	|llll|			read: fails, nobody has it
 *	masked block	B--p-B			write of a masked sector: one block to a context
 *	busy block	B....B			one block, parked until its owner is done
 *	fenced block	B!!!!B			fails
 *
 * Cases of a write that main has completed:
 *
 *	region bit clear			done
 *	set, all blocks unmapped, none busy	done, unless it may have been undone (below)
 *	set, a block is mapped or busy		a context stores the data where the block
 *						lives now, before the write completes
 *
 * Why this is enough. Whoever changes where a block lives (its owner) does, in this order:
 *
 *	claim busy; set region bit; smp_mb; look up again; try main again;
 *	slot data durable; page durable; publish in the index; release
 *
 * and every bio tests busy before it looks the block up (remap_busy_test() acquires what a
 * release published). Take a bio and an owner of one of its blocks:
 *
 * - A read that looked up before the publishing and goes to main reads what main had; any
 *   write it could miss by that is not acknowledged before the publishing, so it was
 *   concurrent with the read.
 * - A write that tested busy after the claim parks, and is looked up after the release.
 * - A write that tested busy before the claim goes to main, is not waited for, and tests
 *   again when main has completed it. If it then finds the region bit clear, or the block
 *   neither busy nor mapped, main had completed it before the claim, so that the owner's own
 *   read of main, which comes after the claim, found the data. Otherwise a context puts the
 *   data where the block lives by then. Either way it is acknowledged only when it is where
 *   reads will look.
 * - A bio that was sent to a slot holds core->flight from before its busy test until the
 *   spare has completed it. An owner that copies out of a slot or frees it waits with
 *   synchronize_srcu() after its claim: bios that it does not wait for test busy after the
 *   claim, and park. So when the slot of an unmapped block is given to another block, no bio
 *   for the old one is under way to it; and none that looked it up is about to go there.
 *
 * Two owners write to main what no bio has brought, and could undo a write that main has
 * completed: a rewrite of a block with its own data (remap_main_alive(): read old data, write
 * lands, old data written back), and an unmap (write sent to main, block mapped with old data,
 * write lands, old data copied home). Both set core->rewrites before they read what they will
 * write, and then wait for core->flight, which a write of the slow path leaves only after it
 * has looked at its blocks again. So such a write
 *
 * - has found its block unmapped and free before the claim: a rewriter's read has its data;
 *   so has what an unmap copies, since the block was mapped after that, by a copy of main;
 * - or has found it mapped or busy, and a context has it, which waits for the owner. When the
 *   block is unmapped by then, it is made again.
 *
 * Writes of the fast path cannot be counted, but there are finitely many that are under way
 * when the region bit is set, and all of them find it set in end_io. They look at
 * core->rewrites after their blocks, so that one which finds a block free that a rewriter or
 * an unmap has let go sees it set; then a context that owns the block makes the write again.
 * Making a write again that has not been acknowledged is harmless: whatever it overwrites was
 * concurrent with it.
 *
 * Polled bios (REQ_POLLED) are not cut: a context takes one whole. Device mapper keeps the parts
 * of a bio in a list without a lock, which the submitter takes apart while it polls. That is fine
 * as long as the submitter itself has put all of them there. When the device is suspended in
 * between, or before, a worker submits (the rest of) the bio after the resume, a part is lost, and
 * the submitter spins for ever, as does the next suspend. Or the rest is refused, if NOWAIT is set,
 * while the first part is under way, and io_uring of older kernels spins for that.
 * For the same reason a bio that was parked is not polled for below us when it goes on. Nor is one
 * that holds core->flight: owners wait for it, and must not wait for a process that may have been
 * stopped, or that waits for the owner itself.
 *
 * NOWAIT is a promise to the submitter's process, which sleeps nowhere here: a bio that has to
 * wait for an owner or a context waits in a list, as in the queue of a disk. To refuse one would be
 * too late: submitters look for that when they submit, and io_uring, which sets NOWAIT whenever it
 * submits for the first time, passes a later refusal on to its user as an error. So only the
 * devices below refuse, and NOWAIT is taken away where a bio goes on in another process.
 *
 * No deadlock: a context waits for a busy block only while it owns none (a second one is
 * only tried for), owners always have a process of their own, and what core->flight waits
 * for are devices, never owners.
 */
#include "remap.h"

/*
 * Device mapper's mark of a polled bio whose parts are in a list. What is left of a bio after it
 * was cut has it, too, and would take a device-mapper device below to a list that is not there.
 */
#define REMAP_POLL_LIST REQ_DRV

/* Anything but plain reads and writes of data. */
#define REMAP_SPECIAL (REQ_PREFLUSH | REMAP_POLL_LIST | \
		       (REQ_OP_MASK & ~(__force blk_opf_t)REQ_OP_WRITE))

enum piece {
	PIECE_MAIN,
	PIECE_SLOT,
	PIECE_PENDING,
	PIECE_LOST,
	PIECE_MASKED,
	PIECE_BUSY,
	PIECE_FENCED,
};

/* A piece of a bio that is one case: @sectors from its start; @to is on the spare. */
struct run {
	enum piece piece;
	unsigned int sectors;
	sector_t to;
};

/**
 * remap_look() - where does a block live now?
 * @core: loaded
 * @block: block of main
 * @view: out
 *
 * Context: under rcu_read_lock(), or the owner of the block.
 */
void remap_look(struct remap_core *core, block_t block, struct remap_view *view)
{
	const struct rmeta_entry *entry;

	view->slot = rmeta_index_lookup(&core->table.index, block);
	view->mask = 0;
	view->lost = false;
	if (view->slot == RMETA_NO_SLOT)
		return;
	entry = rmeta_table_entry(&core->table, view->slot);
	/* The state first: a lost entry that becomes mapped has lost its mask before. */
	view->lost = smp_load_acquire(&entry->state) == RMETA_LOST;
	view->mask = rmeta_where_mask(READ_ONCE(entry->where));
}

/* The piece that @sector starts, within its block or unmarked region. At most @sectors. */
static struct run look_at(struct remap_core *core, bool write, sector_t sector,
			  unsigned int sectors)
{
	unsigned int first = sector & (remap_block_sectors(core) - 1), bit;
	block_t block = sector >> core->block_shift;
	struct run run = { .piece = PIECE_MAIN };
	struct remap_view view;
	u16 wanted;

	if (!remap_region_test(core->regions, sector)) {
		run.sectors = min_t(unsigned int, sectors, REMAP_REGION_SECTORS -
				    (sector & (REMAP_REGION_SECTORS - 1)));
		return run;
	}
	run.sectors = min(sectors, remap_block_sectors(core) - first);
	if (remap_fenced(core, block)) {
		run.piece = PIECE_FENCED;
		return run;
	}
	if (remap_busy_test(core, block)) {
		run.piece = PIECE_BUSY;
		return run;
	}
	remap_look(core, block, &view);
	if (view.slot == RMETA_NO_SLOT)
		return run;
	wanted = view.mask & remap_bits(first, run.sectors);
	run.piece = PIECE_SLOT;
	run.to = rmeta_slot_sector(&core->table.store.geo, view.slot) + first;
	if (likely(!wanted))
		return run;
	if (write) {
		run.piece = PIECE_MASKED;
		return run;
	}
	/* Up to where the mask changes. */
	if (wanted & BIT(first)) {
		run.piece = view.lost ? PIECE_LOST : PIECE_PENDING;
		wanted = ~wanted;
	}
	for (bit = 1; bit < run.sectors && !(wanted & BIT(first + bit)); bit++)
		;
	run.sectors = bit;
	return run;
}

static bool is_mergeable(enum piece piece)
{
	return piece <= PIECE_LOST;
}

/* The first run of a bio of @sectors at @sector. Context: under rcu_read_lock(). */
static struct run find_run(struct remap_core *core, bool write, sector_t sector,
			   unsigned int sectors)
{
	struct run run = look_at(core, write, sector, sectors), next;

	while (run.sectors < sectors && is_mergeable(run.piece)) {
		next = look_at(core, write, sector + run.sectors, sectors - run.sectors);
		if (next.piece != run.piece)
			break;
		if (run.piece == PIECE_SLOT && next.to != run.to + run.sectors)
			break;
		run.sectors += next.sectors;
	}
	return run;
}

static void count(struct remap_core *core, struct remap_bio *rb)
{
	/* The bare functions: end_io releases in another context than took it. */
	int index = __srcu_read_lock(&core->flight);

	__release(&core->flight);
	rb->flags |= RB_COUNTED | (index ? RB_INDEX : 0);
}

static void uncount(struct remap_core *core, struct remap_bio *rb)
{
	__acquire(&core->flight);
	__srcu_read_unlock(&core->flight, rb->flags & RB_INDEX ? 1 : 0);
	rb->flags &= ~(RB_COUNTED | RB_INDEX);
}

/**
 * remap_finish() - complete a bio that we own
 * @bio: the bio
 * @status: how it went
 *
 * Context: any. end_io is called again and only lets it pass.
 */
void remap_finish(struct bio *bio, blk_status_t status)
{
	struct remap_bio *rb = remap_bio(bio);

	rb->flags |= RB_DONE;
	bio->bi_status = status;
	bio_endio(bio);
}

/* A context is to work on it. */
static int hand_over(struct remap_core *core, struct bio *bio, struct remap_bio *rb)
{
	rb->flags |= RB_WORK;
	rb->status = BLK_STS_OK;
	remap_queue(core, bio);
	return DM_MAPIO_SUBMITTED;
}

/*
 * See above. A NOWAIT bio in a worker is one that device mapper sends again after a suspend; its
 * rest would be refused, too late, if the next suspend came meanwhile.
 */
static bool may_be_cut(const struct bio *bio)
{
	if (bio->bi_opf & REQ_NOWAIT && current->flags & PF_WQ_WORKER)
		return false;
	return !(bio->bi_opf & REQ_POLLED);
}

/* What is counted is completed by the device, also when nobody polls for it: owners wait. */
static void unpoll(struct bio *bio)
{
	bio->bi_opf &= ~REQ_POLLED;
}

static void to_slot(struct remap_core *core, struct bio *bio, struct remap_bio *rb, sector_t to)
{
	rb->flags |= RB_SLOT;
	if (op_is_write(bio_op(bio))) {
		/* So that a flush concerns main alone. */
		bio->bi_opf |= REQ_FUA;
		this_cpu_inc(core->percpu->remapped_writes);
	} else {
		this_cpu_inc(core->percpu->remapped_reads);
	}
	unpoll(bio);
	bio_set_dev(bio, core->spare);
	bio->bi_iter.bi_sector = to;
}

/*
 * Send a read or write, whose bi_iter has the sector of main, where it belongs. @fresh: it
 * comes from map() and may be cut; otherwise it was parked and is within one block.
 * Returns what map() returns.
 */
static int route(struct remap_core *core, struct bio *bio, struct remap_bio *rb, bool fresh)
{
	bool write = op_is_write(bio_op(bio));
	sector_t sector = bio->bi_iter.bi_sector;
	struct run run;

again:
	/* Counted before busy is tested, so that an owner that comes later waits for it. */
	count(core, rb);
	rcu_read_lock();
	run = find_run(core, write, sector, bio_sectors(bio));
	rcu_read_unlock();
	if (run.sectors < bio_sectors(bio)) {
		if (!fresh || !may_be_cut(bio)) {
			uncount(core, rb);
			return hand_over(core, bio, rb);
		}
		dm_accept_partial_bio(bio, run.sectors);
	}
	rb->iter = bio->bi_iter;
	switch (run.piece) {
	case PIECE_SLOT:
		to_slot(core, bio, rb, run.to);
		return DM_MAPIO_REMAPPED;
	case PIECE_PENDING:
		rb->flags |= RB_PENDING;
		fallthrough;
	case PIECE_MAIN:
		if (write)
			unpoll(bio);
		else
			uncount(core, rb);
		bio_set_dev(bio, core->main);
		return DM_MAPIO_REMAPPED;
	default:
		break;
	}
	uncount(core, rb);
	switch (run.piece) {
	case PIECE_MASKED:
		return hand_over(core, bio, rb);
	case PIECE_BUSY:
		if (!remap_busy_park(core, sector >> core->block_shift, bio))
			goto again;
		return DM_MAPIO_SUBMITTED;
	default:
		remap_finish(bio, run.piece == PIECE_LOST ? BLK_STS_MEDIUM : BLK_STS_IOERR);
		return DM_MAPIO_SUBMITTED;
	}
}

/* Main is told what is unused there; a slot has nothing to gain from it. */
static int route_discard(struct remap_core *core, struct bio *bio)
{
	struct run run;

	rcu_read_lock();
	run = find_run(core, false, bio->bi_iter.bi_sector, bio_sectors(bio));
	rcu_read_unlock();
	if (run.sectors < bio_sectors(bio))
		dm_accept_partial_bio(bio, run.sectors);
	if (run.piece != PIECE_MAIN) {
		remap_finish(bio, BLK_STS_OK);
		return DM_MAPIO_SUBMITTED;
	}
	bio_set_dev(bio, core->main);
	return DM_MAPIO_REMAPPED;
}

static noinline int map_slow(struct remap_target *t, struct bio *bio, struct remap_bio *rb)
{
	struct remap_core *core = t->core;

	rb->flags = RB_SLOW;
	bio->bi_opf &= ~REMAP_POLL_LIST;
	if (unlikely(READ_ONCE(core->failed)))
		return DM_MAPIO_KILL;
	if (bio->bi_opf & REQ_PREFLUSH) {
		/* Always empty: device mapper sends the data later. */
		rb->flags |= RB_FLUSH;
		bio->bi_iter.bi_sector = 0;
		bio_set_dev(bio, t->main_bdev);
		return DM_MAPIO_REMAPPED;
	}
	if (t->read_only && op_is_write(bio_op(bio)))
		return DM_MAPIO_KILL;
	switch (bio_op(bio)) {
	case REQ_OP_READ:
	case REQ_OP_WRITE:
		return route(core, bio, rb, true);
	case REQ_OP_DISCARD:
		return route_discard(core, bio);
	default:
		return DM_MAPIO_KILL;
	}
}

/**
 * remap_map() - target_type.map
 * @ti: the target
 * @bio: to be sent somewhere
 *
 * Return: DM_MAPIO_*.
 * Context: process; does not sleep.
 */
int remap_map(struct dm_target *ti, struct bio *bio)
{
	struct remap_bio *rb = remap_bio(bio);
	/* Loaded after the call: one register less to save. */
	const struct remap_target *t = ti->private;
	sector_t sector = dm_target_offset(ti, bio->bi_iter.bi_sector);

	bio->bi_iter.bi_sector = sector;
	rb->iter = bio->bi_iter;
	if (unlikely(bio->bi_opf & REMAP_SPECIAL) ||
	    unlikely(bio->bi_iter.bi_size > REMAP_REGION_BYTES) ||
	    unlikely(remap_region_test(t->regions, sector)))
		return map_slow(ti->private, bio, rb);
	rb->flags = 0;
	bio_set_dev(bio, t->main_bdev);
	return DM_MAPIO_REMAPPED;
}

/**
 * remap_dispatch() - send a bio on its way whose block has been released
 * @core: the core
 * @bio: was parked
 *
 * Context: process, holding no lock; submits, and may sleep as submitters do: for a tag of the
 * disk's queue.
 */
void remap_dispatch(struct remap_core *core, struct bio *bio)
{
	struct remap_bio *rb = remap_bio(bio);

	/* Not in its submitter's process. */
	bio->bi_opf &= ~(REQ_NOWAIT | REQ_POLLED);
	if (rb->flags & RB_WORK) {
		remap_queue(core, bio);
		return;
	}
	if (READ_ONCE(core->failed)) {
		remap_finish(bio, BLK_STS_IOERR);
		return;
	}
	if (route(core, bio, rb, false) == DM_MAPIO_REMAPPED)
		dm_submit_bio_remap(bio, NULL);
}

/*
 * Back up
 */

/* Take a completed bio over: as submitted, and to be completed by us. @status: of main. */
static int take_over(struct remap_core *core, struct bio *bio, struct remap_bio *rb,
		     unsigned int flags, blk_status_t status)
{
	bio->bi_iter = rb->iter;
	bio->bi_status = BLK_STS_OK;
	/* The queue it went through is done with it and must not be told so again. */
	bio_clear_flag(bio, BIO_QOS_THROTTLED);
	bio_clear_flag(bio, BIO_QOS_MERGED);
	rb->flags |= RB_WORK | flags;
	rb->status = status;
	remap_queue(core, bio);
	return DM_ENDIO_INCOMPLETE;
}

static int end_flush(struct remap_core *core, blk_status_t *error)
{
	if (*error)
		WRITE_ONCE(core->flush_error, (__force u32)*error);
	else if (unlikely(READ_ONCE(core->flush_error)))
		*error = (__force blk_status_t)xchg(&core->flush_error, 0);
	return DM_ENDIO_DONE;
}

static int end_slot(struct remap_core *core, struct bio *bio, struct remap_bio *rb,
		    blk_status_t *error)
{
	if (likely(!*error))
		return DM_ENDIO_DONE;
	/* The spare would have to wait; that is no error. */
	if (bio->bi_opf & REQ_NOWAIT && *error == BLK_STS_AGAIN)
		return DM_ENDIO_DONE;
	atomic64_inc(&core->slot_errors);
	remap_event(core);
	if (op_is_write(bio_op(bio)) && !READ_ONCE(core->failed))
		return take_over(core, bio, rb, 0, BLK_STS_OK);
	/* What main has there is stale. */
	*error = BLK_STS_MEDIUM;
	return DM_ENDIO_DONE;
}

/* Is there a block of the bio that is not plainly on main? Context: any. */
static bool meets_remap(struct remap_core *core, const struct remap_bio *rb)
{
	unsigned int sectors = rb->iter.bi_size >> SECTOR_SHIFT;
	struct run run;

	rcu_read_lock();
	run = find_run(core, true, rb->iter.bi_sector, sectors);
	rcu_read_unlock();
	return run.piece != PIECE_MAIN || run.sectors < sectors;
}

static int end_main_write(struct remap_core *core, struct bio *bio, struct remap_bio *rb,
			  blk_status_t *error)
{
	bool meets = meets_remap(core, rb);

	if (rb->flags & RB_COUNTED)
		uncount(core, rb);
	if (unlikely(READ_ONCE(core->failed))) {
		/* What else it should have reached cannot be told any more. */
		*error = BLK_STS_IOERR;
		return DM_ENDIO_DONE;
	}
	/* Looked at last: who has written to main and let go has said so before. */
	smp_rmb();
	if (meets || (!(rb->flags & RB_SLOW) && READ_ONCE(core->rewrites)))
		return take_over(core, bio, rb, RB_ON_MAIN, BLK_STS_OK);
	return DM_ENDIO_DONE;
}

static int end_main_error(struct remap_target *t, struct bio *bio, struct remap_bio *rb,
			  blk_status_t *error)
{
	struct remap_core *core = t->core;

	if (bio->bi_opf & REQ_RAHEAD || remap_judge(*error) == REMAP_STS_OTHER)
		return DM_ENDIO_DONE;
	atomic64_inc(op_is_write(bio_op(bio)) ? &core->write_errors : &core->read_errors);
	WRITE_ONCE(core->last_error, rb->iter.bi_sector);
	remap_event(core);
	if (t->read_only || READ_ONCE(core->failed))
		return DM_ENDIO_DONE;
	return take_over(core, bio, rb, RB_ERROR, *error);
}

static noinline int end_io_slow(struct remap_target *t, struct bio *bio, struct remap_bio *rb,
				blk_status_t *error)
{
	struct remap_core *core = t->core;

	if (rb->flags & RB_DONE)
		return DM_ENDIO_DONE;
	/* A write that main has completed is counted until it has been looked at again. */
	if (rb->flags & RB_COUNTED &&
	    (*error || rb->flags & RB_SLOT || !op_is_write(bio_op(bio))))
		uncount(core, rb);
	if (rb->flags & RB_FLUSH)
		return end_flush(core, error);
	if (bio_op(bio) != REQ_OP_READ && bio_op(bio) != REQ_OP_WRITE)
		return DM_ENDIO_DONE;
	if (rb->flags & RB_SLOT)
		return end_slot(core, bio, rb, error);
	if (unlikely(*error))
		return end_main_error(t, bio, rb, error);
	if (!op_is_write(bio_op(bio)))
		return DM_ENDIO_DONE;
	return end_main_write(core, bio, rb, error);
}

/* Whatever is not a good read of main. */
static noinline int end_io_rest(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct remap_bio *rb = remap_bio(bio);
	const struct remap_target *t = ti->private;

	if (likely(!rb->flags && !*error && !remap_region_test(t->regions, rb->iter.bi_sector)))
		return DM_ENDIO_DONE;
	return end_io_slow(ti->private, bio, rb, error);
}

/**
 * remap_end_io() - target_type.end_io
 * @ti: the target
 * @bio: has been completed, by a device or by us
 * @error: in and out: how it went
 *
 * A read of main that succeeded is done whichever path it took: none is in core->flight.
 * That it was main is told by the device. Drivers that send a bio on in place put another
 * one there, but never main, which is claimed by us.
 *
 * Return: DM_ENDIO_*.
 * Context: any, interrupts too.
 */
int remap_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	const struct remap_target *t = ti->private;

	if (!op_is_write(bio_op(bio)) && likely(!*error && bio->bi_bdev == t->main_bdev))
		return DM_ENDIO_DONE;
	return end_io_rest(ti, bio, error);
}
