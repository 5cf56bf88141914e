/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The undo file: its bytes, and reading one that may be damaged, cut off or something else.
 *
 * A header of 512 bytes, then records. A record is about one 4 KiB block of the device that
 * is about to be written: which of its sectors, the CRC-32 of what each will hold, and, the
 * first time, all that the block held before. Records that became durable together are a
 * batch; the device was written after its batch was durable. A last record says that the tool
 * came to its end.
 *
 * All integers are little-endian. Checksums of records start from the file's uuid, so that no
 * record of another file passes.
 */
#ifndef TOOLS_UNDO_FILE_H
#define TOOLS_UNDO_FILE_H

#include "host.h"

#define UNDO_VERSION 1
#define UNDO_HEADER_BYTES 512
#define UNDO_RECORD_BYTES 72
#define UNDO_BLOCK_SECTORS 8
#define UNDO_BLOCK_BYTES 4096
#define UNDO_TOOL_BYTES 32
#define UNDO_PATH_BYTES 256
#define UNDO_NO_BLOCK (~(u64)0)

/**
 * struct undo_header - what an undo file is about
 * @uuid: of the file
 * @device_sectors: length of the device
 * @created: Unix time
 * @has_spare_uuid: the device held a spare with a whole superblock
 * @spare_uuid: its uuid, before
 * @tool: that made the file
 * @path: of the device, then; for messages only
 */
struct undo_header {
	u8 uuid[16];
	u64 device_sectors;
	u64 created;
	bool has_spare_uuid;
	u8 spare_uuid[16];
	char tool[UNDO_TOOL_BYTES + 1];
	char path[UNDO_PATH_BYTES + 1];
};

/**
 * struct undo_record - one block about to be written
 * @number: position in the file, from 0
 * @batch: number of the first record of its batch
 * @block: of the device, in units of 4 KiB; UNDO_NO_BLOCK in the record that ends the file
 * @sectors: of the block that the device has: 8, or fewer in its last one
 * @written: mask of the sectors that are about to be written
 * @unread: mask of the sectors that could not be read
 * @has_old: @sectors * 512 bytes of old contents follow
 * @crc: of the new contents of each sector in @written
 */
struct undo_record {
	u64 number;
	u64 batch;
	u64 block;
	u8 sectors;
	u8 written;
	u8 unread;
	bool has_old;
	u32 crc[UNDO_BLOCK_SECTORS];
};

/* Bytes that a record has in the file. */
static inline size_t undo_record_bytes(const struct undo_record *record)
{
	return UNDO_RECORD_BYTES + (record->has_old ? record->sectors * 512UL : 0);
}

/* @raw: UNDO_HEADER_BYTES */
void undo_header_encode(u8 *raw, const struct undo_header *header);

/* @raw: undo_record_bytes(@record), with the old contents in place. */
void undo_record_encode(u8 *raw, const struct undo_record *record, const u8 uuid[16]);

/**
 * struct undo_entry - a record that was read
 * @record: what it says
 * @offset: of its old contents in the file, if it has some
 */
struct undo_entry {
	struct undo_record record;
	u64 offset;
};

/**
 * struct undo_log - an undo file that was read
 * @header: what it is about
 * @entries: by block, those of a block in the order of the file; the first of each block has
 *	its old contents
 * @nr: how many
 * @room: private
 * @complete: the tool came to its end, and so does the file
 * @torn_bytes: at the end of the file, of a batch that never became durable
 */
struct undo_log {
	struct undo_header header;
	struct undo_entry *entries;
	size_t nr;
	size_t room;
	bool complete;
	u64 torn_bytes;
};

enum undo_error {
	UNDO_GOOD,
	UNDO_IO,		/* cannot be read; errno says why */
	UNDO_NO_MEMORY,
	UNDO_FOREIGN,		/* something else */
	UNDO_SHORT,		/* ends within the header */
	UNDO_NEWER,		/* of a version that this one does not know */
	UNDO_BAD_HEADER,	/* checksum */
	UNDO_BAD_RECORD,	/* one that was durable is damaged, or contradicts the others */
};

/**
 * undo_log_read() - read an undo file
 * @log: out; to be given to undo_log_free() whatever is returned
 * @fd: the file
 * @where: out: byte at which a bad record starts
 *
 * Reads everything and checks every checksum. What follows the last batch that can have been
 * durable is ignored: the device was not written after it.
 *
 * Return: UNDO_GOOD, or why the file cannot be applied.
 */
enum undo_error undo_log_read(struct undo_log *log, int fd, u64 *where);

/* Free what was read. */
void undo_log_free(struct undo_log *log);

#endif
