// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way back.
 *
 * First every sector that the file is about is compared with what the device holds:
 *
 *	old		as it was before: nothing to do
 *	written		the checksum is one that the tool was about to write: put back
 *	hidden		by an undo that was cut short, below: put back
 *	unkept		the old contents could not be read then: left as it is, and said
 *	changed		none of these: somebody else wrote it since. Refused, or forced
 *
 * A write that was cut off leaves whole sectors old or new, so that a tool that was killed
 * leaves no sector "changed".
 *
 * Then, each step durable before the next:
 *
 *	1. superblocks are overwritten with a text that says what is going on
 *	2. everything else is put back
 *	3. the superblocks are put back
 *
 * With pages half old and half new, and a superblock that is good, a spare would be loaded
 * and its mixture taken for the truth; so there is none in between.
 */
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "escape.h"
#include "geometry.h"
#include "progress.h"
#include "report.h"
#include "spare.h"
#include "stop.h"
#include "undo.h"
#include "undo_apply.h"
#include "undo_file.h"
#include "units.h"

#define QUEUE_WRITES 64

#define UNDERWAY_TEXT "dm-remap: an undo of this device was cut short. Finish it: " \
	"remap-check --apply-undo FILE DEVICE\n"

/**
 * struct apply - an undo under way
 * @path: undo file
 * @shown: the same, safe to print
 * @fd: the file
 * @log: what is in it
 * @dev: the device
 * @blocks: blocks the file is about
 * @old: sectors that are as they were
 * @written: sectors to be put back
 * @unkept: sectors whose old contents are not known
 * @changed: sectors that somebody else wrote
 * @first_changed: the first of them; on the device
 * @unreadable: sectors that cannot be read now; they are put back unseen
 * @wrong: sectors that are not as they were afterwards
 */
struct apply {
	const char *path;
	char *shown;
	int fd;
	struct undo_log log;
	struct device dev;
	u64 blocks;
	u64 old;
	u64 written;
	u64 unkept;
	u64 changed;
	u64 first_changed;
	u64 unreadable;
	u64 wrong;
};

/* One block: its records in the log, and what is known of its sectors. */
struct block {
	const struct undo_entry *entries;
	size_t nr;
	u64 number;
	u8 sectors;
	u8 written;		/* mask over all records */
	u8 unread;
	u8 old[UNDO_BLOCK_BYTES];
	u8 now[UNDO_BLOCK_BYTES];
	u8 now_unread;
};

static void fill_underway(const struct apply *apply, u8 *raw)
{
	memset(raw, 0, UNDO_BLOCK_BYTES);
	memcpy(raw, UNDERWAY_TEXT, sizeof(UNDERWAY_TEXT));
	memcpy(raw + 512, apply->log.header.uuid, sizeof(apply->log.header.uuid));
}

static bool is_superblock_place(u64 block)
{
	u8 copy;

	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (block * UNDO_BLOCK_SECTORS == rmeta_superblock_sector(copy))
			return true;
	return false;
}

/* Is this block overwritten with the text while the undo is under way? */
static bool is_hidden(const struct block *block)
{
	return block->written == 0xff && is_superblock_place(block->number);
}

bool undo_is_underway(struct device *dev)
{
	char raw[sizeof(UNDERWAY_TEXT)];
	ssize_t bytes;
	u8 copy;

	for (copy = 0; copy < RMETA_COPIES; copy++) {
		bytes = pread(dev->host.fd, raw, sizeof(raw),
			      (off_t)(rmeta_superblock_sector(copy) * 512));
		if (bytes == (ssize_t)sizeof(raw) && !memcmp(raw, UNDERWAY_TEXT, sizeof(raw)))
			return true;
	}
	return false;
}

/*
 * Reading
 */

