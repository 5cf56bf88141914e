// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers as people write and read them. No locale: a comma is never a decimal point.
 */
#include <ctype.h>
#include <stdio.h>
#include <time.h>

#include "units.h"

/*
 * Digits at the front of @text into @number. @end: out: what follows them.
 * Return: NULL or the reason.
 */
static const char *parse_digits(const char *text, u64 *number, const char **end)
{
	u64 n = 0;
	unsigned int digit;

	if (!*text)
		return "is empty";
	if (*text == '-')
		return "is negative";
	if (!isdigit((unsigned char)*text))
		return "is not a number";
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return "is hexadecimal; write it in decimal";
	for (; isdigit((unsigned char)*text); text++) {
		digit = (unsigned int)(*text - '0');
		if (n > (UINT64_MAX - digit) / 10)
			return "is larger than 2^64 - 1";
		n = n * 10 + digit;
	}
	*number = n;
	*end = text;
	return NULL;
}

const char *units_parse_number(const char *text, u64 *number)
{
	const char *end, *reason;

	reason = parse_digits(text, number, &end);
	if (reason)
		return reason;
	return *end ? "is not a whole decimal number" : NULL;
}

const char *units_parse_size(const char *text, u64 *bytes)
{
	const char *end, *reason;
	unsigned int shift = 0;
	u64 number;

	reason = parse_digits(text, &number, &end);
	if (reason)
		return reason;
	if (*end) {
		switch (*end) {
		case 's': shift = 9; break;
		case 'K': case 'k': shift = 10; break;
		case 'M': case 'm': shift = 20; break;
		case 'G': case 'g': shift = 30; break;
		case 'T': case 't': shift = 40; break;
		default: return "has an unknown suffix (known: s, K, M, G, T)";
		}
		if (end[1])
			return "has more than one suffix letter (known: s, K, M, G, T)";
	}
	if (number > UINT64_MAX >> shift)
		return "is larger than 2^64 - 1 bytes";
	*bytes = number << shift;
	return NULL;
}

const char *units_size(u64 bytes, char *text)
{
	static const char *const names[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned int unit = 0;
	u64 rest = 0, whole = bytes;

	while (whole >= 1024 && unit + 1 < ARRAY_SIZE(names)) {
		rest = whole % 1024;
		whole /= 1024;
		unit++;
	}
	if (!unit || !(rest * 10 / 1024))
		snprintf(text, UNITS_TEXT, "%llu %s", (unsigned long long)whole, names[unit]);
	else
		snprintf(text, UNITS_TEXT, "%llu.%llu %s", (unsigned long long)whole,
			 (unsigned long long)(rest * 10 / 1024), names[unit]);
	return text;
}

const char *units_time(u64 seconds, char *text)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!seconds)
		snprintf(text, UNITS_TEXT, "never");
	else if (seconds > 253402300799ULL || !gmtime_r(&t, &tm))	/* the year 9999 */
		snprintf(text, UNITS_TEXT, "%llu s", (unsigned long long)seconds);
	else
		strftime(text, UNITS_TEXT, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return text;
}

const char *units_uuid(const u8 *uuid, char *text)
{
	static const char hex[] = "0123456789abcdef";
	unsigned int i;
	char *p = text;

	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[uuid[i] >> 4];
		*p++ = hex[uuid[i] & 15];
	}
	*p = 0;
	return text;
}

bool units_parse_uuid(const char *text, u8 uuid[16])
{
	unsigned int i, value;

	if (strlen(text) != 36)
		return false;
	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			if (*text++ != '-')
				return false;
		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) ||
		    sscanf(text, "%2x", &value) != 1)
			return false;
		uuid[i] = (u8)value;
		text += 2;
	}
	return true;
}
