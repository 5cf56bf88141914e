// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of a session: what the kernel does with a block of main that fails. Data
 * first, then the change of the entry, and the promise to the user last; the rules of the
 * commit protocol that are the host's are obeyed here, and can be switched off here.
 *
 * An operation that makes no sense in the present state does nothing.
 */
#include <stdio.h>

#include "sim.h"

static struct rmeta_entry *mapped_entry(struct sim_session *session, unsigned int b, slot_t *slot)
{
	*slot = rmeta_index_lookup(&session->table.index, sim_block[b]);
	return *slot == RMETA_NO_SLOT ? NULL : rmeta_table_entry(&session->table, *slot);
}

static void new_tags(struct sim_session *session, unsigned int b, sim_tag *tags)
{
	u16 version = ++session->state->expect.version;
	unsigned int i;

	for (i = 0; i < SIM_BLOCK_SECTORS; i++)
		tags[i] = sim_tag_of(b, i, version);
}

/* Sectors of @mask that main can give, put into @tags. */
static u8 read_main(const struct sim_session *session, unsigned int b, u8 mask, sim_tag *tags)
{
	const struct sim_disk *disk = &session->state->disk;
	u8 got = mask & ~disk->main_bad[b];
	unsigned int i;

	for (i = 0; i < SIM_BLOCK_SECTORS; i++)
		if (got & BIT(i))
			tags[i] = disk->main[b][i];
	return got;
}

static void read_slot(const struct sim_session *session, slot_t slot, u8 mask, sim_tag *tags)
{
	unsigned int i;

	for (i = 0; i < SIM_BLOCK_SECTORS; i++)
		if (mask & BIT(i))
			tags[i] = sim_disk_slot_tag(&session->state->disk, slot, i);
}

/* The first slot that a place may mean. */
static slot_t first_slot(const struct sim_session *session, enum sim_place place)
{
	u32 pages_used = session->table.sb.pages_used;

	switch (place) {
	case SIM_DEEP:
		return 100;
	case SIM_PAGE1:
		return RMETA_PAGE_ENTRIES + 50;
	case SIM_PAGE2:
		return 2 * RMETA_PAGE_ENTRIES + 90;
	case SIM_LAST_GROUP:
		return (pages_used - 1) / RMETA_GROUP_PAGES * RMETA_GROUP_SLOTS + 60;
	default:
		return 0;
	}
}

/* Reserve a slot at @place; what has to be reserved on the way there is given back. */
static bool take_slot(struct sim_session *session, enum sim_place place, slot_t *slot)
{
	slot_t first = first_slot(session, place), *passed, got;
	u32 nr = 0;
	bool found;

	passed = malloc((first + 1) * sizeof(*passed));
	if (!passed)
		abort();
	while ((found = !rmeta_table_reserve(&session->table, &got)) && got < first)
		passed[nr++] = got;
	while (nr)
		rmeta_table_unreserve(&session->table, passed[--nr]);
	free(passed);
	*slot = got;
	return found;
}

/* Which of our blocks an entry is about, or SIM_BLOCKS. */
static unsigned int which_block(const struct rmeta_entry *entry)
{
	unsigned int b;

	for (b = 0; b < SIM_BLOCKS; b++)
		if (sim_block[b] == rmeta_where_block(entry->where))
			break;
	return b;
}

static void expect_after(struct sim_session *session, const struct rmeta_change *change,
			 const struct rmeta_entry *old)
{
	struct sim_expect *expect = &session->state->expect;
	struct rmeta_entry before = *old;

	if (before.state == RMETA_RESERVED)
		memset(&before, 0, sizeof(before));
	switch (change->error) {
	case 0:
		sim_expect_slot_is(expect, change->slot, &change->entry);
		break;
	case -EROFS:
		sim_expect_slot_is(expect, change->slot, &before);
		break;
	default:
		sim_session_say(session, "slot %u: error %d", change->slot, change->error);
		if (which_block(&change->entry) < SIM_BLOCKS)
			session->fenced |= BIT(which_block(&change->entry));
		if (which_block(&before) < SIM_BLOCKS)
			session->fenced |= BIT(which_block(&before));
	}
}

#define MAX_CHANGES 3

