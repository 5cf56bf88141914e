/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For fuzzers of undo files: a file as a list of records that are given their checksums, and is
 * cut and changed afterwards; random bytes never get past a CRC.
 */
#ifndef FUZZ_UNDO_H
#define FUZZ_UNDO_H

#include "fuzz_disk.h"
#include "undo_file.h"

#define FUZZ_UNDO_SECTORS 43		/* of the device; its last block has three */
#define FUZZ_UNDO_BYTES 65536		/* more than the longest file */

/**
 * fuzz_undo_make() - an undo file
 * @file: out: room for FUZZ_UNDO_BYTES
 * @input: says what is in it
 * @with_uuid: it is about a spare
 *
 * Return: its length.
 */
size_t fuzz_undo_make(u8 *file, struct fuzz_input *input, bool with_uuid);

#endif
