/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The check: every inconsistency that metadata can have, in one table: a code, what it
 * means, whether preening may repair it, what the repair does. Finds, asks, repairs through
 * copies.h; prints nothing.
 *
 * Policy (-n, -p, -y, asking) is the caller's, in the one function it passes in.
 */
#ifndef RMETA_CHECK_H
#define RMETA_CHECK_H

#include "table.h"

enum rmeta_problem_code {
#define RMETA_PROBLEM(code, flags, text, repair) RMETA_P_##code,
#include "problems.def"
#undef RMETA_PROBLEM
	RMETA_NR_PROBLEMS
};

enum rmeta_problem_flags {
	RMETA_PREEN = 1 << 0,	/* -p repairs it without asking: nothing can be lost by it */
	RMETA_LOSS = 1 << 1,	/* repairing admits that something is gone */
	RMETA_NO_REPAIR = 1 << 2,	/* can only be reported */
};

/**
 * struct rmeta_problem_type - one row of the problem table
 * @name: stable identifier, for --json and tests
 * @flags: enum rmeta_problem_flags
 * @text: what is wrong, for a person
 * @repair: what the repair does, as a question's verb phrase, or ""
 */
struct rmeta_problem_type {
	const char *name;
	unsigned int flags;
	const char *text;
	const char *repair;
};

extern const struct rmeta_problem_type rmeta_problem_types[RMETA_NR_PROBLEMS];

#define RMETA_NO_BLOCK (~(block_t)0)

/**
 * struct rmeta_problem - one problem found
 * @code: row of the table
 * @page: table page, or RMETA_OBJECT_SUPERBLOCK
 * @copies: mask of the copies it is about; 0: of what they say, not of a copy
 * @slot: slot, or RMETA_NO_SLOT; of a lost page its first slot
 * @other: second slot, or RMETA_NO_SLOT: of a duplicate claim the one that is kept, of a
 *	lost page its last one
 * @block: block of main, or RMETA_NO_BLOCK
 * @repairable: a yes would be acted upon. Not so when the table has no repair for it, when
 *	the check may not write, or when an earlier answer left something basic undecided.
 * @detail: what exactly, and what a repair gives up, or ""; good until the callback returns
 */
struct rmeta_problem {
	enum rmeta_problem_code code;
	u32 page;
	u8 copies;
	slot_t slot;
	slot_t other;
	block_t block;
	bool repairable;
	const char *detail;
};

/**
 * rmeta_problem_where() - say what a problem is about
 * @problem: the problem
 * @text: out: "superblock", "superblock copies 0 3", "page 7 copies 1 2",
 *	"page 7, slots 1771 to 2023", "page 0, slots 12 and 40, block 99", ...
 * @bytes: room in @text; 96 are enough
 *
 * Return: @text.
 */
const char *rmeta_problem_where(const struct rmeta_problem *problem, char *text, size_t bytes);

/**
 * struct rmeta_loss - something that is gone, or that a repair gives up
 * @code: the problem that it belongs to
 * @first_slot: slots whose contents are in doubt, from this one
 * @last_slot: to this one
 * @block: block of main that may be stale, because a slot may have stood in for it;
 *	RMETA_NO_BLOCK when it is not known which ones
 * @certain: something whole says so; otherwise only a copy whose checksum is wrong does
 */
struct rmeta_loss {
	enum rmeta_problem_code code;
	slot_t first_slot;
	slot_t last_slot;
	block_t block;
	bool certain;
};

enum rmeta_check_phase {
	RMETA_PHASE_SUPERBLOCKS,
	RMETA_PHASE_PAGES,
	RMETA_PHASE_CLAIMS,
	RMETA_PHASE_SUMMARY,
};

/**
 * struct rmeta_check_ops - what the caller does with what is found
 * @fix: called for every problem: may it be repaired? The only place of policy. The answer
 *	counts only if @problem->repairable.
 * @phase: a phase begins
 * @superblocks: verdicts of the five superblocks, as seen from the spare that counts, before any
 *	problem about them
 * @page: verdicts of a page that is not five times ok (or of every page, if all_pages is
 *	set in struct rmeta_check)
 * @progress: @done of @total pages were read
 * @search: @done of @total sectors of the device were read in search of a table page
 * @lost: after @fix was asked about a problem with RMETA_LOSS: what exactly is gone or given
 *	up, whatever the answer was
 *
 * All but @fix may be NULL.
 */
struct rmeta_check_ops {
	bool (*fix)(void *ctx, const struct rmeta_problem *problem);
	void (*phase)(void *ctx, enum rmeta_check_phase phase);
	void (*superblocks)(void *ctx, const struct rmeta_scan *scan);
	void (*page)(void *ctx, u32 page, const struct rmeta_scan *scan);
	void (*progress)(void *ctx, u32 done, u32 total);
	void (*search)(void *ctx, u64 done, u64 total);
	void (*lost)(void *ctx, const struct rmeta_loss *loss);
};

/**
 * struct rmeta_check - a check and its outcome
 * @device_sectors: length of the device
 * @writable: repairs may be written. When false nothing is, whatever @ops->fix says.
 * @all_pages: call @ops->page for pages without any fault, too
 * @search: when no superblock is left and no table page is where this device should have
 *	one, read the whole device to find some. Without it that is done only when something
 *	of dm-remap was found.
 * @ops: callbacks
 * @ctx: their first argument
 * @found: out: problems found
 * @fixed: out: problems repaired, and durably so
 * @written: out: something on the device was changed
 * @was_in_use: out: the spare was not released cleanly, or is in use now. No problem by
 *	itself.
 * @sb: out: superblock that was used or rebuilt; valid if @have_sb
 * @geo: out: layout; valid if @have_sb
 * @have_sb: out
 * @counts: out: what the table holds, after repairs; valid if @have_sb
 * @stored_blocks: out: blocks of main of which the slot has at least one sector
 */
struct rmeta_check {
	u64 device_sectors;
	bool writable;
	bool all_pages;
	bool search;
	const struct rmeta_check_ops *ops;
	void *ctx;

	u32 found;
	u32 fixed;
	bool written;
	bool was_in_use;
	bool have_sb;
	struct rmeta_superblock sb;
	struct rmeta_geometry geo;
	struct rmeta_counts counts;
	u32 stored_blocks;
};

/**
 * rmeta_check_run() - check, and repair what @check->ops->fix allows
 * @ops: I/O of the host
 * @host: its first argument
 * @check: parameters and outcome
 *
 * Everything is read, and every problem asked about, before anything is written. Repairs keep
 * the commit protocol: sequences above any found, copies in steps, every step durable.
 * Interrupted at any instant, a second run finishes the work.
 *
 * Return: 0 when it ran to its end, whatever it found (@check->found == @check->fixed:
 * nothing is left); -ENODATA: there is nothing of dm-remap on this device; -ENOMEM; -EIO
 * when a repair could not be written, or no superblock can be read and no page found;
 * -EOVERFLOW when sequences ran out.
 */
int rmeta_check_run(const struct rmeta_host_ops *ops, void *host, struct rmeta_check *check);

/**
 * rmeta_check_page_winners() - which copies hold the version of a page that counts?
 * @scan: of a page that has a winner
 * @raw: its copies
 *
 * Return: mask; of several versions with the highest sequence the one that most copies have.
 */
u8 rmeta_check_page_winners(const struct rmeta_scan *scan, u8 *const raw[RMETA_COPIES]);

#endif
