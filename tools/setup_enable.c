// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup enable and disable: the line of a live device in remaptab, there or not.
 */
#include "blockdev.h"
#include "dm.h"
#include "dm_table.h"
#include "escape.h"
#include "remaptab.h"
#include "remaptab_lock.h"
#include "setup.h"
#include "setup_advice.h"
#include "setup_enable.h"
#include "setup_rows.h"
#include "spare.h"

struct enable_options {
	struct common_options common;
	const char *tab;
	const char *options;
};

#define FIELD(member) offsetof(struct enable_options, member)

static const struct option_row enable_rows[] = {
	{ .letter = 'o', .name = "options", .kind = OPTION_TEXT, .field = FIELD(options),
	  .argument = "OPTIONS", .help = "options of the device, as in remaptab" },
	ROW_TAB(FIELD(tab)),
};

static const struct option_row disable_rows[] = { ROW_TAB(FIELD(tab)) };

static const struct operand_row operands[] = {
	{ "NAME", OPTION_NAME },
};

static const struct tool enable_tool = {
	.name = SETUP_TOOL,
	.verb = "enable",
	.summary = "Put the live device NAME into remaptab, so that it comes up by itself.",
	.usage = "[-o OPTIONS] NAME",
	.details = "",
	.example = "remap-setup enable archive",
	.operands = operands,
	.nr_operands = ARRAY_SIZE(operands),
	.min_operands = ARRAY_SIZE(operands),
	.rows = enable_rows,
	.nr_rows = ARRAY_SIZE(enable_rows),
};

static const struct tool disable_tool = {
	.name = SETUP_TOOL,
	.verb = "disable",
	.summary = "Take NAME out of remaptab; a live device stays as it is.",
	.usage = "NAME",
	.details = "",
	.example = "remap-setup disable archive",
	.operands = operands,
	.nr_operands = ARRAY_SIZE(operands),
	.min_operands = ARRAY_SIZE(operands),
	.rows = disable_rows,
	.nr_rows = ARRAY_SIZE(disable_rows),
};

static struct enable_options enable_options = { .tab = REMAPTAB_PATH };
static struct enable_options disable_options = { .tab = REMAPTAB_PATH };

/* What a live device is made of: of its one line. @name: out: what it is called, to free(). */
static int find_parts(const char *operand, char **name, struct identity *main,
		      struct rmeta_superblock *sb)
{
	char words[2][64], path[2][BLOCKDEV_PATH];
	struct dmdev_lines lines = { .nr = 0 };
	struct rmeta_geometry geo;
	struct device dev[2];
	dev_t number[2];
	struct dmdev live;
	bool found;
	int r, i;

	r = dmdev_find(&live, operand);
	if (!r)
		r = dmdev_table(&live, &lines);
	if (r) {
		dmdev_report(operand, r);
		dmdev_free(&live);
		return STATUS_FAILED;
	}
	*name = strdup(live.name);
	if (!*name)
		report_out_of_memory();
	dmdev_free(&live);
	found = lines.nr == 1 && sscanf(lines.line[0].text, "%63s %63s", words[0], words[1]) == 2 &&
		blockdev_parse(words[0], &number[0]) && blockdev_parse(words[1], &number[1]);
	dmdev_lines_free(&lines);
	if (!found) {
		report_error("the table of this device has more than one line: only devices of one main and one spare are listed");
		return STATUS_FAILED;
	}
	for (i = 0; i < 2; i++) {
		r = device_peek(&dev[i], blockdev_path(number[i], path[i]));
		if (r) {
			report_error("cannot open %s: %s", path[i], strerror(-r));
			if (i)
				device_close(&dev[0]);
			return STATUS_FAILED;
		}
	}
	identity_get(&dev[0], main);
	found = spare_superblock(sb, &geo, &dev[1]);
	if (!found)
		report_error("no superblock on %s can be read", path[1]);
	device_close(&dev[0]);
	device_close(&dev[1]);
	return found ? STATUS_DONE : STATUS_FAILED;
}

int setup_enable_add(const char *path, const char *name, const struct identity *main,
		     const u8 uuid[16], const char *options)
{
	const struct remaptab_entry *same_name, *same_spare, *same_main;
	const char *problem = dm_table_name_problem(name);
	struct remaptab_lock lock;
	struct remaptab tab;
	unsigned int remove = 0;
	int status = STATUS_FAILED;
	char *line, *command;

	if (problem) {
		report_error("the name of the device %s, so it has no place in remaptab (dmsetup rename gives it another)",
			     problem);
		return STATUS_FAILED;
	}
	if (remaptab_lock(&lock, path)) {
		remaptab_unlock(&lock);
		return STATUS_FAILED;
	}
	if (!remaptab_read(&tab, path)) {
		same_name = remaptab_by_name(&tab, name);
		same_spare = remaptab_by_spare(&tab, uuid);
		same_main = remaptab_by_main(&tab, NULL, main);
		if (same_name && same_name != same_spare) {
			report_error("%s:%u: the name %s is that of another spare; nothing was changed",
				     tab.shown, same_name->line, name);
		} else if (same_main && same_main != same_spare) {
			command = remaptab_disable_command(path, same_main->name);
			report_error("%s:%u: main is that of another spare there; nothing was changed (%s takes the line out)",
				     tab.shown, same_main->line, command);
			free(command);
		} else {
			remove = same_spare ? same_spare->line : 0;
			line = remaptab_line(name, main, uuid, options);
			status = remaptab_change(lock.path, remove, line) ? STATUS_FAILED : STATUS_DONE;
			if (!status) {
				report_out("%s: %s", tab.shown, line);
				setup_advice(name);
			}
			if (!status && strstr(line, " - "))
				report_warn("main has neither an id nor a PARTUUID: while %s is down nothing hides it (a path of main that lasts, as in /dev/disk/by-id, may stand there instead of -)",
					    name);
			free(line);
		}
	}
	remaptab_free(&tab);
	remaptab_unlock(&lock);
	return status;
}

static int run_enable(void *opaque)
{
	struct enable_options *options = opaque;
	struct rmeta_superblock sb;
	struct table_options words;
	struct identity main;
	char *wrong = NULL, *name = NULL;
	int status;

	if (options->options)
		wrong = table_options_parse(&words, options->options);
	if (wrong) {
		status = options_misused(&enable_tool, "-o: %s", wrong);
		free(wrong);
		return status;
	}
	status = find_parts(options->common.operands[0], &name, &main, &sb);
	if (!status)
		status = setup_enable_add(options->tab, name, &main, sb.uuid,
					  options->options ? options->options : "");
	free(name);
	return report_finish(status);
}

static int run_disable(void *opaque)
{
	struct enable_options *options = opaque;
	const struct remaptab_entry *entry;
	int status = STATUS_FAILED;
	struct remaptab_lock lock;
	struct remaptab tab = { .shown = NULL };

	if (!remaptab_lock(&lock, options->tab) && !remaptab_read(&tab, options->tab)) {
		entry = remaptab_need(&tab, options->common.operands[0]);
		if (entry && !remaptab_change(lock.path, entry->line, NULL))
			status = STATUS_DONE;
	}
	remaptab_free(&tab);
	remaptab_unlock(&lock);
	return report_finish(status);
}

const struct verb setup_enable = {
	.tool = &enable_tool,
	.help = "put a device into remaptab",
	.options = &enable_options,
	.run = run_enable,
};

const struct verb setup_disable = {
	.tool = &disable_tool,
	.help = "take a device out of remaptab",
	.options = &disable_options,
	.run = run_disable,
};
