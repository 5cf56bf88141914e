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
 */

#include <linux/bio.h>
#include <linux/bvec.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "inject.h"

#define POISON 0xbd

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
	unsigned long rule_count;
	unsigned int sz = 0, dir;
	sector_t bad;

	switch (type) {
	case STATUSTYPE_INFO:
		spin_lock_irq(&inject->lock);
		rule_count = inject->rule_count;
		bad = bad_sectors(inject);
		spin_unlock_irq(&inject->lock);
		DMEMIT("%lu %llu", rule_count, (unsigned long long)bad);
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
