// SPDX-License-Identifier: GPL-2.0-only
/*
 * A spare as the tools meet it. Everything about its metadata is the engine's; this turns
 * what the engine says into what a person is told.
 */
#include <sys/random.h>
#include <unistd.h>

#include "check.h"
#include "escape.h"
#include "marks.h"
#include "report.h"
#include "signature.h"
#include "spare.h"
#include "undo_apply.h"

#define READ_BATCH_PAGES 1	/* nothing is committed */

void spare_random(void *data, size_t bytes)
{
	if (getrandom(data, bytes, 0) == (ssize_t)bytes)
		return;
	report_error("no random numbers: %s", strerror(errno));
	_exit(STATUS_FAILED);
}

void spare_new_uuid(u8 *uuid)
{
	spare_random(uuid, 16);
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

/* Exit status for an error of rmeta_table_load(). */
static int status_of(int error)
{
	switch (error) {
	case -EUCLEAN:
	case -EFBIG:
	case -EROFS:
		return STATUS_DAMAGED;
	default:
		return STATUS_FAILED;
	}
}

enum rmeta_mark spare_mark(struct device *dev, struct rmeta_superblock *sb)
{
	int r = rmeta_mark_find(&rmeta_file_ops, &dev->host, sb);

	if (r < 0)
		report_out_of_memory();
	return (enum rmeta_mark)r;
}

int spare_refuse_marked(struct device *dev)
{
	struct rmeta_superblock sb;

	switch (spare_mark(dev, &sb)) {
	case RMETA_MARK_NONE:
		return STATUS_DONE;
	case RMETA_MARK_ERASING:
		report_error("%s was a dm-remap spare, and its erasure was cut short; finish it with remap-setup erase %s",
			     dev->shown, dev->shown);
		return STATUS_DAMAGED;
	default:
		report_error("%s is to replace another dm-remap spare, and that was cut short; finish it with remap-setup replace-spare OLDSPARE %s",
			     dev->shown, dev->shown);
		return STATUS_DAMAGED;
	}
}

/*
 * No superblock is valid. Pages tell a spare that lost all five from a device that never was
 * one; only the check knows how to look for them.
 */
static int explain_no_superblock(struct device *dev)
{
	struct spare_survey survey;
	int status = STATUS_DAMAGED;

	if (spare_refuse_marked(dev))
		return STATUS_DAMAGED;
	if (spare_survey(&survey, dev))
		return STATUS_FAILED;
	if (survey.kind == SPARE_NONE) {
		report_error("%s is not a dm-remap spare: nothing of dm-remap is on it",
			     dev->shown);
		status = STATUS_FAILED;
	} else {
		report_error("%s is a damaged dm-remap spare: no superblock is valid; see remap-check -n %s",
			     dev->shown, dev->shown);
	}
	free(survey.label);
	return status;
}

static int explain(struct device *dev, const struct rmeta_load *load, int error)
{
	if (error == -ENODATA)
		return explain_no_superblock(dev);
	if (dev->sectors < RMETA_SECTORS) {
		report_error("%s is not a dm-remap spare: %llu bytes are less than a superblock",
			     dev->shown, (unsigned long long)dev->sectors * 512);
		return STATUS_FAILED;
	}
	if (load->problem_page != RMETA_OBJECT_SUPERBLOCK)
		report_error("%s: table page %u: %s", dev->shown, load->problem_page,
			     load->problem);
	else
		report_error("%s: %s", dev->shown, load->problem);
	return status_of(error);
}

/* Return: 0, or what the engine says. */
static int load_reading(struct spare_load *spare, struct device *dev)
{
	int r;

	*spare = (struct spare_load){ .load = {
		.device_sectors = dev->sectors,
		.read_only = true,
		.batch = READ_BATCH_PAGES,
	} };
	spare_random(&spare->load.hash_seed, sizeof(spare->load.hash_seed));
	r = rmeta_table_load(&spare->table, &rmeta_file_ops, &dev->host, &spare->load);
	spare->loaded = !r;
	return r;
}

bool spare_loads(struct device *dev)
{
	struct spare_load spare;
	bool loads = !load_reading(&spare, dev);

	spare_unload(&spare);
	return loads;
}

int spare_load(struct spare_load *spare, struct device *dev, bool read_only)
{
	struct rmeta_superblock held;
	int r, status;

	r = load_reading(spare, dev);
	if (r)
		return explain(dev, &spare->load, r);
	if (read_only)
		return STATUS_DONE;

	held = spare->table.sb;
	spare_unload(spare);
	spare->load.read_only = false;
	spare->load.batch = SPARE_BATCH_PAGES;
	spare->load.host_id = held.host_id;
	spare->load.host_name = held.host_name;
	r = rmeta_table_load(&spare->table, &rmeta_file_ops, &dev->host, &spare->load);
	status = r ? explain(dev, &spare->load, r) : STATUS_DONE;
	/* They point into this function. */
	spare->load.host_id = NULL;
	spare->load.host_name = NULL;
	if (r)
		return status;
	spare->loaded = true;
	spare->table.sb.main_print[0] = held.main_print[0];
	spare->table.sb.main_print[1] = held.main_print[1];
	spare->print_valid = !(held.state & RMETA_IN_USE) && (held.state & RMETA_PRINT_VALID);
	return STATUS_DONE;
}

void spare_unload(struct spare_load *spare)
{
	if (spare->loaded)
		rmeta_table_exit(&spare->table);
	spare->loaded = false;
}

int spare_release(struct spare_load *spare, struct device *dev)
{
	int r;

	if (spare->print_valid)
		spare->table.sb.state |= RMETA_PRINT_VALID;
	r = rmeta_table_release(&spare->table);
	if (!r)
		return STATUS_DONE;
	report_error("%s: the superblock could not be written: %s", dev->shown, strerror(-r));
	return STATUS_FAILED;
}

int spare_reserve_slot(struct rmeta_table *table, slot_t *slot)
{
	int r = rmeta_table_reserve(table, slot);

	while (r == -ENOSPC) {
		r = rmeta_table_grow(table);
		if (r)
			break;
		r = rmeta_table_reserve(table, slot);
	}
	return r;
}

u32 spare_count_stored(const struct rmeta_table *table)
{
	u64 slots = min((u64)table->sb.pages_used * RMETA_PAGE_ENTRIES,
			(u64)rmeta_slots(&table->store.geo));
	u32 stored = 0;
	u64 slot;

	for (slot = 0; slot < slots; slot++) {
		const struct rmeta_entry *entry = rmeta_table_entry(table, (slot_t)slot);
		u16 all = rmeta_block_mask(rmeta_where_block(entry->where), table->sb.main_sectors,
					   table->sb.block_shift);

		if (entry->state == RMETA_MAPPED || entry->state == RMETA_LOST)
			stored += !!(all & (u16)~rmeta_where_mask(entry->where));
	}
	return stored;
}

int spare_refuse_foreign(const struct spare_load *spare, const struct device *dev)
{
	char *foreign = signature_find(dev, &spare->table.store.geo);

	if (!foreign)
		return STATUS_DONE;
	report_error("%s is a spare, but also holds something else: %s; nothing was changed (if it was given to somebody else it is no spare any more; if that is only a leftover, as the backup header of a partition table: wipefs %s shows where it is, wipefs -b -o OFFSET %s takes it away, and remap-check repairs what it had overwritten)",
		     dev->shown, foreign, dev->shown, dev->shown);
	free(foreign);
	return STATUS_FAILED;
}

bool spare_superblock(struct rmeta_superblock *sb, struct rmeta_geometry *geo,
		      struct device *dev)
{
	u8 *raw = report_alloc(RMETA_BYTES);
	bool found = false;
	u8 copy;

	for (copy = 0; copy < RMETA_COPIES && !found; copy++) {
		struct rmeta_io io = {
			.op = RMETA_READ,
			.sector = rmeta_superblock_sector(copy),
			.bytes = RMETA_BYTES,
			.data = raw,
		};

		rmeta_file_ops.submit(&dev->host, &io, 1);
		found = !io.error && rmeta_superblock_decode(raw, copy, sb) == RMETA_GOOD &&
			!rmeta_geometry_check(sb, dev->sectors, geo);
	}
	free(raw);
	return found;
}

bool spare_geometry(struct rmeta_geometry *geo, struct device *dev)
{
	struct rmeta_superblock sb;

	return spare_superblock(&sb, geo, dev);
}

/*
 * Is this what a format or a restore leaves that was cut short (docs/format.md, rule 8): five
 * superblocks that are all zero, and page 0 in no zone? Nothing but those ten writes does that to
 * a spare, and no table is complete before they are undone.
 */
static bool is_half_made(struct device *dev)
{
	u8 *raw = report_alloc(RMETA_BYTES);
	struct rmeta_page_header header;
	struct rmeta_superblock sb;
	struct rmeta_geometry geo;
	bool half = !rmeta_geometry_init(&geo, dev->sectors, 1, 0);
	u8 nr;

	for (nr = 0; nr < 2 * RMETA_COPIES && half; nr++) {
		u8 copy = nr / 2;
		struct rmeta_io io = {
			.op = RMETA_READ,
			.sector = nr % 2 ? rmeta_page_sector(&geo, copy, 0) :
					   rmeta_superblock_sector(copy),
			.bytes = RMETA_BYTES,
			.data = raw,
		};

		rmeta_file_ops.submit(&dev->host, &io, 1);
		if (nr % 2)
			half = !io.error && rmeta_page_decode(raw, NULL, 0, copy, &header) !=
			       RMETA_GOOD;
		else
			half = !io.error && rmeta_superblock_decode(raw, copy, &sb) ==
			       RMETA_BAD_ZERO;
	}
	free(raw);
	return half;
}

/* What a survey wants to know of the problems. */
struct survey_notes {
	bool half_format;	/* a format was cut short */
	bool holes;		/* something is gone, and remaps perhaps with it */
};

static bool note_problem(void *ctx, const struct rmeta_problem *problem)
{
	struct survey_notes *notes = ctx;

	if (problem->code == RMETA_P_SB_HALF_FORMAT)
		notes->half_format = true;
	else if (rmeta_problem_types[problem->code].flags & RMETA_LOSS)
		notes->holes = true;
	return false;
}

int spare_survey(struct spare_survey *survey, struct device *dev)
{
	static const struct rmeta_check_ops ops = { .fix = note_problem };
	struct survey_notes notes = { false, false };
	struct rmeta_check check = {
		.device_sectors = dev->sectors,
		.ops = &ops,
		.ctx = &notes,
	};
	int r;

	*survey = (struct spare_survey){ .kind = SPARE_NONE };
	if (spare_refuse_marked(dev))
		return -EUCLEAN;
	r = rmeta_check_run(&rmeta_file_ops, &dev->host, &check);
	if (r && r != -ENODATA) {
		report_error("cannot look at what is on %s: %s", dev->shown, strerror(-r));
		return r;
	}
	survey->label = escape_text(check.sb.label, strlen(check.sb.label));
	if (r == -ENODATA) {
		survey->kind = undo_is_underway(dev) ? SPARE_BROKEN : SPARE_NONE;
		return 0;
	}
	survey->remaps = check.counts.mapped + check.counts.lost;
	survey->retired = check.counts.retired;
	/* Only a spare without remaps is ever formatted over, so half a format hides none. */
	if (notes.half_format || (!check.have_sb && is_half_made(dev)))
		survey->kind = SPARE_EMPTY;
	else if (survey->remaps)
		survey->kind = SPARE_REMAPS;
	else
		survey->kind = !check.have_sb || notes.holes ? SPARE_BROKEN : SPARE_EMPTY;
	return 0;
}
