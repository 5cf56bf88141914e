// SPDX-License-Identifier: GPL-2.0-only
/*
 * The second half of a check: write what was allowed. Each step is durable before the next
 * starts, and what an interruption after it leaves is in the right column:
 *
 *	superblocks rewritten from the one	an older one counts no more; nothing else changed
 *	  that counts
 *	superblock committed under a new	every later sequence is above all there were; the
 *	  activation, marked "needs check"	mark says that a repair is under way
 *	pages: losers rewritten, changed ones	pages not reached are as they were
 *	  committed, lost ones made empty
 *	superblock with the pages found		the pages it names are all there
 *	losers of claims retired		the claims that win are durable since two steps
 *	superblock without the mark		done
 *
 * A superblock put together from pages has no older version to fall back on: it names all the
 * pages that were found from the first write on, so that a load will not take a lost page for
 * one that was never initialised.
 */
#include "check_private.h"

/* Images and objects of one group of pages. */
struct repairer {
	struct rmeta_checker *checker;
	bool retiring;			/* second round: losers of claims */
	unsigned int nr;
	struct rmeta_object objects[CHECK_BATCH];
	u8 *images[CHECK_BATCH];
	u8 wanted[CHECK_BATCH];		/* copies that are to hold the page in the end */
	bool again[CHECK_BATCH];	/* to be committed after it was rewritten */
	bool failed;			/* some object could not be written */
};

/*
 * The superblock
 */

static int write_superblock(struct rmeta_checker *checker, bool needs_check)
{
	struct rmeta_object object = {
		.number = RMETA_OBJECT_SUPERBLOCK,
		.image = checker->sb_image,
		.live = checker->sb_live,
	};
	struct rmeta_superblock *sb = &checker->check->sb;
	int r;

	sb->state &= ~RMETA_NEEDS_CHECK;
	if (needs_check)
		sb->state |= RMETA_NEEDS_CHECK;
	sb->activations = checker->store.activations;
	r = rmeta_next_sequence(&checker->store, &sb->sequence);
	if (r)
		return r;
	rmeta_superblock_encode(checker->sb_image, sb);
	checker->check->written = true;
	if (checker->sb_live) {
		rmeta_commit(&checker->store, &object, 1);
	} else {
		object.first = RMETA_ALL_COPIES;
		rmeta_rewrite(&checker->store, &object, 1);
		object.error = hweight8(object.live) < 2 ? -EIO : 0;
	}
	checker->sb_live = object.live;
	return object.error ? -EIO : 0;
}

/* Bring the copies that lost up to the superblock that counts, as it is. */
static void rewrite_superblocks(struct rmeta_checker *checker)
{
	struct rmeta_object object = {
		.number = RMETA_OBJECT_SUPERBLOCK,
		.image = checker->sb_image,
		.live = checker->sb_live,
		.first = checker->sb_first,
		.then = checker->sb_then,
	};

	if (!object.first && !object.then)
		return;
	checker->check->written = true;
	rmeta_rewrite(&checker->store, &object, 1);
	checker->sb_live = object.live;
}

static int activate(struct rmeta_checker *checker)
{
	if (checker->sb_rebuilt)
		checker->check->sb.pages_used = checker->nr_pages;
	else
		rewrite_superblocks(checker);
	checker->store.activations = checker->top_activations + checker->hidden + 1;
	checker->store.counter = 0;
	return write_superblock(checker, true);
}

/*
 * Pages
 */

static void add_object(struct repairer *repairer, u32 page, u8 live, u8 wanted, bool again)
{
	struct rmeta_object *object = &repairer->objects[repairer->nr];

	memset(object, 0, sizeof(*object));
	object->number = page;
	object->image = repairer->images[repairer->nr];
	object->live = live;
	repairer->wanted[repairer->nr] = wanted;
	repairer->again[repairer->nr] = again;
	repairer->nr++;
}

static bool is_due(const struct repairer *repairer, const struct check_page *state)
{
	if (repairer->retiring)
		return state->flags & CHECK_RETIRE;
	return state->rewrite || (state->flags & (CHECK_COMMIT | CHECK_INIT));
}

/* Read again what is to be repaired: the winner's bytes, and which copies hold them. */
static int collect_page(void *ctx, u32 page, const struct rmeta_scan *scan,
			u8 *const raw[RMETA_COPIES])
{
	struct repairer *repairer = ctx;
	struct rmeta_checker *checker = repairer->checker;
	const struct check_page *state = check_page_at(checker, page);
	struct rmeta_object *object = &repairer->objects[repairer->nr];
	u8 whole = rmeta_scan_mask(scan, RMETA_OK) | rmeta_scan_mask(scan, RMETA_STALE), winners;
	struct rmeta_page_header header = { 0 };
	u64 sequence;

	if (!is_due(repairer, state) || (state->flags & CHECK_INIT))
		return 0;
	winners = scan->winner >= 0 ? rmeta_check_page_winners(scan, raw) :
		  rmeta_check_page_strays(checker, page, scan, raw, &header);
	sequence = scan->winner >= 0 ? scan->sequence[scan->winner] : header.sequence;
	/*
	 * What was judged was there a moment ago. If the copies that held it can no longer be
	 * read, an older version must not take its place: a claim that wins may be only in
	 * the newer one, and its losers are about to be retired.
	 */
	if (!winners || sequence < state->sequence) {
		repairer->failed = true;
		return 0;
	}
	memcpy(repairer->images[repairer->nr], raw[__builtin_ctz(winners)], RMETA_BYTES);
	add_object(repairer, page, winners, winners | state->rewrite,
		   repairer->retiring || (state->flags & CHECK_COMMIT));
	if (!repairer->retiring) {
		object->first = state->rewrite & ~winners & ~whole;
		object->then = state->rewrite & ~winners & whole;
	}
	return 0;
}

