// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scrubbing the metadata of a live spare, by the metadata worker, since it is the one writer:
 * the superblock, then some pages at a time, with requests of bios in between. The engine does
 * the work (libmeta/scrub.c); this is when, and what follows from it: a spare whose copies are
 * back may grow again, and blocks that were fenced are served again, because what the spare
 * holds of them is certain now.
 */
#include "remap.h"

/**
 * remap_scrub_start() - look at all copies of all metadata, and bring bad ones back
 * @core: loaded read-write
 *
 * Context: process. Does not wait for it. If it is being done, it begins again.
 */
void remap_scrub_start(struct remap_core *core)
{
	spin_lock(&core->meta_lock);
	core->scrub.wanted = true;
	core->scrub.running = false;
	spin_unlock(&core->meta_lock);
	remap_meta_kick(core);
}

/**
 * remap_scrub_stop() - no more of it
 * @core: the core
 *
 * Context: process.
 */
void remap_scrub_stop(struct remap_core *core)
{
	spin_lock(&core->meta_lock);
	core->scrub.wanted = false;
	spin_unlock(&core->meta_lock);
}

/**
 * remap_scrub_resume() - go on with what a suspend has held up
 * @core: resumed
 *
 * Context: process.
 */
void remap_scrub_resume(struct remap_core *core)
{
	if (READ_ONCE(core->scrub.wanted))
		remap_meta_kick(core);
}

/**
 * remap_scrub_forget() - the table is about to be unloaded
 * @core: the metadata worker does nothing
 */
void remap_scrub_forget(struct remap_core *core)
{
	memset(&core->scrub, 0, sizeof(core->scrub));
}

/* Is there more to do? Begins, if it has just been asked for. */
static bool begin(struct remap_core *core)
{
	struct remap_scrub *scrub = &core->scrub;
	bool wanted;

	spin_lock(&core->meta_lock);
	wanted = scrub->wanted && !READ_ONCE(core->jobs_paused);
	if (wanted && !scrub->running) {
		scrub->running = true;
		scrub->super_done = false;
		scrub->page = 0;
		scrub->fenced = READ_ONCE(core->nr_fenced);
		scrub->error = 0;
		memset(&scrub->found, 0, sizeof(scrub->found));
	}
	spin_unlock(&core->meta_lock);
	return wanted;
}

static void end(struct remap_core *core, int error)
{
	struct remap_scrub *scrub = &core->scrub;
	const struct rmeta_scrub *found = &scrub->found;

	/* Not if it has been asked for again meanwhile. */
	spin_lock(&core->meta_lock);
	if (scrub->running)
		scrub->wanted = false;
	scrub->running = false;
	scrub->error = error;
	spin_unlock(&core->meta_lock);

	if (found->repaired) {
		core->no_growth = false;
		WRITE_ONCE(core->no_slots, false);
	}
	if (!error && rmeta_table_live_copies(&core->table) >= 2 &&
	    scrub->fenced == core->nr_fenced)
		remap_unfence_all(core);
	if (error == -EUCLEAN && found->foreign)
		remap_err(core, "scrub: the spare has been activated or formatted by somebody else: stop using it here, and see remap-check");
	else if (error == -EUCLEAN)
		remap_err(core, "scrub: page %u of the spare is not what was written there; run remap-check on a copy of it before the device is removed",
			  found->page);
	else if (error)
		remap_warn(core, "scrub: ended early (error %d)", error);
	if (found->bad)
		remap_warn(core, "scrub: %u pages, %u bad copies, %u repaired, %u still bad",
			   found->pages, found->bad, found->repaired, found->dead);
	else if (!error)
		remap_info(core, "scrub: %u pages, all copies are good", found->pages);
	remap_event(core);
}

/**
 * remap_scrub_step() - do a piece of a scrub, if one has been asked for
 * @core: loaded
 *
 * Return: whether there is more to do.
 * Context: the metadata worker.
 */
bool remap_scrub_step(struct remap_core *core)
{
	struct remap_scrub *scrub = &core->scrub;
	int r;

	if (!READ_ONCE(scrub->wanted) || !begin(core))
		return false;
	if (!scrub->super_done) {
		r = rmeta_table_scrub_super(&core->table, &scrub->found);
		scrub->super_done = true;
	} else {
		r = rmeta_table_scrub_pages(&core->table, scrub->page, REMAP_META_PAGES,
					    &scrub->found);
		WRITE_ONCE(scrub->page, min(scrub->page + REMAP_META_PAGES,
					    core->table.sb.pages_used));
		/* The other pages are seen to nevertheless. */
		if (r == -EUCLEAN) {
			scrub->error = r;
			r = 0;
		}
	}
	if (!r && scrub->page < core->table.sb.pages_used)
		return true;
	end(core, r ?: scrub->error);
	return READ_ONCE(scrub->wanted);
}
