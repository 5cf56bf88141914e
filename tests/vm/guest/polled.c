// SPDX-License-Identifier: GPL-2.0-only
/*
 * polled - O_DIRECT requests by io_uring, many at a time. Their submitter spins for the answer
 * (IOPOLL); with R and W it is woken. Data and answers are as sio's.
 *
 *	polled r|w|R|W DEVICE SECTOR COUNT TAG [REQUEST_SECTORS [FILE]]
 *
 * FILE is made when the first requests have been submitted, and nobody asks for their answers until it
 * is gone.
 *
 * Prints one line: OP SECTOR+COUNT OK, or the first request that went wrong and the name of its
 * error, as the ring gave it, or WRONG. Exit: 0 OK, 1 I/O error, 2 wrong data, 16 usage, set-up.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sectors.h"

#define DEPTH 32u

/* The ring as it is mapped; with IORING_FEAT_SINGLE_MMAP the two queues are in one piece. */
struct ring {
	int fd;
	struct io_uring_sqe *sqes;
	_Atomic uint32_t *sq_tail;
	uint32_t *sq_array;
	uint32_t sq_mask;
	_Atomic uint32_t *cq_head;
	_Atomic uint32_t *cq_tail;
	const struct io_uring_cqe *cqes;
	uint32_t cq_mask;
};

struct request {
	uint64_t sector;
	uint64_t sectors;
	void *buffer;
};

struct job {
	char op;
	bool write;
	int fd;
	uint64_t tag;
	uint64_t next;			/* sector */
	uint64_t end;
	uint64_t request_sectors;
	unsigned int in_flight;
	unsigned int unsubmitted;	/* of these, in the ring only */
	struct request requests[DEPTH];
	int status;
};

__attribute__((noreturn)) static void die(const char *what)
{
	printf("polled: %s: %s\n", what, strerror(errno));
	exit(16);
}

static void *map_ring(const struct ring *ring, size_t bytes, off_t offset)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
			offset);

	if (at == MAP_FAILED)
		die("cannot map the ring");
	return at;
}

static void open_ring(struct ring *ring, bool spin)
{
	struct io_uring_params params = { .flags = spin ? IORING_SETUP_IOPOLL : 0 };
	size_t sq_bytes, cq_bytes;
	char *queues;

	ring->fd = (int)syscall(SYS_io_uring_setup, DEPTH, &params);
	if (ring->fd < 0)
		die("no ring");
	if (!(params.features & IORING_FEAT_SINGLE_MMAP))
		die("a ring in two pieces");
	sq_bytes = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
	cq_bytes = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	queues = map_ring(ring, sq_bytes > cq_bytes ? sq_bytes : cq_bytes, IORING_OFF_SQ_RING);
	ring->sqes = map_ring(ring, params.sq_entries * sizeof(*ring->sqes), IORING_OFF_SQES);
	ring->sq_tail = (_Atomic uint32_t *)(queues + params.sq_off.tail);
	ring->sq_array = (uint32_t *)(queues + params.sq_off.array);
	ring->sq_mask = *(uint32_t *)(queues + params.sq_off.ring_mask);
	ring->cq_head = (_Atomic uint32_t *)(queues + params.cq_off.head);
	ring->cq_tail = (_Atomic uint32_t *)(queues + params.cq_off.tail);
	ring->cqes = (const struct io_uring_cqe *)(queues + params.cq_off.cqes);
	ring->cq_mask = *(uint32_t *)(queues + params.cq_off.ring_mask);
}

/* Start the request with this number; it is free. */
static void start(struct ring *ring, struct job *job, unsigned int nr)
{
	struct request *request = &job->requests[nr];
	uint32_t tail = atomic_load(ring->sq_tail), at = tail & ring->sq_mask;
	uint64_t left = job->end - job->next;

	request->sector = job->next;
	request->sectors = left < job->request_sectors ? left : job->request_sectors;
	job->next += request->sectors;
	if (job->write)
		sectors_fill(request->buffer, request->sector, request->sectors, job->tag);
	else
		memset(request->buffer, 0x5c, request->sectors * SECTOR_SIZE);
	ring->sqes[at] = (struct io_uring_sqe){
		.opcode = job->write ? IORING_OP_WRITE : IORING_OP_READ,
		.fd = job->fd,
		.off = request->sector * SECTOR_SIZE,
		.addr = (uintptr_t)request->buffer,
		.len = (uint32_t)(request->sectors * SECTOR_SIZE),
		.user_data = nr,
	};
	ring->sq_array[at] = at;
	atomic_store(ring->sq_tail, tail + 1);
	job->in_flight++;
	job->unsubmitted++;
}

