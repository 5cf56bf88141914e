// SPDX-License-Identifier: GPL-2.0-only
/*
 * What mdadm --examine-badblocks prints: a line for the device, then "5096 for 8 sectors" for
 * each run. md counts them from the start of its component, the data offset included.
 */
#include "list_parser.h"

/**
 * struct examine - how far the parser is
 * @devices: lines that name a device with bad blocks
 * @begun: any line has been seen
 */
struct examine {
	unsigned int devices;
	bool begun;
};

static bool is_run(struct scan scan, u64 *sector, u64 *count)
{
	return scan_number(&scan, sector) && scan_blanks(&scan) && scan_word(&scan, "for") &&
	       scan_blanks(&scan) && scan_number(&scan, count) && scan_blanks(&scan) &&
	       scan_word(&scan, "sector") && (scan_word(&scan, "s") || true) &&
	       scan.at == scan.end;
}

static bool is_remark(struct scan scan)
{
	return scan_word(&scan, "No bad-blocks list configured on ") ||
	       scan_word(&scan, "Bad-blocks list is empty in ");
}

static bool recognise(const char *line, size_t bytes)
{
	struct scan scan = scan_line(line, bytes);
	u64 sector, count;

	return is_run(scan, &sector, &count) || is_remark(scan) ||
	       scan_word(&scan, "Bad-blocks on ");
}

static int parse_line(struct list *list, const char *text, size_t bytes)
{
	struct examine *examine = list->state;
	struct scan scan = scan_line(text, bytes);
	u64 sector, count;

	examine->begun = true;
	if (is_run(scan, &sector, &count)) {
		if (sector || count)
			return list_add(list, sector, count, text, bytes);
		list->silent++;
		return 0;
	}
	if (is_remark(scan)) {
		list->silent++;
		return 0;
	}
	if (!scan_word(&scan, "Bad-blocks on ")) {
		list_reject(list, text, bytes, "is not \"SECTOR for COUNT sectors\"");
		return 0;
	}
	list->silent++;
	if (++examine->devices > 1)
		return list_fail(list, "line %llu: a second device begins; a list must be of one device",
				 (unsigned long long)list->lines);
	return 0;
}

/* mdadm says it in a line when there is no list, or an empty one. */
static int end(struct list *list)
{
	const struct examine *examine = list->state;

	if (!examine->begun)
		return list_fail(list, "there is nothing in it; mdadm --examine-badblocks prints a line where there are none, too");
	return 0;
}

const struct list_parser list_mdadm = {
	.name = "mdadm",
	.title = "bad blocks as mdadm --examine-badblocks prints them",
	.reason = RMETA_REASON_IMPORT,
	.unit_bytes = 512,
	.unit_fixed = true,
	.follows = true,
	.line_bytes = LIST_LINE_BYTES,
	.state_bytes = sizeof(struct examine),
	.recognise = recognise,
	.line = parse_line,
	.end = end,
};
