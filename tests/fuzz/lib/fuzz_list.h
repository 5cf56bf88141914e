/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For fuzzers of lists: one list read from an input, and what must hold of any.
 */
#ifndef FUZZ_LIST_H
#define FUZZ_LIST_H

#include "list.h"

#define FUZZ_LIST_HEAD 4	/* bytes of an input before the list */

/**
 * fuzz_list() - read a list
 * @parser: its form, or NULL to have it found out
 * @data: an input: how long main is and where, what is counted, what is wished, then the list
 * @bytes: its length
 * @one_each: every line is one entry: it is blank, passed over, rejected or taken
 */
void fuzz_list(const struct list_parser *parser, const u8 *data, size_t bytes, bool one_each);

#endif
