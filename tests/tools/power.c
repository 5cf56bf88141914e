// SPDX-License-Identifier: GPL-2.0-only
/*
 * A library for LD_PRELOAD that ends a program at its n-th write, flush, change of a length or
 * rename, in one of these ways, for tests of what survives that:
 *
 *	POWER_HOW=kill	SIGKILL before the call: what was written stays, as the page cache does
 *	POWER_HOW=torn	the same, but half of the write is done first
 *	POWER_HOW=signal  the program gets POWER_SIGNAL (TERM, INT, HUP), once, and may go on
 *	POWER_HOW=cut	power goes: of everything that was not flushed, each sector is there or not,
 *			a file that grew ends somewhere, a file whose directory was not
 *			flushed is gone, or has its name of before, and one that was renamed
 *			without having been flushed itself is empty
 *
 * POWER_AT is n, POWER_SEED makes the cut another one. POWER_LIE is the end of a path whose
 * flushes do nothing, which a test is to notice. POWER_READ=n sends POWER_SIGNAL before the n-th
 * read. POWER_BAD=n has reads of sector n of any file fail with EIO. POWER_FULL=n has the n-th write to the file
 * whose path ends in POWER_FULL_PATH fail with ENOSPC; with POWER_SHORT, the write before it is
 * cut short. Flushes never reach the disk, so it is quick.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SECTOR 512
#define MAX_NAMES 8
#define MAX_FLUSHED 4096

/* A write that is not durable. */
struct pending {
	struct pending *next;	/* older */
	int fd;
	off_t offset;
	off_t size;		/* of the file before */
	size_t bytes;
	unsigned char *old;
};

static struct pending *pending;
static char *new_names[MAX_NAMES];	/* of which the directory was not flushed */

/* A rename of which the directory was not flushed, and what had the name before. */
static struct {
	char *to;
	char *old;		/* NULL: nobody */
} renamed[MAX_NAMES];

static char *empty_names[MAX_NAMES];	/* renamed without having been flushed */
static ino_t flushed[MAX_FLUSHED];
static size_t nr_flushed;
static unsigned long calls, reads, full_writes;
static uint64_t random_state;

static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static ssize_t (*real_preadv)(int, const struct iovec *, int, off_t);
static int (*real_open)(const char *, int, ...);
static int (*real_rename)(const char *, const char *);
static int (*real_ftruncate)(int, off_t);
static int (*real_fallocate)(int, int, off_t, off_t);

static unsigned long number(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : 0;
}

static bool how(const char *what)
{
	const char *text = getenv("POWER_HOW");

	return text && !strcmp(text, what);
}

static int wanted_signal(void)
{
	const char *name = getenv("POWER_SIGNAL");

	return !name ? SIGTERM : !strcmp(name, "INT") ? SIGINT : !strcmp(name, "HUP") ? SIGHUP : SIGTERM;
}

__attribute__((constructor)) static void begin(void)
{
	/* Whoever started the test may have had it ignored, as nohup(1) does, and "&" in a script. */
	signal(wanted_signal(), SIG_DFL);
	real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
	real_pread = dlsym(RTLD_NEXT, "pread64");
	real_preadv = dlsym(RTLD_NEXT, "preadv64");
	real_open = dlsym(RTLD_NEXT, "open64");
	real_rename = dlsym(RTLD_NEXT, "rename");
	real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
	real_fallocate = dlsym(RTLD_NEXT, "fallocate64");
	random_state = number("POWER_SEED") * 0x9e3779b97f4a7c15ULL + 0x2545f4914f6cdd1dULL;
}

static uint32_t draw(void)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(random_state >> 33);
}

static bool path_ends(int fd, const char *name)
{
	const char *suffix = getenv(name);
	char link[64], path[4096];
	ssize_t bytes;

	if (!suffix)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	bytes = readlink(link, path, sizeof(path) - 1);
	if (bytes < (ssize_t)strlen(suffix))
		return false;
	path[bytes] = 0;
	return !strcmp(path + bytes - strlen(suffix), suffix);
}

/* Take back what was not durable, or some of it. */
static void cut(void)
{
	struct pending *write;
	struct stat now;
	size_t at, bytes;
	unsigned int i;

	for (write = pending; write; write = write->next) {
		for (at = 0; at < write->bytes; at += SECTOR) {
			bytes = write->bytes - at < SECTOR ? write->bytes - at : SECTOR;
			if (draw() & 1 &&
			    real_pwrite(write->fd, write->old + at, bytes,
					write->offset + (off_t)at) < 0)
				abort();
		}
		if (fstat(write->fd, &now))
			abort();
		if (S_ISREG(now.st_mode) && now.st_size > write->size && draw() & 1 &&
		    real_ftruncate(write->fd, write->size + draw() % (now.st_size - write->size)))
			abort();
	}
	for (i = 0; i < MAX_NAMES; i++) {
		if (empty_names[i] && truncate(empty_names[i], 0))
			abort();
		if (new_names[i])
			unlink(new_names[i]);
	}
	for (i = MAX_NAMES; i-- > 0;)
		if (renamed[i].to && draw() & 1) {
			if (renamed[i].old)
				real_rename(renamed[i].old, renamed[i].to);
			else
				unlink(renamed[i].to);
		}
}

