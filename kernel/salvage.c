// SPDX-License-Identifier: GPL-2.0-only
/*
 * The salvage job: pending sectors are tried again on main, and those it gives back are
 * copied to the slot and are pending no longer. One pass over the slots for each start: what
 * main does not give stays as it is, and is tried again when somebody asks again.
 *
 * A block is owned while it is tried, so bios for it wait, for no longer than a bio may spend
 * in retries. A read of main that is older than a write under way to it does no harm: that
 * write finds its block mapped when it completes, and is stored in the slot then.
 */
#include "remap.h"

#define SCAN_SLOTS 65536U		/* looked at in one step */

/* A pending block at or after the present slot, which becomes the next; false: not in this step. */
static bool find_pending(struct remap_core *core, block_t *block)
{
	struct remap_salvage *salvage = &core->salvage;
	unsigned int scanned;
	bool found = false;

	rcu_read_lock();
	for (scanned = 0; !found && scanned < SCAN_SLOTS && salvage->next < salvage->end;
	     scanned++, salvage->next++) {
		const struct rmeta_entry *entry = rmeta_table_entry(&core->table,
								    (slot_t)salvage->next);
		u64 where = READ_ONCE(entry->where);

		if (smp_load_acquire(&entry->state) == RMETA_MAPPED && rmeta_where_mask(where)) {
			*block = rmeta_where_block(where);
			found = true;
		}
	}
	rcu_read_unlock();
	return found;
}

/* The owner's part. What was found has been looked up again. */
static void heal(struct remap_ctx *ctx, block_t block, const struct remap_view *view)
{
	struct remap_core *core = ctx->core;
	struct remap_salvage *salvage = &core->salvage;
	struct remap_meta clear = { .op = REMAP_META_MASK, .slot = view->slot, .block = block };

	remap_set_budget(ctx, 1);
	clear.bits = remap_salvage(ctx, block, view->mask, false);
	WRITE_ONCE(salvage->tried, salvage->tried +
		   hweight16(view->mask & remap_covered(core, block)));
	/* Durable in the slot before the bits are cleared (rule 4 of the format). */
	if (!clear.bits || remap_write_image(ctx, view->slot, ctx->image, clear.bits))
		return;
	if (!remap_meta_run(core, &clear))
		WRITE_ONCE(salvage->healed, salvage->healed + hweight16(clear.bits));
}

/**
 * remap_salvage_step() - try the pending sectors of one block
 * @job: the job
 *
 * Return: see struct remap_job.
 * Context: of a step.
 */
long remap_salvage_step(struct remap_job *job)
{
	struct remap_core *core = job->ctx.core;
	struct remap_salvage *salvage = &core->salvage;
	struct remap_busy *busy;
	struct remap_view view;
	block_t block;

	if (find_pending(core, &block)) {
		busy = remap_busy_claim(core, block);
		rcu_read_lock();
		remap_look(core, block, &view);
		rcu_read_unlock();
		if (view.slot != RMETA_NO_SLOT && view.mask && !view.lost &&
		    !remap_fenced(core, block))
			heal(&job->ctx, block, &view);
		remap_busy_release(core, busy);
	}
	if (salvage->next < salvage->end)
		return 0;
	remap_info(core, "salvage: %llu of %llu sectors recovered", salvage->healed,
		   salvage->tried);
	remap_event(core);
	return REMAP_JOB_DONE;
}

static void prepare(struct remap_job *job)
{
	struct remap_core *core = job->ctx.core;

	core->salvage = (struct remap_salvage){
		.end = min_t(u64, (u64)READ_ONCE(core->table.sb.pages_used) * RMETA_PAGE_ENTRIES,
			     rmeta_slots(&core->table.store.geo)),
		.wanted = READ_ONCE(core->table.counts.pending_sectors),
		.started = true,
	};
}

/**
 * remap_salvage_start() - begin a pass, if none is under way
 * @core: live, read-write
 *
 * Context: a message, with message_lock held.
 */
void remap_salvage_start(struct remap_core *core)
{
	remap_job_start(&core->jobs[REMAP_JOB_SALVAGE], prepare);
}
