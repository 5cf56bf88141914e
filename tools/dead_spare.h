/* SPDX-License-Identifier: GPL-2.0-only */
/* A device whose spare is gone, and what has to hold before another one is made by a backup. */
#ifndef TOOLS_DEAD_SPARE_H
#define TOOLS_DEAD_SPARE_H

#include "assembly.h"
#include "live_swap.h"
#include "remaptab.h"
#include "replace_dead.h"
#include "restore_session.h"

/**
 * struct dead - a device whose spare is gone
 * @session: the restore that it is
 * @options: what is asked for
 * @swap: the device, if it is live
 * @list: block devices
 * @tab: remaptab
 * @line: of the name, or NULL
 * @main: where main is
 * @found: main, if it was looked for
 * @listed: remaptab has a line for the old spare
 * @written: done
 */
struct dead {
	struct restore_session session;
	const struct replace_dead_options *options;
	struct live_swap swap;
	struct blockdev_list list;
	struct remaptab tab;
	const struct remaptab_entry *line;
	const char *main;
	struct blockdev found;
	bool listed;
	bool written;
};

/**
 * dead_find() - which device is it, is its spare gone, and where is main?
 * @dead: with options, the backup read, and the block devices; @swap, @tab, @line and @main are filled in
 *
 * Return: STATUS_DONE, or what to exit with, said.
 */
int dead_find(struct dead *dead);

/**
 * dead_refuse_readable() - refuse when the spare is here after all: it has data that a backup has not
 * @dead: its device was found, and the block devices are as they are now
 *
 * Return: STATUS_DONE; or STATUS_FAILED, with the command that takes the data along.
 */
int dead_refuse_readable(struct dead *dead);

/**
 * dead_check_main() - is it that main, and free to be used? What is live is both.
 * @dead: main is open
 * @identity: of main
 *
 * Return: STATUS_DONE, or what to exit with, said.
 */
int dead_check_main(struct dead *dead, const struct identity *identity);

/* How a device that was not live is brought up: as remaptab has it. */
struct assembly_options dead_as_asked(const struct dead *dead);

/* Add to a command what the user had said, of which remap-restore has the same options. */
char *dead_with_options(char *command, const struct replace_dead_options *options);

#endif
