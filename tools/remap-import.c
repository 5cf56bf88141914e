// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-import: give every block of a list of bad blocks a slot of a spare, with its sectors
 * pending: their data is on main still, as far as main can read it.
 *
 * Reads the list without holding the spare, so that a badblocks run of hours can be at the
 * other end of a pipe. Then plans, and applies the plan only if all of it fits.
 */
#include <fcntl.h>
#include <unistd.h>

#include "escape.h"
#include "list.h"
#include "options.h"
#include "progress.h"
#include "signature.h"
#include "spare.h"
#include "units.h"

#define BADBLOCKS_BYTES 1024	/* unit of badblocks(8) without -b */
#define REJECTED_SHOWN 20	/* without --verbose */
#define LINE_SHOWN 40		/* bytes of a rejected line */
#define BATCH_CLAIMS 16192	/* 64 pages of the table */

static const char *const type_choices[] = { "badblocks", NULL };

struct import_options {
	struct common_options common;
	int type;
	u64 unit_bytes;
	const char *from;
	bool strict;
	bool dry_run;
};

#define FIELD(member) offsetof(struct import_options, member)

static const struct option_row rows[] = {
	{ .letter = 't', .name = "type", .kind = OPTION_CHOICE, .field = FIELD(type),
	  .argument = "TYPE", .choices = type_choices, .help = "what the list is" },
	{ .letter = 'b', .name = "block-size", .kind = OPTION_SIZE, .field = FIELD(unit_bytes),
	  .argument = "BYTES", .min = 512, .max = 1U << 30,
	  .help = "size of what the list counts (default 1024, as badblocks)" },
	{ .name = "from", .kind = OPTION_FILE, .field = FIELD(from), .argument = "FILE",
	  .help = "read the list from FILE, not from standard input" },
	{ .name = "strict", .kind = OPTION_FLAG, .field = FIELD(strict),
	  .help = "import nothing if any line is rejected" },
	{ .letter = 'n', .name = "dry-run", .kind = OPTION_FLAG, .field = FIELD(dry_run),
	  .help = "show the plan, change nothing" },
};

