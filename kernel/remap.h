/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the target share: the structures, their ownership, and who calls whom.
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
 * A *core* belongs to a spare and outlives the tables of its mapped device; a *target* is
 * one line of one table. Sectors are 512 bytes; sectors of main are counted from the start
 * of the target, which is the start of main.
 */
#ifndef REMAP_REMAP_H
#define REMAP_REMAP_H

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
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

#define REMAP_CONTEXTS 8		/* of each class */
#define REMAP_MESSAGE_BLOCKS RMETA_PAGE_ENTRIES	/* owned at once by a message */
/* Contexts and jobs own a block and may try for one neighbour; so claims never find it full. */
#define REMAP_BUSY (2 * (2 * REMAP_CONTEXTS + REMAP_NR_JOBS) + REMAP_MESSAGE_BLOCKS)
/* More than the blocks of a message, so that a bio beside those takes no lock. */
#define REMAP_BUSY_COUNTS 512
#define REMAP_FENCED 1024		/* blocks; beyond that the device fails */
#define REMAP_POOL 64			/* slots reserved ahead */
#define REMAP_META_PAGES 16		/* pages committed together */
#define REMAP_META_CHANGES (8 * RMETA_PAGE_ENTRIES)
#define REMAP_META_BATCH 256		/* small requests taken at once */
#define REMAP_BLOCK_BYTES ((1U << RMETA_MAX_BLOCK_SHIFT) << SECTOR_SHIFT)

