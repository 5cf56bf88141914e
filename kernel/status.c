// SPDX-License-Identifier: GPL-2.0-only
/*
 * Status lines, the mode as one word, and the health score. Does no I/O and waits for none:
 * the numbers are read while the metadata worker may be changing them, each whole, but not
 * all of one instant.
 */
#include <linux/part_stat.h>

#include "remap.h"
#include "health.h"

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
 * Errors of main in time: a ring of quarters of an hour, filled from the lifetime counts
 * whenever somebody looks, which is after each error at the latest, since each is an event.
 */

#define PERIOD (15UL * 60 * HZ)
#define HOUR_PERIODS 4

/* Under state_lock. */
static void update_rate(struct remap_core *core)
{
	struct remap_rate *rate = &core->rate;
	u64 total = atomic64_read(&core->read_errors) + atomic64_read(&core->write_errors);
	unsigned long steps = (jiffies - rate->start) / PERIOD;

	rate->start += steps * PERIOD;
	for (steps = min(steps, (unsigned long)REMAP_RATE_PERIODS); steps; steps--) {
		rate->at = (rate->at + 1) % REMAP_RATE_PERIODS;
		rate->errors[rate->at] = 0;
	}
	/* A load brings the counts of the superblock. */
	if (rate->valid && total > rate->total)
		rate->errors[rate->at] += total - rate->total;
	rate->total = total;
	rate->valid = true;
}

static void sum_rate(struct remap_core *core, u64 *recent, u64 *before)
{
	struct remap_rate *rate = &core->rate;
	unsigned int ago;

	update_rate(core);
	*recent = *before = 0;
	for (ago = 0; ago < REMAP_RATE_PERIODS; ago++) {
		unsigned int at = (rate->at + REMAP_RATE_PERIODS - ago) % REMAP_RATE_PERIODS;

		*(ago < HOUR_PERIODS ? recent : before) += rate->errors[at];
	}
}

/**
 * remap_rate_update() - main may have failed a request since the last look
 * @core: live
 *
 * Context: process.
 */
void remap_rate_update(struct remap_core *core)
{
	mutex_lock(&core->state_lock);
	update_rate(core);
	mutex_unlock(&core->state_lock);
}

/*
 * Numbers
 */

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

static u64 spare_errors(struct remap_core *core)
{
	return atomic64_read(&core->slot_errors) +
	       (core->loaded ? core->table.store.spare_errors - core->base.metadata_errors : 0);
}

/* What is only known of a loaded table. */
static void take_table_numbers(struct remap_core *core, struct remap_numbers *numbers)
{
	struct rmeta_table *table = &core->table;
	const struct rmeta_counts *counts = &table->counts;

	numbers->used = counts->mapped + counts->lost;
	numbers->slots = rmeta_slots(&table->store.geo);
	numbers->pending = counts->pending_sectors;
	numbers->lost = counts->lost_sectors;
	numbers->retired = counts->retired;
	numbers->live_copies = rmeta_table_live_copies(table);
	numbers->block_sectors = remap_block_sectors(core);
	numbers->buckets = rmeta_index_buckets(&table->index);
	numbers->resizes = table->index.resizes;
	numbers->needs_check = table->needs_check;
	numbers->scrub_pages = table->sb.pages_used;
	numbers->scrub_page = min_t(u64, READ_ONCE(core->scrub.page), numbers->scrub_pages);
	numbers->scrub_bad = core->scrub.found.bad;
	numbers->scrub_repaired = core->scrub.found.repaired;
}

static u32 take_health(struct remap_core *core, const struct remap_numbers *numbers, u64 before)
{
	struct remap_condition condition = {
		.failed = READ_ONCE(core->failed),
		.needs_check = numbers->needs_check,
		.slots_failing = atomic64_read(&core->slot_errors),
		.breaker_open = READ_ONCE(core->breaker_open),
		.lost = numbers->lost,
		.pending = numbers->pending,
		.used = numbers->used + numbers->retired,
		.slots = numbers->slots,
		.live_copies = (u32)numbers->live_copies,
		.fenced = (u32)numbers->fenced,
		.recent = numbers->recent_errors,
		.before = before,
	};

	return remap_health(&condition);
}

/**
 * remap_take_numbers() - what status and sysfs show
 * @t: the target, live or not
 * @numbers: out; REMAP_UNKNOWN where a number is not known
 *
 * Context: process, with state_lock held; does no I/O and waits for none.
 */
void remap_take_numbers(struct remap_target *t, struct remap_numbers *numbers)
{
	struct remap_core *core = t->core;
	struct block_device *whole = dm_disk(core->md)->part0;
	u64 before;

	memset(numbers, 0xff, sizeof(*numbers));
	numbers->mode = core->live == t ? remap_mode(core) : REMAP_INACTIVE;
	numbers->read_errors = atomic64_read(&core->read_errors);
	numbers->write_errors = atomic64_read(&core->write_errors);
	numbers->spare_errors = spare_errors(core);
	sum_percpu(core, &numbers->remapped_reads, &numbers->remapped_writes);
	numbers->remapped_reads -= core->base.remapped_reads;
	numbers->remapped_writes -= core->base.remapped_writes;
	numbers->reads = part_stat_read(whole, ios[STAT_READ]);
	numbers->writes = part_stat_read(whole, ios[STAT_WRITE]);
	numbers->breaker_left = remap_breaker_left(core, &t->features);
	numbers->parked = READ_ONCE(core->nr_parked) + READ_ONCE(core->nr_queued);
	if (READ_ONCE(core->last_error) != ~(sector_t)0)
		numbers->last_error = READ_ONCE(core->last_error);
	numbers->scan_position = READ_ONCE(core->scan.position);
	numbers->sectors = t->ti->len;
	numbers->scan_errors = READ_ONCE(core->scan.errors);
	numbers->scan_passes = READ_ONCE(core->scan.passes);
	numbers->scan_share = remap_scan_share(core);
	numbers->fenced = READ_ONCE(core->nr_fenced);
	sum_rate(core, &numbers->recent_errors, &before);
	numbers->needs_check = 0;
	if (!core->loaded)
		return;
	take_table_numbers(core, numbers);
	numbers->health = take_health(core, numbers, before);
}

