// SPDX-License-Identifier: GPL-2.0-only
/*
 * A spare with known contents. See spare.h.
 */
#include <inttypes.h>
#include <stdio.h>

#include "spare.h"

const char *const damage_names[NR_DAMAGES] = {
	[DAMAGE_ZERO] = "zeroes",
	[DAMAGE_NOISE] = "noise",
	[DAMAGE_FLIP] = "bit flips",
	[DAMAGE_TORN] = "torn writes",
	[DAMAGE_OLD] = "old versions",
	[DAMAGE_UNREADABLE] = "unreadable",
};

u32 rows_raised[RMETA_NR_PROBLEMS];

static void *get(size_t nr, size_t bytes)
{
	void *p = calloc(nr, bytes);

	if (!p)
		abort();
	return p;
}

/*
 * Making one
 */

static void make_superblocks(struct spare *spare, const struct spare_params *params)
{
	struct rmeta_superblock *sb = &spare->sb[SPARE_OLD];
	unsigned int byte;

	memset(sb, 0, sizeof(*sb));
	for (byte = 0; byte < sizeof(sb->uuid); byte++)
		sb->uuid[byte] = (u8)(params->seed * 16 + byte);
	sb->block_shift = params->block_shift;
	sb->activations = 3;
	sb->sequence = rmeta_sequence(3, 1);
	sb->main_sectors = spare->geo.main_sectors;
	sb->spare_sectors = spare->geo.spare_sectors;
	sb->zone_start = RMETA_ZONE_START;
	sb->zone_sectors = spare->geo.zone_sectors;
	sb->zone_slots = spare->geo.zone_slots;
	sb->table_pages = spare->geo.table_pages;
	sb->pages_used = spare->nr_pages;
	sb->created = 1700000000;
	sb->activated = 1750000000;
	sb->state = RMETA_IN_USE;
	strcpy(sb->label, "damaged");
	strcpy(sb->main_id, "wwn-0x5000c500a1b2c3d4");
	spare->sb[SPARE_NEW] = *sb;
	spare->sb[SPARE_NEW].state = RMETA_PRINT_VALID;
	spare->sb[SPARE_NEW].main_print[0] = 0x1234;
	spare->sb[SPARE_NEW].sequence = rmeta_sequence(3, 1000000);
}

/* Blocks differ by construction: each slot takes its from a stride of its own. */
static void fill_entry(struct spare *spare, struct rmeta_entry *entry, slot_t slot, u64 *random)
{
	u64 blocks = rmeta_blocks(&spare->geo), stride = blocks / rmeta_slots(&spare->geo);
	block_t block = slot * stride + disk_random(random) % stride;
	u16 sectors = rmeta_block_mask(block, spare->geo.main_sectors, spare->geo.block_shift);
	unsigned int kind = (unsigned int)(disk_random(random) % 16);
	u16 mask = (u16)disk_random(random) & sectors;

	entry->time = 1760000000 + slot;
	entry->reason = (u8)(1 + disk_random(random) % (RMETA_NR_REASONS - 2));
	entry->generation = (u8)disk_random(random);
	if (kind == 0)
		entry->state = RMETA_RETIRED;
	else if (kind == 1)
		entry->state = RMETA_LOST;
	else
		entry->state = RMETA_MAPPED;
	if (entry->state == RMETA_RETIRED || kind > 7)
		mask = 0;
	if (entry->state == RMETA_LOST && !mask)
		mask = sectors;
	entry->where = rmeta_where(block, mask);
}

/*
 * The old version lacks some entries of the new one and has some masks larger, as if the
 * last commit of each page had brought them.
 */
