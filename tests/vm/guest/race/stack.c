// SPDX-License-Identifier: GPL-2.0-only
/* Contract in race.h. */
#include "race.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "geometry.h"

#define STUCK_MS 20000u
#define WIPE_SECTORS 2048u	/* at a time */

uint64_t round_slot;
static const char *spare_path;
static uint64_t main_sectors, spare_sectors;
static struct rmeta_geometry geo;
static uint64_t first_slot_sector, slot_sectors;	/* of zone 0, where first slots are */

uint64_t stack_main_sectors(void)
{
	return main_sectors;
}

uint64_t stack_spare_sectors(void)
{
	return spare_sectors;
}

/* Zeroes what metadata is looked for in: the beginning, and the last superblock. */
void wipe_spare(void)
{
	static uint64_t zeroes[WIPE_SECTORS * SECTOR_WORDS];
	int fd = open(spare_path, O_RDWR);
	uint64_t sector = 0, last = spare_sectors - WIPE_SECTORS;

	for (;;) {
		if (pwrite(fd, zeroes, sizeof(zeroes), (off_t)(sector * SECTOR_SIZE)) !=
		    (ssize_t)sizeof(zeroes))
			bed_die("%s: %s", spare_path, strerror(errno));
		if (sector == last)
			break;
		sector = sector + WIPE_SECTORS < 5 * WIPE_SECTORS ? sector + WIPE_SECTORS : last;
	}
	fsync(fd);
	close(fd);
}

int bring_up(const char *features)
{
	return scene_up(main_sectors, "/dev/mapper/gmain /dev/mapper/aspare %s", features);
}

void start(const char *features)
{
	int r = bring_up(features);

	if (r)
		bed_die("round %u: cannot make the device: %s", scene_round, strerror(-r));
}

static uint64_t sectors_of(int fd)
{
	return (uint64_t)lseek(fd, 0, SEEK_END) / SECTOR_SIZE;
}

void stack_build(const char *main, const char *spare)
{
	int main_fd = open(main, O_RDWR), fd = open(spare, O_RDWR);

	if (main_fd < 0 || fd < 0)
		bed_die("%s, %s: %s", main, spare, strerror(errno));
	main_sectors = sectors_of(main_fd);
	spare_sectors = sectors_of(fd);
	spare_path = spare;
	close(fd);
	close(main_fd);
	wipe_spare();
	if (rmeta_geometry_init(&geo, spare_sectors, main_sectors, 3))
		bed_die("the spare is too small");
	first_slot_sector = rmeta_slot_sector(&geo, 0);
	slot_sectors = (uint64_t)geo.zone_slots * BLOCK;
	bed_create("main", main_sectors, "inject", "%s 0 512", main);
	bed_create("gmain", main_sectors, "gate", "/dev/mapper/main");
	bed_create("gspare", spare_sectors, "gate", "%s", spare);
	bed_create("spare", spare_sectors, "inject", "/dev/mapper/gspare 0 512");
	bed_create("aspare", spare_sectors, "gate", "/dev/mapper/spare");
}

void stack_remove(void)
{
	bed_remove("aspare");
	bed_remove("spare");
	bed_remove("gspare");
	bed_remove("gmain");
	bed_remove("main");
}

void stack_open_gates(void)
{
	bed_message("spare", "clear");
	bed_message("gmain", "open");
	bed_message("aspare", "open");
	bed_message("gspare", "open");
}

struct bed_op write_op(uint64_t sector, uint64_t sectors, enum scene_tag tag)
{
	return (struct bed_op){ .fd = scene_fd, .write = true, .sector = sector,
				.sectors = sectors, .tag = tag };
}

void map_block(uint64_t block)
{
	scene_message("remap", block);
}

void fail_main(const char *dirs, uint64_t sector, uint64_t sectors, const char *rest)
{
	bed_message("main", "add %s %llu+%llu %s", dirs, (unsigned long long)sector,
		    (unsigned long long)sectors, rest);
}

static unsigned long long round_slot_sector(void)
{
	return rmeta_slot_sector(&geo, (slot_t)round_slot);
}

void fail_slot(unsigned int first, unsigned int sectors)
{
	bed_message("spare", "reset");
	bed_message("spare", "add w %llu+%u MEDIUM", round_slot_sector() + first, sectors);
}

void hold_main(const char *where, const char *dirs, uint64_t sector, unsigned int nr)
{
	bed_message("gmain", "hold %s %s %llu+%u %u", where, dirs, (unsigned long long)sector, BLOCK,
		    nr);
}

void hold_slots(const char *dir)
{
	bed_message("gspare", "hold before %s %llu+%llu", dir, (unsigned long long)first_slot_sector,
		    (unsigned long long)slot_sectors);
}

void hold_round_slot(unsigned int nr)
{
	bed_message("aspare", "hold after w %llu+%u %u", round_slot_sector(), BLOCK, nr);
}

void release(const char *gate)
{
	bed_message(gate, "release");
}

void is_held(const char *gate, unsigned int nr, const char *what)
{
	must(bed_wait(gate, HELD, nr), what);
}

void for_a_chance(const char *gate, unsigned int nr)
{
	char word[DMCTL_TEXT];
	unsigned int ms;

	for (ms = 0; ms < CHANCE_MS && bed_word(gate, HELD, word) < nr; ms++)
		bed_sleep_ms(1);
}

void settle(struct bed_op *op)
{
	uint64_t end = bed_ms() + STUCK_MS;

	while (!bed_done_within(op, 5)) {
		must(bed_ms() < end, "a request is never answered");
		release("gmain");
		release("gspare");
	}
	bed_finish(op);
}
