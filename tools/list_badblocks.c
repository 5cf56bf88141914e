// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists of badblocks(8) and dumpe2fs -b: one decimal number a line, counting blocks of a size
 * that the list does not say.
 *
 * Read at the speed of memory: lines that are nothing but a number go through one loop;
 * every other line takes the slow way, which knows what to say of it.
 */
#include "list_parser.h"

#define BADBLOCKS_BYTES 1024	/* unit of badblocks(8) without -b */

/**
 * struct fast - what the loop needs
 * @first_unit: first unit that lies on main with all of it
 * @end_unit: first unit behind that does not
 * @unit_sectors: size of a unit
 * @origin_sectors: as in struct list
 */
struct fast {
	u64 first_unit;
	u64 end_unit;
	u64 unit_sectors;
	u64 origin_sectors;
};

static int begin(struct list *list)
{
	struct fast *fast = list->state;
	s64 end = list->origin_sectors + (s64)list->main_sectors;

	fast->unit_sectors = list->unit_bytes / 512;
	fast->origin_sectors = (u64)list->origin_sectors;
	if (list->origin_sectors > 0)
		fast->first_unit = DIV_ROUND_UP(fast->origin_sectors, fast->unit_sectors);
	if (end > 0)
		fast->end_unit = (u64)end / fast->unit_sectors;
	return 0;
}

static bool recognise(const char *line, size_t bytes)
{
	struct scan scan = scan_line(line, bytes);
	u64 number;

	return scan_number(&scan, &number) && scan.at == scan.end;
}

static int parse_line(struct list *list, const char *text, size_t bytes)
{
	struct scan scan = scan_line(text, bytes);
	u64 unit;

	if (scan_number(&scan, &unit) && scan.at == scan.end)
		return list_add(list, unit, 1, text, bytes);
	list_reject(list, text, bytes, scan_explain(text, bytes));
	return 0;
}

static int parse_lines(struct list *list, const char *text, const char *end)
{
	const struct fast fast = *(struct fast *)list->state;
	const u8 shift = list->block_shift;
	const char *start, *newline;
	u64 unit, first;
	unsigned int digit;
	int r;

	while (text < end) {
		start = text;
		unit = 0;
		while ((digit = (unsigned char)*text - '0') <= 9) {
			unit = unit * 10 + digit;
			text++;
		}
		/* 18 digits do not overflow. */
		if (*text == '\n' && text > start && text - start <= 18 &&
		    unit >= fast.first_unit && unit < fast.end_unit) {
			list->lines++;
			list->taken++;
			first = unit * fast.unit_sectors - fast.origin_sectors;
			r = ranges_add(&list->ranges, first >> shift,
				       ((first + fast.unit_sectors - 1) >> shift) + 1);
		} else {
			newline = memchr(text, '\n', (size_t)(end - text));
			r = list_line(list, start, (size_t)(newline - start));
			text = newline;
		}
		if (r)
			return r;
		text++;
	}
	return 0;
}

const struct list_parser list_badblocks = {
	.name = "badblocks",
	.title = "a list of block numbers, as badblocks prints",
	.reason = RMETA_REASON_BADBLOCKS,
	.unit_bytes = BADBLOCKS_BYTES,
	.follows = true,
	.line_bytes = LIST_LINE_BYTES,
	.state_bytes = sizeof(struct fast),
	.recognise = recognise,
	.begin = begin,
	.lines = parse_lines,
	.line = parse_line,
};
