// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where things are on a spare. See geometry.h; the rules are in docs/format.md, "Layout".
 */
#include "geometry.h"

static const u64 superblock_sectors[RMETA_COPIES] = { 0, 1024, 2048, 4096, 8192 };

static u64 table_pages(u64 zone_slots)
{
	return div_u64(5 * zone_slots + RMETA_PAGE_ENTRIES - 1, RMETA_PAGE_ENTRIES);
}

static u64 zone_need_sectors(u64 zone_slots, u8 block_shift)
{
	return RMETA_SECTORS * table_pages(zone_slots) + (zone_slots << block_shift);
}

/* The largest n whose table copy and slots fit into a zone. */
static u32 most_zone_slots(u64 zone_sectors, u8 block_shift)
{
	u64 low = 0, high = RMETA_MAX_SLOTS / 5, mid;

	while (low < high) {
		mid = low + (high - low + 1) / 2;
		if (zone_need_sectors(mid, block_shift) <= zone_sectors)
			low = mid;
		else
			high = mid - 1;
	}
	return (u32)low;
}

int rmeta_geometry_init(struct rmeta_geometry *geo, u64 spare_sectors, u64 main_sectors,
			u8 block_shift)
{
	memset(geo, 0, sizeof(*geo));
	if (block_shift > RMETA_MAX_BLOCK_SHIFT || !main_sectors ||
	    ((main_sectors - 1) >> block_shift) >> RMETA_BLOCK_BITS)
		return -EINVAL;
	if (spare_sectors < RMETA_MIN_SPARE_SECTORS)
		return -ENOSPC;
	geo->spare_sectors = spare_sectors;
	geo->main_sectors = main_sectors;
	geo->block_shift = block_shift;
	geo->zone_sectors = div_u64(spare_sectors - RMETA_ZONE_START, RMETA_COPIES) &
			    ~(u64)(RMETA_SECTORS - 1);
	geo->zone_slots = most_zone_slots(geo->zone_sectors, block_shift);
	geo->table_pages = (u32)table_pages(geo->zone_slots);
	return 0;
}

const char *rmeta_geometry_check(const struct rmeta_superblock *sb, u64 device_sectors,
				 struct rmeta_geometry *geo)
{
	if (sb->block_shift > RMETA_MAX_BLOCK_SHIFT)
		return "block size is out of range";
	if (rmeta_geometry_init(geo, sb->spare_sectors, sb->main_sectors, sb->block_shift))
		return "length of main or spare is out of range";
	if (sb->spare_sectors > device_sectors)
		return "the device is shorter than the spare was when formatted";
	if (sb->zone_start != RMETA_ZONE_START)
		return "zone_start is wrong";
	if (sb->zone_sectors != geo->zone_sectors)
		return "zone_sectors is wrong";
	if (sb->zone_slots != geo->zone_slots)
		return "zone_slots is wrong";
	if (sb->table_pages != geo->table_pages)
		return "table_pages is wrong";
	if (sb->pages_used > geo->table_pages ||
	    (sb->pages_used % RMETA_GROUP_PAGES && sb->pages_used != geo->table_pages))
		return "pages_used is wrong";
	if (sb->activations > RMETA_MAX_ACTIVATIONS)
		return "activations is out of range";
	return NULL;
}

u64 rmeta_superblock_sector(unsigned int copy)
{
	return superblock_sectors[copy];
}

static u64 zone_sector(const struct rmeta_geometry *geo, unsigned int zone)
{
	return RMETA_ZONE_START + zone * geo->zone_sectors;
}

u64 rmeta_page_sector(const struct rmeta_geometry *geo, unsigned int copy, u32 page)
{
	return zone_sector(geo, copy) + (u64)page * RMETA_SECTORS;
}

u32 rmeta_device_pages(const struct rmeta_geometry *geo, u64 device_sectors)
{
	u64 first_sector = rmeta_page_sector(geo, 0, 0);

	if (device_sectors <= first_sector)
		return 0;
	if ((device_sectors - first_sector) / RMETA_SECTORS >= geo->table_pages)
		return geo->table_pages;
	return (u32)((device_sectors - first_sector) / RMETA_SECTORS);
}

u64 rmeta_slot_sector(const struct rmeta_geometry *geo, slot_t slot)
{
	u32 zone = slot / geo->zone_slots;
	u32 nr = slot - zone * geo->zone_slots;

	return zone_sector(geo, zone) + (u64)geo->table_pages * RMETA_SECTORS +
	       ((u64)nr << geo->block_shift);
}
