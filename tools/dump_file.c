// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a dump back. The text is read by line; entries that stand as remap-dump writes them, one
 * a line with all members in order, are taken from the line at once, since there can be millions.
 * Everything else goes through the JSON reader, entries in any other form too. What either finds
 * goes through take_entry(), the only judge.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dump_file.h"
#include "dump_members.h"
#include "escape.h"
#include "json_read.h"
#include "report.h"

#define BUFFER_BYTES (64U << 10)
#define SLACK_BYTES 64			/* behind the buffer, for comparing literals */
#define PROBLEM_BYTES 256

/**
 * struct reader - a dump being read
 * @file: what comes out
 * @json: for all that is not an entry in the usual form
 * @line: number of the line that is being read, from 1
 * @entry_nr: number of the entry that is being read, from 1
 * @raw: it
 * @last: last byte that the JSON reader got and that is no white space
 * @in_entries: in the array of entries
 * @comma: an entry was taken with the comma behind it, so that another must follow
 * @ascending: blocks were in ascending order so far
 * @last_block: the last one
 * @seen: DUMP_SEEN_*: parts of the dump that have been there
 * @summary: what the dump says the sums are
 * @status: what to return
 * @problem: why, or ""
 */
struct reader {
	struct dump_file *file;
	struct json_reader *json;
	u64 line;
	u64 entry_nr;
	struct dump_raw_entry raw;
	char last;
	bool in_entries;
	bool comma;
	bool ascending;
	block_t last_block;
	unsigned int seen;
	struct dump_summary summary;
	int status;
	char problem[PROBLEM_BYTES];
};

enum {
	SEEN_TOOL = 1 << 0,
	SEEN_VERSION = 1 << 1,
	SEEN_SUPERBLOCK = 1 << 2,
	SEEN_ENTRIES = 1 << 3,
	SEEN_SUMMARY = 1 << 4,
	SEEN_STATUS = 1 << 5,
};

/* Stop reading. Return: 1, for an event. */
__attribute__((format(printf, 3, 4)))
static int refuse(struct reader *reader, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reader->problem, sizeof(reader->problem), fmt, ap);
	va_end(ap);
	reader->status = status;
	return 1;
}

/*
 * Entries
 */

static struct rmeta_entry *entry_place(struct rmeta_entries *entries, slot_t slot)
{
	struct rmeta_entry **group = &entries->group[slot / RMETA_GROUP_SLOTS];

	if (!*group) {
		*group = report_alloc(RMETA_GROUP_SLOTS * sizeof(**group));
		entries->nr_groups = max(entries->nr_groups, slot / RMETA_GROUP_SLOTS + 1);
	}
	return rmeta_entry_at(entries, slot);
}

static void count_entry(struct rmeta_counts *counts, const struct rmeta_entry *entry)
{
	unsigned int bits = hweight16(rmeta_where_mask(entry->where));

	if (entry->state == RMETA_RETIRED)
		counts->retired++;
	if (entry->state == RMETA_LOST) {
		counts->lost++;
		counts->lost_sectors += bits;
	}
	if (entry->state == RMETA_MAPPED) {
		counts->mapped++;
		counts->pending_sectors += bits;
	}
}

/* Members that follow from the others must agree with them. NULL, or the one that does not. */
static const char *contradiction(const struct dump_file *file, const struct dump_raw_entry *raw)
{
	u64 sectors = hweight16(rmeta_block_mask(raw->block, file->geo.main_sectors,
						 file->geo.block_shift));

	if (raw->seen & DUMP_RAW_MAIN_SECTOR &&
	    raw->main_sector != raw->block << file->geo.block_shift)
		return "main_sector";
	if (raw->seen & DUMP_RAW_SPARE_SECTOR &&
	    raw->spare_sector != rmeta_slot_sector(&file->geo, (slot_t)raw->slot))
		return "spare_sector";
	if (raw->seen & DUMP_RAW_SECTORS && raw->sectors != sectors)
		return "sectors";
	return NULL;
}

static int refuse_entry(struct reader *reader, const char *why)
{
	return refuse(reader, STATUS_DAMAGED, "slot %llu: %s", (unsigned long long)reader->raw.slot,
		      why);
}

