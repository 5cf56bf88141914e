// SPDX-License-Identifier: GPL-2.0-only
/*
 * The question before something is destroyed. See confirm.h.
 */
#include <unistd.h>

#include "confirm.h"
#include "report.h"

/* Where a person sees it, or NULL. */
static FILE *find_screen(void)
{
	if (report_is_text() && isatty(STDOUT_FILENO))
		return stdout;
	return isatty(STDERR_FILENO) ? stderr : NULL;
}

bool confirm(bool yes, const char *fmt, ...)
{
	FILE *screen = find_screen();
	char *line = NULL, *question;
	size_t room = 0;
	va_list ap;
	bool agreed;

	if (yes || !isatty(STDIN_FILENO))
		return true;
	va_start(ap, fmt);
	question = report_format_va(fmt, ap);
	va_end(ap);
	if (screen) {
		fprintf(screen, "%s? (y/N) ", question);
		fflush(screen);
		agreed = getline(&line, &room, stdin) > 0 && (line[0] == 'y' || line[0] == 'Y');
		if (!agreed)
			report_info("nothing was changed");
	} else {
		report_error("%s? Neither standard output nor standard error is a terminal to ask on; nothing was changed (-y answers yes)",
			     question);
		agreed = false;
	}
	free(line);
	free(question);
	return agreed;
}
