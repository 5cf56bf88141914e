// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-inject - a disk that fails as it is told. For tests only.
 *
 *	<start> <len> inject <dev> [<offset> [<physical>]]
 *
 * with <offset> in sectors, and a physical sector of <physical> bytes, whatever <dev> says
 * (default 512: a disk that knows each of its sectors apart),
 * passes bios to <dev> and fails those that a rule matches with any blk_status_t, as a disk
 * does: a bio that overlaps a bad sector fails as a whole. Rules come by message:
 *
 *	add <dirs> <sector>[+<count>]... <STATUS> [times <n>|until-written|always]
 *	    [drop|torn|reach] [delay <ms>]
 *	del <dirs> <sector>[+<count>]...	cut these sectors out of rules for any of <dirs>
 *	clear					drop all rules
 *	reset					zero the counters
 *
 * <dirs> is letters of r (read), w (write, write zeroes), f (flush; the range does not matter),
 * d (discard). Sectors count from the start of the target. `times` counts bios failed. With
 * `until-written` (reads only) each sector of the range is good again once a write of it
 * has succeeded, as when a drive reallocates it. What of a failed write reaches <dev>: nothing
 * (drop, the default), the sectors before the first bad one (torn), or all of it (reach).
 * The buffer of a failed read is filled with 0xbd, so that nobody can use it unnoticed. With
 * `delay` the request is answered only after that time, as by a disk that tries hard first.
 *
 * Status: <rules> <bad sectors> <reads> <writes> <flushes> <discards> <failed reads>
 * <failed writes> <failed flushes> <failed discards> <healed sectors> <most delayed at once>,
 * requests counted as they arrive here.
 *
 * The rules are in an interval tree under a spinlock that is taken for each bio: this is
 * not built for speed, but 100,000 ranges cost no more than a few.
 */

#include <linux/bio.h>
#include <linux/bvec.h>
#include <linux/ctype.h>
#include <linux/device-mapper.h>
#include <linux/highmem.h>
#include <linux/interval_tree_generic.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>

#define DM_MSG_PREFIX "inject"
#define POISON 0xbd

#ifndef BLK_STS_RESV_CONFLICT
#define BLK_STS_RESV_CONFLICT BLK_STS_NEXUS
#endif

enum dir { DIR_READ, DIR_WRITE, DIR_FLUSH, DIR_DISCARD, DIRS };

static const char dir_letters[] = "rwfd";

/* What of a failed write reaches the device. */
enum reach { REACH_NONE, REACH_TORN, REACH_ALL };

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

#define RULE_FIRST(rule) ((rule)->first)
#define RULE_LAST(rule) ((rule)->last)
INTERVAL_TREE_DEFINE(struct rule, node, sector_t, subtree_last, RULE_FIRST, RULE_LAST,
		     static, rules)

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

/* Remembered from map to end_io, when bi_iter has moved on. */
struct inject_bio {
	sector_t first;			/* of the target */
	sector_t sectors;
	blk_status_t status;		/* to fail with once the device has done its part */
	bool heals;
	struct inject *inject;
	struct bio *bio;
	struct delayed_work later;	/* fails it, when that takes time */
};

/* Words of an `add` after the ranges. */
struct rule_options {
	blk_status_t status;
	long budget;
	bool until_written;
	enum reach reach;
	unsigned int delay_ms;
};

static enum dir bio_dir_of(struct bio *bio)
{
	switch (bio_op(bio)) {
	case REQ_OP_READ:
		return DIR_READ;
	case REQ_OP_DISCARD:
	case REQ_OP_SECURE_ERASE:
		return DIR_DISCARD;
	case REQ_OP_FLUSH:
		return DIR_FLUSH;
	default:
		return bio_sectors(bio) ? DIR_WRITE : DIR_FLUSH;
	}
}

/*---- rules; all of these under inject->lock ----*/

static void count_rule(struct inject *inject, const struct rule *rule, int by)
{
	enum dir dir;

	inject->rule_count += by;
	for (dir = 0; dir < DIRS; dir++)
		if (rule->dirs & BIT(dir))
			inject->rules_of[dir] += by;
}

static void remove_rule(struct inject *inject, struct rule *rule)
{
	rules_remove(rule, &inject->rules);
	count_rule(inject, rule, -1);
	kfree(rule);
}

static void insert_rule(struct inject *inject, struct rule *rule)
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

