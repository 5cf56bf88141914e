// SPDX-License-Identifier: GPL-2.0-only
/*
 * How far a copy is, as a mapfile of GNU ddrescue. See rescue_map.h.
 */
#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "escape.h"
#include "output.h"
#include "report.h"
#include "rescue_map.h"
#include "version.h"

#define JOB_MARK "# dm-remap: "
#define MAP_BYTES_MOST ((size_t)1 << 30)

/*
 * Reading
 */

struct text {
	const char *at;
	const char *end;
};

static bool take_blanks(struct text *text)
{
	const char *start = text->at;

	while (text->at < text->end && (*text->at == ' ' || *text->at == '\t'))
		text->at++;
	return text->at > start;
}

/* A number as C writes it: 0x for hexadecimal, otherwise decimal. */
static bool take_number(struct text *text, u64 *number)
{
	const char *start;
	u64 base = 10, digit, sum = 0;

	if (text->end - text->at > 2 && text->at[0] == '0' && (text->at[1] | 0x20) == 'x') {
		base = 16;
		text->at += 2;
	}
	for (start = text->at; text->at < text->end; text->at++) {
		char c = (char)(*text->at | 0x20);

		if (*text->at >= '0' && *text->at <= '9')
			digit = (u64)(*text->at - '0');
		else if (base == 16 && c >= 'a' && c <= 'f')
			digit = (u64)(c - 'a') + 10;
		else
			break;
		if (sum > (UINT64_MAX - digit) / base)
			return false;
		sum = sum * base + digit;
	}
	*number = sum;
	return text->at > start;
}

static void take_comment(struct rescue_map *map, const char *line, size_t bytes)
{
	size_t mark = strlen(JOB_MARK), i;

	if (bytes <= mark || bytes - mark >= sizeof(map->job) || strncmp(line, JOB_MARK, mark))
		return;
	for (i = mark; i < bytes; i++)
		if (!isprint((unsigned char)line[i]))
			return;
	memcpy(map->job, line + mark, bytes - mark);
	map->job[bytes - mark] = 0;
}

/* Position, size, status. @at_sector: where the last area ended. */
static const char *take_area(struct rescue_map *map, struct text *text, u64 *at_sector)
{
	u64 position, size, end;
	char status;

	if (!take_number(text, &position) || !take_blanks(text) || !take_number(text, &size) ||
	    !take_blanks(text) || text->end - text->at != 1)
		return "is not a position, a size and a status";
	if (position % 512 || size % 512)
		return "is not about whole sectors of 512 bytes";
	if (position / 512 != *at_sector)
		return "does not begin where the line before it ends";
	if (!size || __builtin_add_overflow(position, size, &end) ||
	    (map->sectors && end / 512 > map->sectors))
		return "is empty, or ends behind the end of main";
	*at_sector = end / 512;
	status = *text->at;
	if (status == '+')
		return NULL;
	if (!strchr("?*/-", status))
		return "has an unknown status";
	if (ranges_add(status == '-' ? &map->bad : &map->todo, position / 512, end / 512))
		report_out_of_memory();
	return NULL;
}

/* The line for where ddrescue stands: a position, a status, perhaps a pass. */
static const char *take_position(struct text *text)
{
	u64 position;

	if (!take_number(text, &position) || !take_blanks(text) || text->at == text->end ||
	    !strchr("?*/-FG+", *text->at))
		return "is not the status line of a mapfile";
	return NULL;
}

const char *rescue_map_parse(struct rescue_map *map, const char *text, size_t bytes, u64 *line)
{
	const char *end = text + bytes, *newline, *wrong = NULL;
	bool begun = false;
	u64 at_sector = 0;

	for (*line = 1; text < end && !wrong; text = newline + 1, ++*line) {
		struct text rest;

		newline = memchr(text, '\n', (size_t)(end - text));
		if (!newline)
			return "is cut off";
		rest = (struct text){ text, newline };
		if (newline > text && newline[-1] == '\r')
			rest.end--;
		take_blanks(&rest);
		if (rest.at == rest.end)
			continue;
		if (*rest.at == '#') {
			take_comment(map, rest.at, (size_t)(rest.end - rest.at));
			continue;
		}
		wrong = begun ? take_area(map, &rest, &at_sector) : take_position(&rest);
		begun = true;
	}
	--*line;
	if (wrong)
		return wrong;
	if (!at_sector || (map->sectors && at_sector != map->sectors))
		return "ends before the end of main";
	map->sectors = at_sector;
	if (ranges_finish(&map->todo) || ranges_finish(&map->bad))
		report_out_of_memory();
	return NULL;
}

