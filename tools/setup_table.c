// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup table: the table of a live device, or the one that open would load.
 */
#include "assembly.h"
#include "dm.h"
#include "setup.h"

static struct common_options table_options;

static const struct operand_row operands[] = {
	{ "NAME|SPARE", OPTION_DEVICE },
};

static const struct tool tool = {
	.name = SETUP_TOOL,
	.verb = "table",
	.summary = "Print the table of device NAME, or the one that SPARE would be opened with.",
	.usage = "NAME|SPARE",
	.details = "As dmsetup create takes it. What open would refuse has no table.",
	.example = "remap-setup table /dev/sdc1",
	.operands = operands,
	.nr_operands = ARRAY_SIZE(operands),
	.min_operands = ARRAY_SIZE(operands),
};

static void show(u64 start, u64 sectors, const char *target, const char *params)
{
	struct json *json = report_json();

	report_out("%llu %llu %s %s\n", (unsigned long long)start, (unsigned long long)sectors, target,
		   params);
	if (!json)
		return;
	json_map(json);
	json_key_number(json, "start_sector", start);
	json_key_number(json, "sectors", sectors);
	json_key_text(json, "target", target);
	json_key_text(json, "params", params);
	json_map_end(json);
}

static int show_live(struct dmdev *dev)
{
	struct dmdev_lines lines;
	size_t i;
	int r;

	r = dmdev_table(dev, &lines);
	if (r) {
		dmdev_report(dev->name, r);
		return STATUS_FAILED;
	}
	for (i = 0; i < lines.nr; i++)
		show(lines.line[i].start_sectors, lines.line[i].sectors, lines.line[i].target,
		     lines.line[i].text);
	dmdev_lines_free(&lines);
	return STATUS_DONE;
}

static int show_spare(const char *path)
{
	struct assembly assembly = { .options = { .spare = path, .features = "" } };
	struct blockdev_list list;
	int status;

	if (blockdev_list(&list))
		return STATUS_FAILED;
	status = assembly_examine(&assembly, &list);
	if (!status)
		show(0, assembly.line.sectors, assembly.line.target, assembly.line.params);
	assembly_end(&assembly);
	blockdev_list_free(&list);
	return status;
}

static int run(void *opaque)
{
	const char *operand = ((struct common_options *)opaque)->operands[0];
	struct json *json = report_json();
	struct dmdev dev;
	int status, r;

	if (json) {
		json_key(json, "table");
		json_array(json);
	}
	r = dmdev_find(&dev, operand);
	if (!r) {
		status = show_live(&dev);
		dmdev_free(&dev);
	} else if (strchr(operand, '/')) {
		status = show_spare(operand);
	} else {
		dmdev_report(operand, r);
		status = STATUS_FAILED;
	}
	if (json)
		json_array_end(json);
	return report_finish(status);
}

const struct verb setup_table = {
	.tool = &tool,
	.help = "print the table of a device, or of a spare",
	.options = &table_options,
	.run = run,
};
