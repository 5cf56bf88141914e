/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the newest backup of a spare knows of it: by its sequence an older copy of a spare is told from
 * the spare, though they are alike and the newer one is not here.
 */
#ifndef TOOLS_NEWEST_BACKUP_H
#define TOOLS_NEWEST_BACKUP_H

#include <limits.h>
#include <time.h>

#include "host.h"

/**
 * struct newest_backup - the newest whole backup of a spare
 * @path: of the file
 * @when: it was made
 * @sequence: that the superblock of the spare had then
 */
struct newest_backup {
	char path[PATH_MAX];
	time_t when;
	u64 sequence;
};

/**
 * newest_backup_find() - find it
 * @backup: out
 * @dir: directory of backups
 * @uuid: of the spare
 *
 * Only the beginning of the file is read. A directory that is not there or cannot be read has none, and
 * so has one whose newest file says nothing: what is here is all that can be known.
 *
 * Return: false when there is none.
 */
bool newest_backup_find(struct newest_backup *backup, const char *dir, const u8 uuid[16]);

#endif
