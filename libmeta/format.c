// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bytes of a spare. See format.h; the layout is docs/format.md.
 *
 * Structures below mirror the disk exactly: little-endian types, no padding, sizes checked
 * at compile time. They do not leave this file.
 */
#include "format.h"

#define SB_MAGIC "DMREMAP4"
#define SB_MAGIC_MAKING "DMRMAKES"	/* marks are as long */
#define SB_MAGIC_ERASING "DMRERASE"
#define SB_MAGIC_TAKING "DMRTAKES"
#define PAGE_MAGIC 0x50524d44U		/* "DMRP" */

struct disk_superblock {
	u8 magic[8];
	__le32 crc32;
	__le32 version;
	u8 uuid[16];
	__le64 sequence;
	u8 copy;
	u8 block_shift;
	__le16 state;
	__le32 activations;
	__le64 main_sectors;
	__le64 spare_sectors;
	__le64 zone_start;
	__le64 zone_sectors;
	__le32 zone_slots;
	__le32 table_pages;
	__le32 pages_used;
	__le32 reserved0;
	__le64 feature_compat;
	__le64 feature_ro_compat;
	__le64 feature_incompat;
	__le64 created;
	__le64 activated;
	__le64 read_errors;
	__le64 write_errors;
	__le64 reserved1;
	u8 main_partuuid[16];
	char main_id[64];
	char label[32];
	u8 host_id[16];
	char host_name[64];
	__le64 main_start;
	__le32 main_print[2];
	u8 zero[3728];
};

struct disk_entry {
	__le64 where;
	__le32 time;
	u8 state;
	u8 reason;
	u8 generation;
	u8 reserved;
};

struct disk_page {
	__le32 magic;
	__le32 crc32;
	__le64 sequence;
	u8 uuid[16];
	__le64 main_sectors;
	__le32 page;
	u8 version;
	u8 block_shift;
	u8 copy;
	u8 reserved;
	struct disk_entry entry[RMETA_PAGE_ENTRIES];
};

static inline void check_sizes(void)
{
	BUILD_BUG_ON(sizeof(struct disk_superblock) != RMETA_BYTES);
	BUILD_BUG_ON(sizeof(struct disk_page) != RMETA_BYTES);
	BUILD_BUG_ON(sizeof(struct disk_entry) != 16);
	BUILD_BUG_ON(sizeof(struct rmeta_entry) != 16);
	BUILD_BUG_ON(offsetof(struct disk_superblock, main_print) != 360);
	BUILD_BUG_ON(sizeof(SB_MAGIC_MAKING) != sizeof(SB_MAGIC));
	BUILD_BUG_ON(sizeof(SB_MAGIC_ERASING) != sizeof(SB_MAGIC));
	BUILD_BUG_ON(sizeof(SB_MAGIC_TAKING) != sizeof(SB_MAGIC));
}

static u32 crc_around(const void *raw, size_t crc_offset)
{
	static const u8 zero[4];
	const u8 *bytes = raw;
	u32 crc;

	crc = rmeta_crc32(0, bytes, crc_offset);
	crc = rmeta_crc32(crc, zero, sizeof(zero));
	return rmeta_crc32(crc, bytes + crc_offset + 4, RMETA_BYTES - crc_offset - 4);
}

static u32 superblock_crc(const void *raw)
{
	return crc_around(raw, offsetof(struct disk_superblock, crc32));
}

static u32 page_crc(const void *raw)
{
	return crc_around(raw, offsetof(struct disk_page, crc32));
}

static bool all_zero(const void *raw)
{
	const u8 *bytes = raw;

	return !bytes[0] && !memcmp(bytes, bytes + 1, RMETA_BYTES - 1);
}

