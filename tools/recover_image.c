// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copying a composite to an image or a device, and comparing it with one.
 *
 * What is where at any instant, killed or not: sectors that the mapfile calls done are in the image;
 * it is written after them, and durably if they are. What it calls to be tried may hold anything,
 * also from a run that was killed: it is emptied before a run goes on.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "escape.h"
#include "progress.h"
#include "recover.h"
#include "report.h"
#include "rescue_map.h"
#include "salvage.h"
#include "signature.h"
#include "spare.h"
#include "units.h"

#define CHUNK_SECTORS 512		/* read at once: what fits into a processor's cache */
#define WRITEBACK_SECTORS 16384	/* the disk begins to write after as much */
#define HOLE_SECTORS 8		/* zeroes of this length and alignment become holes */
#define CHECKPOINT_SECONDS 30

/*
 * What nobody has
 */

void missing_add(void *ctx, u64 sector, u64 sectors, enum composite_why why)
{
	struct missing *missing = ctx;
	struct missing_range *last = missing->nr ? &missing->range[missing->nr - 1] : NULL;

	missing->sectors[why] += sectors;
	if (last && last->why == why && last->sector + last->sectors == sector) {
		last->sectors += sectors;
		return;
	}
	missing->range = report_grow(missing->range, missing->nr, &missing->room,
				     sizeof(*missing->range));
	missing->range[missing->nr++] = (struct missing_range){ sector, sectors, why };
}

u64 missing_total(const struct missing *missing)
{
	unsigned int why;
	u64 sectors = 0;

	for (why = 0; why < COMPOSITE_NR_WHYS; why++)
		sectors += missing->sectors[why];
	return sectors;
}

void missing_show(const struct missing *missing)
{
	static const char *const texts[COMPOSITE_NR_WHYS] = {
		[COMPOSITE_LOST] = "lost before, as the spare says",
		[COMPOSITE_PENDING] = "pending, and main cannot be read",
		[COMPOSITE_SLOT] = "in slots that cannot be read or are gone",
		[COMPOSITE_MAIN] = "of main's own that cannot be read",
		[COMPOSITE_CLAIMED] = "claimed by two slots",
	};
	size_t i, shown = report_is_verbose() ? missing->nr :
			  min(missing->nr, (size_t)RECOVER_RANGES_SHOWN);
	unsigned int why;

	report_out("nobody has  %llu sectors of main\n", (unsigned long long)missing_total(missing));
	for (why = 0; why < COMPOSITE_NR_WHYS; why++)
		if (missing->sectors[why])
			report_out("            %llu %s\n",
				   (unsigned long long)missing->sectors[why], texts[why]);
	for (i = 0; i < shown; i++)
		report_out("              %llu to %llu  %s\n",
			   (unsigned long long)missing->range[i].sector,
			   (unsigned long long)missing->range[i].sector +
			   missing->range[i].sectors - 1, composite_why_name(missing->range[i].why));
	if (shown < missing->nr)
		report_out("              and %zu more ranges (-v lists them)\n",
			   missing->nr - shown);
}

void missing_json(const struct missing *missing)
{
	struct json *json = report_json();
	size_t i;

	if (!json)
		return;
	json_key_number(json, "missing_sectors", missing_total(missing));
	json_key(json, "missing");
	json_array(json);
	for (i = 0; i < missing->nr; i++) {
		json_map(json);
		json_key_number(json, "sector", missing->range[i].sector);
		json_key_number(json, "sectors", missing->range[i].sectors);
		json_key_text(json, "why", composite_why_name(missing->range[i].why));
		json_map_end(json);
	}
	json_array_end(json);
}

void missing_free(struct missing *missing)
{
	free(missing->range);
	*missing = (struct missing){ .nr = 0 };
}

/*
 * Copying
 */

/**
 * struct copier - a copy under way
 * @out: image or device, open for writing
 * @map: how far it is
 * @missing: of this run
 * @data: CHUNK_SECTORS sectors
 * @chunk_sector: sector of main that @data begins with
 * @fresh: the image was made by this run
 * @holes: zeroes need not be written: the image has holes there
 * @since_bytes: copied since the mapfile was written
 * @map_time: when that was
 */
