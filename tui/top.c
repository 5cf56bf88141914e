// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a source into a recording and a model.
 */
#include <stdlib.h>
#include <time.h>

#include "top.h"

u64 top_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * 1000 + (u64)now.tv_nsec / 1000000;
}

__attribute__((format(printf, 3, 4)))
static void set_problem(struct top *top, int status, const char *fmt, ...)
{
	va_list ap;

	free(top->problem);
	va_start(ap, fmt);
	if (vasprintf(&top->problem, fmt, ap) < 0)
		report_out_of_memory();
	va_end(ap);
	top->status = status;
}

static int keep_sample(struct top *top, const struct sample *sample)
{
	int r;

	if (!top->recording.stream)
		return 0;
	r = recording_put(&top->recording, sample);
	if (r) {
		set_problem(top, STATUS_FAILED, "--record: cannot write %s: %s",
			    top->recording.shown, strerror(-r));
		recording_close(&top->recording);
		top->recording_failed = true;
	}
	return r;
}

int top_step(struct top *top)
{
	struct sample sample = { .devices = NULL };
	int r = source_next(top->source, &sample), kept;

	if (r < 0 && !top->recording_failed)
		set_problem(top, top->source->status, "%s", top->source->problem);
	if (r > 0) {
		kept = keep_sample(top, &sample);
		model_update(&top->model, &sample);
		if (kept)
			r = kept;
	}
	sample_clear(&sample);
	return r;
}
