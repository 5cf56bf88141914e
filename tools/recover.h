/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What remap-recover does with a composite: copy it, compare it, name the files that own what
 * nobody has.
 */
#ifndef TOOLS_RECOVER_H
#define TOOLS_RECOVER_H

#include "composite.h"
#include "ranges.h"

#define RECOVER_RANGES_SHOWN 20

/**
 * struct missing - what nobody has, in the order of main
 * @range: runs of sectors with one reason
 * @nr: how many
 * @room: private
 * @sectors: sums by reason
 */
struct missing {
	struct missing_range {
		u64 sector;
		u64 sectors;
		enum composite_why why;
	} *range;
	size_t nr;
	size_t room;
	u64 sectors[COMPOSITE_NR_WHYS];
};

/* A composite_fn: remember it; @ctx is a struct missing. */
void missing_add(void *ctx, u64 sector, u64 sectors, enum composite_why why);

/* Sum over all reasons. */
u64 missing_total(const struct missing *missing);

/* Into the report: sums and the first ranges, or all with -v. */
void missing_show(const struct missing *missing);

/* Members "missing" and "missing_sectors" of the JSON object, if there is one. */
void missing_json(const struct missing *missing);

/* Free what was remembered. */
void missing_free(struct missing *missing);

/**
 * struct recover_copy - where a copy goes
 * @target: path of an image, new or with a mapfile, or of a block device
 * @map_path: of the mapfile; NULL: beside the image
 * @fill: for sectors that nobody has: text that is repeated, "%s" standing for the sector's
 *	number; "zero" for zeroes
 * @force: a block device may be overwritten, whatever is on it
 * @retry: try again what nobody had
 * @checkpoint_bytes: copied between two versions of the mapfile
 * @job: what is copied, for the mapfile
 * @command: likewise
 */
struct recover_copy {
	const char *target;
	const char *map_path;
	const char *fill;
	bool force;
	bool retry;
	u64 checkpoint_bytes;
	const char *job;
	const char *command;
};

/**
 * recover_copy() - copy the composite
 *
 * Return: exit status, everything reported.
 */
int recover_copy(const struct composite *composite, const struct recover_copy *copy);

/**
 * recover_refuse_source() - refuse to write, or to compare with, main or the spare itself
 * @composite: the composite
 * @path: of the target
 * @shown: the same, safe to print
 *
 * Return: STATUS_DONE, or another exit status with an error reported.
 */
int recover_refuse_source(const struct composite *composite, const char *path, const char *shown);

/**
 * recover_verify() - compare an image or device with the composite
 *
 * Return: exit status, everything reported: STATUS_LOOK when they differ or when there are sectors
 * that nobody has, which are not compared.
 */
int recover_verify(const struct composite *composite, const char *path);

/**
 * recover_files() - name what owns the sectors that nobody has
 * @composite: with a filesystem that libext2fs knows
 * @offset_bytes: where on main it begins
 *
 * Return: exit status, everything reported.
 */
int recover_files(const struct composite *composite, u64 offset_bytes);

#endif
