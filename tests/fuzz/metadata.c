// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: the bytes of a spare, as the engine reads them: superblocks, table pages, entries,
 * and which of five copies counts. What it takes short ways to is found here the long way; what is
 * accepted obeys the format, lies on the device, and is the same when it is written again.
 */
#include "copies.h"
#include "fuzz_disk.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

/* Pages and superblocks are read into memory of their own: a byte too many is found. */
static u8 *buffers[RMETA_COPIES];
static u8 *image;

/**
 * struct session - one execution
 * @disk: the spare
 * @store: what the engine reads it with
 * @sb: superblock that counts
 */
struct session {
	struct fuzz_disk *disk;
	struct rmeta_store *store;
	struct rmeta_superblock sb;
};

/* Can what is read there be anything but what the valid spare has? */
static bool is_patched(const struct session *session, u64 sector)
{
	return session->disk->dirty[sector / RMETA_SECTORS];
}

static bool is_whole(const struct rmeta_scan *scan, unsigned int copy)
{
	return scan->verdict[copy] == RMETA_OK || scan->verdict[copy] == RMETA_STALE;
}

/* The winner is the highest of those that are whole; what is equal to it in number is ok. */
static void verify_winner(const struct rmeta_scan *scan, u8 *const raw[RMETA_COPIES],
			  bool (*same)(const void *raw, const void *other))
{
	bool conflict = false;
	unsigned int copy;

	if (scan->winner < 0) {
		for (copy = 0; copy < RMETA_COPIES; copy++)
			FUZZ_CHECK(!is_whole(scan, copy), "a whole copy, and no winner");
		return;
	}
	FUZZ_CHECK(scan->verdict[scan->winner] == RMETA_OK, "a winner that is not good");
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		if (!is_whole(scan, copy))
			continue;
		FUZZ_CHECK(scan->sequence[copy] <= scan->sequence[scan->winner], "not the newest");
		FUZZ_CHECK((scan->sequence[copy] < scan->sequence[scan->winner]) ==
			   (scan->verdict[copy] == RMETA_STALE), "stale, or not");
		if (scan->verdict[copy] == RMETA_OK)
			conflict |= !same(raw[copy], raw[scan->winner]);
	}
	FUZZ_CHECK(conflict == scan->conflict, "a conflict, or none");
}

/* What stands behind the NUL of a text is not kept when a superblock is written. */
static void end_text(char *text, size_t bytes)
{
	size_t length = strlen(text);

	FUZZ_CHECK(length < bytes, "a text without end");
	memset(text + length, 0, bytes - length);
}

static void verify_superblock(const struct session *session, const u8 *raw, u8 copy,
			      const struct rmeta_scan *scan)
{
	struct rmeta_superblock sb, again;
	struct rmeta_geometry geo;
	enum rmeta_defect defect = rmeta_superblock_decode(raw, copy, &sb);

	if (defect == RMETA_GOOD && rmeta_geometry_check(&sb, session->disk->sectors, &geo))
		defect = RMETA_BAD_GEOMETRY;
	FUZZ_CHECK(scan->defect[copy] == defect ||
		   (scan->defect[copy] == RMETA_BAD_UUID && defect == RMETA_GOOD),
		   "superblock %u: %s", copy, rmeta_defect_text(defect));
	if (defect != RMETA_GOOD)
		return;
	end_text(sb.main_id, sizeof(sb.main_id));
	end_text(sb.label, sizeof(sb.label));
	end_text(sb.host_name, sizeof(sb.host_name));
	memcpy(image, raw, RMETA_BYTES);
	rmeta_superblock_encode(image, &sb);
	FUZZ_CHECK(rmeta_superblock_decode(image, copy, &again) == RMETA_GOOD &&
		   !memcmp(&sb, &again, sizeof(sb)), "another superblock");
}

/* Pages and slots are on the spare, and not on each other. */
static void verify_geometry(const struct rmeta_geometry *geo)
{
	u64 slot_sectors = (u64)1 << geo->block_shift, zone_end;
	unsigned int zone;

	FUZZ_CHECK(rmeta_slots(geo) <= (u64)geo->table_pages * RMETA_PAGE_ENTRIES,
		   "slots without entry");
	for (zone = 0; zone < RMETA_COPIES; zone++) {
		slot_t first = zone * geo->zone_slots, last = first + geo->zone_slots - 1;

		zone_end = RMETA_ZONE_START + (zone + 1) * geo->zone_sectors;
		FUZZ_CHECK(rmeta_slot_sector(geo, first) >=
			   rmeta_page_sector(geo, zone, geo->table_pages - 1) + RMETA_SECTORS,
			   "a slot on a page");
		FUZZ_CHECK(rmeta_slot_sector(geo, last) + slot_sectors <= zone_end &&
			   zone_end <= geo->spare_sectors, "a slot behind its zone");
	}
}

