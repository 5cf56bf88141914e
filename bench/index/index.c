// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the index costs natively: bytes per remap, ns per lookup that hits and that misses,
 * inserts and removes per second, at several sizes. A time in ns says little without the
 * machine, so next to it stands, from the same run, one dependent random access to memory: a
 * walk along a random cycle through a table of the same total size. In all three the CPU is
 * made to finish one before it starts the next.
 *
 * Exit status 1 when 1,000,000 remaps take more than 28 bytes each.
 */
#include <stdio.h>
#include <sys/prctl.h>
#include <time.h>

#include "index.h"

#define SEED 0x243f6a8885a308d3ULL
#define MAX_BYTES 28.0
#define ROUNDS 5		/* of which the fastest counts */
#define PROBES (1U << 20)	/* lookups or accesses in a round */

/* One row of the result. */
struct row {
	u32 remaps;
	u32 buckets;
	double bytes;		/* per remap: entries, links, heads and directories */
	double hit_ns;
	double miss_ns;
	double memory_ns;
	double insert_ns;
	double presized_ns;	/* per insert, without resizes */
	double remove_ns;
};

static struct rmeta_entries entries;
static struct rmeta_index map;
static block_t *probes;
static volatile u64 end_of_walk;	/* stored, so that the walk is not left out */

/*
 * Nothing after it starts before everything ahead of it has ended. A miss has no result that
 * the next lookup could be made to depend on: without this, misses would overlap.
 */
