// SPDX-License-Identifier: GPL-2.0-only
/* The engine on a damaged spare. See fuzz_spare.h. */
#include "check.h"
#include "fuzz_disk.h"
#include "fuzz_spare.h"

/* How questions are answered. */
enum policy { POLICY_NO, POLICY_PREEN, POLICY_YES, POLICY_SOME, NR_POLICIES };

/**
 * struct session - one run of the check
 * @policy: answers
 * @input: POLICY_SOME: a byte for each answer
 * @check: parameters and outcome
 */
struct session {
	enum policy policy;
	struct fuzz_input *input;
	struct rmeta_check check;
};

static bool fix(void *ctx, const struct rmeta_problem *problem)
{
	struct session *session = ctx;
	char where[96];

	rmeta_problem_where(problem, where, sizeof(where));
	FUZZ_CHECK(*where && strlen(where) < sizeof(where) - 1, "no place");
	switch (session->policy) {
	case POLICY_PREEN:
		return rmeta_problem_types[problem->code].flags & RMETA_PREEN;
	case POLICY_YES:
		return true;
	case POLICY_SOME:
		return fuzz_u8(session->input) & 1;
	default:
		return false;
	}
}

static int run_check(struct session *session, struct fuzz_disk *disk, enum policy policy)
{
	static const struct rmeta_check_ops ops = { .fix = fix };

	session->policy = policy;
	session->check = (struct rmeta_check){
		.device_sectors = disk->sectors,
		.writable = policy != POLICY_NO,
		.search = true,
		.ops = &ops,
		.ctx = session,
	};
	return rmeta_check_run(&fuzz_disk_ops, disk, &session->check);
}

static int load_table(struct rmeta_table *table, struct fuzz_disk *disk, bool read_only)
{
	struct rmeta_load load = {
		.device_sectors = disk->sectors,
		.read_only = read_only,
		.batch = 2,
		.hash_seed = 1,
	};
	int r;

	r = rmeta_table_load(table, &fuzz_disk_ops, disk, &load);
	FUZZ_CHECK(!r || r == -ENOMEM || load.problem, "no load, and no reason: %d", r);
	return r;
}

/* Counts are sums over the entries, and every claim is found by its block. */
static void verify_table(const struct rmeta_table *table)
{
	u64 slots = min((u64)table->sb.pages_used * RMETA_PAGE_ENTRIES,
			(u64)rmeta_slots(&table->store.geo));
	struct rmeta_counts counts = { 0 };
	u64 slot;

	for (slot = 0; slot < slots; slot++) {
		const struct rmeta_entry *entry = rmeta_table_entry(table, (slot_t)slot);
		block_t block = rmeta_where_block(entry->where);
		u16 mask = rmeta_where_mask(entry->where);

		if (entry->state == RMETA_FREE)
			continue;
		FUZZ_CHECK(block < rmeta_blocks(&table->store.geo), "a block behind main");
		FUZZ_CHECK(!(mask & ~rmeta_block_mask(block, table->sb.main_sectors,
						      table->sb.block_shift)), "a mask too wide");
		if (entry->state == RMETA_RETIRED) {
			counts.retired++;
			continue;
		}
		FUZZ_CHECK(rmeta_index_lookup(&table->index, block) == slot, "a claim not found");
		counts.mapped += entry->state == RMETA_MAPPED;
		counts.lost += entry->state == RMETA_LOST;
		*(entry->state == RMETA_LOST ? &counts.lost_sectors : &counts.pending_sectors) +=
			hweight16(mask);
	}
	FUZZ_CHECK(counts.mapped == table->counts.mapped && counts.lost == table->counts.lost &&
		   counts.retired == table->counts.retired &&
		   counts.pending_sectors == table->counts.pending_sectors &&
		   counts.lost_sectors == table->counts.lost_sectors, "wrong counts");
}

static bool loads(struct fuzz_disk *disk, bool read_only)
{
	struct rmeta_table table;

	if (load_table(&table, disk, read_only))
		return false;
	verify_table(&table);
	if (!read_only)
		rmeta_table_release(&table);
	rmeta_table_exit(&table);
	return true;
}

/* What a repair left nothing of is clean for the next check, and for the target. */
static void verify_repaired(struct session *session, struct fuzz_disk *disk)
{
	u64 writes = disk->writes;
	int r;

	r = run_check(session, disk, POLICY_NO);
	FUZZ_CHECK(!r && !session->check.found, "repaired, but a second run finds %u problems (%d)",
		   session->check.found, r);
	FUZZ_CHECK(disk->writes == writes, "a check that may not write wrote");
	FUZZ_CHECK(loads(disk, true), "repaired, but it does not load");
	if (!disk->faults)
		FUZZ_CHECK(loads(disk, false), "repaired, but it does not load read-write");
}

void fuzz_spare(const u8 *data, size_t bytes, bool large)
{
	struct fuzz_input input = { data, bytes };
	struct session session = { .input = &input };
	struct fuzz_disk *disk = fuzz_disk_begin(&input, large);
	enum policy policy = (enum policy)(fuzz_u8(&input) % NR_POLICIES);
	bool loaded;
	int r;

	loaded = loads(disk, true);
	r = run_check(&session, disk, POLICY_NO);
	FUZZ_CHECK(!disk->writes, "reading wrote");
	FUZZ_CHECK(!session.check.fixed && !session.check.written, "nothing was allowed");
	FUZZ_CHECK(loaded || r || session.check.found, "called clean, but it does not load");
	if (policy == POLICY_NO) {
		loads(disk, false);
		return;
	}
	r = run_check(&session, disk, policy);
	FUZZ_CHECK(session.check.fixed <= session.check.found, "more repaired than found");
	if (!r && session.check.found == session.check.fixed)
		verify_repaired(&session, disk);
}
