/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs whose first operand is a verb that says what to do, each with options and operands of
 * its own. A verb is a row of the program's table: parsing, --help, completions and the checks of
 * the manual page follow from it as they do for a program without verbs.
 */
#ifndef TOOLS_VERBS_H
#define TOOLS_VERBS_H

#include "options.h"

/**
 * struct verb - one thing that a program does
 * @tool: its command line; @tool->verb is what it is called
 * @help: one line, for the program's --help
 * @options: its struct, starting with struct common_options; holds the defaults
 * @run: does it, with @options parsed, and returns what main() returns: a status through
 *	report_finish()
 */
struct verb {
	const struct tool *tool;
	const char *help;
	void *options;
	int (*run)(void *options);
};

/**
 * verbs_main() - main() of a program with verbs
 * @tool: the program's table, with its verbs
 * @argc: of main()
 * @argv: of main()
 *
 * Options may stand before and behind the verb.
 *
 * Return: what main() returns.
 */
int verbs_main(const struct tool *tool, int argc, char **argv);

#endif
