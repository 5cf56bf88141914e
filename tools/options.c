// SPDX-License-Identifier: GPL-2.0-only
/*
 * Command lines, from tables. Long options are --name, --name VALUE or --name=VALUE, in
 * full; short ones may be joined (-nv, -b512); options and operands mix; -- ends options.
 *
 * Not getopt_long(): its messages do not say what a wrong value should have been, and it
 * accepts abbreviations, which become ambiguous when a later version adds an option.
 */
#include "escape.h"
#include "options.h"
#include "undo.h"
#include "units.h"
#include "verbs.h"
#include "version.h"

static const char *const color_choices[] = { "auto", "always", "never", NULL };
static const char *const progress_choices[] = { "auto", "always", "never", "json", NULL };

#define COMMON(member) offsetof(struct common_options, report.member)

static const struct option_row common_rows[] = {
	{ .letter = 'q', .name = "quiet", .kind = OPTION_FLAG, .field = COMMON(quiet),
	  .help = "print only warnings and errors" },
	{ .letter = 'v', .name = "verbose", .kind = OPTION_FLAG, .field = COMMON(verbose),
	  .help = "say more" },
	{ .name = "json", .kind = OPTION_FLAG, .field = COMMON(json),
	  .help = "print one JSON object instead of text" },
	{ .name = "color", .kind = OPTION_CHOICE, .field = COMMON(color), .argument = "WHEN",
	  .choices = color_choices, .help = "colour the text" },
	{ .name = "progress", .kind = OPTION_CHOICE, .field = COMMON(progress),
	  .argument = "WHEN", .choices = progress_choices, .help = "show progress on stderr" },
	{ .letter = 'h', .name = "help", .kind = OPTION_HELP, .help = "print this help" },
	{ .letter = 'V', .name = "version", .kind = OPTION_VERSION,
	  .help = "print the version" },
	{ .name = "print-options", .kind = OPTION_PRINT },
};

static const struct option_row undo_row = {
	.letter = 'z', .name = "undo", .kind = OPTION_FILE,
	.field = offsetof(struct common_options, undo), .argument = "FILE",
	.help = "keep in FILE what is overwritten; remap-check puts it back"
};

/* Row @nr of the tool's own and then the common ones; NULL after the last. */
static const struct option_row *get_row(const struct tool *tool, unsigned int nr)
{
	if (nr < tool->nr_rows)
		return &tool->rows[nr];
	nr -= tool->nr_rows;
	if (tool->undo && !nr--)
		return &undo_row;
	return nr < ARRAY_SIZE(common_rows) ? &common_rows[nr] : NULL;
}

static const struct option_row *find_long(const struct tool *tool, const char *name, size_t bytes)
{
	const struct option_row *row;
	unsigned int nr;

	for (nr = 0; (row = get_row(tool, nr)); nr++)
		if (row->name && strlen(row->name) == bytes && !memcmp(row->name, name, bytes))
			return row;
	return NULL;
}

static const struct option_row *find_short(const struct tool *tool, char letter)
{
	const struct option_row *row;
	unsigned int nr;

	for (nr = 0; (row = get_row(tool, nr)); nr++)
		if (row->letter == letter)
			return row;
	return NULL;
}

static bool takes_value(const struct option_row *row)
{
	switch (row->kind) {
	case OPTION_TEXT:
	case OPTION_FILE:
	case OPTION_DEVICE:
	case OPTION_NAME:
	case OPTION_CHOICE:
	case OPTION_SIZE:
		return true;
	default:
		return false;
	}
}

/* "-b, --block-size BYTES", for --help. */
static void print_row(const struct option_row *row)
{
	char left[80];
	size_t bytes = 0;
	unsigned int i;

	if (row->letter)
		bytes = (size_t)snprintf(left, sizeof(left), "-%c%s", row->letter,
					 row->name ? ", " : "");
	else
		bytes = (size_t)snprintf(left, sizeof(left), "    ");
	if (row->name)
		bytes += (size_t)snprintf(left + bytes, sizeof(left) - bytes, "--%s", row->name);
	if (row->argument)
		snprintf(left + bytes, sizeof(left) - bytes,
			 row->kind == OPTION_CHOICE_OR ? "[=%s]" : " %s", row->argument);
	printf("  %-24s  %s", left, row->help);
	if (row->choices) {
		printf(" (");
		for (i = 0; row->choices[i]; i++)
			printf("%s%s", i ? ", " : "", row->choices[i]);
		printf(")");
	}
	printf("\n");
}

/* " VERB", or nothing. */
static void print_verb(const struct tool *tool)
{
	if (tool->verb)
		printf(" %s", tool->verb);
}

