/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attributes of devices in /sys.
 */
#ifndef TOOLS_SYSFS_H
#define TOOLS_SYSFS_H

#include <stdbool.h>
#include <stddef.h>

/**
 * sysfs_read() - the value of an attribute, without blanks at its ends
 * @dir: directory of the device
 * @name: of the attribute in it; may be a path
 * @value: out: one line
 * @bytes: of @value, with the NUL; what does not fit is cut off
 *
 * Return: false when there is no such attribute, or nothing in it.
 */
bool sysfs_read(const char *dir, const char *name, char *value, size_t bytes);

#endif
