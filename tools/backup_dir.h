/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The directory of backups of what spares hold: what the files are called, which of them are
 * forgotten, how old the newest is. It does not know what is in them.
 *
 *	<uuid of the spare>-<UTC time>.json.gz			a whole one
 *	<uuid of the spare>-<UTC time>.partial.json.gz		not all of the spare could be read
 *
 * A whole one is never forgotten for a partial one: each kind has its own rotation.
 */
#ifndef TOOLS_BACKUP_DIR_H
#define TOOLS_BACKUP_DIR_H

#include <time.h>

#include "host.h"

#define BACKUP_DIR "/var/lib/dm-remap"
#define BACKUP_NAME_BYTES 80	/* of any name of a file, with its NUL */

/**
 * backup_dir_name() - what a backup is called
 * @name: out: BACKUP_NAME_BYTES
 * @uuid: of the spare
 * @when: time of the backup
 * @whole: all of the spare is in it
 */
void backup_dir_name(char *name, const char *uuid, time_t when, bool whole);

/**
 * backup_dir_forget() - remove old ones
 * @path: of the directory
 * @uuid: of the spare of which they are
 * @whole: whole ones, or partial ones
 *
 * The newest 20 stay, and of those behind them the newest of each day, up to 366 of them. What cannot
 * be removed is warned of. Nothing that has another name is touched.
 *
 * Return: how many were removed.
 */
unsigned int backup_dir_forget(const char *path, const char *uuid, bool whole);

/**
 * backup_dir_newest() - the newest whole backup, and when it was made
 * @path: of the directory
 * @uuid: of the spare
 * @when: out
 * @name: out: BACKUP_NAME_BYTES, name of the file; or NULL
 *
 * Return: 0; -ENOENT when there is none; another negative errno when the directory cannot be read.
 */
int backup_dir_newest(const char *path, const char *uuid, time_t *when, char *name);

#endif
