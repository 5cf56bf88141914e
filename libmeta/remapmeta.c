// SPDX-License-Identifier: GPL-2.0-only
/*
 * The public interface over the engine: a handle with a spare that is open for reading. Whatever
 * is known about bytes is the engine's; this translates its structures into those of
 * remapmeta.h, which never change but at their ends, and its errors into sentences.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host_file.h"
#include "remapmeta.h"
#include "table.h"

/**
 * struct remapmeta - a handle
 * @file: the spare; its descriptor is -1 when none is open
 * @sectors: length of the device
 * @store: for reading copies
 * @scan: of the superblocks
 * @sb: the superblock that counts, valid if @have_sb
 * @have_sb: there is one
 * @table: valid if @loaded
 * @loaded: entries are known
 * @error: of the last call that failed
 */
struct remapmeta {
	struct rmeta_file file;
	u64 sectors;
	struct rmeta_store store;
	struct rmeta_scan scan;
	struct rmeta_superblock sb;
	bool have_sb;
	struct rmeta_table table;
	bool loaded;
	char error[200];
};

_Static_assert((int)REMAPMETA_OK == RMETA_OK && (int)REMAPMETA_STALE == RMETA_STALE &&
	       (int)REMAPMETA_CORRUPT == RMETA_CORRUPT &&
	       (int)REMAPMETA_FOREIGN == RMETA_FOREIGN &&
	       (int)REMAPMETA_UNREADABLE == RMETA_UNREADABLE, "verdicts are part of the ABI");
_Static_assert((int)REMAPMETA_FREE == RMETA_FREE && (int)REMAPMETA_MAPPED == RMETA_MAPPED &&
	       (int)REMAPMETA_RETIRED == RMETA_RETIRED && (int)REMAPMETA_LOST == RMETA_LOST,
	       "states are part of the ABI");
_Static_assert((int)REMAPMETA_IN_USE == RMETA_IN_USE &&
	       (int)REMAPMETA_NEEDS_CHECK == RMETA_NEEDS_CHECK &&
	       (int)REMAPMETA_PRINT_VALID == RMETA_PRINT_VALID, "flags are part of the ABI");
_Static_assert(sizeof(struct remapmeta_info) == 320 && sizeof(struct remapmeta_summary) == 40 &&
	       sizeof(struct remapmeta_entry) == 56, "structures only grow at their ends");

/* Remember why. Return: @error, a negative errno. */
__attribute__((format(printf, 3, 4)))
static int fail(struct remapmeta *rm, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rm->error, sizeof(rm->error), fmt, ap);
	va_end(ap);
	return error;
}

static int fail_as_errno(struct remapmeta *rm, const char *what)
{
	int error = errno;

	return fail(rm, -error, "%s: %s", what, strerror(error));
}

/* Give the caller as much of a structure as it knows of; what it knows and we do not is zero. */
static void give(void *to, size_t room, const void *from, size_t bytes)
{
	memcpy(to, from, min(room, bytes));
	if (room > bytes)
		memset((char *)to + bytes, 0, room - bytes);
}

struct remapmeta *remapmeta_new(void)
{
	struct remapmeta *rm = calloc(1, sizeof(*rm));

	if (rm)
		rm->file.fd = -1;
	return rm;
}

static void close_spare(struct remapmeta *rm)
{
	if (rm->loaded)
		rmeta_table_exit(&rm->table);
	rmeta_store_exit(&rm->store);
	if (rm->file.fd >= 0)
		close(rm->file.fd);
	memset(rm, 0, sizeof(*rm));
	rm->file.fd = -1;
}

void remapmeta_free(struct remapmeta *rm)
{
	if (!rm)
		return;
	close_spare(rm);
	free(rm);
}

static int get_length(struct remapmeta *rm)
{
	struct stat status;
	u64 bytes;

	if (fstat(rm->file.fd, &status))
		return fail_as_errno(rm, "cannot look at it");
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		return fail(rm, -ENOTBLK, "neither a block device nor an image file");
	bytes = (u64)status.st_size;
	if (S_ISBLK(status.st_mode)) {
		if (ioctl(rm->file.fd, BLKGETSIZE64, &bytes))
			return fail_as_errno(rm, "cannot get its length");
		/* The target writes a live spare past the page cache of its device node. */
		posix_fadvise(rm->file.fd, 0, 0, POSIX_FADV_DONTNEED);
	}
	rm->sectors = bytes / 512;
	return 0;
}

