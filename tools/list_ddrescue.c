// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapfiles of GNU ddrescue: comments, a line for where it stands, then areas as position,
 * size and status, in bytes. A bad sector is '-'; what was not trimmed ('*') or not scraped
 * ('/') contains bad sectors, but nobody knows where, so it counts on request only.
 */
#include "list_parser.h"

/**
 * struct mapfile - how far the parser is
 * @begun: the line for where it stands has been seen
 * @areas: lines of areas that have been seen
 * @unfinished_bytes: in areas that may hold bad sectors and were not taken
 * @untried_bytes: in areas that ddrescue has not tried
 */
struct mapfile {
	bool begun;
	u64 areas;
	u64 unfinished_bytes;
	u64 untried_bytes;
};

/* Is the next character a status, one of these? */
static bool is_status(const struct scan *scan, const char *statuses)
{
	return scan_left(scan) && *scan->at && strchr(statuses, *scan->at);
}

static bool recognise(const char *line, size_t bytes)
{
	struct scan scan = scan_line(line, bytes);
	u64 number;

	if (scan_word(&scan, "# Mapfile.") || scan_word(&scan, "# Rescue Logfile."))
		return true;
	if (!scan_word(&scan, "0x") || !scan_c_number(&scan, &number) || !scan_blanks(&scan))
		return false;
	if (scan_word(&scan, "0x")) {
		if (!scan_c_number(&scan, &number) || !scan_blanks(&scan))
			return false;
	}
	return is_status(&scan, "?*/-+FG");
}

/* Bytes that are not whole sectors make their sectors bad. */
static int add_area(struct list *list, u64 position, u64 size, const char *text, size_t bytes)
{
	u64 end;

	if (__builtin_add_overflow(position, size, &end)) {
		list_reject(list, text, bytes, "ends behind 2^64 - 1");
		return 0;
	}
	end = end / 512 + (end % 512 != 0);
	return list_add(list, position / 512, size ? end - position / 512 : 0, text, bytes);
}

static int parse_line(struct list *list, const char *text, size_t bytes)
{
	struct mapfile *mapfile = list->state;
	struct scan scan = scan_line(text, bytes);
	u64 position, size;

	if (*text == '#') {
		list->silent++;
		return 0;
	}
	if (!scan_c_number(&scan, &position) || !scan_blanks(&scan)) {
		list_reject(list, text, bytes, "is not a position, a size and a status");
		return 0;
	}
	if (!mapfile->begun) {
		mapfile->begun = true;
		if (is_status(&scan, "?*/-+FG")) {
			list->silent++;
			return 0;
		}
		return list_fail(list, "line %llu: this is no mapfile: the status line is missing",
				 (unsigned long long)list->lines);
	}
	if (!scan_c_number(&scan, &size) || !scan_blanks(&scan) || scan_left(&scan) != 1 ||
	    !is_status(&scan, "?*/-+")) {
		list_reject(list, text, bytes, "is not a position, a size and a status");
		return 0;
	}
	mapfile->areas++;
	if (*scan.at == '-' || (list->wishes.unfinished && is_status(&scan, "*/")))
		return add_area(list, position, size, text, bytes);
	list->silent++;
	if (*scan.at == '?')
		mapfile->untried_bytes += size;
	else if (*scan.at != '+')
		mapfile->unfinished_bytes += size;
	return 0;
}

static int end(struct list *list)
{
	const struct mapfile *mapfile = list->state;

	/* ddrescue writes no such file; one that is empty is what a full disk or a mistyped > leaves. */
	if (!mapfile->begun)
		return list_fail(list, "this is no mapfile: it is empty, or has comments only");
	if (!mapfile->areas && !list->rejected)
		return list_fail(list, "the mapfile has no areas: it was cut off");
	if (mapfile->unfinished_bytes)
		list_say(list, LIST_WARNING,
			 "%llu bytes of the map were not trimmed or scraped; bad sectors in them are not known (let ddrescue finish, or take all of it with --unfinished)",
			 (unsigned long long)mapfile->unfinished_bytes);
	if (mapfile->untried_bytes)
		list_say(list, LIST_WARNING, "%llu bytes of the map were not tried by ddrescue",
			 (unsigned long long)mapfile->untried_bytes);
	return 0;
}

const struct list_parser list_ddrescue = {
	.name = "ddrescue",
	.title = "a mapfile of GNU ddrescue",
	.reason = RMETA_REASON_IMPORT,
	.unit_bytes = 512,
	.unit_fixed = true,
	.line_bytes = LIST_LINE_BYTES,
	.state_bytes = sizeof(struct mapfile),
	.recognise = recognise,
	.line = parse_line,
	.end = end,
};
