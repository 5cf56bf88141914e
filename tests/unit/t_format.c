// SPDX-License-Identifier: GPL-2.0-only
/*
 * format.c: superblocks, pages and entries to bytes and back; each defect; tearing.
 */
#include "format.h"
#include "tap.h"

static const u8 uuid[16] = "0123456789abcdef";
static u8 raw[RMETA_BYTES], other[RMETA_BYTES];

/* A superblock in which no field is zero and no two have the same value. */
static struct rmeta_superblock full_superblock(void)
{
	struct rmeta_superblock sb;

	memset(&sb, 0, sizeof(sb));
	memcpy(sb.uuid, uuid, sizeof(sb.uuid));
	sb.sequence = 0x0000010000000002ULL;
	sb.copy = 3;
	sb.block_shift = 4;
	sb.state = RMETA_IN_USE | RMETA_PRINT_VALID;
	sb.activations = 0x123456;
	sb.main_sectors = 0x1122334455667788ULL;
	sb.spare_sectors = 0x2233445566778899ULL;
	sb.zone_start = 0x33445566778899aaULL;
	sb.zone_sectors = 0x445566778899aabbULL;
	sb.zone_slots = 0x55667788;
	sb.table_pages = 0x66778899;
	sb.pages_used = 0x778899aa;
	sb.feature_compat = 0x8899aabbccddeeffULL;
	sb.feature_ro_compat = 0x99aabbccddeeff00ULL;
	sb.feature_incompat = 0xaabbccddeeff0011ULL;
	sb.created = 0xbbccddeeff001122ULL;
	sb.activated = 0xccddeeff00112233ULL;
	sb.read_errors = 0xddeeff0011223344ULL;
	sb.write_errors = 0xeeff001122334455ULL;
	memset(sb.main_partuuid, 0xa5, sizeof(sb.main_partuuid));
	memset(sb.main_id, 'm', sizeof(sb.main_id) - 1);
	strcpy(sb.label, "label");
	memset(sb.host_id, 0x5a, sizeof(sb.host_id));
	strcpy(sb.host_name, "host");
	sb.main_start = 0x0102030405060708ULL;
	sb.main_print[0] = 0x11111111;
	sb.main_print[1] = 0x22222222;
	return sb;
}

static u64 little(unsigned int offset, unsigned int bytes)
{
	u64 value = 0;

	while (bytes--)
		value = value << 8 | raw[offset + bytes];
	return value;
}

static void test_superblock_bytes(void)
{
	struct rmeta_superblock sb = full_superblock(), back;
	unsigned int offset, nonzero = 0;
	u32 crc;

	memset(raw, 0, sizeof(raw));
	rmeta_superblock_encode(raw, &sb);
	is(rmeta_superblock_decode(raw, 3, &back), RMETA_GOOD, "a superblock decodes");
	ok(!memcmp(&sb, &back, sizeof(sb)), "  to what was encoded");
	ok(!memcmp(raw, "DMREMAP4", 8), "magic at 0");
	is(little(12, 4), 4, "version at 12");
	ok(!memcmp(raw + 16, uuid, 16), "uuid at 16");
	is(little(32, 8), sb.sequence, "sequence at 32");
	is(raw[40], 3, "copy at 40");
	is(raw[41], 4, "block_shift at 41");
	is(little(42, 2), sb.state, "state at 42");
	is(little(44, 4), sb.activations, "activations at 44");
	is(little(48, 8), sb.main_sectors, "main_sectors at 48");
	is(little(72, 8), sb.zone_sectors, "zone_sectors at 72");
	is(little(88, 4), sb.pages_used, "pages_used at 88");
	is(little(112, 8), sb.feature_incompat, "feature_incompat at 112");
	is(little(144, 8), sb.write_errors, "write_errors at 144");
	is(raw[176 + 63], 'm', "main_id fills its field");
	ok(!strcmp((char *)raw + 240, "label"), "label at 240");
	ok(!strcmp((char *)raw + 288, "host"), "host_name at 288");
	is(little(352, 8), sb.main_start, "main_start at 352");
	is(little(364, 4), sb.main_print[1], "main_print[1] at 364");
	for (offset = 368; offset < RMETA_BYTES; offset++)
		nonzero += raw[offset] != 0;
	is(nonzero, 0, "zero from 368 on");

	crc = (u32)little(8, 4);
	memcpy(other, raw, sizeof(raw));
	memset(other + 8, 0, 4);
	is(crc32(0, other, sizeof(other)), crc, "CRC-32 is zlib's over all, itself zero");
}