/* "dm-remap: <device>: ..." everywhere. The device is the name it had at its last resume. */
#define remap_log(level, core, fmt, ...) \
	printk(level "dm-remap: %s: " fmt "\n", (core)->name, ##__VA_ARGS__)
#define remap_err(core, fmt, ...) remap_log(KERN_ERR, core, fmt, ##__VA_ARGS__)
#define remap_warn(core, fmt, ...) remap_log(KERN_WARNING, core, fmt, ##__VA_ARGS__)
#define remap_info(core, fmt, ...) remap_log(KERN_INFO, core, fmt, ##__VA_ARGS__)
#define remap_log_limited(level, core, fmt, ...) \
	printk_ratelimited(level "dm-remap: %s: " fmt "\n", (core)->name, ##__VA_ARGS__)

enum remap_feature_id {
	REMAP_F_FORMAT,
	REMAP_F_BLOCK_SIZE,
	REMAP_F_READ_POLICY,
	REMAP_F_NO_AUTO_REMAP,
	REMAP_F_BREAKER,
	REMAP_F_RETRY_BUDGET,
	REMAP_F_SCAN_INTERVAL,
	REMAP_F_FORCE_MAIN,
	REMAP_NR_FEATURES
};

/**
 * struct remap_features - the optional part of a table line
 * @given: features as they were given, in that order, to be printed back
 * @nr_given: how many
 * @block_sectors: block size for formatting, in sectors
 * @read_remap: read_policy remap
 * @no_auto_remap: remap by message only
 * @force_main: accept a main whose identity differs
 * @format: format a blank spare, asked for or implied by the name of the target
 * @breaker_slots: most slots taken within @breaker_seconds
 * @breaker_seconds: see @breaker_slots
 * @retry_budget: seconds that one bio may spend in retries on main
 * @scan_interval: seconds between the beginnings of health scans; 0: none
 */
struct remap_features {
	u8 given[REMAP_NR_FEATURES];
	unsigned int nr_given;
	unsigned int block_sectors;
	bool read_remap;
	bool no_auto_remap;
	bool force_main;
	bool format;
	u32 breaker_slots;
	u32 breaker_seconds;
	u32 retry_budget;
	u32 scan_interval;
};

struct remap_core;
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

/* What is known of a bio between map and its last end_io. Fast path: none. */
enum remap_bio_flags {
	RB_SLOW = 1 << 0,	/* went through the slow path: counted, if it may change something */
	RB_COUNTED = 1 << 1,	/* holds core->flight */
	RB_INDEX = 1 << 2,	/* its index there */
	RB_FLUSH = 1 << 3,
	RB_SLOT = 1 << 4,	/* sent to a slot */
	RB_PENDING = 1 << 5,	/* a read sent to main although its block is mapped */
	RB_WORK = 1 << 6,	/* a context is to do it */
	RB_ERROR = 1 << 7,	/* ... of the class for errors */
	RB_ON_MAIN = 1 << 8,	/* a write that main has completed */
	RB_DONE = 1 << 9,	/* completed by us: end_io has nothing to add */
};

/**
 * struct remap_bio - per-bio data
 * @iter: as submitted, with the sector of main; drivers consume the bio's own
 * @flags: enum remap_bio_flags
 * @status: what main said, once a context has it; BLK_STS_OK if it was not for an error
 */
struct remap_bio {
	struct bvec_iter iter;
	u16 flags;
	blk_status_t status;
};

/**
 * struct remap_busy - an owned block
 * @block: which
 * @used: this element is in use
 * @parked: bios that wait for its release, first come first served
 */
struct remap_busy {
	block_t block;
	bool used;
	struct bio_list parked;
};

enum remap_class {
	REMAP_CLASS_ERROR,	/* may wait for a dying main */
	REMAP_CLASS_SERVICE,	/* mostly slots and metadata */
	REMAP_NR_CLASSES
};

/* Is it one block of main, or all of it? */
enum remap_alive {
	REMAP_UNTOLD,		/* there was no time to ask */
	REMAP_ALIVE,		/* it works elsewhere */
	REMAP_DEAD,		/* it does not, or nobody could be asked */
};

/**
 * struct remap_ctx - what one process needs to work on one block; never allocated late
 * @core: whose
 * @work: runs it; unused in the one of messages
 * @idle: in core->idle[class]
 * @class: which bios it takes
 * @io: the one bio it has in flight
 * @vec: for @io, when the data is in a buffer
 * @image: a block of main, as it will be or is
 * @scratch: another, for comparison and for neighbours
 * @budget: jiffies that the present bio may cost in retries on main
 * @spent: jiffies that it has cost
 * @alive: what main has shown for the present bio
 */
struct remap_ctx {
	struct remap_core *core;
	struct work_struct work;
	struct list_head idle;
	enum remap_class class;
	struct bio *io;
	struct bio_vec vec;
	u8 *image;
	u8 *scratch;
	unsigned long budget;
	unsigned long spent;
	enum remap_alive alive;
};

#include "background.h"

/**
 * struct remap_scan - the health scan of main; written by its step but for @interval, @asked
 * @interval: seconds from the beginning of one pass to that of the next; 0: none by itself
 * @asked: a pass is to begin now
 * @under_way: in a pass
 * @begun: there has been a pass
 * @position: sector of main where the pass goes on
 * @pass_start: jiffies when the pass, or the last one, began
 * @pass_errors: the pass, or the last one, has found errors
 * @errors: blocks found unreadable since the statistics were reset
 * @passes: complete ones, since then
 * @work_ns: time spent reading, since @measured
 * @measured: ktime
 * @rests: until @rest_until, in jiffies
 * @rest_until: see @rests
 * @tries: of the present place, when main fails for other reasons than a bad block
 * @seen: requests that the device had completed when last looked at
 * @quiet_since: jiffies; nothing but @seen has been completed since
 * @buffer: what is read, or NULL: no scan yet
 * @bio: reads into @buffer
 */
struct remap_scan {
	u32 interval;
	bool asked;
	bool under_way;
	bool begun;
	u64 position;
	unsigned long pass_start;
	bool pass_errors;
	u64 errors;
	u64 passes;
	u64 work_ns;
	u64 measured;
	bool rests;
	unsigned long rest_until;
	unsigned int tries;
	u64 seen;
	unsigned long quiet_since;
	u8 *buffer;
	struct bio *bio;
};

/**
 * struct remap_scrub - scrubbing; all but @wanted belongs to the metadata worker
 * @wanted: asked for and not done
 * @running: has begun
 * @super_done: the superblock has been seen to
 * @page: next page
 * @fenced: blocks that were fenced when it began
 * @error: of the last scrub that ended, or 0
 * @found: by the present or the last scrub
 */
struct remap_scrub {
	bool wanted;
	bool running;
	bool super_done;
	u32 page;
	unsigned int fenced;
	int error;
	struct rmeta_scrub found;
};

/**
 * struct remap_salvage - how far the salvage job is
 * @next: slot to look at next
 * @end: where the pass ends
 * @wanted: pending sectors when it began
 * @tried: of these
 * @healed: of these, now in their slots
 * @started: there has been a pass since the load
 */
struct remap_salvage {
	u64 next;
	u64 end;
	u64 wanted;
	u64 tried;
	u64 healed;
	bool started;
};

/**
 * struct remap_part - what a bio wants of one block
 * @bio: the bio; its bi_iter is as submitted
 * @block: the block
 * @first: first sector within the block
 * @sectors: how many
 * @offset: sectors of the bio before it
 */
struct remap_part {
	struct bio *bio;
	block_t block;
	unsigned int first;
	unsigned int sectors;
	unsigned int offset;
};

/**
 * struct remap_view - where a block lives at an instant
 * @slot: its slot, or RMETA_NO_SLOT
 * @mask: mask of its entry
 * @lost: mask bits are lost sectors, not pending ones
 */
struct remap_view {
	slot_t slot;
	u16 mask;
	bool lost;
};

enum remap_meta_op {
	REMAP_META_CLAIM,	/* @slot for unmapped @block, @bits pending */
	REMAP_META_MASK,	/* clear @bits of @slot */
	REMAP_META_MOVE,	/* @block from @from to @slot, @clear unmasked, @bits lost */
	REMAP_META_RETIRE,	/* @slot is bad */
	REMAP_META_FREE,	/* @slot: the data of @block is durable on main */
	REMAP_META_RESERVE,	/* out: @slot */
	REMAP_META_UNRESERVE,	/* @slot was not needed */
	REMAP_META_COMMIT,	/* save the counters; all earlier requests are done then */
};

/**
 * struct remap_meta - a request to the metadata worker
 * @list: in core->meta_requests
 * @op: what
 * @slot: see enum remap_meta_op
 * @from: likewise
 * @block: likewise
 * @bits: likewise
 * @clear: likewise
 * @reason: of a claim
 * @applied: private
 * @was_linked: private
 * @error: out: 0, -EEXIST (the block has been mapped meanwhile), -EROFS (that page can no
 *	longer be changed; the slot was taken back), -ENOSPC, -EIO (the block is fenced now)
 * @done: completed last
 */
struct remap_meta {
	struct list_head list;
	enum remap_meta_op op;
	slot_t slot;
	slot_t from;
	block_t block;
	u16 bits;
	u16 clear;
	enum rmeta_reason reason;
	bool applied;
	bool was_linked;
	int error;
	struct completion done;
};

/**
 * struct remap_range - blocks of a message
 * @first: first block
 * @nr: how many
 */
struct remap_range {
	block_t first;
	u64 nr;
};

/**
 * struct remap_homing - a block that is being unmapped
 * @busy: ownership of it
 * @block: which
 * @slot: it has now
 * @in_slot: mask of the sectors that are there
 * @error: why it stays there, or 0
 * @home_before: blocks before it that had no slot
 * @request: frees the slot
 */
struct remap_homing {
	struct remap_busy *busy;
	block_t block;
	slot_t slot;
	u16 in_slot;
	int error;
	u64 home_before;
	struct remap_meta request;
};

/**
 * struct remap_unmap - an unmap message under way
 * @ranges: sorted, disjoint
 * @nr_ranges: how many
 * @range: of the block to go on with
 * @at: that block, in it
 * @home: blocks before it that had no slot
 * @freed: blocks that had one, until now
 * @error: out: that of the first block that has one, or 0
 * @error_block: out: which
 * @blocks: being unmapped together
 * @nr: how many
 */
struct remap_unmap {
	const struct remap_range *ranges;
	unsigned int nr_ranges;
	unsigned int range;
	u64 at;
	u64 home;
	u64 freed;
	int error;
	block_t error_block;
	struct remap_homing blocks[REMAP_MESSAGE_BLOCKS];
	unsigned int nr;
};

/**
 * struct remap_import - a bulk claim of blocks whose data stays on main
 * @list: in core->imports
 * @ranges: sorted, disjoint
 * @nr_ranges: how many
 * @reason: of the claims
 * @range: private: the range to go on with
 * @at: private: the block in it
 * @handled: out: blocks that are mapped now
 * @error: out: the first error; the rest was not tried
 * @stop: set by the owner: no more
 * @done: completed last
 */
struct remap_import {
	struct list_head list;
	const struct remap_range *ranges;
	unsigned int nr_ranges;
	enum rmeta_reason reason;
	unsigned int range;
	u64 at;
	u64 handled;
	int error;
	bool stop;
	struct completion done;
};

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
 * Metadata (meta.c):
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

static inline struct remap_bio *remap_bio(struct bio *bio)
{
	return dm_per_bio_data(bio, sizeof(struct remap_bio));
}

/* What a status says about the medium. */
enum remap_verdict {
	REMAP_STS_OK,
	REMAP_STS_MEDIUM,	/* this sector is bad */
	REMAP_STS_UNSURE,	/* this sector, or the disk */
	REMAP_STS_OTHER,	/* nothing */
};

/**
 * remap_judge() - what does a status of main say about the medium?
 * @status: of a request to main
 *
 * SCSI reports MEDIUM only for some sense codes, a write error ends as IOERR; libata's IDNF
 * and write protection are both TARGET; virtio and many others know IOERR alone.
 */
static inline enum remap_verdict remap_judge(blk_status_t status)
{
	switch (status) {
	case BLK_STS_OK:
		return REMAP_STS_OK;
	case BLK_STS_MEDIUM:
		return REMAP_STS_MEDIUM;
	case BLK_STS_IOERR:
	case BLK_STS_TARGET:
		return REMAP_STS_UNSURE;
	default:
		return REMAP_STS_OTHER;
	}
}

/* params.c */
int remap_parse(struct remap_features *features, unsigned int argc, char **argv, char **error);
int remap_set_feature(struct remap_target *t, unsigned int argc, char **argv, char **error);
void remap_print_features(const struct remap_features *features, char *result,
			  unsigned int maxlen, unsigned int *at);

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

/* map.c */
int remap_map(struct dm_target *ti, struct bio *bio);
int remap_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error);
void remap_dispatch(struct remap_core *core, struct bio *bio);
void remap_look(struct remap_core *core, block_t block, struct remap_view *view);
void remap_finish(struct bio *bio, blk_status_t status);

/* busy.c */
struct remap_busy *remap_busy_try(struct remap_core *core, block_t block);
struct remap_busy *remap_busy_claim(struct remap_core *core, block_t block);
struct remap_busy *remap_busy_claim_or_park(struct remap_core *core, block_t block,
					    struct bio *bio);
bool remap_busy_park(struct remap_core *core, block_t block, struct bio *bio);
bool remap_busy_test(struct remap_core *core, block_t block);
void remap_busy_release(struct remap_core *core, struct remap_busy *busy);
void remap_fence(struct remap_core *core, block_t block);
bool remap_fenced(const struct remap_core *core, block_t block);
void remap_unfence_all(struct remap_core *core);

/* machine.c */
#define REMAP_MACHINE_ID_BYTES 16
bool remap_machine_id(u8 *id);

/* work.c */
int remap_work_init(struct remap_core *core);
void remap_work_exit(struct remap_core *core);
void remap_queue(struct remap_core *core, struct bio *bio);
int remap_ctx_init(struct remap_core *core, struct remap_ctx *ctx);
void remap_ctx_exit(struct remap_ctx *ctx);

/* store.c */
blk_status_t remap_store(struct remap_ctx *ctx, const struct remap_part *part);
blk_status_t remap_write_image(struct remap_ctx *ctx, slot_t slot, const u8 *image, u16 present);
blk_status_t remap_read_slot(struct remap_ctx *ctx, slot_t slot, u16 wanted, u16 *got);
slot_t remap_new_slot(struct remap_ctx *ctx, block_t block, const u8 *image, u16 present);
u16 remap_salvage(struct remap_ctx *ctx, block_t block, u16 wanted, bool failed);
int remap_claim(struct remap_ctx *ctx, block_t block, const u8 *image, u16 present,
		enum rmeta_reason reason);

/* fetch.c */
blk_status_t remap_fetch(struct remap_ctx *ctx, const struct remap_part *part);
int remap_copy_block(struct remap_ctx *ctx, block_t block, struct remap_meta *request);

/* data.c */
bool remap_budget_left(const struct remap_ctx *ctx);
blk_status_t remap_main_part(struct remap_ctx *ctx, enum req_op op, const struct remap_part *part);
blk_status_t remap_main_buffer(struct remap_ctx *ctx, enum req_op op, sector_t sector, void *buffer,
			       unsigned int sectors);
blk_status_t remap_main_restore(struct remap_ctx *ctx, sector_t sector, void *buffer,
				unsigned int sectors);
int remap_main_flush(struct remap_ctx *ctx);
blk_status_t remap_slot_part(struct remap_ctx *ctx, enum req_op op, slot_t slot,
			     const struct remap_part *part);
blk_status_t remap_slot_buffer(struct remap_ctx *ctx, enum req_op op, slot_t slot,
			       unsigned int first, void *buffer, unsigned int sectors);
void remap_copy_from_part(void *buffer, const struct remap_part *part);
void remap_copy_to_part(const struct remap_part *part, const void *buffer);
enum remap_alive remap_main_alive(struct remap_ctx *ctx, block_t block, enum req_op op);
void remap_note_error(struct remap_core *core, enum req_op op, sector_t sector);
void remap_set_budget(struct remap_ctx *ctx, unsigned long least);
void remap_grant_request(struct remap_ctx *ctx);

/* meta.c */
extern const struct rmeta_host_ops remap_host_ops;
int remap_meta_init(struct remap_core *core);
void remap_meta_exit(struct remap_core *core);
void remap_meta_start(struct remap_core *core, struct list_head *requests);
int remap_meta_wait(struct remap_meta *request);
int remap_meta_run(struct remap_core *core, struct remap_meta *request);
void remap_meta_import(struct remap_core *core, struct remap_import *import);
void remap_meta_kick(struct remap_core *core);
int remap_slot_get(struct remap_core *core, slot_t *slot);
void remap_slot_put(struct remap_core *core, slot_t slot);

/* unmap.c */
int remap_unmap(struct remap_core *core, struct remap_unmap *unmap);

/* salvage.c */
long remap_salvage_step(struct remap_job *job);
void remap_salvage_start(struct remap_core *core);

/* message.c */
int remap_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
		  unsigned int maxlen);

