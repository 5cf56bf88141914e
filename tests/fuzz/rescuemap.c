// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: mapfiles. What is accepted covers all that is copied, each sector once; written and
 * read again it is the same.
 */
#include <unistd.h>

#include "fuzz_disk.h"
#include "report.h"
#include "rescue_map.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static void check_ranges(const struct ranges *ranges, u64 sectors)
{
	size_t i;

	for (i = 0; i < ranges->nr; i++)
		FUZZ_CHECK(ranges->range[i].first < ranges->range[i].end &&
			   ranges->range[i].end <= sectors &&
			   (!i || ranges->range[i - 1].end < ranges->range[i].first),
			   "ranges out of order");
}

static bool same_ranges(const struct ranges *a, const struct ranges *b)
{
	return a->nr == b->nr && (!a->nr || !memcmp(a->range, b->range, a->nr * sizeof(*a->range)));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static char path[64];
	struct fuzz_input input = { data, bytes };
	/* 0: the mapfile says how long it is */
	struct rescue_map map = { .sectors = (u32)(1 + fuzz_u32(&input)) };
	struct rescue_map again = { .sectors = map.sectors };
	u64 line;
	size_t i;

	if (!*path) {
		report_init("fuzz");
		snprintf(path, sizeof(path), "/dev/shm/remap-fuzz-map.%d", getpid());
	}
	if (!rescue_map_parse(&map, (const char *)input.data, input.bytes, &line)) {
		check_ranges(&map.todo, map.sectors);
		check_ranges(&map.bad, map.sectors);
		for (i = 0; i < map.bad.nr; i++)
			FUZZ_CHECK(!ranges_contain(&map.todo, map.bad.range[i].first) &&
				   !ranges_contain(&map.todo, map.bad.range[i].end - 1), "overlap");
		FUZZ_CHECK(strlen(map.job) < sizeof(map.job), "a job without end");
		FUZZ_CHECK(!rescue_map_write(&map, path, "fuzz"), "cannot be written");
		FUZZ_CHECK(!rescue_map_read(&again, path), "cannot be read again");
		FUZZ_CHECK(same_ranges(&map.todo, &again.todo) &&
			   same_ranges(&map.bad, &again.bad) && !strcmp(map.job, again.job),
			   "another map");
		unlink(path);
	}
	rescue_map_free(&map);
	rescue_map_free(&again);
	report_finish(0);
	return 0;
}
