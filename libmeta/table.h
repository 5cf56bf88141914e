/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slot table: entries and slots; claim, move, retire, free, pending bits. It holds the
 * superblock and all entries in memory, keeps the index in step with them, and changes
 * both on disk through copies.h.
 *
 * One writer, any number of readers. The writer is whoever calls the functions below that
 * say so; the host sees to it that there is one at a time (the kernel has one metadata
 * worker per device). Readers use rmeta_index_lookup() and rmeta_table_entry() under RCU.
 *
 * What is in memory is what is durable: a change becomes visible to readers only after its
 * commit. Data in slots is the host's: it is durable in the slot before the change that
 * points at it is applied (rule 4).
 */
#ifndef RMETA_TABLE_H
#define RMETA_TABLE_H

#include "copies.h"
#include "index.h"

/**
 * struct rmeta_counts - what the table holds
 *
 * pending_sectors and lost_sectors count bits of masks; the others count slots.
 * retired + mapped + lost + reserved + free = slots of the spare.
 */
struct rmeta_counts {
	u32 mapped;
	u32 lost;
	u32 retired;
	u32 reserved;
	u64 pending_sectors;
	u64 lost_sectors;
};

/**
 * struct rmeta_table - the metadata of one spare, loaded
 * @store: where it is
 * @sb: superblock as it is on disk
 * @sb_raw: its bytes, so that what this version does not know is kept
 * @sb_live: mask of live superblock copies
 * @read_only: nothing is ever written
 * @needs_check: something is not as it should be; remap-check is to be run
 * @unretired: the loser of a claim is still on disk, in a page that cannot be changed. The
 *	winner's generation keeps it from winning, so nothing may be freed until a load.
 * @entries: all slots of the pages in use
 * @page_live: per page, mask of live copies
 * @page_free: per page, number of free entries
 * @cursor: page to look for a free slot first; pages before it have none
 * @cursor_entry: entries before this one are not free in that page
 * @counts: sums over all entries
 * @index: block to slot
 * @objects: scratch for commits, store.batch of them
 * @images: scratch, one page image for each
 * @overlay: scratch, the entries of one page
 */
struct rmeta_table {
	struct rmeta_store store;
	struct rmeta_superblock sb;
	u8 *sb_raw;
	u8 sb_live;
	bool read_only;
	bool needs_check;
	bool unretired;
	struct rmeta_entries entries;
	u8 *page_live;
	u8 *page_free;
	u32 cursor;
	u8 cursor_entry;
	struct rmeta_counts counts;
	struct rmeta_index index;
	struct rmeta_object *objects;
	u8 **images;
	struct rmeta_entry *overlay;
};

/**
 * struct rmeta_load - how to load, and what was found
 * @device_sectors: length of the spare device
 * @main_sectors: length of main, or 0 to accept what the superblock says
 * @read_only: write nothing, activate nothing; repair in memory only
 * @batch: pages committed together, at least 1
 * @hash_seed: random
 * @host_id: machine-id of this host, or NULL
 * @host_name: its name, or NULL
 * @problem: out: when loading fails, a text for a person that says what is wrong and which
 *	tool to use; never NULL then
 * @problem_page: out: page that @problem is about, or RMETA_OBJECT_SUPERBLOCK
 * @repaired: out: copies rewritten
 * @retired_losers: out: losers of duplicate claims that were retired
 * @recovered_pages: out: pages found behind pages_used
 * @was_in_use: out: the last activation was not released cleanly
 */
struct rmeta_load {
	u64 device_sectors;
	u64 main_sectors;
	bool read_only;
	unsigned int batch;
	u64 hash_seed;
	const u8 *host_id;
	const char *host_name;

	const char *problem;
	u32 problem_page;
	u32 repaired;
	u32 retired_losers;
	u32 recovered_pages;
	bool was_in_use;
};

/**
 * rmeta_table_load() - load, repair and activate (rule 7)
 * @table: out
 * @ops: I/O of the host
 * @host: its first argument
 * @load: parameters and report
 *
 * When it returns 0 and not read-only: all copies that can be written agree, the activation
 * is durable, and at least one group of pages is ready for claims.
 *
 * Return: 0; -ENOMEM; -EIO; -EINVAL, -EUCLEAN, -EROFS and others with @load->problem set:
 * -ENODATA there is no superblock at all (blank or foreign), -EUCLEAN metadata that only
 * remap-check may decide on, -EROFS can be loaded read-only only, -EFBIG or -EINVAL it does
 * not fit this device or this main, -EOVERFLOW activations used up, -EOPNOTSUPP unknown
 * incompatible features.
 * Context: sleeps. On error nothing is left allocated.
 */
int rmeta_table_load(struct rmeta_table *table, const struct rmeta_host_ops *ops, void *host,
		     struct rmeta_load *load);

/**
 * rmeta_table_release() - mark a read-write table cleanly released, and say so on disk
 * @table: loaded; the caller has set lifetime counters in @table->sb
 *
 * Return: 0, or the error of the superblock's commit; the table is usable still.
 * Context: the writer; sleeps. Does nothing when read-only.
 */
