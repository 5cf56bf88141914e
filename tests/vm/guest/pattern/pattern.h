/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of pattern share: what is remembered of what was written, and requests that
 * keep it and are checked against it. See pattern.c for the rules.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "sectors.h"

#define PAGE_SECTORS 8u
#define MAX_REQUEST_SECTORS 2048u	/* 1 MiB */
#define MAX_TARGETS 16u
#define MAX_THREADS 64u

/*
 * What is known of one sector. A write sets `issued` before it starts and `written` when it
 * has succeeded, so that the sector holds a generation in written..issued. `durable` is the
 * newest generation that a flush is known to have covered.
 */
struct shadow {
	uint32_t written;
	uint32_t issued;
	uint32_t durable;
};

struct target {
	char path[256];
	uint64_t sectors;
	uint64_t first_shadow;		/* index in the state file's array */
	uint32_t buffered;
	uint32_t reserved;
};

#define STATE_MAGIC 0x3174617473746170ull

/* The state file: this, then one struct shadow per sector of each target in turn. */
struct state {
	uint64_t magic;
	uint64_t run_id;		/* so that an older run's sectors are wrong */
	uint64_t shadows;
	uint32_t targets;
	_Atomic uint32_t generation;	/* the last one given out */
	struct target target[MAX_TARGETS];
	struct shadow shadow[];
};

struct counts {
	uint64_t writes, write_errors, reads, read_errors, unreadable_sectors, wrong_sectors;
	uint64_t syncs, sync_errors;
};

struct options {
	const char *state_path;
	uint64_t size_bytes;
	unsigned int threads;
	unsigned int seconds;
	uint64_t ops;			/* 0: no limit */
	unsigned int min_sectors, max_sectors;
	unsigned int write_percent, sync_percent;
	bool track_durable, errors_fine, after_cut;
	uint64_t seed;
};

struct worker {
	pthread_t thread;
	unsigned int index;
	uint64_t random;
	uint64_t *buffer;
	struct counts counts;
};

extern struct options opt;

/*---- pattern.c ----*/

/** die() - end the program, saying why */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

/** now_seconds() - of some clock */
time_t now_seconds(void);

/*---- state.c: the state file ----*/

extern struct state *state;
extern int target_fd[MAX_TARGETS];

/* Belongs to every shadow; a busy sector's shadow belongs to who made it busy. */
extern pthread_mutex_t busy_lock;

/** shadow_of() - of a sector */
struct shadow *shadow_of(unsigned int target, uint64_t sector);

/** describe_target() - fill @target in from an argument; makes the file, when it is one */
void describe_target(struct target *target, char *path);

/** create_state() - make the state file, for so many sectors; state->magic is yet to be set */
void create_state(uint64_t shadows);

/** open_state() - open it, made by an earlier process */
void open_state(void);

/** open_targets() - open what it lists */
void open_targets(void);

/*---- check.c: what a sector looks like ----*/

/** fill_sector() - make the data of one sector */
void fill_sector(uint64_t *words, unsigned int target, uint64_t sector, uint32_t generation);

/** may_complain() - is there something to be said that was not said too often? */
bool may_complain(void);

/**
 * check_sector() - is this what some allowed write put there?
 * @words: the sector's data
 * @target: where it was read
 * @sector: likewise
 * @shadow: what is known of it
 * @generation: out: of that write
 *
 * Return: whether it is; says on stderr what is wrong.
 */
bool check_sector(const uint64_t *words, unsigned int target, uint64_t sector,
		  const struct shadow *shadow, uint32_t *generation);

/*---- request.c: the caller owns the sectors ----*/

/** setup_worker() - give it a buffer, and random numbers of its own */
void setup_worker(struct worker *w, unsigned int index);

/** next_random() - never 0 */
uint64_t next_random(uint64_t *random);

/** do_read() - read and check */
void do_read(struct worker *w, unsigned int target, uint64_t sector, uint64_t sectors);

/** do_write() - write; @durable: by a write that is its own flush */
void do_write(struct worker *w, unsigned int target, uint64_t sector, uint64_t sectors,
	      bool durable);

/** do_sync() - flush a target */
void do_sync(struct worker *w, unsigned int target);

/** add_counts() - sum up */
void add_counts(struct counts *sum, const struct counts *c);

/** report() - print the counts; returns the exit status */
int report(const struct counts *c, time_t seconds);

/*---- load.c ----*/

/** run_load() - the whole of "load"; returns the exit status */
int run_load(void);

#endif
