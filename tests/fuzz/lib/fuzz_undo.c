// SPDX-License-Identifier: GPL-2.0-only
/* Undo files made from an input. See fuzz_undo.h. */
#include "fuzz_undo.h"

enum { WRONG_OLD = 1, NEW_BATCH = 2, WRONG_NUMBER = 4, END = 8, WRONG_SECTORS = 16 };

static size_t put_record(u8 *file, struct fuzz_input *input, size_t at, u64 number, u64 *batch,
			 u32 *seen, const u8 *uuid)
{
	u8 flags = fuzz_u8(input), fill = fuzz_u8(input), old = fuzz_u8(input);
	struct undo_record record = {
		.number = number + (flags & WRONG_NUMBER ? 1 : 0),
		.block = flags & END ? UNDO_NO_BLOCK : fuzz_u8(input) % 7,
		.sectors = 8,
		.written = fuzz_u8(input),
		.unread = fuzz_u8(input),
	};
	u8 sector[512];
	unsigned int i;
	u32 crc;

	if (flags & NEW_BATCH)
		*batch = number;
	record.batch = *batch;
	if (record.block == FUZZ_UNDO_SECTORS / 8 && !(flags & WRONG_SECTORS))
		record.sectors = FUZZ_UNDO_SECTORS % 8;
	if (!(flags & END)) {
		record.has_old = !(*seen >> record.block & 1) != !!(flags & WRONG_OLD);
		*seen |= 1U << record.block;
	}
	memset(sector, fill, sizeof(sector));
	crc = rmeta_crc32(0, sector, sizeof(sector));
	for (i = 0; i < UNDO_BLOCK_SECTORS; i++)
		record.crc[i] = crc;
	memset(file + at + UNDO_RECORD_BYTES, old, record.has_old ? record.sectors * 512 : 0);
	undo_record_encode(file + at, &record, uuid);
	return at + undo_record_bytes(&record);
}

size_t fuzz_undo_make(u8 *file, struct fuzz_input *input, bool with_uuid)
{
	struct undo_header header = {
		.device_sectors = fuzz_u8(input) ? FUZZ_UNDO_SECTORS : 16,
		.has_spare_uuid = with_uuid,
		.tool = "remap-fuzz",
		.path = "\033[2J",
	};
	u8 nr = fuzz_u8(input) % 12, cut = fuzz_u8(input), change = fuzz_u8(input);
	size_t at = UNDO_HEADER_BYTES;
	u64 number, batch = 0;
	u32 seen = 0;

	undo_header_encode(file, &header);
	for (number = 0; number < nr; number++)
		at = put_record(file, input, at, number, &batch, &seen, header.uuid);
	if (change)
		file[(at - 1) * change / 256] ^= fuzz_u8(input);
	return at - at * cut / 4096;
}
