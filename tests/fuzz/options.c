// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: command lines, over a table with an option of every kind. Words are separated by
 * NUL bytes.
 */
#include "fuzz_disk.h"
#include "options.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

#define MAX_WORDS 64

struct options {
	struct common_options common;
	bool flag;
	int mode;
	const char *text;
	const char *file;
	const char *device;
	int choice;
	u64 size;
};

#define FIELD(member) offsetof(struct options, member)

static const char *const choices[] = { "one", "two", "three", NULL };

static const struct option_row rows[] = {
	{ .letter = 'f', .name = "flag", .kind = OPTION_FLAG, .field = FIELD(flag), .help = "h" },
	{ .letter = 'y', .name = "yes", .kind = OPTION_VALUE, .field = FIELD(mode), .value = 1,
	  .help = "h" },
	{ .letter = 'n', .kind = OPTION_VALUE, .field = FIELD(mode), .value = 2, .help = "h" },
	{ .letter = 't', .name = "text", .kind = OPTION_TEXT, .field = FIELD(text),
	  .argument = "TEXT", .help = "h" },
	{ .name = "file", .kind = OPTION_FILE, .field = FIELD(file), .argument = "FILE",
	  .help = "h" },
	{ .letter = 'd', .name = "device", .kind = OPTION_DEVICE, .field = FIELD(device),
	  .argument = "DEV", .help = "h" },
	{ .letter = 'c', .name = "choice", .kind = OPTION_CHOICE, .field = FIELD(choice),
	  .argument = "CHOICE", .choices = choices, .help = "h" },
	{ .letter = 'b', .name = "size", .kind = OPTION_SIZE, .field = FIELD(size),
	  .argument = "BYTES", .min = 512, .max = 8192, .help = "h" },
};

static const struct tool tool = {
	.name = "fuzz-options",
	.summary = "s",
	.usage = "u",
	.details = "",
	.example = "e",
	.operand = "OPERAND",
	.operand_kind = OPTION_DEVICE,
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct options options = { .size = 512 };
	char *words = malloc(bytes + 1), *argv[MAX_WORDS + 2] = { "fuzz-options" };
	int argc = 1, status;
	size_t at = 0;

	memcpy(words, data, bytes);
	words[bytes] = 0;
	for (; at < bytes && argc <= MAX_WORDS; at += strlen(words + at) + 1)
		argv[argc++] = words + at;
	status = options_parse(&tool, &options, argc, argv);
	FUZZ_CHECK(status == -1 || status == STATUS_DONE || status == STATUS_USAGE,
		   "status %d", status);
	if (status < 0) {
		FUZZ_CHECK(options.common.operand && *options.common.operand, "no operand");
		FUZZ_CHECK(options.size >= 512 && options.size <= 8192, "size out of bounds");
		FUZZ_CHECK(options.choice >= 0 && options.choice < 3, "no such choice");
		FUZZ_CHECK(options.mode >= 0 && options.mode <= 2, "no such mode");
		report_finish(STATUS_DONE);
	}
	free(words);
	return 0;
}