static void print_verbs(const struct tool *tool)
{
	unsigned int nr;

	printf("\nVerbs:\n");
	for (nr = 0; nr < tool->nr_verbs; nr++)
		printf("  %-14s  %s\n", tool->verbs[nr]->tool->verb, tool->verbs[nr]->help);
	printf("\n%s VERB --help says more about one.\n", tool->name);
}

static void print_help(const struct tool *tool)
{
	const struct option_row *row;
	unsigned int nr;

	printf("Usage: %s", tool->name);
	print_verb(tool);
	printf("%s%s\n\n%s\n", *tool->usage ? " " : "", tool->usage, tool->summary);
	if (tool->verbs)
		print_verbs(tool);
	printf("\nOptions:\n");
	for (nr = 0; (row = get_row(tool, nr)); nr++)
		if (row->help)
			print_row(row);
	if (!tool->verbs)
		printf("\nSizes are in bytes, or take a suffix: s (512-byte sectors), K, M, G, T.\n");
	if (*tool->details)
		printf("\n%s\n", tool->details);
	printf("\nExample:\n  %s\n", tool->example);
}

static const char *kind_name(enum option_kind kind)
{
	switch (kind) {
	case OPTION_TEXT: return "text";
	case OPTION_FILE: return "file";
	case OPTION_DEVICE: return "device";
	case OPTION_NAME: return "name";
	case OPTION_CHOICE: return "choice";
	case OPTION_CHOICE_OR: return "optional-choice";
	case OPTION_SIZE: return "size";
	default: return "flag";
	}
}

/*
 * For completions and the checks of help and manual pages: a line for each option, with
 * tabs between letter, name, kind, argument, choices and help ("-" where there is none),
 * and one line for each operand. Behind a line for a verb is what belongs to it.
 */
static void print_options(const struct tool *tool)
{
	const struct option_row *row;
	unsigned int nr, i;

	for (nr = 0; (row = get_row(tool, nr)); nr++) {
		if (!row->help)
			continue;
		printf("option\t%c\t%s\t%s\t%s\t", row->letter ? row->letter : '-',
		       row->name ? row->name : "-", kind_name(row->kind),
		       row->argument ? row->argument : "-");
		for (i = 0; row->choices && row->choices[i]; i++)
			printf("%s%s", i ? "," : "", row->choices[i]);
		printf("%s\t%s\n", row->choices ? "" : "-", row->help);
	}
	if (tool->operand && !tool->verbs)
		printf("operand\t-\t%s\t%s\t%s\t-\t-\n", tool->operand,
		       kind_name(tool->operand_kind), tool->is_list ? "..." : "-");
	for (i = 0; i < tool->nr_operands; i++)
		printf("operand\t-\t%s\t%s\t-\t-\t-\n", tool->operands[i].name,
		       kind_name(tool->operands[i].kind));
	for (i = 0; i < tool->nr_verbs; i++) {
		printf("verb\t-\t%s\t-\t-\t-\t%s\n", tool->verbs[i]->tool->verb,
		       tool->verbs[i]->help);
		print_options(tool->verbs[i]->tool);
	}
}

static int misused_va(const struct tool *tool, const char *fmt, va_list ap)
{
	char *text = report_format_va(fmt, ap);

	report_error("%s (try %s%s%s --help)", text, tool->name, tool->verb ? " " : "",
		     tool->verb ? tool->verb : "");
	free(text);
	return STATUS_USAGE;
}

/* A usage error while parsing. Return: STATUS_USAGE, not yet through report_finish(). */
__attribute__((format(printf, 2, 3)))
static int misuse(const struct tool *tool, const char *fmt, ...)
{
	va_list ap;
	int status;

	va_start(ap, fmt);
	status = misused_va(tool, fmt, ap);
	va_end(ap);
	return status;
}

int options_misused(const struct tool *tool, const char *fmt, ...)
{
	va_list ap;
	int status;

	va_start(ap, fmt);
	status = misused_va(tool, fmt, ap);
	va_end(ap);
	return report_finish(status);
}

/* "--name" or "-n", as it was written. */
static const char *shown_name(const struct option_row *row, bool is_long, char *text, size_t bytes)
{
	if (is_long)
		snprintf(text, bytes, "--%s", row->name);
	else
		snprintf(text, bytes, "-%c", row->letter);
	return text;
}