static void make_entries(struct spare *spare, const struct spare_params *params)
{
	u32 slots = min(rmeta_slots(&spare->geo), spare->nr_pages * RMETA_PAGE_ENTRIES), nr, page;
	u64 random = params->seed;

	for (nr = 0; nr < params->fill && nr < slots; nr++) {
		slot_t slot = (slot_t)((u64)nr * slots / max(params->fill, 1U));

		fill_entry(spare, &spare->entries[SPARE_NEW][slot], slot, &random);
		if (disk_random(&random) % 4)
			spare->entries[SPARE_OLD][slot] = spare->entries[SPARE_NEW][slot];
	}
	for (page = 0; page < spare->nr_pages; page++) {
		spare->sequence[SPARE_OLD][page] = rmeta_sequence(3, 10 + page);
		spare->sequence[SPARE_NEW][page] = rmeta_sequence(3, 100000 + page);
	}
}

void spare_make(struct spare *spare, const struct spare_params *params)
{
	u64 *sequence;
	unsigned int copy, version;
	u32 page;

	memset(spare, 0, sizeof(*spare));
	if (rmeta_geometry_init(&spare->geo, params->spare_sectors, params->main_sectors,
				params->block_shift))
		abort();
	spare->nr_pages = min(params->groups * RMETA_GROUP_PAGES, spare->geo.table_pages);
	for (version = 0; version < SPARE_VERSIONS; version++) {
		spare->entries[version] = get((size_t)spare->nr_pages * RMETA_PAGE_ENTRIES + 1,
					      sizeof(struct rmeta_entry));
		sequence = get(spare->nr_pages + 1, sizeof(*sequence));
		spare->sequence[version] = sequence;
	}
	make_superblocks(spare, params);
	make_entries(spare, params);
	disk_init(&spare->disk, max(params->spare_sectors, params->room_sectors));
	spare->disk.sectors = params->spare_sectors;
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		spare_image(spare, SPARE_SUPER, copy, SPARE_NEW,
			    disk_at(&spare->disk, spare_sector(spare, SPARE_SUPER, copy)));
		for (page = 0; page < spare->nr_pages; page++)
			spare_image(spare, page, copy, SPARE_NEW,
				    disk_at(&spare->disk, spare_sector(spare, page, copy)));
	}
}

void spare_free(struct spare *spare)
{
	unsigned int version;

	for (version = 0; version < SPARE_VERSIONS; version++) {
		free(spare->entries[version]);
		free(spare->sequence[version]);
	}
	disk_exit(&spare->disk);
}

u64 spare_sector(const struct spare *spare, u32 object, unsigned int copy)
{
	return object == SPARE_SUPER ? rmeta_superblock_sector(copy) :
				       rmeta_page_sector(&spare->geo, copy, object);
}

void spare_image(const struct spare *spare, u32 object, unsigned int copy,
		 enum spare_version version, u8 *image)
{
	struct rmeta_page_header header = {
		.main_sectors = spare->geo.main_sectors,
		.page = object,
		.block_shift = spare->geo.block_shift,
		.copy = (u8)copy,
	};
	struct rmeta_superblock sb;

	memset(image, 0, RMETA_BYTES);
	if (object == SPARE_SUPER) {
		sb = spare->sb[version];
		sb.copy = (u8)copy;
		rmeta_superblock_encode(image, &sb);
		return;
	}
	header.sequence = spare->sequence[version][object];
	memcpy(header.uuid, spare->sb[version].uuid, sizeof(header.uuid));
	rmeta_page_encode(image, &header,
			  &spare->entries[version][(size_t)object * RMETA_PAGE_ENTRIES]);
}

/*
 * Damaging one
 */

void spare_damage(const struct spare *spare, struct disk *disk, u32 object, unsigned int copy,
		  enum damage damage, u64 *random)
{
	u64 sector = spare_sector(spare, object, copy);
	u8 *bytes = disk_at(disk, sector), old[RMETA_BYTES];
	unsigned int nr, flips, mix;

