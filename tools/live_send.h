/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ranges of blocks on their way to a live device: as many in each message as the target takes.
 * What a message has done is durable when the next one is sent, and between two of them the
 * program can be stopped (stop.h).
 */
#ifndef TOOLS_LIVE_SEND_H
#define TOOLS_LIVE_SEND_H

#include "live.h"

/**
 * struct live_send - messages on their way
 * @live: to where
 * @verb: what each begins with
 * @verb_words: words of it
 * @block_shift: log2 of sectors per block
 * @end_sectors: where the last block ends, which may be cut short
 * @most_blocks: in one message
 * @go_on: an error in an answer is no reason to stop
 * @done: out: blocks that messages have done
 * @answer: out: the first that has an error, or the last
 * @text: private: the next message
 * @bytes: private: its length
 * @words: private: its words
 * @blocks: private: that it names
 */
struct live_send {
	const struct live *live;
	const char *verb;
	unsigned int verb_words;
	u8 block_shift;
	u64 end_sectors;
	u64 most_blocks;
	bool go_on;
	u64 done;
	struct live_answer answer;
	char *text;
	size_t bytes;
	unsigned int words;
	u64 blocks;
};

/**
 * live_send_range() - add blocks to the next message, and send what is full
 * @send: parameters set, the rest zero at first
 * @first: block
 * @end: block behind the last
 *
 * Return: 0; -EINTR when the program is to stop; -EREMOTEIO when an answer has an error, unless
 * @go_on; or as live_message().
 */
int live_send_range(struct live_send *send, block_t first, block_t end);

/* Send what is left. Return: as live_send_range(). */
int live_send_rest(struct live_send *send);

/**
 * live_send_explain() - what an error of these functions means
 *
 * Return: words that follow "NAME: ".
 */
const char *live_send_explain(const struct live_send *send, int error);

void live_send_free(struct live_send *send);

#endif
