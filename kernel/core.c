// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core of a spare: who owns it, from the first table that names it to the last; what
 * becomes live when; the breaker; telling userspace.
 *
 * A core is found by the device number of its spare and bound to one mapped device: a
 * second device that names the spare is refused, a reload of the same device joins. The
 * constructor only joins. Loading happens in preresume, when the table becomes live; a
 * reload takes over what is loaded and reads nothing. After the last target has gone, the
 * core stays in the registry until the spare is released, so that nobody loads it while
 * that is being written; the registry's lock is not held over I/O.
 */
#include <linux/kobject.h>
#include <linux/sched/mm.h>

#include "remap.h"

static LIST_HEAD(registry);
static DEFINE_MUTEX(registry_lock);
/* Not for memory reclaim: no I/O ever waits for an event. */
static struct workqueue_struct *event_wq;

/*
 * Events
 */

static void send_uevent(struct remap_core *core, enum remap_mode mode)
{
	char text[32];
	char *envp[] = { text, NULL };

	snprintf(text, sizeof(text), "DM_REMAP_EVENT=%s", remap_mode_name(mode));
	kobject_uevent_env(&disk_to_dev(dm_disk(core->md))->kobj, KOBJ_CHANGE, envp);
}

static void event_work(struct work_struct *work)
{
	struct remap_core *core = container_of(work, struct remap_core, event_work);
	/* preresume waits for the lock, and reclaim could wait for this suspended device. */
	unsigned int noio = memalloc_noio_save();
	enum remap_mode mode = REMAP_INACTIVE;
	bool changed = false;

	mutex_lock(&core->event_lock);
	if (core->live) {
		mode = remap_mode(core);
		remap_rate_update(core);
		changed = mode != core->announced;
		if (changed)
			remap_warn(core, "mode is %s now, was %s", remap_mode_name(mode),
				   remap_mode_name(core->announced));
		core->announced = mode;
		dm_table_event(core->live->ti->table);
	}
	mutex_unlock(&core->event_lock);
	/*
	 * Not for less: a uevent makes udev probe the dying disk. And without the lock: others
	 * that send one may be waiting for memory, and that for this device to be resumed.
	 */
	if (changed)
		send_uevent(core, mode);
	memalloc_noio_restore(noio);
}

/**
 * remap_event() - something changed that a watcher should look at
 * @core: whose
 *
 * Context: any.
 */
void remap_event(struct remap_core *core)
{
	queue_work(event_wq, &core->event_work);
}

/**
 * remap_core_fail() - all I/O fails from now on, until a table is loaded anew
 * @core: whose
 * @why: for the log
 *
 * Context: process.
 */
void remap_core_fail(struct remap_core *core, const char *why)
{
	if (READ_ONCE(core->failed))
		return;
	remap_err(core, "failed: %s; all I/O fails until the table is reloaded", why);
	WRITE_ONCE(core->failed, true);
	smp_wmb();
	/* Nothing takes the fast path any more. Bits are only ever set, here and elsewhere. */
	remap_fill_regions(core, true);
	remap_event(core);
}

/**
 * remap_fill_regions() - mark all regions, or none
 * @core: the core
 * @marked: all; none only while no bio is under way
 *
 * Context: process.
 */
void remap_fill_regions(struct remap_core *core, bool marked)
{
	memset(core->regions, marked ? 0xff : 0,
	       BITS_TO_LONGS((core->max_sectors >> REMAP_REGION_SHIFT) + 1) *
	       sizeof(*core->regions));
}

/*
 * The breaker
 */

/**
 * remap_breaker_take() - may one more slot be taken automatically?
 * @core: live
 *
 * Return: true: yes, and it has been counted.
 * Context: process.
 */
