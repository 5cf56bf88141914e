// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all sources have.
 */
#include <stdlib.h>

#include "source.h"

int source_fail(struct source *source, int status, const char *fmt, ...)
{
	va_list ap;

	free(source->problem);
	va_start(ap, fmt);
	if (vasprintf(&source->problem, fmt, ap) < 0)
		report_out_of_memory();
	va_end(ap);
	source->status = status;
	return -EIO;
}
