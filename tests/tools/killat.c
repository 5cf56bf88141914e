// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded, it ends a program with SIGKILL at the KILL_AT-th of its calls that change files: just
 * before it, or, with KILL_HALF set and a write, when half of it is done.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int is_the_one(void)
{
	static long calls;
	const char *at = getenv("KILL_AT");

	return at && ++calls == atol(at);
}

#define PWRITE(name)							\
ssize_t name(int fd, const void *data, size_t bytes, off_t at)		\
{									\
	ssize_t (*next)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, #name); \
									\
	if (is_the_one()) {						\
		if (getenv("KILL_HALF"))				\
			next(fd, data, bytes / 2, at);			\
		raise(SIGKILL);						\
	}								\
	return next(fd, data, bytes, at);				\
}

PWRITE(pwrite)
PWRITE(pwrite64)

int rename(const char *from, const char *to)
{
	int (*next)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");

	if (is_the_one())
		raise(SIGKILL);
	return next(from, to);
}

int fdatasync(int fd)
{
	int (*next)(int) = dlsym(RTLD_NEXT, "fdatasync");

	if (is_the_one())
		raise(SIGKILL);
	return next(fd);
}
