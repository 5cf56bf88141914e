// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known of all devices at one moment. Owns memory, and knows how main is cut into
 * cells.
 */
#include <stdlib.h>

#include "report.h"
#include "sample.h"

struct sample_device *sample_add(struct sample *sample)
{
	struct sample_device *device;

	sample->devices = report_grow(sample->devices, sample->nr_devices, &sample->room,
				      sizeof(*sample->devices));
	device = &sample->devices[sample->nr_devices++];
	*device = (struct sample_device){ .name = NULL };
	return device;
}

void sample_clear(struct sample *sample)
{
	size_t i;

	for (i = 0; i < sample->nr_devices; i++) {
		free(sample->devices[i].name);
		free(sample->devices[i].dev);
		free(sample->devices[i].main_name);
		free(sample->devices[i].spare_name);
		free(sample->devices[i].status);
		free(sample->devices[i].map);
	}
	free(sample->devices);
	*sample = (struct sample){ .devices = NULL };
}

/* Main is shorter than 2^53 sectors, so that nothing here overflows. */
static unsigned int cell_of(u64 sector, u64 main_sectors)
{
	return (unsigned int)(sector * MAP_CELLS / main_sectors);
}

void map_mark(struct map *map, u64 start_sector, u64 end_sector, enum map_cell state)
{
	unsigned int i, last;

	end_sector = min(end_sector, map->main_sectors);
	if (start_sector >= end_sector)
		return;
	last = cell_of(end_sector - 1, map->main_sectors);
	for (i = cell_of(start_sector, map->main_sectors); i <= last; i++)
		map->cell[i] = max(map->cell[i], (u8)state);
}

void map_fold(const struct map *map, u8 *cells, unsigned int nr)
{
	unsigned int i, from, to;

	for (i = 0; i < nr; i++) {
		from = i * MAP_CELLS / nr;
		to = max((i + 1) * MAP_CELLS / nr, from + 1);
		cells[i] = MAP_GOOD;
		for (; from < to; from++)
			cells[i] = max(cells[i], map->cell[from]);
	}
}
