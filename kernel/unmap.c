// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking remaps back: what slots hold goes home to main, and the slots become free. Blocks
 * are owned in small batches, so that a batch costs one wait for bios, one flush of main and,
 * where slots are neighbours, one commit.
 *
 *	block				what is done
 *	unmapped			nothing, it is home
 *	mapped, no mask			copied, flushed, read back, freed
 *	mapped, some sectors pending	the same for the others; pending ones never left main
 *	lost sectors			refused: main would pretend to have them
 *	reaches past the table line,	refused: what main has there may be somebody else's
 *	and its slot has data for that
 *	its slot cannot be read, main	refused; the block stays where it is
 *	does not take it or does not
 *	give it back
 *
 * Why no write is undone by this, and no bio meets a slot that has become another's, is part
 * of the argument in map.c.
 */
#include "remap.h"

static void refuse(struct remap_unmap *unmap, block_t block, int error)
{
	if (unmap->error)
		return;
	unmap->error = error;
	unmap->error_block = block;
}

/* Everything of the block that is in its slot, into the image. */
static int read_slot(struct remap_ctx *ctx, const struct remap_homing *homing)
{
	u16 got;

	if (remap_read_slot(ctx, homing->slot, homing->in_slot, &got) || got != homing->in_slot)
		return -EIO;
	return 0;
}

static int copy_home(struct remap_ctx *ctx, const struct remap_homing *homing)
{
	sector_t start = remap_block_sector(ctx->core, homing->block);
	unsigned int first = 0, sectors;
	int r = read_slot(ctx, homing);

	while (!r && remap_next_run(homing->in_slot, &first, &sectors)) {
		if (remap_main_restore(ctx, start + first, ctx->image + (first << SECTOR_SHIFT),
				       sectors)) {
			remap_note_error(ctx->core, REQ_OP_WRITE, start + first);
			r = -EIO;
		}
		first += sectors;
	}
	return r;
}

/* Does main give back what the slot holds? Returns -EAGAIN when it gives something else. */
static int verify(struct remap_ctx *ctx, const struct remap_homing *homing)
{
	sector_t start = remap_block_sector(ctx->core, homing->block);
	unsigned int first = 0, sectors;
	int r = read_slot(ctx, homing);

	while (!r && remap_next_run(homing->in_slot, &first, &sectors)) {
		unsigned int offset = first << SECTOR_SHIFT;

		if (remap_main_buffer(ctx, REQ_OP_READ, start + first, ctx->scratch + offset,
				      sectors)) {
			remap_note_error(ctx->core, REQ_OP_READ, start + first);
			r = -EIO;
		} else if (memcmp(ctx->scratch + offset, ctx->image + offset,
				  sectors << SECTOR_SHIFT)) {
			r = -EAGAIN;
		}
		first += sectors;
	}
	return r;
}

/*
 * A write that was on its way to main since before the block was mapped may have landed
 * between copy and comparison; it is made again by a context later. So a difference is
 * tried once more.
 */
static int verify_twice(struct remap_ctx *ctx, const struct remap_homing *homing)
{
	int r = verify(ctx, homing);

	if (r != -EAGAIN)
		return r;
	r = copy_home(ctx, homing);
	if (!r)
		r = remap_main_flush(ctx);
	if (!r)
		r = verify(ctx, homing);
	return r ? -EIO : 0;
}

static void free_slots(struct remap_core *core, struct remap_unmap *unmap)
{
	struct remap_homing *homing;
	int r;

	for (homing = unmap->blocks; homing < unmap->blocks + unmap->nr; homing++) {
		if (homing->error)
			continue;
		homing->request = (struct remap_meta){
			.op = REMAP_META_FREE, .slot = homing->slot, .block = homing->block,
		};
		remap_meta_start(core, &homing->request);
	}
	for (homing = unmap->blocks; homing < unmap->blocks + unmap->nr; homing++) {
		if (homing->error)
			continue;
		r = remap_meta_wait(&homing->request);
		if (r)
			refuse(unmap, homing->block, r);
		else
			unmap->handled++;
	}
}

/**
 * remap_unmap_flush() - bring the blocks of a batch home and let go of them
 * @core: live, read-write
 * @unmap: the batch; empty afterwards
 *
 * Context: a message, with message_lock held; sleeps.
 */
void remap_unmap_flush(struct remap_core *core, struct remap_unmap *unmap)
{
	struct remap_ctx *ctx = &core->message_ctx;
	struct remap_homing *homing, *end = unmap->blocks + unmap->nr;
	int r;

	if (!unmap->nr)
		return;
	/* Writes that main completes from here on may be undone by the copy: see map.c. */
	WRITE_ONCE(core->rewrites, true);
	smp_mb();
	/* Bios under way to the slots. New ones park. */
	synchronize_srcu_expedited(&core->flight);
	for (homing = unmap->blocks; homing < end; homing++) {
		remap_set_budget(ctx, 1);
		homing->error = copy_home(ctx, homing);
	}
	r = remap_main_flush(ctx);
	for (homing = unmap->blocks; homing < end; homing++) {
		remap_set_budget(ctx, 1);
		if (!homing->error)
			homing->error = r ?: verify_twice(ctx, homing);
		if (homing->error)
			refuse(unmap, homing->block, homing->error);
	}
	free_slots(core, unmap);
	for (homing = unmap->blocks; homing < end; homing++)
		remap_busy_release(core, homing->busy);
	unmap->nr = 0;
}

static int check(struct remap_core *core, block_t block, const struct remap_view *view)
{
	u16 in_slot = rmeta_block_mask(block, core->main_sectors, core->block_shift) & ~view->mask;

	if (READ_ONCE(core->failed) || remap_fenced(core, block))
		return -EIO;
	if (view->lost)
		return -ENODATA;
	return in_slot & ~remap_covered(core, block) ? -ERANGE : 0;
}

/**
 * remap_unmap_add() - add a block to a batch
 * @core: live, read-write
 * @unmap: the batch; it is flushed when it is full
 * @block: of main, above all that were added before
 *
 * Context: a message, with message_lock held; sleeps.
 */
void remap_unmap_add(struct remap_core *core, struct remap_unmap *unmap, block_t block)
{
	u16 all = rmeta_block_mask(block, core->main_sectors, core->block_shift);
	struct remap_homing *homing = &unmap->blocks[unmap->nr];
	struct remap_view view;
	int r;

	/* Ranges may be large and hold little. */
	rcu_read_lock();
	remap_look(core, block, &view);
	rcu_read_unlock();
	if (view.slot == RMETA_NO_SLOT) {
		unmap->handled++;
		return;
	}
	homing->busy = remap_busy_try(core, block);
	if (!homing->busy) {
		/* The rest of the batch is not to wait for somebody else's block. */
		remap_unmap_flush(core, unmap);
		homing = unmap->blocks;
		homing->busy = remap_busy_claim(core, block);
	}
	rcu_read_lock();
	remap_look(core, block, &view);
	rcu_read_unlock();
	r = check(core, block, &view);
	if (view.slot == RMETA_NO_SLOT)
		unmap->handled++;
	else if (r)
		refuse(unmap, block, r);
	if (view.slot == RMETA_NO_SLOT || r) {
		remap_busy_release(core, homing->busy);
		return;
	}
	homing->block = block;
	homing->slot = view.slot;
	homing->in_slot = all & ~view.mask;
	if (!unmap->nr++)
		unmap->start = jiffies;
	/* Bios wait for these blocks, and main may be slow. */
	if (unmap->nr == REMAP_MESSAGE_BLOCKS || time_after(jiffies, unmap->start + HZ))
		remap_unmap_flush(core, unmap);
}
