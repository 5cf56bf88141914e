// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-volatile - a disk in memory with a volatile cache, whose power can be cut. For tests only.
 *
 *	<start> <len> volatile
 *
 * What was written and neither flushed nor written with FUA may be lost when power goes: each
 * such sector then, by itself, holds what it held when it was last durable, or what was written
 * last. So a request may also be torn. (null_blk's cache is no substitute: it lets a write
 * through to any page that has ever been flushed.) Messages:
 *
 *	off <seed> [STATUS]	power goes; requests fail with IOERR (the default) or OFFLINE from
 *				now on. By the seed: a quarter of the cuts loses all that can be
 *				lost, a quarter loses nothing, the others a part.
 *	on			power is back
 *
 * Status: <on|off> <sectors that could be lost now> <cuts> <sectors lost by all cuts>.
 */

#include <linux/bio.h>
#include <linux/device-mapper.h>
#include <linux/hash.h>
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#define DM_MSG_PREFIX "volatile"

struct disk {
	struct mutex lock;		/* all below */
	struct xarray now;		/* by sector: what a read gets; absent: zeroes */
	struct xarray durable;		/* by sector: what a cut may bring back */
	u64 at_risk_sectors;		/* elements of it */
	u64 cuts;
	u64 lost_sectors;
	bool off;
	blk_status_t off_status;
};

static void *zalloc_sector(void)
{
	return kzalloc(SECTOR_SIZE, GFP_NOIO);
}

/*---- requests; under lock ----*/

/* The sector as it is stored, made if it is not there; NULL without memory. */
static void *sector_of(struct disk *disk, sector_t sector)
{
	void *data = xa_load(&disk->now, sector);

	if (data)
		return data;
	data = zalloc_sector();
	if (data && xa_is_err(xa_store(&disk->now, sector, data, GFP_NOIO))) {
		kfree(data);
		data = NULL;
	}
	return data;
}

static void forget(struct disk *disk, sector_t sector)
{
	void *old = xa_erase(&disk->durable, sector);

	if (old)
		disk->at_risk_sectors--;
	kfree(old);
}

/* Before the first change of a durable sector. */
static int remember(struct disk *disk, sector_t sector, const void *data)
{
	void *old;

	if (xa_load(&disk->durable, sector))
		return 0;
	old = kmemdup(data, SECTOR_SIZE, GFP_NOIO);
	if (!old || xa_is_err(xa_store(&disk->durable, sector, old, GFP_NOIO))) {
		kfree(old);
		return -ENOMEM;
	}
	disk->at_risk_sectors++;
	return 0;
}

static int write_sector(struct disk *disk, sector_t sector, const void *from, bool durable)
{
	void *data = sector_of(disk, sector);

	if (!data || (!durable && remember(disk, sector, data)))
		return -ENOMEM;
	memcpy(data, from, SECTOR_SIZE);
	if (durable)
		forget(disk, sector);
	return 0;
}

static void read_sector(struct disk *disk, sector_t sector, void *to)
{
	const void *data = xa_load(&disk->now, sector);

	if (data)
		memcpy(to, data, SECTOR_SIZE);
	else
		memset(to, 0, SECTOR_SIZE);
}

static void flush(struct disk *disk)
{
	unsigned long sector;
	void *old;

	xa_for_each(&disk->durable, sector, old)
		forget(disk, sector);
}

static blk_status_t transfer(struct disk *disk, struct bio *bio, sector_t sector)
{
	bool durable = bio->bi_opf & REQ_FUA, write = op_is_write(bio_op(bio));
	struct bio_vec vec;
	struct bvec_iter iter;
	unsigned int done;
	void *p;
	int r = 0;

	bio_for_each_segment(vec, bio, iter) {
		/* segments of a disk with sectors of 512 bytes are whole ones */
		p = bvec_kmap_local(&vec);
		for (done = 0; done < vec.bv_len && !r; done += SECTOR_SIZE, sector++) {
			if (write)
				r = write_sector(disk, sector, p + done, durable);
			else
				read_sector(disk, sector, p + done);
		}
		kunmap_local(p);
	}
	return r ? BLK_STS_RESOURCE : BLK_STS_OK;
}

