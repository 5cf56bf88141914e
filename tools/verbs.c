// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs with verbs: finds the verb, and has the rest of the command line parsed by its table.
 */
#include "escape.h"
#include "verbs.h"

static const struct verb *find_verb(const struct tool *tool, const char *word)
{
	unsigned int nr;

	for (nr = 0; nr < tool->nr_verbs; nr++)
		if (!strcmp(tool->verbs[nr]->tool->verb, word))
			return tool->verbs[nr];
	return NULL;
}

/* No verb, or none that there is. Options before it count, and --json wherever it stands. */
static int run_none(const struct tool *tool, int at, int argc, char **argv)
{
	struct common_options common = { .operand = NULL };
	char known[400] = "", *escaped;
	unsigned int nr;
	int status;

	status = options_parse(tool, &common, at < argc ? at + 1 : argc, argv);
	if (status >= 0)
		return status;
	for (; at < argc; at++)
		common.report.json |= !strcmp(argv[at], "--json");
	report_configure(&common.report);
	for (nr = 0; nr < tool->nr_verbs; nr++)
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s",
			 nr ? ", " : "", tool->verbs[nr]->tool->verb);
	escaped = escape_text(common.operand, strlen(common.operand));
	status = options_misused(tool, "there is no verb \"%s\"; there are: %s", escaped, known);
	free(escaped);
	return status;
}

int verbs_main(const struct tool *tool, int argc, char **argv)
{
	int at = options_first_operand(tool, argc, argv), status, i;
	const struct verb *verb = at < argc ? find_verb(tool, argv[at]) : NULL;
	struct json *json;

	if (!verb)
		return run_none(tool, at, argc, argv);
	for (i = at; i < argc - 1; i++)
		argv[i] = argv[i + 1];
	argv[argc - 1] = NULL;
	status = options_parse(verb->tool, verb->options, argc - 1, argv);
	if (status >= 0)
		return status;
	json = report_json();
	if (json)
		json_key_text(json, "verb", verb->tool->verb);
	return verb->run(verb->options);
}
