// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON, read as a stream with yajl's parser. See json_read.h.
 *
 * The path is a stack with a level for each map or array the reader is in: the key of the
 * member, or the number of the element, that is being read there. An element's number goes up
 * when the element begins, so it starts at "none yet", NO_ELEMENT.
 */
#include <stdio.h>
#include <yajl/yajl_parse.h>

#include "json_read.h"

#define NO_ELEMENT UINT64_MAX
#define ERROR_BYTES 160

/**
 * struct level - one map or array around the reader
 * @is_array: otherwise a map
 * @index: of the element, in an array
 * @key: of the member, in a map; "" before the first and for one that is too long
 */
struct level {
	bool is_array;
	u64 index;
	char key[JSON_KEY_BYTES];
};

struct json_reader {
	yajl_handle parser;
	const struct json_events *events;
	void *ctx;
	struct level level[JSON_DEPTH];
	unsigned int depth;
	u64 fed_bytes;		/* before the part that is being parsed */
	int stopped;		/* what an event returned, or -EBADMSG */
	char error[ERROR_BYTES];
};

/* A value, map or array begins: where there is an array around it, it is the next element. */
static void count_element(struct json_reader *reader)
{
	if (reader->depth && reader->level[reader->depth - 1].is_array)
		reader->level[reader->depth - 1].index++;
}

static int go_on(struct json_reader *reader, int r)
{
	reader->stopped = r;
	return !r;
}

static int pass_value(struct json_reader *reader, const struct json_value *value)
{
	count_element(reader);
	if (!reader->events->value)
		return 1;
	return go_on(reader, reader->events->value(reader->ctx, reader, value));
}

static int on_null(void *ctx)
{
	const struct json_value value = { .type = JSON_NULL };

	return pass_value(ctx, &value);
}

static int on_boolean(void *ctx, int boolean)
{
	const struct json_value value = { .type = JSON_BOOL, .boolean = boolean };

	return pass_value(ctx, &value);
}

static int on_number(void *ctx, const char *text, size_t bytes)
{
	const struct json_value value = { .type = JSON_NUMBER, .text = text, .bytes = bytes };

	return pass_value(ctx, &value);
}

static int on_string(void *ctx, const unsigned char *text, size_t bytes)
{
	const struct json_value value = {
		.type = JSON_STRING,
		.text = (const char *)text,
		.bytes = bytes,
	};

	return pass_value(ctx, &value);
}

static int on_key(void *ctx, const unsigned char *text, size_t bytes)
{
	struct json_reader *reader = ctx;
	char *key = reader->level[reader->depth - 1].key;

	/* A key with a NUL in it would match its front only. */
	if (bytes >= JSON_KEY_BYTES || memchr(text, 0, bytes))
		bytes = 0;
	memcpy(key, text, bytes);
	key[bytes] = 0;
	return 1;
}

static int enter(struct json_reader *reader, bool is_array)
{
	struct level *level;
	int r = 1;

	count_element(reader);
	if (reader->events->start)
		r = go_on(reader, reader->events->start(reader->ctx, reader));
	if (!r)
		return r;
	if (reader->depth == JSON_DEPTH) {
		snprintf(reader->error, sizeof(reader->error),
			 "more than %d maps and arrays inside each other", JSON_DEPTH);
		return go_on(reader, -EBADMSG);
	}
	level = &reader->level[reader->depth++];
	level->is_array = is_array;
	level->index = is_array ? NO_ELEMENT : 0;
	level->key[0] = 0;
	return 1;
}

static int on_map(void *ctx)
{
	return enter(ctx, false);
}

static int on_array(void *ctx)
{
	return enter(ctx, true);
}

static int on_end(void *ctx)
{
	struct json_reader *reader = ctx;

	reader->depth--;
	if (!reader->events->end)
		return 1;
	return go_on(reader, reader->events->end(reader->ctx, reader));
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end,
	.yajl_start_array = on_array,
	.yajl_end_array = on_end,
};

