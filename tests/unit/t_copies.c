// SPDX-License-Identifier: GPL-2.0-only
/*
 * copies.c: who wins, in which steps a commit goes, what a failed write does.
 */
#include "tap.h"
#include "memdisk.h"

#define MAIN_SECTORS (1ULL << 21)

/* Writes of each batch, in order, as masks of copies of page 0. */
static u8 steps[16];
static unsigned int nr_steps;
static struct rmeta_geometry geometry;

static void recording_submit(void *host, struct rmeta_io *ios, unsigned int nr_ios)
{
	unsigned int nr, copy;
	u8 mask = 0;

	memdisk_submit(host, ios, nr_ios);
	for (nr = 0; nr < nr_ios; nr++)
		for (copy = 0; copy < RMETA_COPIES; copy++)
			if (ios[nr].op == RMETA_WRITE &&
			    ios[nr].sector == rmeta_page_sector(&geometry, copy, 0))
				mask |= BIT(copy);
	if (mask && nr_steps < ARRAY_SIZE(steps))
		steps[nr_steps++] = mask;
}

static const struct rmeta_host_ops recording_ops = {
	.submit = recording_submit,
	.now = memdisk_now,
};

struct fixture {
	struct memdisk disk;
	struct rmeta_store store;
	struct rmeta_object object;
	u8 image[RMETA_BYTES];
};

static void make_image(struct fixture *f, u64 sequence)
{
	struct rmeta_page_header header = {
		.sequence = sequence,
		.main_sectors = MAIN_SECTORS,
		.block_shift = 3,
	};

	rmeta_page_encode(f->image, &header, NULL);
}

static void setup(struct fixture *f, u8 live)
{
	memset(f, 0, sizeof(*f));
	memdisk_init(&f->disk, 8);
	f->store.ops = &recording_ops;
	f->store.host = &f->disk;
	rmeta_geometry_init(&f->store.geo, f->disk.sectors, MAIN_SECTORS, 3);
	geometry = f->store.geo;
	f->store.activations = 1;
	if (rmeta_store_init(&f->store, 2))
		abort();
	make_image(f, 1);
	f->object.number = 0;
	f->object.image = f->image;
	rmeta_initialise(&f->store, &f->object, 1);
	f->object.live = live;
	make_image(f, 2);
	nr_steps = 0;
}

static void teardown(struct fixture *f)
{
	rmeta_store_exit(&f->store);
	memdisk_exit(&f->disk);
}

static void fail_writes(struct fixture *f, u8 copies)
{
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (copies & BIT(copy))
			memdisk_fault(&f->disk, rmeta_page_sector(&geometry, copy, 0), 8, false,
				      true);
}

struct scanned {
	struct rmeta_scan scan;
	u32 pages;
};

static int keep_scan(void *ctx, u32 page, const struct rmeta_scan *scan,
		     u8 *const raw[RMETA_COPIES])
{
	struct scanned *scanned = ctx;

	if (!page)
		scanned->scan = *scan;
	scanned->pages++;
	return 0;
}

static struct rmeta_scan scan_page_0(struct fixture *f)
{
	struct scanned scanned = { .pages = 0 };

	rmeta_scan_pages(&f->store, 0, 1, keep_scan, &scanned);
	return scanned.scan;
}

static void test_steps(void)
{
	static const struct {
		u8 live;
		u8 fail;
		u8 steps[5];
		int error;
		u8 left;
	} rows[] = {
		{ 0x1f, 0, { 0x11, 0x0e }, 0, 0x1f },
		{ 0x0f, 0, { 0x09, 0x06 }, 0, 0x0f },
		{ 0x1e, 0, { 0x12, 0x0c }, 0, 0x1e },
		{ 0x15, 0, { 0x01, 0x04, 0x10 }, 0, 0x15 },
		{ 0x18, 0, { 0x08, 0x10 }, 0, 0x18 },
		{ 0x10, 0, { 0 }, -EROFS, 0x10 },
		{ 0x00, 0, { 0 }, -EROFS, 0x00 },
		/* first step fails whole: three old copies are left, one at a time */
		{ 0x1f, 0x11, { 0x11, 0x02, 0x04, 0x08 }, 0, 0x0e },
		/* one of the first step fails: two whole ones must stay, so two then one */
		{ 0x1f, 0x01, { 0x11, 0x0a, 0x04 }, 0, 0x1e },
		{ 0x1f, 0x0e, { 0x11, 0x0e }, 0, 0x11 },
		{ 0x1f, 0x1e, { 0x11, 0x0a, 0x04 }, -EIO, 0x01 },
		{ 0x1f, 0x1f, { 0x11, 0x02, 0x04 }, -EIO, 0x08 },
		{ 0x18, 0x08, { 0x08 }, -EIO, 0x10 },
	};
	unsigned int row, step;

	for (row = 0; row < ARRAY_SIZE(rows); row++) {
		struct fixture f;
		struct rmeta_scan scan;
		bool good;

		setup(&f, rows[row].live);
		fail_writes(&f, rows[row].fail);
		rmeta_commit(&f.store, &f.object, 1);
		for (good = true, step = 0; step < 5 && rows[row].steps[step]; step++)
			good &= step < nr_steps && steps[step] == rows[row].steps[step];
		good &= step == nr_steps;
		if (!ok(good, "live %#x, failing %#x: the steps", rows[row].live, rows[row].fail))
			for (step = 0; step < nr_steps; step++)
				note("step %u: %#x", step, steps[step]);
		is(f.object.error, rows[row].error, "  its error");
		is(f.object.live, rows[row].left, "  its live copies");
		scan = scan_page_0(&f);
		if (!rows[row].error)
			is(scan.sequence[scan.winner], 2, "  the new version wins");
		else if (rows[row].error == -EROFS)
			is(scan.sequence[scan.winner], 1, "  nothing was written");
		is(f.store.spare_errors, hweight8(rows[row].live & ~f.object.live),
		   "  each failed write is counted");
		teardown(&f);
	}
}

