// SPDX-License-Identifier: GPL-2.0-only
/*
 * Phase 2 of the check, one level down: the entries of a page that verified. What an entry
 * may be is rmeta_entry_valid()'s to say; here is what each fault is called, and what becomes
 * of the entry. No repair makes a claim of what was none, or moves one to another block.
 */
#include <inttypes.h>

#include "check_private.h"

/* An entry being judged. */
struct judge {
	struct rmeta_checker *checker;
	struct rmeta_entry *entry;
	u32 page;
	slot_t slot;
};

static block_t entry_block(const struct rmeta_entry *entry)
{
	return rmeta_where_block(entry->where);
}

void rmeta_check_retire(struct rmeta_checker *checker, struct rmeta_entry *entry, block_t block)
{
	entry->where = rmeta_where(block, 0);
	entry->time = (u32)checker->store.ops->now(checker->store.host);
	entry->state = RMETA_RETIRED;
	entry->reserved = 0;
}

static struct rmeta_problem problem_of(const struct judge *judge, enum rmeta_problem_code code)
{
	struct rmeta_problem problem = rmeta_check_problem(code);

	problem.page = judge->page;
	problem.slot = judge->slot;
	if (judge->entry->state != RMETA_FREE || judge->entry->where)
		problem.block = entry_block(judge->entry);
	return problem;
}

/* The repair of an entry has been allowed: its page is to be written. */
static void approve(const struct judge *judge)
{
	struct check_page *state = check_page_at(judge->checker, judge->page);

	state->flags |= CHECK_COMMIT;
	state->approved++;
}

static bool is_zero(const struct rmeta_entry *entry)
{
	static const struct rmeta_entry zero;

	return !memcmp(entry, &zero, sizeof(zero));
}

static void judge_past(const struct judge *judge)
{
	struct rmeta_problem problem = problem_of(judge, RMETA_P_ENTRY_PAST);

	if (!rmeta_check_raise(judge->checker, &problem,
			       "the spare has %" PRIu32 " slots; state %u",
			       rmeta_slots(&judge->checker->check->geo), judge->entry->state))
		return;
	memset(judge->entry, 0, sizeof(*judge->entry));
	approve(judge);
}

/* The slot may hold the only copy of something: it is not to be used again. */
static void retire_doubtful(const struct judge *judge)
{
	struct rmeta_entry *entry = judge->entry;
	block_t block = entry_block(entry);

	if (block >= rmeta_blocks(&judge->checker->check->geo))
		block = 0;
	if (entry->reason >= RMETA_NR_REASONS)
		entry->reason = RMETA_REASON_REPAIR;
	rmeta_check_retire(judge->checker, entry, block);
	approve(judge);
}

static void judge_state(const struct judge *judge)
{
	struct rmeta_problem problem = problem_of(judge, RMETA_P_ENTRY_STATE);
	const struct rmeta_entry *entry = judge->entry;

	if (!rmeta_check_raise(judge->checker, &problem,
			       "state %u; if it was mapped, this block would be read from main again, where its data is old",
			       entry->state))
		return;
	retire_doubtful(judge);
}

static void judge_free(const struct judge *judge)
{
	const struct rmeta_entry *entry = judge->entry;
	struct rmeta_problem problem = problem_of(judge, RMETA_P_ENTRY_FREE);

	if (!rmeta_check_raise(judge->checker, &problem,
			       "where %#" PRIx64 ", time %" PRIu32 ", reason %u, generation %u; if it was mapped, its block is read from main again, where its data is old",
			       entry->where, entry->time, entry->reason, entry->generation))
		return;
	retire_doubtful(judge);
}

static void judge_bytes(const struct judge *judge)
{
	struct rmeta_problem problem;
	struct rmeta_entry *entry = judge->entry;

	if (entry->reserved) {
		problem = problem_of(judge, RMETA_P_ENTRY_RESERVED);
		if (rmeta_check_raise(judge->checker, &problem, "%u", entry->reserved)) {
			entry->reserved = 0;
			approve(judge);
		}
	}
	if (entry->reason >= RMETA_NR_REASONS) {
		problem = problem_of(judge, RMETA_P_ENTRY_REASON);
		if (rmeta_check_raise(judge->checker, &problem, "%u", entry->reason)) {
			entry->reason = RMETA_REASON_REPAIR;
			approve(judge);
		}
	}
}

