/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live devices of the target, through libdevmapper: which there are, what they say of
 * themselves, and messages to them. What a status line means is not known here.
 *
 * All functions return 0 or a negative errno. These are told apart, and dmdev_report() says
 * each of them with what to do about it:
 *
 *	-ENOSYS			there is no device mapper here, or no way to it
 *	-EACCES			no permission: only root may ask
 *	-ENXIO			no such mapped device (any more)
 *	-ENOPKG			likewise, and the target's module is not loaded
 *	-ENOTTY			a mapped device, but none of its live table's lines is ours
 *	-EPROTONOSUPPORT	the target in the kernel is not of version 4
 */
#ifndef TOOLS_DM_H
#define TOOLS_DM_H

#include <stdbool.h>
#include <stddef.h>

#include "host.h"

#define DMDEV_TARGET "remap"		/* name of the target, in tables and status */
#define DMDEV_TARGET_V4 "dm-remap-v4"	/* its name in tables of the earlier version */
#define DMDEV_VERSION 4			/* of the target: what the tools are written for */

/**
 * struct dmdev - a mapped device with a line of ours
 * @name: as device mapper has it, for system calls
 * @shown: the same, safe to print
 * @uuid: device mapper's, or ""
 * @major: of its number
 * @minor: of its number
 * @open_count: how often it is open
 * @event_nr: events so far
 * @suspended: I/O to it waits
 * @read_only: the table was loaded read-only
 * @live_table: there is one
 */
struct dmdev {
	char *name;
	char *shown;
	char *uuid;
	u32 major;
	u32 minor;
	u32 open_count;
	u32 event_nr;
	bool suspended;
	bool read_only;
	bool live_table;
};

struct dmdev_list {
	struct dmdev *dev;
	size_t nr;
	size_t room;
};

/**
 * struct dmdev_line - a line of a device's table or status
 * @start_sectors: where it begins on the device, and where messages to it are sent
 * @sectors: how long it is
 * @target: name of its target
 * @text: what follows that: parameters or status
 */
struct dmdev_line {
	u64 start_sectors;
	u64 sectors;
	char *target;
	char *text;
};

struct dmdev_lines {
	struct dmdev_line *line;
	size_t nr;
	size_t room;
};

/**
 * dmdev_check() - is device mapper there, and may we ask it?
 *
 * Return: 0, -ENOSYS or -EACCES.
 */
int dmdev_check(void);

/**
 * dmdev_target_version() - version of the target in the running kernel
 * @version: out: major, minor, patch
 *
 * Return: 0; -ENOENT when the module is not loaded (it may be installed); or another negative errno.
 */
int dmdev_target_version(u32 version[3]);

/**
 * dmdev_is_ours() - is this the name of the target?
 * @target: from a line of a table
 */
bool dmdev_is_ours(const char *target);

/**
 * dmdev_find() - a live device
 * @dev: out; to be freed with dmdev_free()
 * @operand: its name, or the path of its device: /dev/mapper/NAME, /dev/dm-N, or a link there
 *
 * The target's version is checked, too.
 *
 * Return: 0 or a negative errno; nothing to free then.
 */
int dmdev_find(struct dmdev *dev, const char *operand);

/**
 * dmdev_list() - all live devices that have a line of ours
 * @list: out, in order of their numbers; to be freed with dmdev_list_free()
 *
 * One that vanishes meanwhile is left out.
 *
 * Return: 0 or a negative errno; nothing to free then.
 */
int dmdev_list(struct dmdev_list *list);

/**
 * dmdev_status() - the status of a device
 * @dev: the device; all but its name is brought up to date
 * @lines: out: all lines of the live table, also those of other targets; to be freed with
 *	dmdev_lines_free()
 *
 * Does not wait for the device: what it has not committed yet is not flushed for this.
 *
 * Return: 0 or a negative errno; nothing to free then.
 */
int dmdev_status(struct dmdev *dev, struct dmdev_lines *lines);

/**
 * dmdev_table() - the live table of a device
 *
 * As dmdev_status().
 */
int dmdev_table(struct dmdev *dev, struct dmdev_lines *lines);

/**
 * dmdev_message() - send a message
 * @dev: to which device
 * @sector: of the device: which of its lines it is for
 * @message: words
 * @answer: out: what came back, "" for nothing, to free(); or NULL
 *
 * Return: 0; or a negative errno, above all what the target said: -EBUSY (suspended), -EROFS,
 * -EIO (the device has failed), -EINVAL (a bad word; the kernel log names it).
 */
int dmdev_message(const struct dmdev *dev, u64 sector, const char *message, char **answer);

void dmdev_free(struct dmdev *dev);
void dmdev_list_free(struct dmdev_list *list);
void dmdev_lines_free(struct dmdev_lines *lines);

/**
 * dmdev_explain() - what an error of one of these functions means, and what to do
 * @error: a negative errno
 *
 * Return: words that follow "NAME: ".
 */
const char *dmdev_explain(int error);

/**
 * dmdev_report() - report_error() an error of one of these functions
 * @operand: which device, as it was given; not necessarily safe to print. NULL for none
 * @error: a negative errno
 */
void dmdev_report(const char *operand, int error);

#endif
