/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Undo: what a tool overwrites on a spare is kept in a file first.
 *
 * The promise: at every instant, also when the power goes, the undo file that is durable and
 * the device together give back the contents that the device had, byte for byte, except for
 * sectors that could not be read. The old contents of whatever is about to be written, and a
 * checksum of what it will become, are durable in the file before the device changes.
 *
 * No tool has to know. A tool whose table says so (struct tool) has -z; device_open() attaches
 * the undo to the device that it opens for writing, and everything written through the
 * engine's rmeta_file_ops passes by here. Whoever writes to a spare otherwise breaks the
 * promise.
 *
 * This is the writing half; undo_file.h has the file, undo_apply.h the way back.
 */
#ifndef TOOLS_UNDO_H
#define TOOLS_UNDO_H

#include "device.h"

struct undo;

/**
 * undo_configure() - what device_open() is to attach from now on
 * @path: undo file to be made, or NULL for none; belongs to the caller
 * @tool: name of the program, for the record; belongs to the caller
 */
void undo_configure(const char *path, const char *tool);

/**
 * undo_attach() - have what is written to a device go through the undo file, if there is one
 * @dev: open for writing; nothing was written to it yet
 *
 * The file is made with the first write, or by undo_nothing(): a run that is refused or fails
 * before it has changed anything leaves none, and can be had again with the same name.
 *
 * Return: 0, or a negative errno with an error reported: there is a file of that name.
 */
int undo_attach(struct device *dev);

/**
 * undo_save() - these requests are about to be sent
 * @dev: device with an undo attached
 * @ios: requests; only writes matter
 * @nr_ios: how many
 *
 * Return: 0: what the writes will overwrite is durable in the undo file; or a negative errno,
 * reported: nothing may be written to the device, now or later.
 */
int undo_save(struct device *dev, const struct rmeta_io *ios, unsigned int nr_ios);

/**
 * undo_nothing() - all that was asked for is done, and nothing had to be written for it
 * @dev: device, with an undo attached or not
 *
 * Makes a file without records, so that who undoes a successful run need not know whether it
 * changed something. Does nothing if there is a file.
 */
void undo_nothing(struct device *dev);

/**
 * undo_detach() - no more writes will come
 * @dev: device, with an undo attached or not
 *
 * Marks the file as complete. A program that ends without is like one that was killed: the
 * file is as good, but apply cannot tell that its end is not missing.
 */
void undo_detach(struct device *dev);

#endif
