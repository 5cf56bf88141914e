// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine's host: its I/O on the spare, several requests at a time and all of them waited for,
 * its clock, and what it has to say. The metadata worker calls it, and who loads or formats a
 * spare while there is no worker.
 */
#include "remap.h"

struct io_wait {
	atomic_t pending;
	struct completion done;
};

struct io_bio {
	struct rmeta_io *io;
	struct io_wait *wait;
	struct bio bio;			/* last: vectors follow */
};

static void put_wait(struct io_wait *wait)
{
	if (atomic_dec_and_test(&wait->pending))
		complete(&wait->done);
}

static void end_meta_bio(struct bio *bio)
{
	struct io_bio *io_bio = container_of(bio, struct io_bio, bio);
	struct io_wait *wait = io_bio->wait;

	if (bio->bi_status)
		WRITE_ONCE(io_bio->io->error, blk_status_to_errno(bio->bi_status));
	bio_put(bio);
	put_wait(wait);
}

static struct page *page_at(void *data)
{
	return is_vmalloc_addr(data) ? vmalloc_to_page(data) : virt_to_page(data);
}

/* Start one request, in as many bios as it needs. */
static void start_io(struct remap_core *core, struct rmeta_io *io, struct io_wait *wait)
{
	blk_opf_t opf = REQ_META | REQ_SYNC;
	u32 done = 0;

	opf |= io->op == RMETA_WRITE ? REQ_OP_WRITE | REQ_FUA : REQ_OP_READ;
	io->error = 0;
	while (done < io->bytes) {
		unsigned int vecs = min_t(u32, DIV_ROUND_UP(io->bytes - done, RMETA_BYTES),
					  BIO_MAX_VECS);
		struct io_bio *io_bio;
		struct bio *bio;

		bio = bio_alloc_bioset(core->spare, vecs, opf, GFP_NOIO, &core->meta_bios);
		io_bio = container_of(bio, struct io_bio, bio);
		io_bio->io = io;
		io_bio->wait = wait;
		bio->bi_end_io = end_meta_bio;
		bio->bi_iter.bi_sector = io->sector + (done >> SECTOR_SHIFT);
		for (; vecs; vecs--, done += RMETA_BYTES) {
			u8 *data = (u8 *)io->data + done;

			__bio_add_page(bio, page_at(data), RMETA_BYTES, offset_in_page(data));
		}
		atomic_inc(&wait->pending);
		submit_bio(bio);
	}
}

static void host_submit(void *host, struct rmeta_io *ios, unsigned int nr_ios)
{
	struct io_wait wait;
	unsigned int i;

	/* Buffers are aligned to RMETA_BYTES, so that each of these is in one page of memory. */
	BUILD_BUG_ON(PAGE_SIZE % RMETA_BYTES);
	atomic_set(&wait.pending, 1);
	init_completion(&wait.done);
	for (i = 0; i < nr_ios; i++)
		start_io(host, &ios[i], &wait);
	put_wait(&wait);
	wait_for_completion_io(&wait.done);
}

static u64 host_now(void *host)
{
	return ktime_get_real_seconds();
}

static void host_resized(void *host, u32 from, u32 to, u64 count)
{
	struct remap_core *core = host;

	remap_info(core, "Adaptive hash table resize: %u -> %u buckets (count=%llu)", from, to,
		   count);
}

const struct rmeta_host_ops remap_host_ops = {
	.submit = host_submit,
	.now = host_now,
	.resized = host_resized,
};

/**
 * remap_meta_io_init() - what the engine's I/O needs
 * @core: zeroed but for what the caller has set
 *
 * Return: 0 or -ENOMEM; remap_meta_io_exit() is due in either case.
 * Context: sleeps.
 */
int remap_meta_io_init(struct remap_core *core)
{
	return bioset_init(&core->meta_bios, RMETA_COPIES, offsetof(struct io_bio, bio),
			   BIOSET_NEED_BVECS);
}

/**
 * remap_meta_io_exit() - free it
 * @core: none is under way
 *
 * Context: sleeps.
 */
void remap_meta_io_exit(struct remap_core *core)
{
	bioset_exit(&core->meta_bios);
}
