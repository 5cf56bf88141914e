// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: lists of bad blocks. Every line is read a second time, one byte after the other,
 * and both ways must name the same blocks of main.
 */
#include "fuzz_disk.h"
#include "list.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

/* What the slow way finds. */
struct expected {
	struct ranges ranges;
	u64 lines;
	u64 rejected;
	u64 blank;
};

static u64 nr_rejects;

static void reject(void *ctx, u64 line, const char *text, size_t bytes, const char *reason)
{
	FUZZ_CHECK(line && text && reason && *reason, "a line rejected without a reason");
	nr_rejects++;
}

static bool is_space(u8 c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static void expect_line(struct expected *expected, const struct list *list, const u8 *text,
			size_t bytes)
{
	u64 unit = 0, first_sector, end_sector;
	bool bad = false;
	size_t i;

	expected->lines++;
	while (bytes && is_space(*text)) {
		text++;
		bytes--;
	}
	while (bytes && is_space(text[bytes - 1]))
		bytes--;
	if (!bytes) {
		expected->blank++;
		return;
	}
	for (i = 0; i < bytes; i++) {
		bad |= text[i] < '0' || text[i] > '9';
		bad |= __builtin_mul_overflow(unit, (u64)10, &unit);
		bad |= __builtin_add_overflow(unit, (u64)(text[i] - '0'), &unit);
	}
	bad |= __builtin_mul_overflow(unit, (u64)(list->unit_bytes / 512), &first_sector);
	if (bad || first_sector >= list->main_sectors) {
		expected->rejected++;
		return;
	}
	end_sector = min(list->main_sectors, first_sector + list->unit_bytes / 512);
	FUZZ_CHECK(!ranges_add(&expected->ranges, first_sector >> list->block_shift,
			       ((end_sector - 1) >> list->block_shift) + 1), "no memory");
}

static void verify(const struct list *list, const u8 *data, size_t bytes)
{
	struct expected expected = { .lines = 0 };
	const u8 *newline;
	size_t i;

	while (bytes) {
		newline = memchr(data, '\n', bytes);
		i = newline ? (size_t)(newline - data) : bytes;
		expect_line(&expected, list, data, i);
		i += newline != NULL;
		data += i;
		bytes -= i;
	}
	FUZZ_CHECK(!ranges_finish(&expected.ranges), "no memory");
	FUZZ_CHECK(list->lines == expected.lines && list->rejected == expected.rejected &&
		   list->blank == expected.blank && nr_rejects == expected.rejected,
		   "wrong counts");
	FUZZ_CHECK(list->ranges.nr == expected.ranges.nr, "other ranges");
	for (i = 0; i < list->ranges.nr; i++) {
		const struct range *range = &list->ranges.range[i];

		FUZZ_CHECK(range->first == expected.ranges.range[i].first &&
			   range->end == expected.ranges.range[i].end, "other blocks");
		FUZZ_CHECK(range->first < range->end, "an empty range");
		FUZZ_CHECK(!i || range[-1].end < range->first, "ranges that touch");
		FUZZ_CHECK(ranges_contain(&list->ranges, range->first) &&
			   ranges_contain(&list->ranges, range->end - 1) &&
			   !ranges_contain(&list->ranges, range->end), "not found in the set");
	}
	ranges_free(&expected.ranges);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct fuzz_input input = { data, bytes };
	struct list list = { .parser = &list_badblocks, .reject = reject };

	list.unit_bytes = 512 * (1U + (fuzz_u8(&input) & 0x1f));
	list.block_shift = fuzz_u8(&input) % (RMETA_MAX_BLOCK_SHIFT + 1);
	list.main_sectors = 1 + (u64)fuzz_u32(&input);
	/* No list may name more than 2^48 blocks: main is that long at most. */
	if (fuzz_u8(&input) & 1)
		list.main_sectors <<= 16;
	nr_rejects = 0;
	FUZZ_CHECK(!list_parse(&list, (const char *)input.data, input.bytes),
		   "the list cannot be read");
	verify(&list, input.data, input.bytes);
	list_free(&list);
	return 0;
}
