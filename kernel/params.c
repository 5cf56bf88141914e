// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table line: parsing its features, and printing them back as they were given. Opens
 * nothing; what needs the devices is checked in target.c.
 *
 * Some features can be changed while the device is live, by message or through sysfs. They
 * are printed from then on as if they had been given that way, so that a table is always what
 * would recreate the device as it is.
 */
#include "remap.h"

#define MAX_SECONDS 86400U
#define MAX_INTERVAL 31536000U	/* a year */

static const struct {
	const char *name;
	unsigned int nr_values;
	bool live;	/* can be changed in a live table */
} feature_types[REMAP_NR_FEATURES] = {
	[REMAP_F_FORMAT] = { "format", 0 },
	[REMAP_F_BLOCK_SIZE] = { "block_size", 1 },
	[REMAP_F_READ_POLICY] = { "read_policy", 1, true },
	[REMAP_F_NO_AUTO_REMAP] = { "no_auto_remap", 0, true },
	[REMAP_F_BREAKER] = { "breaker", 2, true },
	[REMAP_F_RETRY_BUDGET] = { "retry_budget", 1, true },
	[REMAP_F_SCAN_INTERVAL] = { "scan_interval", 1, true },
	[REMAP_F_FORCE_MAIN] = { "force_main", 0 },
};

static int fail(char **error, char *why)
{
	*error = why;
	return -EINVAL;
}

static bool parse_number(const char *word, u32 least, u32 most, u32 *value)
{
	return !kstrtou32(word, 10, value) && *value >= least && *value <= most;
}

/* @values: one of two may be NULL when features are live: it stays. */
static int parse_feature(struct remap_features *features, enum remap_feature_id id, char **values,
			 char **error)
{
	u32 number, more;

	switch (id) {
	case REMAP_F_FORMAT:
		features->format = true;
		return 0;
	case REMAP_F_BLOCK_SIZE:
		if (!parse_number(values[0], 1, 1U << RMETA_MAX_BLOCK_SHIFT, &number) ||
		    !is_power_of_2(number))
			return fail(error, "block_size is 1, 2, 4, 8 or 16 sectors");
		features->block_sectors = number;
		return 0;
	case REMAP_F_READ_POLICY:
		if (strcmp(values[0], "remap") && strcmp(values[0], "retry"))
			return fail(error, "read_policy is retry or remap");
		WRITE_ONCE(features->read_remap, !strcmp(values[0], "remap"));
		return 0;
	case REMAP_F_NO_AUTO_REMAP:
		WRITE_ONCE(features->no_auto_remap, true);
		return 0;
	case REMAP_F_BREAKER:
		number = features->breaker_slots;
		more = features->breaker_seconds;
		if ((values[0] && !parse_number(values[0], 1, U32_MAX, &number)) ||
		    (values[1] && !parse_number(values[1], 1, MAX_SECONDS, &more)))
			return fail(error, "breaker is <slots> <seconds>, seconds at most 86400");
		WRITE_ONCE(features->breaker_slots, number);
		WRITE_ONCE(features->breaker_seconds, more);
		return 0;
	case REMAP_F_RETRY_BUDGET:
		if (!parse_number(values[0], 0, MAX_SECONDS, &number))
			return fail(error, "retry_budget is 0 to 86400 seconds");
		WRITE_ONCE(features->retry_budget, number);
		return 0;
	case REMAP_F_SCAN_INTERVAL:
		if (!parse_number(values[0], 0, MAX_INTERVAL, &number))
			return fail(error, "scan_interval is 0 to 31536000 seconds");
		WRITE_ONCE(features->scan_interval, number);
		return 0;
	case REMAP_F_FORCE_MAIN:
		features->force_main = true;
		return 0;
	case REMAP_NR_FEATURES:
		break;
	}
	return fail(error, "unknown feature");
}

static enum remap_feature_id find_feature(const char *name)
{
	unsigned int id;

	for (id = 0; id < REMAP_NR_FEATURES; id++)
		if (!strcmp(name, feature_types[id].name))
			break;
	return id;
}

static bool is_given(const struct remap_features *features, enum remap_feature_id id)
{
	unsigned int i;

	for (i = 0; i < features->nr_given; i++)
		if (features->given[i] == id)
			return true;
	return false;
}

/* The feature at @argv[*at], and *@at behind it. @word: out: what is wrong. */
static int parse_next(struct remap_features *features, unsigned int argc, char **argv,
		      unsigned int *at, const char **word, char **error)
{
	enum remap_feature_id id = find_feature(argv[*at]);
	unsigned int nr_values;

	*word = argv[*at];
	if (id == REMAP_NR_FEATURES)
		return fail(error, "unknown feature");
	if (is_given(features, id))
		return fail(error, "a feature is given twice");
	nr_values = feature_types[id].nr_values;
	if (*at + nr_values >= argc)
		return fail(error, "a feature lacks its value");
	if (nr_values)
		*word = argv[*at + 1];
	features->given[features->nr_given++] = (u8)id;
	*at += 1 + nr_values;
	return parse_feature(features, id, argv + *at - nr_values, error);
}

