// SPDX-License-Identifier: GPL-2.0-only
/* Requests that remember what they wrote and check what they read. Contract in pattern.h. */
#include "pattern.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

uint64_t next_random(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

void setup_worker(struct worker *w, unsigned int index)
{
	memset(w, 0, sizeof(*w));
	w->index = index;
	w->random = (opt.seed + index + 1) * 0x9e3779b97f4a7c15ull ^
		    (uint64_t)atomic_load(&state->generation) << 20;
	if (!w->random)
		w->random = 1;
	if (posix_memalign((void **)&w->buffer, 4096, MAX_REQUEST_SECTORS * SECTOR_SIZE))
		die("out of memory");
}

static int transfer(bool write, unsigned int target, uint64_t sector, uint64_t sectors,
		    void *buffer, int flags)
{
	struct iovec iov = { buffer, sectors * SECTOR_SIZE };
	off_t offset = (off_t)(sector * SECTOR_SIZE);
	ssize_t done;

	done = write ? pwritev2(target_fd[target], &iov, 1, offset, flags) :
		       preadv2(target_fd[target], &iov, 1, offset, flags);
	if (done < 0)
		return -errno;
	return (size_t)done == iov.iov_len ? 0 : -EIO;
}

static void check_data(struct worker *w, unsigned int target, uint64_t sector, uint64_t sectors,
		       const uint64_t *words)
{
	for (uint64_t s = 0; s < sectors; s++, words += SECTOR_WORDS) {
		struct shadow *shadow = shadow_of(target, sector + s);
		uint32_t generation;

		if (!check_sector(words, target, sector + s, shadow, &generation))
			w->counts.wrong_sectors++;
		else if (opt.after_cut)
			*shadow = (struct shadow){ generation, generation, generation };
	}
}

/*
 * A failed request is read again sector by sector: only sectors that are bad
 * themselves may fail, and the others must be right.
 */
void do_read(struct worker *w, unsigned int target, uint64_t sector, uint64_t sectors)
{
	w->counts.reads++;
	if (!transfer(false, target, sector, sectors, w->buffer, 0)) {
		check_data(w, target, sector, sectors, w->buffer);
		return;
	}
	w->counts.read_errors++;
	if (state->target[target].buffered) {
		w->counts.unreadable_sectors += sectors;
		return;
	}
	for (uint64_t s = 0; s < sectors; s++) {
		if (transfer(false, target, sector + s, 1, w->buffer, 0))
			w->counts.unreadable_sectors++;
		else
			check_data(w, target, sector + s, 1, w->buffer);
	}
}

void do_write(struct worker *w, unsigned int target, uint64_t sector, uint64_t sectors,
	      bool durable)
{
	uint32_t generation = atomic_fetch_add(&state->generation, 1) + 1;
	int error;

	for (uint64_t s = 0; s < sectors; s++) {
		shadow_of(target, sector + s)->issued = generation;
		fill_sector(w->buffer + s * SECTOR_WORDS, target, sector + s, generation);
	}
	w->counts.writes++;
	error = transfer(true, target, sector, sectors, w->buffer, durable ? RWF_DSYNC : 0);
	if (error) {
		w->counts.write_errors++;
		if (!opt.errors_fine && may_complain())
			fprintf(stderr, "pattern: write of %s sectors %" PRIu64 "+%" PRIu64 ": %s\n",
				state->target[target].path, sector, sectors, strerror(-error));
		return;
	}
	pthread_mutex_lock(&busy_lock);
	for (uint64_t s = 0; s < sectors; s++) {
		shadow_of(target, sector + s)->written = generation;
		if (durable)
			shadow_of(target, sector + s)->durable = generation;
	}
	pthread_mutex_unlock(&busy_lock);
}

/* What was written before the flush began is durable when it succeeds. */
void do_sync(struct worker *w, unsigned int target)
{
	uint64_t sectors = state->target[target].sectors;
	uint32_t *written = NULL;

	if (opt.track_durable) {
		written = malloc(sectors * sizeof(*written));
		if (!written)
			die("out of memory");
		pthread_mutex_lock(&busy_lock);
		for (uint64_t s = 0; s < sectors; s++)
			written[s] = shadow_of(target, s)->written;
		pthread_mutex_unlock(&busy_lock);
	}
	w->counts.syncs++;
	if (fdatasync(target_fd[target])) {
		w->counts.sync_errors++;
		if (!opt.errors_fine && may_complain())
			fprintf(stderr, "pattern: fdatasync of %s: %s\n",
				state->target[target].path, strerror(errno));
	} else if (opt.track_durable) {
		pthread_mutex_lock(&busy_lock);
		for (uint64_t s = 0; s < sectors; s++)
			if (written[s] > shadow_of(target, s)->durable)
				shadow_of(target, s)->durable = written[s];
		pthread_mutex_unlock(&busy_lock);
	}
	free(written);
}

int report(const struct counts *c, time_t seconds)
{
	printf("writes=%" PRIu64 " write_errors=%" PRIu64 " reads=%" PRIu64 " read_errors=%" PRIu64
	       " unreadable_sectors=%" PRIu64 " wrong_sectors=%" PRIu64 " syncs=%" PRIu64
	       " sync_errors=%" PRIu64 " seconds=%ld\n",
	       c->writes, c->write_errors, c->reads, c->read_errors, c->unreadable_sectors,
	       c->wrong_sectors, c->syncs, c->sync_errors, (long)seconds);
	if (c->wrong_sectors)
		return 2;
	return (c->write_errors || c->sync_errors) && !opt.errors_fine;
}

void add_counts(struct counts *sum, const struct counts *c)
{
	sum->writes += c->writes;
	sum->write_errors += c->write_errors;
	sum->reads += c->reads;
	sum->read_errors += c->read_errors;
	sum->unreadable_sectors += c->unreadable_sectors;
	sum->wrong_sectors += c->wrong_sectors;
	sum->syncs += c->syncs;
	sum->sync_errors += c->sync_errors;
}
