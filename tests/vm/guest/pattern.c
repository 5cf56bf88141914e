// SPDX-License-Identifier: GPL-2.0-only
/*
 * pattern - a load that knows, for every sector it ever wrote, what must be read back.
 *
 * Every sector of 512 bytes says which target and sector it belongs to and which write
 * (generation) it came from, and all the rest of it follows from those, so that a sector is
 * either exactly what one write put there or wrong. What was written is remembered per
 * sector in a state file, which belongs on a tmpfs: a later process verifies from it what an
 * earlier one wrote, across a remount, a new device or a power cut of the disk.
 *
 * No two requests in flight touch the same sector, reads included: disks without sector
 * atomicity (brd copies with memcpy) would tear them. Neighbouring sectors of one block do
 * race, and are made to.
 *
 * It promises to count, never to judge errors: reads may fail where the disk is bad, and it is
 * for the caller to say how many. Only wrong bytes are wrong. It knows nothing of remapping.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pattern/pattern.h"

static const char usage[] =
	"Usage: pattern init    -S STATE [-z SIZE] TARGET...\n"
	"       pattern load    -S STATE [-j N] [-t SECONDS|-n OPS] [-b MIN:MAX] [-w PERCENT]\n"
	"                       [-f PERCENT] [-d] [-e] [-r SEED]\n"
	"       pattern verify  -S STATE [-c] [-b SECTORS]\n"
	"       pattern extents FILE\n"
	"init writes all of each target; a TARGET is a file, made with SIZE bytes (K, M, G), or a\n"
	"block device; with buffered: before it its I/O goes through the page cache.\n"
	"load: N threads, requests of MIN to MAX sectors, PERCENT of them writes, fsync after\n"
	"PERCENT of the writes; SIGTERM ends it early; -d remembers what a flush made durable; -e write errors are fine.\n"
	"verify reads everything; -c after a power cut: anything from the last durable write on\n"
	"will do, and what is found is taken as what is there.\n"
	"extents prints where a file is on its device, as SECTOR+COUNT.\n"
	"The last line is counts. Exit: 0 fine, 1 I/O errors of writes or flushes, 2 wrong data,\n"
	"16 usage or set-up\n";

struct options opt = {
	.size_bytes = 16 << 20, .threads = 4, .seconds = 5, .min_sectors = 1,
	.max_sectors = MAX_REQUEST_SECTORS, .write_percent = 60, .sync_percent = 2, .seed = 1,
};

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...)
{
	va_list args;

	fputs("pattern: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(16);
}

time_t now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static int run_init(int argc, char **argv)
{
	static struct target target[MAX_TARGETS];
	uint64_t shadows = 0;
	struct worker w;
	time_t start = now_seconds();

	if (argc < 1 || argc > (int)MAX_TARGETS)
		die("need 1 to %u targets", MAX_TARGETS);
	for (int t = 0; t < argc; t++) {
		describe_target(&target[t], argv[t]);
		target[t].first_shadow = shadows;
		shadows += target[t].sectors;
	}
	create_state(shadows);
	memcpy(state->target, target, sizeof(target));
	state->targets = (uint32_t)argc;
	state->shadows = shadows;
	state->run_id = (uint64_t)time(NULL) * 0x9e3779b97f4a7c15ull ^ (uint64_t)getpid() << 40;
	open_targets();
	setup_worker(&w, 0);
	for (unsigned int t = 0; t < state->targets; t++) {
		for (uint64_t s = 0; s < state->target[t].sectors; s += MAX_REQUEST_SECTORS) {
			uint64_t left_sectors = state->target[t].sectors - s;

			do_write(&w, t, s, left_sectors < MAX_REQUEST_SECTORS ? left_sectors :
				 MAX_REQUEST_SECTORS, false);
		}
		opt.track_durable = true;
		do_sync(&w, t);
	}
	state->magic = STATE_MAGIC;
	return report(&w.counts, now_seconds() - start);
}

static int run_verify(void)
{
	time_t start = now_seconds();
	struct worker w;

	open_state();
	open_targets();
	setup_worker(&w, 0);
	for (unsigned int t = 0; t < state->targets; t++) {
		for (uint64_t s = 0; s < state->target[t].sectors; s += opt.max_sectors) {
			uint64_t left_sectors = state->target[t].sectors - s;

			do_read(&w, t, s, left_sectors < opt.max_sectors ? left_sectors :
				opt.max_sectors);
		}
	}
	return report(&w.counts, now_seconds() - start);
}

static int print_extents(const char *path)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extent[512];
	} f = { .map = { .fm_length = FIEMAP_MAX_OFFSET, .fm_extent_count = 512,
			 .fm_flags = FIEMAP_FLAG_SYNC } };
	int fd = open(path, O_RDONLY);

	if (fd < 0 || ioctl(fd, FS_IOC_FIEMAP, &f.map))
		die("%s: %s", path, strerror(errno));
	for (unsigned int i = 0; i < f.map.fm_mapped_extents; i++)
		printf("%llu+%llu\n", (unsigned long long)f.map.fm_extents[i].fe_physical / SECTOR_SIZE,
		       (unsigned long long)f.map.fm_extents[i].fe_length / SECTOR_SIZE);
	close(fd);
	return 0;
}

static uint64_t number(const char *text, uint64_t most)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (end != text && *end && strchr("KMG", *end)) {
		value <<= *end == 'K' ? 10 : *end == 'M' ? 20 : 30;
		end++;
	}
	if (errno || *end || end == text || value > most)
		die("\"%s\" is not a number up to %" PRIu64, text, most);
	return value;
}

static void parse_sizes(char *text)
{
	char *colon = strchr(text, ':');

	if (colon) {
		*colon = 0;
		opt.min_sectors = (unsigned int)number(text, MAX_REQUEST_SECTORS);
		text = colon + 1;
	}
	opt.max_sectors = (unsigned int)number(text, MAX_REQUEST_SECTORS);
	if (!opt.min_sectors || opt.min_sectors > opt.max_sectors)
		die("sizes are 1..%u sectors, smallest first", MAX_REQUEST_SECTORS);
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	int c;

	optind = 2;
	while ((c = getopt(argc, argv, "S:z:j:t:n:b:w:f:decr:")) != -1) {
		switch (c) {
		case 'S':
			opt.state_path = optarg;
			break;
		case 'z':
			opt.size_bytes = number(optarg, 1ull << 40);
			break;
		case 'j':
			opt.threads = (unsigned int)number(optarg, MAX_THREADS);
			break;
		case 't':
			opt.seconds = (unsigned int)number(optarg, 100000);
			break;
		case 'n':
			opt.ops = number(optarg, UINT64_MAX);
			break;
		case 'b':
			parse_sizes(optarg);
			break;
		case 'w':
			opt.write_percent = (unsigned int)number(optarg, 100);
			break;
		case 'f':
			opt.sync_percent = (unsigned int)number(optarg, 100);
			break;
		case 'd':
			opt.track_durable = true;
			break;
		case 'e':
			opt.errors_fine = true;
			break;
		case 'c':
			opt.after_cut = true;
			break;
		case 'r':
			opt.seed = number(optarg, UINT64_MAX);
			break;
		default:
			fputs(usage, stderr);
			return 16;
		}
	}
	if (!strcmp(command, "extents") && argc == optind + 1)
		return print_extents(argv[optind]);
	if (opt.state_path && !strcmp(command, "init"))
		return run_init(argc - optind, argv + optind);
	if (opt.state_path && argc == optind && !strcmp(command, "load"))
		return run_load();
	if (opt.state_path && argc == optind && !strcmp(command, "verify"))
		return run_verify();
	fputs(usage, stderr);
	return 16;
}
