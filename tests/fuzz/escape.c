// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: text from anywhere, made safe to show. What is shown has no control characters
 * and can be turned back into the very bytes.
 */
#include "escape.h"
#include "fuzz_disk.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static u8 hex_digit(char c)
{
	FUZZ_CHECK((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'), "no hexadecimal digit");
	return (u8)(c <= '9' ? c - '0' : c - 'a' + 10);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	char *escaped = escape_text((const char *)data, bytes);
	const char *at = escaped;
	size_t i;
	u8 byte;

	for (i = 0; i < bytes; i++) {
		byte = (u8)*at++;
		FUZZ_CHECK(byte >= ' ' && byte != 0x7f, "a control character");
		if (byte == '\\') {
			FUZZ_CHECK(*at++ == 'x', "no escape");
			byte = (u8)(hex_digit(*at++) << 4);
			byte |= hex_digit(*at++);
		}
		FUZZ_CHECK(byte == data[i], "another byte");
	}
	FUZZ_CHECK(!*at, "more than there was");
	free(escaped);
	return 0;
}
