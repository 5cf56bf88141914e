// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a tool's result goes. A file appears under its name only when all of it is durable:
 * half a dump is worse than none.
 */
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "directory.h"
#include "escape.h"
#include "output.h"
#include "report.h"

#define STREAM_BYTES 65536

static void report_output_error(const char *path, int error)
{
	char *shown = escape_text(path, strlen(path));

	report_error("cannot write %s: %s", shown, strerror(error));
	free(shown);
}

/* Is this a file that may be overwritten? Return: 0 or a negative errno, reported. */
static int check_target(const char *path, const struct stat *target, const struct device *input)
{
	char *shown;
	int r = 0;

	if (input && target->st_dev == input->stat.st_dev && target->st_ino == input->stat.st_ino)
		r = -EINVAL;
	if (S_ISBLK(target->st_mode) || S_ISDIR(target->st_mode))
		r = -EINVAL;
	if (!r)
		return 0;
	shown = escape_text(path, strlen(path));
	if (S_ISREG(target->st_mode))
		report_error("-o: %s is the spare itself", shown);
	else
		report_error("-o: %s is a %s; the output must be a file", shown,
			     S_ISDIR(target->st_mode) ? "directory" : "block device");
	free(shown);
	return r;
}

static const int end_signals[] = { SIGHUP, SIGINT, SIGTERM };
static const char *volatile signal_path;	/* removed by a signal that ends the program */

static void remove_temporary(int signal)
{
	const char *path = signal_path;

	if (path)
		unlink(path);
	raise(signal);		/* its action is the default one again */
}

static void guard_temporary(const char *path)
{
	struct sigaction action = { .sa_handler = remove_temporary, .sa_flags = SA_RESETHAND };
	struct sigaction old;
	size_t i;

	signal_path = path;
	for (i = 0; path && i < ARRAY_SIZE(end_signals); i++)
		if (!sigaction(end_signals[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(end_signals[i], &action, NULL);
}

static ssize_t write_compressed(void *cookie, const char *data, size_t bytes)
{
	struct output *output = cookie;

	errno = 0;
	if (gzwrite(output->gz, data, (unsigned int)bytes) == (int)bytes)
		return (ssize_t)bytes;
	if (!output->error)
		output->error = errno ? -errno : -EIO;
	return 0;
}

static bool is_compressed(const char *path)
{
	size_t bytes = strlen(path);

	return bytes > 3 && !strcmp(path + bytes - 3, ".gz");
}

/* Make the stream of an open file. The stream, or its gzFile, closes a duplicate of the fd. */
static int open_stream(struct output *output)
{
	static const cookie_io_functions_t functions = { .write = write_compressed };
	int fd = fcntl(output->fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return -errno;
	if (!is_compressed(output->path)) {
		output->stream = fdopen(fd, "w");
		if (!output->stream) {
			close(fd);
			return -ENOMEM;
		}
	} else {
		output->gz = gzdopen(fd, "wb");
		if (!output->gz) {
			close(fd);
			return -ENOMEM;
		}
		gzbuffer(output->gz, STREAM_BYTES);
		output->stream = fopencookie(output, "w", functions);
		if (!output->stream) {
			gzclose(output->gz);
			return -ENOMEM;
		}
	}
	setvbuf(output->stream, NULL, _IOFBF, STREAM_BYTES);
	return 0;
}

/* A file of which the name is final only when it is complete. */
static int open_temporary(struct output *output)
{
	mode_t mask = umask(0);

	umask(mask);
	if (asprintf(&output->temporary, "%s.XXXXXX", output->path) < 0)
		report_out_of_memory();
	output->fd = mkostemp(output->temporary, O_CLOEXEC);
	if (output->fd < 0)
		return -errno;
	guard_temporary(output->temporary);
	fchmod(output->fd, 0666 & ~mask);
	return 0;
}

static void drop_temporary(struct output *output)
{
	guard_temporary(NULL);
	free(output->temporary);
	output->temporary = NULL;
}

int output_open(struct output *output, const char *path, const struct device *input)
{
	struct stat target;
	bool in_place = false;
	int r = 0;

	*output = (struct output){ .stream = stdout, .fd = -1 };
	if (!path || !strcmp(path, "-"))
		return 0;
	output->path = path;
	if (!stat(path, &target)) {
		r = check_target(path, &target, input);
		if (r)
			return r;
		in_place = !S_ISREG(target.st_mode);
	}
	if (in_place) {
		output->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		r = output->fd < 0 ? -errno : 0;
	} else {
		r = open_temporary(output);
	}
	if (!r)
		r = open_stream(output);
	if (!r)
		return 0;
	report_output_error(path, -r);
	if (output->fd >= 0) {
		close(output->fd);
		if (output->temporary)
			unlink(output->temporary);
	}
	drop_temporary(output);
	return r;
}

/* Flush and close the stream. Return: 0, or the negative errno of the first failure. */
static int close_stream(struct output *output)
{
	int r = 0, gz_error;

	errno = 0;
	if (fflush(output->stream) || ferror(output->stream))
		r = errno ? -errno : -EIO;
	if (output->stream == stdout)
		return r;
	errno = 0;
	if (fclose(output->stream) && !r)
		r = errno ? -errno : -EIO;
	if (output->gz) {
		errno = 0;
		gz_error = gzclose(output->gz);
		if (output->error)
			r = output->error;
		else if (gz_error && !r)
			r = errno ? -errno : -EIO;
	}
	return r;
}

int output_close(struct output *output, bool keep)
{
	int r = close_stream(output);

	if (output->temporary && keep && !r && fsync(output->fd))
		r = -errno;
	if (output->fd >= 0 && close(output->fd) && !r)
		r = -errno;
	if (output->temporary) {
		if (keep && !r && rename(output->temporary, output->path))
			r = -errno;
		if (!keep || r)
			unlink(output->temporary);
		else
			r = directory_sync(output->path);
		drop_temporary(output);
	}
	if (r)
		report_output_error(output->path ? output->path : "standard output", -r);
	return r;
}
