// SPDX-License-Identifier: GPL-2.0-only
/* Messages; what they say is in inject-target.c. */
#include <linux/blk_types.h>
#include <linux/ctype.h>
#include <linux/slab.h>

#include "inject.h"

#ifndef BLK_STS_RESV_CONFLICT
#define BLK_STS_RESV_CONFLICT BLK_STS_NEXUS
#endif

static const char dir_letters[] = "rwfd";

static const struct {
	const char *name;
	blk_status_t status;
} status_names[] = {
	{ "NOTSUPP", BLK_STS_NOTSUPP },
	{ "TIMEOUT", BLK_STS_TIMEOUT },
	{ "NOSPC", BLK_STS_NOSPC },
	{ "TRANSPORT", BLK_STS_TRANSPORT },
	{ "TARGET", BLK_STS_TARGET },
	{ "NEXUS", BLK_STS_RESV_CONFLICT },
	{ "RESV_CONFLICT", BLK_STS_RESV_CONFLICT },
	{ "MEDIUM", BLK_STS_MEDIUM },
	{ "PROTECTION", BLK_STS_PROTECTION },
	{ "RESOURCE", BLK_STS_RESOURCE },
	{ "IOERR", BLK_STS_IOERR },
	{ "AGAIN", BLK_STS_AGAIN },
	{ "DEV_RESOURCE", BLK_STS_DEV_RESOURCE },
#ifdef BLK_STS_ZONE_RESOURCE
	{ "ZONE_RESOURCE", BLK_STS_ZONE_RESOURCE },
#endif
	{ "ZONE_OPEN_RESOURCE", BLK_STS_ZONE_OPEN_RESOURCE },
	{ "ZONE_ACTIVE_RESOURCE", BLK_STS_ZONE_ACTIVE_RESOURCE },
	{ "OFFLINE", BLK_STS_OFFLINE },
#ifdef BLK_STS_DURATION_LIMIT
	{ "DURATION_LIMIT", BLK_STS_DURATION_LIMIT },
#endif
#ifdef BLK_STS_INVAL
	{ "INVAL", BLK_STS_INVAL },
#endif
};

/* Words of an `add` after the ranges. */
struct rule_options {
	blk_status_t status;
	long budget;
	bool until_written;
	enum reach reach;
	unsigned int delay_ms;
};

static int parse_dirs(const char *word, unsigned int *dirs)
{
	*dirs = 0;
	for (; *word; word++) {
		const char *letter = strchr(dir_letters, *word);

		if (!letter)
			return -EINVAL;
		*dirs |= BIT(letter - dir_letters);
	}
	return *dirs ? 0 : -EINVAL;
}

static int parse_range(struct inject *inject, const char *word, sector_t *first, sector_t *last)
{
	unsigned long long sector, count = 1;
	char dummy;

	if (sscanf(word, "%llu+%llu%c", &sector, &count, &dummy) != 2) {
		count = 1;
		if (sscanf(word, "%llu%c", &sector, &dummy) != 1)
			return -EINVAL;
	}
	if (!count || sector >= inject->ti->len || count > inject->ti->len - sector)
		return -EINVAL;
	*first = sector;
	*last = sector + count - 1;
	return 0;
}

static int parse_status(const char *word, blk_status_t *status)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(status_names); i++) {
		if (!strcmp(word, status_names[i].name)) {
			*status = status_names[i].status;
			return 0;
		}
	}
	return -EINVAL;
}

