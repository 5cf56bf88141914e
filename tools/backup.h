/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Making a backup of what a spare holds: remap-dump's JSON, by remap-dump itself, in a directory that
 * does not die with the spare.
 */
#ifndef TOOLS_BACKUP_H
#define TOOLS_BACKUP_H

#include <limits.h>
#include <stdbool.h>

/**
 * struct backup - a backup that was made
 * @path: of the file
 * @partial: not all of the spare could be read
 * @removed: old ones that were removed for it
 */
struct backup {
	char path[PATH_MAX];
	bool partial;
	unsigned int removed;
};

/**
 * backup_make() - make one, and forget old ones
 * @backup: out
 * @spare: path of the spare; it may be in use
 * @dir: directory; made if it is not there, for its owner only
 *
 * The file is durable before it has its name. Old ones go only behind that.
 *
 * Return: STATUS_DONE; STATUS_LOOK or STATUS_DAMAGED when there is a backup, but the spare needs to be
 * looked at, which was said; or another exit status with an error reported: there is none.
 */
int backup_make(struct backup *backup, const char *spare, const char *dir);

/* Is there a backup after backup_make(), whole or partial? */
static inline bool backup_was_made(const struct backup *backup)
{
	return backup->path[0];
}

#endif