/**
 * remap_stats_reset() - count anew what is counted for a while: not what the superblock keeps
 * @core: live
 *
 * A device that was degraded for no more than failed slots is well again.
 *
 * Context: process.
 */
void remap_stats_reset(struct remap_core *core)
{
	mutex_lock(&core->state_lock);
	sum_percpu(core, &core->base.remapped_reads, &core->base.remapped_writes);
	if (core->loaded)
		core->base.metadata_errors = core->table.store.spare_errors;
	atomic64_set(&core->slot_errors, 0);
	WRITE_ONCE(core->last_error, ~(sector_t)0);
	update_rate(core);
	memset(core->rate.errors, 0, sizeof(core->rate.errors));
	remap_scan_reset(core);
	mutex_unlock(&core->state_lock);
	remap_event(core);
}

/**
 * remap_scan_word() - what the health scan does, as status spells it
 * @core: the core
 */
const char *remap_scan_word(const struct remap_core *core)
{
	if (!READ_ONCE(core->jobs[REMAP_JOB_SCAN].running))
		return "off";
	return READ_ONCE(core->scan.under_way) ? "on" : "idle";
}

struct line {
	char *result;
	unsigned int maxlen;
	unsigned int at;
};

static __printf(2, 3) void print(struct line *line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line->at += vscnprintf(line->result + line->at, line->maxlen - line->at, fmt, ap);
	va_end(ap);
}

/* @before: what stands between the number and the one before it. */
static void print_number(struct line *line, char before, u64 number)
{
	if (number == REMAP_UNKNOWN)
		print(line, "%c-", before);
	else
		print(line, "%c%llu", before, number);
}

static void print_numbers(struct line *line, const u64 *numbers, unsigned int nr)
{
	while (nr--)
		print_number(line, ' ', *numbers++);
}

static void print_salvage(struct line *line, const struct remap_core *core)
{
	if (core->salvage.started)
		print(line, " %s %llu/%llu %llu",
		      READ_ONCE(core->jobs[REMAP_JOB_SALVAGE].running) ? "running" : "stopped",
		      READ_ONCE(core->salvage.tried), core->salvage.wanted,
		      READ_ONCE(core->salvage.healed));
	else
		print(line, " - - -");
}

/* Every field is printed in every mode; what is not known is "-". */
static void print_info(struct remap_target *t, struct line *line)
{
	struct remap_core *core = t->core;
	struct remap_numbers n;

	mutex_lock(&core->state_lock);
	remap_take_numbers(t, &n);
	print(line, "%u %s", STATUS_LAYOUT, remap_mode_name(n.mode));
	print_number(line, ' ', n.used);
	print_number(line, '/', n.slots);
	print_numbers(line, (u64[]){ n.pending, n.lost, n.retired, n.live_copies, n.health }, 5);
	print(line, " %s %s", t->main->name, t->spare->name);
	if (core->loaded)
		print(line, " %pUb", core->table.sb.uuid);
	else
		print(line, " -");
	print_numbers(line, (u64[]){ n.block_sectors, n.read_errors, n.write_errors, n.spare_errors,
		      n.remapped_reads, n.remapped_writes, n.reads, n.writes, n.buckets, n.resizes,
		      n.breaker_left, n.parked, n.last_error, n.scan_position }, 14);
	print_number(line, '/', n.sectors);
	print_number(line, ' ', n.scan_errors);
	print(line, " %s %s", n.needs_check ? "needs_check" : "-", t->read_only ? "ro" : "rw");
	print_salvage(line, core);
	print(line, " %s", remap_scan_word(core));
	print_numbers(line, (u64[]){ n.scan_passes, n.scan_share }, 2);
	print(line, " %s", READ_ONCE(core->scrub.wanted) ? "on" : "off");
	print_number(line, ' ', n.scrub_page);
	print_number(line, '/', n.scrub_pages);
	print_numbers(line, (u64[]){ n.scrub_bad, n.scrub_repaired, n.recent_errors, n.fenced }, 4);
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
		print_info(t, &(struct line){ .result = result, .maxlen = maxlen });
		break;
	case STATUSTYPE_TABLE:
		DMEMIT("%s %s", t->main->name, t->spare->name);
		mutex_lock(&t->core->state_lock);
		remap_print_features(&t->features, result, maxlen, &sz);
		mutex_unlock(&t->core->state_lock);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",main=%s,spare=%s;", t->main->name, t->spare->name);
		break;
	}
}
