/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The spare that somebody means: by its path, by its uuid, or by a name that remaptab has for its device.
 * Names of disks change from boot to boot, and a person on call has only the device's in mind.
 */
#ifndef TOOLS_FIND_SPARE_H
#define TOOLS_FIND_SPARE_H

#include "blockdev.h"
#include "remaptab.h"

/**
 * find_spare() - the block devices that are a spare
 * @found: out: one of them
 * @list: block devices to look among
 * @uuid: of the spare
 *
 * Only superblocks are read, and one of the five is enough. It may be an old copy. What somebody has is
 * not counted beside one that nobody has: the disk below a path or a volume looks the same.
 *
 * Return: how many there are.
 */
unsigned int find_spare(struct blockdev *found, const struct blockdev_list *list, const u8 uuid[16]);

/**
 * find_taking() - the device that was to take over from a spare when that was cut short
 * @found: out
 * @list: block devices
 * @uuid: of the spare that is replaced
 *
 * It has all that the spare had. Where that is no spare any more this is the only one that does.
 *
 * Return: true if there is one.
 */
bool find_taking(struct blockdev *found, const struct blockdev_list *list, const u8 uuid[16]);

/**
 * spare_taking_command() - the command that goes on with it
 * @list: block devices
 * @uuid: of the spare that is replaced. Where it is whole still it may have been used since, and all is copied anew
 * @new: path of the device that takes over
 * @name: that remaptab has for that spare, or NULL
 * @tab: path of remaptab
 *
 * Return: for a message, to free(); command.h.
 */
char *spare_taking_command(const struct blockdev_list *list, const u8 uuid[16], const char *new,
			   const char *name, const char *tab);

/**
 * struct spare_search - where a spare is looked for, and what is said of one that is not here
 * @list: block devices
 * @tab: path of remaptab
 * @dir: directory of backups
 * @successor: path of the device that is to replace it, or NULL. Where it was about to when that was cut short,
 *	and no spare is left, the half erased old one is what is found, or the successor itself
 */
struct spare_search {
	const struct blockdev_list *list;
	const char *tab;
	const char *dir;
	const char *successor;
};

/**
 * spare_say_taking() - report that a spare was being replaced, and what goes on with it
 * @search: among what
 * @uuid: of the spare
 * @shown: what it was asked for by, safe to print
 * @name: that remaptab has for it, or NULL
 *
 * Return: false where that is not so: nothing was said.
 */
bool spare_say_taking(const struct spare_search *search, const u8 uuid[16], const char *shown,
		      const char *name);

/**
 * spare_warn_used_since() - warn when the spare that was to be replaced was in use after that was cut short
 * @dir: directory of backups, of which one is made whenever a device comes up or goes down
 * @taking: marked superblock of the device that was to take over
 * @shown: its path, safe to print
 *
 * Where the old spare is here that is seen, and all is copied anew. When it is gone only this tells.
 */
void spare_warn_used_since(const char *dir, const struct rmeta_superblock *taking, const char *shown);

/* Is there a spare at a path of a block device of which the table can be loaded? Says nothing. */
bool spare_loads_at(const char *path);

/**
 * find_spare_that_loads() - as find_spare(), of which the table can be loaded
 * @found: out
 * @list: block devices
 * @uuid: of the spare
 * @idle: only one that nobody has
 *
 * What its slots hold can be copied then, and no backup has that.
 *
 * Return: true if @found is one.
 */
bool find_spare_that_loads(struct blockdev *found, const struct blockdev_list *list,
			   const u8 uuid[16], bool idle);

/**
 * struct spare_operand - what a word of the command line stands for
 * @tab: remaptab, where it was needed
 * @line: of @tab, when the word was a name; or NULL
 * @path: of the spare
 * @found: what @path points to, when it is not the word itself
 */
struct spare_operand {
	struct remaptab tab;
	const struct remaptab_entry *line;
	const char *path;
	struct blockdev found;
};

/**
 * spare_operand_find() - find it
 * @operand: out; spare_operand_free() in any case
 * @word: a path; UUID=...; or, where there is no file of it, a name
 * @search: among what
 *
 * A path is not looked at.
 *
 * Return: STATUS_DONE; or with an error STATUS_USAGE for a uuid that is none, STATUS_FAILED when there is
 * neither a file nor a used line of that name, when the spare is not here, or copies of it are, or when
 * remaptab cannot be read.
 */
int spare_operand_find(struct spare_operand *operand, const char *word,
		       const struct spare_search *search);

void spare_operand_free(struct spare_operand *operand);

/**
 * spare_say_backup() - a spare is not here, or cannot be read: what can be done with its newest backup
 * @dir: directory of backups
 * @tab: path of remaptab, for the command that is shown
 * @uuid: of the spare
 * @name: of its device, or NULL where that is not known
 *
 * Says nothing where there is no backup.
 */
void spare_say_backup(const char *dir, const char *tab, const u8 uuid[16], const char *name);

#endif