int rmeta_table_release(struct rmeta_table *table);

/**
 * rmeta_table_exit() - free everything; writes nothing
 */
void rmeta_table_exit(struct rmeta_table *table);

/**
 * rmeta_table_commit_super() - write table->sb under a new sequence
 *
 * Return: 0 or a negative errno as in struct rmeta_object.
 * Context: the writer; sleeps.
 */
int rmeta_table_commit_super(struct rmeta_table *table);

/**
 * rmeta_table_set_needs_check() - remember, on disk if possible, that a check is due
 * Context: the writer; sleeps.
 */
void rmeta_table_set_needs_check(struct rmeta_table *table);

/**
 * rmeta_table_grow() - initialise one more group of pages (rule 6)
 *
 * Return: 0; -ENOSPC when the table has all its pages; -EIO; -EROFS; -ENOMEM. After an
 * error the table is as before.
 * Context: the writer; sleeps, allocates.
 */
int rmeta_table_grow(struct rmeta_table *table);

/**
 * rmeta_table_grow_by() - initialise more groups of pages, with one commit of the superblock
 * @table: loaded read-write
 * @nr_groups: how many; fewer when the table ends before
 *
 * The groups are initialised one after the other, each durably, so that what a cut leaves is
 * what the cut of one growth, or of several, leaves.
 *
 * Return: as rmeta_table_grow().
 * Context: the writer; sleeps, allocates.
 */
int rmeta_table_grow_by(struct rmeta_table *table, u32 nr_groups);

/**
 * rmeta_table_ready() - free slots that can be had without growing
 * Context: any; exact for the writer.
 */
u32 rmeta_table_ready(const struct rmeta_table *table);

/**
 * rmeta_table_free_slots() - free slots in all, growing included
 * Context: any; exact for the writer.
 */
u32 rmeta_table_free_slots(const struct rmeta_table *table);

/**
 * rmeta_table_reserve() - promise a free slot to a claim
 * @table: loaded read-write
 * @slot: out
 *
 * In memory only: a load knows nothing of it. Slots of pages with fewer than two live
 * copies are not given out. Does not grow and does no I/O.
 *
 * Return: 0, or -ENOSPC: none ready; rmeta_table_grow() may help.
 * Context: the writer; does not sleep.
 */
int rmeta_table_reserve(struct rmeta_table *table, slot_t *slot);

/**
 * rmeta_table_unreserve() - give a reserved slot back
 * Context: the writer; does not sleep.
 */
void rmeta_table_unreserve(struct rmeta_table *table, slot_t slot);

/**
 * struct rmeta_change - one entry that is to change
 * @slot: whose
 * @entry: what it is to become
 * @error: out: 0: durable and visible. Otherwise as in struct rmeta_object; after -EIO the
 *	outcome is unknown and the host must fence the block until the next load.
 */
struct rmeta_change {
	slot_t slot;
	struct rmeta_entry entry;
	int error;
};

/**
 * rmeta_change_claim() - an unmapped block gets a reserved slot
 * @table: the table
 * @change: out
 * @slot: from rmeta_table_reserve(); the data of unmasked sectors is durable in it
 * @block: of main, not mapped
 * @pending: mask of sectors whose only copy is on main
 * @reason: enum rmeta_reason
 */
void rmeta_change_claim(struct rmeta_table *table, struct rmeta_change *change, slot_t slot,
			block_t block, u16 pending, enum rmeta_reason reason);

/**
 * rmeta_change_mask() - a mapped or lost entry gets a smaller mask
 * @table: the table
 * @change: out
 * @slot: mapped or lost
 * @clear: sectors that are in the slot now, durably
 *
 * A lost entry whose mask becomes 0 becomes mapped.
 */
void rmeta_change_mask(struct rmeta_table *table, struct rmeta_change *change, slot_t slot,
		       u16 clear);

/**
 * rmeta_change_move() - a block's new claim, with the next generation
 * @table: the table
 * @change: out
 * @from: slot it has now
 * @to: from rmeta_table_reserve(); what could be copied is durable in it
 * @clear: masked sectors that are in @to now, durably: just written, or salvaged
 * @lost: sectors that could not be read out of @from. With any, the entry becomes lost;
 *	pending sectors must have been salvaged or are lost too, since a lost entry has no
 *	pending bits.
 *
 * One change for all of it: a sector that was salvaged is never durably lost in between.
 *
 * Applied and durable before rmeta_change_retire() of @from is applied (rule 5).
 */
void rmeta_change_move(struct rmeta_table *table, struct rmeta_change *change, slot_t from,
		       slot_t to, u16 clear, u16 lost);

/**
 * rmeta_change_retire() - a slot is bad, or lost its block to a move
 * @table: the table
 * @change: out
 * @slot: mapped, lost or reserved
 * @block: to be remembered in it
 */