static void judge_retired(const struct judge *judge, u16 sectors)
{
	struct rmeta_problem problem = problem_of(judge, RMETA_P_ENTRY_RETIRED);
	struct rmeta_entry *entry = judge->entry;
	u16 mask = rmeta_where_mask(entry->where);

	if (sectors && !mask)
		return;
	if (!rmeta_check_raise(judge->checker, &problem, "mask %#x", mask))
		return;
	entry->where = rmeta_where(sectors ? entry_block(entry) : 0, 0);
	approve(judge);
}

static void judge_beyond(const struct judge *judge)
{
	struct rmeta_problem problem = problem_of(judge, RMETA_P_ENTRY_BEYOND);
	const struct rmeta_check *check = judge->checker->check;

	if (!rmeta_check_raise(judge->checker, &problem,
			       "main has %" PRIu64 " blocks; if the slot held another one's data, that block would be read from main again, where its data is old",
			       rmeta_blocks(&check->geo)))
		return;
	rmeta_check_retire(judge->checker, judge->entry, 0);
	approve(judge);
}

static void judge_mask(const struct judge *judge, u16 sectors)
{
	struct rmeta_problem problem = problem_of(judge, RMETA_P_ENTRY_MASK);
	struct rmeta_entry *entry = judge->entry;
	u16 mask = rmeta_where_mask(entry->where);

	/* A lost entry without a bit that means anything is judge_lost()'s. */
	if (!(mask & ~sectors) || (entry->state == RMETA_LOST && !(mask & sectors)))
		return;
	if (!rmeta_check_raise(judge->checker, &problem,
			       "mask %#x, the block has %u sectors", mask, hweight16(sectors)))
		return;
	entry->where = rmeta_where(entry_block(entry), mask & sectors);
	approve(judge);
}

static void judge_lost(const struct judge *judge, u16 sectors)
{
	struct rmeta_problem problem = problem_of(judge, RMETA_P_ENTRY_LOST);
	struct rmeta_entry *entry = judge->entry;
	u16 mask = rmeta_where_mask(entry->where);

	if (entry->state != RMETA_LOST || (mask & sectors))
		return;
	if (!rmeta_check_raise(judge->checker, &problem, "mask %#x", mask))
		return;
	entry->where = rmeta_where(entry_block(entry), 0);
	entry->state = RMETA_MAPPED;
	approve(judge);
}

static void judge_entry(const struct judge *judge)
{
	const struct rmeta_check *check = judge->checker->check;
	struct rmeta_entry *entry = judge->entry;
	u16 sectors;

	if (entry->state >= RMETA_NR_STATES) {
		judge_state(judge);
		return;
	}
	if (entry->state == RMETA_FREE) {
		judge_free(judge);
		return;
	}
	judge_bytes(judge);
	sectors = rmeta_block_mask(entry_block(entry), check->sb.main_sectors,
				   check->sb.block_shift);
	if (entry->state == RMETA_RETIRED) {
		judge_retired(judge, sectors);
	} else if (!sectors) {
		judge_beyond(judge);
	} else {
		judge_mask(judge, sectors);
		judge_lost(judge, sectors);
	}
}

void rmeta_check_entries(struct rmeta_checker *checker, u32 page)
{
	struct rmeta_entry *entries = check_page_entries(checker, page);
	const struct rmeta_check *check = checker->check;
	u32 slots = rmeta_slots(&check->geo), nr;
	struct judge judge = { .checker = checker, .page = page };

	for (nr = 0; nr < RMETA_PAGE_ENTRIES; nr++) {
		u64 slot = (u64)page * RMETA_PAGE_ENTRIES + nr;

		judge.slot = (slot_t)slot;
		judge.entry = &entries[nr];
		if (slot >= slots) {
			if (!is_zero(judge.entry))
				judge_past(&judge);
		} else if (rmeta_entry_valid(judge.entry, check->sb.main_sectors,
					     check->sb.block_shift)) {
			judge_entry(&judge);
		}
	}
}
