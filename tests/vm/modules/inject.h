/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of dm-inject share; see inject-target.c for what it is.
 *
 *	inject-target.c		the target: bios, construction, status
 *	inject-rules.c		rules: which sectors fail, and how
 *	inject-message.c	messages, which make rules
 */
#ifndef INJECT_H
#define INJECT_H

#include <linux/device-mapper.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>

#define DM_MSG_PREFIX "inject"

enum dir { DIR_READ, DIR_WRITE, DIR_FLUSH, DIR_DISCARD, DIRS };

/* What of a failed write reaches the device. */
enum reach { REACH_NONE, REACH_TORN, REACH_ALL };

/*
 * Sectors first..last fail for the directions in `dirs`. `budget` is how many more bios, or
 * negative for any number. A rule whose budget is used up is freed.
 */
struct rule {
	struct rb_node node;
	sector_t first;
	sector_t last;
	sector_t subtree_last;
	unsigned int dirs;
	blk_status_t status;
	long budget;
	bool until_written;
	enum reach reach;
	unsigned int delay_ms;
};

struct inject {
	struct dm_target *ti;
	struct dm_dev *dev;
	sector_t offset;
	unsigned int physical_bytes;
	spinlock_t lock;		/* the rules and their counts; taken from any context */
	struct rb_root_cached rules;
	unsigned long rule_count;
	unsigned long rules_of[DIRS];	/* so that a flush need not look at all rules */
	atomic64_t arrived[DIRS];
	atomic64_t failed[DIRS];
	atomic64_t healed_sectors;
	atomic_t delayed;		/* bios that wait now */
	atomic_t most_delayed;
};

/*---- inject-rules.c: all of these under inject->lock ----*/

/** insert_rule() - add one, which comes from kmalloc() */
void insert_rule(struct inject *inject, struct rule *rule);

/** remove_rule() - and free it */
void remove_rule(struct inject *inject, struct rule *rule);

/** cut_range() - cut first..last out of matching rules; returns how many sectors were cut */
sector_t cut_range(struct inject *inject, unsigned int dirs, bool until_written_only,
		   sector_t first, sector_t last);

/** find_rule() - the matching rule with the lowest bad sector in first..last */
struct rule *find_rule(struct inject *inject, enum dir dir, sector_t first, sector_t last);

/** heals_anything() - is a sector of first..last bad until it is written? */
bool heals_anything(struct inject *inject, sector_t first, sector_t last);

/** bad_sectors() - of all rules together */
sector_t bad_sectors(struct inject *inject);

/** clear_rules() - remove all; needs no lock when nobody else has @inject */
void clear_rules(struct inject *inject);

/*---- inject-message.c ----*/

int inject_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
		   unsigned int maxlen);

#endif
