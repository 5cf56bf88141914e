// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel as a source of samples: status lines through device mapper, counters of the block
 * layer and names of disks from /sys, maps from the spares.
 */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "dm.h"
#include "map_reader.h"
#include "source_live.h"
#include "status_line.h"
#include "top.h"

#define MAPS_WAIT_MS 30000	/* of the first sample */
#define MAP_PAUSE_MS 5000	/* a map is not read more often */

/**
 * struct live_map - the map of a device, from one sample to the next
 * @name: of the mapped device
 * @start_sector: of its line
 * @uuid: of the spare at the last map
 * @used: slots at the last map; likewise @pending, @lost
 * @started: one was begun
 * @started_ms: when
 * @reader: who reads one now
 * @in_sample: the device is in the present sample
 */
struct live_map {
	char *name;
	u64 start_sector;
	u8 uuid[16];
	u64 used;
	u64 pending;
	u64 lost;
	bool started;
	u64 started_ms;
	struct map_reader reader;
	bool in_sample;
};

/**
 * struct live - the kernel
 * @source: as others see it
 * @maps: of the devices there are
 * @nr_maps: how many
 * @room: private
 * @has_maps: maps are read
 * @wait_maps: the next sample waits for them
 */
struct live {
	struct source source;
	struct live_map *maps;
	size_t nr_maps;
	size_t room;
	bool has_maps;
	bool wait_maps;
};

/*
 * From /sys
 */

/* The kernel's name of a block device: "sdb". Return: a text to free(); "-" for none. */
static char *disk_name(dev_t number)
{
	char path[64], target[PATH_MAX];
	ssize_t bytes;
	char *name;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(number), minor(number));
	bytes = readlink(path, target, sizeof(target) - 1);
	target[max(bytes, (ssize_t)0)] = 0;
	name = strdup(bytes > 0 ? basename(target) : "-");
	if (!name)
		report_out_of_memory();
	return name;
}

static bool read_io(const char *number, u64 io[IO_NR])
{
	unsigned long long reads, read_sectors, writes, write_sectors;
	char path[64], text[512];
	ssize_t bytes;
	int fd;

	snprintf(path, sizeof(path), "/sys/dev/block/%s/stat", number);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bytes = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[max(bytes, (ssize_t)0)] = 0;
	if (sscanf(text, "%llu %*u %llu %*u %llu %*u %llu", &reads, &read_sectors, &writes,
		   &write_sectors) != 4)
		return false;
	io[IO_READS] = reads;
	io[IO_READ_SECTORS] = read_sectors;
	io[IO_WRITES] = writes;
	io[IO_WRITE_SECTORS] = write_sectors;
	return true;
}

/*
 * Maps
 */

static struct live_map *find_map(struct live *live, const char *name, u64 start_sector)
{
	struct live_map *map;
	size_t i;

	for (i = 0; i < live->nr_maps; i++)
		if (live->maps[i].start_sector == start_sector &&
		    !strcmp(live->maps[i].name, name))
			return &live->maps[i];
	live->maps = report_grow(live->maps, live->nr_maps, &live->room, sizeof(*live->maps));
	map = &live->maps[live->nr_maps++];
	*map = (struct live_map){ .name = strdup(name), .start_sector = start_sector };
	if (!map->name)
		report_out_of_memory();
	return map;
}

/* Begin to read a map if what there is of it is old. */
static void refresh_map(struct live_map *map, const struct status_line *status,
			const char *spare_name, u64 now_ms)
{
	char path[PATH_MAX], *at;

	if (map->reader.pid)
		return;
	if (map->started &&
	    ((map->used == status->used && map->pending == status->pending &&
	      map->lost == status->lost &&
	      !memcmp(map->uuid, status->uuid, sizeof(map->uuid))) ||
	     now_ms < map->started_ms + MAP_PAUSE_MS))
		return;
	map->used = status->used;
	map->pending = status->pending;
	map->lost = status->lost;
	memcpy(map->uuid, status->uuid, sizeof(map->uuid));
	map->started = true;
	map->started_ms = now_ms;
	snprintf(path, sizeof(path), "/dev/%s", spare_name);
	for (at = path; *at; at++)
		if (*at == '!')		/* as /sys has a slash */
			*at = '/';
	map_reader_start(&map->reader, path);
}

