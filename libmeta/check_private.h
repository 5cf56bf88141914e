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
 */
struct check_page {
	u8 rewrite;
	u8 flags;
	u16 approved;
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
 * @sb_commit: a repair changes what the superblock says
 * @sb_approved: problems that are repaired once the superblock has been written
 * @check_asked: clearing RMETA_NEEDS_CHECK was allowed
 * @declined: problems that stay
 * @top_activations: highest found anywhere, in superblocks and in sequences
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
	bool sb_commit;
	u32 sb_approved;
	bool check_asked;
	u32 declined;
	u32 top_activations;
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

static inline struct check_page *check_page_at(const struct rmeta_checker *checker, u32 page)
{
	return &checker->pages[page / RMETA_GROUP_PAGES][page % RMETA_GROUP_PAGES];
}

static inline struct rmeta_entry *check_page_entries(const struct rmeta_checker *checker,
						     u32 page)
{
	return rmeta_entry_at(&checker->entries, page * RMETA_PAGE_ENTRIES);
}

/* An empty problem of @code, for the caller to fill in. */
struct rmeta_problem rmeta_check_problem(enum rmeta_problem_code code);

/*
 * Raise a problem: count it, and ask. The text says what exactly is wrong. True: it is to be
 * repaired; the caller notes what and where, and counts it as approved there.
 */
bool rmeta_check_raise(struct rmeta_checker *checker, struct rmeta_problem *problem,
		       const char *detail, ...) __attribute__((format(printf, 3, 4)));

/* A sequence was found on the device; later ones must be above it. */
void rmeta_check_saw_sequence(struct rmeta_checker *checker, u64 sequence);

/* Which length of main and block size the pages name. */
struct check_binding {
	u64 main_sectors;
	u8 block_shift;
	u32 votes;		/* copies of pages that name these two */
	u32 others;		/* that name anything else */
};

/**
 * rmeta_check_binding() - what do the pages of the first group say they belong to?
 * @checker: I/O
 * @geo: where the pages are; main and block size in it do not matter here
 * @uuid: of the spare, or NULL for any
 * @binding: out: what most copies name; no votes: there are no pages of this spare
 *
 * Return: 0 or -ENOMEM.
 */
int rmeta_check_binding(struct rmeta_checker *checker, const struct rmeta_geometry *geo,
			const u8 *uuid, struct check_binding *binding);

/* What a superblock's pages say for it. */
struct check_evidence {
	u32 valid;		/* pages with a valid copy */
	u32 missing;		/* pages below pages_used without one */
	bool first;		/* page 0 has one */
};

/* Look at the pages that @sb claims, and at the first group in any case. */
int rmeta_check_evidence(struct rmeta_checker *checker, const struct rmeta_superblock *sb,
			 const struct rmeta_geometry *geo, struct check_evidence *evidence);

/**
 * rmeta_check_superblocks() - phase 1: which superblock counts
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

/*
 * Raise what @sb says of features that are not known; with some of them nothing may be
 * written. True: with such a superblock the check ends.
 */
bool rmeta_check_features(struct rmeta_checker *checker, const struct rmeta_superblock *sb);

/* Use @sb, with the bytes of @raw as far as this version does not know them. */
void rmeta_check_use_superblock(struct rmeta_checker *checker, const struct rmeta_superblock *sb,
				const u8 *raw, const struct rmeta_geometry *geo);

/* Phase 2: all pages and entries. Return: 0 or -ENOMEM. */
int rmeta_check_pages(struct rmeta_checker *checker);

/*
 * The copies that hold the version of a page that counts, @scan having a winner: of those
 * with the winner's sequence the ones most alike.
 */
u8 rmeta_check_page_winners(const struct rmeta_scan *scan, u8 *const raw[RMETA_COPIES]);

/*
 * The copies that hold the best version of a page whose copies all name another main or block
 * size than the superblock; 0: there are none. @header is what they say.
 */
u8 rmeta_check_page_strays(const struct rmeta_checker *checker, u32 page,
			   const struct rmeta_scan *scan, u8 *const raw[RMETA_COPIES],
			   struct rmeta_page_header *header);

/* Judge the entries of one page, in place; what may be repaired is repaired in memory. */
void rmeta_check_entries(struct rmeta_checker *checker, u32 page);

/* Make an entry a retired one, in memory. */
void rmeta_check_retire(struct rmeta_checker *checker, struct rmeta_entry *entry, block_t block);

/* Phase 3: two slots for one block. Return: 0 or -ENOMEM. */
int rmeta_check_claims(struct rmeta_checker *checker);

/* The second half: write what was allowed. Return: 0, -EIO, -ENOMEM or -EOVERFLOW. */
int rmeta_check_repair(struct rmeta_checker *checker);

#endif