/* Cuts first..last out of matching rules; returns how many sectors were cut. */
static sector_t cut_range(struct inject *inject, unsigned int dirs, bool until_written_only,
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

/* The matching rule with the lowest bad sector in first..last. */
static struct rule *find_rule(struct inject *inject, enum dir dir, sector_t first, sector_t last)
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

static bool heals_anything(struct inject *inject, sector_t first, sector_t last)
{
	struct rule *rule;

	for (rule = rules_iter_first(&inject->rules, first, last); rule;
	     rule = rules_iter_next(rule, first, last))
		if (rule->until_written)
			return true;
	return false;
}

static void clear_rules(struct inject *inject)
{
	struct rule *rule;

	while ((rule = rules_iter_first(&inject->rules, 0, ~(sector_t)0)))
		remove_rule(inject, rule);
}

/*---- bios ----*/

static void poison(struct bio *bio)
{
	struct bio_vec bv;
	struct bvec_iter iter;

	bio_for_each_segment(bv, bio, iter) {
		void *p = bvec_kmap_local(&bv);

		memset(p, POISON, bv.bv_len);
		kunmap_local(p);
	}
}

/* Fail a bio here: end_io sees that nothing went to the device. */
static void fail_bio(struct bio *bio, struct inject_bio *ib)
{
	bio->bi_status = ib->status;
	bio_endio(bio);
}

static void fail_later(struct work_struct *work)
{
	struct inject_bio *ib = container_of(work, struct inject_bio, later.work);

	atomic_dec(&ib->inject->delayed);
	fail_bio(ib->bio, ib);
}

static void delay_bio(struct inject *inject, struct bio *bio, struct inject_bio *ib,
		      unsigned int delay_ms)
{
	int now = atomic_inc_return(&inject->delayed), most = atomic_read(&inject->most_delayed);

	while (now > most && !atomic_try_cmpxchg(&inject->most_delayed, &most, now))
		;
	ib->inject = inject;
	ib->bio = bio;
	INIT_DELAYED_WORK(&ib->later, fail_later);
	schedule_delayed_work(&ib->later, msecs_to_jiffies(delay_ms));
}

static int inject_map(struct dm_target *ti, struct bio *bio)
{
	struct inject *inject = ti->private;
	struct inject_bio *ib = dm_per_bio_data(bio, sizeof(*ib));
	enum dir dir = bio_dir_of(bio);
	enum reach reach = REACH_NONE;
	sector_t good_sectors = 0, last;
	unsigned int delay_ms = 0;
	unsigned long flags;
	struct rule *rule;

	ib->first = dir == DIR_FLUSH ? 0 : dm_target_offset(ti, bio->bi_iter.bi_sector);
	ib->sectors = bio_sectors(bio);
	ib->status = BLK_STS_OK;
	ib->heals = false;
	last = dir == DIR_FLUSH ? ~(sector_t)0 : ib->first + max_t(sector_t, ib->sectors, 1) - 1;
	atomic64_inc(&inject->arrived[dir]);

	bio_set_dev(bio, inject->dev->bdev);
	if (dir != DIR_FLUSH)
		bio->bi_iter.bi_sector = inject->offset + ib->first;

	spin_lock_irqsave(&inject->lock, flags);
	rule = find_rule(inject, dir, ib->first, last);
	if (rule) {
		ib->status = rule->status;
		reach = rule->reach;
		delay_ms = rule->delay_ms;
		if (rule->first > ib->first)
			good_sectors = rule->first - ib->first;
		if (rule->budget > 0 && --rule->budget == 0)
			remove_rule(inject, rule);
	} else if (dir == DIR_WRITE) {
		ib->heals = heals_anything(inject, ib->first, last);
	}
	spin_unlock_irqrestore(&inject->lock, flags);

	if (ib->status == BLK_STS_OK)
		return DM_MAPIO_REMAPPED;

	atomic64_inc(&inject->failed[dir]);
	if (bio_op(bio) == REQ_OP_WRITE && dir == DIR_WRITE) {
		if (reach == REACH_ALL)
			return DM_MAPIO_REMAPPED;
		if (reach == REACH_TORN && good_sectors) {
			bio->bi_iter.bi_size = to_bytes(good_sectors);
			return DM_MAPIO_REMAPPED;
		}
	} else if (dir == DIR_READ) {
		poison(bio);
	}
	if (delay_ms)
		delay_bio(inject, bio, ib, delay_ms);
	else
		fail_bio(bio, ib);
	return DM_MAPIO_SUBMITTED;
}

static int inject_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct inject *inject = ti->private;
	struct inject_bio *ib = dm_per_bio_data(bio, sizeof(*ib));
	unsigned long flags;
	sector_t healed_sectors;

	if (ib->status != BLK_STS_OK) {
		*error = ib->status;
	} else if (ib->heals && *error == BLK_STS_OK) {
		spin_lock_irqsave(&inject->lock, flags);
		healed_sectors = cut_range(inject, BIT(DIR_READ), true, ib->first,
					   ib->first + ib->sectors - 1);
		spin_unlock_irqrestore(&inject->lock, flags);
		atomic64_add(healed_sectors, &inject->healed_sectors);
	}
	return DM_ENDIO_DONE;
}

