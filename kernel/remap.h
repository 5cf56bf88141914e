/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the target share: the core, and by way of it everything else.
 *
 *	target.c	target_type, constructor, suspend and resume	(device mapper)
 *	params.c	the table line
 *	core.c		the core of a spare: registry, life, modes, events
 *	spare.c		loading and formatting a spare
 *	machine.c	the machine-id that goes onto it
 *	map.c		the way of a bio down and back up: fast path, splitting, re-test
 *	busy.c		exclusion: one block at a time, parked bios
 *	work.c		bios that need a process: queues, contexts, one block after the other
 *	store.c		a write of one block that is owned
 *	fetch.c		a read of one block that is owned
 *	data.c		synchronous I/O on main and on slots
 *	meta.c		the metadata worker: the one writer of the table
 *	slots.c		free slots, reserved ahead of need
 *	meta_io.c	the engine's I/O on the spare
 *	message.c	messages
 *	unmap.c		bringing blocks home to main
 *	background.c	jobs: started, stopped, at rest while suspended
 *	salvage.c	the job that tries pending sectors on main again
 *	scan.c		the health scan of main
 *	scrub.c		repair of the spare's metadata while it is live
 *	control.c	messages that only switch something
 *	sysfs.c		what status says, one value per file
 *	status.c	status, modes as words, health
 *
 * What a file has for the others is in the header of its name; map.c's is bio.h, that of
 * store.c, fetch.c and data.c is io.h, sysfs.c's is status.h, and what has no header is at the
 * end of this one.
 *
 * A *core* belongs to a spare and outlives the tables of its mapped device; a *target* is
 * one line of one table. Sectors are 512 bytes; sectors of main are counted from the start
 * of the target, which is the start of main.
 */
#ifndef REMAP_REMAP_H
#define REMAP_REMAP_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/device-mapper.h>
#include <linux/dm-ioctl.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "table.h"
#include "compat.h"
#include "region.h"
#include "params.h"
#include "bio.h"
#include "busy.h"
#include "work.h"
#include "io.h"
#include "meta.h"
#include "slots.h"
#include "meta_io.h"
#include "unmap.h"
#include "background.h"
#include "salvage.h"
#include "scan.h"
#include "scrub.h"
#include "status.h"

#define REMAP_BLOCK_BYTES ((1U << RMETA_MAX_BLOCK_SHIFT) << SECTOR_SHIFT)

