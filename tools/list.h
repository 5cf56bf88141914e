/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of bad blocks as badblocks(8) prints them: one decimal number a line. Every line
 * either counts or is reported; none is skipped silently.
 */
#ifndef TOOLS_LIST_H
#define TOOLS_LIST_H

#include "ranges.h"

/**
 * struct list - a list that is being read
 * @unit_bytes: size of what its numbers count, a multiple of 512
 * @main_sectors: length of main
 * @block_shift: log2 of sectors per block of main
 * @reject: called for each line that is not taken, or NULL
 * @progress: called now and then with the bytes read so far, or NULL
 * @ctx: their first argument
 * @ranges: out: the blocks of main that the list names, finished
 * @bytes: out: length of the list
 * @lines: out: lines read
 * @blank: out: lines without anything on them
 * @rejected: out: lines that were not taken
 */
struct list {
	u32 unit_bytes;
	u64 main_sectors;
	u8 block_shift;
	void (*reject)(void *ctx, u64 line, const char *text, size_t bytes, const char *reason);
	void (*progress)(void *ctx, u64 bytes);
	void *ctx;

	struct ranges ranges;
	u64 bytes;
	u64 lines;
	u64 blank;
	u64 rejected;
};

/**
 * list_read() - read a whole list
 * @list: parameters and outcome
 * @fd: to read from
 *
 * A unit that covers a block of main in part takes the whole block. Blanks around a number
 * and CR LF are accepted; the last line may lack its newline.
 *
 * Return: 0, or a negative errno: -ENOMEM, or what read() said. list->ranges is to be freed
 * in any case.
 */
int list_read(struct list *list, int fd);

#endif