/* Entries that all obey the format are the same bytes when they are written again. */
static void verify_entries(const struct session *session, const u8 *raw,
			   const struct rmeta_page_header *header)
{
	struct rmeta_entry entries[RMETA_PAGE_ENTRIES];
	u64 blocks = rmeta_blocks(&session->store->geo);
	bool valid = true;
	unsigned int nr;

	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++) {
		const struct rmeta_entry *entry = &entries[nr];
		block_t block;

		rmeta_page_entry(raw, nr, &entries[nr]);
		if (rmeta_entry_valid(entry, session->sb.main_sectors, session->sb.block_shift)) {
			valid = false;
			continue;
		}
		block = rmeta_where_block(entry->where);
		FUZZ_CHECK(entry->state == RMETA_FREE || block < blocks, "a block behind main");
		FUZZ_CHECK(!(rmeta_where_mask(entry->where) >> (1U << session->sb.block_shift)),
			   "a mask wider than a block");
	}
	if (!valid)
		return;
	rmeta_page_encode(image, header, entries);
	FUZZ_CHECK(!memcmp(image, raw, RMETA_BYTES), "another page");
}

static int verify_page(void *ctx, u32 page, const struct rmeta_scan *scan,
		       u8 *const raw[RMETA_COPIES])
{
	const struct session *session = ctx;
	const struct rmeta_geometry *geo = &session->store->geo;
	struct rmeta_page_header header, winner_header;
	bool winner = false;	/* patched, and the one that counts */
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		enum rmeta_defect defect;

		if (scan->defect[copy] == RMETA_BAD_READ ||
		    !is_patched(session, rmeta_page_sector(geo, copy, page)))
			continue;
		defect = rmeta_page_decode(raw[copy], session->sb.uuid, page, (u8)copy, &header);
		if (defect == RMETA_GOOD && (header.main_sectors != geo->main_sectors ||
					     header.block_shift != geo->block_shift))
			defect = RMETA_BAD_GEOMETRY;
		FUZZ_CHECK(scan->defect[copy] == defect, "page %u, copy %u: %s", page, copy,
			   rmeta_defect_text(defect));
		if (defect == RMETA_GOOD)
			FUZZ_CHECK(scan->sequence[copy] == header.sequence, "another sequence");
		if ((int)copy == scan->winner) {
			winner_header = header;
			winner = true;
		}
	}
	verify_winner(scan, raw, rmeta_page_same);
	if (winner)
		verify_entries(session, raw[scan->winner], &winner_header);
	return 0;
}

static void get_memory(struct rmeta_store *store)
{
	unsigned int copy;

	store->ops = &fuzz_disk_ops;
	FUZZ_CHECK(!rmeta_store_init(store, 1), "no memory");
	for (copy = 0; copy < RMETA_COPIES; copy++)
		buffers[copy] = malloc(RMETA_BYTES);
	image = malloc(RMETA_BYTES);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static struct rmeta_store store;
	struct fuzz_input input = { data, bytes };
	struct fuzz_disk *disk = fuzz_disk_begin(&input, false);
	struct session session = { .disk = disk, .store = &store };
	u32 first_page = fuzz_u8(&input), nr_pages = 1 + fuzz_u8(&input) % 4, pages;
	struct rmeta_scan scan;
	unsigned int copy;

	if (!image)
		get_memory(&store);
	store.host = disk;
	rmeta_scan_superblocks(&store, disk->sectors, &scan, buffers);
	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (scan.defect[copy] != RMETA_BAD_READ &&
		    is_patched(&session, rmeta_superblock_sector(copy)))
			verify_superblock(&session, buffers[copy], (u8)copy, &scan);
	verify_winner(&scan, buffers, rmeta_superblock_same);
	if (scan.winner < 0)
		return 0;
	rmeta_superblock_decode(buffers[scan.winner], (u8)scan.winner, &session.sb);
	FUZZ_CHECK(!rmeta_geometry_check(&session.sb, disk->sectors, &store.geo), "no layout");
	verify_geometry(&store.geo);
	memcpy(store.uuid, session.sb.uuid, sizeof(store.uuid));
	pages = rmeta_device_pages(&store.geo, disk->sectors);
	FUZZ_CHECK(pages == store.geo.table_pages, "pages behind the device");
	first_page %= pages;
	FUZZ_CHECK(!rmeta_scan_pages(&store, first_page, min(nr_pages, pages - first_page),
				     verify_page, &session), "no scan");
	FUZZ_CHECK(!disk->writes, "reading wrote");
	return 0;
}
