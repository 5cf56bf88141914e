/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scenes: something that must not go wrong on a remap device, put together request by request,
 * round after round, each on a block of its own. Here is what all of them need: the device, what
 * a round expects of it, and how many rounds were bad.
 *
 * A round with an unmet expectation is bad, and goes on; what is wrong first in each of the first
 * few is printed.
 */
#ifndef SCENE_H
#define SCENE_H

#include "bed.h"

#define SCENE_REMAP "r"		/* the device's name */
#define SCENE_BLOCK 8u		/* sectors */

/* Versions of data: what was there before a round, and what its requests write. */
enum scene_tag { OLD = 1, FIRST, SECOND };

/**
 * struct scene - one kind of round
 * @name: by which it is asked for; NULL ends a list
 * @prepare: for the blocks of all rounds, before the first round; may be NULL
 * @round: a round; takes its block's first sector, as the others do
 * @verify: after the round, and for all rounds once more after the device was made anew; or NULL
 * @fresh_only: every round needs a region without remaps
 * @what: it shows, in words
 */
struct scene {
	const char *name;
	void (*prepare)(uint64_t block);
	void (*round)(uint64_t block);
	void (*verify)(uint64_t block);
	bool fresh_only;
	const char *what;
};

extern int scene_fd;			/* of the remap device, while it is up */
extern unsigned int scene_round;	/* the one under way, from 0 on */

/** scenes_print() - a line for each: its name, and what it shows */
void scenes_print(const struct scene *scenes);

/** scenes_find() - by its name; returns NULL when there is none */
const struct scene *scenes_find(const struct scene *scenes, const char *name);

/** scene_begin() - the round with this number begins; nothing is wrong with it yet */
void scene_begin(unsigned int round);

/** scene_is_bad() - has any round been bad? */
bool scene_is_bad(void);

/** scene_report() - print "rounds N bad N"; returns the exit status */
int scene_report(unsigned int rounds);

/** expect() - the round is bad unless @good; @format says what is wrong */
__attribute__((format(printf, 2, 3))) void expect(bool good, const char *format, ...);

/** expect_done() - @error, of the request @what, is 0 */
void expect_done(int error, const char *what);

/** expect_data() - these sectors of the device are of version @tag; @what are they? */
void expect_data(uint64_t sector, uint64_t sectors, enum scene_tag tag, const char *what);

/** must() - end the program unless a step happened without which it is not that scene */
void must(bool happened, const char *what);

/** scene_message() - send the device "@verb <block>+8", to which the answer must be 1/1 */
void scene_message(const char *verb, uint64_t block);

/**
 * scene_up() - make the remap device
 * @sectors: of it
 * @params: its table line
 *
 * Return: 0, or a negative errno; there is no device then.
 */
__attribute__((format(printf, 2, 3))) int scene_up(uint64_t sectors, const char *params, ...);

/** scene_down() - remove it */
void scene_down(void);

#endif
