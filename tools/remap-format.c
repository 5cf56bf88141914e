// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-format: make a device or an image file a spare. The command line; make_spare.c does it.
 */
#include "make_spare.h"
#include "options.h"

struct format_options {
	struct common_options common;
	struct make_spare_options make;
	bool dry_run;
};

#define FIELD(member) offsetof(struct format_options, member)

static const struct option_row rows[] = {
	{ .name = "main", .kind = OPTION_DEVICE, .field = FIELD(make.main), .argument = "DEV",
	  .help = "the device the spare is for; only read" },
	{ .name = "main-size", .kind = OPTION_SIZE, .field = FIELD(make.main_size_bytes),
	  .argument = "SIZE", .min = 512, .help = "its size, where it is not at hand" },
	{ .letter = 'b', .name = "block-size", .kind = OPTION_SIZE, .field = FIELD(make.block_bytes),
	  .argument = "BYTES", .min = 512, .max = 8192,
	  .help = "remap unit, 512 to 8192 bytes (default 4096)" },
	{ .letter = 'L', .name = "label", .kind = OPTION_TEXT, .field = FIELD(make.label),
	  .argument = "LABEL", .help = "name to recognise the spare by, up to 32 bytes" },
	{ .letter = 'f', .name = "force", .kind = OPTION_FLAG, .field = FIELD(make.force),
	  .help = "overwrite a filesystem, volume or partition table" },
	{ .name = "allow-large-spare", .kind = OPTION_FLAG, .field = FIELD(make.large_spare),
	  .help = "accept a spare larger than main" },
	{ .letter = 'n', .name = "dry-run", .kind = OPTION_FLAG, .field = FIELD(dry_run),
	  .help = "check and show the plan, write nothing" },
};

static const struct tool tool = {
	.name = "remap-format",
	.summary = "Make SPARE a spare for the bad blocks of another device.",
	.usage = "--main DEV|--main-size SIZE [-b BYTES] [-L LABEL] [-f] [-n] [-z FILE] SPARE",
	.details = "What is on SPARE is lost. A spare that holds remaps is never overwritten, "
		   "nor a device\nthat is in use; --force does not change that.",
	.example = "remap-format --main /dev/sdb -L archive /dev/sdc1",
	.operand = "SPARE",
	.operand_kind = OPTION_DEVICE,
	.undo = true,
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

/* What can be said of the command line alone. Return: -1, or the exit status. */
static int check_options(const struct make_spare_options *options)
{
	char *wrong;
	int status;

	if (!options->main && !options->main_size_bytes)
		return options_misused(&tool, "one of --main and --main-size is needed");
	if (options->main && options->main_size_bytes)
		return options_misused(&tool, "--main and --main-size exclude each other");
	if (options->main_size_bytes % 512)
		return options_misused(&tool,
				       "--main-size: %llu bytes is not a whole number of 512-byte sectors",
				       (unsigned long long)options->main_size_bytes);
	wrong = make_spare_check_options(options);
	if (!wrong)
		return -1;
	status = options_misused(&tool, "%s", wrong);
	free(wrong);
	return status;
}

static int run(struct make_spare *make, bool dry_run)
{
	struct json *json;
	int status;

	status = make_spare_prepare(make);
	if (status)
		return status;
	make_spare_show(make);
	if (dry_run)
		report_out("dry run: nothing was written\n");
	else
		status = make_spare_write(make);
	json = report_json();
	if (json) {
		make_spare_json(make, json);
		json_key_bool(json, "written", !dry_run && !status);
	}
	return status;
}

int main(int argc, char **argv)
{
	struct format_options options = { .make.block_bytes = MAKE_SPARE_BLOCK_BYTES };
	struct make_spare make;
	int status;

	status = options_parse(&tool, &options, argc, argv);
	if (status >= 0)
		return status;
	options.make.spare = options.common.operand;
	status = check_options(&options.make);
	if (status >= 0)
		return status;
	make = (struct make_spare){ .options = options.make };
	status = run(&make, options.dry_run);
	make_spare_close(&make);
	return report_finish(status);
}
