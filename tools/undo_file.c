// SPDX-License-Identifier: GPL-2.0-only
/*
 * The undo file as bytes. Trusts nothing that it reads.
 *
 * Where the file stops making sense there are two cases, and they must not be mixed up:
 *
 *	the rest was never durable	the power went while a batch was being written; the
 *					device was not written after it: ignored
 *	the rest was durable once	the file is damaged, and applying what is left of it
 *					would give a mixture: refused
 *
 * A record names the first record of its batch. So any whole record behind the bad one whose
 * batch starts later proves the second case: batches become durable one after the other.
 */
#include <unistd.h>

#include "undo_file.h"

#define HEADER_MAGIC "DMRUNDO\n"
#define RECORD_MAGIC 0x55524d44		/* "DMRU" */
#define ALIGN_BYTES 8			/* every record starts at a multiple of this */
#define WINDOW_BYTES (64 * 1024)

enum { HAS_SPARE_UUID = 1 };
enum { HAS_OLD = 1, IS_END = 2 };

struct disk_header {
	u8 magic[8];
	__le32 crc32;		/* of the header with this field zero */
	__le32 version;
	u8 uuid[16];
	__le64 device_sectors;
	__le64 created;
	u8 spare_uuid[16];
	__le32 flags;
	char tool[UNDO_TOOL_BYTES];
	char path[UNDO_PATH_BYTES];
	u8 zero[156];
} __attribute__((packed));

struct disk_record {
	__le32 magic;
	__le32 crc32;		/* of record and old contents with this field zero */
	__le64 number;
	__le64 batch;
	__le64 block;
	u8 sectors;
	u8 written;
	u8 unread;
	u8 flags;
	__le32 zero;
	__le32 crc[UNDO_BLOCK_SECTORS];
} __attribute__((packed));

BUILD_BUG_ON(sizeof(struct disk_header) != UNDO_HEADER_BYTES);
BUILD_BUG_ON(sizeof(struct disk_record) != UNDO_RECORD_BYTES);

static u32 record_crc(const u8 *raw, size_t bytes, const u8 uuid[16])
{
	struct disk_record disk;
	u32 crc;

	memcpy(&disk, raw, sizeof(disk));
	disk.crc32 = 0;
	crc = rmeta_crc32(0, uuid, 16);
	crc = rmeta_crc32(crc, &disk, sizeof(disk));
	return rmeta_crc32(crc, raw + sizeof(disk), bytes - sizeof(disk));
}

/* Into a field that need not end in a NUL. */
static void put_text(char *field, size_t bytes, const char *text)
{
	memcpy(field, text, min(strlen(text), bytes));
}

void undo_header_encode(u8 *raw, const struct undo_header *header)
{
	struct disk_header disk = { .version = cpu_to_le32(UNDO_VERSION) };

	memcpy(disk.magic, HEADER_MAGIC, sizeof(disk.magic));
	memcpy(disk.uuid, header->uuid, sizeof(disk.uuid));
	memcpy(disk.spare_uuid, header->spare_uuid, sizeof(disk.spare_uuid));
	disk.device_sectors = cpu_to_le64(header->device_sectors);
	disk.created = cpu_to_le64(header->created);
	disk.flags = cpu_to_le32(header->has_spare_uuid ? HAS_SPARE_UUID : 0);
	put_text(disk.tool, sizeof(disk.tool), header->tool);
	put_text(disk.path, sizeof(disk.path), header->path);
	disk.crc32 = cpu_to_le32(rmeta_crc32(0, &disk, sizeof(disk)));
	memcpy(raw, &disk, sizeof(disk));
}

static enum undo_error decode_header(const u8 *raw, size_t bytes, struct undo_header *header)
{
	struct disk_header disk;
	u32 crc;

	if (memcmp(raw, HEADER_MAGIC, min(bytes, sizeof(disk.magic))))
		return UNDO_FOREIGN;
	if (bytes < sizeof(disk))
		return UNDO_SHORT;
	memcpy(&disk, raw, sizeof(disk));
	crc = le32_to_cpu(disk.crc32);
	disk.crc32 = 0;
	if (rmeta_crc32(0, &disk, sizeof(disk)) != crc)
		return UNDO_BAD_HEADER;
	if (le32_to_cpu(disk.version) != UNDO_VERSION)
		return UNDO_NEWER;
	memcpy(header->uuid, disk.uuid, sizeof(disk.uuid));
	memcpy(header->spare_uuid, disk.spare_uuid, sizeof(disk.spare_uuid));
	header->device_sectors = le64_to_cpu(disk.device_sectors);
	header->created = le64_to_cpu(disk.created);
	header->has_spare_uuid = le32_to_cpu(disk.flags) & HAS_SPARE_UUID;
	memcpy(header->tool, disk.tool, sizeof(disk.tool));
	memcpy(header->path, disk.path, sizeof(disk.path));
	return UNDO_GOOD;
}

