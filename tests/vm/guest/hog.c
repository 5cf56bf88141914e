// SPDX-License-Identifier: GPL-2.0-only
/*
 * hog - use more memory than there is, and notice when it comes back different.
 *
 * Meant for a cgroup with a limit, so that most of its pages are on swap at any time. Every
 * word of a page follows from its number and the pass that wrote it. Pages are visited with a
 * large odd stride, so that reading ahead does not help.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_BYTES 4096u
#define PAGE_WORDS (PAGE_BYTES / 8)
#define STRIDE 7919u		/* prime */

static uint64_t word_of(uint64_t page, unsigned int pass, unsigned int word)
{
	return (page * 0x9e3779b97f4a7c15ull + pass) * 0xc2b2ae3d27d4eb4full + word;
}

static uint64_t wrong_pages(const uint64_t *memory, uint64_t pages, unsigned int pass)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < pages; i++) {
		uint64_t page = i * STRIDE % pages;

		for (unsigned int w = 0; w < PAGE_WORDS; w++)
			if (memory[page * PAGE_WORDS + w] != word_of(page, pass, w)) {
				wrong++;
				break;
			}
	}
	return wrong;
}

int main(int argc, char **argv)
{
	uint64_t mib, pages, wrong = 0;
	unsigned int passes;
	uint64_t *memory;

	if (argc != 3 || !(mib = strtoull(argv[1], NULL, 10)) ||
	    !(passes = (unsigned int)strtoul(argv[2], NULL, 10))) {
		fputs("Usage: hog MIB PASSES\nExit: 0; 2 wrong data; 16 usage or no memory\n", stderr);
		return 16;
	}
	pages = (mib << 20) / PAGE_BYTES;
	if (pages % STRIDE == 0)
		pages--;
	memory = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) {
		fprintf(stderr, "hog: %s\n", strerror(errno));
		return 16;
	}
	for (unsigned int pass = 1; pass <= passes; pass++) {
		for (uint64_t i = 0; i < pages; i++) {
			uint64_t page = i * STRIDE % pages;

			for (unsigned int w = 0; w < PAGE_WORDS; w++)
				memory[page * PAGE_WORDS + w] = word_of(page, pass, w);
		}
		wrong += wrong_pages(memory, pages, pass);
	}
	printf("pages=%llu passes=%u wrong=%llu\n", (unsigned long long)pages, passes,
	       (unsigned long long)wrong);
	return wrong ? 2 : 0;
}
