// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing slots. See slot_copy.h.
 */
#include <unistd.h>

#include "report.h"
#include "salvage.h"
#include "slot_copy.h"

int slot_write(const struct device *spare, u64 sector, u64 sectors, u8 *data)
{
	const struct rmeta_file *host = &spare->host;
	struct rmeta_io io = {
		.op = RMETA_WRITE,
		.sector = sector,
		.bytes = (u32)(sectors * 512),
		.data = data,
	};
	size_t bytes = sectors * 512;
	off_t at = (off_t)(sector * 512);
	/* The spare is open: NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
	int r = host->before_write ? host->before_write(host->ctx, &io, 1) : 0;

	if (r)
		return r;
	while (bytes) {
		ssize_t done = pwrite(host->fd, data, bytes, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			int error = done < 0 ? errno : EIO;

			report_error("%s: sector %llu cannot be written: %s; it is no spare to rely on, take another device",
				     spare->shown, (unsigned long long)(at / 512), strerror(error));
			return -error;
		}
		data += done;
		at += done;
		bytes -= (size_t)done;
	}
	return 0;
}

u16 slot_copy(const struct device *spare, const struct device *from, u64 from_sector,
	      u64 to_sector, u16 mask, int *error)
{
	u16 failed = 0;
	unsigned int bit;
	u8 data[512];

	for (bit = 0; bit < 16 && !*error; bit++) {
		if (!(mask & 1U << bit))
			continue;
		if (salvage_read(from, from_sector + bit, 1, data, NULL, NULL))
			failed |= (u16)(1U << bit);
		else
			*error = slot_write(spare, to_sector + bit, 1, data);
	}
	return failed;
}
