// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: numbers and sizes as people write them, and as they are shown.
 */
#include "fuzz_disk.h"
#include "units.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

/* What was accepted is what is written there: digits, and a known letter for a size. */
static void verify_number(const char *text, u64 number)
{
	char again[32];

	while (*text == '0' && text[1] >= '0' && text[1] <= '9')
		text++;
	snprintf(again, sizeof(again), "%llu", (unsigned long long)number);
	FUZZ_CHECK(!strcmp(text, again), "%s is not %s", text, again);
}

static void verify_size(const char *text, u64 size)
{
	static const char letters[] = "sKkMmGgTt";
	static const unsigned char shifts[] = { 9, 10, 10, 20, 20, 30, 30, 40, 40 };
	size_t length = strlen(text);
	const char *letter = strchr(letters, text[length - 1]);
	char *digits = strdup(text);
	u64 number;

	if (letter) {
		digits[length - 1] = 0;
		FUZZ_CHECK(!(size & (((u64)1 << shifts[letter - letters]) - 1)), "not whole");
		size >>= shifts[letter - letters];
	}
	FUZZ_CHECK(!units_parse_number(digits, &number) && number == size, "%s is another size",
		   text);
	free(digits);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	char *text = strndup((const char *)data, bytes), shown[UNITS_TEXT], uuid[37];
	u8 id[16] = { 0 };
	const char *reason;
	u64 number = 0;

	reason = units_parse_number(text, &number);
	FUZZ_CHECK(!reason || *reason, "no reason");
	if (!reason)
		verify_number(text, number);
	reason = units_parse_size(text, &number);
	FUZZ_CHECK(!reason || *reason, "no reason");
	if (!reason)
		verify_size(text, number);
	memcpy(&number, data, min(bytes, sizeof(number)));
	FUZZ_CHECK(strlen(units_size(number, shown)) < UNITS_TEXT, "too long");
	FUZZ_CHECK(strlen(units_time(number, shown)) < UNITS_TEXT, "too long");
	memcpy(id, data, min(bytes, sizeof(id)));
	FUZZ_CHECK(strlen(units_uuid(id, uuid)) == 36, "not a UUID");
	free(text);
	return 0;
}
