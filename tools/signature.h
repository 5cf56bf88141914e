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
 * signature_type() - what libblkid calls the contents of a device
 * @dev: open device
 *
 * Return: "ext4", "LVM2_member" ..., "" for a partition table, to free(); NULL when nothing is known.
 */
char *signature_type(const struct device *dev);

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
 * @dev: a device, of which only @is_block and @stat are looked at; an image file has none
 * @identity: out
 */
void identity_get(const struct device *dev, struct identity *identity);

enum identity_verdict {
	IDENTITY_UNKNOWN,	/* one of the two says nothing that the other does */
	IDENTITY_SAME,
	IDENTITY_OTHER_DISK,
	IDENTITY_OTHER_START,	/* the same disk, but not the same place on it */
	IDENTITY_OTHER_PARTITION,
};

/**
 * identity_compare() - is a device the main of a spare?
 * @identity: of the device
 * @sb: superblock of the spare
 *
 * Where it is counts, not only which disk: the start, where the disk is known.
 *
 * Return: the verdict.
 */
enum identity_verdict identity_compare(const struct identity *identity,
				       const struct rmeta_superblock *sb);

/**
 * identity_difference() - what is not as it should be
 * @identity: of the device
 * @sb: superblock of the spare
 * @verdict: what identity_compare() said of them, one of the last three
 *
 * Return: "the disk is "A", but the spare is for "B"", to free(); safe to print.
 */
char *identity_difference(const struct identity *identity, const struct rmeta_superblock *sb,
			  enum identity_verdict verdict);

/**
 * identity_fits() - can a device of this length be main?
 * @sectors: its length
 * @verdict: what identity_compare() said of it
 * @sb: superblock of the spare
 *
 * It is as long as main was, or longer if it is known to be main: one that was cloned to a larger disk,
 * or a volume that was enlarged. The device keeps its length then, and what is behind it is not used. That
 * one of main's length is known to be another device is for the caller.
 *
 * Return: true or false.
 */
bool identity_fits(u64 sectors, enum identity_verdict verdict, const struct rmeta_superblock *sb);

/* Does a spare have anything on record that its main can be recognised by? */
bool identity_on_record(const struct rmeta_superblock *sb);

/* Are two block devices parts of one disk, so that they fail together? */
bool identity_same_disk(const struct device *a, const struct device *b);

#endif