/* Apply changes and keep account of what may and what must be there. */
static int apply(struct sim_session *session, struct rmeta_change *changes, unsigned int nr)
{
	struct sim_expect *expect = &session->state->expect;
	struct rmeta_entry old[MAX_CHANGES];
	unsigned int i;
	int r;

	for (i = 0; i < nr; i++) {
		old[i] = *rmeta_table_entry(&session->table, changes[i].slot);
		sim_expect_slot_may(expect, changes[i].slot, &changes[i].entry);
		sim_session_say(session, "slot %u becomes state %u, where %#llx, generation %u",
				changes[i].slot, changes[i].entry.state,
				(unsigned long long)changes[i].entry.where,
				changes[i].entry.generation);
	}
	r = rmeta_table_apply(&session->table, changes, nr);
	for (i = 0; i < nr; i++)
		expect_after(session, &changes[i], &old[i]);
	return r;
}

/* Apply a claim of an unmapped block. */
static int apply_claim(struct sim_session *session, struct rmeta_change *change, unsigned int b)
{
	struct sim_expect *expect = &session->state->expect;
	u8 before = expect->mapped[b];
	int r;

	expect->mapped[b] |= SIM_YES;
	r = apply(session, change, 1);
	if (!r)
		expect->mapped[b] = SIM_YES;
	if (r == -EROFS)
		expect->mapped[b] = before;
	return r;
}

/*
 * An unmapped block that main refuses gets a slot: the sectors in @written are new, of the
 * others those in @copied are tried on main, and what is left is pending.
 */
static int claim_block(struct sim_session *session, unsigned int b, u8 written, u8 copied,
		       enum sim_place place, enum rmeta_reason reason)
{
	struct sim_expect *expect = &session->state->expect;
	sim_tag tags[SIM_BLOCK_SECTORS] = { 0 };
	struct rmeta_change change;
	slot_t slot;
	u8 valid;
	int r;

	if (!take_slot(session, place, &slot))
		return -ENOSPC;
	if (written) {
		new_tags(session, b, tags);
		sim_expect_sector_may(expect, b, written, expect->version);
	}
	valid = written | read_main(session, b, copied & ~written, tags);
	if (valid && RMETA_RULE(DATA_FIRST))
		sim_write_slot(session, slot, valid, tags);
	rmeta_change_claim(&session->table, &change, slot, sim_block[b], sim_full[b] & ~valid,
			   reason);
	r = apply_claim(session, &change, b);
	if (valid && !RMETA_RULE(DATA_FIRST))
		sim_write_slot(session, slot, valid, tags);
	if (!r && written)
		sim_expect_sector_is(expect, b, written, expect->version);
	return r;
}

/* Sectors that are in the slot now need no mask bit any more. */
static int store_sectors(struct sim_session *session, unsigned int b, slot_t slot, u8 mask,
			 const sim_tag *tags)
{
	u8 set = (u8)rmeta_where_mask(rmeta_table_entry(&session->table, slot)->where);
	struct rmeta_change change;
	int r = 0;

	if (RMETA_RULE(MASK_ORDER))
		sim_write_slot(session, slot, mask, tags);
	if (set & mask) {
		rmeta_change_mask(&session->table, &change, slot, set & mask);
		r = apply(session, &change, 1);
	}
	if (!RMETA_RULE(MASK_ORDER))
		sim_write_slot(session, slot, mask, tags);
	return r;
}

static void op_write(struct sim_session *session, const struct sim_op *op)
{
	struct sim_expect *expect = &session->state->expect;
	u8 mask = op->mask & sim_full[op->block];
	sim_tag tags[SIM_BLOCK_SECTORS];
	slot_t slot;
	int r = 0;

	new_tags(session, op->block, tags);
	sim_expect_sector_may(expect, op->block, mask, expect->version);
	if (mapped_entry(session, op->block, &slot))
		r = store_sectors(session, op->block, slot, mask, tags);
	else
		sim_write_main(session, op->block, mask, tags);
	if (!r)
		sim_expect_sector_is(expect, op->block, mask, expect->version);
	else
		session->fenced |= BIT(op->block);
}

static void op_write_bad(struct sim_session *session, const struct sim_op *op)
{
	slot_t slot;

	if (mapped_entry(session, op->block, &slot))
		op_write(session, op);
	else
		claim_block(session, op->block, op->mask & sim_full[op->block],
			    sim_full[op->block], op->place, RMETA_REASON_WRITE);
}

static void op_read_bad(struct sim_session *session, const struct sim_op *op)
{
	u8 mask = op->mask & sim_full[op->block];
	slot_t slot;

	if (mapped_entry(session, op->block, &slot))
		return;
	session->state->disk.main_bad[op->block] |= mask;
	sim_expect_sector_may_fail(&session->state->expect, op->block, mask);
	claim_block(session, op->block, 0, sim_full[op->block], op->place, RMETA_REASON_READ);
}

