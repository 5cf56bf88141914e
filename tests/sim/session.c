// SPDX-License-Identifier: GPL-2.0-only
/*
 * One life of the engine: power on, load, some operations, power off. The session is the
 * engine's host: its submit() makes failing copies fail, keeps account of what is promised,
 * and before each step is carried out hands every state that a cut in it could leave to
 * whoever explores.
 *
 * Invariants that concern an instant, not a load, are checked here: whole copies, live
 * copies, sequences.
 */
#include <stdarg.h>
#include <stdio.h>

#include "sim.h"

u32 sim_ignored;

/**
 * sim_state_bytes() - size of a state of this layout
 *
 * Return: bytes.
 */
size_t sim_state_bytes(void)
{
	return offsetof(struct sim_state, disk) + sim_disk_bytes();
}

/**
 * sim_state_new() - a blank spare, nothing promised
 *
 * Return: the state; sim_state_free() frees it.
 */
struct sim_state *sim_state_new(void)
{
	struct sim_state *state = calloc(1, sim_state_bytes());

	if (!state)
		abort();
	sim_disk_init(&state->disk);
	sim_expect_init(&state->expect);
	sim_expect_blank(&state->expect, &state->disk);
	state->health.budget = 1;
	state->health.promise = 2;
	return state;
}

/**
 * sim_state_clone() - an equal state
 * @state: which
 *
 * Return: the copy; sim_state_free() frees it.
 */
struct sim_state *sim_state_clone(const struct sim_state *state)
{
	struct sim_state *clone = malloc(sim_state_bytes());

	if (!clone)
		abort();
	memcpy(clone, state, offsetof(struct sim_state, disk));
	sim_disk_copy(&clone->disk, &state->disk);
	return clone;
}

/**
 * sim_state_free() - free a state
 * @state: or NULL
 */
void sim_state_free(struct sim_state *state)
{
	if (!state)
		return;
	sim_disk_drop(&state->disk);
	free(state);
}

static u64 rest_hash(const struct sim_state *state, const struct sim_health *health)
{
	return sim_mix(sim_hash(&state->expect, sizeof(state->expect), 5),
		       sim_mix(sim_disk_data_hash(&state->disk),
			       sim_hash(health, sizeof(*health), 6)));
}

/**
 * sim_state_hash() - what tells states apart
 * @state: which
 *
 * Return: the hash.
 */
u64 sim_state_hash(const struct sim_state *state)
{
	return sim_mix(state->disk.hash, rest_hash(state, &state->health));
}

/**
 * sim_session_broken() - an invariant does not hold
 * @session: where; keeps the first
 * @invariant: which
 * @fmt: what was seen
 *
 * Return: whether it counts: some are ignored when a rule is to be caught by another.
 */
bool sim_session_broken(struct sim_session *session, enum sim_invariant invariant,
			const char *fmt, ...)
{
	va_list ap;

	if (sim_ignored & BIT(invariant))
		return false;
	session->ended = true;
	if (session->violation)
		return true;
	session->violation = invariant;
	va_start(ap, fmt);
	vsnprintf(session->why, sizeof(session->why), fmt, ap);
	va_end(ap);
	sim_session_say(session, "VIOLATION of %s: %s", sim_invariant_name[invariant],
			session->why);
	return true;
}

/**
 * sim_session_say() - a line of a trace, if one is wanted
 * @session: which
 * @fmt: the line
 */
