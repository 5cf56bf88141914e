// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeping what is overwritten: the old contents are read before each write is sent.
 */
#include "keep.h"
#include "report.h"

static int keep_one(struct keep *keep, u64 sector, u32 bytes)
{
	struct rmeta_io io = { .op = RMETA_READ, .sector = sector, .bytes = bytes };

	io.data = report_alloc(bytes);
	rmeta_file_ops.submit(keep->file, &io, 1);
	if (io.error) {
		free(io.data);
		return io.error;
	}
	keep->piece = report_grow(keep->piece, keep->nr, &keep->room, sizeof(io));
	keep->piece[keep->nr++] = io;
	return 0;
}

static int before_write(void *ctx, const struct rmeta_io *ios, unsigned int nr_ios)
{
	struct keep *keep = ctx;
	unsigned int nr;
	int r = 0;

	for (nr = 0; nr < nr_ios && !r; nr++)
		if (ios[nr].op == RMETA_WRITE)
			r = keep_one(keep, ios[nr].sector, ios[nr].bytes);
	return r || !keep->next ? r : keep->next(keep->next_ctx, ios, nr_ios);
}

void keep_start(struct keep *keep, struct device *dev)
{
	*keep = (struct keep){
		.next = dev->host.before_write,
		.next_ctx = dev->host.ctx,
		.file = &dev->host,
	};
	dev->host.before_write = before_write;
	dev->host.ctx = keep;
}

/*
 * A write that fails may have failed the first time, too: then the old contents are there still, and
 * nothing is wrong.
 */
static int put_back(struct device *dev, struct rmeta_io *piece)
{
	struct rmeta_io now = { .op = RMETA_READ, .sector = piece->sector, .bytes = piece->bytes };
	int r;

	piece->op = RMETA_WRITE;
	rmeta_file_ops.submit(&dev->host, piece, 1);
	r = piece->error;
	if (!r)
		return 0;
	now.data = report_alloc(now.bytes);
	rmeta_file_ops.submit(&dev->host, &now, 1);
	if (!now.error && !memcmp(now.data, piece->data, now.bytes))
		r = 0;
	free(now.data);
	return r;
}

int keep_restore(struct keep *keep, struct device *dev)
{
	int r = 0, one;

	/* What is put back is not to be kept. */
	if (dev->host.before_write == before_write) {
		dev->host.before_write = keep->next;
		dev->host.ctx = keep->next_ctx;
	}
	/* One that cannot be written is no reason to leave the others. */
	while (keep->nr) {
		one = put_back(dev, &keep->piece[--keep->nr]);
		r = r ? r : one;
		free(keep->piece[keep->nr].data);
	}
	if (r)
		report_error("%s could not be brought back to what it was: %s", dev->shown,
			     strerror(-r));
	return r;
}

void keep_free(struct keep *keep)
{
	while (keep->nr)
		free(keep->piece[--keep->nr].data);
	free(keep->piece);
	*keep = (struct keep){ .nr = 0 };
}