static void check(struct job *job, const struct request *request, int result)
{
	int64_t wrong;

	if (job->status)
		return;
	if (result != (int)(request->sectors * SECTOR_SIZE)) {
		printf("%c %llu+%llu %s\n", job->op, (unsigned long long)request->sector,
		       (unsigned long long)request->sectors,
		       result < 0 ? strerrorname_np(-result) : "SHORT");
		job->status = 1;
		return;
	}
	wrong = job->write ? -1 : sectors_wrong(request->buffer, request->sector,
						request->sectors, job->tag);
	if (wrong >= 0) {
		printf("%c %llu+%llu WRONG at %llu\n", job->op, (unsigned long long)request->sector,
		       (unsigned long long)request->sectors,
		       (unsigned long long)request->sector + (unsigned long long)wrong);
		job->status = 2;
	}
}

/* Submit what was started, spin until something is answered, and go on with those. */
static void turn(struct ring *ring, struct job *job)
{
	uint32_t head;
	int r;

	r = (int)syscall(SYS_io_uring_enter, ring->fd, job->unsubmitted, 1, IORING_ENTER_GETEVENTS,
			 NULL, 0);
	if (r < 0 && errno != EINTR && errno != EAGAIN)
		die("the ring does not turn");
	job->unsubmitted -= r > 0 ? (unsigned int)r : 0;
	head = atomic_load(ring->cq_head);
	while (head != atomic_load(ring->cq_tail)) {
		const struct io_uring_cqe *cqe = &ring->cqes[head++ & ring->cq_mask];
		struct request *request = &job->requests[cqe->user_data];

		check(job, request, cqe->res);
		request->sectors = 0;
		job->in_flight--;
	}
	atomic_store(ring->cq_head, head);
}

static void hold(struct ring *ring, struct job *job, const char *file)
{
	int r = (int)syscall(SYS_io_uring_enter, ring->fd, job->unsubmitted, 0, 0, NULL, 0);
	int fd = creat(file, 0600);

	if (r < 0 || fd < 0)
		die(file);
	job->unsubmitted -= (unsigned int)r;
	close(fd);
	while (!access(file, F_OK))
		usleep(10000);
}

/* @held: as FILE, or NULL */
static void run(struct ring *ring, struct job *job, const char *held)
{
	unsigned int nr;

	do {
		for (nr = 0; nr < DEPTH && job->next < job->end && !job->status; nr++) {
			if (!job->requests[nr].sectors)
				start(ring, job, nr);
		}
		if (held)
			hold(ring, job, held);
		held = NULL;
		if (job->in_flight)
			turn(ring, job);
	} while (job->in_flight || (job->next < job->end && !job->status));
}

int main(int argc, char **argv)
{
	struct job job = { .status = 0 };
	uint64_t sector, count;
	struct ring ring;

	if (argc < 6 || !strchr("rwRW", argv[1][0]) || argv[5][0] != '@') {
		fputs("Usage: polled r|w|R|W DEVICE SECTOR COUNT @TAG [REQUEST_SECTORS [FILE]]\n", stderr);
		return 16;
	}
	job.op = argv[1][0];
	job.write = strchr("wW", job.op);
	sector = strtoull(argv[3], NULL, 0);
	count = strtoull(argv[4], NULL, 0);
	job.tag = strtoull(argv[5] + 1, NULL, 0);
	job.next = sector;
	job.end = sector + count;
	job.request_sectors = argc > 6 ? strtoull(argv[6], NULL, 0) : count;
	job.fd = open(argv[2], (job.write ? O_RDWR : O_RDONLY) | O_DIRECT);
	if (job.fd < 0)
		die(argv[2]);
	for (unsigned int nr = 0; nr < DEPTH; nr++)
		if (posix_memalign(&job.requests[nr].buffer, 4096, job.request_sectors * SECTOR_SIZE))
			die("no memory");
	open_ring(&ring, strchr("rw", job.op));
	run(&ring, &job, argc > 7 ? argv[7] : NULL);
	if (!job.status)
		printf("%c %llu+%llu OK\n", job.op, (unsigned long long)sector,
		       (unsigned long long)count);
	return job.status;
}
