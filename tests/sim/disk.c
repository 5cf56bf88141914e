// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fake disks: what is on the spare and on the blocks of main that a workload touches.
 *
 * Metadata is real bytes, in cells of 4 KiB that are shared between all states that hold
 * the same and are never changed. Data is only tags: who wrote this sector. Both are
 * hashed, so that equal states are recognised. What is in flight is not here: a step that
 * is cut is turned into the outcomes it can have by sim_cell_outcomes().
 *
 * Knows where superblocks and pages are, and asks the engine's decoder what they hold.
 */
#include <stdio.h>

#include "sim.h"

const struct sim_layout *sim_layout;
struct rmeta_geometry sim_geo;
block_t sim_block[SIM_BLOCKS];
u8 sim_full[SIM_BLOCKS];

static struct sim_cell *free_cells;

/**
 * sim_mix() - one hash of two
 * @a: first
 * @b: second; the order counts
 *
 * Return: the hash.
 */
u64 sim_mix(u64 a, u64 b)
{
	u64 h = (a ^ 0x9e3779b97f4a7c15ULL) * 0xff51afd7ed558ccdULL;

	h = (h ^ (h >> 32) ^ b) * 0xc4ceb9fe1a85ec53ULL;
	h ^= h >> 29;
	h *= 0x9fb21c651e98df25ULL;
	return h ^ (h >> 32);
}

/**
 * sim_hash() - hash of bytes
 * @data: a multiple of 8 bytes is hashed fastest
 * @bytes: how many
 * @seed: another seed, another hash
 *
 * Return: the hash.
 */
u64 sim_hash(const void *data, size_t bytes, u64 seed)
{
	const u8 *at = data;
	u64 lane[4] = { seed, ~seed, seed * 3 + 1, seed * 5 + 2 }, word;
	unsigned int i;

	for (; bytes >= 32; bytes -= 32, at += 32)
		for (i = 0; i < 4; i++) {
			memcpy(&word, at + 8 * i, 8);
			lane[i] = ((lane[i] << 27 | lane[i] >> 37) ^ word) * 0x9fb21c651e98df25ULL;
		}
	for (; bytes; bytes--, at++)
		lane[bytes & 3] = (lane[bytes & 3] ^ *at) * 0x100000001b3ULL + 1;
	return sim_mix(sim_mix(lane[0], lane[1]), sim_mix(lane[2], lane[3]));
}

/**
 * sim_use_layout() - all disks from now on are of this layout
 * @layout: which
 *
 * No disk of another layout may exist.
 */
void sim_use_layout(const struct sim_layout *layout)
{
	u64 block_sectors = 1ULL << layout->block_shift;
	u64 main_sectors = 1000 * block_sectors + (block_sectors + 1) / 2;
	static const block_t block[SIM_BLOCKS] = { 0, 1, 7, 500, 1000 };
	unsigned int b;

	if (rmeta_geometry_init(&sim_geo, layout->spare_sectors, main_sectors,
				layout->block_shift)) {
		fprintf(stderr, "layout %s has no geometry\n", layout->name);
		abort();
	}
	sim_layout = layout;
	for (b = 0; b < SIM_BLOCKS; b++) {
		sim_block[b] = block[b];
		sim_full[b] = (u8)rmeta_block_mask(block[b], main_sectors, layout->block_shift);
	}
}

/**
 * sim_cells() - number of cells of a disk of this layout
 *
 * Return: superblocks and pages, all five copies.
 */
unsigned int sim_cells(void)
{
	return RMETA_COPIES * (1 + sim_geo.table_pages);
}

/**
 * sim_cell_of() - where a copy of an object is kept
 * @object: page number, or RMETA_OBJECT_SUPERBLOCK
 * @copy: 0..4
 *
 * Return: index into struct sim_disk.cell.
 */
unsigned int sim_cell_of(u32 object, unsigned int copy)
{
	if (object == RMETA_OBJECT_SUPERBLOCK)
		return copy;
	return RMETA_COPIES + copy * sim_geo.table_pages + object;
}

/**
 * sim_cell_at() - which cell is at a sector of the spare
 * @sector: must be the first of a superblock or a page
 * @copy: out: which of the five it is
 *
 * Return: index into struct sim_disk.cell, or -1.
 */
