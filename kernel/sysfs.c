// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/dm-remap-v4/dm-<minor>/: what status and table say, one value per file, and the
 * features that can be changed while the device is live.
 *
 *	name
 *	stats/...	counters and sizes
 *	health/...	how well it is
 *	config/...	features; writable where a message can set them too
 *
 * Belongs to the core, from its first resume to its last put. A file that is open when the
 * directory goes answers ENODEV from then on: kobject_del() waits for those who are inside a
 * show or store, which take no lock that is held over I/O or a suspend, so the core outlives
 * them. What is behind the directory is freed with its last reference, which may be later.
 */
#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "remap.h"

struct remap_sysfs {
	struct kobject kobj;
	struct remap_core *core;
};

static struct kobject *root;

static struct remap_core *core_of(struct kobject *kobj)
{
	return container_of(kobj, struct remap_sysfs, kobj)->core;
}

/*
 * Numbers
 */

struct number_attribute {
	struct kobj_attribute attr;
	size_t offset;		/* in struct remap_numbers */
};

static ssize_t number_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	size_t offset = container_of(attr, struct number_attribute, attr)->offset;
	struct remap_core *core = core_of(kobj);
	struct remap_numbers numbers;
	u64 number = REMAP_UNKNOWN;

	mutex_lock(&core->event_lock);
	mutex_lock(&core->state_lock);
	if (core->live) {
		remap_take_numbers(core->live, &numbers);
		number = *(u64 *)((char *)&numbers + offset);
	}
	mutex_unlock(&core->state_lock);
	mutex_unlock(&core->event_lock);
	return number == REMAP_UNKNOWN ? sysfs_emit(buf, "-\n") : sysfs_emit(buf, "%llu\n", number);
}

#define NUMBER(file, field)							\
	static struct number_attribute number_##file = {			\
		.attr = __ATTR(file, 0444, number_show, NULL),			\
		.offset = offsetof(struct remap_numbers, field),		\
	}

NUMBER(used, used);
NUMBER(slots, slots);
NUMBER(pending, pending);
NUMBER(lost, lost);
NUMBER(retired, retired);
NUMBER(read_errors, read_errors);
NUMBER(write_errors, write_errors);
NUMBER(spare_errors, spare_errors);
NUMBER(remapped_reads, remapped_reads);
NUMBER(remapped_writes, remapped_writes);
NUMBER(reads, reads);
NUMBER(writes, writes);
NUMBER(buckets, buckets);
NUMBER(resizes, resizes);
NUMBER(parked, parked);
NUMBER(last_error, last_error);
NUMBER(scan_position, scan_position);
NUMBER(scan_errors, scan_errors);
NUMBER(scan_passes, scan_passes);
NUMBER(scan_share, scan_share);

static struct attribute *stats_attrs[] = {
	&number_used.attr.attr,
	&number_slots.attr.attr,
	&number_pending.attr.attr,
	&number_lost.attr.attr,
	&number_retired.attr.attr,
	&number_read_errors.attr.attr,
	&number_write_errors.attr.attr,
	&number_spare_errors.attr.attr,
	&number_remapped_reads.attr.attr,
	&number_remapped_writes.attr.attr,
	&number_reads.attr.attr,
	&number_writes.attr.attr,
	&number_buckets.attr.attr,
	&number_resizes.attr.attr,
	&number_parked.attr.attr,
	&number_last_error.attr.attr,
	&number_scan_position.attr.attr,
	&number_scan_errors.attr.attr,
	&number_scan_passes.attr.attr,
	&number_scan_share.attr.attr,
	NULL
};

NUMBER(score, health);
NUMBER(live_copies, live_copies);
NUMBER(needs_check, needs_check);
NUMBER(breaker_left, breaker_left);
NUMBER(recent_errors, recent_errors);
NUMBER(fenced, fenced);
NUMBER(scrub_bad, scrub_bad);
NUMBER(scrub_repaired, scrub_repaired);

static ssize_t mode_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct remap_core *core = core_of(kobj);
	enum remap_mode mode = REMAP_INACTIVE;

	mutex_lock(&core->event_lock);
	mutex_lock(&core->state_lock);
	if (core->live)
		mode = remap_mode(core);
	mutex_unlock(&core->state_lock);
	mutex_unlock(&core->event_lock);
	return sysfs_emit(buf, "%s\n", remap_mode_name(mode));
}

static struct kobj_attribute mode_attr = __ATTR_RO(mode);

static struct attribute *health_attrs[] = {
	&mode_attr.attr,
	&number_score.attr.attr,
	&number_live_copies.attr.attr,
	&number_needs_check.attr.attr,
	&number_breaker_left.attr.attr,
	&number_recent_errors.attr.attr,
	&number_fenced.attr.attr,
	&number_scrub_bad.attr.attr,
	&number_scrub_repaired.attr.attr,
	NULL
};

