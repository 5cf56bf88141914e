// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: undo files. What the reader accepts must make sense: blocks on the device, old
 * contents in the file, in order. A file that was cut off, wherever that was, is never taken for
 * a damaged one: its beginning is what a power cut leaves.
 */
#include "fuzz_file.h"
#include "fuzz_undo.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

enum { RAW = 1, WITH_UUID = 8 };

static struct fuzz_file undo;

static void check_entries(const struct undo_log *log, size_t bytes)
{
	size_t i;

	for (i = 0; i < log->nr; i++) {
		const struct undo_entry *entry = &log->entries[i];
		const struct undo_record *record = &entry->record;
		bool first = !i || entry[-1].record.block != record->block;

		FUZZ_CHECK(first ? !i || entry[-1].record.block < record->block :
			   entry[-1].record.number < record->number, "order");
		FUZZ_CHECK(record->has_old == first, "old contents of a block twice, or never");
		FUZZ_CHECK(record->batch <= record->number, "a batch that starts later");
		FUZZ_CHECK(record->block * UNDO_BLOCK_SECTORS + record->sectors <=
			   log->header.device_sectors, "behind the device");
		FUZZ_CHECK(record->written && !((record->written | record->unread) >>
						record->sectors), "sectors the block has not");
		FUZZ_CHECK(!record->has_old || entry->offset + record->sectors * 512 <= bytes,
			   "old contents behind the file");
	}
}

/* Return: the number of records, or SIZE_MAX when it cannot be applied. */
static size_t read_log(size_t bytes, enum undo_error *error)
{
	size_t nr = SIZE_MAX;
	struct undo_log log;
	u64 where;

	*error = undo_log_read(&log, undo.fd, &where);
	FUZZ_CHECK(*error != UNDO_IO && *error != UNDO_NO_MEMORY, "error %d", *error);
	FUZZ_CHECK(where <= bytes && log.torn_bytes <= bytes, "behind the file");
	if (!*error) {
		check_entries(&log, bytes);
		nr = log.nr;
	}
	undo_log_free(&log);
	return nr;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static u8 file[FUZZ_UNDO_BYTES];
	struct fuzz_input input = { data, bytes };
	u8 flags = fuzz_u8(&input), part = fuzz_u8(&input);
	enum undo_error error;
	size_t length, nr;

	if (flags & RAW) {
		length = min(input.bytes, sizeof(file));
		memcpy(file, input.data, length);
	} else {
		length = fuzz_undo_make(file, &input, flags & WITH_UUID);
	}
	fuzz_file_fill(&undo, file, length);
	nr = read_log(length, &error);
	if (error)
		return 0;
	length = length * part / 256;
	fuzz_file_fill(&undo, file, length);
	FUZZ_CHECK(read_log(length, &error) <= nr || error == UNDO_SHORT, "cut off: error %d", error);
	return 0;
}
