// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup create: a new spare for a main that holds data, and the device of both.
 *
 * Everything that can be refused is, before the first write. What the kernel refuses only then costs
 * nothing either: what was overwritten on the spare is put back.
 */
#include <sys/sysmacros.h>

#include "assembly.h"
#include "confirm.h"
#include "dm.h"
#include "escape.h"
#include "keep.h"
#include "make_spare.h"
#include "other_spares.h"
#include "remaptab.h"
#include "setup.h"
#include "setup_enable.h"
#include "setup_rows.h"
#include "table_options.h"
#include "units.h"

struct create_options {
	struct common_options common;
	struct make_spare_options make;
	const char *options;
	const char *tab;
	bool enable;
	bool yes;
	bool dry_run;
};

#define FIELD(member) offsetof(struct create_options, member)

static const struct option_row rows[] = {
	{ .letter = 'b', .name = "block-size", .kind = OPTION_SIZE,
	  .field = FIELD(make.block_bytes), .argument = "BYTES", .min = 512, .max = 8192,
	  .help = "remap unit, 512 to 8192 bytes (default 4096)" },
	{ .letter = 'L', .name = "label", .kind = OPTION_TEXT, .field = FIELD(make.label),
	  .argument = "LABEL", .help = "of the spare, up to 32 bytes (default NAME)" },
	{ .letter = 'o', .name = "options", .kind = OPTION_TEXT, .field = FIELD(options),
	  .argument = "OPTIONS", .help = "options of the device, as in remaptab" },
	{ .letter = 'f', .name = "force", .kind = OPTION_FLAG, .field = FIELD(make.force),
	  .help = "overwrite a filesystem, volume or partition table" },
	ROW_LARGE_SPARE(FIELD(make.large_spare)),
	{ .letter = 'e', .name = "enable", .kind = OPTION_FLAG, .field = FIELD(enable),
	  .help = "put it into remaptab, so that it comes up by itself" },
	ROW_TAB(FIELD(tab)),
	ROW_YES(FIELD(yes)),
	ROW_DRY_RUN(FIELD(dry_run)),
};

static const struct operand_row operands[] = {
	{ "NAME", OPTION_TEXT },
	{ "MAIN", OPTION_DEVICE },
	{ "SPARE", OPTION_DEVICE },
};

static const struct tool tool = {
	.name = SETUP_TOOL,
	.verb = "create",
	.summary = "Make SPARE a spare for MAIN, and bring up device NAME of both.",
	.usage = "[-b BYTES] [-L LABEL] [-o OPTIONS] [-f] [-e] [-y|-n] NAME MAIN SPARE",
	.details = "MAIN keeps what it holds, but must not be in use; from then on only\n"
		   "/dev/mapper/NAME is used. What is on SPARE is lost. On a terminal it shows both\n"
		   "and asks first. If the device cannot be brought up, SPARE is as it was before.",
	.example = "remap-setup create archive /dev/sdb /dev/sdc1",
	.operands = operands,
	.nr_operands = ARRAY_SIZE(operands),
	.min_operands = ARRAY_SIZE(operands),
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

static struct create_options create_options = {
	.make.block_bytes = MAKE_SPARE_BLOCK_BYTES,
	.tab = REMAPTAB_PATH,
};

/* What the next step needs of the device once its files are closed. */
struct new_device {
	const char *name;
	u8 uuid[16];
	struct identity main;
	char params[300];
	struct dm_line line;
};

static int check_devices(const struct make_spare *make)
{
	const struct device *devices[] = { &make->main, &make->spare };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(devices); i++) {
		if (devices[i]->is_block)
			continue;
		report_error("%s is an image file; losetup -f --show %s makes a block device of it",
			     devices[i]->shown, devices[i]->shown);
		return STATUS_FAILED;
	}
	return assembly_refuse_used(&make->main, "main",
				    "; unmount it, or stop what has it: it is the mapped device that is used from then on");
}

/* "  /dev/sdb: ACME disk, serial X, 1 TiB, holds an ext4 filesystem" */
static void show_disk(const struct device *dev, const char *fate)
{
	char *model = blockdev_model(dev->stat.st_rdev), *id, *holds, size[UNITS_TEXT];
	struct identity identity;

	identity_get(dev, &identity);
	id = escape_text(identity.id, strlen(identity.id));
	holds = signature_find(dev, NULL);
	report_out("%-18s  %s%s%s%s%s, %s; %s\n", dev->shown,
		   units_size(dev->sectors * 512, size), *model ? ", " : "", model,
		   *id ? ", id " : "", id, holds ? holds : "no known signature", fate);
	free(holds);
	free(id);
	free(model);
}

