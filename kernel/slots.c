// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots ahead of need: some are reserved, in memory only, and the table is grown before it is full,
 * so that an error on main rarely waits for either. Anyone takes slots out of the pool and puts them
 * back; the metadata worker alone goes to the table for them.
 */
#include "remap.h"

/**
 * remap_slots_reserve() - take a slot out of the table, which grows for it where it can
 * @core: loaded read-write
 * @slot: out: reserved
 *
 * Also keeps @core->no_slots, with an event when it changes.
 *
 * Return: 0, -ENOSPC (full, and cannot grow), or -ENOMEM.
 * Context: the metadata worker.
 */
int remap_slots_reserve(struct remap_core *core, slot_t *slot)
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

static bool pool_put(struct remap_core *core, slot_t slot)
{
	bool pooled;

	spin_lock(&core->meta_lock);
	pooled = core->nr_pool < REMAP_POOL;
	if (pooled)
		core->pool[core->nr_pool++] = slot;
	spin_unlock(&core->meta_lock);
	return pooled;
}

/**
 * remap_pool_take() - a slot that was reserved ahead
 * @core: loaded
 * @slot: out: for the caller
 *
 * Return: whether there was one.
 * Context: process; does not sleep.
 */
bool remap_pool_take(struct remap_core *core, slot_t *slot)
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

/**
 * remap_pool_clean() - give slots of dead pages back, which are no use to anybody
 * @core: loaded read-write
 *
 * Context: the metadata worker.
 */
void remap_pool_clean(struct remap_core *core)
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

/**
 * remap_slots_prepare() - fill the pool, and grow the table before it is needed
 * @core: loaded read-write
 *
 * Context: the metadata worker, with nothing else to do.
 */
void remap_slots_prepare(struct remap_core *core)
{
	bool low = READ_ONCE(core->nr_pool) < REMAP_POOL / 2;
	slot_t slot;
	int r;

	while (low && !remap_slots_reserve(core, &slot)) {
		if (pool_put(core, slot))
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

	if (remap_pool_take(core, slot))
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

	if (!pool_put(core, slot))
		remap_meta_run(core, &request);
}
