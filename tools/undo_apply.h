/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way back: give a device what an undo file kept of it.
 */
#ifndef TOOLS_UNDO_APPLY_H
#define TOOLS_UNDO_APPLY_H

#include "device.h"

/**
 * undo_apply() - put back what an undo file kept
 * @path: the undo file
 * @device_path: the device
 * @force: also where the device has changed since, in the blocks that the file covers
 * @dry_run: only look, and say what would be done
 *
 * Everything is looked at before anything is written. Interrupted at any instant, the same
 * call again finishes it; until then no superblock is valid, so that nobody takes the mixture
 * for a spare. Prints, reports, and fills the JSON object.
 *
 * Return: exit status: STATUS_DONE; STATUS_DAMAGED when sectors are left that could not be
 * kept or put back; STATUS_CANCELLED; STATUS_FAILED when the file or the device is not right,
 * and nothing was changed.
 */
int undo_apply(const char *path, const char *device_path, bool force, bool dry_run);

/**
 * undo_is_underway() - was an undo of this device cut short?
 * @dev: open device
 *
 * Return: true when a superblock is hidden by it.
 */
bool undo_is_underway(struct device *dev);

#endif
