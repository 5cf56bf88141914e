/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What becomes of the entries of a dump on another spare, and copying what their slots hold.
 * Decides, sector by sector, who has the data; writes slots, never metadata.
 */
#ifndef TOOLS_RESTORE_TABLE_H
#define TOOLS_RESTORE_TABLE_H

#include "device.h"
#include "dump_file.h"
#include "ranges.h"

/**
 * struct restore_sources - where data can come from
 * @old: the spare of the dump, or NULL
 * @match: enum rmeta_match of each page of it, if @old
 * @unchanged: all of it is as the dump says, also where a page is lost
 * @main: main, or NULL: pending sectors of blocks that become lost are saved from it
 * @keep_pending: without @old: nothing was written since the dump, so that main is still the only
 *	copy of pending sectors
 */
struct restore_sources {
	const struct device *old;
	const u8 *match;
	bool unchanged;
	const struct device *main;
	bool keep_pending;
};

/**
 * struct restore_table - entries as they will be
 * @entries: by new slot
 * @old_slots: slot each had
 * @nr: how many
 * @retired: entries left out: their slots were bad ones of the old spare
 * @lost_before: lost sectors that the dump says are lost
 * @pending_lost: of the others those that only main had, which may still be there
 * @copied_sectors: from the old spare
 * @saved_sectors: from main
 * @counts: sums over the entries
 */
struct restore_table {
	struct rmeta_entry *entries;
	slot_t *old_slots;
	u32 nr;
	u32 retired;
	u64 lost_before;
	u64 pending_lost;
	u64 copied_sectors;
	u64 saved_sectors;
	struct rmeta_counts counts;
};

/**
 * restore_table_make() - lay the entries of a dump out for another spare
 * @table: out; to be freed with restore_table_free(), also after an error
 * @file: the dump
 *
 * The entries are those of the dump still; restore_table_fill() decides what they become.
 *
 * Return: 0 or -ENOMEM.
 */
int restore_table_make(struct restore_table *table, const struct dump_file *file);

/**
 * restore_table_fill() - decide about each entry, and copy what there is
 * @table: changed
 * @file: the dump
 * @sources: where data can come from
 * @spare: new spare, to be written to, or NULL: nothing is read or copied, and entries become
 *	what they would if everything could be read
 * @geo: its layout
 *
 * Data are durable in the slots when this returns.
 *
 * Return: 0; or a negative errno with an error reported when the new spare cannot be written.
 */
int restore_table_fill(struct restore_table *table, const struct dump_file *file,
		       const struct restore_sources *sources, const struct device *spare,
		       const struct rmeta_geometry *geo);

/**
 * restore_table_lost() - sectors of main that nobody has
 * @table: filled
 * @geo: layout of its spare
 * @lost: out: an empty set at first
 *
 * Return: 0 or -ENOMEM.
 */
int restore_table_lost(const struct restore_table *table, const struct rmeta_geometry *geo,
		       struct ranges *lost);

/* Free what restore_table_make() got. */
void restore_table_free(struct restore_table *table);

#endif