bool remap_breaker_take(struct remap_core *core)
{
	const struct remap_features *features = &core->live->features;
	u32 slots = READ_ONCE(features->breaker_slots);
	u32 seconds = READ_ONCE(features->breaker_seconds);
	bool tripped = false, open;

	spin_lock(&core->breaker_lock);
	if (time_after(jiffies, core->breaker_start +
		       (unsigned long)seconds * HZ)) {
		core->breaker_start = jiffies;
		core->breaker_taken = 0;
	}
	if (!core->breaker_open) {
		/* The limit may have been lowered since. */
		tripped = core->breaker_taken >= slots;
		WRITE_ONCE(core->breaker_open, tripped);
	}
	open = core->breaker_open;
	if (!open)
		core->breaker_taken++;
	spin_unlock(&core->breaker_lock);
	if (tripped) {
		remap_warn(core, "breaker: more than %u slots taken within %u seconds; no more automatic remaps until the message breaker reset",
			   slots, seconds);
		remap_event(core);
	}
	return !open;
}

static void close_breaker(struct remap_core *core)
{
	spin_lock(&core->breaker_lock);
	core->breaker_start = jiffies;
	core->breaker_taken = 0;
	WRITE_ONCE(core->breaker_open, false);
	spin_unlock(&core->breaker_lock);
}

/**
 * remap_breaker_reset() - close the breaker
 * @core: live
 *
 * Context: process.
 */
void remap_breaker_reset(struct remap_core *core)
{
	close_breaker(core);
	remap_event(core);
}

/**
 * remap_breaker_left() - slots that may yet be taken in this window
 * @core: the core
 * @features: of the live target
 *
 * Context: process.
 */
u32 remap_breaker_left(struct remap_core *core, const struct remap_features *features)
{
	u32 left = READ_ONCE(features->breaker_slots);

	spin_lock(&core->breaker_lock);
	if (core->breaker_open)
		left = 0;
	else if (!time_after(jiffies, core->breaker_start +
			     (unsigned long)READ_ONCE(features->breaker_seconds) * HZ))
		left -= min(core->breaker_taken, left);
	spin_unlock(&core->breaker_lock);
	return left;
}

/*
 * Life
 */

static void free_core(struct remap_core *core)
{
	remap_jobs_exit(core);
	remap_work_exit(core);
	remap_meta_exit(core);
	remap_meta_io_exit(core);
	/* Only now can nothing raise an event any more. */
	cancel_work_sync(&core->event_work);
	remap_scan_exit(core);
	cleanup_srcu_struct(&core->flight);
	free_percpu(core->percpu);
	kvfree(core->fenced);
	kvfree(core->busy);
	kvfree(core->regions);
	kfree(core);
}

static void take_name(struct remap_core *core)
{
	if (dm_copy_name_and_uuid(core->md, core->name, NULL))
		strscpy(core->name, dm_device_name(core->md), sizeof(core->name));
}

static struct remap_core *make_core(struct remap_target *t)
{
	struct remap_core *core = kzalloc(sizeof(*core), GFP_KERNEL);

	if (!core)
		return NULL;
	if (init_srcu_struct(&core->flight)) {
		kfree(core);
		return NULL;
	}
	core->spare_devt = t->spare->bdev->bd_dev;
	core->main_devt = t->main->bdev->bd_dev;
	core->md = dm_table_get_md(t->ti->table);
	core->max_sectors = bdev_nr_sectors(t->main->bdev);
	core->last_error = ~(sector_t)0;
	INIT_LIST_HEAD(&core->targets);
	spin_lock_init(&core->busy_lock);
	spin_lock_init(&core->breaker_lock);
	init_waitqueue_head(&core->busy_wait);
	mutex_init(&core->event_lock);
	mutex_init(&core->state_lock);
	INIT_WORK(&core->event_work, event_work);
	remap_scan_reset(core);
	core->rate.start = jiffies;
	take_name(core);
	core->regions = kvcalloc(BITS_TO_LONGS((core->max_sectors >> REMAP_REGION_SHIFT) + 1),
				 sizeof(*core->regions), GFP_KERNEL);
	core->busy = kvcalloc(REMAP_BUSY, sizeof(*core->busy), GFP_KERNEL);
	core->fenced = kvmalloc_array(REMAP_FENCED, sizeof(*core->fenced), GFP_KERNEL);
	core->percpu = alloc_percpu(struct remap_percpu);
	/* All of them, so that all can be undone. */
	if (remap_meta_io_init(core) | remap_meta_init(core) | remap_work_init(core) |
	    remap_jobs_init(core) || !core->regions || !core->busy || !core->fenced ||
	    !core->percpu) {
		free_core(core);
		return NULL;
	}
	return core;
}

