// SPDX-License-Identifier: GPL-2.0-only
/* The state file, and the targets that it lists. Contract in pattern.h. */
#include "pattern.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct state *state;
int target_fd[MAX_TARGETS];
pthread_mutex_t busy_lock = PTHREAD_MUTEX_INITIALIZER;

struct shadow *shadow_of(unsigned int target, uint64_t sector)
{
	return &state->shadow[state->target[target].first_shadow + sector];
}

void describe_target(struct target *target, char *path)
{
	static const char prefix[] = "buffered:";
	struct stat st;
	uint64_t bytes = opt.size_bytes;
	int fd;

	if (!strncmp(path, prefix, strlen(prefix))) {
		target->buffered = 1;
		path += strlen(prefix);
	}
	if (strlen(path) >= sizeof(target->path))
		die("%s: name too long", path);
	strcpy(target->path, path);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", path, strerror(errno));
	if (S_ISBLK(st.st_mode)) {
		if (ioctl(fd, BLKGETSIZE64, &bytes))
			die("%s: %s", path, strerror(errno));
	} else if (ftruncate(fd, (off_t)bytes) || posix_fallocate(fd, 0, (off_t)bytes)) {
		die("%s: cannot make it %" PRIu64 " bytes", path, bytes);
	}
	target->sectors = bytes / SECTOR_SIZE / PAGE_SECTORS * PAGE_SECTORS;
	if (!target->sectors)
		die("%s: too small", path);
	close(fd);
}

void create_state(uint64_t shadows)
{
	size_t size = sizeof(*state) + shadows * sizeof(struct shadow);
	int fd = open(opt.state_path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)size))
		die("%s: %s", opt.state_path, strerror(errno));
	state = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (state == MAP_FAILED)
		die("%s: %s", opt.state_path, strerror(errno));
	close(fd);
}

void open_state(void)
{
	int fd = open(opt.state_path, O_RDWR);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", opt.state_path, strerror(errno));
	if ((size_t)st.st_size < sizeof(*state))
		die("%s is not a state file", opt.state_path);
	state = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (state == MAP_FAILED)
		die("%s: %s", opt.state_path, strerror(errno));
	if (state->magic != STATE_MAGIC)
		die("%s is not a state file", opt.state_path);
	close(fd);
}

void open_targets(void)
{
	for (unsigned int t = 0; t < state->targets; t++) {
		const struct target *target = &state->target[t];

		target_fd[t] = open(target->path, O_RDWR | (target->buffered ? 0 : O_DIRECT));
		if (target_fd[t] < 0)
			die("%s: %s", target->path, strerror(errno));
	}
}