/* Verdicts, and the superblock that counts, also of a spare whose table cannot be loaded. */
static int scan_superblocks(struct remapmeta *rm)
{
	u8 *buffer = calloc(RMETA_COPIES, RMETA_BYTES), *raw[RMETA_COPIES];
	unsigned int copy;

	rm->store.ops = &rmeta_file_ops;
	rm->store.host = &rm->file;
	if (!buffer || rmeta_store_init(&rm->store, 1)) {
		free(buffer);
		return fail(rm, -ENOMEM, "out of memory");
	}
	for (copy = 0; copy < RMETA_COPIES; copy++)
		raw[copy] = buffer + (size_t)copy * RMETA_BYTES;
	rmeta_scan_superblocks(&rm->store, rm->sectors, &rm->scan, raw);
	if (rm->scan.winner >= 0 &&
	    rmeta_superblock_decode(raw[rm->scan.winner], (u8)rm->scan.winner, &rm->sb) ==
	    RMETA_GOOD) {
		rm->have_sb = !rmeta_geometry_check(&rm->sb, rm->sectors, &rm->store.geo);
		memcpy(rm->store.uuid, rm->sb.uuid, sizeof(rm->store.uuid));
	}
	free(buffer);
	return 0;
}

static int load_table(struct remapmeta *rm)
{
	struct rmeta_load load = {
		.device_sectors = rm->sectors,
		.read_only = true,
		.batch = 1,
	};
	int r;

	/* Chains of equal length for anyone who can choose blocks are no danger to a reader. */
	if (getrandom(&load.hash_seed, sizeof(load.hash_seed), GRND_NONBLOCK) < 0)
		load.hash_seed = (u64)getpid();
	r = rmeta_table_load(&rm->table, &rmeta_file_ops, &rm->file, &load);
	if (r && load.problem_page != RMETA_OBJECT_SUPERBLOCK)
		return fail(rm, r, "table page %u: %s", load.problem_page, load.problem);
	if (r)
		return fail(rm, r, "%s", load.problem);
	rm->loaded = true;
	rm->sb = rm->table.sb;
	return 0;
}

/* @fd becomes the handle's. */
static int open_spare(struct remapmeta *rm, int fd)
{
	int r;

	rm->file.fd = fd;
	r = get_length(rm);
	if (!r)
		r = scan_superblocks(rm);
	if (!r)
		r = load_table(rm);
	return r;
}

int remapmeta_open(struct remapmeta *rm, const char *path)
{
	struct stat status;
	int fd;

	close_spare(rm);
	/* Opening a tape drive or a FIFO would do something. */
	if (stat(path, &status))
		return fail_as_errno(rm, "cannot find it");
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		return fail(rm, -ENOTBLK, "neither a block device nor an image file");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fail_as_errno(rm, "cannot open it");
	return open_spare(rm, fd);
}

int remapmeta_open_fd(struct remapmeta *rm, int fd)
{
	close_spare(rm);
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return fail_as_errno(rm, "cannot use the descriptor");
	return open_spare(rm, fd);
}

const char *remapmeta_error(const struct remapmeta *rm)
{
	return rm->error;
}

static int need_superblock(struct remapmeta *rm)
{
	*rm->error = 0;
	if (rm->file.fd < 0)
		return fail(rm, -EBADF, "no spare is open");
	if (!rm->have_sb)
		return fail(rm, -ENODATA, "no valid superblock");
	return 0;
}

static int need_table(struct remapmeta *rm)
{
	*rm->error = 0;
	if (rm->file.fd < 0)
		return fail(rm, -EBADF, "no spare is open");
	if (!rm->loaded)
		return fail(rm, -EUCLEAN, "its entries are not known for certain; see remap-check");
	return 0;
}

int remapmeta_get_info(struct remapmeta *rm, struct remapmeta_info *info, size_t bytes)
{
	const struct rmeta_superblock *sb = &rm->sb;
	struct remapmeta_info mine = { .reserved = 0 };
	int r = need_superblock(rm);

	if (r)
		return r;
	memcpy(mine.uuid, sb->uuid, sizeof(mine.uuid));
	memcpy(mine.main_partuuid, sb->main_partuuid, sizeof(mine.main_partuuid));
	memcpy(mine.host_id, sb->host_id, sizeof(mine.host_id));
	snprintf(mine.label, sizeof(mine.label), "%s", sb->label);
	snprintf(mine.main_id, sizeof(mine.main_id), "%s", sb->main_id);
	snprintf(mine.host_name, sizeof(mine.host_name), "%s", sb->host_name);
	mine.sequence = sb->sequence;
	mine.main_sectors = sb->main_sectors;
	mine.main_start = sb->main_start;
	mine.spare_sectors = sb->spare_sectors;
	mine.created = sb->created;
	mine.activated = sb->activated;
	mine.read_errors = sb->read_errors;
	mine.write_errors = sb->write_errors;
	mine.activations = sb->activations;
	mine.block_sectors = 1U << sb->block_shift;
	mine.state = sb->state & RMETA_SB_STATES;
	mine.slots = rmeta_slots(&rm->store.geo);
	mine.pages_used = sb->pages_used;
	give(info, bytes, &mine, sizeof(mine));
	return 0;
}

