/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test bed for guest programs: requests that may be made to wait, messages that must be
 * understood, numbers out of the target's status. Whatever is set-up and fails ends the program:
 * it says so and exits with 16.
 */
#ifndef BED_H
#define BED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dmctl.h"
#include "sectors.h"

#define BED_MAX_SECTORS 2048u

/* Words of the target's status that are numbers. */
enum bed_field {
	BED_USED = 2,		/* of used/slots */
	BED_PENDING = 3,
	BED_LOST = 4,
	BED_RETIRED = 5,
	BED_COPIES = 6,
	BED_READ_ERRORS = 12,
	BED_WRITE_ERRORS = 13,
	BED_SPARE_ERRORS = 14,
	BED_PARKED = 22,
};

/**
 * struct bed_op - one request, made by a thread of its own
 * @fd: device
 * @write: or read
 * @sector: first
 * @sectors: how many, at most BED_MAX_SECTORS
 * @tag: version that is written, or that a read is compared with; 0: a read of anything
 * @rw_flags: of preadv2() and pwritev2()
 * @device: instead of all that, the device that gets a message; or NULL
 * @message: the message
 * @answer: out: what it answered
 * @error: out: 0 or a negative errno
 * @wrong: out: index of the first wrong sector of a read, or -1
 * @done: private
 * @thread: private
 */
struct bed_op {
	int fd;
	bool write;
	uint64_t sector;
	uint64_t sectors;
	uint64_t tag;
	int rw_flags;
	const char *device;
	const char *message;
	char answer[DMCTL_TEXT];
	int error;
	int64_t wrong;
	atomic_bool done;
	pthread_t thread;
};

/** bed_die() - end the program, saying why */
__attribute__((noreturn, format(printf, 1, 2))) void bed_die(const char *format, ...);

/** bed_open() - open a device by its device-mapper name, for O_DIRECT */
int bed_open(const char *device);

/**
 * bed_do() - make a request and wait
 * @op: what; error and wrong are set
 *
 * Return: op->error, or -EILSEQ for wrong data.
 */
int bed_do(struct bed_op *op);

/** bed_write() - write @sectors of version @tag; returns 0 or a negative errno */
int bed_write(int fd, uint64_t sector, uint64_t sectors, uint64_t tag);

/** bed_read() - read and compare; returns 0, a negative errno, or -EILSEQ for wrong data */
int bed_read(int fd, uint64_t sector, uint64_t sectors, uint64_t tag);

/** bed_start() - start a request; bed_finish() is due */
void bed_start(struct bed_op *op);

/** bed_done_within() - has it been answered, or is it within so many milliseconds? */
bool bed_done_within(struct bed_op *op, unsigned int ms);

/** bed_finish() - wait for a request that was started; returns as bed_do() */
int bed_finish(struct bed_op *op);

/** bed_message() - send a message that must be understood */
__attribute__((format(printf, 2, 3))) void bed_message(const char *device, const char *format, ...);

/** bed_number() - a number out of the status of a remap device */
uint64_t bed_number(const char *device, enum bed_field field);

/** bed_word() - any word of any device's status; @word has DMCTL_TEXT bytes; as a number */
uint64_t bed_word(const char *device, unsigned int number, char *word);

/**
 * bed_wait() - until a word of a device's status is at least so much
 * @device: name
 * @number: of the word
 * @least: value
 *
 * Return: false after ten seconds.
 */
bool bed_wait(const char *device, unsigned int number, uint64_t least);

/** bed_create() - a device of one line, live, with a node in /dev/mapper, which udev would make */
__attribute__((format(printf, 4, 5)))
void bed_create(const char *device, uint64_t sectors, const char *type, const char *format, ...);

/** bed_remove() - remove a device; waits for openers that are about to close, as udev would */
void bed_remove(const char *device);

/** bed_ms() - milliseconds of some clock */
uint64_t bed_ms(void);

/** bed_sleep_ms() - sleep */
void bed_sleep_ms(unsigned int ms);

#endif