static void describe(struct new_device *new, const struct make_spare *make,
		     const struct table_options *words)
{
	char count[16] = "";

	if (words->nr_features)
		snprintf(count, sizeof(count), " %u ", words->nr_features);
	memcpy(new->uuid, make->params.uuid, sizeof(new->uuid));
	new->main = make->identity;
	snprintf(new->params, sizeof(new->params), "%u:%u %u:%u%s%s",
		 major(make->main.stat.st_rdev), minor(make->main.stat.st_rdev),
		 major(make->spare.stat.st_rdev), minor(make->spare.stat.st_rdev), count,
		 words->features);
	new->line = (struct dm_line){
		.sectors = make->main.sectors,
		.target = DMDEV_TARGET,
		.params = new->params,
	};
}

static void take_back(struct keep *keep, struct device *spare)
{
	if (!keep_restore(keep, spare))
		report_error("%s is as it was before", spare->shown);
}

/*
 * The kernel did not want it: put back what was on the spare. @number, not the path that was given:
 * that may be a link by what the spare held, and be gone by now, or lead to another device.
 */
static void open_and_take_back(struct keep *keep, dev_t number)
{
	char path[BLOCKDEV_PATH];
	struct device spare;
	int r;

	r = device_open(&spare, blockdev_path(number, path), DEVICE_WRITE, "spare");
	if (!r && spare.stat.st_rdev == number)
		take_back(keep, &spare);
	else
		report_error("what was on the spare %s could not be put back: it is an empty spare now",
			     path);
	device_close(&spare);
}

/* Device mapper wants the spare for itself, so it is closed before the device is made. */
static int do_create(struct new_device *new, struct make_spare *make)
{
	dev_t number = make->spare.stat.st_rdev;
	struct keep keep;
	int status;

	keep_start(&keep, &make->spare);
	status = make_spare_write(make);
	if (status)
		take_back(&keep, &make->spare);
	make_spare_close(make);
	if (!status) {
		status = assembly_create(new->name, new->uuid, &new->line);
		if (status)
			open_and_take_back(&keep, number);
	}
	keep_free(&keep);
	return status;
}

static int prepare(struct make_spare *make, const char *name, const char *tab)
{
	int status;

	status = assembly_check_target();
	if (!status)
		status = assembly_check_name(name);
	if (!status)
		status = make_spare_prepare(make);
	if (!status)
		status = check_devices(make);
	if (!status)
		status = listed_spare_refuse(&make->main, &make->identity, NULL, tab);
	if (!status)
		status = other_spares_refuse(&make->main, &make->identity, make->spare.stat.st_rdev, NULL,
					     tab);
	return status;
}

static int create(const struct create_options *options, const struct table_options *words)
{
	struct new_device new = { .name = options->common.operands[0] };
	struct make_spare make = { .options = options->make };
	struct json *json = report_json();
	char *main;
	int status;

	status = prepare(&make, new.name, options->tab);
	if (!status) {
		make_spare_show(&make);
		show_disk(&make.main, "kept");
		show_disk(&make.spare, "lost");
		if (json)
			make_spare_json(&make, json);
		describe(&new, &make, words);
		if (options->dry_run)
			report_out("dry run: nothing was written\n");
		else if (confirm(options->yes, "Destroy what is on %s", make.spare.shown))
			status = do_create(&new, &make);
		else
			status = STATUS_CANCELLED;
	}
	make_spare_close(&make);
	if (json) {
		json_key_text(json, "name", new.name);
		json_key_bool(json, "written", !status && !options->dry_run);
	}
	if (status || options->dry_run)
		return status;
	main = escape_text(options->make.main, strlen(options->make.main));
	report_out("/dev/mapper/%s is up; use it instead of %s from now on\n", new.name, main);
	free(main);
	if (options->enable && setup_enable_add(options->tab, new.name, &new.main, new.uuid,
						options->options ? options->options : ""))
		return STATUS_LOOK;
	return STATUS_DONE;
}

static int run(void *opaque)
{
	struct create_options *options = opaque;
	struct table_options words = { .nr_features = 0 };
	char *wrong = NULL;
	int status;

	options->make.main = options->common.operands[1];
	options->make.spare = options->common.operands[2];
	if (!options->make.label && strlen(options->common.operands[0]) <= 32)
		options->make.label = options->common.operands[0];
	wrong = make_spare_check_options(&options->make);
	if (!wrong && options->options)
		wrong = table_options_parse(&words, options->options);
	if (!wrong && words.read_only)
		wrong = strdup("-o: a new device cannot be readonly: its spare has to be written");
	if (wrong) {
		status = options_misused(&tool, "%s", wrong);
		free(wrong);
		return status;
	}
	return report_finish(create(options, &words));
}

const struct verb setup_create = {
	.tool = &tool,
	.help = "make a spare for a main, and bring up the device of both",
	.options = &create_options,
	.run = run,
};
