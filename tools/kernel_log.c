// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of the kernel's log, from /dev/kmsg: a record is "priority,number,time,flags;text", and
 * one read gives one record.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "kernel_log.h"
#include "report.h"

#define RECORD_BYTES 8192	/* as long as the kernel makes them */

int kernel_log_begin(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log >= 0 && lseek(log, 0, SEEK_END) < 0) {
		close(log);
		log = -1;
	}
	return log;
}

static void show_record(char *record)
{
	char *text = strchr(record, ';'), *escaped;

	if (!text)
		return;
	text++;
	text[strcspn(text, "\n")] = 0;
	if (strncmp(text, "device-mapper: ", 15) && strncmp(text, "dm-remap: ", 10))
		return;
	escaped = escape_text(text, strlen(text));
	report_error("the kernel says: %s", escaped);
	free(escaped);
}

void kernel_log_end(int log, bool shown)
{
	char record[RECORD_BYTES + 1];
	ssize_t bytes;

	if (log < 0)
		return;
	while (shown) {
		bytes = read(log, record, RECORD_BYTES);
		if (!bytes || (bytes < 0 && errno != EPIPE))	/* EPIPE: some were overwritten */
			break;
		if (bytes > 0) {
			record[bytes] = 0;
			show_record(record);
		}
	}
	close(log);
}