/* The words from the status on. Returns 0, or -EINVAL with *bad at the word in question. */
static int parse_options(unsigned int argc, char **argv, struct rule_options *options,
			 const char **bad)
{
	unsigned int i;

	*bad = "(end)";
	if (!argc)
		return -EINVAL;
	*bad = argv[0];
	if (parse_status(argv[0], &options->status))
		return -EINVAL;
	options->budget = -1;
	options->until_written = false;
	options->reach = REACH_NONE;
	options->delay_ms = 0;
	for (i = 1; i < argc; i++) {
		*bad = argv[i];
		if (!strcmp(argv[i], "times") && i + 1 < argc) {
			*bad = argv[++i];
			if (kstrtol(argv[i], 10, &options->budget) || options->budget < 1)
				return -EINVAL;
		} else if (!strcmp(argv[i], "delay") && i + 1 < argc) {
			*bad = argv[++i];
			if (kstrtouint(argv[i], 10, &options->delay_ms))
				return -EINVAL;
		} else if (!strcmp(argv[i], "until-written")) {
			options->until_written = true;
		} else if (!strcmp(argv[i], "torn")) {
			options->reach = REACH_TORN;
		} else if (!strcmp(argv[i], "reach")) {
			options->reach = REACH_ALL;
		} else if (strcmp(argv[i], "always") && strcmp(argv[i], "drop")) {
			return -EINVAL;
		}
	}
	return 0;
}

static int add_rule(struct inject *inject, unsigned int dirs, sector_t first, sector_t last,
		    const struct rule_options *options)
{
	struct rule *rule = kzalloc(sizeof(*rule), GFP_NOIO);

	if (!rule)
		return -ENOMEM;
	rule->first = first;
	rule->last = last;
	rule->dirs = dirs;
	rule->status = options->status;
	rule->budget = options->budget;
	rule->until_written = options->until_written;
	rule->reach = options->reach;
	rule->delay_ms = options->delay_ms;
	spin_lock_irq(&inject->lock);
	insert_rule(inject, rule);
	spin_unlock_irq(&inject->lock);
	return 0;
}

/* add|del <dirs> <range>... [options]: argv starts at <dirs>. */
static int message_ranges(struct inject *inject, bool add, unsigned int argc, char **argv)
{
	struct rule_options options = { };
	unsigned int dirs, i, ranges = 0;
	const char *bad = argv[0];
	sector_t first, last;
	int r;

	if (parse_dirs(argv[0], &dirs))
		goto invalid;
	while (1 + ranges < argc && isdigit(argv[1 + ranges][0])) {
		bad = argv[1 + ranges];
		if (parse_range(inject, bad, &first, &last))
			goto invalid;
		ranges++;
	}
	bad = 1 + ranges < argc ? argv[1 + ranges] : "(end)";
	if (!ranges || (!add && 1 + ranges < argc))
		goto invalid;
	if (add && parse_options(argc - 1 - ranges, argv + 1 + ranges, &options, &bad))
		goto invalid;
	bad = argv[0];
	if (options.until_written && dirs != BIT(DIR_READ))
		goto invalid;

	for (i = 1; i <= ranges; i++) {
		parse_range(inject, argv[i], &first, &last);
		if (add) {
			r = add_rule(inject, dirs, first, last, &options);
			if (r)
				return r;
		} else {
			spin_lock_irq(&inject->lock);
			cut_range(inject, dirs, false, first, last);
			spin_unlock_irq(&inject->lock);
		}
	}
	return 0;

invalid:
	DMWARN("bad word in message: %s", bad);
	return -EINVAL;
}

int inject_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
		   unsigned int maxlen)
{
	struct inject *inject = ti->private;
	unsigned int dir;

	if (argc >= 2 && !strcmp(argv[0], "add"))
		return message_ranges(inject, true, argc - 1, argv + 1);
	if (argc >= 2 && !strcmp(argv[0], "del"))
		return message_ranges(inject, false, argc - 1, argv + 1);
	if (argc == 1 && !strcmp(argv[0], "clear")) {
		spin_lock_irq(&inject->lock);
		clear_rules(inject);
		spin_unlock_irq(&inject->lock);
		return 0;
	}
	if (argc == 1 && !strcmp(argv[0], "reset")) {
		for (dir = 0; dir < DIRS; dir++) {
			atomic64_set(&inject->arrived[dir], 0);
			atomic64_set(&inject->failed[dir], 0);
		}
		atomic64_set(&inject->healed_sectors, 0);
		atomic_set(&inject->most_delayed, 0);
		return 0;
	}
	DMWARN("unknown message: %s", argc ? argv[0] : "(none)");
	return -EINVAL;
}
