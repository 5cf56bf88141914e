// SPDX-License-Identifier: GPL-2.0-only
/*
 * pattern - a load that knows, for every sector it ever wrote, what must be read back.
 *
 * Every sector of 512 bytes says which target and sector it belongs to and which write
 * (generation) it came from, and all the rest of it follows from those, so that a sector is
 * either exactly what one write put there or wrong. What was written is remembered per
 * sector in a state file, which belongs on a tmpfs: a later process verifies from it what an
 * earlier one wrote, across a remount, a new device or a power cut of the disk.
 *
 * No two requests in flight touch the same sector, reads included: disks without sector
 * atomicity (brd copies with memcpy) would tear them. Neighbouring sectors of one block do
 * race, and are made to.
 *
 * It promises to count, never to judge errors: reads may fail where the disk is bad, and it is
 * for the caller to say how many. Only wrong bytes are wrong. It knows nothing of remapping.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SECTOR_SIZE 512u
#define SECTOR_WORDS (SECTOR_SIZE / 8)
#define PAGE_SECTORS 8u
#define MAX_REQUEST_SECTORS 2048u	/* 1 MiB */
#define MAX_TARGETS 16u
#define MAX_THREADS 64u
#define MAX_COMPLAINTS 20u
#define SECTOR_MAGIC 0x6e72657474617044ull
#define STATE_MAGIC 0x3174617473746170ull

static const char usage[] =
	"Usage: pattern init    -S STATE [-z SIZE] TARGET...\n"
	"       pattern load    -S STATE [-j N] [-t SECONDS|-n OPS] [-b MIN:MAX] [-w PERCENT]\n"
	"                       [-f PERCENT] [-d] [-e] [-r SEED]\n"
	"       pattern verify  -S STATE [-c] [-b SECTORS]\n"
	"       pattern extents FILE\n"
	"init writes all of each target; a TARGET is a file, made with SIZE bytes (K, M, G), or a\n"
	"block device; with buffered: before it its I/O goes through the page cache.\n"
	"load: N threads, requests of MIN to MAX sectors, PERCENT of them writes, fsync after\n"
	"PERCENT of the writes; SIGTERM ends it early; -d remembers what a flush made durable; -e write errors are fine.\n"
	"verify reads everything; -c after a power cut: anything from the last durable write on\n"
	"will do, and what is found is taken as what is there.\n"
	"extents prints where a file is on its device, as SECTOR+COUNT.\n"
	"The last line is counts. Exit: 0 fine, 1 I/O errors of writes or flushes, 2 wrong data,\n"
	"16 usage or set-up\n";

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

static struct options opt = {
	.size_bytes = 16 << 20, .threads = 4, .seconds = 5, .min_sectors = 1,
	.max_sectors = MAX_REQUEST_SECTORS, .write_percent = 60, .sync_percent = 2, .seed = 1,
};
static struct state *state;
static int target_fd[MAX_TARGETS];
/* `busy` and every shadow belong to busy_lock; a busy sector's shadow to who made it busy */
static pthread_mutex_t busy_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char *busy;
static _Atomic uint64_t last_place;	/* of some recent request: neighbours are aimed at it */
static _Atomic uint64_t ops_done;
static _Atomic unsigned int complaints;
static time_t end_time;
static volatile sig_atomic_t stopped;	/* SIGTERM: the load ends early, and well */

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
	va_list args;

	fputs("pattern: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(16);
}

