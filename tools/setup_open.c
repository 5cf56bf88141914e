// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup open: bring up the device of a spare. Never formats.
 */
#include "assembly.h"
#include "backup_dir.h"
#include "find_spare.h"
#include "report.h"
#include "setup.h"
#include "setup_rows.h"
#include "table_options.h"

struct open_options {
	struct common_options common;
	struct assembly_options assembly;
	const char *options;
	const char *tab;
};

#define FIELD(member) offsetof(struct open_options, member)

static const struct option_row rows[] = {
	{ .name = "readonly", .kind = OPTION_FLAG, .field = FIELD(assembly.read_only),
	  .help = "write to neither main nor spare" },
	{ .letter = 'o', .name = "options", .kind = OPTION_TEXT, .field = FIELD(options),
	  .argument = "OPTIONS", .help = "options of the device, as in remaptab" },
	{ .name = "adopt", .kind = OPTION_FLAG, .field = FIELD(assembly.adopt),
	  .help = "take over a spare that another host had last" },
	{ .name = "accept-changed-main", .kind = OPTION_FLAG,
	  .field = FIELD(assembly.accept_changed),
	  .help = "go on though main was written to without dm-remap" },
	{ .name = "accept-older-spare", .kind = OPTION_FLAG,
	  .field = FIELD(assembly.accept_older),
	  .help = "go on though a backup knows a later state of SPARE" },
	{ .name = "force-main", .kind = OPTION_FLAG, .field = FIELD(assembly.force_main),
	  .help = "take MAIN though it is not the one on record" },
	ROW_DIRECTORY(FIELD(assembly.backups)),
	ROW_TAB(FIELD(tab)),
};

static const struct operand_row operands[] = {
	{ "NAME", OPTION_TEXT },
	{ "MAIN", OPTION_DEVICE },
	{ "SPARE", OPTION_DEVICE },
};

static const struct tool tool = {
	.name = SETUP_TOOL,
	.verb = "open",
	.summary = "Bring up the device of SPARE, with the main that SPARE is for.",
	.usage = "[--readonly] [-d DIR] [-o OPTIONS] [-T FILE] [NAME] [MAIN] SPARE",
	.details = "Main is found by what SPARE has on record of it. NAME is SPARE's label if it is\n"
		   "left out. What has a / in it is MAIN, not NAME. SPARE may be UUID=..., or a name\n"
		   "alone that remaptab has. Nothing is ever formatted.",
	.example = "remap-setup open archive /dev/sdc1",
	.operands = operands,
	.nr_operands = ARRAY_SIZE(operands),
	.min_operands = 1,
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

static struct open_options open_options = { .assembly.backups = BACKUP_DIR, .tab = REMAPTAB_PATH };

/* Which of the operands is which. */
static void sort_operands(struct open_options *options)
{
	const struct common_options *common = &options->common;

	options->assembly.spare = common->operands[common->nr_operands - 1];
	if (common->nr_operands == 3) {
		options->assembly.name = common->operands[0];
		options->assembly.main = common->operands[1];
	} else if (common->nr_operands == 2) {
		if (strchr(common->operands[0], '/'))
			options->assembly.main = common->operands[0];
		else
			options->assembly.name = common->operands[0];
	}
}

static void show(const struct assembly *assembly)
{
	struct json *json = report_json();

	report_out("/dev/mapper/%s is up%s: main %s, spare %s\n", assembly->name,
		   assembly->line.read_only ? ", read-only" : "", assembly->main.shown,
		   assembly->spare.shown);
	if (!json)
		return;
	json_key_text(json, "name", assembly->name);
	json_key_text(json, "main", assembly->main.path);
	json_key_text(json, "spare", assembly->spare.path);
	json_key_bool(json, "read_only", assembly->line.read_only);
}

/* A name alone is a line of remaptab: as it is brought up at boot, but for what is said here. */
static void take_line(struct open_options *options, const struct remaptab_entry *line)
{
	struct assembly_options *assembly = &options->assembly;

	if (!assembly->name)
		assembly->name = line->name;
	assembly->listed = true;
	if (!assembly->main)
		assembly->main = line->path;
	if (options->options)
		return;
	assembly->features = line->options.features;
	assembly->nr_features = line->options.nr_features;
	assembly->read_only |= line->options.read_only;
}

static int open_device(struct open_options *options)
{
	struct assembly assembly = { .line.sectors = 0 };
	struct spare_operand spare;
	struct blockdev_list list;
	struct spare_search search = {
		.list = &list,
		.tab = options->tab,
		.dir = options->assembly.backups,
	};
	int status;

	if (blockdev_list(&list))
		return STATUS_FAILED;
	status = spare_operand_find(&spare, options->assembly.spare, &search);
	if (!status) {
		if (spare.line)
			take_line(options, spare.line);
		options->assembly.spare = spare.path;
		assembly.options = options->assembly;
		status = assembly_examine(&assembly, &list);
	}
	if (!status)
		status = assembly_start(&assembly);
	if (!status)
		show(&assembly);
	assembly_end(&assembly);
	spare_operand_free(&spare);
	blockdev_list_free(&list);
	return status;
}

static int run(void *opaque)
{
	struct open_options *options = opaque;
	struct table_options words = { .nr_features = 0 };
	char *wrong;
	int status;

	sort_operands(options);
	if (options->options) {
		wrong = table_options_parse(&words, options->options);
		if (wrong) {
			status = options_misused(&tool, "-o: %s", wrong);
			free(wrong);
			return status;
		}
	}
	options->assembly.features = words.features;
	options->assembly.nr_features = words.nr_features;
	options->assembly.read_only |= words.read_only;
	return report_finish(open_device(options));
}

const struct verb setup_open = {
	.tool = &tool,
	.help = "bring up the device of a spare",
	.options = &open_options,
	.run = run,
};
