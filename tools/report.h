/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything a tool says: messages on stderr, results on stdout, one JSON object instead of
 * the results with --json, and the exit status.
 *
 * One program, one report: the state is global. A format string's arguments must be safe to
 * show; text from elsewhere goes through escape_text() first.
 */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include <stdarg.h>

#include "json.h"

/* Exit statuses. remap-check's first three are bits that add up, as fsck(8)'s. */
enum report_status {
	STATUS_DONE = 0,
	STATUS_LOOK = 1,	/* done, with something left to look at, which was printed */
	STATUS_CORRECTED = 1,	/* remap-check: problems were repaired */
	STATUS_DAMAGED = 4,	/* the metadata is damaged, and stays so */
	STATUS_FAILED = 8,	/* could not be done */
	STATUS_USAGE = 16,	/* the command line makes no sense */
	STATUS_CANCELLED = 32,	/* stopped by the user */
};

enum report_auto { REPORT_AUTO, REPORT_ALWAYS, REPORT_NEVER, REPORT_JSON };

/**
 * struct report_options - how much to say, and in which form
 * @quiet: results and notes are left out; warnings and errors stay
 * @verbose: more of everything
 * @json: one JSON object on stdout instead of text
 * @color: enum report_auto, without REPORT_JSON
 * @progress: enum report_auto
 */
struct report_options {
	bool quiet;
	bool verbose;
	bool json;
	int color;
	int progress;
};

/* What colours mean. */
enum report_color { COLOR_NONE, COLOR_GOOD, COLOR_WARN, COLOR_BAD, COLOR_STRONG };

/**
 * report_init() - before anything else
 * @tool: name of the program, for messages
 */
void report_init(const char *tool);

/* Takes over the options, once they are parsed. */
void report_configure(const struct report_options *options);

/* Messages. They are lines; also kept for the JSON object. info: not with -q. */
__attribute__((format(printf, 1, 2))) void report_error(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void report_warn(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void report_info(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void report_verbose(const char *fmt, ...);

/* Results, to stdout: nothing with --json or -q. */
__attribute__((format(printf, 1, 2))) void report_out(const char *fmt, ...);

/* Are results printed as text? */
bool report_is_text(void);
bool report_is_verbose(void);
const struct report_options *report_options(void);

/**
 * report_paint() - the escape sequence that starts a colour on a stream
 * @stream: stdout or stderr
 * @color: which; COLOR_NONE ends the colour
 *
 * Return: a sequence, or "" where there is no colour.
 */
const char *report_paint(FILE *stream, enum report_color color);

/**
 * report_json() - the JSON object, begun
 *
 * Return: the writer, inside the top-level object with "tool" and "format_version" already
 * there; NULL unless --json was given. report_finish() ends it.
 */
struct json *report_json(void);

/**
 * report_json_to() - have the JSON object written to @stream instead of stdout
 *
 * Called before report_json(); @stream stays the caller's.
 */
void report_json_to(FILE *stream);

/**
 * report_finish() - the end of a program
 * @status: exit status
 *
 * Ends the JSON object with "messages" and "exit_status"; flushes stdout.
 *
 * Return: what main() returns: @status, or STATUS_FAILED when the output could not be
 * written.
 */
int report_finish(int status);

/**
 * report_must_fail() - whatever is done from now on, the program has failed
 *
 * For what happens below the parts that decide on the exit status: report_finish() gives
 * STATUS_FAILED then, beside what remap-check says of damage.
 */
void report_must_fail(void);

/**
 * report_alloc() - zeroed memory to free()
 * @bytes: how many
 *
 * Return: the memory, never NULL: without memory the program says so and exits with
 * STATUS_FAILED. For small things only; what grows with the size of a table is allocated by
 * the engine, which can fail in order.
 */
void *report_alloc(size_t bytes);

/**
 * report_format() - as asprintf()
 *
 * Return: a string to free(); never NULL, as report_alloc().
 */
__attribute__((format(printf, 1, 2)))
char *report_format(const char *fmt, ...);

/* As report_format(), for a function that takes a format itself. */
__attribute__((format(printf, 1, 0)))
char *report_format_va(const char *fmt, va_list ap);

/**
 * report_grow() - make room for one more in an array
 * @array: the array, or NULL
 * @nr: elements in it
 * @room: elements it has room for; updated
 * @element_bytes: size of one
 *
 * Return: the array, moved perhaps; never NULL, as report_alloc().
 */
void *report_grow(void *array, size_t nr, size_t *room, size_t element_bytes);

__attribute__((noreturn)) void report_out_of_memory(void);

/**
 * report_before_exit() - have something done when the program ends for lack of memory
 * @restore: what; NULL for nothing any more
 *
 * For a program that has changed how its terminal works.
 */
void report_before_exit(void (*restore)(void));

#endif
