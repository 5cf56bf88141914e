/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the map of main from its spare, in a process of its own: a spare that hangs, that is
 * damaged, or that holds millions of entries holds nobody up.
 */
#ifndef TUI_MAP_READER_H
#define TUI_MAP_READER_H

#include "sample.h"

/**
 * struct map_reader - a process that reads a map; all zero when there is none
 * @pid: of the process; 0 for none
 * @fd: where the map comes from
 * @map: what came so far
 * @bytes: how much of it
 */
struct map_reader {
	int pid;
	int fd;
	struct map map;
	size_t bytes;
};

/**
 * map_reader_start() - begin to read
 * @reader: all zero
 * @spare_path: of the spare's block device
 *
 * Return: 0 or a negative errno.
 */
int map_reader_start(struct map_reader *reader, const char *spare_path);

/**
 * map_reader_take() - is there a map?
 * @reader: started
 * @map: out: the map, when there is one
 * @wait_ms: how long to wait for it at most
 *
 * Return: 1 with a map; -EAGAIN when it is not there yet; another negative errno when there
 * will be none. But for -EAGAIN, @reader is all zero afterwards.
 */
int map_reader_take(struct map_reader *reader, struct map *map, int wait_ms);

/* End it; one that was never started is left alone. */
void map_reader_stop(struct map_reader *reader);

#endif
