/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * remap-top as its views have it: one source, one model, perhaps a recording, and the clock.
 */
#ifndef TUI_TOP_H
#define TUI_TOP_H

#include "columns.h"
#include "model.h"
#include "recording.h"
#include "source.h"

#define TOP_INTERVAL_MS 1000		/* unless -d says something else */

/**
 * struct top - the program
 * @source: where samples come from
 * @model: what is known
 * @recording: where samples go to; all zero when they are not kept
 * @recording_failed: they should have been, and could not: @problem stays
 * @interval_ms: from one sample to the next; 0 when not said
 * @nr_frames: how many samples; 0 for all that there are
 * @problem: why there are no more samples, safe to print; or NULL
 * @status: exit status so far
 */
struct top {
	struct source *source;
	struct model model;
	struct recording recording;
	bool recording_failed;
	u64 interval_ms;
	u64 nr_frames;
	char *problem;
	int status;
};

/**
 * top_step() - take a sample, keep it, and bring the model up to date
 * @top: the program
 *
 * Return: 1; 0 when there are no more samples; a negative errno with @top->problem and
 * @top->status set. The kernel may be asked again then; a recording that failed is closed.
 */
int top_step(struct top *top);

/* Milliseconds of a clock that is never set. */
u64 top_clock_ms(void);

/**
 * view_batch() - frames as text, or as JSON
 *
 * Return: exit status, with errors reported.
 */
int view_batch(struct top *top);

/**
 * view_curses() - the screen
 * @top: the program
 * @status: out: exit status, with errors reported
 *
 * Return: false when this terminal cannot have a screen; nothing was done then.
 */
bool view_curses(struct top *top, int *status);

#endif
