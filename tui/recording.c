// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing a recording. Each sample is in the file before the next one is taken, so that what was
 * recorded before a crash can be looked at.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"
#include "recording.h"
#include "report.h"

int recording_open(struct recording *recording, const char *path)
{
	struct stat target;
	int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY, fd, r;

	*recording = (struct recording){ .shown = escape_text(path, strlen(path)) };
	if (stat(path, &target) || !S_ISFIFO(target.st_mode))
		flags |= O_CREAT | O_EXCL;
	fd = open(path, flags, 0666);
	if (fd >= 0) {
		/* A reader that goes, or a limit, is an error of writing like others. */
		signal(SIGPIPE, SIG_IGN);
		signal(SIGXFSZ, SIG_IGN);
		recording->stream = fdopen(fd, "w");
		if (!recording->stream)
			report_out_of_memory();
		fputs(RECORDING_HEAD "\n", recording->stream);
		return 0;
	}
	r = -errno;
	if (r == -EEXIST)
		report_error("--record: %s is there already; remove it, or give another name",
			     recording->shown);
	else
		report_error("--record: cannot write %s: %s", recording->shown, strerror(-r));
	free(recording->shown);
	*recording = (struct recording){ .stream = NULL };
	return r;
}

/* A word: as escape_text() makes it, and without blanks. */
static void put_word(FILE *stream, const char *text)
{
	char *escaped = escape_text(text, strlen(text)), *at;

	putc(' ', stream);
	for (at = escaped; *at; at++)
		if (*at == ' ')
			fputs("\\x20", stream);
		else
			putc(*at, stream);
	free(escaped);
}

static void put_map(FILE *stream, const struct map *map)
{
	static const char *const names[] = {
		[MAP_REMAPPED] = "remapped", [MAP_PENDING] = "pending", [MAP_LOST] = "lost",
	};
	unsigned int first, end;

	fprintf(stream, "map %llu", (unsigned long long)map->main_sectors);
	for (first = 0; first < MAP_CELLS; first = end) {
		for (end = first + 1; end < MAP_CELLS && map->cell[end] == map->cell[first];)
			end++;
		if (map->cell[first] != MAP_GOOD)
			fprintf(stream, " %s:%u+%u", names[map->cell[first]], first, end - first);
	}
	putc('\n', stream);
}

static void put_device(FILE *stream, const struct sample_device *device)
{
	char *escaped = escape_text(device->status, strlen(device->status));

	fputs("device", stream);
	put_word(stream, device->name);
	put_word(stream, device->dev);
	fprintf(stream, " %llu %llu", (unsigned long long)device->start_sector,
		(unsigned long long)device->sectors);
	put_word(stream, device->main_name);
	put_word(stream, device->spare_name);
	fprintf(stream, "\nstatus %s\n", escaped);
	free(escaped);
	if (device->has_io)
		fprintf(stream, "io %llu %llu %llu %llu\n",
			(unsigned long long)device->io[IO_READS],
			(unsigned long long)device->io[IO_READ_SECTORS],
			(unsigned long long)device->io[IO_WRITES],
			(unsigned long long)device->io[IO_WRITE_SECTORS]);
	if (device->map)
		put_map(stream, device->map);
}

/* Return: 0, or the negative errno of what was written last. */
static int flush(FILE *stream)
{
	errno = 0;
	if (fflush(stream) || ferror(stream))
		return errno ? -errno : -EIO;
	return 0;
}

int recording_put(struct recording *recording, const struct sample *sample)
{
	FILE *stream = recording->stream;
	size_t i;

	fprintf(stream, "sample %llu %llu\n", (unsigned long long)sample->time_ms,
		(unsigned long long)sample->clock_ms);
	for (i = 0; i < sample->nr_devices; i++)
		put_device(stream, &sample->devices[i]);
	fputs("end\n", stream);
	return flush(stream);
}

int recording_close(struct recording *recording)
{
	int r;

	if (!recording->stream)
		return 0;
	r = flush(recording->stream);
	if (fclose(recording->stream) && !r)
		r = -errno;
	free(recording->shown);
	*recording = (struct recording){ .stream = NULL };
	return r;
}
