/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For fuzzers of the engine: load, check and repair of a damaged spare, and what docs/check.md
 * and check.h promise of them.
 */
#ifndef FUZZ_SPARE_H
#define FUZZ_SPARE_H

#include "host.h"

/**
 * fuzz_spare() - load, check and repair
 * @data: an input: the damage as of fuzz_disk_begin(), then a byte for how questions are answered
 * @bytes: its length
 * @large: a spare with many table pages
 */
void fuzz_spare(const u8 *data, size_t bytes, bool large);

#endif
