// SPDX-License-Identifier: GPL-2.0-only
/*
 * iobench - nanoseconds per O_DIRECT request at random places, one at a time.
 *
 * Places are STRIDE_BYTES apart, from START_BYTES on; without these, request by request.
 * Meant for a guest under -icount, where a nanosecond is an instruction: rounds that repeat
 * the same sequence of places differ only by interrupts, so the minimum is the figure.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	enum { MAX_ROUNDS = 100 };
	double ns_per_op[MAX_ROUNDS];
	unsigned int rounds, ops;
	uint64_t places, bytes, area_bytes, stride_bytes, start_bytes;
	int write, fd;
	void *buffer;

	if (argc != 7 && argc != 9) {
		fputs("Usage: iobench r|w DEVICE AREA_BYTES REQUEST_BYTES OPS ROUNDS [STRIDE_BYTES START_BYTES]\n"
		      "Prints minimum and median nanoseconds per request over the rounds.\n", stderr);
		return 16;
	}
	write = argv[1][0] == 'w';
	area_bytes = strtoull(argv[3], NULL, 0);
	bytes = strtoull(argv[4], NULL, 0);
	ops = (unsigned int)strtoul(argv[5], NULL, 0);
	rounds = (unsigned int)strtoul(argv[6], NULL, 0);
	stride_bytes = argc > 7 ? strtoull(argv[7], NULL, 0) : bytes;
	start_bytes = argc > 7 ? strtoull(argv[8], NULL, 0) : 0;
	fd = open(argv[2], O_RDWR | O_DIRECT);
	if (fd < 0) {
		fprintf(stderr, "iobench: %s: %s\n", argv[2], strerror(errno));
		return 16;
	}
	if (!bytes || stride_bytes < bytes || area_bytes < stride_bytes || !ops || !rounds || rounds > MAX_ROUNDS ||
	    posix_memalign(&buffer, 4096, bytes)) {
		fputs("iobench: bad sizes\n", stderr);
		return 16;
	}
	places = area_bytes / stride_bytes;
	memset(buffer, 1, bytes);

	/* round 0 warms up and is not counted */
	for (unsigned int r = 0; r <= rounds; r++) {
		uint64_t random = 88172645463325252ull, start = now_ns();

		for (unsigned int i = 0; i < ops; i++) {
			off_t offset;
			ssize_t done;

			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			offset = (off_t)(start_bytes + random % places * stride_bytes);
			done = write ? pwrite(fd, buffer, bytes, offset) :
				       pread(fd, buffer, bytes, offset);
			if (done != (ssize_t)bytes) {
				fprintf(stderr, "iobench: at %lld: %s\n", (long long)offset,
					done < 0 ? strerror(errno) : "short");
				return 1;
			}
		}
		if (r)
			ns_per_op[r - 1] = (double)(now_ns() - start) / ops;
	}
	qsort(ns_per_op, rounds, sizeof(*ns_per_op), by_value);
	printf("%.1f %.1f\n", ns_per_op[0], ns_per_op[rounds / 2]);
	return 0;
}
