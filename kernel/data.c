// SPDX-License-Identifier: GPL-2.0-only
/*
 * Synchronous I/O of one context: parts of bios and buffers, on main and on slots. Uses the
 * context's one bio, so that nothing is allocated. Requests to main are retries of a disk
 * that may take half a minute for each: one at a time per device, and charged to the
 * budget of the bio that they are for. Writes are durable when they return.
 *
 * Knows nothing of the index; the caller says which slot.
 */
#include "remap.h"

static blk_status_t run_io(struct remap_ctx *ctx)
{
	blk_status_t status;

	submit_bio_wait(ctx->io);
	status = ctx->io->bi_status;
	bio_uninit(ctx->io);
	return status;
}

static blk_opf_t durable(enum req_op op)
{
	return op == REQ_OP_WRITE ? REQ_OP_WRITE | REQ_SYNC | REQ_FUA : REQ_OP_READ | REQ_SYNC;
}

/* The pages of the bio itself, without the flags it came with. */
static blk_status_t part_io(struct remap_ctx *ctx, struct block_device *bdev, enum req_op op,
			    sector_t sector, const struct remap_part *part)
{
	struct bio *bio = part->bio;

	bio_init(ctx->io, bdev, bio->bi_io_vec, 0, durable(op));
	bio_set_flag(ctx->io, BIO_CLONED);
	ctx->io->bi_ioprio = bio->bi_ioprio;
	ctx->io->bi_iter = bio->bi_iter;
	bio_advance_iter(ctx->io, &ctx->io->bi_iter, part->offset << SECTOR_SHIFT);
	ctx->io->bi_iter.bi_size = part->sectors << SECTOR_SHIFT;
	ctx->io->bi_iter.bi_sector = sector;
	return run_io(ctx);
}

static blk_status_t buffer_io(struct remap_ctx *ctx, struct block_device *bdev, blk_opf_t opf,
			      sector_t sector, void *buffer, unsigned int sectors)
{
	bio_init(ctx->io, bdev, &ctx->vec, 1, opf);
	ctx->io->bi_iter.bi_sector = sector;
	__bio_add_page(ctx->io, virt_to_page(buffer), sectors << SECTOR_SHIFT,
		       offset_in_page(buffer));
	return run_io(ctx);
}

/**
 * remap_set_budget() - begin with another bio, or with a block of a message
 * @ctx: the context
 * @least: jiffies it has in any case; 1 is one request
 */
void remap_set_budget(struct remap_ctx *ctx, unsigned long least)
{
	ctx->budget = max(least, (unsigned long)ctx->core->live->features.retry_budget * HZ);
	ctx->spent = 0;
	ctx->alive = REMAP_UNTOLD;
}

/**
 * remap_grant_request() - one request more to main, also when the budget is spent
 * @ctx: the context
 *
 * For what can be read now or never. What the present bio has cost so far stays known.
 */
void remap_grant_request(struct remap_ctx *ctx)
{
	ctx->budget = max(ctx->budget, ctx->spent + 1);
}

/**
 * remap_note_error() - main has failed a request
 * @core: the core
 * @op: REQ_OP_READ or REQ_OP_WRITE
 * @sector: of main
 *
 * Context: process.
 */
void remap_note_error(struct remap_core *core, enum req_op op, sector_t sector)
{
	atomic64_inc(op == REQ_OP_WRITE ? &core->write_errors : &core->read_errors);
	WRITE_ONCE(core->last_error, sector);
	remap_event(core);
}

/**
 * remap_budget_left() - may the present bio of a context cost another retry on main?
 * @ctx: the context
 */
bool remap_budget_left(const struct remap_ctx *ctx)
{
	return ctx->spent < ctx->budget;
}

/**
 * remap_main_part() - read or write a part of a bio on main
 * @ctx: a context of the core
 * @op: REQ_OP_READ or REQ_OP_WRITE
 * @part: what
 *
 * Return: the status of main.
 * Context: process; sleeps, for as long as the disk takes.
 */
