// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-dump's HTML: the report for a person as one file that can be mailed, archived and
 * opened without a network. It refers to nothing, runs nothing, and forbids the browser to
 * load anything. Its size is bounded: main is cut into a fixed number of cells and time into a
 * fixed number of bars, and long tables end with a word on where the rest is.
 */
#include <time.h>

#include "dump.h"
#include "escape.h"
#include "report.h"
#include "units.h"
#include "version.h"

#define COLUMNS 64		/* of the map of main */
#define CELLS (COLUMNS * 24)
#define CELL_PIXELS 12
#define BARS 120		/* of the timeline */
#define OPEN_BARS 14		/* their table is shown without a click */
#define MAX_BAR_WIDTH 24.0	/* a few days do not become walls */
#define BAR_PIXELS 120		/* height of the tallest */
#define REGIONS_SHOWN 1000
#define PAGES_SHOWN 200
#define RUNS_SHOWN 200		/* of retired slots */

/**
 * struct html - a report being written
 * @dump: what it is about
 * @survey: all entries
 * @f: where to
 * @cell_sectors: of main, in each cell of the map but the last
 * @cells: sectors in each cell by who has them
 */
struct html {
	struct dump *dump;
	struct dump_survey survey;
	FILE *f;
	u64 cell_sectors;
	u64 (*cells)[DUMP_NR_OWNERS];
};

static const char style[] =
	":root{color-scheme:light dark;--back:#fff;--text:#1c2330;--soft:#5b6472;--line:#d5dae2;"
	"--cell:#e9edf3;--slot:#2f6fde;--pending:#d98a00;--lost:#c8102e}"
	"@media(prefers-color-scheme:dark){:root{--back:#14181f;--text:#e4e8ef;--soft:#98a2b3;"
	"--line:#333b48;--cell:#232a35;--slot:#5b96ff;--pending:#f0ad3c;--lost:#ff5468}}"
	"body{margin:2rem auto;max-width:60rem;padding:0 1rem;background:var(--back);"
	"color:var(--text);font:15px/1.5 system-ui,sans-serif}"
	"h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}"
	".soft{color:var(--soft)}.warn{border-left:4px solid var(--lost);padding:.4rem .8rem;"
	"background:var(--cell)}table{border-collapse:collapse;width:100%}"
	"th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid var(--line);"
	"vertical-align:top}th{font-weight:600;color:var(--soft)}"
	"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
	"td.t{word-break:break-word}svg{width:100%;height:auto;display:block}"
	".none{fill:var(--cell)}.slot{fill:var(--slot)}.pending{fill:var(--pending)}"
	".lost{fill:var(--lost)}.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));"
	"gap:.8rem;margin:1rem 0}"
	".tiles div{border:1px solid var(--line);border-radius:6px;padding:.5rem .9rem}"
	".tiles b{display:block;font-size:1.3rem}.key{display:inline-block;width:.8rem;"
	"height:.8rem;margin:0 .3rem 0 .8rem;vertical-align:-.05rem}"
	".key.none{background:var(--cell)}.key.slot{background:var(--slot)}"
	".key.pending{background:var(--pending)}.key.lost{background:var(--lost)}"
	".bad{color:var(--lost);font-weight:600}";

static void put_escaped(FILE *f, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&': fputs("&amp;", f); break;
		case '<': fputs("&lt;", f); break;
		case '>': fputs("&gt;", f); break;
		case '"': fputs("&quot;", f); break;
		case '\'': fputs("&#39;", f); break;
		default: fputc(*text, f);
		}
	}
}

/* Text from a disk. */
static void put_disk_text(FILE *f, const char *text)
{
	char *escaped = escape_text(text, strlen(text));

	put_escaped(f, *escaped ? escaped : "-");
	free(escaped);
}

static void put_row_start(FILE *f, const char *name)
{
	fprintf(f, "<tr><th>%s</th><td class=\"t\">", name);
}

static void put_row_end(FILE *f)
{
	fputs("</td></tr>\n", f);
}

