// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup list: the live devices, and what they are made of. Reads tables only, so that a
 * device that answers nothing any more is listed like any other.
 */
#include "blockdev.h"
#include "dm.h"
#include "escape.h"
#include "setup.h"
#include "units.h"

#define PARAM_BYTES 64

static struct common_options options;

static const struct tool tool = {
	.name = SETUP_TOOL,
	.verb = "list",
	.summary = "List the live devices of dm-remap: main and spare, length, how often each is open.",
	.usage = "[--json]",
	.details = "What state they are in says remap-status.",
	.example = "remap-setup list",
};

/* Main and spare of a line, as paths; as the table has them where it has no numbers. */
static void get_paths(const struct dmdev_line *line, char *main, char *spare)
{
	char words[2][PARAM_BYTES] = { "?", "?" }, *out[] = { main, spare };
	unsigned int i;
	dev_t number;

	sscanf(line->text, "%63s %63s", words[0], words[1]);
	for (i = 0; i < 2; i++) {
		if (blockdev_parse(words[i], &number))
			blockdev_path(number, out[i]);
		else
			snprintf(out[i], BLOCKDEV_PATH, "%s", words[i]);
	}
}

static void show_line(const struct dmdev *dev, const struct dmdev_line *line, struct json *json)
{
	char main[BLOCKDEV_PATH], spare[BLOCKDEV_PATH], size[UNITS_TEXT];

	get_paths(line, main, spare);
	report_out("%-16s %10s  %-20s %-20s %5u  %s%s\n", dev->shown,
		   units_size(line->sectors * 512, size), main, spare, dev->open_count,
		   dev->read_only ? "ro" : "rw", dev->suspended ? ", suspended" : "");
	if (!json)
		return;
	json_map(json);
	json_key_text(json, "name", dev->name);
	json_key_text(json, "dm_uuid", dev->uuid);
	json_key_number(json, "major", dev->major);
	json_key_number(json, "minor", dev->minor);
	json_key_number(json, "start_sector", line->start_sectors);
	json_key_number(json, "sectors", line->sectors);
	json_key_text(json, "main", main);
	json_key_text(json, "spare", spare);
	json_key_number(json, "open_count", dev->open_count);
	json_key_bool(json, "read_only", dev->read_only);
	json_key_bool(json, "suspended", dev->suspended);
	json_map_end(json);
}

static void show_device(struct dmdev *dev, struct json *json)
{
	struct dmdev_lines lines;
	size_t i;

	if (dmdev_table(dev, &lines))
		return;	/* it went away since it was listed */
	for (i = 0; i < lines.nr; i++)
		if (dmdev_is_ours(lines.line[i].target))
			show_line(dev, &lines.line[i], json);
	dmdev_lines_free(&lines);
}

static int run(void *unused)
{
	struct json *json = report_json();
	struct dmdev_list list;
	size_t i;
	int r;

	r = dmdev_list(&list);
	if (r) {
		dmdev_report(NULL, r);
		return report_finish(STATUS_FAILED);
	}
	if (list.nr)
		report_out("%-16s %10s  %-20s %-20s %5s\n", "NAME", "SIZE", "MAIN", "SPARE", "OPEN");
	else
		report_info("there are no live devices of dm-remap");
	if (json) {
		json_key(json, "devices");
		json_array(json);
	}
	for (i = 0; i < list.nr; i++)
		show_device(&list.dev[i], json);
	if (json)
		json_array_end(json);
	dmdev_list_free(&list);
	return report_finish(STATUS_DONE);
}

const struct verb setup_list = {
	.tool = &tool,
	.help = "list live devices",
	.options = &options,
	.run = run,
};
