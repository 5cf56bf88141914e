// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading badblocks lists, at the speed of memory: lines that are nothing but a number go
 * through one loop; every other line takes the slow way, which knows what to say of it.
 */
#include <unistd.h>

#include "list.h"

#define BUFFER_BYTES ((size_t)1 << 20)	/* no sensible line is longer */

/**
 * struct reader - the way from bytes to ranges
 * @list: where it goes
 * @unit_sectors: size of a unit
 * @end_unit: first unit that is not on main
 * @skipping: the rest of a line that was too long is being passed over
 */
struct reader {
	struct list *list;
	u64 unit_sectors;
	u64 end_unit;
	bool skipping;
};

static void reject_line(struct reader *reader, const char *text, size_t bytes, const char *reason)
{
	struct list *list = reader->list;

	list->rejected++;
	if (list->reject)
		list->reject(list->ctx, list->lines, text, bytes, reason);
}

static inline int add_unit(struct reader *reader, u64 unit)
{
	struct list *list = reader->list;
	u64 first_sector = unit * reader->unit_sectors;
	u64 end_sector = min(first_sector + reader->unit_sectors, list->main_sectors);

	return ranges_add(&list->ranges, first_sector >> list->block_shift,
			  ((end_sector - 1) >> list->block_shift) + 1);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Why text that is not a plain number is not one. */
static const char *explain(const char *text, size_t bytes)
{
	if (memchr(text, 0, bytes))
		return "has a NUL byte in it";
	if (text[0] == '-')
		return "is negative";
	if (bytes > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return "is hexadecimal; numbers must be decimal";
	return "is not one decimal number";
}

/* Any line, without its newline. */
static int parse_line(struct reader *reader, const char *text, size_t bytes)
{
	u64 unit = 0;
	size_t i;

	reader->list->lines++;
	while (bytes && is_blank(text[bytes - 1]))
		bytes--;
	while (bytes && is_blank(*text)) {
		text++;
		bytes--;
	}
	if (!bytes) {
		reader->list->blank++;
		return 0;
	}
	for (i = 0; i < bytes; i++) {
		unsigned int digit = (unsigned char)text[i] - '0';

		if (digit > 9) {
			reject_line(reader, text, bytes, explain(text, bytes));
			return 0;
		}
		if (unit > (UINT64_MAX - digit) / 10) {
			reject_line(reader, text, bytes, "is larger than 2^64 - 1");
			return 0;
		}
		unit = unit * 10 + digit;
	}
	if (unit >= reader->end_unit) {
		reject_line(reader, text, bytes, "is behind the end of main");
		return 0;
	}
	return add_unit(reader, unit);
}

/* Whole lines: the last byte is a newline. */
static int parse_lines(struct reader *reader, const char *text, const char *end)
{
	const char *start, *newline;
	unsigned int digit;
	u64 unit;
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
		    unit < reader->end_unit) {
			reader->list->lines++;
			r = add_unit(reader, unit);
		} else {
			newline = memchr(text, '\n', (size_t)(end - text));
			r = parse_line(reader, start, (size_t)(newline - start));
			text = newline;
		}
		if (r)
			return r;
		text++;
	}
	return 0;
}

/*
 * A buffer with @bytes bytes in it. @at_end: nothing comes after them, and there is room for
 * a newline. Return: how many bytes at its end are an unfinished line, or a negative errno.
 */
static ssize_t parse_buffer(struct reader *reader, char *buffer, size_t bytes, bool at_end)
{
	char *text = buffer, *end = buffer + bytes, *newline;
	size_t rest;
	int r;

	if (reader->skipping) {
		text = memchr(buffer, '\n', bytes);
		if (!text)
			return 0;
		text++;
		reader->skipping = false;
	}
	if (at_end && end > text && end[-1] != '\n')
		*end++ = '\n';
	newline = end > text ? memrchr(text, '\n', (size_t)(end - text)) : NULL;
	if (newline) {
		r = parse_lines(reader, text, newline + 1);
		if (r)
			return r;
		text = newline + 1;
	}
	rest = (size_t)(end - text);
	if (rest == BUFFER_BYTES) {
		reader->list->lines++;
		reject_line(reader, text, rest, "is too long");
		reader->skipping = true;
		return 0;
	}
	memmove(buffer, text, rest);
	return (ssize_t)rest;
}

int list_read(struct list *list, int fd)
{
	u64 unit_sectors = list->unit_bytes / 512;
	struct reader reader = {
		.list = list,
		.unit_sectors = unit_sectors,
		.end_unit = (list->main_sectors + unit_sectors - 1) / unit_sectors,
	};
	char *buffer = malloc(BUFFER_BYTES + 1);
	ssize_t rest = 0, bytes;

	if (!buffer)
		return -ENOMEM;
	do {
		bytes = read(fd, buffer + rest, BUFFER_BYTES - (size_t)rest);
		if (bytes < 0 && errno == EINTR)
			continue;
		if (bytes < 0) {
			rest = -errno;
			break;
		}
		list->bytes += (u64)bytes;
		rest = parse_buffer(&reader, buffer, (size_t)(rest + bytes), !bytes);
		if (list->progress)
			list->progress(list->ctx, list->bytes);
	} while (bytes && rest >= 0);
	free(buffer);
	return rest < 0 ? (int)rest : ranges_finish(&list->ranges);
}