int remapmeta_get_summary(struct remapmeta *rm, struct remapmeta_summary *summary, size_t bytes)
{
	const struct rmeta_counts *counts = &rm->table.counts;
	struct remapmeta_summary mine = { .reserved = 0 };
	int r = need_table(rm);

	if (r)
		return r;
	mine.slots = rmeta_slots(&rm->store.geo);
	mine.mapped = counts->mapped;
	mine.lost = counts->lost;
	mine.retired = counts->retired;
	mine.free = mine.slots - mine.mapped - mine.lost - mine.retired;
	mine.pending_sectors = counts->pending_sectors;
	mine.lost_sectors = counts->lost_sectors;
	give(summary, bytes, &mine, sizeof(mine));
	return 0;
}

static void give_entry(const struct remapmeta *rm, slot_t slot, struct remapmeta_entry *entry,
		       size_t bytes)
{
	const struct rmeta_entry *from = rmeta_table_entry(&rm->table, slot);
	block_t block = rmeta_where_block(from->where);
	struct remapmeta_entry mine = {
		.block = block,
		.main_sector = block << rm->sb.block_shift,
		.spare_sector = rmeta_slot_sector(&rm->store.geo, slot),
		.time = from->time,
		.slot = slot,
		.sectors = hweight16(rmeta_block_mask(block, rm->sb.main_sectors,
						      rm->sb.block_shift)),
		.mask = rmeta_where_mask(from->where),
		.state = from->state,
		.reason = from->reason,
		.generation = from->generation,
	};

	give(entry, bytes, &mine, sizeof(mine));
}

int remapmeta_next(struct remapmeta *rm, uint64_t *cursor, struct remapmeta_entry *entry,
		   size_t bytes)
{
	int r = need_table(rm);
	u64 slots;

	if (r)
		return r;
	slots = min((u64)rm->sb.pages_used * RMETA_PAGE_ENTRIES, (u64)rmeta_slots(&rm->store.geo));
	for (; *cursor < slots; (*cursor)++) {
		if (rmeta_table_entry(&rm->table, (slot_t)*cursor)->state == RMETA_FREE)
			continue;
		give_entry(rm, (slot_t)*cursor, entry, bytes);
		(*cursor)++;
		return 1;
	}
	return 0;
}

int remapmeta_lookup(struct remapmeta *rm, uint64_t block, struct remapmeta_entry *entry,
		     size_t bytes)
{
	int r = need_table(rm);
	slot_t slot;

	if (r)
		return r;
	slot = rmeta_index_lookup(&rm->table.index, block);
	if (slot == RMETA_NO_SLOT)
		return 0;
	give_entry(rm, slot, entry, bytes);
	return 1;
}

static void give_verdicts(const struct rmeta_scan *scan, uint32_t *verdicts)
{
	unsigned int copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		verdicts[copy] = scan->verdict[copy];
}

static int take_page(void *ctx, u32 page, const struct rmeta_scan *scan,
		     u8 *const raw[RMETA_COPIES])
{
	give_verdicts(scan, ctx);
	return 0;
}

int remapmeta_get_verdicts(struct remapmeta *rm, uint32_t page,
			   uint32_t verdicts[REMAPMETA_COPIES])
{
	int r = need_superblock(rm);

	if (r == -EBADF || (r && page != REMAPMETA_SUPERBLOCK))
		return r;
	*rm->error = 0;
	if (page == REMAPMETA_SUPERBLOCK) {
		give_verdicts(&rm->scan, verdicts);
		return 0;
	}
	if (page >= rm->sb.pages_used)
		return fail(rm, -ERANGE, "page %u is not in use; %u are", page, rm->sb.pages_used);
	r = rmeta_scan_pages(&rm->store, page, 1, take_page, verdicts);
	return r ? fail(rm, r, "out of memory") : 0;
}

const char *remapmeta_verdict_name(uint32_t verdict)
{
	return verdict < RMETA_NR_VERDICTS ? rmeta_verdict_name((enum rmeta_verdict)verdict) :
					     "unknown";
}

const char *remapmeta_state_name(uint32_t state)
{
	return state < RMETA_NR_STATES ? rmeta_state_name(state) : "unknown";
}

const char *remapmeta_reason_name(uint32_t reason)
{
	return reason < RMETA_NR_REASONS ? rmeta_reason_name(reason) : "unknown";
}
