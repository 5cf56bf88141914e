/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options that several verbs of remap-setup have, in the same words: rows of their tables. @at is the
 * offset of the field in the verb's struct.
 */
#ifndef TOOLS_SETUP_ROWS_H
#define TOOLS_SETUP_ROWS_H

#include "backup_dir.h"
#include "options.h"
#include "remaptab.h"

#define ROW_FLAG(_letter, _name, _at, _help) \
	{ .letter = _letter, .name = _name, .kind = OPTION_FLAG, .field = _at, .help = _help }
#define ROW_FILE(_letter, _name, _at, _argument, _help) \
	{ .letter = _letter, .name = _name, .kind = OPTION_FILE, .field = _at, \
	  .argument = _argument, .help = _help }

#define ROW_TAB(at) ROW_FILE('T', "tab", at, "FILE", "instead of " REMAPTAB_PATH)
#define ROW_DIRECTORY(at) \
	ROW_FILE('d', "directory", at, "DIR", "where backups are, instead of " BACKUP_DIR)
#define ROW_ADOPT(at) ROW_FLAG(0, "adopt", at, "accept a spare that another host did not release")
#define ROW_LARGE_SPARE(at) ROW_FLAG(0, "allow-large-spare", at, "accept a spare larger than main")
#define ROW_YES(at) ROW_FLAG('y', "yes", at, "do not ask")
#define ROW_DRY_RUN(at) ROW_FLAG('n', "dry-run", at, "check and show the plan, write nothing")

#endif
