// SPDX-License-Identifier: GPL-2.0-only
/*
 * A write of (a part of) one block by the context that owns it: to wherever the block lives
 * now, or to a new slot when main refuses it. Returns success only when the data is durable
 * where reads will look for it.
 *
 *	block		what happened			what is done
 *	unmapped	main has completed it		nothing, or once more (see map.c)
 *	unmapped	main failed			again; read back; else a new slot
 *	mapped		-				to its slot; clear mask bits
 *	mapped		its slot fails, twice		move to another slot, retire this one
 *
 * A block can become mapped under its owner, by an import: the claim then says -EEXIST, and
 * the block is looked up again.
 */
#include "remap.h"

/**
 * remap_write_image() - write sectors of an image of a block to a slot, durably
 * @ctx: a context of the core
 * @slot: the slot
 * @image: of the block
 * @present: mask of the sectors to write
 *
 * Return: the status of the spare.
 * Context: process; sleeps.
 */
blk_status_t remap_write_image(struct remap_ctx *ctx, slot_t slot, const u8 *image, u16 present)
{
	blk_status_t status = BLK_STS_OK;
	unsigned int first, sectors;

	for (first = 0; !status && remap_next_run(present, &first, &sectors); first += sectors)
		status = remap_slot_buffer(ctx, REQ_OP_WRITE, slot, first,
					   (u8 *)image + (first << SECTOR_SHIFT), sectors);
	return status;
}

/**
 * remap_new_slot() - put an image of a block into a slot nobody uses
 * @ctx: a context of the core
 * @block: that the slot is for
 * @image: contents
 * @present: mask of the sectors that @image has, may be none
 *
 * Slots that cannot be written are retired on the way, but not for a status that says
 * nothing about the slot: a spare that is away for a moment must not be used up by that.
 *
 * Return: a reserved slot that holds the image durably, or RMETA_NO_SLOT: the spare is full
 * or does not take writes.
 * Context: process; sleeps.
 */
slot_t remap_new_slot(struct remap_ctx *ctx, block_t block, const u8 *image, u16 present)
{
	struct remap_core *core = ctx->core;
	unsigned int tries;
	blk_status_t status;
	slot_t slot;

	for (tries = 0; tries < 4; tries++) {
		struct remap_meta retire = { .op = REMAP_META_RETIRE, .block = block };

		if (remap_slot_get(core, &slot))
			return RMETA_NO_SLOT;
		status = remap_write_image(ctx, slot, image, present);
		if (!status)
			return slot;
		if (remap_judge(status) == REMAP_STS_OTHER) {
			remap_slot_put(core, slot);
			return RMETA_NO_SLOT;
		}
		remap_log_limited(KERN_WARNING, core, "slot %u of the spare cannot be written",
				  slot);
		retire.slot = slot;
		if (remap_meta_run(core, &retire))
			break;
	}
	return RMETA_NO_SLOT;
}

/* Read a run of sectors into the image by physical sector. */
static u16 salvage_units(struct remap_ctx *ctx, sector_t start, unsigned int first,
			 unsigned int end, unsigned int unit)
{
	unsigned int at, step;
	u16 got = 0;

	for (at = first; at < end && remap_budget_left(ctx); at += step) {
		step = min(unit - ((unsigned int)(start + at) & (unit - 1)), end - at);
		if (!remap_main_buffer(ctx, REQ_OP_READ, start + at,
				       ctx->image + (at << SECTOR_SHIFT), step))
			got |= remap_bits(at, step);
	}
	return got;
}

/**
 * remap_salvage() - read sectors of a block from main, as many as come
 * @ctx: a context of the core, owner of @block; its image gets them
 * @block: of main
 * @wanted: mask of sectors
 * @failed: a read of just these has failed already
 *
 * Runs of sectors are read in one request, and one that fails again by physical sector, as
 * long as the budget lasts. What the table line does not cover is not read: it is pending for a
 * block that gets a slot, so that reads of a longer line look for it on main.
 *
 * Return: mask of the sectors that were read.
 * Context: process; sleeps.
 */
