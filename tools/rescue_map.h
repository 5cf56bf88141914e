/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far a copy is, as a mapfile of GNU ddrescue, and back: which sectors are still to be tried,
 * which nobody has, and, by what is in neither, which are done. A comment says what is copied, so
 * that a mapfile is never taken for another's.
 */
#ifndef TOOLS_RESCUE_MAP_H
#define TOOLS_RESCUE_MAP_H

#include "ranges.h"

#define RESCUE_MAP_JOB_BYTES 160

/**
 * struct rescue_map - how far a copy is
 * @sectors: length of what is copied; 0 before reading: as the mapfile says
 * @job: what is copied, a line of printable text; "" when a mapfile does not say
 * @todo: sectors to be tried, in order
 * @bad: sectors that nobody has, in order
 */
struct rescue_map {
	u64 sectors;
	char job[RESCUE_MAP_JOB_BYTES];
	struct ranges todo;
	struct ranges bad;
};

/**
 * rescue_map_parse() - read a mapfile
 * @map: out: all zero at first but for @map->sectors; to be freed with rescue_map_free()
 * @text: the mapfile
 * @bytes: its length
 * @line: out: number of the line that is wrong
 *
 * Areas must follow each other without gap or overlap, as ddrescue writes them, from 0 to
 * @map->sectors, all in whole sectors. If that is 0 it becomes the end of the last one.
 *
 * Return: NULL, or what is wrong.
 */
const char *rescue_map_parse(struct rescue_map *map, const char *text, size_t bytes, u64 *line);

/**
 * rescue_map_read() - read a mapfile from a file
 *
 * Return: 0, or a negative errno with an error reported; -ENOENT, unreported: there is none.
 */
int rescue_map_read(struct rescue_map *map, const char *path);

/**
 * rescue_map_write() - write a mapfile, so that there is always a whole one under its name
 * @map: what to write
 * @path: where
 * @command: for the comment, safe to print
 *
 * It is durable, and so is its name. What it calls done must be so before.
 *
 * Return: 0, or a negative errno with an error reported.
 */
int rescue_map_write(const struct rescue_map *map, const char *path, const char *command);

/* Free the ranges. */
void rescue_map_free(struct rescue_map *map);

#endif
