/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The block devices of this machine as sysfs has them: which there are, what they are called, how
 * long they are, what disk it is. Opens none of them.
 */
#ifndef TOOLS_BLOCKDEV_H
#define TOOLS_BLOCKDEV_H

#include <sys/types.h>

#include "host.h"

#define BLOCKDEV_OUR_UUID "REMAP-"	/* device mapper's uuid of a live device begins so */
#define BLOCKDEV_DM_UUID 48	/* bytes that one fits into */
#define BLOCKDEV_PATH 320	/* bytes that any path made here fits into */

/**
 * struct blockdev - a block device
 * @number: of it
 * @sectors: length
 * @path: /dev/mapper/NAME or /dev/NAME; safe to print
 * @ours: a live device of dm-remap
 * @suspended: a mapped device that answers nothing now
 */
struct blockdev {
	dev_t number;
	u64 sectors;
	char path[BLOCKDEV_PATH];
	bool ours;
	bool suspended;
};

struct blockdev_list {
	struct blockdev *dev;
	size_t nr;
	size_t room;
};

/**
 * blockdev_list() - all block devices that have a length, by number
 * @list: out; to be freed with blockdev_list_free()
 *
 * Return: 0, or a negative errno with an error reported: no sysfs.
 */
int blockdev_list(struct blockdev_list *list);

void blockdev_list_free(struct blockdev_list *list);

/**
 * blockdev_get() - one of them
 * @dev: out
 * @number: which
 *
 * Return: 0, or -ENODEV when there is none of this number any more.
 */
int blockdev_get(struct blockdev *dev, dev_t number);

/**
 * blockdev_path() - what a device is called
 * @number: of the device
 * @path: out: BLOCKDEV_PATH bytes; its number where it has no name. Safe to print
 *
 * Return: @path.
 */
const char *blockdev_path(dev_t number, char *path);

/**
 * blockdev_dm_uuid() - device mapper's uuid of the device of a spare
 * @uuid: of the spare
 * @dm_uuid: out: BLOCKDEV_DM_UUID bytes
 *
 * Return: @dm_uuid.
 */
const char *blockdev_dm_uuid(const u8 uuid[16], char *dm_uuid);

/**
 * blockdev_parse() - a device as tables and status of device mapper name it
 * @text: "8:16"
 * @number: out
 *
 * Return: false when it is something else.
 */
bool blockdev_parse(const char *text, dev_t *number);

/**
 * blockdev_parse_spare() - the spare of a line of a table
 * @text: the words behind the target's name, main and spare first
 * @number: out
 *
 * Return: false when there is none in it.
 */
bool blockdev_parse_spare(const char *text, dev_t *number);

/**
 * blockdev_model() - vendor's name for the disk that a device is on
 * @number: of the device
 *
 * Return: text to free(), safe to print; "" where none is known.
 */
char *blockdev_model(dev_t number);

#endif