/**
 * remap_parse() - parse what follows the devices in a table line
 * @features: in: zeroed; out
 * @argc: words
 * @argv: the words: nothing, or their number and the features
 * @error: out: what is wrong; the word it is about is in the log
 *
 * Return: 0 or -EINVAL.
 */
int remap_parse(struct remap_features *features, unsigned int argc, char **argv, char **error)
{
	const char *word;
	unsigned int at = 1;
	u32 nr_words;
	int r = 0;

	features->breaker_slots = 1024;
	features->breaker_seconds = 60;
	features->retry_budget = 30;
	if (!argc)
		return 0;
	word = argv[0];
	if (!parse_number(argv[0], 0, U32_MAX, &nr_words))
		r = fail(error, "the number of feature words is not a number");
	else if (nr_words != argc - 1)
		r = fail(error, "the number of feature words is not what follows");
	while (!r && at < argc)
		r = parse_next(features, argc, argv, &at, &word, error);
	if (r)
		pr_warn("dm-remap: table line: %s: %s\n", *error, word);
	return r;
}

static void forget(struct remap_features *features, enum remap_feature_id id)
{
	unsigned int i, kept = 0;

	for (i = 0; i < features->nr_given; i++)
		if (features->given[i] != id)
			features->given[kept++] = features->given[i];
	features->nr_given = kept;
}

/**
 * remap_set_feature() - change a feature of a live table
 * @t: the live target
 * @argc: words
 * @argv: the feature and its values; those without one in a table line take on or off. One of
 *	the two of the breaker may be NULL: it stays as it is
 * @error: out: what is wrong
 *
 * A new scan_interval has effect when remap_scan_wake() has been called, which may sleep.
 *
 * Return: 0, or -EINVAL and nothing has changed.
 * Context: process; takes state_lock, does not wait for I/O.
 */
int remap_set_feature(struct remap_target *t, unsigned int argc, char **argv, char **error)
{
	struct remap_features *features = &t->features;
	enum remap_feature_id id = find_feature(argv[0]);
	int r = 0;

	if (id == REMAP_NR_FEATURES)
		return fail(error, "unknown feature");
	if (!feature_types[id].live)
		return fail(error, "this feature is for loading only; load another table");
	if (argc != 1 + max(feature_types[id].nr_values, 1U))
		return fail(error, "wrong number of values");
	if (!feature_types[id].nr_values && strcmp(argv[1], "on") && strcmp(argv[1], "off"))
		return fail(error, "the value is on or off");

	mutex_lock(&t->core->state_lock);
	if (!feature_types[id].nr_values && !strcmp(argv[1], "off")) {
		WRITE_ONCE(features->no_auto_remap, false);
		forget(features, id);
	} else {
		r = parse_feature(features, id, argv + 1, error);
		if (!r && !is_given(features, id))
			features->given[features->nr_given++] = (u8)id;
	}
	if (!r && id == REMAP_F_SCAN_INTERVAL)
		remap_scan_interval(t->core, features->scan_interval);
	mutex_unlock(&t->core->state_lock);
	if (!r)
		remap_event(t->core);
	return r;
}

/**
 * remap_print_features() - print features as they were given
 * @features: parsed
 * @result: buffer of a status
 * @maxlen: its size
 * @at: in and out: how much of it is used
 */
void remap_print_features(const struct remap_features *features, char *result,
			  unsigned int maxlen, unsigned int *at)
{
	unsigned int nr_words = 0, i, sz = *at;

	for (i = 0; i < features->nr_given; i++)
		nr_words += 1 + feature_types[features->given[i]].nr_values;
	if (nr_words)
		DMEMIT(" %u", nr_words);
	for (i = 0; i < features->nr_given; i++) {
		enum remap_feature_id id = features->given[i];

		DMEMIT(" %s", feature_types[id].name);
		switch (id) {
		case REMAP_F_BLOCK_SIZE:
			DMEMIT(" %u", features->block_sectors);
			break;
		case REMAP_F_READ_POLICY:
			DMEMIT(" %s", features->read_remap ? "remap" : "retry");
			break;
		case REMAP_F_BREAKER:
			DMEMIT(" %u %u", features->breaker_slots, features->breaker_seconds);
			break;
		case REMAP_F_RETRY_BUDGET:
			DMEMIT(" %u", features->retry_budget);
			break;
		case REMAP_F_SCAN_INTERVAL:
			DMEMIT(" %u", features->scan_interval);
			break;
		default:
			break;
		}
	}
	*at = sz;
}
