/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a device held before it was written to, kept in memory for as long as the program may still
 * take everything back. For small structures: what is kept is as much as is written. (undo.h is for
 * changes that a person may want to take back later.)
 */
#ifndef TOOLS_KEEP_H
#define TOOLS_KEEP_H

#include "device.h"

/**
 * struct keep - what was overwritten
 * @next: who else wants to know of writes, and decides whether they may be done
 * @next_ctx: its first argument
 * @file: of the device
 * @piece: what was there, oldest first
 * @nr: pieces
 * @room: for how many there is room
 */
struct keep {
	int (*next)(void *ctx, const struct rmeta_io *ios, unsigned int nr_ios);
	void *next_ctx;
	struct rmeta_file *file;
	struct rmeta_io *piece;
	size_t nr;
	size_t room;
};

/**
 * keep_start() - keep what is overwritten from now on
 * @keep: out; stays where it is until keep_free(), and longer than @dev is open
 * @dev: open for writing
 */
void keep_start(struct keep *keep, struct device *dev);

/**
 * keep_restore() - put back all that was kept, and keep nothing more
 * @keep: pieces
 * @dev: the same device, open for writing: still, or again
 *
 * Return: 0 or a negative errno, with an error reported.
 */
int keep_restore(struct keep *keep, struct device *dev);

/* Forget it. */
void keep_free(struct keep *keep);

#endif
