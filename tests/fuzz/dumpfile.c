// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: dumps that are read back. What is accepted obeys the format and adds up; and the
 * same text with other line ends, so that no entry is taken the fast way, gives the same.
 */
#include "dump_file.h"
#include "fuzz_disk.h"
#include "fuzz_file.h"
#include "report.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

/* What a dump must not be, and what is compared of two. */
struct audit {
	const struct dump_file *file;
	struct rmeta_counts counts;
	u32 nr;
	u32 crc;
};

static void audit_entry(void *ctx, slot_t slot, const struct rmeta_entry *entry)
{
	struct audit *audit = ctx;
	const struct dump_file *file = audit->file;
	unsigned int bits = hweight16(rmeta_where_mask(entry->where));

	FUZZ_CHECK(slot < rmeta_slots(&file->geo) &&
		   slot / RMETA_PAGE_ENTRIES < file->sb.pages_used, "slot %u", slot);
	FUZZ_CHECK(entry->state != RMETA_FREE &&
		   !rmeta_entry_valid(entry, file->geo.main_sectors, file->geo.block_shift),
		   "an entry that breaks the format");
	audit->counts.mapped += entry->state == RMETA_MAPPED;
	audit->counts.lost += entry->state == RMETA_LOST;
	audit->counts.retired += entry->state == RMETA_RETIRED;
	audit->counts.pending_sectors += entry->state == RMETA_MAPPED ? bits : 0;
	audit->counts.lost_sectors += entry->state == RMETA_LOST ? bits : 0;
	audit->crc = rmeta_crc32(audit->crc, &slot, sizeof(slot));
	audit->crc = rmeta_crc32(audit->crc, entry, sizeof(*entry));
	audit->nr++;
}

/* @crc: out: of all that was accepted */
static int read_once(const u8 *data, size_t bytes, u32 *crc)
{
	static struct fuzz_file input;
	struct dump_file file;
	struct audit audit = { .file = &file };
	struct rmeta_geometry geo;
	int status;

	fuzz_file_fill(&input, data, bytes);
	status = dump_file_read(&file, input.path);
	FUZZ_CHECK(status == STATUS_DONE || status == STATUS_DAMAGED || status == STATUS_FAILED,
		   "status %d", status);
	if (!status) {
		dump_file_entries(&file, audit_entry, &audit);
		FUZZ_CHECK(audit.nr == file.nr_entries &&
			   !memcmp(&audit.counts, &file.counts, sizeof(audit.counts)), "counts");
		FUZZ_CHECK(!rmeta_geometry_check(&file.sb, file.sb.spare_sectors, &geo), "layout");
		*crc = rmeta_crc32(audit.crc, &file.sb, sizeof(file.sb));
	}
	dump_file_free(&file);
	report_finish(0);
	return status;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static bool begun;
	u32 crc = 0, other_crc = 0;
	u8 *other;
	size_t i;
	int status;

	if (!begun)
		report_init("fuzz");
	begun = true;
	status = read_once(data, bytes, &crc);
	/* Compressed, its bytes are no text. Of what is refused a part is enough. */
	if ((bytes && data[0] == 0x1f) || (status && rmeta_crc32(0, data, bytes) % 8))
		return 0;
	other = malloc(bytes + 1);
	FUZZ_CHECK(other, "no memory");
	for (i = 0; i < bytes; i++)
		other[i] = data[i] == '\n' ? '\r' : data[i];
	FUZZ_CHECK(read_once(other, bytes, &other_crc) == status, "another status");
	FUZZ_CHECK(crc == other_crc, "another table");
	free(other);
	return 0;
}
