/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * remapmeta.h - the public interface of libremapmeta: read the metadata of a dm-remap spare.
 *
 * A spare is a device or an image file that stands in for the bad blocks of another device,
 * main. The library opens it for reading only, and never writes. It works on a live spare,
 * too, but what is being written at the moment may then look damaged.
 *
 * A handle belongs to one thread at a time; different handles are independent. Nothing here
 * prints, ends the program, changes signal handlers or keeps global state.
 *
 * Functions that can fail return a negative errno, and leave a sentence for a person in
 * remapmeta_error(). Structures are filled by functions that are told how long the caller's
 * structure is: later versions add members at the end, and a program that was built with an
 * older header gets those that it knows.
 *
 * Text that comes from a spare (labels, names) may hold anything but NUL bytes. Escape it
 * before it is shown on a terminal.
 */
#ifndef REMAPMETA_H
#define REMAPMETA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define REMAPMETA_COPIES 5			/* of everything, on different places of the spare */
#define REMAPMETA_SUPERBLOCK 0xffffffffU	/* instead of the number of a table page */

/* A handle; opaque. */
struct remapmeta;

/* What one of the five copies turned out to be. */
enum remapmeta_verdict {
	REMAPMETA_OK = 0,
	REMAPMETA_STALE = 1,		/* whole, but older than another copy */
	REMAPMETA_CORRUPT = 2,
	REMAPMETA_FOREIGN = 3,		/* whole, but of another spare */
	REMAPMETA_UNREADABLE = 4
};

/* What a slot is used for. */
enum remapmeta_state {
	REMAPMETA_FREE = 0,
	REMAPMETA_MAPPED = 1,		/* stands in for a block of main */
	REMAPMETA_RETIRED = 2,		/* bad itself, or its block was moved on */
	REMAPMETA_LOST = 3		/* as mapped, but nobody has the sectors of its mask */
};

/* Bits of remapmeta_info.state. */
enum remapmeta_flags {
	REMAPMETA_IN_USE = 1,		/* live, or not released cleanly */
	REMAPMETA_NEEDS_CHECK = 2,	/* remap-check is to be run */
	REMAPMETA_PRINT_VALID = 4	/* the checksums of main's ends were stored at a release */
};

/**
 * struct remapmeta_info - what a spare says about itself
 * @uuid: of the spare
 * @label: of the spare, or ""
 * @main_id: WWID or serial number of main's disk, or ""
 * @main_partuuid: of main's partition, all zero when there is none
 * @host_id: machine-id of the host that last had the spare active, or all zero
 * @host_name: its name, or ""
 * @sequence: of the newest superblock
 * @main_sectors: length of main in sectors of 512 bytes
 * @main_start: first sector of main on its disk
 * @spare_sectors: length of the spare when it was formatted
 * @created: Unix seconds
 * @activated: Unix seconds of the last activation, 0 for never
 * @read_errors: of main, over its lifetime
 * @write_errors: of main, over its lifetime
 * @activations: how often it was activated for writing
 * @block_sectors: sectors of a block, and of a slot
 * @state: mask of enum remapmeta_flags
 * @slots: of the spare
 * @pages_used: table pages in use; they are numbered from 0
 * @reserved: 0
 */
struct remapmeta_info {
	uint8_t uuid[16];
	char label[40];
	char main_id[72];
	uint8_t main_partuuid[16];
	uint8_t host_id[16];
	char host_name[72];
	uint64_t sequence;
	uint64_t main_sectors;
	uint64_t main_start;
	uint64_t spare_sectors;
	uint64_t created;
	uint64_t activated;
	uint64_t read_errors;
	uint64_t write_errors;
	uint32_t activations;
	uint32_t block_sectors;
	uint32_t state;
	uint32_t slots;
	uint32_t pages_used;
	uint32_t reserved;
};

/**
 * struct remapmeta_summary - sums over all slots
 * @pending_sectors: sectors of mapped blocks whose only copy is on main still
 * @lost_sectors: sectors that nobody has
 * @slots: mapped + lost + retired + free
 * @mapped: slots that stand in for a block
 * @lost: slots that stand in for a block of which sectors are lost
 * @retired: slots that are not used any more
 * @free: slots that are left
 * @reserved: 0
 */
struct remapmeta_summary {
	uint64_t pending_sectors;
	uint64_t lost_sectors;
	uint32_t slots;
	uint32_t mapped;
	uint32_t lost;
	uint32_t retired;
	uint32_t free;
	uint32_t reserved;
};

/**
 * struct remapmeta_entry - a slot that is not free
 * @block: of main, in units of block_sectors. Of a retired slot: the last it stood in for
 * @main_sector: first sector of the block on main
 * @spare_sector: first sector of the slot on the spare
 * @time: Unix seconds when it was mapped or retired
 * @slot: number of the slot
 * @sectors: of the block; fewer than block_sectors only at the end of main
 * @mask: bit i: sector i of the block is pending (only on main; state mapped) or lost
 * @state: enum remapmeta_state
 * @reason: why; see remapmeta_reason_name()
 * @generation: of the block's claim, modulo 256
 */
struct remapmeta_entry {
	uint64_t block;
	uint64_t main_sector;
	uint64_t spare_sector;
	uint64_t time;
	uint32_t slot;
	uint32_t sectors;
	uint32_t mask;
	uint32_t state;
	uint32_t reason;
	uint32_t generation;
};

