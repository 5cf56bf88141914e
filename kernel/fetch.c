// SPDX-License-Identifier: GPL-2.0-only
/*
 * A read of (a part of) one block by the context that owns it. Answers with bytes that
 * somebody wrote there, or with an error; never with anything else.
 *
 *	block		sectors			what is done
 *	unmapped	main gives them now	answered; nothing is recorded
 *	unmapped	some are unreadable	the block gets a slot with the readable ones, the
 *						others are pending there; the read fails if it
 *						wanted one of these
 *	mapped		in the slot		from the slot; fails if that fails
 *	mapped		pending			from main, once
 *	mapped		lost			fails
 */
#include "remap.h"

static blk_status_t record(struct remap_ctx *ctx, const struct remap_part *part,
			   blk_status_t status)
{
	struct remap_core *core = ctx->core;
	u16 all = remap_covered(core, part->block);
	u16 bits = remap_bits(part->first, part->sectors), got;

	got = remap_salvage(ctx, part->block, bits, true);
	got |= remap_salvage(ctx, part->block, all & ~bits, false);
	if (!(bits & ~got)) {
		remap_copy_to_part(part, ctx->image + (part->first << SECTOR_SHIFT));
		status = BLK_STS_OK;
	} else {
		WRITE_ONCE(core->last_error, remap_block_sector(core, part->block) +
			   __ffs(bits & ~got));
	}
	/* Whether it can be recorded changes nothing for this read. */
	if (got != all && remap_breaker_take(core))
		remap_claim(ctx, part->block, ctx->image, got, RMETA_REASON_READ);
	return status;
}

static blk_status_t fetch_unmapped(struct remap_ctx *ctx, const struct remap_part *part)
{
	struct remap_core *core = ctx->core;
	const struct remap_features *features = &core->live->features;
	struct remap_bio *rb = remap_bio(part->bio);
	blk_status_t status = rb->status;

	if (!(rb->flags & RB_ERROR)) {
		status = remap_main_part(ctx, REQ_OP_READ, part);
		if (remap_judge(status) == REMAP_STS_OK ||
		    remap_judge(status) == REMAP_STS_OTHER || part->bio->bi_opf & REQ_RAHEAD)
			return status;
		remap_note_error(core, REQ_OP_READ,
				 remap_block_sector(core, part->block) + part->first);
		if (core->table.read_only)
			return status;
		/* From here on it is a bio that main has failed, and the rest of it too. */
		rb->flags |= RB_ERROR;
		rb->status = status;
	}
	if (!remap_budget_left(ctx))
		return status ?: BLK_STS_TIMEOUT;
	status = remap_main_part(ctx, REQ_OP_READ, part);
	switch (remap_judge(status)) {
	case REMAP_STS_OK:
	case REMAP_STS_OTHER:
		return status;
	case REMAP_STS_MEDIUM:
		break;
	case REMAP_STS_UNSURE:
		if (!features->read_remap || features->no_auto_remap ||
		    READ_ONCE(core->breaker_open) ||
		    remap_main_alive(ctx, part->block, REQ_OP_READ) != REMAP_ALIVE)
			return status;
		break;
	}
	return features->no_auto_remap ? status : record(ctx, part, status);
}

static blk_status_t fetch_pending(struct remap_ctx *ctx, const struct remap_part *part)
{
	const struct remap_bio *rb = remap_bio(part->bio);

	/* It has just failed, and was bad before: not again. */
	if (rb->flags & RB_PENDING && rb->status)
		return rb->status;
	return remap_main_part(ctx, REQ_OP_READ, part);
}

static blk_status_t fetch_mapped(struct remap_ctx *ctx, const struct remap_part *part,
				 const struct remap_view *view)
{
	struct remap_part run = *part;
	unsigned int done;
	blk_status_t status = BLK_STS_OK;
	bool masked;

	for (done = 0; done < part->sectors && !status; done += run.sectors) {
		run.first = part->first + done;
		run.offset = part->offset + done;
		masked = view->mask & BIT(run.first);
		for (run.sectors = 1; done + run.sectors < part->sectors &&
		     masked == !!(view->mask & BIT(run.first + run.sectors)); run.sectors++)
			;
		if (masked)
			status = view->lost ? BLK_STS_MEDIUM : fetch_pending(ctx, &run);
		else if (remap_slot_part(ctx, REQ_OP_READ, view->slot, &run))
			status = BLK_STS_MEDIUM;
	}
	return status;
}

/**
 * remap_fetch() - read a part of a bio from where its block lives
 * @ctx: a context of the core, owner of the block
 * @part: of a read
 *
 * Return: BLK_STS_OK when the pages of the part hold the data; else why not.
 * Context: process; sleeps.
 */
blk_status_t remap_fetch(struct remap_ctx *ctx, const struct remap_part *part)
{
	struct remap_view view;

	rcu_read_lock();
	remap_look(ctx->core, part->block, &view);
	rcu_read_unlock();
	if (view.slot == RMETA_NO_SLOT)
		return fetch_unmapped(ctx, part);
	return fetch_mapped(ctx, part, &view);
}

/**
 * remap_copy_block() - copy an unmapped block into a slot, as far as main gives it
 * @ctx: the context of the message, owner of @block
 * @block: of main
 * @request: out: the claim to be made
 *
 * Return: 0, or -ENOSPC.
 * Context: process; sleeps.
 */
int remap_copy_block(struct remap_ctx *ctx, block_t block, struct remap_meta *request)
{
	struct remap_core *core = ctx->core;
	u16 all = rmeta_block_mask(block, core->main_sectors, core->block_shift), got;

	/* The first read is no retry. */
	remap_set_budget(ctx, 1);
	got = remap_salvage(ctx, block, all, false);
	*request = (struct remap_meta){
		.op = REMAP_META_CLAIM,
		.slot = remap_new_slot(ctx, block, ctx->image, got),
		.block = block,
		.bits = all & ~got,
		.reason = RMETA_REASON_MANUAL,
	};
	return request->slot == RMETA_NO_SLOT ? -ENOSPC : 0;
}
