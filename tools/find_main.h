/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finding the main of a spare among the block devices there are: by what it is, never by what it is
 * called, since names of disks change from boot to boot.
 */
#ifndef TOOLS_FIND_MAIN_H
#define TOOLS_FIND_MAIN_H

#include "blockdev.h"
#include "format.h"
#include "signature.h"

/**
 * find_main() - find it
 * @main: out
 * @others: out: other devices that are as much like it
 * @list: block devices
 * @sb: superblock of the spare
 * @spare: number of the spare, which is not main
 *
 * Only devices that have main's length are looked at, and longer ones by their identity. What is on record
 * of its identity decides; where there is nothing to compare, the checksums that a clean release left, if
 * they are of this length and equal.
 *
 * Return: true when there is one and no other.
 */
bool find_main(struct blockdev *main, unsigned int *others, const struct blockdev_list *list,
	       const struct rmeta_superblock *sb, dev_t spare);

/**
 * find_main_is_it() - is a device the main that a spare has on record?
 * @dev: open device
 * @identity: of it
 * @sb: superblock of the spare
 *
 * As find_main() decides, but whatever its length where its identity says so.
 *
 * Return: true if it is.
 */
bool find_main_is_it(const struct device *dev, const struct identity *identity,
		     const struct rmeta_superblock *sb);

#endif