int sim_cell_at(u64 sector, unsigned int *copy)
{
	u64 page;

	for (*copy = 0; *copy < RMETA_COPIES; (*copy)++) {
		if (sector == rmeta_superblock_sector(*copy))
			return (int)*copy;
		if (sector < rmeta_page_sector(&sim_geo, *copy, 0))
			continue;
		page = (sector - rmeta_page_sector(&sim_geo, *copy, 0)) / RMETA_SECTORS;
		if (page < sim_geo.table_pages &&
		    sector == rmeta_page_sector(&sim_geo, *copy, (u32)page))
			return (int)sim_cell_of((u32)page, *copy);
	}
	return -1;
}

/**
 * sim_unit_of() - which unit a copy of an object belongs to
 * @object: page number, or RMETA_OBJECT_SUPERBLOCK
 * @copy: 0..4
 *
 * Return: number of the unit.
 */
unsigned int sim_unit_of(u32 object, unsigned int copy)
{
	unsigned int unit;

	if (object == RMETA_OBJECT_SUPERBLOCK)
		unit = 0;
	else if (object < RMETA_GROUP_PAGES)
		unit = 1 + min(object, 2U);
	else
		unit = 4;
	return SIM_UNITS * copy + unit;
}

/**
 * sim_unit_at() - which unit a cell belongs to
 * @index: of the cell
 *
 * Return: number of the unit.
 */
unsigned int sim_unit_at(unsigned int index)
{
	if (index < RMETA_COPIES)
		return sim_unit_of(RMETA_OBJECT_SUPERBLOCK, index);
	index -= RMETA_COPIES;
	return sim_unit_of(index % sim_geo.table_pages, index / sim_geo.table_pages);
}

/**
 * sim_copies_in() - which copies of an object are in a set of units
 * @units: mask of units
 * @object: page number, or RMETA_OBJECT_SUPERBLOCK
 *
 * Return: mask of copies.
 */
u8 sim_copies_in(u32 units, u32 object)
{
	unsigned int copy;
	u8 copies = 0;

	for (copy = 0; units && copy < RMETA_COPIES; copy++)
		if (units & BIT(sim_unit_of(object, copy)))
			copies |= BIT(copy);
	return copies;
}

/**
 * sim_failed_copies() - the most copies of one object in a set of units
 * @units: mask of units
 *
 * Return: how many.
 */
unsigned int sim_failed_copies(u32 units)
{
	static const u32 object[] = { RMETA_OBJECT_SUPERBLOCK, 0, 1, 2, RMETA_GROUP_PAGES };
	unsigned int most = 0, i;

	for (i = 0; i < ARRAY_SIZE(object); i++)
		most = max(most, hweight8(sim_copies_in(units, object[i])));
	return most;
}

/*
 * Cells
 */

static struct sim_cell *cell_alloc(void)
{
	struct sim_cell *cell = free_cells;

	if (cell) {
		memcpy(&free_cells, cell->data, sizeof(free_cells));
	} else {
		cell = malloc(sizeof(*cell));
		if (!cell)
			abort();
	}
	cell->refs = 1;
	cell->judged = false;
	return cell;
}

static u64 sum_sectors(const u64 *sector_hash)
{
	unsigned int sector;
	u64 hash = 0;

	for (sector = 0; sector < RMETA_SECTORS; sector++)
		hash += sim_mix(sector_hash[sector], sector);
	return hash;
}

/**
 * sim_cell_new() - a cell
 * @data: RMETA_BYTES bytes
 *
 * Return: the cell, with one reference.
 */
struct sim_cell *sim_cell_new(const void *data)
{
	struct sim_cell *cell = cell_alloc();
	unsigned int sector;

	memcpy(cell->data, data, RMETA_BYTES);
	for (sector = 0; sector < RMETA_SECTORS; sector++)
		cell->sector_hash[sector] = sim_hash(cell->data + 512 * sector, 512, 1);
	cell->hash = sum_sectors(cell->sector_hash);
	return cell;
}

/**
 * sim_cell_get() - one more reference
 * @cell: or NULL, zeroes
 *
 * Return: @cell.
 */
struct sim_cell *sim_cell_get(struct sim_cell *cell)
{
	if (cell)
		cell->refs++;
	return cell;
}

/**
 * sim_cell_put() - one reference less
 * @cell: or NULL, zeroes
 */
void sim_cell_put(struct sim_cell *cell)
{
	if (!cell || --cell->refs)
		return;
	memcpy(cell->data, &free_cells, sizeof(free_cells));
	free_cells = cell;
}

/**
 * sim_cell_hash() - hash of the contents
 * @cell: or NULL, zeroes
 *
 * Return: the hash.
 */
u64 sim_cell_hash(const struct sim_cell *cell)
{
	return cell ? cell->hash : 0;
}

