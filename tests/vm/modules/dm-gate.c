// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-gate - a disk that stops a chosen request, for as long as it is told. For tests only.
 *
 *	<start> <len> gate <dev>
 *
 * passes bios to <dev>, but for those that a message has asked to be held, so that a race can
 * be put together step by step and comes out the same each time:
 *
 *	hold before|after <dirs> <sector>[+<count>] [<n> [<skip>]]
 *		the next n (default 1) bios that overlap, after `skip` others that do:
 *		`before` they reach <dev>, or `after` <dev> has done them, with whatever status,
 *		but before anybody hears of it
 *	release		let all held bios go, oldest first
 *	release first	only the oldest
 *	release fail	all, those held before <dev> failing with BLK_STS_OFFLINE: power is gone
 *	drop		from now on every write and flush fails with BLK_STS_OFFLINE
 *	open		forget `hold` and `drop`; bios that are held already stay
 *
 * <dirs> is letters of r (read), w (write), f (flush). Sectors count from the start of the
 * target. Status: <armed> <held> <passed>: bios still to be caught, held now, and seen.
 */

#include <linux/bio.h>
#include <linux/device-mapper.h>
#include <linux/module.h>
#include <linux/slab.h>

#define DM_MSG_PREFIX "gate"
#define MAX_HOLDS 16

enum dir { DIR_READ, DIR_WRITE, DIR_FLUSH };

static const char dir_letters[] = "rwf";

struct hold {
	sector_t first;
	sector_t last;
	unsigned int dirs;
	unsigned int skip;	/* bios that pass first */
	unsigned int left;	/* bios still to be caught; 0: unused */
	bool after;
};

struct gate {
	struct dm_target *ti;
	struct dm_dev *dev;
	spinlock_t lock;	/* all below; taken from any context */
	struct hold holds[MAX_HOLDS];
	struct bio_list held;
	bool drop;
	u64 passed;
};

struct gate_bio {
	sector_t first;
	sector_t last;
	enum dir dir;
	bool after;		/* held, or to be, on its way back */
	bool released;
};

static enum dir dir_of(struct bio *bio)
{
	if (!op_is_write(bio_op(bio)))
		return DIR_READ;
	return bio_sectors(bio) ? DIR_WRITE : DIR_FLUSH;
}

/* Under lock: is this bio to be held here? It then is in the list. */
static bool catch_bio(struct gate *gate, struct bio *bio, struct gate_bio *gb, bool after)
{
	struct hold *hold;

	for (hold = gate->holds; hold < gate->holds + MAX_HOLDS; hold++) {
		if (!hold->left || hold->after != after || !(hold->dirs & BIT(gb->dir)))
			continue;
		if (gb->dir != DIR_FLUSH && (gb->last < hold->first || gb->first > hold->last))
			continue;
		if (hold->skip) {
			hold->skip--;
			continue;
		}
		hold->left--;
		gb->after = after;
		bio_list_add(&gate->held, bio);
		return true;
	}
	return false;
}

static int gate_map(struct dm_target *ti, struct bio *bio)
{
	struct gate *gate = ti->private;
	struct gate_bio *gb = dm_per_bio_data(bio, sizeof(*gb));
	unsigned long flags;
	bool held, drop;

	gb->first = dm_target_offset(ti, bio->bi_iter.bi_sector);
	gb->last = gb->first + max(bio_sectors(bio), 1U) - 1;
	gb->dir = dir_of(bio);
	gb->released = false;
	bio_set_dev(bio, gate->dev->bdev);
	bio->bi_iter.bi_sector = gb->first;

	spin_lock_irqsave(&gate->lock, flags);
	gate->passed++;
	held = catch_bio(gate, bio, gb, false);
	drop = gate->drop && gb->dir != DIR_READ;
	spin_unlock_irqrestore(&gate->lock, flags);
	if (held)
		return DM_MAPIO_SUBMITTED;
	if (!drop)
		return DM_MAPIO_REMAPPED;
	gb->released = true;
	bio->bi_status = BLK_STS_OFFLINE;
	bio_endio(bio);
	return DM_MAPIO_SUBMITTED;
}

static int gate_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct gate *gate = ti->private;
	struct gate_bio *gb = dm_per_bio_data(bio, sizeof(*gb));
	unsigned long flags;
	bool held = false;

	if (gb->released)
		return DM_ENDIO_DONE;
	spin_lock_irqsave(&gate->lock, flags);
	held = catch_bio(gate, bio, gb, true);
	spin_unlock_irqrestore(&gate->lock, flags);
	return held ? DM_ENDIO_INCOMPLETE : DM_ENDIO_DONE;
}

static void let_go(struct bio *bio, bool fail)
{
	struct gate_bio *gb = dm_per_bio_data(bio, sizeof(*gb));

	if (!gb->after && !fail) {
		dm_submit_bio_remap(bio, NULL);
		return;
	}
	gb->released = true;
	if (!gb->after)
		bio->bi_status = BLK_STS_OFFLINE;
	bio_endio(bio);
}

/* Of those held now: one that comes while these are let go stays. */
static void release_bios(struct gate *gate, bool all, bool fail)
{
	struct bio_list going = BIO_EMPTY_LIST;
	struct bio *bio;

	spin_lock_irq(&gate->lock);
	if (all) {
		bio_list_merge(&going, &gate->held);
		bio_list_init(&gate->held);
	} else {
		bio = bio_list_pop(&gate->held);
		if (bio)
			bio_list_add(&going, bio);
	}
	spin_unlock_irq(&gate->lock);
	while ((bio = bio_list_pop(&going)))
		let_go(bio, fail);
}

/*---- messages ----*/

