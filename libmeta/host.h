/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the metadata engine needs from the program it is compiled into.
 *
 * The engine makes no system call and knows no bio. A host supplies two things: the
 * primitives below (types, byte order, allocation, CRC, RCU), which are resolved when the
 * engine is compiled, and one struct rmeta_host_ops, which is passed in at run time and
 * does the I/O. There are three hosts: the kernel module, the tools, and the crash
 * simulator. Nothing else may differ between them.
 */
#ifndef RMETA_HOST_H
#define RMETA_HOST_H

#ifdef __KERNEL__

#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/crc32.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/byteorder.h>

/* CRC-32 as zlib's crc32(): IEEE 802.3, reflected, inverted at both ends. */
static inline u32 rmeta_crc32(u32 crc, const void *data, size_t bytes)
{
	return crc32_le(crc ^ ~0U, data, bytes) ^ ~0U;
}

/*
 * Zeroed memory, or NULL. The kernel's metadata worker runs under memalloc_noio_save(),
 * so that GFP_KERNEL here never recurses into the device that is being worked on.
 */
static inline void *rmeta_zalloc(size_t bytes)
{
	return kvzalloc(bytes, GFP_KERNEL | __GFP_NOWARN);
}

static inline void rmeta_free(const void *p)
{
	kvfree(p);
}

#define rmeta_synchronize_rcu() synchronize_rcu()

/* For loops of the writer whose length is the number of remaps. */
#define rmeta_cond_resched() cond_resched()

#else /* userspace */

#include "host_user.h"

#endif

/**
 * typedef block_t - number of a block of main (not a sector)
 * typedef slot_t - number of a slot of the spare
 */
typedef u64 block_t;
typedef u32 slot_t;

enum rmeta_op {
	RMETA_READ,
	RMETA_WRITE,	/* durable when it completes: FUA, or written and flushed */
};

/**
 * struct rmeta_io - one request to the spare
 * @op: read, or durable write
 * @sector: first 512-byte sector on the spare
 * @bytes: length, a multiple of 4096
 * @data: buffer; in the kernel page aligned, kmalloc or vmalloc memory
 * @error: out: 0 or a negative errno. A failed write has an unknown outcome: old, new or
 *	torn at any 512-byte boundary.
 */
struct rmeta_io {
	enum rmeta_op op;
	u64 sector;
	u32 bytes;
	void *data;
	int error;
};

/**
 * struct rmeta_host_ops - the I/O of a host
 * @submit: start all of @ios at once, in no particular order, and return when every one
 *	has completed with its @error set. May sleep. Writes among them are durable then.
 * @now: wall clock, Unix seconds.
 * @resized: the index went from @from to @to buckets while it held @count remaps. Called
 *	by the writer, after the new table has been published. May be NULL.
 */
struct rmeta_host_ops {
	void (*submit)(void *host, struct rmeta_io *ios, unsigned int nr_ios);
	u64 (*now)(void *host);
	void (*resized)(void *host, u32 from, u32 to, u64 count);
};

/*
 * The numbered rules of the commit protocol (docs/format.md). In the kernel and the tools
 * RMETA_RULE() is the constant true and costs nothing. The simulator is compiled with
 * RMETA_MUTABLE and switches rules off one at a time, to show that it would notice.
 */
enum rmeta_rule {
	RMETA_RULE_NONE,
	RMETA_RULE_SEQUENCE_UNIQUE,	/* 1: a failed write uses its number up */
	RMETA_RULE_ACTIVATION_PAGES,	/* 1: activations also counts pages' sequences */
	RMETA_RULE_ACTIVATION_HIDDEN,	/* 1: unreadable superblocks are counted too */
	RMETA_RULE_ACTIVATION_FIRST,	/* 1: activation durable before anything else */
	RMETA_RULE_STEPS,		/* 2: never all copies at once */
	RMETA_RULE_ALL_LIVE,		/* 2: acknowledged only when in all live copies */
	RMETA_RULE_FAILED_NOT_LIVE,	/* 3: a failed write takes its copy out */
	RMETA_RULE_TWO_LIVE,		/* 3: fewer than two live copies: no change */
	RMETA_RULE_DATA_FIRST,		/* 4: slot data durable before its page (host) */
	RMETA_RULE_MASK_ORDER,		/* 4: bit cleared only after data is durable (host) */
	RMETA_RULE_MOVE_ORDER,		/* 5: new claim durable before the old retires */
	RMETA_RULE_MOVE_LOST,		/* 5: unreadable sectors of a slot become lost (host) */
	RMETA_RULE_GROW_PAGES_FIRST,	/* 6: pages initialised before pages_used */
	RMETA_RULE_GROW_SUPER_FIRST,	/* 6: pages_used durable before the pages are used */
	RMETA_RULE_REWRITE_SUPER,	/* 7a: losers rewritten from the winner */
	RMETA_RULE_REWRITE_PAGES,	/* 7c: likewise, before the first change */
	RMETA_RULE_REWRITE_TWO,		/* 7c: at most two copies at a time */
	RMETA_RULE_RECOMMIT,		/* 7c: winner again under this activation */
	RMETA_RULE_PROBE_GROWTH,	/* 7d: look behind pages_used */
	RMETA_RULE_RETIRE_LOSER,	/* 7e: losers retired on disk, not only in memory */
	RMETA_RULE_FORMAT_INVALIDATE,	/* 8: page 0 of every zone invalidated by format */
	RMETA_RULE_FREE_FIRST,		/* 9: freed durably before it is claimed anew */
	RMETA_NR_RULES
};

#ifdef RMETA_MUTABLE
extern enum rmeta_rule rmeta_rule_off;
#define RMETA_RULE(rule) (rmeta_rule_off != RMETA_RULE_##rule)
#else
#define RMETA_RULE(rule) true
#endif

#endif
