/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recordings: samples as lines of text. remap-top(8) has the format.
 *
 * Everything that is not a number is escaped as everywhere, and blanks are too, so that a line
 * can be cut at its blanks; the status is the rest of its line.
 */
#ifndef TUI_RECORDING_H
#define TUI_RECORDING_H

#include <stdio.h>

#include "sample.h"

#define RECORDING_HEAD "remap-top-recording 1"
#define RECORDING_LINE_BYTES 65536	/* no line is longer, with its line feed */

/**
 * struct recording - a recording being written
 * @stream: of the file
 * @shown: its name, safe to print; to be freed
 */
struct recording {
	FILE *stream;
	char *shown;
};

/**
 * recording_open() - begin a recording
 * @recording: out
 * @path: a file that is not there yet, or a FIFO
 *
 * Return: 0, or a negative errno with an error reported.
 */
int recording_open(struct recording *recording, const char *path);

/**
 * recording_put() - write a sample, all of it
 * @recording: open
 * @sample: the sample
 *
 * Return: 0, or a negative errno; nothing is reported.
 */
int recording_put(struct recording *recording, const struct sample *sample);

/* End a recording; one that was never opened (all zero) is left alone. Return: as recording_put(). */
int recording_close(struct recording *recording);

#endif
