/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Making a spare something that nothing of dm-remap is on (docs/format.md, rule 12). Userspace only.
 *
 * Whether anything on it is still needed is the caller's to decide, and has been. What an erase that
 * was cut short leaves says so itself, so that nobody takes it for a spare that lost its superblocks.
 */
#ifndef RMETA_ERASE_H
#define RMETA_ERASE_H

#include "copies.h"

/**
 * struct rmeta_erase - an erase
 * @device_sectors: length of the device
 * @pages_used: of the table as it was loaded, which may know of more than the superblock; not
 *	looked at where an erase is under way
 * @wipe: called when all of the metadata but the superblocks is gone, durably; what it returns but 0
 *	ends the erase and is returned. Or NULL.
 * @progress: @done of @total pages are done; or NULL
 * @ctx: first argument of these
 */
struct rmeta_erase {
	u64 device_sectors;
	u32 pages_used;
	int (*wipe)(void *ctx);
	void (*progress)(void *ctx, u32 done, u32 total);
	void *ctx;
};

/**
 * rmeta_erase() - erase the metadata of a spare, or finish that
 * @ops: I/O of the host
 * @host: its first argument
 * @erase: what, and how
 *
 * Slots keep what is in them. Cut at any instant, or ended by an error, it leaves the spare as it
 * was but for superblocks that any one of the others replaces, or something that
 * is marked as being erased (marks.h); the same call again goes on. A spare that was being made to
 * replace another one can be erased, too.
 *
 * Return: 0; -ENODATA: no superblock is valid or marked; -EFBIG: the marked one does not fit the
 * device; -ENOMEM; the error of the first write that failed; what @erase->wipe returned.
 */
int rmeta_erase(const struct rmeta_host_ops *ops, void *host, const struct rmeta_erase *erase);

#endif