static void test_superblock_keeps_unknown(void)
{
	struct rmeta_superblock sb = full_superblock(), back;

	memset(raw, 0, sizeof(raw));
	raw[92] = 0x77;
	raw[2000] = 0x88;
	rmeta_superblock_encode(raw, &sb);
	is(raw[92], 0x77, "encoding keeps a reserved field");
	is(raw[2000], 0x88, "  and bytes behind the last one");
	is(rmeta_superblock_decode(raw, 3, &back), RMETA_GOOD, "  under its CRC");
	rmeta_superblock_set_copy(raw, 1);
	is(rmeta_superblock_decode(raw, 1, &back), RMETA_GOOD, "another copy of it");
	is(back.copy, 1, "  says so");
	memcpy(other, raw, sizeof(raw));
	rmeta_superblock_set_copy(other, 2);
	ok(rmeta_superblock_same(raw, other), "copies of one version are the same");
	sb.activated++;
	rmeta_superblock_encode(other, &sb);
	ok(!rmeta_superblock_same(raw, other), "versions are not");
}

/* Put a CRC on what is in raw, so that only what was changed is wrong. */
static void seal(unsigned int crc_offset)
{
	u32 crc;

	memset(raw + crc_offset, 0, 4);
	crc = htole32((u32)crc32(0, raw, sizeof(raw)));
	memcpy(raw + crc_offset, &crc, 4);
}

static void test_superblock_defects(void)
{
	struct rmeta_superblock sb = full_superblock(), back;
	unsigned int offset, undetected = 0;

	memset(raw, 0, sizeof(raw));
	is(rmeta_superblock_decode(raw, 0, &back), RMETA_BAD_ZERO, "zeroes");
	raw[4095] = 1;
	is(rmeta_superblock_decode(raw, 0, &back), RMETA_BAD_MAGIC, "almost zeroes");
	memset(raw, 0, sizeof(raw));
	rmeta_superblock_encode(raw, &sb);
	for (offset = 8; offset < RMETA_BYTES; offset++) {
		raw[offset] ^= 0x10;
		undetected += rmeta_superblock_decode(raw, 3, &back) != RMETA_BAD_CRC;
		raw[offset] ^= 0x10;
	}
	is(undetected, 0, "one bit wrong in any byte");
	is(rmeta_superblock_decode(raw, 4, &back), RMETA_BAD_COPY, "in another copy's place");
	is(back.sequence, sb.sequence, "  is decoded all the same");
	raw[12] = 5;
	seal(8);
	is(rmeta_superblock_decode(raw, 3, &back), RMETA_BAD_VERSION, "another version");
	raw[0] = 'X';
	seal(8);
	is(rmeta_superblock_decode(raw, 3, &back), RMETA_BAD_MAGIC, "another magic");
}

static void test_superblock_marked(enum rmeta_mark mark)
{
	struct rmeta_superblock sb = full_superblock(), back;
	unsigned int byte, undetected = 0;
	u8 plain[RMETA_BYTES] = { 0 };

	rmeta_superblock_encode(plain, &sb);
	memset(raw, 0, sizeof(raw));
	rmeta_mark_encode(raw, &sb, mark);
	is(rmeta_superblock_decode(raw, 3, &back), RMETA_BAD_MAGIC, "marked, it does not count");
	is(memcmp(raw + 8, plain + 8, RMETA_BYTES - 8), 0, "only its magic is another");
	is(rmeta_mark_decode(raw, 3, &back), mark, "the mark is recognised");
	is(memcmp(&back, &sb, sizeof(sb)), 0, "and says what the superblock said");
	is(rmeta_mark_decode(raw, 4, &back), RMETA_MARK_NONE, "not in another copy's place");
	is(rmeta_mark_decode(plain, 3, &back), RMETA_MARK_NONE, "a superblock is no mark");
	for (byte = 0; byte < RMETA_BYTES; byte++) {
		raw[byte] ^= 1;
		undetected += rmeta_mark_decode(raw, 3, &back) != RMETA_MARK_NONE;
		raw[byte] ^= 1;
	}
	is(undetected, 0, "a bit of any byte is noticed");
	rmeta_mark_encode(raw, &sb, RMETA_MARK_NONE);
	is(memcmp(raw, plain, RMETA_BYTES), 0, "without a mark it counts");
}

