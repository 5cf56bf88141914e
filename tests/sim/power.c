// SPDX-License-Identifier: GPL-2.0-only
/*
 * The course of a session: power on with the failures that are due, the load and what it
 * must show, the script, power off; and the writes of data, which are steps like any other.
 */
#include <stdio.h>

#include "check.h"
#include "sim.h"

static void power_on(struct sim_session *session)
{
	struct sim_health *health = &session->state->health;
	const struct sim_fail *fail = &session->fail;

	session->state->expect.session++;
	if (fail->kind == SIM_FAIL_REVIVE)
		health->dead = 0;
	session->promise = health->promise;
	session->known_dead = health->dead;
	health->deaf = 0;
	switch (fail->kind) {
	case SIM_FAIL_HIDDEN:
		health->dead |= fail->units;
		health->budget--;
		break;
	case SIM_FAIL_DEAF:
		health->deaf |= fail->units;
		health->budget--;
		if (session->promise)
			session->promise--;
		break;
	case SIM_FAIL_FROM:
	case SIM_FAIL_WRITE:
		health->budget--;
		break;
	default:
		break;
	}
	if (sim_failed_copies(health->dead | health->deaf) > 1)
		session->state->expect.doubtful = true;
	session->collect_from = fail->kind == SIM_FAIL_FROM || fail->kind == SIM_FAIL_WRITE ?
				fail->step : 0;
}

static int engine_load(struct sim_session *session, struct rmeta_load *load, bool read_only)
{
	*load = (struct rmeta_load){
		.device_sectors = sim_geo.spare_sectors,
		.main_sectors = sim_geo.main_sectors,
		.read_only = read_only,
		.batch = sim_layout->batch,
		.hash_seed = 1,
		.host_name = "simulated",
	};
	return rmeta_table_load(&session->table, &sim_host_ops, session, load);
}

/*
 * Which life does the table show? Only formats cut short leave a choice: each of them may have
 * left one superblock, hidden from the attempts after it, and none has a remap.
 */
static bool right_life(struct sim_session *session)
{
	struct sim_expect *expect = &session->state->expect;
	u8 life = session->table.store.uuid[0];

	if (expect->formatting && life > expect->life && life <= expect->lives) {
		sim_expect_blank(expect, &session->state->disk);
		expect->life = life;
		expect->in_use |= SIM_YES;
		expect->pages_used[1] = sim_geo.table_pages;
		return true;
	}
	if (life == expect->life)
		return true;
	sim_session_broken(session, SIM_FORMAT, "spare number %u is shown, not %u", life,
			   expect->life);
	return false;
}

/* May a load fail? When a format was cut short, or too much has failed to promise anything. */
static bool may_fail(const struct sim_session *session)
{
	const struct sim_health *health = &session->state->health;
	int promise = session->promise -
		      (int)sim_failed_copies(health->dead & ~session->known_dead);

	return session->state->expect.formatting || promise <= 0 ||
	       sim_failed_copies(health->dead | health->deaf) > 3;
}

static void check_load(struct sim_session *session)
{
	const struct sim_health *health = &session->state->health;
	const struct rmeta_table *table = &session->table;
	enum sim_invariant broken;
	char why[160];

	broken = sim_check_shown(&session->state->expect, &session->state->disk, table, why,
				 sizeof(why));
	if (broken && sim_session_broken(session, broken, "%s", why))
		return;
	if (table->needs_check && !session->state->expect.doubtful)
		sim_session_broken(session, SIM_STATUS, "a check is said to be due");
	if (!table->read_only && !health->dead && session->fail.kind != SIM_FAIL_WRITE &&
	    rmeta_table_live_copies(table) != RMETA_COPIES)
		sim_session_broken(session, SIM_STATUS, "only %u copies are live after a load",
				   rmeta_table_live_copies(table));
}

/* A read-only load of the same disks: it writes nothing and shows nothing else. */
static void look(struct sim_session *session)
{
	struct sim_expect *expect = &session->state->expect;
	struct rmeta_load load;
	enum sim_invariant broken;
	char why[160];
	int r;

	if (expect->formatting)
		return;
	session->read_only = true;
	r = engine_load(session, &load, true);
	session->read_only = false;
	if (r && !may_fail(session))
		sim_session_broken(session, SIM_LOADS, "read-only: error %d: %s", r, load.problem);
	if (r)
		return;
	broken = sim_check_shown(expect, &session->state->disk, &session->table, why, sizeof(why));
	if (broken)
		sim_session_broken(session, broken, "read-only: %s", why);
	rmeta_table_exit(&session->table);
}

/**
 * sim_session_load() - load, and check all that it shows
 * @session: nothing is loaded
 *
 * Return: 0, or the engine's error; a violation if it was not allowed.
 */
