// SPDX-License-Identifier: GPL-2.0-only
/*
 * race - the races that the target's exclusion is for, each put together request by request.
 *
 *	race NAME ROUNDS MAIN SPARE	runs one; "race list" names them
 *
 * Nothing depends on luck: requests are held where the race needs them (dm-gate) and fail where
 * told (dm-inject), so that every round is the race, and a target without the protection loses
 * in every round. MAIN and SPARE are below a stack that race/race.h shows; the races are in
 * race/, by subject.
 *
 * Each round has a fresh block. Rounds come in pairs: the first in a region of main that has
 * no remaps yet, where bios take the fast path, the second beside it, where they do not.
 *
 * Prints what went wrong, and at the end "rounds N bad N". Exit: 0 all good, 1 not, 16 the race
 * could not be put together.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "race/race.h"

static const struct scene *const subjects[] = { moves, slot_moves, rewrites, unmaps };

#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static uint64_t place(const struct scene *race, unsigned int nr)
{
	uint64_t region = race->fresh_only ? nr : nr / 2, beside = race->fresh_only ? 0 : nr % 2;

	/* a region has 2,048 sectors, and marks the one before it too */
	return 2 * BLOCK + 4096 * region + 1000 * beside;
}

static void run(const struct scene *race, unsigned int rounds)
{
	int raw_fd = bed_open("main");
	unsigned int nr;

	if (place(race, rounds) + 64 * BLOCK > stack_main_sectors())
		bed_die("main is too short for %u rounds", rounds);
	for (nr = 0; nr < rounds; nr++)
		if (bed_write(raw_fd, place(race, nr) - BLOCK, 3 * BLOCK, OLD))
			bed_die("cannot write to main");
	close(raw_fd);
	for (nr = 0; race->prepare && nr < rounds; nr++)
		race->prepare(place(race, nr));
	for (nr = 0; nr < rounds; nr++) {
		uint64_t retired = bed_number(SCENE_REMAP, BED_RETIRED);

		scene_begin(nr);
		round_slot = nr;
		race->round(place(race, nr));
		must(race->prepare != map_block || bed_number(SCENE_REMAP, BED_RETIRED) > retired,
		     "no slot was retired");
		if (race->verify)
			race->verify(place(race, nr));
		/* bad sectors stay bad; rules for slots must not meet the next round */
		stack_open_gates();
	}
}

/* All of it is still right from a new device. */
static void run_again(const struct scene *race, unsigned int rounds)
{
	unsigned int nr;

	scene_down();
	start("");
	for (nr = 0; nr < rounds; nr++) {
		scene_begin(nr);
		race->verify(place(race, nr));
	}
}

int main(int argc, char **argv)
{
	const struct scene *race = NULL;
	unsigned int rounds, i;

	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (i = 0; i < SUBJECTS; i++)
			scenes_print(subjects[i]);
		return 0;
	}
	if (argc != 5)
		bed_die("usage: race NAME ROUNDS MAIN SPARE, or race list");
	for (i = 0; i < SUBJECTS && !race; i++)
		race = scenes_find(subjects[i], argv[1]);
	if (!race)
		bed_die("no race %s", argv[1]);
	rounds = (unsigned int)atoi(argv[2]);
	stack_build(argv[3], argv[4]);
	/* every slot may be taken: the rounds follow one another faster than blocks go bad */
	start("4 format breaker 1000000 60");
	run(race, rounds);
	if (!scene_is_bad() && race->verify)
		run_again(race, rounds);
	scene_down();
	stack_remove();
	return scene_report(rounds);
}
