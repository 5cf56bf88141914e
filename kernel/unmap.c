// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking remaps back: what slots hold goes home to main, and the slots become free. Blocks
 * are owned in batches, so that a batch costs one wait for bios, one flush of main and, where
 * slots are neighbours, one commit. Bios wait for the blocks of a batch, and main may take long for
 * each: when a batch has had its time, the blocks that it has not come to are let go, and are the
 * first of the next batch.
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
#include <linux/sched/signal.h>

#include "remap.h"

#define PATIENCE HZ			/* for each of claiming, copying, and comparing a batch */

/* That of the first block counts, however batches are cut. */
static void refuse(struct remap_unmap *unmap, block_t block, int error)
{
	if (unmap->error && unmap->error_block <= block)
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

/* Go back to the blocks of the batch from number @from on. */
static void let_go(struct remap_core *core, struct remap_unmap *unmap, unsigned int from)
{
	struct remap_homing *first = &unmap->blocks[from];

	if (from == unmap->nr)
		return;
	while (unmap->range == unmap->nr_ranges ||
	       unmap->ranges[unmap->range].first > first->block)
		unmap->range--;
	unmap->at = first->block - unmap->ranges[unmap->range].first;
	unmap->home = first->home_before;
	while (unmap->nr > from)
		remap_busy_release(core, unmap->blocks[--unmap->nr].busy);
}

/* As many of the batch as there is time for. */
static void copy_batch(struct remap_ctx *ctx, struct remap_unmap *unmap)
{
	unsigned long end = jiffies + PATIENCE;
	unsigned int i;

	for (i = 0; i < unmap->nr && (!i || time_before(jiffies, end)); i++) {
		remap_set_budget(ctx, 1);
		unmap->blocks[i].error = copy_home(ctx, &unmap->blocks[i]);
	}
	let_go(ctx->core, unmap, i);
}

/* Likewise. @flushed: how the flush of main went. */
static void verify_batch(struct remap_ctx *ctx, struct remap_unmap *unmap, int flushed)
{
	unsigned long end = jiffies + PATIENCE;
	unsigned int i;

	for (i = 0; i < unmap->nr && (!i || time_before(jiffies, end)); i++) {
		struct remap_homing *homing = &unmap->blocks[i];

		remap_set_budget(ctx, 1);
		if (!homing->error)
			homing->error = flushed ?: verify_twice(ctx, homing);
		if (homing->error)
			refuse(unmap, homing->block, homing->error);
	}
	let_go(ctx->core, unmap, i);
}

static void free_slots(struct remap_core *core, struct remap_unmap *unmap)
{
	struct remap_homing *homing, *end = unmap->blocks + unmap->nr;
	LIST_HEAD(requests);
	int r;

	for (homing = unmap->blocks; homing < end; homing++) {
		if (homing->error)
			continue;
		homing->request = (struct remap_meta){
			.op = REMAP_META_FREE, .slot = homing->slot, .block = homing->block,
		};
		list_add_tail(&homing->request.list, &requests);
	}
	if (list_empty(&requests))
		return;
	remap_meta_start(core, &requests);
	for (homing = unmap->blocks; homing < end; homing++) {
		if (homing->error)
			continue;
		r = remap_meta_wait(&homing->request);
		if (r)
			refuse(unmap, homing->block, r);
		else
			unmap->freed++;
	}
}

/* Bring the blocks of a batch home and let go of them. */
static void finish_batch(struct remap_core *core, struct remap_unmap *unmap)
{
	struct remap_ctx *ctx = &core->message_ctx;

	if (!unmap->nr)
		return;
	/* Writes that main completes from here on may be undone by the copy: see map.c. */
	WRITE_ONCE(core->rewrites, true);
	smp_mb();
	/* Bios under way to the slots. New ones park. */
	synchronize_srcu_expedited(&core->flight);
	copy_batch(ctx, unmap);
	verify_batch(ctx, unmap, remap_main_flush(ctx));
	free_slots(core, unmap);
	while (unmap->nr)
		remap_busy_release(core, unmap->blocks[--unmap->nr].busy);
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

/*
 * Look at a block, and add it to the batch if it has a slot that it can leave. Returns false when
 * it is somebody else's: the rest of the batch is not to wait for that.
 */
static bool add_block(struct remap_core *core, struct remap_unmap *unmap, block_t block)
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
		unmap->home++;
		return true;
	}
	homing->busy = unmap->nr ? remap_busy_try(core, block) : remap_busy_claim(core, block);
	if (!homing->busy)
		return false;
	rcu_read_lock();
	remap_look(core, block, &view);
	rcu_read_unlock();
	r = check(core, block, &view);
	if (view.slot == RMETA_NO_SLOT)
		unmap->home++;
	else if (r)
		refuse(unmap, block, r);
	if (view.slot == RMETA_NO_SLOT || r) {
		remap_busy_release(core, homing->busy);
		return true;
	}
	homing->block = block;
	homing->slot = view.slot;
	homing->in_slot = all & ~view.mask;
	homing->home_before = unmap->home;
	unmap->nr++;
	return true;
}

/* Returns 0, or why no more blocks are to be looked at. */
static int fill_batch(struct remap_core *core, struct remap_unmap *unmap)
{
	unsigned long end = jiffies + PATIENCE;

	while (unmap->range < unmap->nr_ranges && unmap->nr < REMAP_MESSAGE_BLOCKS) {
		const struct remap_range *range = &unmap->ranges[unmap->range];

		if (READ_ONCE(core->failed))
			return -EIO;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (unmap->nr && time_after(jiffies, end))
			break;
		if (!add_block(core, unmap, range->first + unmap->at))
			break;
		if (++unmap->at == range->nr) {
			unmap->range++;
			unmap->at = 0;
		}
		cond_resched();
	}
	return 0;
}

/**
 * remap_unmap() - bring blocks home
 * @core: live, read-write
 * @unmap: zeroed but for the ranges
 *
 * Goes on after a block that cannot come home.
 *
 * Return: 0; -EINTR or -EIO: a fatal signal, or failure of the device, has ended it.
 * Context: a message, with message_lock held; sleeps.
 */
int remap_unmap(struct remap_core *core, struct remap_unmap *unmap)
{
	int r;

	do {
		r = fill_batch(core, unmap);
		finish_batch(core, unmap);
	} while (!r && unmap->range < unmap->nr_ranges);
	return r;
}