static void fill_entries(struct rmeta_entry *entries)
{
	unsigned int nr;

	memset(entries, 0, RMETA_PAGE_ENTRIES * sizeof(*entries));
	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr += 2)
		entries[nr] = (struct rmeta_entry){
			.where = rmeta_where(0xfedcba987654ULL - nr, (u16)(0x8001 + nr)),
			.time = 0xf0000000U + nr,
			.state = (u8)(RMETA_MAPPED + nr / 2 % 3),
			.reason = (u8)(nr % RMETA_NR_REASONS),
			.generation = (u8)(255 - nr),
		};
}

static struct rmeta_page_header page_header(void)
{
	struct rmeta_page_header header;

	memset(&header, 0, sizeof(header));
	header.sequence = 0x0000020000000003ULL;
	memcpy(header.uuid, uuid, sizeof(header.uuid));
	header.main_sectors = 0x1122334455667788ULL;
	header.page = 0x01020304;
	header.block_shift = 3;
	header.copy = 2;
	return header;
}

static void test_page_bytes(void)
{
	struct rmeta_page_header header = page_header(), back;
	struct rmeta_entry entries[RMETA_PAGE_ENTRIES], entry;
	unsigned int nr, wrong = 0;

	fill_entries(entries);
	memset(raw, 0xee, sizeof(raw));
	rmeta_page_encode(raw, &header, entries);
	is(rmeta_page_decode(raw, uuid, header.page, 2, &back), RMETA_GOOD, "a page decodes");
	ok(!memcmp(&header, &back, sizeof(header)), "  to its header");
	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++) {
		rmeta_page_entry(raw, nr, &entry);
		wrong += memcmp(&entry, &entries[nr], sizeof(entry)) != 0;
	}
	is(wrong, 0, "  and its 253 entries");
	ok(!memcmp(raw, "DMRP", 4), "magic at 0");
	is(little(8, 8), header.sequence, "sequence at 8");
	ok(!memcmp(raw + 16, uuid, 16), "uuid at 16");
	is(little(32, 8), header.main_sectors, "main_sectors at 32");
	is(little(40, 4), header.page, "page at 40");
	is(raw[44], 4, "version at 44");
	is(raw[45], 3, "block_shift at 45");
	is(raw[46], 2, "copy at 46");
	is(little(48 + 32, 8), entries[2].where, "entry 2 at 80: where");
	is(little(48 + 40, 4), entries[2].time, "  time");
	is(raw[48 + 44], entries[2].state, "  state");
	is(raw[48 + 45], entries[2].reason, "  reason");
	is(raw[48 + 46], entries[2].generation, "  generation");
	is(rmeta_page_decode(raw, NULL, header.page, 2, &back), RMETA_GOOD, "of any spare");

	entries[7].state = RMETA_RESERVED;
	entries[7].where = 7;
	rmeta_page_encode(raw, &header, entries);
	rmeta_page_entry(raw, 7, &entry);
	is(entry.state, RMETA_FREE, "a reserved slot is free on disk");
	is(entry.where, 0, "  wholly");
	rmeta_page_encode(raw, &header, NULL);
	is(rmeta_page_decode(raw, uuid, header.page, 2, &back), RMETA_GOOD, "an empty page");
	rmeta_page_entry(raw, 252, &entry);
	is(entry.state, RMETA_FREE, "  has free entries");
}

static void test_page_changes(void)
{
	struct rmeta_page_header header = page_header(), back;
	struct rmeta_entry entries[RMETA_PAGE_ENTRIES], entry;

	fill_entries(entries);
	rmeta_page_encode(raw, &header, entries);
	memcpy(other, raw, sizeof(raw));
	rmeta_page_set_copy(other, 4);
	is(rmeta_page_decode(other, uuid, header.page, 4, &back), RMETA_GOOD, "another copy");
	ok(rmeta_page_same(raw, other), "  is the same");
	rmeta_page_set_entry(other, 252, &entries[0]);
	is(rmeta_page_decode(other, uuid, header.page, 4, &back), RMETA_GOOD, "another entry");
	rmeta_page_entry(other, 252, &entry);
	ok(!memcmp(&entry, &entries[0], sizeof(entry)), "  is there");
	ok(!rmeta_page_same(raw, other), "  and is not the same");
	header.sequence++;
	rmeta_page_set_header(other, &header);
	is(rmeta_page_decode(other, uuid, header.page, 2, &back), RMETA_GOOD, "another header");
	is(back.sequence, header.sequence, "  is there");
	rmeta_page_entry(other, 252, &entry);
	ok(!memcmp(&entry, &entries[0], sizeof(entry)), "  over the same entries");
}

