/* SPDX-License-Identifier: GPL-2.0-only */
/* Exclusion: owned blocks, the bios that wait for them, and fenced blocks; see busy.c. */
#ifndef REMAP_BUSY_H
#define REMAP_BUSY_H

#include <linux/bio.h>

#include "background.h"
#include "table.h"

#define REMAP_MESSAGE_BLOCKS RMETA_PAGE_ENTRIES	/* owned at once by a message */
/* Contexts and jobs own a block and may try for one neighbour; so claims never find it full. */
#define REMAP_BUSY (2 * (2 * REMAP_CONTEXTS + REMAP_NR_JOBS) + REMAP_MESSAGE_BLOCKS)
/* More than the blocks of a message, so that a bio beside those takes no lock. */
#define REMAP_BUSY_COUNTS 512
#define REMAP_FENCED 1024		/* blocks; beyond that the device fails */

struct remap_core;

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

#endif
