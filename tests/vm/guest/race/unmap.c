// SPDX-License-Identifier: GPL-2.0-only
/* Races around a block that is brought home, so that its slot is free. */
#include "race.h"

#include <stdio.h>
#include <string.h>

static struct bed_op unmap_op(char *text, size_t size, uint64_t block)
{
	snprintf(text, size, "unmap %llu+%u", (unsigned long long)block, BLOCK);
	return (struct bed_op){ .device = SCENE_REMAP, .message = text };
}

static void expect_unmapped(const struct bed_op *unmap)
{
	expect(!unmap->error && !strcmp(unmap->answer, "1/1"), "unmap says %s %s",
	       strerrorname_np(-unmap->error), unmap->answer);
}

/* A write is on its way to the slot. */
static void unmap_write(uint64_t block)
{
	char text[64];
	struct bed_op write = write_op(block + 5, 1, FIRST);
	struct bed_op unmap = unmap_op(text, sizeof(text), block);

	map_block(block);
	hold_slots("w");
	bed_start(&write);
	is_held("gspare", 1, "the write is not held");
	bed_start(&unmap);
	bed_done_within(&unmap, CHANCE_MS);
	release("gspare");
	expect_done(bed_finish(&write), "write");
	bed_finish(&unmap);
	expect_unmapped(&unmap);
}

/* A read is on its way to the slot, which is then given to another block. */
static void unmap_reuse(uint64_t block)
{
	char text[64];
	struct bed_op read = { .fd = scene_fd, .sector = block, .sectors = BLOCK, .tag = OLD };
	struct bed_op unmap = unmap_op(text, sizeof(text), block);
	uint64_t other = block + 40 * BLOCK;

	map_block(block);
	hold_slots("r");
	bed_start(&read);
	is_held("gspare", 1, "the read is not held");
	bed_start(&unmap);
	if (bed_done_within(&unmap, CHANCE_MS)) {
		/* an import takes the first slot that is free */
		bed_message(SCENE_REMAP, "import manual %llu+%u", (unsigned long long)other, BLOCK);
		expect_done(bed_write(scene_fd, other, BLOCK, SECOND), "write of the other block");
	}
	release("gspare");
	expect(!bed_finish(&read), "the read got what was never there");
	bed_finish(&unmap);
	expect_unmapped(&unmap);
}

/*
 * A write has been on its way to main since before the block was mapped, and main completes it
 * while what the slot holds is on its way home.
 */
static void unmap_late(uint64_t block)
{
	char text[64];
	struct bed_op write = write_op(block + 5, 1, FIRST);
	struct bed_op unmap = unmap_op(text, sizeof(text), block);

	hold_main("before", "w", block, 1);
	bed_start(&write);
	is_held("gmain", 1, "the write is not held");
	map_block(block);
	hold_main("before", "w", block, 1);
	bed_start(&unmap);
	/* it waits for writes of the slow path before it copies, but does not know of the others */
	for_a_chance("gmain", 2);
	bed_message("gmain", "release first");
	bed_done_within(&write, CHANCE_MS);
	settle(&unmap);
	settle(&write);
	expect_done(write.error, "write");
	expect_unmapped(&unmap);
}

static void verify_home(uint64_t block)
{
	expect_data(block, BLOCK, OLD, "old data");
}

const struct scene unmaps[] = {
	{ "unmap-write", NULL, unmap_write, verify_message, false,
	  "a write is in flight to a slot while its block is brought home" },
	{ "unmap-reuse", NULL, unmap_reuse, verify_home, false,
	  "a read is in flight to a slot that is given to another block" },
	{ "unmap-late", NULL, unmap_late, verify_message, false,
	  "a write is in flight to main from before its block was mapped, while it comes home" },
	{ .name = NULL },
};