static int take_entry(struct reader *reader)
{
	const struct dump_raw_entry *raw = &reader->raw;
	struct dump_file *file = reader->file;
	u64 end_slot = min((u64)file->sb.pages_used * RMETA_PAGE_ENTRIES,
			   (u64)rmeta_slots(&file->geo));
	struct rmeta_entry entry, *place;
	const char *wrong;

	if ((raw->seen & DUMP_RAW_NEEDED) != DUMP_RAW_NEEDED)
		return refuse(reader, STATUS_DAMAGED, "the entry has no member \"%s\"",
			      dump_raw_missing(raw));
	if (raw->slot >= end_slot)
		return refuse(reader, STATUS_DAMAGED,
			      "slot %llu is behind the last one in use, %lld", (unsigned long long)
			      raw->slot, (long long)end_slot - 1);
	if (raw->block >> RMETA_BLOCK_BITS)
		return refuse_entry(reader, "block is 2^48 or more");
	if (raw->mask > 0xffff)
		return refuse_entry(reader, "mask has more than 16 bits");
	if (raw->time > UINT32_MAX)
		return refuse_entry(reader, "time is 2^32 or more");
	if (raw->generation > 255)
		return refuse_entry(reader, "generation is more than 255");
	if (raw->state == RMETA_NR_STATES || raw->state == RMETA_FREE)
		return refuse_entry(reader, "state is none of mapped, retired, lost");
	if (raw->reason == RMETA_NR_REASONS)
		return refuse_entry(reader, "unknown reason");
	entry = (struct rmeta_entry){
		.where = rmeta_where(raw->block, (u16)raw->mask),
		.time = (u32)raw->time,
		.state = raw->state,
		.reason = raw->reason,
		.generation = (u8)raw->generation,
	};
	wrong = rmeta_entry_valid(&entry, file->geo.main_sectors, file->geo.block_shift);
	if (wrong)
		return refuse_entry(reader, wrong);
	wrong = contradiction(file, raw);
	if (wrong)
		return refuse(reader, STATUS_DAMAGED, "slot %llu: %s contradicts the rest",
			      (unsigned long long)raw->slot, wrong);
	place = entry_place(&file->entries, (slot_t)raw->slot);
	if (place->state != RMETA_FREE)
		return refuse_entry(reader, "comes a second time");
	*place = entry;
	file->nr_entries++;
	count_entry(&file->counts, &entry);
	if (entry.state == RMETA_RETIRED)
		return 0;
	if (file->counts.mapped + file->counts.lost > 1 && raw->block <= reader->last_block)
		reader->ascending = false;
	reader->last_block = raw->block;
	return 0;
}

/*
 * Events of the JSON reader
 */

static int end_superblock(struct reader *reader)
{
	struct dump_file *file = reader->file;
	const char *wrong = dump_sb_missing(&reader->summary);

	if (wrong)
		return refuse(reader, STATUS_DAMAGED, "superblock has no member \"%s\"", wrong);
	file->has_print = reader->summary.has_print;
	if (!file->has_print)
		file->sb.state &= (u16)~RMETA_PRINT_VALID;
	wrong = rmeta_geometry_check(&file->sb, file->sb.spare_sectors, &file->geo);
	if (wrong)
		return refuse(reader, STATUS_DAMAGED, "superblock: %s", wrong);
	file->entries.max_groups = DIV_ROUND_UP(file->geo.table_pages, RMETA_GROUP_PAGES);
	if (!file->entries.group)
		file->entries.group = report_alloc(file->entries.max_groups *
						   sizeof(*file->entries.group));
	return 0;
}

static int see(struct reader *reader, unsigned int part, const char *name)
{
	if (reader->seen & part)
		return refuse(reader, STATUS_DAMAGED, "\"%s\" comes a second time", name);
	if (part != SEEN_TOOL && !(reader->seen & SEEN_TOOL))
		return refuse(reader, STATUS_FAILED,
			      "does not begin with \"tool\", as what remap-dump writes does");
	reader->seen |= part;
	return 0;
}

