// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which host this is. See this_host.h.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "report.h"
#include "this_host.h"

#define ID_BYTES 16
#define PARAMETER "/sys/module/dm_remap/parameters/host_id"

static const u8 zero[ID_BYTES];

static const char *const id_files[] = {
	"/etc/machine-id",
	"/var/lib/dbus/machine-id",
	PARAMETER,
};

/* 32 digits and nothing else: "uninitialized", as on the first boot of an image, is none. */
static bool read_id(const char *path, u8 *id)
{
	char text[2 * ID_BYTES + 2] = "";
	unsigned int i, value;
	bool whole = false;
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return false;
	if (fgets(text, sizeof(text), file)) {
		text[strcspn(text, "\n")] = 0;
		whole = strlen(text) == 2 * ID_BYTES;
	}
	fclose(file);
	for (i = 0; i < ID_BYTES && whole; i++) {
		whole = isxdigit((unsigned char)text[2 * i]) &&
			isxdigit((unsigned char)text[2 * i + 1]) &&
			sscanf(text + 2 * i, "%2x", &value) == 1;
		id[i] = (u8)value;
	}
	return whole && memcmp(id, zero, ID_BYTES);
}

bool this_host_id(u8 *id)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(id_files); i++)
		if (read_id(id_files[i], id))
			return true;
	return false;
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

enum this_host this_host_judge(const struct rmeta_superblock *sb, const u8 *id)
{
	if (!sb->activated)
		return THIS_HOST_NOBODY;
	if (!memcmp(sb->host_id, zero, ID_BYTES))
		return *sb->host_name ? THIS_HOST_UNKNOWN : THIS_HOST_NOBODY;
	return id && !memcmp(sb->host_id, id, ID_BYTES) ? THIS_HOST_SAME : THIS_HOST_OTHER;
}

enum this_host this_host_compare(const struct rmeta_superblock *sb)
{
	u8 id[ID_BYTES];

	return this_host_judge(sb, this_host_id(id) ? id : NULL);
}

bool this_host_other_name(const struct rmeta_superblock *sb)
{
	char name[sizeof(sb->host_name)];

	get_name(name, sizeof(name));
	/* One that was cut off when it was written is as long as there is room for. */
	return !tells_nothing(name) && !tells_nothing(sb->host_name) &&
	       strncmp(name, sb->host_name, sizeof(name) - 2);
}

bool this_host_is_other(const struct rmeta_superblock *sb)
{
	switch (this_host_compare(sb)) {
	case THIS_HOST_OTHER:
		return true;
	case THIS_HOST_UNKNOWN:
		return (sb->state & RMETA_IN_USE) || this_host_other_name(sb);
	default:
		return false;
	}
}

void this_host_forget(struct rmeta_superblock *sb)
{
	memset(sb->host_id, 0, sizeof(sb->host_id));
	memset(sb->host_name, 0, sizeof(sb->host_name));
}

void this_host_sign(struct rmeta_superblock *sb)
{
	this_host_forget(sb);
	if (!this_host_id(sb->host_id))
		memset(sb->host_id, 0, sizeof(sb->host_id));
	get_name(sb->host_name, sizeof(sb->host_name) - 1);
}

void this_host_tell(void)
{
	char text[2 * ID_BYTES + 1];
	u8 id[ID_BYTES];
	unsigned int i;
	int fd, error = 0;

	if (!this_host_id(id)) {
		report_verbose("this host has no machine-id (/etc/machine-id): after a crash it is not known whose a spare was");
		return;
	}
	for (i = 0; i < ID_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
	fd = open(PARAMETER, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		error = errno;
	if (fd >= 0)
		close(fd);
	if (error)
		report_verbose("the target cannot be told the machine-id (%s): %s", PARAMETER,
			       strerror(error));
}
