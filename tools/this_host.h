/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which host this is, and whether a spare was last active on it. What tells hosts apart is the
 * machine-id. The kernel puts it onto a spare that it activates, when it was told one, so that it is
 * there after a crash, too; a name is on record beside it, for people: names change, and many hosts
 * have the same.
 *
 *	on record	here		it was
 *	never active	any		nobody
 *	no id, no name	any		nobody: handed over
 *	an id		the same	this host, whatever its name was
 *	an id		another		another host, also one of the same name
 *	an id		none		another host: this one cannot have left it
 *	no id		any		not known: a target that no tool has told the id, as that of an
 *					initramfs without machine-id, or of an older version
 */
#ifndef TOOLS_THIS_HOST_H
#define TOOLS_THIS_HOST_H

#include "format.h"

enum this_host {
	THIS_HOST_NOBODY,
	THIS_HOST_SAME,
	THIS_HOST_OTHER,
	THIS_HOST_UNKNOWN,
};

/**
 * this_host_id() - the machine-id of this host
 * @id: out: 16 bytes
 *
 * From /etc/machine-id, or where D-Bus keeps it, or what the target was told since the boot.
 *
 * Return: false when it has none.
 */
bool this_host_id(u8 *id);

/**
 * this_host_judge() - which host had a spare active last?
 * @sb: superblock of the spare
 * @id: machine-id of this host, or NULL
 *
 * Return: see the cases above.
 */
enum this_host this_host_judge(const struct rmeta_superblock *sb, const u8 *id);

/* As this_host_judge(), with the id of this host. */
enum this_host this_host_compare(const struct rmeta_superblock *sb);

/**
 * this_host_is_other() - may a spare have been last active on another host?
 * @sb: superblock of the spare
 *
 * Where that is not known, one that was not released may be in use there still; of one that was, the
 * name has to do.
 */
bool this_host_is_other(const struct rmeta_superblock *sb);

/* Does the name on record, for what it is worth, speak for another host? */
bool this_host_other_name(const struct rmeta_superblock *sb);

/* Put this host into a superblock, as the one that had the spare active. */
void this_host_sign(struct rmeta_superblock *sb);

/* Leave no host in a superblock: any may have the spare next. */
void this_host_forget(struct rmeta_superblock *sb);

/**
 * this_host_tell() - tell the target the machine-id, for the spares that it activates
 *
 * It is loaded. Where it cannot be told, a spare that a crash leaves behind is nobody's in particular.
 */
void this_host_tell(void);

#endif
