// SPDX-License-Identifier: GPL-2.0-only
/*
 * The metadata worker: the one writer of a spare's table while bios flow, and the engine's
 * I/O. Requests that wait together are committed together, sorted by slot, so that those
 * of one page are one write of it; a lone one is not delayed. Slots are reserved and the
 * table is grown ahead of need, so that an error on main rarely waits for either.
 *
 * Runs on a workqueue of its own that no data I/O goes through, under memalloc_noio: it is
 * what memory reclaim may be waiting for. Knows nothing of bios from above.
 */
#include <linux/sched/mm.h>
#include <linux/sort.h>

#include "remap.h"

#define IMPORT_SCAN 65536		/* blocks looked at in one step of an import */

/*
 * I/O of the engine
 */

struct io_wait {
	atomic_t pending;
	struct completion done;
};

struct io_bio {
	struct rmeta_io *io;
	struct io_wait *wait;
	struct bio bio;			/* last: vectors follow */
};

static void put_wait(struct io_wait *wait)
{
	if (atomic_dec_and_test(&wait->pending))
		complete(&wait->done);
}

static void end_meta_bio(struct bio *bio)
{
	struct io_bio *io_bio = container_of(bio, struct io_bio, bio);
	struct io_wait *wait = io_bio->wait;

	if (bio->bi_status)
		WRITE_ONCE(io_bio->io->error, blk_status_to_errno(bio->bi_status));
	bio_put(bio);
	put_wait(wait);
}

static struct page *page_at(void *data)
{
	return is_vmalloc_addr(data) ? vmalloc_to_page(data) : virt_to_page(data);
}

/* Start one request, in as many bios as it needs. */
static void start_io(struct remap_core *core, struct rmeta_io *io, struct io_wait *wait)
{
	blk_opf_t opf = REQ_META | REQ_SYNC;
	u32 done = 0;

	opf |= io->op == RMETA_WRITE ? REQ_OP_WRITE | REQ_FUA : REQ_OP_READ;
	io->error = 0;
	while (done < io->bytes) {
		unsigned int vecs = min_t(u32, DIV_ROUND_UP(io->bytes - done, RMETA_BYTES),
					  BIO_MAX_VECS);
		struct io_bio *io_bio;
		struct bio *bio;

		bio = bio_alloc_bioset(core->spare, vecs, opf, GFP_NOIO, &core->meta_bios);
		io_bio = container_of(bio, struct io_bio, bio);
		io_bio->io = io;
		io_bio->wait = wait;
		bio->bi_end_io = end_meta_bio;
		bio->bi_iter.bi_sector = io->sector + (done >> SECTOR_SHIFT);
		for (; vecs; vecs--, done += RMETA_BYTES) {
			u8 *data = (u8 *)io->data + done;

			__bio_add_page(bio, page_at(data), RMETA_BYTES, offset_in_page(data));
		}
		atomic_inc(&wait->pending);
		submit_bio(bio);
	}
}

static void host_submit(void *host, struct rmeta_io *ios, unsigned int nr_ios)
{
	struct io_wait wait;
	unsigned int i;

	/* Buffers are aligned to RMETA_BYTES, so that each of these is in one page of memory. */
	BUILD_BUG_ON(PAGE_SIZE % RMETA_BYTES);
	atomic_set(&wait.pending, 1);
	init_completion(&wait.done);
	for (i = 0; i < nr_ios; i++)
		start_io(host, &ios[i], &wait);
	put_wait(&wait);
	wait_for_completion_io(&wait.done);
}

static u64 host_now(void *host)
{
	return ktime_get_real_seconds();
}

static void host_resized(void *host, u32 from, u32 to, u64 count)
{
	struct remap_core *core = host;

	remap_info(core, "Adaptive hash table resize: %u -> %u buckets (count=%llu)", from, to,
		   count);
}

const struct rmeta_host_ops remap_host_ops = {
	.submit = host_submit,
	.now = host_now,
	.resized = host_resized,
};

/*
 * Slots ahead of need
 */

static int reserve(struct remap_core *core, slot_t *slot)
{
	int r = rmeta_table_reserve(&core->table, slot);

	if (r == -ENOSPC && !core->no_growth) {
		r = rmeta_table_grow(&core->table);
		if (r && r != -ENOMEM)
			core->no_growth = true;
		if (!r)
			r = rmeta_table_reserve(&core->table, slot);
		else if (r != -ENOMEM)
			r = -ENOSPC;
	}
	if (core->no_slots != (r == -ENOSPC)) {
		WRITE_ONCE(core->no_slots, r == -ENOSPC);
		remap_event(core);
	}
	return r;
}

