/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON, read as a stream: the counterpart of json.h, over yajl's parser. The caller feeds
 * bytes and is called back for each value with where it stands in the text; nothing is kept
 * but the path to it, whatever the length of an array.
 *
 * Strict: comments, a second value behind the first, invalid UTF-8 and a text that ends too
 * early are errors. Knows nothing of what a text is about.
 */
#ifndef TOOLS_JSON_READ_H
#define TOOLS_JSON_READ_H

#include <stddef.h>

#include "host.h"

#define JSON_DEPTH 32		/* maps and arrays inside each other, at most */
#define JSON_KEY_BYTES 64	/* a longer key matches nothing */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING };

/**
 * struct json_value - a value that is neither a map nor an array
 * @type: what it is
 * @boolean: of JSON_BOOL
 * @text: JSON_NUMBER: as it is written; JSON_STRING: its UTF-8, not ended by a NUL
 * @bytes: length of @text
 */
struct json_value {
	enum json_type type;
	bool boolean;
	const char *text;
	size_t bytes;
};

struct json_reader;

/**
 * struct json_events - what a caller wants to hear; members may be NULL
 * @value: a value, standing at the reader's path
 * @start: a map or an array begins at the reader's path
 * @end: it ends; the path is that of @start again
 *
 * Each returns 0 to go on, or anything else to stop: json_reader_feed() returns it.
 */
struct json_events {
	int (*value)(void *ctx, const struct json_reader *reader, const struct json_value *value);
	int (*start)(void *ctx, const struct json_reader *reader);
	int (*end)(void *ctx, const struct json_reader *reader);
};

/**
 * json_reader_new() - start reading
 * @events: stays the caller's
 * @ctx: their first argument
 *
 * Return: a reader, or NULL without memory.
 */
struct json_reader *json_reader_new(const struct json_events *events, void *ctx);

/**
 * json_reader_feed() - the next bytes of the text
 * @reader: the reader
 * @text: bytes
 * @bytes: how many
 *
 * Return: 0; -EBADMSG when this is not JSON, see json_reader_error(); or what an event
 * returned. After anything but 0 the reader can only be freed.
 */
int json_reader_feed(struct json_reader *reader, const char *text, size_t bytes);

/**
 * json_reader_end() - there are no more bytes
 *
 * Return: as json_reader_feed(); -EBADMSG also when the text is not complete.
 */
int json_reader_end(struct json_reader *reader);

/**
 * json_reader_error() - what is wrong with the text, after -EBADMSG
 *
 * Return: a line that says at which byte, safe to print; valid until json_reader_free().
 */
const char *json_reader_error(const struct json_reader *reader);

/* Free a reader; NULL is fine. */
void json_reader_free(struct json_reader *reader);

/**
 * json_at() - does the reader stand at a path?
 * @reader: the reader, in an event
 * @path: keys with dots between them, "[]" for any element of an array: "entries[].slot".
 *	"" is the top of the text. Keys with dots or brackets in them match nothing.
 *
 * Return: true when the whole path is this one.
 */
bool json_at(const struct json_reader *reader, const char *path);

/* How many maps and arrays the reader is in. */
unsigned int json_depth(const struct json_reader *reader);

/* The key that @level is about (0 is the outermost); "" for an element of an array. */
const char *json_key_at(const struct json_reader *reader, unsigned int level);

/* The number of the element that @level is about; 0 for a member of a map. */
u64 json_index_at(const struct json_reader *reader, unsigned int level);

/**
 * json_path() - the reader's path for a person: "entries[12].slot"
 * @reader: the reader, in an event
 * @text: out
 * @bytes: room in @text
 *
 * Return: @text. Keys are not escaped.
 */
const char *json_path(const struct json_reader *reader, char *text, size_t bytes);

/**
 * json_value_number() - a value as an unsigned number
 * @value: a number without sign, fraction and exponent, or a string of digits, which is how
 *	numbers that can pass 2^53 are written
 * @number: out
 *
 * Return: false when it is nothing of the kind, or passes 2^64 - 1.
 */
bool json_value_number(const struct json_value *value, u64 *number);

/* Is the value a string, and this one? */
bool json_value_is(const struct json_value *value, const char *text);

#endif
