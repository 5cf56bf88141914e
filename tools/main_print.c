// SPDX-License-Identifier: GPL-2.0-only
/*
 * The print of main.
 */
#include <fcntl.h>
#include <unistd.h>

#include "main_print.h"
#include "report.h"

#define PRINT_BYTES (1024ULL * 1024)
#define READ_BYTES 65536

static int checksum(const struct device *main, u64 offset, u64 bytes, u32 *print)
{
	u8 *data = report_alloc(READ_BYTES);
	ssize_t got = 0;
	int r = 0;

	/* dm-remap writes to main past the page cache of its node: what is in there may be old. */
	posix_fadvise(main->host.fd, (off_t)offset, (off_t)bytes, POSIX_FADV_DONTNEED);
	for (*print = 0; bytes && !r; bytes -= (u64)got, offset += (u64)got) {
		got = pread(main->host.fd, data, min(bytes, (u64)READ_BYTES), (off_t)offset);
		if (got > 0)
			*print = rmeta_crc32(*print, data, (size_t)got);
		else if (got < 0 && errno == EINTR)
			got = 0;
		else
			r = got ? -errno : -EIO;
	}
	free(data);
	return r;
}

int main_print_read(const struct device *main, u64 main_sectors, u32 print[2])
{
	u64 bytes = min(main_sectors * 512, (u64)PRINT_BYTES);
	int r = checksum(main, 0, bytes, &print[0]);

	return r ? r : checksum(main, main_sectors * 512 - bytes, bytes, &print[1]);
}