static inline void serialize(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_lfence();
#elif defined(__aarch64__)
	__asm__ volatile("dsb sy; isb" ::: "memory");
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static u64 prng(void)
{
	static u64 state;
	u64 z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* The n-th block of a sequence without repetitions: odd factor, modulo 2^40. */
static block_t scattered(u64 n)
{
	return n * 0x9e3779b97f4bULL & ((1ULL << 40) - 1);
}

static void *allocate(size_t bytes)
{
	void *memory = rmeta_zalloc(bytes);

	if (!memory) {
		fprintf(stderr, "bench/index: out of memory (%zu bytes)\n", bytes);
		exit(8);
	}
	return memory;
}

static void make_index(u32 remaps)
{
	u32 nr_groups = DIV_ROUND_UP(remaps, RMETA_GROUP_SLOTS), group;
	slot_t slot;

	entries.max_groups = nr_groups;
	entries.nr_groups = nr_groups;
	entries.group = allocate(nr_groups * sizeof(*entries.group));
	for (group = 0; group < nr_groups; group++)
		entries.group[group] = allocate(RMETA_GROUP_SLOTS * sizeof(struct rmeta_entry));
	for (slot = 0; slot < remaps; slot++)
		rmeta_entry_at(&entries, slot)->where = rmeta_where(scattered(slot), 0);
	if (rmeta_index_init(&map, &entries, SEED, NULL, NULL) ||
	    rmeta_index_grow(&map, nr_groups)) {
		fprintf(stderr, "bench/index: out of memory for %u remaps\n", remaps);
		exit(8);
	}
}

static void drop_index(void)
{
	u32 group;

	rmeta_index_exit(&map);
	for (group = 0; group < entries.nr_groups; group++)
		rmeta_free(entries.group[group]);
	rmeta_free(entries.group);
}

static double time_inserts(u32 remaps)
{
	double start = now_ns();
	slot_t slot;

	for (slot = 0; slot < remaps; slot++)
		rmeta_index_insert(&map, slot);
	return (now_ns() - start) / remaps;
}

static double time_removes(u32 remaps)
{
	double start = now_ns();
	slot_t slot;

	for (slot = 0; slot < remaps; slot++)
		rmeta_index_remove(&map, slot);
	return (now_ns() - start) / remaps;
}

/* Lookups of probes[], one after the other; @found must come out. */
static double time_lookups(u32 found)
{
	double best = 1e18, start;
	u32 round, i, hits;

	for (round = 0; round < ROUNDS; round++) {
		hits = 0;
		start = now_ns();
		for (i = 0; i < PROBES; i++) {
			hits += rmeta_index_lookup(&map, probes[i]) != RMETA_NO_SLOT;
			serialize();
		}
		best = min(best, (now_ns() - start) / PROBES);
		if (hits != found) {
			fprintf(stderr, "bench/index: %u of %u lookups hit, not %u\n", hits,
				PROBES, found);
			exit(8);
		}
	}
	return best;
}

static void probe_hits(u32 remaps)
{
	u32 i;

	for (i = 0; i < PROBES; i++)
		probes[i] = scattered(prng() % remaps);
}

static void probe_misses(void)
{
	u32 i;

	for (i = 0; i < PROBES; i++)
		probes[i] = scattered((1ULL << 32) + prng() % (1U << 30));
}

/* One access that depends on the one before, in a table of @bytes, on average. */
static double time_memory(u64 bytes)
{
	u64 nr = bytes / sizeof(u64), i, at = 0;
	u64 *next = allocate(bytes);
	double best = 1e18, start;
	u32 round;

	/* Sattolo's shuffle: one cycle through all places. */
	for (i = 0; i < nr; i++)
		next[i] = i;
	for (i = nr - 1; i > 0; i--) {
		u64 other = prng() % i, keep = next[i];

		next[i] = next[other];
		next[other] = keep;
	}
	for (round = 0; round < ROUNDS; round++) {
		start = now_ns();
		for (i = 0; i < PROBES; i++) {
			at = next[at];
			serialize();
		}
		best = min(best, (now_ns() - start) / PROBES);
	}
	rmeta_free(next);
	end_of_walk = at;
	return best;
}

static struct row measure(u32 remaps)
{
	struct row row = { .remaps = remaps };
	u64 bytes;

	make_index(remaps);
	if (rmeta_index_presize(&map, remaps)) {
		fprintf(stderr, "bench/index: out of memory for %u remaps\n", remaps);
		exit(8);
	}
	row.presized_ns = time_inserts(remaps);
	row.remove_ns = time_removes(remaps);
	row.insert_ns = time_inserts(remaps);

	bytes = rmeta_index_bytes(&map) + entries.max_groups * sizeof(*entries.group) +
		(u64)entries.nr_groups * RMETA_GROUP_SLOTS * sizeof(struct rmeta_entry);
	row.bytes = (double)bytes / remaps;
	row.buckets = rmeta_index_buckets(&map);
	probe_hits(remaps);
	row.hit_ns = time_lookups(PROBES);
	probe_misses();
	row.miss_ns = time_lookups(0);
	drop_index();
	row.memory_ns = time_memory(bytes);
	return row;
}

int main(void)
{
	static const u32 sizes[] = { 10000, 100000, 1000000 };
	struct row row = { 0 };
	unsigned int i;

	/* The kernel has no huge pages for it either; the plain table must not have any. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	probes = allocate(PROBES * sizeof(*probes));

	printf("%9s %9s %11s %8s %8s %8s %9s %9s %9s %9s\n", "", "", "bytes per", "ns per",
	       "ns per", "plain", "hit over", "inserts", "presized", "removes");
	printf("%9s %9s %11s %8s %8s %8s %9s %9s %9s %9s\n", "remaps", "buckets", "remap", "hit",
	       "miss", "access", "access", "M/s", "M/s", "M/s");
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		row = measure(sizes[i]);
		printf("%9u %9u %11.2f %8.1f %8.1f %8.1f %9.2f %9.2f %9.2f %9.2f\n", row.remaps,
		       row.buckets, row.bytes, row.hit_ns, row.miss_ns, row.memory_ns,
		       row.hit_ns / row.memory_ns, 1e3 / row.insert_ns, 1e3 / row.presized_ns,
		       1e3 / row.remove_ns);
	}
	rmeta_free(probes);
	printf("bytes per remap at %u: %.2f, at most %.0f: %s\n", row.remaps, row.bytes, MAX_BYTES,
	       row.bytes <= MAX_BYTES ? "ok" : "TOO MANY");
	return row.bytes <= MAX_BYTES ? 0 : 1;
}
