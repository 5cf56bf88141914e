// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading lists: bytes come in, the form of the list is found out, lines or parts go to its
 * parser, and what the parser takes becomes ranges of blocks of main. See list.h.
 */
#include <stdio.h>
#include <unistd.h>

#include "escape.h"
#include "list_parser.h"

#define BUFFER_BYTES ((size_t)1 << 20)
#define BUFFER_MIN ((size_t)64)
#define SHOWN_BYTES 40		/* of a line that no form knows */

const struct list_parser *const list_parsers[] = {
	&list_badblocks, &list_smart, &list_ddrescue, &list_kmsg, &list_mdadm, &list_dumpe2fs,
	&list_csv, NULL
};

/**
 * struct reader - the way from bytes to a parser
 * @list: whose
 * @fd: where bytes come from, or -1
 * @text: when @fd is -1: what there is still to read
 * @text_bytes: length of @text
 * @buffer: bytes that are being looked at, with room for a newline behind them
 * @room: bytes that @buffer holds
 * @fill: bytes in it
 * @skipping: the rest of a line that was too long is being passed over
 */
struct reader {
	struct list *list;
	int fd;
	const char *text;
	size_t text_bytes;
	char *buffer;
	size_t room;
	size_t fill;
	bool skipping;
};

/*
 * What parsers say
 */

void list_reject(struct list *list, const char *text, size_t bytes, const char *reason)
{
	list->rejected++;
	if (list->reject)
		list->reject(list->ctx, list->lines, text, bytes, reason);
}

int list_fail(struct list *list, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!list->failure && vasprintf(&list->failure, fmt, ap) < 0)
		list->failure = NULL;
	va_end(ap);
	return list->failure ? -EBADMSG : -ENOMEM;
}

void list_say(struct list *list, enum list_tone tone, const char *fmt, ...)
{
	char *text;
	va_list ap;

	if (!list->say)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text)
		list->say(list->ctx, tone, text);
	free(text);
}

/*
 * Addresses. Those of the list that are on main are from @origin (or 0, when main starts in
 * front of the list's 0) up to @origin + main_sectors.
 */
int list_add(struct list *list, u64 first_unit, u64 units, const char *text, size_t bytes)
{
	u64 unit_sectors = list->unit_bytes / 512, first, end;
	u64 low = list->origin_sectors > 0 ? (u64)list->origin_sectors : 0;
	s64 high = list->origin_sectors + (s64)list->main_sectors;

	if (!units) {
		list_reject(list, text, bytes, "is of length 0");
		return 0;
	}
	if (__builtin_mul_overflow(first_unit, unit_sectors, &first) || high <= 0 ||
	    first >= (u64)high) {
		list_reject(list, text, bytes, "is behind the end of main");
		return 0;
	}
	if (__builtin_mul_overflow(units, unit_sectors, &end) ||
	    __builtin_add_overflow(first, end, &end))
		end = UINT64_MAX;
	if (end <= low) {
		list_reject(list, text, bytes, "is in front of main");
		return 0;
	}
	if (first < low || end > (u64)high)
		list->clipped++;
	first = max(first, low) - (u64)list->origin_sectors;
	end = min(end, (u64)high) - (u64)list->origin_sectors;
	list->taken++;
	return ranges_add(&list->ranges, first >> list->block_shift,
			  ((end - 1) >> list->block_shift) + 1);
}

/*
 * Scanning
 */

size_t scan_blanks(struct scan *scan)
{
	const char *start = scan->at;

	while (scan->at < scan->end && is_blank(*scan->at))
		scan->at++;
	return (size_t)(scan->at - start);
}

bool scan_word(struct scan *scan, const char *word)
{
	size_t bytes = strlen(word);

	if (scan_left(scan) < bytes || memcmp(scan->at, word, bytes))
		return false;
	scan->at += bytes;
	return true;
}

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
		return (unsigned int)((c | 0x20) - 'a' + 10);
	return 16;
}

static bool scan_digits(struct scan *scan, unsigned int base, u64 *number)
{
	const char *start = scan->at;
	u64 sum = 0;

	for (; scan->at < scan->end && digit_value(*scan->at) < base; scan->at++)
		if (__builtin_mul_overflow(sum, base, &sum) ||
		    __builtin_add_overflow(sum, digit_value(*scan->at), &sum))
			return false;
	*number = sum;
	return scan->at > start;
}

bool scan_number(struct scan *scan, u64 *number)
{
	return scan_digits(scan, 10, number);
}

bool scan_c_number(struct scan *scan, u64 *number)
{
	if (scan_word(scan, "0x") || scan_word(scan, "0X"))
		return scan_digits(scan, 16, number);
	return scan_digits(scan, scan_left(scan) && *scan->at == '0' ? 8 : 10, number);
}

