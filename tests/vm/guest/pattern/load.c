// SPDX-License-Identifier: GPL-2.0-only
/*
 * The load: threads with requests at random places. No two in flight touch the same sector;
 * neighbouring sectors of one block do race, and are made to.
 */
#include "pattern.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static unsigned char *busy;		/* sectors that a request has; under busy_lock */
static _Atomic uint64_t last_place;	/* of some recent request: neighbours are aimed at it */
static _Atomic uint64_t ops_done;
static time_t end_time;
static volatile sig_atomic_t stopped;	/* SIGTERM: the load ends early, and well */

static void stop(int signal)
{
	stopped = 1;
}

static bool claim(unsigned int target, uint64_t sector, uint64_t sectors)
{
	unsigned char *b = busy + state->target[target].first_shadow + sector;
	bool free_range;

	pthread_mutex_lock(&busy_lock);
	free_range = !memchr(b, 1, sectors);
	if (free_range)
		memset(b, 1, sectors);
	pthread_mutex_unlock(&busy_lock);
	return free_range;
}

static void release(unsigned int target, uint64_t sector, uint64_t sectors)
{
	pthread_mutex_lock(&busy_lock);
	memset(busy + state->target[target].first_shadow + sector, 0, sectors);
	pthread_mutex_unlock(&busy_lock);
}

/* Sizes are spread evenly over their logarithm; a quarter of the places is near another one. */
static void choose(struct worker *w, unsigned int *target, uint64_t *sector, uint64_t *sectors)
{
	unsigned int low = 31 - (unsigned int)__builtin_clz(opt.min_sectors);
	unsigned int high = 31 - (unsigned int)__builtin_clz(opt.max_sectors);
	uint64_t size = 1ull << (low + next_random(&w->random) % (high - low + 1));
	uint64_t unit = 1, total, place = atomic_load(&last_place);

	size += next_random(&w->random) % size;
	if (size > opt.max_sectors)
		size = opt.max_sectors;
	if (size < opt.min_sectors)
		size = opt.min_sectors;
	*target = (unsigned int)(next_random(&w->random) % state->targets);
	total = state->target[*target].sectors;
	if (state->target[*target].buffered)
		unit = PAGE_SECTORS;
	if (opt.min_sectors > unit)
		unit = PAGE_SECTORS;
	size = (size + unit - 1) / unit * unit;
	if (size > total)
		size = total;
	if (next_random(&w->random) % 4 == 0)
		place = place + next_random(&w->random) % 16 - 8;
	else
		place = next_random(&w->random);
	place %= total - size + 1;
	*sector = place / unit * unit;
	*sectors = size;
	atomic_store(&last_place, *sector);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	uint64_t sector, sectors;
	unsigned int target;

	while (!stopped && now_seconds() < end_time) {
		bool write = next_random(&w->random) % 100 < opt.write_percent;

		if (opt.ops && atomic_fetch_add(&ops_done, 1) >= opt.ops)
			break;
		choose(w, &target, &sector, &sectors);
		if (!claim(target, sector, sectors))
			continue;
		if (write)
			do_write(w, target, sector, sectors,
				 opt.track_durable && next_random(&w->random) % 16 == 0);
		else
			do_read(w, target, sector, sectors);
		release(target, sector, sectors);
		if (write && next_random(&w->random) % 100 < opt.sync_percent)
			do_sync(w, target);
	}
	return NULL;
}

int run_load(void)
{
	static struct worker workers[MAX_THREADS];
	struct worker last = { 0 };
	struct counts sum = { 0 };
	time_t start = now_seconds();

	open_state();
	open_targets();
	busy = calloc(state->shadows, 1);
	if (!busy)
		die("out of memory");
	signal(SIGTERM, stop);
	end_time = start + (opt.ops ? 1000000 : opt.seconds);
	for (unsigned int i = 0; i < opt.threads; i++) {
		setup_worker(&workers[i], i);
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			die("cannot start a thread");
	}
	for (unsigned int i = 0; i < opt.threads; i++) {
		pthread_join(workers[i].thread, NULL);
		add_counts(&sum, &workers[i].counts);
	}
	for (unsigned int t = 0; t < state->targets; t++)
		do_sync(&last, t);
	add_counts(&sum, &last.counts);
	return report(&sum, now_seconds() - start);
}
