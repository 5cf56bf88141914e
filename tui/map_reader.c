// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the map of main from its spare. The process that reads says nothing: what is wrong
 * with a spare is for remap-check and remap-dump to say.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "dump.h"
#include "map_reader.h"

/* What mark_entry() needs. */
struct marking {
	struct map *map;
	u32 block_shift;
};

static void mark_entry(void *ctx, slot_t slot, const struct rmeta_entry *entry)
{
	const struct marking *marking = ctx;
	u64 start_sector = rmeta_where_block(entry->where) << marking->block_shift;
	enum map_cell state = MAP_REMAPPED;

	if (entry->state != RMETA_MAPPED && entry->state != RMETA_LOST)
		return;
	if (rmeta_where_mask(entry->where))
		state = entry->state == RMETA_LOST ? MAP_LOST : MAP_PENDING;
	map_mark(marking->map, start_sector, start_sector + (1ULL << marking->block_shift), state);
}

/* Return: true with the map. */
static bool read_map(const char *spare_path, struct map *map)
{
	struct dump dump = { .store = { .ops = &rmeta_file_ops } };
	struct marking marking = { .map = map };

	if (device_open(&dump.dev, spare_path, DEVICE_READ, "spare"))
		return false;
	dump.store.host = &dump.dev.host;
	dump_examine(&dump);
	if (!dump.ready)
		return false;
	map->main_sectors = dump.sb.main_sectors;
	marking.block_shift = dump.sb.block_shift;
	return map->main_sectors && !dump_entries(&dump, mark_entry, &marking);
}

/* The process. Its memory and files go with it. */
__attribute__((noreturn))
static void be_reader(const char *spare_path, int fd)
{
	static struct map map;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_IGN);	/* Ctrl-C is for the program that shows the map */
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0)
		_exit(1);
	if (!read_map(spare_path, &map))
		_exit(1);
	_exit(write(fd, &map, sizeof(map)) != sizeof(map));	/* fits a pipe */
}

int map_reader_start(struct map_reader *reader, const char *spare_path)
{
	int fds[2], r;

	*reader = (struct map_reader){ .pid = 0 };
	signal(SIGCHLD, SIG_IGN);	/* nobody waits for one that hangs, or becomes a zombie */
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	reader->pid = fork();
	if (!reader->pid)
		be_reader(spare_path, fds[1]);
	r = reader->pid < 0 ? -errno : 0;
	close(fds[1]);
	reader->fd = fds[0];
	if (r) {
		close(fds[0]);
		*reader = (struct map_reader){ .pid = 0 };
	}
	return r;
}

void map_reader_stop(struct map_reader *reader)
{
	if (!reader->pid)
		return;
	close(reader->fd);
	kill(reader->pid, SIGKILL);
	*reader = (struct map_reader){ .pid = 0 };
}

int map_reader_take(struct map_reader *reader, struct map *map, int wait_ms)
{
	struct pollfd fd = { .fd = reader->fd, .events = POLLIN };
	ssize_t bytes;

	if (poll(&fd, 1, wait_ms) <= 0)
		return -EAGAIN;
	bytes = read(reader->fd, (char *)&reader->map + reader->bytes,
		     sizeof(reader->map) - reader->bytes);
	if (bytes > 0) {
		reader->bytes += (size_t)bytes;
		if (reader->bytes < sizeof(reader->map))
			return -EAGAIN;
		*map = reader->map;
	}
	map_reader_stop(reader);
	return bytes > 0 ? 1 : -EIO;
}
