/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device mapper by ioctl, for guest programs that do thousands of things to a device: a
 * message or a status costs one system call and no process. Devices are known by name.
 */
#ifndef DMCTL_H
#define DMCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DMCTL_TEXT 1024		/* room for a status line or an answer, with its NUL */

/**
 * dmctl_message() - send a message to the first target of a device
 * @device: name
 * @text: the message
 * @answer: out: what it answered, empty if nothing; DMCTL_TEXT bytes, or NULL
 *
 * Return: 0 or a negative errno.
 */
int dmctl_message(const char *device, const char *text, char *answer);

/**
 * dmctl_status() - status of the first target of a device, without start, length and type
 * @device: name
 * @text: out: DMCTL_TEXT bytes
 *
 * Return: 0 or a negative errno.
 */
int dmctl_status(const char *device, char *text);

/**
 * dmctl_field() - one word of a status
 * @text: the status
 * @number: of the word, from 0
 * @word: out: DMCTL_TEXT bytes; empty if there are not so many
 *
 * Return: the word as a number, or 0.
 */
uint64_t dmctl_field(const char *text, unsigned int number, char *word);

/**
 * dmctl_load() - make a device if there is none of this name, and load a table of one line
 * @device: name
 * @sectors: length
 * @type: target
 * @params: the rest of the table line
 *
 * Return: 0 or a negative errno. A device just made is gone again when the load failed.
 */
int dmctl_load(const char *device, uint64_t sectors, const char *type, const char *params);

/**
 * dmctl_reload() - load a table of one line into a device that is there; one system call
 *
 * Arguments and return as those of dmctl_load().
 */
int dmctl_reload(const char *device, uint64_t sectors, const char *type, const char *params);

/**
 * dmctl_clear() - drop the table that was loaded and is not live
 * @device: name
 *
 * Return: 0, also when there was none, or a negative errno.
 */
int dmctl_clear(const char *device);

/**
 * dmctl_suspend() - suspend or resume a device
 * @device: name
 * @suspend: or resume
 * @noflush: what is on its way is put back rather than waited for
 *
 * Return: 0 or a negative errno.
 */
int dmctl_suspend(const char *device, bool suspend, bool noflush);

/**
 * dmctl_remove() - remove a device
 * @device: name
 *
 * Return: 0 or a negative errno.
 */
int dmctl_remove(const char *device);

/**
 * dmctl_path() - the block device's node, which needs no udev
 * @device: name
 * @path: out
 * @size: of @path
 *
 * Return: 0 or a negative errno.
 */
int dmctl_path(const char *device, char *path, size_t size);

#endif
