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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scene.h"

#define MAIN_SECTORS 32768u
#define SPARE_SECTORS 32768u
#define BLOCK SCENE_BLOCK
#define NEW FIRST		/* what the requests of a round write */

/*---- disks ----*/

static int bring_up(const char *features)
{
	return scene_up(MAIN_SECTORS, "/dev/mapper/main /dev/mapper/cutspare %s", features);
}

static void make_spare(void)
{
	int r;

	bed_create("cutspare", SPARE_SECTORS, "volatile", "%s", "");
	r = bring_up("1 format");
	if (r)
		bed_die("cannot make the device: %s", strerror(-r));
}

/* Power goes at both, in either order, and comes back. */
static void cut_power(void)
{
	static const char *const disks[] = { "cutmain", "cutspare" };
	unsigned int i;
	int r;

	for (i = 0; i < 2; i++)
		bed_message(disks[(scene_round + i) % 2], "off %u", 2 * scene_round + i);
	scene_down();
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

static void write_durably(uint64_t sector, uint64_t sectors, enum scene_tag tag)
{
	must(!bed_write(scene_fd, sector, sectors, tag), "a write fails");
	must(!fsync(scene_fd), "a flush fails");
}

static void cut_slot(uint64_t block)
{
	scene_message("remap", block);
	write_durably(block, BLOCK, NEW);
	cut_power();
	expect_data(block, BLOCK, NEW, "written to a slot and flushed");
}

static void cut_claim(uint64_t block)
{
	uint64_t used;

	bed_message("main", "add w %llu+%u MEDIUM", (unsigned long long)block, BLOCK);
	write_durably(block, BLOCK, NEW);
	used = bed_number(SCENE_REMAP, BED_USED);
	cut_power();
	expect(bed_number(SCENE_REMAP, BED_USED) >= used, "a remap is gone");
	expect_data(block, BLOCK, NEW, "written to a new slot and flushed");
}

/* Some sectors come from main: they must be there, too, though nobody wrote them just now. */
static void cut_salvaged(uint64_t block)
{
	bed_message("main", "add w %llu+%u MEDIUM", (unsigned long long)block, BLOCK);
	must(!bed_write(scene_fd, block + 3, 2, NEW), "a write fails");
	cut_power();
	expect_data(block, 3, OLD, "copied to a new slot");
	expect_data(block + 3, 2, NEW, "acknowledged by a new slot");
	expect_data(block + 5, 3, OLD, "copied to a new slot");
}

/* A pending sector is written: the data must be there before the slot is said to have it. */
static void cut_pending(uint64_t block)
{
	scene_message("import manual", block);
	write_durably(block + 3, 2, NEW);
	cut_power();
	expect_data(block, 3, OLD, "pending, on main");
	expect_data(block + 3, 2, NEW, "written and flushed");
	expect_data(block + 5, 3, OLD, "pending, on main");
}

/* What came home must be on main before the spare says that it has it no more. */
static void cut_home(uint64_t block)
{
	scene_message("remap", block);
	write_durably(block, BLOCK, NEW);
	scene_message("unmap", block);
	cut_power();
	expect_data(block, BLOCK, NEW, "brought home");
}

static void flush_error(uint64_t block)
{
	bed_message("main", "add f 0 IOERR times 1");
	must(!bed_write(scene_fd, block, BLOCK, NEW), "a write fails");
	expect(fsync(scene_fd), "the flush that fails does not say so");
	expect(fsync(scene_fd), "the next flush does not say that one failed");
	expect(!fsync(scene_fd), "the flush after it still fails");
}

static const struct scene scenes[] = {
	{ .name = "cut-slot", .round = cut_slot,
	  .what = "a write to a mapped block is flushed, and power goes" },
	{ .name = "cut-claim", .round = cut_claim,
	  .what = "a write that needed a slot is flushed, and power goes" },
	{ .name = "cut-salvaged", .round = cut_salvaged,
	  .what = "power goes right after a write that needed a slot" },
	{ .name = "cut-pending", .round = cut_pending,
	  .what = "a write of pending sectors is flushed, and power goes" },
	{ .name = "cut-home", .round = cut_home,
	  .what = "power goes right after a block was brought home" },
	{ .name = "flush-error", .round = flush_error,
	  .what = "a flush fails, and another one follows" },
	{ .name = NULL },
};

int main(int argc, char **argv)
{
	const struct scene *scene;
	unsigned int rounds, nr;

	if (argc == 2 && !strcmp(argv[1], "list")) {
		scenes_print(scenes);
		return 0;
	}
	if (argc != 3)
		bed_die("usage: cuts NAME ROUNDS, or cuts list");
	scene = scenes_find(scenes, argv[1]);
	if (!scene)
		bed_die("no scene %s", argv[1]);
	rounds = (unsigned int)atoi(argv[2]);
	bed_create("cutmain", MAIN_SECTORS, "volatile", "%s", "");
	bed_create("main", MAIN_SECTORS, "inject", "/dev/mapper/cutmain 0 512");
	make_spare();
	for (nr = 0; nr < rounds; nr++) {
		/* a prime number of places, so that those of the previous rounds are far away */
		uint64_t block = BLOCK * (1 + 3 * (nr * 5 % 1361));

		scene_begin(nr);
		write_durably(block, BLOCK, OLD);
		scene->round(block);
		bed_message("main", "clear");
	}
	scene_down();
	bed_remove("main");
	bed_remove("cutmain");
	bed_remove("cutspare");
	return scene_report(rounds);
}
