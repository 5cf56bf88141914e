// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading the metadata of a spare, after a look at whether it belongs to this main and this
 * table, and formatting a spare that is blank. Writes nothing before it is sure.
 *
 * Runs in preresume, with the device suspended and nobody else near the core.
 */
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/utsname.h>
#include <linux/uuid.h>

#include "remap.h"

#define BLANK_CHUNK_BYTES (256U << 10)
#define BLANK_TAIL_SECTORS 2048U	/* the last MiB */

/* Why a load failed, when the engine did not say. */
static int refuse(struct remap_core *core, int error, const char *why)
{
	remap_err(core, "%s (error %d)", why, error);
	return error;
}

/* Are all of these sectors readable and zero? */
static int check_blank(struct remap_core *core, u8 *buffer, u64 sector, u64 sectors)
{
	while (sectors) {
		struct rmeta_io io = {
			.op = RMETA_READ,
			.sector = sector,
			.bytes = (u32)min_t(u64, sectors << SECTOR_SHIFT, BLANK_CHUNK_BYTES),
			.data = buffer,
		};
		const u8 *used;

		remap_host_ops.submit(core, &io, 1);
		if (io.error) {
			remap_err(core, "sectors %llu to %llu of the spare cannot be read (error %d): not formatted",
				  io.sector, io.sector + (io.bytes >> SECTOR_SHIFT) - 1, io.error);
			return -EIO;
		}
		used = memchr_inv(buffer, 0, io.bytes);
		if (used) {
			remap_err(core, "sector %llu of the spare is in use: not formatted; make a spare with remap-format",
				  sector + ((used - buffer) >> SECTOR_SHIFT));
			return -EINVAL;
		}
		sector += io.bytes >> SECTOR_SHIFT;
		sectors -= io.bytes >> SECTOR_SHIFT;
	}
	return 0;
}

/* Blank is more than the places of superblocks: those are zero on a fresh btrfs too. */
static int check_spare_blank(struct remap_core *core)
{
	u64 spare_sectors = bdev_nr_sectors(core->spare);
	u8 *buffer = rmeta_zalloc(BLANK_CHUNK_BYTES);
	int r;

	if (!buffer)
		return -ENOMEM;
	r = check_blank(core, buffer, 0, RMETA_ZONE_START);
	if (!r)
		r = check_blank(core, buffer, spare_sectors - BLANK_TAIL_SECTORS,
				BLANK_TAIL_SECTORS);
	rmeta_free(buffer);
	return r;
}

/* The PARTUUID of main as 16 bytes, if it has one that is a UUID. */
static bool main_partuuid(struct remap_core *core, uuid_t *uuid)
{
	const struct partition_meta_info *info = core->main->bd_meta_info;

	return info && !uuid_parse((const char *)info->uuid, uuid);
}

/* The region bitmap was made for main as it was when the core was. */
static int check_length(struct remap_core *core, u64 main_sectors)
{
	if (main_sectors <= core->max_sectors)
		return 0;
	remap_err(core, "main has grown from %llu to %llu sectors since the device was created: remove it and create it again",
		  core->max_sectors, main_sectors);
	return -EINVAL;
}

static u8 format_block_shift(struct remap_core *core, const struct remap_features *features)
{
	unsigned int sectors = features->block_sectors;

	/* Unless told otherwise, no smaller than what main writes at once. */
	if (!sectors)
		sectors = clamp(bdev_physical_block_size(core->main) >> SECTOR_SHIFT, 8U,
				1U << RMETA_MAX_BLOCK_SHIFT);
	return (u8)ilog2(sectors);
}

static int format_spare(struct remap_core *core, const struct remap_features *features)
{
	struct rmeta_format_params params = {
		.spare_sectors = bdev_nr_sectors(core->spare),
		.main_sectors = bdev_nr_sectors(core->main),
		.block_shift = format_block_shift(core, features),
		.now = ktime_get_real_seconds(),
		.main_start = get_start_sect(core->main),
	};
	uuid_t partuuid;
	int r;

	r = check_length(core, params.main_sectors);
	if (!r)
		r = check_spare_blank(core);
	if (r)
		return r;
	if (main_partuuid(core, &partuuid))
		params.main_partuuid = partuuid.b;
	generate_random_uuid(params.uuid);
	r = rmeta_format(&remap_host_ops, core, &params);
	if (r)
		return refuse(core, r, "the spare cannot be formatted");
	remap_info(core, "formatted the spare with blocks of %u sectors", 1U << params.block_shift);
	return 0;
}