u16 remap_salvage(struct remap_ctx *ctx, block_t block, u16 wanted, bool failed)
{
	struct remap_core *core = ctx->core;
	unsigned int sectors = remap_block_sectors(core), first, end;
	unsigned int unit = bdev_physical_block_size(core->main) >> SECTOR_SHIFT;
	sector_t start = remap_block_sector(core, block);
	u16 got = 0;

	/* A copy of what is behind the table line would be stale when a longer one comes. */
	wanted &= remap_covered(core, block);
	for (first = 0; first < sectors; first = end) {
		for (end = first + 1; end < sectors && !(wanted & BIT(first)) ==
		     !(wanted & BIT(end)); end++)
			;
		if (!(wanted & BIT(first)) || !remap_budget_left(ctx))
			continue;
		if (!failed && !remap_main_buffer(ctx, REQ_OP_READ, start + first,
						  ctx->image + (first << SECTOR_SHIFT),
						  end - first))
			got |= remap_bits(first, end - first);
		else if (end - first > unit)
			got |= salvage_units(ctx, start, first, end, unit);
	}
	return got;
}

/**
 * remap_claim() - give an unmapped block a slot
 * @ctx: a context of the core, owner of @block
 * @block: of main
 * @image: what the block holds
 * @present: mask of the sectors that the image has; the others become pending
 * @reason: why
 *
 * Return: 0: the image is in a slot and reads find it there; -EEXIST: the block has a slot
 * already, look it up; else a negative errno and the block is where it was, or fenced.
 * Context: process; sleeps.
 */
int remap_claim(struct remap_ctx *ctx, block_t block, const u8 *image, u16 present,
		enum rmeta_reason reason)
{
	struct remap_core *core = ctx->core;
	u16 all = rmeta_block_mask(block, core->main_sectors, core->block_shift);
	struct remap_meta claim = {
		.op = REMAP_META_CLAIM, .block = block, .reason = reason, .bits = all & ~present,
	};
	unsigned int tries;
	int r = -EROFS;

	/* A page may stop taking changes just now; the next slot is then in another. */
	for (tries = 0; tries < 3 && r == -EROFS; tries++) {
		claim.slot = remap_new_slot(ctx, block, image, present);
		if (claim.slot == RMETA_NO_SLOT)
			return -ENOSPC;
		r = remap_meta_run(core, &claim);
	}
	if (r == -EEXIST)
		remap_slot_put(core, claim.slot);
	return r;
}

/*
 * What to say to a write whose data could not be put anywhere: what main said, if it did.
 */
static blk_status_t failure(blk_status_t status)
{
	return status ?: BLK_STS_IOERR;
}

/* As remap_claim(), with what the part brings and what can be had of the rest. */
static int remap_part(struct remap_ctx *ctx, const struct remap_part *part)
{
	struct remap_core *core = ctx->core;
	u16 all = rmeta_block_mask(part->block, core->main_sectors, core->block_shift);
	u16 bits = remap_bits(part->first, part->sectors), present;

	if (!remap_breaker_take(core))
		return -EBUSY;
	present = bits | remap_salvage(ctx, part->block, all & ~bits, false);
	remap_copy_from_part(ctx->image + (part->first << SECTOR_SHIFT), part);
	return remap_claim(ctx, part->block, ctx->image, present, RMETA_REASON_WRITE);
}

/*
 * Once more to main. Success counts only if main also gives it back. A copy is written, since
 * the pages of the bio may change while it is on its way.
 */
static blk_status_t retry_write(struct remap_ctx *ctx, const struct remap_part *part)
{
	sector_t sector = remap_block_sector(ctx->core, part->block) + part->first;
	blk_status_t status;

	remap_copy_from_part(ctx->scratch, part);
	status = remap_main_buffer(ctx, REQ_OP_WRITE, sector, ctx->scratch, part->sectors);
	if (!status)
		status = remap_main_buffer(ctx, REQ_OP_READ, sector, ctx->image, part->sectors);
	if (!status && memcmp(ctx->image, ctx->scratch, part->sectors << SECTOR_SHIFT))
		status = BLK_STS_MEDIUM;
	return status;
}

