// SPDX-License-Identifier: GPL-2.0-only
/*
 * The metadata worker: the one writer of a spare's table while bios flow. Requests that wait
 * together are committed together, sorted by slot, so that those of one page are one write
 * of it; a lone one is not delayed. When it has nothing else to do it prepares slots.
 *
 * Runs on a workqueue of its own that no data I/O goes through, under memalloc_noio: it is
 * what memory reclaim may be waiting for. Knows nothing of bios from above.
 */
#include <linux/sched/mm.h>
#include <linux/sort.h>

#include "remap.h"

#define IMPORT_SCAN 65536		/* blocks looked at in one step of an import */

/*
 * Small requests
 */

static int by_slot(const void *a, const void *b)
{
	const struct remap_meta *const *x = a, *const *y = b;

	return (*x)->slot < (*y)->slot ? -1 : (*x)->slot > (*y)->slot;
}

static bool is_linked(const struct remap_core *core, slot_t slot)
{
	u8 state = rmeta_table_entry(&core->table, slot)->state;

	return state == RMETA_MAPPED || state == RMETA_LOST;
}

static int commit_counters(struct remap_core *core)
{
	core->table.sb.read_errors = atomic64_read(&core->read_errors);
	core->table.sb.write_errors = atomic64_read(&core->write_errors);
	return rmeta_table_commit_super(&core->table);
}

/* Returns whether @change is to be applied; otherwise the request has been answered. */
static bool make_change(struct remap_core *core, struct remap_meta *request,
			struct rmeta_change *change)
{
	struct rmeta_table *table = &core->table;

	switch (request->op) {
	case REMAP_META_CLAIM:
		/* An import may have been there first: imports own nothing. */
		if (rmeta_index_lookup(&table->index, request->block) != RMETA_NO_SLOT) {
			request->error = -EEXIST;
			return false;
		}
		rmeta_change_claim(table, change, request->slot, request->block, request->bits,
				   request->reason);
		return true;
	case REMAP_META_MASK:
		rmeta_change_mask(table, change, request->slot, request->bits);
		return true;
	case REMAP_META_MOVE:
		rmeta_change_move(table, change, request->from, request->slot, request->clear,
				  request->bits);
		return true;
	case REMAP_META_RETIRE:
		rmeta_change_retire(table, change, request->slot, request->block);
		return true;
	case REMAP_META_FREE:
		/* The old claim of a block that has moved could come back: see table.h. */
		if (table->unretired) {
			request->error = -EROFS;
			return false;
		}
		rmeta_change_free(table, change, request->slot);
		return true;
	case REMAP_META_RESERVE:
		request->error = remap_slots_reserve(core, &request->slot);
		return false;
	case REMAP_META_UNRESERVE:
		rmeta_table_unreserve(table, request->slot);
		return false;
	case REMAP_META_COMMIT:
		return false;
	}
	return false;
}

static void finish_change(struct remap_core *core, struct remap_meta *request, int error)
{
	request->error = error;
	if (error == -EROFS && !request->was_linked)
		rmeta_table_unreserve(&core->table, request->slot);
	/* A reserved slot that may or may not be retired is nobody's mapping. */
	if (error && error != -EROFS &&
	    !(request->op == REMAP_META_RETIRE && !request->was_linked))
		remap_fence(core, request->block);
}

/* Those that wait, as many as are taken at once; returns how many. */
static unsigned int take_requests(struct remap_core *core)
{
	unsigned int nr = 0;

	spin_lock(&core->meta_lock);
	while (nr < REMAP_META_BATCH && !list_empty(&core->meta_requests)) {
		core->batch[nr] = list_first_entry(&core->meta_requests, struct remap_meta, list);
		list_del(&core->batch[nr++]->list);
	}
	spin_unlock(&core->meta_lock);
	return nr;
}

