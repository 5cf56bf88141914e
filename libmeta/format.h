/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes of a spare, and nothing but the bytes: encode, decode and verify one
 * superblock, one table page, one entry. No I/O, no memory, no policy.
 *
 * The format itself is described in docs/format.md; this file and format.c are the only
 * code that knows offsets.
 */
#ifndef RMETA_FORMAT_H
#define RMETA_FORMAT_H

#include "host.h"

#define RMETA_COPIES 5
#define RMETA_ALL_COPIES 0x1f		/* a mask of copies, bit k is copy k */
#define RMETA_BYTES 4096		/* a superblock or a page */
#define RMETA_SECTORS 8			/* the same in sectors */
#define RMETA_PAGE_ENTRIES 253
#define RMETA_GROUP_PAGES 64		/* pages_used grows by this */
#define RMETA_GROUP_SLOTS (RMETA_GROUP_PAGES * RMETA_PAGE_ENTRIES)
#define RMETA_VERSION 4
#define RMETA_MAX_BLOCK_SHIFT 4
#define RMETA_BLOCK_BITS 48		/* blocks of main are below 2^48 */
#define RMETA_MAX_SLOTS 0xffffffffU
#define RMETA_NO_SLOT 0xffffffffU
#define RMETA_MAX_ACTIVATIONS ((1U << 24) - 1)
#define RMETA_SEQUENCE_SHIFT 40		/* sequence = activations << 40 | counter */

enum rmeta_sb_state {
	RMETA_IN_USE = 1 << 0,		/* not cleanly released */
	RMETA_NEEDS_CHECK = 1 << 1,
	RMETA_PRINT_VALID = 1 << 2,	/* main_print may be compared */
};
#define RMETA_SB_STATES 7

enum rmeta_state {
	RMETA_FREE,
	RMETA_MAPPED,
	RMETA_RETIRED,			/* the slot itself is bad */
	RMETA_LOST,			/* mask bits: sectors that nobody has */
	RMETA_NR_STATES,
	RMETA_RESERVED = 0xff,		/* in memory only: promised to a claim under way */
};

enum rmeta_reason {
	RMETA_REASON_NONE,
	RMETA_REASON_WRITE,
	RMETA_REASON_READ,
	RMETA_REASON_MANUAL,
	RMETA_REASON_BADBLOCKS,
	RMETA_REASON_SMART,
	RMETA_REASON_IMPORT,
	RMETA_REASON_SCAN,
	RMETA_REASON_MOVED,
	RMETA_REASON_REPAIR,
	RMETA_NR_REASONS
};

/**
 * struct rmeta_entry - what one slot stands in for, in memory
 * @where: bits 0..47 the block of main, bits 48..63 the mask; one word, so that a reader
 *	gets both from one load
 * @time: Unix seconds when mapped or retired
 * @state: enum rmeta_state
 * @reason: enum rmeta_reason
 * @generation: of this block's claim, compared modulo 256
 * @reserved: 0
 *
 * Same size and order as on disk, in the byte order of the CPU.
 */
struct rmeta_entry {
	u64 where;
	u32 time;
	u8 state;
	u8 reason;
	u8 generation;
	u8 reserved;
};

static inline u64 rmeta_where(block_t block, u16 mask)
{
	return block | (u64)mask << RMETA_BLOCK_BITS;
}

static inline block_t rmeta_where_block(u64 where)
{
	return where & (((u64)1 << RMETA_BLOCK_BITS) - 1);
}

static inline u16 rmeta_where_mask(u64 where)
{
	return (u16)(where >> RMETA_BLOCK_BITS);
}

/**
 * struct rmeta_superblock - a superblock, decoded
 *
 * Fields as in docs/format.md, in the byte order of the CPU. Text fields carry one more
 * byte than on disk, always NUL. What a later version keeps in the bytes this one does not
 * know is preserved by encoding over the raw bytes that were decoded.
 */
