// SPDX-License-Identifier: GPL-2.0-only
/*
 * statuses - what each status of main means, in each direction and with each flag: what the
 * submitter is told, what is recorded, which counters move. A test of its own, in TAP.
 *
 *	statuses MAIN SPARE	paths; MAIN is /dev/mapper/main, an inject target
 *
 * One row for each status that a block driver can return. DM_REQUEUE and ZONE_RESOURCE never
 * leave the block layer and are not here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bed.h"
#include "tap.h"

#define REMAP "r"
#define MAIN "main"
#define REGION_SECTORS 2048u
#define FAILED_READS 6u		/* words of inject's status */

/* What a status says of the medium; see the table in docs/kernel.md. */
enum kind { MEDIUM, UNSURE, OTHER };

static const struct {
	const char *name;
	enum kind kind;
	int error;
} statuses[] = {
	{ "MEDIUM", MEDIUM, ENODATA },
	{ "IOERR", UNSURE, EIO },
	{ "TARGET", UNSURE, EREMOTEIO },
	{ "NOTSUPP", OTHER, EOPNOTSUPP },
	{ "TIMEOUT", OTHER, ETIMEDOUT },
	{ "NOSPC", OTHER, ENOSPC },
	{ "TRANSPORT", OTHER, ENOLINK },
	{ "RESV_CONFLICT", OTHER, EBADE },	/* NEXUS on older kernels */
	{ "PROTECTION", OTHER, EILSEQ },
	{ "RESOURCE", OTHER, ENOMEM },
	{ "AGAIN", OTHER, EAGAIN },
	{ "DEV_RESOURCE", OTHER, EBUSY },
	{ "ZONE_OPEN_RESOURCE", OTHER, ETOOMANYREFS },
	{ "ZONE_ACTIVE_RESOURCE", OTHER, EOVERFLOW },
	{ "OFFLINE", OTHER, ENODEV },
	{ "DURATION_LIMIT", OTHER, ETIME },
	{ "INVAL", OTHER, EINVAL },
};

/* What a row expects: an answer, and by how much the numbers grow. */
struct want {
	int error;
	int used, pending, read_errors, write_errors;
};

static const char *main_path, *spare_path;
static uint64_t main_sectors, place;
static int remap_fd, raw_fd, ahead_fd;

/* A block in a region that nothing has happened in yet: the fast path. */
static void fresh(void)
{
	place = (place / REGION_SECTORS + 2) * REGION_SECTORS + 8;
}

/* Another one in the same region, which is marked by then. */
static void sibling(void)
{
	place += 32;
}

static const unsigned int watched[] = {
	BED_USED, BED_PENDING, BED_LOST, BED_RETIRED, BED_READ_ERRORS, BED_WRITE_ERRORS
};
enum { WATCHED = sizeof(watched) / sizeof(watched[0]) };

static void numbers(int64_t *values)
{
	char text[DMCTL_TEXT], word[DMCTL_TEXT];

	if (dmctl_status(REMAP, text))
		bed_die("no status");
	for (unsigned int i = 0; i < WATCHED; i++)
		values[i] = (int64_t)dmctl_field(text, watched[i], word);
}

static void expect(const char *name, int error, const int64_t *before, const struct want *want)
{
	char got_text[200], want_text[200];
	int64_t after[WATCHED];
	static const char format[] = "%s; used +%lld pending +%lld lost +%lld retired +%lld, "
				     "read errors +%lld, write errors +%lld";

	numbers(after);
	snprintf(got_text, sizeof(got_text), format, error ? strerrorname_np(-error) : "OK",
		 (long long)(after[0] - before[0]), (long long)(after[1] - before[1]),
		 (long long)(after[2] - before[2]), (long long)(after[3] - before[3]),
		 (long long)(after[4] - before[4]), (long long)(after[5] - before[5]));
	snprintf(want_text, sizeof(want_text), format,
		 want->error ? strerrorname_np(want->error) : "OK", (long long)want->used,
		 (long long)want->pending, 0LL, 0LL, (long long)want->read_errors,
		 (long long)want->write_errors);
	is_str(got_text, want_text, "%s", name);
}

/* A request with one bad sector in the block at `place`. */
static void row(const char *status, const char *what, bool write, const char *times,
		int rw_flags, struct want want)
{
	struct bed_op op = { .fd = remap_fd, .write = write, .sector = place, .sectors = 8,
			     .tag = write ? 2 : 1, .rw_flags = rw_flags };
	int64_t before[WATCHED];
	char name[100];
	int error;

	snprintf(name, sizeof(name), "%s, %s", status, what);
	numbers(before);
	bed_message(MAIN, "add %s %llu %s%s", write ? "w" : "r", (unsigned long long)place + 3,
		    status, times);
	error = bed_do(&op);
	bed_message(MAIN, "clear");
	expect(name, error, before, &want);
	if (write && !error)
		is(bed_read(remap_fd, place, 8, 2), 0, "%s: the data", name);
}

static void read_ahead(const char *status)
{
	struct want nothing = { 0 };
	int64_t before[WATCHED];
	char word[DMCTL_TEXT], name[100];
	off_t offset = (off_t)(place * SECTOR_SIZE);

	snprintf(name, sizeof(name), "%s, read-ahead", status);
	numbers(before);
	bed_message(MAIN, "reset");
	bed_message(MAIN, "add r %llu %s", (unsigned long long)place + 3, status);
	posix_fadvise(ahead_fd, offset, 8 * SECTOR_SIZE, POSIX_FADV_DONTNEED);
	if (readahead(ahead_fd, offset, 8 * SECTOR_SIZE))
		bed_die("readahead: %s", strerror(errno));
	bed_wait(MAIN, FAILED_READS, 1);
	/* whatever would come of it is there by then: a retry would fail in no time */
	bed_sleep_ms(10);
	is(bed_word(MAIN, FAILED_READS, word), 1, "%s: main was asked once", name);
	bed_message(MAIN, "clear");
	expect(name, 0, before, &nothing);
}