void rmeta_change_retire(struct rmeta_table *table, struct rmeta_change *change, slot_t slot,
			 block_t block);

/**
 * rmeta_change_free() - a slot stands in for nothing any more
 * @table: the table
 * @change: out
 * @slot: mapped; its data is durable on main
 */
void rmeta_change_free(struct rmeta_table *table, struct rmeta_change *change, slot_t slot);

/**
 * rmeta_table_apply() - commit changes and make them visible
 * @table: loaded read-write
 * @changes: @error of each is set. Neighbours of one page are committed together, so sort
 *	by slot where there are many. One slot may occur once only.
 * @nr: how many
 *
 * No block may be claimed twice among them. For each change that is durable, entry, counts and index are updated before this
 * returns; a slot that was unlinked has had its grace period. A claim that failed leaves its
 * slot reserved: after -EIO it must stay so (its outcome is unknown), after -EROFS the host
 * may give it back. The retirement of a slot that has lost its block to a move counts in memory
 * even when its page does not take it: that is what a load would make of it.
 *
 * Return: 0 when all were applied, else the first error.
 * Context: the writer; sleeps.
 */
int rmeta_table_apply(struct rmeta_table *table, struct rmeta_change *changes, unsigned int nr);

/**
 * struct rmeta_scrub - what scrubbing found so far; zeroed by the caller before the first call
 * @pages: pages looked at
 * @bad: copies of pages and superblock that were not what they should be
 * @repaired: copies that are live again
 * @dead: copies that could not be brought back
 * @page: with -EUCLEAN of pages: the last that disagrees with memory
 * @foreign: with -EUCLEAN of the superblock: somebody else has activated or formatted the spare
 */
struct rmeta_scrub {
	u32 pages;
	u32 bad;
	u32 repaired;
	u32 dead;
	u32 page;
	bool foreign;
};

/**
 * rmeta_table_scrub_super() - read the five superblocks, and bring bad copies back to life
 * @table: loaded read-write
 * @scrub: what was found is added
 *
 * Return: 0, whether or not all copies are live now; -EUCLEAN: what is on the spare is not
 * older than what is in memory and differs from it, nothing was written, a check is due; -EIO:
 * none can be read, nothing was changed; -ENOMEM; -EOVERFLOW; -EROFS.
 * Context: the writer; sleeps, allocates.
 */
int rmeta_table_scrub_super(struct rmeta_table *table, struct rmeta_scrub *scrub);

/**
 * rmeta_table_scrub_pages() - likewise for pages
 * @table: loaded read-write
 * @first_page: at most the number of pages in use
 * @nr_pages: may reach behind the pages in use, which end it
 * @scrub: what was found is added
 *
 * A page with too few live copies takes changes again when it has got two. What a change that
 * failed with -EIO left is gone from a page that was brought back: the change has not been
 * made. A check that was due stays due.
 *
 * Return: as rmeta_table_scrub_super(); after -EUCLEAN the other pages have been seen to.
 * Context: the writer; sleeps, allocates.
 */
int rmeta_table_scrub_pages(struct rmeta_table *table, u32 first_page, u32 nr_pages,
			    struct rmeta_scrub *scrub);

/**
 * rmeta_table_live_copies() - minimum of live copies over the superblock and all pages
 * Context: any; exact for the writer.
 */
unsigned int rmeta_table_live_copies(const struct rmeta_table *table);

/**
 * rmeta_table_entry() - entry of a slot
 * Context: the writer, or a reader that got @slot from the index under RCU; a reader takes
 * ->where with one READ_ONCE().
 */
static inline struct rmeta_entry *rmeta_table_entry(const struct rmeta_table *table, slot_t slot)
{
	return rmeta_entry_at(&table->entries, slot);
}

/**
 * struct rmeta_format_params - a new spare
 * @spare_sectors: length of the spare
 * @main_sectors: length of main
 * @block_shift: log2 of sectors per block
 * @uuid: random; never one used before
 * @now: Unix seconds
 * @label: or NULL
 * @main_id: or NULL
 * @main_partuuid: 16 bytes, or NULL
 * @main_start: first sector of main on its disk
 */
struct rmeta_format_params {
	u64 spare_sectors;
	u64 main_sectors;
	u8 block_shift;
	u8 uuid[16];
	u64 now;
	const char *label;
	const char *main_id;
	const u8 *main_partuuid;
	u64 main_start;
};

/**
 * rmeta_format() - make a spare (rule 8)
 * @ops: I/O of the host
 * @host: its first argument
 * @params: what to make
 *
 * Whether anything may be overwritten is the caller's to decide, and has been. Erases
 * the superblocks, then page 0 of every zone, then writes all five superblocks, under a
 * sequence above any found.
 *
 * Return: 0; -EIO when not all five superblocks could be written; -EINVAL, -ENOSPC as
 * rmeta_geometry_init(); -ENOMEM.
 */
int rmeta_format(const struct rmeta_host_ops *ops, void *host,
		 const struct rmeta_format_params *params);

#endif