static int volatile_map(struct dm_target *ti, struct bio *bio)
{
	struct disk *disk = ti->private;
	sector_t sector = dm_target_offset(ti, bio->bi_iter.bi_sector);

	mutex_lock(&disk->lock);
	if (disk->off)
		bio->bi_status = disk->off_status;
	else if (bio_sectors(bio))
		bio->bi_status = transfer(disk, bio, sector);
	else
		flush(disk);
	mutex_unlock(&disk->lock);
	bio_endio(bio);
	return DM_MAPIO_SUBMITTED;
}

/*---- messages ----*/

static void cut(struct disk *disk, u64 seed)
{
	struct rnd_state random;
	unsigned long sector;
	unsigned int chance;	/* of 256, for a sector to be lost */
	void *old;

	/* the generator is linear: seeds that differ in a few bits only would be alike */
	prandom_seed_state(&random, hash_64(seed, 64));
	chance = prandom_u32_state(&random) % 4;
	chance = chance == 0 ? 0 : chance == 1 ? 256 : 1 + prandom_u32_state(&random) % 255;
	xa_for_each(&disk->durable, sector, old) {
		if (prandom_u32_state(&random) % 256 < chance) {
			memcpy(xa_load(&disk->now, sector), old, SECTOR_SIZE);
			disk->lost_sectors++;
		}
		forget(disk, sector);
	}
	disk->cuts++;
}

static int volatile_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
			    unsigned int maxlen)
{
	struct disk *disk = ti->private;
	u64 seed = 0;
	bool off = !strcmp(argv[0], "off"), offline = argc == 3 && !strcmp(argv[2], "OFFLINE");

	if (off ? argc < 2 || argc > 3 || kstrtou64(argv[1], 10, &seed) ||
		  (argc == 3 && !offline && strcmp(argv[2], "IOERR")) :
		  argc != 1 || strcmp(argv[0], "on")) {
		DMWARN("message not understood: %s", argv[0]);
		return -EINVAL;
	}
	mutex_lock(&disk->lock);
	if (off && !disk->off)
		cut(disk, seed);
	disk->off = off;
	disk->off_status = offline ? BLK_STS_OFFLINE : BLK_STS_IOERR;
	mutex_unlock(&disk->lock);
	return 0;
}

/*---- the target ----*/

static int volatile_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct disk *disk;

	if (argc) {
		ti->error = "Takes no arguments";
		return -EINVAL;
	}
	disk = kzalloc(sizeof(*disk), GFP_KERNEL);
	if (!disk) {
		ti->error = "Out of memory";
		return -ENOMEM;
	}
	mutex_init(&disk->lock);
	xa_init(&disk->now);
	xa_init(&disk->durable);
	ti->private = disk;
	ti->num_flush_bios = 1;
	ti->flush_supported = true;
	return 0;
}

static void volatile_dtr(struct dm_target *ti)
{
	struct disk *disk = ti->private;
	unsigned long sector;
	void *data;

	xa_for_each(&disk->now, sector, data)
		kfree(data);
	xa_for_each(&disk->durable, sector, data)
		kfree(data);
	xa_destroy(&disk->now);
	xa_destroy(&disk->durable);
	kfree(disk);
}

static void volatile_status(struct dm_target *ti, status_type_t type, unsigned int status_flags,
			    char *result, unsigned int maxlen)
{
	struct disk *disk = ti->private;
	unsigned int sz = 0;

	switch (type) {
	case STATUSTYPE_INFO:
		mutex_lock(&disk->lock);
		DMEMIT("%s %llu %llu %llu", disk->off ? "off" : "on", disk->at_risk_sectors,
		       disk->cuts, disk->lost_sectors);
		mutex_unlock(&disk->lock);
		break;
	case STATUSTYPE_TABLE:
		result[0] = '\0';
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(";");
		break;
	}
}

static struct target_type volatile_target = {
	.name = "volatile",
	.version = { 1, 0, 0 },
	.module = THIS_MODULE,
	.ctr = volatile_ctr,
	.dtr = volatile_dtr,
	.map = volatile_map,
	.message = volatile_message,
	.status = volatile_status,
};

static int __init volatile_init(void)
{
	return dm_register_target(&volatile_target);
}

static void __exit volatile_exit(void)
{
	dm_unregister_target(&volatile_target);
}

module_init(volatile_init);
module_exit(volatile_exit);
MODULE_DESCRIPTION("Device-mapper target that forgets what was not flushed, for tests");
MODULE_LICENSE("GPL");