/*---- messages ----*/

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

static int inject_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
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

/*---- the target ----*/

static int inject_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	unsigned long long offset = 0;
	unsigned int physical_bytes = SECTOR_SIZE;
	struct inject *inject;
	int r;

	if (argc < 1 || argc > 3) {
		ti->error = "Need <dev> [<offset> [<physical>]]";
		return -EINVAL;
	}
	if (argc == 3 && (kstrtouint(argv[2], 10, &physical_bytes) ||
			  physical_bytes < SECTOR_SIZE || !is_power_of_2(physical_bytes))) {
		ti->error = "Physical sector size is not a power of two from 512 bytes on";
		return -EINVAL;
	}
	if (argc >= 2 && kstrtoull(argv[1], 10, &offset)) {
		ti->error = "Offset is not a number of sectors";
		return -EINVAL;
	}
	inject = kzalloc(sizeof(*inject), GFP_KERNEL);
	if (!inject) {
		ti->error = "Out of memory";
		return -ENOMEM;
	}
	r = dm_get_device(ti, argv[0], dm_table_get_mode(ti->table), &inject->dev);
	if (r) {
		ti->error = "Cannot open the device";
		kfree(inject);
		return r;
	}
	inject->ti = ti;
	inject->offset = offset;
	inject->physical_bytes = physical_bytes;
	inject->rules = RB_ROOT_CACHED;
	spin_lock_init(&inject->lock);
	ti->private = inject;
	ti->num_flush_bios = 1;
	ti->flush_supported = true;	/* whatever is below: flushes are there to be failed */
	ti->num_discard_bios = 1;
	ti->num_write_zeroes_bios = 1;
	ti->per_io_data_size = sizeof(struct inject_bio);
	return 0;
}

static void inject_dtr(struct dm_target *ti)
{
	struct inject *inject = ti->private;

	clear_rules(inject);
	dm_put_device(ti, inject->dev);
	kfree(inject);
}

static void inject_status(struct dm_target *ti, status_type_t type, unsigned int status_flags,
			  char *result, unsigned int maxlen)
{
	struct inject *inject = ti->private;
	unsigned long long bad_sectors = 0;
	unsigned long rule_count;
	unsigned int sz = 0, dir;
	struct rule *rule;

	switch (type) {
	case STATUSTYPE_INFO:
		spin_lock_irq(&inject->lock);
		rule_count = inject->rule_count;
		for (rule = rules_iter_first(&inject->rules, 0, ~(sector_t)0); rule;
		     rule = rules_iter_next(rule, 0, ~(sector_t)0))
			bad_sectors += rule->last - rule->first + 1;
		spin_unlock_irq(&inject->lock);
		DMEMIT("%lu %llu", rule_count, bad_sectors);
		for (dir = 0; dir < DIRS; dir++)
			DMEMIT(" %lld", (long long)atomic64_read(&inject->arrived[dir]));
		for (dir = 0; dir < DIRS; dir++)
			DMEMIT(" %lld", (long long)atomic64_read(&inject->failed[dir]));
		DMEMIT(" %lld %d", (long long)atomic64_read(&inject->healed_sectors),
		       atomic_read(&inject->most_delayed));
		break;
	case STATUSTYPE_TABLE:
		DMEMIT("%s %llu %u", inject->dev->name, (unsigned long long)inject->offset,
		       inject->physical_bytes);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",device_name=%s;", inject->dev->name);
		break;
	}
}

static int inject_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn, void *data)
{
	struct inject *inject = ti->private;

	return fn(ti, inject->dev, inject->offset, ti->len, data);
}

static void inject_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	struct inject *inject = ti->private;

	limits->physical_block_size = max(inject->physical_bytes, limits->logical_block_size);
	limits->io_min = limits->physical_block_size;
}

static struct target_type inject_target = {
	.name = "inject",
	.version = { 1, 1, 0 },
	.features = DM_TARGET_NOWAIT,
	.module = THIS_MODULE,
	.ctr = inject_ctr,
	.dtr = inject_dtr,
	.map = inject_map,
	.end_io = inject_end_io,
	.message = inject_message,
	.status = inject_status,
	.iterate_devices = inject_iterate_devices,
	.io_hints = inject_io_hints,
};

static int __init inject_init(void)
{
	return dm_register_target(&inject_target);
}

static void __exit inject_exit(void)
{
	dm_unregister_target(&inject_target);
}

module_init(inject_init);
module_exit(inject_exit);
MODULE_DESCRIPTION("Device-mapper target that fails as it is told, for tests");
MODULE_LICENSE("GPL");
