// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mapped device that is open. See dm_in_use.h.
 */
#include <sys/sysmacros.h>

#include "device.h"
#include "dm_in_use.h"
#include "report.h"

int dm_in_use_refuse(const struct dmdev *dev)
{
	struct stat stat_buf = {
		.st_mode = S_IFBLK,
		.st_rdev = makedev(dev->major, dev->minor),
	};
	char *usage = device_usage(&stat_buf);

	report_error("%s is in use: %s; nothing was changed", dev->shown,
		     usage ? usage : "some program has it open");
	free(usage);
	return STATUS_FAILED;
}
