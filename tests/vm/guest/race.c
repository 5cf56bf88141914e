// SPDX-License-Identifier: GPL-2.0-only
/*
 * race - the races that the target's exclusion is for, each put together request by request.
 *
 *	race NAME ROUNDS MAIN SPARE	runs one; "race list" names them
 *
 * Nothing depends on luck: requests are held where the race needs them (dm-gate) and fail where
 * told (dm-inject), so that every round is the race, and a target without the protection loses
 * in every round. The stack, made by the caller below MAIN and SPARE:
 *
 *	remap r -> gate gmain  -> inject main  -> MAIN	 a request that failed can be held
 *	        -> gate aspare -> inject spare -> gate gspare -> SPARE	and here both, above and below
 *
 * Each round has a fresh block. Rounds come in pairs: the first in a region of main that has
 * no remaps yet, where bios take the fast path, the second beside it, where they do not.
 *
 * Prints what went wrong, and at the end "rounds N bad N". Exit: 0 all good, 1 not, 16 the race
 * could not be put together.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "geometry.h"

#define REMAP "r"
#define BLOCK 8u		/* sectors */
#define HELD 1u			/* word of gate's status */
#define FAILED_WRITES 7u	/* of inject's */
#define SLOT_TRIES 2u		/* the bio itself, and its context */
#define COMPLAINTS 8u
#define STUCK_MS 20000u

/*
 * How long a request that must wait is given to go wrong. A target without the protection takes
 * far less, and one with it is not hurried by more.
 */
#define CHANCE_MS 40u

/* What was there before a round, and what its requests write. */
enum tag { OLD = 1, FIRST, SECOND, THIRD };

struct race {
	const char *name;
	void (*prepare)(uint64_t block);	/* for all rounds, before the first; may be NULL */
	void (*round)(uint64_t block);		/* block: its first sector */
	void (*verify)(uint64_t block);		/* also after the device was made anew; or NULL */
	bool fresh_only;			/* every round needs an unmarked region */
	const char *what;
};

static const char *main_path, *spare_path;
static uint64_t main_sectors;
static struct rmeta_geometry geo;
static uint64_t first_slot_sector, slot_sectors;	/* of zone 0, where first slots are */
static int remap_fd;
static uint64_t spare_sectors;
static unsigned int round_nr, bad_rounds;
static slot_t round_slot;	/* of its block, once it was mapped */
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

static void expect_done(int error, const char *what)
{
	expect(!error, "%s: %s", what, error ? strerrorname_np(-error) : "");
}

static void expect_data(uint64_t sector, uint64_t sectors, enum tag tag, const char *what)
{
	int error = bed_read(remap_fd, sector, sectors, tag);

	expect(!error, "%s, sectors %llu+%llu: %s", what, (unsigned long long)sector,
	       (unsigned long long)sectors, error == -EILSEQ ? "other data" :
	       error ? strerrorname_np(-error) : "");
}

/* A step without which it is not the race that it should be. */
static void must(bool happened, const char *what)
{
	if (!happened)
		bed_die("round %u: %s", round_nr, what);
}

static struct bed_op write_op(uint64_t sector, uint64_t sectors, enum tag tag)
{
	return (struct bed_op){ .fd = remap_fd, .write = true, .sector = sector,
				.sectors = sectors, .tag = tag };
}

static void fail_main(const char *dirs, uint64_t sector, uint64_t sectors, const char *rest)
{
	bed_message("main", "add %s %llu+%llu %s", dirs, (unsigned long long)sector,
		    (unsigned long long)sectors, rest);
}

/* Hold the next write of main at these sectors, before main gets it. */
static void hold_main(const char *where, const char *dirs, uint64_t sector, unsigned int nr)
{
	bed_message("gmain", "hold %s %s %llu+%u %u", where, dirs, (unsigned long long)sector, BLOCK,
		    nr);
}

static void hold_slot_write(void)
{
	bed_message("gspare", "hold before w %llu+%llu", (unsigned long long)first_slot_sector,
		    (unsigned long long)slot_sectors);
}

/* Writes of these sectors of the block's slot fail: blocks were mapped in the order of rounds. */
static void fail_slot(unsigned int first, unsigned int sectors)
{
	bed_message("spare", "reset");
	bed_message("spare", "add w %llu+%u MEDIUM",
		    (unsigned long long)rmeta_slot_sector(&geo, round_slot) + first, sectors);
}

