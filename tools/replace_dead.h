/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Another spare for a device whose own is gone: it is made by a backup of the list of what that held.
 * What was in slots is lost, and becomes errors; without the list it would be old data that look good.
 */
#ifndef TOOLS_REPLACE_DEAD_H
#define TOOLS_REPLACE_DEAD_H

#include <stdbool.h>

/**
 * struct replace_dead_options - what is asked for
 * @backup: file that "remap-setup backup" or "remap-dump -F json" made
 * @name: of the device: a live one, one that remaptab lists, or what it is to be called
 * @spare: path of the new spare
 * @main: path of main, or NULL: to be found
 * @tab: path of remaptab
 * @dir: directory of backups, of which @backup should be the newest
 * @keep_pending: nothing was written since the backup
 * @accept_incomplete: take the backup of a damaged spare
 * @force: overwrite a foreign signature on the new spare
 * @large_spare: accept a new spare larger than main
 * @yes: do not ask
 * @dry_run: write nothing
 */
struct replace_dead_options {
	const char *backup;
	const char *name;
	const char *spare;
	const char *main;
	const char *tab;
	const char *dir;
	bool keep_pending;
	bool accept_incomplete;
	bool force;
	bool large_spare;
	bool yes;
	bool dry_run;
};

/**
 * replace_dead() - do it, and bring the device up
 * @options: what is asked for
 *
 * Return: an exit status, with everything said; STATUS_LOOK when something is lost.
 */
int replace_dead(const struct replace_dead_options *options);

#endif
