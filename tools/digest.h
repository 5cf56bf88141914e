/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SHA-256 of what a tool read and wrote, for whoever has to show later what was looked at.
 */
#ifndef TOOLS_DIGEST_H
#define TOOLS_DIGEST_H

#include <stdio.h>

#include "device.h"

#define DIGEST_TEXT 65		/* bytes of a digest in hexadecimal, with its NUL */

/**
 * digest_device() - of all of a device
 * @dev: open device
 * @text: out: DIGEST_TEXT bytes
 * @unread_sectors: out: could not be read, and count as zeroes
 *
 * Return: 0, or a negative errno when the device cannot be read at all.
 */
int digest_device(const struct device *dev, char *text, u64 *unread_sectors);

/**
 * digest_file() - of a file, from its first byte
 * @fd: open for reading
 * @text: out: DIGEST_TEXT bytes
 *
 * Return: 0 or a negative errno.
 */
int digest_file(int fd, char *text);

struct digest_stream;

/**
 * digest_stream_open() - a stream that passes on what is written, and takes its digest
 * @below: where it goes
 * @digest: out: to be given to digest_stream_end()
 *
 * Return: the stream, never NULL.
 */
FILE *digest_stream_open(FILE *below, struct digest_stream **digest);

/**
 * digest_stream_end() - the digest, once the stream was closed
 * @digest: is freed
 * @text: out: DIGEST_TEXT bytes
 */
void digest_stream_end(struct digest_stream *digest, char *text);

#endif
