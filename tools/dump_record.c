// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record of a dump. It goes to standard error and is printed also with -q: who asks for it
 * wants it. A file's digest is that of its bytes, so that sha256sum(1) gives the same.
 */
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "dump_record.h"
#include "escape.h"
#include "report.h"
#include "signature.h"
#include "units.h"
#include "version.h"

int record_begin(struct record *record, const struct device *dev, const struct output *output)
{
	int r;

	*record = (struct record){ .dev = dev, .stream = output->stream };
	r = digest_device(dev, record->input, &record->unread_sectors);
	if (r) {
		report_error("%s cannot be read: %s", dev->shown, strerror(-r));
		return r;
	}
	if (!output->temporary)
		record->stream = digest_stream_open(output->stream, &record->digest);
	return 0;
}

int record_close(struct record *record)
{
	if (!record->digest)
		return 0;
	errno = 0;
	return fclose(record->stream) ? -(errno ? errno : EIO) : 0;
}

/* The digest of the output. */
static int get_output(struct record *record, const char *path, char *text)
{
	char *shown;
	int fd, r;

	if (record->digest) {
		digest_stream_end(record->digest, text);
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : digest_file(fd, text);
	if (fd >= 0)
		close(fd);
	if (r) {
		shown = escape_text(path, strlen(path));
		report_error("%s cannot be read again: %s", shown, strerror(-r));
		free(shown);
	}
	return r;
}

static void print_device(const struct record *record)
{
	const struct device *dev = record->dev;
	char *usage = device_usage(&dev->stat), *id, uuid[40];
	static const u8 none[16];
	struct identity identity;

	identity_get(dev, &identity);
	id = escape_text(identity.id, strlen(identity.id));
	fprintf(stderr, "record: input: %llu bytes", (unsigned long long)dev->sectors * 512);
	if (*identity.id)
		fprintf(stderr, ", disk \"%s\"", id);
	if (dev->is_block)
		fprintf(stderr, ", from sector %llu of it",
			(unsigned long long)identity.start_sectors);
	if (memcmp(identity.partuuid, none, sizeof(none)))
		fprintf(stderr, ", PARTUUID %s", units_uuid(identity.partuuid, uuid));
	if (record->unread_sectors)
		fprintf(stderr, ", %llu sectors could not be read and count as zeroes",
			(unsigned long long)record->unread_sectors);
	if (usage)
		fprintf(stderr, ", live (%s): its digest is of no one moment", usage);
	fprintf(stderr, "\n");
	free(usage);
	free(id);
}

int record_print(struct record *record, const char *tool, const char *path)
{
	char output[DIGEST_TEXT], now[UNITS_TEXT], *shown;
	int r = get_output(record, path, output);

	if (r)
		return r;
	units_time((u64)time(NULL), now);
	fprintf(stderr, "record: %s (dm-remap) %s, %s\n", tool, DM_REMAP_VERSION, now);
	print_device(record);
	fprintf(stderr, "record: input sha256 %s  %s\n", record->input, record->dev->shown);
	shown = path ? escape_text(path, strlen(path)) : strdup("-");
	fprintf(stderr, "record: output sha256 %s  %s\n", output, shown ? shown : "-");
	free(shown);
	return 0;
}