struct copier {
	const struct composite *composite;
	const struct recover_copy *copy;
	struct device out;
	char *map_path;
	struct rescue_map map;
	struct missing missing;
	u8 *data;
	u64 chunk_sector;
	bool fresh;
	bool holes;
	u64 since_bytes;
	time_t map_time;
};

/* The text of a sector that nobody has. */
static void fill_sector(const char *fill, u64 sector, u8 *data)
{
	const char *mark = strstr(fill, "%s");
	size_t at, length;
	char *text;

	if (!strcmp(fill, "zero")) {
		memset(data, 0, 512);
		return;
	}
	if (!mark)
		mark = fill + strlen(fill);
	if (asprintf(&text, *mark ? "%.*s%llu%s" : "%.*s", (int)(mark - fill), fill,
		     (unsigned long long)sector, *mark ? mark + 2 : "") < 0)
		report_out_of_memory();
	length = strlen(text);
	for (at = 0; at < 512; at += length)
		memcpy(data + at, text, min(length, 512 - at));
	free(text);
}

static void fill_missing(void *ctx, u64 sector, u64 sectors, enum composite_why why)
{
	struct copier *copier = ctx;
	u64 i;

	missing_add(&copier->missing, sector, sectors, why);
	if (ranges_add(&copier->map.bad, sector, sector + sectors))
		report_out_of_memory();
	for (i = 0; i < sectors; i++)
		fill_sector(copier->copy->fill, sector + i,
			    copier->data + (sector + i - copier->chunk_sector) * 512);
}

static bool is_zero(const u8 *data, size_t bytes)
{
	return !data[0] && !memcmp(data, data + 1, bytes - 1);
}

static int write_all(struct copier *copier, const u8 *data, u64 sector, u64 sectors)
{
	size_t bytes = sectors * 512;
	off_t at = (off_t)(sector * 512);

	while (bytes) {
		ssize_t done = pwrite(copier->out.host.fd, data, bytes, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			report_error("cannot write %s at byte %llu: %s; go on with the same command when there is room",
				     copier->out.shown, (unsigned long long)at,
				     strerror(done ? errno : ENOSPC));
			return STATUS_FAILED;
		}
		data += done;
		at += done;
		bytes -= (size_t)done;
	}
	return STATUS_DONE;
}

/* Write what is not zero of the chunk; all of it where there are no holes. */
static int write_chunk(struct copier *copier, u64 sectors)
{
	u64 at = 0, start, next;
	int status = STATUS_DONE;

	if (!copier->holes)
		return write_all(copier, copier->data, copier->chunk_sector, sectors);
	while (at < sectors && !status) {
		/* The first chunk of a range may begin anywhere; pieces end at multiples. */
		next = min(sectors, at + HOLE_SECTORS - (copier->chunk_sector + at) % HOLE_SECTORS);
		if (is_zero(copier->data + at * 512, (next - at) * 512)) {
			at = next;
			continue;
		}
		for (start = at; at < sectors; at = next) {
			next = min(sectors, at + HOLE_SECTORS -
				   (copier->chunk_sector + at) % HOLE_SECTORS);
			if (is_zero(copier->data + at * 512, (next - at) * 512))
				break;
		}
		status = write_all(copier, copier->data + start * 512,
				   copier->chunk_sector + start, at - start);
	}
	return status;
}

static int checkpoint(struct copier *copier)
{
	int r;

	if (fdatasync(copier->out.host.fd)) {
		report_error("cannot write %s: %s", copier->out.shown, strerror(errno));
		return STATUS_FAILED;
	}
	r = ranges_finish(&copier->map.bad);
	if (!r)
		r = rescue_map_write(&copier->map, copier->map_path, copier->copy->command, true);
	copier->since_bytes = 0;
	copier->map_time = time(NULL);
	return r ? STATUS_FAILED : STATUS_DONE;
}

static bool is_due(const struct copier *copier)
{
	return copier->since_bytes >= copier->copy->checkpoint_bytes ||
	       (copier->since_bytes && time(NULL) >= copier->map_time + CHECKPOINT_SECONDS);
}

