/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a copy of a disk by GNU ddrescue lacks, by its mapfile. In its place a copy has zeroes, or
 * whatever was there before.
 */
#ifndef TOOLS_CLONE_MAP_H
#define TOOLS_CLONE_MAP_H

#include "device.h"
#include "ranges.h"

/**
 * clone_map_take() - a device is a copy: have salvage_read() not read what it lacks
 * @dev: open; @dev->absent becomes @absent, which must live as long
 * @absent: out: sectors that are not rescued; to be freed with ranges_free()
 * @path: the mapfile
 * @sectors: of the disk that was copied, all of which the mapfile must be about
 * @role: "main" or "the spare", for messages
 *
 * Return: STATUS_DONE, or another exit status with an error reported.
 */
int clone_map_take(struct device *dev, struct ranges *absent, const char *path, u64 sectors,
		   const char *role);

#endif
