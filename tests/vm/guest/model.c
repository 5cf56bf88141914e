// SPDX-License-Identifier: GPL-2.0-only
/*
 * model - random operations on a remap device, against a model of what it must hold.
 *
 *	model OPERATIONS SEED
 *
 * Reads, writes, flushes, discards, every message, suspend, reload, removal, and faults of both
 * disks; one at a time, so that what must be read is known to the sector: what the last
 * acknowledged write put there, or, where a write failed or a discard went by, one of two things. A
 * sector of main that cannot be read (until it is written) may fail; nothing else may, and what is
 * read is right or the run is over. Races are race.c's.
 *
 * The stack is the caller's: inject main, inject spare. Prints how often it did what. Exit: 0 all
 * right, 1 not, 16 set-up.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bed.h"
#include "geometry.h"

#define REMAP "r"
#define MAIN_SECTORS 16384u
#define SPARE_SECTORS 524288u
#define MOST_SECTORS 64u
#define NOTHING UINT32_MAX
#define VERIFY_EVERY 20000u
#define FAULTS_EVERY 400u	/* operations until all faults are taken back */

/* Tag 0 is zeroes, as before the first write. */
struct sector {
	uint32_t tag;
	uint32_t other;		/* or this one; NOTHING: no */
	bool bad;		/* main may not give it */
};

static struct sector model[MAIN_SECTORS];
static struct rmeta_geometry geo;
static int fd;
static uint64_t op_nr, random_state;
static uint32_t next_tag = 1;
static uint64_t *buffer;
static bool discards = true;

static uint64_t draw(uint64_t below)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return (z ^ z >> 31) % below;
}

__attribute__((noreturn)) static void wrong(const char *what, uint64_t sector, uint64_t sectors,
					     int error)
{
	char status[DMCTL_TEXT] = "";

	dmctl_status(REMAP, status);
	printf("operation %llu: %s, sectors %llu+%llu: %s\nstatus: %s\n", (unsigned long long)op_nr,
	       what, (unsigned long long)sector, (unsigned long long)sectors,
	       error ? strerrorname_np(-error) : "other data", status);
	exit(1);
}

/* Small ones mostly, near one another often: a sixteenth of main sees half of them. */
static void place(uint64_t *sector, uint64_t *sectors)
{
	*sectors = 1 + draw(draw(4) ? 10 : MOST_SECTORS);
	*sector = draw(draw(2) ? MAIN_SECTORS / 16 : MAIN_SECTORS - MOST_SECTORS);
}

/*---- reads and writes ----*/

static bool is_tag(const uint64_t *words, uint64_t sector, uint32_t tag)
{
	static const uint64_t zeroes[SECTOR_WORDS];

	return tag ? sectors_wrong(words, sector, 1, tag) < 0 :
		     !memcmp(words, zeroes, SECTOR_SIZE);
}

static int transfer(bool write, uint64_t sector, uint64_t sectors)
{
	size_t bytes = sectors * SECTOR_SIZE;
	off_t offset = (off_t)(sector * SECTOR_SIZE);
	ssize_t done = write ? pwrite(fd, buffer, bytes, offset) : pread(fd, buffer, bytes, offset);

	return done < 0 ? -errno : (size_t)done == bytes ? 0 : -EIO;
}

static void check_data(uint64_t sector, uint64_t sectors)
{
	const uint64_t *words = buffer;

	for (; sectors; sectors--, sector++, words += SECTOR_WORDS) {
		struct sector *s = &model[sector];

		if (s->other != NOTHING && is_tag(words, sector, s->other))
			s->tag = s->other;
		else if (!is_tag(words, sector, s->tag))
			wrong("read", sector, 1, 0);
		/* once seen it stays */
		s->other = NOTHING;
	}
}

static bool any_bad(uint64_t sector, uint64_t sectors)
{
	while (sectors--)
		if (model[sector++].bad)
			return true;
	return false;
}

static void read_some(uint64_t sector, uint64_t sectors)
{
	int error = transfer(false, sector, sectors);

	if (!error) {
		check_data(sector, sectors);
	} else if (error != -ENODATA || !any_bad(sector, sectors)) {
		wrong("read", sector, sectors, error);
	} else if (sectors > 1) {
		/* none but bad ones may fail by themselves */
		for (; sectors; sectors--)
			read_some(sector++, 1);
	}
}

