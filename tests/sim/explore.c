// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions after sessions. From each state a session is run without a failure, which tells
 * which step touches which copy, then with each failure that is due; every state that a
 * cut in it could leave, and that was not seen before, begins a session of the next level.
 *
 * States are known by a hash of 64 bits, kept in a table that all worker processes share:
 * a state that another worker has found is left to it. Of 4 million states, two fall
 * together with a probability of one in two million.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

struct set {
	u64 mask;
	_Atomic u64 *slot;
};

/* What the workers share. */
struct shared {
	_Atomic u64 next_unit;
	_Atomic u64 states;
	_Atomic u64 violations;
	_Atomic u64 full;
	_Atomic u64 runs[SIM_MAX_SCENARIOS];
	_Atomic u64 failing[SIM_MAX_SCENARIOS];
	_Atomic u64 by_level[SIM_MAX_SCENARIOS][SIM_LEVELS];
	_Atomic u64 violations_of[SIM_MAX_SCENARIOS];
	_Atomic u64 microseconds[SIM_MAX_SCENARIOS];
	struct sim_finding finding;
};

const char *sim_only_scenario;

static struct shared *shared;
static struct set distinct, explored;

struct explorer {
	const struct sim_exploration *exploration;
	const struct sim_scenario *scenario;
	unsigned int number;
	unsigned int level;
	bool failing;			/* of the session being run */
	struct sim_decision path[SIM_LEVELS];
};

static void *share(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(2);
	}
	return p;
}

static void set_init(struct set *set, unsigned int bits)
{
	set->mask = (1ULL << bits) - 1;
	set->slot = share((set->mask + 1) * sizeof(*set->slot));
}

static void set_exit(struct set *set)
{
	munmap((void *)set->slot, (set->mask + 1) * sizeof(*set->slot));
}

/* Add a hash; false if it is there already, or if there is no room for it. */
static bool set_add(struct set *set, u64 hash)
{
	u64 at, probes, seen;

	hash |= !hash;
	for (at = hash & set->mask, probes = 0; probes < 64; at = (at + 1) & set->mask, probes++) {
		seen = atomic_load_explicit(&set->slot[at], memory_order_relaxed);
		if (!seen && atomic_compare_exchange_strong(&set->slot[at], &seen, hash))
			return true;
		if (seen == hash)
			return false;
	}
	atomic_fetch_add(&shared->full, 1);
	return false;
}

static bool enough(const struct explorer *ex)
{
	return atomic_load(&shared->violations) >= ex->exploration->stop_at;
}

static bool one_in(u32 every, u64 hash)
{
	return every <= 1 || sim_mix(hash, 77) % every == 0;
}

static u32 thinned(const struct explorer *ex)
{
	return ex->scenario->whole || !ex->exploration->thin ? 1 : ex->exploration->thin;
}

/* struct sim_session.wanted */
static bool wanted(void *ctx, u64 hash, const struct sim_cut *cut)
{
	struct explorer *ex = ctx;
	const struct sim_level *level = &ex->scenario->levels[ex->level];

	u32 every = level->cut_every ? level->cut_every : 1;

	if (!ex->level)
		every *= thinned(ex);
	if (!one_in(every, hash) ||
	    !set_add(&explored, sim_mix(hash, ex->number * SIM_LEVELS + ex->level)))
		return false;
	if (set_add(&distinct, hash)) {
		atomic_fetch_add(&shared->states, 1);
		atomic_fetch_add(&shared->by_level[ex->number][ex->level], 1);
		if (ex->failing)
			atomic_fetch_add(&shared->failing[ex->number], 1);
	}
	return true;
}

/*
 * Traces: scenario:script,kind.units.step.outcome,step.outcome/... one part per session.
 */

static void print_trace(const struct explorer *ex, char *text, size_t bytes)
{
	size_t at = (size_t)snprintf(text, bytes, "%s:", ex->scenario->name);
	unsigned int i;

	for (i = 0; i <= ex->level && at < bytes; i++) {
		const struct sim_decision *d = &ex->path[i];

		at += (size_t)snprintf(text + at, bytes - at, "%s%u,%u.%x.%u.%u,%u.%u",
				       i ? "/" : "", d->script, d->fail.kind, d->fail.units,
				       d->fail.step, d->fail.outcome, d->cut.step, d->cut.outcome);
	}
}

