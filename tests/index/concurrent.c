// SPDX-License-Identifier: GPL-2.0-only
/*
 * The index under readers that never stop. A writer maps, moves and unmaps blocks, reuses
 * slots, adds groups and drives the table up and down through its sizes, while readers on
 * liburcu look up four kinds of blocks:
 *
 *	stable	mapped throughout: always found, always in the same slot
 *	moving	mapped throughout, in ever newer slots: always found, never in an older slot
 *		than this reader has seen
 *	churned	comes and goes: not found, or found in a slot that holds it until the reader's
 *		critical section ends
 *	absent	never found
 *
 * Freed tables are overwritten first, so that using one does not go unnoticed. Then the same
 * is run in a child process with the grace period left out, once of resizes and once of the
 * reuse of slots: each must be caught, or this test would prove nothing. Under
 * ThreadSanitizer (the same source, built again) a reported race is a failure too.
 */
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * A reader loses the CPU in the middle of a lookup now and then, so that the writer gets far
 * while the reader stands on a slot or a table. The counter runs down in readers only.
 */
static __thread unsigned int until_yield = ~0U;

static inline void stumble(void)
{
	if (until_yield != ~0U && !until_yield--) {
		until_yield = 2000;
		sched_yield();
	}
}

#define READ_ONCE(x) (stumble(), __atomic_load_n(&(x), __ATOMIC_CONSUME))
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

#include "index.h"
#include "tap.h"

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#define UNDER_TSAN true
#else
#define UNDER_TSAN false
#define __tsan_release(p) ((void)(p))
#define __tsan_acquire(p) ((void)(p))
#endif

enum { STABLE = 24, MOVING = 16, CHURNED = 30000, ABSENT = 1000 };
enum {
	FIRST_MOVING = STABLE,
	FIRST_CHURNED = FIRST_MOVING + MOVING,
	FIRST_ABSENT = FIRST_CHURNED + CHURNED,
	BLOCKS = FIRST_ABSENT + ABSENT,		/* block numbers are scattered(0 .. BLOCKS - 1) */
	GROUPS = 3,
	SLOTS = GROUPS * RMETA_GROUP_SLOTS,
	LIMBO = 64,				/* unlinked slots that share one grace period */
	MAX_READERS = 64,
};

/* What goes wrong on purpose in a child: which grace period is left out. */
enum grace { GRACE_ALL, GRACE_NOT_RESIZE, GRACE_NOT_REUSE };

static struct {
	unsigned int readers;
	unsigned int seconds;
	enum grace grace;
} options = { .readers = 4, .seconds = 2 };

static bool no_memory;		/* only the writer allocates */
static bool stop;
static char grace_over;		/* address only: what ThreadSanitizer calls it */

static void *test_zalloc(size_t bytes)
{
	size_t *memory = no_memory ? NULL : calloc(1, sizeof(u64) + bytes);

	if (!memory)
		return NULL;
	*memory = bytes;
	return (u64 *)memory + 1;
}

static void test_free(const void *p)
{
	size_t *memory = (size_t *)((u64 *)p - 1);

	if (!p)
		return;
	memset((void *)p, 0xff, *memory);
	free(memory);
}

#define rmeta_zalloc test_zalloc
#define rmeta_free test_free
#include "index.c"
#undef rmeta_zalloc
#undef rmeta_free

/*
 * liburcu is not instrumented: ThreadSanitizer is told what a grace period means, that is,
 * what was done in a critical section that had ended by then happened before.
 */
static void enter(void)
{
	rcu_read_lock();
}

static void leave(void)
{
	__tsan_release(&grace_over);
	rcu_read_unlock();
}

static void wait_for_readers(void)
{
	synchronize_rcu();
	__tsan_acquire(&grace_over);
}

/* The index calls this between publishing a table and freeing the one before. */
void rmeta_synchronize_rcu(void)
{
	if (options.grace != GRACE_NOT_RESIZE)
		wait_for_readers();
}

static struct rmeta_entry *groups[GROUPS];
static struct rmeta_entries entries = { .group = groups, .max_groups = GROUPS };
static struct rmeta_index map;

