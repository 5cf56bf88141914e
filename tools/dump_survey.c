// SPDX-License-Identifier: GPL-2.0-only
/*
 * All entries of a spare, arranged as reports and lists need them: bad blocks in the order of
 * main, merged into regions; retired slots; when it happened; and main as a whole, cut into
 * pieces by who has their data. Memory is 16 bytes an entry. Knows no format that is printed.
 */
#include "dump.h"

/* What take_entry() fills, within the bounds that were counted before. */
struct collector {
	struct dump_survey *survey;
	u32 most_places;
	u32 most_retired;
};

static void take_entry(void *ctx, slot_t slot, const struct rmeta_entry *entry)
{
	struct collector *collector = ctx;
	struct dump_survey *survey = collector->survey;

	survey->day[entry->time / 86400][min(entry->reason, (u8)(RMETA_NR_REASONS - 1))]++;
	if (entry->state == RMETA_RETIRED) {
		if (survey->nr_retired < collector->most_retired)
			survey->retired_slots[survey->nr_retired++] = slot;
		return;
	}
	if (survey->nr_places < collector->most_places)
		survey->places[survey->nr_places++] = (struct dump_place){
			.where = entry->where,
			.slot = slot,
			.state = entry->state,
			.reason = entry->reason,
		};
}

static int by_block(const void *a, const void *b)
{
	const struct dump_place *x = a, *y = b;
	block_t first = rmeta_where_block(x->where), second = rmeta_where_block(y->where);

	return first < second ? -1 : first > second;
}

/* Lists are imported in order, so that there often is nothing to sort. */
static void sort_places(struct dump_survey *survey)
{
	u32 i;

	for (i = 1; i < survey->nr_places; i++) {
		if (by_block(&survey->places[i - 1], &survey->places[i]) > 0) {
			qsort(survey->places, survey->nr_places, sizeof(*survey->places), by_block);
			return;
		}
	}
}

int dump_survey(struct dump_survey *survey, struct dump *dump)
{
	struct collector collector = {
		.survey = survey,
		.most_places = dump->counts.mapped + dump->counts.lost,
		.most_retired = dump->counts.retired,
	};
	int r;

	*survey = (struct dump_survey){
		.places = malloc(((size_t)collector.most_places + 1) * sizeof(*survey->places)),
		.retired_slots = malloc(((size_t)collector.most_retired + 1) *
					sizeof(*survey->retired_slots)),
		.day = calloc(DUMP_DAYS, sizeof(*survey->day)),
	};
	if (!survey->places || !survey->retired_slots || !survey->day)
		return -ENOMEM;
	r = dump_entries(dump, take_entry, &collector);
	if (!r)
		sort_places(survey);
	return r;
}

void dump_survey_free(struct dump_survey *survey)
{
	free(survey->places);
	free(survey->retired_slots);
	free(survey->day);
	*survey = (struct dump_survey){ .places = NULL };
}

static bool is_alike(const struct dump_place *a, const struct dump_place *b)
{
	return rmeta_where_block(a->where) + 1 == rmeta_where_block(b->where) &&
	       a->state == b->state && a->reason == b->reason &&
	       !rmeta_where_mask(a->where) == !rmeta_where_mask(b->where);
}

struct dump_region dump_region(const struct dump_survey *survey,
			       const struct rmeta_superblock *sb, u32 first)
{
	const struct dump_place *places = survey->places;
	struct dump_region region = { .first = first, .next = first };

	do {
		region.masked_sectors += hweight16(rmeta_where_mask(places[region.next].where));
		region.next++;
	} while (region.next < survey->nr_places &&
		 is_alike(&places[region.next - 1], &places[region.next]));
	region.start_sector = rmeta_where_block(places[first].where) << sb->block_shift;
	region.end_sector = (rmeta_where_block(places[region.next - 1].where) + 1) <<
			    sb->block_shift;
	region.end_sector = min(region.end_sector, sb->main_sectors);
	return region;
}

/* A piece that may still grow. */
struct cutter {
	const enum dump_owner *as;
	dump_piece_fn fn;
	void *ctx;
	struct dump_piece piece;
};

static void cut(struct cutter *cutter, u64 start_sector, u64 sectors, enum dump_owner owner,
		u64 spare_sector)
{
	struct dump_piece *piece = &cutter->piece;

	owner = cutter->as[owner];
	if (!sectors)
		return;
	if (piece->sectors && piece->owner == owner &&
	    (owner != DUMP_SLOT || piece->spare_sector + piece->sectors == spare_sector)) {
		piece->sectors += sectors;
		return;
	}
	if (piece->sectors)
		cutter->fn(cutter->ctx, piece);
	*piece = (struct dump_piece){ start_sector, sectors, owner, spare_sector };
}

void dump_pieces(const struct dump *dump, const struct dump_survey *survey,
		 const enum dump_owner as[DUMP_NR_OWNERS], dump_piece_fn fn, void *ctx)
{
	struct cutter cutter = { .as = as, .fn = fn, .ctx = ctx };
	u8 shift = dump->sb.block_shift;
	u64 at_sector = 0, start_sector, spare_sector;
	unsigned int bit, sectors;
	u16 mask;
	u32 i;

	for (i = 0; i < survey->nr_places; i++) {
		const struct dump_place *place = &survey->places[i];
		block_t block = rmeta_where_block(place->where);

		if (i && block == rmeta_where_block(place[-1].where))
			continue;
		start_sector = block << shift;
		spare_sector = rmeta_slot_sector(&dump->store.geo, place->slot);
		sectors = hweight16(rmeta_block_mask(block, dump->sb.main_sectors, shift));
		mask = rmeta_where_mask(place->where);
		cut(&cutter, at_sector, start_sector - at_sector, DUMP_MAIN, 0);
		for (bit = 0; bit < sectors; bit++)
			cut(&cutter, start_sector + bit, 1, !(mask & 1U << bit) ? DUMP_SLOT :
			    place->state == RMETA_LOST ? DUMP_LOST : DUMP_PENDING,
			    spare_sector + bit);
		at_sector = start_sector + sectors;
	}
	cut(&cutter, at_sector, dump->sb.main_sectors - at_sector, DUMP_MAIN, 0);
	if (cutter.piece.sectors)
		fn(ctx, &cutter.piece);
}
