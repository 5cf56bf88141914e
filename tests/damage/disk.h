/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A spare device in memory, for tests of the check: sparse, quick to copy, with sectors that
 * cannot be read or written, and with power that goes at a chosen step of writing.
 *
 * Knows 4 KiB blocks and sectors, and nothing of what is in them.
 */
#ifndef DAMAGE_DISK_H
#define DAMAGE_DISK_H

#include "host.h"

#define DISK_BLOCK 4096

/**
 * struct disk - a device
 * @sectors: its length; it can be changed at any time, what is behind the end is kept
 * @max_blocks: room, in blocks of DISK_BLOCK
 * @block: contents; NULL is zeroes
 * @unreadable: per block: reads fail until it is written
 * @unwritable: per block: writes fail
 * @steps: calls of submit() with writes in them so far
 * @writes: blocks written so far
 * @fatal_step: the step that is cut off, counted from 1; 0: none
 * @dead: power is gone: everything fails, nothing changes
 * @random: state of the generator that decides what a cut write leaves
 * @now: what the clock says
 */
struct disk {
	u64 sectors;
	u64 max_blocks;
	u8 **block;
	u8 *unreadable;
	u8 *unwritable;
	u64 steps;
	u64 writes;
	u64 fatal_step;
	bool dead;
	u64 random;
	u64 now;
};

extern const struct rmeta_host_ops disk_ops;

/* A zeroed disk with room for @max_sectors, all of which it has at first. */
void disk_init(struct disk *disk, u64 max_sectors);

/* Free what disk_init() got. */
void disk_exit(struct disk *disk);

/* Make @to, which was initialised with the same room, the same as @from in all but power. */
void disk_copy(struct disk *to, const struct disk *from);

/* Do both hold the same bytes? */
bool disk_same(const struct disk *disk, const struct disk *other);

/* The block at @sector, a multiple of 8, to be read or changed in place. */
u8 *disk_at(struct disk *disk, u64 sector);

/* Reads of the block at @sector fail until it is written; writes fail for good. */
void disk_break_reads(struct disk *disk, u64 sector);
void disk_break_writes(struct disk *disk, u64 sector);

/* Power is back after it went. */
void disk_revive(struct disk *disk);

/* A generator of numbers that are the same in every run. */
u64 disk_random(u64 *state);

#endif
