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

int keep_restore(struct keep *keep, struct device *dev)
{
	int r = 0;

	while (keep->nr && !r) {
		struct rmeta_io *piece = &keep->piece[--keep->nr];

		piece->op = RMETA_WRITE;
		rmeta_file_ops.submit(&dev->host, piece, 1);
		r = piece->error;
		free(piece->data);
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
