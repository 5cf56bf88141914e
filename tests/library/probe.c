// SPDX-License-Identifier: GPL-2.0-only
/*
 * What other programs can see of a spare, one fact a line, for tests/library/install.t. Valid C
 * and valid C++, and built as both.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <remapmeta.h>

static void show_info(struct remapmeta *rm)
{
	struct remapmeta_info info;
	unsigned int i;
	int r = remapmeta_get_info(rm, &info, sizeof(info));

	printf("info %d\n", r);
	if (r)
		return;
	printf("uuid ");
	for (i = 0; i < sizeof(info.uuid); i++)
		printf("%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", info.uuid[i]);
	printf("\nlabel %s\n", info.label);
	printf("sequence %" PRIu64 "\nmain_sectors %" PRIu64 "\nspare_sectors %" PRIu64 "\n",
	       info.sequence, info.main_sectors, info.spare_sectors);
	printf("block_sectors %" PRIu32 "\npages_used %" PRIu32 "\n", info.block_sectors,
	       info.pages_used);
}

static void show_summary(struct remapmeta *rm)
{
	struct remapmeta_summary sum;
	int r = remapmeta_get_summary(rm, &sum, sizeof(sum));

	printf("summary %d\n", r);
	if (!r)
		printf("slots %" PRIu32 "\nmapped %" PRIu32 "\nlost %" PRIu32 "\nretired %" PRIu32
		       "\nfree %" PRIu32 "\npending_sectors %" PRIu64 "\nlost_sectors %" PRIu64
		       "\n", sum.slots, sum.mapped, sum.lost, sum.retired, sum.free,
		       sum.pending_sectors, sum.lost_sectors);
}

/* Entries as remap-dump's csv has them, and each found by its block. */
static void show_entries(struct remapmeta *rm)
{
	struct remapmeta_entry entry, other;
	uint64_t cursor = 0;
	int r;

	while ((r = remapmeta_next(rm, &cursor, &entry, sizeof(entry))) > 0) {
		printf("entry %" PRIu32 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu32 ",%" PRIu32
		       ",%s,%s,%" PRIu64 ",%" PRIu32 "\n", entry.slot, entry.block,
		       entry.main_sector, entry.spare_sector, entry.sectors, entry.mask,
		       remapmeta_state_name(entry.state), remapmeta_reason_name(entry.reason),
		       entry.time, entry.generation);
		if (entry.state != REMAPMETA_RETIRED &&
		    (remapmeta_lookup(rm, entry.block, &other, sizeof(other)) != 1 ||
		     memcmp(&entry, &other, sizeof(entry))))
			printf("not found by its block: %" PRIu64 "\n", entry.block);
	}
	printf("entries end %d\n", r);
	printf("lookup of a block that main has %d\n",
	       remapmeta_lookup(rm, UINT64_MAX, &other, sizeof(other)));
}

static void show_verdicts(struct remapmeta *rm, const char *name, uint32_t page)
{
	uint32_t verdicts[REMAPMETA_COPIES], copy;
	int r = remapmeta_get_verdicts(rm, page, verdicts);

	printf("%s %d", name, r);
	for (copy = 0; !r && copy < REMAPMETA_COPIES; copy++)
		printf(" %s", remapmeta_verdict_name(verdicts[copy]));
	printf("\n");
}

/* Programs that were built with a shorter header, or with a longer one. */
static void show_sizes(struct remapmeta *rm)
{
	struct { struct remapmeta_entry entry; uint64_t later; } larger;
	struct remapmeta_entry smaller;
	uint64_t cursor = 0;

	memset(&larger, 0xff, sizeof(larger));
	memset(&smaller, 0xff, sizeof(smaller));
	if (remapmeta_next(rm, &cursor, &larger.entry, sizeof(larger)) != 1)
		return;
	printf("later member %" PRIu64 "\n", larger.later);
	remapmeta_lookup(rm, larger.entry.block, &smaller, offsetof(struct remapmeta_entry, slot));
	printf("smaller %s, behind it %s\n",
	       smaller.block == larger.entry.block ? "is filled" : "is not filled",
	       smaller.slot == UINT32_MAX ? "untouched" : "overwritten");
}

int main(int argc, char **argv)
{
	struct remapmeta *rm = remapmeta_new();
	int fd, r;

	if (argc != 2 || !rm)
		return 2;
	show_verdicts(rm, "nothing open: verdicts", REMAPMETA_SUPERBLOCK);
	r = remapmeta_open(rm, argv[1]);
	printf("open %s\nerror %s\n", r ? strerror(-r) : "0", remapmeta_error(rm));
	show_info(rm);
	show_summary(rm);
	show_entries(rm);
	show_verdicts(rm, "superblock", REMAPMETA_SUPERBLOCK);
	show_verdicts(rm, "page 0", 0);
	show_verdicts(rm, "page 4000000000", 4000000000U);
	show_sizes(rm);
	fd = open(argv[1], O_RDONLY | O_NONBLOCK);
	printf("the same by descriptor %d\n", fd < 0 ? r : remapmeta_open_fd(rm, fd) - r);
	close(fd);
	printf("a bad descriptor %d\n", remapmeta_open_fd(rm, fd) == -EBADF);
	printf("names %s %s %s\n", remapmeta_state_name(99), remapmeta_reason_name(99),
	       remapmeta_verdict_name(99));
	remapmeta_free(rm);
	remapmeta_free(NULL);
	return 0;
}
