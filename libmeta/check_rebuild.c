// SPDX-License-Identifier: GPL-2.0-only
/*
 * No superblock is valid: what do the table pages prove? (docs/format.md, rule 8.)
 *
 * The layout follows from the length of a zone and the block size. Block size, length of main
 * and uuid are in every page. The length of a zone is the distance between copies of page 0:
 *
 *	zone 0 is always at the same place, so its page 0 proves no length;
 *	a copy of page 0 where another zone begins on a device of this size proves it;
 *	if there is none the device was larger or smaller than now, and two copies of page 0,
 *	  wherever they are, prove it if they agree;
 *	only zone 0 is left: then the size of the device is all there is, and must be trusted.
 *
 * Page 0 is the one that counts, since formatting invalidates it: other pages may be left from
 * an older spare. A superblock whose checksum holds but whose layout is impossible, or that is
 * in another copy's place, still gives its label, its main and its counters.
 */
#include <inttypes.h>

#include "check_private.h"

#define SEARCH_BYTES (1U << 20)		/* read at once when the whole device is searched */
#define MAX_STRAYS 64			/* copies of page 0 that a search remembers */

/* What copies of page 0 say. */
struct origin {
	struct rmeta_page_header header;	/* the one with the highest sequence */
	struct rmeta_geometry geo;
	u8 zones;				/* mask: where copies of its spare are */
	bool ambiguous;				/* another spare has as many */
};

/* A length of spare, the shortest, whose zones have this length. */
static u64 spare_of_zones(u64 zone_sectors)
{
	return max(RMETA_ZONE_START + RMETA_COPIES * zone_sectors, RMETA_MIN_SPARE_SECTORS);
}

static bool same_uuid(const u8 *uuid, const u8 *other)
{
	return !memcmp(uuid, other, 16);
}

static void read_first_pages(struct rmeta_checker *checker, const struct rmeta_geometry *geo,
			     struct rmeta_io *ios)
{
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		ios[copy] = (struct rmeta_io){
			.op = RMETA_READ,
			.sector = rmeta_page_sector(geo, copy, 0),
			.bytes = RMETA_BYTES,
			.data = checker->store.buffers[copy],
		};
	checker->store.ops->submit(checker->store.host, ios, RMETA_COPIES);
}

/*
 * What is at the five places of page 0 if the spare has @spare_sectors? Return: true when
 * there is a valid copy in one of them at least.
 */
static bool look_at(struct rmeta_checker *checker, u64 spare_sectors, struct origin *origin)
{
	struct rmeta_page_header header[RMETA_COPIES];
	struct rmeta_io ios[RMETA_COPIES];
	struct rmeta_geometry geo;
	unsigned int copy, other;
	u8 valid = 0;

	memset(origin, 0, sizeof(*origin));
	/* Where zones begin depends on neither main nor the block size. */
	if (rmeta_geometry_init(&geo, spare_sectors, 1, 0))
		return false;
	read_first_pages(checker, &geo, ios);
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		if (ios[copy].error || rmeta_page_decode(ios[copy].data, NULL, 0, (u8)copy,
							 &header[copy]) != RMETA_GOOD)
			continue;
		if (rmeta_geometry_init(&geo, spare_sectors, header[copy].main_sectors,
					header[copy].block_shift))
			continue;
		valid |= BIT(copy);
		rmeta_check_saw_sequence(checker, header[copy].sequence);
	}
	/*
	 * Formatting invalidates page 0 in all zones, so that two spares here mean that a stray
	 * write brought one of them: then the one with more zones counts.
	 */
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		u8 zones = 0;

		for (other = 0; other < RMETA_COPIES; other++)
			if ((valid & BIT(copy)) && (valid & BIT(other)) &&
			    same_uuid(header[copy].uuid, header[other].uuid))
				zones |= BIT(other);
		if (zones && zones != origin->zones && hweight8(zones) == hweight8(origin->zones))
			origin->ambiguous = true;
		if (hweight8(zones) > hweight8(origin->zones)) {
			origin->zones = zones;
			origin->ambiguous = false;
			origin->header = header[copy];
		}
		if (zones == origin->zones && (zones & BIT(copy)) &&
		    header[copy].sequence > origin->header.sequence)
			origin->header = header[copy];
	}
	if (valid)
		rmeta_geometry_init(&origin->geo, spare_sectors, origin->header.main_sectors,
				    origin->header.block_shift);
	return valid;
}

/*
 * Searching the whole device
 */

