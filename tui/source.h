/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where samples come from: the kernel, or a recording. Those who show them cannot tell which.
 */
#ifndef TUI_SOURCE_H
#define TUI_SOURCE_H

#include "report.h"
#include "sample.h"

struct source;

/**
 * struct source_ops - a kind of source
 * @next: the next sample; see source_next()
 * @free: end it
 */
struct source_ops {
	int (*next)(struct source *source, struct sample *sample);
	void (*free)(struct source *source);
};

/**
 * struct source - a source, the first member of its kind's struct
 * @ops: of its kind
 * @is_recording: samples come as fast as they are asked for
 * @problem: why source_next() failed, safe to print; or NULL
 * @status: exit status that goes with @problem
 */
struct source {
	const struct source_ops *ops;
	bool is_recording;
	char *problem;
	int status;
};

/**
 * source_next() - the next sample
 * @source: the source
 * @sample: out: an empty sample is filled; to be cleared by the caller in any case
 *
 * Return: 1 with a sample; 0 at the end of a recording; a negative errno with
 * @source->problem set, after which a recording has no more, and the kernel may be asked again.
 */
static inline int source_next(struct source *source, struct sample *sample)
{
	return source->ops->next(source, sample);
}

/* End a source; NULL is left alone. */
static inline void source_free(struct source *source)
{
	if (source)
		source->ops->free(source);
}

/**
 * source_fail() - note why a source fails
 * @source: the source
 * @status: exit status, for those who give up now
 * @fmt: why; what is printed must be safe to show
 *
 * Return: -EIO.
 */
__attribute__((format(printf, 3, 4)))
int source_fail(struct source *source, int status, const char *fmt, ...);

/**
 * source_replay() - a recording as a source
 * @path: of the recording, or "-" for standard input; it may be compressed by gzip
 * @source: out: the source, or NULL
 *
 * Return: STATUS_DONE; or with an error reported STATUS_FAILED when it cannot be read, STATUS_DAMAGED
 * when it is not a recording.
 */
int source_replay(const char *path, struct source **source);

#endif