static void start_header(struct rmeta_checker *checker, struct rmeta_page_header *header, u32 page)
{
	memset(header, 0, sizeof(*header));
	memcpy(header->uuid, checker->store.uuid, sizeof(header->uuid));
	header->main_sectors = checker->check->geo.main_sectors;
	header->block_shift = checker->check->geo.block_shift;
	header->page = page;
}

/* The next version of a page: what its image holds, with the entries that were changed. */
static int prepare_commit(struct rmeta_checker *checker, struct rmeta_object *object)
{
	const struct rmeta_entry *entries = check_page_entries(checker, object->number);
	struct rmeta_page_header header;
	struct rmeta_entry entry;
	unsigned int nr;
	int r;

	start_header(checker, &header, object->number);
	r = rmeta_next_sequence(&checker->store, &header.sequence);
	if (r)
		return r;
	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++) {
		rmeta_page_entry(object->image, nr, &entry);
		if (memcmp(&entry, &entries[nr], sizeof(entry)))
			rmeta_page_set_entry(object->image, nr, &entries[nr]);
	}
	rmeta_page_set_header(object->image, &header);
	return 0;
}

/* Count what was repaired of a page, or note that it was not. */
static void end_object(struct repairer *repairer, const struct rmeta_object *object, u8 wanted)
{
	struct check_page *state = check_page_at(repairer->checker, object->number);

	if (object->error)
		repairer->failed = true;
	if (object->error || (wanted & ~object->live)) {
		state->approved = 0;
	} else if (repairer->retiring || !(state->flags & CHECK_RETIRE)) {
		repairer->checker->check->fixed += state->approved;
		state->approved = 0;
	}
}

/* Rewrite what was collected, then commit again what needs it. */
static int write_objects(struct repairer *repairer)
{
	struct rmeta_checker *checker = repairer->checker;
	unsigned int nr, again = 0;
	int r;

	if (!repairer->nr)
		return 0;
	checker->check->written = true;
	rmeta_rewrite(&checker->store, repairer->objects, repairer->nr);
	for (nr = 0; nr < repairer->nr; nr++) {
		struct rmeta_object *object = &repairer->objects[nr];

		/* A copy that could not be rewritten may hold anything, and must never win. */
		if (!repairer->again[nr] && !(repairer->wanted[nr] & ~object->live)) {
			end_object(repairer, object, repairer->wanted[nr]);
			continue;
		}
		r = prepare_commit(checker, object);
		if (r)
			return r;
		repairer->objects[again] = *object;
		repairer->wanted[again] = repairer->wanted[nr];
		again++;
	}
	rmeta_commit(&checker->store, repairer->objects, again);
	for (nr = 0; nr < again; nr++)
		end_object(repairer, &repairer->objects[nr], repairer->wanted[nr]);
	return 0;
}

/* Empty pages for those of the range that are to have one. */
static int initialise_pages(struct repairer *repairer, u32 first_page, u32 nr_pages)
{
	struct rmeta_checker *checker = repairer->checker;
	struct rmeta_page_header header;
	unsigned int nr;
	u32 page;
	int r;

	repairer->nr = 0;
	for (page = first_page; page < first_page + nr_pages; page++) {
		if (!(check_page_at(checker, page)->flags & CHECK_INIT))
			continue;
		start_header(checker, &header, page);
		r = rmeta_next_sequence(&checker->store, &header.sequence);
		if (r)
			return r;
		rmeta_page_encode(repairer->images[repairer->nr], &header, NULL);
		add_object(repairer, page, 0, RMETA_ALL_COPIES, false);
	}
	if (!repairer->nr)
		return 0;
	checker->check->written = true;
	rmeta_initialise(&checker->store, repairer->objects, repairer->nr);
	for (nr = 0; nr < repairer->nr; nr++)
		end_object(repairer, &repairer->objects[nr], repairer->wanted[nr]);
	return 0;
}

/* Pages from the first to the last one of a group that have something to be done. */
static u32 due_range(const struct repairer *repairer, u32 first_page, u32 end, u32 *nr_pages)
{
	const struct rmeta_checker *checker = repairer->checker;

	while (first_page < end && !is_due(repairer, check_page_at(checker, first_page)))
		first_page++;
	while (end > first_page && !is_due(repairer, check_page_at(checker, end - 1)))
		end--;
	*nr_pages = end - first_page;
	return first_page;
}

