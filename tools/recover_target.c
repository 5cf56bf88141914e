// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a copy goes: an image that is made or gone on with, or a device that is overwritten, and
 * its mapfile. Refuses what may be somebody's data. See recover_copier.h.
 */
#include <fcntl.h>
#include <unistd.h>

#include "directory.h"
#include "escape.h"
#include "recover_copier.h"
#include "report.h"
#include "signature.h"
#include "spare.h"

int recover_refuse_source(const struct composite *composite, const char *path, const char *shown)
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
	if (!*copier->map.job) {
		report_error("the mapfile %s does not say what it is of: another program has written it, as ddrescue, which reads main also where main is old, under slots; nothing was changed (begin anew, with another target)",
			     map_shown);
		return;
	}
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

static bool same_name(const char *path, const struct stat *st)
{
	struct stat there;

	return !stat(path, &there) && there.st_dev == st->st_dev && there.st_ino == st->st_ino;
}

/* Nothing was copied when the mapfile was written. */
static bool is_untouched(const struct rescue_map *map)
{
	return !map->bad.nr && map->todo.nr == 1 && !map->todo.range[0].first &&
	       map->todo.range[0].end == map->sectors;
}

/* All holes. @flags: O_CREAT for one that is not there. */
static int make_image(const struct copier *copier, const char *shown, int flags)
{
	const char *path = copier->copy->target;
	int fd = open(path, O_RDWR | O_EXCL | O_NOFOLLOW | O_CLOEXEC | flags, 0666);
	int error = 0;

	if (fd < 0 || ftruncate(fd, (off_t)(copier->map.sectors * 512)) || fsync(fd))
		error = errno;
	if (fd >= 0)
		close(fd);
	if (!error)
		error = -directory_sync(path);
	if (!error)
		return STATUS_DONE;
	report_error("cannot create %s: %s", shown, strerror(error));
	if (fd >= 0 && flags)
		unlink(path);
	return STATUS_FAILED;
}

/* Neither image nor mapfile is there. */
static int begin_image(struct copier *copier, const char *shown)
{
	struct rescue_map *map = &copier->map;
	struct stat st;
	int status;

	snprintf(map->job, sizeof(map->job), "%s", copier->copy->job);
	if (ranges_add(&map->todo, 0, map->sectors))
		report_out_of_memory();
	if (rescue_map_write(map, copier->map_path, copier->copy->command))
		return STATUS_FAILED;
	if (!stat(copier->map_path, &st) && same_name(copier->copy->target, &st)) {
		report_error("%s is named both as image and as mapfile", shown);
		status = STATUS_FAILED;
	} else {
		status = make_image(copier, shown, O_CREAT);
	}
	if (status)
		unlink(copier->map_path);
	return status;
}

/*
 * An image and its mapfile: both new, or both of this job. Anything else is somebody's data. Only
 * before anything is copied, the mapfile can be there alone, or with an image without a length: an
 * earlier run ended there.
 */
static int prepare_image(struct copier *copier, const char *shown, bool exists, u64 bytes)
{
	struct rescue_map *map = &copier->map;
	char *map_shown = escape_text(copier->map_path, strlen(copier->map_path));
	int status = STATUS_FAILED, r;

	r = rescue_map_read(map, copier->map_path);
	copier->fresh = !exists;
	if (r == -ENOENT && exists)
		report_error("%s is there already, and no mapfile %s that would say how to go on with it; nothing was changed",
			     shown, map_shown);
	else if (r == -ENOENT)
		status = begin_image(copier, shown);
	else if (!r && !exists && !is_untouched(map))
		report_error("there is a mapfile %s, but no %s; remove it to begin anew", map_shown,
			     shown);
	else if (!r && strcmp(map->job, copier->copy->job))
		refuse_job(copier, map_shown);
	else if (!r && (!exists || (!bytes && is_untouched(map))))
		status = make_image(copier, shown, exists ? 0 : O_CREAT);
	else if (!r)
		status = STATUS_DONE;
	free(map_shown);
	return status;
}

static int open_image(struct copier *copier, const char *shown, bool exists)
{
	u64 bytes = exists ? (u64)copier->out.stat.st_size : 0;
	int status = prepare_image(copier, shown, exists, bytes);

	if (!status && device_open(&copier->out, copier->copy->target, DEVICE_WRITE, "image"))
		status = STATUS_FAILED;
	if (!status && copier->out.sectors != copier->map.sectors) {
		report_error("%s has %llu sectors, and main %llu: it is no image that was begun here; nothing was changed",
			     shown, (unsigned long long)copier->out.sectors,
			     (unsigned long long)copier->map.sectors);
		status = STATUS_FAILED;
	}
	return status;
}

int recover_open_target(struct copier *copier)
{
	const struct recover_copy *copy = copier->copy;
	char *shown = escape_text(copy->target, strlen(copy->target));
	bool exists = !stat(copy->target, &copier->out.stat);
	struct rescue_map *map = &copier->map;
	int status, r;

	status = recover_refuse_source(copier->composite, copy->target, shown);
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
		copier->holes = true;
	}
	free(shown);
	return status;
}