blk_status_t remap_main_part(struct remap_ctx *ctx, enum req_op op, const struct remap_part *part)
{
	struct remap_core *core = ctx->core;
	unsigned long start;
	blk_status_t status;

	mutex_lock(&core->retry_lock);
	start = jiffies;
	status = part_io(ctx, core->main, op,
			 remap_block_sector(core, part->block) + part->first, part);
	ctx->spent += jiffies - start;
	mutex_unlock(&core->retry_lock);
	return status;
}

static blk_status_t main_io(struct remap_ctx *ctx, blk_opf_t opf, sector_t sector, void *buffer,
			    unsigned int sectors)
{
	struct remap_core *core = ctx->core;
	unsigned long start;
	blk_status_t status;

	mutex_lock(&core->retry_lock);
	start = jiffies;
	status = buffer_io(ctx, core->main, opf, sector, buffer, sectors);
	ctx->spent += jiffies - start;
	mutex_unlock(&core->retry_lock);
	return status;
}

/**
 * remap_main_buffer() - read or write sectors of main
 * @ctx: a context of the core
 * @op: REQ_OP_READ or REQ_OP_WRITE
 * @sector: of main
 * @buffer: physically contiguous
 * @sectors: how many, at most a block
 *
 * Return: the status of main.
 * Context: process; sleeps, for as long as the disk takes.
 */
blk_status_t remap_main_buffer(struct remap_ctx *ctx, enum req_op op, sector_t sector, void *buffer,
			       unsigned int sectors)
{
	return main_io(ctx, durable(op), sector, buffer, sectors);
}

/**
 * remap_main_restore() - write sectors of main, durable only after remap_main_flush()
 * @ctx: a context of the core
 * @sector: of main
 * @buffer: physically contiguous
 * @sectors: how many, at most a block
 *
 * Return: the status of main.
 * Context: process; sleeps, for as long as the disk takes.
 */
blk_status_t remap_main_restore(struct remap_ctx *ctx, sector_t sector, void *buffer,
				unsigned int sectors)
{
	return main_io(ctx, REQ_OP_WRITE | REQ_SYNC, sector, buffer, sectors);
}

/**
 * remap_main_flush() - make durable what main has completed
 * @ctx: a context of the core
 *
 * A failure may stand for other data that was lost with it, so the next flush from above is
 * told as well.
 *
 * Return: 0 or -EIO.
 * Context: process; sleeps.
 */
int remap_main_flush(struct remap_ctx *ctx)
{
	struct remap_core *core = ctx->core;
	blk_status_t status;

	bio_init(ctx->io, core->main, NULL, 0, REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC);
	status = run_io(ctx);
	if (!status)
		return 0;
	WRITE_ONCE(core->flush_error, (__force u32)status);
	return -EIO;
}

static void count_slot_io(struct remap_core *core, enum req_op op, blk_status_t status)
{
	if (op == REQ_OP_WRITE)
		this_cpu_inc(core->percpu->remapped_writes);
	else
		this_cpu_inc(core->percpu->remapped_reads);
	if (status)
		atomic64_inc(&core->slot_errors);
}

/**
 * remap_slot_part() - read or write a part of a bio in a slot
 * @ctx: a context of the core
 * @op: REQ_OP_READ or REQ_OP_WRITE
 * @slot: of the block
 * @part: what
 *
 * Return: the status of the spare.
 * Context: process; sleeps.
 */
blk_status_t remap_slot_part(struct remap_ctx *ctx, enum req_op op, slot_t slot,
			     const struct remap_part *part)
{
	struct remap_core *core = ctx->core;
	blk_status_t status;

	status = part_io(ctx, core->spare, op,
			 rmeta_slot_sector(&core->table.store.geo, slot) + part->first, part);
	count_slot_io(core, op, status);
	return status;
}