static void judge_superblock(struct sim_cell *cell, unsigned int copy)
{
	struct rmeta_superblock sb;
	struct rmeta_geometry geo;

	memset(&sb, 0, sizeof(sb));
	cell->defect = rmeta_superblock_decode(cell->data, (u8)copy, &sb);
	if (cell->defect == RMETA_GOOD && rmeta_geometry_check(&sb, sim_geo.spare_sectors, &geo))
		cell->defect = RMETA_BAD_GEOMETRY;
	cell->life = sb.uuid[0];
	cell->sequence = sb.sequence;
	cell->pages_used = sb.pages_used;
	sb.sequence = 0;
	sb.copy = 0;
	cell->payload = sim_hash(&sb, sizeof(sb), 2);
}

static void judge_page(struct sim_cell *cell, u32 page, unsigned int copy)
{
	struct rmeta_page_header header = { 0 };
	struct rmeta_entry entry;
	unsigned int nr;

	cell->defect = rmeta_page_decode(cell->data, NULL, page, (u8)copy, &header);
	cell->life = header.uuid[0];
	cell->sequence = header.sequence;
	cell->payload = 0;
	cell->nr_entries = 0;
	if (cell->defect != RMETA_GOOD)
		return;
	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++) {
		rmeta_page_entry(cell->data, nr, &entry);
		if (!entry.state && !entry.where)
			continue;
		cell->payload += sim_mix(sim_hash(&entry, sizeof(entry), 3), nr);
		if (cell->nr_entries < SIM_SLOTS) {
			cell->slot[cell->nr_entries] = page * RMETA_PAGE_ENTRIES + nr;
			cell->entry[cell->nr_entries] = entry;
		}
		cell->nr_entries++;
	}
}

/**
 * sim_cell_judge() - what the engine's decoder makes of a cell
 * @cell: not NULL
 * @index: where it is kept: it is judged once, since it is never kept elsewhere
 *
 * Return: @cell, with what was found filled in.
 */
const struct sim_cell *sim_cell_judge(struct sim_cell *cell, unsigned int index)
{
	if (cell->judged)
		return cell;
	cell->judged = true;
	if (index < RMETA_COPIES)
		judge_superblock(cell, index);
	else
		judge_page(cell, (index - RMETA_COPIES) % sim_geo.table_pages,
			   (index - RMETA_COPIES) / sim_geo.table_pages);
	return cell;
}

static struct sim_cell zero_cell;

static const struct sim_cell *or_zeroes(const struct sim_cell *cell)
{
	if (cell)
		return cell;
	if (!zero_cell.refs) {
		struct sim_cell *made = sim_cell_new(zero_cell.data);

		zero_cell = *made;
		sim_cell_put(made);
	}
	return &zero_cell;
}

/* The sectors of @mask from @new, the others from @old. */
static struct sim_cell *tear(const struct sim_cell *old, const struct sim_cell *new, u8 mask)
{
	struct sim_cell *cell = cell_alloc();
	unsigned int sector;

	for (sector = 0; sector < RMETA_SECTORS; sector++) {
		const struct sim_cell *from = mask & BIT(sector) ? new : old;

		memcpy(cell->data + 512 * sector, from->data + 512 * sector, 512);
		cell->sector_hash[sector] = from->sector_hash[sector];
	}
	cell->hash = sum_sectors(cell->sector_hash);
	return cell;
}

/**
 * sim_cell_outcomes() - what a write that is not yet durable can leave
 * @old: what was there, or NULL: zeroes
 * @data: RMETA_BYTES bytes being written
 * @outcome: out: SIM_OUTCOMES cells at most, all different, each with a reference: the
 *	first is @old, the second, if @data differs, the new contents whole; the others are
 *	torn, at any sector, from the front or from the back
 *
 * Return: how many.
 */
unsigned int sim_cell_outcomes(struct sim_cell *old, const void *data, struct sim_cell **outcome)
{
	const struct sim_cell *from = or_zeroes(old), *to;
	unsigned int nr = 0, tear_at, other;

	outcome[nr++] = sim_cell_get(old);
	outcome[nr] = sim_cell_new(data);
	if (outcome[nr]->hash == from->hash) {
		sim_cell_put(outcome[nr]);
		return nr;
	}
	to = outcome[nr++];
	for (tear_at = 1; tear_at < 2 * RMETA_SECTORS; tear_at++) {
		u8 mask = tear_at < RMETA_SECTORS ? (1 << tear_at) - 1 :
			  (u8)(0xff << (tear_at - RMETA_SECTORS));
		u64 sector_hash[RMETA_SECTORS], hash;
		unsigned int sector;

		for (sector = 0; sector < RMETA_SECTORS; sector++)
			sector_hash[sector] = (mask & BIT(sector) ? to : from)->sector_hash[sector];
		hash = sum_sectors(sector_hash);
		for (other = 0; other < nr; other++)
			if (or_zeroes(outcome[other])->hash == hash)
				break;
		if (other == nr)
			outcome[nr++] = tear(from, to, mask);
	}
	return nr;
}

