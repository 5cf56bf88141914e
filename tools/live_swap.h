/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Taking a live device down and bringing it up again as it was, but for its spare.
 */
#ifndef TOOLS_LIVE_SWAP_H
#define TOOLS_LIVE_SWAP_H

#include "live.h"

/**
 * struct live_swap - a device, live at first
 * @live: the device, if @is_live
 * @is_live: it was live when it was looked for
 * @down: it was taken down
 * @words: features in its table, without force_main
 * @nr_words: how many
 * @force_main: its table has that
 * @closed: device mapper's uuid of it, while events are to leave it down; or ""
 */
struct live_swap {
	struct live live;
	bool is_live;
	bool down;
	char words[256];
	unsigned int nr_words;
	bool force_main;
	char closed[BLOCKDEV_DM_UUID];
};

/**
 * live_swap_find() - is this a live device, and can it be taken down?
 * @swap: out; live_swap_free() in any case
 * @operand: name or path of it, or of anything else
 *
 * Return: an exit status, with an error reported: it is in use, or cannot be looked at.
 */
int live_swap_find(struct live_swap *swap, const char *operand);

/**
 * live_swap_down() - take it down, if it is live
 *
 * No event of a disk brings it up meanwhile: it is as one that was closed, until live_swap_up().
 *
 * Return: an exit status, with an error reported: it is up still.
 */
int live_swap_down(struct live_swap *swap);

/**
 * live_swap_up() - bring it up again, under its name and with its options
 * @swap: taken down
 * @spare: path of its spare now
 * @uuid: of that
 *
 * When it cannot be done the marks go that keep events from it.
 *
 * Return: an exit status, with everything said, the command that brings it up, too.
 */
int live_swap_up(struct live_swap *swap, const char *spare, const u8 uuid[16]);

/**
 * live_swap_command() - the command that brings it up by hand
 * @swap: taken down
 * @spare: path of its spare then
 *
 * Return: for a message, to free(); command.h.
 */
char *live_swap_command(const struct live_swap *swap, const char *spare);

/**
 * live_swap_say_back() - is its spare here, but not where the device has it?
 * @swap: live_swap_find() was called
 * @list: block devices
 *
 * A disk that dropped off comes back under another node, and a live device stays with the one that is gone.
 * Its spare is whole then, for all that the path of it says.
 *
 * Return: true if it is: an error names the commands that bring the device up with it.
 */
bool live_swap_say_back(const struct live_swap *swap, const struct blockdev_list *list);

/* Forget it. */
void live_swap_free(struct live_swap *swap);

#endif