/* Is main the device that the spare was made for, as far as can be told from here? */
static int check_main(struct remap_core *core, const struct remap_features *features,
		      const struct rmeta_superblock *sb)
{
	u64 main_sectors = bdev_nr_sectors(core->main);
	uuid_t partuuid;
	bool known = sb->main_id[0] || sb->main_start ||
		     memchr_inv(sb->main_partuuid, 0, sizeof(sb->main_partuuid));

	/* The engine refuses a main that is too short, whatever the features say. */
	if (features->force_main || main_sectors < sb->main_sectors)
		return 0;
	if (main_sectors != sb->main_sectors) {
		remap_err(core, "main has %llu sectors, the spare was made for one of %llu; wrong main? (force_main accepts it)",
			  main_sectors, sb->main_sectors);
		return -EINVAL;
	}
	if (!known)
		return 0;
	if (main_partuuid(core, &partuuid) && memchr_inv(sb->main_partuuid, 0, sizeof(partuuid)) &&
	    memcmp(partuuid.b, sb->main_partuuid, sizeof(partuuid))) {
		remap_err(core, "main has PARTUUID %pUb, the spare was made for %pUb; wrong main? (force_main accepts it)",
			  partuuid.b, sb->main_partuuid);
		return -EINVAL;
	}
	if (get_start_sect(core->main) != sb->main_start) {
		remap_err(core, "main starts at sector %llu of its disk, the spare was made for one at %llu; wrong main? (force_main accepts it)",
			  (u64)get_start_sect(core->main), sb->main_start);
		return -EINVAL;
	}
	return 0;
}

static int check_table(struct remap_core *core, struct remap_target *t,
		       const struct rmeta_superblock *sb)
{
	int r = check_length(core, sb->main_sectors);

	if (r)
		return r;
	if (t->ti->len > sb->main_sectors) {
		remap_err(core, "the table is %llu sectors long, main had %llu when the spare was made",
			  (u64)t->ti->len, sb->main_sectors);
		return -EINVAL;
	}
	if (bdev_logical_block_size(core->main) > 512U << sb->block_shift ||
	    bdev_logical_block_size(core->spare) > 512U << sb->block_shift) {
		remap_err(core, "logical blocks of the devices are larger than blocks of %u sectors",
			  1U << sb->block_shift);
		return -EINVAL;
	}
	if (t->features.block_sectors && t->features.block_sectors != 1U << sb->block_shift)
		remap_warn(core, "block_size %u ignored: the spare has been formatted with %u",
			   t->features.block_sectors, 1U << sb->block_shift);
	return 0;
}

/* Read all superblocks; @raw gets them. forget_superblocks() is due in either case. */
static int scan_superblocks(struct remap_core *core, struct rmeta_scan *scan,
			    u8 *raw[RMETA_COPIES])
{
	struct rmeta_store store = { .ops = &remap_host_ops, .host = core };
	unsigned int copy;
	int r;

	memset(raw, 0, RMETA_COPIES * sizeof(*raw));
	r = rmeta_store_init(&store, 1);
	if (r)
		return r;
	for (copy = 0; copy < RMETA_COPIES && !r; copy++) {
		raw[copy] = rmeta_zalloc(RMETA_BYTES);
		if (!raw[copy])
			r = -ENOMEM;
	}
	if (!r)
		rmeta_scan_superblocks(&store, bdev_nr_sectors(core->spare), scan, raw);
	rmeta_store_exit(&store);
	return r;
}

static void forget_superblocks(u8 *raw[RMETA_COPIES])
{
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		rmeta_free(raw[copy]);
}

/*
 * Look before anything is written. @blank: out: there is nothing at all. What is wrong with
 * the superblocks as such is left to the load to say.
 */
static int look_at_spare(struct remap_core *core, struct remap_target *t, bool *blank)
{
	struct rmeta_superblock *sb = NULL;
	struct rmeta_scan scan;
	u8 *raw[RMETA_COPIES];
	unsigned int copy;
	int r;

	*blank = false;
	r = scan_superblocks(core, &scan, raw);
	if (r)
		goto out;
	if (scan.winner < 0) {
		*blank = true;
		for (copy = 0; copy < RMETA_COPIES; copy++)
			*blank &= scan.defect[copy] == RMETA_BAD_ZERO;
		goto out;
	}
	r = -ENOMEM;
	sb = rmeta_zalloc(sizeof(*sb));
	if (!sb)
		goto out;
	rmeta_superblock_decode(raw[scan.winner], (u8)scan.winner, sb);
	r = check_main(core, &t->features, sb);
	if (!r)
		r = check_table(core, t, sb);
out:
	forget_superblocks(raw);
	rmeta_free(sb);
	return r;
}

/**
 * remap_spare_is_back() - are there enough superblocks to load the spare again?
 * @core: loaded
 *
 * Context: preresume; sleeps.
 */
bool remap_spare_is_back(struct remap_core *core)
{
	struct rmeta_scan scan;
	u8 *raw[RMETA_COPIES];
	bool back;

	back = !scan_superblocks(core, &scan, raw) && scan.winner >= 0 && !scan.conflict &&
	       hweight8(rmeta_scan_mask(&scan, RMETA_OK) |
			rmeta_scan_mask(&scan, RMETA_STALE)) >= 2;
	forget_superblocks(raw);
	return back;
}

