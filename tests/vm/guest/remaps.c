// SPDX-License-Identifier: GPL-2.0-only
/*
 * remaps - changes the metadata of a spare in every way there is, and says before and after each
 * change what is to be there, by marks in the log of dm-log-writes, for ../../replay.
 *
 *	remaps CHANGES SEED
 *
 * The stack is the caller's: remap r -> inject main; remap r -> inject spare -> log-writes slog.
 * Each change is of one whole block. Marks: "b:BLOCK:STATE" before a change, "e" when it has been
 * acknowledged. STATE: f on main, p all pending, m:TAG in a slot with sectors_fill() of its address
 * and TAG; TAG 0 is zeroes, which is what main holds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"
#include "geometry.h"

#define REMAP "r"
#define BLOCK 8u
#define BLOCKS 400u		/* of main that take part; two apart, so that neighbours are good */

enum state { FREE, PENDING, MAPPED };

static enum state states[BLOCKS];
static int remap_fd;
static uint64_t slots_first, slots_sectors;
static unsigned int next_tag = 1;

static uint64_t sector_of(unsigned int block)
{
	return (uint64_t)block * 2 * BLOCK;
}

static void change_by_message(const char *what, unsigned int block)
{
	char text[64], answer[DMCTL_TEXT];
	int r;

	snprintf(text, sizeof(text), "%s %llu+%u", what, (unsigned long long)sector_of(block), BLOCK);
	r = dmctl_message(REMAP, text, answer);
	if (r || strcmp(answer, "1/1"))
		bed_die("%s: %s %s", text, strerror(-r), answer);
}

static void begin(unsigned int block, const char *state, unsigned int tag)
{
	bed_message("slog", tag ? "mark b:%u:%s:%u" : "mark b:%u:%s", 2 * block, state, tag);
}

static void store(unsigned int block)
{
	unsigned int tag = next_tag++;

	begin(block, "m", tag);
	if (bed_write(remap_fd, sector_of(block), BLOCK, tag))
		bed_die("a write fails");
	states[block] = MAPPED;
}

static void change(unsigned int block)
{
	switch (states[block]) {
	case FREE:
		switch (random() % 3) {
		case 0:
			bed_message("main", "add w %llu+%u MEDIUM",
				    (unsigned long long)sector_of(block), BLOCK);
			store(block);
			bed_message("main", "clear");
			return;
		case 1:
			begin(block, "m:0", 0);
			change_by_message("remap", block);
			states[block] = MAPPED;
			return;
		default:
			begin(block, "p", 0);
			change_by_message("import manual", block);
			states[block] = PENDING;
			return;
		}
	case PENDING:
		if (random() % 4 == 0) {
			begin(block, "f", 0);
			change_by_message("unmap", block);
			states[block] = FREE;
		} else {
			store(block);
		}
		return;
	case MAPPED:
		if (random() % 3 == 0) {
			/* its slot goes bad: the block moves */
			bed_message("spare", "add w %llu+%llu MEDIUM times 2",
				    (unsigned long long)slots_first,
				    (unsigned long long)slots_sectors);
			store(block);
			bed_message("spare", "clear");
		} else {
			store(block);
		}
		return;
	}
}

int main(int argc, char **argv)
{
	struct rmeta_geometry geo;
	unsigned int i;

	if (argc != 5)
		bed_die("usage: remaps CHANGES SEED MAIN_SECTORS SPARE_SECTORS");
	if (rmeta_geometry_init(&geo, strtoull(argv[4], NULL, 10), strtoull(argv[3], NULL, 10), 3))
		bed_die("no geometry");
	slots_first = rmeta_slot_sector(&geo, 0);
	slots_sectors = (uint64_t)geo.zone_slots * BLOCK;
	srandom((unsigned int)atoi(argv[2]));
	remap_fd = bed_open(REMAP);
	for (i = 0; i < (unsigned int)atoi(argv[1]); i++) {
		change((unsigned int)random() % (i < 100 ? BLOCKS : 60));
		bed_message("slog", "mark e");
	}
	return 0;
}
