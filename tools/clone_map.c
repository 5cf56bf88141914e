// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies by ddrescue. See clone_map.h.
 */
#include "clone_map.h"
#include "escape.h"
#include "report.h"
#include "rescue_map.h"
#include "units.h"

int clone_map_take(struct device *dev, struct ranges *absent, const char *path, u64 sectors,
		   const char *role)
{
	struct rescue_map map = { .sectors = 0 };
	char *shown = escape_text(path, strlen(path));
	int r = rescue_map_read(&map, path), status = STATUS_FAILED;
	char size[UNITS_TEXT];
	size_t i;

	if (r == -ENOENT)
		report_error("cannot open the mapfile %s: %s", shown, strerror(-r));
	if (r)
		goto out;
	if (map.sectors < sectors) {
		report_error("the mapfile %s is of %llu sectors, and %s has %llu: it says nothing of the rest (ddrescuelog -C completes one; --shift makes one of a partition)",
			     shown, (unsigned long long)map.sectors, role,
			     (unsigned long long)sectors);
		goto out;
	}
	for (i = 0; i < map.bad.nr; i++)
		if (ranges_add(&map.todo, map.bad.range[i].first, map.bad.range[i].end))
			report_out_of_memory();
	if (ranges_finish(&map.todo))
		report_out_of_memory();
	*absent = map.todo;
	map.todo = (struct ranges){ .nr = 0 };
	dev->absent = absent;
	report_info("%s is a copy without %s of it, as %s says", role,
		    units_size(ranges_blocks(absent) * 512, size), shown);
	status = STATUS_DONE;
out:
	rescue_map_free(&map);
	free(shown);
	return status;
}