/*
 * Disks
 */

/**
 * sim_disk_bytes() - size of a disk of this layout
 *
 * Return: bytes of a struct sim_disk with its cells.
 */
size_t sim_disk_bytes(void)
{
	return sizeof(struct sim_disk) + sim_cells() * sizeof(struct sim_cell *);
}

/**
 * sim_disk_init() - a spare that is all zeroes, a main where version 1 was written
 * @disk: out; sim_disk_bytes()
 */
void sim_disk_init(struct sim_disk *disk)
{
	unsigned int b, i;

	memset(disk, 0, sim_disk_bytes());
	for (b = 0; b < SIM_BLOCKS; b++)
		for (i = 0; i < SIM_BLOCK_SECTORS; i++)
			disk->main[b][i] = sim_tag_of(b, i, 1);
	for (i = 0; i < SIM_SLOTS; i++)
		disk->slots[i].slot = RMETA_NO_SLOT;
}

/**
 * sim_disk_copy() - a disk that holds the same
 * @to: out; sim_disk_bytes(); what it held is not looked at
 * @from: stays as it is
 */
void sim_disk_copy(struct sim_disk *to, const struct sim_disk *from)
{
	unsigned int index, nr = sim_cells();

	memcpy(to, from, sim_disk_bytes());
	for (index = 0; index < nr; index++)
		sim_cell_get(to->cell[index]);
}

/**
 * sim_disk_drop() - give up what a disk refers to
 * @disk: not to be used any more
 */
void sim_disk_drop(struct sim_disk *disk)
{
	unsigned int index, nr = sim_cells();

	for (index = 0; index < nr; index++)
		sim_cell_put(disk->cell[index]);
}

/**
 * sim_disk_swap_hash() - what to add to the hash of a disk when one cell changes
 * @disk: the disk
 * @index: which cell
 * @cell_hash: hash of what it would hold
 *
 * Return: the difference, modulo 2^64.
 */
u64 sim_disk_swap_hash(const struct sim_disk *disk, unsigned int index, u64 cell_hash)
{
	return sim_mix(cell_hash, index) - sim_mix(sim_cell_hash(disk->cell[index]), index);
}

/**
 * sim_disk_set() - change one cell
 * @disk: the disk
 * @index: which cell
 * @cell: what it is to hold; takes a reference of its own
 */
void sim_disk_set(struct sim_disk *disk, unsigned int index, struct sim_cell *cell)
{
	disk->hash += sim_disk_swap_hash(disk, index, sim_cell_hash(cell));
	sim_cell_get(cell);
	sim_cell_put(disk->cell[index]);
	disk->cell[index] = cell;
}

/**
 * sim_disk_slot() - the data of a slot, to be changed
 * @disk: the disk
 * @slot: which
 *
 * Return: SIM_BLOCK_SECTORS tags.
 */
sim_tag *sim_disk_slot(struct sim_disk *disk, slot_t slot)
{
	unsigned int i;

	for (i = 0; i < SIM_SLOTS; i++) {
		if (disk->slots[i].slot == RMETA_NO_SLOT)
			disk->slots[i].slot = slot;
		if (disk->slots[i].slot == slot)
			return disk->slots[i].tag;
	}
	fprintf(stderr, "a history touches more than %d slots\n", SIM_SLOTS);
	abort();
}

/**
 * sim_disk_slot_tag() - who wrote a sector of a slot
 * @disk: the disk
 * @slot: which
 * @sector: of the slot
 *
 * Return: the tag; 0: nobody.
 */
sim_tag sim_disk_slot_tag(const struct sim_disk *disk, slot_t slot, unsigned int sector)
{
	unsigned int i;

	for (i = 0; i < SIM_SLOTS; i++)
		if (disk->slots[i].slot == slot)
			return disk->slots[i].tag[sector];
	return 0;
}

/**
 * sim_disk_data_hash() - hash of all that is not in cells
 * @disk: the disk
 *
 * Return: the hash.
 */
u64 sim_disk_data_hash(const struct sim_disk *disk)
{
	size_t first = offsetof(struct sim_disk, main);

	return sim_hash((const u8 *)disk + first, offsetof(struct sim_disk, cell) - first, 4);
}
