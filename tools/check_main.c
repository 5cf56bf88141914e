// SPDX-License-Identifier: GPL-2.0-only
/*
 * The comparison of main with what its spare says of it.
 */
#include "check_main.h"
#include "main_print.h"
#include "report.h"
#include "units.h"

int main_check_open(struct main_check *main, const char *path, const struct device *spare)
{
	if (device_open(&main->dev, path, DEVICE_READ, "main"))
		return STATUS_FAILED;
	if (device_is_at(spare, path)) {
		report_error("main and spare are one device: %s", main->dev.shown);
		return STATUS_FAILED;
	}
	identity_get(&main->dev, &main->identity);
	return STATUS_DONE;
}

/* A line of the report, and a warning for whoever does not see it. */
__attribute__((format(printf, 2, 3)))
static void say_differs(struct main_check *main, const char *fmt, ...)
{
	const char *paint = report_paint(stdout, COLOR_BAD);
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = report_format_va(fmt, ap);
	va_end(ap);
	report_out("  %s%s%s\n", paint, text, *paint ? report_paint(stdout, COLOR_NONE) : "");
	if (!report_is_text())
		report_warn("%s: %s", main->dev.shown, text);
	free(text);
	main->mismatches++;
}

static void compare_length(struct main_check *main, const struct rmeta_superblock *sb)
{
	char size[UNITS_TEXT];

	units_size(sb->main_sectors * 512, size);
	main->length = identity_fits(main->dev.sectors, identity_compare(&main->identity, sb), sb) ?
		       MAIN_SAME : MAIN_DIFFERS;
	if (main->length == MAIN_SAME && main->dev.sectors > sb->main_sectors)
		report_out("  length: %llu sectors, of which the first %llu are used (%s)\n",
			   (unsigned long long)main->dev.sectors,
			   (unsigned long long)sb->main_sectors, size);
	else if (main->length == MAIN_SAME)
		report_out("  length: %llu sectors (%s), as the spare says\n",
			   (unsigned long long)sb->main_sectors, size);
	else
		say_differs(main, "length: %llu sectors, but the spare is for a main of %llu (%s)",
			    (unsigned long long)main->dev.sectors,
			    (unsigned long long)sb->main_sectors, size);
}

static void compare_identity(struct main_check *main, const struct rmeta_superblock *sb)
{
	enum identity_verdict verdict = identity_compare(&main->identity, sb);
	char *difference;

	if (verdict == IDENTITY_UNKNOWN) {
		report_out("  identity: %s\n", identity_on_record(sb) ?
			   "this main has none to compare" : "none is on record on the spare");
		return;
	}
	main->same = verdict == IDENTITY_SAME ? MAIN_SAME : MAIN_DIFFERS;
	if (verdict == IDENTITY_SAME) {
		report_out("  identity: as the spare says\n");
		return;
	}
	difference = identity_difference(&main->identity, sb, verdict);
	say_differs(main, "identity: %s", difference);
	free(difference);
}

static void compare_print(struct main_check *main, const struct rmeta_check *check)
{
	const struct rmeta_superblock *sb = &check->sb;
	u32 print[2];
	int r;

	if (check->was_in_use) {
		report_out("  contents: the spare was not released, or is in use: whether main changed meanwhile cannot be told\n");
		return;
	}
	if (!(sb->state & RMETA_PRINT_VALID) || main->length != MAIN_SAME) {
		report_out("  contents: %s\n", main->length != MAIN_SAME ?
			   "not compared with those at the last release" :
			   "no checksum of them was left at the last release");
		return;
	}
	r = main_print_read(&main->dev, sb->main_sectors, print);
	if (r) {
		report_out("  contents: cannot be compared: first or last MiB: %s\n", strerror(-r));
		return;
	}
	main->print = print[0] == sb->main_print[0] && print[1] == sb->main_print[1] ?
		      MAIN_SAME : MAIN_DIFFERS;
	if (main->print == MAIN_SAME) {
		report_out("  contents: first and last MiB are as they were at the last release\n");
		return;
	}
	main->stale_blocks = check->stored_blocks;
	say_differs(main, "main changed while dm-remap was not in use; %u block%s may be stale",
		    main->stale_blocks, units_s(main->stale_blocks));
}

void main_check_compare(struct main_check *main, const struct rmeta_check *check)
{
	compare_length(main, &check->sb);
	compare_identity(main, &check->sb);
	compare_print(main, check);
}

void main_check_json(const struct main_check *main, struct json *json)
{
	static const char *const answers[] = {
		[MAIN_UNKNOWN] = "unknown", [MAIN_SAME] = "same", [MAIN_DIFFERS] = "differs",
	};

	json_key(json, "main");
	json_map(json);
	json_key_text(json, "path", main->path);
	json_key_number(json, "sectors", main->dev.sectors);
	json_key_text(json, "length", answers[main->length]);
	json_key_text(json, "identity", answers[main->same]);
	json_key_text(json, "contents", answers[main->print]);
	json_key_number(json, "stale_blocks", main->stale_blocks);
	json_map_end(json);
}

void main_check_close(struct main_check *main)
{
	device_close(&main->dev);
}