static void op_import(struct sim_session *session, const struct sim_op *op)
{
	slot_t slot;

	if (!mapped_entry(session, op->block, &slot))
		claim_block(session, op->block, 0, 0, op->place, RMETA_REASON_BADBLOCKS);
}

static void op_import_many(struct sim_session *session, const struct sim_op *op)
{
	static const enum sim_place place[MAX_CHANGES] = { SIM_DEEP, SIM_PAGE1, SIM_PAGE2 };
	struct sim_expect *expect = &session->state->expect;
	struct rmeta_change changes[MAX_CHANGES];
	unsigned int block[MAX_CHANGES], nr = 0, i;
	slot_t slot;

	for (i = 0; i < MAX_CHANGES; i++) {
		unsigned int b = 1 + i;

		if (session->fenced & BIT(b) || mapped_entry(session, b, &slot) ||
		    !take_slot(session, place[i], &slot))
			continue;
		rmeta_change_claim(&session->table, &changes[nr], slot, sim_block[b], sim_full[b],
				   RMETA_REASON_SMART);
		expect->mapped[b] |= SIM_YES;
		block[nr++] = b;
	}
	apply(session, changes, nr);
	for (i = 0; i < nr; i++) {
		if (!changes[i].error)
			expect->mapped[block[i]] = SIM_YES;
		if (changes[i].error == -EROFS)
			expect->mapped[block[i]] = SIM_NO;
	}
}

static void op_salvage(struct sim_session *session, const struct sim_op *op)
{
	sim_tag tags[SIM_BLOCK_SECTORS];
	struct rmeta_entry *entry;
	slot_t slot;
	u8 got;

	entry = mapped_entry(session, op->block, &slot);
	if (!entry || entry->state != RMETA_MAPPED)
		return;
	got = read_main(session, op->block, (u8)rmeta_where_mask(entry->where), tags);
	if (got)
		store_sectors(session, op->block, slot, got, tags);
}

/*
 * The change that moves a claim, given that the sectors in @bad cannot be read out of its
 * slot. @valid is set to the sectors whose data is in @tags, for the new slot.
 */
static void prepare_move(struct sim_session *session, unsigned int b, slot_t from, slot_t to,
			 u8 bad, struct rmeta_change *change, u8 *valid, sim_tag *tags)
{
	const struct rmeta_entry *entry = rmeta_table_entry(&session->table, from);
	u8 mask = (u8)rmeta_where_mask(entry->where), salvaged = 0;
	u8 lost = bad & ~mask & sim_full[b];

	*valid = sim_full[b] & ~mask & ~lost;
	read_slot(session, from, *valid, tags);
	if (lost && entry->state == RMETA_MAPPED && RMETA_RULE(MOVE_LOST)) {
		salvaged = read_main(session, b, mask, tags);
		*valid |= salvaged;
	}
	rmeta_change_move(&session->table, change, from, to, salvaged, lost);
	if (!RMETA_RULE(MOVE_LOST))
		change->entry.state = RMETA_MAPPED;
	if (change->entry.state == RMETA_LOST)
		sim_expect_sector_may_fail(&session->state->expect, b,
					   (u8)rmeta_where_mask(change->entry.where));
}

static void op_move(struct sim_session *session, const struct sim_op *op)
{
	struct sim_expect *expect = &session->state->expect;
	sim_tag tags[SIM_BLOCK_SECTORS] = { 0 };
	struct rmeta_change move, retire;
	unsigned int b = op->block;
	slot_t from, to;
	u8 valid;

	if (!mapped_entry(session, b, &from) || !take_slot(session, op->place, &to))
		return;
	prepare_move(session, b, from, to, op->mask, &move, &valid, tags);
	rmeta_change_retire(&session->table, &retire, from, sim_block[b]);
	if (valid)
		sim_write_slot(session, to, valid, tags);
	if (!RMETA_RULE(MOVE_ORDER)) {
		apply(session, &retire, 1);
		apply(session, &move, 1);
		return;
	}
	/* From now on a load may find both claims, and retire the old one itself. */
	sim_expect_slot_may(expect, from, &retire.entry);
	if (apply(session, &move, 1))
		return;
	if (op->mask & sim_full[b])
		sim_expect_sector_lost(expect, b, move.entry.state == RMETA_LOST ?
				       (u8)rmeta_where_mask(move.entry.where) : 0);
	if (!RMETA_RULE(MOVE_LOST))
		sim_expect_sector_lost(expect, b, op->mask & sim_full[b]);
	apply(session, &retire, 1);
}

