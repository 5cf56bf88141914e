// SPDX-License-Identifier: GPL-2.0-only
/*
 * One object of a spare, the superblock or a table page, from close by: what each copy says
 * about itself, the entries, the bytes. For somebody who wants to know why a copy was found
 * bad, so nothing is left out because it is wrong.
 */
#include "dump.h"
#include "escape.h"
#include "units.h"

#define HEX_BYTES 16		/* on a line of a hex dump */

static int keep_copies(void *ctx, u32 page, const struct rmeta_scan *scan,
		       u8 *const raw[RMETA_COPIES])
{
	struct dump_object *object = ctx;
	unsigned int copy;

	object->scan = *scan;
	for (copy = 0; copy < RMETA_COPIES; copy++)
		memcpy(object->raw[copy], raw[copy], RMETA_BYTES);
	return 0;
}

int dump_object_read(struct dump_object *object, struct dump *dump)
{
	unsigned int copy;
	int r = 0;

	object->buffer = calloc(RMETA_COPIES, RMETA_BYTES);
	if (!object->buffer)
		return -ENOMEM;
	for (copy = 0; copy < RMETA_COPIES; copy++)
		object->raw[copy] = object->buffer + copy * RMETA_BYTES;
	if (object->number == RMETA_OBJECT_SUPERBLOCK)
		rmeta_scan_superblocks(&dump->store, dump->dev.sectors, &object->scan,
				       object->raw);
	else
		r = rmeta_scan_pages(&dump->store, object->number, 1, keep_copies, object);
	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (object->scan.verdict[copy] == RMETA_UNREADABLE)
			memset(object->raw[copy], 0, RMETA_BYTES);
	return r;
}

void dump_object_free(struct dump_object *object)
{
	free(object->buffer);
	object->buffer = NULL;
}

static u64 copy_sector(const struct dump *dump, const struct dump_object *object,
		       unsigned int copy)
{
	if (object->number == RMETA_OBJECT_SUPERBLOCK)
		return rmeta_superblock_sector(copy);
	return rmeta_page_sector(&dump->store.geo, copy, object->number);
}

/* Does a page's copy say something about itself that can be believed? */
static bool read_header(const struct dump_object *object, unsigned int copy,
			struct rmeta_page_header *header)
{
	switch (rmeta_page_decode(object->raw[copy], NULL, object->number, (u8)copy, header)) {
	case RMETA_GOOD:
	case RMETA_BAD_COPY:
	case RMETA_BAD_PAGE:
	case RMETA_BAD_UUID:
		return true;
	default:
		return false;
	}
}

static const char *defect_of(const struct dump_object *object, unsigned int copy)
{
	if (object->scan.defect[copy] == RMETA_GOOD)
		return NULL;
	return rmeta_defect_text(object->scan.defect[copy]);
}

/* Why an entry is not what the format allows, or NULL. */
static const char *entry_problem(const struct dump *dump, u64 slot,
				 const struct rmeta_entry *entry)
{
	if (slot >= rmeta_slots(&dump->store.geo) && entry->state != RMETA_FREE)
		return "past the last slot";
	return rmeta_entry_valid(entry, dump->sb.main_sectors, dump->sb.block_shift);
}

static void put_entries(struct dump *dump, const struct dump_object *object, FILE *f)
{
	u64 first_slot = (u64)object->number * RMETA_PAGE_ENTRIES;
	struct rmeta_entry entry;
	unsigned int nr, free_entries = 0;
	const char *problem;
	char when[UNITS_TEXT];

	fprintf(f, "\nEntries, from copy %d\n", object->scan.winner);
	fprintf(f, "  %10s %15s %4s %-8s %-10s %3s  %s\n", "slot", "block", "mask", "state",
		"reason", "gen", "time");
	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++) {
		rmeta_page_entry(object->raw[object->scan.winner], nr, &entry);
		problem = entry_problem(dump, first_slot + nr, &entry);
		if (entry.state == RMETA_FREE && !problem) {
			free_entries++;
			continue;
		}
		fprintf(f, "  %10llu %15llu %04x %-8s %-10s %3u  %s%s%s\n",
			(unsigned long long)(first_slot + nr),
			(unsigned long long)rmeta_where_block(entry.where),
			rmeta_where_mask(entry.where), rmeta_state_name(entry.state),
			rmeta_reason_name(entry.reason), entry.generation,
			units_time(entry.time, when), problem ? "  ! " : "",
			problem ? problem : "");
	}
	fprintf(f, "  %u of %u are free\n", free_entries, RMETA_PAGE_ENTRIES);
}

void dump_page_text(struct dump *dump, const struct dump_object *object, FILE *f)
{
	struct rmeta_page_header header;
	unsigned int copy;
	char uuid[40];

	fprintf(f, "Page %u (%u pages in use, %u in all)\n", object->number, dump->nr_pages,
		dump->store.geo.table_pages);
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		fprintf(f, "\nCopy %u at sector %llu: ", copy,
			(unsigned long long)copy_sector(dump, object, copy));
		verdict_print(f, object->scan.verdict[copy], 0);
		if (defect_of(object, copy))
			fprintf(f, ": %s", defect_of(object, copy));
		fprintf(f, "\n");
		if (!read_header(object, copy, &header))
			continue;
		fprintf(f, "  %-16s %llu (activation %llu, commit %llu)\n", "sequence",
			(unsigned long long)header.sequence,
			(unsigned long long)(header.sequence >> RMETA_SEQUENCE_SHIFT),
			(unsigned long long)(header.sequence & (((u64)1 << RMETA_SEQUENCE_SHIFT) - 1)));
		fprintf(f, "  %-16s %s\n", "uuid", units_uuid(header.uuid, uuid));
		fprintf(f, "  %-16s page %u, copy %u\n", "says it is", header.page, header.copy);
		fprintf(f, "  %-16s %llu sectors\n", "main",
			(unsigned long long)header.main_sectors);
		fprintf(f, "  %-16s %llu bytes\n", "block size", 512ULL << header.block_shift);
	}
	if (object->scan.winner >= 0)
		put_entries(dump, object, f);
}