static struct remap_core *find_core(dev_t spare_devt)
{
	struct remap_core *core;

	list_for_each_entry(core, &registry, list)
		if (core->spare_devt == spare_devt)
			return core;
	return NULL;
}

/* Does one of the core's targets belong to this table? Under registry_lock. */
static bool is_in_table(const struct remap_core *core, const struct dm_table *table)
{
	const struct remap_target *t;

	list_for_each_entry(t, &core->targets, list)
		if (t->ti->table == table)
			return true;
	return false;
}

/*
 * Is a device of the target in use by another core? Main may be shared with another table of
 * the same mapped device, which gets another spare. Under registry_lock.
 */
static char *find_conflict(const struct remap_core *mine, const struct remap_target *t)
{
	dev_t main = t->main->bdev->bd_dev, spare = t->spare->bdev->bd_dev;
	const struct remap_core *core;

	list_for_each_entry(core, &registry, list) {
		if (core == mine)
			continue;
		if (core->spare_devt == main)
			return "main is the spare of another device";
		if (core->main_devt == spare)
			return "the spare is main of another device";
		if (core->main_devt == main && core->md != mine->md)
			return "main is in use by another device";
		if (core->main_devt == main && is_in_table(core, t->ti->table))
			return "the table names main twice";
	}
	return NULL;
}

/* Under registry_lock. */
static int join(struct remap_core *core, struct remap_target *t, char **error)
{
	if (core->dying || core->md != dm_table_get_md(t->ti->table)) {
		*error = "the spare is in use by another device";
		return -EBUSY;
	}
	*error = find_conflict(core, t);
	if (*error)
		return -EBUSY;
	if (core->main_devt != t->main->bdev->bd_dev) {
		*error = "the spare is in use with another main; remove the device first";
		return -EBUSY;
	}
	if (t->ti->len > (core->loaded ? core->main_sectors : core->max_sectors)) {
		*error = "the table line is longer than main was when the spare was made";
		return -EINVAL;
	}
	if (is_in_table(core, t->ti->table)) {
		*error = "the table names the spare twice";
		return -EINVAL;
	}
	list_add_tail(&t->list, &core->targets);
	t->core = core;
	return 0;
}

/**
 * remap_core_get() - join the core of a target's spare, making it if there is none
 * @t: its devices are open
 * @error: out: why not
 *
 * Return: 0, -ENOMEM, -EINVAL; -EBUSY: the spare is another device's.
 * Context: constructor; sleeps.
 */
int remap_core_get(struct remap_target *t, char **error)
{
	struct remap_core *core, *made = NULL;
	int r;

	mutex_lock(&registry_lock);
	core = find_core(t->spare->bdev->bd_dev);
	if (!core) {
		mutex_unlock(&registry_lock);
		made = make_core(t);
		if (!made) {
			*error = "out of memory";
			return -ENOMEM;
		}
		mutex_lock(&registry_lock);
		core = find_core(t->spare->bdev->bd_dev);
		if (!core) {
			core = made;
			made = NULL;
			list_add(&core->list, &registry);
		}
	}
	r = join(core, t, error);
	if (list_empty(&core->targets) && !core->dying) {
		list_del(&core->list);
		made = core;
	}
	mutex_unlock(&registry_lock);
	if (made)
		free_core(made);
	return r;
}

static void set_live(struct remap_core *core, struct remap_target *t)
{
	mutex_lock(&core->event_lock);
	core->live = t;
	/* Device mapper sends a uevent of its own with the resume. */
	core->announced = remap_mode(core);
	mutex_unlock(&core->event_lock);
}

/*
 * Another core of the same mapped device that has files, and has or has not the first place. Those of
 * one that is dying may be gone any moment.
 */
static struct remap_core *find_sibling(const struct remap_core *core, bool first)
{
	struct remap_core *other;

	list_for_each_entry(other, &registry, list)
		if (other != core && other->md == core->md && other->sysfs && !other->dying &&
		    other->sysfs_first == first)
			return other;
	return NULL;
}

static void add_files(struct remap_core *core)
{
	bool first;

	mutex_lock(&registry_lock);
	first = !find_sibling(core, true);
	mutex_unlock(&registry_lock);
	remap_sysfs_add(core, first);
}

