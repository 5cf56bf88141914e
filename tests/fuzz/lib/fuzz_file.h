/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For fuzzers of what reads a file: one in memory, that is used again and again.
 */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#include "host.h"

/**
 * struct fuzz_file - a file in memory, with zeroes to begin with
 * @open: the other members are set
 * @fd: the file
 * @bytes: its length
 * @path: where it can be opened
 */
struct fuzz_file {
	bool open;
	int fd;
	size_t bytes;
	char path[32];
};

/* Have @file hold these bytes, and no others. */
void fuzz_file_fill(struct fuzz_file *file, const void *data, size_t bytes);

#endif
