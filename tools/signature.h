/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What libblkid knows of a device: signatures of filesystems, volumes and partition tables
 * (a spare of dm-remap is none to it), and the identity of a disk that is to be main.
 */
#ifndef TOOLS_SIGNATURE_H
#define TOOLS_SIGNATURE_H

#include "device.h"
#include "geometry.h"

/**
 * signature_find() - is there something of somebody else?
 * @dev: open device
 * @geo: layout of the spare that is on it, or NULL. With it, only signatures in its
 *	metadata area count: in a slot they are data of main.
 *
 * Return: NULL when nothing was found, else a text to free(): "an ext4 filesystem".
 */
char *signature_find(const struct device *dev, const struct rmeta_geometry *geo);

/**
 * signature_wipe() - make libblkid find nothing
 * @dev: open for writing; the caller has decided that its contents go
 *
 * Erases only the magic bytes, those of backup headers too, durably.
 *
 * Return: 0 or a negative errno, with an error reported.
 */
int signature_wipe(struct device *dev);

/**
 * struct identity - how main is recognised
 * @id: WWID or serial of its disk, or ""
 * @partuuid: of the partition; all 0 for a whole disk or a table without UUIDs
 * @start_sectors: first sector on its disk; 0 for a whole disk
 */
struct identity {
	char id[64 + 1];
	u8 partuuid[16];
	u64 start_sectors;
};

/**
 * identity_get() - the identity of main
 * @dev: open device; an image file has none
 * @identity: out
 */
void identity_get(const struct device *dev, struct identity *identity);

/* Are two block devices parts of one disk, so that they fail together? */
bool identity_same_disk(const struct device *a, const struct device *b);

#endif
