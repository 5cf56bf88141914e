// SPDX-License-Identifier: GPL-2.0-only
/*
 * Main with the remapped blocks laid over. See composite.h.
 *
 * A range is read in runs, each of one device and as long as it comes: what lies between remapped
 * blocks and what is pending from main, what is in slots that are neighbours from the spare.
 */
#include <unistd.h>

#include "composite.h"
#include "dump_file.h"
#include "report.h"
#include "salvage.h"
#include "units.h"

const char *composite_why_name(enum composite_why why)
{
	static const char *const names[COMPOSITE_NR_WHYS] = {
		[COMPOSITE_LOST] = "lost",
		[COMPOSITE_PENDING] = "pending",
		[COMPOSITE_SLOT] = "slot",
		[COMPOSITE_MAIN] = "main",
		[COMPOSITE_CLAIMED] = "claimed",
	};

	return names[why];
}

static int check_length(const struct composite *composite)
{
	const struct device *main_dev = &composite->main;
	u64 want = composite->dump.sb.main_sectors;

	if (main_dev->sectors < want) {
		report_error("main %s has %llu sectors, but the spare is for a main of %llu sectors",
			     main_dev->shown, (unsigned long long)main_dev->sectors,
			     (unsigned long long)want);
		return STATUS_FAILED;
	}
	if (main_dev->sectors > want)
		report_warn("main %s has %llu sectors; the spare is for a main of %llu, and what is behind them is left out",
			    main_dev->shown, (unsigned long long)main_dev->sectors,
			    (unsigned long long)want);
	return STATUS_DONE;
}

int composite_prepare(struct composite *composite, bool accept_incomplete)
{
	struct dump *dump = &composite->dump;
	const char *name = dump->file ? dump->file->shown : dump->dev.shown;
	int status = check_length(composite);

	if (status)
		return status;
	composite->main_sectors = dump->sb.main_sectors;
	if (!dump_is_all_known(dump) && !accept_incomplete) {
		report_error("%s: entries are missing or contradict each other, so that stale data of main would pass for good; repair a copy of the spare with remap-check, or --accept-incomplete",
			     name);
		return STATUS_DAMAGED;
	}
	if (!dump_is_all_known(dump))
		report_warn("%s: entries may be missing; their blocks are read from main, where they are old",
			    name);
	if (!dump_survey(&composite->survey, dump))
		return STATUS_DONE;
	report_error("out of memory");
	return STATUS_FAILED;
}

void composite_exit(struct composite *composite)
{
	ranges_free(&composite->main_absent);
	ranges_free(&composite->spare_absent);
	dump_survey_free(&composite->survey);
	dump_exit(&composite->dump);
}

