/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A spare as the tools meet it: loading its table through the engine, with the engine's
 * errors turned into messages and exit statuses at this one place, and finding out what is
 * on a device that may or may not be a spare.
 */
#ifndef TOOLS_SPARE_H
#define TOOLS_SPARE_H

#include "device.h"
#include "table.h"

#define SPARE_BATCH_PAGES 512	/* committed together where a spare is loaded for writing */

/**
 * struct spare_load - a loaded spare
 * @table: valid until spare_unload()
 * @load: what the load reported
 * @loaded: spare_unload() has something to do
 * @print_valid: main's prints were valid before this load
 */
struct spare_load {
	struct rmeta_table table;
	struct rmeta_load load;
	bool loaded;
	bool print_valid;
};

/**
 * spare_load() - load the table of a spare
 * @spare: out
 * @dev: open; for writing unless @read_only
 * @read_only: write nothing
 *
 * Loading for writing repairs copies and activates (docs/format.md, rule 7). The host that
 * last had the spare active stays on record: an offline tool is not the host of a disk.
 *
 * Return: STATUS_DONE; or with an error reported STATUS_DAMAGED when this is a spare whose
 * metadata only remap-check may decide on, STATUS_FAILED for anything else: not a spare, I/O
 * errors, made by a newer version.
 */
int spare_load(struct spare_load *spare, struct device *dev, bool read_only);

/* Would spare_load() load the table of what is on a device? Says and writes nothing. */
bool spare_loads(struct device *dev);

/* Free a loaded table; writes nothing. */
void spare_unload(struct spare_load *spare);

/**
 * spare_release() - mark a spare loaded for writing as cleanly released
 *
 * main was not touched while an offline tool had the spare, so its prints are as valid as
 * they were.
 *
 * Return: STATUS_DONE, or STATUS_FAILED with an error reported.
 */
int spare_release(struct spare_load *spare, struct device *dev);

/**
 * spare_reserve_slot() - promise a free slot to a claim, growing the table where that is needed
 * @table: of a spare, loaded for writing
 * @slot: out
 *
 * Return: 0; -ENOSPC: there is none; another negative errno as of rmeta_table_grow().
 */
int spare_reserve_slot(struct rmeta_table *table, slot_t *slot);

/**
 * spare_count_stored() - blocks of main of which a slot has at least one sector
 * @table: of the spare, loaded
 */
u32 spare_count_stored(const struct rmeta_table *table);

enum spare_kind {
	SPARE_NONE,	/* nothing of dm-remap */
	SPARE_EMPTY,	/* a spare without remaps, or a format or restore that was cut short */
	SPARE_REMAPS,	/* a spare that holds remaps */
	SPARE_BROKEN,	/* of dm-remap, but what it holds cannot be told */
};

/**
 * struct spare_survey - what is on a device
 * @kind: see above
 * @label: of the spare, safe to print; "" when it has none or it is not known
 * @remaps: slots that stand in for a block of main (mapped, lost)
 * @retired: slots known to be bad
 */
struct spare_survey {
	enum spare_kind kind;
	char *label;
	u32 remaps;
	u32 retired;
};

/**
 * spare_survey() - find out what is on a device, writing nothing
 * @survey: out; @survey->label is to be freed
 * @dev: open device
 *
 * Works through damage: superblocks may be gone.
 *
 * Return: 0, or a negative errno with an error reported; -EUCLEAN: an erase of it, or
 * a replacement by it, was cut short.
 */
int spare_survey(struct spare_survey *survey, struct device *dev);

/**
 * spare_mark() - was an erase, or a replacement, cut short?
 * @dev: open device
 * @sb: out: what its superblock says
 *
 * What is there then is no table that counts, and no tool but remap-setup has anything to do with it.
 */
enum rmeta_mark spare_mark(struct device *dev, struct rmeta_superblock *sb);

/**
 * spare_refuse_marked() - report an erase or a replacement that was cut short
 *
 * Return: STATUS_DONE, or STATUS_DAMAGED with an error that names the command which finishes it.
 */
int spare_refuse_marked(struct device *dev);

/**
 * spare_refuse_foreign() - is it a spare only?
 * @spare: loaded
 * @dev: its device
 *
 * mkfs leaves most of what a spare was, so it can be loaded still; but its owner is another one now,
 * and to write to it would destroy that.
 *
 * Return: STATUS_DONE, or STATUS_FAILED with an error: somebody else's signature is in the metadata area.
 */
int spare_refuse_foreign(const struct spare_load *spare, const struct device *dev);

/**
 * spare_superblock() - any superblock of a spare that is whole
 * @sb: out
 * @geo: out: its layout
 * @dev: open device
 *
 * For questions about whose a spare is, not for loading: it may be an old copy.
 *
 * Return: false when there is no such superblock.
 */
bool spare_superblock(struct rmeta_superblock *sb, struct rmeta_geometry *geo,
		      struct device *dev);

/**
 * spare_geometry() - the layout of a spare, from any superblock that is whole
 * @geo: out
 * @dev: open device
 *
 * For questions about where things are, not for loading.
 *
 * Return: false when there is no such superblock.
 */
bool spare_geometry(struct rmeta_geometry *geo, struct device *dev);

/* A random number, for hash seeds and UUIDs; ends the program when there is none. */
void spare_random(void *data, size_t bytes);

/* A UUID for a new spare: 16 bytes, random, as RFC 4122 has them. */
void spare_new_uuid(u8 *uuid);

#endif
