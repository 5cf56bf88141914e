/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Command lines. A tool describes itself in one table; parsing, --help, and the list that
 * completions and manual pages are checked against (--print-options) are all made from it,
 * so they cannot disagree.
 */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stddef.h>

#include "report.h"

enum option_kind {
	OPTION_FLAG,	/* bool: set to true */
	OPTION_VALUE,	/* int: set to row->value; several rows may share the field */
	OPTION_TEXT,	/* const char * */
	OPTION_FILE,	/* const char *: a file; completed as one */
	OPTION_DEVICE,	/* const char *: a block device or an image file */
	OPTION_NAME,	/* const char *: name of a device-mapper device */
	OPTION_CHOICE,	/* int: index into row->choices */
	OPTION_CHOICE_OR,	/* likewise, only as --name=CHOICE; row->value without one */
	OPTION_SIZE,	/* u64, bytes, with suffixes; within row->min and row->max */
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_PRINT,
};

/**
 * struct option_row - one option
 * @letter: short form, or 0
 * @name: long form without dashes, or NULL
 * @kind: what it takes
 * @field: offset of its field in the tool's struct
 * @argument: name of the argument in --help, or NULL
 * @help: one line; NULL hides the option
 * @choices: OPTION_CHOICE, OPTION_CHOICE_OR: names, ended by NULL
 * @value: OPTION_VALUE, OPTION_CHOICE_OR: what the field becomes
 * @min: OPTION_SIZE: smallest accepted
 * @max: OPTION_SIZE: largest accepted, 0 for any
 */
struct option_row {
	char letter;
	const char *name;
	enum option_kind kind;
	size_t field;
	const char *argument;
	const char *help;
	const char *const *choices;
	int value;
	u64 min;
	u64 max;
};

#define OPTIONS_OPERANDS 3	/* as many as any table has */

/**
 * struct operand_row - one of several operands
 * @name: in messages and in --help
 * @kind: OPTION_NAME, OPTION_DEVICE, OPTION_FILE or OPTION_TEXT, for completion
 */
struct operand_row {
	const char *name;
	enum option_kind kind;
};

struct verb;

/**
 * struct tool - a program's command line, or that of one verb of a program
 * @name: of the program
 * @verb: that this is of, or NULL
 * @summary: what it does, one sentence
 * @usage: what follows the name
 * @details: paragraphs after the options in --help, or ""
 * @example: a command that works, with a word on what it does
 * @operand: name of the operand, or NULL: there is none
 * @operand_kind: OPTION_NAME, OPTION_DEVICE or OPTION_FILE, for completion
 * @is_list: @operand may be given any number of times, or not at all
 * @operands: where there are several, their table instead of @operand
 * @nr_operands: rows of @operands, at most OPTIONS_OPERANDS
 * @min_operands: that must be given; those that may be left out are the first ones
 * @undo: it writes to a spare that is there: it has -z, and device_open() heeds it
 * @verbs: of a program whose first operand says what it does; verbs.h. Its own table has the
 *	common options only
 * @nr_verbs: how many
 * @rows: options, besides those that all tools have
 * @nr_rows: how many
 */
struct tool {
	const char *name;
	const char *verb;
	const char *summary;
	const char *usage;
	const char *details;
	const char *example;
	const char *operand;
	enum option_kind operand_kind;
	bool is_list;
	const struct operand_row *operands;
	unsigned int nr_operands;
	unsigned int min_operands;
	bool undo;
	const struct verb *const *verbs;
	unsigned int nr_verbs;
	const struct option_row *rows;
	unsigned int nr_rows;
};

/**
 * struct common_options - what all tools have; first in each tool's struct
 * @report: for report_configure(), which options_parse() calls
 * @operand: the one operand
 * @operands: of a tool with a table of them, as many as were given
 * @nr_operands: how many
 * @list: of a tool whose operand is a list: as many as were given, for as long as the program runs
 * @nr_list: how many
 * @undo: undo file, or NULL
 */
struct common_options {
	struct report_options report;
	const char *operand;
	const char *operands[OPTIONS_OPERANDS];
	unsigned int nr_operands;
	const char **list;
	size_t nr_list;
	const char *undo;
};

/**
 * options_parse() - parse a command line
 * @tool: the table
 * @options: the tool's struct, starting with struct common_options; holds the defaults
 * @argc: of main()
 * @argv: of main()
 *
 * Does what --help, --version and --print-options ask for. Calls report_init() and
 * report_configure().
 *
 * Return: -1 to go on with the program; else its exit status, with everything said.
 */
int options_parse(const struct tool *tool, void *options, int argc, char **argv);

/**
 * options_first_operand() - where the first operand stands
 * @tool: the table by which options before it are read
 * @argc: of main()
 * @argv: of main()
 *
 * Return: its index in @argv, or @argc when there is none.
 */
int options_first_operand(const struct tool *tool, int argc, char **argv);

/**
 * options_misused() - the command line was parsed but makes no sense
 *
 * Prints the message and where to find help.
 *
 * Return: STATUS_USAGE, through report_finish(): what main() returns.
 */
__attribute__((format(printf, 2, 3)))
int options_misused(const struct tool *tool, const char *fmt, ...);

#endif
