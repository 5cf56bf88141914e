/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands that a message shows: somebody copies them, so each word is as a shell has to get it, and what
 * the user had said by options is said again.
 */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include <stdbool.h>

/**
 * command_make() - the beginning of a command
 * @start: what it begins with, as it is: "remap-setup open"
 *
 * Return: the command, to free(); never NULL. The functions below take such a one, free it, and return
 * the longer one, never NULL either.
 */
char *command_make(const char *start);

/**
 * command_flag() - add an option without a value
 * @command: as of command_make()
 * @given: or leave it as it is
 * @option: "--adopt"
 */
char *command_flag(char *command, bool given, const char *option);

/**
 * command_value() - add an option with a value
 * @command: as of command_make()
 * @option: "-d"
 * @value: its value; NULL or the same text as @usual: it is left out
 * @usual: what is taken without the option, or NULL
 */
char *command_value(char *command, const char *option, const char *value, const char *usual);

/**
 * command_word() - add an operand
 * @command: as of command_make()
 * @word: the operand; NULL: it was left out, and is
 */
char *command_word(char *command, const char *word);

#endif