static void put_json_copy(struct json *json, const struct dump *dump,
			  const struct dump_object *object, unsigned int copy)
{
	struct rmeta_page_header header;
	char uuid[40];

	json_map(json);
	json_key_number(json, "copy", copy);
	json_key_number(json, "sector", copy_sector(dump, object, copy));
	json_key_text(json, "verdict", rmeta_verdict_name(object->scan.verdict[copy]));
	json_key_text(json, "defect", defect_of(object, copy));
	json_key(json, "header");
	if (read_header(object, copy, &header)) {
		json_map(json);
		json_key_big(json, "sequence", header.sequence);
		json_key_text(json, "uuid", units_uuid(header.uuid, uuid));
		json_key_number(json, "main_sectors", header.main_sectors);
		json_key_number(json, "page", header.page);
		json_key_number(json, "block_shift", header.block_shift);
		json_key_number(json, "copy", header.copy);
		json_map_end(json);
	} else {
		json_null(json);
	}
	json_map_end(json);
	json_line(json);
}

static void put_json_entries(struct json *json, const struct dump *dump,
			     const struct dump_object *object)
{
	u64 slot = (u64)object->number * RMETA_PAGE_ENTRIES;
	char line[DUMP_ENTRY_BYTES + 100], *at;
	struct rmeta_entry entry;
	const char *problem;
	bool any = false;
	unsigned int nr;

	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++, slot++) {
		rmeta_page_entry(object->raw[object->scan.winner], nr, &entry);
		problem = entry_problem(dump, slot, &entry);
		if (slot >= RMETA_MAX_SLOTS || (entry.state == RMETA_FREE && !problem))
			continue;
		at = line;
		if (any)
			*at++ = ',';
		*at++ = '\n';
		at = dump_entry_json(at, dump, (slot_t)slot, &entry);
		if (problem)
			at += snprintf(at - 1, 100, ",\"problem\":\"%s\"}", problem) - 1;
		json_raw(json, line, (size_t)(at - line));
		any = true;
	}
}

void dump_page_json(struct dump *dump, const struct dump_object *object, struct json *json)
{
	unsigned int copy;

	json_key(json, "page");
	json_map(json);
	json_key_number(json, "page", object->number);
	json_key(json, "winner");
	if (object->scan.winner >= 0)
		json_number(json, (u64)object->scan.winner);
	else
		json_null(json);
	json_key(json, "copies");
	json_array(json);
	for (copy = 0; copy < RMETA_COPIES; copy++)
		put_json_copy(json, dump, object, copy);
	json_array_end(json);
	json_key(json, "entries");
	json_array(json);
	if (object->scan.winner >= 0)
		put_json_entries(json, dump, object);
	json_array_end(json);
	json_map_end(json);
}

/* As hexdump -C: lines that repeat the one before become one "*". */
static void put_hex_dump(FILE *f, const u8 *raw)
{
	unsigned int at, i;
	bool starred = false;

	for (at = 0; at < RMETA_BYTES; at += HEX_BYTES) {
		if (at && !memcmp(raw + at, raw + at - HEX_BYTES, HEX_BYTES)) {
			if (!starred)
				fprintf(f, "*\n");
			starred = true;
			continue;
		}
		starred = false;
		fprintf(f, "%08x", at);
		for (i = 0; i < HEX_BYTES; i++)
			fprintf(f, "%s%02x", i % 8 ? " " : "  ", raw[at + i]);
		fprintf(f, "  |");
		for (i = 0; i < HEX_BYTES; i++)
			fputc(raw[at + i] >= 0x20 && raw[at + i] < 0x7f ? raw[at + i] : '.', f);
		fprintf(f, "|\n");
	}
	fprintf(f, "%08x\n", RMETA_BYTES);
}

static void put_heading(const struct dump *dump, const struct dump_object *object,
			unsigned int copy, FILE *f)
{
	if (object->number == RMETA_OBJECT_SUPERBLOCK)
		fprintf(f, "superblock");
	else
		fprintf(f, "page %u", object->number);
	fprintf(f, ", copy %u at sector %llu: %s", copy,
		(unsigned long long)copy_sector(dump, object, copy),
		rmeta_verdict_name(object->scan.verdict[copy]));
	if (defect_of(object, copy))
		fprintf(f, ": %s", defect_of(object, copy));
	fprintf(f, "\n");
}

unsigned int dump_raw(const struct dump *dump, const struct dump_object *object, FILE *stream,
		      bool binary)
{
	unsigned int copy, unreadable = 0;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		if (!dump->every_copy && (int)copy != object->scan.winner)
			continue;
		if (object->scan.verdict[copy] == RMETA_UNREADABLE)
			unreadable++;
		if (binary) {
			fwrite(object->raw[copy], 1, RMETA_BYTES, stream);
			continue;
		}
		put_heading(dump, object, copy, stream);
		if (object->scan.verdict[copy] != RMETA_UNREADABLE)
			put_hex_dump(stream, object->raw[copy]);
	}
	return unreadable;
}