static void test_rewrite(void)
{
	struct fixture f;
	struct rmeta_scan scan;

	setup(&f, 0x04);
	f.object.first = 0x11;
	f.object.then = 0x0a;
	rmeta_rewrite(&f.store, &f.object, 1);
	is(nr_steps, 2, "four losers are rewritten in two steps");
	is(steps[0], 0x11, "invalid ones first");
	is(steps[1], 0x0a, "then stale ones");
	is(f.object.live, 0x1f, "all live again");
	teardown(&f);

	setup(&f, 0x01);
	f.object.first = 0x1e;
	fail_writes(&f, 0x10);
	rmeta_rewrite(&f.store, &f.object, 1);
	is(nr_steps, 2, "never more than two at a time");
	is(f.object.live, 0x0f, "one that cannot be rewritten is not live");
	scan = scan_page_0(&f);
	is(rmeta_scan_mask(&scan, RMETA_STALE), 0x11, "it and the winner hold what they held");
	teardown(&f);
}

static void test_winner(void)
{
	u8 other[RMETA_BYTES];
	struct fixture f;
	struct rmeta_scan scan;
	struct rmeta_entry entry = { .where = rmeta_where(5, 1), .state = RMETA_MAPPED };

	setup(&f, 0x02);
	f.object.first = 0x02;
	rmeta_rewrite(&f.store, &f.object, 1);
	scan = scan_page_0(&f);
	is(scan.winner, 1, "the highest sequence wins");
	is(rmeta_scan_mask(&scan, RMETA_STALE), 0x1d, "the others are stale");
	ok(!scan.conflict, "no conflict");

	memcpy(other, f.image, sizeof(other));
	rmeta_page_set_copy(other, 3);
	rmeta_page_set_entry(other, 7, &entry);
	memcpy(f.disk.data + rmeta_page_sector(&geometry, 3, 0) * 512, other, sizeof(other));
	scan = scan_page_0(&f);
	ok(scan.conflict, "equal sequences with different contents are a conflict");

	f.disk.data[rmeta_page_sector(&geometry, 3, 0) * 512 + 700] ^= 4;
	scan = scan_page_0(&f);
	is(scan.verdict[3], RMETA_CORRUPT, "one flipped bit is corrupt");
	is(scan.defect[3], RMETA_BAD_CRC, "  by its checksum");
	ok(!scan.conflict, "  and no conflict any more");

	memcpy(f.disk.data + rmeta_page_sector(&geometry, 4, 0) * 512, f.image, sizeof(f.image));
	scan = scan_page_0(&f);
	is(scan.defect[4], RMETA_BAD_COPY, "a copy in another's place is not valid");

	memdisk_fault(&f.disk, rmeta_page_sector(&geometry, 1, 0), 1, true, false);
	scan = scan_page_0(&f);
	is(scan.verdict[1], RMETA_UNREADABLE, "a copy that cannot be read");
	is(scan.winner, 0, "an older one wins then");
	teardown(&f);
}

static void test_split_reads(void)
{
	struct scanned scanned = { .pages = 0 };
	struct fixture f;
	u64 reads;

	setup(&f, 0x1f);
	reads = f.disk.reads;
	rmeta_scan_pages(&f.store, 0, 3, keep_scan, &scanned);
	is(f.disk.reads - reads, 5, "three pages of five copies are five requests");
	is(scanned.pages, 3, "all pages are reported");
	memdisk_fault(&f.disk, rmeta_page_sector(&geometry, 2, 1), 1, true, false);
	scanned.pages = 0;
	rmeta_scan_pages(&f.store, 0, 3, keep_scan, &scanned);
	is(scanned.scan.verdict[2], RMETA_OK, "an unreadable neighbour does not make a page bad");
	is(f.store.spare_errors, 1, "one bad page is one error");
	teardown(&f);
}

int main(void)
{
	test_steps();
	test_rewrite();
	test_winner();
	test_split_reads();
	return done();
}
