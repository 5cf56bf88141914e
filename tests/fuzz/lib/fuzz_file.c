// SPDX-License-Identifier: GPL-2.0-only
/* A file in memory. See fuzz_file.h. */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_disk.h"
#include "fuzz_file.h"

void fuzz_file_fill(struct fuzz_file *file, const void *data, size_t bytes)
{
	if (!file->open) {
		file->fd = memfd_create("fuzz", MFD_CLOEXEC);
		FUZZ_CHECK(file->fd >= 0, "no file in memory");
		snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
		file->open = true;
	}
	if (bytes < file->bytes)
		FUZZ_CHECK(!ftruncate(file->fd, (off_t)bytes), "no length");
	FUZZ_CHECK(pwrite(file->fd, data, bytes, 0) == (ssize_t)bytes, "no room in memory");
	file->bytes = bytes;
}