/* The entry of a block that was copied back is freed, and the block is main's again. */
static int free_block(struct sim_session *session, unsigned int b, slot_t slot)
{
	struct sim_expect *expect = &session->state->expect;
	struct rmeta_change change;
	int r;

	expect->mapped[b] |= SIM_NO;
	rmeta_change_free(&session->table, &change, slot);
	r = apply(session, &change, 1);
	if (!r)
		expect->mapped[b] = SIM_NO;
	if (r == -EROFS)
		expect->mapped[b] = SIM_YES;
	return r;
}

static bool copy_back(struct sim_session *session, unsigned int b, slot_t *slot)
{
	sim_tag tags[SIM_BLOCK_SECTORS];
	struct rmeta_entry *entry = mapped_entry(session, b, slot);
	u8 valid;

	if (!entry || entry->state != RMETA_MAPPED)
		return false;
	valid = sim_full[b] & ~(u8)rmeta_where_mask(entry->where);
	read_slot(session, *slot, valid, tags);
	if (valid)
		sim_write_main(session, b, valid, tags);
	return true;
}

static void op_unmap(struct sim_session *session, const struct sim_op *op)
{
	slot_t slot;

	if (copy_back(session, op->block, &slot))
		free_block(session, op->block, slot);
}

/* Unmapped, and at once main refuses a write of it: the block is claimed anew. */
static void op_replace(struct sim_session *session, const struct sim_op *op)
{
	unsigned int b = op->block;
	slot_t slot;
	int r = 0;

	if (!copy_back(session, b, &slot))
		return;
	if (RMETA_RULE(FREE_FIRST))
		r = free_block(session, b, slot);
	if (r)
		return;
	claim_block(session, b, op->mask & sim_full[b], sim_full[b], op->place,
		    RMETA_REASON_WRITE);
	if (!RMETA_RULE(FREE_FIRST))
		free_block(session, b, slot);
}

static void op_bad_slot(struct sim_session *session, const struct sim_op *op)
{
	struct rmeta_change change;
	slot_t slot;

	if (mapped_entry(session, op->block, &slot) || !take_slot(session, op->place, &slot))
		return;
	rmeta_change_retire(&session->table, &change, slot, sim_block[op->block]);
	if (!apply(session, &change, 1))
		op_write_bad(session, op);
}

/* By one group and as many more as op->mask says. */
static void op_grow(struct sim_session *session, const struct sim_op *op)
{
	struct sim_expect *expect = &session->state->expect;
	u32 before = session->table.sb.pages_used, nr_groups = 1 + op->mask;
	int r;

	expect->pages_used[1] = min(before + nr_groups * RMETA_GROUP_PAGES, sim_geo.table_pages);
	r = rmeta_table_grow_by(&session->table, nr_groups);
	sim_session_say(session, "grow: %d, %u pages", r, session->table.sb.pages_used);
	if (!r)
		expect->pages_used[0] = session->table.sb.pages_used;
}

static int release(struct sim_session *session)
{
	struct sim_expect *expect = &session->state->expect;
	int r;

	expect->in_use |= SIM_NO;
	expect->read_errors[1] = ++session->table.sb.read_errors;
	r = rmeta_table_release(&session->table);
	sim_session_say(session, "release: %d", r);
	if (!r) {
		expect->in_use = SIM_NO;
		expect->read_errors[0] = expect->read_errors[1];
	}
	return r;
}

static void reload(struct sim_session *session)
{
	sim_session_unload(session);
	session->state->expect.session++;
	session->fenced = 0;
	sim_session_load(session);
}

/* Loaded again at once: nothing may have changed. */
static void op_reload(struct sim_session *session)
{
	reload(session);
	if (session->violation)
		session->violation = SIM_TWICE;
}

static void op_restart(struct sim_session *session)
{
	if (release(session))
		return;
	sim_session_settle(session);
	reload(session);
}

static void op_die(struct sim_session *session, const struct sim_op *op)
{
	struct sim_state *state = session->state;
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (op->mask & BIT(copy))
			state->health.dead |= SIM_UNIT_MASK(SIM_WHOLE, copy);
	if (sim_failed_copies(state->health.dead | state->health.deaf) > 1)
		state->expect.doubtful = true;
}

