// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a tool's result goes. A file appears under its name only when all of it is durable:
 * half a dump is worse than none.
 */
#include <fcntl.h>
#include <unistd.h>

#include "escape.h"
#include "output.h"
#include "report.h"

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

	if (target->st_dev == input->stat.st_dev && target->st_ino == input->stat.st_ino)
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

int output_open(struct output *output, const char *path, const struct device *input)
{
	struct stat target;
	mode_t mask;
	int fd, r;

	*output = (struct output){ .stream = stdout };
	if (!path || !strcmp(path, "-"))
		return 0;
	output->path = path;
	if (!stat(path, &target)) {
		r = check_target(path, &target, input);
		if (r)
			return r;
		if (!S_ISREG(target.st_mode)) {
			output->stream = fopen(path, "we");
			if (output->stream)
				return 0;
			r = -errno;
			report_output_error(path, -r);
			return r;
		}
	}
	if (asprintf(&output->temporary, "%s.XXXXXX", path) < 0)
		report_out_of_memory();
	fd = mkostemp(output->temporary, O_CLOEXEC);
	output->stream = fd < 0 ? NULL : fdopen(fd, "w");
	if (!output->stream) {
		r = -errno;
		report_output_error(path, -r);
		if (fd >= 0)
			close(fd);
		free(output->temporary);
		return r;
	}
	mask = umask(0);
	umask(mask);
	fchmod(fd, 0666 & ~mask);
	return 0;
}

int output_close(struct output *output, bool keep)
{
	int r = 0;

	errno = 0;
	if (fflush(output->stream) || ferror(output->stream))
		r = errno ? -errno : -EIO;
	if (output->temporary && keep && !r && fsync(fileno(output->stream)))
		r = -errno;
	if (output->stream != stdout && fclose(output->stream) && !r)
		r = -errno;
	if (output->temporary) {
		if (keep && !r && rename(output->temporary, output->path))
			r = -errno;
		if (!keep || r)
			unlink(output->temporary);
		free(output->temporary);
		output->temporary = NULL;
	}
	if (r)
		report_output_error(output->path ? output->path : "standard output", -r);
	return r;
}