const char *scan_find(const struct scan *scan, const char *word)
{
	return memmem(scan->at, scan_left(scan), word, strlen(word));
}

const char *scan_explain(const char *text, size_t bytes)
{
	struct scan scan = scan_line(text, bytes);
	u64 number;

	if (memchr(text, 0, bytes))
		return "has a NUL byte in it";
	if (bytes && text[0] == '-')
		return "is negative";
	if (bytes > 1 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return "is hexadecimal; numbers must be decimal";
	if (!scan_number(&scan, &number) && bytes && digit_value(text[0]) < 10)
		return "is larger than 2^64 - 1";
	return "is not one decimal number";
}

/*
 * The form of a list: the first line that can be in one form only decides.
 */

static const struct list_parser *recognise(const char *text, size_t bytes)
{
	const char *end = text + bytes, *newline;
	struct scan line;
	unsigned int i;

	for (; text < end; text = newline + 1) {
		newline = memchr(text, '\n', (size_t)(end - text));
		if (!newline)
			newline = end;
		line = scan_line(text, (size_t)(newline - text));
		scan_blanks(&line);
		while (line.end > line.at && is_blank(line.end[-1]))
			line.end--;
		if (line.at == line.end)
			continue;
		for (i = 0; list_parsers[i]; i++)
			if (list_parsers[i]->recognise(line.at, scan_left(&line)))
				return list_parsers[i];
	}
	return NULL;
}

static int fail_unknown(struct list *list, const char *text, size_t bytes)
{
	size_t skip = 0, shown;
	char *escaped;

	while (skip < bytes && (is_blank(text[skip]) || text[skip] == '\n'))
		skip++;
	text += skip;
	bytes -= skip;
	if (bytes >= 2 && !memcmp(text, "\x1f\x8b", 2))
		return list_fail(list, "the list is compressed; pipe it through zcat");
	shown = bytes;
	if (memchr(text, '\n', bytes))
		shown = (size_t)((char *)memchr(text, '\n', bytes) - text);
	escaped = escape_text(text, min(shown, (size_t)SHOWN_BYTES));
	list_fail(list, "no kind of list that is known begins like this: \"%s%s\" (say what it is with -t)",
		  escaped, shown > SHOWN_BYTES ? "..." : "");
	free(escaped);
	return -EBADMSG;
}

/* The first part of the list is here: what form is it, and what follows from that? */
static int find_form(struct list *list, const char *text, size_t bytes)
{
	size_t blank = 0;
	int r;

	if (!list->parser)
		list->parser = recognise(text, bytes);
	if (!list->parser) {
		while (blank < bytes && (is_blank(text[blank]) || text[blank] == '\n'))
			blank++;
		if (blank < bytes)
			return fail_unknown(list, text, bytes);
		list->parser = &list_badblocks;	/* an empty list is one of no numbers */
	}
	r = list->known ? list->known(list->ctx) : 0;
	if (r)
		return r;
	if (!list->unit_bytes)
		list->unit_bytes = list->parser->unit_bytes;
	if (list->parser->state_bytes) {
		list->state = calloc(1, list->parser->state_bytes);
		if (!list->state)
			return -ENOMEM;
	}
	return list->parser->begin ? list->parser->begin(list) : 0;
}

/*
 * Lines
 */

int list_line(struct list *list, const char *text, size_t bytes)
{
	list->lines++;
	while (bytes && is_blank(text[bytes - 1]))
		bytes--;
	while (bytes && is_blank(*text)) {
		text++;
		bytes--;
	}
	if (!bytes) {
		list->blank++;
		return 0;
	}
	return list->parser->line(list, text, bytes);
}

/* Whole lines: the last byte is a newline. */
static int parse_lines(struct list *list, const char *text, const char *end)
{
	const char *newline;
	int r = 0;

	if (list->parser->lines)
		return list->parser->lines(list, text, end);
	for (; text < end && !r; text = newline + 1) {
		newline = memchr(text, '\n', (size_t)(end - text));
		r = list_line(list, text, (size_t)(newline - text));
	}
	return r;
}

static int make_room(struct reader *reader)
{
	char *buffer;

	buffer = realloc(reader->buffer, reader->room * 2 + 1);
	if (!buffer)
		return -ENOMEM;
	reader->buffer = buffer;
	reader->room *= 2;
	return 0;
}

/*
 * Whole lines of the buffer, at the end of the list all of it. Keeps at its front what is an
 * unfinished line.
 */
static int parse_buffer_lines(struct reader *reader, bool at_end)
{
	struct list *list = reader->list;
	char *text = reader->buffer, *end = reader->buffer + reader->fill, *newline;
	int r;

	if (reader->skipping) {
		text = memchr(text, '\n', reader->fill);
		reader->fill = 0;
		if (!text)
			return 0;
		text++;
		reader->skipping = false;
	}
	if (at_end && end > text && end[-1] != '\n')
		*end++ = '\n';
	newline = end > text ? memrchr(text, '\n', (size_t)(end - text)) : NULL;
	if (newline) {
		r = parse_lines(list, text, newline + 1);
		if (r)
			return r;
		text = newline + 1;
	}
	reader->fill = (size_t)(end - text);
	if (reader->fill == reader->room && reader->room < list->parser->line_bytes)
		return make_room(reader);
	if (reader->fill == reader->room) {
		list->lines++;
		list_reject(list, text, reader->fill, "is too long");
		reader->skipping = true;
		reader->fill = 0;
		return 0;
	}
	memmove(reader->buffer, text, reader->fill);
	return 0;
}

static int parse_buffer(struct reader *reader, bool at_end)
{
	int r;

	if (!reader->list->parser->chunk)
		return parse_buffer_lines(reader, at_end);
	r = reader->list->parser->chunk(reader->list, reader->buffer, reader->fill);
	reader->fill = 0;
	return r;
}

/* One read into what is free of the buffer. Return: bytes, 0 at the end, or -errno. */
static ssize_t read_some(struct reader *reader)
{
	size_t want = reader->room - reader->fill;
	ssize_t bytes;

	if (reader->list->wait && !reader->list->wait(reader->list->ctx, reader->fd))
		return 0;
	if (reader->fd < 0) {
		bytes = (ssize_t)min(want, reader->text_bytes);
		memcpy(reader->buffer + reader->fill, reader->text, (size_t)bytes);
		reader->text += bytes;
		reader->text_bytes -= (size_t)bytes;
	} else {
		do
			bytes = read(reader->fd, reader->buffer + reader->fill, want);
		while (bytes < 0 && errno == EINTR);
	}
	if (bytes < 0)
		return -errno;
	reader->fill += (size_t)bytes;
	reader->list->bytes += (u64)bytes;
	if (reader->list->progress)
		reader->list->progress(reader->list->ctx, reader->list->bytes);
	return bytes;
}

/* Is there enough of the list to tell its form? A line that is cut off may mislead. */
static bool can_tell_form(const struct reader *reader, bool at_end)
{
	const char *newline;

	if (reader->list->parser || at_end || reader->fill == reader->room)
		return true;
	newline = memrchr(reader->buffer, '\n', reader->fill);
	return newline && recognise(reader->buffer, (size_t)(newline - reader->buffer));
}

/* What one read brought has been parsed. */
static int pass_on(struct list *list)
{
	int r;

	if (!list->arrived || !list->ranges.nr)
		return 0;
	r = ranges_finish(&list->ranges);
	return r ? r : list->arrived(list->ctx);
}

static int read_all(struct reader *reader)
{
	struct list *list = reader->list;
	bool begun = false, at_end;
	ssize_t bytes;
	int r = 0;

	reader->buffer = malloc(reader->room + 1);
	if (!reader->buffer)
		return -ENOMEM;
	do {
		bytes = read_some(reader);
		at_end = !bytes;
		if (bytes < 0)
			r = (int)bytes;
		else if (!begun && !can_tell_form(reader, at_end))
			continue;
		if (!r && !begun)
			r = find_form(list, reader->buffer, reader->fill);
		begun = true;
		if (!r)
			r = parse_buffer(reader, at_end);
		if (!r)
			r = pass_on(list);
	} while (!r && !at_end);
	if (!r && list->parser->end)
		r = list->parser->end(list);
	free(reader->buffer);
	return r ? r : ranges_finish(&list->ranges);
}

int list_read(struct list *list, int fd)
{
	struct reader reader = { .list = list, .fd = fd, .room = BUFFER_BYTES };

	return read_all(&reader);
}

int list_parse(struct list *list, const char *text, size_t bytes)
{
	struct reader reader = {
		.list = list,
		.fd = -1,
		.text = text,
		.text_bytes = bytes,
		.room = min(max(bytes + 1, BUFFER_MIN), BUFFER_BYTES),
	};

	return read_all(&reader);
}

void list_free(struct list *list)
{
	if (list->parser && list->parser->free && list->state)
		list->parser->free(list);
	free(list->state);
	list->state = NULL;
	free(list->failure);
	list->failure = NULL;
	ranges_free(&list->ranges);
}
