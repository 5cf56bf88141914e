// SPDX-License-Identifier: GPL-2.0-only
/*
 * Superblocks that are marked. See marks.h.
 */
#include "marks.h"

int rmeta_mark_find(const struct rmeta_host_ops *ops, void *host, struct rmeta_superblock *sb)
{
	struct rmeta_store store = { .ops = ops, .host = host };
	enum rmeta_mark mark, found = RMETA_MARK_NONE;
	struct rmeta_superblock said;
	struct rmeta_scan scan;
	bool valid = false;
	int r;
	u8 copy;

	r = rmeta_store_init(&store, 1);
	if (r)
		return r;
	/* The length of the device is nothing to the mark: it may have been cut off. */
	rmeta_scan_superblocks(&store, ~(u64)0, &scan, store.buffers);
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		valid |= scan.defect[copy] == RMETA_GOOD || scan.defect[copy] == RMETA_BAD_UUID;
		if (scan.defect[copy] == RMETA_BAD_READ)
			continue;
		mark = rmeta_mark_decode(store.buffers[copy], copy, &said);
		if (mark <= found)
			continue;
		found = mark;
		*sb = said;
	}
	rmeta_store_exit(&store);
	return valid ? RMETA_MARK_NONE : found;
}

int rmeta_mark_write(struct rmeta_store *store, const u8 *raw, struct rmeta_superblock *sb,
		     u8 copies, enum rmeta_mark mark)
{
	struct rmeta_io ios[RMETA_COPIES];
	unsigned int nr = 0, i;
	u8 copy;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		u8 *image = store->buffers[copy];

		if (!(copies & BIT(copy)))
			continue;
		if (raw)
			memcpy(image, raw, RMETA_BYTES);
		else
			memset(image, 0, RMETA_BYTES);
		sb->copy = copy;
		rmeta_mark_encode(image, sb, mark);
		ios[nr++] = (struct rmeta_io){
			.op = RMETA_WRITE,
			.sector = rmeta_superblock_sector(copy),
			.bytes = RMETA_BYTES,
			.data = image,
		};
	}
	store->ops->submit(store->host, ios, nr);
	for (i = 0; i < nr; i++)
		if (ios[i].error)
			return ios[i].error;
	return 0;
}
