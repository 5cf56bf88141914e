/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the addresses of a list are: of main, of the disk that main is a part of, or of
 * another part of that disk; and so what is to be subtracted from them. Nothing is guessed:
 * where it is not known the list is refused.
 */
#ifndef TOOLS_PLACE_H
#define TOOLS_PLACE_H

#include "format.h"
#include "list.h"

/**
 * struct place - what a person has said, and what follows
 * @made_on: device that the list was made on, or NULL
 * @have_offset: @offset_sectors is given
 * @offset_sectors: where main starts on that device
 * @origin_sectors: out: what is subtracted; negative where main starts in front of the device
 * @explained: out: a few words that say so: "of the whole disk, main starts at sector 2048"
 */
struct place {
	const char *made_on;
	bool have_offset;
	u64 offset_sectors;
	s64 origin_sectors;
	char explained[160];
};

/**
 * place_find() - find out where main starts in the addresses of a list
 * @place: see above
 * @of_disk: the list's addresses are of the whole disk
 * @sb: superblock of the spare
 *
 * Return: 0, or a negative errno with an error reported.
 */
int place_find(struct place *place, bool of_disk, const struct rmeta_superblock *sb);

/**
 * place_disk_name() - what the kernel calls the disk that a device is, or is a part of
 * @path: the device, or where there is no such device its name
 * @name: out
 * @bytes: room in @name
 */
void place_disk_name(const char *path, char *name, size_t bytes);

/**
 * place_check_source() - is the disk that a list says it is of the one that main is on?
 * @source: what the list says
 * @sb: superblock of the spare
 *
 * Return: false when they are known to differ.
 */
bool place_check_source(const struct list_source *source, const struct rmeta_superblock *sb);

#endif