static void report(struct explorer *ex, const struct sim_session *session)
{
	struct sim_finding finding = {
		.invariant = session->violation,
		.scenario = ex->number,
		.after_states = atomic_load(&shared->states),
	};

	atomic_fetch_add(&shared->violations_of[ex->number], 1);
	ex->path[ex->level].cut = session->broken_cut;
	print_trace(ex, finding.trace, sizeof(finding.trace));
	memcpy(finding.why, session->why, sizeof(finding.why));
	if (!atomic_fetch_add(&shared->violations, 1))
		shared->finding = finding;
	if (ex->exploration->stop_at > 1)
		printf("# VIOLATION of %s: %s\n#   replay: %s\n",
		       sim_invariant_name[finding.invariant], finding.why, finding.trace);
}

static u32 nr_scripts(const struct sim_level *level)
{
	u32 nr = 1, i;

	for (i = 0; i < level->depth; i++)
		nr *= level->nr_ops;
	return nr;
}

static void make_script(const struct sim_level *level, u32 number, struct sim_script *script)
{
	unsigned int i;

	*script = level->first;
	script->nr += level->depth;
	for (i = level->depth; i--; number /= level->nr_ops)
		script->op[level->first.nr + i] = level->ops[number % level->nr_ops];
}

static void explore_level(struct explorer *ex, const struct sim_state *state, unsigned int level);

/* Run one session, and all that follows from it; its steps are left in @session. */
static void run_session(struct explorer *ex, const struct sim_state *state,
			const struct sim_script *script, const struct sim_fail *fail,
			struct sim_session *session)
{
	unsigned int level = ex->level;
	bool last = level + 1 == ex->scenario->nr_levels;
	u32 i;

	memset(session, 0, sizeof(*session));
	session->state = sim_state_clone(state);
	session->script = script;
	session->fail = *fail;
	session->wanted = last ? NULL : wanted;
	session->ctx = ex;
	session->look = one_in(16, sim_state_hash(state));
	ex->path[level].fail = *fail;
	ex->failing = fail->kind != SIM_FAIL_NONE || state->health.dead ||
		      state->health.budget < ex->scenario->budget;
	sim_session_run(session);
	sim_state_free(session->state);
	session->state = NULL;
	atomic_fetch_add(&shared->runs[ex->number], 1);
	if (session->violation)
		report(ex, session);
	for (i = 0; i < session->nr_crashes && !enough(ex); i++) {
		ex->path[level].cut = session->crashes[i].cut;
		explore_level(ex, session->crashes[i].state, level + 1);
		ex->level = level;
		sim_state_free(session->crashes[i].state);
		session->crashes[i].state = NULL;
	}
	sim_session_free(session);
}

static void run_failure(struct explorer *ex, const struct sim_state *state,
			const struct sim_script *script, enum sim_fail_kind kind, u32 units,
			unsigned int step, unsigned int outcome)
{
	const struct sim_level *level = &ex->scenario->levels[ex->level];
	struct sim_fail fail = {
		.kind = kind,
		.units = units,
		.step = (u16)step,
		.outcome = (u8)outcome,
	};
	u64 hash = sim_mix(sim_state_hash(state), ex->path[ex->level].script);
	u32 every = level->fail_every ? level->fail_every : 1;
	struct sim_session session;

	hash = sim_mix(hash, (u64)kind << 48 | step << 8 | outcome);
	hash = sim_mix(hash, units);
	if (!ex->level)
		every *= DIV_ROUND_UP(thinned(ex), 8);
	if (one_in(every, hash) && !enough(ex))
		run_session(ex, state, script, &fail, &session);
}

/* All failures of these units that would be noticed in a session with these steps. */
static void fail_units(struct explorer *ex, const struct sim_state *state,
		       const struct sim_script *script, u32 units, u64 reads, u64 writes)
{
	u32 fails = ex->scenario->levels[ex->level].fails;
	unsigned int step, outcome;

	if (fails & BIT(SIM_FAIL_HIDDEN))
		run_failure(ex, state, script, SIM_FAIL_HIDDEN, units, 0, 0);
	if (fails & BIT(SIM_FAIL_DEAF))
		run_failure(ex, state, script, SIM_FAIL_DEAF, units, 0, 0);
	for (step = 0; step < 64; step++) {
		u64 bit = 1ULL << step;

		for (outcome = 0; outcome < 3; outcome++) {
			if ((fails & BIT(SIM_FAIL_FROM)) &&
			    (writes & bit || (reads & bit && !outcome)))
				run_failure(ex, state, script, SIM_FAIL_FROM, units, step, outcome);
			if ((fails & BIT(SIM_FAIL_WRITE)) && writes & bit)
				run_failure(ex, state, script, SIM_FAIL_WRITE, units, step,
					    outcome);
		}
	}
}