/* @again: the block turned out to be mapped; what is returned then means nothing. */
static blk_status_t store_unmapped(struct remap_ctx *ctx, const struct remap_part *part,
				   bool *again)
{
	struct remap_core *core = ctx->core;
	struct remap_bio *rb = remap_bio(part->bio);
	blk_status_t status = rb->status;
	bool untried = false;
	int r;

	/* Unless it may have been undone since: see map.c. */
	if (rb->flags & RB_ON_MAIN && !READ_ONCE(core->rewrites))
		return BLK_STS_OK;
	if (!(rb->flags & RB_ERROR)) {
		status = remap_main_part(ctx, REQ_OP_WRITE, part);
		if (!status)
			return BLK_STS_OK;
		remap_note_error(core, REQ_OP_WRITE,
				 remap_block_sector(core, part->block) + part->first);
		/* From here on it is a bio that main has failed, and the rest of it too. */
		rb->flags |= RB_ERROR;
		rb->status = status;
	}
	if (remap_budget_left(ctx))
		status = retry_write(ctx, part);
	else
		untried = true;
	if (!status && !untried)
		return BLK_STS_OK;
	WRITE_ONCE(core->last_error, remap_block_sector(core, part->block) + part->first);
	/* A disk that refuses all writes is not a disk with bad blocks. */
	if (remap_judge(status) == REMAP_STS_OTHER || core->live->features.no_auto_remap ||
	    bdev_read_only(core->main) || READ_ONCE(core->breaker_open))
		return failure(status);
	if (remap_judge(status) == REMAP_STS_UNSURE && !untried)
		remap_main_alive(ctx, part->block, REQ_OP_WRITE);
	/* Out of time is no reason to fail: a slot takes it as well. */
	if (remap_judge(status) == REMAP_STS_UNSURE && ctx->alive == REMAP_DEAD)
		return status;
	r = remap_part(ctx, part);
	*again = r == -EEXIST;
	return r ? failure(status) : BLK_STS_OK;
}

static blk_status_t clear_mask(struct remap_core *core, const struct remap_part *part, slot_t slot,
			       u16 bits)
{
	struct remap_meta request = {
		.op = REMAP_META_MASK, .slot = slot, .block = part->block, .bits = bits,
	};

	if (!bits)
		return BLK_STS_OK;
	return remap_meta_run(core, &request) ? BLK_STS_IOERR : BLK_STS_OK;
}

/**
 * remap_read_slot() - read what can be read of a block out of its slot
 * @ctx: a context of the core, owner of the block; its image gets it
 * @slot: of the block
 * @wanted: mask of sectors
 * @got: out: those that were read
 *
 * Return: anything but BLK_STS_OK only for a status that says nothing about the sectors: they
 * may well be there, and must not be taken for lost.
 * Context: process; sleeps.
 */
blk_status_t remap_read_slot(struct remap_ctx *ctx, slot_t slot, u16 wanted, u16 *got)
{
	/* Masks are made of whole logical blocks of main; the spare's are no larger. */
	unsigned int unit = bdev_logical_block_size(ctx->core->main) >> SECTOR_SHIFT, at;
	unsigned int sectors = fls(wanted);
	blk_status_t status;

	*got = 0;
	if (!wanted)
		return BLK_STS_OK;
	/* What is masked in between is overwritten or not used. */
	status = remap_slot_buffer(ctx, REQ_OP_READ, slot, 0, ctx->image, sectors);
	if (!status) {
		*got = wanted;
		return BLK_STS_OK;
	}
	for (at = 0; at < sectors && remap_judge(status) != REMAP_STS_OTHER; at += unit) {
		if (!(wanted & BIT(at)))
			continue;
		status = remap_slot_buffer(ctx, REQ_OP_READ, slot, at,
					   ctx->image + (at << SECTOR_SHIFT), unit);
		if (!status)
			*got |= remap_bits(at, unit);
	}
	return remap_judge(status) == REMAP_STS_OTHER ? status : BLK_STS_OK;
}

