// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: status lines of the target. What is accepted can be written as a line again, which
 * is the same to a reader.
 */
#include <stdarg.h>
#include <sys/sysmacros.h>

#include "fuzz_disk.h"
#include "status_line.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static char line[4096];
static size_t length;

__attribute__((format(printf, 1, 2)))
static void put(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	length += (size_t)vsnprintf(line + length, sizeof(line) - length, format, arguments);
	va_end(arguments);
	FUZZ_CHECK(length < sizeof(line), "a line without end");
}

static void put_number(const char *before, u64 number)
{
	if (number == STATUS_UNKNOWN)
		put("%s-", before);
	else
		put("%s%llu", before, (unsigned long long)number);
}

static void put_numbers(const u64 *numbers, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		put_number(" ", numbers[i]);
}

static void put_pair(u64 first, u64 second)
{
	put_number(" ", first);
	put_number("/", second);
}

static void put_uuid(const struct status_line *status)
{
	unsigned int i;

	put(" %s", status->has_uuid ? "" : "-");
	for (i = 0; status->has_uuid && i < sizeof(status->uuid); i++)
		put("%02x", status->uuid[i]);
}

/* All fields, in the order of docs/target.md. */
static void write_line(const struct status_line *s)
{
	static const char *const salvage[] = { "-", "running", "stopped" };
	static const char *const scan[] = { "off", "on", "idle" };

	length = 0;
	FUZZ_CHECK(s->mode < STATUS_NR_MODES && s->salvage <= STATUS_SALVAGE_STOPPED &&
		   s->scan <= STATUS_SCAN_IDLE, "a word that is none");
	put("%d %s", STATUS_LAYOUT, status_mode_name(s->mode));
	put_pair(s->used, s->slots);
	put_numbers((const u64[]){ s->pending, s->lost, s->retired, s->live_copies, s->health }, 5);
	put(" %u:%u %u:%u", major(s->main), minor(s->main), major(s->spare), minor(s->spare));
	put_uuid(s);
	put_numbers((const u64[]){ s->block_sectors, s->read_errors, s->write_errors,
		    s->spare_errors, s->remapped_reads, s->remapped_writes, s->reads, s->writes,
		    s->buckets, s->resizes, s->breaker_left, s->parked, s->last_error }, 13);
	put_pair(s->scan_position, s->sectors);
	put_number(" ", s->scan_errors);
	put(" %s %s %s", s->needs_check ? "needs_check" : "-", s->read_only ? "ro" : "rw",
	    salvage[s->salvage]);
	put_pair(s->salvage_tried, s->salvage_pending);
	put_number(" ", s->salvage_recovered);
	put(" %s", scan[s->scan]);
	put_numbers((const u64[]){ s->scan_passes, s->scan_share }, 2);
	put(" %s", s->scrub ? "on" : "off");
	put_pair(s->scrub_page, s->scrub_pages);
	put_numbers((const u64[]){ s->scrub_bad, s->scrub_repaired, s->recent_errors, s->fenced },
		    4);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct status_line status, again;
	char *text = malloc(bytes + 1);		/* of its length: a byte too many is found */
	int r;

	FUZZ_CHECK(text, "no memory");
	if (bytes)
		memcpy(text, data, bytes);
	text[bytes] = 0;
	r = status_line_parse(&status, text);
	free(text);
	FUZZ_CHECK(!r || r == -EPROTONOSUPPORT || r == -EBADMSG, "error %d", r);
	if (r) {
		FUZZ_CHECK(*status_line_explain(r), "nothing is said");
		return 0;
	}
	write_line(&status);
	FUZZ_CHECK(!status_line_parse(&again, line) && !memcmp(&status, &again, sizeof(status)),
		   "another status: %s", line);
	return 0;
}
