/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The members of a dump's JSON, one by one: what each may hold and where it goes. The other half
 * of dump_json.c; docs/tools.md lists them. Members that are not known are passed over.
 */
#ifndef TOOLS_DUMP_MEMBERS_H
#define TOOLS_DUMP_MEMBERS_H

#include "json_read.h"
#include "table.h"

enum {
	DUMP_RAW_SLOT = 1 << 0,
	DUMP_RAW_BLOCK = 1 << 1,
	DUMP_RAW_MAIN_SECTOR = 1 << 2,
	DUMP_RAW_SPARE_SECTOR = 1 << 3,
	DUMP_RAW_SECTORS = 1 << 4,
	DUMP_RAW_MASK = 1 << 5,
	DUMP_RAW_STATE = 1 << 6,
	DUMP_RAW_REASON = 1 << 7,
	DUMP_RAW_TIME = 1 << 8,
	DUMP_RAW_GENERATION = 1 << 9,
	DUMP_RAW_ALL = (1 << 10) - 1,
	DUMP_RAW_NEEDED = DUMP_RAW_ALL & ~(DUMP_RAW_MAIN_SECTOR | DUMP_RAW_SPARE_SECTOR |
					   DUMP_RAW_SECTORS),
};

/**
 * struct dump_raw_entry - an entry as it stands in a dump, not judged
 * @state: enum rmeta_state, RMETA_NR_STATES for an unknown name
 * @reason: enum rmeta_reason, RMETA_NR_REASONS for an unknown name
 * @seen: DUMP_RAW_*: which of the others are there
 */
struct dump_raw_entry {
	u64 slot;
	u64 block;
	u64 main_sector;
	u64 spare_sector;
	u64 sectors;
	u64 mask;
	u64 time;
	u64 generation;
	u8 state;
	u8 reason;
	u16 seen;
};

/**
 * struct dump_summary - what a dump says of itself besides its entries
 * @slots: of the spare
 * @mapped: slots
 * @retired: slots
 * @free: slots
 * @pending_sectors: in mapped entries
 * @lost_sectors: in lost entries
 * @seen: which of these are there
 * @sb_seen: which members of the superblock are there
 * @has_print: both of main's prints are
 */
struct dump_summary {
	u64 slots;
	u64 mapped;
	u64 retired;
	u64 free;
	u64 pending_sectors;
	u64 lost_sectors;
	unsigned int seen;
	unsigned int sb_seen;
	bool has_print;
};

/*
 * One member each. Return: NULL, or what is wrong with it: "is no number". A member of the
 * superblock that is a list comes element by element, number @nr, as @element.
 */
const char *dump_raw_member(struct dump_raw_entry *raw, const char *key,
			    const struct json_value *value);
const char *dump_summary_member(struct dump_summary *summary, const char *key,
				const struct json_value *value);
const char *dump_sb_member(struct rmeta_superblock *sb, struct dump_summary *summary,
			   const char *key, const struct json_value *element,
			   const struct json_value *value, u64 nr);

/**
 * dump_raw_line() - an entry from a line as remap-dump writes it
 * @raw: out
 * @line: text up to a newline, which must be there
 *
 * Return: false when the line is anything but all members of one entry in order and a comma;
 * @raw is worth nothing then.
 */
bool dump_raw_line(struct dump_raw_entry *raw, const char *line);

/* Name of a needed member that is not there. */
const char *dump_raw_missing(const struct dump_raw_entry *raw);

/* Likewise of the superblock; NULL when all are there. */
const char *dump_sb_missing(const struct dump_summary *summary);

/* Name of a sum that is missing or differs from what the entries add up to, or NULL. */
const char *dump_summary_differs(const struct dump_summary *summary,
				 const struct rmeta_counts *counts, u32 slots);

#endif