static bool do_requests(struct remap_core *core)
{
	unsigned int nr = take_requests(core), nr_changes = 0, i, change;
	struct remap_meta **requests = core->batch;
	bool clean = false;

	if (!nr)
		return false;
	sort(requests, nr, sizeof(*requests), by_slot, NULL);
	for (i = 0; i < nr; i++) {
		requests[i]->error = 0;
		requests[i]->applied = make_change(core, requests[i], &core->changes[nr_changes]);
		if (!requests[i]->applied)
			continue;
		requests[i]->was_linked = is_linked(core, requests[i]->slot);
		nr_changes++;
	}
	if (nr_changes)
		rmeta_table_apply(&core->table, core->changes, nr_changes);
	for (i = 0, change = 0; i < nr; i++) {
		if (!requests[i]->applied)
			continue;
		finish_change(core, requests[i], core->changes[change].error);
		clean |= core->changes[change].error;
		change++;
	}
	if (clean)
		remap_pool_clean(core);
	if (nr_changes)
		remap_event(core);
	for (i = 0; i < nr; i++) {
		if (requests[i]->op == REMAP_META_COMMIT)
			requests[i]->error = commit_counters(core);
		complete(&requests[i]->done);
	}
	return true;
}

/*
 * Imports
 */

/* The next block of an import that needs a slot; false at its end or after enough looking. */
static bool next_block(struct remap_core *core, struct remap_import *import, block_t *block,
		       unsigned int *scanned)
{
	while (import->range < import->nr_ranges && (*scanned)++ < IMPORT_SCAN) {
		const struct remap_range *range = &import->ranges[import->range];

		*block = range->first + import->at;
		if (++import->at == range->nr) {
			import->range++;
			import->at = 0;
		}
		if (rmeta_index_lookup(&core->table.index, *block) == RMETA_NO_SLOT)
			return true;
		import->handled++;
	}
	return false;
}

static void apply_import(struct remap_core *core, struct remap_import *import, unsigned int nr)
{
	unsigned int i;

	if (!nr)
		return;
	/* Writes on their way to main must find the bits when they test again. */
	smp_mb();
	rmeta_table_apply(&core->table, core->changes, nr);
	for (i = 0; i < nr; i++) {
		struct rmeta_change *change = &core->changes[i];

		if (!change->error) {
			import->handled++;
			continue;
		}
		if (!import->error)
			import->error = change->error;
		if (change->error == -EROFS)
			rmeta_table_unreserve(&core->table, change->slot);
		else
			remap_fence(core, rmeta_where_block(change->entry.where));
	}
	remap_event(core);
}

static bool do_import(struct remap_core *core)
{
	struct remap_import *import;
	unsigned int nr = 0, scanned = 0;
	block_t block;
	slot_t slot;

	spin_lock(&core->meta_lock);
	import = list_first_entry_or_null(&core->imports, struct remap_import, list);
	spin_unlock(&core->meta_lock);
	if (!import)
		return false;
	while (nr < REMAP_META_CHANGES && !import->error &&
	       next_block(core, import, &block, &scanned)) {
		import->error = remap_slots_reserve(core, &slot);
		if (import->error == -ENOSPC && remap_pool_take(core, &slot))
			import->error = 0;
		if (import->error)
			break;
		remap_region_set(core->regions, remap_block_sector(core, block));
		rmeta_change_claim(&core->table, &core->changes[nr++], slot, block,
				   rmeta_block_mask(block, core->main_sectors, core->block_shift),
				   import->reason);
	}
	apply_import(core, import, nr);
	if (import->range < import->nr_ranges && !import->error && !READ_ONCE(import->stop))
		return true;
	spin_lock(&core->meta_lock);
	list_del(&import->list);
	spin_unlock(&core->meta_lock);
	complete(&import->done);
	return true;
}

static void meta_work(struct work_struct *work)
{
	struct remap_core *core = container_of(work, struct remap_core, meta_work);
	unsigned int noio = memalloc_noio_save();
	bool more;

	do {
		more = do_requests(core);
		more |= do_import(core);
		more |= remap_scrub_step(core);
	} while (more);
	remap_slots_prepare(core);
	memalloc_noio_restore(noio);
}