static void put_disk_row(FILE *f, const char *name, const char *text)
{
	put_row_start(f, name);
	put_disk_text(f, text);
	put_row_end(f);
}

__attribute__((format(printf, 3, 4)))
static void put_row(FILE *f, const char *name, const char *fmt, ...)
{
	va_list ap;

	put_row_start(f, name);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	put_row_end(f);
}

static void put_head(struct html *html)
{
	const struct dump *dump = html->dump;
	FILE *f = html->f;
	char now[UNITS_TEXT];

	fprintf(f, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
	put_escaped(f, dump->dev.shown);
	fprintf(f, " - dm-remap spare</title>\n<style>%s</style>\n</head>\n<body>\n<h1>Spare ",
		style);
	put_escaped(f, dump->dev.shown);
	fprintf(f, "</h1>\n<p class=\"soft\">remap-dump (dm-remap) %s, %s</p>\n", DM_REMAP_VERSION,
		units_time((u64)time(NULL), now));
}

static void put_warnings(struct html *html)
{
	const struct dump *dump = html->dump;
	unsigned int good = hweight8(rmeta_scan_mask(&dump->verdicts.superblocks, RMETA_OK));
	FILE *f = html->f;

	if (!dump->spare.loaded)
		fprintf(f, "<p class=\"warn\">The metadata is damaged: shown is what the best "
			"copies hold, not what the target would accept.</p>\n");
	if (dump->lost_pages)
		fprintf(f, "<p class=\"warn\">%u table page%s without a good copy: what %s held is "
			"not in this report.</p>\n", dump->lost_pages, units_s(dump->lost_pages),
			dump->lost_pages == 1 ? "it" : "they");
	if (dump->broken_entries)
		fprintf(f, "<p class=\"warn\">%llu entries break the format and are left out.</p>\n",
			(unsigned long long)dump->broken_entries);
	if (good < RMETA_COPIES || dump->damaged_pages)
		fprintf(f, "<p class=\"warn\">%u of 5 superblocks and %u of %u table pages have "
			"copies that are not good.</p>\n", RMETA_COPIES - good,
			dump->damaged_pages, dump->nr_pages);
	if (dump->sb.state & RMETA_NEEDS_CHECK)
		fprintf(f, "<p class=\"warn\">The spare is marked as needing a check.</p>\n");
}

static void put_tile(FILE *f, u64 number, const char *name)
{
	fprintf(f, "<div><b>%llu</b>%s</div>\n", (unsigned long long)number, name);
}

static void put_summary(struct html *html)
{
	const struct rmeta_counts *counts = &html->dump->counts;
	u32 slots = rmeta_slots(&html->dump->store.geo);
	FILE *f = html->f;

	fprintf(f, "<div class=\"tiles\">\n");
	put_tile(f, slots, "slots");
	put_tile(f, counts->mapped, "mapped");
	put_tile(f, counts->pending_sectors, "sectors pending: only on main");
	put_tile(f, counts->lost_sectors, "sectors lost: nobody has them");
	put_tile(f, counts->retired, "slots retired");
	put_tile(f, slots - counts->mapped - counts->lost - counts->retired, "slots free");
	fprintf(f, "</div>\n");
}

static void put_identity(struct html *html)
{
	const struct rmeta_superblock *sb = &html->dump->sb;
	static const u8 none[16];
	char one[UNITS_TEXT], uuid[40];
	FILE *f = html->f;

	fprintf(f, "<h2>Spare</h2>\n<table>\n");
	put_disk_row(f, "label", sb->label);
	put_row(f, "uuid", "%s", units_uuid(sb->uuid, uuid));
	put_row(f, "length", "%s (%llu sectors)", units_size(sb->spare_sectors * 512, one),
		(unsigned long long)sb->spare_sectors);
	put_row(f, "block size", "%u bytes", 512U << sb->block_shift);
	put_row(f, "state", "%s%s%s",
		sb->state & RMETA_IN_USE ? "in use, or not cleanly released" : "cleanly released",
		sb->state & RMETA_NEEDS_CHECK ? ", needs a check" : "",
		sb->state & RMETA_PRINT_VALID ? ", prints of main are valid" : "");
	put_row(f, "formatted", "%s", units_time(sb->created, one));
	put_row(f, "last activated", "%s (%u activation%s)", units_time(sb->activated, one),
		sb->activations, units_s(sb->activations));
	put_disk_row(f, "on host", sb->host_name);
	put_row(f, "sequence", "%llu", (unsigned long long)sb->sequence);
	put_row(f, "errors of main", "%llu read, %llu write", (unsigned long long)sb->read_errors,
		(unsigned long long)sb->write_errors);
	fprintf(f, "</table>\n<h2>Main</h2>\n<table>\n");
	put_row(f, "length", "%s (%llu sectors)", units_size(sb->main_sectors * 512, one),
		(unsigned long long)sb->main_sectors);
	put_disk_row(f, "disk", sb->main_id);
	put_row(f, "starts at sector", "%llu", (unsigned long long)sb->main_start);
	put_row(f, "partuuid", "%s",
		memcmp(sb->main_partuuid, none, 16) ? units_uuid(sb->main_partuuid, uuid) : "-");
	fprintf(f, "</table>\n");
}

static void count_piece(void *ctx, const struct dump_piece *piece)
{
	struct html *html = ctx;
	u64 at_sector = piece->start_sector, end_sector = at_sector + piece->sectors;

	while (at_sector < end_sector) {
		u64 cell = at_sector / html->cell_sectors;
		u64 next_sector = min((cell + 1) * html->cell_sectors, end_sector);

		html->cells[cell][piece->owner] += next_sector - at_sector;
		at_sector = next_sector;
	}
}

/* A cell with anything but main's own sectors; the worst of them gives the colour. */
static void put_cell(struct html *html, u64 cell)
{
	static const char *const classes[DUMP_NR_OWNERS] = {
		[DUMP_SLOT] = "slot", [DUMP_PENDING] = "pending", [DUMP_LOST] = "lost",
	};
	const u64 *sectors = html->cells[cell];
	u64 bad_sectors = sectors[DUMP_SLOT] + sectors[DUMP_PENDING] + sectors[DUMP_LOST];
	enum dump_owner worst = DUMP_LOST;

	if (!bad_sectors)
		return;
	while (!sectors[worst])
		worst--;
	fprintf(html->f, "<rect class=\"%s\" x=\"%llu\" y=\"%llu\" width=\"%u\" height=\"%u\" "
		"fill-opacity=\"%.2f\"><title>sectors %llu - %llu: %llu in slots, %llu pending, "
		"%llu lost</title></rect>\n", classes[worst],
		(unsigned long long)(cell % COLUMNS * CELL_PIXELS),
		(unsigned long long)(cell / COLUMNS * CELL_PIXELS), CELL_PIXELS - 1,
		CELL_PIXELS - 1,
		0.5 + 0.5 * (double)bad_sectors / (double)html->cell_sectors,
		(unsigned long long)(cell * html->cell_sectors),
		(unsigned long long)min((cell + 1) * html->cell_sectors,
					html->dump->sb.main_sectors) - 1,
		(unsigned long long)sectors[DUMP_SLOT],
		(unsigned long long)sectors[DUMP_PENDING],
		(unsigned long long)sectors[DUMP_LOST]);
}

static void put_map(struct html *html)
{
	static const enum dump_owner as[DUMP_NR_OWNERS] = {
		DUMP_MAIN, DUMP_SLOT, DUMP_PENDING, DUMP_LOST,
	};
	u64 main_sectors = html->dump->sb.main_sectors, cells, full_rows, rest, cell;
	FILE *f = html->f;
	char size[UNITS_TEXT];

	html->cell_sectors = (main_sectors - 1) / CELLS + 1;
	cells = (main_sectors - 1) / html->cell_sectors + 1;
	full_rows = cells / COLUMNS;
	rest = cells % COLUMNS;
	dump_pieces(html->dump, &html->survey, as, count_piece, html);
	fprintf(f, "<h2>Bad regions over main</h2>\n<p class=\"soft\">From the first sector, "
		"left to right and down; a cell is %s, pale: little of it is bad."
		"<span class=\"key none\"></span>good<span class=\"key slot\"></span>in a slot"
		"<span class=\"key pending\"></span>pending<span class=\"key lost\"></span>lost</p>\n",
		units_size(html->cell_sectors * 512, size));
	fprintf(f, "<svg viewBox=\"0 0 %u %llu\" role=\"img\" aria-label=\"Map of main\">\n",
		COLUMNS * CELL_PIXELS,
		(unsigned long long)(full_rows + !!rest) * CELL_PIXELS);
	if (full_rows)
		fprintf(f, "<rect class=\"none\" x=\"0\" y=\"0\" width=\"%u\" height=\"%llu\"/>\n",
			COLUMNS * CELL_PIXELS - 1,
			(unsigned long long)full_rows * CELL_PIXELS - 1);
	if (rest)
		fprintf(f, "<rect class=\"none\" x=\"0\" y=\"%llu\" width=\"%llu\" height=\"%u\"/>\n",
			(unsigned long long)full_rows * CELL_PIXELS,
			(unsigned long long)rest * CELL_PIXELS - 1, CELL_PIXELS - 1);
	for (cell = 0; cell < cells; cell++)
		put_cell(html, cell);
	fprintf(f, "</svg>\n");
}

/* One bar of the timeline: days from @first, which is below @next. */
struct bar {
	u32 first_day;
	u32 next_day;
	u64 slots;
	u64 reasons[RMETA_NR_REASONS];
};

static void count_bar(const struct html *html, struct bar *bar)
{
	unsigned int reason;
	u32 day;

	for (day = bar->first_day; day < bar->next_day && day < DUMP_DAYS; day++) {
		for (reason = 0; reason < RMETA_NR_REASONS; reason++) {
			bar->reasons[reason] += html->survey.day[day][reason];
			bar->slots += html->survey.day[day][reason];
		}
	}
}

/* "2026-11-20" or "2026-11-20 - 2026-11-26: 12 slots, 7 write, 5 read". */
static void put_bar_text(FILE *f, const struct bar *bar, const char *between)
{
	char when[UNITS_TEXT];
	unsigned int reason;
	const char *comma = "";

	units_time((u64)bar->first_day * 86400 + 1, when);
	fprintf(f, "%.10s", when);
	if (bar->next_day > bar->first_day + 1) {
		units_time((u64)(bar->next_day - 1) * 86400 + 1, when);
		fprintf(f, " - %.10s", when);
	}
	fprintf(f, "%s%llu%s", between, (unsigned long long)bar->slots, between);
	for (reason = 0; reason < RMETA_NR_REASONS; reason++) {
		if (!bar->reasons[reason])
			continue;
		fprintf(f, "%s%llu %s", comma, (unsigned long long)bar->reasons[reason],
			rmeta_reason_name(reason));
		comma = ", ";
	}
}

/* What the first and the last bar are. */
static void put_span(FILE *f, const struct bar *bars, u32 nr_bars, u64 most_slots)
{
	char first[UNITS_TEXT], last[UNITS_TEXT];
	u32 days = bars[0].next_day - bars[0].first_day;

	units_time((u64)bars[0].first_day * 86400 + 1, first);
	units_time((u64)(bars[nr_bars - 1].next_day - 1) * 86400 + 1, last);
	fprintf(f, "<p class=\"soft\">%.10s", first);
	if (strncmp(first, last, 10))
		fprintf(f, " to %.10s", last);
	fprintf(f, ", slots that went into use; a bar is %u day%s, the tallest %llu slot%s.</p>\n",
		days, units_s(days), (unsigned long long)most_slots, units_s(most_slots));
}

static void put_bars(FILE *f, const struct bar *bars, u32 nr_bars)
{
	double width = min(768.0 / nr_bars, MAX_BAR_WIDTH);
	u64 most_slots = 1, height;
	u32 i;

	for (i = 0; i < nr_bars; i++)
		most_slots = max(most_slots, bars[i].slots);
	fprintf(f, "<svg viewBox=\"0 0 768 %u\" role=\"img\" aria-label=\"Timeline\">\n"
		"<rect class=\"none\" x=\"0\" y=\"%u\" width=\"768\" height=\"1\"/>\n",
		BAR_PIXELS + 1, BAR_PIXELS);
	for (i = 0; i < nr_bars; i++) {
		if (!bars[i].slots)
			continue;
		height = max(bars[i].slots * BAR_PIXELS / most_slots, (u64)1);
		fprintf(f, "<rect class=\"slot\" x=\"%.2f\" y=\"%llu\" width=\"%.2f\" "
			"height=\"%llu\"><title>", i * width,
			(unsigned long long)(BAR_PIXELS - height), width * 0.9,
			(unsigned long long)height);
		put_bar_text(f, &bars[i], ": ");
		fprintf(f, "</title></rect>\n");
	}
	fprintf(f, "</svg>\n");
	put_span(f, bars, nr_bars, most_slots);
	/* Many days would push everything else off the first screens. */
	fprintf(f, "<details%s>\n<summary>Day by day</summary>\n<table>\n"
		"<tr><th>day (UTC)</th><th>slots</th><th>why</th></tr>\n",
		nr_bars <= OPEN_BARS ? " open=\"\"" : "");
	for (i = 0; i < nr_bars; i++) {
		if (!bars[i].slots)
			continue;
		fprintf(f, "<tr><td>");
		put_bar_text(f, &bars[i], "</td><td>");
		fprintf(f, "</td></tr>\n");
	}
	fprintf(f, "</table>\n</details>\n");
}

static void put_timeline(struct html *html)
{
	struct bar bars[BARS] = { 0 }, day;
	u32 first_day = DUMP_DAYS, last_day = 0, bar_days, nr_bars, i;

	for (i = 0; i < DUMP_DAYS; i++) {
		day = (struct bar){ .first_day = i, .next_day = i + 1 };
		count_bar(html, &day);
		if (!day.slots)
			continue;
		first_day = min(first_day, i);
		last_day = i;
	}
	fprintf(html->f, "<h2>Timeline</h2>\n");
	if (first_day == DUMP_DAYS) {
		fprintf(html->f, "<p>No slot was ever used.</p>\n");
		return;
	}
	bar_days = (last_day - first_day) / BARS + 1;
	nr_bars = (last_day - first_day) / bar_days + 1;
	for (i = 0; i < nr_bars; i++) {
		bars[i].first_day = first_day + i * bar_days;
		bars[i].next_day = bars[i].first_day + bar_days;
		count_bar(html, &bars[i]);
	}
	put_bars(html->f, bars, nr_bars);
}

static void put_regions(struct html *html)
{
	struct dump_region region;
	const struct dump_place *place;
	FILE *f = html->f;
	char size[UNITS_TEXT];
	u32 first, shown = 0;

	if (!html->survey.nr_places)
		return;
	fprintf(f, "<h2>Bad regions</h2>\n<table>\n<tr><th class=\"n\">first sector</th>"
		"<th class=\"n\">last</th><th class=\"n\">size</th><th>state</th><th>why</th>"
		"<th class=\"n\">sectors pending or lost</th></tr>\n");
	for (first = 0; first < html->survey.nr_places; first = region.next) {
		region = dump_region(&html->survey, &html->dump->sb, first);
		if (shown++ >= REGIONS_SHOWN)
			continue;
		place = &html->survey.places[first];
		fprintf(f, "<tr><td class=\"n\">%llu</td><td class=\"n\">%llu</td>"
			"<td class=\"n\">%s</td><td%s>%s</td><td>%s</td><td class=\"n\">%llu</td></tr>\n",
			(unsigned long long)region.start_sector,
			(unsigned long long)region.end_sector - 1,
			units_size((region.end_sector - region.start_sector) * 512, size),
			place->state == RMETA_LOST ? " class=\"bad\"" : "",
			rmeta_state_name(place->state), rmeta_reason_name(place->reason),
			(unsigned long long)region.masked_sectors);
	}
	fprintf(f, "</table>\n");
	if (shown > REGIONS_SHOWN)
		fprintf(f, "<p class=\"soft\">and %u more; remap-dump -F csv lists every block</p>\n",
			shown - REGIONS_SHOWN);
}

static void put_retired(struct html *html)
{
	const slot_t *slots = html->survey.retired_slots;
	u32 first, next, shown = 0;
	FILE *f = html->f;

	if (!html->survey.nr_retired)
		return;
	fprintf(f, "<h2>Retired slots: bad places of the spare</h2>\n<table>\n"
		"<tr><th class=\"n\">first slot</th><th class=\"n\">last</th>"
		"<th class=\"n\">from sector</th></tr>\n");
	for (first = 0; first < html->survey.nr_retired; first = next) {
		for (next = first + 1; next < html->survey.nr_retired; next++)
			if (slots[next] != slots[next - 1] + 1)
				break;
		if (shown++ >= RUNS_SHOWN)
			continue;
		fprintf(f, "<tr><td class=\"n\">%u</td><td class=\"n\">%u</td>"
			"<td class=\"n\">%llu</td></tr>\n", slots[first], slots[next - 1],
			(unsigned long long)rmeta_slot_sector(&html->dump->store.geo, slots[first]));
	}
	fprintf(f, "</table>\n");
	if (shown > RUNS_SHOWN)
		fprintf(f, "<p class=\"soft\">and %u more; remap-dump -F csv lists every slot</p>\n",
			shown - RUNS_SHOWN);
}

static void put_verdict(FILE *f, unsigned int verdict)
{
	fprintf(f, "<td%s>%s</td>", verdict == RMETA_OK ? "" : " class=\"bad\"",
		rmeta_verdict_name(verdict));
}

static void put_copies(struct html *html)
{
	const struct verdicts *verdicts = &html->dump->verdicts;
	unsigned int copy;
	FILE *f = html->f;
	size_t i;

	fprintf(f, "<h2>Copies of the metadata</h2>\n<table>\n<tr><th></th>");
	for (copy = 0; copy < RMETA_COPIES; copy++)
		fprintf(f, "<th>copy %u</th>", copy);
	fprintf(f, "</tr>\n<tr><th>superblock</th>");
	for (copy = 0; copy < RMETA_COPIES; copy++)
		put_verdict(f, verdicts->superblocks.verdict[copy]);
	fprintf(f, "</tr>\n");
	for (i = 0; i < verdicts->nr_pages && i < PAGES_SHOWN; i++) {
		fprintf(f, "<tr><th>page %u</th>", verdicts->pages[i].page);
		for (copy = 0; copy < RMETA_COPIES; copy++)
			put_verdict(f, verdicts->pages[i].verdict[copy]);
		fprintf(f, "</tr>\n");
	}
	fprintf(f, "</table>\n");
	if (i < verdicts->nr_pages)
		fprintf(f, "<p class=\"soft\">and %zu more pages; remap-dump --copies lists them</p>\n",
			verdicts->nr_pages - i);
	fprintf(f, "<p class=\"soft\">%u of %u pages in use have five good copies.</p>\n",
		html->dump->nr_pages - html->dump->damaged_pages, html->dump->nr_pages);
}

int dump_html(struct dump *dump, FILE *stream)
{
	struct html html = { .dump = dump, .f = stream };
	int r;

	html.cells = calloc(CELLS, sizeof(*html.cells));
	r = dump_survey(&html.survey, dump);
	if (!html.cells)
		r = -ENOMEM;
	if (r)
		goto out;
	put_head(&html);
	put_warnings(&html);
	put_summary(&html);
	put_map(&html);
	put_timeline(&html);
	put_identity(&html);
	put_copies(&html);
	put_regions(&html);
	put_retired(&html);
	fprintf(stream, "</body>\n</html>\n");
out:
	dump_survey_free(&html.survey);
	free(html.cells);
	return r;
}
