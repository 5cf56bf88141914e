// SPDX-License-Identifier: GPL-2.0-only
/*
 * cuts - what a flush has to do with slots and metadata, shown by cutting the power of disks
 * with a volatile cache: what was written and flushed must be there, wherever it was put.
 *
 *	cuts NAME ROUNDS	runs one; "cuts list" names them
 *
 * Main and spare are disks of its own, which may forget with their power what was not flushed:
 *
 *	remap r -> inject main -> volatile cutmain
 *	        -> volatile cutspare
 *
 * Prints and exits like race.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"

#define REMAP "r"
#define MAIN_SECTORS 32768u
#define SPARE_SECTORS 32768u
#define BLOCK 8u
#define COMPLAINTS 8u

enum tag { OLD = 1, NEW };

struct scene {
	const char *name;
	void (*round)(uint64_t block);
	const char *what;
};

static int remap_fd;
static unsigned int round_nr, bad_rounds;
static bool round_bad;

__attribute__((format(printf, 2, 3))) static void expect(bool good, const char *format, ...)
{
	va_list args;

	if (good)
		return;
	if (!round_bad && bad_rounds++ < COMPLAINTS) {
		printf("# round %u: ", round_nr);
		va_start(args, format);
		vprintf(format, args);
		va_end(args);
		printf("\n");
	}
	round_bad = true;
}

/*---- disks ----*/

static int bring_up(const char *features)
{
	char params[200];
	int r;

	snprintf(params, sizeof(params), "/dev/mapper/main /dev/mapper/cutspare %s", features);
	r = dmctl_load(REMAP, MAIN_SECTORS, "remap", params);
	if (!r)
		r = dmctl_suspend(REMAP, false, false);
	if (!r)
		remap_fd = bed_open(REMAP);
	else
		dmctl_remove(REMAP);
	return r;
}

static void make_spare(void)
{
	int r;

	bed_create("cutspare", SPARE_SECTORS, "volatile", "%s", "");
	r = bring_up("1 format");
	if (r)
		bed_die("cannot make the device: %s", strerror(-r));
}

static void take_down(void)
{
	close(remap_fd);
	bed_remove(REMAP);
}

/* Power goes at both, in either order, and comes back. */
static void cut_power(void)
{
	static const char *const disks[] = { "cutmain", "cutspare" };
	unsigned int i;
	int r;

	for (i = 0; i < 2; i++)
		bed_message(disks[(round_nr + i) % 2], "off %u", 2 * round_nr + i);
	take_down();
	for (i = 0; i < 2; i++)
		bed_message(disks[i], "on");
	bed_message("main", "clear");
	r = bring_up("");
	expect(!r, "cannot be loaded: %s", strerrorname_np(-r));
	if (r) {
		bed_remove("cutspare");
		make_spare();
	}
}

/*---- scenes ----*/

static void must(bool happened, const char *what)
{
	if (!happened)
		bed_die("round %u: %s", round_nr, what);
}

static void write_durably(uint64_t sector, uint64_t sectors, enum tag tag)
{
	must(!bed_write(remap_fd, sector, sectors, tag), "a write fails");
	must(!fsync(remap_fd), "a flush fails");
}

static void message(const char *what, uint64_t block)
{
	char text[64], answer[DMCTL_TEXT];

	snprintf(text, sizeof(text), "%s %llu+%u", what, (unsigned long long)block, BLOCK);
	must(!dmctl_message(REMAP, text, answer) && !strcmp(answer, "1/1"), "a message fails");
}

static void expect_data(uint64_t sector, uint64_t sectors, enum tag tag, const char *what)
{
	int error = bed_read(remap_fd, sector, sectors, tag);

	expect(!error, "%s: %s", what, error == -EILSEQ ? "other data" :
	       error ? strerrorname_np(-error) : "");
}

static void cut_slot(uint64_t block)
{
	message("remap", block);
	write_durably(block, BLOCK, NEW);
	cut_power();
	expect_data(block, BLOCK, NEW, "written to a slot and flushed");
}

static void cut_claim(uint64_t block)
{
	uint64_t used;

	bed_message("main", "add w %llu+%u MEDIUM", (unsigned long long)block, BLOCK);
	write_durably(block, BLOCK, NEW);
	used = bed_number(REMAP, BED_USED);
	cut_power();
	expect(bed_number(REMAP, BED_USED) >= used, "a remap is gone");
	expect_data(block, BLOCK, NEW, "written to a new slot and flushed");
}

/* Some sectors come from main: they must be there, too, though nobody wrote them just now. */
static void cut_salvaged(uint64_t block)
{
	bed_message("main", "add w %llu+%u MEDIUM", (unsigned long long)block, BLOCK);
	must(!bed_write(remap_fd, block + 3, 2, NEW), "a write fails");
	cut_power();
	expect_data(block, 3, OLD, "copied to a new slot");
	expect_data(block + 3, 2, NEW, "acknowledged by a new slot");
	expect_data(block + 5, 3, OLD, "copied to a new slot");
}

/* A pending sector is written: the data must be there before the slot is said to have it. */
static void cut_pending(uint64_t block)
{
	message("import manual", block);
	write_durably(block + 3, 2, NEW);
	cut_power();
	expect_data(block, 3, OLD, "pending, on main");
	expect_data(block + 3, 2, NEW, "written and flushed");
	expect_data(block + 5, 3, OLD, "pending, on main");
}

static void flush_error(uint64_t block)
{
	bed_message("main", "add f 0 IOERR times 1");
	must(!bed_write(remap_fd, block, BLOCK, NEW), "a write fails");
	expect(fsync(remap_fd), "the flush that fails does not say so");
	expect(fsync(remap_fd), "the next flush does not say that one failed");
	expect(!fsync(remap_fd), "the flush after it still fails");
}

static const struct scene scenes[] = {
	{ "cut-slot", cut_slot, "a write to a mapped block is flushed, and power goes" },
	{ "cut-claim", cut_claim, "a write that needed a slot is flushed, and power goes" },
	{ "cut-salvaged", cut_salvaged, "power goes right after a write that needed a slot" },
	{ "cut-pending", cut_pending, "a write of pending sectors is flushed, and power goes" },
	{ "flush-error", flush_error, "a flush fails, and another one follows" },
};

int main(int argc, char **argv)
{
	const struct scene *scene = scenes, *last = scenes + sizeof(scenes) / sizeof(scenes[0]);
	unsigned int rounds;

	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (; scene < last; scene++)
			printf("%s %s\n", scene->name, scene->what);
		return 0;
	}
	if (argc != 3)
		bed_die("usage: cuts NAME ROUNDS, or cuts list");
	while (scene < last && strcmp(scene->name, argv[1]))
		scene++;
	if (scene == last)
		bed_die("no scene %s", argv[1]);
	rounds = (unsigned int)atoi(argv[2]);
	bed_create("cutmain", MAIN_SECTORS, "volatile", "%s", "");
	bed_create("main", MAIN_SECTORS, "inject", "/dev/mapper/cutmain 0 512");
	make_spare();
	for (round_nr = 0; round_nr < rounds; round_nr++) {
		/* a prime number of places, so that those of the previous rounds are far away */
		uint64_t block = BLOCK * (1 + 3 * (round_nr * 5 % 1361));

		round_bad = false;
		write_durably(block, BLOCK, OLD);
		scene->round(block);
		bed_message("main", "clear");
	}
	take_down();
	bed_remove("main");
	bed_remove("cutmain");
	bed_remove("cutspare");
	printf("rounds %u bad %u\n", rounds, bad_rounds);
	return bad_rounds ? 1 : 0;
}
