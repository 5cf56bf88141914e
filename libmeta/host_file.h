/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's I/O in userspace: a file descriptor of an image file or a block device.
 *
 * Owns nothing: the descriptor belongs to whoever opened it and decided that it may be
 * read or written. Buffers may be anywhere in memory, so the descriptor must not be open
 * with O_DIRECT.
 */
#ifndef RMETA_HOST_FILE_H
#define RMETA_HOST_FILE_H

#include "host.h"

/**
 * struct rmeta_file - the host of a spare that is a file descriptor
 * @fd: image file or block device, open for reading, or for both
 * @before_write: called with the requests of a submit() that has writes among them, before
 *	the first is sent; when it returns a negative errno no write is sent, and each fails
 *	with that error. NULL for none.
 * @ctx: its first argument
 *
 * A pointer to it is the first argument of rmeta_file_ops.
 */
struct rmeta_file {
	int fd;
	int (*before_write)(void *ctx, const struct rmeta_io *ios, unsigned int nr_ios);
	void *ctx;
};

/*
 * submit() transfers every request with pread() or pwrite() and, if there were writes,
 * makes them durable with one fdatasync(). A read past the end is -EIO. When fdatasync()
 * fails, which pages the kernel could not write is unknown: every write of the call then
 * failed with its error. There is no resized().
 *
 * Context: sleeps; one call at a time on one descriptor.
 */
extern const struct rmeta_host_ops rmeta_file_ops;

#endif