static int set_choice(const struct tool *tool, const struct option_row *row, const char *shown,
		      const char *value, int *field)
{
	char known[120] = "", *escaped;
	unsigned int i;
	int status;

	for (i = 0; row->choices[i]; i++) {
		if (!strcmp(row->choices[i], value)) {
			*field = (int)i;
			return -1;
		}
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s",
			 i ? ", " : "", row->choices[i]);
	}
	escaped = escape_text(value, strlen(value));
	status = misuse(tool, "%s: \"%s\" is not one of %s", shown, escaped, known);
	free(escaped);
	return status;
}

static int set_size(const struct tool *tool, const struct option_row *row, const char *shown,
		    const char *value, u64 *field)
{
	const char *reason;
	char *escaped;
	int status;
	u64 bytes;

	reason = units_parse_size(value, &bytes);
	if (reason) {
		escaped = escape_text(value, strlen(value));
		status = misuse(tool, "%s: \"%s\" %s", shown, escaped, reason);
		free(escaped);
		return status;
	}
	if (bytes < row->min)
		return misuse(tool, "%s: %llu bytes is too small; it must be at least %llu", shown,
			      (unsigned long long)bytes, (unsigned long long)row->min);
	if (row->max && bytes > row->max)
		return misuse(tool, "%s: %llu bytes is too large; it must be at most %llu", shown,
			      (unsigned long long)bytes, (unsigned long long)row->max);
	*field = bytes;
	return -1;
}

/*
 * Does what an option says. @value: its value, or NULL when it takes none.
 * Return: -1 to go on, else the exit status.
 */
static int set_option(const struct tool *tool, const struct option_row *row, const char *shown,
		      const char *value, void *options)
{
	void *field = (char *)options + row->field;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return -1;
	case OPTION_VALUE:
		if (*(int *)field && *(int *)field != row->value)
			return misuse(tool, "%s: contradicts an earlier option", shown);
		*(int *)field = row->value;
		return -1;
	case OPTION_TEXT:
	case OPTION_FILE:
	case OPTION_DEVICE:
	case OPTION_NAME:
		if (!*value)
			return misuse(tool, "%s: needs a value that is not empty", shown);
		*(const char **)field = value;
		return -1;
	case OPTION_CHOICE_OR:
		if (!value) {
			*(int *)field = row->value;
			return -1;
		}
		return set_choice(tool, row, shown, value, field);
	case OPTION_CHOICE:
		return set_choice(tool, row, shown, value, field);
	case OPTION_SIZE:
		return set_size(tool, row, shown, value, field);
	case OPTION_HELP:
		print_help(tool);
		return STATUS_DONE;
	case OPTION_VERSION:
		printf("%s (dm-remap) %s\n", tool->name, DM_REMAP_VERSION);
		return STATUS_DONE;
	case OPTION_PRINT:
		print_options(tool);
		return STATUS_DONE;
	}
	return -1;
}

/* A word that starts with "--". @next: the word after it, or NULL; @used: out: it was taken. */
static int parse_long(const struct tool *tool, const char *word, const char *next, bool *used,
		      void *options)
{
	const char *equals = strchr(word, '=');
	size_t bytes = equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;
	const struct option_row *row = find_long(tool, word + 2, bytes);
	const char *value = equals ? equals + 1 : NULL;
	char shown[64], *escaped;
	int status;

	if (!row) {
		escaped = escape_text(word, bytes + 2);
		status = misuse(tool, "unknown option %s", escaped);
		free(escaped);
		return status;
	}
	shown_name(row, true, shown, sizeof(shown));
	if (!takes_value(row) && value && row->kind != OPTION_CHOICE_OR)
		return misuse(tool, "%s takes no value", shown);
	if (takes_value(row) && !value) {
		if (!next)
			return misuse(tool, "%s needs a value: %s", shown, row->argument);
		value = next;
		*used = true;
	}
	return set_option(tool, row, shown, value, options);
}

/* A word of short options, "-nv" or "-b512". */
static int parse_short(const struct tool *tool, const char *word, const char *next, bool *used,
		       void *options)
{
	const struct option_row *row;
	const char *value = NULL;
	char shown[8], *escaped;
	const char *p;
	int status;

	for (p = word + 1; *p; p++) {
		row = find_short(tool, *p);
		if (!row) {
			escaped = escape_text(p, 1);
			status = misuse(tool, "unknown option -%s", escaped);
			free(escaped);
			return status;
		}
		shown_name(row, false, shown, sizeof(shown));
		if (takes_value(row)) {
			value = p[1] ? p + 1 : next;
			*used = !p[1] && next;
			if (!value)
				return misuse(tool, "%s needs a value: %s", shown, row->argument);
		}
		status = set_option(tool, row, shown, value, options);
		if (status >= 0 || value)
			return status;
	}
	return -1;
}