	switch (damage) {
	case DAMAGE_ZERO:
		memset(bytes, 0, RMETA_BYTES);
		break;
	case DAMAGE_NOISE:
		for (nr = 0; nr < RMETA_BYTES; nr++)
			bytes[nr] = (u8)disk_random(random);
		break;
	case DAMAGE_FLIP:
		flips = 1 + disk_random(random) % 8;
		for (nr = 0; nr < flips; nr++)
			bytes[disk_random(random) % RMETA_BYTES] ^=
				(u8)(1 << disk_random(random) % 8);
		break;
	case DAMAGE_TORN:
		/* The write of the new version stopped, or was taken out of order. */
		spare_image(spare, object, copy, SPARE_OLD, old);
		mix = 1 + (unsigned int)(disk_random(random) % 254);
		for (nr = 0; nr < 8; nr++)
			if (mix & 1U << nr)
				memcpy(bytes + nr * 512, old + nr * 512, 512);
		break;
	case DAMAGE_OLD:
		spare_image(spare, object, copy, SPARE_OLD, bytes);
		break;
	case DAMAGE_UNREADABLE:
		disk_break_reads(disk, sector);
		break;
	case NR_DAMAGES:
		break;
	}
}

/*
 * Checking one
 */

static bool answer_problem(void *ctx, const struct rmeta_problem *problem)
{
	unsigned int flags = rmeta_problem_types[problem->code].flags;
	struct run *run = ctx;
	char where[96];

	run->problems[problem->code]++;
	rows_raised[problem->code]++;
	if (run->log)
		printf("# %s: %s: %s (%s)%s\n", rmeta_problem_types[problem->code].name,
		       rmeta_problem_where(problem, where, sizeof(where)),
		       rmeta_problem_types[problem->code].text, problem->detail,
		       problem->repairable ? "" : " [only reported]");
	if (problem->code == run->refuse)
		return false;
	switch (run->answer) {
	case ANSWER_PREEN:
		return flags & RMETA_PREEN;
	case ANSWER_YES:
	case ANSWER_DRY:	/* shows that a yes without leave to write means nothing */
		return true;
	default:
		return false;
	}
}

static const struct rmeta_check_ops check_ops = { .fix = answer_problem };

void run_check_except(struct run *run, struct disk *disk, enum answer answer, unsigned int refuse)
{
	bool log = run->log;

	memset(run, 0, sizeof(*run));
	run->log = log;
	run->answer = answer;
	run->refuse = refuse;
	run->check.device_sectors = disk->sectors;
	run->check.writable = answer != ANSWER_DRY;
	run->check.ops = &check_ops;
	run->check.ctx = run;
	run->result = rmeta_check_run(&disk_ops, disk, &run->check);
}

void run_check(struct run *run, struct disk *disk, enum answer answer)
{
	run_check_except(run, disk, answer, RMETA_NR_PROBLEMS);
}

long spare_compare(const struct spare *spare, struct disk *disk, enum spare_version version,
		   bool read_only, const char **problem)
{
	struct rmeta_load load = {
		.device_sectors = disk->sectors,
		.read_only = read_only,
		.batch = 8,
		.hash_seed = 1,
	};
	struct rmeta_table table;
	u32 slots = min(rmeta_slots(&spare->geo), spare->nr_pages * RMETA_PAGE_ENTRIES);
	long different = 0;
	slot_t slot;
	int r;

	r = rmeta_table_load(&table, &disk_ops, disk, &load);
	*problem = load.problem;
	if (r)
		return -1;
	for (slot = 0; slot < slots; slot++) {
		const struct rmeta_entry *want = &spare->entries[version][slot];
		static const struct rmeta_entry none;
		const struct rmeta_entry *got = slot / RMETA_GROUP_SLOTS < table.entries.nr_groups ?
			rmeta_table_entry(&table, slot) : &none;

		different += memcmp(got, want, sizeof(*got)) != 0;
		if ((got->state == RMETA_MAPPED || got->state == RMETA_LOST) &&
		    rmeta_index_lookup(&table.index, rmeta_where_block(got->where)) != slot)
			different++;
	}
	rmeta_table_exit(&table);
	return different;
}
