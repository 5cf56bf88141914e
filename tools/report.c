// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything a tool says. Owns the two standard streams, the list of messages for JSON,
 * and the decision whether there is colour.
 */
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include "progress.h"
#include "report.h"

#define MESSAGES_KEPT 1000	/* for the JSON object; those after it are counted */

struct message {
	const char *level;
	char *text;
};

static struct {
	const char *tool;
	struct report_options options;
	struct message *messages;
	size_t nr_messages;
	size_t messages_room;
	u64 messages_left_out;
	struct json *json;
	FILE *json_stream;
	bool must_fail;
	void (*restore)(void);
} report;

/*
 * Keep what is freed: buffers of a megabyte come and go with each group of pages, and giving them
 * back to the kernel, to be zeroed and mapped again a moment later, took half of the time.
 */
static void tune_malloc(void)
{
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	mallopt(M_TOP_PAD, 1 << 20);
}

/*
 * A program may be started without stdin, stdout or stderr. What it opens first would get that number
 * then, and a spare have messages written into it. What is put there instead fails as if it were closed:
 * it cannot be read, or written. Where that cannot be opened either there is nobody to be told.
 */
static void open_standard_files(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(STATUS_FAILED);
}

void report_init(const char *tool)
{
	open_standard_files();
	tune_malloc();
	report.tool = tool;
	report.json_stream = stdout;
}

void report_configure(const struct report_options *options)
{
	report.options = *options;
}

const struct report_options *report_options(void)
{
	return &report.options;
}

void report_before_exit(void (*restore)(void))
{
	report.restore = restore;
}

void report_out_of_memory(void)
{
	if (report.restore)
		report.restore();
	fflush(stdout);
	fprintf(stderr, "%s: out of memory\n", report.tool);
	_exit(STATUS_FAILED);
}

void *report_alloc(size_t bytes)
{
	void *p = calloc(1, bytes);

	if (!p)
		report_out_of_memory();
	return p;
}

char *report_format_va(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		report_out_of_memory();
	return text;
}

char *report_format(const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	text = report_format_va(fmt, ap);
	va_end(ap);
	return text;
}

void *report_grow(void *array, size_t nr, size_t *room, size_t element_bytes)
{
	size_t wanted = *room ? *room * 2 : 16;

	if (nr < *room)
		return array;
	array = reallocarray(array, wanted, element_bytes);
	if (!array)
		report_out_of_memory();
	*room = wanted;
	return array;
}

static bool has_color(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (report.options.color != REPORT_AUTO)
		return report.options.color == REPORT_ALWAYS;
	if (no_color && *no_color)
		return false;
	return isatty(fileno(stream)) && term && strcmp(term, "dumb");
}

const char *report_paint(FILE *stream, enum report_color color)
{
	static const char *const sequences[] = {
		[COLOR_NONE] = "\033[0m", [COLOR_GOOD] = "\033[32m", [COLOR_WARN] = "\033[33m",
		[COLOR_BAD] = "\033[1;31m", [COLOR_STRONG] = "\033[1m",
	};

	return has_color(stream) ? sequences[color] : "";
}

static void keep_message(const char *level, char *text)
{
	if (report.nr_messages == MESSAGES_KEPT) {
		report.messages_left_out++;
		free(text);
		return;
	}
	report.messages = report_grow(report.messages, report.nr_messages, &report.messages_room,
				      sizeof(*report.messages));
	report.messages[report.nr_messages++] = (struct message){ level, text };
}

static void say(const char *level, const char *prefix, enum report_color color, bool shown,
		const char *fmt, va_list ap)
{
	char *text = report_format_va(fmt, ap);

	if (shown) {
		progress_hide();
		fflush(stdout);
		fprintf(stderr, "%s: %s%s%s%s\n", report.tool, report_paint(stderr, color), prefix,
			*prefix ? report_paint(stderr, COLOR_NONE) : "", text);
	}
	keep_message(level, text);
}

void report_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("error", "error: ", COLOR_BAD, true, fmt, ap);
	va_end(ap);
}

void report_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("warning", "warning: ", COLOR_WARN, true, fmt, ap);
	va_end(ap);
}

void report_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("info", "", COLOR_NONE, !report.options.quiet, fmt, ap);
	va_end(ap);
}

void report_verbose(const char *fmt, ...)
{
	va_list ap;

	if (!report.options.verbose)
		return;
	va_start(ap, fmt);
	say("info", "", COLOR_NONE, true, fmt, ap);
	va_end(ap);
}

bool report_is_text(void)
{
	return !report.options.json && !report.options.quiet;
}

bool report_is_verbose(void)
{
	return report.options.verbose;
}

void report_out(const char *fmt, ...)
{
	va_list ap;

	if (!report_is_text())
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

void report_json_to(FILE *stream)
{
	report.json_stream = stream;
}

struct json *report_json(void)
{
	if (!report.options.json)
		return NULL;
	if (!report.json) {
		report.json = json_new(report.json_stream);
		json_map(report.json);
		json_key_text(report.json, "tool", report.tool);
		json_key_number(report.json, "format_version", 1);
	}
	return report.json;
}

static void finish_json(int status)
{
	struct json *json = report_json();
	size_t i;

	json_key(json, "messages");
	json_array(json);
	for (i = 0; i < report.nr_messages; i++) {
		json_map(json);
		json_key_text(json, "level", report.messages[i].level);
		json_key(json, "text");
		json_plain(json, report.messages[i].text);
		json_map_end(json);
	}
	json_array_end(json);
	if (report.messages_left_out)
		json_key_number(json, "messages_left_out", report.messages_left_out);
	json_key_number(json, "exit_status", (u64)status);
	json_map_end(json);
}

void report_must_fail(void)
{
	report.must_fail = true;
}

int report_finish(int status)
{
	int error = 0;
	size_t i;

	if (report.must_fail)
		status = (status & ~STATUS_LOOK) | STATUS_FAILED;
	if (report.options.json) {
		finish_json(status);
		error = json_free(report.json);
		report.json = NULL;
	}
	errno = 0;
	if (!error && (fflush(stdout) || ferror(stdout)))
		error = errno ? -errno : -EIO;
	if (error) {
		fprintf(stderr, "%s: error: cannot write the output: %s\n", report.tool,
			strerror(-error));
		status = STATUS_FAILED;
	}
	for (i = 0; i < report.nr_messages; i++)
		free(report.messages[i].text);
	free(report.messages);
	report.messages = NULL;
	report.nr_messages = 0;
	report.messages_room = 0;
	return status;
}
