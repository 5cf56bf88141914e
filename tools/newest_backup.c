// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the newest backup of a spare knows of it. See newest_backup.h.
 */
#include <stdio.h>
#include <zlib.h>

#include "backup_dir.h"
#include "json_read.h"
#include "newest_backup.h"
#include "units.h"

#define CHUNK_BYTES 4096U

/* Return: 1, which ends the reading, at the sequence. */
static int take_value(void *ctx, const struct json_reader *reader, const struct json_value *value)
{
	u64 *sequence = ctx;

	return json_at(reader, "superblock.sequence") && json_value_number(value, sequence);
}

static bool read_sequence(const char *path, u64 *sequence)
{
	static const struct json_events events = { .value = take_value };
	struct json_reader *reader;
	char chunk[CHUNK_BYTES];
	int bytes, r = 0;
	gzFile file;

	file = gzopen(path, "rbe");
	if (!file)
		return false;
	reader = json_reader_new(&events, sequence);
	while (reader && !r && (bytes = gzread(file, chunk, sizeof(chunk))) > 0)
		r = json_reader_feed(reader, chunk, (size_t)bytes);
	json_reader_free(reader);
	gzclose(file);
	return r == 1;
}

bool newest_backup_find(struct newest_backup *backup, const char *dir, const u8 uuid[16])
{
	char name[BACKUP_NAME_BYTES], text[40];

	if (backup_dir_newest(dir, units_uuid(uuid, text), &backup->when, name) ||
	    snprintf(backup->path, sizeof(backup->path), "%s/%s", dir, name) >= PATH_MAX)
		return false;
	return read_sequence(backup->path, &backup->sequence);
}