int sim_session_load(struct sim_session *session)
{
	struct sim_expect *expect = &session->state->expect;
	bool choice = expect->formatting;
	u8 in_use = expect->in_use;
	struct rmeta_load load;
	int r;

	expect->in_use |= SIM_YES;
	expect->pages_used[1] = max(expect->pages_used[1],
				    min(sim_geo.table_pages, (u32)RMETA_GROUP_PAGES));
	r = engine_load(session, &load, false);
	if (r) {
		sim_session_say(session, "load: error %d: %s", r, load.problem);
		if (!may_fail(session))
			sim_session_broken(session, SIM_LOADS, "error %d: %s", r, load.problem);
		session->ended = true;
		return r;
	}
	sim_session_say(session, "loaded: %u mapped, %u lost, %u retired; %u copies live",
			session->table.counts.mapped, session->table.counts.lost,
			session->table.counts.retired, rmeta_table_live_copies(&session->table));
	session->loaded = true;
	if (session->ended || !right_life(session))
		return 0;
	if (!choice && !expect->wiped && !(in_use & (load.was_in_use ? SIM_YES : SIM_NO)))
		sim_session_broken(session, SIM_STATUS, "in use is said to have been %d",
				   load.was_in_use);
	check_load(session);
	if (session->ended)
		return 0;
	sim_expect_shown(expect, &session->state->disk, &session->table);
	expect->formatting = false;
	sim_session_settle(session);
	return 0;
}

/**
 * sim_session_unload() - forget what is in memory; nothing is written
 * @session: which
 */
void sim_session_unload(struct sim_session *session)
{
	if (session->loaded)
		rmeta_table_exit(&session->table);
	session->loaded = false;
}

/**
 * sim_session_format() - a new life on this spare
 * @session: nothing is loaded
 */
void sim_session_format(struct sim_session *session)
{
	struct sim_expect *expect = &session->state->expect;
	struct rmeta_format_params params = {
		.spare_sectors = sim_geo.spare_sectors,
		.main_sectors = sim_geo.main_sectors,
		.block_shift = sim_geo.block_shift,
		.now = expect->session,
		.label = "simulated",
	};
	int r;

	expect->formatting = true;
	params.uuid[0] = ++expect->lives;
	r = rmeta_format(&sim_host_ops, session, &params);
	sim_session_say(session, "format: %d", r);
	if (r) {
		if (!session->state->health.dead && session->fail.kind != SIM_FAIL_WRITE)
			sim_session_broken(session, SIM_FORMAT, "format: error %d", r);
		return;
	}
	sim_expect_blank(expect, &session->state->disk);
	session->state->health.promise = 2;
	session->promise = 2;
	sim_session_settle(session);
}

/*
 * What happens between power on and the load
 */

static bool allow_repair(void *ctx, const struct rmeta_problem *problem)
{
	struct sim_session *session = ctx;
	bool allowed = !(rmeta_problem_types[problem->code].flags & RMETA_LOSS);

	sim_session_say(session, "check: %s, page %d, copies %#x: %s",
			rmeta_problem_types[problem->code].text, (int)problem->page,
			problem->copies, allowed ? "repair" : "leave");
	return allowed;
}

static void run_check(struct sim_session *session)
{
	static const struct rmeta_check_ops ops = { .fix = allow_repair };
	struct rmeta_check check = {
		.device_sectors = sim_geo.spare_sectors,
		.writable = true,
		.ops = &ops,
		.ctx = session,
	};
	int r;

	/* While it repairs, it marks the spare as one that needs a check. */
	session->state->expect.doubtful = true;
	r = rmeta_check_run(&sim_host_ops, session, &check);

	sim_session_say(session, "check: %d, %u found, %u repaired", r, check.found, check.fixed);
	/* Once there were pages, superblocks are made again from them. */
	if (session->state->expect.wiped && session->state->expect.loaded)
		session->promise = min(session->before_wipe, (u8)1);
	sim_session_settle(session);
}

/* Superblocks are destroyed. With all five gone, no more than the pages is promised. */
static void wipe(struct sim_session *session, u8 mask)
{
	struct sim_state *state = session->state;
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (mask & BIT(copy))
			sim_disk_set(&state->disk, copy, NULL);
	state->expect.wiped = true;
	session->before_wipe = session->promise;
	state->health.promise = session->promise = 0;
}

static void hide(struct sim_session *session, u8 units)
{
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		session->state->health.dead |= SIM_UNIT_MASK(units, copy);
	session->state->expect.doubtful = true;
}

/**
 * sim_op_is_early() - is an operation done before the load?
 * @op: which
 *
 * Return: whether.
 */
bool sim_op_is_early(const struct sim_op *op)
{
	return op->kind >= SIM_OP_REVIVE;
}