/* Read sectors of the device one by one where it cannot be done at once. */
static u8 read_device(struct apply *apply, u64 number, u8 sectors, u8 *data)
{
	struct rmeta_io io = {
		.op = RMETA_READ,
		.sector = number * UNDO_BLOCK_SECTORS,
		.bytes = sectors * 512,
		.data = data,
	};
	unsigned int i;
	u8 unread = 0;

	rmeta_file_ops.submit(&apply->dev.host, &io, 1);
	for (i = 0; io.error && i < sectors; i++) {
		struct rmeta_io one = {
			.op = RMETA_READ,
			.sector = io.sector + i,
			.bytes = 512,
			.data = data + i * 512,
		};

		rmeta_file_ops.submit(&apply->dev.host, &one, 1);
		if (one.error)
			unread |= (u8)(1U << i);
	}
	return unread;
}

/* The block whose records start at @first. Return: false when the undo file fails to read. */
static bool get_block(struct apply *apply, size_t first, struct block *block)
{
	const struct undo_log *log = &apply->log;
	const struct undo_entry *entry = &log->entries[first];
	size_t bytes = entry->record.sectors * 512UL;

	block->entries = entry;
	block->number = entry->record.block;
	block->sectors = entry->record.sectors;
	block->unread = entry->record.unread;
	block->written = 0;
	for (block->nr = 0; first + block->nr < log->nr &&
	     entry[block->nr].record.block == block->number; block->nr++)
		block->written |= entry[block->nr].record.written;
	if (pread(apply->fd, block->old, bytes, (off_t)entry->offset) != (ssize_t)bytes) {
		report_error("cannot read undo file %s: %s", apply->shown,
			     errno ? strerror(errno) : "it has become shorter");
		return false;
	}
	block->now_unread = read_device(apply, block->number, block->sectors, block->now);
	return true;
}

/*
 * Looking
 */

static bool is_version(const struct block *block, unsigned int sector)
{
	u32 crc = rmeta_crc32(0, block->now + sector * 512, 512);
	size_t i;

	for (i = 0; i < block->nr; i++)
		if ((block->entries[i].record.written >> sector & 1) &&
		    block->entries[i].record.crc[sector] == crc)
			return true;
	return false;
}

static void judge_sector(struct apply *apply, const struct block *block, unsigned int sector,
			 const u8 *underway)
{
	const u8 *now = block->now + sector * 512;

	if (block->unread >> sector & 1) {
		apply->unkept++;
	} else if (block->now_unread >> sector & 1) {
		apply->unreadable++;
		apply->written++;
	} else if (!memcmp(now, block->old + sector * 512, 512)) {
		apply->old++;
	} else if (is_version(block, sector) ||
		   (is_hidden(block) && !memcmp(now, underway + sector * 512, 512))) {
		apply->written++;
	} else {
		if (!apply->changed++)
			apply->first_changed = block->number * UNDO_BLOCK_SECTORS + sector;
	}
}

/* Compare the device with the file. Return: false when the file fails to read. */
static bool judge(struct apply *apply)
{
	struct block *block = report_alloc(sizeof(*block));
	u8 *underway = report_alloc(UNDO_BLOCK_BYTES);
	unsigned int sector;
	bool good = true;
	size_t i;

	fill_underway(apply, underway);
	progress_begin("comparing", apply->log.nr);
	for (i = 0; i < apply->log.nr && good; i += block->nr) {
		good = get_block(apply, i, block);
		for (sector = 0; good && sector < block->sectors; sector++)
			if (block->written >> sector & 1)
				judge_sector(apply, block, sector, underway);
		apply->blocks++;
		progress_update(i);
	}
	progress_end();
	free(underway);
	free(block);
	return good;
}

/* Is this another spare than the one that the file is about? Says so. */
static bool is_other_spare(struct apply *apply)
{
	const struct undo_header *header = &apply->log.header;
	struct rmeta_geometry geo;
	struct rmeta_superblock sb;
	char here[40], there[40];

	if (!header->has_spare_uuid || !spare_superblock(&sb, &geo, &apply->dev) ||
	    !memcmp(sb.uuid, header->spare_uuid, sizeof(sb.uuid)))
		return false;
	report_error("%s holds spare %s, and undo file %s is about spare %s; nothing was changed",
		     apply->dev.shown, units_uuid(sb.uuid, here), apply->shown,
		     units_uuid(header->spare_uuid, there));
	return true;
}