static const struct tool tool = {
	.name = "remap-import",
	.summary = "Take the bad blocks of a list out of use: TARGET, a spare that is not in use, "
		   "stands in\nfor them from its next activation on.",
	.usage = "[-t TYPE] [-b BYTES] [--from FILE] [--strict] [-n] TARGET",
	.details = "A block that is in the spare already stays as it is: a list may be imported "
		   "again.\nA list that does not fit changes nothing.",
	.example = "badblocks -b 4096 /dev/sdb | remap-import -b 4096 /dev/sdc1",
	.operand = "TARGET",
	.operand_kind = OPTION_DEVICE,
	.undo = true,
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

/**
 * struct import - an import under way
 * @options: command line
 * @dev: the spare
 * @spare: its table
 * @list: the list
 * @list_name: where it comes from, safe to print
 * @uuid: of the spare that the list was read for
 * @present: blocks of the list that have a slot already
 * @wanted: blocks that need one
 * @imported: blocks that got one, durably
 */
struct import {
	struct import_options options;
	struct device dev;
	struct spare_load spare;
	struct list list;
	char *list_name;
	u8 uuid[16];
	u64 present;
	u64 wanted;
	u64 imported;
};

static int check_options(const struct import_options *options)
{
	if (options->unit_bytes % 512)
		return options_misused(&tool,
				       "-b: %llu bytes is not a whole number of 512-byte sectors",
				       (unsigned long long)options->unit_bytes);
	if (!options->from && isatty(STDIN_FILENO))
		return options_misused(&tool,
				       "no list: give --from FILE, or pipe one into standard input");
	return -1;
}

/* Open the spare and load its table. */
static int open_spare(struct import *import, bool read_only)
{
	if (device_open(&import->dev, import->options.common.operand, DEVICE_WRITE, "spare"))
		return STATUS_FAILED;
	return spare_load(&import->spare, &import->dev, read_only);
}

static void close_spare(struct import *import)
{
	spare_unload(&import->spare);
	device_close(&import->dev);
}

/* Something of somebody else in the metadata area: the device may have a new owner. */
static int refuse_foreign(struct import *import)
{
	char *foreign = signature_find(&import->dev, &import->spare.table.store.geo);

	if (!foreign)
		return STATUS_DONE;
	report_error("%s is a spare, but also holds something else: %s; nothing was changed (see remap-check -n %s)",
		     import->dev.shown, foreign, import->dev.shown);
	free(foreign);
	return STATUS_FAILED;
}

/* What the list is to be read for. Everything that can be refused before it is read, is. */
static int look_at_spare(struct import *import)
{
	int status;

	status = open_spare(import, true);
	if (!status)
		status = refuse_foreign(import);
	if (!status) {
		import->list.main_sectors = import->spare.table.sb.main_sectors;
		import->list.block_shift = import->spare.table.sb.block_shift;
		memcpy(import->uuid, import->spare.table.sb.uuid, sizeof(import->uuid));
	}
	close_spare(import);
	return status;
}

static void show_rejected(void *ctx, u64 line, const char *text, size_t bytes, const char *reason)
{
	struct import *import = ctx;
	char *escaped;

	if (import->list.rejected > REJECTED_SHOWN && !report_is_verbose())
		return;
	escaped = escape_text(text, min(bytes, (size_t)LINE_SHOWN));
	report_warn("%s: line %llu: \"%s%s\" %s", import->list_name, (unsigned long long)line,
		    escaped, bytes > LINE_SHOWN ? "..." : "", reason);
	free(escaped);
}

static void show_progress(void *ctx, u64 bytes)
{
	progress_update(bytes);
}

static int open_list(struct import *import)
{
	const char *path = import->options.from;
	struct stat list_stat, target_stat;
	int fd;

	if (!path) {
		import->list_name = escape_text("standard input", 14);
		return STDIN_FILENO;
	}
	import->list_name = escape_text(path, strlen(path));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &list_stat)) {
		report_error("cannot open the list %s: %s", import->list_name, strerror(errno));
	} else if (!stat(import->options.common.operand, &target_stat) &&
		   target_stat.st_dev == list_stat.st_dev &&
		   target_stat.st_ino == list_stat.st_ino) {
		report_error("list and target are one file: %s", import->list_name);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static int read_list(struct import *import)
{
	struct list *list = &import->list;
	int fd, r;

	fd = open_list(import);
	if (fd < 0)
		return STATUS_FAILED;
	list->unit_bytes = (u32)import->options.unit_bytes;
	if (!list->unit_bytes) {
		list->unit_bytes = BADBLOCKS_BYTES;
		report_info("no -b: the list counts blocks of %u bytes, as badblocks does by default",
			    BADBLOCKS_BYTES);
	}
	list->reject = show_rejected;
	list->progress = show_progress;
	list->ctx = import;
	progress_begin("reading bytes of the list", 0);
	r = list_read(list, fd);
	progress_end();
	if (import->options.from)
		close(fd);
	if (list->rejected > REJECTED_SHOWN && !report_is_verbose())
		report_warn("%s: and %llu more rejected lines (-v shows them all)",
			    import->list_name, (unsigned long long)list->rejected - REJECTED_SHOWN);
	if (!r)
		return STATUS_DONE;
	report_error("%s: cannot read the list: %s; nothing was changed", import->list_name,
		     strerror(-r));
	return STATUS_FAILED;
}

/* Blocks of the list that are in the index: for lists that could fit. */
static u64 count_by_block(const struct import *import)
{
	const struct ranges *ranges = &import->list.ranges;
	u64 present = 0;
	block_t block;
	size_t i;

	for (i = 0; i < ranges->nr; i++)
		for (block = ranges->range[i].first; block < ranges->range[i].end; block++)
			if (rmeta_index_lookup(&import->spare.table.index, block) !=
			    RMETA_NO_SLOT)
				present++;
	return present;
}

/* Slots whose block is in the list: for a list of a whole disk, say. */
static u64 count_by_slot(const struct import *import)
{
	const struct rmeta_table *table = &import->spare.table;
	u64 slots = min((u64)table->sb.pages_used * RMETA_PAGE_ENTRIES,
			(u64)rmeta_slots(&table->store.geo));
	u64 present = 0;
	u64 slot;

	for (slot = 0; slot < slots; slot++) {
		const struct rmeta_entry *entry = rmeta_table_entry(table, (slot_t)slot);

		if ((entry->state == RMETA_MAPPED || entry->state == RMETA_LOST) &&
		    ranges_contain(&import->list.ranges, rmeta_where_block(entry->where)))
			present++;
	}
	return present;
}

/* Which blocks of the list need a slot? */
static void make_plan(struct import *import)
{
	u64 blocks = ranges_blocks(&import->list.ranges);

	import->present = blocks > rmeta_slots(&import->spare.table.store.geo) ?
			  count_by_slot(import) : count_by_block(import);
	import->wanted = blocks - import->present;
}

static void show_plan(const struct import *import)
{
	const struct list *list = &import->list;
	u32 slots = rmeta_slots(&import->spare.table.store.geo);
	u32 free_slots = rmeta_table_free_slots(&import->spare.table);
	u64 numbers = list->lines - list->rejected - list->blank;

	report_out("%s: %llu line%s, in %u-byte units%s\n", import->list_name,
		   (unsigned long long)list->lines, units_s(list->lines), list->unit_bytes,
		   import->options.unit_bytes ? "" : " (badblocks' default; -b to change)");
	report_out("  taken           %llu line%s in %zu range%s: %llu block%s of %u bytes of main\n",
		   (unsigned long long)numbers, units_s(numbers), list->ranges.nr,
		   units_s(list->ranges.nr), (unsigned long long)ranges_blocks(&list->ranges),
		   units_s(ranges_blocks(&list->ranges)), 512U << list->block_shift);
	if (list->blank)
		report_out("  blank           %llu line%s\n", (unsigned long long)list->blank,
			   units_s(list->blank));
	if (list->rejected)
		report_out("  rejected        %llu line%s\n", (unsigned long long)list->rejected,
			   units_s(list->rejected));
	report_out("  already there   %llu block%s\n", (unsigned long long)import->present,
		   units_s(import->present));
	report_out("  to import       %llu block%s\n", (unsigned long long)import->wanted,
		   units_s(import->wanted));
	report_out("  slots           %u of %u free\n", free_slots, slots);
}

static int check_plan(const struct import *import)
{
	const struct list *list = &import->list;
	u32 free_slots = rmeta_table_free_slots(&import->spare.table);

	if (list->rejected && import->options.strict) {
		report_error("%llu line%s rejected and --strict given; nothing was changed",
			     (unsigned long long)list->rejected,
			     list->rejected == 1 ? " was" : "s were");
		return STATUS_FAILED;
	}
	if (list->rejected && list->rejected + list->blank == list->lines) {
		report_error("%s: no line is a block of main; nothing was changed (a list for another device, or a wrong -b?)",
			     import->list_name);
		return STATUS_FAILED;
	}
	if (import->wanted > free_slots) {
		report_error("the list does not fit: %llu blocks need a slot, %u of %u are free in %s; nothing was changed",
			     (unsigned long long)import->wanted, free_slots,
			     rmeta_slots(&import->spare.table.store.geo), import->dev.shown);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

/* A slot, growing the table where that is needed. */
static int reserve_slot(struct rmeta_table *table, slot_t *slot)
{
	int r = rmeta_table_reserve(table, slot);

	while (r == -ENOSPC) {
		r = rmeta_table_grow(table);
		if (!r)
			r = rmeta_table_reserve(table, slot);
		else if (r == -ENOSPC)
			break;
	}
	return r;
}

static int apply_batch(struct import *import, struct rmeta_change *changes, unsigned int nr)
{
	unsigned int i;
	int r;

	r = rmeta_table_apply(&import->spare.table, changes, nr);
	for (i = 0; i < nr; i++)
		import->imported += !changes[i].error;
	progress_update(import->imported);
	return r;
}

static int claim_blocks(struct import *import, struct rmeta_change *changes)
{
	struct rmeta_table *table = &import->spare.table;
	const struct ranges *ranges = &import->list.ranges;
	unsigned int nr = 0;
	slot_t slot;
	block_t block;
	size_t i;
	int r;

	for (i = 0; i < ranges->nr; i++) {
		for (block = ranges->range[i].first; block < ranges->range[i].end; block++) {
			if (rmeta_index_lookup(&table->index, block) != RMETA_NO_SLOT)
				continue;
			r = reserve_slot(table, &slot);
			if (r)
				return r;
			rmeta_change_claim(table, &changes[nr++], slot, block,
					   rmeta_block_mask(block, table->sb.main_sectors,
							    table->sb.block_shift),
					   RMETA_REASON_BADBLOCKS);
			if (nr < BATCH_CLAIMS)
				continue;
			r = apply_batch(import, changes, nr);
			if (r)
				return r;
			nr = 0;
		}
	}
	return nr ? apply_batch(import, changes, nr) : 0;
}

static int apply_plan(struct import *import)
{
	struct rmeta_change *changes = calloc(BATCH_CLAIMS, sizeof(*changes));
	unsigned int live_copies;
	int r, status = STATUS_DONE;

	progress_begin("importing blocks", import->wanted);
	r = changes ? claim_blocks(import, changes) : -ENOMEM;
	progress_end();
	free(changes);
	if (r) {
		report_error("%s: %s after %llu of %llu blocks; those are imported, run remap-check -n %s, then the same import again",
			     import->dev.shown, strerror(-r), (unsigned long long)import->imported,
			     (unsigned long long)import->wanted, import->dev.shown);
		status = STATUS_FAILED;
	}
	if (spare_release(&import->spare, &import->dev))
		status = STATUS_FAILED;
	live_copies = rmeta_table_live_copies(&import->spare.table);
	if (!status)
		report_out("imported %llu block%s; their data stays on main until it is written anew\n",
			   (unsigned long long)import->imported, units_s(import->imported));
	if (!status && live_copies < RMETA_COPIES) {
		report_warn("%s: only %u of 5 copies of some metadata could be written; run remap-check, and think of another spare",
			    import->dev.shown, live_copies);
		status = STATUS_LOOK;
	}
	return status;
}

static void write_json(const struct import *import)
{
	const struct list *list = &import->list;
	struct json *json = report_json();

	if (!json)
		return;
	json_key_text(json, "target", import->options.common.operand);
	json_key_text(json, "type", type_choices[import->options.type]);
	json_key_number(json, "unit_bytes", list->unit_bytes);
	json_key_number(json, "lines", list->lines);
	json_key_number(json, "blank_lines", list->blank);
	json_key_number(json, "rejected_lines", list->rejected);
	json_key_number(json, "ranges", list->ranges.nr);
	json_key_number(json, "blocks", ranges_blocks(&list->ranges));
	json_key_number(json, "already_there", import->present);
	json_key_number(json, "to_import", import->wanted);
	json_key_number(json, "imported", import->imported);
	json_key_number(json, "free_slots", rmeta_table_free_slots(&import->spare.table));
	json_key_bool(json, "dry_run", import->options.dry_run);
}

/* The list is read. Plan without writing; only a plan that fits opens the spare for real. */
static int import_list(struct import *import)
{
	int status;

	status = open_spare(import, true);
	if (status)
		return status;
	if (memcmp(import->uuid, import->spare.table.sb.uuid, sizeof(import->uuid))) {
		report_error("%s was formatted while the list was read; nothing was changed",
			     import->dev.shown);
		return STATUS_FAILED;
	}
	make_plan(import);
	show_plan(import);
	status = check_plan(import);
	if (status || import->options.dry_run || !import->wanted) {
		if (!status && import->options.dry_run)
			report_out("dry run: nothing was changed\n");
		else if (!status)
			report_out("nothing to import\n");
		return status;
	}
	spare_unload(&import->spare);
	status = spare_load(&import->spare, &import->dev, false);
	if (status)
		return status;
	/* Pages that could not be repaired on the way give no slots. */
	make_plan(import);
	status = check_plan(import);
	if (!status)
		return apply_plan(import);
	spare_release(&import->spare, &import->dev);
	return status;
}

static int run(struct import *import)
{
	int status;

	status = look_at_spare(import);
	if (!status)
		status = read_list(import);
	if (status)
		return status;
	status = import_list(import);
	if (import->spare.loaded)
		write_json(import);
	close_spare(import);
	if (!status && import->list.rejected)
		return STATUS_LOOK;
	return status;
}

int main(int argc, char **argv)
{
	struct import import = { .options.type = 0 };
	int status;

	status = options_parse(&tool, &import.options, argc, argv);
	if (status >= 0)
		return status;
	status = check_options(&import.options);
	if (status >= 0)
		return status;
	status = run(&import);
	ranges_free(&import.list.ranges);
	free(import.list_name);
	return report_finish(status);
}