/*
 * Features
 */

#define WORD_BYTES 32

/*
 * Set one feature to what was written. @at: which of its @nr values that is; the others stay as
 * they are.
 */
static ssize_t set_value(struct kobject *kobj, char *feature, unsigned int nr, unsigned int at,
			 const char *buf, size_t count)
{
	struct remap_core *core = core_of(kobj);
	char word[WORD_BYTES], *argv[3] = { feature };
	char *error = "the value is too long";
	int r = -ENODEV;

	/* Cut short it could be another number, and a good one. */
	argv[1 + at] = strscpy(word, buf, sizeof(word)) < 0 ? NULL : strim(word);
	mutex_lock(&core->event_lock);
	if (core->live && !argv[1 + at])
		r = -EINVAL;
	else if (core->live)
		r = remap_set_feature(core->live, 1 + nr, argv, &error);
	if (r == -EINVAL)
		remap_warn(core, "sysfs: %s %s: %s", feature, argv[1 + at] ?: "", error);
	mutex_unlock(&core->event_lock);
	/* May sleep for as long as a disk takes, so with nothing held; the core cannot go. */
	if (!r && !strcmp(feature, "scan_interval"))
		remap_scan_wake(core);
	return r ?: count;
}

static u32 feature_of(struct kobject *kobj, size_t offset)
{
	struct remap_core *core = core_of(kobj);
	u32 value = 0;

	mutex_lock(&core->event_lock);
	if (core->live)
		value = READ_ONCE(*(u32 *)((char *)&core->live->features + offset));
	mutex_unlock(&core->event_lock);
	return value;
}

#define FEATURE_SHOW(field)							\
	static ssize_t field##_show(struct kobject *kobj, struct kobj_attribute *attr,	\
				    char *buf)					\
	{									\
		return sysfs_emit(buf, "%u\n",					\
				  feature_of(kobj, offsetof(struct remap_features, field)));	\
	}

#define FEATURE(field)								\
	FEATURE_SHOW(field)							\
	static ssize_t field##_store(struct kobject *kobj, struct kobj_attribute *attr,	\
				     const char *buf, size_t count)		\
	{									\
		return set_value(kobj, #field, 1, 0, buf, count);		\
	}									\
	static struct kobj_attribute field##_attr = __ATTR_RW(field)

FEATURE(retry_budget);
FEATURE(scan_interval);

FEATURE_SHOW(breaker_slots)
FEATURE_SHOW(breaker_seconds)

static ssize_t breaker_slots_store(struct kobject *kobj, struct kobj_attribute *attr,
				   const char *buf, size_t count)
{
	return set_value(kobj, "breaker", 2, 0, buf, count);
}

static ssize_t breaker_seconds_store(struct kobject *kobj, struct kobj_attribute *attr,
				     const char *buf, size_t count)
{
	return set_value(kobj, "breaker", 2, 1, buf, count);
}

static struct kobj_attribute breaker_slots_attr = __ATTR_RW(breaker_slots);
static struct kobj_attribute breaker_seconds_attr = __ATTR_RW(breaker_seconds);

static bool flag_of(struct kobject *kobj, size_t offset)
{
	struct remap_core *core = core_of(kobj);
	bool value = false;

	mutex_lock(&core->event_lock);
	if (core->live)
		value = READ_ONCE(*((bool *)&core->live->features + offset));
	mutex_unlock(&core->event_lock);
	return value;
}

static ssize_t read_policy_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", flag_of(kobj, offsetof(struct remap_features, read_remap)) ?
			  "remap" : "retry");
}

static ssize_t read_policy_store(struct kobject *kobj, struct kobj_attribute *attr,
				 const char *buf, size_t count)
{
	return set_value(kobj, "read_policy", 1, 0, buf, count);
}

static ssize_t no_auto_remap_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  flag_of(kobj, offsetof(struct remap_features, no_auto_remap)) ?
			  "on" : "off");
}

static ssize_t no_auto_remap_store(struct kobject *kobj, struct kobj_attribute *attr,
				   const char *buf, size_t count)
{
	return set_value(kobj, "no_auto_remap", 1, 0, buf, count);
}

static struct kobj_attribute read_policy_attr = __ATTR_RW(read_policy);
static struct kobj_attribute no_auto_remap_attr = __ATTR_RW(no_auto_remap);

NUMBER(block_sectors, block_sectors);
NUMBER(sectors, sectors);

static ssize_t main_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	dev_t devt = core_of(kobj)->main_devt;

	return sysfs_emit(buf, "%u:%u\n", MAJOR(devt), MINOR(devt));
}