/* "dm-remap: <device>: ..." everywhere. The device is the name it had at its last resume. */
#define remap_log(level, core, fmt, ...) \
	printk(level "dm-remap: %s: " fmt "\n", (core)->name, ##__VA_ARGS__)
#define remap_err(core, fmt, ...) remap_log(KERN_ERR, core, fmt, ##__VA_ARGS__)
#define remap_warn(core, fmt, ...) remap_log(KERN_WARNING, core, fmt, ##__VA_ARGS__)
#define remap_info(core, fmt, ...) remap_log(KERN_INFO, core, fmt, ##__VA_ARGS__)
#define remap_log_limited(level, core, fmt, ...) \
	printk_ratelimited(level "dm-remap: %s: " fmt "\n", (core)->name, ##__VA_ARGS__)

struct remap_sysfs;

/**
 * struct remap_target - one line of one table; ti->private
 * @regions: the core's bitmap; first, with @main_bdev, for the fast path
 * @main_bdev: main
 * @core: of the spare; holds a reference
 * @ti: the other way
 * @main: as device mapper opened it
 * @spare: likewise
 * @features: of the table line
 * @read_only: nothing may be written: the table or the spare is read-only
 * @list: in core->targets
 */
struct remap_target {
	const unsigned long *regions;
	struct block_device *main_bdev;
	struct remap_core *core;
	struct dm_target *ti;
	struct dm_dev *main;
	struct dm_dev *spare;
	struct remap_features features;
	bool read_only;
	struct list_head list;
};

/**
 * struct remap_core - a spare in use
 *
 * Life (registry mutex of core.c):
 * @list: in the registry
 * @spare_devt: its key
 * @main_devt: every table of it has this main
 * @md: the mapped device it is bound to
 * @targets: of all tables of @md that name the spare
 * @dying: the last target has gone, the spare is being released
 *
 * Set while the device is suspended, constant while bios flow:
 * @live: target of the live table; also under @event_lock
 * @main: main
 * @spare: spare
 * @name: of the mapped device, at the last resume
 * @block_shift: log2 of sectors per block
 * @main_sectors: length of main, as the superblock says
 * @max_sectors: length of main when the core was made; what @regions covers
 * @loaded: @table is valid
 * @was_live: it has been
 * @table: the metadata; changed by the metadata worker only (or with no worker about)
 * @regions: bitmap, see region.h
 * @failed: all I/O errors until a reload
 * @rewrites: some block of main has been written by us other than for a bio, see map.c
 *
 * Exclusion (busy.c):
 * @busy_lock: irq-safe
 * @busy: owned blocks, REMAP_BUSY
 * @busy_count: elements in use, by block modulo its length
 * @nr_parked: bios parked on them
 * @busy_wait: woken by a release
 * @flight: bios sent to slots, and writes sent to main by the slow path
 * @fenced: blocks whose metadata is in doubt; only grows
 * @nr_fenced: elements of it
 *
 * Work (work.c):
 * @queue_lock: irq-safe
 * @queue: bios for contexts
 * @nr_queued: bios in both
 * @nr_working: contexts that are not idle; some, while bios are queued
 * @idle: contexts with nothing to do
 * @contexts: all
 * @message_ctx: under @message_lock
 * @message_lock: one message that changes something at a time
 * @data_wq: runs contexts
 * @retry_lock: one retry on main at a time
 *
 * Jobs (background.c):
 * @job_lock: not irq-safe
 * @jobs: all
 * @jobs_paused: none takes a step
 * @salvage: of the salvage job
 * @scan: of the health scan job
 * @scrub: of the metadata worker, when it scrubs
 *
 * Metadata (meta.c, slots.c, meta_io.c):
 * @meta_lock: not irq-safe
 * @meta_requests: for the worker
 * @imports: likewise, bulk
 * @meta_wq: ordered
 * @meta_work: the worker
 * @meta_bios: of its I/O
 * @batch: scratch of the worker, REMAP_META_BATCH
 * @changes: likewise, REMAP_META_CHANGES
 * @pool: reserved slots, under @meta_lock
 * @nr_pool: how many
 * @no_slots: the last reservation failed
 * @no_growth: growing failed; not tried again
 *
 * Policy and numbers:
 * @breaker_lock: not irq-safe
 * @breaker_start: jiffies when the window began
 * @breaker_taken: slots taken in it
 * @breaker_open: no more automatic remaps
 * @flush_error: blk_status_t of a failed flush that the next one has to report
 * @read_errors: failed reads of main, lifetime
 * @write_errors: failed writes of main, lifetime
 * @slot_errors: failed requests to slots
 * @last_error: sector of main, or ~0
 * @percpu: counters of redirected bios
 * @sysfs: its directory, or NULL
 * @sysfs_first: ... which is dm-<minor>
 * @base: of the statistics, under @state_lock
 * @rate: errors of main in time
 * @state_lock: @loaded, against status; never held over I/O
 * @event_lock: @live and @announced
 * @event_work: tells userspace
 * @announced: mode of the last uevent
 */
struct remap_core {
	struct list_head list;
	dev_t spare_devt;
	dev_t main_devt;
	struct mapped_device *md;
	struct list_head targets;
	bool dying;

	struct remap_target *live;
	struct block_device *main;
	struct block_device *spare;
	char name[DM_NAME_LEN];
	u8 block_shift;
	u64 main_sectors;
	u64 max_sectors;
	bool loaded;
	bool was_live;
	struct rmeta_table table;
	unsigned long *regions;
	bool failed;
	bool rewrites;

	spinlock_t busy_lock;
	struct remap_busy *busy;
	u16 busy_count[REMAP_BUSY_COUNTS];
	unsigned int nr_parked;
	wait_queue_head_t busy_wait;
	struct srcu_struct flight;
	block_t *fenced;
	unsigned int nr_fenced;

	spinlock_t queue_lock;
	struct bio_list queue[REMAP_NR_CLASSES];
	unsigned int nr_queued;
	unsigned int nr_working;
	struct list_head idle[REMAP_NR_CLASSES];
	struct remap_ctx contexts[REMAP_NR_CLASSES * REMAP_CONTEXTS];
	struct remap_ctx message_ctx;
	struct mutex message_lock;
	struct workqueue_struct *data_wq;
	struct mutex retry_lock;

	spinlock_t job_lock;
	struct remap_job jobs[REMAP_NR_JOBS];
	bool jobs_paused;
	struct remap_salvage salvage;
	struct remap_scan scan;
	struct remap_scrub scrub;

	spinlock_t meta_lock;
	struct list_head meta_requests;
	struct list_head imports;
	struct workqueue_struct *meta_wq;
	struct work_struct meta_work;
	struct bio_set meta_bios;
	struct remap_meta **batch;
	struct rmeta_change *changes;
	slot_t pool[REMAP_POOL];
	unsigned int nr_pool;
	bool no_slots;
	bool no_growth;

	spinlock_t breaker_lock;
	unsigned long breaker_start;
	u32 breaker_taken;
	bool breaker_open;
	u32 flush_error;
	atomic64_t read_errors;
	atomic64_t write_errors;
	atomic64_t slot_errors;
	sector_t last_error;
	struct remap_percpu __percpu *percpu;
	struct remap_sysfs *sysfs;
	bool sysfs_first;
	struct remap_base base;
	struct remap_rate rate;
	struct mutex state_lock;
	struct mutex event_lock;
	struct work_struct event_work;
	enum remap_mode announced;
};

static inline unsigned int remap_block_sectors(const struct remap_core *core)
{
	return 1U << core->block_shift;
}

static inline sector_t remap_block_sector(const struct remap_core *core, block_t block)
{
	return block << core->block_shift;
}

/* Mask of sectors @first .. @first + @sectors - 1 of a block. */
static inline u16 remap_bits(unsigned int first, unsigned int sectors)
{
	return (u16)(((1U << sectors) - 1) << first);
}

/*
 * Those sectors of a block that the table line covers. It may be shorter than main; what is behind
 * it may be somebody else's, and changes without our knowing.
 */
static inline u16 remap_covered(const struct remap_core *core, block_t block)
{
	return rmeta_block_mask(block, min_t(u64, core->live->ti->len, core->main_sectors),
				core->block_shift);
}

/*
 * The next run of set bits of @mask at or above *@first, if there is one: its start and length.
 */
static inline bool remap_next_run(u16 mask, unsigned int *first, unsigned int *sectors)
{
	unsigned long rest = mask >> *first;

	if (!rest)
		return false;
	*first += __ffs(rest);
	*sectors = ffz((unsigned long)mask >> *first);
	return true;
}

/* core.c */
int remap_core_get(struct remap_target *t, char **error);
void remap_core_put(struct remap_target *t);
int remap_core_preresume(struct remap_target *t);
void remap_core_postsuspend(struct remap_target *t);
void remap_core_fail(struct remap_core *core, const char *why);
void remap_event(struct remap_core *core);
void remap_fill_regions(struct remap_core *core, bool marked);
bool remap_breaker_take(struct remap_core *core);
void remap_breaker_reset(struct remap_core *core);
u32 remap_breaker_left(struct remap_core *core, const struct remap_features *features);
int remap_module_init(void);
void remap_module_exit(void);

/* spare.c */
int remap_spare_load(struct remap_core *core, struct remap_target *t);
void remap_spare_unload(struct remap_core *core);
bool remap_spare_is_back(struct remap_core *core);

/* machine.c */
#define REMAP_MACHINE_ID_BYTES 16
bool remap_machine_id(u8 *id);

/* message.c */
int remap_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
		  unsigned int maxlen);

/* control.c */
int remap_control(struct remap_target *t, unsigned int argc, char **argv);

#endif
