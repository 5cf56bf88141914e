// SPDX-License-Identifier: GPL-2.0-only
/* Contract in sectors.h. */
#include "sectors.h"

static uint64_t word_of(uint64_t address, uint64_t tag, unsigned int index)
{
	uint64_t x = address * 0x9e3779b97f4a7c15ull + tag * 0xc2b2ae3d27d4eb4full + index;

	x ^= x >> 29;
	x *= 0xbf58476d1ce4e5b9ull;
	return x ^ (x >> 32);
}

void sectors_fill(uint64_t *words, uint64_t address, uint64_t sectors, uint64_t tag)
{
	for (uint64_t s = 0; s < sectors; s++)
		for (unsigned int i = 0; i < SECTOR_WORDS; i++)
			*words++ = word_of(address + s, tag, i);
}

int64_t sectors_wrong(const uint64_t *words, uint64_t address, uint64_t sectors, uint64_t tag)
{
	for (uint64_t s = 0; s < sectors; s++)
		for (unsigned int i = 0; i < SECTOR_WORDS; i++)
			if (*words++ != word_of(address + s, tag, i))
				return (int64_t)s;
	return -1;
}
