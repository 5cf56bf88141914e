/* SPDX-License-Identifier: GPL-2.0-only */
/* Bios that need a process: what it has, and what a bio wants of one block. */
#ifndef REMAP_WORK_H
#define REMAP_WORK_H

#include <linux/bio.h>
#include <linux/workqueue.h>

#include "table.h"

#define REMAP_CONTEXTS 8		/* of each class */

struct remap_core;

enum remap_class {
	REMAP_CLASS_ERROR,	/* may wait for a dying main */
	REMAP_CLASS_SERVICE,	/* mostly slots and metadata */
	REMAP_NR_CLASSES
};

/* Is it one block of main, or all of it? */
enum remap_alive {
	REMAP_UNTOLD,		/* there was no time to ask, or nobody to be asked */
	REMAP_ALIVE,		/* it works elsewhere */
	REMAP_DEAD,		/* it does not, or is away */
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

int remap_work_init(struct remap_core *core);
void remap_work_exit(struct remap_core *core);
void remap_queue(struct remap_core *core, struct bio *bio);
int remap_ctx_init(struct remap_core *core, struct remap_ctx *ctx);
void remap_ctx_exit(struct remap_ctx *ctx);

#endif