/*
 * The block's slot does not take the write: everything that can still be had goes to
 * another slot, together with the new data; what cannot be read out of the old one is lost.
 * The new claim is durable before the old slot is retired (rule 5 of the format).
 */
static blk_status_t move_block(struct remap_ctx *ctx, const struct remap_part *part,
			       const struct remap_view *view)
{
	struct remap_core *core = ctx->core;
	u16 all = rmeta_block_mask(part->block, core->main_sectors, core->block_shift);
	u16 bits = remap_bits(part->first, part->sectors);
	u16 in_slot = all & ~view->mask & ~bits, present, lost;
	struct remap_meta move = {
		.op = REMAP_META_MOVE, .from = view->slot, .block = part->block,
	};
	struct remap_meta retire = {
		.op = REMAP_META_RETIRE, .slot = view->slot, .block = part->block,
	};

	/* Siblings that are still on their way to the old slot. */
	synchronize_srcu_expedited(&core->flight);
	if (remap_read_slot(ctx, view->slot, in_slot, &present))
		return BLK_STS_IOERR;
	lost = in_slot & ~present;
	if (lost && !view->lost) {
		/*
		 * A lost entry has no pending bits: now or never. What is pending behind the table
		 * line is lost with them, rather than copied from somebody who goes on writing it.
		 */
		remap_grant_request(ctx);
		present |= remap_salvage(ctx, part->block, view->mask & ~bits, false);
	}
	present |= bits;
	remap_copy_from_part(ctx->image + (part->first << SECTOR_SHIFT), part);
	move.slot = remap_new_slot(ctx, part->block, ctx->image, present);
	if (move.slot == RMETA_NO_SLOT)
		return BLK_STS_IOERR;
	move.bits = lost;
	move.clear = view->mask & present;
	if (remap_meta_run(core, &move))
		return BLK_STS_IOERR;
	remap_log_limited(KERN_WARNING, core, "slot %u of the spare is bad: its block moved to slot %u%s",
			  view->slot, move.slot, lost ? ", sectors were lost" : "");
	return remap_meta_run(core, &retire) == -EIO ? BLK_STS_IOERR : BLK_STS_OK;
}

static blk_status_t store_mapped(struct remap_ctx *ctx, const struct remap_part *part,
				 const struct remap_view *view)
{
	blk_status_t status = remap_slot_part(ctx, REQ_OP_WRITE, view->slot, part);

	/* The second try, for a bio that has already failed there. */
	if (status && !(remap_bio(part->bio)->flags & RB_SLOT))
		status = remap_slot_part(ctx, REQ_OP_WRITE, view->slot, part);
	if (remap_judge(status) == REMAP_STS_OTHER)
		return BLK_STS_IOERR;
	if (status)
		return move_block(ctx, part, view);
	return clear_mask(ctx->core, part, view->slot,
			  view->mask & remap_bits(part->first, part->sectors));
}

/**
 * remap_store() - store a part of a write where its block lives
 * @ctx: a context of the core, owner of the block
 * @part: of a write
 *
 * Return: BLK_STS_OK when it is durable there; else why not.
 * Context: process; sleeps.
 */
blk_status_t remap_store(struct remap_ctx *ctx, const struct remap_part *part)
{
	struct remap_core *core = ctx->core;
	struct remap_view view;
	blk_status_t status;
	bool again;

	do {
		again = false;
		rcu_read_lock();
		remap_look(core, part->block, &view);
		rcu_read_unlock();
		if (view.slot == RMETA_NO_SLOT)
			status = store_unmapped(ctx, part, &again);
		else
			status = store_mapped(ctx, part, &view);
	} while (again);
	return status;
}
