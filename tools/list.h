/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of bad places, in every form that other programs write them, turned into ranges of
 * blocks of main. Each form is a struct list_parser in a file of its own; this is what they
 * have in common: reading, telling the forms apart, and the way from an address in a list to
 * a block of main.
 *
 * Every line either counts, or is known to say nothing of bad places, or is reported: none is
 * skipped silently. Says nothing itself: what there is to say goes to the caller.
 */
#ifndef TOOLS_LIST_H
#define TOOLS_LIST_H

#include <sys/types.h>

#include "format.h"
#include "ranges.h"

struct list;

/* What a list has to say besides its places. */
enum list_tone {
	LIST_NOTE,	/* worth knowing */
	LIST_WARNING,	/* the list may be incomplete, or not quite what it looks like */
};

/**
 * struct list_parser - one form of list
 * @name: as in --type
 * @title: what such a list is, for a person
 * @reason: what its blocks are mapped for
 * @unit_bytes: what its numbers count when nobody says; 0: the list says it itself
 * @unit_fixed: nobody can say otherwise
 * @of_disk: its addresses are of the whole disk, wherever main starts on it
 * @follows: each line counts by itself, so that it can be taken before the list ends
 * @line_bytes: longest line there can be
 * @state_bytes: memory it needs, zeroed, in list->state
 * @recognise: can this line be in no other form? It has no newline and is not blank
 * @begin: called first, or NULL
 * @lines: whole lines, the last byte being a newline; or NULL for @line each
 * @line: one line that is not blank, without newline and blanks at its ends
 * @chunk: instead of lines: any part of the text
 * @end: there is no more, or NULL
 * @free: frees what @state points to, or NULL; called in any case
 *
 * The functions that return a number return 0 or a negative errno; -EBADMSG after
 * list_fail().
 */
struct list_parser {
	const char *name;
	const char *title;
	enum rmeta_reason reason;
	u32 unit_bytes;
	bool unit_fixed;
	bool of_disk;
	bool follows;
	size_t line_bytes;
	size_t state_bytes;
	bool (*recognise)(const char *line, size_t bytes);
	int (*begin)(struct list *list);
	int (*lines)(struct list *list, const char *text, const char *end);
	int (*line)(struct list *list, const char *text, size_t bytes);
	int (*chunk)(struct list *list, const char *text, size_t bytes);
	int (*end)(struct list *list);
	void (*free)(struct list *list);
};

extern const struct list_parser list_badblocks, list_smart, list_ddrescue, list_kmsg,
	list_mdadm, list_dumpe2fs, list_csv;

/* All of them, in the order that they are asked in and --type names them; ended by NULL. */
extern const struct list_parser *const list_parsers[];

/**
 * struct list_wishes - what the forms ask of a person
 * @disk: kernel's name of the disk whose lines of a kernel log count, or NULL
 * @io_errors: lines of a kernel log that say "I/O error" only count, too
 * @unfinished: areas that ddrescue has not finished with count, too
 */
struct list_wishes {
	const char *disk;
	bool io_errors;
	bool unfinished;
};

/**
 * struct list_source - the disk that a list says it is of; members are "" when it does not
 * @serial: serial number
 * @wwid: as the kernel writes it: "naa.5000c500a1b2c3d4"
 */
struct list_source {
	char serial[64];
	char wwid[64];
};

/**
 * struct list - a list that is being read
 * @parser: its form, or NULL to find out
 * @unit_bytes: size of what its numbers count, or 0 for what the form says; set by then
 * @main_sectors: length of main
 * @block_shift: log2 of sectors per block of main
 * @origin_sectors: sector of main that the list calls 0, negated: what is subtracted from its
 *	addresses to get sectors of main
 * @wishes: see above
 * @known: called when the form is known, before the first line is parsed: sets what depends
 *	on it. Anything but 0 ends the reading and is returned. Or NULL
 * @reject: called for each entry that is not taken, or NULL. @line counts lines, or the
 *	entries of a list that has none
 * @say: called for what the list has to say, or NULL
 * @progress: called now and then with the bytes read so far, or NULL
 * @wait: called before each read, and may wait for input, or NULL. false: this is the end of the list
 * @arrived: called when what one read brought has been parsed, with @ranges finished, and may
 *	take them away; or NULL. Anything but 0 ends the reading and is returned. Not for lists
 *	that mean something as a whole only (@chunk)
 * @ctx: their first argument
 * @ranges: out: the blocks of main that the list names, finished
 * @source: out: the disk it is of
 * @around_sectors: out: an address may be this much in front of the bad place
 * @bytes: out: length of the list
 * @lines: out: lines read
 * @blank: out: lines without anything on them
 * @silent: out: lines that are part of the form but name no bad place
 * @rejected: out: entries that were not taken
 * @taken: out: entries that were taken
 * @clipped: out: of those, entries that are on main in part only
 * @failure: out: after -EBADMSG: why the list cannot be used as a whole; safe to print
 * @state: of the parser
 */
struct list {
	const struct list_parser *parser;
	u32 unit_bytes;
	u64 main_sectors;
	u8 block_shift;
	s64 origin_sectors;
	struct list_wishes wishes;
	int (*known)(void *ctx);
	void (*reject)(void *ctx, u64 line, const char *text, size_t bytes, const char *reason);
	void (*say)(void *ctx, enum list_tone tone, const char *text);
	void (*progress)(void *ctx, u64 bytes);
	bool (*wait)(void *ctx, int fd);
	int (*arrived)(void *ctx);
	void *ctx;

	struct ranges ranges;
	struct list_source source;
	u32 around_sectors;
	u64 bytes;
	u64 lines;
	u64 blank;
	u64 silent;
	u64 rejected;
	u64 taken;
	u64 clipped;
	char *failure;
	void *state;
};

/**
 * list_read() - read a whole list
 * @list: parameters and outcome
 * @fd: to read from
 *
 * Return: 0, or a negative errno: -ENOMEM; what read() said; -EBADMSG with list->failure set;
 * or what list->known() returned. list_free() is to be called in any case.
 */
int list_read(struct list *list, int fd);

/**
 * list_parse() - as list_read(), for a list that is in memory
 */
int list_parse(struct list *list, const char *text, size_t bytes);

/* Free what reading has left in a list. */
void list_free(struct list *list);

#endif