static char *read_file(int fd, size_t bytes)
{
	char *text = report_alloc(bytes + 1);
	size_t done = 0;
	ssize_t got;

	while (done < bytes) {
		got = read(fd, text + done, bytes - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			free(text);
			return NULL;
		}
		done += (size_t)got;
	}
	return text;
}

int rescue_map_read(struct rescue_map *map, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *shown, *text = NULL;
	const char *wrong = NULL;
	struct stat st;
	u64 line = 0;
	int r = 0;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	shown = escape_text(path, strlen(path));
	if (fd < 0 || fstat(fd, &st)) {
		r = -errno;
		report_error("cannot open the mapfile %s: %s", shown, strerror(-r));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || (u64)st.st_size > MAP_BYTES_MOST) {
		r = -EINVAL;
		report_error("%s is no mapfile", shown);
		goto out;
	}
	text = read_file(fd, (size_t)st.st_size);
	if (text)
		wrong = rescue_map_parse(map, text, (size_t)st.st_size, &line);
	if (!text || wrong) {
		r = text ? -EUCLEAN : -EIO;
		report_error("mapfile %s: line %llu: %s", shown, (unsigned long long)line,
			     wrong ? wrong : "cannot be read");
	}
out:
	free(text);
	free(shown);
	if (fd >= 0)
		close(fd);
	return r;
}

/*
 * Writing
 */

static void put_area(FILE *stream, u64 first, u64 end, char status)
{
	if (first < end)
		fprintf(stream, "0x%08llX  0x%08llX  %c\n", (unsigned long long)first * 512,
			(unsigned long long)(end - first) * 512, status);
}

static void put_areas(FILE *stream, const struct rescue_map *map)
{
	size_t todo = 0, bad = 0;
	u64 at = 0;

	for (;;) {
		const struct range *t = todo < map->todo.nr ? &map->todo.range[todo] : NULL;
		const struct range *b = bad < map->bad.nr ? &map->bad.range[bad] : NULL;
		bool is_todo = t && (!b || t->first < b->first);
		const struct range *next = is_todo ? t : b;

		if (!next)
			break;
		put_area(stream, at, next->first, '+');
		put_area(stream, next->first, next->end, is_todo ? '?' : '-');
		at = next->end;
		todo += is_todo;
		bad += !is_todo;
	}
	put_area(stream, at, map->sectors, '+');
}

static void put_map(FILE *stream, const struct rescue_map *map, const char *command)
{
	u64 position = map->todo.nr ? map->todo.range[0].first : map->sectors;
	time_t seconds = time(NULL);
	char now[32];
	struct tm tm;

	strftime(now, sizeof(now), "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &tm));
	fprintf(stream, "# Mapfile. Created by remap-recover (dm-remap) %s\n", DM_REMAP_VERSION);
	fprintf(stream, "# Command line: %s\n" JOB_MARK "%s\n", command, map->job);
	fprintf(stream, "# Current time: %s\n%s", now, map->todo.nr ? "" : "# Finished\n");
	fprintf(stream, "# current_pos  current_status  current_pass\n");
	fprintf(stream, "0x%08llX     %c               1\n", (unsigned long long)position * 512,
		map->todo.nr ? '?' : '+');
	fprintf(stream, "#      pos        size  status\n");
	put_areas(stream, map);
}

int rescue_map_write(const struct rescue_map *map, const char *path, const char *command)
{
	struct output output;
	int r = output_open(&output, path, NULL);

	if (r)
		return r;
	put_map(output.stream, map, command);
	return output_close(&output, true);
}

void rescue_map_free(struct rescue_map *map)
{
	ranges_free(&map->todo);
	ranges_free(&map->bad);
}
