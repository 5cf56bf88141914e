// SPDX-License-Identifier: GPL-2.0-only
/*
 * addbench - nanoseconds per remap that a message makes durable.
 *
 * Only the time of the system call counts, which is all of the kernel's work up to the point where
 * the remaps are on the spare, and copying the message. Meant for a guest with one processor under -icount, where a
 * nanosecond is an instruction, whoever executes it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dmctl.h"

#define MESSAGE_BYTES 131000u
#define RANGE_BYTES 32u		/* at most, as text */
#define BLOCK_SECTORS 8u

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* One message of @ranges ranges; returns nanoseconds, or 0 when it did not do all of them. */
static uint64_t send_message(const char *device, uint64_t first_sector, uint64_t stride_sectors,
			     unsigned int ranges, unsigned int blocks)
{
	static char message[MESSAGE_BYTES];
	char answer[DMCTL_TEXT], expected[64];
	char *at = message;
	uint64_t start, ns;
	int r;

	at += sprintf(at, "import manual");
	for (unsigned int i = 0; i < ranges; i++)
		at += sprintf(at, " %" PRIu64 "+%u", first_sector + i * stride_sectors,
			      blocks * BLOCK_SECTORS);
	start = now_ns();
	r = dmctl_message(device, message, answer);
	ns = now_ns() - start;
	snprintf(expected, sizeof(expected), "%u/%u", ranges * blocks, ranges * blocks);
	if (r || strcmp(answer, expected)) {
		fprintf(stderr, "addbench: the answer is %s \"%s\", not %s\n", strerror(-r), answer,
			expected);
		return 0;
	}
	return ns;
}

int main(int argc, char **argv)
{
	uint64_t first_sector, stride_sectors, left, total, ns = 0;
	unsigned int ranges, blocks;

	if (argc != 7) {
		fputs("Usage: addbench NAME FIRST_SECTOR STRIDE_SECTORS RANGES RANGES_PER_MESSAGE BLOCKS_PER_RANGE\n"
		      "Prints nanoseconds per remap.\n", stderr);
		return 16;
	}
	first_sector = strtoull(argv[2], NULL, 10);
	stride_sectors = strtoull(argv[3], NULL, 10);
	left = strtoull(argv[4], NULL, 10);
	ranges = (unsigned int)strtoul(argv[5], NULL, 10);
	blocks = (unsigned int)strtoul(argv[6], NULL, 10);
	if (!left || !ranges || !blocks || ranges > MESSAGE_BYTES / RANGE_BYTES - 1) {
		fputs("addbench: bad numbers\n", stderr);
		return 16;
	}
	total = left * blocks;
	while (left) {
		unsigned int now = left < ranges ? (unsigned int)left : ranges;
		uint64_t took = send_message(argv[1], first_sector, stride_sectors, now, blocks);

		if (!took)
			return 1;
		ns += took;
		first_sector += now * stride_sectors;
		left -= now;
	}
	printf("%.0f\n", (double)ns / (double)total);
	return 0;
}
