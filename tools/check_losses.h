/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a check found to be gone: slots, and the blocks of main that may be stale for it.
 */
#ifndef TOOLS_CHECK_LOSSES_H
#define TOOLS_CHECK_LOSSES_H

#include "check.h"
#include "json.h"

/**
 * struct losses - a list; all zero is an empty one
 * @list: in the order in which they were found
 * @nr: how many
 * @room: private
 */
struct losses {
	struct rmeta_loss *list;
	size_t nr;
	size_t room;
};

/* Context: ends the program when there is no memory, as report_grow(). */
void losses_add(struct losses *losses, const struct rmeta_loss *loss);
void losses_free(struct losses *losses);

/**
 * losses_print() - for a person: what is gone, and what it means for main
 * @losses: the list
 * @sb: the superblock that the check used; of 0 sectors of main when there is none
 */
void losses_print(const struct losses *losses, const struct rmeta_superblock *sb);

/* The member "lost" of the JSON object. */
void losses_json(const struct losses *losses, const struct rmeta_superblock *sb,
		 struct json *json);

#endif