static int write_some(uint64_t sector, uint64_t sectors)
{
	uint32_t tag = next_tag++;
	int error;
	uint64_t i;

	sectors_fill(buffer, sector, sectors, tag);
	error = transfer(true, sector, sectors);
	for (i = sector; i < sector + sectors; i++) {
		if (!error)
			model[i] = (struct sector){ tag, NOTHING, false };
		else if (model[i].other == NOTHING)
			model[i].other = tag;
		else
			wrong("a third version", i, 1, error);
	}
	return error;
}

static void op_read(uint64_t sector, uint64_t sectors)
{
	read_some(sector, sectors);
}

static void op_write(uint64_t sector, uint64_t sectors)
{
	int error = write_some(sector, sectors);

	if (error)
		wrong("write", sector, sectors, error);
}

static void op_flush(uint64_t sector, uint64_t sectors)
{
	if (fdatasync(fd))
		wrong("flush", 0, 0, -errno);
}

static void op_discard(uint64_t sector, uint64_t sectors)
{
	uint64_t range[2], i;

	/* a third version is more than the model knows */
	for (i = sector; i < sector + sectors; i++)
		if (model[i].other != NOTHING)
			return;
	range[0] = sector * SECTOR_SIZE;
	range[1] = sectors * SECTOR_SIZE;
	if (discards && ioctl(fd, BLKDISCARD, range)) {
		if (errno != EOPNOTSUPP)
			wrong("discard", sector, sectors, -errno);
		discards = false;
	}
	for (i = sector; discards && i < sector + sectors; i++)
		model[i].other = model[i].tag ? 0 : NOTHING;
}

/* A write that fails for a reason that is no reason to remap; unless it does not meet main. */
static void op_write_fails(uint64_t sector, uint64_t sectors)
{
	uint64_t i;
	int error;

	for (i = sector; i < sector + sectors; i++)
		if (model[i].other != NOTHING)
			return;
	bed_message("main", "add w %llu TRANSPORT times 1", (unsigned long long)(sector + sectors / 2));
	error = write_some(sector, sectors);
	if (error && error != -ENOLINK)
		wrong("write without a path", sector, sectors, error);
	bed_message("main", "del w %llu", (unsigned long long)(sector + sectors / 2));
}

/*---- faults ----*/

static void op_fault_write(uint64_t sector, uint64_t sectors)
{
	bed_message("main", "add w %llu %s", (unsigned long long)sector, draw(2) ? "MEDIUM" :
		    draw(2) ? "IOERR torn" : "TARGET times 3");
}

static void op_fault_read(uint64_t sector, uint64_t sectors)
{
	uint64_t nr = 1 + draw(2), i;

	bed_message("main", "add r %llu+%llu MEDIUM until-written", (unsigned long long)sector,
		    (unsigned long long)nr);
	for (i = 0; i < nr; i++)
		model[sector + i].bad = true;
}

static void op_fault_slot(uint64_t sector, uint64_t sectors)
{
	bed_message("spare", "add w %llu MEDIUM",
		    (unsigned long long)rmeta_slot_sector(&geo, (slot_t)draw(400)));
}

/* The disk has come to its senses: what it did not give it has had all along. */
static void clear_faults(void)
{
	unsigned int i;

	bed_message("main", "clear");
	bed_message("spare", "clear");
	for (i = 0; i < MAIN_SECTORS; i++)
		model[i].bad = false;
}

/*---- messages and tables ----*/

static void send(const char *what, uint64_t sector, uint64_t sectors)
{
	char text[100], answer[DMCTL_TEXT];
	int r;

	if (sectors)
		snprintf(text, sizeof(text), "%s %llu+%llu", what, (unsigned long long)sector,
			 (unsigned long long)sectors);
	else
		snprintf(text, sizeof(text), "%s", what);
	r = dmctl_message(REMAP, text, answer);
	if (r)
		wrong(text, sector, sectors, r);
}

static void op_remap(uint64_t sector, uint64_t sectors) { send("remap", sector, sectors); }
static void op_import(uint64_t sector, uint64_t sectors) { send("import manual", sector, sectors); }
static void op_unmap(uint64_t sector, uint64_t sectors) { send("unmap", sector, sectors); }
static void op_commit(uint64_t sector, uint64_t sectors) { send("commit", 0, 0); }
static void op_salvage(uint64_t sector, uint64_t sectors) { send("salvage start", 0, 0); }

static void table(const char *features)
{
	char params[200];
	int r;

	snprintf(params, sizeof(params), "/dev/mapper/main /dev/mapper/spare %s", features);
	r = dmctl_load(REMAP, MAIN_SECTORS, "remap", params);
	if (r)
		wrong("load", 0, 0, r);
}