static ssize_t spare_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	dev_t devt = core_of(kobj)->spare_devt;

	return sysfs_emit(buf, "%u:%u\n", MAJOR(devt), MINOR(devt));
}

static ssize_t uuid_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct remap_core *core = core_of(kobj);
	ssize_t length;

	mutex_lock(&core->state_lock);
	length = core->loaded ? sysfs_emit(buf, "%pUb\n", core->table.sb.uuid) :
				sysfs_emit(buf, "-\n");
	mutex_unlock(&core->state_lock);
	return length;
}

static struct kobj_attribute main_attr = __ATTR_RO(main);
static struct kobj_attribute spare_attr = __ATTR_RO(spare);
static struct kobj_attribute uuid_attr = __ATTR_RO(uuid);

static struct attribute *config_attrs[] = {
	&breaker_slots_attr.attr,
	&breaker_seconds_attr.attr,
	&retry_budget_attr.attr,
	&scan_interval_attr.attr,
	&read_policy_attr.attr,
	&no_auto_remap_attr.attr,
	&number_block_sectors.attr.attr,
	&number_sectors.attr.attr,
	&main_attr.attr,
	&spare_attr.attr,
	&uuid_attr.attr,
	NULL
};

/*
 * The directory
 */

static ssize_t name_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	char name[DM_NAME_LEN];

	/* As it is now, also after a rename; nothing while the device is being removed. */
	if (dm_copy_name_and_uuid(core_of(kobj)->md, name, NULL))
		return -ENODEV;
	return sysfs_emit(buf, "%s\n", name);
}

static struct kobj_attribute name_attr = __ATTR_RO(name);

static struct attribute *top_attrs[] = { &name_attr.attr, NULL };

static const struct attribute_group top_group = { .attrs = top_attrs };
static const struct attribute_group stats_group = { .name = "stats", .attrs = stats_attrs };
static const struct attribute_group health_group = { .name = "health", .attrs = health_attrs };
static const struct attribute_group config_group = { .name = "config", .attrs = config_attrs };

static const struct attribute_group *groups[] = {
	&top_group, &stats_group, &health_group, &config_group, NULL
};

static void release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct remap_sysfs, kobj));
}

static const struct kobj_type type = {
	.sysfs_ops = &kobj_sysfs_ops,
	.release = release,
	.default_groups = groups,
};

/**
 * remap_sysfs_add() - make the directory of a core, if it has none
 * @core: live
 * @first: no other core of the mapped device has one: it is dm-<minor>; else the device number
 *	of the spare is put behind that
 *
 * The device works without it, so a failure is only logged.
 *
 * Context: preresume; sleeps.
 */
void remap_sysfs_add(struct remap_core *core, bool first)
{
	const char *disk = dm_disk(core->md)->disk_name;
	struct remap_sysfs *sysfs;
	int r;

	if (core->sysfs)
		return;
	sysfs = kzalloc(sizeof(*sysfs), GFP_KERNEL);
	if (!sysfs) {
		remap_warn(core, "no memory for its files in /sys");
		return;
	}
	sysfs->core = core;
	if (first)
		r = kobject_init_and_add(&sysfs->kobj, &type, root, "%s", disk);
	else
		r = kobject_init_and_add(&sysfs->kobj, &type, root, "%s.%u:%u", disk,
					 MAJOR(core->spare_devt), MINOR(core->spare_devt));
	if (r) {
		remap_warn(core, "no files in /sys (error %d)", r);
		kobject_put(&sysfs->kobj);
		return;
	}
	core->sysfs = sysfs;
	core->sysfs_first = first;
}

/**
 * remap_sysfs_promote() - the core that had dm-<minor> has gone
 * @core: of the same mapped device
 *
 * Context: process; one caller at a time.
 */
void remap_sysfs_promote(struct remap_core *core)
{
	if (core->sysfs && !core->sysfs_first &&
	    !kobject_rename(&core->sysfs->kobj, dm_disk(core->md)->disk_name))
		core->sysfs_first = true;
}

/**
 * remap_sysfs_remove() - nobody reads or writes a file of the core when it returns
 * @core: may have none
 *
 * Context: sleeps until those who do are done, which is soon.
 */
void remap_sysfs_remove(struct remap_core *core)
{
	if (!core->sysfs)
		return;
	kobject_del(&core->sysfs->kobj);
	kobject_put(&core->sysfs->kobj);
	core->sysfs = NULL;
}

/**
 * remap_sysfs_init() - make the directory of the module
 *
 * Return: 0 or -ENOMEM.
 */
int __init remap_sysfs_init(void)
{
	root = kobject_create_and_add("dm-remap-v4", kernel_kobj);
	return root ? 0 : -ENOMEM;
}

/**
 * remap_sysfs_exit() - remove it; no core is left
 */
void remap_sysfs_exit(void)
{
	kobject_put(root);
}
