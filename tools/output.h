/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a tool's result goes: standard output, or a file that is complete or is not there. A
 * file whose name ends in .gz is compressed.
 */
#ifndef TOOLS_OUTPUT_H
#define TOOLS_OUTPUT_H

#include <stdio.h>
#include <zlib.h>

#include "device.h"

/**
 * struct output - a result being written
 * @stream: write here
 * @path: of the file, NULL for standard output; belongs to the caller
 * @temporary: name it has until it is complete, or NULL when written in place
 * @fd: of the file, -1 for standard output
 * @gz: private: what @stream writes to, or NULL when it is not compressed
 * @error: private: 0, or the negative errno of the first failed write of @gz
 */
struct output {
	FILE *stream;
	const char *path;
	char *temporary;
	int fd;
	gzFile gz;
	int error;
};

/**
 * output_open() - begin
 * @output: out; stays where it is until output_close(); one at a time
 * @path: file, or NULL or "-" for standard output
 * @input: device that the result is about, which is not to be overwritten; NULL: none
 *
 * A regular file is written under a temporary name beside it; a FIFO or character device in
 * place; a block device or directory is refused.
 *
 * Return: 0, or a negative errno with an error reported.
 */
int output_open(struct output *output, const char *path, const struct device *input);

/**
 * output_close() - end
 * @output: the output
 * @keep: the result is good: a file gets its name, durably; otherwise it is removed
 *
 * Return: 0, or a negative errno with an error reported.
 */
int output_close(struct output *output, bool keep);

#endif
