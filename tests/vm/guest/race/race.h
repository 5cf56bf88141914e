/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the races share: the stack that they run on, and ways to hold and to fail its requests.
 *
 *	remap r -> gate gmain  -> inject main  -> MAIN	 a request that failed can be held
 *	        -> gate aspare -> inject spare -> gate gspare -> SPARE	and here both, above and below
 *
 * Places are in sectors; a block is named by its first one.
 */
#ifndef RACE_H
#define RACE_H

#include "scene.h"

#define BLOCK SCENE_BLOCK
#define HELD 1u			/* word of gate's status */
#define FAILED_WRITES 7u	/* of inject's */

/*
 * How long a request that must wait is given to go wrong. A target without the protection takes
 * far less, and one with it is not hurried by more.
 */
#define CHANCE_MS 40u

/* The races, by what goes on in them. */
extern const struct scene moves[];		/* move.c */
extern const struct scene slot_moves[];		/* slot.c */
extern const struct scene rewrites[];		/* rewrite.c */
extern const struct scene unmaps[];		/* unmap.c */

/** verify_sibling() - after a write of sector 2 that was SECOND and failed, and one of 5, FIRST */
void verify_sibling(uint64_t block);

/** verify_message() - after a write of sector 5, FIRST, and no other */
void verify_message(uint64_t block);

/* The slot of the round's block, once it was mapped: blocks are mapped in the order of rounds. */
extern uint64_t round_slot;

/** stack_build() - make all of it but the remap device; MAIN and SPARE are paths */
void stack_build(const char *main_path, const char *spare_path);

/** stack_remove() - the other way */
void stack_remove(void);

/** stack_open_gates() - nothing is held any more, and slots are good again; main is not */
void stack_open_gates(void);

/** stack_main_sectors() - length of main */
uint64_t stack_main_sectors(void);

/** stack_spare_sectors() - length of the spare */
uint64_t stack_spare_sectors(void);

/** wipe_spare() - make it one that may be formatted */
void wipe_spare(void);

/** bring_up() - the remap device, with these optional parameters; returns 0 or -errno */
int bring_up(const char *features);

/** start() - bring_up() that must work */
void start(const char *features);

/** write_op() - a write of the remap device, for bed_start() */
struct bed_op write_op(uint64_t sector, uint64_t sectors, enum scene_tag tag);

/** map_block() - by message */
void map_block(uint64_t block);

/** fail_main() - requests to main fail: @dirs and @rest as of inject's "add" */
void fail_main(const char *dirs, uint64_t sector, uint64_t sectors, const char *rest);

/** fail_slot() - only writes of these sectors of round_slot fail */
void fail_slot(unsigned int first, unsigned int sectors);

/**
 * hold_main() - hold the next requests for a block of main
 * @where: "before" main gets them, or "after"
 * @dirs: as of gate's "hold"
 * @sector: first one of the block
 * @nr: how many
 */
void hold_main(const char *where, const char *dirs, uint64_t sector, unsigned int nr);

/** hold_slots() - hold the next request to any slot before the spare gets it; @dir is r or w */
void hold_slots(const char *dir);

/** hold_round_slot() - hold the next @nr writes of round_slot when they have failed */
void hold_round_slot(unsigned int nr);

/** release() - let go of what a gate holds */
void release(const char *gate);

/** is_held() - @nr requests are, or come to be; without that it is not that race */
void is_held(const char *gate, unsigned int nr, const char *what);

/** for_a_chance() - wait for what must not come to be held, but would without a protection */
void for_a_chance(const char *gate, unsigned int nr);

/** settle() - let go of what is held, also of what comes to be held only now, until @op is done */
void settle(struct bed_op *op);

#endif