/* All failures of every shape and copy. */
static void fail_all(struct explorer *ex, const struct sim_state *state,
		     const struct sim_script *script, const struct sim_session *calm)
{
	static const u32 whole[] = { SIM_WHOLE, 0 };
	const u32 *shape = ex->scenario->levels[ex->level].shapes;
	unsigned int copy, unit;

	for (shape = shape ? shape : whole; *shape; shape++)
		for (copy = 0; copy < RMETA_COPIES; copy++) {
			u32 units = SIM_UNIT_MASK(*shape, copy);
			u64 reads = 0, writes = 0;

			if (units & state->health.dead)
				continue;
			for (unit = 0; unit < SIM_UNITS * RMETA_COPIES; unit++)
				if (units & BIT(unit)) {
					reads |= calm->read_steps[unit];
					writes |= calm->write_steps[unit];
				}
			if (reads | writes)
				fail_units(ex, state, script, units, reads, writes);
		}
}

static void explore_script(struct explorer *ex, const struct sim_state *state, u32 number)
{
	const struct sim_level *level = &ex->scenario->levels[ex->level];
	const struct sim_fail none = { .kind = SIM_FAIL_NONE };
	const struct sim_fail revive = { .kind = SIM_FAIL_REVIVE };
	struct sim_session session;
	struct sim_script script;

	make_script(level, number, &script);
	ex->path[ex->level].script = number;
	run_session(ex, state, &script, &none, &session);
	if ((level->fails & BIT(SIM_FAIL_REVIVE)) && state->health.dead && !ex->scenario->dead) {
		struct sim_session revived;

		if (!enough(ex))
			run_session(ex, state, &script, &revive, &revived);
	}
	if (state->health.budget)
		fail_all(ex, state, &script, &session);
}

static void explore_level(struct explorer *ex, const struct sim_state *state, unsigned int level)
{
	const struct sim_level *l = &ex->scenario->levels[level];
	u64 hash = sim_state_hash(state);
	u32 number, nr = nr_scripts(l);

	ex->level = level;
	for (number = 0; number < nr && !enough(ex); number++)
		if (l->script_every <= 1 ||
		    (sim_mix(hash, level) + number) % min(l->script_every, nr) == 0)
			explore_script(ex, state, number);
}

/* The state that a scenario begins with. */
static struct sim_state *set_up(const struct sim_scenario *scenario, bool verbose)
{
	struct sim_session session = { .script = &scenario->setup, .verbose = verbose };
	struct sim_state *state;

	sim_use_layout(scenario->layout);
	state = sim_state_new();
	state->health.budget = scenario->budget;
	if (!scenario->blank) {
		session.state = state;
		sim_session_run(&session);
		if (session.violation) {
			printf("# %s: set-up breaks %s: %s\n", scenario->name,
			       sim_invariant_name[session.violation], session.why);
			exit(2);
		}
	}
	state->health.dead |= scenario->dead;
	if (sim_failed_copies(state->health.dead) > 1)
		state->expect.doubtful = true;
	return state;
}

static double cpu_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static bool skipped(const struct sim_exploration *exploration, const struct sim_scenario *scenario)
{
	if (exploration->nr_scenarios == 1)
		return false;
	return sim_only_scenario && strcmp(sim_only_scenario, scenario->name);
}

/* Take units of work, scripts of first sessions, until there are none. */
static void work(const struct sim_exploration *exploration)
{
	struct explorer ex = { .exploration = exploration };
	u64 first = 0, unit = atomic_fetch_add(&shared->next_unit, 1);
	double start;

	for (ex.number = 0; ex.number < exploration->nr_scenarios; ex.number++) {
		struct sim_state *state = NULL;
		u64 units;

		ex.scenario = &exploration->scenarios[ex.number];
		if (skipped(exploration, ex.scenario))
			continue;
		units = nr_scripts(&ex.scenario->levels[0]);
		start = cpu_seconds();
		for (; unit < first + units && !enough(&ex);
		     unit = atomic_fetch_add(&shared->next_unit, 1)) {
			if (!state)
				state = set_up(ex.scenario, false);
			ex.level = 0;
			explore_script(&ex, state, (u32)(unit - first));
		}
		first += units;
		sim_state_free(state);
		atomic_fetch_add(&shared->microseconds[ex.number],
				 (u64)((cpu_seconds() - start) * 1e6));
	}
}

