// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a device that fails, by halves. See salvage.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "ranges.h"
#include "report.h"
#include "salvage.h"

#define DIRECT_BYTES 4096	/* most that is read past the page cache at once */

/* One salvage_read(). */
struct reading {
	const struct device *dev;
	u32 unit_sectors;
	salvage_fn bad;
	void *ctx;
	u64 nr_bad;
	int direct_fd;		/* -1: not open yet, -2: cannot be had */
	void *aligned;
};

static bool read_whole(int fd, void *data, size_t bytes, off_t at)
{
	char *to = data;

	while (bytes) {
		ssize_t got = pread(fd, to, bytes, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		to += got;
		at += got;
		bytes -= (size_t)got;
	}
	return true;
}

/*
 * The page cache reads pages, and one bad sector fails all of a page. The device is opened again
 * through its descriptor: its name may be gone.
 */
static bool read_direct(struct reading *reading, u64 sector, u64 sectors, void *data)
{
	char path[32];

	if (!reading->dev->is_block || reading->direct_fd == -2 || sectors * 512 > DIRECT_BYTES)
		return false;
	if (reading->direct_fd == -1) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", reading->dev->host.fd);
		reading->direct_fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
		if (reading->direct_fd < 0 ||
		    posix_memalign(&reading->aligned, DIRECT_BYTES, DIRECT_BYTES)) {
			if (reading->direct_fd >= 0)
				close(reading->direct_fd);
			reading->direct_fd = -2;
			return false;
		}
	}
	if (!read_whole(reading->direct_fd, reading->aligned, sectors * 512,
			(off_t)(sector * 512)))
		return false;
	memcpy(data, reading->aligned, sectors * 512);
	return true;
}

/* The middle of a range, where a physical sector begins. */
static u64 middle(const struct reading *reading, u64 sector, u64 sectors)
{
	u64 at = sector + sectors / 2;

	at -= at % reading->unit_sectors;
	return at > sector ? at : at + reading->unit_sectors;
}

static void give_up(struct reading *reading, u64 sector, u64 sectors, char *data)
{
	memset(data, 0, sectors * 512);
	reading->nr_bad += sectors;
	if (reading->bad)
		reading->bad(reading->ctx, sector, sectors);
}

static void read_range(struct reading *reading, u64 sector, u64 sectors, char *data)
{
	u64 at;

	if (sector < reading->dev->sectors && sectors <= reading->dev->sectors - sector &&
	    read_whole(reading->dev->host.fd, data, sectors * 512, (off_t)(sector * 512)))
		return;
	at = middle(reading, sector, sectors);
	if (at < sector + sectors) {
		read_range(reading, sector, at - sector, data);
		read_range(reading, at, sector + sectors - at, data + (at - sector) * 512);
		return;
	}
	if (sector < reading->dev->sectors && read_direct(reading, sector, sectors, data))
		return;
	give_up(reading, sector, sectors, data);
}

/* What is absent has no bytes, whatever is in its place. */
static void read_present(struct reading *reading, u64 sector, u64 sectors, char *data)
{
	static const struct ranges none;
	const struct ranges *absent = reading->dev->absent ? reading->dev->absent : &none;
	size_t nr = ranges_find(absent, sector);
	u64 end = sector + sectors, next;

	for (; sector < end; data += (next - sector) * 512, sector = next) {
		next = nr < absent->nr ? min(end, max(sector, absent->range[nr].first)) : end;
		if (next > sector) {
			read_range(reading, sector, next - sector, data);
			continue;
		}
		next = min(end, absent->range[nr++].end);
		give_up(reading, sector, next - sector, data);
	}
}

u64 salvage_read(const struct device *dev, u64 sector, u64 sectors, void *data, salvage_fn bad,
		 void *ctx)
{
	struct reading reading = {
		.dev = dev,
		.unit_sectors = max(dev->physical_bytes / 512, 1U),
		.bad = bad,
		.ctx = ctx,
		.direct_fd = -1,
	};

	read_present(&reading, sector, sectors, data);
	if (reading.direct_fd >= 0)
		close(reading.direct_fd);
	free(reading.aligned);
	return reading.nr_bad;
}