static int repair_pages(struct repairer *repairer)
{
	struct rmeta_checker *checker = repairer->checker;
	u32 group, first_page, nr_pages;
	int r = 0;

	for (group = 0; group < checker->nr_pages && !r; group += RMETA_GROUP_PAGES) {
		first_page = due_range(repairer, group,
				       min(group + RMETA_GROUP_PAGES, checker->nr_pages),
				       &nr_pages);
		repairer->nr = 0;
		r = rmeta_scan_pages(&checker->store, first_page, nr_pages, collect_page, repairer);
		if (!r)
			r = write_objects(repairer);
		if (!r && !repairer->retiring)
			r = initialise_pages(repairer, first_page, nr_pages);
	}
	return r;
}

static void retire_losers(struct rmeta_checker *checker)
{
	struct rmeta_entry *entry;
	u32 nr;

	for (nr = 0; nr < checker->nr_losers; nr++) {
		entry = rmeta_entry_at(&checker->entries, checker->losers[nr]);
		rmeta_check_retire(checker, entry, rmeta_where_block(entry->where));
	}
}

/*
 * All of it
 */

static bool anything_due(const struct repairer *repairer)
{
	const struct rmeta_checker *checker = repairer->checker;
	u32 page;

	if (checker->sb_first || checker->sb_then || checker->sb_commit || checker->sb_rebuilt ||
	    checker->nr_losers)
		return true;
	for (page = 0; page < checker->nr_pages; page++)
		if (is_due(repairer, check_page_at(checker, page)))
			return true;
	return false;
}

/* Copies that were whole, and that the repair itself could not write: the next check finds them. */
static void raise_unwritten(struct rmeta_checker *checker, u8 copies)
{
	struct rmeta_problem problem = rmeta_check_problem(RMETA_P_SB_STALE);
	unsigned int copy;

	checker->frozen = true;		/* nothing more to ask: it was tried */
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		problem.copies = (u8)(copies & (1U << copy));
		if (problem.copies)
			rmeta_check_raise(checker, &problem, "it could not be written just now");
	}
}

static int write_all(struct repairer *repairer)
{
	struct rmeta_checker *checker = repairer->checker;
	struct rmeta_check *check = checker->check;
	bool was_marked = check->sb.state & RMETA_NEEDS_CHECK, mark;
	u8 wanted = checker->sb_rebuilt ? RMETA_ALL_COPIES :
		    checker->sb_live | checker->sb_first | checker->sb_then;
	u8 whole = checker->sb_rebuilt ? 0 : checker->sb_live;
	u32 short_copies;
	int r;

	r = activate(checker);
	if (r)
		return r;
	r = repair_pages(repairer);
	if (!r && !repairer->failed && check->sb.pages_used != checker->nr_pages) {
		check->sb.pages_used = checker->nr_pages;
		r = write_superblock(checker, true);
	}
	if (!r && !repairer->failed && checker->nr_losers) {
		retire_losers(checker);
		repairer->retiring = true;
		r = repair_pages(repairer);
	}
	if (r)
		return r;
	mark = repairer->failed || (checker->declined && was_marked);
	r = write_superblock(checker, mark);
	if (r)
		return r;
	raise_unwritten(checker, (u8)(whole & ~checker->sb_live));
	short_copies = hweight8(wanted & ~whole & ~checker->sb_live) +
		       (mark && checker->check_asked);
	if (checker->sb_approved > short_copies)
		check->fixed += checker->sb_approved - short_copies;
	return repairer->failed ? -EIO : 0;
}

/* Room for as many pages as are ever written together. */
static int get_memory(struct repairer *repairer)
{
	struct rmeta_checker *checker = repairer->checker;
	unsigned int batch = max(min(checker->nr_pages, (u32)CHECK_BATCH), 1U), nr;

	for (nr = 0; nr < batch; nr++) {
		repairer->images[nr] = rmeta_zalloc(RMETA_BYTES);
		if (!repairer->images[nr])
			return -ENOMEM;
	}
	rmeta_store_exit(&checker->store);
	return rmeta_store_init(&checker->store, batch);
}

int rmeta_check_repair(struct rmeta_checker *checker)
{
	struct repairer *repairer;
	unsigned int nr;
	int r = 0;

	if (!checker->check->writable || checker->frozen)
		return 0;
	repairer = rmeta_zalloc(sizeof(*repairer));
	if (!repairer)
		return -ENOMEM;
	repairer->checker = checker;
	if (!anything_due(repairer))
		goto out;
	r = get_memory(repairer);
	if (!r)
		r = write_all(repairer);
out:
	for (nr = 0; nr < CHECK_BATCH; nr++)
		rmeta_free(repairer->images[nr]);
	rmeta_free(repairer);
	return r;
}
