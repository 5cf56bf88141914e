// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making a spare. Decides whether what is there may be overwritten; the engine writes. main is
 * only looked at: its length and how to recognise it.
 */
#include "escape.h"
#include "make_spare.h"
#include "report.h"
#include "units.h"

#define LABEL_BYTES 32

char *make_spare_check_options(const struct make_spare_options *options)
{
	const char *p;

	if (options->block_bytes & (options->block_bytes - 1))
		return report_format("-b: %llu bytes is not a power of two (512, 1024, 2048, 4096, 8192)",
				 (unsigned long long)options->block_bytes);
	if (!options->label)
		return NULL;
	if (strlen(options->label) > LABEL_BYTES)
		return report_format("-L: the label has %zu bytes; at most %d fit",
				 strlen(options->label), LABEL_BYTES);
	for (p = options->label; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return report_format("-L: the label has a control character");
	return NULL;
}

static int open_devices(struct make_spare *make)
{
	const struct make_spare_options *options = &make->options;

	if (options->main) {
		if (device_open(&make->main, options->main, DEVICE_READ, "main"))
			return STATUS_FAILED;
		if (device_is_at(&make->main, options->spare)) {
			report_error("main and spare are one device: %s", make->main.shown);
			return STATUS_FAILED;
		}
		identity_get(&make->main, &make->identity);
	}
	if (device_open(&make->spare, options->spare, DEVICE_WRITE, "spare"))
		return STATUS_FAILED;
	if (options->main && identity_same_disk(&make->main, &make->spare))
		report_warn("%s and %s are on one disk: they will fail together",
			    make->main.shown, make->spare.shown);
	return STATUS_DONE;
}

static int check_block_sizes(const struct make_spare *make)
{
	u32 block_bytes = (u32)make->options.block_bytes;
	const struct device *main = &make->main, *spare = &make->spare;

	if (block_bytes < spare->logical_bytes) {
		report_error("%s has logical blocks of %u bytes; the remap unit (-b) must not be smaller",
			     spare->shown, spare->logical_bytes);
		return STATUS_FAILED;
	}
	if (!make->options.main)
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

static int lay_out(struct make_spare *make)
{
	struct rmeta_format_params *params = &make->params;
	char size[UNITS_TEXT], other[UNITS_TEXT];
	int r, status;

	status = check_block_sizes(make);
	if (status)
		return status;
	params->spare_sectors = make->spare.sectors;
	params->main_sectors = make->options.main ? make->main.sectors :
						    make->options.main_size_bytes / 512;
	params->block_shift = (u8)__builtin_ctzll(make->options.block_bytes / 512);
	r = rmeta_geometry_init(&make->geo, params->spare_sectors, params->main_sectors,
				params->block_shift);
	units_size(params->spare_sectors * 512, size);
	if (r == -ENOSPC) {
		report_error("%s is too small to be a spare: %s; at least %s is needed",
			     make->spare.shown, size,
			     units_size(RMETA_MIN_SPARE_SECTORS * 512, other));
		return STATUS_FAILED;
	}
	if (r) {
		report_error("main has too many blocks of %llu bytes: at most 2^48 can be addressed",
			     (unsigned long long)make->options.block_bytes);
		return STATUS_FAILED;
	}
	units_size(params->main_sectors * 512, other);
	if (params->spare_sectors > params->main_sectors && !make->options.large_spare) {
		report_error("the spare %s (%s) is larger than main (%s): are the two swapped? (--allow-large-spare if not)",
			     make->spare.shown, size, other);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

/* May what is on the device be overwritten? */
static int check_contents(struct make_spare *make)
{
	const char *name = make->spare.shown;
	struct spare_survey survey;
	char *foreign;
	int status = STATUS_FAILED;

	if (spare_survey(&survey, &make->spare))
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
	foreign = signature_find(&make->spare, NULL);
	if (!foreign)
		return STATUS_DONE;
	if (make->options.force) {
		report_info("%s holds a signature that --force erases: %s", name, foreign);
	} else {
		report_error("%s holds something else: %s; nothing was changed (--force overwrites it)",
			     name, foreign);
		status = STATUS_FAILED;
	}
	free(foreign);
	return status;
}

int make_spare_prepare(struct make_spare *make)
{
	struct rmeta_format_params *params = &make->params;
	int status;

	status = open_devices(make);
	if (!status)
		status = lay_out(make);
	if (!status)
		status = check_contents(make);
	if (status)
		return status;
	spare_new_uuid(params->uuid);
	params->label = make->options.label;
	params->main_id = make->identity.id;
	params->main_partuuid = make->identity.partuuid;
	params->main_start = make->identity.start_sectors;
	return STATUS_DONE;
}

void make_spare_show(const struct make_spare *make)
{
	const struct rmeta_format_params *params = &make->params;
	const char *main_name = make->options.main ? make->main.shown : "given by size";
	char size[UNITS_TEXT], uuid[40], *text;
	u32 slots = rmeta_slots(&make->geo);

	report_out("spare       %s, %s\n", make->spare.shown,
		   units_size(params->spare_sectors * 512, size));
	report_out("main        %s, %s\n", main_name, units_size(params->main_sectors * 512, size));
	if (*make->identity.id) {
		text = escape_text(make->identity.id, strlen(make->identity.id));
		report_out("main's id   %s\n", text);
		free(text);
	}
	if (params->label) {
		text = escape_text(params->label, strlen(params->label));
		report_out("label       %s\n", text);
		free(text);
	}
	report_out("uuid        %s\n", units_uuid(params->uuid, uuid));
	report_out("block size  %llu bytes\n", (unsigned long long)make->options.block_bytes);
	report_out("slots       %u, %s of bad blocks\n", slots,
		   units_size((u64)slots * make->options.block_bytes, size));
}

void make_spare_json(const struct make_spare *make, struct json *json)
{
	const struct rmeta_format_params *params = &make->params;
	char uuid[40];

	json_key_text(json, "spare", make->spare.path);
	json_key_text(json, "main", make->options.main);
	json_key_text(json, "uuid", units_uuid(params->uuid, uuid));
	json_key_text(json, "label", params->label ? params->label : "");
	json_key_number(json, "block_sectors", 1U << params->block_shift);
	json_key_number(json, "main_sectors", params->main_sectors);
	json_key_number(json, "spare_sectors", params->spare_sectors);
	json_key_text(json, "main_id", make->identity.id);
	json_key_number(json, "main_start", params->main_start);
	json_key_number(json, "slots", rmeta_slots(&make->geo));
}

int make_spare_write(struct make_spare *make)
{
	struct rmeta_format_params *params = &make->params;
	int r;

	if (make->options.force && signature_wipe(&make->spare))
		return STATUS_FAILED;
	params->now = rmeta_file_ops.now(NULL);
	r = rmeta_format(&rmeta_file_ops, &make->spare.host, params);
	if (!r)
		return STATUS_DONE;
	report_error("%s could not be formatted: %s%s", make->spare.shown, strerror(-r),
		     r == -EIO ? "; all five superblocks must be writable, try another device" : "");
	return STATUS_FAILED;
}

void make_spare_close(struct make_spare *make)
{
	device_close(&make->main);
	device_close(&make->spare);
}
