// SPDX-License-Identifier: GPL-2.0-only
/*
 * sio - aligned O_DIRECT requests, one at a time, with an answer a script can compare.
 *
 * It owns nothing and remembers nothing: what a sector should hold follows from its address
 * and a tag given on the command line, so any later call can check what an earlier one wrote.
 * All addresses and counts are in sectors of 512 bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sectors.h"

#define MAX_REQUEST_SECTORS 32768u

struct request {
	char op;
	const char *path;
	int fd;
	uint64_t sector;
	uint64_t count_sectors;
	uint64_t request_sectors;	/* size of one request */
	uint64_t stride_sectors;	/* from one request to the next */
	int rw_flags;
	bool check;
	bool addressed;			/* each word says sector and tag; else all bytes are tag */
	uint64_t tag;
};

static const char usage[] =
	"Usage: sio [OPTION]... r|w|f|z|u|d|e|g|p|h|a DEVICE [SECTOR [COUNT [TAG]]]\n"
	"  r read, w write, f flush, z zero range, u zero range (may unmap), d discard,\n"
	"  e secure erase,\n"
	"  g read to standard output, p write from standard input (then the line is on stderr),\n"
	"  h read, and print a hash of the data at the end\n"
	"  a read ahead, into the page cache; OK says that it was asked for, no more\n"
	"  TAG     N: every byte is N; @N: every sector carries its own address and N;\n"
	"          written by w, compared by r when given\n"
	"  -b N    requests of N sectors (default: all COUNT in one, up to 16 MiB)\n"
	"  -s N    N sectors from the start of one request to the next (default: -b)\n"
	"  -a N    address written into or expected from the first sector is N, not SECTOR\n"
	"  -D      write durably (RWF_DSYNC, that is FUA)\n"
	"  -N      RWF_NOWAIT\n"
	"  -k      keep going after an error; the last error is the exit status\n"
	"Prints one line: OP SECTOR+COUNT OK, or the name of the error and where;\n"
	"WRONG when the data differs. Exit: 0 OK, 1 I/O error, 2 wrong data, 16 usage\n";

static void fill(const struct request *rq, uint64_t *buffer, uint64_t address_sector,
		 uint64_t sectors)
{
	if (rq->addressed)
		sectors_fill(buffer, address_sector, sectors, rq->tag);
	else
		memset(buffer, (int)rq->tag & 0xff, sectors * SECTOR_SIZE);
}

/* Index of the first sector that differs, or -1. */
static int64_t first_wrong(const struct request *rq, const uint64_t *buffer,
			   uint64_t address_sector, uint64_t sectors)
{
	const unsigned char *bytes = (const unsigned char *)buffer;

	if (rq->addressed)
		return sectors_wrong(buffer, address_sector, sectors, rq->tag);
	for (uint64_t i = 0; i < sectors * SECTOR_SIZE; i++)
		if (bytes[i] != (rq->tag & 0xff))
			return (int64_t)(i / SECTOR_SIZE);
	return -1;
}

/* One request; returns 0 or a negative errno. A short transfer is -EIO. */
static int transfer(const struct request *rq, void *buffer, uint64_t sector, uint64_t sectors)
{
	struct iovec iov = { buffer, sectors * SECTOR_SIZE };
	off_t offset = (off_t)(sector * SECTOR_SIZE);
	uint64_t range[2] = { sector * SECTOR_SIZE, sectors * SECTOR_SIZE };
	ssize_t done;

	switch (rq->op) {
	case 'r':
	case 'g':
	case 'h':
		done = preadv2(rq->fd, &iov, 1, offset, rq->rw_flags);
		break;
	case 'w':
	case 'p':
		done = pwritev2(rq->fd, &iov, 1, offset, rq->rw_flags);
		break;
	case 'f':
		return fsync(rq->fd) ? -errno : 0;
	case 'z':
		return ioctl(rq->fd, BLKZEROOUT, range) ? -errno : 0;
	case 'u':
		return fallocate(rq->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
				 (off_t)range[1]) ? -errno : 0;
	case 'a':
		/* Only what is not cached is read, and what failed may not be: start afresh. */
		posix_fadvise(rq->fd, offset, (off_t)range[1], POSIX_FADV_DONTNEED);
		return readahead(rq->fd, offset, range[1]) ? -errno : 0;
	case 'e':
		return ioctl(rq->fd, BLKSECDISCARD, range) ? -errno : 0;
	default:
		return ioctl(rq->fd, BLKDISCARD, range) ? -errno : 0;
	}
	if (done < 0)
		return -errno;
	return (uint64_t)done == sectors * SECTOR_SIZE ? 0 : -EIO;
}

/* All of it, to or from a pipe. */
static void stream(bool out, void *buffer, size_t bytes)
{
	if (out ? fwrite(buffer, 1, bytes, stdout) != bytes : fread(buffer, 1, bytes, stdin) != bytes) {
		fputs("sio: standard input or output is too short\n", stderr);
		exit(16);
	}
}

