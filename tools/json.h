/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON, written as a stream: nothing is kept but a buffer, whatever the number of entries.
 * A thin layer over yajl's generator with this project's conventions: strings come from
 * escape_text() and are valid UTF-8; unsigned numbers that can pass 2^53 are strings.
 */
#ifndef TOOLS_JSON_H
#define TOOLS_JSON_H

#include <stdio.h>

#include "host.h"

struct json;

/**
 * json_new() - start writing
 * @stream: where to; stays the caller's
 *
 * Return: a writer, never NULL: without memory the program ends.
 */
struct json *json_new(FILE *stream);

/**
 * json_free() - end the text with a newline, flush, and free the writer
 *
 * Return: 0, or a negative errno when something could not be written.
 */
int json_free(struct json *json);

void json_map(struct json *json);	/* { */
void json_map_end(struct json *json);	/* } */
void json_array(struct json *json);	/* [ */
void json_array_end(struct json *json);	/* ] */

/*
 * Elements of an array, written as they are: well-formed, with the commas between them. Only
 * in an array that has no others. For arrays of millions.
 */
void json_raw(struct json *json, const char *text, size_t bytes);

/* A line break between two elements; means nothing. */
void json_line(struct json *json);

void json_key(struct json *json, const char *key);

/* Values. @text of json_text() may be anything that came from a disk; NULL is null. */
void json_text(struct json *json, const char *text);
void json_plain(struct json *json, const char *text);	/* valid UTF-8, escaped already */
void json_number(struct json *json, u64 number);
void json_big(struct json *json, u64 number);	/* as a string */
void json_decimal(struct json *json, double number);	/* with three decimals */
void json_bool(struct json *json, bool value);
void json_null(struct json *json);

/* Key and value in one. */
void json_key_text(struct json *json, const char *key, const char *text);
void json_key_number(struct json *json, const char *key, u64 number);
void json_key_big(struct json *json, const char *key, u64 number);
void json_key_bool(struct json *json, const char *key, bool value);

#endif
