// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding main.
 */
#include "find_main.h"
#include "main_print.h"

/* Does it hold what it held when the spare was last released? */
static bool has_print(const struct device *dev, const struct rmeta_superblock *sb)
{
	u32 print[2];

	if ((sb->state & RMETA_IN_USE) || !(sb->state & RMETA_PRINT_VALID))
		return false;
	return !main_print_read(dev, sb->main_sectors, print) && print[0] == sb->main_print[0] &&
	       print[1] == sb->main_print[1];
}

bool find_main_is_it(const struct device *dev, const struct identity *identity,
		     const struct rmeta_superblock *sb)
{
	enum identity_verdict verdict = identity_compare(identity, sb);

	return verdict == IDENTITY_SAME ||
	       (verdict == IDENTITY_UNKNOWN && dev->sectors == sb->main_sectors &&
		has_print(dev, sb));
}

/* There may be hundreds that are longer; what is on them says nothing, so they are not opened. */
static bool is_longer_main(const struct blockdev *candidate, const struct rmeta_superblock *sb)
{
	const struct device dev = { .host.fd = -1, .is_block = true, .stat.st_rdev = candidate->number };
	struct identity identity;

	if (!identity_on_record(sb))
		return false;
	identity_get(&dev, &identity);
	return identity_fits(candidate->sectors, identity_compare(&identity, sb), sb);
}

static bool is_main(const struct blockdev *candidate, const struct rmeta_superblock *sb)
{
	struct identity identity;
	struct device dev;
	bool found;

	if (candidate->sectors > sb->main_sectors)
		return is_longer_main(candidate, sb);
	if (device_peek(&dev, candidate->path))
		return false;
	identity_get(&dev, &identity);
	found = find_main_is_it(&dev, &identity, sb);
	device_close(&dev);
	return found;
}

bool find_main(struct blockdev *main, unsigned int *others, const struct blockdev_list *list,
	       const struct rmeta_superblock *sb, dev_t spare)
{
	unsigned int found = 0;
	size_t i;

	for (i = 0; i < list->nr; i++) {
		const struct blockdev *dev = &list->dev[i];

		if (dev->sectors < sb->main_sectors || dev->number == spare || dev->ours ||
		    dev->suspended || !is_main(dev, sb))
			continue;
		if (!found++)
			*main = *dev;
	}
	*others = found ? found - 1 : 0;
	return found == 1;
}
