// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which host this is: /etc/machine-id and the name.
 */
#include <stdio.h>
#include <unistd.h>

#include "this_host.h"

#define MACHINE_ID "/etc/machine-id"

static bool get_id(u8 id[16])
{
	FILE *file = fopen(MACHINE_ID, "re");
	unsigned int i, value;

	if (!file)
		return false;
	for (i = 0; i < 16 && fscanf(file, "%2x", &value) == 1; i++)
		id[i] = (u8)value;
	fclose(file);
	return i == 16;
}

static void get_name(char *name, size_t bytes)
{
	if (gethostname(name, bytes - 1))
		*name = 0;
	name[bytes - 1] = 0;
}

static bool tells_nothing(const char *name)
{
	return !*name || !strcmp(name, "(none)") || !strcmp(name, "localhost");
}

bool this_host_is_other(const struct rmeta_superblock *sb)
{
	static const u8 zero[16];
	char name[sizeof(sb->host_name)];
	u8 id[16];

	if (!sb->activated)
		return false;
	if (memcmp(sb->host_id, zero, 16) && get_id(id))
		return memcmp(sb->host_id, id, 16);
	get_name(name, sizeof(name));
	return !tells_nothing(name) && !tells_nothing(sb->host_name) &&
	       strncmp(name, sb->host_name, sizeof(name) - 2);
}

void this_host_sign(struct rmeta_superblock *sb)
{
	memset(sb->host_id, 0, sizeof(sb->host_id));
	if (!get_id(sb->host_id))
		memset(sb->host_id, 0, sizeof(sb->host_id));
	memset(sb->host_name, 0, sizeof(sb->host_name));
	get_name(sb->host_name, sizeof(sb->host_name) - 1);
}
