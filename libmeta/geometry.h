/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where copies, pages and slots are on a spare: pure arithmetic from the length of the
 * spare and the block size, so that it can be computed again when every superblock is gone.
 * Knows no contents.
 */
#ifndef RMETA_GEOMETRY_H
#define RMETA_GEOMETRY_H

#include "format.h"

#define RMETA_ZONE_START 10240			/* sector of zone 0 */
#define RMETA_MIN_SPARE_SECTORS (8ULL << 11)	/* 8 MiB */

/**
 * struct rmeta_geometry - the layout of one spare
 * @spare_sectors: length of the spare when formatted
 * @main_sectors: length of main
 * @zone_sectors: length of one of the five zones
 * @zone_slots: slots in one zone
 * @table_pages: pages in one copy of the slot table
 * @block_shift: log2 of sectors per block
 */
struct rmeta_geometry {
	u64 spare_sectors;
	u64 main_sectors;
	u64 zone_sectors;
	u32 zone_slots;
	u32 table_pages;
	u8 block_shift;
};

/**
 * rmeta_geometry_init() - lay out a spare
 * @geo: out
 * @spare_sectors: length of the spare in sectors
 * @main_sectors: length of main in sectors
 * @block_shift: log2 of sectors per block, 0..4
 *
 * Return: 0; -EINVAL when @block_shift is out of range or main is empty or has more than
 * 2^48 blocks; -ENOSPC when the spare is smaller than RMETA_MIN_SPARE_SECTORS.
 */
int rmeta_geometry_init(struct rmeta_geometry *geo, u64 spare_sectors, u64 main_sectors,
			u8 block_shift);

/**
 * rmeta_geometry_check() - does a superblock agree with the arithmetic and the device?
 * @sb: decoded superblock
 * @device_sectors: length of the device it was read from
 * @geo: out: the layout, when it agrees
 *
 * Return: NULL, or a short text naming the first field that does not agree.
 */
const char *rmeta_geometry_check(const struct rmeta_superblock *sb, u64 device_sectors,
				 struct rmeta_geometry *geo);

/* First sector of copy @copy of the superblock. */
u64 rmeta_superblock_sector(unsigned int copy);

/* First sector of copy @copy of table page @page. */
u64 rmeta_page_sector(const struct rmeta_geometry *geo, unsigned int copy, u32 page);

/**
 * rmeta_device_pages() - table pages of which a device can have a copy
 * @geo: layout
 * @device_sectors: length of the device, which may be too short for the layout
 *
 * Return: all pages where the device is long enough. A superblock that lies about its length is
 * no reason to look for millions of pages that cannot be there.
 */
u32 rmeta_device_pages(const struct rmeta_geometry *geo, u64 device_sectors);

/* First sector of slot @slot, which is below rmeta_slots(). */
u64 rmeta_slot_sector(const struct rmeta_geometry *geo, slot_t slot);

/* Number of slots of the spare. */
static inline u32 rmeta_slots(const struct rmeta_geometry *geo)
{
	return 5 * geo->zone_slots;
}

/* Number of blocks of main; the last may be short. */
static inline u64 rmeta_blocks(const struct rmeta_geometry *geo)
{
	return (geo->main_sectors + (1U << geo->block_shift) - 1) >> geo->block_shift;
}

#endif
