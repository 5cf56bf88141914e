// SPDX-License-Identifier: GPL-2.0-only
/*
 * The crash simulator as a program: options and output. TAP: one point for each scenario,
 * that no history in it breaks an invariant, and one for each rule of the commit protocol,
 * that some history breaks an invariant when it is switched off.
 */
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "sim.h"
#include "tap.h"

/* Seen from inside only: a rule must be caught without these. */
#define INNER (BIT(SIM_COPIES) | BIT(SIM_LIVE) | BIT(SIM_SEQUENCE) | BIT(SIM_STATUS))

#define SLICE 64			/* of the states after first sessions, one in so many */

static struct sim_exploration exploration;

static double cpu_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static double wall_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static const struct sim_scenario *find_scenario(const char *name)
{
	unsigned int i;

	for (i = 0; i < sim_nr_scenarios; i++)
		if (!strcmp(sim_scenarios[i].name, name))
			return &sim_scenarios[i];
	return NULL;
}

static void explore_all(unsigned int thin, unsigned int workers)
{
	u64 states = 0, failing = 0, runs = 0;
	double start = wall_seconds(), seconds = 0;
	unsigned int i, k;

	exploration = (struct sim_exploration){
		.scenarios = sim_scenarios,
		.nr_scenarios = sim_nr_scenarios,
		.set_bits = thin > 1 ? 22 : 25,
		.thin = thin,
		.workers = workers,
		.stop_at = 5,
	};
	sim_explore(&exploration);
	for (i = 0; i < sim_nr_scenarios; i++) {
		const struct sim_figures *f = &exploration.figures[i];

		if (!f->runs)
			continue;
		is(f->violations, 0, "%s: %s", sim_scenarios[i].name, sim_scenarios[i].about);
		printf("#   %llu sessions, %llu new crash states (%llu with a failed copy), cut in session",
		       (unsigned long long)f->runs, (unsigned long long)f->states,
		       (unsigned long long)f->failing);
		for (k = 0; k < SIM_LEVELS; k++)
			if (f->by_level[k])
				printf(" %u: %llu", k + 1, (unsigned long long)f->by_level[k]);
		printf("; %.1f s of CPU\n", f->seconds);
		seconds += f->seconds;
		states += f->states;
		failing += f->failing;
		runs += f->runs;
	}
	note("%llu distinct crash states, %llu of them with a failed copy; %llu sessions; %.0f s of CPU, %.0f s by the clock, %u processes",
	     (unsigned long long)states, (unsigned long long)failing, (unsigned long long)runs,
	     seconds, wall_seconds() - start, workers);
}

/* Explore one scenario with a rule switched off; the figures are in exploration. */
static bool explore_mutated(const struct sim_mutation *m, u32 ignored)
{
	const struct sim_scenario *scenario = find_scenario(m->scenario);

	if (!scenario)
		return false;
	exploration = (struct sim_exploration){
		.scenarios = scenario,
		.nr_scenarios = 1,
		.set_bits = 20,
		.workers = 1,
		.stop_at = 1,
	};
	rmeta_rule_off = m->rule;
	sim_ignored = ignored;
	sim_explore(&exploration);
	rmeta_rule_off = RMETA_RULE_NONE;
	sim_ignored = 0;
	return exploration.finding.invariant != SIM_FINE;
}

static void mutate(const char *only)
{
	unsigned int i;

	for (i = 0; i < sim_nr_mutations; i++) {
		const struct sim_mutation *m = &sim_mutations[i];
		const struct sim_finding *f = &exploration.finding;
		double start = cpu_seconds();
		bool caught;

		if (only && strcmp(only, m->name))
			continue;
		caught = explore_mutated(m, INNER);
		ok(caught, "without %s (%s): caught by \"%s\" in %s after %llu states, %.1f s", m->name,
		   m->what, caught ? sim_invariant_name[f->invariant] : "nothing", m->scenario,
		   (unsigned long long)(caught ? f->after_states : exploration.figures[0].states),
		   cpu_seconds() - start);
		if (caught)
			printf("#   %s\n#   replay: -m %s -r %s\n", f->why, m->name, f->trace);
	}
}

static int usage(FILE *to)
{
	fputs("Usage: crash-sim [OPTION]...\n"
	      "Cut the power of the metadata engine at every step, and look at what is left.\n"
	      "\n"
	      "Without options: a slice of the whole, then each rule switched off.\n"
	      "\n"
	      "  -f, --full          the whole; takes minutes\n"
	      "  -j, --jobs N        processes (default 1)\n"
	      "  -n, --no-mutations  leave the rules alone\n"
	      "  -m, --mutation RULE only this: explore with RULE switched off\n"
	      "  -r, --replay TRACE  run one history again and tell all of it\n"
	      "  -s, --scenario NAME only this scenario\n"
	      "  -h, --help          this text\n"
	      "\n"
	      "Example: crash-sim -j 2\n",
	      to);
	return to == stderr ? 16 : 0;
}

static const struct sim_mutation *find_mutation(const char *name)
{
	unsigned int i;

	for (i = 0; i < sim_nr_mutations; i++)
		if (!strcmp(sim_mutations[i].name, name))
			return &sim_mutations[i];
	fprintf(stderr, "crash-sim: no rule %s\n", name);
	exit(16);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "full", no_argument, NULL, 'f' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "no-mutations", no_argument, NULL, 'n' },
		{ "mutation", required_argument, NULL, 'm' },
		{ "replay", required_argument, NULL, 'r' },
		{ "scenario", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	const char *mutation = NULL, *trace = NULL, *scenario = NULL;
	unsigned int thin = SLICE, jobs = 1;
	bool mutations = true;
	int option;

	while ((option = getopt_long(argc, argv, "fj:nm:r:s:h", options, NULL)) != -1)
		switch (option) {
		case 'f':
			thin = 0;
			break;
		case 'j':
			jobs = (unsigned int)strtoul(optarg, NULL, 0);
			break;
		case 'n':
			mutations = false;
			break;
		case 'm':
			mutation = optarg;
			break;
		case 'r':
			trace = optarg;
			break;
		case 's':
			scenario = optarg;
			break;
		case 'h':
			return usage(stdout);
		default:
			return usage(stderr);
		}
	/* The engine's larger pieces come and go with every load: keep them in the heap. */
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 512 << 20);
	if (trace) {
		if (mutation)
			rmeta_rule_off = find_mutation(mutation)->rule;
		return sim_replay(sim_scenarios, sim_nr_scenarios, trace);
	}
	sim_only_scenario = scenario;
	if (!mutation)
		explore_all(thin, jobs);
	if (mutation || (mutations && !scenario))
		mutate(mutation);
	return done();
}
