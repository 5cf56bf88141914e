/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The devices that tools work on: block devices and image files, opened for reading or for
 * writing with every safety rule there is (docs/tools.md, "What is refused").
 *
 * Says itself, through report.h, what was wrong. Does not know what is on a device.
 */
#ifndef TOOLS_DEVICE_H
#define TOOLS_DEVICE_H

#include <sys/stat.h>

#include "host_file.h"

struct ranges;

/**
 * struct device - an open block device or image file
 * @host: its descriptor, as the host of the engine's I/O
 * @shown: its path, safe to print
 * @path: its path as given; belongs to the caller
 * @stat: from fstat()
 * @is_block: a block device; otherwise an image file
 * @sectors: length in whole sectors
 * @logical_bytes: logical block size; 512 for an image
 * @physical_bytes: physical block size; 512 for an image
 * @absent: sectors that it lacks, being a copy of a disk that could not be read there, or NULL
 * @undo: keeps what is overwritten, or NULL; undo.h
 */
struct device {
	struct rmeta_file host;
	char *shown;
	const char *path;
	struct stat stat;
	bool is_block;
	u64 sectors;
	u32 logical_bytes;
	u32 physical_bytes;
	const struct ranges *absent;
	struct undo *undo;
};

enum device_access {
	DEVICE_READ,	/* may be in use */
	DEVICE_WRITE,	/* must not be in use: by anybody, in any way */
};

/**
 * device_open() - open a block device or an image file
 * @dev: out; stays where it is until device_close()
 * @path: where it is
 * @access: what it is opened for. For writing, a block device is opened exclusively, and
 *	what is mounted, held, swapped to, or behind a busy loop device is refused. Either
 *	way it is locked with flock(), shared or exclusive; a reader that cannot get the lock
 *	says so and goes on. What the engine writes to a device that was opened for writing
 *	passes by stop.h and undo.h.
 * @role: what it is to the tool, for messages: "spare", "main"
 *
 * Return: 0, or a negative errno with an error reported; nothing is left open then.
 */
int device_open(struct device *dev, const char *path, enum device_access access,
		const char *role);

/**
 * device_peek() - open a block device for a look at it, among many
 * @dev: out; stays where it is until device_close()
 * @path: where it is
 *
 * For reading, without a lock, and silently: it may be in use, or gone.
 *
 * Return: 0 or a negative errno; nothing is left open then.
 */
int device_peek(struct device *dev, const char *path);

/* Close the device; one that was never opened (all zero) is left alone. */
void device_close(struct device *dev);

/**
 * device_is_at() - is an open device what a path names?
 * @dev: open device
 * @path: a path, of anything or nothing
 *
 * Return: true for two names of one file or block device.
 */
bool device_is_at(const struct device *dev, const char *path);

/**
 * device_usage() - who uses a device or an image file
 * @stat_buf: of the device or file
 *
 * Knows of mounted filesystems, device mapper and other holders, swap, loop devices whose
 * backing file it is, and the same for its partitions. What cannot be looked at (no
 * permission, no sysfs) is taken for unused; O_EXCL is what makes sure.
 *
 * Return: NULL when nobody is known to, else a text to free(): "mounted on /srv".
 */
char *device_usage(const struct stat *stat_buf);

/* Warn when somebody uses a device whose contents are about to be taken for those of one moment. */
void device_warn_used(const struct device *dev);

#endif
