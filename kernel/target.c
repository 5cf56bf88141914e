// SPDX-License-Identifier: GPL-2.0-only
/*
 * What device mapper sees: the two names of the target, construction and checks of a table
 * line, suspend and resume, limits. See remap.h for where everything else is.
 */
#include <linux/module.h>

#include "remap.h"

#define V4_NAME "dm-remap-v4"

static int check_devices(struct remap_target *t)
{
	struct dm_target *ti = t->ti;
	struct block_device *main = t->main->bdev, *spare = t->spare->bdev;
	unsigned int block_bytes = t->features.block_sectors << SECTOR_SHIFT;

	if (main->bd_dev == spare->bd_dev)
		ti->error = "main and spare are the same device";
	else if (bdev_nr_sectors(main) < ti->len)
		ti->error = "main is shorter than the table line";
	else if (bdev_nr_sectors(spare) < RMETA_MIN_SPARE_SECTORS)
		ti->error = "the spare is smaller than 8 MiB";
	else if (bdev_is_zoned(main) || bdev_is_zoned(spare))
		ti->error = "zoned devices are not supported";
	else if (bdev_logical_block_size(main) > PAGE_SIZE)
		ti->error = "logical blocks of main are larger than 4096 bytes";
	else if (bdev_logical_block_size(spare) > bdev_logical_block_size(main))
		ti->error = "logical blocks of the spare are larger than those of main";
	else if (block_bytes && block_bytes < bdev_logical_block_size(main))
		ti->error = "block_size is smaller than a logical block of main";
	else if (block_bytes && block_bytes < min(bdev_physical_block_size(main), REMAP_BLOCK_BYTES))
		ti->error = "block_size is smaller than a physical block of main";
	else
		return 0;
	return -EINVAL;
}

static int open_devices(struct remap_target *t, const char *main, const char *spare)
{
	struct dm_target *ti = t->ti;
	int r;

	r = dm_get_device(ti, main, dm_table_get_mode(ti->table), &t->main);
	if (r) {
		ti->error = "cannot open main";
		return r;
	}
	r = dm_get_device(ti, spare, dm_table_get_mode(ti->table), &t->spare);
	if (r) {
		dm_put_device(ti, t->main);
		ti->error = "cannot open the spare";
	}
	return r;
}

static int remap_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct remap_target *t;
	int r;

	if (argc < 2) {
		ti->error = "usage: <main> <spare> [<#features> <feature>...]";
		return -EINVAL;
	}
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t) {
		ti->error = "out of memory";
		return -ENOMEM;
	}
	t->ti = ti;
	r = remap_parse(&t->features, argc - 2, argv + 2, &ti->error);
	if (r)
		goto out_free;
	if (!strcmp(ti->type->name, V4_NAME))
		t->features.format = true;
	r = open_devices(t, argv[0], argv[1]);
	if (r)
		goto out_free;
	r = check_devices(t);
	if (r)
		goto out_close;
	t->read_only = !remap_table_writable(ti) || bdev_read_only(t->spare->bdev);
	t->main_bdev = t->main->bdev;
	r = remap_core_get(t, &ti->error);
	if (r)
		goto out_close;
	t->regions = t->core->regions;
	ti->num_flush_bios = 1;
	ti->num_discard_bios = 1;
	/* Main decides; the spare never sees one. */
	ti->discards_supported = bdev_max_discard_sectors(t->main->bdev);
	/* Whoever is parked may be sent on before map() has returned, and must be counted once. */
	ti->accounts_remapped_io = true;
	ti->per_io_data_size = sizeof(struct remap_bio);
	ti->private = t;
	return 0;

out_close:
	dm_put_device(ti, t->spare);
	dm_put_device(ti, t->main);
out_free:
	kfree(t);
	return r;
}

static void remap_dtr(struct dm_target *ti)
{
	struct remap_target *t = ti->private;

	remap_core_put(t);
	dm_put_device(ti, t->spare);
	dm_put_device(ti, t->main);
	kfree(t);
}

static int remap_preresume(struct dm_target *ti)
{
	return remap_core_preresume(ti->private);
}

static void remap_presuspend(struct dm_target *ti)
{
	struct remap_target *t = ti->private;

	remap_jobs_pause(t->core);
}

static void remap_resume(struct dm_target *ti)
{
	struct remap_target *t = ti->private;

	remap_jobs_resume(t->core);
	remap_scrub_resume(t->core);
}

static void remap_postsuspend(struct dm_target *ti)
{
	remap_core_postsuspend(ti->private);
}

static int remap_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn, void *data)
{
	struct remap_target *t = ti->private;
	int r = fn(ti, t->main, 0, ti->len, data);

	return r ?: fn(ti, t->spare, 0, bdev_nr_sectors(t->spare->bdev), data);
}

/*
 * The spare never sees a discard: how large and how small they are is for main to say, as
 * whether there are any (see remap_ctr()).
 */
static void remap_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	struct remap_target *t = ti->private;
	struct block_device *main = t->main->bdev;
	const struct queue_limits *of_main = &bdev_get_queue(main)->limits;

	limits->max_discard_sectors = of_main->max_discard_sectors;
	limits->max_hw_discard_sectors = of_main->max_hw_discard_sectors;
	limits->discard_granularity = of_main->discard_granularity;
	limits->discard_alignment = bdev_discard_alignment(main);
}

#define REMAP_TARGET(its_name)				\
	{						\
		.name = its_name,			\
		.version = { 4, 1, 0 },			\
		.features = DM_TARGET_NOWAIT,		\
		.module = THIS_MODULE,			\
		.ctr = remap_ctr,			\
		.dtr = remap_dtr,			\
		.map = remap_map,			\
		.end_io = remap_end_io,			\
		.presuspend = remap_presuspend,		\
		.presuspend_undo = remap_resume,	\
		.postsuspend = remap_postsuspend,	\
		.preresume = remap_preresume,		\
		.resume = remap_resume,			\
		.status = remap_status,			\
		.message = remap_message,		\
		.iterate_devices = remap_iterate_devices,	\
		.io_hints = remap_io_hints,		\
	}

static struct target_type remap_target = REMAP_TARGET("remap");
static struct target_type remap_v4_target = REMAP_TARGET(V4_NAME);

static int __init remap_init(void)
{
	int r = remap_module_init();

	if (r)
		return r;
	r = dm_register_target(&remap_target);
	if (r)
		goto out_module;
	r = dm_register_target(&remap_v4_target);
	if (r)
		goto out_target;
	return 0;

out_target:
	dm_unregister_target(&remap_target);
out_module:
	remap_module_exit();
	return r;
}

static void __exit remap_exit(void)
{
	dm_unregister_target(&remap_v4_target);
	dm_unregister_target(&remap_target);
	remap_module_exit();
}

module_init(remap_init);
module_exit(remap_exit);

MODULE_DESCRIPTION("device-mapper target that lets a second device stand in for bad blocks");
MODULE_AUTHOR("dm-remap developers");
MODULE_ALIAS("dm-remap");
MODULE_ALIAS("dm-dm-remap-v4");
MODULE_LICENSE("GPL");