struct rmeta_superblock {
	u8 uuid[16];
	u64 sequence;
	u8 copy;
	u8 block_shift;
	u16 state;
	u32 activations;
	u64 main_sectors;
	u64 spare_sectors;
	u64 zone_start;
	u64 zone_sectors;
	u32 zone_slots;
	u32 table_pages;
	u32 pages_used;
	u64 feature_compat;
	u64 feature_ro_compat;
	u64 feature_incompat;
	u64 created;
	u64 activated;
	u64 read_errors;
	u64 write_errors;
	u8 main_partuuid[16];
	char main_id[64 + 1];
	char label[32 + 1];
	u8 host_id[16];
	char host_name[64 + 1];
	u64 main_start;
	u32 main_print[2];
};

/**
 * struct rmeta_page_header - what a table page says about itself
 */
struct rmeta_page_header {
	u64 sequence;
	u8 uuid[16];
	u64 main_sectors;
	u32 page;
	u8 block_shift;
	u8 copy;
	u8 reserved;		/* 0; kept as found when a page is rewritten unchanged */
};

/* What one copy turned out to be. */
enum rmeta_verdict {
	RMETA_OK,
	RMETA_STALE,		/* whole, but older than another copy */
	RMETA_CORRUPT,
	RMETA_FOREIGN,		/* whole, but of another spare */
	RMETA_UNREADABLE,
	RMETA_NR_VERDICTS
};

/* Why a copy is not valid. */
enum rmeta_defect {
	RMETA_GOOD,
	RMETA_BAD_MAGIC,
	RMETA_BAD_ZERO,		/* all bytes are zero: never written, or wiped */
	RMETA_BAD_CRC,
	RMETA_BAD_VERSION,
	RMETA_BAD_COPY,		/* says it is another of the five */
	RMETA_BAD_PAGE,		/* says it is another page */
	RMETA_BAD_UUID,
	RMETA_BAD_GEOMETRY,	/* fields contradict each other or the device */
	RMETA_BAD_READ,
	RMETA_NR_DEFECTS
};

/**
 * rmeta_superblock_decode() - verify and decode one superblock
 * @raw: RMETA_BYTES bytes
 * @copy: which of the five places they were read from, 0..4
 * @sb: out: filled whenever magic, CRC and version are right
 *
 * The geometry fields are taken as they stand; rmeta_geometry_check() judges them.
 *
 * Return: RMETA_GOOD, or the first defect found.
 */
enum rmeta_defect rmeta_superblock_decode(const void *raw, u8 copy, struct rmeta_superblock *sb);

/**
 * rmeta_superblock_encode() - write the known fields over @raw, with the CRC
 * @raw: RMETA_BYTES bytes: zeroes, or an older superblock whose unknown bytes are kept
 * @sb: what to write
 */
void rmeta_superblock_encode(void *raw, const struct rmeta_superblock *sb);

/* Superblocks that do not count (marks.h): what happens to the spare. In the order of what wins. */
enum rmeta_mark {
	RMETA_MARK_NONE,
	RMETA_MARK_MAKING,	/* it is being made, to replace another */
	RMETA_MARK_ERASING,	/* it is being erased */
	RMETA_MARK_TAKING,	/* it is whole, and takes over from the one that it replaces */
};

/**
 * rmeta_mark_decode() - is this a marked superblock?
 * @raw: RMETA_BYTES bytes
 * @copy: which of the five places they were read from, 0..4
 * @sb: out: what the superblock says
 *
 * Return: what it is marked as, when it is whole but for that; RMETA_MARK_NONE for anything else.
 */
enum rmeta_mark rmeta_mark_decode(const void *raw, u8 copy, struct rmeta_superblock *sb);

/**
 * rmeta_mark_encode() - as rmeta_superblock_encode(), but marked
 * @raw: as there
 * @sb: what to write
 * @mark: what as; RMETA_MARK_NONE: it counts
 */
void rmeta_mark_encode(void *raw, const struct rmeta_superblock *sb, enum rmeta_mark mark);

/**
 * rmeta_superblock_set_copy() - make an encoded superblock copy @copy of the five
 */
void rmeta_superblock_set_copy(void *raw, u8 copy);

/**
 * rmeta_superblock_same() - do two valid superblocks differ in nothing but the copy number?
 */
bool rmeta_superblock_same(const void *raw, const void *other);

