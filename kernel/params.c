// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table line: parsing its features, and printing them back as they were given. Opens
 * nothing; what needs the devices is checked in target.c.
 */
#include "remap.h"

#define MAX_SECONDS 86400U

static const struct {
	const char *name;
	unsigned int nr_values;
} feature_types[REMAP_NR_FEATURES] = {
	[REMAP_F_FORMAT] = { "format", 0 },
	[REMAP_F_BLOCK_SIZE] = { "block_size", 1 },
	[REMAP_F_READ_POLICY] = { "read_policy", 1 },
	[REMAP_F_NO_AUTO_REMAP] = { "no_auto_remap", 0 },
	[REMAP_F_BREAKER] = { "breaker", 2 },
	[REMAP_F_RETRY_BUDGET] = { "retry_budget", 1 },
	[REMAP_F_SCAN_INTERVAL] = { "scan_interval", 1 },
	[REMAP_F_FORCE_MAIN] = { "force_main", 0 },
};

static int fail(struct dm_target *ti, char *error)
{
	ti->error = error;
	return -EINVAL;
}

static bool parse_number(const char *word, u32 least, u32 most, u32 *value)
{
	return !kstrtou32(word, 10, value) && *value >= least && *value <= most;
}

static int parse_feature(struct dm_target *ti, struct remap_features *features,
			 enum remap_feature_id id, char **values)
{
	u32 number;

	switch (id) {
	case REMAP_F_FORMAT:
		features->format = true;
		return 0;
	case REMAP_F_BLOCK_SIZE:
		if (!parse_number(values[0], 1, 1U << RMETA_MAX_BLOCK_SHIFT, &number) ||
		    !is_power_of_2(number))
			return fail(ti, "block_size is 1, 2, 4, 8 or 16 sectors");
		features->block_sectors = number;
		return 0;
	case REMAP_F_READ_POLICY:
		features->read_remap = !strcmp(values[0], "remap");
		if (!features->read_remap && strcmp(values[0], "retry"))
			return fail(ti, "read_policy is retry or remap");
		return 0;
	case REMAP_F_NO_AUTO_REMAP:
		features->no_auto_remap = true;
		return 0;
	case REMAP_F_BREAKER:
		if (!parse_number(values[0], 1, U32_MAX, &features->breaker_slots) ||
		    !parse_number(values[1], 1, MAX_SECONDS, &features->breaker_seconds))
			return fail(ti, "breaker is <slots> <seconds>, seconds at most 86400");
		return 0;
	case REMAP_F_RETRY_BUDGET:
		if (!parse_number(values[0], 0, MAX_SECONDS, &features->retry_budget))
			return fail(ti, "retry_budget is 0 to 86400 seconds");
		return 0;
	case REMAP_F_SCAN_INTERVAL:
		if (!parse_number(values[0], 0, U32_MAX, &number))
			return fail(ti, "scan_interval is a number of seconds");
		if (number)
			return fail(ti, "scan_interval other than 0 is not supported by this version");
		return 0;
	case REMAP_F_FORCE_MAIN:
		features->force_main = true;
		return 0;
	case REMAP_NR_FEATURES:
		break;
	}
	return fail(ti, "unknown feature");
}

static enum remap_feature_id find_feature(const char *name)
{
	unsigned int id;

	for (id = 0; id < REMAP_NR_FEATURES; id++)
		if (!strcmp(name, feature_types[id].name))
			break;
	return id;
}

/**
 * remap_parse() - parse what follows the devices in a table line
 * @ti: the target; its error is set
 * @features: in: zeroed; out
 * @argc: words
 * @argv: the words: nothing, or their number and the features
 *
 * Return: 0 or -EINVAL.
 */
int remap_parse(struct dm_target *ti, struct remap_features *features, unsigned int argc,
		char **argv)
{
	u32 nr_words;
	unsigned int at, i;
	int r;

	features->breaker_slots = 1024;
	features->breaker_seconds = 60;
	features->retry_budget = 30;
	if (!argc)
		return 0;
	if (!parse_number(argv[0], 0, U32_MAX, &nr_words))
		return fail(ti, "the number of feature words is not a number");
	if (nr_words != argc - 1)
		return fail(ti, "the number of feature words is not what follows");
	for (at = 1; at < argc; at += 1 + feature_types[features->given[features->nr_given - 1]]
	     .nr_values) {
		enum remap_feature_id id = find_feature(argv[at]);

		if (id == REMAP_NR_FEATURES) {
			pr_warn("dm-remap: unknown feature: %s\n", argv[at]);
			return fail(ti, "unknown feature");
		}
		for (i = 0; i < features->nr_given; i++)
			if (features->given[i] == id)
				return fail(ti, "a feature is given twice");
		if (at + feature_types[id].nr_values >= argc)
			return fail(ti, "a feature lacks its value");
		r = parse_feature(ti, features, id, argv + at + 1);
		if (r)
			return r;
		features->given[features->nr_given++] = (u8)id;
	}
	return 0;
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
			DMEMIT(" 0");
			break;
		default:
			break;
		}
	}
	*at = sz;
}
