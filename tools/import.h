/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of remap-import: the plan (which blocks of a list need a slot), the look at main
 * before it (--verify), carrying it out, and what is said of it. What lists are is list.h, the
 * order of it all is remap-import.c.
 */
#ifndef TOOLS_IMPORT_H
#define TOOLS_IMPORT_H

#include "list.h"
#include "live.h"
#include "options.h"
#include "place.h"
#include "spare.h"

/**
 * struct import_plan - what a list means for a spare
 * @blocks: blocks of main that the list names
 * @present: those of them that have a slot already
 * @wanted: those that need one
 * @only_there: blocks that have a slot and are not on the list
 * @fresh: the blocks that need one; NULL when that was not asked for
 * @own: private: memory of @fresh
 */
struct import_plan {
	u64 blocks;
	u64 present;
	u64 wanted;
	u64 only_there;
	const struct ranges *fresh;
	struct ranges own;
};

/**
 * import_plan_make() - compare a list with a table
 * @plan: out; to be freed with import_plan_free()
 * @table: loaded
 * @ranges: the list's blocks, finished; must stay as they are as long as @plan is used
 *
 * Return: 0 or -ENOMEM.
 */
int import_plan_make(struct import_plan *plan, const struct rmeta_table *table,
		     const struct ranges *ranges);

void import_plan_free(struct import_plan *plan);

/**
 * struct import_verify - reading from main what is to be imported
 * @main: open for reading
 * @sample: read a few blocks only
 * @blocks_read: out: blocks read
 * @blocks_failed: out: those that failed
 * @around: out: blocks that failed near an address and were added to the list
 * @found: private: those blocks
 */
struct import_verify {
	struct device main;
	bool sample;
	u64 blocks_read;
	u64 blocks_failed;
	u64 around;
	struct ranges found;
};

/**
 * import_verify_open() - open main and make sure that it is the spare's main
 * @verify: out
 * @path: where it is
 * @sb: superblock of the spare; NULL: it is known to be its main
 *
 * Return: 0, or a negative errno with an error reported.
 */
int import_verify_open(struct import_verify *verify, const char *path,
		       const struct rmeta_superblock *sb);

/**
 * import_verify_run() - read
 * @verify: open
 * @plan: what is to be imported
 * @list: the list. Where its addresses may be in front of the bad place
 *	(list->around_sectors), failing blocks behind them are added to its ranges
 *
 * A plan made before is void when it returns with @verify->around above 0.
 *
 * Return: 0, or -ENOMEM.
 */
int import_verify_run(struct import_verify *verify, const struct import_plan *plan,
		      struct list *list);

/**
 * import_apply() - give every block of a plan its slot
 * @table: loaded for writing
 * @plan: that fits
 * @reason: enum rmeta_reason
 * @imported: out: blocks that got one, durably
 *
 * Return: 0 or a negative errno; then some blocks may have been imported.
 */
int import_apply(struct rmeta_table *table, const struct import_plan *plan,
		 enum rmeta_reason reason, u64 *imported);

enum { IMPORT_AUTO };	/* --type: the others are in the order of list_parsers */

enum { VERIFY_UNSAID = -1, VERIFY_NONE, VERIFY_SAMPLE, VERIFY_ALL };

#define IMPORT_NO_OFFSET UINT64_MAX

/**
 * struct import_options - the command line
 */
struct import_options {
	struct common_options common;
	int type;
	u64 unit_bytes;
	u64 offset_bytes;
	const char *made_on;
	const char *from;
	const char *smart;
	const char *main;
	int verify;
	bool io_errors;
	bool unfinished;
	bool strict;
	bool dry_run;
	bool copy;
	bool follow;
};

/**
 * struct import_totals - what became of all plans; there are several with --follow
 * @ranges: of the list
 * @blocks: as in struct import_plan, and so on
 * @present: likewise
 * @wanted: likewise
 * @only_there: of the last plan
 * @free_slots: as far as is known, after the last plan
 * @planned: there was a plan at all
 */
