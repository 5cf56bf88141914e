/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The entries of the slot table in memory, shared by the table, which owns and changes
 * them, and the index, which only compares their blocks.
 *
 * They are kept in chunks of one growth group (64 pages, 16,192 slots, 253 KiB): a chunk
 * never moves, so a reader needs no lock to follow a slot number, and a page's entries
 * are contiguous.
 */
#ifndef RMETA_ENTRIES_H
#define RMETA_ENTRIES_H

#include "format.h"

/**
 * struct rmeta_entries - chunks of entries
 * @group: @max_groups pointers; those from @nr_groups on are NULL
 * @nr_groups: chunks allocated so far; only the writer changes it
 * @max_groups: chunks that the geometry allows
 */
struct rmeta_entries {
	struct rmeta_entry **group;
	u32 nr_groups;
	u32 max_groups;
};

/**
 * rmeta_entry_at() - the entry of a slot
 * @entries: chunks
 * @slot: a slot that the table has initialised
 *
 * Context: any; the caller is the writer or got @slot from the index under RCU.
 */
static inline struct rmeta_entry *rmeta_entry_at(const struct rmeta_entries *entries, slot_t slot)
{
	u32 group = slot / RMETA_GROUP_SLOTS;

	return &entries->group[group][slot - group * RMETA_GROUP_SLOTS];
}

#endif
