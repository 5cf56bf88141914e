// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of a device. What the target takes is in docs/target.md; the numbers are checked here as the
 * target does, so that a mistake in a file is found when it is read.
 */
#include <stdio.h>

#include "escape.h"
#include "report.h"
#include "table_options.h"
#include "units.h"

/* @values: how many it takes: numbers from @least to @most, each its own; or one of @words. */
static const struct {
	const char *name;
	unsigned int values;
	u32 least;
	u32 most[2];
	const char *words;
} types[] = {
	{ "read_policy", 1, 0, { 0, 0 }, "retry remap" },
	{ "no_auto_remap", 0, 0, { 0, 0 }, NULL },
	{ "breaker", 2, 1, { ~0U, 86400 }, NULL },
	{ "retry_budget", 1, 0, { 86400, 0 }, NULL },
	{ "scan_interval", 1, 0, { 31536000, 0 }, NULL },
};

__attribute__((format(printf, 2, 3)))
static char *wrong(char *word, const char *fmt, ...)
{
	char *escaped = escape_text(word, strlen(word)), *what, *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&what, fmt, ap) < 0 || asprintf(&text, "option \"%s\" %s", escaped, what) < 0)
		report_out_of_memory();
	va_end(ap);
	free(what);
	free(escaped);
	return text;
}

static bool is_word_of(const char *words, const char *word)
{
	const char *at = strstr(words, word);
	size_t bytes = strlen(word);

	return bytes && at && (at == words || at[-1] == ' ') && (!at[bytes] || at[bytes] == ' ');
}

static void add_word(struct table_options *options, const char *word)
{
	size_t bytes = strlen(options->features);

	snprintf(options->features + bytes, sizeof(options->features) - bytes, "%s%s",
		 bytes ? " " : "", word);
	options->nr_features++;
}

/* The values of option @type, "100:60". NULL or what is wrong with @word, the whole option. */
static char *add_values(struct table_options *options, char *word, unsigned int type, char *values)
{
	unsigned int nr = 0;
	const char *reason;
	char *value;
	u64 number;

	while ((value = strsep(&values, ":"))) {
		if (nr++ >= types[type].values)
			break;
		if (types[type].words) {
			if (!is_word_of(types[type].words, value))
				return wrong(word, "takes one of: %s", types[type].words);
		} else {
			reason = units_parse_number(value, &number);
			if (reason)
				return wrong(word, "has a number that %s", reason);
			if (number < types[type].least || number > types[type].most[nr - 1])
				return wrong(word, "takes numbers from %u to %u", types[type].least,
					     types[type].most[nr - 1]);
		}
		add_word(options, value);
	}
	if (nr == types[type].values)
		return NULL;
	return wrong(word, "takes %u value%s", types[type].values, units_s(types[type].values));
}

static char *add_option(struct table_options *options, char *word)
{
	char *values = strchr(word, '='), *copy, *text;
	size_t bytes = values ? (size_t)(values - word) : strlen(word);
	unsigned int type;

	if (!strcmp(word, "defaults"))
		return NULL;
	if (!strcmp(word, "readonly")) {
		options->read_only = true;
		return NULL;
	}
	if (!strcmp(word, "noauto")) {
		options->no_auto = true;
		return NULL;
	}
	for (type = 0; type < ARRAY_SIZE(types); type++)
		if (strlen(types[type].name) == bytes && !memcmp(types[type].name, word, bytes))
			break;
	if (type == ARRAY_SIZE(types))
		return wrong(word, "is not known (defaults, readonly, noauto, read_policy=, no_auto_remap, breaker=, retry_budget=, scan_interval=)");
	if (options->nr_features > 10)
		return wrong(word, "is one too many");
	add_word(options, types[type].name);
	copy = strdup(values ? values + 1 : "");
	if (!copy)
		report_out_of_memory();
	text = add_values(options, word, type, values ? copy : NULL);
	free(copy);
	return text;
}

char *table_options_parse(struct table_options *options, const char *text)
{
	char *copy = strdup(text), *rest = copy, *word, *problem = NULL;

	if (!copy)
		report_out_of_memory();
	*options = (struct table_options){ .nr_features = 0 };
	while (!problem && (word = strsep(&rest, ",")))
		problem = add_option(options, word);
	free(copy);
	return problem;
}

/* How many values the option @name takes. */
static unsigned int values_of(const char *name)
{
	unsigned int type;

	for (type = 0; type < ARRAY_SIZE(types); type++)
		if (!strcmp(types[type].name, name))
			return types[type].values;
	return 0;
}

char *table_options_text(const char *features)
{
	char *text = report_alloc(strlen(features) + 1), *out = text;
	char *copy = strdup(features), *rest = copy, *word;
	unsigned int left = 0;
	char before = 0;

	if (!copy)
		report_out_of_memory();
	while ((word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		if (before)
			*out++ = before;
		out = stpcpy(out, word);
		if (left) {
			left--;
			before = left ? ':' : ',';
		} else {
			left = values_of(word);
			before = left ? '=' : ',';
		}
	}
	free(copy);
	return text;
}