/**
 * remap_meta_start() - hand requests to the worker, which commits them together
 * @core: loaded read-write
 * @requests: linked by @list; each must stay until remap_meta_wait() has returned for it
 *
 * Context: process.
 */
void remap_meta_start(struct remap_core *core, struct list_head *requests)
{
	struct remap_meta *request;

	list_for_each_entry(request, requests, list)
		init_completion(&request->done);
	spin_lock(&core->meta_lock);
	list_splice_tail_init(requests, &core->meta_requests);
	spin_unlock(&core->meta_lock);
	queue_work(core->meta_wq, &core->meta_work);
}

/**
 * remap_meta_wait() - wait for a request
 * @request: was started
 *
 * Return: 0 when it is durable and visible, else see struct remap_meta.
 * Context: process; sleeps.
 */
int remap_meta_wait(struct remap_meta *request)
{
	wait_for_completion(&request->done);
	return request->error;
}

/**
 * remap_meta_run() - remap_meta_start() and remap_meta_wait() for one request
 * @core: loaded read-write
 * @request: what to do
 *
 * Return: as remap_meta_wait().
 * Context: process; sleeps.
 */
int remap_meta_run(struct remap_core *core, struct remap_meta *request)
{
	LIST_HEAD(requests);

	list_add(&request->list, &requests);
	remap_meta_start(core, &requests);
	return remap_meta_wait(request);
}

/**
 * remap_meta_import() - map blocks whose data stays on main, and wait
 * @core: loaded read-write
 * @import: which; a fatal signal stops it between commits
 *
 * Needs no ownership: no data moves, and the worker itself sees to it that no block gets
 * two slots.
 *
 * Context: process; sleeps.
 */
void remap_meta_import(struct remap_core *core, struct remap_import *import)
{
	init_completion(&import->done);
	spin_lock(&core->meta_lock);
	list_add_tail(&import->list, &core->imports);
	spin_unlock(&core->meta_lock);
	queue_work(core->meta_wq, &core->meta_work);
	if (!wait_for_completion_killable(&import->done))
		return;
	WRITE_ONCE(import->stop, true);
	wait_for_completion(&import->done);
	if (!import->error && import->range < import->nr_ranges)
		import->error = -EINTR;
}

/**
 * remap_meta_kick() - let the worker prepare slots, after a load
 * @core: loaded read-write
 */
void remap_meta_kick(struct remap_core *core)
{
	queue_work(core->meta_wq, &core->meta_work);
}

/**
 * remap_meta_init() - make the worker
 * @core: zeroed but for what the caller has set
 *
 * Return: 0 or -ENOMEM; remap_meta_exit() is due in either case.
 * Context: sleeps.
 */
int remap_meta_init(struct remap_core *core)
{
	spin_lock_init(&core->meta_lock);
	INIT_LIST_HEAD(&core->meta_requests);
	INIT_LIST_HEAD(&core->imports);
	INIT_WORK(&core->meta_work, meta_work);
	core->batch = kvmalloc_array(REMAP_META_BATCH, sizeof(*core->batch), GFP_KERNEL);
	core->changes = kvmalloc_array(REMAP_META_CHANGES, sizeof(*core->changes), GFP_KERNEL);
	if (!core->batch || !core->changes)
		return -ENOMEM;
	core->meta_wq = alloc_ordered_workqueue("dm-remap-meta/%u:%u", WQ_MEM_RECLAIM,
						MAJOR(core->spare_devt), MINOR(core->spare_devt));
	return core->meta_wq ? 0 : -ENOMEM;
}

/**
 * remap_meta_exit() - free the worker
 * @core: no request is left
 *
 * Context: sleeps.
 */
void remap_meta_exit(struct remap_core *core)
{
	if (core->meta_wq)
		destroy_workqueue(core->meta_wq);
	kvfree(core->changes);
	kvfree(core->batch);
}