/* So that the disk writes while the next part is read, and a checkpoint has little to wait for. */
static void start_writeback(struct copier *copier, u64 end_sector)
{
	if (end_sector % WRITEBACK_SECTORS >= CHUNK_SECTORS || end_sector < WRITEBACK_SECTORS)
		return;
	sync_file_range(copier->out.host.fd, (off_t)((end_sector - WRITEBACK_SECTORS) * 512),
			WRITEBACK_SECTORS * 512, SYNC_FILE_RANGE_WRITE);
}

/* One range that is to be tried. Its front moves on in the map as it is done. */
static int copy_range(struct copier *copier, struct range *range)
{
	int status = STATUS_DONE;
	u64 next, sectors;

	while (range->first < range->end && !status) {
		if (copier->holes) {
			next = composite_next_data(copier->composite, range->first);
			next = max(next - next % HOLE_SECTORS, range->first);
			if (next >= range->end)
				next = range->end;
			range->first = next;
			if (next == range->end)
				break;
		}
		sectors = CHUNK_SECTORS - range->first % CHUNK_SECTORS;
		sectors = min(sectors, range->end - range->first);
		copier->chunk_sector = range->first;
		composite_read(copier->composite, range->first, sectors, copier->data, fill_missing,
			       copier);
		status = write_chunk(copier, sectors);
		if (status)
			break;
		range->first += sectors;
		copier->since_bytes += sectors * 512;
		start_writeback(copier, range->first);
		progress_update(range->first);
		if (is_due(copier))
			status = checkpoint(copier);
	}
	return status;
}

static int copy_all(struct copier *copier)
{
	struct ranges *todo = &copier->map.todo;
	int status = STATUS_DONE;
	size_t nr = 0;

	/* Nothing is called done that was not before: no need to wait for the disk. */
	if (rescue_map_write(&copier->map, copier->map_path, copier->copy->command, false))
		status = STATUS_FAILED;
	copier->map_time = time(NULL);
	progress_begin("copying", copier->map.sectors);
	while (nr < todo->nr && !status) {
		/* Done ranges are empty ones at the front; the map starts behind them. */
		status = copy_range(copier, &todo->range[nr]);
		if (!status)
			nr++;
	}
	progress_end();
	memmove(todo->range, todo->range + nr, (todo->nr - nr) * sizeof(*todo->range));
	todo->nr -= nr;
	todo->nr_sorted = todo->nr;
	return max(status, checkpoint(copier));
}

/* What an earlier run may have left in what is to be tried. */
static void empty_todo(struct copier *copier)
{
	const struct ranges *todo = &copier->map.todo;
	size_t i;

	for (i = 0; i < todo->nr && copier->holes; i++)
		if (fallocate(copier->out.host.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      (off_t)(todo->range[i].first * 512),
			      (off_t)((todo->range[i].end - todo->range[i].first) * 512)))
			copier->holes = false;
}

/*
 * Where it goes
 */

static int refuse_sources(const struct composite *composite, const char *path, const char *shown)
{
	const char *what = NULL;

	if (device_is_at(&composite->main, path))
		what = "main";
	else if (composite->dump.dev.shown && device_is_at(&composite->dump.dev, path))
		what = "the spare";
	if (!what)
		return STATUS_DONE;
	report_error("%s is %s itself; nothing was changed", shown, what);
	return STATUS_FAILED;
}

static void refuse_job(const struct copier *copier, const char *map_shown)
{
	report_error("the mapfile %s is of something else (\"%s\", and this is \"%s\"); nothing was changed (where only the sequence differs, the spare was used or repaired since: begin anew, with another target)",
		     map_shown, copier->map.job, copier->copy->job);
}

