// SPDX-License-Identifier: GPL-2.0-only
/*
 * A recording as a source. Reads a line at a time, so that a recording of days needs no memory,
 * and believes nothing: whatever is not as recording.c writes it ends the recording with the
 * number of the line. Compressed recordings are read as they are.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "escape.h"
#include "recording.h"
#include "source.h"
#include "units.h"

#define SECTORS_MAX (1ULL << 53)	/* of any device; MAP_CELLS times this fits 64 bits */

/**
 * struct replay - a recording being read
 * @source: as others see it
 * @file: the recording
 * @shown: its name, safe to print
 * @line: the present line, without its line feed
 * @line_nr: its number, from 1; 0 before the first
 * @clock_ms: of the last sample
 * @ended: there is nothing more to come
 */
struct replay {
	struct source source;
	gzFile file;
	char *shown;
	char line[RECORDING_LINE_BYTES];
	u64 line_nr;
	u64 clock_ms;
	bool ended;
};

/* The recording is not what it should be. Return: -EIO. */
__attribute__((format(printf, 2, 3)))
static int bad_line(struct replay *replay, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = report_format_va(fmt, ap);
	va_end(ap);
	source_fail(&replay->source, STATUS_DAMAGED, "%s: line %llu: %s", replay->shown,
		    (unsigned long long)replay->line_nr, text);
	free(text);
	replay->ended = true;
	return -EIO;
}

/* zlib's own words, or the system's. */
static int bad_file(struct replay *replay)
{
	int code;
	const char *text = gzerror(replay->file, &code);

	if (code == Z_ERRNO) {
		replay->ended = true;
		return source_fail(&replay->source, STATUS_FAILED, "%s: cannot be read: %s",
				   replay->shown, strerror(errno));
	}
	if (code == Z_BUF_ERROR)
		return bad_line(replay, "the compressed file is cut off here");
	return bad_line(replay, "the compressed file is damaged: %s", text);
}

/* The next line. Return: 1; 0 at the end of the file; or a negative errno. */
static int read_line(struct replay *replay)
{
	size_t bytes;
	int code;

	replay->line_nr++;
	/* A NUL in the line would hide what follows it: then there is no line feed. */
	if (!gzgets(replay->file, replay->line, sizeof(replay->line))) {
		gzerror(replay->file, &code);
		return code == Z_OK || code == Z_STREAM_END ? 0 : bad_file(replay);
	}
	bytes = strlen(replay->line);
	if (bytes && replay->line[bytes - 1] == '\n') {
		replay->line[bytes - 1] = 0;
		return 1;
	}
	gzerror(replay->file, &code);
	if (code != Z_OK && code != Z_STREAM_END)
		return bad_file(replay);
	if (bytes == sizeof(replay->line) - 1)
		return bad_line(replay, "is longer than %u bytes", RECORDING_LINE_BYTES - 1);
	return bad_line(replay, gzeof(replay->file) ? "is cut off" : "holds a zero byte");
}

/* Cut the first word off. Return: the word, or NULL when there is none. */
static char *next_word(char **rest)
{
	char *word = strsep(rest, " ");

	return word && *word ? word : NULL;
}

/* A number no larger than @most. Return: 0 or a negative errno. */
static int next_number(struct replay *replay, char **rest, const char *what, u64 most, u64 *number)
{
	char *word = next_word(rest), *escaped;
	const char *reason = word ? units_parse_number(word, number) : NULL;

	if (!word)
		return bad_line(replay, "%s is missing", what);
	if (!reason && *number <= most)
		return 0;
	escaped = escape_text(word, strlen(word));
	bad_line(replay, "%s \"%s\" %s", what, escaped, reason ? reason : "is too large");
	free(escaped);
	return -EIO;
}

/* A text that was escaped. @text: out: to be freed. Return: 0 or a negative errno. */
static int next_text(struct replay *replay, char **rest, const char *what, char **text)
{
	char *word = next_word(rest);

	if (!word)
		return bad_line(replay, "%s is missing", what);
	*text = report_alloc(strlen(word) + 1);
	if (escape_undo(word, strlen(word), *text, strlen(word)))
		return 0;
	return bad_line(replay, "%s is not a text as remap-top writes it", what);
}

