/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verdicts of the copies of a spare's metadata, as the tools keep and show them: those of the
 * superblock, and those of the pages that are not five times ok.
 */
#ifndef TOOLS_VERDICTS_H
#define TOOLS_VERDICTS_H

#include "copies.h"
#include "json.h"
#include "report.h"

/**
 * struct verdict_page - a page that is not five times ok
 */
struct verdict_page {
	u32 page;
	u8 verdict[RMETA_COPIES];
};

/**
 * struct verdicts - all of a spare; all zero is an empty one
 * @judged: @superblocks is known
 * @superblocks: what the five superblocks are
 * @pages: pages that are not five times ok, in order
 * @nr_pages: how many
 * @room: private
 */
struct verdicts {
	bool judged;
	struct rmeta_scan superblocks;
	struct verdict_page *pages;
	size_t nr_pages;
	size_t room;
};

/**
 * verdicts_add_page() - remember what the copies of a page are
 * @verdicts: where
 * @page: its number
 * @scan: what its copies are
 *
 * Context: ends the program when there is no memory, as report_grow().
 */
void verdicts_add_page(struct verdicts *verdicts, u32 page, const struct rmeta_scan *scan);

/* Free what was remembered. */
void verdicts_free(struct verdicts *verdicts);

/* The member "copies" of the JSON of remap-dump and remap-check. */
void verdicts_json(const struct verdicts *verdicts, struct json *json);

/**
 * verdict_print() - a verdict in its colour
 * @stream: where to; its colours are those of report_paint()
 * @verdict: enum rmeta_verdict
 * @width: pad to this many characters
 */
void verdict_print(FILE *stream, unsigned int verdict, int width);

#endif
