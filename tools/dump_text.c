// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-dump's text: a report for a person who has to find out what happened to a disk.
 * What spare and main are, what the copies are worth, when blocks went bad, where they are,
 * and which sectors are only on main or nowhere.
 */
#include "dump.h"
#include "escape.h"
#include "report.h"
#include "units.h"

#define VERDICT_WIDTH 10
#define PAGES_SHOWN 50			/* damaged pages, without --verbose */

/**
 * struct text - a report being written
 * @dump: what it is about
 * @stream: where it goes
 * @survey: all entries
 */
struct text {
	struct dump *dump;
	FILE *stream;
	struct dump_survey survey;
};

/* "label   value" with the value from a disk. */
static void put_disk_text(struct text *text, const char *name, const char *value)
{
	char *escaped = escape_text(value, strlen(value));

	fprintf(text->stream, "  %-16s %s\n", name, *escaped ? escaped : "-");
	free(escaped);
}

static void put_identity(struct text *text)
{
	const struct rmeta_superblock *sb = &text->dump->sb;
	static const u8 none[16];
	FILE *f = text->stream;
	char one[UNITS_TEXT], uuid[40];

	fprintf(f, "Spare %s\n", text->dump->dev.shown);
	put_disk_text(text, "label", sb->label);
	fprintf(f, "  %-16s %s\n", "uuid", units_uuid(sb->uuid, uuid));
	fprintf(f, "  %-16s %s (%llu sectors)\n", "length", units_size(sb->spare_sectors * 512, one),
		(unsigned long long)sb->spare_sectors);
	fprintf(f, "  %-16s %u bytes\n", "block size", 512U << sb->block_shift);
	fprintf(f, "  %-16s %s%s%s\n", "state",
		sb->state & RMETA_IN_USE ? "in use, or not cleanly released" : "cleanly released",
		sb->state & RMETA_NEEDS_CHECK ? ", needs a check" : "",
		sb->state & RMETA_PRINT_VALID ? ", prints of main are valid" : "");
	fprintf(f, "  %-16s %s\n", "formatted", units_time(sb->created, one));
	fprintf(f, "  %-16s %s (%u activation%s)\n", "last activated",
		units_time(sb->activated, one), sb->activations, units_s(sb->activations));
	put_disk_text(text, "on host", sb->host_name);
	fprintf(f, "  %-16s %llu\n", "sequence", (unsigned long long)sb->sequence);
	fprintf(f, "  %-16s %llu read, %llu write\n", "errors of main",
		(unsigned long long)sb->read_errors, (unsigned long long)sb->write_errors);
	fprintf(f, "\nMain\n");
	fprintf(f, "  %-16s %s (%llu sectors)\n", "length", units_size(sb->main_sectors * 512, one),
		(unsigned long long)sb->main_sectors);
	put_disk_text(text, "disk", sb->main_id);
	fprintf(f, "  %-16s %llu\n", "starts at sector", (unsigned long long)sb->main_start);
	fprintf(f, "  %-16s %s\n", "partuuid",
		memcmp(sb->main_partuuid, none, 16) ? units_uuid(sb->main_partuuid, uuid) : "-");
}

static void put_verdicts(FILE *f, const char *name, const u8 verdict[RMETA_COPIES])
{
	unsigned int copy;

	fprintf(f, "  %-16s", name);
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		fputc(' ', f);
		verdict_print(f, verdict[copy], VERDICT_WIDTH);
	}
	fprintf(f, "\n");
}

void dump_text_copies(const struct dump *dump, FILE *stream, size_t most)
{
	const struct verdicts *verdicts = &dump->verdicts;
	u8 superblocks[RMETA_COPIES];
	unsigned int copy;
	char name[32];
	size_t i;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		superblocks[copy] = (u8)verdicts->superblocks.verdict[copy];
	fprintf(stream, "\nCopies             0          1          2          3          4\n");
	put_verdicts(stream, "superblock", superblocks);
	for (i = 0; i < verdicts->nr_pages && i < most; i++) {
		snprintf(name, sizeof(name), "page %u", verdicts->pages[i].page);
		put_verdicts(stream, name, verdicts->pages[i].verdict);
	}
	if (i < verdicts->nr_pages)
		fprintf(stream, "  and %zu more pages (-v shows them all)\n",
			verdicts->nr_pages - i);
	fprintf(stream, "  %u of %u pages in use have five good copies\n",
		dump->nr_pages - dump->damaged_pages, dump->nr_pages);
}

static void put_summary(struct text *text)
{
	const struct dump *dump = text->dump;
	const struct rmeta_counts *counts = &dump->counts;
	u32 slots = rmeta_slots(&dump->store.geo);
	FILE *f = text->stream;

	fprintf(f, "\nSlots\n");
	fprintf(f, "  %-16s %u\n", "all", slots);
	fprintf(f, "  %-16s %u (%llu sector%s pending: only on main)\n", "mapped", counts->mapped,
		(unsigned long long)counts->pending_sectors, units_s(counts->pending_sectors));
	fprintf(f, "  %-16s %u (%llu sector%s that nobody has)\n", "lost", counts->lost,
		(unsigned long long)counts->lost_sectors, units_s(counts->lost_sectors));
	fprintf(f, "  %-16s %u\n", "retired", counts->retired);
	fprintf(f, "  %-16s %u\n", "free",
		slots - counts->mapped - counts->lost - counts->retired);
	if (dump->lost_pages)
		fprintf(f, "  %u page%s without a good copy: what %s held is not in this report\n",
			dump->lost_pages, units_s(dump->lost_pages),
			dump->lost_pages == 1 ? "it" : "they");
}

