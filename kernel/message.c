// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages: parsed and checked as a whole before anything changes, then done, then answered
 * with "<done>/<total> [<first error> [<sector>]]", counted in blocks. What a message did is durable
 * when it returns. Repeating one is harmless.
 *
 * A message holds device mapper's SRCU, so that a suspend waits for it; a fatal signal
 * ends it between commits.
 */
#include <linux/ctype.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sort.h>

#include "remap.h"

#define MAX_ARGS 4096

static const char *error_name(int error)
{
	switch (error) {
	case -ENOSPC:
		return "ENOSPC";
	case -EROFS:
		return "EROFS";
	case -ENOMEM:
		return "ENOMEM";
	case -EINTR:
		return "EINTR";
	case -ENODATA:
		return "ENODATA";
	case -ERANGE:
		return "ERANGE";
	default:
		return "EIO";
	}
}

#define NOWHERE (~(sector_t)0)

/* @sector: where the error was, or NOWHERE. */
static int answer(char *result, unsigned int maxlen, u64 done, u64 total, int error,
		  sector_t sector)
{
	unsigned int sz = 0;

	DMEMIT("%llu/%llu", done, total);
	if (error)
		DMEMIT(" %s", error_name(error));
	if (error && sector != NOWHERE)
		DMEMIT(" %llu", (u64)sector);
	return 1;
}

/*
 * Ranges
 */

/* <sector>[+<count>], in sectors, to blocks. */
static int parse_range(const struct remap_core *core, u64 limit_sectors, const char *word,
		       struct remap_range *range)
{
	const char *plus = strchr(word, '+');
	char sector_word[24];
	u64 sector, sectors = 1;
	size_t length = plus ? plus - word : strlen(word);

	if (length >= sizeof(sector_word))
		goto malformed;
	memcpy(sector_word, word, length);
	sector_word[length] = '\0';
	if (!isdigit(*word) || kstrtou64(sector_word, 10, &sector))
		goto malformed;
	if (plus && (!isdigit(plus[1]) || kstrtou64(plus + 1, 10, &sectors) || !sectors))
		goto malformed;
	if (sector >= limit_sectors || sectors > limit_sectors - sector) {
		remap_warn(core, "message: %s is outside of the device of %llu sectors", word,
			   limit_sectors);
		return -EINVAL;
	}
	range->first = sector >> core->block_shift;
	range->nr = ((sector + sectors - 1) >> core->block_shift) - range->first + 1;
	return 0;

malformed:
	remap_warn(core, "message: %s is not <sector>[+<count>]", word);
	return -EINVAL;
}

