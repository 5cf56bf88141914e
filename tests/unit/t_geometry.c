// SPDX-License-Identifier: GPL-2.0-only
/*
 * geometry.c: the layout of every kind of spare, checked against the rules of docs/format.md
 * by another computation than the one under test.
 */
#include "geometry.h"
#include "tap.h"

#define MAIN_SECTORS (1ULL << 21)

struct expected {
	u64 spare_sectors;
	u8 block_shift;
	u64 zone_sectors;
	u32 zone_slots;
	u32 table_pages;
};

/* Worked out by hand from the rules. */
static const struct expected table[] = {
	{ 16384, 3, 1224, 150, 3 },		/* 8 MiB, the smallest */
	{ 16384, 0, 1224, 1056, 21 },
	{ 16384, 4, 1224, 75, 2 },
	{ 131072, 3, 24160, 2961, 59 },		/* 64 MiB */
	{ 29400, 0, 3832, 3304, 66 },		/* two groups */
	{ 1ULL << 31, 3, 429494680, 52646392, 1040443 },	/* 1 TiB */
};

static u64 need_sectors(u64 zone_slots, u8 block_shift)
{
	u64 pages = 5 * zone_slots / RMETA_PAGE_ENTRIES;

	if (5 * zone_slots % RMETA_PAGE_ENTRIES)
		pages++;
	return RMETA_SECTORS * pages + (zone_slots << block_shift);
}

static void test_table(void)
{
	struct rmeta_geometry geo;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		const struct expected *e = &table[i];

		is(rmeta_geometry_init(&geo, e->spare_sectors, MAIN_SECTORS, e->block_shift), 0,
		   "%" PRIu64 " sectors in blocks of %u", e->spare_sectors, 1U << e->block_shift);
		is(geo.zone_sectors, e->zone_sectors, "  zone_sectors");
		is(geo.zone_slots, e->zone_slots, "  zone_slots");
		is(geo.table_pages, e->table_pages, "  table_pages");
	}
}

static void test_limits(void)
{
	struct rmeta_geometry geo;
	u64 blocks = 1ULL << RMETA_BLOCK_BITS;
	u8 shift;

	is(rmeta_geometry_init(&geo, RMETA_MIN_SPARE_SECTORS - 1, MAIN_SECTORS, 3), -ENOSPC,
	   "one sector less than the smallest spare");
	is(rmeta_geometry_init(&geo, 0, MAIN_SECTORS, 3), -ENOSPC, "no spare at all");
	is(rmeta_geometry_init(&geo, 16384, 0, 3), -EINVAL, "no main");
	is(rmeta_geometry_init(&geo, 16384, 1, 5), -EINVAL, "blocks of 32 sectors");
	is(rmeta_geometry_init(&geo, 16384, 1, 4), 0, "main of one sector, blocks of 16");
	is(rmeta_blocks(&geo), 1, "  is one block");
	for (shift = 0; shift <= RMETA_MAX_BLOCK_SHIFT; shift++) {
		is(rmeta_geometry_init(&geo, 16384, blocks << shift, shift), 0,
		   "2^48 blocks of %u sectors", 1U << shift);
		is(rmeta_blocks(&geo), blocks, "  all counted");
		is(rmeta_geometry_init(&geo, 16384, (blocks << shift) + 1, shift), -EINVAL,
		   "  one sector more");
	}
	is(rmeta_geometry_init(&geo, 1ULL << 54, MAIN_SECTORS, 0), 0, "a spare of 8 EiB");
	is(rmeta_slots(&geo), RMETA_MAX_SLOTS, "  has all the slots that have a number");
	ok(RMETA_NO_SLOT >= rmeta_slots(&geo), "  and the number of none is not one of them");
	is(geo.table_pages, (5ULL * geo.zone_slots + 252) / 253, "  and pages for all");
}