u32 composite_place(const struct composite *composite, block_t block)
{
	const struct dump_place *places = composite->survey.places;
	u32 low = 0, high = composite->survey.nr_places, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (rmeta_where_block(places[mid].where) < block)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/**
 * struct reading - one composite_read()
 * @sector: where it begins on main
 * @nr_missing: sectors that nobody has, so far
 * @run_dev: device of the run that is being put together, or NULL
 * @run_from: where it begins there
 * @run_sector: sector of main that this is
 * @run_sectors: length
 */
struct reading {
	const struct composite *composite;
	u64 sector;
	u8 *data;
	composite_fn missing;
	void *ctx;
	u64 nr_missing;
	const struct device *run_dev;
	u64 run_from;
	u64 run_sector;
	u64 run_sectors;
};

static void miss(struct reading *reading, u64 sector, u64 sectors, enum composite_why why)
{
	reading->nr_missing += sectors;
	if (reading->missing)
		reading->missing(reading->ctx, sector, sectors, why);
}

/* Is a sector that is read from main one of a remapped block, that is, pending? */
static bool is_pending(const struct composite *composite, u64 sector)
{
	block_t block = sector >> composite->dump.sb.block_shift;
	u32 nr = composite_place(composite, block);

	return nr < composite->survey.nr_places &&
	       rmeta_where_block(composite->survey.places[nr].where) == block;
}

static void note_unreadable(void *ctx, u64 at, u64 sectors)
{
	struct reading *reading = ctx;
	u64 sector = at - reading->run_from + reading->run_sector;
	enum composite_why why, next;
	u64 start = 0, nr;

	if (reading->run_dev != &reading->composite->main) {
		miss(reading, sector, sectors, COMPOSITE_SLOT);
		return;
	}
	why = is_pending(reading->composite, sector) ? COMPOSITE_PENDING : COMPOSITE_MAIN;
	for (nr = 1; nr <= sectors; nr++) {
		next = nr < sectors && is_pending(reading->composite, sector + nr) ?
		       COMPOSITE_PENDING : COMPOSITE_MAIN;
		if (nr < sectors && next == why)
			continue;
		miss(reading, sector + start, nr - start, why);
		start = nr;
		why = next;
	}
}

static void end_run(struct reading *reading)
{
	if (reading->run_dev)
		salvage_read(reading->run_dev, reading->run_from, reading->run_sectors,
			     reading->data + (reading->run_sector - reading->sector) * 512,
			     note_unreadable, reading);
	reading->run_dev = NULL;
}

/* Sectors @sector of main and on, which @dev has at @from. */
static void read_from(struct reading *reading, const struct device *dev, u64 from, u64 sector,
		      u64 sectors)
{
	if (reading->run_dev == dev && reading->run_from + reading->run_sectors == from &&
	    reading->run_sector + reading->run_sectors == sector) {
		reading->run_sectors += sectors;
		return;
	}
	end_run(reading);
	reading->run_dev = dev;
	reading->run_from = from;
	reading->run_sector = sector;
	reading->run_sectors = sectors;
}

static void read_nothing(struct reading *reading, u64 sector, u64 sectors, enum composite_why why)
{
	end_run(reading);
	memset(reading->data + (sector - reading->sector) * 512, 0, sectors * 512);
	miss(reading, sector, sectors, why);
}

/* Sectors @first up to @end of the block at @place, all of which the mask treats alike. */
static void read_part(struct reading *reading, const struct dump_place *place, u64 block_sector,
		      unsigned int first, unsigned int end)
{
	const struct composite *composite = reading->composite;
	const struct dump *dump = &composite->dump;
	u64 sector = block_sector + first, sectors = end - first;

	if (rmeta_where_mask(place->where) >> first & 1) {
		if (place->state == RMETA_LOST)
			read_nothing(reading, sector, sectors, COMPOSITE_LOST);
		else
			read_from(reading, &composite->main, sector, sector, sectors);
	} else if (dump->file) {
		read_nothing(reading, sector, sectors, COMPOSITE_SLOT);
	} else {
		read_from(reading, &dump->dev,
			  rmeta_slot_sector(&dump->store.geo, place->slot) + first, sector,
			  sectors);
	}
}

/* The part of a remapped block that lies before @end_sector, from @sector on. */
static void read_block(struct reading *reading, const struct dump_place *place, bool contested,
		       u64 sector, u64 end_sector)
{
	u64 block_sector = rmeta_where_block(place->where) <<
			   reading->composite->dump.sb.block_shift;
	unsigned int first = (unsigned int)(sector - block_sector);
	unsigned int end = (unsigned int)(end_sector - block_sector), next;
	u16 mask = rmeta_where_mask(place->where);

	if (contested) {
		read_nothing(reading, sector, end_sector - sector, COMPOSITE_CLAIMED);
		return;
	}
	for (; first < end; first = next) {
		for (next = first + 1; next < end && (mask >> next & 1) == (mask >> first & 1);
		     next++)
			;
		read_part(reading, place, block_sector, first, next);
	}
}

u64 composite_read(const struct composite *composite, u64 sector, u64 sectors, void *data,
		   composite_fn missing, void *ctx)
{
	struct reading reading = {
		.composite = composite,
		.sector = sector,
		.data = data,
		.missing = missing,
		.ctx = ctx,
	};
	const struct dump_survey *survey = &composite->survey;
	u8 shift = composite->dump.sb.block_shift;
	u64 end_sector = sector + sectors, block_sector, next;
	u32 nr = composite_place(composite, sector >> shift), count;

	while (sector < end_sector) {
		block_sector = end_sector;
		if (nr < survey->nr_places)
			block_sector = rmeta_where_block(survey->places[nr].where) << shift;
		if (block_sector > sector) {
			next = min(block_sector, end_sector);
			read_from(&reading, &composite->main, sector, sector, next - sector);
			sector = next;
			continue;
		}
		for (count = 1; nr + count < survey->nr_places &&
		     rmeta_where_block(survey->places[nr + count].where) ==
		     rmeta_where_block(survey->places[nr].where); count++)
			;
		next = min(block_sector + (1U << shift), end_sector);
		read_block(&reading, &survey->places[nr], count > 1, sector, next);
		sector = next;
		nr += count;
	}
	end_run(&reading);
	return reading.nr_missing;
}

/* Ask where main has data next; a file system that cannot say has nothing but data. */
static void find_extent(const struct composite *composite, struct composite_extent *extent,
			u64 sector)
{
	int fd = composite->main.host.fd;
	off_t data = lseek(fd, (off_t)(sector * 512), SEEK_DATA), hole;
	u64 length = composite->main_sectors;

	*extent = (struct composite_extent){ .asked = sector, .first = sector, .end = length };
	if (data < 0) {
		if (errno == ENXIO)
			extent->first = length;
		return;
	}
	hole = lseek(fd, data, SEEK_HOLE);
	extent->first = min(length, (u64)data / 512);
	if (hole > data)
		extent->end = min(length, ((u64)hole + 511) / 512);
}

/* As composite_next_data(), where nothing is absent. */
static u64 next_present(const struct composite *composite, struct composite_extent *extent,
			u64 sector, u64 *end_sector)
{
	const struct dump_survey *survey = &composite->survey;
	u8 shift = composite->dump.sb.block_shift;
	u64 start, end;
	u32 nr;

	if (sector < extent->asked || sector >= extent->end)
		find_extent(composite, extent, sector);
	*end_sector = extent->end;
	if (sector >= extent->first)
		return sector;
	nr = composite_place(composite, sector >> shift);
	if (nr == survey->nr_places)
		return extent->first;
	start = end = rmeta_where_block(survey->places[nr].where) << shift;
	if (start >= extent->first)
		return extent->first;
	/* Remapped blocks in a hole: as many as are neighbours, and only these. */
	for (; nr < survey->nr_places &&
	     rmeta_where_block(survey->places[nr].where) << shift <= end; nr++)
		end = (rmeta_where_block(survey->places[nr].where) + 1) << shift;
	*end_sector = min(end, composite->main_sectors);
	return max(start, sector);
}

u64 composite_next_data(const struct composite *composite, struct composite_extent *extent,
			u64 sector, u64 *end_sector)
{
	u64 start = next_present(composite, extent, sector, end_sector), first;
	const struct ranges *absent = &composite->main_absent;
	size_t nr = ranges_find(absent, sector);

	/* What is absent is a hole of a copy more often than not, and no zeroes for that. */
	if (nr == absent->nr)
		return start;
	first = max(absent->range[nr].first, sector);
	if (first >= start)
		return start;
	*end_sector = min(absent->range[nr].end, composite->main_sectors);
	return min(first, composite->main_sectors);
}
