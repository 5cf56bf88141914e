// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad sectors for a program that knows nothing of them: preloaded, it makes reads of some
 * sectors of the file BAD_FILE fail with EIO, as a dying disk does. BAD_SECTORS is a list such
 * as "0+8,1024+8". Opening that file for writing fails with EPERM: who reads a dying disk has no
 * business writing to it.
 *
 * Knows pread(), preadv() and open() in the forms that glibc has for files of any size.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SECTOR_BYTES 512

static bool is_bad_file(const struct stat *st)
{
	const char *path = getenv("BAD_FILE");
	struct stat bad;

	return path && !stat(path, &bad) && bad.st_dev == st->st_dev && bad.st_ino == st->st_ino;
}

static bool hits_bad_sector(off_t at, size_t bytes)
{
	const char *list = getenv("BAD_SECTORS");
	char *end;

	while (list && *list) {
		off_t sector = strtoll(list, &end, 10), count = 1;

		if (*end == '+')
			count = strtoll(end + 1, &end, 10);
		if (at < (sector + count) * SECTOR_BYTES &&
		    at + (off_t)bytes > sector * SECTOR_BYTES)
			return true;
		list = *end ? end + 1 : NULL;
	}
	return false;
}

static bool fails(int fd, off_t at, size_t bytes)
{
	struct stat st;

	if (fstat(fd, &st) || !is_bad_file(&st) || !hits_bad_sector(at, bytes))
		return false;
	errno = EIO;
	return true;
}

#define PREAD(name)							\
ssize_t name(int fd, void *buffer, size_t bytes, off_t at)		\
{									\
	ssize_t (*next)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, #name);	\
									\
	return fails(fd, at, bytes) ? -1 : next(fd, buffer, bytes, at);	\
}

PREAD(pread)
PREAD(pread64)

#define PREADV(name)							\
ssize_t name(int fd, const struct iovec *iov, int nr, off_t at)	\
{									\
	ssize_t (*next)(int, const struct iovec *, int, off_t) = dlsym(RTLD_NEXT, #name); \
	size_t bytes = 0;						\
	int i;								\
									\
	for (i = 0; i < nr; i++)					\
		bytes += iov[i].iov_len;				\
	return fails(fd, at, bytes) ? -1 : next(fd, iov, nr, at);	\
}

PREADV(preadv)
PREADV(preadv64)

static int open_or_fail(const char *name, const char *path, int flags, mode_t mode)
{
	int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, name);
	struct stat st;

	if ((flags & O_ACCMODE) != O_RDONLY && !stat(path, &st) && is_bad_file(&st)) {
		errno = EPERM;
		return -1;
	}
	return next(path, flags, mode);
}

#define OPEN(name)						\
int name(const char *path, int flags, ...)			\
{								\
	va_list args;						\
	mode_t mode = 0;					\
								\
	if (flags & (O_CREAT | O_TMPFILE)) {			\
		va_start(args, flags);				\
		mode = va_arg(args, mode_t);			\
		va_end(args);					\
	}							\
	return open_or_fail(#name, path, flags, mode);		\
}

OPEN(open)
OPEN(open64)
