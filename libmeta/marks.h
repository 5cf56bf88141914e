/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Superblocks that are marked: they do not count any more, or not yet, and say why (docs/format.md,
 * rules 12 and 13). Userspace only; the kernel takes them for no superblocks.
 */
#ifndef RMETA_MARKS_H
#define RMETA_MARKS_H

#include "copies.h"

/**
 * rmeta_mark_find() - are the superblocks of a device marked?
 * @ops: I/O of the host
 * @host: its first argument
 * @sb: out: what a marked superblock says
 *
 * While any superblock counts, marks beside it say nothing. Of several marks the latest does:
 * a replacement that takes over is more than one that is made.
 *
 * Return: an enum rmeta_mark; -ENOMEM.
 */
int rmeta_mark_find(const struct rmeta_host_ops *ops, void *host, struct rmeta_superblock *sb);

/**
 * rmeta_mark_write() - write marked superblocks, or ones that count
 * @store: I/O; its buffers are used
 * @raw: RMETA_BYTES that the superblock had, so that what this version does not know is kept; or NULL
 * @sb: superblock; its copy is set
 * @copies: mask of the places
 * @mark: or RMETA_MARK_NONE: they count
 *
 * Return: 0 when all of them are durable; the error of the first that failed.
 */
int rmeta_mark_write(struct rmeta_store *store, const u8 *raw, struct rmeta_superblock *sb,
		     u8 copies, enum rmeta_mark mark);

#endif