/* before|after <dirs> <range> [<n> [<skip>]] */
static int parse_hold(struct gate *gate, unsigned int argc, char **argv, struct hold *hold)
{
	unsigned long long sector, count = 1;
	const char *letter, *word;
	char dummy;

	if (argc < 3 || argc > 5 || (strcmp(argv[0], "before") && strcmp(argv[0], "after")))
		return -EINVAL;
	hold->after = !strcmp(argv[0], "after");
	hold->dirs = 0;
	for (word = argv[1]; *word; word++) {
		letter = strchr(dir_letters, *word);
		if (!letter)
			return -EINVAL;
		hold->dirs |= BIT(letter - dir_letters);
	}
	if (sscanf(argv[2], "%llu+%llu%c", &sector, &count, &dummy) != 2) {
		count = 1;
		if (sscanf(argv[2], "%llu%c", &sector, &dummy) != 1)
			return -EINVAL;
	}
	if (!count || sector >= gate->ti->len || count > gate->ti->len - sector)
		return -EINVAL;
	hold->first = sector;
	hold->last = sector + count - 1;
	hold->left = 1;
	hold->skip = 0;
	if (argc >= 4 && (kstrtouint(argv[3], 10, &hold->left) || !hold->left))
		return -EINVAL;
	if (argc == 5 && kstrtouint(argv[4], 10, &hold->skip))
		return -EINVAL;
	return 0;
}

static int add_hold(struct gate *gate, unsigned int argc, char **argv)
{
	struct hold hold, *at;
	int r = parse_hold(gate, argc, argv, &hold);

	if (r)
		return r;
	r = -ENOSPC;
	spin_lock_irq(&gate->lock);
	for (at = gate->holds; r && at < gate->holds + MAX_HOLDS; at++) {
		if (at->left)
			continue;
		*at = hold;
		r = 0;
	}
	spin_unlock_irq(&gate->lock);
	return r;
}

static int gate_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
			unsigned int maxlen)
{
	struct gate *gate = ti->private;
	const char *what = argc > 1 ? argv[1] : "";
	int r = 0;

	if (!strcmp(argv[0], "hold")) {
		r = add_hold(gate, argc - 1, argv + 1);
	} else if (!strcmp(argv[0], "release") && argc <= 2 &&
		   (!*what || !strcmp(what, "first") || !strcmp(what, "fail"))) {
		release_bios(gate, strcmp(what, "first"), !strcmp(what, "fail"));
	} else if (!strcmp(argv[0], "drop") && argc == 1) {
		WRITE_ONCE(gate->drop, true);
	} else if (!strcmp(argv[0], "open") && argc == 1) {
		spin_lock_irq(&gate->lock);
		memset(gate->holds, 0, sizeof(gate->holds));
		gate->drop = false;
		spin_unlock_irq(&gate->lock);
	} else {
		r = -EINVAL;
	}
	if (r)
		DMWARN("message not understood: %s %s", argv[0], what);
	return r;
}

/*---- the target ----*/

static int gate_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct gate *gate;
	int r;

	if (argc != 1) {
		ti->error = "Need <dev>";
		return -EINVAL;
	}
	gate = kzalloc(sizeof(*gate), GFP_KERNEL);
	if (!gate) {
		ti->error = "Out of memory";
		return -ENOMEM;
	}
	r = dm_get_device(ti, argv[0], dm_table_get_mode(ti->table), &gate->dev);
	if (r) {
		ti->error = "Cannot open the device";
		kfree(gate);
		return r;
	}
	gate->ti = ti;
	spin_lock_init(&gate->lock);
	bio_list_init(&gate->held);
	ti->private = gate;
	ti->num_flush_bios = 1;
	ti->flush_supported = true;
	ti->num_discard_bios = 1;
	ti->accounts_remapped_io = true;
	ti->per_io_data_size = sizeof(struct gate_bio);
	return 0;
}

static void gate_dtr(struct dm_target *ti)
{
	struct gate *gate = ti->private;

	dm_put_device(ti, gate->dev);
	kfree(gate);
}

static void gate_status(struct dm_target *ti, status_type_t type, unsigned int status_flags,
			char *result, unsigned int maxlen)
{
	struct gate *gate = ti->private;
	unsigned int sz = 0, armed = 0, i;

	switch (type) {
	case STATUSTYPE_INFO:
		spin_lock_irq(&gate->lock);
		for (i = 0; i < MAX_HOLDS; i++)
			armed += gate->holds[i].left;
		DMEMIT("%u %u %llu", armed, bio_list_size(&gate->held),
		       (unsigned long long)gate->passed);
		spin_unlock_irq(&gate->lock);
		break;
	case STATUSTYPE_TABLE:
		DMEMIT("%s", gate->dev->name);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",device_name=%s;", gate->dev->name);
		break;
	}
}

static int gate_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn, void *data)
{
	struct gate *gate = ti->private;

	return fn(ti, gate->dev, 0, ti->len, data);
}

static struct target_type gate_target = {
	.name = "gate",
	.version = { 1, 0, 0 },
	.features = DM_TARGET_NOWAIT,
	.module = THIS_MODULE,
	.ctr = gate_ctr,
	.dtr = gate_dtr,
	.map = gate_map,
	.end_io = gate_end_io,
	.message = gate_message,
	.status = gate_status,
	.iterate_devices = gate_iterate_devices,
};

static int __init gate_init(void)
{
	return dm_register_target(&gate_target);
}

static void __exit gate_exit(void)
{
	dm_unregister_target(&gate_target);
}

module_init(gate_init);
module_exit(gate_exit);
MODULE_DESCRIPTION("Device-mapper target that holds requests back as it is told, for tests");
MODULE_LICENSE("GPL");