/* The properties that the rules ask for, for spares of many lengths. */
static void test_properties(void)
{
	unsigned int good_most = 0, good_inside = 0, good_apart = 0, good_order = 0, nr = 0, copy;
	u64 spare_sectors = RMETA_MIN_SPARE_SECTORS;
	struct rmeta_geometry geo;
	u8 shift;

	for (; spare_sectors < 1ULL << 36; spare_sectors = spare_sectors * 17 / 16 + 7)
		for (shift = 0; shift <= RMETA_MAX_BLOCK_SHIFT; shift++) {
			u64 end;
			bool inside = true;
			slot_t slot;

			nr++;
			if (rmeta_geometry_init(&geo, spare_sectors, MAIN_SECTORS, shift))
				continue;
			good_most += need_sectors(geo.zone_slots, shift) <= geo.zone_sectors &&
				     (need_sectors(geo.zone_slots + 1, shift) > geo.zone_sectors ||
				      geo.zone_slots == RMETA_MAX_SLOTS / 5);
			for (copy = 0; copy < RMETA_COPIES; copy++) {
				end = RMETA_ZONE_START + (copy + 1) * geo.zone_sectors;
				slot = (copy + 1) * geo.zone_slots - 1;
				inside &= rmeta_slot_sector(&geo, slot) + (1U << shift) <= end &&
					  end <= spare_sectors &&
					  rmeta_page_sector(&geo, copy, 0) % RMETA_SECTORS == 0;
			}
			good_inside += inside;
			good_apart += rmeta_page_sector(&geo, 1, 0) - rmeta_page_sector(&geo, 0, 0) ==
				      geo.zone_sectors;
			good_order += rmeta_page_sector(&geo, 2, geo.table_pages - 1) +
				      RMETA_SECTORS == rmeta_slot_sector(&geo, 2 * geo.zone_slots);
		}
	is(good_most, nr, "no slot more would fit, in %u layouts", nr);
	is(good_inside, nr, "slots end inside their zone, zones inside the spare, pages are aligned");
	is(good_apart, nr, "copies are a zone apart");
	is(good_order, nr, "slots begin where the table ends");
	is(rmeta_superblock_sector(0), 0, "superblock 0");
	is(rmeta_superblock_sector(1), 1024, "superblock 1");
	is(rmeta_superblock_sector(2), 2048, "superblock 2");
	is(rmeta_superblock_sector(3), 4096, "superblock 3");
	is(rmeta_superblock_sector(4), 8192, "superblock 4");
}

static struct rmeta_superblock good_superblock(void)
{
	struct rmeta_superblock sb;

	memset(&sb, 0, sizeof(sb));
	sb.block_shift = 3;
	sb.main_sectors = MAIN_SECTORS;
	sb.spare_sectors = 131072;
	sb.zone_start = RMETA_ZONE_START;
	sb.zone_sectors = 24160;
	sb.zone_slots = 2961;
	sb.table_pages = 59;
	sb.pages_used = 59;
	return sb;
}

#define REFUSED(change, what) do {						\
	struct rmeta_superblock sb = good_superblock();				\
	const char *wrong;							\
	change;									\
	wrong = rmeta_geometry_check(&sb, 131072, &geo);			\
	ok(wrong, what ": %s", wrong ? wrong : "accepted");			\
} while (0)

static void test_check(void)
{
	struct rmeta_superblock sb = good_superblock();
	struct rmeta_geometry geo, again;

	ok(!rmeta_geometry_check(&sb, 131072, &geo), "a right superblock");
	rmeta_geometry_init(&again, 131072, MAIN_SECTORS, 3);
	ok(!memcmp(&geo, &again, sizeof(geo)), "  gives the layout");
	ok(!rmeta_geometry_check(&sb, 131073, &geo), "  also on a longer device");
	ok(rmeta_geometry_check(&sb, 131071, &geo), "  not on a shorter one");
	sb.pages_used = 0;
	ok(!rmeta_geometry_check(&sb, 131072, &geo), "no pages used yet");
	REFUSED(sb.block_shift = 5, "block_shift");
	REFUSED(sb.block_shift = 2, "another block_shift");
	REFUSED(sb.main_sectors = 0, "main_sectors");
	REFUSED(sb.main_sectors = ~0ULL, "main_sectors");
	REFUSED(sb.spare_sectors = 16383, "spare_sectors");
	REFUSED(sb.spare_sectors = 131064 - 40, "spare_sectors");
	REFUSED(sb.zone_start = 0, "zone_start");
	REFUSED(sb.zone_sectors += 8, "zone_sectors");
	REFUSED(sb.zone_slots--, "zone_slots");
	REFUSED(sb.table_pages++, "table_pages");
	REFUSED(sb.pages_used = 60, "pages_used");
	REFUSED(sb.pages_used = 58, "pages_used within a group");
	REFUSED(sb.activations = RMETA_MAX_ACTIVATIONS + 1, "activations");
}

/* Pages that a device which is too short can have. */
static void test_short_device(void)
{
	struct rmeta_geometry geo;

	rmeta_geometry_init(&geo, 131072, MAIN_SECTORS, 3);
	is(rmeta_device_pages(&geo, 131072), geo.table_pages, "a device as it was: all pages");
	is(rmeta_device_pages(&geo, RMETA_ZONE_START), 0, "one that ends where zone 0 begins: none");
	is(rmeta_device_pages(&geo, 0), 0, "an empty one: none");
	is(rmeta_device_pages(&geo, RMETA_ZONE_START + 7), 0, "not a whole one");
	is(rmeta_device_pages(&geo, RMETA_ZONE_START + 3 * 8), 3, "three");
	is(rmeta_device_pages(&geo, ~0ULL), geo.table_pages, "never more than there are");
}

int main(void)
{
	test_table();
	test_limits();
	test_properties();
	test_check();
	test_short_device();
	return done();
}
