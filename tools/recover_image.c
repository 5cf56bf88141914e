// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copying a composite to an image or a device.
 *
 * What is where at any instant, killed or not: sectors that the mapfile calls done are in the image;
 * it is written after them, and both durably. What it calls to be tried may hold anything, also from
 * a run that was killed: it is emptied before a run goes on.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <unistd.h>

#include "progress.h"
#include "recover_copier.h"
#include "report.h"
#include "stop.h"
#include "units.h"

#define CHUNK_SECTORS 512		/* read at once: what fits into a processor's cache */
#define WRITEBACK_SECTORS 16384	/* the disk begins to write after as much */
#define HOLE_SECTORS 8		/* zeroes of this length and alignment become holes */
#define CHECKPOINT_SECONDS 30

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

	missing_add(&copier->chunk_missing, sector, sectors, why);
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
		r = rescue_map_write(&copier->map, copier->map_path, copier->copy->command);
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

/* The chunk is in the image: what it lacks is known. */
static void take_missing(struct copier *copier)
{
	const struct missing *chunk = &copier->chunk_missing;
	size_t i;

	for (i = 0; i < chunk->nr; i++) {
		const struct missing_range *range = &chunk->range[i];

		missing_add(&copier->missing, range->sector, range->sectors, range->why);
		if (ranges_add(&copier->map.bad, range->sector, range->sector + range->sectors))
			report_out_of_memory();
	}
}

/* One range that is to be tried. Its front moves on in the map as it is done. */
static int copy_range(struct copier *copier, struct range *range)
{
	int status = STATUS_DONE;
	u64 next, end, sectors;

	while (range->first < range->end && !status) {
		if (stop_requested()) {
			report_error("interrupted; the same command goes on");
			return STATUS_FAILED;
		}
		end = range->end;
		if (copier->holes) {
			next = composite_next_data(copier->composite, &copier->extent,
						   range->first, &end);
			next = max(next - next % HOLE_SECTORS, range->first);
			range->first = min(next, range->end);
			if (range->first == range->end)
				break;
			end = (end + HOLE_SECTORS - 1) / HOLE_SECTORS * HOLE_SECTORS;
		}
		sectors = CHUNK_SECTORS - range->first % CHUNK_SECTORS;
		sectors = min(sectors, min(end, range->end) - range->first);
		copier->chunk_sector = range->first;
		copier->chunk_missing.nr = 0;
		composite_read(copier->composite, range->first, sectors, copier->data, fill_missing,
			       copier);
		status = write_chunk(copier, sectors);
		if (status)
			break;
		take_missing(copier);
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
	char size[UNITS_TEXT], tried[UNITS_TEXT];
	u64 todo_sectors, left_sectors, bad_sectors;
	struct json *json;
	int status = recover_open_target(copier);

	if (status)
		return status;
	take_retries(copier);
	todo_sectors = ranges_blocks(&copier->map.todo);
	report_out("target      %s, %s\n", copier->out.shown,
		   units_size(copier->map.sectors * 512, size));
	if (todo_sectors < copier->map.sectors)
		report_out("goes on     %s are still to be tried\n",
			   units_size(todo_sectors * 512, size));
	if (todo_sectors && !copier->fresh) {
		if (rescue_map_write(&copier->map, copier->map_path, copier->copy->command))
			return STATUS_FAILED;
		empty_todo(copier);
	}
	if (todo_sectors)
		status = copy_all(copier);
	left_sectors = ranges_blocks(&copier->map.todo);
	if (left_sectors)
		report_out("tried       %s of %s, of which\n",
			   units_size((todo_sectors - left_sectors) * 512, tried),
			   units_size(todo_sectors * 512, size));
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
		json_key_number(json, "tried_sectors", todo_sectors - left_sectors);
		json_key_number(json, "left_sectors", left_sectors);
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
	stop_catch();
	posix_fadvise(composite->main.host.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	status = run_copy(&copier);
	rescue_map_free(&copier.map);
	missing_free(&copier.missing);
	missing_free(&copier.chunk_missing);
	device_close(&copier.out);
	free(copier.map_path);
	free(copier.data);
	return status;
}