static void is_held(const char *gate, unsigned int nr, const char *what)
{
	must(bed_wait(gate, HELD, nr), what);
}

/* What must not be held, but would be without a protection. */
static void for_a_chance(const char *gate, unsigned int nr)
{
	char word[DMCTL_TEXT];
	unsigned int ms;

	for (ms = 0; ms < CHANCE_MS && bed_word(gate, HELD, word) < nr; ms++)
		bed_sleep_ms(1);
}

static void release(const char *gate)
{
	bed_message(gate, "release");
}

/* Let go of whatever is held, also of what comes to be held only now, until all is answered. */
static void settle(struct bed_op *op)
{
	uint64_t end = bed_ms() + STUCK_MS;

	while (!bed_done_within(op, 5)) {
		must(bed_ms() < end, "a request is never answered");
		release("gmain");
		release("gspare");
	}
	bed_finish(op);
}

static void map_block(uint64_t block)
{
	char text[64], answer[DMCTL_TEXT];
	int r;

	snprintf(text, sizeof(text), "remap %llu+%u", (unsigned long long)block, BLOCK);
	r = dmctl_message(REMAP, text, answer);
	must(!r && !strcmp(answer, "1/1"), "cannot map a block");
}

/*---- the device ----*/

static int bring_up(const char *features)
{
	char params[200];
	int r;

	snprintf(params, sizeof(params), "/dev/mapper/gmain /dev/mapper/aspare %s", features);
	r = dmctl_load(REMAP, main_sectors, "remap", params);
	if (!r)
		r = dmctl_suspend(REMAP, false, false);
	if (!r)
		remap_fd = bed_open(REMAP);
	else
		dmctl_remove(REMAP);
	return r;
}

static void start(const char *features)
{
	int r = bring_up(features);

	if (r)
		bed_die("round %u: cannot make the device: %s", round_nr, strerror(-r));
}

static void end(void)
{
	close(remap_fd);
	bed_remove(REMAP);
}

/* A spare that may be formatted. */
static void wipe_spare(void)
{
	static uint64_t zeroes[2048 * SECTOR_WORDS];
	int fd = open(spare_path, O_RDWR);
	uint64_t sector = 0;

	for (;;) {
		if (pwrite(fd, zeroes, sizeof(zeroes), (off_t)(sector * SECTOR_SIZE)) !=
		    (ssize_t)sizeof(zeroes))
			bed_die("%s: %s", spare_path, strerror(errno));
		if (sector == spare_sectors - 2048)
			break;
		sector = sector + 2048 < 10240 ? sector + 2048 : spare_sectors - 2048;
	}
	fsync(fd);
	close(fd);
}

/*---- a write to main, and its block moves ----*/

static void move_by_write(uint64_t block)
{
	struct bed_op sibling = write_op(block + 5, 1, FIRST);

	hold_main("before", "w", block, 1);
	bed_start(&sibling);
	is_held("gmain", 1, "the sibling is not held");
	fail_main("w", block + 2, 1, "MEDIUM");
	expect_done(bed_write(remap_fd, block + 2, 1, SECOND), "failing write");
	release("gmain");
	expect_done(bed_finish(&sibling), "sibling");
}

static void verify_sibling(uint64_t block)
{
	expect_data(block, 2, OLD, "old data");
	expect_data(block + 2, 1, SECOND, "failing write's data");
	expect_data(block + 3, 2, OLD, "old data");
	expect_data(block + 5, 1, FIRST, "sibling's data");
	expect_data(block + 6, 2, OLD, "old data");
}

static void move_by_message(uint64_t block)
{
	struct bed_op sibling = write_op(block + 5, 1, FIRST);

	hold_main("before", "w", block, 1);
	bed_start(&sibling);
	is_held("gmain", 1, "the write is not held");
	map_block(block);
	release("gmain");
	expect_done(bed_finish(&sibling), "write");
}

static void verify_message(uint64_t block)
{
	expect_data(block, 5, OLD, "old data");
	expect_data(block + 5, 1, FIRST, "the write's data");
	expect_data(block + 6, 2, OLD, "old data");
}

