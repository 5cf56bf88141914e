// SPDX-License-Identifier: GPL-2.0-only
/*
 * Printable form of any bytes. Does not know the locale: UTF-8 is what terminals and JSON
 * speak, whatever LC_ALL says.
 */
#include "escape.h"
#include "host.h"
#include "report.h"

/*
 * Length of the well-formed UTF-8 character at the front of @text, 0 when there is none.
 * @point: out: its code point.
 */
static size_t utf8_length(const unsigned char *text, size_t bytes, u32 *point)
{
	static const u32 smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length, i;
	u32 c;

	if (text[0] >= 0xc2 && text[0] <= 0xdf) {
		length = 2;
		c = text[0] & 0x1fU;
	} else if (text[0] >= 0xe0 && text[0] <= 0xef) {
		length = 3;
		c = text[0] & 0x0fU;
	} else if (text[0] >= 0xf0 && text[0] <= 0xf4) {
		length = 4;
		c = text[0] & 0x07U;
	} else {
		return 0;
	}
	if (length > bytes)
		return 0;
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text[i] & 0x3fU);
	}
	if (c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*point = c;
	return length;
}

/* Characters above ASCII that change what is around them, or show as nothing. */
static bool is_hazard(u32 point)
{
	return point < 0xa0 ||				/* C1 controls */
	       point == 0xad ||				/* soft hyphen */
	       point == 0x061c ||			/* Arabic letter mark */
	       (point >= 0x200b && point <= 0x200f) ||	/* zero width, direction marks */
	       (point >= 0x2028 && point <= 0x202e) ||	/* separators, embeddings */
	       (point >= 0x2060 && point <= 0x206f) ||	/* joiners, isolates */
	       point == 0xfeff || (point >= 0xfff0 && point <= 0xffff) || point >= 0xe0000;
}

char *escape_text(const char *text, size_t bytes)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *in = (const unsigned char *)text;
	char *escaped = report_alloc(bytes * 4 + 1);
	char *out = escaped;
	size_t length;
	u32 point;

	while (bytes) {
		length = utf8_length(in, bytes, &point);
		if (length && !is_hazard(point)) {
			memcpy(out, in, length);
			out += length;
		} else if (in[0] >= ' ' && in[0] < 0x7f && in[0] != '\\') {
			*out++ = (char)in[0];
			length = 1;
		} else {
			*out++ = '\\';
			*out++ = 'x';
			*out++ = hex[in[0] >> 4];
			*out++ = hex[in[0] & 15];
			length = 1;
		}
		in += length;
		bytes -= length;
	}
	*out = 0;
	return escaped;
}

#define SHELL_PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+,-./:=@_%"

char *escape_shell(const char *text)
{
	char *escaped = escape_text(text, strlen(text)), *quoted, *out;
	bool printable = !strcmp(escaped, text);
	const char *from;

	if (*text && !text[strspn(text, SHELL_PLAIN)])
		return escaped;
	/* A quote becomes four bytes at most. */
	quoted = report_alloc(4 * strlen(escaped) + 4);
	out = stpcpy(quoted, printable ? "'" : "$'");
	for (from = escaped; *from; from++) {
		if (*from == '\'')
			out = stpcpy(out, printable ? "'\\''" : "\\'");
		else
			*out++ = *from;
	}
	strcpy(out, "'");
	free(escaped);
	return quoted;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool escape_undo(const char *text, size_t bytes, char *out, size_t room)
{
	size_t at = 0;
	int high, low;
	char c;

	for (; at < bytes; at++) {
		c = text[at];
		if (c == '\\') {
			if (bytes - at < 4 || text[at + 1] != 'x')
				return false;
			high = hex_digit(text[at + 2]);
			low = hex_digit(text[at + 3]);
			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			at += 3;
		}
		if (!c || !room--)
			return false;
		*out++ = c;
	}
	*out = 0;
	return true;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

void escape_undo_octal(char *text)
{
	char *out = text;

	for (; *text; text++) {
		int value = 0;

		if (text[0] == '\\' && is_octal(text[1]) && is_octal(text[2]) && is_octal(text[3]))
			value = (text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0');
		if (value && value < 256) {
			*out++ = (char)value;
			text += 3;
		} else {
			*out++ = *text;
		}
	}
	*out = 0;
}