/* All but the magic and the CRC. */
static enum rmeta_defect decode_fields(const struct disk_superblock *disk, u8 copy,
				       struct rmeta_superblock *sb)
{
	if (le32_to_cpu(disk->version) != RMETA_VERSION)
		return RMETA_BAD_VERSION;
	memcpy(sb->uuid, disk->uuid, sizeof(sb->uuid));
	sb->sequence = le64_to_cpu(disk->sequence);
	sb->copy = disk->copy;
	sb->block_shift = disk->block_shift;
	sb->state = le16_to_cpu(disk->state);
	sb->activations = le32_to_cpu(disk->activations);
	sb->main_sectors = le64_to_cpu(disk->main_sectors);
	sb->spare_sectors = le64_to_cpu(disk->spare_sectors);
	sb->zone_start = le64_to_cpu(disk->zone_start);
	sb->zone_sectors = le64_to_cpu(disk->zone_sectors);
	sb->zone_slots = le32_to_cpu(disk->zone_slots);
	sb->table_pages = le32_to_cpu(disk->table_pages);
	sb->pages_used = le32_to_cpu(disk->pages_used);
	sb->feature_compat = le64_to_cpu(disk->feature_compat);
	sb->feature_ro_compat = le64_to_cpu(disk->feature_ro_compat);
	sb->feature_incompat = le64_to_cpu(disk->feature_incompat);
	sb->created = le64_to_cpu(disk->created);
	sb->activated = le64_to_cpu(disk->activated);
	sb->read_errors = le64_to_cpu(disk->read_errors);
	sb->write_errors = le64_to_cpu(disk->write_errors);
	memcpy(sb->main_partuuid, disk->main_partuuid, sizeof(sb->main_partuuid));
	memcpy(sb->main_id, disk->main_id, sizeof(disk->main_id));
	memcpy(sb->label, disk->label, sizeof(disk->label));
	memcpy(sb->host_id, disk->host_id, sizeof(sb->host_id));
	memcpy(sb->host_name, disk->host_name, sizeof(disk->host_name));
	sb->main_start = le64_to_cpu(disk->main_start);
	sb->main_print[0] = le32_to_cpu(disk->main_print[0]);
	sb->main_print[1] = le32_to_cpu(disk->main_print[1]);
	return sb->copy == copy ? RMETA_GOOD : RMETA_BAD_COPY;
}

enum rmeta_defect rmeta_superblock_decode(const void *raw, u8 copy, struct rmeta_superblock *sb)
{
	const struct disk_superblock *disk = raw;

	check_sizes();
	memset(sb, 0, sizeof(*sb));
	if (memcmp(disk->magic, SB_MAGIC, sizeof(disk->magic)))
		return all_zero(raw) ? RMETA_BAD_ZERO : RMETA_BAD_MAGIC;
	if (le32_to_cpu(disk->crc32) != superblock_crc(raw))
		return RMETA_BAD_CRC;
	return decode_fields(disk, copy, sb);
}

/* The CRC that a superblock has with the magic it had before it was marked. */
static u32 marked_crc(const struct disk_superblock *disk)
{
	const size_t crc_offset = offsetof(struct disk_superblock, crc32);
	static const u8 zero[4];
	u32 crc;

	crc = rmeta_crc32(0, SB_MAGIC, crc_offset);
	crc = rmeta_crc32(crc, zero, sizeof(zero));
	return rmeta_crc32(crc, (const u8 *)disk + crc_offset + 4, RMETA_BYTES - crc_offset - 4);
}

static const char *const marks[] = {
	[RMETA_MARK_NONE] = SB_MAGIC,
	[RMETA_MARK_MAKING] = SB_MAGIC_MAKING,
	[RMETA_MARK_ERASING] = SB_MAGIC_ERASING,
	[RMETA_MARK_TAKING] = SB_MAGIC_TAKING,
};

enum rmeta_mark rmeta_mark_decode(const void *raw, u8 copy, struct rmeta_superblock *sb)
{
	const struct disk_superblock *disk = raw;
	enum rmeta_mark mark = RMETA_MARK_TAKING;

	memset(sb, 0, sizeof(*sb));
	while (mark != RMETA_MARK_NONE && memcmp(disk->magic, marks[mark], sizeof(disk->magic)))
		mark--;
	if (mark == RMETA_MARK_NONE || le32_to_cpu(disk->crc32) != marked_crc(disk) ||
	    decode_fields(disk, copy, sb) != RMETA_GOOD)
		return RMETA_MARK_NONE;
	return mark;
}

/* Copy text into a field of the disk, padded with NULs, which need not end in one. */
static void put_text(char *field, const char *text, size_t bytes)
{
	size_t length = strnlen(text, bytes);

	memcpy(field, text, length);
	memset(field + length, 0, bytes - length);
}

