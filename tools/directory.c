// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories of files. See directory.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "report.h"

int directory_open(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name;
	int fd;

	name = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	if (!name)
		report_out_of_memory();
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(name);
	return fd < 0 ? -errno : fd;
}

int directory_sync(const char *path)
{
	int fd = directory_open(path), r;

	if (fd < 0)
		return fd;
	r = fsync(fd) && errno != EINVAL ? -errno : 0;
	close(fd);
	return r;
}
