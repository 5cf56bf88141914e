/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a new main does not have, which is a clone of the old one: what becomes of those sectors, and
 * making that so on the spare. Knows nothing of how the new main is recognised.
 */
#ifndef TOOLS_REBIND_H
#define TOOLS_REBIND_H

#include "device.h"
#include "ranges.h"
#include "table.h"

/**
 * struct rebind - a spare that gets a new main
 * @table: of the spare, loaded
 * @spare: its device
 * @main: new main; only read
 * @missing: sectors that the clone did not get, in order
 * @in_slots: of these, that the spare has
 * @lost_before: of these, that nobody had before
 * @pending_lost: of these, that were pending: blocks with a slot
 * @turned: blocks with such sectors
 * @fresh_lost: the other ones, that nobody has now: blocks without a slot
 * @claims: blocks with such sectors: slots that are needed
 * @copied: sectors of these blocks that new main has, and that go into slots
 */
struct rebind {
	struct rmeta_table *table;
	const struct device *spare;
	const struct device *main;
	const struct ranges *missing;
	u64 in_slots;
	u64 lost_before;
	u64 pending_lost;
	u64 turned;
	u64 fresh_lost;
	u64 claims;
	u64 copied;
};

/* Count what would become of the missing sectors, and read nothing. */
void rebind_count(struct rebind *rebind);

/**
 * rebind_plan() - find out what would become of the missing sectors
 * @rebind: with table, spare, main and missing filled in
 *
 * Reads what would have to be copied. Writes nothing.
 *
 * Return: an exit status, with an error reported: too few slots, or new main cannot be read.
 */
int rebind_plan(struct rebind *rebind);

/**
 * rebind_apply() - put that on the spare
 * @rebind: planned; its table is loaded for writing
 *
 * In batches, each durable before the next. What a cut leaves is right with the old main, too: only
 * sectors that could not be read there are lost. The same again goes on.
 *
 * Return: an exit status, with an error reported.
 */
int rebind_apply(struct rebind *rebind);

#endif
