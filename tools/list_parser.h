/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parsers of lists share: taking an entry, refusing one, refusing the whole list,
 * and scanning text that is not ended by a NUL. See list.h.
 */
#ifndef TOOLS_LIST_PARSER_H
#define TOOLS_LIST_PARSER_H

#include "list.h"

#define LIST_LINE_BYTES ((size_t)1 << 20)	/* no sensible line is longer */

/**
 * list_add() - take an entry
 * @list: the list
 * @first_unit: where it starts, in units of list->unit_bytes
 * @units: how many
 * @text: how the list says it, for a message
 * @bytes: length of @text
 *
 * The part of it that is not on main is left out; one that is not on main at all is rejected.
 *
 * Return: 0 or -ENOMEM.
 */
int list_add(struct list *list, u64 first_unit, u64 units, const char *text, size_t bytes);

/**
 * list_line() - any line, without its newline: counts it, and passes it on unless it is blank
 *
 * For parsers that have lines() and want to get rid of one.
 */
int list_line(struct list *list, const char *text, size_t bytes);

/* Do not take an entry. @reason is what follows its text in a message: "is negative". */
void list_reject(struct list *list, const char *text, size_t bytes, const char *reason);

/**
 * list_fail() - the list as a whole cannot be used
 *
 * Return: -EBADMSG; the first reason is the one that stays.
 */
__attribute__((format(printf, 2, 3)))
int list_fail(struct list *list, const char *fmt, ...);

/* Something to say of the list. */
__attribute__((format(printf, 3, 4)))
void list_say(struct list *list, enum list_tone tone, const char *fmt, ...);

/**
 * struct scan - text that is being looked at; moves on as parts of it are accepted
 */
struct scan {
	const char *at;
	const char *end;
};

static inline struct scan scan_line(const char *text, size_t bytes)
{
	return (struct scan){ text, text + bytes };
}

static inline size_t scan_left(const struct scan *scan)
{
	return (size_t)(scan->end - scan->at);
}

/* Pass blanks. Return: how many. */
size_t scan_blanks(struct scan *scan);

/* Pass exactly this word. Return: is it there? */
bool scan_word(struct scan *scan, const char *word);

/* Pass a decimal number, without sign. Return: false when there is none, or above 2^64 - 1. */
bool scan_number(struct scan *scan, u64 *number);

/* As scan_number(), but as C writes them: 0x for hexadecimal, 0 for octal. */
bool scan_c_number(struct scan *scan, u64 *number);

/* Where @word begins first in the rest of the text, or NULL. */
const char *scan_find(const struct scan *scan, const char *word);

/* Why a word that should have been a decimal number is not one. */
const char *scan_explain(const char *text, size_t bytes);

/* A blank within a line. */
static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

#endif