void undo_record_encode(u8 *raw, const struct undo_record *record, const u8 uuid[16])
{
	struct disk_record disk = {
		.magic = cpu_to_le32(RECORD_MAGIC),
		.number = cpu_to_le64(record->number),
		.batch = cpu_to_le64(record->batch),
		.block = cpu_to_le64(record->block),
		.sectors = record->sectors,
		.written = record->written,
		.unread = record->unread,
		.flags = (record->has_old ? HAS_OLD : 0) |
			 (record->block == UNDO_NO_BLOCK ? IS_END : 0),
	};
	unsigned int i;

	for (i = 0; i < UNDO_BLOCK_SECTORS; i++)
		disk.crc[i] = cpu_to_le32(record->crc[i]);
	memcpy(raw, &disk, sizeof(disk));
	disk.crc32 = cpu_to_le32(record_crc(raw, undo_record_bytes(record), uuid));
	memcpy(raw, &disk, sizeof(disk));
}

/* A whole record at the start of @raw? */
static bool decode_record(const u8 *raw, size_t bytes, const u8 uuid[16],
			  struct undo_record *record)
{
	struct disk_record disk;
	unsigned int i;

	if (bytes < sizeof(disk))
		return false;
	memcpy(&disk.magic, raw, sizeof(disk.magic));	/* seldom right in a tail */
	if (le32_to_cpu(disk.magic) != RECORD_MAGIC)
		return false;
	memcpy(&disk, raw, sizeof(disk));
	if (disk.sectors > UNDO_BLOCK_SECTORS)
		return false;
	*record = (struct undo_record){
		.number = le64_to_cpu(disk.number),
		.batch = le64_to_cpu(disk.batch),
		.block = le64_to_cpu(disk.block),
		.sectors = disk.sectors,
		.written = disk.written,
		.unread = disk.unread,
		.has_old = disk.flags & HAS_OLD,
	};
	for (i = 0; i < UNDO_BLOCK_SECTORS; i++)
		record->crc[i] = le32_to_cpu(disk.crc[i]);
	return undo_record_bytes(record) <= bytes &&
	       record_crc(raw, undo_record_bytes(record), uuid) == le32_to_cpu(disk.crc32);
}

/**
 * struct reader - a file being read from its front
 * @fd: the file
 * @raw: window of the file
 * @filled: bytes in @raw
 * @at: byte in @raw that comes next
 * @offset: of that byte in the file
 * @end: the file has no more than what is in @raw
 */
struct reader {
	int fd;
	u8 *raw;
	size_t filled;
	size_t at;
	u64 offset;
	bool end;
};

static size_t bytes_left(const struct reader *reader)
{
	return reader->filled - reader->at;
}

/*
 * Go on by @bytes, and have a whole record in the window if the file does.
 * Return: false when the file cannot be read.
 */
static bool advance(struct reader *reader, size_t bytes)
{
	ssize_t got;

	reader->at += bytes;
	reader->offset += bytes;
	if (reader->end || bytes_left(reader) >= UNDO_RECORD_BYTES + UNDO_BLOCK_BYTES)
		return true;
	memmove(reader->raw, reader->raw + reader->at, bytes_left(reader));
	reader->filled -= reader->at;
	reader->at = 0;
	while (!reader->end && reader->filled < WINDOW_BYTES) {
		got = pread(reader->fd, reader->raw + reader->filled,
			    WINDOW_BYTES - reader->filled,
			    (off_t)(reader->offset + reader->filled));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		reader->end = !got;
		reader->filled += (size_t)got;
	}
	return true;
}

static bool next_record(const struct reader *reader, const struct undo_log *log,
			struct undo_record *record)
{
	return decode_record(reader->raw + reader->at, bytes_left(reader), log->header.uuid,
			     record);
}