void rmeta_superblock_encode(void *raw, const struct rmeta_superblock *sb)
{
	struct disk_superblock *disk = raw;

	memcpy(disk->magic, SB_MAGIC, sizeof(disk->magic));
	disk->version = cpu_to_le32(RMETA_VERSION);
	memcpy(disk->uuid, sb->uuid, sizeof(disk->uuid));
	disk->sequence = cpu_to_le64(sb->sequence);
	disk->copy = sb->copy;
	disk->block_shift = sb->block_shift;
	disk->state = cpu_to_le16(sb->state);
	disk->activations = cpu_to_le32(sb->activations);
	disk->main_sectors = cpu_to_le64(sb->main_sectors);
	disk->spare_sectors = cpu_to_le64(sb->spare_sectors);
	disk->zone_start = cpu_to_le64(sb->zone_start);
	disk->zone_sectors = cpu_to_le64(sb->zone_sectors);
	disk->zone_slots = cpu_to_le32(sb->zone_slots);
	disk->table_pages = cpu_to_le32(sb->table_pages);
	disk->pages_used = cpu_to_le32(sb->pages_used);
	disk->feature_compat = cpu_to_le64(sb->feature_compat);
	disk->feature_ro_compat = cpu_to_le64(sb->feature_ro_compat);
	disk->feature_incompat = cpu_to_le64(sb->feature_incompat);
	disk->created = cpu_to_le64(sb->created);
	disk->activated = cpu_to_le64(sb->activated);
	disk->read_errors = cpu_to_le64(sb->read_errors);
	disk->write_errors = cpu_to_le64(sb->write_errors);
	memcpy(disk->main_partuuid, sb->main_partuuid, sizeof(disk->main_partuuid));
	put_text(disk->main_id, sb->main_id, sizeof(disk->main_id));
	put_text(disk->label, sb->label, sizeof(disk->label));
	memcpy(disk->host_id, sb->host_id, sizeof(disk->host_id));
	put_text(disk->host_name, sb->host_name, sizeof(disk->host_name));
	disk->main_start = cpu_to_le64(sb->main_start);
	disk->main_print[0] = cpu_to_le32(sb->main_print[0]);
	disk->main_print[1] = cpu_to_le32(sb->main_print[1]);
	disk->crc32 = cpu_to_le32(superblock_crc(raw));
}

void rmeta_mark_encode(void *raw, const struct rmeta_superblock *sb, enum rmeta_mark mark)
{
	struct disk_superblock *disk = raw;

	rmeta_superblock_encode(raw, sb);
	memcpy(disk->magic, marks[mark], sizeof(disk->magic));
}

void rmeta_superblock_set_copy(void *raw, u8 copy)
{
	struct disk_superblock *disk = raw;

	disk->copy = copy;
	disk->crc32 = cpu_to_le32(superblock_crc(raw));
}

/* Compare all of two objects but a CRC of 4 bytes and a copy number of one. */
static bool same_but(const u8 *raw, const u8 *other, size_t crc_offset, size_t copy_offset)
{
	size_t after_crc = crc_offset + 4, after_copy = copy_offset + 1;

	return !memcmp(raw, other, crc_offset) &&
	       !memcmp(raw + after_crc, other + after_crc, copy_offset - after_crc) &&
	       !memcmp(raw + after_copy, other + after_copy, RMETA_BYTES - after_copy);
}

bool rmeta_superblock_same(const void *raw, const void *other)
{
	return same_but(raw, other, offsetof(struct disk_superblock, crc32),
			offsetof(struct disk_superblock, copy));
}

bool rmeta_page_same(const void *raw, const void *other)
{
	return same_but(raw, other, offsetof(struct disk_page, crc32),
			offsetof(struct disk_page, copy));
}

/*
 * A CRC is linear: changing a byte of a message changes its CRC by a value that depends on the
 * place and on the change, and on nothing else. So the CRCs of two copies that differ in the copy
 * number alone differ by a constant for each of its bits.
 */
static u32 page_crc_change(u8 copy, u8 other)
{
	static const u32 of_bit[3] = { 0xb3bc0590, 0xbc090d61, 0xa3631c83 };
	u8 changed = copy ^ other;

	return (changed & 1 ? of_bit[0] : 0) ^ (changed & 2 ? of_bit[1] : 0) ^
	       (changed & 4 ? of_bit[2] : 0);
}

