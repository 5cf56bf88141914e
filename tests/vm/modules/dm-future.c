// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-future - a target that calls itself "remap", of a version that the tools do not know. For tests only.
 *
 *	<start> <len> remap <main> <spare>
 *
 * passes bios to <main>. Its status is of another layout: "2 <messages>", how many it was sent; it takes
 * any message and does nothing. The parameter `major` is the first number of its version.
 */

#include <linux/bio.h>
#include <linux/device-mapper.h>
#include <linux/module.h>
#include <linux/slab.h>

static unsigned int major = 4;
module_param(major, uint, 0444);
MODULE_PARM_DESC(major, "first number of the version of the target");

struct future {
	struct dm_dev *main;
	struct dm_dev *spare;
	atomic_t messages;
};

static void future_dtr(struct dm_target *ti)
{
	struct future *future = ti->private;

	if (future->spare)
		dm_put_device(ti, future->spare);
	if (future->main)
		dm_put_device(ti, future->main);
	kfree(future);
}

static int future_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct future *future;
	int r;

	if (argc < 2) {
		ti->error = "main and spare are needed";
		return -EINVAL;
	}
	future = kzalloc(sizeof(*future), GFP_KERNEL);
	if (!future)
		return -ENOMEM;
	ti->private = future;
	r = dm_get_device(ti, argv[0], dm_table_get_mode(ti->table), &future->main);
	if (!r)
		r = dm_get_device(ti, argv[1], dm_table_get_mode(ti->table), &future->spare);
	if (r) {
		ti->error = "cannot open main or spare";
		future_dtr(ti);
	}
	return r;
}

static int future_map(struct dm_target *ti, struct bio *bio)
{
	struct future *future = ti->private;

	bio_set_dev(bio, future->main->bdev);
	bio->bi_iter.bi_sector = dm_target_offset(ti, bio->bi_iter.bi_sector);
	return DM_MAPIO_REMAPPED;
}

static int future_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
			  unsigned int maxlen)
{
	struct future *future = ti->private;

	atomic_inc(&future->messages);
	return 0;
}

static void future_status(struct dm_target *ti, status_type_t type, unsigned int status_flags,
			  char *result, unsigned int maxlen)
{
	struct future *future = ti->private;
	unsigned int sz = 0;

	switch (type) {
	case STATUSTYPE_INFO:
		DMEMIT("2 %d", atomic_read(&future->messages));
		break;
	case STATUSTYPE_TABLE:
		DMEMIT("%s %s", future->main->name, future->spare->name);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(";");
		break;
	}
}

static struct target_type future_target = {
	.name = "remap",
	.module = THIS_MODULE,
	.ctr = future_ctr,
	.dtr = future_dtr,
	.map = future_map,
	.message = future_message,
	.status = future_status,
};

static int __init future_init(void)
{
	future_target.version[0] = major;
	return dm_register_target(&future_target);
}

static void __exit future_exit(void)
{
	dm_unregister_target(&future_target);
}

module_init(future_init);
module_exit(future_exit);
MODULE_DESCRIPTION("device-mapper target of another version, for tests of dm-remap's tools");
MODULE_LICENSE("GPL");