struct stray {
	struct rmeta_page_header header;
	u64 sector;
};

static unsigned int note_strays(const u8 *data, u64 first_sector, struct stray *strays,
				unsigned int nr)
{
	struct rmeta_page_header header;
	enum rmeta_defect defect;
	u32 offset;

	for (offset = 0; offset < SEARCH_BYTES && nr < MAX_STRAYS; offset += RMETA_BYTES) {
		defect = rmeta_page_decode(data + offset, NULL, 0, 0, &header);
		if (defect != RMETA_GOOD && defect != RMETA_BAD_COPY)
			continue;
		if (header.copy >= RMETA_COPIES)
			continue;
		strays[nr].header = header;
		strays[nr++].sector = first_sector + offset / 512;
	}
	return nr;
}

/* Read all of the device behind the superblocks; what cannot be read is passed over. */
static int find_strays(struct rmeta_checker *checker, struct stray *strays, unsigned int *nr)
{
	struct rmeta_check *check = checker->check;
	u64 end = check->device_sectors & ~(u64)(RMETA_SECTORS - 1), sector;
	struct rmeta_io io = { .op = RMETA_READ };
	u8 *data = rmeta_zalloc(SEARCH_BYTES);
	u32 offset;

	if (!data)
		return -ENOMEM;
	*nr = 0;
	for (sector = RMETA_ZONE_START; sector < end; sector += SEARCH_BYTES / 512) {
		if (check->ops->search)
			check->ops->search(check->ctx, sector, end);
		memset(data, 0, SEARCH_BYTES);
		io.sector = sector;
		io.bytes = (u32)min((u64)SEARCH_BYTES, (end - sector) * 512);
		io.data = data;
		checker->store.ops->submit(checker->store.host, &io, 1);
		for (offset = 0; io.error && offset < min((u64)SEARCH_BYTES, (end - sector) * 512);
		     offset += RMETA_BYTES) {
			struct rmeta_io part = {
				.op = RMETA_READ,
				.sector = sector + offset / 512,
				.bytes = RMETA_BYTES,
				.data = data + offset,
			};

			checker->store.ops->submit(checker->store.host, &part, 1);
			if (part.error)
				memset(data + offset, 0, RMETA_BYTES);
		}
		*nr = note_strays(data, sector, strays, *nr);
	}
	rmeta_free(data);
	return 0;
}

/*
 * Search for a layout that at least two copies of page 0 agree upon; of several the one with
 * the highest sequence. Zone 0 is at the same place in every layout: a newer copy of another
 * spare there speaks against all of them, and look_at() sees to that.
 *
 * Return: 1 when one was found, 0, or -ENOMEM.
 */
static int search_device(struct rmeta_checker *checker, struct origin *origin)
{
	struct stray *strays = rmeta_zalloc(MAX_STRAYS * sizeof(*strays));
	struct origin found;
	unsigned int nr = 0, i;
	int r;

	if (!strays)
		return -ENOMEM;
	memset(origin, 0, sizeof(*origin));
	r = find_strays(checker, strays, &nr);
	for (i = 0; i < nr && !r; i++) {
		u64 zone_sectors = strays[i].sector - RMETA_ZONE_START;

		if (!strays[i].header.copy || zone_sectors % strays[i].header.copy)
			continue;
		zone_sectors /= strays[i].header.copy;
		if (zone_sectors % RMETA_SECTORS ||
		    !look_at(checker, spare_of_zones(zone_sectors), &found))
			continue;
		if (hweight8(found.zones) >= 2 && !found.ambiguous &&
		    (!origin->zones || found.header.sequence > origin->header.sequence))
			*origin = found;
	}
	rmeta_free(strays);
	return r ? r : origin->zones != 0;
}

/* Is there any valid page but page 0 where this device should have some? */
static int any_other_page(struct rmeta_checker *checker, bool *any)
{
	struct rmeta_geometry geo;
	struct check_binding binding;
	int r;

	*any = false;
	if (rmeta_geometry_init(&geo, checker->check->device_sectors, 1, 0))
		return 0;
	r = rmeta_check_binding(checker, &geo, NULL, &binding);
	*any = binding.votes;
	return r;
}

/*
 * Putting a superblock together
 */

/* A superblock whose checksum holds, but that may not be used as it is. */
struct base {
	struct rmeta_superblock sb;
	const u8 *raw;
	const char *wrong;
};