/* Return: STATUS_DONE when the device may be written. */
static int decide(struct apply *apply, bool force)
{
	if (!apply->changed)
		return STATUS_DONE;
	if (is_other_spare(apply))
		return STATUS_FAILED;
	if (!force) {
		report_error("%s is not what undo file %s was made for, or has changed since: %llu sector%s, the first of them %llu, hold neither what was kept nor what was written then; nothing was changed (--force puts back what was kept all the same)",
			     apply->dev.shown, apply->shown, (unsigned long long)apply->changed,
			     units_s(apply->changed), (unsigned long long)apply->first_changed);
		return STATUS_FAILED;
	}
	report_warn("%s has changed since: %llu sector%s that were written later are overwritten",
		    apply->dev.shown, (unsigned long long)apply->changed,
		    units_s(apply->changed));
	return STATUS_DONE;
}

/*
 * Writing
 */

/* Writes that become durable together. */
struct queue {
	struct rmeta_io ios[QUEUE_WRITES];
	u8 data[QUEUE_WRITES][UNDO_BLOCK_BYTES];
	unsigned int nr;
	int error;		/* the first of all; 0: none */
};

static void flush(struct apply *apply, struct queue *queue)
{
	unsigned int i;

	rmeta_file_ops.submit(&apply->dev.host, queue->ios, queue->nr);
	for (i = 0; i < queue->nr; i++)
		if (!queue->error)
			queue->error = queue->ios[i].error;
	queue->nr = 0;
}

static void add_write(struct apply *apply, struct queue *queue, u64 sector, u32 sectors,
		      const u8 *data)
{
	struct rmeta_io *io = &queue->ios[queue->nr];

	memcpy(queue->data[queue->nr], data, sectors * 512);
	*io = (struct rmeta_io){
		.op = RMETA_WRITE,
		.sector = sector,
		.bytes = sectors * 512,
		.data = queue->data[queue->nr],
	};
	if (++queue->nr == QUEUE_WRITES)
		flush(apply, queue);
}

/* Put back the sectors of a block that the tool wrote, and that were kept. */
static void put_back(struct apply *apply, struct queue *queue, const struct block *block)
{
	u8 due = block->written & ~block->unread;
	unsigned int first, end;

	for (first = 0; first < block->sectors; first = end) {
		end = first + 1;
		if (!(due >> first & 1))
			continue;
		while (end < block->sectors && (due >> end & 1))
			end++;
		if (!((block->now_unread >> first) & ((1U << (end - first)) - 1)) &&
		    !memcmp(block->old + first * 512, block->now + first * 512,
			    (end - first) * 512))
			continue;
		add_write(apply, queue, block->number * UNDO_BLOCK_SECTORS + first, end - first,
			  block->old + first * 512);
	}
}

enum pass { HIDE, OTHERS, SUPERBLOCKS };

/* Return: 0 or a negative errno. */
static int run_pass(struct apply *apply, struct block *block, enum pass pass)
{
	struct queue *queue = report_alloc(sizeof(*queue));
	u8 *underway = report_alloc(UNDO_BLOCK_BYTES);
	bool good = true;
	int r;
	size_t i;

	fill_underway(apply, underway);
	for (i = 0; i < apply->log.nr && good && !stop_requested(); i += block->nr) {
		good = get_block(apply, i, block);
		if (!good || is_hidden(block) != (pass != OTHERS))
			continue;
		if (pass == HIDE)
			add_write(apply, queue, block->number * UNDO_BLOCK_SECTORS,
				  block->sectors, underway);
		else
			put_back(apply, queue, block);
		progress_update(i);
	}
	flush(apply, queue);
	r = good ? queue->error : -EIO;
	free(underway);
	free(queue);
	return stop_requested() ? -EINTR : r;
}

