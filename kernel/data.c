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

static blk_status_t buffer_io(struct remap_ctx *ctx, struct block_device *bdev, enum req_op op,
			      sector_t sector, void *buffer, unsigned int sectors)
{
	bio_init(ctx->io, bdev, &ctx->vec, 1, durable(op));
	ctx->io->bi_iter.bi_sector = sector;
	__bio_add_page(ctx->io, virt_to_page(buffer), sectors << SECTOR_SHIFT,
		       offset_in_page(buffer));
	return run_io(ctx);
}

/**
 * remap_budget_left() - may the present bio of a context cost another retry on main?
 * @ctx: the context
 */
bool remap_budget_left(const struct remap_ctx *ctx)
{
	return ctx->spent < (unsigned long)ctx->core->live->features.retry_budget * HZ;
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
	struct remap_core *core = ctx->core;
	unsigned long start;
	blk_status_t status;

	mutex_lock(&core->retry_lock);
	start = jiffies;
	status = buffer_io(ctx, core->main, op, sector, buffer, sectors);
	ctx->spent += jiffies - start;
	mutex_unlock(&core->retry_lock);
	return status;
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

	status = buffer_io(ctx, core->spare, op,
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

/* Does one other block answer? Returns false also when it could not be asked. */
static bool ask_neighbour(struct remap_ctx *ctx, block_t block, enum req_op op, bool *asked)
{
	struct remap_core *core = ctx->core;
	sector_t sector = remap_block_sector(core, block);
	unsigned int sectors = min_t(u64, remap_block_sectors(core), core->main_sectors - sector);
	struct remap_view view;
	struct remap_busy *busy;
	blk_status_t status;

	busy = remap_busy_try(core, block);
	if (!busy)
		return false;
	rcu_read_lock();
	remap_look(core, block, &view);
	rcu_read_unlock();
	status = BLK_STS_AGAIN;
	if (view.slot != RMETA_NO_SLOT || remap_fenced(core, block))
		goto out;
	if (op == REQ_OP_WRITE) {
		/* No write of this block that main may have yet to complete: see map.c. */
		WRITE_ONCE(core->rewrites, true);
		smp_mb();
		synchronize_srcu_expedited(&core->flight);
	}
	*asked = true;
	status = remap_main_buffer(ctx, REQ_OP_READ, sector, ctx->scratch, sectors);
	if (!status && op == REQ_OP_WRITE)
		status = remap_main_buffer(ctx, REQ_OP_WRITE, sector, ctx->scratch, sectors);
out:
	remap_busy_release(core, busy);
	return !status;
}

/**
 * remap_main_alive() - is it only this block, or the whole of main?
 * @ctx: a context of the core, owner of @block; its scratch is used
 * @block: failed with a status that could mean either
 * @op: REQ_OP_WRITE: can main still write? A neighbour is rewritten with its own data.
 *	REQ_OP_READ: can it still read?
 *
 * Bad blocks come in clusters, so blocks at growing distance are asked until one answers.
 * Remapped and owned ones are passed over. When writing fails wherever it is tried, main is
 * gone, and the device fails. Only what the table line covers is touched: what is behind it
 * on main may be somebody else's.
 *
 * Return: true if any other block answered.
 * Context: process; sleeps.
 */
bool remap_main_alive(struct remap_ctx *ctx, block_t block, enum req_op op)
{
	struct remap_core *core = ctx->core;
	u64 blocks = core->live->ti->len >> core->block_shift;
	bool asked = false;
	u64 distance;

	for (distance = 1; distance < blocks && distance <= 1U << 18; distance <<= 3) {
		if (!remap_budget_left(ctx))
			return false;
		ctx->alive = (block + distance < blocks &&
			      ask_neighbour(ctx, block + distance, op, &asked)) ||
			     (block >= distance &&
			      ask_neighbour(ctx, block - distance, op, &asked));
		if (ctx->alive)
			return true;
	}
	if (asked && op == REQ_OP_WRITE)
		remap_core_fail(core, "main does not accept writes anywhere");
	return false;
}
