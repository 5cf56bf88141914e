// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands that a message shows. See command.h.
 */
#include "command.h"
#include "escape.h"
#include "report.h"

/* @text: behind @command and a blank. */
static char *add(char *command, const char *text)
{
	char *longer = report_format("%s %s", command, text);

	free(command);
	return longer;
}

char *command_make(const char *start)
{
	return report_format("%s", start);
}

char *command_flag(char *command, bool given, const char *option)
{
	return given ? add(command, option) : command;
}

char *command_value(char *command, const char *option, const char *value, const char *usual)
{
	if (!value || (usual && !strcmp(value, usual)))
		return command;
	return command_word(add(command, option), value);
}

char *command_word(char *command, const char *word)
{
	char *escaped;

	if (!word)
		return command;
	escaped = escape_shell(word);
	command = add(command, escaped);
	free(escaped);
	return command;
}