/* Return: true when there is one; the one with the highest sequence. */
static bool find_base(struct rmeta_checker *checker, const struct rmeta_scan *scan,
		      struct base *base)
{
	struct rmeta_geometry geo;
	unsigned int copy;

	base->raw = NULL;
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		struct rmeta_superblock sb;

		if (scan->defect[copy] != RMETA_BAD_GEOMETRY && scan->defect[copy] != RMETA_BAD_COPY)
			continue;
		rmeta_superblock_decode(checker->sb_read[copy], (u8)copy, &sb);
		if (base->raw && sb.sequence <= base->sb.sequence)
			continue;
		base->sb = sb;
		base->raw = checker->sb_read[copy];
		base->wrong = rmeta_geometry_check(&sb, checker->check->device_sectors, &geo);
		if (!base->wrong)
			base->wrong = rmeta_defect_text(scan->defect[copy]);
	}
	return base->raw;
}

/* Is the superblock right about everything but this device, which is too short for it? */
static bool device_is_short(const struct rmeta_checker *checker, const struct base *base,
			    struct rmeta_geometry *geo)
{
	u64 device_sectors = checker->check->device_sectors;
	struct rmeta_geometry now;

	if (base->sb.spare_sectors <= device_sectors ||
	    rmeta_geometry_check(&base->sb, base->sb.spare_sectors, geo))
		return false;
	/* A few sectors too many in one field, with zones that do fit, is something else. */
	return rmeta_geometry_init(&now, device_sectors, base->sb.main_sectors,
				   base->sb.block_shift) || now.zone_sectors != geo->zone_sectors;
}

/* Return: 0, as rmeta_check_rebuild(). */
static int use_short_device(struct rmeta_checker *checker, const struct rmeta_superblock *sb,
			    const u8 *raw, const struct rmeta_geometry *geo)
{
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_SB_DEVICE_SHORT);

	rmeta_check_raise(checker, &problem,
			  "%" PRIu64 " sectors instead of %" PRIu64 "; copy it whole, or work on what is here with remap-recover",
			  checker->check->device_sectors, geo->spare_sectors);
	checker->frozen = true;
	checker->sb_rebuilt = true;
	rmeta_check_use_superblock(checker, sb, raw, geo);
	checker->device_pages = rmeta_device_pages(geo, checker->check->device_sectors);
	checker->known_pages = min(checker->known_pages, checker->device_pages);
	checker->nr_pages = checker->known_pages;
	return 0;
}

static void set_layout(struct rmeta_superblock *sb, const struct rmeta_geometry *geo)
{
	sb->block_shift = geo->block_shift;
	sb->main_sectors = geo->main_sectors;
	sb->spare_sectors = geo->spare_sectors;
	sb->zone_start = RMETA_ZONE_START;
	sb->zone_sectors = geo->zone_sectors;
	sb->zone_slots = geo->zone_slots;
	sb->table_pages = geo->table_pages;
	if (sb->pages_used > geo->table_pages ||
	    (sb->pages_used % RMETA_GROUP_PAGES && sb->pages_used != geo->table_pages))
		sb->pages_used = 0;
	if (sb->activations > RMETA_MAX_ACTIVATIONS)
		sb->activations = (u32)(sb->sequence >> RMETA_SEQUENCE_SHIFT);
	sb->state &= RMETA_SB_STATES;
}

/* Ask whether the superblock that was put together may be written. */
static int propose(struct rmeta_checker *checker, enum rmeta_problem_code code,
		   const struct rmeta_superblock *sb, const u8 *raw,
		   const struct rmeta_geometry *geo, const char *why)
{
	struct rmeta_problem problem = rmeta_check_problem(code);

	problem.copies = RMETA_ALL_COPIES;
	if (rmeta_check_raise(checker, &problem,
			      "%s%s%" PRIu64 " sectors of main in blocks of %u, zones of %" PRIu64 " sectors%s",
			      why, *why ? "; " : "", geo->main_sectors, 1U << geo->block_shift,
			      geo->zone_sectors, raw ? "" : "; label and identity of main are gone"))
		checker->sb_approved++;
	else
		checker->frozen = true;
	checker->sb_rebuilt = true;
	rmeta_check_use_superblock(checker, sb, raw, geo);
	return 0;
}

