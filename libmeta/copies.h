/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Five copies of one 4 KiB object, a superblock or a table page: read them, choose the one
 * that counts, commit a new version in steps, rewrite the losers. This is where the
 * durability argument lives (docs/format.md, "the commit protocol", rules 1 to 3 and 7).
 *
 * A copy is *live* when it verified, holds the current contents and its last write
 * succeeded. Objects are committed in batches: every object of a batch advances by one step
 * per round of I/O, and each keeps the rules on its own.
 *
 * Does not know what is in a page.
 */
#ifndef RMETA_COPIES_H
#define RMETA_COPIES_H

#include "geometry.h"

#define RMETA_OBJECT_SUPERBLOCK 0xffffffffU	/* instead of a page number */

/**
 * struct rmeta_store - the metadata of one spare, as something to read and write
 * @ops: I/O of the host
 * @host: first argument of @ops
 * @geo: layout
 * @uuid: of the spare
 * @activations: of this activation; sequences are taken under it
 * @counter: last one used within this activation
 * @batch: most objects in one call of rmeta_commit(), at least 1
 * @buffers: scratch: @batch * RMETA_COPIES buffers of RMETA_BYTES
 * @ios: scratch: @batch * RMETA_COPIES requests
 * @spare_errors: failed requests to the spare so far
 */
struct rmeta_store {
	const struct rmeta_host_ops *ops;
	void *host;
	struct rmeta_geometry geo;
	u8 uuid[16];
	u32 activations;
	u64 counter;
	unsigned int batch;
	u8 **buffers;
	struct rmeta_io *ios;
	u64 spare_errors;
};

/**
 * struct rmeta_object - one object to be committed or rewritten
 * @number: page number, or RMETA_OBJECT_SUPERBLOCK
 * @live: mask of live copies; updated
 * @image: RMETA_BYTES bytes, encoded and with its sequence; the copy number is filled in
 *	for each copy
 * @error: out: 0, or -EIO: fewer than two copies hold the new version, and whether a load
 *	would see it or the old one is unknown; or -EROFS: fewer than two were live, nothing
 *	was written
 * @first: for rmeta_rewrite(): copies to rewrite first, the invalid ones
 * @then: for rmeta_rewrite(): copies to rewrite after them, the stale ones
 * @todo: private: live copies still to be written
 * @done: private: copies that hold the new version
 * @step: private: copies of this step
 * @flight: private: of these, the ones being written, then the ones that failed
 */
struct rmeta_object {
	u32 number;
	u8 live;
	u8 *image;
	int error;
	u8 first;
	u8 then;
	u8 todo;
	u8 done;
	u8 step;
	u8 flight;
};

/**
 * struct rmeta_scan - what five copies of one object turned out to be
 * @verdict: of each copy
 * @defect: of each copy that is not RMETA_OK or RMETA_STALE
 * @sequence: of each whole copy
 * @winner: copy that counts, or -1 when none is valid
 * @conflict: two whole copies have the winner's sequence and different contents
 */
struct rmeta_scan {
	enum rmeta_verdict verdict[RMETA_COPIES];
	enum rmeta_defect defect[RMETA_COPIES];
	u64 sequence[RMETA_COPIES];
	int winner;
	bool conflict;
};

/* Mask of the copies of @scan with verdict @verdict. */
u8 rmeta_scan_mask(const struct rmeta_scan *scan, enum rmeta_verdict verdict);

/**
 * rmeta_store_init() - get the scratch memory of a store
 * @store: @ops and @host are set by the caller
 * @batch: most objects in one commit
 *
 * Return: 0 or -ENOMEM.
 */
int rmeta_store_init(struct rmeta_store *store, unsigned int batch);

/* Free what rmeta_store_init() got. */
void rmeta_store_exit(struct rmeta_store *store);

/**
 * rmeta_next_sequence() - a sequence number never used before
 * @store: whose activation has been made durable, or is about to be
 * @sequence: out
 *
 * The number is used up whatever becomes of the write.
 *
 * Return: 0, or -EOVERFLOW after 2^40 - 1 commits in one activation.
 */
int rmeta_next_sequence(struct rmeta_store *store, u64 *sequence);

/**
 * rmeta_scan_superblocks() - read and judge the five superblocks
 * @store: @ops, @host and scratch are used; the geometry is not
 * @device_sectors: length of the device, to judge the geometry fields
 * @scan: out
 * @raw: out: RMETA_COPIES buffers of RMETA_BYTES each, what was read
 *
 * The winner is the valid copy with the highest sequence. Whole copies with another uuid
 * than the winner's are RMETA_FOREIGN.
 */
void rmeta_scan_superblocks(struct rmeta_store *store, u64 device_sectors,
			    struct rmeta_scan *scan, u8 *raw[RMETA_COPIES]);

/**
 * rmeta_page_fn - called with the scan of one page
 * @ctx: as given
 * @page: number
 * @scan: what its copies are
 * @raw: the five buffers; only good until the callback returns
 *
 * Return: 0 to go on; anything else stops and is returned.
 */
typedef int (*rmeta_page_fn)(void *ctx, u32 page, const struct rmeta_scan *scan,
			     u8 *const raw[RMETA_COPIES]);

/**
 * rmeta_scan_pages() - read and judge all copies of a range of pages
 * @store: geometry and uuid are used
 * @first_page: number of the first page
 * @nr_pages: how many
 * @fn: called for each page, in order
 * @ctx: its first argument
 *
 * Reads in large requests; one that fails is split until the bad page is alone.
 *
 * Return: 0, what @fn returned, or -ENOMEM.
 */
int rmeta_scan_pages(struct rmeta_store *store, u32 first_page, u32 nr_pages, rmeta_page_fn fn,
		     void *ctx);

/**
 * rmeta_commit() - write a new version of each object to its live copies, in steps
 * @store: the store
 * @objects: at most store->batch, all different
 * @nr: how many
 *
 * 2 then 3 copies with five live; 2, 2 with four; one at a time with three or two. Each
 * step is durable before the next starts; the first takes the copies farthest apart. A copy
 * whose write fails is no longer live and the commit goes on with the others. When it
 * returns, an object without @error is in all its live copies, of which there are two at
 * least.
 *
 * Context: the writer; sleeps.
 */
void rmeta_commit(struct rmeta_store *store, struct rmeta_object *objects, unsigned int nr);

/**
 * rmeta_rewrite() - bring copies that lost up to the version that won
 * @store: the store
 * @objects: at most store->batch, all different; image is the winner's, sequence and all;
 *	live holds the copies equal to it, and gains those that were rewritten; error is not
 *	set, what is still missing in live could not be written
 * @nr: how many
 *
 * At most two copies of an object at a time, and never so many of the stale ones that fewer
 * than two whole copies, old or new, are left outside: where there are no two, one at a time.
 *
 * Context: the writer; sleeps.
 */
void rmeta_rewrite(struct rmeta_store *store, struct rmeta_object *objects, unsigned int nr);

/**
 * rmeta_initialise() - write all five copies of objects that hold nothing yet
 * @store: the store
 * @objects: at most store->batch, all different; live is set to the copies that were
 *	written, and error to -EIO when they are fewer than two
 * @nr: how many
 *
 * Context: the writer; sleeps.
 */
void rmeta_initialise(struct rmeta_store *store, struct rmeta_object *objects,
		      unsigned int nr);

#endif