/* Read again what was put back. */
static bool verify(struct apply *apply, struct block *block)
{
	unsigned int sector;
	size_t i;

	if (apply->dev.is_block)
		posix_fadvise(apply->dev.host.fd, 0, 0, POSIX_FADV_DONTNEED);
	for (i = 0; i < apply->log.nr; i += block->nr) {
		if (!get_block(apply, i, block))
			return false;
		for (sector = 0; sector < block->sectors; sector++)
			if ((block->written & ~block->unread) >> sector & 1 &&
			    ((block->now_unread >> sector & 1) ||
			     memcmp(block->now + sector * 512, block->old + sector * 512, 512)))
				apply->wrong++;
	}
	return true;
}

static int write_all(struct apply *apply)
{
	struct block *block = report_alloc(sizeof(*block));
	const char *name = apply->dev.shown;
	int r, status = STATUS_DONE;

	progress_begin("putting back", apply->log.nr);
	r = run_pass(apply, block, HIDE);
	/* A superblock that cannot be written stops nothing: it may be the one with the fault. */
	if (r != -EINTR)
		r = run_pass(apply, block, OTHERS);
	if (!r)
		r = run_pass(apply, block, SUPERBLOCKS);
	progress_end();
	if (r == -EINTR) {
		report_error("interrupted: %s is not a spare until the same command has finished the undo",
			     name);
		status = STATUS_CANCELLED;
	} else if (r) {
		report_error("%s: the undo could not be finished: %s; the same command again goes on",
			     name, strerror(-r));
		status = STATUS_FAILED;
	} else if (!verify(apply, block)) {
		status = STATUS_FAILED;
	} else if (apply->wrong) {
		report_error("%s: %llu sector%s do not hold what was put back", name,
			     (unsigned long long)apply->wrong, units_s(apply->wrong));
		status = STATUS_FAILED;
	}
	free(block);
	return status;
}

/*
 * All of it
 */

static int explain_log(const struct apply *apply, enum undo_error error, u64 where)
{
	static const char *const texts[] = {
		[UNDO_NO_MEMORY] = "does not fit into memory",
		[UNDO_FOREIGN] = "is not an undo file of dm-remap",
		[UNDO_SHORT] = "is cut off within its first 512 bytes: no device was written under it",
		[UNDO_NEWER] = "is of a newer version of dm-remap",
		[UNDO_BAD_HEADER] = "is damaged: the checksum of its header is wrong",
	};

	if (error == UNDO_IO)
		report_error("cannot read undo file %s: %s", apply->shown, strerror(errno));
	else if (error == UNDO_BAD_RECORD)
		report_error("undo file %s is damaged near byte %llu: what follows is needed, and a part alone would give a mixture; nothing was changed",
			     apply->shown, (unsigned long long)where);
	else
		report_error("%s %s; nothing was changed", apply->shown, texts[error]);
	return STATUS_FAILED;
}