struct json_reader *json_reader_new(const struct json_events *events, void *ctx)
{
	struct json_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->events = events;
	reader->ctx = ctx;
	reader->parser = yajl_alloc(&callbacks, NULL, reader);
	if (!reader->parser) {
		free(reader);
		return NULL;
	}
	return reader;
}

void json_reader_free(struct json_reader *reader)
{
	if (!reader)
		return;
	yajl_free(reader->parser);
	free(reader);
}

/* What yajl says is "lexical error: invalid char in json text.\n"; it never quotes the text. */
static void keep_error(struct json_reader *reader)
{
	unsigned char *text = yajl_get_error(reader->parser, 0, NULL, 0);
	u64 at = reader->fed_bytes + yajl_get_bytes_consumed(reader->parser);
	size_t length = text ? strcspn((char *)text, ".\n") : 0;

	snprintf(reader->error, sizeof(reader->error), "at byte %llu: %.*s",
		 (unsigned long long)at, (int)min(length, (size_t)ERROR_BYTES),
		 text ? (char *)text : "");
	if (text)
		yajl_free_error(reader->parser, text);
}

static int end_step(struct json_reader *reader, yajl_status status)
{
	if (status == yajl_status_ok)
		return 0;
	if (status != yajl_status_client_canceled) {
		keep_error(reader);
		reader->stopped = -EBADMSG;
	}
	return reader->stopped;
}

int json_reader_feed(struct json_reader *reader, const char *text, size_t bytes)
{
	int r = end_step(reader, yajl_parse(reader->parser, (const unsigned char *)text, bytes));

	reader->fed_bytes += bytes;
	return r;
}

int json_reader_end(struct json_reader *reader)
{
	yajl_status status = yajl_complete_parse(reader->parser);

	if (status == yajl_status_error) {
		snprintf(reader->error, sizeof(reader->error),
			 "it ends too early, after %llu bytes",
			 (unsigned long long)reader->fed_bytes);
		return -EBADMSG;
	}
	return end_step(reader, status);
}

const char *json_reader_error(const struct json_reader *reader)
{
	return reader->error;
}

bool json_at(const struct json_reader *reader, const char *path)
{
	unsigned int at;
	size_t length;

	for (at = 0; at < reader->depth; at++) {
		const struct level *level = &reader->level[at];

		if (level->is_array) {
			if (strncmp(path, "[]", 2))
				return false;
			path += 2;
			continue;
		}
		if (at && *path++ != '.')
			return false;
		length = strcspn(path, ".[");
		if (!length || strncmp(level->key, path, length) || level->key[length])
			return false;
		path += length;
	}
	return !*path;
}

unsigned int json_depth(const struct json_reader *reader)
{
	return reader->depth;
}

const char *json_key_at(const struct json_reader *reader, unsigned int level)
{
	return level < reader->depth ? reader->level[level].key : "";
}

u64 json_index_at(const struct json_reader *reader, unsigned int level)
{
	return level < reader->depth ? reader->level[level].index : 0;
}

const char *json_path(const struct json_reader *reader, char *text, size_t bytes)
{
	size_t used = 0;
	unsigned int at;

	text[0] = 0;
	for (at = 0; at < reader->depth && used < bytes; at++) {
		const struct level *level = &reader->level[at];

		if (level->is_array)
			used += (size_t)snprintf(text + used, bytes - used, "[%llu]",
						 (unsigned long long)level->index);
		else
			used += (size_t)snprintf(text + used, bytes - used, "%s%s",
						 at ? "." : "", level->key);
	}
	return text;
}

bool json_value_number(const struct json_value *value, u64 *number)
{
	u64 sum = 0;
	size_t i;

	if ((value->type != JSON_NUMBER && value->type != JSON_STRING) || !value->bytes)
		return false;
	for (i = 0; i < value->bytes; i++) {
		unsigned int digit = (unsigned char)value->text[i] - '0';

		if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	*number = sum;
	return true;
}

bool json_value_is(const struct json_value *value, const char *text)
{
	return value->type == JSON_STRING && value->bytes == strlen(text) &&
	       !memcmp(value->text, text, value->bytes);
}
