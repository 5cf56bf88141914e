/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A copy under way: what recover_target.c opens and recover_image.c fills.
 *
 * A run may end at any instant, and the next one goes on, since these are durable one after the
 * other:
 *
 *	a mapfile that calls everything to be tried
 *	the image, without contents
 *	again and again: what was copied, then a mapfile that calls it done
 *
 * and, when a run goes on: a mapfile that calls to be tried what is, then the emptying of it.
 */
#ifndef TOOLS_RECOVER_COPIER_H
#define TOOLS_RECOVER_COPIER_H

#include <time.h>

#include "recover.h"
#include "rescue_map.h"

/**
 * struct copier - a copy under way
 * @composite: what is copied
 * @copy: where it goes
 * @out: image or device, open for writing
 * @map_path: of the mapfile
 * @map: how far it is
 * @missing: of this run
 * @chunk_missing: of the chunk in @data
 * @data: a chunk
 * @chunk_sector: sector of main that @data begins with
 * @fresh: the image was made by this run
 * @holes: zeroes need not be written: the image has holes there
 * @extent: where main has holes
 * @since_bytes: copied since the mapfile was written
 * @map_time: when that was
 */
struct copier {
	const struct composite *composite;
	const struct recover_copy *copy;
	struct device out;
	char *map_path;
	struct rescue_map map;
	struct missing missing;
	struct missing chunk_missing;
	u8 *data;
	u64 chunk_sector;
	bool fresh;
	bool holes;
	struct composite_extent extent;
	u64 since_bytes;
	time_t map_time;
};

/**
 * recover_open_target() - open image or device, and read the mapfile if there is one
 * @copier: @composite, @copy, @map_path and the length in @map are set; the rest is set here
 *
 * A new image has its mapfile, and both are durable.
 *
 * Return: exit status, everything reported.
 */
int recover_open_target(struct copier *copier);

#endif
