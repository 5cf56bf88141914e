// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup unmap: bring blocks home to a main that is well again, a few in each message. Which
 * blocks there are is read from the spare while the kernel has it. What cannot go home stays on the
 * spare, and is counted.
 */
#include "live_send.h"
#include "progress.h"
#include "ranges.h"
#include "report.h"
#include "setup.h"
#include "spare.h"
#include "stop.h"
#include "units.h"

#define UNMAP_BLOCKS ((u64)64)	/* in one message: each is written to main and read back */

struct unmap_options {
	struct common_options common;
	bool all;
	bool dry_run;
};

#define FIELD(member) offsetof(struct unmap_options, member)

static const struct option_row rows[] = {
	{ .name = "all", .kind = OPTION_FLAG, .field = FIELD(all),
	  .help = "all blocks that are on the spare" },
	{ .letter = 'n', .name = "dry-run", .kind = OPTION_FLAG, .field = FIELD(dry_run),
	  .help = "say how many blocks there are, change nothing" },
};

static const struct operand_row operands[] = {
	{ "NAME", OPTION_NAME },
	{ "RANGE", OPTION_TEXT },
};

static const struct tool tool = {
	.name = SETUP_TOOL,
	.verb = "unmap",
	.summary = "Bring blocks of device NAME back to main, and free their slots.",
	.usage = "[-n] NAME RANGE|--all",
	.details = "RANGE is SECTOR or SECTOR+COUNT, in sectors of 512 bytes of the device. A block with\n"
		   "lost sectors, or one that main does not take or give back, stays on the spare.",
	.example = "remap-setup unmap archive 2048+16",
	.operands = operands,
	.nr_operands = ARRAY_SIZE(operands),
	.min_operands = 1,
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

static struct unmap_options unmap_options;

/**
 * struct unmap - blocks on their way home
 * @live: the device
 * @first_sector: of the range
 * @end_sector: behind it
 * @blocks: those that are to go
 * @lost: those in the range that cannot, since sectors of them are lost
 * @block_shift: log2 of sectors per block
 * @main_sectors: length of main
 */
struct unmap {
	struct live live;
	u64 first_sector;
	u64 end_sector;
	struct ranges blocks;
	u64 lost;
	u8 block_shift;
	u64 main_sectors;
};

/* Return: NULL, or why @text is not a range. */
static const char *parse_range(struct unmap *unmap, const char *text)
{
	char first[UNITS_TEXT];
	const char *plus = strchr(text, '+'), *why;
	size_t bytes = plus ? (size_t)(plus - text) : strlen(text);
	u64 sectors = 1;

	if (bytes >= sizeof(first))
		return "is not SECTOR or SECTOR+COUNT";
	memcpy(first, text, bytes);
	first[bytes] = 0;
	why = units_parse_number(first, &unmap->first_sector);
	if (!why && plus)
		why = units_parse_number(plus + 1, &sectors);
	if (why)
		return why;
	if (!sectors)
		return "is empty";
	if (__builtin_add_overflow(unmap->first_sector, sectors, &unmap->end_sector))
		return "is larger than any device";
	return NULL;
}

static int collect_blocks(struct unmap *unmap, const struct rmeta_table *table)
{
	u64 slots = min((u64)table->sb.pages_used * RMETA_PAGE_ENTRIES,
			(u64)rmeta_slots(&table->store.geo));
	u64 slot, sector;
	int r = 0;

	unmap->block_shift = table->sb.block_shift;
	unmap->main_sectors = min(table->sb.main_sectors, unmap->live.sectors);
	for (slot = 0; slot < slots && !r; slot++) {
		const struct rmeta_entry *entry = rmeta_table_entry(table, (slot_t)slot);
		block_t block = rmeta_where_block(entry->where);

		sector = block << unmap->block_shift;
		/* A table may be shorter than main; blocks behind it are not the device's. */
		if (sector >= unmap->end_sector || sector >= unmap->main_sectors ||
		    ((block + 1) << unmap->block_shift) <= unmap->first_sector)
			continue;
		if (entry->state == RMETA_LOST)
			unmap->lost++;
		else if (entry->state == RMETA_MAPPED)
			r = ranges_add(&unmap->blocks, block, block + 1);
	}
	return r ? r : ranges_finish(&unmap->blocks);
}

/* What there is, from the spare. Nothing is held afterwards. */
static int find_blocks(struct unmap *unmap)
{
	struct spare_load spare = { .loaded = false };
	struct device dev;
	int status;

	if (device_open(&dev, unmap->live.spare, DEVICE_READ, "spare"))
		return STATUS_FAILED;
	status = spare_load(&spare, &dev, true);
	if (!status && collect_blocks(unmap, &spare.table)) {
		report_error("not enough memory for the list of blocks; nothing was changed");
		status = STATUS_FAILED;
	}
	spare_unload(&spare);
	device_close(&dev);
	return status;
}

static int send_blocks(struct unmap *unmap, u64 blocks, u64 *done)
{
	struct live_send send = {
		.live = &unmap->live,
		.verb = "unmap",
		.verb_words = 1,
		.block_shift = unmap->block_shift,
		.end_sectors = unmap->main_sectors,
		.most_blocks = UNMAP_BLOCKS,
		.go_on = true,
	};
	int r = 0;
	size_t i;

	stop_catch();
	progress_begin("bringing blocks back to main", blocks);
	for (i = 0; i < unmap->blocks.nr && !r; i++)
		r = live_send_range(&send, unmap->blocks.range[i].first,
				    unmap->blocks.range[i].end);
	if (!r)
		r = live_send_rest(&send);
	progress_end();
	*done = send.done;
	if (r)
		report_error("%s: %s; %llu of %llu blocks are back on main, the rest is on the spare",
			     unmap->live.dev.shown, live_send_explain(&send, r),
			     (unsigned long long)send.done, (unsigned long long)blocks);
	else if (send.done < blocks)
		report_warn("%s: %llu of %llu blocks stay on the spare, the first at sector %llu: %s",
			    unmap->live.dev.shown, (unsigned long long)(blocks - send.done),
			    (unsigned long long)blocks, (unsigned long long)send.answer.sector,
			    live_error_text(send.answer.error));
	live_send_free(&send);
	if (r)
		return STATUS_FAILED;
	return send.done < blocks ? STATUS_LOOK : STATUS_DONE;
}

static int unmap_blocks(struct unmap *unmap, bool dry_run)
{
	struct json *json = report_json();
	u64 blocks, done = 0;
	int status;

	status = find_blocks(unmap);
	if (status)
		return status;
	blocks = ranges_blocks(&unmap->blocks);
	if (dry_run)
		report_out("%s: %llu block%s of it would go back to main\ndry run: nothing was changed\n",
			   unmap->live.dev.shown, (unsigned long long)blocks, units_s(blocks));
	else
		status = send_blocks(unmap, blocks, &done);
	if (!dry_run)
		report_out("%s: %llu block%s of it went back to main\n", unmap->live.dev.shown,
			   (unsigned long long)done, units_s(done));
	if (unmap->lost) {
		report_warn("%s: %llu block%s more stay%s on the spare: sectors of them are lost until they are written",
			    unmap->live.dev.shown, (unsigned long long)unmap->lost,
			    units_s(unmap->lost), unmap->lost == 1 ? "s" : "");
		status = max(status, STATUS_LOOK);
	}
	if (json) {
		json_key_text(json, "device", unmap->live.dev.name);
		json_key_number(json, "blocks", blocks);
		json_key_number(json, "unmapped", done);
		json_key_number(json, "lost", unmap->lost);
		json_key_bool(json, "dry_run", dry_run);
	}
	return status;
}

static int run(void *opaque)
{
	struct unmap_options *options = opaque;
	struct unmap unmap = { .end_sector = UINT64_MAX };
	const char *operand = options->common.operands[0], *why = NULL;
	bool have_range = options->common.nr_operands > 1;
	int status = STATUS_FAILED, r;

	if (have_range == options->all)
		return options_misused(&tool, have_range ? "RANGE and --all exclude each other" :
				       "a RANGE is missing, or --all");
	if (have_range)
		why = parse_range(&unmap, options->common.operands[1]);
	if (why)
		return options_misused(&tool, "RANGE %s", why);
	r = live_find(&unmap.live, operand);
	if (r)
		live_report(operand, r);
	else if (!live_refresh(&unmap.live, true))
		status = unmap_blocks(&unmap, options->dry_run);
	ranges_free(&unmap.blocks);
	live_free(&unmap.live);
	return report_finish(status);
}

const struct verb setup_unmap = {
	.tool = &tool,
	.help = "bring blocks back to main",
	.options = &unmap_options,
	.run = run,
};