static int on_start(void *ctx, const struct json_reader *json)
{
	struct reader *reader = ctx;

	if (json_at(json, "entries[]")) {
		memset(&reader->raw, 0, sizeof(reader->raw));
		reader->entry_nr++;
		reader->comma = false;
		return 0;
	}
	if (json_at(json, "superblock"))
		return see(reader, SEEN_SUPERBLOCK, "superblock");
	if (json_at(json, "summary"))
		return see(reader, SEEN_SUMMARY, "summary");
	if (!json_at(json, "entries"))
		return 0;
	if (!(reader->seen & SEEN_SUPERBLOCK))
		return refuse(reader, STATUS_DAMAGED,
			      "entries come before the superblock; remap-dump writes them behind it");
	reader->in_entries = true;
	return see(reader, SEEN_ENTRIES, "entries");
}

static int on_end(void *ctx, const struct json_reader *json)
{
	struct reader *reader = ctx;

	if (json_at(json, "entries[]"))
		return take_entry(reader);
	if (json_at(json, "superblock"))
		return end_superblock(reader);
	if (!json_at(json, "entries"))
		return 0;
	reader->in_entries = false;
	if (reader->comma)
		return refuse(reader, STATUS_DAMAGED, "a comma with no entry behind it");
	return 0;
}

static int take_tool(struct reader *reader, const struct json_value *value)
{
	int r = see(reader, SEEN_TOOL, "tool");
	char *name;

	if (r || json_value_is(value, "remap-dump"))
		return r;
	name = value->type == JSON_STRING ? escape_text(value->text, min(value->bytes, 40UL)) : NULL;
	r = refuse(reader, STATUS_FAILED, "is JSON of %s, not of remap-dump", name ? name :
		   "some other program");
	free(name);
	return r;
}

static int on_top(struct reader *reader, const char *key, const struct json_value *value)
{
	u64 number;
	int r;

	if (!strcmp(key, "tool"))
		return take_tool(reader, value);
	if (!strcmp(key, "format_version")) {
		r = see(reader, SEEN_VERSION, key);
		if (r)
			return r;
		if (!json_value_number(value, &number) || number != 1)
			return refuse(reader, STATUS_FAILED,
				      "is of another format_version than 1; use the tools that wrote it");
		return 0;
	}
	if (!strcmp(key, "exit_status")) {
		r = see(reader, SEEN_STATUS, key);
		if (r)
			return r;
		if (!json_value_number(value, &number) || number >= STATUS_FAILED)
			return refuse(reader, STATUS_DAMAGED,
				      "remap-dump says that it failed: exit_status is %s",
				      value->type == JSON_NUMBER ? "8 or more" : "no number");
		reader->file->damaged = number >= STATUS_DAMAGED;
	}
	if (!strcmp(key, "superblock") || !strcmp(key, "entries"))
		return refuse(reader, STATUS_DAMAGED, "\"%s\" is not what it should be", key);
	return 0;
}

static int on_value(void *ctx, const struct json_reader *json, const struct json_value *value)
{
	struct reader *reader = ctx;
	const char *top = json_key_at(json, 0), *key = json_key_at(json, 1), *wrong = NULL;
	unsigned int depth = json_depth(json);

	if (!depth)
		return refuse(reader, STATUS_FAILED, "is JSON, but no object of remap-dump");
	if (depth == 1)
		return on_top(reader, top, value);
	if (!strcmp(top, "superblock"))
		wrong = dump_sb_member(&reader->file->sb, &reader->summary, key,
				       depth == 2 ? NULL : value, value,
				       depth == 2 ? 0 : json_index_at(json, 2));
	else if (!strcmp(top, "summary") && depth == 2)
		wrong = dump_summary_member(&reader->summary, key, value);
	else if (!strcmp(top, "entries") && depth == 2)
		wrong = json_at(json, "entries[]") ? "is no entry" : "is no entry, in no list";
	else if (!strcmp(top, "entries") && depth == 3)
		wrong = dump_raw_member(&reader->raw, key = json_key_at(json, 2), value);
	else
		return 0;
	if (wrong)
		return refuse(reader, STATUS_DAMAGED, "%s%s%s %s", strcmp(top, "entries") ? top : "",
			      strcmp(top, "entries") ? "." : "", key, wrong);
	return 0;
}

