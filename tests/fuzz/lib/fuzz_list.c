// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading one list from an input. See fuzz_list.h. A list that is read in parts, not in lines, is
 * read once more in small ones, and must come out the same.
 */
#include "fuzz_disk.h"
#include "fuzz_list.h"

/**
 * struct heard - what a list had to say
 */
struct heard {
	u64 rejects;
};

static void check_text(const char *text)
{
	FUZZ_CHECK(text && *text, "nothing is said");
	for (; *text; text++)
		FUZZ_CHECK((u8)*text >= ' ' && *text != 0x7f, "a message that is not safe to print");
}

static void hear_reject(void *ctx, u64 line, const char *text, size_t bytes, const char *reason)
{
	struct heard *heard = ctx;

	FUZZ_CHECK(line && text, "a rejected entry without number or text");
	check_text(reason);
	heard->rejects++;
}

static void hear_say(void *ctx, enum list_tone tone, const char *text)
{
	check_text(text);
}

static void set_up(struct list *list, const struct list_parser *parser, struct heard *heard,
		   struct fuzz_input *input)
{
	u8 flags = fuzz_u8(input), shape = fuzz_u8(input);
	u16 place = fuzz_u16(input);

	*list = (struct list){
		.parser = parser,
		.block_shift = shape % (RMETA_MAX_BLOCK_SHIFT + 1),
		.main_sectors = ((u64)(shape >> 3) + 1) << ((flags >> 4) * 2),
		.reject = hear_reject,
		.say = hear_say,
		.ctx = heard,
	};
	if (flags & 1)
		list->origin_sectors = (s64)(int16_t)place * 64;
	if ((flags & 2) && !(parser && parser->unit_fixed))
		list->unit_bytes = 512U << (place & 7);
	list->wishes.io_errors = flags & 4;
	list->wishes.unfinished = flags & 4;
	if (flags & 8)
		list->wishes.disk = "sdb";
}

static void check_ranges(const struct list *list)
{
	block_t end = DIV_ROUND_UP(list->main_sectors, (u64)1 << list->block_shift);
	size_t i;

	for (i = 0; i < list->ranges.nr; i++) {
		const struct range *range = &list->ranges.range[i];

		FUZZ_CHECK(range->first < range->end && range->end <= end, "not on main");
		FUZZ_CHECK(!i || range[-1].end < range->first, "ranges that touch");
	}
	FUZZ_CHECK(!list->ranges.nr == !list->taken, "entries without blocks");
}

/* What list_parse() does, but a few bytes at a time. */
static int parse_parts(struct list *list, const u8 *data, size_t bytes)
{
	size_t part;
	int r;

	if (!list->unit_bytes)
		list->unit_bytes = list->parser->unit_bytes;
	list->state = calloc(1, list->parser->state_bytes);
	FUZZ_CHECK(list->state, "no memory");
	r = list->parser->begin(list);
	for (; bytes && !r; data += part, bytes -= part) {
		part = min(bytes, (size_t)1 + bytes % 97);
		r = list->parser->chunk(list, (const char *)data, part);
	}
	if (!r)
		r = list->parser->end(list);
	return r ? r : ranges_finish(&list->ranges);
}

static void compare_parts(const struct list *whole, int r, struct fuzz_input start)
{
	struct heard heard = { 0 };
	struct list parts;

	set_up(&parts, whole->parser, &heard, &start);
	FUZZ_CHECK(parse_parts(&parts, start.data, start.bytes) == r, "parts: another outcome");
	if (!r)
		FUZZ_CHECK(parts.taken == whole->taken && parts.rejected == whole->rejected &&
			   parts.silent == whole->silent && parts.ranges.nr == whole->ranges.nr &&
			   ranges_blocks(&parts.ranges) == ranges_blocks(&whole->ranges),
			   "parts: other entries");
	list_free(&parts);
}

void fuzz_list(const struct list_parser *parser, const u8 *data, size_t bytes, bool one_each)
{
	struct fuzz_input input = { data, bytes }, start = input;
	struct heard heard = { 0 };
	struct list list;
	int r;

	set_up(&list, parser, &heard, &input);
	r = list_parse(&list, (const char *)input.data, input.bytes);
	FUZZ_CHECK(!r || r == -EBADMSG, "error %d", r);
	if (r) {
		check_text(list.failure);
	} else {
		FUZZ_CHECK(heard.rejects == list.rejected, "rejected in silence");
		if (one_each)
			FUZZ_CHECK(list.blank + list.silent + list.rejected + list.taken ==
				   list.lines, "lines that are nothing");
		check_ranges(&list);
	}
	if (list.parser && list.parser->chunk)
		compare_parts(&list, r, start);
	list_free(&list);
}
