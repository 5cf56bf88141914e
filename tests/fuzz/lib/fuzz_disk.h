/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A spare for fuzzers: a valid one, over which an input is laid as a list of patches. Patches
 * renew the checksum of what they change unless they mean not to, since random bytes never get
 * past a CRC by themselves. The engine works on it in memory; a tool can open the same bytes
 * as a file.
 */
#ifndef FUZZ_DISK_H
#define FUZZ_DISK_H

#include <stdio.h>

#include "table.h"

/* Something that must hold does not: say it and stop, which libFuzzer takes for a crash. */
#define FUZZ_CHECK(cond, ...) do {						\
	if (!(cond)) {								\
		fprintf(stderr, "fuzz: " __VA_ARGS__);				\
		fprintf(stderr, " (%s:%d)\n", __FILE__, __LINE__);		\
		__builtin_trap();						\
	}									\
} while (0)

/**
 * struct fuzz_input - the bytes of an input that were not used yet
 */
struct fuzz_input {
	const u8 *data;
	size_t bytes;
};

/* The next number of an input; 0 when it is used up. */
u8 fuzz_u8(struct fuzz_input *input);
u16 fuzz_u16(struct fuzz_input *input);
u32 fuzz_u32(struct fuzz_input *input);

/**
 * struct fuzz_disk - a spare on a disk in memory
 * @data: its bytes
 * @fd: private: file of fuzz_disk_path()
 * @file_bytes: private: its length
 * @file_dirty: private: blocks in which it differs from @base, or may
 * @nr_file_dirty: private: how many
 * @max_sectors: its room
 * @sectors: its length
 * @base: what it holds before an input
 * @geo: layout of @base
 * @nr_pages: table pages in use in @base
 * @unreadable: per 4 KiB block: reads fail until it is written
 * @unwritable: per block: writes fail
 * @dirty: per block: differs from @base, or fails, or may
 * @dirty_blocks: these blocks
 * @nr_dirty: how many
 * @writes: requests to write since fuzz_disk_begin()
 * @faults: a patch made something fail
 */
struct fuzz_disk {
	u8 *data;
	int fd;
	u64 file_bytes;
	u32 *file_dirty;
	u32 nr_file_dirty;
	u64 max_sectors;
	u64 sectors;
	u8 *base;
	struct rmeta_geometry geo;
	u32 nr_pages;
	u8 *unreadable;
	u8 *unwritable;
	u8 *dirty;
	u32 *dirty_blocks;
	u32 nr_dirty;
	u64 writes;
	bool faults;
};

extern const struct rmeta_host_ops fuzz_disk_ops;

/**
 * fuzz_disk_begin() - a spare, damaged as an input says
 * @input: the first byte chooses one of a few valid spares, the second says how many
 *	patches there are at most; patches are taken until then, the rest is the caller's
 * @large: one with many pages in its table, on which everything costs ten times as much
 *
 * Return: the disk, the caller's until the next call. Made at first use, and as new each time.
 */
struct fuzz_disk *fuzz_disk_begin(struct fuzz_input *input, bool large);

/**
 * fuzz_disk_path() - a file with the bytes of a disk, for a tool to open
 * @disk: the disk; its faults are not in the file
 *
 * Return: a path, valid until the next call. The file is the same each time.
 */
const char *fuzz_disk_path(struct fuzz_disk *disk);

#endif
