// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges of blocks on their way to a live device. See live_send.h.
 */
#include <stdio.h>

#include "live_send.h"
#include "progress.h"
#include "report.h"
#include "stop.h"

#define WORD_BYTES 48	/* " <sector>+<count>" */

static void begin_message(struct live_send *send)
{
	size_t verb_bytes = strlen(send->verb);

	if (!send->text)
		send->text = report_alloc(verb_bytes + (size_t)LIVE_WORDS * WORD_BYTES);
	memcpy(send->text, send->verb, verb_bytes + 1);
	send->bytes = verb_bytes;
	send->words = send->verb_words;
	send->blocks = 0;
}

int live_send_rest(struct live_send *send)
{
	struct live_answer answer;
	int r;

	if (!send->blocks)
		return 0;
	if (stop_requested())
		return -EINTR;
	r = live_message(send->live, send->text, &answer);
	if (r)
		return r;
	send->done += answer.done;
	progress_update(send->done);
	if (!send->answer.error[0])
		send->answer = answer;
	begin_message(send);
	return answer.done == answer.total || send->go_on ? 0 : -EREMOTEIO;
}

int live_send_range(struct live_send *send, block_t first, block_t end)
{
	u64 blocks, sector, end_sector;
	int r = 0;

	if (!send->text)
		begin_message(send);
	while (first < end && !r) {
		blocks = min(end - first, send->most_blocks - send->blocks);
		sector = first << send->block_shift;
		end_sector = min((first + blocks) << send->block_shift, send->end_sectors);
		send->bytes += (size_t)sprintf(send->text + send->bytes, " %llu+%llu",
					       (unsigned long long)sector,
					       (unsigned long long)(end_sector - sector));
		send->words++;
		send->blocks += blocks;
		first += blocks;
		if (send->words == LIVE_WORDS || send->blocks == send->most_blocks)
			r = live_send_rest(send);
	}
	return r;
}

const char *live_send_explain(const struct live_send *send, int error)
{
	switch (error) {
	case -EINTR:
		return "interrupted";
	case -EREMOTEIO:
		return live_error_text(send->answer.error);
	case -EINVAL:
		return "refused the message; the kernel log says why (dmesg)";
	default:
		return dmdev_explain(error);
	}
}

void live_send_free(struct live_send *send)
{
	free(send->text);
	send->text = NULL;
}
