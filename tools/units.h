/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers as people write and read them: decimal integers, sizes with suffixes, dates.
 * Nothing is guessed: what is not wholly a number is refused with the reason.
 */
#ifndef TOOLS_UNITS_H
#define TOOLS_UNITS_H

#include <stddef.h>

#include "host.h"

#define UNITS_TEXT 32	/* bytes that any text made here fits into, with its NUL */

/**
 * units_parse_number() - a decimal number without sign or suffix
 * @text: what was written
 * @number: out
 *
 * Return: NULL, or why @text is not such a number ("is negative", "is larger than ...").
 */
const char *units_parse_number(const char *text, u64 *number);

/**
 * units_parse_size() - a number of bytes, with an optional suffix
 * @text: what was written: digits, then nothing or one of s (512-byte sectors), K, M, G, T
 *	(powers of 1024, either case)
 * @bytes: out
 *
 * Return: NULL, or why @text is not a size.
 */
const char *units_parse_size(const char *text, u64 *bytes);

/**
 * units_size() - a number of bytes for a person: "64 MiB", "1.5 GiB"
 * @bytes: how many
 * @text: out: UNITS_TEXT bytes
 *
 * Return: @text.
 */
const char *units_size(u64 bytes, char *text);

/**
 * units_time() - a moment for a person, in UTC: "2031-05-04 12:30:01 UTC"
 * @seconds: Unix seconds; 0 gives "never", what no calendar holds gives the number
 * @text: out: UNITS_TEXT bytes
 *
 * Return: @text.
 */
const char *units_time(u64 seconds, char *text);

/**
 * units_uuid() - 16 bytes in the usual notation of a UUID
 * @uuid: the bytes
 * @text: out: at least 37 bytes
 *
 * Return: @text.
 */
const char *units_uuid(const u8 *uuid, char *text);

/**
 * units_parse_uuid() - a UUID in the usual notation
 * @text: what was written: 36 characters, of either case
 * @uuid: out
 *
 * Return: false when @text is something else.
 */
bool units_parse_uuid(const char *text, u8 uuid[16]);

/* "" for one, "s" for any other number: block%s. */
static inline const char *units_s(u64 count)
{
	return count == 1 ? "" : "s";
}

#endif
