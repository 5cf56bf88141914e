/* SPDX-License-Identifier: GPL-2.0-only */
/* A spare that is being replaced, and what is there before: the old one, and main. */
#ifndef REPLACING_H
#define REPLACING_H

#include "find_spare.h"
#include "live_swap.h"
#include "options.h"
#include "restore_session.h"
#include "spare.h"

struct replace_options {
	struct common_options common;
	const char *main;
	const char *dir;
	const char *tab;
	const char *from_backup;
	bool keep_pending;
	bool accept_incomplete;
	bool no_backup;
	bool adopt;
	bool force;
	bool large_spare;
	bool yes;
	bool dry_run;
};

/**
 * struct replacing - a spare that is to be replaced
 * @session: the restore that it is: of a table that was never a file. First, as callbacks get it.
 * @options: command line
 * @load: old spare's table, which @session.file is about
 * @swap: the device, if it was live at the beginning
 * @named: the old spare, where the operand is a name that remaptab has
 * @old_path: where the old spare is
 * @main_path: where main is, if it was found
 * @old_uuid: of the old spare
 * @old_error: why it could not be erased, or 0
 * @finish: an earlier run came to the last step, which is all that is done
 * @listed: remaptab has a line for the spare
 * @written: done
 */
struct replacing {
	struct restore_session session;
	const struct replace_options *options;
	struct spare_load load;
	struct live_swap swap;
	struct spare_operand named;
	const char *old_path;
	char main_path[BLOCKDEV_PATH];
	u8 old_uuid[16];
	int old_error;
	bool finish;
	bool listed;
	bool written;
};

int replacing_find_old(struct replacing *re);
int replacing_load_old(struct replacing *re, enum device_access access);
void replacing_close_old(struct replacing *re);
void replacing_open_main(struct replacing *re);

#endif
