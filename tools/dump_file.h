/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A dump that remap-dump wrote, read back: superblock and entries. Whatever a file holds, what
 * comes out of it obeys the format: a dump that does not is refused, with the place named.
 *
 * Does not know what becomes of it.
 */
#ifndef TOOLS_DUMP_FILE_H
#define TOOLS_DUMP_FILE_H

#include "table.h"

/**
 * struct dump_file - a dump
 * @shown: its path, safe to print
 * @sb: the superblock
 * @has_print: it says what main's prints were
 * @geo: layout of the spare that was dumped
 * @entries: of that spare, by slot; groups without an entry are not there
 * @nr_entries: not free
 * @counts: sums over them
 * @damaged: the spare was damaged, so that entries may be missing
 */
struct dump_file {
	char *shown;
	struct rmeta_superblock sb;
	bool has_print;
	struct rmeta_geometry geo;
	struct rmeta_entries entries;
	u32 nr_entries;
	struct rmeta_counts counts;
	bool damaged;
};

/**
 * dump_file_read() - read and verify a dump
 * @file: out; to be freed with dump_file_free(), also after an error
 * @path: of the JSON, which may be compressed; "-" is standard input
 *
 * Memory is 16 bytes for each slot up to the last in use. No block has two slots, no slot is
 * named twice, and the sums are those that the dump says.
 *
 * Return: STATUS_DONE; or with an error reported STATUS_FAILED when the file cannot be read or is
 * no dump, STATUS_DAMAGED when it is a dump that is cut off or contradicts itself.
 */
int dump_file_read(struct dump_file *file, const char *path);

/* Free the entries, of which there can be millions, and keep the rest. */
void dump_file_drop_entries(struct dump_file *file);

/* Free what dump_file_read() got. */
void dump_file_free(struct dump_file *file);

/* Call @fn for every entry that is not free, in slot order. */
void dump_file_entries(const struct dump_file *file,
		       void (*fn)(void *ctx, slot_t slot, const struct rmeta_entry *entry),
		       void *ctx);

#endif
