/* SPDX-License-Identifier: GPL-2.0-only */
/* What status and sysfs show: modes, numbers, errors in time. */
#ifndef REMAP_STATUS_H
#define REMAP_STATUS_H

#include <linux/device-mapper.h>

struct remap_core;
struct remap_target;

struct remap_percpu {
	u64 remapped_reads;
	u64 remapped_writes;
};

/* In the order of precedence, but for inactive. */
enum remap_mode {
	REMAP_INACTIVE,
	REMAP_FAILED,
	REMAP_BREAKER,
	REMAP_FULL,
	REMAP_DEGRADED,
	REMAP_OK,
};

#define REMAP_RATE_PERIODS 96		/* a day */

/**
 * struct remap_rate - errors of main in time; under state_lock
 * @start: jiffies when the present period began
 * @total: lifetime count at the last look
 * @valid: @total is
 * @at: the present period
 * @errors: per period
 */
struct remap_rate {
	unsigned long start;
	u64 total;
	bool valid;
	unsigned int at;
	u32 errors[REMAP_RATE_PERIODS];
};

#define REMAP_UNKNOWN (~0ULL)

/**
 * struct remap_numbers - what status and sysfs show; REMAP_UNKNOWN where it is not known
 * @mode: in one word
 * @needs_check: 0 or 1
 * @recent_errors: errors of main within the last hour
 *
 * The others are as in docs/target.md.
 */
struct remap_numbers {
	enum remap_mode mode;
	u64 needs_check;
	u64 used;
	u64 slots;
	u64 pending;
	u64 lost;
	u64 retired;
	u64 live_copies;
	u64 health;
	u64 block_sectors;
	u64 read_errors;
	u64 write_errors;
	u64 spare_errors;
	u64 remapped_reads;
	u64 remapped_writes;
	u64 reads;
	u64 writes;
	u64 buckets;
	u64 resizes;
	u64 breaker_left;
	u64 parked;
	u64 last_error;
	u64 scan_position;
	u64 sectors;
	u64 scan_errors;
	u64 scan_passes;
	u64 scan_share;
	u64 scrub_page;
	u64 scrub_pages;
	u64 scrub_bad;
	u64 scrub_repaired;
	u64 recent_errors;
	u64 fenced;
};

/**
 * struct remap_base - what is subtracted from counters, since stats reset
 * @remapped_reads: of struct remap_percpu
 * @remapped_writes: likewise
 * @metadata_errors: of the engine
 */
struct remap_base {
	u64 remapped_reads;
	u64 remapped_writes;
	u64 metadata_errors;
};

/* status.c */
enum remap_mode remap_mode(struct remap_core *core);
const char *remap_mode_name(enum remap_mode mode);
const char *remap_scan_word(const struct remap_core *core);
void remap_rate_update(struct remap_core *core);
void remap_take_numbers(struct remap_target *t, struct remap_numbers *numbers);
void remap_stats_reset(struct remap_core *core);
void remap_status(struct dm_target *ti, status_type_t type, unsigned int flags, char *result,
		  unsigned int maxlen);

/* sysfs.c */
void remap_sysfs_add(struct remap_core *core, bool first);
void remap_sysfs_promote(struct remap_core *core);
void remap_sysfs_remove(struct remap_core *core);
int remap_sysfs_init(void);
void remap_sysfs_exit(void);

#endif