static void put_timeline(struct text *text)
{
	FILE *f = text->stream;
	u32 day, sum;
	unsigned int reason;
	char when[UNITS_TEXT];

	fprintf(f, "\nTimeline (UTC)\n");
	for (day = 0; day < DUMP_DAYS; day++) {
		for (sum = 0, reason = 0; reason < RMETA_NR_REASONS; reason++)
			sum += text->survey.day[day][reason];
		if (!sum)
			continue;
		units_time((u64)day * 86400 + 1, when);
		fprintf(f, "  %-16.10s %u slot%s:", when, sum, units_s(sum));
		for (reason = 0; reason < RMETA_NR_REASONS; reason++)
			if (text->survey.day[day][reason])
				fprintf(f, " %u %s", text->survey.day[day][reason],
					rmeta_reason_name(reason));
		fprintf(f, "\n");
	}
}

static void put_regions(struct text *text)
{
	const struct dump_place *place;
	struct dump_region region;
	FILE *f = text->stream;
	char size[UNITS_TEXT];
	u32 first;

	fprintf(f, "\nBad regions of main (sectors)\n");
	for (first = 0; first < text->survey.nr_places; first = region.next) {
		region = dump_region(&text->survey, &text->dump->sb, first);
		place = &text->survey.places[first];
		fprintf(f, "  %12llu - %-12llu %-9s %s, %s", (unsigned long long)region.start_sector,
			(unsigned long long)region.end_sector - 1,
			units_size((region.end_sector - region.start_sector) * 512, size),
			rmeta_state_name(place->state), rmeta_reason_name(place->reason));
		if (region.masked_sectors)
			fprintf(f, ", %llu sector%s %s", (unsigned long long)region.masked_sectors,
				units_s(region.masked_sectors),
				place->state == RMETA_LOST ? "lost" : "pending");
		fprintf(f, "\n");
	}
}

/* Sectors of main with their mask bit set, in entries of one state, runs merged. */
static void put_sectors(struct text *text, unsigned int state, const char *title)
{
	u8 shift = text->dump->sb.block_shift;
	u64 start_sector = 0, end_sector = 0, sector;
	FILE *f = text->stream;
	unsigned int bit;
	u16 mask;
	u32 i;

	fprintf(f, "\n%s\n", title);
	for (i = 0; i < text->survey.nr_places; i++) {
		if (text->survey.places[i].state != state)
			continue;
		mask = rmeta_where_mask(text->survey.places[i].where);
		for (bit = 0; bit < 1U << shift; bit++) {
			if (!(mask & 1U << bit))
				continue;
			sector = (rmeta_where_block(text->survey.places[i].where) << shift) + bit;
			if (sector != end_sector && end_sector)
				fprintf(f, "  %12llu - %llu\n", (unsigned long long)start_sector,
					(unsigned long long)end_sector - 1);
			if (sector != end_sector || !end_sector)
				start_sector = sector;
			end_sector = sector + 1;
		}
	}
	if (end_sector)
		fprintf(f, "  %12llu - %llu\n", (unsigned long long)start_sector,
			(unsigned long long)end_sector - 1);
}

static void put_retired(struct text *text)
{
	u32 first, next;

	fprintf(text->stream, "\nRetired slots (bad places of the spare)\n");
	for (first = 0; first < text->survey.nr_retired; first = next) {
		for (next = first + 1; next < text->survey.nr_retired; next++)
			if (text->survey.retired_slots[next] != text->survey.retired_slots[next - 1] + 1)
				break;
		fprintf(text->stream, "  %12u - %-12u from sector %llu\n",
			text->survey.retired_slots[first], text->survey.retired_slots[next - 1],
			(unsigned long long)rmeta_slot_sector(&text->dump->store.geo,
							      text->survey.retired_slots[first]));
	}
}

int dump_text(struct dump *dump, FILE *stream)
{
	struct text text = { .dump = dump, .stream = stream };
	bool all = dump->every_copy || report_is_verbose();
	int r;

	r = dump_survey(&text.survey, dump);
	if (r)
		goto out;
	put_identity(&text);
	dump_text_copies(dump, stream, all ? SIZE_MAX : PAGES_SHOWN);
	put_summary(&text);
	if (text.survey.nr_places || text.survey.nr_retired)
		put_timeline(&text);
	if (text.survey.nr_places)
		put_regions(&text);
	if (dump->counts.pending_sectors)
		put_sectors(&text, RMETA_MAPPED, "Pending sectors (only main has them)");
	if (dump->counts.lost_sectors)
		put_sectors(&text, RMETA_LOST, "Lost sectors (nobody has them)");
	if (text.survey.nr_retired)
		put_retired(&text);
out:
	dump_survey_free(&text.survey);
	return r;
}
