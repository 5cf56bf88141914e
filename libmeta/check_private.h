/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the check share, and nobody else sees.
 *
 * A run has two halves. The first only reads: it finds every problem, asks about each as it
 * comes, and notes in struct rmeta_checker what may be done. The second does it, in the order
 * in which a load does (docs/format.md, rule 7), so that an interruption anywhere leaves
 * something that a second run, or a load, understands.
 *
 *	check.c		the run, asking, the summary
 *	check_super.c	superblocks: which one counts
 *	check_rebuild.c	superblocks: none is left
 *	check_pages.c	pages
 *	check_entries.c	their entries
 *	check_claims.c	two slots for one block
 *	check_repair.c	the second half
 */
#ifndef RMETA_CHECK_PRIVATE_H
#define RMETA_CHECK_PRIVATE_H

#include "check.h"

#define CHECK_BATCH 64		/* pages repaired together */

/**
 * struct check_page - what may be done to one page
 * @rewrite: copies that may be brought up to the one that counts
 * @flags: enum check_page_flags
 * @approved: problems that are repaired once this page has been written
 * @sequence: of the version that counts: everything was decided on it
 */
struct check_page {
	u8 rewrite;
	u8 flags;
	u16 approved;
	u64 sequence;
};

enum check_page_flags {
	CHECK_COMMIT = 1 << 0,	/* write it again under a sequence of this activation */
	CHECK_INIT = 1 << 1,	/* no valid copy: write an empty page */
	CHECK_RETIRE = 1 << 2,	/* losers of claims are in it: once more, after the others */
	CHECK_FROZEN = 1 << 3,	/* an answer left open what it holds: it may not be written */
};

/**
 * struct rmeta_checker - one run
 * @check: parameters and outcome
 * @store: I/O; its geometry and uuid are those of @check once they are known
 * @frozen: nothing may be written, because something basic is not decided; problems are
 *	only reported from then on
 * @detail: text of the problem being raised
 * @sb_read: what the five places of the superblock held
 * @sb_image: bytes of the superblock that counts; what a later version keeps in it survives
 * @sb_live: copies that hold @sb_image
 * @sb_first: invalid copies that may be rewritten
 * @sb_then: older copies that may be rewritten
 * @sb_rebuilt: no copy holds this superblock, all five are to be written
 * @device_pages: pages of which a device that is too short can have a copy; ~0: all of them
 * @sb_commit: a repair changes what the superblock says
 * @sb_approved: problems that are repaired once the superblock has been written
 * @check_asked: clearing RMETA_NEEDS_CHECK was allowed
 * @declined: problems that stay
 * @top_activations: highest found anywhere, in superblocks and in sequences
 * @hidden: superblocks that could not be read: each may know of one activation more
 * @exhausted: it has been said that no activation is left
 * @page_activations: highest of the sequences of pages
 * @known_pages: pages that a superblock says are in use
 * @nr_pages: pages that are in use, those found behind @known_pages included
 * @pages: per group of pages, RMETA_GROUP_PAGES of them
 * @entries: of all pages in use, as they are to be after the repair
 * @index: claims
 * @losers: claims that may be retired, to be done after all other pages
 * @nr_losers: how many
 * @max_losers: room in @losers
 */
struct rmeta_checker {
	struct rmeta_check *check;
	struct rmeta_store store;
	bool frozen;
	char detail[320];

	u8 *sb_read[RMETA_COPIES];
	u8 *sb_image;
	u8 sb_live;
	u8 sb_first;
	u8 sb_then;
	bool sb_rebuilt;
	u32 device_pages;
	bool sb_commit;
	u32 sb_approved;
	bool check_asked;
	u32 declined;
	u32 top_activations;
	unsigned int hidden;
	bool exhausted;
	u32 page_activations;

	u32 known_pages;
	u32 nr_pages;
	struct check_page **pages;
	struct rmeta_entries entries;
	struct rmeta_index index;
	slot_t *losers;
	u32 nr_losers;
	u32 max_losers;
};

/* State of a page of a group that was added. */
static inline struct check_page *check_page_at(const struct rmeta_checker *checker, u32 page)
{
	return &checker->pages[page / RMETA_GROUP_PAGES][page % RMETA_GROUP_PAGES];
}

/* The RMETA_PAGE_ENTRIES entries of such a page. */
static inline struct rmeta_entry *check_page_entries(const struct rmeta_checker *checker,
						     u32 page)
{
	return rmeta_entry_at(&checker->entries, page * RMETA_PAGE_ENTRIES);
}

/**
 * rmeta_check_problem() - an empty problem, about the superblock
 * @code: row of the table
 *
 * Return: the problem, for the caller to fill in.
 */
struct rmeta_problem rmeta_check_problem(enum rmeta_problem_code code);

/**
 * rmeta_check_raise() - raise a problem: count it, and ask
 * @checker: the run
 * @problem: what and where; repairable and detail are set here
 * @detail: printf format of what exactly is wrong, and what a repair gives up
 *
 * Return: true: it is to be repaired; the caller notes what is to be done, and counts it as
 * approved where its repair is completed (a page, or the superblock).
 */
