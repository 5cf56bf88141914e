// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spares that a main has already. See other_spares.h.
 */
#include "escape.h"
#include "find_main.h"
#include "find_spare.h"
#include "other_spares.h"
#include "remaptab.h"
#include "report.h"
#include "spare.h"
#include "units.h"

/* What other_spares_refuse() was asked, and the block devices that it looks among. */
struct looking {
	const struct device *main;
	const struct identity *identity;
	const u8 *except;
	const char *tab;
	struct blockdev_list list;
};

static bool is_uuid(const u8 *except, const u8 uuid[16])
{
	return except && !memcmp(except, uuid, 16);
}

/* "/dev/sdc (uuid ..., label "archive")", to free(). */
static char *describe(const struct device *dev, const struct rmeta_superblock *sb)
{
	char *label = escape_text(sb->label, strlen(sb->label)), *text, uuid[40];

	text = report_format("%s (uuid %s%s%s%s)", dev->shown, units_uuid(sb->uuid, uuid),
			     *label ? ", label \"" : "", label, *label ? "\"" : "");
	free(label);
	return text;
}

static int judge(const struct device *main, struct device *dev, const struct rmeta_superblock *sb)
{
	struct spare_survey survey = { .kind = SPARE_NONE };
	char *shown = describe(dev, sb);
	int status = STATUS_DONE;

	if (spare_survey(&survey, dev))
		survey.kind = SPARE_BROKEN;
	switch (survey.kind) {
	case SPARE_REMAPS:
		report_error("%s has a spare already, %s, and %u block%s that live%s there are old on main; nothing was changed",
			     main->shown, shown, survey.remaps, units_s(survey.remaps),
			     survey.remaps == 1 ? "s" : "");
		report_error("to use that one: remap-setup open NAME %s %s; to be rid of it: remap-setup unmap NAME --all then, close, and remap-setup erase %s",
			     main->shown, dev->shown, dev->shown);
		status = STATUS_FAILED;
		break;
	case SPARE_BROKEN:
		report_error("%s has a spare already, %s, and what that holds cannot be told; nothing was changed (remap-check %s)",
			     main->shown, shown, dev->shown);
		status = STATUS_DAMAGED;
		break;
	default:
		report_warn("%s has another spare, %s, which holds nothing: with two, scan brings up neither (remap-setup erase %s)",
			    main->shown, shown, dev->shown);
	}
	free(shown);
	free(survey.label);
	return status;
}

/*
 * Where a replacement was cut short at its last step nothing is a spare for now: what was in slots of the
 * old one is on this device only.
 */
static int refuse_taking(const struct looking *looking, struct device *dev)
{
	const struct device *main = looking->main;
	struct rmeta_superblock sb;
	char *command;

	if (spare_mark(dev, &sb) != RMETA_MARK_TAKING || is_uuid(looking->except, sb.host_id) ||
	    !find_main_is_it(main, looking->identity, &sb))
		return STATUS_DONE;
	command = spare_taking_command(&looking->list, sb.host_id, dev->path, NULL, looking->tab);
	report_error("%s has a spare, %s, that was to replace another one, and that was cut short: blocks that live there are old on main; nothing was changed (to finish it: %s)",
		     main->shown, dev->shown, command);
	free(command);
	return STATUS_FAILED;
}

static int look_at(const struct looking *looking, const struct blockdev *candidate)
{
	const struct device *main = looking->main;
	struct rmeta_superblock sb;
	struct rmeta_geometry geo;
	int status = STATUS_DONE;
	struct device dev;
	char *foreign;

	if (candidate->sectors < RMETA_MIN_SPARE_SECTORS || candidate->ours ||
	    candidate->suspended || device_peek(&dev, candidate->path))
		return STATUS_DONE;
	/* One that is half erased, and needed by nobody any more, has no superblock that counts. */
	if (!spare_superblock(&sb, &geo, &dev)) {
		status = refuse_taking(looking, &dev);
	} else if (!is_uuid(looking->except, sb.uuid) &&
		   find_main_is_it(main, looking->identity, &sb)) {
		foreign = signature_find(&dev, &geo);
		if (foreign)
			report_warn("%s was a spare of %s once, and was given to somebody else since: %s",
				    dev.shown, main->shown, foreign);
		else
			status = judge(main, &dev, &sb);
		free(foreign);
	}
	device_close(&dev);
	return status;
}

int other_spares_refuse(const struct device *main, const struct identity *identity, dev_t spare,
			const u8 *except, const char *tab)
{
	struct looking looking = {
		.main = main,
		.identity = identity,
		.except = except,
		.tab = tab,
	};
	const struct blockdev *dev;
	int status = STATUS_DONE;
	size_t i;

	if (blockdev_list(&looking.list))
		return STATUS_FAILED;
	for (i = 0; i < looking.list.nr && !status; i++) {
		dev = &looking.list.dev[i];
		if (dev->number != spare && dev->number != main->stat.st_rdev)
			status = look_at(&looking, dev);
	}
	blockdev_list_free(&looking.list);
	return status;
}

int listed_spare_refuse(const struct device *main, const struct identity *identity, const u8 *except,
			const char *path)
{
	const struct remaptab_entry *entry;
	int status = STATUS_FAILED;
	struct remaptab tab;
	char uuid[40], *command;

	if (remaptab_read(&tab, path))
		goto out;
	status = STATUS_DONE;
	entry = remaptab_by_main(&tab, main, identity);
	if (!entry || is_uuid(except, entry->spare_uuid))
		goto out;
	command = remaptab_disable_command(path, entry->name);
	report_error("%s:%u: %s has a spare already, that of %s (uuid %s), and blocks that live there are old on main; nothing was changed (if that spare is of no use any more: %s)",
		     tab.shown, entry->line, main->shown, entry->name,
		     units_uuid(entry->spare_uuid, uuid), command);
	free(command);
	status = STATUS_FAILED;
out:
	remaptab_free(&tab);
	return status;
}
