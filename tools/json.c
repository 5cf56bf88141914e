// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON, written as a stream with yajl's generator.
 *
 * A write error is remembered and reported by json_free(): nothing useful can be done in
 * the middle. Keys come from this program and are not escaped.
 */
#include <yajl/yajl_gen.h>

#include "escape.h"
#include "json.h"
#include "report.h"

#define BUFFER_BYTES 65536

struct json {
	yajl_gen gen;
	FILE *stream;
	size_t used_bytes;
	int error;
	char buffer[BUFFER_BYTES];
};

static void flush_buffer(struct json *json)
{
	if (json->used_bytes && !json->error &&
	    fwrite(json->buffer, 1, json->used_bytes, json->stream) != json->used_bytes)
		json->error = errno ? -errno : -EIO;
	json->used_bytes = 0;
}

static void print(void *ctx, const char *text, size_t bytes)
{
	struct json *json = ctx;
	size_t part;

	while (bytes) {
		if (json->used_bytes == BUFFER_BYTES)
			flush_buffer(json);
		part = min(bytes, BUFFER_BYTES - json->used_bytes);
		memcpy(json->buffer + json->used_bytes, text, part);
		json->used_bytes += part;
		text += part;
		bytes -= part;
	}
}

struct json *json_new(FILE *stream)
{
	struct json *json = report_alloc(sizeof(*json));

	json->stream = stream;
	json->gen = yajl_gen_alloc(NULL);
	if (!json->gen)
		report_out_of_memory();
	yajl_gen_config(json->gen, yajl_gen_print_callback, print, json);
	return json;
}

int json_free(struct json *json)
{
	int error;

	print(json, "\n", 1);
	flush_buffer(json);
	errno = 0;
	if (!json->error && (fflush(json->stream) || ferror(json->stream)))
		json->error = errno ? -errno : -EIO;
	error = json->error;
	yajl_gen_free(json->gen);
	free(json);
	return error;
}

void json_map(struct json *json)
{
	yajl_gen_map_open(json->gen);
}

void json_map_end(struct json *json)
{
	yajl_gen_map_close(json->gen);
}

void json_array(struct json *json)
{
	yajl_gen_array_open(json->gen);
}

void json_array_end(struct json *json)
{
	yajl_gen_array_close(json->gen);
}

void json_line(struct json *json)
{
	print(json, "\n", 1);
}

void json_raw(struct json *json, const char *text, size_t bytes)
{
	print(json, text, bytes);
}

void json_plain(struct json *json, const char *text)
{
	yajl_gen_string(json->gen, (const unsigned char *)text, strlen(text));
}

void json_key(struct json *json, const char *key)
{
	json_plain(json, key);
}

void json_text(struct json *json, const char *text)
{
	char *escaped;

	if (!text) {
		yajl_gen_null(json->gen);
		return;
	}
	escaped = escape_text(text, strlen(text));
	json_plain(json, escaped);
	free(escaped);
}

/* Digits of @number at the end of @digits. Return: how many. */
static size_t format_number(u64 number, char digits[20])
{
	size_t nr = 0;

	do {
		digits[20 - ++nr] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return nr;
}

void json_number(struct json *json, u64 number)
{
	char digits[20];
	size_t nr = format_number(number, digits);

	yajl_gen_number(json->gen, digits + 20 - nr, nr);
}

void json_big(struct json *json, u64 number)
{
	char digits[20];
	size_t nr = format_number(number, digits);

	yajl_gen_string(json->gen, (const unsigned char *)digits + 20 - nr, nr);
}

void json_decimal(struct json *json, double number)
{
	char text[400];		/* the largest double has 309 digits */

	snprintf(text, sizeof(text), "%.3f", number);
	yajl_gen_number(json->gen, text, strlen(text));
}

void json_bool(struct json *json, bool value)
{
	yajl_gen_bool(json->gen, value);
}

void json_null(struct json *json)
{
	yajl_gen_null(json->gen);
}

void json_key_text(struct json *json, const char *key, const char *text)
{
	json_key(json, key);
	json_text(json, text);
}

void json_key_number(struct json *json, const char *key, u64 number)
{
	json_key(json, key);
	json_number(json, number);
}

void json_key_big(struct json *json, const char *key, u64 number)
{
	json_key(json, key);
	json_big(json, number);
}

void json_key_bool(struct json *json, const char *key, bool value)
{
	json_key(json, key);
	json_bool(json, value);
}