void sim_session_say(const struct sim_session *session, const char *fmt, ...)
{
	va_list ap;

	if (!session->verbose)
		return;
	printf("#   step %u: ", session->step);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

/*
 * Collecting what a cut can leave
 */

/* The health that the next power on finds. */
static struct sim_health cut_health(const struct sim_session *session, u8 promise)
{
	struct sim_health health = session->state->health;

	health.deaf = 0;
	health.promise = promise;
	return health;
}

/* Whole copies at every instant of a commit to @nr live copies. */
static int promise_for(int nr)
{
	return nr >= 3 ? 2 : nr == 2 ? 1 : 0;
}

/*
 * Whole copies that must exist of an object of which the engine calls @live live. A copy
 * whose write was seen to fail before this operation does not count as live, whatever the
 * engine says; one whose write fails in it leaves as many as there would be without it; one
 * that dies in it may take a whole one with it.
 */
static int promise_of(const struct sim_session *session, u32 object, u8 live)
{
	u8 dead = sim_copies_in(session->state->health.dead, object);
	u8 failing = sim_copies_in(session->failing, object);

	live &= ~sim_copies_in(session->failed, object);
	return min(promise_for(hweight8(live & ~failing)),
		   promise_for(hweight8(live)) - (int)hweight8(live & dead));
}

/* The same for all objects together; while loading, what the last session left. */
static u8 promise_now(const struct sim_session *session)
{
	const struct rmeta_table *table = &session->table;
	int promise;
	u32 page;

	if (session->state->expect.formatting)
		return 0;
	if (!session->loaded) {
		promise = session->promise - (int)sim_failed_copies(session->state->health.dead &
								    ~session->known_dead);
		promise = min(promise, promise_for(RMETA_COPIES -
						   (int)sim_failed_copies(session->known_dead |
									  session->failing)));
		return promise < 0 ? 0 : (u8)promise;
	}
	promise = promise_of(session, RMETA_OBJECT_SUPERBLOCK, table->sb_live);
	for (page = 0; page < session->state->expect.pages_used[0]; page++)
		promise = min(promise, promise_of(session, page, table->page_live[page]));
	return promise < 0 ? 0 : (u8)promise;
}

static void collect(struct sim_session *session, const struct sim_state *state,
		    const struct sim_health *health, const struct sim_cut *cut,
		    struct sim_cell *const *cells, const unsigned int *indices, unsigned int nr)
{
	struct sim_crash *crash;
	unsigned int i;

	if (session->nr_crashes == session->max_crashes) {
		session->max_crashes = session->max_crashes ? session->max_crashes * 2 : 64;
		session->crashes = realloc(session->crashes,
					   session->max_crashes * sizeof(*session->crashes));
		if (!session->crashes)
			abort();
	}
	crash = &session->crashes[session->nr_crashes++];
	crash->cut = *cut;
	crash->state = sim_state_clone(state);
	crash->state->health = *health;
	for (i = 0; i < nr; i++)
		sim_disk_set(&crash->state->disk, indices[i], cells[i]);
}

static void check_object_copies(struct sim_session *session, const struct sim_state *state,
				u32 object, const struct sim_cut *cut)
{
	unsigned int whole = sim_whole_copies(&state->expect, &state->disk, object,
					      state->health.dead);

	if (sim_sequences_clash(&state->disk, object) &&
	    sim_session_broken(session, SIM_SEQUENCE,
			       "a cut in step %u (outcome %u) leaves a sequence of %s %d used twice",
			       cut->step, cut->outcome,
			       object == RMETA_OBJECT_SUPERBLOCK ? "superblock" : "page", (int)object))
		session->broken_cut = *cut;
	if (whole >= state->health.promise)
		return;
	if (sim_session_broken(session, SIM_COPIES,
			       "a cut in step %u (outcome %u) leaves %u whole copies of %s %d, not %u",
			       cut->step, cut->outcome, whole,
			       object == RMETA_OBJECT_SUPERBLOCK ? "superblock" : "page",
			       (int)object, state->health.promise))
		session->broken_cut = *cut;
}

/* As many whole copies as promised, of the superblock and of each page that matters. */
static void check_copies(struct sim_session *session, const struct sim_state *state,
			 const struct sim_cut *cut)
{
	u32 seen[SIM_SLOTS], page;
	unsigned int i, k, nr = 0;

	if (!state->expect.loaded)
		return;
	check_object_copies(session, state, RMETA_OBJECT_SUPERBLOCK, cut);
	if (!state->expect.pages_used[0])
		return;
	seen[nr++] = 0;
	check_object_copies(session, state, 0, cut);
	for (i = 0; i < SIM_SLOTS; i++) {
		if (state->expect.slot[i].slot == RMETA_NO_SLOT)
			continue;
		page = state->expect.slot[i].slot / RMETA_PAGE_ENTRIES;
		for (k = 0; k < nr && seen[k] != page; k++)
			;
		if (k < nr || nr == SIM_SLOTS)
			continue;
		seen[nr++] = page;
		check_object_copies(session, state, page, cut);
	}
}

/* One state that a cut can leave: is it wanted? Then keep it, and look at its copies. */
static void offer(struct sim_session *session, u64 rest, const struct sim_health *health,
		  const struct sim_cut *cut, struct sim_cell *const *cells,
		  const unsigned int *indices, unsigned int nr)
{
	const struct sim_state *state = session->state;
	u64 hash = state->disk.hash;
	unsigned int i;

	if (session->only) {
		if (session->only->step != cut->step || session->only->outcome != cut->outcome)
			return;
	} else {
		for (i = 0; i < nr; i++)
			hash += sim_disk_swap_hash(&state->disk, indices[i],
						   sim_cell_hash(cells[i]));
		if (!session->wanted(session->ctx, sim_mix(hash, rest), cut))
			return;
	}
	collect(session, state, health, cut, cells, indices, nr);
	check_copies(session, session->crashes[session->nr_crashes - 1].state, cut);
}

struct flight {
	unsigned int nr;
	unsigned int max;
	unsigned int *index;
	unsigned int *nr_outcomes;
	struct sim_cell *(*outcome)[SIM_OUTCOMES];
};

static struct flight flight;

static void flight_add(struct sim_session *session, unsigned int index, const void *data)
{
	if (flight.nr == flight.max) {
		flight.max = flight.max ? flight.max * 2 : 16;
		flight.index = realloc(flight.index, flight.max * sizeof(*flight.index));
		flight.nr_outcomes = realloc(flight.nr_outcomes,
					     flight.max * sizeof(*flight.nr_outcomes));
		flight.outcome = realloc(flight.outcome, flight.max * sizeof(*flight.outcome));
		if (!flight.index || !flight.nr_outcomes || !flight.outcome)
			abort();
	}
	flight.index[flight.nr] = index;
	flight.nr_outcomes[flight.nr] =
		sim_cell_outcomes(session->state->disk.cell[index], data,
				  flight.outcome[flight.nr]);
	flight.nr++;
}

static void flight_drop(void)
{
	unsigned int i, k;

	for (i = 0; i < flight.nr; i++)
		for (k = 0; k < flight.nr_outcomes[i]; k++)
			sim_cell_put(flight.outcome[i][k]);
	flight.nr = 0;
}

struct offering {
	struct sim_session *session;
	u64 rest;
	struct sim_health health;
	struct sim_cut cut;
	struct sim_cell **cells;
};

static void offer_choice(struct offering *o)
{
	offer(o->session, o->rest, &o->health, &o->cut, o->cells, flight.index, flight.nr);
	o->cut.outcome++;
}

/* Every combination of outcomes. */
static void offer_product(struct offering *o, unsigned int at)
{
	unsigned int k;

	if (at == flight.nr) {
		offer_choice(o);
		return;
	}
	for (k = 0; k < flight.nr_outcomes[at]; k++) {
		o->cells[at] = flight.outcome[at][k];
		offer_product(o, at + 1);
	}
}

static struct sim_cell *whole_new(unsigned int at)
{
	return flight.outcome[at][flight.nr_outcomes[at] > 1 ? 1 : 0];
}

static void choose_all(struct offering *o, bool new)
{
	unsigned int i;

	for (i = 0; i < flight.nr; i++)
		o->cells[i] = new ? whole_new(i) : flight.outcome[i][0];
}

/*
 * Where there are too many combinations: none, all, all but one, one alone, torn ones,
 * everything up to a point, and a fixed number at random.
 */
static void offer_subsets(struct offering *o)
{
	unsigned int i, k, round, new;
	u64 random = 1;

	for (new = 0; new < 2; new++) {
		choose_all(o, new);
		offer_choice(o);
		for (i = 0; i < flight.nr; i++) {
			for (k = 0; k < flight.nr_outcomes[i]; k++) {
				o->cells[i] = flight.outcome[i][k];
				offer_choice(o);
			}
			o->cells[i] = new ? whole_new(i) : flight.outcome[i][0];
		}
	}
	choose_all(o, false);
	for (i = 0; i < flight.nr; i++) {
		o->cells[i] = whole_new(i);
		offer_choice(o);
	}
	for (round = 0; round < 64; round++) {
		for (i = 0; i < flight.nr; i++) {
			random = sim_mix(random, i);
			o->cells[i] = flight.outcome[i][random % flight.nr_outcomes[i]];
		}
		offer_choice(o);
	}
}

static void offer_step(struct sim_session *session)
{
	struct offering o = { .session = session, .cut.step = session->step };
	double product = 1;
	unsigned int i;

	if (!session->collecting || !flight.nr || session->step < session->collect_from)
		return;
	o.health = cut_health(session, promise_now(session));
	o.rest = rest_hash(session->state, &o.health);
	o.cells = calloc(flight.nr, sizeof(*o.cells));
	if (!o.cells)
		abort();
	for (i = 0; i < flight.nr; i++)
		product *= flight.nr_outcomes[i];
	if (product <= sim_layout->full_scan)
		offer_product(&o, 0);
	else
		offer_subsets(&o);
	free(o.cells);
}

/**
 * sim_session_settle() - nothing is under way: look at what must hold then, offer the state
 * @session: which
 */
void sim_session_settle(struct sim_session *session)
{
	struct sim_cut cut = { .step = session->step };
	struct sim_health health;
	enum sim_invariant broken;
	char why[120];

	if (session->ended)
		return;
	session->failed = session->failing;
	if (session->loaded) {
		broken = sim_check_live(&session->state->disk, &session->table, why, sizeof(why));
		if (broken && sim_session_broken(session, broken, "%s", why))
			return;
	}
	if (session->collecting && session->step >= session->collect_from) {
		health = cut_health(session, promise_now(session));
		offer(session, rest_hash(session->state, &health), &health, &cut, NULL, NULL, 0);
	}
	session->step++;
}

/**
 * sim_session_offer_data() - a cut in a write of data could leave the state as it is now
 * @session: which
 * @outcome: number of this outcome
 */
void sim_session_offer_data(struct sim_session *session, u32 outcome)
{
	struct sim_cut cut = { .step = session->step, .outcome = outcome };
	struct sim_health health;

	if (!session->collecting || session->step < session->collect_from)
		return;
	health = cut_health(session, promise_now(session));
	offer(session, rest_hash(session->state, &health), &health, &cut, NULL, NULL, 0);
}

/*
 * The engine's host
 */

/* Does the write fail that this session is to see fail? */
static bool write_fails(const struct sim_session *session, unsigned int unit)
{
	const struct sim_fail *fail = &session->fail;

	return fail->units & BIT(unit) && fail->step == session->step &&
	       (fail->kind == SIM_FAIL_FROM || fail->kind == SIM_FAIL_WRITE);
}

static void start_failing(struct sim_session *session)
{
	if (session->fail.kind != SIM_FAIL_FROM || session->step != session->fail.step)
		return;
	session->state->health.dead |= session->fail.units;
	sim_session_say(session, "units %#x die", session->fail.units);
}

static void do_read(struct sim_session *session, struct rmeta_io *io)
{
	const struct sim_health *health = &session->state->health;
	u32 at;

	for (at = 0; at < io->bytes; at += RMETA_BYTES) {
		unsigned int copy;
		int index = sim_cell_at(io->sector + at / 512, &copy);
		const struct sim_cell *cell;
		unsigned int unit;

		if (index < 0) {
			/* A check searches everywhere; behind the metadata, there is nothing. */
			memset((u8 *)io->data + at, 0, RMETA_BYTES);
			continue;
		}
		unit = sim_unit_at((unsigned int)index);
		if (session->step < 64)
			session->read_steps[unit] |= 1ULL << session->step;
		if ((health->dead | health->deaf) & BIT(unit)) {
			io->error = -EIO;
			return;
		}
		cell = session->state->disk.cell[index];
		if (cell)
			memcpy((u8 *)io->data + at, cell->data, RMETA_BYTES);
		else
			memset((u8 *)io->data + at, 0, RMETA_BYTES);
	}
}

/*
 * Enter a write into what is in flight. A copy that is dead already is left as it is; the
 * outcome of a write that fails now is decided.
 */
static void start_write(struct sim_session *session, struct rmeta_io *io, u32 dead_before)
{
	u32 at;

	for (at = 0; at < io->bytes; at += RMETA_BYTES) {
		const u8 *data = (const u8 *)io->data + at;
		unsigned int copy, unit, decided;
		int index = sim_cell_at(io->sector + at / 512, &copy);
		struct sim_cell *outcome[SIM_OUTCOMES];

		if (index < 0 || session->read_only) {
			sim_session_broken(session, index < 0 ? SIM_HOST : SIM_READ_ONLY,
					   "write of sector %llu",
					   (unsigned long long)io->sector + at / 512);
			io->error = -EIO;
			return;
		}
		unit = sim_unit_at((unsigned int)index);
		if (session->step < 64)
			session->write_steps[unit] |= 1ULL << session->step;
		session->failing |= BIT(unit);
		if (dead_before & BIT(unit)) {
			io->error = -EIO;
			continue;
		}
		if (!write_fails(session, unit)) {
			session->failing &= ~BIT(unit);
			flight_add(session, (unsigned int)index, data);
			continue;
		}
		io->error = -EIO;
		decided = sim_cell_outcomes(session->state->disk.cell[index], data, outcome);
		if (session->fail.outcome == 2 && decided > 1)
			sim_disk_set(&session->state->disk, (unsigned int)index, outcome[1]);
		if (session->fail.outcome == 1 && decided > 2)
			sim_disk_set(&session->state->disk, (unsigned int)index, outcome[2]);
		while (decided)
			sim_cell_put(outcome[--decided]);
		sim_session_say(session, "write of sector %llu fails, outcome %u",
				(unsigned long long)io->sector, session->fail.outcome);
	}
}

static void say_io(const struct sim_session *session, const struct rmeta_io *io)
{
	unsigned int copy;
	int index = sim_cell_at(io->sector, &copy);

	if (!session->verbose)
		return;
	if (index < RMETA_COPIES)
		sim_session_say(session, "%s superblock copy %u: %d",
				io->op == RMETA_READ ? "read" : "write", copy, io->error);
	else
		sim_session_say(session, "%s page %d copy %u, %u bytes: %d",
				io->op == RMETA_READ ? "read" : "write",
				(index - RMETA_COPIES) % (int)sim_geo.table_pages, copy, io->bytes,
				io->error);
}

static void sim_submit(void *host, struct rmeta_io *ios, unsigned int nr_ios)
{
	struct sim_session *session = host;
	u32 dead_before = session->state->health.dead;
	unsigned int i;

	start_failing(session);
	flight_drop();
	for (i = 0; i < nr_ios; i++) {
		ios[i].error = 0;
		if (ios[i].op == RMETA_READ)
			do_read(session, &ios[i]);
		else
			start_write(session, &ios[i], dead_before);
		say_io(session, &ios[i]);
	}
	offer_step(session);
	for (i = 0; i < flight.nr; i++)
		sim_disk_set(&session->state->disk, flight.index[i], whole_new(i));
	flight_drop();
	session->step++;
}

static u64 sim_now(void *host)
{
	const struct sim_session *session = host;

	return session->state->expect.session;
}

const struct rmeta_host_ops sim_host_ops = {
	.submit = sim_submit,
	.now = sim_now,
};