/* A block device is written over as a whole. */
static int open_block(struct copier *copier, const char *shown)
{
	struct spare_survey survey;
	char *foreign;
	int status = STATUS_DONE;

	if (!copier->copy->force) {
		report_error("%s is a block device: all of it would be overwritten; --force does it",
			     shown);
		return STATUS_FAILED;
	}
	if (!copier->copy->map_path) {
		report_error("%s is a block device: say with --mapfile where the mapfile goes", shown);
		return STATUS_USAGE;
	}
	if (device_open(&copier->out, copier->copy->target, DEVICE_WRITE, "target"))
		return STATUS_FAILED;
	if (copier->out.sectors < copier->map.sectors) {
		report_error("%s has %llu sectors, and main %llu: it does not fit; nothing was changed",
			     shown, (unsigned long long)copier->out.sectors,
			     (unsigned long long)copier->map.sectors);
		return STATUS_FAILED;
	}
	if (spare_survey(&survey, &copier->out))
		return STATUS_FAILED;
	if (survey.kind == SPARE_REMAPS || survey.kind == SPARE_BROKEN) {
		report_error("%s is a spare of dm-remap that holds or may hold remaps; it is not overwritten",
			     shown);
		status = STATUS_FAILED;
	}
	free(survey.label);
	foreign = signature_find(&copier->out, NULL);
	if (foreign && !status)
		report_info("%s holds %s, which is overwritten", shown, foreign);
	free(foreign);
	return status;
}