static bool put_into_pool(struct remap_core *core, slot_t slot)
{
	bool pooled;

	spin_lock(&core->meta_lock);
	pooled = core->nr_pool < REMAP_POOL;
	if (pooled)
		core->pool[core->nr_pool++] = slot;
	spin_unlock(&core->meta_lock);
	return pooled;
}

static bool take_from_pool(struct remap_core *core, slot_t *slot)
{
	bool got = false;

	spin_lock(&core->meta_lock);
	if (core->nr_pool) {
		*slot = core->pool[0];
		core->nr_pool--;
		memmove(core->pool, core->pool + 1, core->nr_pool * sizeof(*core->pool));
		got = true;
	}
	spin_unlock(&core->meta_lock);
	return got;
}

/* Whether @slot is in a page that can take no more changes. */
static bool is_dead(const struct remap_core *core, slot_t slot)
{
	return hweight8(core->table.page_live[slot / RMETA_PAGE_ENTRIES]) < 2;
}

/* Slots of dead pages are no use in the pool. */
static void clean_pool(struct remap_core *core)
{
	slot_t dead[REMAP_POOL];
	unsigned int i, kept = 0, nr_dead = 0;

	spin_lock(&core->meta_lock);
	for (i = 0; i < core->nr_pool; i++) {
		if (is_dead(core, core->pool[i]))
			dead[nr_dead++] = core->pool[i];
		else
			core->pool[kept++] = core->pool[i];
	}
	core->nr_pool = kept;
	spin_unlock(&core->meta_lock);
	while (nr_dead)
		rmeta_table_unreserve(&core->table, dead[--nr_dead]);
}

static void prepare_ahead(struct remap_core *core)
{
	bool low = READ_ONCE(core->nr_pool) < REMAP_POOL / 2;
	slot_t slot;
	int r;

	while (low && !reserve(core, &slot)) {
		if (put_into_pool(core, slot))
			continue;
		/* Full; the worker must not wait for itself. */
		rmeta_table_unreserve(&core->table, slot);
		break;
	}
	if (core->no_growth || rmeta_table_ready(&core->table) >= RMETA_GROUP_SLOTS / 2)
		return;
	r = rmeta_table_grow(&core->table);
	if (!r || r == -ENOMEM)
		return;
	core->no_growth = true;
	if (r != -ENOSPC)
		remap_warn(core, "the slot table cannot grow (error %d)", r);
}

/**
 * remap_slot_get() - a free slot to write data to
 * @core: loaded read-write
 * @slot: out: reserved for the caller
 *
 * Return: 0, or -ENOSPC (also for lack of memory to grow into).
 * Context: process; sleeps only when none was reserved ahead.
 */
int remap_slot_get(struct remap_core *core, slot_t *slot)
{
	struct remap_meta request = { .op = REMAP_META_RESERVE };

	if (take_from_pool(core, slot))
		return 0;
	if (remap_meta_run(core, &request))
		return -ENOSPC;
	*slot = request.slot;
	return 0;
}

/**
 * remap_slot_put() - a reserved slot was not needed
 * @core: loaded
 * @slot: from remap_slot_get(); what was written to it does not matter
 *
 * Context: process; may sleep.
 */
void remap_slot_put(struct remap_core *core, slot_t slot)
{
	struct remap_meta request = { .op = REMAP_META_UNRESERVE, .slot = slot };

	if (!put_into_pool(core, slot))
		remap_meta_run(core, &request);
}

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
		request->error = reserve(core, &request->slot);
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
		clean_pool(core);
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
		import->error = reserve(core, &slot);
		if (import->error == -ENOSPC && take_from_pool(core, &slot))
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
	prepare_ahead(core);
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
	int r;

	spin_lock_init(&core->meta_lock);
	INIT_LIST_HEAD(&core->meta_requests);
	INIT_LIST_HEAD(&core->imports);
	INIT_WORK(&core->meta_work, meta_work);
	core->batch = kvmalloc_array(REMAP_META_BATCH, sizeof(*core->batch), GFP_KERNEL);
	core->changes = kvmalloc_array(REMAP_META_CHANGES, sizeof(*core->changes), GFP_KERNEL);
	if (!core->batch || !core->changes)
		return -ENOMEM;
	r = bioset_init(&core->meta_bios, RMETA_COPIES, offsetof(struct io_bio, bio),
			BIOSET_NEED_BVECS);
	if (r)
		return r;
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
	bioset_exit(&core->meta_bios);
	kvfree(core->changes);
	kvfree(core->batch);
}