/* Table pages were found, and with them the layout. */
static int propose_from_pages(struct rmeta_checker *checker, const struct origin *origin,
			      const struct base *base)
{
	enum rmeta_problem_code code = RMETA_P_SB_GONE;
	struct rmeta_geometry geo = origin->geo, base_geo;
	struct rmeta_superblock sb = { 0 };
	const u8 *raw = NULL;
	const char *why = "";

	if (base->raw && same_uuid(base->sb.uuid, origin->header.uuid)) {
		sb = base->sb;
		raw = base->raw;
		why = base->wrong;
		code = RMETA_P_SB_GEOMETRY;
		/* Where pages prove no length, a superblock without contradiction does. */
		if (origin->zones == BIT(0) &&
		    !rmeta_geometry_check(&sb, checker->check->device_sectors, &base_geo))
			geo = base_geo;
	} else {
		memcpy(sb.uuid, origin->header.uuid, sizeof(sb.uuid));
		sb.state = RMETA_IN_USE;	/* whether it was released is not known */
		if (origin->zones == BIT(0))
			code = RMETA_P_SB_GONE_SIZE;
	}
	set_layout(&sb, &geo);
	if (geo.spare_sectors > checker->check->device_sectors)
		return use_short_device(checker, &sb, raw, &geo);
	return propose(checker, code, &sb, raw, &geo, why);
}

/* There are no pages, and the superblock says that there never were. */
static int propose_empty(struct rmeta_checker *checker, const struct base *base)
{
	u64 device_sectors = checker->check->device_sectors;
	struct rmeta_superblock sb = base->sb;
	struct rmeta_geometry geo;

	if (rmeta_geometry_init(&geo, device_sectors, sb.main_sectors, sb.block_shift))
		return -EINVAL;
	if (geo.zone_sectors != sb.zone_sectors && sb.spare_sectors < device_sectors &&
	    rmeta_geometry_init(&geo, sb.spare_sectors, sb.main_sectors, sb.block_shift))
		return -EINVAL;
	set_layout(&sb, &geo);
	return propose(checker, RMETA_P_SB_GEOMETRY, &sb, base->raw, &geo, base->wrong);
}

static int give_up(struct rmeta_checker *checker, const char *why)
{
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_SB_GONE_UNPROVED);

	rmeta_check_raise(checker, &problem, "%s", why);
	return 1;
}

/* Superblocks of another version are not damage: the program that wrote them can read them. */
static bool may_overwrite_versions(struct rmeta_checker *checker, const struct rmeta_scan *scan)
{
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_SB_VERSION);
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (scan->defect[copy] == RMETA_BAD_VERSION)
			problem.copies |= BIT(copy);
	if (!problem.copies)
		return true;
	if (!rmeta_check_raise(checker, &problem, "use the version that made it"))
		return false;
	checker->sb_approved++;
	return true;
}

int rmeta_check_rebuild(struct rmeta_checker *checker, const struct rmeta_scan *scan)
{
	u64 device_sectors = checker->check->device_sectors;
	struct base base;
	struct origin origin, other;
	struct rmeta_geometry geo;
	bool have_base = find_base(checker, scan, &base), pages, others = false;
	int r;

	if (!may_overwrite_versions(checker, scan))
		return 1;
	if (have_base && rmeta_check_features(checker, &base.sb))
		return 1;
	if (have_base && device_is_short(checker, &base, &geo))
		return use_short_device(checker, &base.sb, base.raw, &geo);

	pages = look_at(checker, device_sectors, &origin);
	if (origin.ambiguous)
		return give_up(checker, "page 0 has copies of several spares, and none has more than the others");
	if (origin.zones & ~BIT(0))
		return propose_from_pages(checker, &origin, &base);
	if (have_base && base.sb.spare_sectors <= device_sectors &&
	    look_at(checker, base.sb.spare_sectors, &other) && (other.zones & ~BIT(0)))
		return propose_from_pages(checker, &other, &base);
	r = any_other_page(checker, &others);
	if (r)
		return r;
	if (pages || have_base || others || checker->check->search) {
		r = search_device(checker, &other);
		if (r < 0)
			return r;
		if (r)
			return propose_from_pages(checker, &other, &base);
	}
	if (pages)
		return propose_from_pages(checker, &origin, &base);
	if (others)
		return give_up(checker, "page 0 has no valid copy: pages may be left from a spare that was formatted over");
	if (have_base && !base.sb.pages_used && !propose_empty(checker, &base))
		return 0;
	if (have_base)
		return give_up(checker, base.wrong);
	return rmeta_scan_mask(scan, RMETA_UNREADABLE) == RMETA_ALL_COPIES ? -EIO : -ENODATA;
}
