/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading a device that fails: whatever can be read of a range is read, and what cannot is
 * narrowed down to single sectors. Knows nothing of what is read.
 */
#ifndef TOOLS_SALVAGE_H
#define TOOLS_SALVAGE_H

#include "device.h"

/**
 * salvage_fn - sectors that cannot be read
 * @ctx: as given
 * @sector: first sector on the device
 * @sectors: how many
 */
typedef void (*salvage_fn)(void *ctx, u64 sector, u64 sectors);

/**
 * salvage_read() - read what can be read
 * @dev: open device
 * @sector: first sector; what is behind the end of the device cannot be read
 * @sectors: how many
 * @data: out: zeroes where nothing could be read
 * @bad: called in ascending order for what could not be read, in units of the device's physical
 *	sectors, cut to the range; or NULL
 * @ctx: its first argument
 *
 * Where the page cache fails with more than a sector, single sectors are read past it.
 *
 * Return: sectors that could not be read.
 */
u64 salvage_read(const struct device *dev, u64 sector, u64 sectors, void *data, salvage_fn bad,
		 void *ctx);

#endif