static int create_image(struct copier *copier, const char *shown)
{
	int fd = open(copier->copy->target, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int error = 0;

	if (fd < 0 || ftruncate(fd, (off_t)(copier->map.sectors * 512)))
		error = errno;
	if (error) {
		report_error("cannot create %s: %s", shown, strerror(error));
		if (fd >= 0)
			unlink(copier->copy->target);
	}
	if (fd >= 0)
		close(fd);
	return error ? STATUS_FAILED : STATUS_DONE;
}

static bool same_name(const char *path, const struct stat *st)
{
	struct stat there;

	return !stat(path, &there) && there.st_dev == st->st_dev && there.st_ino == st->st_ino;
}

/*
 * An image and its mapfile: both new, or both there and of this job. Anything else is somebody's
 * data.
 */
static int open_image(struct copier *copier, const char *shown, bool exists)
{
	struct rescue_map *map = &copier->map;
	char *map_shown = escape_text(copier->map_path, strlen(copier->map_path));
	int status = STATUS_FAILED, r;

	r = rescue_map_read(map, copier->map_path);
	if (r == -ENOENT && exists) {
		report_error("%s is there already, and no mapfile %s that would say how to go on with it; nothing was changed",
			     shown, map_shown);
	} else if (!r && !exists) {
		report_error("there is a mapfile %s, but no %s; remove it to begin anew", map_shown,
			     shown);
	} else if (!r && strcmp(map->job, copier->copy->job)) {
		refuse_job(copier, map_shown);
	} else if (!r || r == -ENOENT) {
		status = exists ? STATUS_DONE : create_image(copier, shown);
		if (!status && !exists && ranges_add(&map->todo, 0, map->sectors))
			report_out_of_memory();
	}
	if (!status && !exists)
		snprintf(map->job, sizeof(map->job), "%s", copier->copy->job);
	if (!status && device_open(&copier->out, copier->copy->target, DEVICE_WRITE, "image"))
		status = STATUS_FAILED;
	if (!status && device_is_at(&copier->out, copier->map_path)) {
		report_error("%s is named both as image and as mapfile", shown);
		if (!exists)
			unlink(copier->copy->target);
		status = STATUS_FAILED;
	}
	if (!status && copier->out.sectors != map->sectors) {
		report_error("%s has %llu sectors, and main %llu: it is no image that was begun here; nothing was changed",
			     shown, (unsigned long long)copier->out.sectors,
			     (unsigned long long)map->sectors);
		status = STATUS_FAILED;
	}
	free(map_shown);
	return status;
}

static int open_target(struct copier *copier)
{
	const struct recover_copy *copy = copier->copy;
	char *shown = escape_text(copy->target, strlen(copy->target));
	bool exists = !stat(copy->target, &copier->out.stat);
	struct rescue_map *map = &copier->map;
	int status, r;

	status = refuse_sources(copier->composite, copy->target, shown);
	if (!status && same_name(copier->map_path, &copier->composite->main.stat)) {
		report_error("--mapfile names main");
		status = STATUS_FAILED;
	}
	if (!status && exists && S_ISBLK(copier->out.stat.st_mode)) {
		status = open_block(copier, shown);
		r = status ? 0 : rescue_map_read(map, copier->map_path);
		if (!status && r && r != -ENOENT)
			status = STATUS_FAILED;
		if (!status && !r && strcmp(map->job, copy->job)) {
			char *map_shown = escape_text(copier->map_path, strlen(copier->map_path));

			refuse_job(copier, map_shown);
			free(map_shown);
			status = STATUS_FAILED;
		}
		if (!status && r == -ENOENT && ranges_add(&map->todo, 0, map->sectors))
			report_out_of_memory();
		snprintf(map->job, sizeof(map->job), "%s", copy->job);
	} else if (!status && exists && !S_ISREG(copier->out.stat.st_mode)) {
		report_error("%s is neither an image file nor a block device", shown);
		status = STATUS_FAILED;
	} else if (!status) {
		status = open_image(copier, shown, exists);
		copier->fresh = !exists;
		copier->holes = true;
	}
	free(shown);
	return status;
}

/* What earlier runs did not get stays on the list, whyever that was. */
static void take_retries(struct copier *copier)
{
	struct rescue_map *map = &copier->map;
	size_t i;

	if (!copier->copy->retry)
		return;
	for (i = 0; i < map->bad.nr; i++)
		if (ranges_add(&map->todo, map->bad.range[i].first, map->bad.range[i].end))
			report_out_of_memory();
	ranges_free(&map->bad);
	if (ranges_finish(&map->todo))
		report_out_of_memory();
}

static int run_copy(struct copier *copier)
{
	u64 todo_sectors, bad_sectors;
	char size[UNITS_TEXT];
	struct json *json;
	int status = open_target(copier);

	if (status)
		return status;
	take_retries(copier);
	todo_sectors = ranges_blocks(&copier->map.todo);
	report_out("target      %s, %s\n", copier->out.shown,
		   units_size(copier->map.sectors * 512, size));
	if (todo_sectors < copier->map.sectors)
		report_out("goes on     %s are still to be tried\n",
			   units_size(todo_sectors * 512, size));
	if (todo_sectors && !copier->fresh)
		empty_todo(copier);
	if (todo_sectors)
		status = copy_all(copier);
	bad_sectors = ranges_blocks(&copier->map.bad);
	missing_show(&copier->missing);
	if (bad_sectors > missing_total(&copier->missing))
		report_out("            %llu more of earlier runs are in the mapfile (--retry tries them again)\n",
			   (unsigned long long)(bad_sectors - missing_total(&copier->missing)));
	json = report_json();
	if (json) {
		json_key_text(json, "target", copier->copy->target);
		json_key_text(json, "mapfile", copier->map_path);
		json_key_number(json, "sectors", copier->map.sectors);
		json_key_number(json, "tried_sectors", todo_sectors);
		json_key_number(json, "bad_sectors", bad_sectors);
		missing_json(&copier->missing);
	}
	return status ? status : bad_sectors ? STATUS_LOOK : STATUS_DONE;
}

int recover_copy(const struct composite *composite, const struct recover_copy *copy)
{
	struct copier copier = {
		.composite = composite,
		.copy = copy,
		.out = { .host.fd = -1 },
		.map = { .sectors = composite->main_sectors },
		.data = report_alloc(CHUNK_SECTORS * 512),
	};
	int status;

	if (copy->map_path)
		copier.map_path = strdup(copy->map_path);
	else if (asprintf(&copier.map_path, "%s.map", copy->target) < 0)
		copier.map_path = NULL;
	if (!copier.map_path)
		report_out_of_memory();
	posix_fadvise(composite->main.host.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	status = run_copy(&copier);
	rescue_map_free(&copier.map);
	missing_free(&copier.missing);
	device_close(&copier.out);
	free(copier.map_path);
	free(copier.data);
	return status;
}

/*
 * Comparing
 */

struct comparer {
	struct missing missing;
	struct ranges differ;
	u8 *want;
	u8 *have;
	u64 chunk_sector;
	u64 unreadable;
};

/* What nobody has is made equal, so that it is not compared. */
static void forget_missing(void *ctx, u64 sector, u64 sectors, enum composite_why why)
{
	struct comparer *comparer = ctx;
	size_t at = (sector - comparer->chunk_sector) * 512;

	missing_add(&comparer->missing, sector, sectors, why);
	memcpy(comparer->want + at, comparer->have + at, sectors * 512);
}

static void note_unreadable(void *ctx, u64 sector, u64 sectors)
{
	struct comparer *comparer = ctx;

	comparer->unreadable += sectors;
	if (ranges_add(&comparer->differ, sector, sector + sectors))
		report_out_of_memory();
}

static void compare_chunk(struct comparer *comparer, u64 sectors)
{
	u64 i;

	if (!memcmp(comparer->want, comparer->have, sectors * 512))
		return;
	for (i = 0; i < sectors; i++)
		if (memcmp(comparer->want + i * 512, comparer->have + i * 512, 512) &&
		    ranges_add(&comparer->differ, comparer->chunk_sector + i,
			       comparer->chunk_sector + i + 1))
			report_out_of_memory();
}

static void compare_all(const struct composite *composite, const struct device *image,
			struct comparer *comparer)
{
	u64 sector, sectors;

	progress_begin("comparing", composite->main_sectors);
	for (sector = 0; sector < composite->main_sectors; sector += sectors) {
		sectors = min((u64)CHUNK_SECTORS, composite->main_sectors - sector);
		comparer->chunk_sector = sector;
		salvage_read(image, sector, sectors, comparer->have, note_unreadable, comparer);
		composite_read(composite, sector, sectors, comparer->want, forget_missing, comparer);
		compare_chunk(comparer, sectors);
		progress_update(sector);
	}
	progress_end();
	if (ranges_finish(&comparer->differ))
		report_out_of_memory();
}

static void show_differences(const struct comparer *comparer, const char *name)
{
	const struct ranges *differ = &comparer->differ;
	size_t i, shown = report_is_verbose() ? differ->nr :
			  min(differ->nr, (size_t)RECOVER_RANGES_SHOWN);
	struct json *json = report_json();

	report_out("different   %llu sectors of %s\n",
		   (unsigned long long)ranges_blocks(differ), name);
	if (comparer->unreadable)
		report_out("            %llu of them cannot be read there\n",
			   (unsigned long long)comparer->unreadable);
	for (i = 0; i < shown; i++)
		report_out("              %llu to %llu\n", (unsigned long long)differ->range[i].first,
			   (unsigned long long)differ->range[i].end - 1);
	if (shown < differ->nr)
		report_out("              and %zu more ranges (-v lists them)\n",
			   differ->nr - shown);
	missing_show(&comparer->missing);
	if (!json)
		return;
	json_key_number(json, "different_sectors", ranges_blocks(differ));
	json_key_number(json, "unreadable_sectors", comparer->unreadable);
	json_key(json, "different");
	json_array(json);
	for (i = 0; i < differ->nr; i++) {
		json_map(json);
		json_key_number(json, "sector", differ->range[i].first);
		json_key_number(json, "sectors", differ->range[i].end - differ->range[i].first);
		json_map_end(json);
	}
	json_array_end(json);
	missing_json(&comparer->missing);
}

int recover_verify(const struct composite *composite, const char *path)
{
	struct comparer comparer = { .chunk_sector = 0 };
	struct device image;
	int status = STATUS_FAILED;

	if (device_open(&image, path, DEVICE_READ, "image"))
		return STATUS_FAILED;
	status = refuse_sources(composite, path, image.shown);
	if (!status && image.sectors < composite->main_sectors) {
		report_error("%s has %llu sectors, and main %llu: it is not all of it", image.shown,
			     (unsigned long long)image.sectors,
			     (unsigned long long)composite->main_sectors);
		status = STATUS_FAILED;
	}
	if (!status) {
		comparer.want = report_alloc(CHUNK_SECTORS * 512);
		comparer.have = report_alloc(CHUNK_SECTORS * 512);
		compare_all(composite, &image, &comparer);
		show_differences(&comparer, image.shown);
		status = comparer.differ.nr || comparer.missing.nr ? STATUS_LOOK : STATUS_DONE;
	}
	free(comparer.want);
	free(comparer.have);
	ranges_free(&comparer.differ);
	missing_free(&comparer.missing);
	device_close(&image);
	return status;
}