/**
 * remap_slot_buffer() - read or write sectors of a slot
 * @ctx: a context of the core
 * @op: REQ_OP_READ or REQ_OP_WRITE
 * @slot: which
 * @first: first sector within it
 * @buffer: physically contiguous; of these sectors, not of the block
 * @sectors: how many
 *
 * Return: the status of the spare.
 * Context: process; sleeps.
 */
blk_status_t remap_slot_buffer(struct remap_ctx *ctx, enum req_op op, slot_t slot,
			       unsigned int first, void *buffer, unsigned int sectors)
{
	struct remap_core *core = ctx->core;
	blk_status_t status;

	status = buffer_io(ctx, core->spare, durable(op),
			   rmeta_slot_sector(&core->table.store.geo, slot) + first, buffer,
			   sectors);
	count_slot_io(core, op, status);
	return status;
}

/* Copy between a part of a bio and a buffer of its length. */
static void copy_part(const struct remap_part *part, u8 *buffer, bool to_part)
{
	struct bvec_iter iter, start = part->bio->bi_iter;
	struct bio_vec vec;

	bio_advance_iter(part->bio, &start, part->offset << SECTOR_SHIFT);
	start.bi_size = part->sectors << SECTOR_SHIFT;
	__bio_for_each_segment(vec, part->bio, iter, start) {
		if (to_part)
			memcpy_to_bvec(&vec, buffer);
		else
			memcpy_from_bvec(buffer, &vec);
		buffer += vec.bv_len;
	}
}

/**
 * remap_copy_from_part() - copy what a write brings for a block
 * @buffer: out: part->sectors sectors
 * @part: of a write
 */
void remap_copy_from_part(void *buffer, const struct remap_part *part)
{
	copy_part(part, buffer, false);
}

/**
 * remap_copy_to_part() - answer a read
 * @part: of a read
 * @buffer: part->sectors sectors
 */
void remap_copy_to_part(const struct remap_part *part, const void *buffer)
{
	copy_part(part, (u8 *)buffer, true);
}

enum answer {
	PASSED,			/* is not to be asked, or says nothing about main */
	AWAY,			/* failed for a reason that is not the medium's */
	ANSWERED,		/* it works there */
	REFUSED,		/* it does not work there either */
};

/* How many blocks side by side are tried at one distance; the next is 8 times as far: none is asked twice. */
#define MOST_TRIED 7
/* How many have to refuse before main is given up; a bad cluster has more than one of them. */
#define LEAST_REFUSED 3

/*
 * A rewrite of a neighbour has failed. Its data was good before, and is in the scratch: if
 * main has lost it by that, it goes to a slot.
 */
static void keep_neighbour(struct remap_ctx *ctx, block_t block, sector_t sector,
			   unsigned int sectors)
{
	struct remap_core *core = ctx->core;
	blk_status_t status;
	int r;

	status = remap_main_buffer(ctx, REQ_OP_READ, sector, ctx->image, sectors);
	if (remap_judge(status) == REMAP_STS_OTHER ||
	    (!status && !memcmp(ctx->image, ctx->scratch, sectors << SECTOR_SHIFT)))
		return;
	/* An open breaker is no reason to lose it. */
	remap_breaker_take(core);
	r = remap_claim(ctx, block, ctx->scratch, remap_bits(0, sectors), RMETA_REASON_WRITE);
	if (r)
		remap_err(core, "sector %llu of main went bad and has no slot (error %d): %u sectors are lost",
			  (u64)sector, r, sectors);
}

static enum answer ask_neighbour(struct remap_ctx *ctx, block_t block, enum req_op op)
{
	struct remap_core *core = ctx->core;
	sector_t sector = remap_block_sector(core, block);
	unsigned int sectors = remap_block_sectors(core);
	enum answer answer = PASSED;
	struct remap_view view;
	struct remap_busy *busy;
	blk_status_t status;
	bool wrote = false;