static int parse_device(struct replay *replay, char *rest, struct sample_device *device)
{
	int r;

	r = next_text(replay, &rest, "the name", &device->name);
	if (!r)
		r = next_text(replay, &rest, "the device number", &device->dev);
	if (!r)
		r = next_number(replay, &rest, "the start", SECTORS_MAX, &device->start_sector);
	if (!r)
		r = next_number(replay, &rest, "the length", SECTORS_MAX, &device->sectors);
	if (!r)
		r = next_text(replay, &rest, "the name of main", &device->main_name);
	if (!r)
		r = next_text(replay, &rest, "the name of the spare", &device->spare_name);
	if (!r && rest)
		r = bad_line(replay, "there is more than a device");
	return r;
}

static int parse_status(struct replay *replay, char *rest, struct sample_device *device)
{
	if (!rest || !*rest)
		return bad_line(replay, "the status is missing");
	device->status = report_alloc(strlen(rest) + 1);
	if (!escape_undo(rest, strlen(rest), device->status, strlen(rest)))
		return bad_line(replay, "the status is not a text as remap-top writes it");
	return 0;
}

static int parse_io(struct replay *replay, char *rest, struct sample_device *device)
{
	static const char *const names[] = {
		[IO_READS] = "the number of reads", [IO_READ_SECTORS] = "the number of sectors read",
		[IO_WRITES] = "the number of writes",
		[IO_WRITE_SECTORS] = "the number of sectors written",
	};
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < IO_NR; i++)
		r = next_number(replay, &rest, names[i], UINT64_MAX, &device->io[i]);
	if (!r && rest)
		r = bad_line(replay, "there is more than four numbers");
	device->has_io = true;
	return r;
}

/* "pending:12+3". Return: 0 or a negative errno. */
static int parse_run(struct replay *replay, char *run, struct map *map)
{
	static const char *const names[] = {
		[MAP_REMAPPED] = "remapped", [MAP_PENDING] = "pending", [MAP_LOST] = "lost",
	};
	char *state = strsep(&run, ":");
	char *first = run ? strsep(&run, "+") : NULL;
	unsigned int i;
	u64 at, nr;

	for (i = MAP_REMAPPED; i < MAP_NR_STATES && strcmp(state, names[i]); i++)
		;
	if (i == MAP_NR_STATES || !first || !run || units_parse_number(first, &at) ||
	    units_parse_number(run, &nr) || !nr || at >= MAP_CELLS || nr > MAP_CELLS - at)
		return bad_line(replay, "the map is not one of %u cells as remap-top writes it",
				MAP_CELLS);
	memset(map->cell + at, (int)i, nr);
	return 0;
}

static int parse_map(struct replay *replay, char *rest, struct sample_device *device)
{
	char *run;
	int r;

	device->map = report_alloc(sizeof(*device->map));
	r = next_number(replay, &rest, "the length of main", SECTORS_MAX,
			&device->map->main_sectors);
	if (!r && !device->map->main_sectors)
		r = bad_line(replay, "main has no length");
	while (!r && (run = strsep(&rest, " ")))
		r = parse_run(replay, run, device->map);
	return r;
}

/* The first line of a sample. Return: 1, 0 at the end of the recording, or a negative errno. */
static int parse_begin(struct replay *replay, struct sample *sample)
{
	char *rest = replay->line, *word;
	int r = read_line(replay);

	if (r <= 0)
		return r;
	word = next_word(&rest);
	if (!word || strcmp(word, "sample"))
		return bad_line(replay, "\"sample\" is expected here");
	r = next_number(replay, &rest, "the time", UINT64_MAX, &sample->time_ms);
	if (!r)
		r = next_number(replay, &rest, "the clock", UINT64_MAX, &sample->clock_ms);
	if (!r && rest)
		r = bad_line(replay, "there is more than two times");
	if (!r && sample->clock_ms < replay->clock_ms)
		r = bad_line(replay, "the clock goes back, from %llu to %llu ms",
			     (unsigned long long)replay->clock_ms,
			     (unsigned long long)sample->clock_ms);
	replay->clock_ms = sample->clock_ms;
	return r ? r : 1;
}