static int by_first(const void *a, const void *b)
{
	const struct remap_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

/* Make sorted ranges disjoint; returns how many are left. */
static unsigned int merge(struct remap_range *ranges, unsigned int nr)
{
	unsigned int i, last = 0;

	for (i = 1; i < nr; i++) {
		u64 end = ranges[last].first + ranges[last].nr;

		if (ranges[i].first <= end)
			ranges[last].nr = max(end, ranges[i].first + ranges[i].nr) -
					  ranges[last].first;
		else
			ranges[++last] = ranges[i];
	}
	return last + 1;
}

static u64 count_blocks(const struct remap_range *ranges, unsigned int nr)
{
	u64 total = 0;

	while (nr)
		total += ranges[--nr].nr;
	return total;
}

/* Return: number of ranges in *@result, to be freed with kvfree(), or a negative errno. */
static int parse_ranges(struct dm_target *ti, unsigned int argc, char **argv,
			struct remap_range **result)
{
	struct remap_target *t = ti->private;
	struct remap_range *ranges;
	unsigned int i;
	int r;

	if (!argc) {
		remap_warn(t->core, "message: a range is missing: <sector>[+<count>]");
		return -EINVAL;
	}
	ranges = kvmalloc_array(argc, sizeof(*ranges), GFP_KERNEL);
	if (!ranges)
		return -ENOMEM;
	for (i = 0; i < argc; i++) {
		r = parse_range(t->core, ti->len, argv[i], &ranges[i]);
		if (r) {
			kvfree(ranges);
			return r;
		}
	}
	sort(ranges, argc, sizeof(*ranges), by_first, NULL);
	*result = ranges;
	return (int)merge(ranges, argc);
}

/*
 * import
 */

static int parse_reason(const struct remap_core *core, const char *word,
			enum rmeta_reason *reason)
{
	unsigned int i;
	u8 number;

	for (i = RMETA_REASON_NONE + 1; i < RMETA_NR_REASONS; i++)
		if (!strcmp(word, rmeta_reason_name(i)) ||
		    (!kstrtou8(word, 10, &number) && number == i)) {
			*reason = i;
			return 0;
		}
	remap_warn(core, "message: import: %s is not a reason", word);
	return -EINVAL;
}

static int do_import(struct dm_target *ti, unsigned int argc, char **argv, char *result,
		     unsigned int maxlen)
{
	struct remap_target *t = ti->private;
	struct remap_import import = { .handled = 0 };
	struct remap_range *ranges;
	int r;

	if (argc < 2) {
		remap_warn(t->core, "message: usage: import <reason> <sector>[+<count>] ...");
		return -EINVAL;
	}
	r = parse_reason(t->core, argv[1], &import.reason);
	if (r)
		return r;
	r = parse_ranges(ti, argc - 2, argv + 2, &ranges);
	if (r < 0)
		return r;
	import.ranges = ranges;
	import.nr_ranges = r;
	remap_meta_import(t->core, &import);
	r = answer(result, maxlen, import.handled, count_blocks(ranges, import.nr_ranges),
		   import.error, NOWHERE);
	kvfree(ranges);
	return r;
}

/*
 * remap
 */

struct batch {
	struct remap_busy *busy[REMAP_MESSAGE_BLOCKS];
	struct remap_meta claims[REMAP_MESSAGE_BLOCKS];
	unsigned int nr;
	unsigned long start;	/* jiffies when the first block of it was claimed */
	u64 handled;
	int error;
};

/* Commit what the batch has copied, and let go of it. */
static void flush_batch(struct remap_core *core, struct batch *batch)
{
	LIST_HEAD(requests);
	unsigned int i;
	int r;

	for (i = 0; i < batch->nr; i++)
		list_add_tail(&batch->claims[i].list, &requests);
	remap_meta_start(core, &requests);
	for (i = 0; i < batch->nr; i++) {
		r = remap_meta_wait(&batch->claims[i]);
		if (r == -EEXIST) {
			remap_slot_put(core, batch->claims[i].slot);
			r = 0;
		}
		if (!r)
			batch->handled++;
		else if (!batch->error)
			batch->error = r;
		remap_busy_release(core, batch->busy[i]);
	}
	batch->nr = 0;
}

static void add_block(struct remap_core *core, struct batch *batch, block_t block)
{
	struct remap_busy *busy = remap_busy_try(core, block);
	struct remap_view view;

	if (!busy) {
		/* The rest of the batch is not to wait for somebody else's block. */
		flush_batch(core, batch);
		busy = remap_busy_claim(core, block);
	}
	if (!batch->nr)
		batch->start = jiffies;
	rcu_read_lock();
	remap_look(core, block, &view);
	rcu_read_unlock();
	if (view.slot != RMETA_NO_SLOT) {
		batch->handled++;
	} else if (READ_ONCE(core->failed) || remap_fenced(core, block)) {
		batch->error = -EIO;
	} else {
		batch->error = remap_copy_block(&core->message_ctx, block,
						&batch->claims[batch->nr]);
		if (!batch->error) {
			batch->busy[batch->nr++] = busy;
			return;
		}
	}
	remap_busy_release(core, busy);
}

static int do_remap(struct dm_target *ti, unsigned int argc, char **argv, char *result,
		    unsigned int maxlen)
{
	struct remap_target *t = ti->private;
	struct remap_core *core = t->core;
	struct remap_range *ranges;
	struct batch *batch;
	unsigned int nr_ranges, i;
	u64 at;
	int r;

	r = parse_ranges(ti, argc - 1, argv + 1, &ranges);
	if (r < 0)
		return r;
	nr_ranges = r;
	r = -ENOMEM;
	batch = kvzalloc(sizeof(*batch), GFP_KERNEL);
	if (!batch)
		goto out;
	for (i = 0; i < nr_ranges; i++) {
		for (at = 0; at < ranges[i].nr && !batch->error; at++) {
			add_block(core, batch, ranges[i].first + at);
			/* Bios wait for these blocks, and main may be slow. */
			if (batch->nr == REMAP_MESSAGE_BLOCKS ||
			    (batch->nr && time_after(jiffies, batch->start + HZ)))
				flush_batch(core, batch);
			if (fatal_signal_pending(current) && !batch->error)
				batch->error = -EINTR;
			cond_resched();
		}
	}
	flush_batch(core, batch);
	r = answer(result, maxlen, batch->handled, count_blocks(ranges, nr_ranges), batch->error,
		   NOWHERE);
	kvfree(batch);
out:
	kvfree(ranges);
	return r;
}

/*
 * unmap
 */

static int do_unmap(struct dm_target *ti, unsigned int argc, char **argv, char *result,
		    unsigned int maxlen)
{
	struct remap_target *t = ti->private;
	struct remap_core *core = t->core;
	struct remap_range *ranges;
	struct remap_unmap *unmap;
	unsigned int nr_ranges;
	int r;

	if (bdev_read_only(core->main)) {
		remap_warn(core, "message: unmap: main is read-only");
		return -EROFS;
	}
	r = parse_ranges(ti, argc - 1, argv + 1, &ranges);
	if (r < 0)
		return r;
	nr_ranges = r;
	r = -ENOMEM;
	unmap = kvzalloc(sizeof(*unmap), GFP_KERNEL);
	if (!unmap)
		goto out;
	unmap->ranges = ranges;
	unmap->nr_ranges = nr_ranges;
	r = remap_unmap(core, unmap);
	r = answer(result, maxlen, unmap->home + unmap->freed, count_blocks(ranges, nr_ranges),
		   unmap->error ?: r,
		   unmap->error ? remap_block_sector(core, unmap->error_block) : NOWHERE);
	kvfree(unmap);
out:
	kvfree(ranges);
	return r;
}

static int do_commit(struct remap_core *core)
{
	struct remap_meta request = { .op = REMAP_META_COMMIT };

	return remap_meta_run(core, &request);
}

/* With message_lock held. */
static int dispatch(struct dm_target *ti, unsigned int argc, char **argv, char *result,
		    unsigned int maxlen)
{
	struct remap_target *t = ti->private;
	struct remap_core *core = t->core;
	int r;

	if (!strcmp(argv[0], "remap"))
		return do_remap(ti, argc, argv, result, maxlen);
	if (!strcmp(argv[0], "unmap"))
		return do_unmap(ti, argc, argv, result, maxlen);
	if (!strcmp(argv[0], "import"))
		return do_import(ti, argc, argv, result, maxlen);
	if (!strcmp(argv[0], "commit") && argc == 1)
		return do_commit(core);
	r = remap_control(t, argc, argv);
	if (r != -ENOMSG)
		return r;
	remap_warn(core, "message: unknown or malformed: %s%s%s", argv[0], argc > 1 ? " " : "",
		   argc > 1 ? argv[1] : "");
	return -EINVAL;
}

/**
 * remap_message() - target_type.message
 * @ti: the live target
 * @argc: words, at least 1
 * @argv: the words
 * @result: buffer for an answer
 * @maxlen: its size
 *
 * Return: 0; 1: there is an answer; -EBUSY: suspended or not loaded; -EROFS; -EIO: failed;
 * -EINVAL and others.
 * Context: process; sleeps.
 */
int remap_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
		  unsigned int maxlen)
{
	struct remap_target *t = ti->private;
	struct remap_core *core = t->core;
	unsigned int noio;
	int r;

	if (argc > MAX_ARGS) {
		remap_warn(core, "message: %u words, at most %u are taken", argc, MAX_ARGS);
		return -EINVAL;
	}
	if (dm_suspended(ti) || core->live != t || !core->loaded)
		return -EBUSY;
	if (READ_ONCE(core->failed))
		return -EIO;
	if (core->table.read_only) {
		remap_warn(core, "message: %s: the device is read-only", argv[0]);
		return -EROFS;
	}
	if (mutex_lock_killable(&core->message_lock))
		return -EINTR;
	/* A suspend waits for us, and reclaim could wait for this device then. */
	noio = memalloc_noio_save();
	r = dispatch(ti, argc, argv, result, maxlen);
	memalloc_noio_restore(noio);
	mutex_unlock(&core->message_lock);
	return r;
}