static void suspend(bool suspend, bool noflush)
{
	int r = dmctl_suspend(REMAP, suspend, noflush);

	if (r)
		wrong(suspend ? "suspend" : "resume", 0, 0, r);
}

static void op_suspend(uint64_t sector, uint64_t sectors)
{
	suspend(true, draw(2));
	suspend(false, false);
}

/* Policies change, the data must not; nothing may be refused a slot, so the breaker is wide. */
static const char *any_features(void)
{
	return draw(2) ? "3 breaker 1000000 60" : "5 breaker 1000000 60 read_policy remap";
}

static void op_reload(uint64_t sector, uint64_t sectors)
{
	table(any_features());
	suspend(true, draw(2));
	suspend(false, false);
}

static void verify_all(void)
{
	uint64_t sector;

	for (sector = 0; sector < MAIN_SECTORS; sector += MOST_SECTORS)
		read_some(sector, MOST_SECTORS);
}

static void op_remake(uint64_t sector, uint64_t sectors)
{
	close(fd);
	bed_remove(REMAP);
	table(any_features());
	suspend(false, false);
	fd = bed_open(REMAP);
}

/*---- the run ----*/

static const struct {
	const char *name;
	void (*run)(uint64_t sector, uint64_t sectors);
	unsigned int weight;
} ops[] = {
	{ "write", op_write, 4000 },
	{ "read", op_read, 4000 },
	{ "flush", op_flush, 300 },
	{ "discard", op_discard, 100 },
	{ "failing write", op_write_fails, 100 },
	{ "bad for writes", op_fault_write, 120 },
	{ "bad for reads", op_fault_read, 80 },
	{ "bad slot", op_fault_slot, 40 },
	{ "remap", op_remap, 60 },
	{ "import", op_import, 60 },
	{ "unmap", op_unmap, 150 },
	{ "commit", op_commit, 20 },
	{ "salvage", op_salvage, 20 },
	{ "suspend", op_suspend, 10 },
	{ "reload", op_reload, 10 },
	{ "remake", op_remake, 3 },
};
enum { OPS = sizeof(ops) / sizeof(ops[0]) };

static unsigned int choose(unsigned int all)
{
	unsigned int at = (unsigned int)draw(all), op;

	for (op = 0; at >= ops[op].weight; op++)
		at -= ops[op].weight;
	return op;
}

static void check_numbers(void)
{
	char mode[DMCTL_TEXT];

	bed_word(REMAP, 1, mode);
	if (strcmp(mode, "ok") && strcmp(mode, "degraded"))
		wrong("mode", 0, 0, -EIO);
	if (bed_number(REMAP, BED_LOST) || bed_number(REMAP, BED_COPIES) != 5)
		wrong("lost sectors or copies", 0, 0, -EIO);
}

int main(int argc, char **argv)
{
	uint64_t nr, counts[OPS] = { 0 }, sector, sectors;
	unsigned int op, all = 0;

	if (argc != 3)
		bed_die("usage: model OPERATIONS SEED");
	nr = strtoull(argv[1], NULL, 10);
	random_state = strtoull(argv[2], NULL, 10) * 0xd6e8feb86659fd93ull;
	if (rmeta_geometry_init(&geo, SPARE_SECTORS, MAIN_SECTORS, 3) ||
	    posix_memalign((void **)&buffer, 4096, MOST_SECTORS * SECTOR_SIZE))
		bed_die("no memory");
	for (op = 0; op < OPS; op++)
		all += ops[op].weight;
	for (sector = 0; sector < MAIN_SECTORS; sector++)
		model[sector].other = NOTHING;
	table("4 format breaker 1000000 60");
	suspend(false, false);
	fd = bed_open(REMAP);
	for (op_nr = 0; op_nr < nr; op_nr++) {
		op = choose(all);
		place(&sector, &sectors);
		ops[op].run(sector, sectors);
		counts[op]++;
		if (op_nr % FAULTS_EVERY == 0) {
			check_numbers();
			clear_faults();
		}
		if (op_nr % VERIFY_EVERY == 0)
			verify_all();
	}
	op_remake(0, 0);
	clear_faults();
	verify_all();
	check_numbers();
	printf("seed %s, %llu operations:", argv[2], (unsigned long long)nr);
	for (op = 0; op < OPS; op++)
		printf(" %s %llu%s", ops[op].name, (unsigned long long)counts[op],
		       op + 1 < OPS ? "," : "\n");
	return 0;
}