static void mark_regions(struct remap_core *core, bool read_only)
{
	u64 slots = min_t(u64, (u64)core->table.sb.pages_used * RMETA_PAGE_ENTRIES,
			  rmeta_slots(&core->table.store.geo));
	slot_t slot;

	remap_fill_regions(core, false);
	for (slot = 0; slot < slots; slot++) {
		const struct rmeta_entry *entry = rmeta_table_entry(&core->table, slot);

		if (entry->state == RMETA_MAPPED || entry->state == RMETA_LOST)
			remap_region_set(core->regions,
					 remap_block_sector(core, rmeta_where_block(entry->where)));
	}
	/* Writes to a table that cannot follow them are to be refused: none takes the fast path. */
	if (read_only)
		remap_fill_regions(core, true);
}

static void report(struct remap_core *core, const struct rmeta_load *load)
{
	const struct rmeta_counts *counts = &core->table.counts;

	remap_info(core, "%u of %u slots in use, %llu sectors pending, %llu lost, %u slots retired%s",
		   counts->mapped + counts->lost, rmeta_slots(&core->table.store.geo),
		   counts->pending_sectors, counts->lost_sectors, counts->retired,
		   core->table.read_only ? ", read-only" : "");
	if (load->repaired || load->retired_losers || load->recovered_pages)
		remap_info(core, "repaired %u copies, retired %u slots of interrupted moves, recovered %u pages",
			   load->repaired, load->retired_losers, load->recovered_pages);
	if (core->table.needs_check)
		remap_warn(core, "the metadata needs a check: run remap-check");
}

/**
 * remap_spare_load() - load a spare, formatting it first if that was asked for and it is blank
 * @core: nothing is loaded; main and spare are set
 * @t: the target that is about to be live
 *
 * Return: 0, or a negative errno; why has been logged then and nothing is loaded.
 * Context: preresume; sleeps; under memalloc_noio.
 */
int remap_spare_load(struct remap_core *core, struct remap_target *t)
{
	struct rmeta_load load = {
		.device_sectors = bdev_nr_sectors(core->spare),
		.main_sectors = bdev_nr_sectors(core->main),
		.read_only = t->read_only,
		.batch = REMAP_META_PAGES,
		.hash_seed = get_random_u64(),
		.host_name = utsname()->nodename,
	};
	u8 machine[REMAP_MACHINE_ID_BYTES];
	bool blank;
	int r;

	if (remap_machine_id(machine))
		load.host_id = machine;

	r = look_at_spare(core, t, &blank);
	if (r)
		return r;
	if (blank && t->features.format && !t->read_only) {
		r = format_spare(core, &t->features);
		if (!r)
			r = look_at_spare(core, t, &blank);
		if (r)
			return r;
	}
	r = rmeta_table_load(&core->table, &remap_host_ops, core, &load);
	if (r) {
		if (load.problem_page == RMETA_OBJECT_SUPERBLOCK)
			return refuse(core, r, load.problem);
		remap_err(core, "page %u: %s (error %d)", load.problem_page, load.problem, r);
		return r;
	}
	core->block_shift = core->table.store.geo.block_shift;
	core->main_sectors = core->table.store.geo.main_sectors;
	atomic64_set(&core->read_errors, core->table.sb.read_errors);
	atomic64_set(&core->write_errors, core->table.sb.write_errors);
	atomic64_set(&core->slot_errors, 0);
	core->no_growth = false;
	core->no_slots = false;
	core->nr_pool = 0;
	core->nr_fenced = 0;
	mutex_lock(&core->state_lock);
	core->base.metadata_errors = 0;
	core->rate.valid = false;
	core->loaded = true;
	mutex_unlock(&core->state_lock);
	mark_regions(core, t->read_only);
	report(core, &load);
	if (!core->table.read_only)
		remap_meta_kick(core);
	return 0;
}

/**
 * remap_spare_unload() - release the spare, if it is loaded
 * @core: no bio is under way
 *
 * A spare whose metadata is in doubt, or whose main has failed, is not marked as cleanly
 * released.
 *
 * Context: sleeps.
 */
void remap_spare_unload(struct remap_core *core)
{
	unsigned int noio;
	int r;

	if (!core->loaded)
		return;
	flush_workqueue(core->meta_wq);
	remap_scrub_forget(core);
	noio = memalloc_noio_save();
	core->table.sb.read_errors = atomic64_read(&core->read_errors);
	core->table.sb.write_errors = atomic64_read(&core->write_errors);
	r = core->nr_fenced || core->failed ? 0 : rmeta_table_release(&core->table);
	if (r)
		remap_warn(core, "the spare could not be marked as released (error %d)", r);
	mutex_lock(&core->state_lock);
	core->loaded = false;
	mutex_unlock(&core->state_lock);
	rmeta_table_exit(&core->table);
	memalloc_noio_restore(noio);
}
