/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks under /run/dm-remap: what an administrator has said of a device, until the next boot.
 */
#ifndef RUN_MARK_H
#define RUN_MARK_H

#include <stdbool.h>
#include <stddef.h>

#define RUN_DIR "/run/dm-remap"

enum run_mark {
	RUN_MARK_EXPOSED,	/* by name: main may be seen though the device is not up */
	RUN_MARK_CLOSED,	/* by uuid of the spare: taken down, and not to come up by itself */
};

/**
 * run_dir_make() - have the directory there, for whatever is kept until the next boot
 *
 * Return: 0 or a negative errno.
 */
int run_dir_make(void);

/**
 * run_mark_set() - leave a mark
 * @mark: which
 * @of: name or uuid, without a slash
 * @text: to be found in it
 *
 * Return: 0 or a negative errno.
 */
int run_mark_set(enum run_mark mark, const char *of, const char *text);

/**
 * run_mark_clear() - take a mark away
 * @mark: which
 * @of: name or uuid
 *
 * Return: 0, also when there was none, or a negative errno.
 */
int run_mark_clear(enum run_mark mark, const char *of);

/**
 * run_mark_is() - is there a mark, with this text in it?
 * @mark: which
 * @of: name or uuid
 * @text: what was given to run_mark_set()
 *
 * Return: true or false.
 */
bool run_mark_is(enum run_mark mark, const char *of, const char *text);

/**
 * run_mark_dir() - the directory of a mark, for messages
 * @mark: which
 *
 * Return: static.
 */
const char *run_mark_dir(enum run_mark mark);

#endif
