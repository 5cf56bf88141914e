// SPDX-License-Identifier: GPL-2.0-only
/*
 * The run of a check: its phases, asking, and the summary. See check.h for what it promises
 * and check_private.h for how it is cut up. Owns the memory of a run. Decides nothing about
 * what is found; its other parts do.
 */
#include <stdarg.h>
#include <stdio.h>

#include "check_private.h"

struct rmeta_problem rmeta_check_problem(enum rmeta_problem_code code)
{
	return (struct rmeta_problem){
		.code = code,
		.page = RMETA_OBJECT_SUPERBLOCK,
		.slot = RMETA_NO_SLOT,
		.other = RMETA_NO_SLOT,
		.block = RMETA_NO_BLOCK,
	};
}

void rmeta_check_lost(struct rmeta_checker *checker, enum rmeta_problem_code code,
		      slot_t first_slot, slot_t last_slot, block_t block, bool certain)
{
	struct rmeta_check *check = checker->check;
	struct rmeta_loss loss = {
		.code = code,
		.first_slot = first_slot,
		.last_slot = last_slot,
		.block = block < rmeta_blocks(&check->geo) ? block : RMETA_NO_BLOCK,
		.certain = certain,
	};

	if (check->ops->lost)
		check->ops->lost(check->ctx, &loss);
}

/* What follows from the problem alone: a page that is gone, an entry, a claim. */
static void say_lost(struct rmeta_checker *checker, const struct rmeta_problem *problem)
{
	slot_t last = problem->code == RMETA_P_PAGE_LOST ? problem->other : problem->slot;

	/* Of a conflict only who has both versions knows. */
	if (!(rmeta_problem_types[problem->code].flags & RMETA_LOSS) ||
	    problem->slot == RMETA_NO_SLOT || problem->code == RMETA_P_PAGE_CONFLICT)
		return;
	rmeta_check_lost(checker, problem->code, problem->slot, last, problem->block, true);
}

bool rmeta_check_raise(struct rmeta_checker *checker, struct rmeta_problem *problem,
		       const char *detail, ...)
{
	struct rmeta_check *check = checker->check;
	va_list args;
	bool yes;

	va_start(args, detail);
	vsnprintf(checker->detail, sizeof(checker->detail), detail, args);
	va_end(args);
	problem->detail = checker->detail;
	problem->repairable = check->writable && !checker->frozen &&
		!(rmeta_problem_types[problem->code].flags & RMETA_NO_REPAIR);
	if (problem->page != RMETA_OBJECT_SUPERBLOCK &&
	    (check_page_at(checker, problem->page)->flags & CHECK_FROZEN))
		problem->repairable = false;
	check->found++;
	yes = check->ops->fix(check->ctx, problem) && problem->repairable;
	if (!yes)
		checker->declined++;
	say_lost(checker, problem);
	return yes;
}

void rmeta_check_saw_sequence(struct rmeta_checker *checker, u64 sequence)
{
	checker->top_activations = max(checker->top_activations,
				       (u32)(sequence >> RMETA_SEQUENCE_SHIFT));
}

static void begin_phase(struct rmeta_check *check, enum rmeta_check_phase phase)
{
	if (check->ops->phase)
		check->ops->phase(check->ctx, phase);
}

static void count_entry(struct rmeta_check *check, const struct rmeta_entry *entry)
{
	struct rmeta_counts *counts = &check->counts;
	u16 sectors = rmeta_block_mask(rmeta_where_block(entry->where), check->sb.main_sectors,
				       check->sb.block_shift);
	unsigned int bits = hweight16(rmeta_where_mask(entry->where));

	if ((entry->state == RMETA_MAPPED || entry->state == RMETA_LOST) &&
	    (sectors & ~rmeta_where_mask(entry->where)))
		check->stored_blocks++;
	switch (entry->state) {
	case RMETA_MAPPED:
		counts->mapped++;
		counts->pending_sectors += bits;
		break;
	case RMETA_LOST:
		counts->lost++;
		counts->lost_sectors += bits;
		break;
	case RMETA_RETIRED:
		counts->retired++;
		break;
	}
}

static void summarise(struct rmeta_checker *checker)
{
	struct rmeta_check *check = checker->check;
	u64 slots = min((u64)checker->nr_pages * RMETA_PAGE_ENTRIES,
			(u64)rmeta_slots(&check->geo)), slot;

	for (slot = 0; slot < slots; slot++)
		count_entry(check, rmeta_entry_at(&checker->entries, (slot_t)slot));
}

static int run_phases(struct rmeta_checker *checker)
{
	struct rmeta_check *check = checker->check;
	int r;

	begin_phase(check, RMETA_PHASE_SUPERBLOCKS);
	r = rmeta_check_superblocks(checker);
	if (r)
		return r;
	begin_phase(check, RMETA_PHASE_PAGES);
	r = rmeta_check_pages(checker);
	if (r)
		return r;
	begin_phase(check, RMETA_PHASE_CLAIMS);
	r = rmeta_check_claims(checker);
	if (r)
		return r;
	r = rmeta_check_repair(checker);
	begin_phase(check, RMETA_PHASE_SUMMARY);
	summarise(checker);
	return r;
}

static int get_memory(struct rmeta_checker *checker)
{
	unsigned int copy;

	checker->sb_image = rmeta_zalloc(RMETA_BYTES);
	if (!checker->sb_image)
		return -ENOMEM;
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		checker->sb_read[copy] = rmeta_zalloc(RMETA_BYTES);
		if (!checker->sb_read[copy])
			return -ENOMEM;
	}
	return rmeta_store_init(&checker->store, 1);	/* a repair makes it larger */
}

static void put_memory(struct rmeta_checker *checker)
{
	unsigned int copy;
	u32 group;

	rmeta_index_exit(&checker->index);
	for (group = 0; group < checker->entries.max_groups; group++) {
		if (checker->entries.group)
			rmeta_free(checker->entries.group[group]);
		if (checker->pages)
			rmeta_free(checker->pages[group]);
	}
	rmeta_free(checker->entries.group);
	rmeta_free(checker->pages);
	rmeta_free(checker->losers);
	for (copy = 0; copy < RMETA_COPIES; copy++)
		rmeta_free(checker->sb_read[copy]);
	rmeta_free(checker->sb_image);
	rmeta_store_exit(&checker->store);
}

int rmeta_check_run(const struct rmeta_host_ops *ops, void *host, struct rmeta_check *check)
{
	struct rmeta_checker *checker = rmeta_zalloc(sizeof(*checker));
	int r;

	if (!checker)
		return -ENOMEM;
	check->found = 0;
	check->fixed = 0;
	check->written = false;
	check->was_in_use = false;
	check->have_sb = false;
	memset(&check->sb, 0, sizeof(check->sb));
	memset(&check->geo, 0, sizeof(check->geo));
	memset(&check->counts, 0, sizeof(check->counts));
	check->stored_blocks = 0;
	checker->check = check;
	checker->device_pages = ~0U;
	checker->store.ops = ops;
	checker->store.host = host;
	r = get_memory(checker);
	if (!r)
		r = run_phases(checker);
	put_memory(checker);
	rmeta_free(checker);
	return min(r, 0);
}