static time_t now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static uint64_t next_random(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

/*---- what a sector looks like ----*/

static void fill_sector(uint64_t *words, unsigned int target, uint64_t sector, uint32_t generation)
{
	uint64_t x = (state->run_id ^ sector) * 0x9e3779b97f4a7c15ull +
		     ((uint64_t)target << 32 | generation) * 0xc2b2ae3d27d4eb4full;

	words[0] = SECTOR_MAGIC;
	words[1] = (uint64_t)target << 32 | generation;
	words[2] = sector;
	words[3] = state->run_id;
	for (unsigned int i = 4; i < SECTOR_WORDS; i++) {
		x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull + i;
		words[i] = x;
	}
}

static void complain(unsigned int target, uint64_t sector, const uint64_t *words,
		     const struct shadow *shadow, const char *what)
{
	if (atomic_fetch_add(&complaints, 1) >= MAX_COMPLAINTS)
		return;
	fprintf(stderr, "pattern: wrong: %s sector %" PRIu64 ": %s; wanted generation %u..%u "
		"(durable %u); found %016" PRIx64 " target %u generation %u sector %" PRIu64 "\n",
		state->target[target].path, sector, what,
		opt.after_cut ? shadow->durable : shadow->written, shadow->issued, shadow->durable,
		words[0], (unsigned int)(words[1] >> 32), (unsigned int)words[1], words[2]);
}

/* Is this what some allowed write put there? Sets *generation when it is. */
static bool check_sector(const uint64_t *words, unsigned int target, uint64_t sector,
			 const struct shadow *shadow, uint32_t *generation)
{
	uint32_t oldest = opt.after_cut ? shadow->durable : shadow->written;
	uint64_t wanted[SECTOR_WORDS];

	*generation = (uint32_t)words[1];
	fill_sector(wanted, target, sector, *generation);
	if (words[0] != SECTOR_MAGIC)
		complain(target, sector, words, shadow, "not our data");
	else if (words[3] != state->run_id)
		complain(target, sector, words, shadow, "data of another run");
	else if (words[1] >> 32 != target || words[2] != sector)
		complain(target, sector, words, shadow, "data of another place");
	else if (memcmp(words, wanted, SECTOR_SIZE))
		complain(target, sector, words, shadow, "damaged within the sector");
	else if (*generation < oldest)
		complain(target, sector, words, shadow, "old data");
	else if (*generation > shadow->issued)
		complain(target, sector, words, shadow, "data that was never written");
	else
		return true;
	return false;
}

/*---- the state file ----*/

static struct shadow *shadow_of(unsigned int target, uint64_t sector)
{
	return &state->shadow[state->target[target].first_shadow + sector];
}

static void create_state(uint64_t shadows)
{
	size_t size = sizeof(*state) + shadows * sizeof(struct shadow);
	int fd = open(opt.state_path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)size))
		die("%s: %s", opt.state_path, strerror(errno));
	state = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (state == MAP_FAILED)
		die("%s: %s", opt.state_path, strerror(errno));
	close(fd);
}

static void open_state(void)
{
	int fd = open(opt.state_path, O_RDWR);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", opt.state_path, strerror(errno));
	if ((size_t)st.st_size < sizeof(*state))
		die("%s is not a state file", opt.state_path);
	state = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (state == MAP_FAILED)
		die("%s: %s", opt.state_path, strerror(errno));
	if (state->magic != STATE_MAGIC)
		die("%s is not a state file", opt.state_path);
	close(fd);
}

static void open_targets(void)
{
	for (unsigned int t = 0; t < state->targets; t++) {
		const struct target *target = &state->target[t];

		target_fd[t] = open(target->path, O_RDWR | (target->buffered ? 0 : O_DIRECT));
		if (target_fd[t] < 0)
			die("%s: %s", target->path, strerror(errno));
	}
}

/*---- requests ----*/

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
 * Reads and checks. A failed request is read again sector by sector: only sectors that are bad
 * themselves may fail, and the others must be right. The caller owns the sectors.
 */
static void do_read(struct worker *w, unsigned int target, uint64_t sector, uint64_t sectors)
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

