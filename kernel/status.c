// SPDX-License-Identifier: GPL-2.0-only
/*
 * Status lines, the mode as one word, and the health score. Does no I/O and waits for none:
 * the numbers are read while the metadata worker may be changing them, each whole, but not
 * all of one instant.
 */
#include <linux/part_stat.h>

#include "remap.h"

#define STATUS_LAYOUT 1

static const char *const mode_names[] = {
	[REMAP_INACTIVE] = "inactive",
	[REMAP_FAILED] = "failed",
	[REMAP_BREAKER] = "breaker",
	[REMAP_FULL] = "full",
	[REMAP_DEGRADED] = "degraded",
	[REMAP_OK] = "ok",
};

/**
 * remap_mode_name() - a mode as status and events spell it
 * @mode: the mode
 */
const char *remap_mode_name(enum remap_mode mode)
{
	return mode_names[mode];
}

static bool is_full(const struct remap_core *core)
{
	return !READ_ONCE(core->nr_pool) &&
	       (READ_ONCE(core->no_slots) || !rmeta_table_free_slots(&core->table));
}

/**
 * remap_mode() - the state of a core in one word
 * @core: the core
 *
 * Context: process, with state_lock held or while the core cannot be unloaded.
 */
enum remap_mode remap_mode(struct remap_core *core)
{
	if (READ_ONCE(core->failed))
		return REMAP_FAILED;
	if (!core->loaded)
		return REMAP_INACTIVE;
	if (READ_ONCE(core->breaker_open))
		return REMAP_BREAKER;
	if (!core->table.read_only && is_full(core))
		return REMAP_FULL;
	if (core->table.needs_check || READ_ONCE(core->nr_fenced) ||
	    atomic64_read(&core->slot_errors) ||
	    rmeta_table_live_copies(&core->table) < RMETA_COPIES)
		return REMAP_DEGRADED;
	return REMAP_OK;
}

/*
 * 100 means that nothing at all is wrong, 0 that nothing works. What is subtracted:
 *
 *	30	lost sectors
 *	10..20	pending sectors: 10, and one more for each 64
 *	1..30	share of slots in use or retired, rounded up
 *	10	for each metadata copy that is not live
 *	10	the metadata needs a check
 *	5	slots have failed in this activation
 *	20	the breaker is open
 */
static unsigned int health(struct remap_core *core)
{
	const struct rmeta_counts *counts = &core->table.counts;
	u64 used = (u64)counts->mapped + counts->lost + counts->retired, bad = 0;

	if (READ_ONCE(core->failed))
		return 0;
	if (counts->lost_sectors)
		bad += 30;
	if (counts->pending_sectors)
		bad += min_t(u64, 10 + counts->pending_sectors / 64, 20);
	bad += DIV_ROUND_UP_ULL(30 * used, rmeta_slots(&core->table.store.geo));
	bad += 10 * (RMETA_COPIES - rmeta_table_live_copies(&core->table));
	if (core->table.needs_check)
		bad += 10;
	if (atomic64_read(&core->slot_errors))
		bad += 5;
	if (READ_ONCE(core->breaker_open))
		bad += 20;
	return bad < 100 ? 100 - bad : 1;
}

static void sum_percpu(const struct remap_core *core, u64 *reads, u64 *writes)
{
	int cpu;

	*reads = *writes = 0;
	for_each_possible_cpu(cpu) {
		const struct remap_percpu *percpu = per_cpu_ptr(core->percpu, cpu);

		*reads += READ_ONCE(percpu->remapped_reads);
		*writes += READ_ONCE(percpu->remapped_writes);
	}
}

/* Every field is printed in every mode; what is not known is "-". */
static void print_info(struct remap_target *t, char *result, unsigned int maxlen)
{
	struct remap_core *core = t->core;
	struct block_device *whole = dm_disk(core->md)->part0;
	struct rmeta_table *table = &core->table;
	u64 remapped_reads, remapped_writes;
	unsigned int sz = 0;

	mutex_lock(&core->state_lock);
	DMEMIT("%u %s", STATUS_LAYOUT,
	       remap_mode_name(core->live == t ? remap_mode(core) : REMAP_INACTIVE));
	if (core->loaded)
		DMEMIT(" %u/%u %llu %llu %u %u %u", table->counts.mapped + table->counts.lost,
		       rmeta_slots(&table->store.geo), table->counts.pending_sectors,
		       table->counts.lost_sectors, table->counts.retired,
		       rmeta_table_live_copies(table), health(core));
	else
		DMEMIT(" -/- - - - - -");
	DMEMIT(" %s %s", t->main->name, t->spare->name);
	if (core->loaded)
		DMEMIT(" %pUb %u", table->sb.uuid, remap_block_sectors(core));
	else
		DMEMIT(" - -");
	sum_percpu(core, &remapped_reads, &remapped_writes);
	DMEMIT(" %lld %lld %lld %llu %llu", (s64)atomic64_read(&core->read_errors),
	       (s64)atomic64_read(&core->write_errors),
	       core->loaded ? (s64)(atomic64_read(&core->slot_errors) + table->store.spare_errors) :
	       (s64)atomic64_read(&core->slot_errors), remapped_reads, remapped_writes);
	DMEMIT(" %lu %lu", part_stat_read(whole, ios[STAT_READ]),
	       part_stat_read(whole, ios[STAT_WRITE]));
	if (core->loaded)
		DMEMIT(" %u %llu", rmeta_index_buckets(&table->index), table->index.resizes);
	else
		DMEMIT(" - -");
	DMEMIT(" %u %u", remap_breaker_left(core, &t->features),
	       READ_ONCE(core->nr_parked) + READ_ONCE(core->nr_queued));
	if (READ_ONCE(core->last_error) == ~(sector_t)0)
		DMEMIT(" -");
	else
		DMEMIT(" %llu", (u64)READ_ONCE(core->last_error));
	DMEMIT(" -/%llu -", (u64)t->ti->len);
	DMEMIT(" %s %s", core->loaded && table->needs_check ? "needs_check" : "-",
	       t->read_only ? "ro" : "rw");
	if (core->salvage.started)
		DMEMIT(" %s %llu/%llu %llu",
		       READ_ONCE(core->jobs[REMAP_JOB_SALVAGE].running) ? "running" : "stopped",
		       READ_ONCE(core->salvage.tried), core->salvage.wanted,
		       READ_ONCE(core->salvage.healed));
	else
		DMEMIT(" - - -");
	mutex_unlock(&core->state_lock);
}

/**
 * remap_status() - target_type.status
 * @ti: the target, live or not
 * @type: which status
 * @flags: ignored: there is nothing to flush
 * @result: buffer
 * @maxlen: its size
 *
 * Context: process. May come before the first preresume, and while suspended.
 */
void remap_status(struct dm_target *ti, status_type_t type, unsigned int flags, char *result,
		  unsigned int maxlen)
{
	struct remap_target *t = ti->private;
	unsigned int sz = 0;

	switch (type) {
	case STATUSTYPE_INFO:
		print_info(t, result, maxlen);
		break;
	case STATUSTYPE_TABLE:
		DMEMIT("%s %s", t->main->name, t->spare->name);
		remap_print_features(&t->features, result, maxlen, &sz);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",main=%s,spare=%s;", t->main->name, t->spare->name);
		break;
	}
}