/* FNV-1a over words: to compare two devices' contents within one test, no more. */
static uint64_t add_to_hash(uint64_t hash, const uint64_t *words, uint64_t sectors)
{
	for (uint64_t i = 0; i < sectors * SECTOR_SIZE / 8; i++)
		hash = (hash ^ words[i]) * 0x100000001b3ull;
	return hash;
}

static int run(struct request *rq, uint64_t address_sector, bool keep_going)
{
	FILE *answer = rq->op == 'g' ? stderr : stdout;
	uint64_t done_sectors = 0, step = 0, hash = 0xcbf29ce484222325ull;
	int status = 0;
	void *buffer;
	bool moves_data = strchr("rwgph", rq->op);

	if (posix_memalign(&buffer, 4096, (moves_data ? rq->request_sectors : 1) * SECTOR_SIZE)) {
		perror("sio");
		return 16;
	}
	while (done_sectors < rq->count_sectors) {
		uint64_t sectors = rq->count_sectors - done_sectors;
		uint64_t sector = rq->sector + step * rq->stride_sectors;
		uint64_t address = address_sector + step * rq->stride_sectors;
		int64_t wrong;
		int error;

		if (sectors > rq->request_sectors)
			sectors = rq->request_sectors;
		if (rq->op == 'r')
			memset(buffer, 0x5c, sectors * SECTOR_SIZE);
		else if (rq->op == 'w')
			fill(rq, buffer, address, sectors);
		else if (rq->op == 'p')
			stream(false, buffer, sectors * SECTOR_SIZE);
		error = transfer(rq, buffer, sector, sectors);
		if (error) {
			fprintf(answer, "%c %llu+%llu %s\n", rq->op, (unsigned long long)sector,
				(unsigned long long)sectors, strerrorname_np(-error));
			status = 1;
		} else if (rq->op == 'h') {
			hash = add_to_hash(hash, buffer, sectors);
		} else if (rq->op == 'g') {
			stream(true, buffer, sectors * SECTOR_SIZE);
		} else if (rq->op == 'r' && rq->check) {
			wrong = first_wrong(rq, buffer, address, sectors);
			if (wrong >= 0) {
				printf("r %llu+%llu WRONG at %llu first=0x%02x\n",
				       (unsigned long long)sector, (unsigned long long)sectors,
				       (unsigned long long)sector + (unsigned long long)wrong,
				       ((unsigned char *)buffer)[wrong * SECTOR_SIZE]);
				status = 2;
			}
		}
		if (status && !keep_going)
			break;
		done_sectors += sectors;
		step++;
	}
	if (!status && rq->op == 'h')
		printf("%016llx\n", (unsigned long long)hash);
	else if (!status)
		fprintf(answer, "%c %llu+%llu OK\n", rq->op, (unsigned long long)rq->sector,
			(unsigned long long)rq->count_sectors);
	free(buffer);
	return status;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || *end || end == text) {
		fprintf(stderr, "sio: \"%s\" is not a number\n", text);
		exit(16);
	}
	return value;
}

int main(int argc, char **argv)
{
	struct request rq = { .count_sectors = 1 };
	uint64_t address_sector = UINT64_MAX;
	bool keep_going = false;
	int opt;

	while ((opt = getopt(argc, argv, "b:s:a:DNk")) != -1) {
		switch (opt) {
		case 'b':
			rq.request_sectors = number(optarg);
			break;
		case 's':
			rq.stride_sectors = number(optarg);
			break;
		case 'a':
			address_sector = number(optarg);
			break;
		case 'D':
			rq.rw_flags |= RWF_DSYNC;
			break;
		case 'N':
			rq.rw_flags |= RWF_NOWAIT;
			break;
		case 'k':
			keep_going = true;
			break;
		default:
			fputs(usage, stderr);
			return 16;
		}
	}
	argc -= optind;
	argv += optind;
	if (argc < 2 || strlen(argv[0]) != 1 || !strchr("rwfzudegpha", argv[0][0])) {
		fputs(usage, stderr);
		return 16;
	}
	rq.op = argv[0][0];
	rq.path = argv[1];
	if (argc > 2)
		rq.sector = number(argv[2]);
	if (argc > 3)
		rq.count_sectors = number(argv[3]);
	if (argc > 4) {
		rq.check = true;
		rq.addressed = argv[4][0] == '@';
		rq.tag = number(argv[4] + rq.addressed);
	}
	if (!rq.request_sectors)
		rq.request_sectors = rq.count_sectors;
	if (strchr("rwgph", rq.op) && rq.request_sectors > MAX_REQUEST_SECTORS)
		rq.request_sectors = MAX_REQUEST_SECTORS;
	if (!rq.stride_sectors)
		rq.stride_sectors = rq.request_sectors;
	if (!rq.request_sectors) {
		fputs("sio: nothing to do: a count of 0 sectors\n", stderr);
		return 16;
	}
	if (address_sector == UINT64_MAX)
		address_sector = rq.sector;

	rq.fd = open(rq.path, (strchr("rgha", rq.op) ? O_RDONLY : O_RDWR) |
		     (rq.op == 'a' ? 0 : O_DIRECT));
	if (rq.fd < 0) {
		printf("open %s %s\n", rq.path, strerrorname_np(errno));
		return 1;
	}
	return run(&rq, address_sector, keep_going);
}