/* The n-th block of a sequence without repetitions: odd factor, modulo 2^48. */
static block_t scattered(u64 n)
{
	return n * 0x9e3779b97f4bULL & ((1ULL << RMETA_BLOCK_BITS) - 1);
}

static u64 prng(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* A number below @limit; small ones are likelier, so that two threads often agree. */
static u32 prng_low(u64 *state, u32 limit)
{
	u32 bits = 5 + (u32)(prng(state) % 11);

	return (u32)(prng(state) % min(1U << bits, limit));
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* ------------------------------------------------------------------ readers ------------ */

/* What one reader did, and what it must never see. */
struct reader {
	pthread_t thread;
	u64 random;
	u32 newest[MOVING];	/* per moving block, latest claim seen */
	u64 lookups;
	u64 hits;
	u64 missed;		/* a mapped block was not found */
	u64 wrong;		/* a slot that holds another block, or a block never mapped */
	u64 older;		/* a moving block in an older slot than before */
	u64 changed;		/* the entry changed its block in the critical section */
};

static u64 failures(const struct reader *reader)
{
	return reader->missed + reader->wrong + reader->older + reader->changed;
}

static slot_t stable_slot(u32 number)
{
	return number * 7;
}

static bool holds(slot_t slot, block_t block)
{
	return slot < SLOTS &&
	       rmeta_where_block(READ_ONCE(rmeta_entry_at(&entries, slot)->where)) == block;
}

static u32 pick_number(struct reader *reader)
{
	switch (prng(&reader->random) % 16) {
	case 0 ... 5:
		return (u32)(prng(&reader->random) % STABLE);
	case 6 ... 9:
		return FIRST_MOVING + (u32)(prng(&reader->random) % MOVING);
	case 10 ... 14:
		return FIRST_CHURNED + prng_low(&reader->random, CHURNED);
	default:
		return FIRST_ABSENT + (u32)(prng(&reader->random) % ABSENT);
	}
}

/* One lookup, inside a critical section. */
static slot_t look_up(struct reader *reader, u32 number)
{
	block_t block = scattered(number);
	slot_t slot = rmeta_index_lookup(&map, block);

	reader->lookups++;
	reader->hits += slot != RMETA_NO_SLOT;
	if (slot == RMETA_NO_SLOT) {
		reader->missed += number < FIRST_CHURNED;
	} else if (number >= FIRST_ABSENT || !holds(slot, block)) {
		reader->wrong++;
	} else if (number < FIRST_MOVING) {
		reader->wrong += slot != stable_slot(number);
	} else if (number < FIRST_CHURNED) {
		u32 claim = rmeta_entry_at(&entries, slot)->time;

		reader->older += claim < reader->newest[number - FIRST_MOVING];
		reader->newest[number - FIRST_MOVING] = claim;
	}
	return slot;
}

static void *read_on(void *arg)
{
	struct reader *reader = arg;
	unsigned int i, nr;
	u32 numbers[8];
	slot_t slots[8];

	until_yield = 0;
	rcu_register_thread();
	while (!READ_ONCE(stop)) {
		nr = 1 + (unsigned int)(prng(&reader->random) % ARRAY_SIZE(slots));
		enter();
		for (i = 0; i < nr; i++) {
			numbers[i] = pick_number(reader);
			slots[i] = look_up(reader, numbers[i]);
		}
		for (i = 0; i < nr; i++)
			reader->changed += slots[i] != RMETA_NO_SLOT &&
					   !holds(slots[i], scattered(numbers[i]));
		leave();
		/* Rather here than inside, where the writer would wait for a time slice. */
		if (prng(&reader->random) % 64 == 0)
			sched_yield();
		if (failures(reader) && options.grace != GRACE_ALL)
			WRITE_ONCE(stop, true);
	}
	rcu_unregister_thread();
	return NULL;
}

/* ------------------------------------------------------------------ the writer --------- */

static struct {
	u64 random;
	slot_t slot_of[BLOCKS];
	u32 mapped[CHURNED];		/* numbers of churned blocks that are mapped */
	u32 nr_mapped;
	u32 place_of[BLOCKS];		/* where in mapped[] */
	slot_t free[SLOTS];		/* used as a stack: slots are reused soon */
	u32 nr_free;
	slot_t limbo[LIMBO];		/* unlinked, readers may still stand on them */
	u32 nr_limbo;
	u32 claims;
	double deadline;
	u64 changes;
	u64 moves;
	u64 reuses;
	u64 grows;
	u64 shrinks;
	u32 most_buckets;
	u64 wrong;
} writer;

static void note_resize(void *host, u32 from, u32 to, u64 count)
{
	if (to > from)
		writer.grows++;
	else
		writer.shrinks++;
	writer.most_buckets = max(writer.most_buckets, to);
}

/* One more group of slots, as the table does it: entries, then links, then use. */
static void add_group(void)
{
	u32 group = entries.nr_groups, i;

	groups[group] = calloc(RMETA_GROUP_SLOTS, sizeof(struct rmeta_entry));
	if (!groups[group] || rmeta_index_grow(&map, group + 1)) {
		printf("Bail out! out of memory\n");
		exit(2);
	}
	entries.nr_groups++;
	for (i = RMETA_GROUP_SLOTS; i-- > 0;) {
		slot_t slot = group * RMETA_GROUP_SLOTS + i;

		if (slot % 7 || slot / 7 >= STABLE)
			writer.free[writer.nr_free++] = slot;
	}
}

static slot_t take_slot(void)
{
	if (!writer.nr_free)
		add_group();
	return writer.free[--writer.nr_free];
}

static void link_slot(slot_t slot, u32 number)
{
	struct rmeta_entry *entry = rmeta_entry_at(&entries, slot);

	entry->time = ++writer.claims;
	WRITE_ONCE(entry->where, rmeta_where(scattered(number), (u16)writer.claims));
	rmeta_index_insert(&map, slot);
	writer.slot_of[number] = slot;
	writer.changes++;
}

static void unlink_slot(slot_t slot)
{
	rmeta_index_remove(&map, slot);
	writer.changes++;
	writer.limbo[writer.nr_limbo++] = slot;
	if (writer.nr_limbo < LIMBO && options.grace != GRACE_NOT_REUSE)
		return;
	if (options.grace != GRACE_NOT_REUSE)
		wait_for_readers();
	writer.reuses += writer.nr_limbo;
	while (writer.nr_limbo)
		writer.free[writer.nr_free++] = writer.limbo[--writer.nr_limbo];
}

static void map_number(u32 number)
{
	link_slot(take_slot(), number);
	writer.place_of[number] = writer.nr_mapped;
	writer.mapped[writer.nr_mapped++] = number;
}

static void unmap_number(u32 number)
{
	u32 last = writer.mapped[--writer.nr_mapped];

	unlink_slot(writer.slot_of[number]);
	writer.slot_of[number] = RMETA_NO_SLOT;
	writer.mapped[writer.place_of[number]] = last;
	writer.place_of[last] = writer.place_of[number];
}

/* Linked twice for an instant, and sometimes across a resize that other blocks cause. */
static void move_some(void)
{
	u32 number = FIRST_MOVING + (u32)(prng(&writer.random) % MOVING);
	slot_t old = writer.slot_of[number];
	u32 other = FIRST_CHURNED + prng_low(&writer.random, CHURNED);

	link_slot(take_slot(), number);
	if (writer.slot_of[other] == RMETA_NO_SLOT)
		map_number(other);
	else
		unmap_number(other);
	unlink_slot(old);
	writer.moves++;
}

/* Has the writer done what a run must have seen? */
static bool enough(void)
{
	return writer.grows >= 20 && writer.shrinks >= 20 && writer.most_buckets >= 4096 &&
	       writer.moves >= 1000 && writer.reuses >= 1000;
}

/* A busy machine gets ten times as long before the run counts as too small. */
static bool time_left(void)
{
	double late = now() - writer.deadline;

	return !READ_ONCE(stop) && (late < 0 || (!enough() && late < options.seconds * 9.0));
}

/* Map or unmap one block, towards @target churned ones. */
static void step_towards(u32 target)
{
	u32 number = FIRST_CHURNED + prng_low(&writer.random, CHURNED);

	if (prng(&writer.random) % 8 == 0)
		move_some();
	if (writer.nr_mapped > target) {
		unmap_number(writer.mapped[prng(&writer.random) % writer.nr_mapped]);
	} else if (writer.slot_of[number] == RMETA_NO_SLOT) {
		map_number(number);
	} else {
		/* Low numbers are taken: any free one, so that the target is reached. */
		do
			number = FIRST_CHURNED + (u32)(prng(&writer.random) % CHURNED);
		while (writer.slot_of[number] != RMETA_NO_SLOT);
		map_number(number);
	}
	if (rmeta_index_lookup(&map, scattered(number)) != writer.slot_of[number])
		writer.wrong++;
}

static void visit(u32 target, u32 stay)
{
	while (writer.nr_mapped + 2 < target || writer.nr_mapped > target + 2) {
		if (!time_left())
			return;
		step_towards(target);
	}
	while (stay-- && time_left())
		step_towards(target + (u32)(prng(&writer.random) % 16));
}

/*
 * Up and down through the sizes, in strides that are crossed quickly and in large ones; then
 * without memory, so that chains are long and a reader is on its way for long.
 */
static void write_on(void)
{
	while (time_left()) {
		visit(200, 100);
		visit(10, 100);
		visit(3000, 1000);
		visit(10, 0);
		no_memory = true;
		visit(1000, 3000);
		visit(10, 0);
		no_memory = false;
		visit(20000, 1000);
		visit(10, 0);
	}
}

/* ------------------------------------------------------------------ one run ------------ */

static struct reader readers[MAX_READERS];

static void run(void)
{
	u32 number, i;

	if (rmeta_index_init(&map, &entries, 0x243f6a8885a308d3ULL, note_resize, NULL)) {
		printf("Bail out! out of memory\n");
		exit(2);
	}
	memset(writer.slot_of, 0xff, sizeof(writer.slot_of));
	add_group();
	for (number = 0; number < FIRST_CHURNED; number++)
		link_slot(number < FIRST_MOVING ? stable_slot(number) : take_slot(), number);

	writer.deadline = now() + options.seconds;
	for (i = 0; i < options.readers; i++) {
		readers[i].random = i + 1;
		pthread_create(&readers[i].thread, NULL, read_on, &readers[i]);
	}
	write_on();
	WRITE_ONCE(stop, true);
	for (i = 0; i < options.readers; i++)
		pthread_join(readers[i].thread, NULL);

	for (number = 0; number < BLOCKS; number++)
		writer.wrong += rmeta_index_lookup(&map, scattered(number)) !=
				writer.slot_of[number];
	rmeta_index_exit(&map);
	for (i = 0; i < entries.nr_groups; i++)
		free(groups[i]);
}

static struct reader sum_of_readers(u64 *fewest_lookups)
{
	struct reader sum = { 0 };
	unsigned int i;

	*fewest_lookups = ~0ULL;
	for (i = 0; i < options.readers; i++) {
		sum.lookups += readers[i].lookups;
		sum.hits += readers[i].hits;
		sum.missed += readers[i].missed;
		sum.wrong += readers[i].wrong;
		sum.older += readers[i].older;
		sum.changed += readers[i].changed;
		*fewest_lookups = min(*fewest_lookups, readers[i].lookups);
	}
	return sum;
}

/*
 * The same with one grace period left out, in a child, since it may crash or be ended by the
 * sanitizer. Caught: wrong answers (exit 1), a signal, or a reported race (exit 66).
 */
static void expect_caught(const char *option, const char *what)
{
	char output[4096], piece[512], seconds[16];
	size_t used = 0;
	ssize_t bytes;
	int fds[2], status;
	char *race;
	pid_t pid;

	snprintf(seconds, sizeof(seconds), "%u", options.seconds * 10);
	pid = pipe(fds) ? -1 : fork();
	if (pid < 0) {
		ok(false, "%s: cannot start a child: %s", what, strerror(errno));
		return;
	}
	if (!pid) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		setenv("TSAN_OPTIONS", "halt_on_error=1 exitcode=66", 1);
		execl("/proc/self/exe", "concurrent", "-g", option, "-s", seconds, NULL);
		_exit(127);
	}
	close(fds[1]);
	while ((bytes = read(fds[0], piece, sizeof(piece))) > 0) {
		size_t fits = min((size_t)bytes, sizeof(output) - 1 - used);

		memcpy(output + used, piece, fits);
		used += fits;
	}
	output[used] = 0;
	close(fds[0]);
	waitpid(pid, &status, 0);

	race = strstr(output, "WARNING: ThreadSanitizer");
	if (WIFSIGNALED(status))
		ok(WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS ||
		   WTERMSIG(status) == SIGABRT, "%s is caught: %s", what,
		   strsignal(WTERMSIG(status)));
	else if (race && WEXITSTATUS(status) == 66)
		ok(true, "%s is caught: %.*s", what, (int)strcspn(race + 9, "(\n"), race + 9);
	else
		ok(WEXITSTATUS(status) == 1, "%s is caught: %.*s (exit %d)", what,
		   (int)strcspn(output, "\n"), output, WEXITSTATUS(status));
}

#ifdef __SANITIZE_THREAD__
static int nr_races;

/* Called by the sanitizer's runtime for each report. */
void __tsan_on_report(void *report);

void __tsan_on_report(void *report)
{
	__atomic_fetch_add(&nr_races, 1, __ATOMIC_RELAXED);
}
#else
enum { nr_races = 0 };
#endif

int main(int argc, char **argv)
{
	struct reader sum;
	u64 fewest_lookups;
	int option;

	while ((option = getopt(argc, argv, "g:r:s:")) != -1) {
		if (option == 'r')
			options.readers = (unsigned int)atoi(optarg);
		else if (option == 's')
			options.seconds = (unsigned int)atoi(optarg);
		else if (option == 'g' && !strcmp(optarg, "not-resize"))
			options.grace = GRACE_NOT_RESIZE;
		else if (option == 'g' && !strcmp(optarg, "not-reuse"))
			options.grace = GRACE_NOT_REUSE;
		else
			option = '?';
		if (option == '?' || !options.seconds || !options.readers ||
		    options.readers > MAX_READERS) {
			fprintf(stderr, "usage: %s [-r 1..%d readers] [-s seconds] "
				"[-g not-resize|not-reuse]\n", argv[0], MAX_READERS);
			return 16;
		}
	}
	run();
	sum = sum_of_readers(&fewest_lookups);
	if (options.grace != GRACE_ALL) {
		printf("%" PRIu64 " missed, %" PRIu64 " wrong, %" PRIu64 " older, %" PRIu64
		       " changed in %" PRIu64 " lookups\n", sum.missed, sum.wrong, sum.older,
		       sum.changed, sum.lookups);
		return failures(&sum) ? 1 : 0;
	}

	note("%u readers, %u s%s: %" PRIu64 " lookups, %" PRIu64 " found", options.readers,
	     options.seconds, UNDER_TSAN ? " under ThreadSanitizer" : "", sum.lookups, sum.hits);
	note("writer: %" PRIu64 " changes, %" PRIu64 " moves, %" PRIu64 " slots reused",
	     writer.changes, writer.moves, writer.reuses);
	is(sum.missed, 0, "no mapped block was missed");
	is(sum.wrong, 0, "no wrong slot, no block that was never mapped");
	is(sum.older, 0, "no moved block was seen in an older slot again");
	is(sum.changed, 0, "no slot changed its block under a reader");
	is(writer.wrong, 0, "the writer's own lookups are right, also at the end");
	is(nr_races, 0, "no race was reported%s", UNDER_TSAN ? "" : " (nobody was looking)");
	ok(enough(), "resized while they read: %" PRIu64 " times up, %" PRIu64
	   " down, up to %u buckets", writer.grows, writer.shrinks, writer.most_buckets);
	ok(fewest_lookups >= 10000, "every reader read: at least %" PRIu64 " lookups each",
	   fewest_lookups);
	expect_caught("not-resize", "freeing a table without a grace period");
	expect_caught("not-reuse", "reusing a slot without a grace period");
	return done();
}
