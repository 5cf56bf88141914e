// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of devices in /sys.
 */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "sysfs.h"

bool sysfs_read(const char *dir, const char *name, char *value, size_t bytes)
{
	char path[PATH_MAX];
	size_t length;
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	good = fgets(value, (int)bytes, file);
	fclose(file);
	if (!good)
		return false;
	for (length = strlen(value); length && isspace((unsigned char)value[length - 1]);)
		value[--length] = 0;
	length = strspn(value, " \t");
	memmove(value, value + length, strlen(value + length) + 1);
	return *value;
}