static void take_map(struct live_map *map, struct sample_device *device, int wait_ms)
{
	struct map *taken;

	if (!map->reader.pid)
		return;
	taken = report_alloc(sizeof(*taken));
	if (map_reader_take(&map->reader, taken, wait_ms) == 1)
		device->map = taken;
	else
		free(taken);
}

static void take_maps(struct live *live, struct sample *sample)
{
	u64 until_ms = top_clock_ms() + (live->wait_maps ? MAPS_WAIT_MS : 0), now_ms;
	struct live_map *map;
	size_t i;

	for (i = 0; i < sample->nr_devices; i++) {
		map = find_map(live, sample->devices[i].name, sample->devices[i].start_sector);
		now_ms = top_clock_ms();
		take_map(map, &sample->devices[i],
			 now_ms < until_ms ? (int)(until_ms - now_ms) : 0);
	}
	live->wait_maps = false;
}

static void free_map(struct live_map *map)
{
	map_reader_stop(&map->reader);
	free(map->name);
}

/* Devices that are gone, and may come back as others. */
static void forget_maps(struct live *live)
{
	size_t i = 0;

	while (i < live->nr_maps) {
		if (live->maps[i].in_sample) {
			live->maps[i++].in_sample = false;
			continue;
		}
		free_map(&live->maps[i]);
		live->maps[i] = live->maps[--live->nr_maps];
	}
}

/*
 * Samples
 */

static char *copy_text(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		report_out_of_memory();
	return copy;
}

static void take_line(struct live *live, struct sample *sample, const struct dmdev *dev,
		      const struct dmdev_line *line)
{
	struct sample_device *device = sample_add(sample);
	struct status_line status;
	struct live_map *map;
	bool is_known = !status_line_parse(&status, line->text);

	device->name = copy_text(dev->name);
	if (asprintf(&device->dev, "%u:%u", dev->major, dev->minor) < 0)
		report_out_of_memory();
	device->start_sector = line->start_sectors;
	device->sectors = line->sectors;
	device->status = copy_text(line->text);
	device->has_io = read_io(device->dev, device->io);
	device->main_name = is_known ? disk_name(status.main) : copy_text("-");
	device->spare_name = is_known ? disk_name(status.spare) : copy_text("-");
	map = find_map(live, device->name, device->start_sector);
	map->in_sample = true;
	if (live->has_maps && is_known && strcmp(device->spare_name, "-"))
		refresh_map(map, &status, device->spare_name, sample->clock_ms);
}

static void take_device(struct live *live, struct sample *sample, struct dmdev *dev)
{
	struct dmdev_lines lines;
	size_t i;

	if (dmdev_status(dev, &lines))
		return;		/* it vanished since it was listed */
	for (i = 0; i < lines.nr; i++)
		if (dmdev_is_ours(lines.line[i].target))
			take_line(live, sample, dev, &lines.line[i]);
	dmdev_lines_free(&lines);
}

static int live_next(struct source *source, struct sample *sample)
{
	struct live *live = (struct live *)source;
	struct dmdev_list list;
	struct timespec now;
	size_t i;
	int r;

	clock_gettime(CLOCK_REALTIME, &now);
	sample->time_ms = (u64)now.tv_sec * 1000 + (u64)now.tv_nsec / 1000000;
	sample->clock_ms = top_clock_ms();
	r = dmdev_list(&list);
	if (r)
		return source_fail(source, STATUS_FAILED, "%s", dmdev_explain(r));
	for (i = 0; i < list.nr; i++)
		take_device(live, sample, &list.dev[i]);
	dmdev_list_free(&list);
	take_maps(live, sample);
	forget_maps(live);
	return 1;
}

static void live_free(struct source *source)
{
	struct live *live = (struct live *)source;
	size_t i;

	for (i = 0; i < live->nr_maps; i++)
		free_map(&live->maps[i]);
	free(live->maps);
	free(source->problem);
	free(live);
}

int source_live(struct source **source, enum live_maps maps)
{
	static const struct source_ops ops = { .next = live_next, .free = live_free };
	struct live *live;
	int r = dmdev_check();

	*source = NULL;
	if (r) {
		dmdev_report(NULL, r);
		return STATUS_FAILED;
	}
	live = report_alloc(sizeof(*live));
	live->source.ops = &ops;
	live->has_maps = maps != LIVE_MAPS_NONE;
	live->wait_maps = maps == LIVE_MAPS_FIRST;
	*source = &live->source;
	return STATUS_DONE;
}
