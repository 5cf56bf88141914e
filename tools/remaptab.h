/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /etc/remaptab: the devices that belong to this host, a line each: NAME MAIN SPARE [OPTIONS]. What it
 * means is in remaptab(5).
 */
#ifndef TOOLS_REMAPTAB_H
#define TOOLS_REMAPTAB_H

#include "signature.h"
#include "table_options.h"

#define REMAPTAB_PATH "/etc/remaptab"

/* How a line says which device is main. */
enum remaptab_main {
	REMAPTAB_UNSAID,	/* -: by what the spare has on record */
	REMAPTAB_ID,		/* ID=TEXT[@START] */
	REMAPTAB_PARTUUID,	/* PARTUUID=UUID */
	REMAPTAB_PATH_GIVEN,	/* /dev/... */
};

/**
 * struct remaptab_entry - a line
 * @line: its number
 * @name: of the device
 * @kind: which of the next two says what main is
 * @main: of REMAPTAB_ID and REMAPTAB_PARTUUID, in the fields that count
 * @path: of REMAPTAB_PATH_GIVEN, or NULL
 * @spare_uuid: of the spare
 * @options: of the device
 */
struct remaptab_entry {
	unsigned int line;
	char *name;
	enum remaptab_main kind;
	struct identity main;
	char *path;
	u8 spare_uuid[16];
	struct table_options options;
};

/**
 * struct remaptab - a file, read
 * @shown: its path, safe to print
 * @entry: its lines, but for comments
 * @nr: how many
 * @room: for how many there is room
 * @apart: lines with a mistake: not used, but what is main by them is hidden all the same
 * @nr_apart: how many
 * @apart_room: for how many there is room
 * @wrong: how many lines have a mistake
 */
struct remaptab {
	char *shown;
	struct remaptab_entry *entry;
	size_t nr;
	size_t room;
	struct remaptab_entry *apart;
	size_t nr_apart;
	size_t apart_room;
	unsigned int wrong;
};

/**
 * remaptab_read() - read it
 * @tab: out; remaptab_free() in any case
 * @path: of the file; one that is not there is empty
 *
 * Every mistake is reported with the number of its line, and does not keep the others from being
 * read.
 *
 * Return: 0, or a negative errno with an error reported: the file cannot be read.
 */
int remaptab_read(struct remaptab *tab, const char *path);

void remaptab_free(struct remaptab *tab);

/* The line with this name, with a mistake or without, or NULL. */
const struct remaptab_entry *remaptab_by_name(const struct remaptab *tab, const char *name);

/* Has a line no mistake? One with a mistake says nothing of its spare. */
bool remaptab_is_used(const struct remaptab *tab, const struct remaptab_entry *entry);

/* As remaptab_by_name(); that there is none is reported. */
const struct remaptab_entry *remaptab_need(const struct remaptab *tab, const char *name);

/**
 * remaptab_disable_command() - the command that takes a line out
 * @path: of the file
 * @name: of the device
 *
 * Return: for a message, to free(); command.h.
 */
char *remaptab_disable_command(const char *path, const char *name);

/* The line without a mistake of the spare with this uuid, or NULL. */
const struct remaptab_entry *remaptab_by_spare(const struct remaptab *tab, const u8 uuid[16]);

/**
 * remaptab_by_main() - the line of which a device is main
 * @tab: file
 * @dev: open block device, or NULL: lines that give a path do not count then
 * @identity: of it
 *
 * Lines with a mistake count: a typo in the options must not let main be mounted.
 *
 * Return: the entry, or NULL. Lines with "-" are of none.
 */
const struct remaptab_entry *remaptab_by_main(const struct remaptab *tab, const struct device *dev,
					      const struct identity *identity);

/**
 * remaptab_change() - add a line, or take one out
 * @path: of the file; made if it is not there
 * @remove: number of the line that goes, or 0
 * @add: the line that comes, with its newline, or NULL
 *
 * Comments and all other lines stay. The file is old or new at every instant. That the initramfs has a copy
 * of it, where it has, is said.
 *
 * Return: 0, or a negative errno with an error reported.
 */
int remaptab_change(const char *path, unsigned int remove, const char *add);

/**
 * remaptab_line() - a line for a device
 * @name: of the device
 * @identity: of its main
 * @spare_uuid: of its spare
 * @options: comma-separated, or ""
 *
 * Return: the line, with a newline, to free().
 */
char *remaptab_line(const char *name, const struct identity *identity, const u8 spare_uuid[16],
		    const char *options);

#endif
