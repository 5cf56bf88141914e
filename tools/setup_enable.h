/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Putting a device into remaptab, for the verbs that do.
 */
#ifndef TOOLS_SETUP_ENABLE_H
#define TOOLS_SETUP_ENABLE_H

#include "signature.h"

/**
 * setup_enable_add() - add the line of a device, or change the one of its spare
 * @path: of remaptab
 * @name: of the device; not of another spare in there
 * @main: identity of main
 * @uuid: of the spare
 * @options: comma-separated, or ""
 *
 * Return: an exit status, with everything said.
 */
int setup_enable_add(const char *path, const char *name, const struct identity *main,
		     const u8 uuid[16], const char *options);

#endif
