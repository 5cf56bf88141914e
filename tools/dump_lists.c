// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is on a spare, as lists that other programs read: CSV, the numbers of badblocks(8), a
 * mapfile of GNU ddrescue, a device-mapper table. A list can have millions of lines, so lines
 * are put together by hand.
 */
#include <ctype.h>
#include <time.h>

#include "dump.h"
#include "version.h"

#define LINE_BYTES 320		/* of any line but a device-mapper table's, which has paths */

/* A field of a CSV line, quoted where RFC 4180 wants it. Return: its end. */
static char *put_field(char *at, const char *text)
{
	if (!strpbrk(text, ",\"\r\n"))
		return dump_put_text(at, text);
	*at++ = '"';
	for (; *text; text++) {
		if (*text == '"')
			*at++ = '"';
		*at++ = *text;
	}
	*at++ = '"';
	return at;
}

static char *put_number_field(char *at, u64 number)
{
	at = dump_put_number(at, number);
	*at++ = ',';
	return at;
}

/* What put_csv_entry() needs. */
struct csv {
	const struct dump *dump;
	FILE *stream;
};

static void put_csv_entry(void *ctx, slot_t slot, const struct rmeta_entry *entry)
{
	const struct csv *csv = ctx;
	const struct rmeta_superblock *sb = &csv->dump->sb;
	block_t block = rmeta_where_block(entry->where);
	char line[LINE_BYTES], *at = line;

	at = put_number_field(at, slot);
	at = put_number_field(at, block);
	at = put_number_field(at, block << sb->block_shift);
	at = put_number_field(at, rmeta_slot_sector(&csv->dump->store.geo, slot));
	at = put_number_field(at, hweight16(rmeta_block_mask(block, sb->main_sectors,
							     sb->block_shift)));
	at = put_number_field(at, rmeta_where_mask(entry->where));
	at = put_field(at, rmeta_state_name(entry->state));
	*at++ = ',';
	at = put_field(at, rmeta_reason_name(entry->reason));
	*at++ = ',';
	at = put_number_field(at, entry->time);
	at = dump_put_number(at, entry->generation);
	*at++ = '\n';
	fwrite_unlocked(line, 1, (size_t)(at - line), csv->stream);
}

int dump_csv(struct dump *dump, FILE *stream)
{
	struct csv csv = { dump, stream };

	fprintf(stream, "slot,block,main_sector,spare_sector,sectors,mask,state,reason,time,generation\n");
	return dump_entries(dump, put_csv_entry, &csv);
}

int dump_badblocks(struct dump *dump, FILE *stream, u32 unit_bytes)
{
	u64 unit_sectors = unit_bytes / 512, next_unit = 0, unit, start_sector, last_sector;
	const struct rmeta_superblock *sb = &dump->sb;
	struct dump_survey survey;
	char line[LINE_BYTES], *at;
	u32 i;
	int r;

	r = dump_survey(&survey, dump);
	for (i = 0; !r && i < survey.nr_places; i++) {
		start_sector = rmeta_where_block(survey.places[i].where) << sb->block_shift;
		last_sector = min(start_sector + (1U << sb->block_shift), sb->main_sectors) - 1;
		for (unit = max(start_sector / unit_sectors, next_unit);
		     unit <= last_sector / unit_sectors; unit++) {
			at = dump_put_number(line, unit);
			*at++ = '\n';
			fwrite_unlocked(line, 1, (size_t)(at - line), stream);
			next_unit = unit + 1;
		}
	}
	dump_survey_free(&survey);
	return r;
}

/* "0x00001000", as ddrescue pads it. Return: its end. */
static char *put_hex(char *at, u64 number)
{
	unsigned int digits = 8;

	while (digits < 16 && number >> 4 * digits)
		digits++;
	*at++ = '0';
	*at++ = 'x';
	while (digits--)
		*at++ = "0123456789ABCDEF"[number >> 4 * digits & 15];
	return at;
}

static void put_map_piece(void *ctx, const struct dump_piece *piece)
{
	FILE *stream = ctx;
	char line[LINE_BYTES], *at;

	at = put_hex(line, piece->start_sector * 512);
	at = dump_put_text(at, "  ");
	at = put_hex(at, piece->sectors * 512);
	at = dump_put_text(at, piece->owner == DUMP_MAIN ? "  +\n" : "  -\n");
	fwrite_unlocked(line, 1, (size_t)(at - line), stream);
}

