/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The line of a device in remaptab when its main or its spare has become another one.
 */
#ifndef TOOLS_REMAPTAB_FOLLOW_H
#define TOOLS_REMAPTAB_FOLLOW_H

#include "remaptab.h"

/**
 * remaptab_follow() - let the line of a spare say what it says now
 * @path: of the file
 * @uuid: of the spare in the line that is there
 * @main: its main now, or NULL: as the line has it
 * @new_uuid: the spare now; may be @uuid
 * @listed: out: there is such a line
 *
 * Name, options and comment of the line stay. A line that says all that already is left alone. The
 * new line is printed.
 *
 * Return: 0, also where there is no line; or a negative errno with an error reported.
 */
int remaptab_follow(const char *path, const u8 uuid[16], const struct identity *main,
		    const u8 new_uuid[16], bool *listed);

#endif