static void test_page_defects(void)
{
	static const u8 another[16] = "another";
	struct rmeta_page_header header = page_header(), back;
	struct rmeta_entry entries[RMETA_PAGE_ENTRIES];
	unsigned int offset, undetected = 0;

	memset(raw, 0, sizeof(raw));
	is(rmeta_page_decode(raw, uuid, 0, 0, &back), RMETA_BAD_ZERO, "zeroes");
	fill_entries(entries);
	rmeta_page_encode(raw, &header, entries);
	is(rmeta_page_decode(raw, another, header.page, 2, &back), RMETA_BAD_UUID, "another spare");
	is(rmeta_page_decode(raw, uuid, header.page + 1, 2, &back), RMETA_BAD_PAGE, "another page");
	is(rmeta_page_decode(raw, uuid, header.page, 1, &back), RMETA_BAD_COPY, "another copy");
	is(back.sequence, header.sequence, "  is decoded all the same");
	for (offset = 4; offset < RMETA_BYTES; offset++) {
		raw[offset] ^= 0x01;
		undetected += rmeta_page_decode(raw, uuid, header.page, 2, &back) != RMETA_BAD_CRC;
		raw[offset] ^= 0x01;
	}
	is(undetected, 0, "one bit wrong in any byte");
	raw[44] = 3;
	seal(4);
	is(rmeta_page_decode(raw, uuid, header.page, 2, &back), RMETA_BAD_VERSION, "another version");
	raw[0] = 0;
	seal(4);
	is(rmeta_page_decode(raw, uuid, header.page, 2, &back), RMETA_BAD_MAGIC, "another magic");
}

/* A page torn at any sector between two versions is neither. */
/* A copy that is compared instead of verified gets the same answer. */
static void test_page_copies(void)
{
	struct rmeta_page_header header = { .sequence = 9, .page = 7, .main_sectors = 8003 }, back;
	struct rmeta_entry entries[RMETA_PAGE_ENTRIES];
	unsigned int nr, bit, wrong = 0, taken = 0;
	u8 copy, rival;

	memcpy(header.uuid, uuid, sizeof(uuid));
	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++)
		entries[nr] = (struct rmeta_entry){ .where = nr * 0x1234567ULL,
						    .state = RMETA_MAPPED, .time = nr };
	for (copy = 0; copy < RMETA_COPIES; copy++)
		for (rival = 0; rival < RMETA_COPIES; rival++) {
			header.copy = copy;
			rmeta_page_encode(raw, &header, entries);
			header.copy = rival;
			rmeta_page_encode(other, &header, entries);
			wrong += !rmeta_page_is_copy_of(other, rival, raw, copy);
			taken += rmeta_page_is_copy_of(other, (rival + 1) % 5, raw, copy);
		}
	is(wrong, 0, "each copy of a page is recognised by each other");
	is(taken, 0, "  in its own place only");
	header.copy = 2;
	rmeta_page_encode(raw, &header, entries);
	header.copy = 4;
	rmeta_page_encode(other, &header, entries);
	for (taken = 0, bit = 0; bit < RMETA_BYTES * 8; bit++) {
		other[bit / 8] ^= 1U << bit % 8;
		taken += rmeta_page_is_copy_of(other, 4, raw, 2) ||
			 rmeta_page_decode(other, uuid, 7, 4, &back) == RMETA_GOOD;
		other[bit / 8] ^= 1U << bit % 8;
	}
	is(taken, 0, "with any one bit changed it is not");
	header.sequence++;
	rmeta_page_encode(other, &header, entries);
	ok(!rmeta_page_is_copy_of(other, 4, raw, 2), "nor is another version");
}

static void test_tearing(void)
{
	struct rmeta_page_header header = page_header(), back;
	struct rmeta_entry entries[RMETA_PAGE_ENTRIES];
	unsigned int sector, valid = 0;
	u8 torn[RMETA_BYTES];

	fill_entries(entries);
	rmeta_page_encode(raw, &header, entries);
	header.sequence++;
	entries[252].state = RMETA_RETIRED;
	entries[252].where = 5;
	rmeta_page_encode(other, &header, entries);
	for (sector = 1; sector < RMETA_SECTORS; sector++) {
		memcpy(torn, other, 512 * sector);
		memcpy(torn + 512 * sector, raw + 512 * sector, RMETA_BYTES - 512 * sector);
		valid += rmeta_page_decode(torn, uuid, header.page, 2, &back) == RMETA_GOOD;
		memcpy(torn, raw, 512 * sector);
		memcpy(torn + 512 * sector, other + 512 * sector, RMETA_BYTES - 512 * sector);
		valid += rmeta_page_decode(torn, uuid, header.page, 2, &back) == RMETA_GOOD;
	}
	is(valid, 0, "torn at any sector, from either end, it is not valid");
}

