// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bios that need a process: failed ones, writes to masked blocks, writes that main completed
 * while their block was being moved. They wait in two queues, one for errors, whose
 * retries may take a dying disk half a minute each, and one for the rest, each with its own
 * contexts. A context takes one bio and goes through it block by block, owning one block at
 * a time, so that a failing bio of 1 MiB with one bad block costs one slot.
 */
#include "remap.h"

static enum remap_class class_of(const struct remap_bio *rb)
{
	return rb->flags & RB_ERROR ? REMAP_CLASS_ERROR : REMAP_CLASS_SERVICE;
}

/**
 * remap_queue() - let a context finish a bio
 * @core: the core
 * @bio: ours, its bi_iter as submitted, RB_WORK set
 *
 * Context: any.
 */
void remap_queue(struct remap_core *core, struct bio *bio)
{
	enum remap_class class = class_of(remap_bio(bio));
	struct remap_ctx *ctx;
	unsigned long flags;

	spin_lock_irqsave(&core->queue_lock, flags);
	bio_list_add(&core->queue[class], bio);
	core->nr_queued++;
	ctx = list_first_entry_or_null(&core->idle[class], struct remap_ctx, idle);
	if (ctx) {
		list_del_init(&ctx->idle);
		core->nr_working++;
	}
	spin_unlock_irqrestore(&core->queue_lock, flags);
	if (ctx)
		queue_work(core->data_wq, &ctx->work);
}

/* The next bio, or NULL: the context is idle from then on. */
static struct bio *next_bio(struct remap_ctx *ctx)
{
	struct remap_core *core = ctx->core;
	struct bio *bio;

	spin_lock_irq(&core->queue_lock);
	bio = bio_list_pop(&core->queue[ctx->class]);
	if (bio) {
		core->nr_queued--;
	} else {
		list_add(&ctx->idle, &core->idle[ctx->class]);
		core->nr_working--;
	}
	spin_unlock_irq(&core->queue_lock);
	return bio;
}

static blk_status_t do_part(struct remap_ctx *ctx, const struct remap_part *part)
{
	if (READ_ONCE(ctx->core->failed) || remap_fenced(ctx->core, part->block))
		return BLK_STS_IOERR;
	if (op_is_write(bio_op(part->bio)))
		return remap_store(ctx, part);
	return remap_fetch(ctx, part);
}

static void do_bio(struct remap_ctx *ctx, struct bio *bio)
{
	struct remap_core *core = ctx->core;
	sector_t sector = bio->bi_iter.bi_sector;
	unsigned int sectors = bio_sectors(bio);
	struct remap_part part = { .bio = bio };
	blk_status_t status = BLK_STS_OK, part_status;
	struct remap_busy *busy;

	remap_set_budget(ctx, 0);
	for (; part.offset < sectors; part.offset += part.sectors) {
		if (dm_noflush_suspending(core->live->ti)) {
			/* Nothing of it is acknowledged; all of it comes again after the resume. */
			status = BLK_STS_DM_REQUEUE;
			break;
		}
		part.block = (sector + part.offset) >> core->block_shift;
		part.first = (sector + part.offset) & (remap_block_sectors(core) - 1);
		part.sectors = min(sectors - part.offset, remap_block_sectors(core) - part.first);
		if (part.offset)
			busy = remap_busy_claim(core, part.block);
		else
			busy = remap_busy_claim_or_park(core, part.block, bio);
		if (!busy)
			return;
		part_status = do_part(ctx, &part);
		remap_busy_release(core, busy);
		if (part_status && !status)
			status = part_status;
	}
	remap_finish(bio, status);
}

static void do_work(struct work_struct *work)
{
	struct remap_ctx *ctx = container_of(work, struct remap_ctx, work);
	struct bio *bio;

	while ((bio = next_bio(ctx)))
		do_bio(ctx, bio);
}

/**
 * remap_ctx_init() - make what a context needs
 * @core: whose
 * @ctx: zeroed
 *
 * Return: 0 or -ENOMEM; remap_ctx_exit() is due in either case.
 * Context: sleeps.
 */
int remap_ctx_init(struct remap_core *core, struct remap_ctx *ctx)
{
	ctx->core = core;
	INIT_LIST_HEAD(&ctx->idle);
	INIT_WORK(&ctx->work, do_work);
	/* Powers of two, so that each is contiguous and aligned to itself. */
	ctx->image = kmalloc(REMAP_BLOCK_BYTES, GFP_KERNEL);
	ctx->scratch = kmalloc(REMAP_BLOCK_BYTES, GFP_KERNEL);
	ctx->io = kmalloc(sizeof(*ctx->io), GFP_KERNEL);
	return ctx->image && ctx->scratch && ctx->io ? 0 : -ENOMEM;
}

/**
 * remap_ctx_exit() - free what a context has
 * @ctx: nobody uses it
 */
void remap_ctx_exit(struct remap_ctx *ctx)
{
	kfree(ctx->image);
	kfree(ctx->scratch);
	kfree(ctx->io);
}

/**
 * remap_work_init() - make queues and contexts
 * @core: zeroed but for what the caller has set
 *
 * Return: 0 or -ENOMEM; remap_work_exit() is due in either case.
 * Context: sleeps.
 */
int remap_work_init(struct remap_core *core)
{
	unsigned int class, i;
	int r;

	spin_lock_init(&core->queue_lock);
	mutex_init(&core->retry_lock);
	mutex_init(&core->message_lock);
	for (class = 0; class < REMAP_NR_CLASSES; class++) {
		bio_list_init(&core->queue[class]);
		INIT_LIST_HEAD(&core->idle[class]);
	}
	for (i = 0; i < ARRAY_SIZE(core->contexts); i++) {
		struct remap_ctx *ctx = &core->contexts[i];

		r = remap_ctx_init(core, ctx);
		if (r)
			return r;
		ctx->class = i % REMAP_NR_CLASSES;
		list_add(&ctx->idle, &core->idle[ctx->class]);
	}
	r = remap_ctx_init(core, &core->message_ctx);
	if (r)
		return r;
	core->data_wq = alloc_workqueue("dm-remap-data/%u:%u", WQ_MEM_RECLAIM | WQ_UNBOUND,
					ARRAY_SIZE(core->contexts) + REMAP_NR_JOBS,
					MAJOR(core->spare_devt), MINOR(core->spare_devt));
	return core->data_wq ? 0 : -ENOMEM;
}

/**
 * remap_work_exit() - free queues and contexts
 * @core: no bio is left
 *
 * Context: sleeps.
 */
void remap_work_exit(struct remap_core *core)
{
	unsigned int i;

	if (core->data_wq)
		destroy_workqueue(core->data_wq);
	for (i = 0; i < ARRAY_SIZE(core->contexts); i++)
		remap_ctx_exit(&core->contexts[i]);
	remap_ctx_exit(&core->message_ctx);
}
