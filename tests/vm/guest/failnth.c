// SPDX-License-Identifier: GPL-2.0-only
/*
 * failnth - do one device-mapper call again and again, failing its 1st, 2nd, 3rd ... allocation.
 *
 * Needs a kernel with FAILSLAB, FAIL_PAGE_ALLOC and /proc/thread-self/fail-nth. Only allocations
 * by this process, between entering the ioctl and leaving it, are failed. It ends when the call
 * no longer gets as far as the n-th allocation. It knows nothing of any target.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dmctl.h"

#define WORDS_BYTES 65536u
#define MAX_N 20000u

static const char usage[] =
	"Usage: failnth message NAME WORD...\n"
	"       failnth status NAME\n"
	"       failnth load NAME SECTORS TYPE PARAMETER...\n"
	"       failnth resume NAME SECTORS TYPE PARAMETER...\n"
	"load and resume make the device, with one table of one line, and remove it in the end.\n"
	"Prints how often an allocation was failed, and how often the call failed for it.\n"
	"Exit: 0; 1 the call failed with an error that is not of memory, or failed without being\n"
	"made to, or nothing was failed; 16 usage or set-up.\n";

static void die(const char *what)
{
	perror(what);
	exit(16);
}

static void join_words(char *to, size_t size, char **words)
{
	size_t at = 0;

	for (; *words; words++) {
		int n = snprintf(to + at, size - at, "%s%s", at ? " " : "", *words);

		if (n < 0 || (size_t)n >= size - at) {
			fputs("failnth: too long\n", stderr);
			exit(16);
		}
		at += (size_t)n;
	}
}

static void write_nth(int fd, unsigned int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(fd, text, (size_t)length, 0) != length)
		die("fail-nth");
}

static unsigned int read_nth(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		die("fail-nth");
	return (unsigned int)strtoul(text, NULL, 10);
}

static const char *device, *type;
static uint64_t sectors;
static char words[WORDS_BYTES];

static int no_preparation(void)
{
	return 0;
}

static int call_message(void)
{
	return dmctl_message(device, words, NULL);
}

static int call_status(void)
{
	static char status[DMCTL_TEXT];

	return dmctl_status(device, status);
}

static int prepare_load(void)
{
	return dmctl_clear(device);
}

static int call_load(void)
{
	return dmctl_reload(device, sectors, type, words);
}

static int prepare_resume(void)
{
	int r = dmctl_remove(device);

	return r ? r : dmctl_load(device, sectors, type, words);
}

static int call_resume(void)
{
	return dmctl_suspend(device, false, false);
}

static const struct kind {
	const char *name;
	int (*prepare)(void);	/* before each call, with all memory */
	int (*call)(void);
	bool makes_device;
	int other;		/* error that may stand for ENOMEM, or 0 */
} kinds[] = {
	{ "message", no_preparation, call_message, false, 0 },
	{ "status", no_preparation, call_status, false, 0 },
	/* dm_get_device() says ENODEV of a path that it had no memory to look up */
	{ "load", prepare_load, call_load, true, ENODEV },
	{ "resume", prepare_resume, call_resume, true, 0 },
};

static const struct kind *parse(int argc, char **argv)
{
	const struct kind *kind = kinds;
	const struct kind *end = kinds + sizeof(kinds) / sizeof(*kinds);

	while (kind < end && (argc < 3 || strcmp(argv[1], kind->name)))
		kind++;
	if (kind == end || (kind->makes_device && argc < 6)) {
		fputs(usage, stderr);
		exit(16);
	}
	device = argv[2];
	if (kind->makes_device) {
		sectors = strtoull(argv[3], NULL, 10);
		type = argv[4];
		join_words(words, sizeof(words), argv + 5);
	} else {
		join_words(words, sizeof(words), argv + 3);
	}
	return kind;
}

/* what is needed by no call in particular, before allocations count */
static void warm_up(const struct kind *kind)
{
	static char status[DMCTL_TEXT];
	int r = kind->makes_device ? dmctl_load(device, sectors, type, words) : dmctl_status(device, status);

	if (r) {
		errno = -r;
		die(device);
	}
}

int main(int argc, char **argv)
{
	const struct kind *kind = parse(argc, argv);
	unsigned int n, tries = 0, refused = 0, odd = 0;
	int nth_fd, error = 0;

	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	if (nth_fd < 0)
		die("/proc/thread-self/fail-nth");
	warm_up(kind);

	for (n = 1; n < MAX_N; n++) {
		bool reached;

		error = -kind->prepare();
		if (error) {
			printf("before allocation %u: %s\n", n, strerror(error));
			break;
		}
		write_nth(nth_fd, n);
		error = -kind->call();
		/* what is left of n was not used up by the call */
		reached = !read_nth(nth_fd);
		write_nth(nth_fd, 0);
		if (!reached)
			break;
		tries++;
		refused += error != 0;
		if (error && error != ENOMEM && error != kind->other) {
			printf("at allocation %u: %s\n", n, strerror(error));
			odd++;
		}
	}
	printf("%u allocations failed, %u of them failed the call, %u with an odd error; without: %s\n",
	       tries, refused, odd, error ? strerror(error) : "OK");
	if (kind->makes_device && dmctl_remove(device))
		die("cannot remove the device");
	return error || odd || !tries;
}