/*
 * Lines
 */

static int feed(struct reader *reader, const char *text, size_t bytes)
{
	size_t at = bytes;
	int r;

	r = json_reader_feed(reader->json, text, bytes);
	while (at && strchr(" \t\r\n", text[at - 1]))
		at--;
	if (at)
		reader->last = text[at - 1];
	return r;
}

/* One line with its newline, which ends every comparison. */
static int take_line(struct reader *reader, const char *line, size_t bytes)
{
	if (reader->in_entries && json_at(reader->json, "entries[]") &&
	    (reader->last == '[' || reader->last == ',') && dump_raw_line(&reader->raw, line)) {
		reader->entry_nr++;
		reader->comma = true;
		return take_entry(reader);
	}
	return feed(reader, line, bytes);
}

static int take_text(struct reader *reader, gzFile gz, char *buffer)
{
	size_t used = 0;

	for (;;) {
		int got = gzread(gz, buffer + used, (unsigned int)(BUFFER_BYTES - used));
		char *line = buffer, *newline;
		int r;

		if (got < 0)
			return -EIO;
		used += (size_t)got;
		while ((newline = memchr(line, '\n', used))) {
			size_t bytes = (size_t)(newline + 1 - line);

			r = take_line(reader, line, bytes);
			if (r)
				return r;
			reader->line++;
			line = newline + 1;
			used -= bytes;
		}
		if (!got || used == BUFFER_BYTES) {
			r = feed(reader, line, used);
			if (r || !got)
				return r ? r : json_reader_end(reader->json);
			used = 0;
		}
		memmove(buffer, line, used);
	}
}

/*
 * The dump as a whole
 */