/* The write is over between the owner's copy of the block and the new place being known. */
static void move_has_copied(uint64_t block)
{
	struct bed_op sibling = write_op(block + 5, 1, FIRST);
	struct bed_op failing = write_op(block + 2, 1, SECOND);

	hold_main("before", "w", block, 1);
	bed_start(&sibling);
	is_held("gmain", 1, "the sibling is not held");
	fail_main("w", block + 2, 1, "MEDIUM");
	hold_slot_write();
	bed_start(&failing);
	is_held("gspare", 1, "the copy is not held");
	release("gmain");
	bed_done_within(&sibling, CHANCE_MS);
	release("gspare");
	expect_done(bed_finish(&failing), "failing write");
	expect_done(bed_finish(&sibling), "sibling");
}

/* A read fails and its block is being recorded when a write of a sibling completes on main. */
static void read_has_copied(uint64_t block)
{
	struct bed_op sibling = write_op(block + 5, 1, FIRST);
	struct bed_op failing = { .fd = remap_fd, .sector = block, .sectors = BLOCK };

	hold_main("before", "w", block, 1);
	bed_start(&sibling);
	is_held("gmain", 1, "the sibling is not held");
	fail_main("r", block + 2, 1, "MEDIUM");
	hold_slot_write();
	bed_start(&failing);
	is_held("gspare", 1, "the copy is not held");
	release("gmain");
	bed_done_within(&sibling, CHANCE_MS);
	release("gspare");
	expect(bed_finish(&failing) == -ENODATA, "the read did not fail");
	expect_done(bed_finish(&sibling), "sibling");
}

static void verify_read(uint64_t block)
{
	expect_data(block, 2, OLD, "old data");
	expect(bed_read(remap_fd, block + 2, 1, 0) == -ENODATA, "the bad sector can be read");
	expect_data(block + 3, 2, OLD, "old data");
	expect_data(block + 5, 1, FIRST, "sibling's data");
	expect_data(block + 6, 2, OLD, "old data");
}

/*---- two bios that failed ----*/

/* A read has failed; before it gets any further the block is rewritten, into a slot. */
static void read_and_rewrite(uint64_t block)
{
	struct bed_op failing = { .fd = remap_fd, .sector = block, .sectors = BLOCK };
	uint64_t used = bed_number(REMAP, BED_USED);

	fail_main("rw", block + 4, 1, "MEDIUM");
	hold_main("after", "r", block, 1);
	bed_start(&failing);
	is_held("gmain", 1, "the read is not held");
	expect_done(bed_write(remap_fd, block, BLOCK, FIRST), "rewrite");
	release("gmain");
	bed_finish(&failing);
	expect(bed_number(REMAP, BED_USED) == used + 1, "not one slot for the block");
}

static void verify_rewrite(uint64_t block)
{
	expect_data(block, BLOCK, FIRST, "the rewrite's data");
}

static void two_writes_fail(uint64_t block)
{
	struct bed_op first = write_op(block, 3, FIRST), second = write_op(block + 3, 2, SECOND);
	uint64_t used = bed_number(REMAP, BED_USED);

	fail_main("w", block, BLOCK, "MEDIUM");
	hold_main("after", "w", block, 2);
	bed_start(&first);
	is_held("gmain", 1, "the first write is not held");
	bed_start(&second);
	is_held("gmain", 2, "the second write is not held");
	release("gmain");
	expect_done(bed_finish(&first), "first write");
	expect_done(bed_finish(&second), "second write");
	expect(bed_number(REMAP, BED_USED) == used + 1, "not one slot for the block");
}

static void verify_two(uint64_t block)
{
	expect_data(block, 3, FIRST, "first write's data");
	expect_data(block + 3, 2, SECOND, "second write's data");
	expect_data(block + 5, 3, OLD, "old data");
}

/*---- a slot goes bad, and its block moves to another ----*/

/* A write of a sibling is on its way to the old slot when the move begins. */
static void slot_in_flight(uint64_t block)
{
	struct bed_op sibling = write_op(block + 5, 1, FIRST);
	struct bed_op failing = write_op(block + 2, 1, SECOND);

	hold_slot_write();
	bed_start(&sibling);
	is_held("gspare", 1, "the sibling is not held");
	fail_slot(2, 1);
	bed_start(&failing);
	must(bed_wait("spare", FAILED_WRITES, SLOT_TRIES), "the slot does not fail");
	bed_done_within(&failing, CHANCE_MS);
	release("gspare");
	expect_done(bed_finish(&sibling), "sibling");
	expect_done(bed_finish(&failing), "failing write");
}