bool rmeta_page_is_copy_of(const void *raw, u8 copy, const void *valid, u8 valid_copy)
{
	const struct disk_page *disk = raw, *good = valid;

	return disk->copy == copy && rmeta_page_same(raw, valid) &&
	       (le32_to_cpu(disk->crc32) ^ le32_to_cpu(good->crc32)) ==
	       page_crc_change(copy, valid_copy);
}

enum rmeta_defect rmeta_page_decode(const void *raw, const u8 *uuid, u32 page, u8 copy,
				    struct rmeta_page_header *header)
{
	const struct disk_page *disk = raw;

	memset(header, 0, sizeof(*header));
	if (le32_to_cpu(disk->magic) != PAGE_MAGIC)
		return all_zero(raw) ? RMETA_BAD_ZERO : RMETA_BAD_MAGIC;
	if (le32_to_cpu(disk->crc32) != page_crc(raw))
		return RMETA_BAD_CRC;
	if (disk->version != RMETA_VERSION)
		return RMETA_BAD_VERSION;
	header->sequence = le64_to_cpu(disk->sequence);
	memcpy(header->uuid, disk->uuid, sizeof(header->uuid));
	header->main_sectors = le64_to_cpu(disk->main_sectors);
	header->page = le32_to_cpu(disk->page);
	header->block_shift = disk->block_shift;
	header->copy = disk->copy;
	header->reserved = disk->reserved;
	if (uuid && memcmp(uuid, disk->uuid, sizeof(disk->uuid)))
		return RMETA_BAD_UUID;
	if (header->page != page)
		return RMETA_BAD_PAGE;
	return header->copy == copy ? RMETA_GOOD : RMETA_BAD_COPY;
}

static void encode_entry(struct disk_entry *disk, const struct rmeta_entry *entry)
{
	if (entry->state == RMETA_FREE || entry->state == RMETA_RESERVED) {
		memset(disk, 0, sizeof(*disk));
		return;
	}
	disk->where = cpu_to_le64(entry->where);
	disk->time = cpu_to_le32(entry->time);
	disk->state = entry->state;
	disk->reason = entry->reason;
	disk->generation = entry->generation;
	disk->reserved = entry->reserved;
}

/* All of a page's header but the CRC. */
static void encode_header(struct disk_page *disk, const struct rmeta_page_header *header)
{
	disk->magic = cpu_to_le32(PAGE_MAGIC);
	disk->sequence = cpu_to_le64(header->sequence);
	memcpy(disk->uuid, header->uuid, sizeof(disk->uuid));
	disk->main_sectors = cpu_to_le64(header->main_sectors);
	disk->page = cpu_to_le32(header->page);
	disk->version = RMETA_VERSION;
	disk->block_shift = header->block_shift;
	disk->copy = header->copy;
	disk->reserved = header->reserved;
}

void rmeta_page_encode(void *raw, const struct rmeta_page_header *header,
		       const struct rmeta_entry *entries)
{
	struct disk_page *disk = raw;
	unsigned int nr;

	memset(disk, 0, sizeof(*disk));
	encode_header(disk, header);
	if (entries)
		for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++)
			encode_entry(&disk->entry[nr], &entries[nr]);
	disk->crc32 = cpu_to_le32(page_crc(raw));
}

void rmeta_page_set_header(void *raw, const struct rmeta_page_header *header)
{
	struct disk_page *disk = raw;

	encode_header(disk, header);
	disk->crc32 = cpu_to_le32(page_crc(raw));
}

void rmeta_page_set_copy(void *raw, u8 copy)
{
	struct disk_page *disk = raw;

	disk->copy = copy;
	disk->crc32 = cpu_to_le32(page_crc(raw));
}

void rmeta_page_entry(const void *raw, unsigned int nr, struct rmeta_entry *entry)
{
	const struct disk_entry *disk = &((const struct disk_page *)raw)->entry[nr];

	entry->where = le64_to_cpu(disk->where);
	entry->time = le32_to_cpu(disk->time);
	entry->state = disk->state;
	entry->reason = disk->reason;
	entry->generation = disk->generation;
	entry->reserved = disk->reserved;
}

void rmeta_page_set_entry(void *raw, unsigned int nr, const struct rmeta_entry *entry)
{
	struct disk_page *disk = raw;

	encode_entry(&disk->entry[nr], entry);
	disk->crc32 = cpu_to_le32(page_crc(raw));
}

