/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The region bitmap: one bit for each MiB of main, and the only thing that a bio to a
 * healthy place looks at.
 *
 * A clear bit r promises: no block of region r or r + 1 is remapped, owned, or fenced, so
 * that a bio of up to one region that starts in r needs one test. Marking a place in region
 * r therefore sets r - 1 and r. Bits are sticky until the metadata is loaded anew.
 */
#ifndef REMAP_REGION_H
#define REMAP_REGION_H

#include <linux/bitops.h>
#include <linux/blk_types.h>

#define REMAP_REGION_SHIFT 11		/* log2 of sectors per region */
#define REMAP_REGION_SECTORS (1U << REMAP_REGION_SHIFT)
#define REMAP_REGION_BYTES (REMAP_REGION_SECTORS << SECTOR_SHIFT)

/**
 * remap_region_test() - may a bio that starts at @sector meet anything but plain main?
 * @regions: the bitmap
 * @sector: of main; the bio is at most REMAP_REGION_BYTES long
 *
 * Context: any.
 */
static inline bool remap_region_test(const unsigned long *regions, sector_t sector)
{
	return test_bit(sector >> REMAP_REGION_SHIFT, regions);
}

/**
 * remap_region_set() - mark the place of a block
 * @regions: the bitmap
 * @sector: first sector of the block; a block never spans two regions
 *
 * Context: any. A caller that then relies on bios seeing the bit needs smp_mb().
 */
static inline void remap_region_set(unsigned long *regions, sector_t sector)
{
	unsigned long region = sector >> REMAP_REGION_SHIFT;

	if (!test_bit(region, regions))
		set_bit(region, regions);
	if (region && !test_bit(region - 1, regions))
		set_bit(region - 1, regions);
}

#endif
