/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Putting a table that was kept elsewhere onto a spare: onto its own one, whose slots hold what the
 * table says, or onto another device, of which that makes a new spare. Userspace only.
 *
 * Knows neither where the entries come from nor what they should become: whoever calls decides
 * what is true of a slot, and hands in entries that obey the format.
 */
#ifndef RMETA_RESTORE_H
#define RMETA_RESTORE_H

#include "copies.h"

/* What a spare holds of a page, compared with the table. */
enum rmeta_match {
	RMETA_MATCH_SAME,	/* its entries are the table's */
	RMETA_MATCH_LOST,	/* no copy of it is valid */
	RMETA_MATCH_DIFFERS,
};

/**
 * struct rmeta_restore - a table and where it goes
 * @sb: of the table. rmeta_restore_new() fills in layout, activations, sequence and pages_used.
 * @geo: layout of the spare that the table is for, see rmeta_geometry_init()
 * @nr_slots: slots up to the last that is in use
 * @fill: entries of a page of the table, into RMETA_PAGE_ENTRIES zeroed ones
 * @erased: rmeta_restore_new(): called when nothing of an older spare counts any more and before
 *	the first page is written, to make the data of slots durable; or NULL. Anything but 0
 *	ends the restore and is returned.
 * @progress: @done of @total pages are done; or NULL
 * @replaces: rmeta_restore_new(): uuid of the spare that this one is to replace, or NULL
 * @taking: with @replaces: called when all but the superblocks is there, durably, to see to it that the
 *	other spare does not count any more. Anything but 0 ends the restore and is returned.
 * @ctx: first argument of these
 * @bad_copies: out: copies that could not be written; each page and the superblock are in two at
 *	least all the same
 * @written: out: pages written
 */
struct rmeta_restore {
	struct rmeta_superblock sb;
	struct rmeta_geometry geo;
	u64 nr_slots;
	void (*fill)(void *ctx, u32 page, struct rmeta_entry *entries);
	int (*erased)(void *ctx);
	void (*progress)(void *ctx, u32 done, u32 total);
	const u8 *replaces;
	int (*taking)(void *ctx);
	void *ctx;
	u32 bad_copies;
	u32 written;
};

/**
 * rmeta_restore_new() - make a device a new spare that holds the table (rule 8)
 * @ops: I/O of the host
 * @host: its first argument
 * @restore: the table; @restore->sb.uuid was never used before
 *
 * Whether anything may be overwritten is the caller's to decide, and has been. Cut at any
 * instant it leaves what was there before, or nothing that loads (a half-made format), or all
 * of the table: the superblocks come last. With @restore->replaces they are marked meanwhile (rule 13),
 * as being made, and from before @restore->taking on as taking over, which rmeta_restore_finish() ends.
 *
 * Return: 0; -ENOSPC when the table has more slots than the spare; -EIO when a page did not get
 * into two copies or not all five superblocks could be written; -ENOMEM; what @restore->erased
 * returned.
 */
int rmeta_restore_new(const struct rmeta_host_ops *ops, void *host,
		      struct rmeta_restore *restore);

/**
 * rmeta_restore_finish() - make a new spare count that takes over from another
 * @ops: I/O of the host
 * @host: its first argument
 * @uuid: out: its uuid
 *
 * That the other one does not count any more is known to the caller.
 *
 * Return: 0; -ENODATA: it is not marked as taking over; -ENOMEM; the error of a write that failed.
 */
int rmeta_restore_finish(const struct rmeta_host_ops *ops, void *host, u8 uuid[16]);

/**
 * struct rmeta_judgement - is a device the spare of a table, and does it hold it still?
 * @device_sectors: length of the device
 * @match: enum rmeta_match of each of sb.pages_used pages, or NULL
 * @is_own: out: superblocks or pages of the table's spare are there, none of another spare and
 *	none that contradicts the table's layout
 * @has_super: out: at least one superblock is valid
 * @unchanged: out: the superblock is the table's, the spare was released cleanly, and no page has
 *	been written by a later activation. So slots hold what the table says, also those of lost
 *	pages. Not affected by a restore that was cut short.
 * @pages: out: pages of each kind
 * @behind: out: there are entries behind the table's pages
 * @damaged: out: a superblock or page of the table has copies that are not good
 */
struct rmeta_judgement {
	u64 device_sectors;
	u8 *match;

	bool is_own;
	bool has_super;
	bool unchanged;
	u32 pages[RMETA_MATCH_DIFFERS + 1];
	bool behind;
	bool damaged;
};

/**
 * rmeta_restore_judge() - compare a device with a table; writes nothing
 * @ops: I/O of the host
 * @host: its first argument
 * @restore: the table as its spare had it, with that spare's superblock and layout
 * @judgement: out
 *
 * Return: 0 or -ENOMEM.
 */
int rmeta_restore_judge(const struct rmeta_host_ops *ops, void *host,
			const struct rmeta_restore *restore, struct rmeta_judgement *judgement);

/**
 * rmeta_restore_own() - bring the table of a spare back onto it, byte for byte but for sequences
 * @ops: I/O of the host
 * @host: its first argument
 * @restore: as for rmeta_restore_judge()
 * @judgement: of this device and this table: is_own, and unchanged or all pages the same
 *
 * With a superblock that counts, pages that are lost or differ are written under numbers that the
 * last activation did not use; the superblock says what it said before. Cut at any instant, a
 * second run does the same again. Without one, the superblock is written first, from the table,
 * under a new activation and as not cleanly released.
 *
 * Return: 0; -EIO when a page or the superblock did not get into two copies; -EOVERFLOW when
 * activations are used up; -ENOMEM.
 */
int rmeta_restore_own(const struct rmeta_host_ops *ops, void *host,
		      struct rmeta_restore *restore, const struct rmeta_judgement *judgement);

#endif
