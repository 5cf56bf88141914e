// SPDX-License-Identifier: GPL-2.0-only
/*
 * What dumpe2fs prints of a filesystem: among much else its block size and, on one line that
 * can be very long, its bad blocks. (dumpe2fs -b prints numbers only; that is a list of
 * badblocks.)
 */
#include "list_parser.h"

static bool recognise(const char *line, size_t bytes)
{
	struct scan scan = scan_line(line, bytes);

	return scan_word(&scan, "dumpe2fs ") || scan_word(&scan, "Filesystem volume name:") ||
	       scan_word(&scan, "Bad blocks:");
}

static int begin(struct list *list)
{
	list->unit_bytes = 0;	/* until the line that says it */
	return 0;
}

static int parse_block_size(struct list *list, struct scan scan)
{
	u64 bytes;

	scan_blanks(&scan);
	if (!scan_number(&scan, &bytes) || scan.at < scan.end || bytes < 512 || bytes > 1U << 30 ||
	    bytes % 512)
		return list_fail(list, "line %llu: the block size of the filesystem makes no sense",
				 (unsigned long long)list->lines);
	list->unit_bytes = (u32)bytes;
	list->silent++;
	return 0;
}

static int parse_bad_blocks(struct list *list, struct scan scan)
{
	const char *comma;
	struct scan word, rest;
	u64 block;
	int r;

	if (!list->unit_bytes)
		return list_fail(list, "line %llu: bad blocks come before the block size of the filesystem; use the whole output of dumpe2fs -h",
				 (unsigned long long)list->lines);
	while (scan.at < scan.end) {
		comma = memchr(scan.at, ',', scan_left(&scan));
		word = (struct scan){ scan.at, comma ? comma : scan.end };
		scan.at = comma ? comma + 1 : scan.end;
		scan_blanks(&word);
		rest = word;
		if (!scan_number(&rest, &block) || rest.at < rest.end) {
			list_reject(list, word.at, scan_left(&word),
				    scan_explain(word.at, scan_left(&word)));
			continue;
		}
		r = list_add(list, block, 1, word.at, scan_left(&word));
		if (r)
			return r;
	}
	return 0;
}

static int parse_line(struct list *list, const char *text, size_t bytes)
{
	struct scan scan = scan_line(text, bytes);

	if (scan_word(&scan, "Block size:"))
		return parse_block_size(list, scan);
	if (scan_word(&scan, "Bad blocks:"))
		return parse_bad_blocks(list, scan);
	list->silent++;
	return 0;
}

static int end(struct list *list)
{
	if (!list->unit_bytes)
		return list_fail(list, "there is no block size in it; use the whole output of dumpe2fs -h");
	return 0;
}

const struct list_parser list_dumpe2fs = {
	.name = "dumpe2fs",
	.title = "what dumpe2fs prints of a filesystem",
	.reason = RMETA_REASON_IMPORT,
	.unit_fixed = true,
	.line_bytes = (size_t)64 << 20,
	.recognise = recognise,
	.begin = begin,
	.line = parse_line,
	.end = end,
};