/**
 * sim_op_early() - carry out an operation that comes before the load
 * @session: nothing is loaded
 * @op: which
 */
void sim_op_early(struct sim_session *session, const struct sim_op *op)
{
	char name[60];

	sim_op_name(op, name, sizeof(name));
	sim_session_say(session, "%s", name);
	switch (op->kind) {
	case SIM_OP_REVIVE:
		session->state->health.dead &= ~session->known_dead;
		break;
	case SIM_OP_FORMAT:
		sim_session_format(session);
		break;
	case SIM_OP_WIPE:
		wipe(session, op->mask);
		break;
	case SIM_OP_HIDE:
		hide(session, op->mask);
		break;
	case SIM_OP_CHECK:
		run_check(session);
		break;
	default:
		break;
	}
}

/**
 * sim_session_run() - one life of the engine
 * @session: state, script, fail, wanted, ctx, only and verbose are set, the rest is zero
 *
 * Afterwards session->state is the state at power off, and session->crashes all states that
 * a cut could have left and that were wanted. sim_session_free() frees them.
 */
void sim_session_run(struct sim_session *session)
{
	const struct sim_expect *expect = &session->state->expect;
	const struct sim_script *script = session->script;
	unsigned int i = 0;

	power_on(session);
	session->collecting = session->wanted || session->only;
	if (session->look)
		look(session);
	if (!expect->lives)
		sim_session_format(session);
	for (; i < script->nr && sim_op_is_early(&script->op[i]) && !session->ended; i++)
		sim_op_early(session, &script->op[i]);
	if (!session->ended && sim_session_load(session) && expect->formatting &&
	    !session->violation) {
		/* The format was cut short, and it shows: the user formats again. */
		session->ended = false;
		sim_session_format(session);
		if (!expect->formatting)
			sim_session_load(session);
	}
	for (; i < script->nr && session->loaded && !session->ended && !session->finished; i++) {
		sim_op_run(session, &script->op[i]);
		sim_session_settle(session);
	}
	sim_session_unload(session);
}

/**
 * sim_session_free() - free what a session collected, not its state
 * @session: which
 */
void sim_session_free(struct sim_session *session)
{
	u32 i;

	for (i = 0; i < session->nr_crashes; i++)
		sim_state_free(session->crashes[i].state);
	free(session->crashes);
	session->crashes = NULL;
	session->nr_crashes = 0;
}

/*
 * Data
 */

/*
 * Write the sectors of @mask into @where. A cut leaves some of them new: from the front or
 * from the back, sector by sector.
 */
static void write_data(struct sim_session *session, sim_tag *where, u8 *bad, u8 mask,
		       const sim_tag *tags)
{
	unsigned int nr = hweight8(mask), cuts[] = { 0, 1, nr / 2, nr }, i, k, done;
	sim_tag old[SIM_BLOCK_SECTORS];
	u8 old_bad = bad ? *bad : 0;
	bool back;

	memcpy(old, where, sizeof(old));
	for (i = 0; i < 2 * ARRAY_SIZE(cuts); i++) {
		back = i >= ARRAY_SIZE(cuts);
		memcpy(where, old, sizeof(old));
		if (bad)
			*bad = old_bad;
		for (k = 0, done = 0; k < SIM_BLOCK_SECTORS; k++) {
			unsigned int sector = back ? SIM_BLOCK_SECTORS - 1 - k : k;

			if (!(mask & BIT(sector)) || done >= cuts[i % ARRAY_SIZE(cuts)])
				continue;
			where[sector] = tags[sector];
			if (bad)
				*bad &= ~BIT(sector);
			done++;
		}
		sim_session_offer_data(session, i);
	}
	session->step++;
}

/**
 * sim_write_slot() - write data into a slot; durable when it returns
 * @session: which
 * @slot: which
 * @mask: its sectors to be written
 * @tags: SIM_BLOCK_SECTORS tags; those in @mask are written
 */
void sim_write_slot(struct sim_session *session, slot_t slot, u8 mask, const sim_tag *tags)
{
	sim_session_say(session, "write data to slot %u, sectors %#x", slot, mask);
	write_data(session, sim_disk_slot(&session->state->disk, slot), NULL, mask, tags);
}

/**
 * sim_write_main() - write data to main, which heals its sectors; durable when it returns
 * @session: which
 * @b: which block
 * @mask: its sectors to be written
 * @tags: SIM_BLOCK_SECTORS tags; those in @mask are written
 */
void sim_write_main(struct sim_session *session, unsigned int b, u8 mask, const sim_tag *tags)
{
	struct sim_disk *disk = &session->state->disk;

	sim_session_say(session, "write data to block %llu of main, sectors %#x",
			(unsigned long long)sim_block[b], mask);
	write_data(session, disk->main[b], &disk->main_bad[b], mask, tags);
}
