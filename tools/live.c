// SPDX-License-Identifier: GPL-2.0-only
/*
 * One live device that is worked on. See live.h.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "escape.h"
#include "live.h"
#include "report.h"
#include "units.h"

int live_find(struct live *live, const char *operand)
{
	struct dmdev_lines lines;
	unsigned int ours = 0;
	size_t i;
	int r;

	*live = (struct live){ .sectors = 0 };
	r = dmdev_find(&live->dev, operand);
	if (r)
		return r;
	r = dmdev_table(&live->dev, &lines);
	if (r) {
		live_free(live);
		return r;
	}
	for (i = 0; i < lines.nr; i++) {
		if (!dmdev_is_ours(lines.line[i].target))
			continue;
		live->start_sectors = lines.line[i].start_sectors;
		live->sectors = lines.line[i].sectors;
		ours++;
	}
	dmdev_lines_free(&lines);
	if (ours == 1)
		return 0;
	live_free(live);
	return ours ? -EMLINK : -ENOTTY;
}

void live_report(const char *operand, int error)
{
	char *shown;

	if (error != -EMLINK) {
		dmdev_report(operand, error);
		return;
	}
	shown = escape_text(operand, strlen(operand));
	report_error("%s has several lines of dm-remap, each with a main and a spare of its own: only dmsetup message SECTOR can tell them apart",
		     shown);
	free(shown);
}

static bool is_mapped_device(const struct stat *stat_buf)
{
	char dir[64];

	if (!S_ISBLK(stat_buf->st_mode))
		return false;
	snprintf(dir, sizeof(dir), "/sys/dev/block/%u:%u/dm", major(stat_buf->st_rdev),
		 minor(stat_buf->st_rdev));
	return !access(dir, F_OK);
}

static void report_neither(const char *operand, int error)
{
	char *shown = escape_text(operand, strlen(operand));

	report_error("cannot find spare %s: %s; nor is it the name of a live device: %s", shown,
		     strerror(ENOENT), dmdev_explain(error));
	free(shown);
}

/*
 *	the operand is			chosen is
 *	a file or block device		that spare
 *	a mapped device of ours		the live device
 *	a mapped device of others	that spare
 *	nothing, without a slash	the live device of that name
 *	anything else			the spare, which the caller will not find
 */
int live_choose(struct live *live, const char *operand, bool *is_live)
{
	struct stat stat_buf;
	bool there = !stat(operand, &stat_buf);
	int r;

	*is_live = false;
	*live = (struct live){ .sectors = 0 };
	if (there ? !is_mapped_device(&stat_buf) : errno != ENOENT || strchr(operand, '/'))
		return 0;
	r = live_find(live, operand);
	*is_live = !r;
	if (!r || (there && r == -ENOTTY))
		return 0;
	if (!there && (r == -ENXIO || r == -ENOPKG || r == -ENOSYS))
		report_neither(operand, r);
	else
		live_report(operand, r);
	return r;
}

static int take_status(struct live *live, const struct dmdev_lines *lines)
{
	size_t i;
	int r;

	for (i = 0; i < lines->nr; i++) {
		if (!dmdev_is_ours(lines->line[i].target))
			continue;
		r = status_line_parse(&live->status, lines->line[i].text);
		if (!r)
			return 0;
		report_error("%s: %s", live->dev.shown, status_line_explain(r));
		return r;
	}
	report_error("%s: %s", live->dev.shown, dmdev_explain(-ENOTTY));
	return -ENOTTY;
}

/* Would it refuse a message? */
static int check_changing(const struct live *live)
{
	int r = 0;

	if (live->dev.suspended || live->status.mode == STATUS_MODE_INACTIVE)
		r = -EBUSY;
	else if (live->status.mode == STATUS_MODE_FAILED)
		r = -EIO;
	else if (live->status.read_only)
		r = -EROFS;
	if (r)
		report_error("%s: %s; nothing was changed", live->dev.shown, dmdev_explain(r));
	return r;
}

int live_refresh(struct live *live, bool changing)
{
	struct dmdev_lines lines;
	int r;

	r = dmdev_status(&live->dev, &lines);
	if (r) {
		dmdev_report(live->dev.name, r);
		return r;
	}
	r = take_status(live, &lines);
	dmdev_lines_free(&lines);
	if (!r && changing)
		r = check_changing(live);
	if (r)
		return r;
	blockdev_path(live->status.main, live->main);
	blockdev_path(live->status.spare, live->spare);
	return 0;
}

bool live_spare_uuid(const struct live *live, u8 uuid[16])
{
	const size_t prefix = strlen(BLOCKDEV_OUR_UUID);

	if (live->status.has_uuid) {
		memcpy(uuid, live->status.uuid, 16);
		return true;
	}
	return !strncmp(live->dev.uuid, BLOCKDEV_OUR_UUID, prefix) &&
	       units_parse_uuid(live->dev.uuid + prefix, uuid);
}

/* "<done>/<total> [<error> [<sector>]]" */
static int parse_answer(const char *text, struct live_answer *answer)
{
	unsigned long long done, total, sector = UINT64_MAX;
	int nr;

	*answer = (struct live_answer){ .sector = UINT64_MAX };
	nr = sscanf(text, "%llu/%llu %15s %llu", &done, &total, answer->error, &sector);
	if (nr < 2 || done > total)
		return -EBADMSG;
	answer->done = done;
	answer->total = total;
	answer->sector = sector;
	return 0;
}

int live_message(const struct live *live, const char *message, struct live_answer *answer)
{
	char *text = NULL;
	int r;

	r = dmdev_message(&live->dev, live->start_sectors, message, &text);
	if (!r && answer)
		r = parse_answer(text, answer);
	free(text);
	return r;
}

const char *live_error_text(const char *error)
{
	static const char *const texts[][2] = {
		{ "ENOSPC", "no slot is free any more" },
		{ "EROFS", "the device is read-only" },
		{ "ENOMEM", "the kernel has no memory" },
		{ "EINTR", "interrupted" },
		{ "ERANGE", "the block reaches past the end of the table, and its slot has data for what is there; load a table that covers it" },
		{ "ENODATA", "there are lost sectors: nobody has their data" },
		{ "EIO", "main or spare did not do it; the kernel log says more (dmesg)" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (!strcmp(texts[i][0], error))
			return texts[i][1];
	return error;
}

void live_free(struct live *live)
{
	dmdev_free(&live->dev);
	*live = (struct live){ .sectors = 0 };
}
