// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: remap-dump, in every format, on a damaged spare. The program as it is, from its
 * main() on.
 */
#include "fuzz_disk.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);
int remap_dump_main(int argc, char **argv);

#define MAX_WORDS 8
#define RARELY 16	/* one input of so many is about a spare with many pages */

/* What is added to "remap-dump -q -o /dev/null SPARE". */
static const char *const lines[][MAX_WORDS] = {
	{ "-F", "text" },
	{ "-F", "json" },
	{ "-F", "csv" },
	{ "-F", "html" },
	{ "-F", "mapfile" },
	{ "-F", "badblocks", "-b", "4096" },
	{ "-F", "dmtable", "--main", "/dev/none" },
	{ "-F", "text", "--copies", "-v" },
	{ "-F", "json", "--copies" },
	{ "--page", "0" },
	{ "--page", "1", "--json" },
	{ "--raw", "--copies" },
	{ "--raw", "--page", "1" },
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct fuzz_input input = { data, bytes };
	struct fuzz_disk *disk = fuzz_disk_begin(&input, !(rmeta_crc32(0, data, bytes) % RARELY));
	const char *const *words = lines[fuzz_u8(&input) % ARRAY_SIZE(lines)];
	char *argv[MAX_WORDS + 6] = { "remap-dump", "-q", "-o", "/dev/null" };
	int argc = 4, status;

	argv[argc++] = (char *)fuzz_disk_path(disk);
	while (*words)
		argv[argc++] = (char *)*words++;
	status = remap_dump_main(argc, argv);
	FUZZ_CHECK(status == 0 || status == 1 || status == 4 || status == 8, "exit status %d",
		   status);
	return 0;
}