/* A write of a sibling comes when the old slot has been copied. */
static void slot_has_copied(uint64_t block)
{
	struct bed_op sibling = write_op(block + 5, 1, FIRST);
	struct bed_op failing = write_op(block + 2, 1, SECOND);

	fail_slot(2, 1);
	hold_slot_write();
	bed_start(&failing);
	is_held("gspare", 1, "the copy is not held");
	bed_start(&sibling);
	bed_done_within(&sibling, CHANCE_MS);
	release("gspare");
	expect_done(bed_finish(&failing), "failing write");
	expect_done(bed_finish(&sibling), "sibling");
}

/* Two writes find the slot bad, before anybody looks into that. */
static void two_movers(uint64_t block)
{
	struct bed_op sibling = write_op(block + 5, 1, FIRST);
	struct bed_op failing = write_op(block + 2, 1, SECOND);

	fail_slot(0, BLOCK);
	bed_message("aspare", "hold after w %llu+%u 2",
		    (unsigned long long)rmeta_slot_sector(&geo, round_slot), BLOCK);
	bed_start(&failing);
	is_held("aspare", 1, "the first write is not held");
	bed_start(&sibling);
	is_held("aspare", 2, "the second write is not held");
	hold_slot_write();
	hold_slot_write();
	release("aspare");
	is_held("gspare", 1, "the copy is not held");
	for_a_chance("gspare", 2);
	settle(&failing);
	settle(&sibling);
	expect_done(failing.error, "failing write");
	expect_done(sibling.error, "sibling");
}

/*---- a neighbour is rewritten, to see whether main still lives ----*/

static uint64_t neighbour(uint64_t block)
{
	return block + BLOCK;
}

/*
 * A write of the neighbour took the fast path, which nobody counts: it reaches main between the
 * rewriter's read and write, and is known to be complete only when the rewriter has gone.
 */
static void rewrite_fast(uint64_t block)
{
	struct bed_op write = write_op(neighbour(block), BLOCK, FIRST);
	struct bed_op failing = write_op(block, BLOCK, SECOND);

	hold_main("before", "w", neighbour(block), 2);
	bed_start(&write);
	is_held("gmain", 1, "the write is not held");
	fail_main("w", block, BLOCK, "IOERR");
	bed_start(&failing);
	is_held("gmain", 2, "the neighbour is not rewritten");
	hold_main("after", "w", neighbour(block), 1);
	bed_message("gmain", "release first");
	is_held("gmain", 2, "the write is not held on its way back");
	bed_message("gmain", "release first");
	expect_done(bed_finish(&failing), "failing write");
	release("gmain");
	expect_done(bed_finish(&write), "write of the neighbour");
}

/* A write of the neighbour took the slow path, which the rewriter waits for. */
static void rewrite_slow(uint64_t block)
{
	struct bed_op write = write_op(neighbour(block), BLOCK, FIRST);
	struct bed_op failing = write_op(block, BLOCK, SECOND);

	hold_main("before", "w", neighbour(block), 2);
	bed_start(&write);
	is_held("gmain", 1, "the write is not held");
	bed_message("main", "reset");
	fail_main("w", block, BLOCK, "IOERR");
	bed_start(&failing);
	must(bed_wait("main", FAILED_WRITES, 2), "the write does not fail");
	for_a_chance("gmain", 2);
	bed_message("gmain", "release first");
	bed_done_within(&write, CHANCE_MS);
	settle(&failing);
	settle(&write);
	expect_done(failing.error, "failing write");
	expect_done(write.error, "write of the neighbour");
}

/* Something is mapped in the region, far enough not to be asked. */
static void mark_region(uint64_t block)
{
	map_block(block + 40 * BLOCK);
}

static void verify_neighbour(uint64_t block)
{
	expect_data(neighbour(block), BLOCK, FIRST, "the neighbour's data");
	expect_data(block, BLOCK, SECOND, "failing write's data");
}

/*---- a block is brought home, and its slot is free ----*/

static struct bed_op unmap_op(char *text, size_t size, uint64_t block)
{
	snprintf(text, size, "unmap %llu+%u", (unsigned long long)block, BLOCK);
	return (struct bed_op){ .device = REMAP, .message = text };
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
	hold_slot_write();
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
	struct bed_op read = { .fd = remap_fd, .sector = block, .sectors = BLOCK, .tag = OLD };
	struct bed_op unmap = unmap_op(text, sizeof(text), block);
	uint64_t other = block + 40 * BLOCK;