#define MAIN_SECTORS 8003ULL	/* 1001 blocks of 8, the last one of 3 */

static void valid_entry(const char *what, bool valid, struct rmeta_entry entry)
{
	const char *wrong = rmeta_entry_valid(&entry, MAIN_SECTORS, 3);

	ok(!wrong == valid, "%s: %s", what, wrong ? wrong : "valid");
}

#define ENTRY(...) ((struct rmeta_entry){ __VA_ARGS__ })

static void test_entries(void)
{
	is(rmeta_block_mask(0, MAIN_SECTORS, 3), 0xff, "a block has 8 sectors");
	is(rmeta_block_mask(1000, MAIN_SECTORS, 3), 0x07, "the last one 3");
	is(rmeta_block_mask(1001, MAIN_SECTORS, 3), 0, "the next none");
	is(rmeta_block_mask(0, MAIN_SECTORS, 4), 0xffff, "a block of 16");
	is(rmeta_block_mask(8002, MAIN_SECTORS, 0), 1, "a block of one");
	is(rmeta_where_block(rmeta_where(0xffffffffffffULL, 0x8000)), 0xffffffffffffULL,
	   "block and mask share a word");
	is(rmeta_where_mask(rmeta_where(0xffffffffffffULL, 0x8000)), 0x8000, "  and part again");

	valid_entry("free", true, ENTRY(.state = RMETA_FREE));
	valid_entry("free with a time", false, ENTRY(.time = 1));
	valid_entry("free with a generation", false, ENTRY(.generation = 1));
	valid_entry("mapped", true, ENTRY(.state = RMETA_MAPPED, .where = 1000));
	valid_entry("mapped, pending", true,
		    ENTRY(.state = RMETA_MAPPED, .where = rmeta_where(1000, 7)));
	valid_entry("mapped, pending behind the end", false,
		    ENTRY(.state = RMETA_MAPPED, .where = rmeta_where(1000, 8)));
	valid_entry("mapped, behind the end", false, ENTRY(.state = RMETA_MAPPED, .where = 1001));
	valid_entry("lost", true, ENTRY(.state = RMETA_LOST, .where = rmeta_where(3, 1)));
	valid_entry("lost, nothing", false, ENTRY(.state = RMETA_LOST, .where = 3));
	valid_entry("retired", true, ENTRY(.state = RMETA_RETIRED, .where = 3));
	valid_entry("retired with a mask", false,
		    ENTRY(.state = RMETA_RETIRED, .where = rmeta_where(3, 1)));
	valid_entry("unknown state", false, ENTRY(.state = RMETA_NR_STATES, .where = 3));
	valid_entry("reserved on disk", false, ENTRY(.state = RMETA_RESERVED, .where = 3));
	valid_entry("last reason", true,
		    ENTRY(.state = RMETA_MAPPED, .reason = RMETA_NR_REASONS - 1));
	valid_entry("unknown reason", false,
		    ENTRY(.state = RMETA_MAPPED, .reason = RMETA_NR_REASONS));
	valid_entry("reserved byte", false, ENTRY(.state = RMETA_MAPPED, .reserved = 1));
}

static void test_names(void)
{
	unsigned int i, unknown = 0;

	for (i = 0; i < RMETA_NR_VERDICTS; i++)
		unknown += !strcmp(rmeta_verdict_name(i), "unknown");
	for (i = 0; i < RMETA_NR_DEFECTS; i++)
		unknown += !strcmp(rmeta_defect_text(i), "unknown");
	for (i = 0; i < RMETA_NR_STATES; i++)
		unknown += !strcmp(rmeta_state_name(i), "unknown");
	for (i = 0; i < RMETA_NR_REASONS; i++)
		unknown += !strcmp(rmeta_reason_name(i), "unknown");
	is(unknown, 0, "everything has a name");
	is_str(rmeta_state_name(77), "unknown", "what is not, has none");
	is(rmeta_sequence(RMETA_MAX_ACTIVATIONS, (1ULL << 40) - 1), ~0ULL, "the last sequence");
}

int main(void)
{
	test_superblock_bytes();
	test_superblock_keeps_unknown();
	test_superblock_defects();
	test_superblock_marked(RMETA_MARK_MAKING);
	test_superblock_marked(RMETA_MARK_ERASING);
	test_superblock_marked(RMETA_MARK_TAKING);
	test_page_bytes();
	test_page_changes();
	test_page_defects();
	test_page_copies();
	test_tearing();
	test_entries();
	test_names();
	return done();
}
