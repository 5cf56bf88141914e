/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is all that a spare stands in for on another device, so that the spare is not needed any more?
 */
#ifndef TOOLS_RETIRED_TO_H
#define TOOLS_RETIRED_TO_H

#include "device.h"
#include "table.h"

#define RETIRED_TO_NONE (~(u64)0)	/* instead of a sector */

/**
 * struct retired_to - what a comparison found, in sectors of main
 * @compared: slots hold them, and they were compared
 * @different: of these, that are something else on the device
 * @first_different: the first of them by number, or RETIRED_TO_NONE
 * @unreadable: that the device should have and does not give
 * @first_unreadable: the first of them by number, or RETIRED_TO_NONE
 * @slots_unreadable: that slots should hold and do not give: nothing to compare with
 */
struct retired_to {
	u64 compared;
	u64 different;
	u64 first_different;
	u64 unreadable;
	u64 first_unreadable;
	u64 slots_unreadable;
};

/**
 * retired_to_compare() - read all remapped blocks on a device, and what is in slots
 * @result: out
 * @table: of the spare, loaded
 * @spare: its device
 * @dev: the device, open for reading, as long as main at least
 *
 * What is in the page cache of @dev is written first, and then read from the disk. Sectors that only
 * main has (pending) and those that nobody has (lost) need only be readable.
 *
 * Return: 0, or a negative errno with an error reported. Interrupted: -EINTR.
 */
int retired_to_compare(struct retired_to *result, const struct rmeta_table *table,
		       const struct device *spare, const struct device *dev);

#endif