/**
 * rmeta_page_same() - do two valid pages differ in nothing but the copy number?
 */
bool rmeta_page_same(const void *raw, const void *other);

/**
 * rmeta_page_decode() - verify one table page
 * @raw: RMETA_BYTES bytes
 * @uuid: of the spare, or NULL to accept any
 * @page: number the page should have
 * @copy: which of the five it should be
 * @header: out: filled whenever magic, CRC and version are right
 *
 * Return: RMETA_GOOD, or the first defect found.
 */
enum rmeta_defect rmeta_page_decode(const void *raw, const u8 *uuid, u32 page, u8 copy,
				    struct rmeta_page_header *header);

/**
 * rmeta_page_is_copy_of() - is this another copy of a page that verified?
 * @raw: RMETA_BYTES bytes, not verified
 * @copy: which of the five it should be
 * @valid: RMETA_BYTES bytes of a page that rmeta_page_decode() called good
 * @valid_copy: which of the five that is
 *
 * The same answer as verifying @raw, if it differs from @valid in nothing but the copy number, at
 * the price of comparing it. Says nothing about one that differs.
 *
 * Return: true if @raw verifies as copy @copy with the same contents.
 */
bool rmeta_page_is_copy_of(const void *raw, u8 copy, const void *valid, u8 valid_copy);

/**
 * rmeta_page_encode() - write header and entries, with the CRC
 * @raw: RMETA_BYTES bytes, all overwritten
 * @header: what the page says about itself
 * @entries: RMETA_PAGE_ENTRIES of them, or NULL for free ones. Those in memory-only states
 *	are written as free.
 */
void rmeta_page_encode(void *raw, const struct rmeta_page_header *header,
		       const struct rmeta_entry *entries);

/**
 * rmeta_page_set_header() - overwrite what a page says about itself, and renew the CRC
 * @raw: RMETA_BYTES bytes of a page that verified; its entries stay byte for byte
 * @header: all of it
 */
void rmeta_page_set_header(void *raw, const struct rmeta_page_header *header);

/**
 * rmeta_page_set_copy() - make an encoded page copy @copy of the five
 */
void rmeta_page_set_copy(void *raw, u8 copy);

/**
 * rmeta_page_entry() - decode entry @nr of a page
 * @raw: RMETA_BYTES bytes of a page that verified
 * @nr: 0..RMETA_PAGE_ENTRIES - 1
 * @entry: out
 */
void rmeta_page_entry(const void *raw, unsigned int nr, struct rmeta_entry *entry);

/**
 * rmeta_page_set_entry() - overwrite entry @nr of a page and renew the CRC
 */
void rmeta_page_set_entry(void *raw, unsigned int nr, const struct rmeta_entry *entry);

/**
 * rmeta_entry_valid() - does an entry obey the format?
 * @entry: decoded entry
 * @main_sectors: length of main
 * @block_shift: log2 of sectors per block
 *
 * Checks the state, the reason, the reserved byte, the block against the end of main, and
 * the mask against the sectors the block has there. A free entry is all zero.
 *
 * Return: NULL, or a short text naming what is wrong.
 */
const char *rmeta_entry_valid(const struct rmeta_entry *entry, u64 main_sectors, u8 block_shift);

/**
 * rmeta_block_mask() - mask with a bit for each sector that a block has
 * @block: block of main
 * @main_sectors: length of main; its last block may be short
 * @block_shift: log2 of sectors per block
 */
u16 rmeta_block_mask(block_t block, u64 main_sectors, u8 block_shift);

/**
 * rmeta_sequence() - a sequence number
 * @activations: of the superblock, at most RMETA_MAX_ACTIVATIONS
 * @counter: within the activation, below 2^40
 */
static inline u64 rmeta_sequence(u32 activations, u64 counter)
{
	return (u64)activations << RMETA_SEQUENCE_SHIFT | counter;
}

/* Names as people and JSON see them; never NULL. */
const char *rmeta_verdict_name(enum rmeta_verdict verdict);
const char *rmeta_defect_text(enum rmeta_defect defect);
const char *rmeta_state_name(unsigned int state);
const char *rmeta_reason_name(unsigned int reason);

#endif
