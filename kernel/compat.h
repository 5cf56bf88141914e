/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where kernel interfaces differ between the versions this builds on. Everything here asks
 * the headers what they have, never which version they say they are: stable kernels backport.
 */
#ifndef REMAP_COMPAT_H
#define REMAP_COMPAT_H

#include <linux/blkdev.h>
#include <linux/device-mapper.h>

/* Was the table loaded read-write? Modes are blk_mode_t where there is BLK_OPEN_WRITE. */
static inline bool remap_table_writable(struct dm_target *ti)
{
#ifdef BLK_OPEN_WRITE
	return dm_table_get_mode(ti->table) & BLK_OPEN_WRITE;
#else
	return dm_table_get_mode(ti->table) & FMODE_WRITE;
#endif
}

#endif
