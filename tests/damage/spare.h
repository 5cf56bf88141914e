/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A spare with known contents on a disk in memory, the ways to damage it, and the check run
 * over it. What the spare holds is kept beside it as a model, in two versions: the one before
 * the last commit and the one after, so that a copy can be stale or torn between both.
 */
#ifndef DAMAGE_SPARE_H
#define DAMAGE_SPARE_H

#include "check.h"
#include "disk.h"

#define SPARE_SUPER RMETA_OBJECT_SUPERBLOCK

enum spare_version { SPARE_OLD, SPARE_NEW, SPARE_VERSIONS };

/**
 * struct spare_params - what to make
 * @spare_sectors: length of the spare
 * @main_sectors: length of main
 * @block_shift: log2 of sectors per block
 * @room_sectors: length that the device can be made to have; 0: that of the spare
 * @groups: groups of pages in use
 * @fill: entries that are not free
 * @seed: of everything random in it
 */
struct spare_params {
	u64 spare_sectors;
	u64 main_sectors;
	u64 room_sectors;
	u8 block_shift;
	u32 groups;
	u32 fill;
	u64 seed;
};

/**
 * struct spare - a spare and its model
 * @geo: layout
 * @sb: superblock of each version
 * @entries: of each version, slots of all pages in use (padded to whole pages)
 * @sequence: of each version, per page
 * @nr_pages: pages in use
 * @disk: what it is on; the new version in all five copies to begin with
 */
struct spare {
	struct rmeta_geometry geo;
	struct rmeta_superblock sb[SPARE_VERSIONS];
	struct rmeta_entry *entries[SPARE_VERSIONS];
	u64 *sequence[SPARE_VERSIONS];
	u32 nr_pages;
	struct disk disk;
};

/**
 * spare_make() - make a spare and its model
 * @spare: out; to be freed with spare_free()
 * @params: what to make
 */
void spare_make(struct spare *spare, const struct spare_params *params);

/* Free model and disk. */
void spare_free(struct spare *spare);

/* First sector of a copy of a page, or of SPARE_SUPER. */
u64 spare_sector(const struct spare *spare, u32 object, unsigned int copy);

/**
 * spare_image() - the bytes of an object as they should be on disk
 * @spare: model
 * @object: page, or SPARE_SUPER
 * @copy: 0..4
 * @version: which of the two
 * @image: out: RMETA_BYTES bytes
 */
void spare_image(const struct spare *spare, u32 object, unsigned int copy,
		 enum spare_version version, u8 *image);

enum damage { DAMAGE_ZERO, DAMAGE_NOISE, DAMAGE_FLIP, DAMAGE_TORN, DAMAGE_OLD,
	      DAMAGE_UNREADABLE, NR_DAMAGES };
extern const char *const damage_names[NR_DAMAGES];

/**
 * spare_damage() - damage one copy of an object
 * @spare: model
 * @disk: the spare's disk, or a copy of it
 * @object: page, or SPARE_SUPER
 * @copy: 0..4
 * @damage: how; torn and old ones are torn with, or replaced by, the old version
 * @random: state of the generator
 */
void spare_damage(const struct spare *spare, struct disk *disk, u32 object, unsigned int copy,
		  enum damage damage, u64 *random);

/* Who answers the questions of a check. */
enum answer { ANSWER_NO, ANSWER_PREEN, ANSWER_YES, ANSWER_DRY };

/**
 * struct run - one run of the check
 * @check: parameters and outcome
 * @result: what rmeta_check_run() returned
 * @problems: how often each row was raised
 * @answer: policy
 * @refuse: a row that is answered no whatever the policy; RMETA_NR_PROBLEMS: none
 * @log: print each problem, for authors of tests
 */
struct run {
	struct rmeta_check check;
	int result;
	u32 problems[RMETA_NR_PROBLEMS];
	enum answer answer;
	unsigned int refuse;
	bool log;
};

/**
 * run_check() - run the check
 * @run: out; log is left as it is
 * @disk: what to check
 * @answer: policy; ANSWER_DRY is -n, a run that may not write; with the others it may
 */
void run_check(struct run *run, struct disk *disk, enum answer answer);

/* The same, with a no to everything of row @refuse. */
void run_check_except(struct run *run, struct disk *disk, enum answer answer, unsigned int refuse);

/* Rows that were raised by any run so far. */
extern u32 rows_raised[RMETA_NR_PROBLEMS];

/**
 * spare_compare() - load a disk and compare what it shows with the model
 * @spare: model
 * @disk: what to load
 * @version: of the model
 * @read_only: load without writing, else with all that a load repairs
 * @problem: out: why it does not load, or NULL
 *
 * Return: slots whose entry, or whose way from the block to the slot, differs; -1 when it does
 * not load.
 */
long spare_compare(const struct spare *spare, struct disk *disk, enum spare_version version,
		   bool read_only, const char **problem);

#endif