struct import_totals {
	u64 ranges;
	u64 blocks;
	u64 present;
	u64 wanted;
	u64 only_there;
	u64 free_slots;
	bool planned;
};

/**
 * struct import - an import under way
 * @options: command line
 * @is_live: the target is a live device, not a spare
 * @live: which
 * @dev: the spare
 * @spare: its table
 * @sb: its superblock when the list was begun, with main's identity
 * @list: the list
 * @list_name: where it comes from, safe to print
 * @notes: what the list has to say, safe to print
 * @nr_notes: how many
 * @notes_room: of @notes
 * @place: where the list's addresses are
 * @plan: what it means; with --follow, what the last that came of it means
 * @verify: the look at main
 * @verified: there was one that found a bad block
 * @imported: blocks that got a slot, durably
 * @totals: see above
 * @arrived: with --follow: entries of the list that were looked at
 * @status: with --follow, of what ended it early
 */
struct import {
	struct import_options options;
	bool is_live;
	struct live live;
	struct device dev;
	struct spare_load spare;
	struct rmeta_superblock sb;
	struct list list;
	char *list_name;
	char **notes;
	size_t nr_notes;
	size_t notes_room;
	struct place place;
	struct import_plan plan;
	struct import_verify verify;
	bool verified;
	u64 imported;
	struct import_totals totals;
	u64 arrived;
	int status;
};

/**
 * import_target() - find out what the target is, and look at it
 * @import: @options is set; out: @is_live, @live, @sb, @verify, main_sectors and block_shift of
 *	@list
 *
 * Everything that can be refused before the list is read, is. Nothing is held afterwards.
 *
 * Return: STATUS_DONE, or another exit status with an error reported.
 */
int import_target(struct import *import);

/**
 * import_open() - open the spare and load its table
 * @import: after import_target()
 * @read_only: write nothing; that of a live device is always read only
 *
 * Return: STATUS_DONE, or another exit status with an error reported. import_close() in any case.
 */
int import_open(struct import *import, bool read_only);

void import_close(struct import *import);

/**
 * import_read() - read the list
 * @import: after import_target(); out: @list, @list_name, @notes, @place
 *
 * With --follow, it carries out what has arrived each time.
 *
 * Return: STATUS_DONE, or another exit status with an error reported.
 */
int import_read(struct import *import);

/**
 * import_list() - plan, and carry it out
 * @import: the list is read; or a part of it with --follow
 *
 * Return: STATUS_DONE, STATUS_LOOK, or another exit status with an error reported.
 */
int import_list(struct import *import);

/**
 * import_arrived() - carry out what has arrived of a list
 * @import: list->ranges are taken away, unless main's word is still missing
 *
 * Return: 0, or -ECANCELED with @import->status set.
 */
int import_arrived(struct import *import);

/**
 * import_end_following() - nothing more comes of a list
 * @import: what is left in list->ranges are blocks that main has not confirmed
 *
 * Return: exit status.
 */
int import_end_following(struct import *import);

/**
 * import_apply_live() - give every block of a plan its slot, by messages
 * @import: with a plan that fits; @imported counts on
 *
 * Return: STATUS_DONE, STATUS_LOOK, or STATUS_FAILED with an error reported.
 */
int import_apply_live(struct import *import);

/* What has been changed up to now: "nothing was changed", or how many blocks were imported. */
const char *import_so_far(const struct import *import);

/* The plan, as text. */
void import_show_plan(const struct import *import);

/* Members of the JSON object, if there is one. */
void import_write_json(const struct import *import);

/* What a list consists of, for a message: "line", or of one without lines "entry". */
static inline const char *import_noun(const struct list *list, u64 count)
{
	if (list->parser && list->parser->chunk)
		return count == 1 ? "entry" : "entries";
	return count == 1 ? "line" : "lines";
}

#endif
