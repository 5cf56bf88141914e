// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is printed of an import: the plan for a person, and the members of the JSON object.
 */
#include "import.h"
#include "units.h"

#define FRESH_SHOWN 1000	/* ranges in the JSON object, without --verbose */

static void show_units(const struct import *import)
{
	const struct list *list = &import->list;

	if (list->parser->chunk)
		report_out("%s: %s\n", import->list_name, list->parser->title);
	else if (list->parser == &list_badblocks)
		report_out("%s: %llu line%s, in %u-byte units%s\n", import->list_name,
			   (unsigned long long)list->lines, units_s(list->lines),
			   list->unit_bytes, import->options.unit_bytes ? "" :
			   " (badblocks' default; -b to change)");
	else
		report_out("%s: %llu line%s of %s\n", import->list_name,
			   (unsigned long long)list->lines, units_s(list->lines),
			   list->parser->title);
}

/* A count of lines or entries, unless there are none. */
static void show_count(const struct import *import, const char *what, u64 count)
{
	if (count)
		report_out("  %-15s %llu %s\n", what, (unsigned long long)count,
			   import_noun(&import->list, count));
}

/* What is new, range by range. */
static void show_fresh(const struct ranges *fresh)
{
	size_t i;

	for (i = 0; i < fresh->nr; i++)
		report_out("  new             block %llu, %llu block%s\n",
			   (unsigned long long)fresh->range[i].first,
			   (unsigned long long)(fresh->range[i].end - fresh->range[i].first),
			   units_s(fresh->range[i].end - fresh->range[i].first));
}

void import_show_plan(const struct import *import)
{
	const struct list *list = &import->list;
	const struct import_plan *plan = &import->plan;
	u32 slots = rmeta_slots(&import->spare.table.store.geo);
	u32 free_slots = rmeta_table_free_slots(&import->spare.table);
	size_t i;

	show_units(import);
	if (import->is_live)
		report_out("  live device     %s: main %s, spare %s\n", import->live.dev.shown,
			   import->live.main, import->live.spare);
	for (i = 0; i < import->nr_notes; i++)
		report_out("  %s\n", import->notes[i]);
	if (import->place.origin_sectors || list->parser->of_disk || import->place.made_on)
		report_out("  addresses are %s\n", import->place.explained);
	report_out("  taken           %llu %s in %zu range%s: %llu block%s of %u bytes of main\n",
		   (unsigned long long)list->taken,
		   list->taken == 1 ? "entry" : "entries", list->ranges.nr,
		   units_s(list->ranges.nr), (unsigned long long)plan->blocks,
		   units_s(plan->blocks), 512U << list->block_shift);
	show_count(import, "blank", list->blank);
	show_count(import, "passed over", list->silent);
	show_count(import, "in part on main", list->clipped);
	show_count(import, "rejected", list->rejected);
	if (import->verify.blocks_read)
		report_out("  read from main  %llu block%s: %llu fail%s\n",
			   (unsigned long long)import->verify.blocks_read,
			   units_s(import->verify.blocks_read),
			   (unsigned long long)import->verify.blocks_failed,
			   import->verify.blocks_failed == 1 ? "s" : "");
	if (import->verify.around)
		report_out("  found around    %llu block%s, added to the list\n",
			   (unsigned long long)import->verify.around,
			   units_s(import->verify.around));
	report_out("  already there   %llu block%s\n", (unsigned long long)plan->present,
		   units_s(plan->present));
	report_out("  only there      %llu block%s\n", (unsigned long long)plan->only_there,
		   units_s(plan->only_there));
	report_out("  to import       %llu block%s\n", (unsigned long long)plan->wanted,
		   units_s(plan->wanted));
	report_out("  slots           %u of %u free\n", free_slots, slots);
	if (report_is_verbose())
		show_fresh(plan->fresh);
}

/* The new ranges: an array of [first block, number of blocks]. */
static void write_fresh(const struct import *import, struct json *json)
{
	const struct ranges *fresh = import->plan.fresh;
	size_t nr = fresh ? fresh->nr : 0, shown = nr, i;

	if (!report_is_verbose())
		shown = min(nr, (size_t)FRESH_SHOWN);
	json_key(json, "new");
	json_array(json);
	for (i = 0; i < shown; i++) {
		json_array(json);
		json_number(json, fresh->range[i].first);
		json_number(json, fresh->range[i].end - fresh->range[i].first);
		json_array_end(json);
	}
	json_array_end(json);
	json_key_number(json, "new_left_out", nr - shown);
}

void import_write_json(const struct import *import)
{
	const struct import_totals *totals = &import->totals;
	const struct list *list = &import->list;
	struct json *json = report_json();
	size_t i;

	if (!json)
		return;
	json_key_text(json, "target", import->options.common.operand);
	json_key_bool(json, "live", import->is_live);
	if (import->is_live) {
		json_key_text(json, "device", import->live.dev.name);
		json_key_text(json, "main", import->live.main);
		json_key_text(json, "spare", import->live.spare);
	}
	json_key_text(json, "type", list->parser->name);
	json_key_bool(json, "type_detected",
		      import->options.type == IMPORT_AUTO && !import->options.smart);
	json_key_number(json, "unit_bytes", list->unit_bytes);
	json_key_text(json, "addresses", import->place.explained);
	json_key(json, "notes");
	json_array(json);
	for (i = 0; i < import->nr_notes; i++)
		json_plain(json, import->notes[i]);
	json_array_end(json);
	json_key_number(json, "lines", list->lines);
	json_key_number(json, "blank_lines", list->blank);
	json_key_number(json, "passed_over", list->silent);
	json_key_number(json, "rejected_lines", list->rejected);
	json_key_number(json, "taken", list->taken);
	json_key_number(json, "partly_on_main", list->clipped);
	json_key_number(json, "ranges", totals->ranges);
	json_key_number(json, "blocks", totals->blocks);
	json_key_number(json, "blocks_read", import->verify.blocks_read);
	json_key_number(json, "blocks_failed", import->verify.blocks_failed);
	json_key_number(json, "found_around", import->verify.around);
	json_key_number(json, "already_there", totals->present);
	json_key_number(json, "only_there", totals->only_there);
	json_key_number(json, "to_import", totals->wanted);
	write_fresh(import, json);
	json_key_number(json, "imported", import->imported);
	json_key_number(json, "free_slots", totals->free_slots);
	json_key_bool(json, "dry_run", import->options.dry_run);
}
