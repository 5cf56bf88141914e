/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What remap-dump found on a spare, for the formats it can be shown in. Knows where the
 * entries come from; a format knows how they look.
 */
#ifndef TOOLS_DUMP_H
#define TOOLS_DUMP_H

#include "spare.h"
#include "verdicts.h"

/**
 * struct dump - a spare, ready to be shown
 * @dev: open for reading
 * @spare: its table, if it could be loaded
 * @ready: there is something to show
 * @store: for reading pages
 * @sb: superblock that counts
 * @verdicts: what the copies are
 * @nr_pages: pages in use
 * @counts: sums over all entries
 * @broken_entries: entries that break the format and are left out
 * @lost_pages: pages without a valid copy, whose entries are not known
 */
struct dump {
	struct device dev;
	struct spare_load spare;
	bool ready;
	struct rmeta_store store;
	struct rmeta_superblock sb;
	struct verdicts verdicts;
	u32 nr_pages;
	struct rmeta_counts counts;
	u64 broken_entries;
	u32 lost_pages;
};

typedef void (*dump_entry_fn)(void *ctx, slot_t slot, const struct rmeta_entry *entry);

/**
 * dump_entries() - call @fn for every entry that is not free, in slot order
 *
 * From the loaded table: what the target would see. When it could not be loaded, what the
 * best copy of each page holds.
 *
 * Return: 0 or a negative errno.
 */
int dump_entries(struct dump *dump, dump_entry_fn fn, void *ctx);

/**
 * dump_json() - superblock, copies, entries and summary into the report's JSON object
 *
 * Return: 0 or a negative errno.
 */
int dump_json(struct dump *dump, struct json *json);

/**
 * dump_text() - a report for a person
 *
 * Return: 0 or a negative errno.
 */
int dump_text(struct dump *dump, FILE *stream);

#endif