static int open_log(struct apply *apply)
{
	enum undo_error error;
	struct stat file;
	u64 where;

	apply->fd = open(apply->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (apply->fd < 0 || fstat(apply->fd, &file)) {
		report_error("cannot open undo file %s: %s", apply->shown, strerror(errno));
		return STATUS_FAILED;
	}
	if (device_is_at(&apply->dev, apply->path)) {
		report_error("undo file %s is the device itself", apply->shown);
		return STATUS_FAILED;
	}
	if (!S_ISREG(file.st_mode)) {
		report_error("undo file %s is not a regular file", apply->shown);
		return STATUS_FAILED;
	}
	if (flock(apply->fd, LOCK_SH | LOCK_NB)) {
		report_error("undo file %s is still being written", apply->shown);
		return STATUS_FAILED;
	}
	error = undo_log_read(&apply->log, apply->fd, &where);
	return error ? explain_log(apply, error, where) : STATUS_DONE;
}

static void show_log(const struct apply *apply)
{
	const struct undo_header *header = &apply->log.header;
	char *tool = escape_text(header->tool, strlen(header->tool));
	char *path = escape_text(header->path, strlen(header->path));
	char text[UNITS_TEXT];

	report_out("undo of %s on %s, %s\n", tool, path, units_time(header->created, text));
	if (!apply->log.complete && apply->log.nr)
		report_info("the program that wrote %s was cut short, or its end is missing",
			    apply->shown);
	free(tool);
	free(path);
}

static void write_json(const struct apply *apply, bool applied)
{
	const struct undo_header *header = &apply->log.header;
	struct json *json = report_json();
	char uuid[40];

	if (!json)
		return;
	json_key_text(json, "spare", apply->dev.path);
	json_key(json, "undo");
	json_map(json);
	json_key_text(json, "file", apply->path);
	json_key_text(json, "tool", header->tool);
	json_key_number(json, "created", header->created);
	json_key_text(json, "spare_uuid",
		      header->has_spare_uuid ? units_uuid(header->spare_uuid, uuid) : NULL);
	json_key_bool(json, "complete", apply->log.complete);
	json_key_number(json, "blocks", apply->blocks);
	json_key_number(json, "sectors_old", apply->old);
	json_key_number(json, "sectors_written", apply->written);
	json_key_number(json, "sectors_unkept", apply->unkept);
	json_key_number(json, "sectors_changed", apply->changed);
	json_key_bool(json, "applied", applied);
	json_map_end(json);
}

static int run(struct apply *apply, bool force, bool dry_run)
{
	const char *name = apply->dev.shown;
	bool applied = false;
	int status;

	if (apply->log.header.device_sectors != apply->dev.sectors) {
		report_error("%s has %llu sectors, and undo file %s is about a device of %llu; nothing was changed",
			     name, (unsigned long long)apply->dev.sectors, apply->shown,
			     (unsigned long long)apply->log.header.device_sectors);
		return STATUS_FAILED;
	}
	show_log(apply);
	if (!apply->log.nr && apply->log.complete) {
		if (is_other_spare(apply))
			return STATUS_FAILED;
		undo_nothing(&apply->dev);
		report_out("nothing was changed on %s, and there is nothing to undo\n", name);
		write_json(apply, false);
		return STATUS_DONE;
	}
	if (!apply->log.nr) {
		report_error("undo file %s has no whole record: nothing was written under it, or its end is missing; nothing was changed",
			     apply->shown);
		return STATUS_FAILED;
	}
	if (!judge(apply))
		return STATUS_FAILED;
	status = decide(apply, force);
	if (!status && !apply->written && !apply->changed) {
		undo_nothing(&apply->dev);
		report_out("%s holds already what it held before\n", name);
	} else if (!status && dry_run) {
		report_out("dry run: %llu of %llu sectors in %llu blocks would be put back\n",
			   (unsigned long long)(apply->written + apply->changed),
			   (unsigned long long)(apply->written + apply->changed + apply->old),
			   (unsigned long long)apply->blocks);
	} else if (!status) {
		status = write_all(apply);
		applied = !status;
		if (applied)
			report_out("%s: %llu sectors put back, %llu were as before\n", name,
				   (unsigned long long)(apply->written + apply->changed),
				   (unsigned long long)apply->old);
	}
	if (!status && apply->unkept) {
		report_warn("%s: %llu sector%s could not be read when %s was made; they keep what was written to them",
			    name, (unsigned long long)apply->unkept, units_s(apply->unkept),
			    apply->shown);
		status = STATUS_DAMAGED;
	}
	write_json(apply, applied);
	return status;
}

int undo_apply(const char *path, const char *device_path, bool force, bool dry_run)
{
	struct apply apply = { .path = path, .fd = -1 };
	int status;

	if (device_open(&apply.dev, device_path, dry_run ? DEVICE_READ : DEVICE_WRITE, "spare"))
		return STATUS_FAILED;
	apply.shown = escape_text(path, strlen(path));
	status = open_log(&apply);
	if (!status)
		status = run(&apply, force, dry_run);
	undo_log_free(&apply.log);
	if (apply.fd >= 0)
		close(apply.fd);
	free(apply.shown);
	device_close(&apply.dev);
	return status;
}
