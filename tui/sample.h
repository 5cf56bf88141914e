/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is known of all devices at one moment, as it comes from the kernel or from a recording:
 * names, status lines, counters, maps. Nothing is worked out here; model.h does that.
 */
#ifndef TUI_SAMPLE_H
#define TUI_SAMPLE_H

#include "host.h"

#define MAP_CELLS 1024		/* that main is cut into */

/* What is worst in a part of main. In ascending order of how bad it is. */
enum map_cell { MAP_GOOD, MAP_REMAPPED, MAP_PENDING, MAP_LOST, MAP_NR_STATES };

/**
 * struct map - where the bad regions of main are
 * @main_sectors: length of main; 0 when there is no map
 * @cell: enum map_cell of each of MAP_CELLS parts of main, which are equally long
 */
struct map {
	u64 main_sectors;
	u8 cell[MAP_CELLS];
};

/* Counters of the mapped device since it was created, from the block layer. */
enum io_counter { IO_READS, IO_READ_SECTORS, IO_WRITES, IO_WRITE_SECTORS, IO_NR };

/**
 * struct sample_device - a line of type remap in the table of a mapped device
 * @name: of the mapped device, as it is: not safe to print
 * @dev: its number, "253:0"
 * @start_sector: of the line; more than 0 only where the table has several lines
 * @sectors: length of the line
 * @main_name: kernel's name of main ("sdb"), or "-"; not safe to print
 * @spare_name: likewise, of the spare
 * @status: what follows the type in the status line; not safe to print
 * @has_io: @io is known
 * @io: by enum io_counter
 * @map: a map that was not in an earlier sample, or NULL
 */
struct sample_device {
	char *name;
	char *dev;
	u64 start_sector;
	u64 sectors;
	char *main_name;
	char *spare_name;
	char *status;
	bool has_io;
	u64 io[IO_NR];
	struct map *map;
};

/**
 * struct sample - all devices at one moment; all zero is an empty one
 * @time_ms: wall clock: milliseconds since 1970
 * @clock_ms: a clock that is never set; milliseconds since anything
 * @devices: in the order of the source
 * @nr_devices: how many
 * @room: private
 */
struct sample {
	u64 time_ms;
	u64 clock_ms;
	struct sample_device *devices;
	size_t nr_devices;
	size_t room;
};

/* One device more; all zero. Valid until the next one is added. */
struct sample_device *sample_add(struct sample *sample);

/* Free what a sample holds, and leave an empty one. */
void sample_clear(struct sample *sample);

/**
 * map_mark() - sectors of main are not what they were
 * @map: @map->main_sectors is set
 * @start_sector: first of them
 * @end_sector: after the last; the part behind the end of main is left out
 * @state: what they are; a cell keeps what is worse
 */
void map_mark(struct map *map, u64 start_sector, u64 end_sector, enum map_cell state);

/**
 * map_fold() - a map with fewer cells
 * @map: the map
 * @cells: out: @nr values of enum map_cell, the worst of what each stands for
 * @nr: how many, at least 1
 */
void map_fold(const struct map *map, u8 *cells, unsigned int nr);

#endif
