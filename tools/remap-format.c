// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-format: make a device or an image file a spare.
 *
 * Decides whether what is there may be overwritten; the engine writes. main is only looked
 * at: its length and how to recognise it.
 */
#include "escape.h"
#include "options.h"
#include "signature.h"
#include "spare.h"
#include "units.h"

#define LABEL_BYTES 32

struct format_options {
	struct common_options common;
	const char *main;
	u64 main_size_bytes;
	u64 block_bytes;
	const char *label;
	bool force;
	bool large_spare;
	bool dry_run;
};

#define FIELD(member) offsetof(struct format_options, member)

static const struct option_row rows[] = {
	{ .name = "main", .kind = OPTION_DEVICE, .field = FIELD(main), .argument = "DEV",
	  .help = "the device the spare is for; only read" },
	{ .name = "main-size", .kind = OPTION_SIZE, .field = FIELD(main_size_bytes),
	  .argument = "SIZE", .min = 512, .help = "its size, where it is not at hand" },
	{ .letter = 'b', .name = "block-size", .kind = OPTION_SIZE, .field = FIELD(block_bytes),
	  .argument = "BYTES", .min = 512, .max = 8192,
	  .help = "remap unit, 512 to 8192 bytes (default 4096)" },
	{ .letter = 'L', .name = "label", .kind = OPTION_TEXT, .field = FIELD(label),
	  .argument = "LABEL", .help = "name to recognise the spare by, up to 32 bytes" },
	{ .letter = 'f', .name = "force", .kind = OPTION_FLAG, .field = FIELD(force),
	  .help = "overwrite a filesystem, volume or partition table" },
	{ .name = "allow-large-spare", .kind = OPTION_FLAG, .field = FIELD(large_spare),
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

/**
 * struct plan - a format that is being prepared
 * @options: command line
 * @main: open if --main was given
 * @spare: open
 * @identity: of main
 * @params: for the engine
 * @geo: layout that it will have
 */
struct plan {
	struct format_options options;
	struct device main;
	struct device spare;
	struct identity identity;
	struct rmeta_format_params params;
	struct rmeta_geometry geo;
};

/* What can be said of the command line alone. Return: -1, or the exit status. */
static int check_options(const struct format_options *options)
{
	const char *p;

	if (!options->main && !options->main_size_bytes)
		return options_misused(&tool, "one of --main and --main-size is needed");
	if (options->main && options->main_size_bytes)
		return options_misused(&tool, "--main and --main-size exclude each other");
	if (options->main_size_bytes % 512)
		return options_misused(&tool,
				       "--main-size: %llu bytes is not a whole number of 512-byte sectors",
				       (unsigned long long)options->main_size_bytes);
	if (options->block_bytes & (options->block_bytes - 1))
		return options_misused(&tool,
				       "-b: %llu bytes is not a power of two (512, 1024, 2048, 4096, 8192)",
				       (unsigned long long)options->block_bytes);
	if (!options->label)
		return -1;
	if (strlen(options->label) > LABEL_BYTES)
		return options_misused(&tool, "-L: the label has %zu bytes; at most %d fit",
				       strlen(options->label), LABEL_BYTES);
	for (p = options->label; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return options_misused(&tool, "-L: the label has a control character");
	return -1;
}

static int open_devices(struct plan *plan)
{
	struct format_options *options = &plan->options;

	if (options->main) {
		if (device_open(&plan->main, options->main, DEVICE_READ, "main"))
			return STATUS_FAILED;
		if (device_is_at(&plan->main, options->common.operand)) {
			report_error("main and spare are one device: %s", plan->main.shown);
			return STATUS_FAILED;
		}
		identity_get(&plan->main, &plan->identity);
	}
	if (device_open(&plan->spare, options->common.operand, DEVICE_WRITE, "spare"))
		return STATUS_FAILED;
	if (options->main && identity_same_disk(&plan->main, &plan->spare))
		report_warn("%s and %s are on one disk: they will fail together",
			    plan->main.shown, plan->spare.shown);
	return STATUS_DONE;
}

static int check_block_sizes(const struct plan *plan)
{
	u32 block_bytes = (u32)plan->options.block_bytes;
	const struct device *main = &plan->main, *spare = &plan->spare;

	if (block_bytes < spare->logical_bytes) {
		report_error("%s has logical blocks of %u bytes; the remap unit (-b) must not be smaller",
			     spare->shown, spare->logical_bytes);
		return STATUS_FAILED;
	}
	if (!plan->options.main)
		return STATUS_DONE;
	if (block_bytes < main->logical_bytes) {
		report_error("%s has logical blocks of %u bytes; the remap unit (-b) must not be smaller",
			     main->shown, main->logical_bytes);
		return STATUS_FAILED;
	}
	if (spare->logical_bytes > main->logical_bytes) {
		report_error("%s has logical blocks of %u bytes, more than the %u of %s: it cannot stand in for it",
			     spare->shown, spare->logical_bytes, main->logical_bytes, main->shown);
		return STATUS_FAILED;
	}
	if (block_bytes < main->physical_bytes)
		report_warn("%s has physical sectors of %u bytes: with -b %u one bad sector takes several slots",
			    main->shown, main->physical_bytes, block_bytes);
	return STATUS_DONE;
}

static int lay_out(struct plan *plan)
{
	struct rmeta_format_params *params = &plan->params;
	char size[UNITS_TEXT], other[UNITS_TEXT];
	int r, status;

	status = check_block_sizes(plan);
	if (status)
		return status;
	params->spare_sectors = plan->spare.sectors;
	params->main_sectors = plan->options.main ? plan->main.sectors :
						    plan->options.main_size_bytes / 512;
	params->block_shift = (u8)__builtin_ctzll(plan->options.block_bytes / 512);
	r = rmeta_geometry_init(&plan->geo, params->spare_sectors, params->main_sectors,
				params->block_shift);
	units_size(params->spare_sectors * 512, size);
	if (r == -ENOSPC) {
		report_error("%s is too small to be a spare: %s; at least %s is needed",
			     plan->spare.shown, size,
			     units_size(RMETA_MIN_SPARE_SECTORS * 512, other));
		return STATUS_FAILED;
	}
	if (r) {
		report_error("main has too many blocks of %llu bytes: at most 2^48 can be addressed",
			     (unsigned long long)plan->options.block_bytes);
		return STATUS_FAILED;
	}
	units_size(params->main_sectors * 512, other);
	if (params->spare_sectors > params->main_sectors && !plan->options.large_spare) {
		report_error("the spare %s (%s) is larger than main (%s): are the two swapped? (--allow-large-spare if not)",
			     plan->spare.shown, size, other);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

/* May what is on the device be overwritten? */
static int check_contents(struct plan *plan)
{
	const char *name = plan->spare.shown;
	struct spare_survey survey;
	char *foreign;
	int status = STATUS_FAILED;

	if (spare_survey(&survey, &plan->spare))
		return STATUS_FAILED;
	if (survey.kind == SPARE_REMAPS) {
		report_error("%s is a spare of dm-remap, %s%s%s, and holds %u remap%s; it is not overwritten, not even with --force",
			     name, *survey.label ? "labelled \"" : "without a label",
			     survey.label, *survey.label ? "\"" : "", survey.remaps,
			     units_s(survey.remaps));
	} else if (survey.kind == SPARE_BROKEN) {
		report_error("%s is a damaged dm-remap spare that may hold remaps; it is not overwritten (see remap-check -n %s)",
			     name, name);
	} else {
		if (survey.kind == SPARE_EMPTY)
			report_info("%s is a spare without remaps%s; it is formatted again", name,
				    survey.retired ? ", with retired slots" : "");
		status = STATUS_DONE;
	}
	free(survey.label);
	if (status)
		return status;
	foreign = signature_find(&plan->spare, NULL);
	if (!foreign)
		return STATUS_DONE;
	if (plan->options.force) {
		report_info("%s holds a signature that --force erases: %s", name, foreign);
	} else {
		report_error("%s holds something else: %s; nothing was changed (--force overwrites it)",
			     name, foreign);
		status = STATUS_FAILED;
	}
	free(foreign);
	return status;
}

static void show_plan(const struct plan *plan)
{
	const struct rmeta_format_params *params = &plan->params;
	const char *main_name = plan->options.main ? plan->main.shown : "given by size";
	char size[UNITS_TEXT], uuid[40], *text;
	u32 slots = rmeta_slots(&plan->geo);

	report_out("spare       %s, %s\n", plan->spare.shown,
		   units_size(params->spare_sectors * 512, size));
	report_out("main        %s, %s\n", main_name, units_size(params->main_sectors * 512, size));
	if (*plan->identity.id) {
		text = escape_text(plan->identity.id, strlen(plan->identity.id));
		report_out("main's id   %s\n", text);
		free(text);
	}
	if (params->label) {
		text = escape_text(params->label, strlen(params->label));
		report_out("label       %s\n", text);
		free(text);
	}
	report_out("uuid        %s\n", units_uuid(params->uuid, uuid));
	report_out("block size  %llu bytes\n", (unsigned long long)plan->options.block_bytes);
	report_out("slots       %u, %s of bad blocks\n", slots,
		   units_size((u64)slots * plan->options.block_bytes, size));
}

static void write_json(const struct plan *plan, bool written)
{
	const struct rmeta_format_params *params = &plan->params;
	struct json *json = report_json();
	char uuid[40];

	if (!json)
		return;
	json_key_text(json, "spare", plan->spare.path);
	json_key_text(json, "main", plan->options.main);
	json_key_text(json, "uuid", units_uuid(params->uuid, uuid));
	json_key_text(json, "label", params->label ? params->label : "");
	json_key_number(json, "block_sectors", 1U << params->block_shift);
	json_key_number(json, "main_sectors", params->main_sectors);
	json_key_number(json, "spare_sectors", params->spare_sectors);
	json_key_text(json, "main_id", plan->identity.id);
	json_key_number(json, "main_start", params->main_start);
	json_key_number(json, "slots", rmeta_slots(&plan->geo));
	json_key_bool(json, "written", written);
}

static int write_spare(struct plan *plan)
{
	struct rmeta_format_params *params = &plan->params;
	int r;

	if (plan->options.force && signature_wipe(&plan->spare))
		return STATUS_FAILED;
	params->now = rmeta_file_ops.now(NULL);
	r = rmeta_format(&rmeta_file_ops, &plan->spare.host, params);
	if (!r)
		return STATUS_DONE;
	report_error("%s could not be formatted: %s%s", plan->spare.shown, strerror(-r),
		     r == -EIO ? "; all five superblocks must be writable, try another device" : "");
	return STATUS_FAILED;
}

static int run(struct plan *plan)
{
	struct rmeta_format_params *params = &plan->params;
	int status;

	status = open_devices(plan);
	if (!status)
		status = lay_out(plan);
	if (!status)
		status = check_contents(plan);
	if (status)
		return status;
	spare_new_uuid(params->uuid);
	params->label = plan->options.label;
	params->main_id = plan->identity.id;
	params->main_partuuid = plan->identity.partuuid;
	params->main_start = plan->identity.start_sectors;
	show_plan(plan);
	if (plan->options.dry_run) {
		report_out("dry run: nothing was written\n");
		write_json(plan, false);
		return STATUS_DONE;
	}
	status = write_spare(plan);
	write_json(plan, !status);
	return status;
}

int main(int argc, char **argv)
{
	struct plan plan = { .options.block_bytes = 4096 };
	int status;

	status = options_parse(&tool, &plan.options, argc, argv);
	if (status >= 0)
		return status;
	status = check_options(&plan.options);
	if (status >= 0)
		return status;
	status = run(&plan);
	device_close(&plan.main);
	device_close(&plan.spare);
	return report_finish(status);
}
