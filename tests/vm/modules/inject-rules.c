// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules are in an interval tree under a spinlock that is taken for each bio: this is
 * not built for speed, but 100,000 ranges cost no more than a few. Contract in inject.h.
 */
#include <linux/interval_tree_generic.h>
#include <linux/slab.h>

#include "inject.h"

#define RULE_FIRST(rule) ((rule)->first)
#define RULE_LAST(rule) ((rule)->last)
INTERVAL_TREE_DEFINE(struct rule, node, sector_t, subtree_last, RULE_FIRST, RULE_LAST,
		     static, rules)

static void count_rule(struct inject *inject, const struct rule *rule, int by)
{
	enum dir dir;

	inject->rule_count += by;
	for (dir = 0; dir < DIRS; dir++)
		if (rule->dirs & BIT(dir))
			inject->rules_of[dir] += by;
}

void remove_rule(struct inject *inject, struct rule *rule)
{
	rules_remove(rule, &inject->rules);
	count_rule(inject, rule, -1);
	kfree(rule);
}

void insert_rule(struct inject *inject, struct rule *rule)
{
	rules_insert(rule, &inject->rules);
	count_rule(inject, rule, 1);
}

/*
 * Takes first..last out of one rule, which may vanish or fall in two. Without memory for the
 * second half that half is forgotten, loudly: the test would see fewer errors than it asked for.
 */
static void cut_rule(struct inject *inject, struct rule *rule, sector_t first, sector_t last)
{
	struct rule *tail = NULL;

	if (rule->last > last) {
		tail = kmemdup(rule, sizeof(*rule), GFP_ATOMIC);
		if (tail)
			tail->first = last + 1;
		else
			WARN(1, "inject: no memory to split a rule\n");
	}
	if (rule->first < first) {
		rules_remove(rule, &inject->rules);
		rule->last = first - 1;
		rules_insert(rule, &inject->rules);
	} else {
		remove_rule(inject, rule);
	}
	if (tail)
		insert_rule(inject, tail);
}

sector_t cut_range(struct inject *inject, unsigned int dirs, bool until_written_only,
		   sector_t first, sector_t last)
{
	struct rule *rule, *next;
	sector_t cut_sectors = 0;

	for (rule = rules_iter_first(&inject->rules, first, last); rule; rule = next) {
		sector_t from = max(rule->first, first), to = min(rule->last, last);

		next = rules_iter_next(rule, first, last);
		if (!(rule->dirs & dirs) || (until_written_only && !rule->until_written))
			continue;
		cut_sectors += to - from + 1;
		cut_rule(inject, rule, from, to);
		/* the tail that was put in begins after `last`, so that `next` still stands */
	}
	return cut_sectors;
}

struct rule *find_rule(struct inject *inject, enum dir dir, sector_t first, sector_t last)
{
	struct rule *rule, *best = NULL;

	if (!inject->rules_of[dir])
		return NULL;
	for (rule = rules_iter_first(&inject->rules, first, last); rule;
	     rule = rules_iter_next(rule, first, last)) {
		if (!(rule->dirs & BIT(dir)))
			continue;
		if (!best || rule->first < best->first)
			best = rule;
		if (best->first <= first)
			break;
	}
	return best;
}

bool heals_anything(struct inject *inject, sector_t first, sector_t last)
{
	struct rule *rule;

	for (rule = rules_iter_first(&inject->rules, first, last); rule;
	     rule = rules_iter_next(rule, first, last))
		if (rule->until_written)
			return true;
	return false;
}

sector_t bad_sectors(struct inject *inject)
{
	sector_t sectors = 0;
	struct rule *rule;

	for (rule = rules_iter_first(&inject->rules, 0, ~(sector_t)0); rule;
	     rule = rules_iter_next(rule, 0, ~(sector_t)0))
		sectors += rule->last - rule->first + 1;
	return sectors;
}

void clear_rules(struct inject *inject)
{
	struct rule *rule;

	while ((rule = rules_iter_first(&inject->rules, 0, ~(sector_t)0)))
		remove_rule(inject, rule);
}
