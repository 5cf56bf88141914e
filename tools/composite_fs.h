/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ext2, ext3 or ext4 filesystem on a composite, opened by libext2fs through an I/O manager of
 * its own: what is in slots counts and not what main had before. Reads only.
 */
#ifndef TOOLS_COMPOSITE_FS_H
#define TOOLS_COMPOSITE_FS_H

#include <ext2fs/ext2fs.h>

#include "composite.h"

/* What libext2fs gets where nobody has what it wants to read. */
enum lenient {
	LENIENT_NOT,		/* an error */
	LENIENT_ZEROES,		/* unused inodes; no further blocks */
	LENIENT_DIRECTORIES,	/* an empty block of a directory, which is one of unused inodes, too */
};

/**
 * struct composite_fs - a filesystem on a composite; one at a time
 * @composite: prepared
 * @offset_sectors: where the filesystem begins on main
 * @lenient: see there; may be changed between calls of libext2fs
 * @gaps: something was needed that nobody has
 * @fs: the filesystem
 */
struct composite_fs {
	const struct composite *composite;
	u64 offset_sectors;
	enum lenient lenient;
	bool gaps;
	ext2_filsys fs;
};

/**
 * composite_fs_open() - open the filesystem, or its first backup that is usable
 * @view: @composite and @offset_sectors are set, the rest is zero
 *
 * The superblock, or one of its backups where libext2fs knows them to be; that is warned of.
 * @view stays where it is until ext2fs_free() of its @fs.
 *
 * Return: 0, or the error of the first superblock.
 */
errcode_t composite_fs_open(struct composite_fs *view);

#endif