static bool is_time(void)
{
	return ++calls == number("POWER_AT");
}

static void send_signal(void)
{
	raise(wanted_signal());
}

static void end(void)
{
	if (how("signal")) {
		send_signal();
		return;
	}
	if (how("cut"))
		cut();
	raise(SIGKILL);
}

static void remember(int fd, size_t bytes, off_t offset)
{
	struct pending *write = calloc(1, sizeof(*write));
	struct stat now;

	if (!write || fstat(fd, &now))
		abort();
	write->old = calloc(1, bytes);
	if (!write->old || real_pread(fd, write->old, bytes, offset) < 0)
		abort();
	write->fd = fd;
	write->offset = offset;
	write->bytes = bytes;
	write->size = now.st_size;
	write->next = pending;
	pending = write;
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off_t offset)
{
	if (path_ends(fd, "POWER_FULL_PATH")) {
		full_writes++;
		if (full_writes >= number("POWER_FULL") + !!getenv("POWER_SHORT")) {
			errno = ENOSPC;
			return -1;
		}
		if (full_writes == number("POWER_FULL"))
			bytes /= 2;
	}
	if (is_time()) {
		if (!how("kill") && !how("signal")) {
			remember(fd, bytes, offset);
			if (real_pwrite(fd, data, bytes / 2, offset) < 0)
				abort();
		}
		end();
	}
	remember(fd, bytes, offset);
	return real_pwrite(fd, data, bytes, offset);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int nr, off_t offset)
{
	ssize_t bytes, done = 0;
	int i;

	for (i = 0; i < nr; i++) {
		bytes = pwrite64(fd, iov[i].iov_base, iov[i].iov_len, offset + done);
		if (bytes < 0)
			return -1;
		done += bytes;
	}
	return done;
}

static bool is_bad(off_t offset, size_t bytes)
{
	off_t bad = (off_t)number("POWER_BAD") * SECTOR;

	return getenv("POWER_BAD") && offset <= bad && bad < offset + (off_t)bytes;
}

ssize_t pread64(int fd, void *data, size_t bytes, off_t offset)
{
	if (++reads == number("POWER_READ"))
		send_signal();
	if (is_bad(offset, bytes)) {
		errno = EIO;
		return -1;
	}
	return real_pread(fd, data, bytes, offset);
}

ssize_t preadv64(int fd, const struct iovec *iov, int nr, off_t offset)
{
	if (++reads == number("POWER_READ"))
		send_signal();
	if (getenv("POWER_BAD")) {	/* one by one, by whoever asked */
		errno = EIO;
		return -1;
	}
	return real_preadv(fd, iov, nr, offset);
}

static int flush(int fd)
{
	struct pending **link = &pending, *write;
	struct stat now;
	unsigned int i;

	if (is_time())
		end();
	if (path_ends(fd, "POWER_LIE"))
		return 0;
	if (fstat(fd, &now))
		abort();
	for (i = 0; S_ISDIR(now.st_mode) && i < MAX_NAMES; i++) {
		free(new_names[i]);
		new_names[i] = NULL;
		if (renamed[i].old)
			unlink(renamed[i].old);
		free(renamed[i].old);
		free(renamed[i].to);
		renamed[i].old = renamed[i].to = NULL;
	}
	if (nr_flushed < MAX_FLUSHED)
		flushed[nr_flushed++] = now.st_ino;
	while ((write = *link)) {
		if (write->fd != fd) {
			link = &write->next;
			continue;
		}
		*link = write->next;
		free(write->old);
		free(write);
	}
	return 0;
}

int fdatasync(int fd)
{
	return flush(fd);
}

int fsync(int fd)
{
	return flush(fd);
}

int ftruncate64(int fd, off_t size)
{
	if (is_time())
		end();
	remember(fd, 0, 0);
	return real_ftruncate(fd, size);
}

int fallocate64(int fd, int mode, off_t offset, off_t bytes)
{
	if (is_time())
		end();
	return real_fallocate(fd, mode, offset, bytes);
}

static bool was_flushed(const char *path)
{
	struct stat now;
	size_t i;

	if (stat(path, &now))
		return false;
	for (i = 0; i < nr_flushed; i++)
		if (flushed[i] == now.st_ino)
			return true;
	return false;
}

int rename(const char *from, const char *to)
{
	unsigned int i;

	if (is_time())
		end();
	for (i = 0; i < MAX_NAMES - 1 && renamed[i].to; i++)
		;
	if (renamed[i].to)
		abort();	/* a directory that is never flushed */
	if (!was_flushed(from))
		empty_names[i] = strdup(to);
	if (asprintf(&renamed[i].old, "%s.before%u", to, i) < 0)
		abort();
	unlink(renamed[i].old);
	if (link(to, renamed[i].old)) {
		free(renamed[i].old);
		renamed[i].old = NULL;
	}
	renamed[i].to = strdup(to);
	return real_rename(from, to);
}

int open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;
	unsigned int i;
	int fd;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	fd = real_open(path, flags, mode);
	if (fd >= 0 && (flags & O_CREAT))
		for (i = 0; i < MAX_NAMES; i++)
			if (!new_names[i]) {
				new_names[i] = strdup(path);
				break;
			}
	return fd;
}