static void remove_files(struct remap_core *core)
{
	struct remap_core *next;
	unsigned int noio;

	remap_sysfs_remove(core);
	if (!core->sysfs_first)
		return;
	/* A preresume of another device waits for the lock. */
	noio = memalloc_noio_save();
	mutex_lock(&registry_lock);
	next = find_sibling(core, false);
	if (next)
		remap_sysfs_promote(next);
	mutex_unlock(&registry_lock);
	memalloc_noio_restore(noio);
}

/**
 * remap_core_put() - leave a core; the last to leave releases the spare
 * @t: its devices are still open
 *
 * Context: destructor; sleeps.
 */
void remap_core_put(struct remap_target *t)
{
	struct remap_core *core = t->core;

	if (core->live == t)
		set_live(core, NULL);
	mutex_lock(&registry_lock);
	list_del(&t->list);
	core->dying = list_empty(&core->targets);
	mutex_unlock(&registry_lock);
	if (!core->dying)
		return;
	remove_files(core);
	core->spare = t->spare->bdev;
	remap_spare_unload(core);
	mutex_lock(&registry_lock);
	list_del(&core->list);
	mutex_unlock(&registry_lock);
	free_core(core);
}

/*
 * Is what is loaded of less use than what is on the spare? A failed device, a block in doubt,
 * and a page that can take no more changes are as they are until a load. It is not tried
 * while the spare does not even show its superblocks: what is loaded still serves.
 */
static bool is_load_due(struct remap_core *core, const struct remap_target *t)
{
	if (!core->loaded || core->failed || core->table.read_only != t->read_only)
		return true;
	return (core->nr_fenced || rmeta_table_live_copies(&core->table) < 2) &&
	       remap_spare_is_back(core);
}

static int go_live(struct remap_core *core, struct remap_target *t)
{
	const char *why = "the spare could not be loaded again";
	int r = 0;

	/* No events about what is only half there. */
	set_live(core, NULL);
	core->main = t->main->bdev;
	core->spare = t->spare->bdev;
	if (is_load_due(core, t)) {
		remap_jobs_forget(core);
		core->salvage.started = false;
		remap_spare_unload(core);
		core->failed = false;
		core->rewrites = false;
		r = remap_spare_load(core, t);
	} else if (t->ti->len > core->main_sectors) {
		/* It joined when that was not known yet. */
		why = "the table line is longer than main was when the spare was made";
		r = -EINVAL;
	}
	if (r && !core->was_live)
		return r;
	close_breaker(core);
	set_live(core, t);
	remap_scan_interval(core, t->features.scan_interval);
	remap_scan_wake(core);
	core->was_live = true;
	add_files(core);
	/* An error would leave the device suspended for ever. */
	if (r)
		remap_core_fail(core, why);
	return 0;
}

/**
 * remap_core_preresume() - make a target the live one
 * @t: of the table that is being resumed
 *
 * Return: 0; a negative errno when its first activation failed.
 * Context: the device is suspended, no bio is under way; sleeps.
 */
int remap_core_preresume(struct remap_target *t)
{
	struct remap_core *core = t->core;
	unsigned int noio = memalloc_noio_save();
	int r = 0;

	take_name(core);
	if (core->live != t)
		r = go_live(core, t);
	memalloc_noio_restore(noio);
	return r;
}

/**
 * remap_core_postsuspend() - let nothing write to the spare while suspended
 * @t: of the table that is being suspended
 *
 * Context: no bio is under way; sleeps.
 */
void remap_core_postsuspend(struct remap_target *t)
{
	flush_workqueue(t->core->meta_wq);
}

/**
 * remap_module_init() - what all cores share
 *
 * Return: 0 or -ENOMEM.
 */
int __init remap_module_init(void)
{
	int r = remap_sysfs_init();

	if (r)
		return r;
	event_wq = alloc_workqueue("dm-remap-event", WQ_UNBOUND, 0);
	if (event_wq)
		return 0;
	remap_sysfs_exit();
	return -ENOMEM;
}

/**
 * remap_module_exit() - undo remap_module_init(); no core is left
 */
void remap_module_exit(void)
{
	destroy_workqueue(event_wq);
	remap_sysfs_exit();
}