/**
 * remapmeta_new() - get a handle
 *
 * Return: a handle for remapmeta_free(), or NULL without memory.
 */
struct remapmeta *remapmeta_new(void);

/**
 * remapmeta_free() - close what is open, and free a handle
 * @rm: the handle, or NULL
 */
void remapmeta_free(struct remapmeta *rm);

/**
 * remapmeta_open() - open a spare and read its metadata
 * @rm: a handle; what it had open is closed first
 * @path: of a block device or an image file
 *
 * All copies of all pages in use are read and verified. Memory is 28 bytes for each slot in use.
 *
 * Return: 0; or a negative errno: what open(2) says; -ENOTBLK: neither a block device nor a
 * regular file; -ENODATA: not a spare, or one that lost all its superblocks; -EUCLEAN: a spare,
 * but damaged so that remap-check has to decide; -EOPNOTSUPP: made by a later version;
 * -EFBIG: does not fit the length of this device; -EIO; -ENOMEM.
 * After -EUCLEAN, and other errors where a superblock is valid, remapmeta_get_info() and
 * remapmeta_get_verdicts() work; entries and sums are refused.
 */
int remapmeta_open(struct remapmeta *rm, const char *path);

/**
 * remapmeta_open_fd() - the same, from a descriptor that is open for reading
 * @rm: a handle; what it had open is closed first
 * @fd: stays the caller's; a duplicate of it is kept until the handle is closed or freed
 *
 * Return: as remapmeta_open(); -EBADF and others of fcntl(2).
 */
int remapmeta_open_fd(struct remapmeta *rm, int fd);

/**
 * remapmeta_error() - what went wrong last with a handle
 * @rm: the handle
 *
 * Return: a sentence without a full stop, "" when nothing did; valid until the next call with
 * this handle. The device is not named in it.
 */
const char *remapmeta_error(const struct remapmeta *rm);

/**
 * remapmeta_get_info() - what a spare says about itself
 * @rm: a handle with an open spare
 * @info: out
 * @bytes: sizeof(*info), as the caller knows it
 *
 * Return: 0; -EBADF: nothing is open; -ENODATA: no superblock is valid.
 */
int remapmeta_get_info(struct remapmeta *rm, struct remapmeta_info *info, size_t bytes);

/**
 * remapmeta_get_summary() - sums over all slots
 * @rm: a handle with an open spare
 * @summary: out
 * @bytes: sizeof(*summary), as the caller knows it
 *
 * Return: 0; -EBADF: nothing is open; -EUCLEAN: the entries are not known for certain.
 */
int remapmeta_get_summary(struct remapmeta *rm, struct remapmeta_summary *summary,
			  size_t bytes);

/**
 * remapmeta_next() - the next slot that is not free
 * @rm: a handle with an open spare
 * @cursor: slot to begin with, 0 for all of them; out: the one after the entry
 * @entry: out
 * @bytes: sizeof(*entry), as the caller knows it
 *
 * Return: 1 with an entry, 0 when there is none any more; -EBADF: nothing is open; -EUCLEAN: the
 * entries are not known for certain.
 */
int remapmeta_next(struct remapmeta *rm, uint64_t *cursor, struct remapmeta_entry *entry,
		   size_t bytes);

/**
 * remapmeta_lookup() - the slot that stands in for a block of main
 * @rm: a handle with an open spare
 * @block: number of the block: sector / block_sectors
 * @entry: out
 * @bytes: sizeof(*entry), as the caller knows it
 *
 * Return: 1 with an entry, mapped or lost; 0 when main has the block; errors as
 * remapmeta_next().
 */
int remapmeta_lookup(struct remapmeta *rm, uint64_t block, struct remapmeta_entry *entry,
		     size_t bytes);

/**
 * remapmeta_get_verdicts() - read the five copies of the superblock or of a page, and judge them
 * @rm: a handle with an open spare
 * @page: number of a page in use, or REMAPMETA_SUPERBLOCK
 * @verdicts: out: enum remapmeta_verdict of each copy
 *
 * Return: 0; -EBADF: nothing is open; -ERANGE: no such page is in use; -ENODATA: no superblock
 * says where pages are; -ENOMEM.
 */
int remapmeta_get_verdicts(struct remapmeta *rm, uint32_t page,
			   uint32_t verdicts[REMAPMETA_COPIES]);

/**
 * remapmeta_verdict_name() - a verdict as the tools print it: "ok"
 * @verdict: of remapmeta_get_verdicts()
 *
 * Return: constant text; "unknown" for what this version does not know.
 */
const char *remapmeta_verdict_name(uint32_t verdict);

/**
 * remapmeta_state_name() - a state as the tools print it: "mapped"
 * @state: of an entry
 *
 * Return: constant text; "unknown" for what this version does not know.
 */
const char *remapmeta_state_name(uint32_t state);

/**
 * remapmeta_reason_name() - a reason as the tools print it: "write"
 * @reason: of an entry
 *
 * Return: constant text; "unknown" for what this version does not know.
 */
const char *remapmeta_reason_name(uint32_t reason);

#ifdef __cplusplus
}
#endif

#endif
