/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One live device that is worked on: found by name or path, with the devices below it, what it
 * says of itself, and messages to it whose answers are understood. Says itself, through report.h,
 * what was wrong.
 */
#ifndef TOOLS_LIVE_H
#define TOOLS_LIVE_H

#include "blockdev.h"
#include "dm.h"
#include "status_line.h"

#define LIVE_WORDS 4096	/* that the target takes in one message */

/**
 * struct live - a live device
 * @dev: it, as device mapper has it
 * @start_sectors: where its one line begins
 * @sectors: how long that is: no more than main
 * @main: path of main
 * @spare: path of the spare
 * @status: what it said last
 */
struct live {
	struct dmdev dev;
	u64 start_sectors;
	u64 sectors;
	char main[BLOCKDEV_PATH];
	char spare[BLOCKDEV_PATH];
	struct status_line status;
};

/**
 * live_find() - is this a live device?
 * @live: out; to be freed with live_free()
 * @operand: name or path
 *
 * Return: 0, or a negative errno as of dmdev_find(), or -EMLINK when it has several lines of
 * ours. Nothing is reported; nothing to free then.
 */
int live_find(struct live *live, const char *operand);

/* Report what live_find() returned. */
void live_report(const char *operand, int error);

/**
 * live_choose() - does an operand name a live device, or a spare?
 * @live: out, when it is live: as of live_find(); nothing to free otherwise
 * @operand: a name, or a path of anything
 * @is_live: out. A name without a slash is that of a file, if there is one
 *
 * Return: 0, or a negative errno with an error reported.
 */
int live_choose(struct live *live, const char *operand, bool *is_live);

/**
 * live_refresh() - ask for the status anew
 * @live: found
 * @changing: messages that change something are to follow: a device that would refuse them
 *	(suspended, read-only, failed) is an error
 *
 * Return: 0, or a negative errno with an error reported.
 */
int live_refresh(struct live *live, bool changing);

/**
 * live_spare_uuid() - which spare a device has
 * @live: refreshed
 * @uuid: out
 *
 * A device that has failed at once may not have it in its status; device mapper has it all the same, of one
 * that remap-setup made.
 *
 * Return: false when neither tells.
 */
bool live_spare_uuid(const struct live *live, u8 uuid[16]);

/**
 * struct live_answer - what a message with ranges has done
 * @done: blocks
 * @total: blocks that it named
 * @error: "" or the name of the first error: "ENOSPC"
 * @sector: of the device, where that was, or UINT64_MAX
 */
struct live_answer {
	u64 done;
	u64 total;
	char error[16];
	u64 sector;
};

/**
 * live_message() - send a message
 * @live: found
 * @message: words
 * @answer: out; or NULL for messages that have none
 *
 * Return: 0, also where the answer has an error; or a negative errno, nothing reported: see
 * dmdev_message(), and -EBADMSG for an answer that makes no sense.
 */
int live_message(const struct live *live, const char *message, struct live_answer *answer);

/**
 * live_error_text() - an error of an answer, in words
 * @error: its name
 *
 * Return: words, or @error itself.
 */
const char *live_error_text(const char *error);

void live_free(struct live *live);

#endif