bool rmeta_check_raise(struct rmeta_checker *checker, struct rmeta_problem *problem,
		       const char *detail, ...) __attribute__((format(printf, 3, 4)));

/**
 * rmeta_check_lost() - say what a problem takes away
 * @checker: the run
 * @code: the problem
 * @first_slot: first slot in doubt
 * @last_slot: last one
 * @block: of main, or RMETA_NO_BLOCK; one that main does not have counts as not known
 * @certain: see struct rmeta_loss
 */
void rmeta_check_lost(struct rmeta_checker *checker, enum rmeta_problem_code code,
		      slot_t first_slot, slot_t last_slot, block_t block, bool certain);

/**
 * rmeta_check_saw_sequence() - a sequence was found: those of the repair must be above it
 * @checker: the run
 * @sequence: of a superblock or page of whatever worth, or 0
 */
void rmeta_check_saw_sequence(struct rmeta_checker *checker, u64 sequence);

/**
 * struct check_binding - which main pages name
 * @main_sectors: its length
 * @block_shift: log2 of sectors per block
 * @votes: copies of pages that name these two; 0: there are no pages
 * @others: copies that name anything else
 */
struct check_binding {
	u64 main_sectors;
	u8 block_shift;
	u32 votes;
	u32 others;
};

/**
 * rmeta_check_binding() - what do the pages of the first group say they belong to?
 * @checker: I/O; its geometry and uuid are changed
 * @geo: where the pages are; main and block size in it win a draw
 * @uuid: of the spare, or NULL for any
 * @binding: out: what most copies name
 *
 * Return: 0 or -ENOMEM.
 */
int rmeta_check_binding(struct rmeta_checker *checker, const struct rmeta_geometry *geo,
			const u8 *uuid, struct check_binding *binding);

/**
 * rmeta_check_superblocks() - phase 1: which superblock counts
 * @checker: the run
 *
 * Return: 0: @checker->check has a superblock and a layout; 1: the check ends here, what was
 * found has been reported; -ENODATA, -EIO, -ENOMEM.
 */
int rmeta_check_superblocks(struct rmeta_checker *checker);

/**
 * rmeta_check_rebuild() - no superblock is valid: is there a way to get one back?
 * @checker: with the five places read
 * @scan: what they are
 *
 * Return: as rmeta_check_superblocks().
 */
int rmeta_check_rebuild(struct rmeta_checker *checker, const struct rmeta_scan *scan);

/**
 * rmeta_check_features() - raise what a superblock says of features that are not known
 * @checker: the run; frozen afterwards when they allow reading only
 * @sb: the superblock
 *
 * Return: true when the check has to end with such a superblock.
 */
bool rmeta_check_features(struct rmeta_checker *checker, const struct rmeta_superblock *sb);

/**
 * rmeta_check_use_superblock() - from now on this is the superblock
 * @checker: the run
 * @sb: what it says
 * @raw: RMETA_BYTES bytes, of which those that this version does not know are kept, or NULL
 *	to keep those in use
 * @geo: layout
 */
void rmeta_check_use_superblock(struct rmeta_checker *checker, const struct rmeta_superblock *sb,
				const u8 *raw, const struct rmeta_geometry *geo);

/**
 * rmeta_check_pages() - phase 2: all pages and their entries
 * @checker: with superblock and layout
 *
 * Return: 0 or -ENOMEM.
 */
int rmeta_check_pages(struct rmeta_checker *checker);

/**
 * rmeta_check_page_strays() - which copies are valid but for the main that they name?
 * @checker: with superblock and layout
 * @page: number
 * @scan: of a page that has no winner
 * @raw: its copies
 * @header: out: what the copies returned say
 *
 * Return: mask of those that hold the version with the highest sequence; 0: there are none.
 */
u8 rmeta_check_page_strays(const struct rmeta_checker *checker, u32 page,
			   const struct rmeta_scan *scan, u8 *const raw[RMETA_COPIES],
			   struct rmeta_page_header *header);

/**
 * rmeta_check_entries() - judge the entries of one page
 * @checker: the page's entries are in memory; what may be repaired is repaired there
 * @page: number
 */
void rmeta_check_entries(struct rmeta_checker *checker, u32 page);

/**
 * rmeta_check_retire() - make an entry a retired one, in memory
 * @checker: whose clock it is
 * @entry: the entry
 * @block: of main, to be remembered in it
 */
void rmeta_check_retire(struct rmeta_checker *checker, struct rmeta_entry *entry, block_t block);

/**
 * rmeta_check_claims() - phase 3: two slots for one block
 * @checker: with all entries in memory
 *
 * Return: 0 or -ENOMEM.
 */
int rmeta_check_claims(struct rmeta_checker *checker);

/**
 * rmeta_check_repair() - the second half: write what was allowed
 * @checker: after all phases; fixed and written of its check are counted here
 *
 * Return: 0, also when nothing is to be done; -EIO, -ENOMEM or -EOVERFLOW.
 */
int rmeta_check_repair(struct rmeta_checker *checker);

#endif