int dump_mapfile(struct dump *dump, FILE *stream)
{
	static const enum dump_owner as[DUMP_NR_OWNERS] = {
		[DUMP_MAIN] = DUMP_MAIN,
		[DUMP_SLOT] = DUMP_MAIN,
		[DUMP_PENDING] = DUMP_LOST,
		[DUMP_LOST] = DUMP_LOST,
	};
	struct dump_survey survey;
	char now[32], line[LINE_BYTES], *at;
	time_t seconds = time(NULL);
	struct tm tm;
	int r;

	r = dump_survey(&survey, dump);
	if (r)
		goto out;
	strftime(now, sizeof(now), "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &tm));
	fprintf(stream, "# Mapfile. Created by remap-dump (dm-remap) %s\n", DM_REMAP_VERSION);
	fprintf(stream, "# Command line: remap-dump -F mapfile %s\n", dump->dev.shown);
	fprintf(stream, "# Start time:   %s\n# Current time: %s\n# Finished\n", now, now);
	fprintf(stream, "# current_pos  current_status  current_pass\n");
	at = put_hex(line, dump->sb.main_sectors * 512);
	fprintf(stream, "%.*s     +               1\n", (int)(at - line), line);
	fprintf(stream, "#      pos        size  status\n");
	dump_pieces(dump, &survey, as, put_map_piece, stream);
out:
	dump_survey_free(&survey);
	return r;
}

/*
 * A path as a word of a table: device mapper splits at white space and takes the character
 * after a backslash as it is. Return: to free(), with a blank before and after it; NULL
 * without memory.
 */
static char *table_word(const char *path)
{
	char *word = malloc(2 * strlen(path) + 3), *at = word;

	if (!word)
		return NULL;
	*at++ = ' ';
	for (; *path; path++) {
		if (isspace((unsigned char)*path) || *path == '\\')
			*at++ = '\\';
		*at++ = *path;
	}
	*at++ = ' ';
	*at = '\0';
	return word;
}

/* What put_table_piece() needs. */
struct table_writer {
	FILE *stream;
	char *main_word;
	char *spare_word;
};

static void put_table_piece(void *ctx, const struct dump_piece *piece)
{
	const struct table_writer *writer = ctx;
	char line[LINE_BYTES], *at;
	bool on_spare = piece->owner == DUMP_SLOT;

	at = dump_put_number(line, piece->start_sector);
	*at++ = ' ';
	at = dump_put_number(at, piece->sectors);
	if (piece->owner == DUMP_LOST) {
		at = dump_put_text(at, " error\n");
		fwrite_unlocked(line, 1, (size_t)(at - line), writer->stream);
		return;
	}
	at = dump_put_text(at, " linear");
	fwrite_unlocked(line, 1, (size_t)(at - line), writer->stream);
	fputs_unlocked(on_spare ? writer->spare_word : writer->main_word, writer->stream);
	at = dump_put_number(line, on_spare ? piece->spare_sector : piece->start_sector);
	*at++ = '\n';
	fwrite_unlocked(line, 1, (size_t)(at - line), writer->stream);
}

int dump_dmtable(struct dump *dump, FILE *stream, const char *main_name, const char *spare_name)
{
	static const enum dump_owner as[DUMP_NR_OWNERS] = {
		[DUMP_MAIN] = DUMP_MAIN,
		[DUMP_SLOT] = DUMP_SLOT,
		[DUMP_PENDING] = DUMP_MAIN,
		[DUMP_LOST] = DUMP_LOST,
	};
	struct table_writer writer = {
		.stream = stream,
		.main_word = table_word(main_name),
		.spare_word = table_word(spare_name),
	};
	struct dump_survey survey;
	int r;

	r = dump_survey(&survey, dump);
	if (!r && (!writer.main_word || !writer.spare_word))
		r = -ENOMEM;
	if (!r)
		dump_pieces(dump, &survey, as, put_table_piece, &writer);
	dump_survey_free(&survey);
	free(writer.main_word);
	free(writer.spare_word);
	return r;
}
