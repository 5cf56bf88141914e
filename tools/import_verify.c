// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading from main what is to be imported. If nothing of it fails, the list is likely to be
 * of another device, or its numbers were taken for something else than they are.
 *
 * Reads past the page cache, a block at a time: a block that is bad may take half a minute,
 * and what is read together with it would be lost with it.
 */
#include <fcntl.h>
#include <unistd.h>

#include "import.h"
#include "progress.h"
#include "report.h"
#include "signature.h"
#include "units.h"

#define SAMPLE_BLOCKS 8
#define ALIGN_BYTES 4096	/* for O_DIRECT, whatever the disk */

int import_verify_open(struct import_verify *verify, const char *path,
		       const struct rmeta_superblock *sb)
{
	struct device *main = &verify->main;
	struct identity identity;
	int flags, r;

	r = device_open(main, path, DEVICE_READ, "main");
	if (r)
		return r;
	identity_get(main, &identity);
	if (sb && !identity_fits(main->sectors, identity_compare(&identity, sb), sb)) {
		report_error("%s is not this spare's main: it has %llu sectors, main has %llu; nothing was changed",
			     main->shown, (unsigned long long)main->sectors,
			     (unsigned long long)sb->main_sectors);
		return -EINVAL;
	}
	if (sb && identity.id[0] && sb->main_id[0] &&
	    (strcmp(identity.id, sb->main_id) || identity.start_sectors != sb->main_start)) {
		report_error("%s is not this spare's main: it is on another disk, or at another place on it; nothing was changed",
			     main->shown);
		return -EINVAL;
	}
	flags = fcntl(main->host.fd, F_GETFL);
	if (main->is_block && flags >= 0)
		fcntl(main->host.fd, F_SETFL, flags | O_DIRECT);
	return 0;
}

/* Does reading a block fail? */
static bool read_fails(struct import_verify *verify, const struct list *list, block_t block,
		       void *buffer)
{
	u64 first = block << list->block_shift;
	u64 end = min(first + ((u64)1 << list->block_shift), list->main_sectors);
	size_t want = (size_t)(end - first) * 512;
	ssize_t bytes;

	do
		bytes = pread(verify->main.host.fd, buffer, want, (off_t)(first * 512));
	while (bytes < 0 && errno == EINTR);
	verify->blocks_read++;
	progress_update(verify->blocks_read);
	if (bytes == (ssize_t)want)
		return false;
	verify->blocks_failed++;
	return true;
}

/* The block at which the set passes @nr blocks. */
static block_t nth_block(const struct ranges *set, u64 nr)
{
	size_t i;

	for (i = 0; i + 1 < set->nr; i++) {
		u64 blocks = set->range[i].end - set->range[i].first;

		if (nr < blocks)
			break;
		nr -= blocks;
	}
	return set->range[i].first + nr;
}

/* The blocks behind @from that a request which failed at @from may have meant. */
static int read_around(struct import_verify *verify, struct list *list, block_t from, void *buffer)
{
	block_t end_of_main = DIV_ROUND_UP(list->main_sectors, (u64)1 << list->block_shift);
	block_t end = min(from + (list->around_sectors >> list->block_shift), end_of_main);
	block_t block;
	int r;

	for (block = from; block < end; block++) {
		if (ranges_contain(&list->ranges, block) || !read_fails(verify, list, block, buffer))
			continue;
		r = ranges_add(&verify->found, block, block + 1);
		if (r)
			return r;
		verify->around++;
	}
	return 0;
}

static int read_all(struct import_verify *verify, const struct ranges *fresh, struct list *list,
		    void *buffer)
{
	block_t block;
	size_t i;
	int r = 0;

	for (i = 0; i < fresh->nr && !r; i++) {
		for (block = fresh->range[i].first; block < fresh->range[i].end; block++)
			read_fails(verify, list, block, buffer);
		if (list->around_sectors)
			r = read_around(verify, list, fresh->range[i].end, buffer);
	}
	return r;
}

static int read_sample(struct import_verify *verify, const struct import_plan *plan,
		       struct list *list, void *buffer)
{
	u64 nr = min(plan->wanted, (u64)SAMPLE_BLOCKS), i;
	block_t block;
	int r = 0;

	for (i = 0; i < nr && !r; i++) {
		block = nth_block(plan->fresh, nr > 1 ? i * (plan->wanted - 1) / (nr - 1) : 0);
		if (!read_fails(verify, list, block, buffer) && list->around_sectors)
			r = read_around(verify, list, block + 1, buffer);
	}
	return r;
}

/* What was found joins the list. */
static int add_found(struct import_verify *verify, struct list *list)
{
	size_t i;
	int r;

	r = ranges_finish(&verify->found);
	for (i = 0; i < verify->found.nr && !r; i++)
		r = ranges_add(&list->ranges, verify->found.range[i].first,
			       verify->found.range[i].end);
	return r ? r : ranges_finish(&list->ranges);
}

int import_verify_run(struct import_verify *verify, const struct import_plan *plan,
		      struct list *list)
{
	void *buffer;
	int r;

	if (posix_memalign(&buffer, ALIGN_BYTES, (size_t)512 << list->block_shift))
		return -ENOMEM;
	progress_begin("reading blocks of main", verify->sample ? 0 : plan->wanted);
	if (verify->sample)
		r = read_sample(verify, plan, list, buffer);
	else
		r = read_all(verify, plan->fresh, list, buffer);
	progress_end();
	free(buffer);
	if (!r && verify->around)
		r = add_found(verify, list);
	ranges_free(&verify->found);
	return r;
}
