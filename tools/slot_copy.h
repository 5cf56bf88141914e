/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing what slots are to hold, past the engine, which writes metadata only.
 */
#ifndef TOOLS_SLOT_COPY_H
#define TOOLS_SLOT_COPY_H

#include "device.h"

/**
 * slot_write() - write sectors of slots
 * @spare: open for writing
 * @sector: of the spare
 * @sectors: how many
 * @data: what
 *
 * After what every write to a device has to pass (device.h), and without waiting until it is durable:
 * fdatasync() is the caller's.
 *
 * Return: 0, or a negative errno with an error reported.
 */
int slot_write(const struct device *spare, u64 sector, u64 sectors, u8 *data);

/**
 * slot_copy() - copy single sectors of a block into a slot, as far as they can be read
 * @spare: open for writing
 * @from: device they are on
 * @from_sector: where the block begins there
 * @to_sector: where the slot begins
 * @mask: which of the sectors
 * @error: in: 0; out: a negative errno, reported, when one could not be written
 *
 * Return: mask of those that could not be read.
 */
u16 slot_copy(const struct device *spare, const struct device *from, u64 from_sector,
	      u64 to_sector, u16 mask, int *error);

#endif