	busy = remap_busy_try(core, block);
	if (!busy)
		return PASSED;
	rcu_read_lock();
	remap_look(core, block, &view);
	rcu_read_unlock();
	if (view.slot != RMETA_NO_SLOT || remap_fenced(core, block))
		goto out;
	if (op == REQ_OP_WRITE) {
		/* No write of this block that main may have yet to complete: see map.c. */
		WRITE_ONCE(core->rewrites, true);
		smp_mb();
		synchronize_srcu_expedited(&core->flight);
	}
	status = remap_main_buffer(ctx, REQ_OP_READ, sector, ctx->scratch, sectors);
	if (!status && op == REQ_OP_WRITE) {
		wrote = true;
		status = remap_main_buffer(ctx, REQ_OP_WRITE, sector, ctx->scratch, sectors);
		if (status)
			keep_neighbour(ctx, block, sector, sectors);
	}
	if (!status)
		answer = ANSWERED;
	else if (remap_judge(status) == REMAP_STS_OTHER)
		answer = AWAY;
	/* One that is bad to read says nothing about writing; one that may be bad because main is does. */
	else if (remap_judge(status) == REMAP_STS_UNSURE || wrote)
		answer = REFUSED;
out:
	remap_busy_release(core, busy);
	return answer;
}

/* The first block at a distance or behind it, as seen from @block, that has something to say. */
static enum answer ask_near(struct remap_ctx *ctx, block_t block, s64 distance, enum req_op op)
{
	u64 blocks = ctx->core->live->ti->len >> ctx->core->block_shift;
	s64 step = distance < 0 ? -1 : 1;
	enum answer answer = PASSED;
	unsigned int i;

	for (i = 0; i < MOST_TRIED && answer == PASSED; i++, distance += step) {
		/* One before the start of main is a very large number. */
		if (block + distance >= blocks || !remap_budget_left(ctx))
			break;
		answer = ask_neighbour(ctx, block + distance, op);
	}
	return answer;
}

/**
 * remap_main_alive() - is it only this block, or the whole of main?
 * @ctx: a context of the core, owner of @block; its image and scratch are used, and @alive is set
 * @block: failed with a status that could mean either
 * @op: REQ_OP_WRITE: can main still write? A neighbour is rewritten with its own data.
 *	REQ_OP_READ: can it still read?
 *
 * Asked once for a bio, unless it could not be told.
 *
 * Bad blocks come in clusters, so blocks at growing distance are asked until one answers.
 * Remapped and owned ones are passed over, and those that are bad to read: the next one is
 * asked. When writing is refused wherever it is tried, and that is often enough, main is gone,
 * and the device fails; a main that is away for a moment (transport, offline) has refused
 * nothing. Only what the table line covers is touched: what is behind it on main may be
 * somebody else's.
 *
 * Return: REMAP_ALIVE if any other block answered; REMAP_UNTOLD if the budget did not last, or
 * there was no block to ask.
 * Context: process; sleeps.
 */
enum remap_alive remap_main_alive(struct remap_ctx *ctx, block_t block, enum req_op op)
{
	struct remap_core *core = ctx->core;
	u64 blocks = core->live->ti->len >> core->block_shift;
	unsigned int refused = 0, away = 0;
	s64 distance;

	if (ctx->alive != REMAP_UNTOLD)
		return ctx->alive;
	for (distance = 1; distance < blocks && distance <= 1 << 18; distance <<= 3) {
		s64 side[] = { distance, -distance };
		unsigned int i;

		for (i = 0; i < ARRAY_SIZE(side); i++) {
			enum answer answer = ask_near(ctx, block, side[i], op);

			if (answer == ANSWERED)
				return ctx->alive = REMAP_ALIVE;
			refused += answer == REFUSED;
			away += answer == AWAY;
		}
	}
	if (!remap_budget_left(ctx) || !(refused + away))
		return REMAP_UNTOLD;
	if (refused >= LEAST_REFUSED && op == REQ_OP_WRITE)
		remap_core_fail(core, "main does not accept writes anywhere");
	return ctx->alive = REMAP_DEAD;
}