/* A line about the last device of @sample. Return: 0 or a negative errno. */
static int parse_about(struct replay *replay, const char *word, char *rest, struct sample *sample)
{
	struct sample_device *device = sample->nr_devices ?
				       &sample->devices[sample->nr_devices - 1] : NULL;
	char *escaped;

	if (device && !strcmp(word, "status") && !device->status)
		return parse_status(replay, rest, device);
	if (device && !strcmp(word, "io") && !device->has_io)
		return parse_io(replay, rest, device);
	if (device && !strcmp(word, "map") && !device->map)
		return parse_map(replay, rest, device);
	escaped = escape_text(word, strlen(word));
	bad_line(replay, "\"%s\" is not expected here", escaped);
	free(escaped);
	return -EIO;
}

/* After its first line. Return: 0 or a negative errno. */
static int parse_rest(struct replay *replay, struct sample *sample)
{
	char *rest, *word;
	int r;

	for (;;) {
		r = read_line(replay);
		if (!r)
			return bad_line(replay, "the recording ends within a sample");
		if (r < 0)
			return r;
		rest = replay->line;
		word = strsep(&rest, " ");
		if ((!strcmp(word, "device") || !strcmp(word, "end")) && sample->nr_devices &&
		    !sample->devices[sample->nr_devices - 1].status)
			return bad_line(replay, "the device before this has no status");
		if (!strcmp(word, "end") && !rest)
			return 0;
		r = strcmp(word, "device") ? parse_about(replay, word, rest, sample) :
					     parse_device(replay, rest, sample_add(sample));
		if (r)
			return r;
	}
}

static int replay_next(struct source *source, struct sample *sample)
{
	struct replay *replay = (struct replay *)source;
	int r;

	if (replay->ended)
		return 0;
	r = parse_begin(replay, sample);
	if (r > 0) {
		r = parse_rest(replay, sample);
		return r ? r : 1;
	}
	replay->ended = true;
	return r;
}

static void replay_free(struct source *source)
{
	struct replay *replay = (struct replay *)source;

	gzclose(replay->file);
	free(replay->shown);
	free(source->problem);
	free(replay);
}

/* Return: 0, or a negative errno with the problem set. */
static int check_head(struct replay *replay)
{
	static const char tool[] = "remap-top-recording ";
	int r = read_line(replay);

	if (r < 0)
		return r;
	if (r && !strcmp(replay->line, RECORDING_HEAD))
		return 0;
	if (r && !strncmp(replay->line, tool, sizeof(tool) - 1))
		return bad_line(replay, "a recording of another version; this remap-top reads \"%s\"",
				RECORDING_HEAD);
	return bad_line(replay, "not a recording of remap-top: \"%s\" is expected here",
			RECORDING_HEAD);
}

int source_replay(const char *path, struct source **source)
{
	static const struct source_ops ops = { .next = replay_next, .free = replay_free };
	struct replay *replay = report_alloc(sizeof(*replay));
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) :
				     fcntl(0, F_DUPFD_CLOEXEC, 3);
	int status;

	*source = NULL;
	replay->source = (struct source){ .ops = &ops, .is_recording = true };
	replay->shown = escape_text(path, strlen(path));
	if (fd < 0) {
		report_error("--replay: cannot open %s: %s", replay->shown, strerror(errno));
		free(replay->shown);
		free(replay);
		return STATUS_FAILED;
	}
	replay->file = gzdopen(fd, "r");
	if (!replay->file)
		report_out_of_memory();
	if (!check_head(replay)) {
		*source = &replay->source;
		return STATUS_DONE;
	}
	status = replay->source.status;
	report_error("--replay: %s", replay->source.problem);
	replay_free(&replay->source);
	return status;
}