static void do_write(struct worker *w, unsigned int target, uint64_t sector, uint64_t sectors,
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
		if (!opt.errors_fine && atomic_fetch_add(&complaints, 1) < MAX_COMPLAINTS)
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
static void do_sync(struct worker *w, unsigned int target)
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
		if (!opt.errors_fine && atomic_fetch_add(&complaints, 1) < MAX_COMPLAINTS)
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

/*---- the load ----*/

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

static void setup_worker(struct worker *w, unsigned int index)
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

/* Prints the counts; returns the exit status. */
static int report(const struct counts *c, time_t seconds)
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

static void add_counts(struct counts *sum, const struct counts *c)
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

static int run_load(void)
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

/*---- init, verify, extents ----*/

static void describe_target(struct target *target, char *path)
{
	static const char prefix[] = "buffered:";
	struct stat st;
	uint64_t bytes = opt.size_bytes;
	int fd;

	if (!strncmp(path, prefix, strlen(prefix))) {
		target->buffered = 1;
		path += strlen(prefix);
	}
	if (strlen(path) >= sizeof(target->path))
		die("%s: name too long", path);
	strcpy(target->path, path);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", path, strerror(errno));
	if (S_ISBLK(st.st_mode)) {
		if (ioctl(fd, BLKGETSIZE64, &bytes))
			die("%s: %s", path, strerror(errno));
	} else if (ftruncate(fd, (off_t)bytes) || posix_fallocate(fd, 0, (off_t)bytes)) {
		die("%s: cannot make it %" PRIu64 " bytes", path, bytes);
	}
	target->sectors = bytes / SECTOR_SIZE / PAGE_SECTORS * PAGE_SECTORS;
	if (!target->sectors)
		die("%s: too small", path);
	close(fd);
}

static int run_init(int argc, char **argv)
{
	static struct target target[MAX_TARGETS];
	uint64_t shadows = 0;
	struct worker w;
	time_t start = now_seconds();

	if (argc < 1 || argc > (int)MAX_TARGETS)
		die("need 1 to %u targets", MAX_TARGETS);
	for (int t = 0; t < argc; t++) {
		describe_target(&target[t], argv[t]);
		target[t].first_shadow = shadows;
		shadows += target[t].sectors;
	}
	create_state(shadows);
	memcpy(state->target, target, sizeof(target));
	state->targets = (uint32_t)argc;
	state->shadows = shadows;
	state->run_id = (uint64_t)time(NULL) * 0x9e3779b97f4a7c15ull ^ (uint64_t)getpid() << 40;
	open_targets();
	setup_worker(&w, 0);
	for (unsigned int t = 0; t < state->targets; t++) {
		for (uint64_t s = 0; s < state->target[t].sectors; s += MAX_REQUEST_SECTORS) {
			uint64_t left_sectors = state->target[t].sectors - s;

			do_write(&w, t, s, left_sectors < MAX_REQUEST_SECTORS ? left_sectors :
				 MAX_REQUEST_SECTORS, false);
		}
		opt.track_durable = true;
		do_sync(&w, t);
	}
	state->magic = STATE_MAGIC;
	return report(&w.counts, now_seconds() - start);
}

static int run_verify(void)
{
	time_t start = now_seconds();
	struct worker w;

	open_state();
	open_targets();
	setup_worker(&w, 0);
	for (unsigned int t = 0; t < state->targets; t++) {
		for (uint64_t s = 0; s < state->target[t].sectors; s += opt.max_sectors) {
			uint64_t left_sectors = state->target[t].sectors - s;

			do_read(&w, t, s, left_sectors < opt.max_sectors ? left_sectors :
				opt.max_sectors);
		}
	}
	return report(&w.counts, now_seconds() - start);
}

static int print_extents(const char *path)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extent[512];
	} f = { .map = { .fm_length = FIEMAP_MAX_OFFSET, .fm_extent_count = 512,
			 .fm_flags = FIEMAP_FLAG_SYNC } };
	int fd = open(path, O_RDONLY);

	if (fd < 0 || ioctl(fd, FS_IOC_FIEMAP, &f.map))
		die("%s: %s", path, strerror(errno));
	for (unsigned int i = 0; i < f.map.fm_mapped_extents; i++)
		printf("%llu+%llu\n", (unsigned long long)f.map.fm_extents[i].fe_physical / SECTOR_SIZE,
		       (unsigned long long)f.map.fm_extents[i].fe_length / SECTOR_SIZE);
	close(fd);
	return 0;
}

static uint64_t number(const char *text, uint64_t most)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (end != text && *end && strchr("KMG", *end)) {
		value <<= *end == 'K' ? 10 : *end == 'M' ? 20 : 30;
		end++;
	}
	if (errno || *end || end == text || value > most)
		die("\"%s\" is not a number up to %" PRIu64, text, most);
	return value;
}

static void parse_sizes(char *text)
{
	char *colon = strchr(text, ':');

	if (colon) {
		*colon = 0;
		opt.min_sectors = (unsigned int)number(text, MAX_REQUEST_SECTORS);
		text = colon + 1;
	}
	opt.max_sectors = (unsigned int)number(text, MAX_REQUEST_SECTORS);
	if (!opt.min_sectors || opt.min_sectors > opt.max_sectors)
		die("sizes are 1..%u sectors, smallest first", MAX_REQUEST_SECTORS);
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	int c;

	optind = 2;
	while ((c = getopt(argc, argv, "S:z:j:t:n:b:w:f:decr:")) != -1) {
		switch (c) {
		case 'S':
			opt.state_path = optarg;
			break;
		case 'z':
			opt.size_bytes = number(optarg, 1ull << 40);
			break;
		case 'j':
			opt.threads = (unsigned int)number(optarg, MAX_THREADS);
			break;
		case 't':
			opt.seconds = (unsigned int)number(optarg, 100000);
			break;
		case 'n':
			opt.ops = number(optarg, UINT64_MAX);
			break;
		case 'b':
			parse_sizes(optarg);
			break;
		case 'w':
			opt.write_percent = (unsigned int)number(optarg, 100);
			break;
		case 'f':
			opt.sync_percent = (unsigned int)number(optarg, 100);
			break;
		case 'd':
			opt.track_durable = true;
			break;
		case 'e':
			opt.errors_fine = true;
			break;
		case 'c':
			opt.after_cut = true;
			break;
		case 'r':
			opt.seed = number(optarg, UINT64_MAX);
			break;
		default:
			fputs(usage, stderr);
			return 16;
		}
	}
	if (!strcmp(command, "extents") && argc == optind + 1)
		return print_extents(argv[optind]);
	if (opt.state_path && !strcmp(command, "init"))
		return run_init(argc - optind, argv + optind);
	if (opt.state_path && argc == optind && !strcmp(command, "load"))
		return run_load();
	if (opt.state_path && argc == optind && !strcmp(command, "verify"))
		return run_verify();
	fputs(usage, stderr);
	return 16;
}
