/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Main with the remapped blocks laid over: what the mapped device would give, read without it.
 * From main and a spare, or from main and a dump of a spare that is gone.
 *
 * Reads only, and never main where a slot has the data: it is old there, and bad.
 */
#ifndef TOOLS_COMPOSITE_H
#define TOOLS_COMPOSITE_H

#include "dump.h"
#include "ranges.h"

/* Why nobody has a sector. */
enum composite_why {
	COMPOSITE_LOST,		/* the spare says so */
	COMPOSITE_PENDING,	/* only main has it, and cannot be read */
	COMPOSITE_SLOT,		/* it is in a slot that cannot be read, or that is gone */
	COMPOSITE_MAIN,		/* main's own, and cannot be read */
	COMPOSITE_CLAIMED,	/* two slots claim its block and nothing says which is right */
	COMPOSITE_NR_WHYS
};

/* "lost", "pending", "slot", "main", "claimed" */
const char *composite_why_name(enum composite_why why);

/**
 * struct composite - a composite
 * @main: open
 * @dump: the spare, or the dump of one; its device is open if it is a spare
 * @survey: its entries, by block
 * @main_sectors: length
 * @main_absent: sectors that @main, a copy by ddrescue, lacks: clone_map.h
 * @spare_absent: likewise of the spare
 */
struct composite {
	struct device main;
	struct dump dump;
	struct dump_survey survey;
	u64 main_sectors;
	struct ranges main_absent;
	struct ranges spare_absent;
};

/**
 * composite_prepare() - main and spare are open: make sure that they belong together
 * @composite: @main is open, @dump is examined
 * @accept_incomplete: go on where entries may be missing
 *
 * Return: STATUS_DONE, or another exit status with an error reported.
 */
int composite_prepare(struct composite *composite, bool accept_incomplete);

/* Free what composite_prepare() got, the ranges, and the dump; not the devices. */
void composite_exit(struct composite *composite);

/**
 * composite_fn - sectors that nobody has
 * @ctx: as given
 * @sector: first sector of main
 * @sectors: how many
 * @why: why
 */
typedef void (*composite_fn)(void *ctx, u64 sector, u64 sectors, enum composite_why why);

/**
 * composite_read() - read a range
 * @composite: prepared
 * @sector: first sector of main
 * @sectors: how many, all on main
 * @data: out: zeroes where nobody has a sector
 * @missing: called for these in ascending order
 * @ctx: its first argument
 *
 * Return: sectors that nobody has.
 */
u64 composite_read(const struct composite *composite, u64 sector, u64 sectors, void *data,
		   composite_fn missing, void *ctx);

/**
 * struct composite_extent - what is known of the holes of main; all zero at first
 * @asked: from this sector on
 * @first: there is nothing but a hole up to this one
 * @end: and nothing but data from there up to this one
 */
struct composite_extent {
	u64 asked;
	u64 first;
	u64 end;
};

/**
 * composite_next_data() - where zeroes end that need not be read
 * @composite: prepared
 * @extent: kept from call to call
 * @sector: a sector of main
 * @end_sector: out: where holes may begin again
 *
 * Return: the first sector from @sector on that is not in a hole of main, or that the spare has
 * something to say about; main's length when there is none.
 */
u64 composite_next_data(const struct composite *composite, struct composite_extent *extent,
			u64 sector, u64 *end_sector);

/* First place, in the order of blocks, of @block or behind it. */
u32 composite_place(const struct composite *composite, block_t block);

#endif
