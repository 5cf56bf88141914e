/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verbs of remap-setup, each in a file of its own: setup_VERB.c. remap-setup.c lists them.
 */
#ifndef TOOLS_SETUP_H
#define TOOLS_SETUP_H

#include "verbs.h"

#define SETUP_TOOL "remap-setup"	/* struct tool's name, in every verb */

extern const struct verb setup_create;
extern const struct verb setup_open;
extern const struct verb setup_close;
extern const struct verb setup_scan;
extern const struct verb setup_enable;
extern const struct verb setup_disable;
extern const struct verb setup_list;
extern const struct verb setup_table;
extern const struct verb setup_expose;
extern const struct verb setup_udev;
extern const struct verb setup_unmap;
extern const struct verb setup_replace;
extern const struct verb setup_rebind;
extern const struct verb setup_erase;
extern const struct verb setup_backup;

/* Messages to a live device: setup_message.c. */
extern const struct verb setup_salvage;
extern const struct verb setup_scrub;
extern const struct verb setup_health_scan;
extern const struct verb setup_commit;
extern const struct verb setup_breaker_reset;

#endif
