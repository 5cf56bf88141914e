/* SPDX-License-Identifier: GPL-2.0-only */
/* I/O of one block that is owned, on main and on slots, and what its errors say. */
#ifndef REMAP_IO_H
#define REMAP_IO_H

#include <linux/blk_types.h>

#include "table.h"
#include "work.h"

struct remap_core;
struct remap_meta;

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

#endif
