/* SPDX-License-Identifier: GPL-2.0-only */
/* The way of a bio: what is remembered of one, and where its blocks live. */
#ifndef REMAP_BIO_H
#define REMAP_BIO_H

#include <linux/bio.h>
#include <linux/device-mapper.h>

#include "table.h"

struct remap_core;

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

static inline struct remap_bio *remap_bio(struct bio *bio)
{
	return dm_per_bio_data(bio, sizeof(struct remap_bio));
}

int remap_map(struct dm_target *ti, struct bio *bio);
int remap_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error);
void remap_dispatch(struct remap_core *core, struct bio *bio);
void remap_look(struct remap_core *core, block_t block, struct remap_view *view);
void remap_finish(struct bio *bio, blk_status_t status);

#endif