u16 rmeta_block_mask(block_t block, u64 main_sectors, u8 block_shift)
{
	unsigned int block_sectors = 1U << block_shift;
	u64 first_sector = block << block_shift;

	if (first_sector >= main_sectors)
		return 0;
	if (main_sectors - first_sector < block_sectors)
		block_sectors = (unsigned int)(main_sectors - first_sector);
	return (u16)((1U << block_sectors) - 1);
}

const char *rmeta_entry_valid(const struct rmeta_entry *entry, u64 main_sectors, u8 block_shift)
{
	u16 sectors;

	if (entry->state >= RMETA_NR_STATES)
		return "unknown state";
	if (entry->state == RMETA_FREE) {
		if (entry->where || entry->time || entry->reason || entry->generation ||
		    entry->reserved)
			return "free entry is not zero";
		return NULL;
	}
	if (entry->reserved)
		return "reserved byte is not zero";
	if (entry->reason >= RMETA_NR_REASONS)
		return "unknown reason";
	sectors = rmeta_block_mask(rmeta_where_block(entry->where), main_sectors, block_shift);
	if (!sectors)
		return "block is behind the end of main";
	if (rmeta_where_mask(entry->where) & ~sectors)
		return "mask names sectors that the block does not have";
	if (entry->state == RMETA_RETIRED && rmeta_where_mask(entry->where))
		return "retired entry has a mask";
	if (entry->state == RMETA_LOST && !rmeta_where_mask(entry->where))
		return "lost entry has no mask";
	return NULL;
}

static const char *name_of(const char *const *names, unsigned int nr_names, unsigned int nr)
{
	return nr < nr_names ? names[nr] : "unknown";
}

const char *rmeta_verdict_name(enum rmeta_verdict verdict)
{
	static const char *const names[RMETA_NR_VERDICTS] = {
		[RMETA_OK] = "ok",
		[RMETA_STALE] = "stale",
		[RMETA_CORRUPT] = "corrupt",
		[RMETA_FOREIGN] = "foreign",
		[RMETA_UNREADABLE] = "unreadable",
	};

	return name_of(names, RMETA_NR_VERDICTS, verdict);
}

const char *rmeta_defect_text(enum rmeta_defect defect)
{
	static const char *const texts[RMETA_NR_DEFECTS] = {
		[RMETA_GOOD] = "good",
		[RMETA_BAD_MAGIC] = "wrong magic number",
		[RMETA_BAD_ZERO] = "all zero",
		[RMETA_BAD_CRC] = "wrong checksum",
		[RMETA_BAD_VERSION] = "unknown version",
		[RMETA_BAD_COPY] = "belongs to another copy's place",
		[RMETA_BAD_PAGE] = "belongs to another page's place",
		[RMETA_BAD_UUID] = "belongs to another spare",
		[RMETA_BAD_GEOMETRY] = "geometry contradicts itself or the device",
		[RMETA_BAD_READ] = "cannot be read",
	};

	return name_of(texts, RMETA_NR_DEFECTS, defect);
}

const char *rmeta_state_name(unsigned int state)
{
	static const char *const names[RMETA_NR_STATES] = {
		[RMETA_FREE] = "free",
		[RMETA_MAPPED] = "mapped",
		[RMETA_RETIRED] = "retired",
		[RMETA_LOST] = "lost",
	};

	return state == RMETA_RESERVED ? "reserved" : name_of(names, RMETA_NR_STATES, state);
}

const char *rmeta_reason_name(unsigned int reason)
{
	static const char *const names[RMETA_NR_REASONS] = {
		[RMETA_REASON_NONE] = "none",
		[RMETA_REASON_WRITE] = "write",
		[RMETA_REASON_READ] = "read",
		[RMETA_REASON_MANUAL] = "manual",
		[RMETA_REASON_BADBLOCKS] = "badblocks",
		[RMETA_REASON_SMART] = "smart",
		[RMETA_REASON_IMPORT] = "import",
		[RMETA_REASON_SCAN] = "scan",
		[RMETA_REASON_MOVED] = "moved",
		[RMETA_REASON_REPAIR] = "repair",
	};

	return name_of(names, RMETA_NR_REASONS, reason);
}
