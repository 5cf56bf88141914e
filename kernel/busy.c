// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exclusion: a small, fixed set of owned blocks, and the bios that wait for them. Whoever
 * changes where a block lives owns it for as long as that takes. See the argument in map.c.
 *
 * Also keeps the fenced blocks: those whose metadata was being changed when too many copies
 * failed, so that a load may show either version. They give I/O errors until then.
 *
 * Knows nothing of what owners do.
 */
#include "remap.h"

/* How many owned blocks there are of those that share a place with @block. */
static u16 *busy_count(struct remap_core *core, block_t block)
{
	return &core->busy_count[block % REMAP_BUSY_COUNTS];
}

static struct remap_busy *find(struct remap_core *core, block_t block)
{
	unsigned int i;

	for (i = 0; i < REMAP_BUSY; i++)
		if (core->busy[i].used && core->busy[i].block == block)
			return &core->busy[i];
	return NULL;
}

/* Under busy_lock; @block is not owned. */
static struct remap_busy *claim_locked(struct remap_core *core, block_t block)
{
	struct remap_busy *busy = core->busy;
	u16 *count;

	/* There are as many as all owners can own at once. */
	while (busy->used)
		busy++;
	busy->used = true;
	busy->block = block;
	bio_list_init(&busy->parked);
	count = busy_count(core, block);
	WRITE_ONCE(*count, *count + 1);
	return busy;
}

/* What an owner owes to everybody else before it looks at anything (see map.c). */
static void announce(struct remap_core *core, block_t block)
{
	remap_region_set(core->regions, remap_block_sector(core, block));
	smp_mb();
}

/**
 * remap_busy_try() - own a block, if nobody does
 * @core: the core
 * @block: block of main
 *
 * Return: what to release, or NULL.
 * Context: a context of @core, which owns at most one other block, or a message, which owns a batch.
 */
struct remap_busy *remap_busy_try(struct remap_core *core, block_t block)
{
	struct remap_busy *busy = NULL;

	spin_lock_irq(&core->busy_lock);
	if (!find(core, block))
		busy = claim_locked(core, block);
	spin_unlock_irq(&core->busy_lock);
	if (busy)
		announce(core, block);
	return busy;
}

/**
 * remap_busy_claim() - own a block, waiting for the present owner
 * @core: the core
 * @block: block of main
 *
 * Return: what to release.
 * Context: a context that owns nothing, or the message, which claims in ascending order.
 * Sleeps.
 */
struct remap_busy *remap_busy_claim(struct remap_core *core, block_t block)
{
	struct remap_busy *busy;

	wait_event(core->busy_wait, (busy = remap_busy_try(core, block)));
	return busy;
}

/**
 * remap_busy_claim_or_park() - own a block, or let the bio wait without its context
 * @core: the core
 * @block: block of main
 * @bio: comes back through remap_dispatch() when NULL is returned; not to be touched then
 *
 * Return: what to release, or NULL.
 * Context: a context that owns nothing.
 */
struct remap_busy *remap_busy_claim_or_park(struct remap_core *core, block_t block,
					    struct bio *bio)
{
	struct remap_busy *owned, *busy = NULL;

	spin_lock_irq(&core->busy_lock);
	owned = find(core, block);
	if (owned) {
		bio_list_add(&owned->parked, bio);
		core->nr_parked++;
	} else {
		busy = claim_locked(core, block);
	}
	spin_unlock_irq(&core->busy_lock);
	if (busy)
		announce(core, block);
	return busy;
}

/**
 * remap_busy_park() - let a bio wait for the owner of its block
 * @core: the core
 * @block: the block
 * @bio: as for remap_busy_claim_or_park()
 *
 * Return: false when nobody owns the block any more; nothing has been done then.
 * Context: any.
 */
bool remap_busy_park(struct remap_core *core, block_t block, struct bio *bio)
{
	struct remap_busy *busy;
	unsigned long flags;

	spin_lock_irqsave(&core->busy_lock, flags);
	busy = find(core, block);
	if (busy) {
		bio_list_add(&busy->parked, bio);
		core->nr_parked++;
	}
	spin_unlock_irqrestore(&core->busy_lock, flags);
	return busy;
}

/**
 * remap_busy_test() - does somebody own a block?
 * @core: the core
 * @block: block of main
 *
 * After false, a lookup finds what the last owner published.
 *
 * Context: any.
 */
bool remap_busy_test(struct remap_core *core, block_t block)
{
	unsigned long flags;
	bool owned;

	/* Pairs with the release in remap_busy_release(). */
	if (likely(!smp_load_acquire(busy_count(core, block))))
		return false;
	spin_lock_irqsave(&core->busy_lock, flags);
	owned = find(core, block);
	spin_unlock_irqrestore(&core->busy_lock, flags);
	return owned;
}

/**
 * remap_busy_release() - give a block back and send its parked bios on their way
 * @core: the core
 * @busy: from a claim
 *
 * Context: the owner; process, holding no lock; submits, see remap_dispatch().
 */
void remap_busy_release(struct remap_core *core, struct remap_busy *busy)
{
	u16 *count = busy_count(core, busy->block);
	struct bio_list parked;
	struct bio *bio;

	spin_lock_irq(&core->busy_lock);
	parked = busy->parked;
	core->nr_parked -= bio_list_size(&parked);
	busy->used = false;
	smp_store_release(count, *count - 1);
	spin_unlock_irq(&core->busy_lock);
	wake_up_all(&core->busy_wait);
	while ((bio = bio_list_pop(&parked)))
		remap_dispatch(core, bio);
}

/**
 * remap_fence() - no I/O to a block until the next load
 * @core: the core
 * @block: its metadata on the spare is old or new, nobody knows
 *
 * Context: process. The region of the block is marked.
 */
void remap_fence(struct remap_core *core, block_t block)
{
	bool full;

	if (remap_fenced(core, block))
		return;
	spin_lock_irq(&core->busy_lock);
	full = core->nr_fenced == REMAP_FENCED;
	if (!full) {
		core->fenced[core->nr_fenced] = block;
		smp_store_release(&core->nr_fenced, core->nr_fenced + 1);
	}
	spin_unlock_irq(&core->busy_lock);
	if (full)
		remap_core_fail(core, "the metadata of too many blocks is in doubt");
	else
		remap_log_limited(KERN_ERR, core,
				  "metadata of block %llu (sector %llu) could not be written: I/O errors there until it is loaded again",
				  block, (u64)remap_block_sector(core, block));
}

/**
 * remap_unfence_all() - the metadata of all blocks is certain again
 * @core: the core
 *
 * Context: the metadata worker, which is who fences.
 */
void remap_unfence_all(struct remap_core *core)
{
	spin_lock_irq(&core->busy_lock);
	smp_store_release(&core->nr_fenced, 0);
	spin_unlock_irq(&core->busy_lock);
}

/**
 * remap_fenced() - is a block fenced?
 * @core: the core
 * @block: block of main
 *
 * Context: any.
 */
bool remap_fenced(const struct remap_core *core, block_t block)
{
	unsigned int i, nr = smp_load_acquire(&core->nr_fenced);

	for (i = 0; unlikely(i < nr); i++)
		if (core->fenced[i] == block)
			return true;
	return false;
}