/* The spare is there, in part at least: nothing that a scrub may refuse. */
static void op_scrub(struct sim_session *session)
{
	const struct sim_health *health = &session->state->health;
	struct rmeta_table *table = &session->table;
	struct rmeta_scrub scrub = { .pages = 0 };
	int r;

	r = rmeta_table_scrub_super(table, &scrub);
	if (!r)
		r = rmeta_table_scrub_pages(table, 0, table->sb.pages_used, &scrub);
	sim_session_say(session, "scrub: %d, %u pages, %u copies bad, %u repaired", r, scrub.pages,
			scrub.bad, scrub.repaired);
	if (r || scrub.pages != table->sb.pages_used)
		sim_session_broken(session, SIM_STATUS, "scrub of %u pages: error %d after %u",
				   table->sb.pages_used, r, scrub.pages);
	else if (!health->dead && session->fail.kind != SIM_FAIL_WRITE &&
		 rmeta_table_live_copies(table) != RMETA_COPIES)
		sim_session_broken(session, SIM_STATUS, "only %u copies are live after a scrub",
				   rmeta_table_live_copies(table));
}

/**
 * sim_op_run() - carry out one operation
 * @session: loaded
 * @op: which
 */
void sim_op_run(struct sim_session *session, const struct sim_op *op)
{
	char name[60];

	sim_op_name(op, name, sizeof(name));
	sim_session_say(session, "%s", name);
	if (session->fenced & BIT(op->block) && op->kind <= SIM_OP_REPLACE)
		return;
	switch (op->kind) {
	case SIM_OP_WRITE:
		op_write(session, op);
		break;
	case SIM_OP_WRITE_BAD:
		op_write_bad(session, op);
		break;
	case SIM_OP_READ_BAD:
		op_read_bad(session, op);
		break;
	case SIM_OP_IMPORT:
		op_import(session, op);
		break;
	case SIM_OP_IMPORT_MANY:
		op_import_many(session, op);
		break;
	case SIM_OP_SALVAGE:
		op_salvage(session, op);
		break;
	case SIM_OP_MOVE:
		op_move(session, op);
		break;
	case SIM_OP_UNMAP:
		op_unmap(session, op);
		break;
	case SIM_OP_BAD_SLOT:
		op_bad_slot(session, op);
		break;
	case SIM_OP_REPLACE:
		op_replace(session, op);
		break;
	case SIM_OP_GROW:
		op_grow(session, op);
		break;
	case SIM_OP_RELEASE:
		release(session);
		session->finished = true;
		break;
	case SIM_OP_RESTART:
		op_restart(session);
		break;
	case SIM_OP_RELOAD:
		op_reload(session);
		break;
	case SIM_OP_DIE:
		op_die(session, op);
		break;
	case SIM_OP_HEAL:
		session->state->health.dead = 0;
		session->known_dead = 0;
		break;
	case SIM_OP_SCRUB:
		op_scrub(session);
		break;
	default:
		break;
	}
}

/**
 * sim_op_name() - an operation for a trace
 * @op: which
 * @text: out
 * @bytes: room in @text
 */
void sim_op_name(const struct sim_op *op, char *text, size_t bytes)
{
	static const char *const name[SIM_NR_OPS] = {
		[SIM_OP_WRITE] = "write",
		[SIM_OP_WRITE_BAD] = "write-bad",
		[SIM_OP_READ_BAD] = "read-bad",
		[SIM_OP_IMPORT] = "import",
		[SIM_OP_IMPORT_MANY] = "import-many",
		[SIM_OP_SALVAGE] = "salvage",
		[SIM_OP_MOVE] = "move",
		[SIM_OP_UNMAP] = "unmap",
		[SIM_OP_BAD_SLOT] = "bad-slot",
		[SIM_OP_REPLACE] = "replace",
		[SIM_OP_GROW] = "grow",
		[SIM_OP_RELEASE] = "release",
		[SIM_OP_RESTART] = "restart",
		[SIM_OP_RELOAD] = "reload",
		[SIM_OP_DIE] = "die",
		[SIM_OP_HEAL] = "heal",
		[SIM_OP_SCRUB] = "scrub",
		[SIM_OP_REVIVE] = "revive",
		[SIM_OP_FORMAT] = "format",
		[SIM_OP_WIPE] = "wipe",
		[SIM_OP_HIDE] = "hide",
		[SIM_OP_CHECK] = "check",
	};

	snprintf(text, bytes, "%s block %u sectors %#x place %u", name[op->kind], op->block,
		 op->mask, op->place);
}