static void run_workers(const struct sim_exploration *exploration)
{
	unsigned int i;
	int status;

	if (exploration->workers <= 1) {
		work(exploration);
		return;
	}
	fflush(stdout);
	for (i = 0; i < exploration->workers; i++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("fork");
			exit(2);
		}
		if (!pid) {
			work(exploration);
			fflush(stdout);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		if (!WIFEXITED(status) || WEXITSTATUS(status)) {
			fprintf(stderr, "a worker died\n");
			exit(2);
		}
}

/**
 * sim_explore() - explore scenarios
 * @exploration: what, and what was found
 */
void sim_explore(struct sim_exploration *exploration)
{
	unsigned int i, k;

	shared = share(sizeof(*shared));
	set_init(&distinct, exploration->set_bits);
	set_init(&explored, exploration->set_bits);
	run_workers(exploration);
	for (i = 0; i < exploration->nr_scenarios; i++) {
		struct sim_figures *f = &exploration->figures[i];

		f->runs = shared->runs[i];
		f->failing = shared->failing[i];
		f->violations = shared->violations_of[i];
		f->seconds = (double)shared->microseconds[i] * 1e-6;
		f->states = 0;
		for (k = 0; k < SIM_LEVELS; k++) {
			f->by_level[k] = shared->by_level[i][k];
			f->states += f->by_level[k];
		}
	}
	exploration->finding = shared->finding;
	if (shared->full)
		printf("# the table of states is too small: %llu were not explored\n",
		       (unsigned long long)shared->full);
	set_exit(&distinct);
	set_exit(&explored);
	munmap(shared, sizeof(*shared));
}

/**
 * sim_replay() - run one history again, and tell all of it
 * @scenarios: to find the trace's in
 * @nr: how many
 * @trace: as printed
 *
 * Return: 1 if an invariant was broken, 0 if not, 2 if the trace makes no sense.
 */
int sim_replay(const struct sim_scenario *scenarios, unsigned int nr, const char *trace)
{
	const struct sim_scenario *scenario = NULL;
	struct sim_state *state;
	unsigned int i, level;
	size_t length = strcspn(trace, ":");

	for (i = 0; i < nr; i++)
		if (strlen(scenarios[i].name) == length &&
		    !strncmp(scenarios[i].name, trace, length))
			scenario = &scenarios[i];
	if (!scenario || !trace[length]) {
		fprintf(stderr, "no such scenario in trace %s\n", trace);
		return 2;
	}
	trace += length + 1;
	printf("# set-up\n");
	state = set_up(scenario, true);
	for (level = 0; level < scenario->nr_levels; level++) {
		unsigned int script_nr, kind, units, step, outcome, cut_step, cut_outcome;
		struct sim_session session = { .verbose = true };
		struct sim_script script;
		struct sim_cut cut;

		if (sscanf(trace, "%u,%u.%x.%u.%u,%u.%u", &script_nr, &kind, &units, &step, &outcome,
			   &cut_step, &cut_outcome) != 7) {
			fprintf(stderr, "bad trace at %s\n", trace);
			return 2;
		}
		make_script(&scenario->levels[level], script_nr, &script);
		cut = (struct sim_cut){ cut_step, cut_outcome };
		session.state = state;
		session.script = &script;
		session.fail = (struct sim_fail){ (u8)kind, (u8)outcome, (u16)step, units };
		session.only = &cut;
		session.look = one_in(16, sim_state_hash(state));
		printf("# session %u: script %u, failure %u of units %#x in step %u outcome %u\n", level,
		       script_nr, kind, units, step, outcome);
		sim_session_run(&session);
		sim_state_free(state);
		if (session.violation)
			return 1;
		trace += strcspn(trace, "/");
		if (!*trace++ || !session.nr_crashes)
			return 0;
		printf("# power is cut in step %u, outcome %u\n", cut_step, cut_outcome);
		state = sim_state_clone(session.crashes[0].state);
		sim_session_free(&session);
	}
	return 0;
}