static void status_rows(const char *status, enum kind kind, int error)
{
	bool judged = kind != OTHER;	/* it says something of the medium, so it counts */
	int read_used = kind == MEDIUM;
	struct want write = { .error = judged ? 0 : error, .used = judged, .write_errors = judged };
	struct want write_once = { .error = judged ? 0 : error, .write_errors = judged };
	struct want read = { .error = error, .used = read_used, .pending = read_used,
			     .read_errors = judged };
	struct want read_once = { .error = judged ? 0 : error, .read_errors = judged };

	fresh();
	row(status, "write, fast path", true, "", 0, write);
	sibling();
	row(status, "write", true, "", 0, write);
	sibling();
	row(status, "write, once", true, " times 1", 0, write_once);
	if (judged)
		is(bed_read(raw_fd, place, 8, 2), 0, "%s, write, once: it is on main", status);
	sibling();
	row(status, "write, NOWAIT", true, "", RWF_NOWAIT, write);
	sibling();
	row(status, "write, FUA", true, "", RWF_DSYNC, write);

	fresh();
	if (bed_write(raw_fd, place, 256, 1))
		bed_die("cannot write to main");
	row(status, "read, fast path", false, "", 0, read);
	is(bed_read(remap_fd, place, 3, 1) ?: bed_read(remap_fd, place + 4, 4, 1), 0,
	   "%s, read: the sectors beside it", status);
	sibling();
	row(status, "read", false, "", 0, read);
	sibling();
	row(status, "read, once", false, " times 1", 0, read_once);
	sibling();
	row(status, "read, NOWAIT", false, "", RWF_NOWAIT, read);
	sibling();
	read_ahead(status);
}

static void all_statuses(void)
{
	for (unsigned int i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		char text[64];

		snprintf(text, sizeof(text), "add r 0 %s", statuses[i].name);
		if (dmctl_message(MAIN, text, NULL)) {
			note("this kernel has no status %s", statuses[i].name);
			continue;
		}
		bed_message(MAIN, "clear");
		status_rows(statuses[i].name, statuses[i].kind, statuses[i].error);
	}
}

static void start(const char *features)
{
	char path[64];

	bed_create(REMAP, main_sectors, "remap", "%s %s %s", main_path, spare_path, features);
	remap_fd = bed_open(REMAP);
	dmctl_path(REMAP, path, sizeof(path));
	ahead_fd = open(path, O_RDONLY);
	if (ahead_fd < 0)
		bed_die("%s: %s", path, strerror(errno));
}

static void end(void)
{
	close(remap_fd);
	close(ahead_fd);
	bed_remove(REMAP);
}

/* Rows that depend on a word of the table line. */
static void with_features(void)
{
	start("2 read_policy remap");
	fresh();
	row("IOERR", "read, read_policy remap", false, "", 0,
	    (struct want){ .error = EIO, .used = 1, .pending = 1, .read_errors = 1 });
	fresh();
	row("TARGET", "read, read_policy remap", false, "", 0,
	    (struct want){ .error = EREMOTEIO, .used = 1, .pending = 1, .read_errors = 1 });
	fresh();
	row("TRANSPORT", "read, read_policy remap", false, "", 0,
	    (struct want){ .error = ENOLINK });
	end();

	start("1 no_auto_remap");
	fresh();
	row("MEDIUM", "write, no_auto_remap", true, "", 0,
	    (struct want){ .error = ENODATA, .write_errors = 1 });
	fresh();
	row("MEDIUM", "write, once, no_auto_remap", true, " times 1", 0,
	    (struct want){ .write_errors = 1 });
	fresh();
	row("MEDIUM", "read, no_auto_remap", false, "", 0,
	    (struct want){ .error = ENODATA, .read_errors = 1 });
	end();
}

/* The disk, not the sector: every write fails, and so does every rewrite of a neighbour. */
static void dead_disk(const char *status, int error)
{
	struct want want = { .error = error, .write_errors = 1 };
	char mode[DMCTL_TEXT];
	int64_t before[WATCHED];

	start("");
	fresh();
	numbers(before);
	bed_message(MAIN, "add w 0+%llu %s", (unsigned long long)main_sectors, status);
	error = bed_write(remap_fd, place, 8, 2);
	bed_message(MAIN, "clear");
	expect("every write fails", error, before, &want);
	bed_word(REMAP, 1, mode);
	is_str(mode, "failed", "%s, every write: the device has failed", status);
	is(bed_read(remap_fd, place, 1, 0), -EIO, "%s, every write: all I/O fails then", status);
	end();
}

int main(int argc, char **argv)
{
	char mode[DMCTL_TEXT];

	if (argc != 3)
		bed_die("usage: statuses MAIN SPARE");
	main_path = argv[1];
	spare_path = argv[2];
	raw_fd = bed_open(MAIN);
	if (ioctl(raw_fd, BLKGETSIZE64, &main_sectors))
		bed_die("%s: %s", main_path, strerror(errno));
	main_sectors /= SECTOR_SIZE;

	start("1 format");
	all_statuses();
	bed_word(REMAP, 1, mode);
	is_str(mode, "ok", "after all of that the device is well");
	end();
	with_features();
	dead_disk("IOERR", EIO);
	dead_disk("TARGET", EREMOTEIO);
	return done();
}