/* What a record says must make sense with the header and those before it. */
static bool is_sensible(const struct undo_log *log, const struct undo_record *record, u64 number,
			u64 batch)
{
	u64 blocks = DIV_ROUND_UP(log->header.device_sectors, UNDO_BLOCK_SECTORS);
	u64 sectors;

	if (record->number != number || (record->batch != batch && record->batch != number))
		return false;
	if (record->block == UNDO_NO_BLOCK)
		return !record->has_old && record->batch == number;
	if (record->block >= blocks)
		return false;
	sectors = min(log->header.device_sectors - record->block * UNDO_BLOCK_SECTORS,
		      (u64)UNDO_BLOCK_SECTORS);
	return record->sectors == sectors && record->written && !(record->written >> sectors) &&
	       !(record->unread >> sectors);
}

static bool add_entry(struct undo_log *log, const struct undo_record *record, u64 offset)
{
	struct undo_entry *entries;
	size_t room;

	if (log->nr == log->room) {
		room = log->room ? log->room * 2 : 256;
		entries = reallocarray(log->entries, room, sizeof(*entries));
		if (!entries)
			return false;
		log->entries = entries;
		log->room = room;
	}
	log->entries[log->nr++] = (struct undo_entry){ *record, offset };
	return true;
}

/*
 * Record @number is not there. Was it durable once? Looks for whole records of later batches.
 */
static enum undo_error read_tail(struct undo_log *log, struct reader *reader, u64 number)
{
	struct undo_record record;
	u64 from = reader->offset;

	while (bytes_left(reader)) {
		if (next_record(reader, log, &record) && record.batch > number)
			return UNDO_BAD_RECORD;
		if (!advance(reader, min(bytes_left(reader), (size_t)ALIGN_BYTES)))
			return UNDO_IO;
	}
	log->torn_bytes = reader->offset - from;
	return UNDO_GOOD;
}

static enum undo_error read_records(struct undo_log *log, struct reader *reader)
{
	struct undo_record record;
	u64 number = 0, batch = 0;

	while (next_record(reader, log, &record)) {
		if (log->complete || !is_sensible(log, &record, number, batch))
			return UNDO_BAD_RECORD;
		if (record.block == UNDO_NO_BLOCK)
			log->complete = true;
		else if (!add_entry(log, &record, reader->offset + UNDO_RECORD_BYTES))
			return UNDO_NO_MEMORY;
		batch = record.batch;
		number++;
		if (!advance(reader, undo_record_bytes(&record)))
			return UNDO_IO;
	}
	if (log->complete)	/* nothing was ever written behind the last record */
		return bytes_left(reader) ? UNDO_BAD_RECORD : UNDO_GOOD;
	return read_tail(log, reader, number);
}

static int compare_entries(const void *a, const void *b)
{
	const struct undo_record *first = &((const struct undo_entry *)a)->record;
	const struct undo_record *second = &((const struct undo_entry *)b)->record;

	if (first->block != second->block)
		return first->block < second->block ? -1 : 1;
	return first->number < second->number ? -1 : first->number > second->number;
}

/* The first record of each block, and no other, has its old contents. */
static bool is_consistent(const struct undo_log *log)
{
	bool first;
	size_t i;

	for (i = 0; i < log->nr; i++) {
		first = !i || log->entries[i].record.block != log->entries[i - 1].record.block;
		if (log->entries[i].record.has_old != first)
			return false;
	}
	return true;
}

enum undo_error undo_log_read(struct undo_log *log, int fd, u64 *where)
{
	struct reader reader = { .fd = fd };
	enum undo_error error;

	*log = (struct undo_log){ .nr = 0 };
	*where = 0;
	reader.raw = malloc(WINDOW_BYTES);
	if (!reader.raw)
		return UNDO_NO_MEMORY;
	error = advance(&reader, 0) ?
		decode_header(reader.raw, bytes_left(&reader), &log->header) : UNDO_IO;
	if (!error && !advance(&reader, UNDO_HEADER_BYTES))
		error = UNDO_IO;
	if (!error) {
		error = read_records(log, &reader);
		*where = reader.offset;
	}
	free(reader.raw);
	if (!error && log->nr)
		qsort(log->entries, log->nr, sizeof(*log->entries), compare_entries);
	if (!error && !is_consistent(log))
		error = UNDO_BAD_RECORD;
	return error;
}

void undo_log_free(struct undo_log *log)
{
	free(log->entries);
	*log = (struct undo_log){ .nr = 0 };
}
