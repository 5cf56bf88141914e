// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel logs: dmesg, journalctl -k, /var/log/kern.log. What counts is
 *
 *	critical medium error, dev sda, sector 5096 ...
 *
 * with whatever is in front of it (a time, a host, "blk_update_request:", "end_request:"), and,
 * on request, the same with "I/O error", which is also what a pulled cable gives.
 *
 * The sector is one of 512 bytes of the whole disk, and the first one of the request that
 * failed, not of what is bad in it.
 */
#include <stdio.h>

#include "escape.h"
#include "list_parser.h"

#define NAME_BYTES 64
#define OTHERS 8		/* names of other disks to remember */

/* Longest request that a disk is sent, in sectors: from its start the bad place is not further. */
#define REQUEST_SECTORS 2560

/**
 * struct log - what has been seen
 * @disk: name of the one disk that counts, or "" until the first line if nobody said it
 * @others: other disks with such lines
 * @nr_others: how many there are in @others
 * @of_others: lines about other disks
 * @plain: lines with a plain I/O error on the disk, which were not taken
 */
struct log {
	char disk[NAME_BYTES];
	char others[OTHERS][NAME_BYTES];
	unsigned int nr_others;
	u64 of_others;
	u64 plain;
};

enum error_kind { NO_ERROR, MEDIUM_ERROR, PLAIN_ERROR };

/* What kind of line is this? @rest: out: what follows "dev ". */
static enum error_kind find_error(const char *text, size_t bytes, struct scan *rest)
{
	static const char medium[] = "critical medium error, dev ";
	static const char plain[] = "I/O error, dev ";
	struct scan line = scan_line(text, bytes);
	const char *at;

	at = scan_find(&line, medium);
	if (at) {
		*rest = (struct scan){ at + strlen(medium), line.end };
		return MEDIUM_ERROR;
	}
	at = scan_find(&line, plain);
	/* "Buffer I/O error on dev" is another thing, in other units. */
	if (!at || (at > text && at[-1] != ' ' && at[-1] != ':'))
		return NO_ERROR;
	*rest = (struct scan){ at + strlen(plain), line.end };
	return PLAIN_ERROR;
}

/* "sda, sector 5096", and then nothing or more words. */
static bool parse_place(struct scan *scan, struct scan *name, u64 *sector)
{
	const char *comma = memchr(scan->at, ',', scan_left(scan));

	if (!comma || comma == scan->at || comma - scan->at >= NAME_BYTES)
		return false;
	*name = (struct scan){ scan->at, comma };
	scan->at = comma + 1;
	scan_blanks(scan);
	if (memchr(name->at, ' ', scan_left(name)) || memchr(name->at, 0, scan_left(name)) ||
	    !scan_word(scan, "sector"))
		return false;
	return scan_blanks(scan) && scan_number(scan, sector) &&
	       (scan->at == scan->end || is_blank(*scan->at) || *scan->at == ',');
}

/* The time that the kernel or dmesg puts in front of each line, or the name syslog gives it. */
static bool recognise(const char *line, size_t bytes)
{
	struct scan scan = scan_line(line, bytes), rest;
	u64 number;

	if (find_error(line, bytes, &rest) != NO_ERROR || scan_find(&scan, " kernel: "))
		return true;
	if (scan_word(&scan, "<") && (!scan_number(&scan, &number) || !scan_word(&scan, ">")))
		return false;
	if (!scan_word(&scan, "["))
		return false;
	scan_blanks(&scan);
	return scan_number(&scan, &number) && scan_word(&scan, ".") &&
	       scan_number(&scan, &number) && scan_word(&scan, "]");
}

static int begin(struct list *list)
{
	struct log *log = list->state;

	list->around_sectors = REQUEST_SECTORS;
	if (list->wishes.disk)
		snprintf(log->disk, sizeof(log->disk), "%s", list->wishes.disk);
	return 0;
}

static void keep_other(struct log *log, const struct scan *name)
{
	size_t bytes = scan_left(name);
	unsigned int i;

	log->of_others++;
	for (i = 0; i < log->nr_others; i++)
		if (strlen(log->others[i]) == bytes && !memcmp(log->others[i], name->at, bytes))
			return;
	if (log->nr_others == OTHERS)
		return;
	memcpy(log->others[log->nr_others], name->at, bytes);
	log->others[log->nr_others++][bytes] = 0;
}

static bool is_disk(const struct log *log, const struct scan *name)
{
	return strlen(log->disk) == scan_left(name) && !memcmp(log->disk, name->at, scan_left(name));
}

static int fail_several(struct list *list, const struct scan *name)
{
	const struct log *log = list->state;
	char *first = escape_text(log->disk, strlen(log->disk));
	char *second = escape_text(name->at, scan_left(name));
	int r;

	r = list_fail(list, "line %llu: the log is about several disks, %s and %s: say which with --made-on",
		      (unsigned long long)list->lines, first, second);
	free(first);
	free(second);
	return r;
}

static int parse_line(struct list *list, const char *text, size_t bytes)
{
	struct log *log = list->state;
	struct scan rest, name;
	enum error_kind kind;
	u64 sector;

	kind = find_error(text, bytes, &rest);
	if (kind == NO_ERROR) {
		list->silent++;
		return 0;
	}
	if (!parse_place(&rest, &name, &sector)) {
		list_reject(list, text, bytes, "reports an error, but names no disk and sector");
		return 0;
	}
	if (log->disk[0] && !is_disk(log, &name)) {
		if (!list->wishes.disk)
			return fail_several(list, &name);
		keep_other(log, &name);
		list->silent++;
		return 0;
	}
	memcpy(log->disk, name.at, scan_left(&name));
	log->disk[scan_left(&name)] = 0;
	if (kind == PLAIN_ERROR && !list->wishes.io_errors) {
		log->plain++;
		list->silent++;
		return 0;
	}
	return list_add(list, sector, 1, text, bytes);
}

static int end(struct list *list)
{
	struct log *log = list->state;
	char names[OTHERS * (NAME_BYTES + 2)] = "", *escaped;
	unsigned int i;

	if (!list->wishes.disk && log->disk[0]) {
		escaped = escape_text(log->disk, strlen(log->disk));
		list_say(list, LIST_NOTE, "the log is about the disk %s", escaped);
		free(escaped);
	}
	for (i = 0; i < log->nr_others; i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			 i ? ", " : "", log->others[i]);
	if (log->of_others) {
		escaped = escape_text(names, strlen(names));
		list_say(list, list->taken ? LIST_NOTE : LIST_WARNING,
			 "%llu errors are of other disks than %s: %s",
			 (unsigned long long)log->of_others, list->wishes.disk, escaped);
		free(escaped);
	}
	if (log->plain)
		list_say(list, LIST_WARNING,
			 "%llu plain I/O errors were left out, since a cable or a controller can cause them (--io-errors takes them)",
			 (unsigned long long)log->plain);
	return 0;
}

const struct list_parser list_kmsg = {
	.name = "kmsg",
	.title = "a kernel log",
	.reason = RMETA_REASON_IMPORT,
	.unit_bytes = 512,
	.unit_fixed = true,
	.of_disk = true,
	.follows = true,
	.line_bytes = LIST_LINE_BYTES,
	.state_bytes = sizeof(struct log),
	.recognise = recognise,
	.begin = begin,
	.line = parse_line,
	.end = end,
};