	map_block(block);
	bed_message("gspare", "hold before r %llu+%llu", (unsigned long long)first_slot_sector,
		    (unsigned long long)slot_sectors);
	bed_start(&read);
	is_held("gspare", 1, "the read is not held");
	bed_start(&unmap);
	if (bed_done_within(&unmap, CHANCE_MS)) {
		/* an import takes the first slot that is free */
		bed_message(REMAP, "import manual %llu+%u", (unsigned long long)other, BLOCK);
		expect_done(bed_write(remap_fd, other, BLOCK, SECOND), "write of the other block");
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

/*---- power goes while a block moves ----*/

/*
 * A move is an image in the new slot, five copies of a page with the new claim, and five with the
 * old slot retired. Rounds cut before each of these writes in turn, and after the last.
 */
enum { MOVE_WRITES = 11 };

static void cut_move(uint64_t block)
{
	struct bed_op failing = write_op(block + 2, 1, SECOND);
	char word[DMCTL_TEXT];
	bool acknowledged;
	int r;

	end();
	wipe_spare();
	start("4 format breaker 1000000 60");
	round_slot = 0;
	map_block(block);
	must(!bed_write(remap_fd, block, BLOCK, FIRST), "cannot write to the slot");
	fail_slot(2, 1);
	bed_message("gspare", "hold before w 0+%llu 100 %u", (unsigned long long)spare_sectors,
		    round_nr % (MOVE_WRITES + 1));
	failing.fd = remap_fd;
	bed_start(&failing);
	while (!bed_done_within(&failing, 1) && !bed_word("gspare", HELD, word))
		;
	/* no more is caught, and nothing more gets through */
	bed_message("gspare", "open");
	bed_message("gspare", "drop");
	bed_message("gspare", "release fail");
	settle(&failing);
	acknowledged = !failing.error;
	end();

	bed_message("gspare", "open");
	bed_message("spare", "clear");
	r = bring_up("");
	expect(!r, "cannot be loaded after the cut: %s", strerrorname_np(-r));
	if (r) {
		wipe_spare();
		start("1 format");
		return;
	}
	expect_data(block, 2, FIRST, "acknowledged data");
	expect_data(block + 3, 5, FIRST, "acknowledged data");
	r = bed_read(remap_fd, block + 2, 1, SECOND);
	if (r == -EILSEQ && !acknowledged)
		r = bed_read(remap_fd, block + 2, 1, FIRST);
	expect(!r, "the write under way: %s", r ? strerrorname_np(-r) : "");
}

static const struct race races[] = {
	{ "sibling", NULL, move_by_write, verify_sibling, false,
	  "a write is in flight to main while its block moves because of another sector" },
	{ "message", NULL, move_by_message, verify_message, false,
	  "a write is in flight to main while a message remaps its block" },
	{ "copied", NULL, move_has_copied, verify_sibling, false,
	  "a write completes on main after its block was copied and before it lives elsewhere" },
	{ "read-copied", NULL, read_has_copied, verify_read, false,
	  "the same while a failed read is being recorded" },
	{ "read-rewrite", NULL, read_and_rewrite, verify_rewrite, false,
	  "a read fails, and its block is rewritten before anybody looks into that" },
	{ "two-writes", NULL, two_writes_fail, verify_two, false,
	  "two writes fail for one block" },
	{ "slot-in-flight", map_block, slot_in_flight, verify_sibling, false,
	  "a write is in flight to a slot that turns out to be bad" },
	{ "slot-copied", map_block, slot_has_copied, verify_sibling, false,
	  "a write comes after a bad slot was copied and before its block lives elsewhere" },
	{ "two-movers", map_block, two_movers, verify_sibling, false,
	  "two writes find one slot bad" },
	{ "rewrite-fast", NULL, rewrite_fast, verify_neighbour, true,
	  "a neighbour is rewritten over a write in flight that took the fast path" },
	{ "rewrite-slow", mark_region, rewrite_slow, verify_neighbour, true,
	  "a neighbour is rewritten over a write in flight that took the slow path" },
	{ "unmap-write", NULL, unmap_write, verify_message, false,
	  "a write is in flight to a slot while its block is brought home" },
	{ "unmap-reuse", NULL, unmap_reuse, verify_home, false,
	  "a read is in flight to a slot that is given to another block" },
	{ "unmap-late", NULL, unmap_late, verify_message, false,
	  "a write is in flight to main from before its block was mapped, while it comes home" },
	{ "move-cut", NULL, cut_move, NULL, true,
	  "power goes while a block moves from a bad slot to another" },
};

/*---- a run ----*/

static uint64_t sectors_of(int fd)
{
	return (uint64_t)lseek(fd, 0, SEEK_END) / SECTOR_SIZE;
}

static void build_stack(void)
{
	int fd = open(spare_path, O_RDWR), main_fd = open(main_path, O_RDWR);

	if (fd < 0 || main_fd < 0)
		bed_die("%s, %s: %s", main_path, spare_path, strerror(errno));
	main_sectors = sectors_of(main_fd);
	spare_sectors = sectors_of(fd);
	close(fd);
	close(main_fd);
	wipe_spare();
	if (rmeta_geometry_init(&geo, spare_sectors, main_sectors, 3))
		bed_die("the spare is too small");
	first_slot_sector = rmeta_slot_sector(&geo, 0);
	slot_sectors = (uint64_t)geo.zone_slots * BLOCK;
	bed_create("main", main_sectors, "inject", "%s 0 512", main_path);
	bed_create("gmain", main_sectors, "gate", "/dev/mapper/main");
	bed_create("gspare", spare_sectors, "gate", "%s", spare_path);
	bed_create("spare", spare_sectors, "inject", "/dev/mapper/gspare 0 512");
	bed_create("aspare", spare_sectors, "gate", "/dev/mapper/spare");
}

static void remove_stack(void)
{
	bed_remove("aspare");
	bed_remove("spare");
	bed_remove("gspare");
	bed_remove("gmain");
	bed_remove("main");
}

static uint64_t place(const struct race *race, unsigned int nr)
{
	uint64_t region = race->fresh_only ? nr : nr / 2, beside = race->fresh_only ? 0 : nr % 2;

	/* a region has 2,048 sectors, and marks the one before it too */
	return 2 * BLOCK + 4096 * region + 1000 * beside;
}

static void run(const struct race *race, unsigned int rounds)
{
	int raw_fd = bed_open("main");

	if (place(race, rounds) + 64 * BLOCK > main_sectors)
		bed_die("main is too short for %u rounds", rounds);
	for (round_nr = 0; round_nr < rounds; round_nr++)
		if (bed_write(raw_fd, place(race, round_nr) - BLOCK, 3 * BLOCK, OLD))
			bed_die("cannot write to main");
	close(raw_fd);
	for (round_nr = 0; race->prepare && round_nr < rounds; round_nr++)
		race->prepare(place(race, round_nr));
	for (round_nr = 0; round_nr < rounds; round_nr++) {
		uint64_t retired = bed_number(REMAP, BED_RETIRED);

		round_bad = false;
		round_slot = round_nr;
		race->round(place(race, round_nr));
		must(race->prepare != map_block || bed_number(REMAP, BED_RETIRED) > retired,
		     "no slot was retired");
		if (race->verify)
			race->verify(place(race, round_nr));
		/* bad sectors stay bad; rules for slots must not meet the next round */
		bed_message("spare", "clear");
		bed_message("gmain", "open");
		bed_message("aspare", "open");
		bed_message("gspare", "open");
	}
}

/* All of it is still right from a new device. */
static void run_again(const struct race *race, unsigned int rounds)
{
	end();
	start("");
	for (round_nr = 0; round_nr < rounds; round_nr++) {
		round_bad = false;
		race->verify(place(race, round_nr));
	}
}

int main(int argc, char **argv)
{
	const struct race *race = races, *last = races + sizeof(races) / sizeof(races[0]);
	unsigned int rounds;

	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (; race < last; race++)
			printf("%s %s\n", race->name, race->what);
		return 0;
	}
	if (argc != 5)
		bed_die("usage: race NAME ROUNDS MAIN SPARE, or race list");
	while (race < last && strcmp(race->name, argv[1]))
		race++;
	if (race == last)
		bed_die("no race %s", argv[1]);
	rounds = (unsigned int)atoi(argv[2]);
	main_path = argv[3];
	spare_path = argv[4];
	build_stack();
	/* every slot may be taken: the rounds follow one another faster than blocks go bad */
	start("4 format breaker 1000000 60");
	run(race, rounds);
	if (!bad_rounds && race->verify)
		run_again(race, rounds);
	end();
	remove_stack();
	printf("rounds %u bad %u\n", rounds, bad_rounds);
	return bad_rounds ? 1 : 0;
}
