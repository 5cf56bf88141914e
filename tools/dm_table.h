/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Making, changing and removing device-mapper devices with one table line, by libdevmapper, with
 * udev waited for where there is one. dm.h only looks at devices; this changes them.
 *
 * Functions return negative errno and print nothing: why the target refused is in the kernel's
 * log, see kernel_log.h.
 */
#ifndef TOOLS_DM_TABLE_H
#define TOOLS_DM_TABLE_H

#include "host.h"

#define DM_TABLE_NAME_BYTES 127	/* as long as the name of a device may be */

/**
 * struct dm_line - a table of one line, from sector 0
 * @sectors: length of the device
 * @target: name of the target
 * @params: what follows it
 * @read_only: of the device
 */
struct dm_line {
	u64 sectors;
	const char *target;
	const char *params;
	bool read_only;
};

/**
 * dm_table_name_problem() - can a device be called so, without its name being changed?
 * @name: what it is to be called
 *
 * Return: NULL, or why not ("is longer than 127 bytes").
 */
const char *dm_table_name_problem(const char *name);

/**
 * dm_table_has_target() - can the kernel make devices of a target? Loads its module.
 * @target: its name
 *
 * Return: 0; -ENOENT when the kernel has no such target, and no module for it that can be
 * loaded; other negative errno when device mapper cannot be asked.
 */
int dm_table_has_target(const char *target);

/**
 * dm_table_exists() - is there a device?
 * @name: of this name, or NULL
 * @uuid: of this uuid, or NULL
 */
bool dm_table_exists(const char *name, const char *uuid);

/**
 * dm_table_create() - make a device and start it
 * @name: of the device; not in use
 * @uuid: device mapper's, for udev and for finding it again
 * @line: its table
 *
 * After an error there is no such device, unless somebody has it open and it could not be removed:
 * dm_table_exists() tells. Its node is there when this returns.
 *
 * Return: 0; -EEXIST when name or @uuid is in use; -EBUSY when a device of the table is; what else
 * the target answered.
 */
int dm_table_create(const char *name, const char *uuid, const struct dm_line *line);

/**
 * dm_table_load() - give a device another table, which counts from its next resume on
 * @name: of the device
 * @line: the table
 *
 * Return: 0 or a negative errno.
 */
int dm_table_load(const char *name, const struct dm_line *line);

/**
 * dm_table_suspend() - stop I/O of a device, when what is under way is done
 * @name: of the device
 * @freeze: freeze the filesystem on it first; not where a target serves as it should only after the
 *	table that is loaded counts
 *
 * Return: 0 or a negative errno.
 */
int dm_table_suspend(const char *name, bool freeze);

/**
 * dm_table_resume() - let I/O go on, with the table that was loaded last
 * @name: of the device
 *
 * Return: 0 or a negative errno.
 */
int dm_table_resume(const char *name);

/**
 * dm_table_remove() - remove a device
 * @name: of the device
 *
 * Return: 0; -EBUSY when it is open; -ENXIO when there is none; other negative errno. Node and name
 * are gone when this returns 0.
 */
int dm_table_remove(const char *name);

#endif