static int by_number(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* What collects blocks, then looks for the slots that claim one. */
struct claims {
	u64 *blocks;
	u32 nr;
	u64 block;
	slot_t slots[2];
};

static void collect_claim(void *ctx, slot_t slot, const struct rmeta_entry *entry)
{
	struct claims *claims = ctx;

	if (entry->state != RMETA_RETIRED)
		claims->blocks[claims->nr++] = rmeta_where_block(entry->where);
}

static void find_claim(void *ctx, slot_t slot, const struct rmeta_entry *entry)
{
	struct claims *claims = ctx;

	if (entry->state != RMETA_RETIRED && rmeta_where_block(entry->where) == claims->block &&
	    claims->nr < 2)
		claims->slots[claims->nr++] = slot;
}

static int check_claims(struct reader *reader)
{
	const struct dump_file *file = reader->file;
	struct claims claims = { .nr = 0 };
	u32 i, nr = file->counts.mapped + file->counts.lost;
	int r = 0;

	if (reader->ascending)
		return 0;
	claims.blocks = report_alloc(nr * sizeof(*claims.blocks));
	dump_file_entries(file, collect_claim, &claims);
	qsort(claims.blocks, nr, sizeof(*claims.blocks), by_number);
	for (i = 1; i < nr && claims.blocks[i] != claims.blocks[i - 1]; i++)
		;
	if (i < nr) {
		claims.block = claims.blocks[i];
		claims.nr = 0;
		dump_file_entries(file, find_claim, &claims);
		r = refuse(reader, STATUS_DAMAGED, "slots %u and %u both stand in for block %llu",
			   claims.slots[0], claims.slots[1], (unsigned long long)claims.block);
	}
	free(claims.blocks);
	return r;
}

/* What is wrong with a dump of which every part is right. */
static int check_whole(struct reader *reader)
{
	static const char *const names[] = {
		"tool", "format_version", "superblock", "entries", "summary", "exit_status",
	};
	const char *wrong;
	unsigned int i;

	if (!(reader->seen & SEEN_TOOL))
		return refuse(reader, STATUS_FAILED, "is JSON, but no object of remap-dump");
	for (i = 1; i < ARRAY_SIZE(names); i++)
		if (!(reader->seen & 1U << i))
			return refuse(reader, STATUS_DAMAGED,
				      "has no \"%s\"; the dump of a whole spare has", names[i]);
	wrong = dump_summary_differs(&reader->summary, &reader->file->counts,
				     rmeta_slots(&reader->file->geo));
	if (wrong)
		return refuse(reader, STATUS_DAMAGED,
			      "summary.%s is not what the entries add up to", wrong);
	return check_claims(reader);
}

static void report_problem(const struct reader *reader)
{
	const char *shown = reader->file->shown;

	if (reader->in_entries)
		report_error("%s: line %llu, entry %llu: %s", shown,
			     (unsigned long long)reader->line,
			     (unsigned long long)reader->entry_nr, reader->problem);
	else
		report_error("%s: line %llu: %s", shown, (unsigned long long)reader->line,
			     reader->problem);
}

static int explain(struct reader *reader, gzFile gz, int r)
{
	int error;

	if (r == -EIO) {
		const char *text = gzerror(gz, &error);

		report_error("cannot read %s: %s", reader->file->shown,
			     error == Z_ERRNO ? strerror(errno) :
			     error == Z_BUF_ERROR ? "the compressed file is cut off" : text);
		return error == Z_ERRNO ? STATUS_FAILED : STATUS_DAMAGED;
	}
	if (r == -EBADMSG) {
		bool begun = reader->seen & SEEN_TOOL;

		refuse(reader, begun ? STATUS_DAMAGED : STATUS_FAILED, "%s: %s", begun ?
		       "the dump is cut off or damaged" : "not the JSON of remap-dump",
		       json_reader_error(reader->json));
	}
	report_problem(reader);
	return reader->status;
}

/* Return: a descriptor, or -1 with an error reported. */
static int open_dump(const char *path, const char *shown)
{
	struct stat st;
	int fd;

	if (!strcmp(path, "-"))
		return dup(STDIN_FILENO);
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		report_error("the dump %s is %s; a pipe can be read with \"-\"", shown,
			     S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
		return -1;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		report_error("cannot open the dump %s: %s", shown, strerror(errno));
	return fd;
}

int dump_file_read(struct dump_file *file, const char *path)
{
	static const struct json_events events = { on_value, on_start, on_end };
	struct reader reader = { .file = file, .line = 1, .ascending = true };
	char *buffer;
	gzFile gz;
	int fd, r, status = STATUS_DONE;

	*file = (struct dump_file){ .shown = escape_text(path, strlen(path)) };
	fd = open_dump(path, file->shown);
	if (fd < 0)
		return STATUS_FAILED;
	gz = gzdopen(fd, "rb");
	buffer = report_alloc(BUFFER_BYTES + SLACK_BYTES);
	reader.json = json_reader_new(&events, &reader);
	if (!gz || !reader.json)
		report_out_of_memory();
	gzbuffer(gz, BUFFER_BYTES / 2);
	r = take_text(&reader, gz, buffer);
	if (!r) {
		reader.in_entries = false;
		r = check_whole(&reader);
	}
	if (r)
		status = explain(&reader, gz, r);
	json_reader_free(reader.json);
	free(buffer);
	gzclose(gz);
	return status;
}

void dump_file_drop_entries(struct dump_file *file)
{
	u32 group;

	for (group = 0; file->entries.group && group < file->entries.max_groups; group++)
		free(file->entries.group[group]);
	free(file->entries.group);
	file->entries = (struct rmeta_entries){ .group = NULL };
}

void dump_file_free(struct dump_file *file)
{
	dump_file_drop_entries(file);
	free(file->shown);
	*file = (struct dump_file){ .shown = NULL };
}

void dump_file_entries(const struct dump_file *file,
		       void (*fn)(void *ctx, slot_t slot, const struct rmeta_entry *entry),
		       void *ctx)
{
	u32 group, nr;

	for (group = 0; group < file->entries.nr_groups; group++) {
		const struct rmeta_entry *entries = file->entries.group[group];

		for (nr = 0; entries && nr < RMETA_GROUP_SLOTS; nr++)
			if (entries[nr].state != RMETA_FREE)
				fn(ctx, group * RMETA_GROUP_SLOTS + nr, &entries[nr]);
	}
}
