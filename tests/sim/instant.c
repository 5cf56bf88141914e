// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold of the copies on the disk at an instant, without a load: how many are whole,
 * that none claims the sequence of another, that those called live are equal. Looks at cells
 * through the engine's decoder; does not know how they came about.
 */
#include <stdio.h>

#include "sim.h"

static bool whole_page(const struct sim_expect *expect, const struct sim_cell *cell, u32 page)
{
	unsigned int i, k;

	if (cell->nr_entries > SIM_SLOTS)
		return false;
	for (k = 0; k < cell->nr_entries; k++)
		if (!sim_slot_allows(expect, cell->slot[k], &cell->entry[k]))
			return false;
	for (i = 0; i < SIM_SLOTS; i++) {
		static const struct rmeta_entry none;
		slot_t slot = expect->slot[i].slot;

		if (slot == RMETA_NO_SLOT || slot / RMETA_PAGE_ENTRIES != page)
			continue;
		for (k = 0; k < cell->nr_entries && cell->slot[k] != slot; k++)
			;
		if (k == cell->nr_entries && !sim_slot_allows(expect, slot, &none))
			return false;
	}
	return true;
}

/**
 * sim_whole_copies() - copies from which alone an allowed state could be loaded
 * @expect: what is allowed
 * @disk: the disk
 * @object: page number, or RMETA_OBJECT_SUPERBLOCK
 * @dead: units that do not count
 *
 * Return: how many.
 */
unsigned int sim_whole_copies(const struct sim_expect *expect, const struct sim_disk *disk,
			      u32 object, u32 dead)
{
	u8 unreadable = sim_copies_in(dead, object);
	unsigned int copy, nr = 0;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		unsigned int index = sim_cell_of(object, copy);
		const struct sim_cell *cell;

		if (!disk->cell[index] || unreadable & BIT(copy))
			continue;
		cell = sim_cell_judge(disk->cell[index], index);
		if (cell->defect != RMETA_GOOD || cell->life != expect->life)
			continue;
		if (object == RMETA_OBJECT_SUPERBLOCK)
			nr += cell->pages_used >= expect->pages_used[0] &&
			      cell->pages_used <= expect->pages_used[1];
		else
			nr += whole_page(expect, cell, object);
	}
	return nr;
}

/**
 * sim_sequences_clash() - do two valid copies have equal sequences and different contents?
 * @disk: the disk; copies that cannot be read now count, since they may come back
 * @object: page number, or RMETA_OBJECT_SUPERBLOCK
 *
 * Return: whether.
 */
bool sim_sequences_clash(const struct sim_disk *disk, u32 object)
{
	const struct sim_cell *cell[RMETA_COPIES];
	unsigned int copy, other, index, nr = 0;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		index = sim_cell_of(object, copy);
		if (!disk->cell[index])
			continue;
		cell[nr] = sim_cell_judge(disk->cell[index], index);
		if (cell[nr]->defect != RMETA_GOOD)
			continue;
		for (other = 0; other < nr; other++)
			if (cell[other]->sequence == cell[nr]->sequence &&
			    cell[other]->life == cell[nr]->life &&
			    cell[other]->payload != cell[nr]->payload)
				return true;
		nr++;
	}
	return false;
}

static bool live_agree(const struct sim_disk *disk, u32 object, u8 live)
{
	const struct sim_cell *first = NULL, *cell;
	unsigned int copy, index;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		if (!(live & BIT(copy)))
			continue;
		index = sim_cell_of(object, copy);
		if (!disk->cell[index])
			return false;
		cell = sim_cell_judge(disk->cell[index], index);
		if (cell->defect != RMETA_GOOD)
			return false;
		if (!first)
			first = cell;
		if (cell->sequence != first->sequence || cell->payload != first->payload)
			return false;
	}
	return true;
}

/**
 * sim_check_live() - do all copies that the engine calls live hold the same whole version?
 * @disk: the disk
 * @table: loaded, nothing under way
 * @why: out: text
 * @bytes: room in @why
 *
 * Return: SIM_FINE or SIM_LIVE.
 */
enum sim_invariant sim_check_live(const struct sim_disk *disk, const struct rmeta_table *table,
				  char *why, size_t bytes)
{
	u32 page;

	if (!live_agree(disk, RMETA_OBJECT_SUPERBLOCK, table->sb_live)) {
		snprintf(why, bytes, "live superblocks %#x are not equal", table->sb_live);
		return SIM_LIVE;
	}
	for (page = 0; page < table->sb.pages_used; page++)
		if (!live_agree(disk, page, table->page_live[page])) {
			snprintf(why, bytes, "live copies %#x of page %u are not equal",
				 table->page_live[page], page);
			return SIM_LIVE;
		}
	return SIM_FINE;
}