/* scan.c */
long remap_scan_step(struct remap_job *job);
void remap_scan_start(struct remap_core *core);
void remap_scan_stop(struct remap_core *core);
void remap_scan_interval(struct remap_core *core, u32 interval);
void remap_scan_wake(struct remap_core *core);
void remap_scan_reset(struct remap_core *core);
u32 remap_scan_share(const struct remap_core *core);
void remap_scan_exit(struct remap_core *core);

/* scrub.c, of the target */
void remap_scrub_start(struct remap_core *core);
void remap_scrub_stop(struct remap_core *core);
void remap_scrub_resume(struct remap_core *core);
bool remap_scrub_step(struct remap_core *core);
void remap_scrub_forget(struct remap_core *core);

/* control.c */
int remap_control(struct remap_target *t, unsigned int argc, char **argv);

/* sysfs.c */
void remap_sysfs_add(struct remap_core *core, bool first);
void remap_sysfs_promote(struct remap_core *core);
void remap_sysfs_remove(struct remap_core *core);
int remap_sysfs_init(void);
void remap_sysfs_exit(void);

/* status.c */
enum remap_mode remap_mode(struct remap_core *core);
const char *remap_mode_name(enum remap_mode mode);
const char *remap_scan_word(const struct remap_core *core);
void remap_rate_update(struct remap_core *core);
void remap_take_numbers(struct remap_target *t, struct remap_numbers *numbers);
void remap_stats_reset(struct remap_core *core);
void remap_status(struct dm_target *ti, status_type_t type, unsigned int flags, char *result,
		  unsigned int maxlen);

#endif
