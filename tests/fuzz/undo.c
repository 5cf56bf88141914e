// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: undo files. An input is a file as it is, or a list of records that are given
 * their checksums, cut and changed afterwards; random bytes never get past a CRC. What the
 * reader accepts must make sense, and applied to a device must give what the file holds.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_disk.h"
#include "undo_apply.h"
#include "undo_file.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

#define DEVICE_SECTORS 43	/* the last block has three */
#define DEVICE_BYTES (DEVICE_SECTORS * 512)
#define FILE_BYTES 65536

enum { RAW = 1, FORCE = 2, DRY_RUN = 4, WITH_UUID = 8, ONLY_READ = 16 };
enum { WRONG_OLD = 1, NEW_BATCH = 2, WRONG_NUMBER = 4, END = 8, WRONG_SECTORS = 16 };

static u8 file[FILE_BYTES];
static u8 device[DEVICE_BYTES], after[DEVICE_BYTES];

static size_t put_record(struct fuzz_input *input, size_t at, u64 number, u64 *batch, u32 *seen,
			 const u8 *uuid)
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

	if (flags & NEW_BATCH)
		*batch = number;
	record.batch = *batch;
	if (record.block == DEVICE_SECTORS / 8 && !(flags & WRONG_SECTORS))
		record.sectors = DEVICE_SECTORS % 8;
	if (!(flags & END)) {
		record.has_old = !(*seen >> record.block & 1) != !!(flags & WRONG_OLD);
		*seen |= 1U << record.block;
	}
	memset(sector, fill, sizeof(sector));
	for (i = 0; i < UNDO_BLOCK_SECTORS; i++)
		record.crc[i] = rmeta_crc32(0, sector, sizeof(sector));
	memset(file + at + UNDO_RECORD_BYTES, old, record.has_old ? record.sectors * 512 : 0);
	undo_record_encode(file + at, &record, uuid);
	return at + undo_record_bytes(&record);
}

static size_t build_file(struct fuzz_input *input, u8 flags)
{
	struct undo_header header = {
		.device_sectors = fuzz_u8(input) ? DEVICE_SECTORS : 16,
		.has_spare_uuid = flags & WITH_UUID,
		.tool = "remap-fuzz",
		.path = "\033[2J",
	};
	u8 nr = fuzz_u8(input) % 12, cut = fuzz_u8(input), change = fuzz_u8(input);
	size_t at = UNDO_HEADER_BYTES;
	u64 number, batch = 0;
	u32 seen = 0;

	undo_header_encode(file, &header);
	for (number = 0; number < nr; number++)
		at = put_record(input, at, number, &batch, &seen, header.uuid);
	if (change)
		file[(at - 1) * change / 256] ^= fuzz_u8(input);
	return at - at * cut / 4096;
}

static void check_log(int fd, size_t bytes)
{
	struct undo_log log;
	u64 where;
	size_t i;

	if (!undo_log_read(&log, fd, &where)) {
		for (i = 0; i < log.nr; i++) {
			const struct undo_entry *entry = &log.entries[i];

			FUZZ_CHECK(!i || entry[-1].record.block <= entry->record.block, "order");
			FUZZ_CHECK(entry->record.block * 8 + entry->record.sectors <=
				   log.header.device_sectors, "behind the device");
			FUZZ_CHECK(!entry->record.has_old ||
				   entry->offset + entry->record.sectors * 512 <= bytes,
				   "old contents behind the file");
		}
	}
	undo_log_free(&log);
}

/* What was applied without force and without a complaint is what the file holds. */
static void check_applied(int fd)
{
	struct undo_log log;
	unsigned int sector, i;
	u64 where, at;

	FUZZ_CHECK(!undo_log_read(&log, fd, &where), "applied, and not readable");
	for (i = 0; i < log.nr; i++) {
		const struct undo_record *record = &log.entries[i].record;

		for (sector = 0; sector < record->sectors; sector++) {
			at = (record->block * 8 + sector) * 512;
			if (record->has_old && (record->written & ~record->unread) >> sector & 1)
				FUZZ_CHECK(!memcmp(after + at, file + log.entries[i].offset +
						   sector * 512, 512), "not put back");
		}
	}
	undo_log_free(&log);
}

static int open_memory(const char *name, const u8 *data, size_t bytes, char *path, size_t room)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes, "no file in memory");
	snprintf(path, room, "/proc/self/fd/%d", fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct fuzz_input input = { data, bytes };
	char file_path[32], device_path[32];
	u8 flags = fuzz_u8(&input);
	int file_fd, device_fd, status = 0;
	unsigned int sector;
	size_t length;

	if (flags & RAW) {
		length = min(input.bytes, (size_t)FILE_BYTES);
		memcpy(file, input.data, length);
		memset(device, 0, sizeof(device));
	} else {
		for (sector = 0; sector < DEVICE_SECTORS; sector += 4)
			memset(device + sector * 512, fuzz_u8(&input),
			       min(4, DEVICE_SECTORS - sector) * 512);
		length = build_file(&input, flags);
	}
	file_fd = open_memory("undo", file, length, file_path, sizeof(file_path));
	device_fd = open_memory("device", device, DEVICE_BYTES, device_path, sizeof(device_path));
	check_log(file_fd, length);
	if (flags & ONLY_READ)		/* twenty times as fast */
		goto out;
	status = undo_apply(file_path, device_path, flags & FORCE, flags & DRY_RUN);
	FUZZ_CHECK(status == 0 || status == 4 || status == 8, "status %d", status);
	FUZZ_CHECK(pread(device_fd, after, DEVICE_BYTES, 0) == DEVICE_BYTES, "device");
	if ((flags & DRY_RUN) || status == 8)
		FUZZ_CHECK(!memcmp(device, after, DEVICE_BYTES), "refused, and changed");
	else
		check_applied(file_fd);
out:
	close(file_fd);
	close(device_fd);
	return 0;
}
