// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: undo files applied to a device, as remap-check --apply-undo does it. What is
 * refused, or only looked at, changes nothing; what is applied is what the file holds.
 */
#include <unistd.h>

#include "fuzz_file.h"
#include "fuzz_undo.h"
#include "report.h"
#include "undo_apply.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

#define DEVICE_BYTES (FUZZ_UNDO_SECTORS * 512)

enum { RAW = 1, FORCE = 2, DRY_RUN = 4, WITH_UUID = 8 };

static u8 file[FUZZ_UNDO_BYTES];
static u8 device[DEVICE_BYTES], after[DEVICE_BYTES];

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

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static struct fuzz_file undo, target;
	struct fuzz_input input = { data, bytes };
	u8 flags = fuzz_u8(&input);
	unsigned int sector;
	size_t length;
	int status;

	if (!undo.open)
		report_init("fuzz");
	if (flags & RAW) {
		length = min(input.bytes, sizeof(file));
		memcpy(file, input.data, length);
		memset(device, 0, sizeof(device));
	} else {
		for (sector = 0; sector < FUZZ_UNDO_SECTORS; sector += 4)
			memset(device + sector * 512, fuzz_u8(&input),
			       min(4, FUZZ_UNDO_SECTORS - sector) * 512);
		length = fuzz_undo_make(file, &input, flags & WITH_UUID);
	}
	fuzz_file_fill(&undo, file, length);
	fuzz_file_fill(&target, device, sizeof(device));
	status = undo_apply(undo.path, target.path, flags & FORCE, flags & DRY_RUN);
	FUZZ_CHECK(status == 0 || status == 4 || status == 8, "status %d", status);
	FUZZ_CHECK(pread(target.fd, after, sizeof(after), 0) == DEVICE_BYTES, "device");
	if ((flags & DRY_RUN) || status == 8)
		FUZZ_CHECK(!memcmp(device, after, sizeof(device)), "refused, and changed");
	else
		check_applied(undo.fd);
	report_finish(0);
	return 0;
}
