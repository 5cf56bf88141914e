// SPDX-License-Identifier: GPL-2.0-only
/* What a sector looks like, and whether it looks so. Contract in pattern.h. */
#include "pattern.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_COMPLAINTS 20u
#define SECTOR_MAGIC 0x6e72657474617044ull

void fill_sector(uint64_t *words, unsigned int target, uint64_t sector, uint32_t generation)
{
	uint64_t x = (state->run_id ^ sector) * 0x9e3779b97f4a7c15ull +
		     ((uint64_t)target << 32 | generation) * 0xc2b2ae3d27d4eb4full;

	words[0] = SECTOR_MAGIC;
	words[1] = (uint64_t)target << 32 | generation;
	words[2] = sector;
	words[3] = state->run_id;
	for (unsigned int i = 4; i < SECTOR_WORDS; i++) {
		x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull + i;
		words[i] = x;
	}
}

bool may_complain(void)
{
	static _Atomic unsigned int complaints;

	return atomic_fetch_add(&complaints, 1) < MAX_COMPLAINTS;
}

static void complain(unsigned int target, uint64_t sector, const uint64_t *words,
		     const struct shadow *shadow, const char *what)
{
	if (!may_complain())
		return;
	fprintf(stderr, "pattern: wrong: %s sector %" PRIu64 ": %s; wanted generation %u..%u "
		"(durable %u); found %016" PRIx64 " target %u generation %u sector %" PRIu64 "\n",
		state->target[target].path, sector, what,
		opt.after_cut ? shadow->durable : shadow->written, shadow->issued, shadow->durable,
		words[0], (unsigned int)(words[1] >> 32), (unsigned int)words[1], words[2]);
}

bool check_sector(const uint64_t *words, unsigned int target, uint64_t sector,
		  const struct shadow *shadow, uint32_t *generation)
{
	uint32_t oldest = opt.after_cut ? shadow->durable : shadow->written;
	uint64_t wanted[SECTOR_WORDS];

	*generation = (uint32_t)words[1];
	fill_sector(wanted, target, sector, *generation);
	if (words[0] != SECTOR_MAGIC)
		complain(target, sector, words, shadow, "not our data");
	else if (words[3] != state->run_id)
		complain(target, sector, words, shadow, "data of another run");
	else if (words[1] >> 32 != target || words[2] != sector)
		complain(target, sector, words, shadow, "data of another place");
	else if (memcmp(words, wanted, SECTOR_SIZE))
		complain(target, sector, words, shadow, "damaged within the sector");
	else if (*generation < oldest)
		complain(target, sector, words, shadow, "old data");
	else if (*generation > shadow->issued)
		complain(target, sector, words, shadow, "data that was never written");
	else
		return true;
	return false;
}
