// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an import is for: a spare that is not in use, or a live device, whose spare is read while
 * the kernel has it.
 */
#include "import.h"
#include "signature.h"

int import_open(struct import *import, bool read_only)
{
	const char *path = import->options.common.operand;
	enum device_access access = DEVICE_WRITE;

	if (import->is_live) {
		if (live_refresh(&import->live, true))
			return STATUS_FAILED;
		path = import->live.spare;
		access = DEVICE_READ;
		read_only = true;
	}
	if (device_open(&import->dev, path, access, "spare"))
		return STATUS_FAILED;
	return spare_load(&import->spare, &import->dev, read_only);
}

void import_close(struct import *import)
{
	spare_unload(&import->spare);
	device_close(&import->dev);
}

/*
 * Main is here: what the spare does not know of it, since it was formatted by size or by the target,
 * can be looked up.
 */
static void learn_identity(struct import *import)
{
	struct rmeta_superblock *sb = &import->sb;
	struct identity identity;

	identity_get(&import->verify.main, &identity);
	if (sb->main_id[0] || sb->main_start || !identity.id[0])
		return;
	snprintf(sb->main_id, sizeof(sb->main_id), "%s", identity.id);
	memcpy(sb->main_partuuid, identity.partuuid, sizeof(sb->main_partuuid));
	sb->main_start = identity.start_sectors;
}

/* Open main, for --verify and for what it says of itself. */
static int open_main(struct import *import)
{
	const char *path = import->options.main;
	struct device *main = &import->verify.main;

	if (!import->is_live)
		return path ? import_verify_open(&import->verify, path, &import->sb) : 0;
	if (import_verify_open(&import->verify, import->live.main, NULL))
		return -EIO;
	learn_identity(import);
	if (!path || device_is_at(main, path))
		return 0;
	report_error("--main: main of %s is %s; nothing was changed", import->live.dev.shown,
		     main->shown);
	return -EINVAL;
}

static int look(struct import *import)
{
	int status;

	status = import_open(import, true);
	if (!status && !import->is_live)
		status = spare_refuse_foreign(&import->spare, &import->dev);
	if (status)
		return status;
	import->sb = import->spare.table.sb;
	import->list.main_sectors = import->sb.main_sectors;
	import->list.block_shift = import->sb.block_shift;
	if (!import->is_live)
		return STATUS_DONE;
	/* A table may be shorter than main; blocks behind it are not the device's. */
	import->list.main_sectors = min(import->sb.main_sectors, import->live.sectors);
	if (!memcmp(import->sb.uuid, import->live.status.uuid, sizeof(import->sb.uuid)))
		return STATUS_DONE;
	report_error("%s: on its spare %s there is another spare than the one it was loaded from; nothing was changed",
		     import->live.dev.shown, import->dev.shown);
	return STATUS_FAILED;
}

int import_target(struct import *import)
{
	int status;

	if (live_choose(&import->live, import->options.common.operand, &import->is_live))
		return STATUS_FAILED;
	status = look(import);
	import_close(import);
	if (!status && open_main(import))
		status = STATUS_FAILED;
	return status;
}
