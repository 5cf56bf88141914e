/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * remap-dump --hash: what was looked at, with what, and what came out, for the record.
 */
#ifndef TOOLS_DUMP_RECORD_H
#define TOOLS_DUMP_RECORD_H

#include "device.h"
#include "digest.h"
#include "output.h"

/**
 * struct record - a record being made
 * @dev: the spare
 * @stream: where the output is to be written
 * @digest: private: taken of what passes, or NULL when the file is read in the end
 * @input: digest of the spare
 * @unread_sectors: of the spare
 */
struct record {
	const struct device *dev;
	FILE *stream;
	struct digest_stream *digest;
	char input[DIGEST_TEXT];
	u64 unread_sectors;
};

/**
 * record_begin() - take the digest of the spare, and be ready for the output
 * @record: out
 * @dev: open spare
 * @output: open output; write to @record->stream from now on
 *
 * Return: 0, or a negative errno with an error reported.
 */
int record_begin(struct record *record, const struct device *dev, const struct output *output);

/* The output is complete: close @record->stream, if it is not the output's own. */
int record_close(struct record *record);

/**
 * record_print() - print the record, on standard error
 * @record: after record_close()
 * @tool: name of the program
 * @path: of the file that was written, after it got its name; NULL for standard output
 *
 * Return: 0, or a negative errno with an error reported.
 */
int record_print(struct record *record, const char *tool, const char *path);

#endif
