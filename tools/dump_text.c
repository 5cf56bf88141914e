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

#define DAYS (0xffffffffU / 86400 + 1)	/* that an entry's time can name */
#define VERDICT_WIDTH 10
#define PAGES_SHOWN 50			/* damaged pages, without --verbose */

/* An entry that concerns main, for sorting by block: what is shown of it. */
struct place {
	u64 where;
	u8 state;
	u8 reason;
};

/**
 * struct text - a report being written
 * @dump: what it is about
 * @stream: where it goes
 * @places: mapped and lost entries
 * @nr_places: how many
 * @day: entries per day since 1970 and reason
 * @retired_slots: in ascending order
 * @nr_retired: how many
 */
struct text {
	struct dump *dump;
	FILE *stream;
	struct place *places;
	u32 nr_places;
	u32 (*day)[RMETA_NR_REASONS];
	slot_t *retired_slots;
	u32 nr_retired;
};

static void take_entry(void *ctx, slot_t slot, const struct rmeta_entry *entry)
{
	struct text *text = ctx;

	text->day[entry->time / 86400][min(entry->reason, (u8)(RMETA_NR_REASONS - 1))]++;
	if (entry->state == RMETA_RETIRED) {
		if (text->nr_retired < text->dump->counts.retired)
			text->retired_slots[text->nr_retired++] = slot;
		return;
	}
	if (text->nr_places < text->dump->counts.mapped + text->dump->counts.lost)
		text->places[text->nr_places++] =
			(struct place){ entry->where, entry->state, entry->reason };
}

static int by_block(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	block_t first = rmeta_where_block(x->where), second = rmeta_where_block(y->where);

	return first < second ? -1 : first > second;
}

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

static void put_copies(struct text *text)
{
	const struct dump *dump = text->dump;
	const struct verdicts *verdicts = &dump->verdicts;
	FILE *f = text->stream;
	unsigned int copy;
	size_t i;

	fprintf(f, "\nCopies             0          1          2          3          4\n");
	fprintf(f, "  %-16s", "superblock");
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		fputc(' ', f);
		verdict_print(f, verdicts->superblocks.verdict[copy], VERDICT_WIDTH);
	}
	fprintf(f, "\n");
	for (i = 0; i < verdicts->nr_pages; i++) {
		if (i == PAGES_SHOWN && !report_is_verbose()) {
			fprintf(f, "  and %zu more pages (-v shows them all)\n",
				verdicts->nr_pages - i);
			break;
		}
		fprintf(f, "  page %-11u", verdicts->pages[i].page);
		for (copy = 0; copy < RMETA_COPIES; copy++) {
			fputc(' ', f);
			verdict_print(f, verdicts->pages[i].verdict[copy], VERDICT_WIDTH);
		}
		fprintf(f, "\n");
	}
	fprintf(f, "  %zu of %u pages in use have five good copies\n",
		dump->nr_pages - verdicts->nr_pages, dump->nr_pages);
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
	for (day = 0; day < DAYS; day++) {
		for (sum = 0, reason = 0; reason < RMETA_NR_REASONS; reason++)
			sum += text->day[day][reason];
		if (!sum)
			continue;
		units_time((u64)day * 86400 + 1, when);
		fprintf(f, "  %-16.10s %u slot%s:", when, sum, units_s(sum));
		for (reason = 0; reason < RMETA_NR_REASONS; reason++)
			if (text->day[day][reason])
				fprintf(f, " %u %s", text->day[day][reason],
					rmeta_reason_name(reason));
		fprintf(f, "\n");
	}
}

/* Neighbours that differ only in where they are: one line of the report. */
static bool is_alike(const struct place *a, const struct place *b)
{
	return rmeta_where_block(a->where) + 1 == rmeta_where_block(b->where) &&
	       a->state == b->state && a->reason == b->reason &&
	       !rmeta_where_mask(a->where) == !rmeta_where_mask(b->where);
}

static void put_regions(struct text *text)
{
	const struct rmeta_superblock *sb = &text->dump->sb;
	FILE *f = text->stream;
	u32 first, next;
	u64 start_sector, end_sector, masked_sectors;
	char size[UNITS_TEXT];

	fprintf(f, "\nBad regions of main (sectors)\n");
	for (first = 0; first < text->nr_places; first = next) {
		masked_sectors = 0;
		for (next = first; next < text->nr_places; next++) {
			if (next > first && !is_alike(&text->places[next - 1], &text->places[next]))
				break;
			masked_sectors += hweight16(rmeta_where_mask(text->places[next].where));
		}
		start_sector = rmeta_where_block(text->places[first].where) << sb->block_shift;
		end_sector = (rmeta_where_block(text->places[next - 1].where) + 1) << sb->block_shift;
		end_sector = min(end_sector, sb->main_sectors);
		fprintf(f, "  %12llu - %-12llu %-9s %s, %s", (unsigned long long)start_sector,
			(unsigned long long)end_sector - 1,
			units_size((end_sector - start_sector) * 512, size),
			rmeta_state_name(text->places[first].state),
			rmeta_reason_name(text->places[first].reason));
		if (masked_sectors)
			fprintf(f, ", %llu sector%s %s", (unsigned long long)masked_sectors,
				units_s(masked_sectors),
				text->places[first].state == RMETA_LOST ? "lost" : "pending");
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
	for (i = 0; i < text->nr_places; i++) {
		if (text->places[i].state != state)
			continue;
		mask = rmeta_where_mask(text->places[i].where);
		for (bit = 0; bit < 1U << shift; bit++) {
			if (!(mask & 1U << bit))
				continue;
			sector = (rmeta_where_block(text->places[i].where) << shift) + bit;
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
	for (first = 0; first < text->nr_retired; first = next) {
		for (next = first + 1; next < text->nr_retired; next++)
			if (text->retired_slots[next] != text->retired_slots[next - 1] + 1)
				break;
		fprintf(text->stream, "  %12u - %-12u from sector %llu\n",
			text->retired_slots[first], text->retired_slots[next - 1],
			(unsigned long long)rmeta_slot_sector(&text->dump->store.geo,
							      text->retired_slots[first]));
	}
}

int dump_text(struct dump *dump, FILE *stream)
{
	struct text text = { .dump = dump, .stream = stream };
	u32 nr_places = dump->counts.mapped + dump->counts.lost;
	int r = -ENOMEM;

	text.places = malloc((nr_places + 1) * sizeof(*text.places));
	text.retired_slots = malloc((dump->counts.retired + 1) * sizeof(*text.retired_slots));
	text.day = calloc(DAYS, sizeof(*text.day));
	if (!text.places || !text.retired_slots || !text.day)
		goto out;
	r = dump_entries(dump, take_entry, &text);
	if (r)
		goto out;
	qsort(text.places, text.nr_places, sizeof(*text.places), by_block);
	put_identity(&text);
	put_copies(&text);
	put_summary(&text);
	if (text.nr_places || text.nr_retired)
		put_timeline(&text);
	if (text.nr_places)
		put_regions(&text);
	if (dump->counts.pending_sectors)
		put_sectors(&text, RMETA_MAPPED, "Pending sectors (only main has them)");
	if (dump->counts.lost_sectors)
		put_sectors(&text, RMETA_LOST, "Lost sectors (nobody has them)");
	if (text.nr_retired)
		put_retired(&text);
out:
	free(text.places);
	free(text.retired_slots);
	free(text.day);
	return r;
}