/* "NAME MAIN SPARE", in brackets what may be left out. */
static const char *operand_names(const struct tool *tool, char *text, size_t bytes)
{
	unsigned int nr, optional = tool->nr_operands - tool->min_operands;

	for (*text = 0, nr = 0; nr < tool->nr_operands; nr++)
		snprintf(text + strlen(text), bytes - strlen(text), "%s%s%s%s", nr ? " " : "",
			 nr < optional ? "[" : "", tool->operands[nr].name,
			 nr < optional ? "]" : "");
	return text;
}

static int parse_several(const struct tool *tool, const char *word, struct common_options *common)
{
	char names[80], *escaped;
	int status;

	if (!*word)
		return misuse(tool, "an operand is empty; expected is: %s",
			      operand_names(tool, names, sizeof(names)));
	if (common->nr_operands < tool->nr_operands) {
		common->operands[common->nr_operands++] = word;
		return -1;
	}
	escaped = escape_text(word, strlen(word));
	status = misuse(tool, "\"%s\" is one operand too many; expected is: %s", escaped,
			operand_names(tool, names, sizeof(names)));
	free(escaped);
	return status;
}

/* Return: -1 when there are as many operands as there must be. */
static int check_operands(const struct tool *tool, const struct common_options *common)
{
	unsigned int given = common->nr_operands;

	if (tool->operand && !tool->is_list && !common->operand)
		return misuse(tool, "%s is missing", tool->operand);
	if (given >= tool->min_operands)
		return -1;
	return misuse(tool, "%s is missing",
		      tool->operands[tool->nr_operands - tool->min_operands + given].name);
}

static int parse_operand(const struct tool *tool, const char *word, struct common_options *common)
{
	char *first, *second;
	int status;

	if (tool->operands)
		return parse_several(tool, word, common);
	if (!tool->operand) {
		first = escape_text(word, strlen(word));
		status = misuse(tool, "everything is said by options; there is no place for \"%s\"",
				first);
		free(first);
		return status;
	}
	if (!*word)
		return misuse(tool, "%s must not be empty", tool->operand);
	if (tool->is_list) {
		common->list[common->nr_list++] = word;
		return -1;
	}
	if (common->operand) {
		first = escape_text(common->operand, strlen(common->operand));
		second = escape_text(word, strlen(word));
		status = misuse(tool, "one %s is expected, but there are \"%s\" and \"%s\"",
				tool->operand, first, second);
		free(first);
		free(second);
		return status;
	}
	common->operand = word;
	return -1;
}

static int parse_words(const struct tool *tool, void *options, int argc, char **argv)
{
	bool operands_only = false, used;
	struct common_options *common = options;
	int i, status;

	if (tool->is_list)
		common->list = report_alloc((size_t)argc * sizeof(*common->list));
	for (i = 1; i < argc; i++) {
		const char *word = argv[i];
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;

		used = false;
		if (operands_only || word[0] != '-' || !word[1]) {
			status = parse_operand(tool, word, options);
		} else if (!strcmp(word, "--")) {
			operands_only = true;
			status = -1;
		} else if (word[1] == '-') {
			status = parse_long(tool, word, next, &used, options);
		} else {
			status = parse_short(tool, word, next, &used, options);
		}
		if (status >= 0)
			return status;
		if (used)
			i++;
	}
	return -1;
}

/* A mistake anywhere on the line must reach whoever asked for JSON, also before --json. */
static bool asks_for_json(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (!strcmp(argv[i], "--json"))
			return true;
	return false;
}

int options_parse(const struct tool *tool, void *options, int argc, char **argv)
{
	struct common_options *common = options;
	int status;

	report_init(tool->name);
	status = parse_words(tool, options, argc, argv);
	if (status < 0)
		status = check_operands(tool, common);
	if (status == STATUS_DONE)	/* --help and the like are text, also with --json */
		common->report.json = false;
	else
		common->report.json |= asks_for_json(argc, argv);
	report_configure(&common->report);
	undo_configure(common->undo, tool->name);
	return status < 0 ? -1 : report_finish(status);
}

int options_first_operand(const struct tool *tool, int argc, char **argv)
{
	const struct option_row *row;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (argv[i][1] != '-')
			row = find_short(tool, argv[i][strlen(argv[i]) - 1]);
		else if (argv[i][2])
			row = find_long(tool, argv[i] + 2, strlen(argv[i] + 2));
		else
			return i + 1 < argc ? i + 1 : argc;
		if (row && takes_value(row))
			i++;
	}
	return i < argc ? i : argc;
}
