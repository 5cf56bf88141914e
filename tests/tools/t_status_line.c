// SPDX-License-Identifier: GPL-2.0-only
/*
 * Status lines: every field, what is unknown, other layouts, other versions, and noise.
 */
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "tap.h"
#include "status_line.h"

static const char line[] =
	"1 degraded 2/14805 3 4 5 4 99 8:16 259:1048575 5cf03c0e-1f4e-4a55-9d7e-0d6f0c1b2a01 8 "
	"6 7 8 9 10 120 98 64 11 1022 12 13 14/131072 15 needs_check ro running 16/17 18 on 19 20 "
	"on 21/59 22 23 24 25";

/* The line with word @at (from 0) replaced by @word. Return: a text to free(). */
static char *with(unsigned int at, const char *word)
{
	char *copy = strdup(line), *rest = copy, *next, *out = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&out, &bytes);
	unsigned int i;

	for (i = 0; (next = strsep(&rest, " ")); i++)
		fprintf(stream, "%s%s", i ? " " : "", i == at ? word : next);
	fclose(stream);
	free(copy);
	return out;
}

static void test_fields(void)
{
	struct status_line s;
	const u8 uuid[16] = { 0x5c, 0xf0, 0x3c, 0x0e, 0x1f, 0x4e, 0x4a, 0x55,
			      0x9d, 0x7e, 0x0d, 0x6f, 0x0c, 0x1b, 0x2a, 0x01 };

	is(status_line_parse(&s, line), 0, "a line is parsed");
	is_str(status_mode_name(s.mode), "degraded", "mode");
	ok(s.used == 2 && s.slots == 14805 && s.pending == 3 && s.lost == 4 && s.retired == 5 &&
	   s.live_copies == 4 && s.health == 99, "state");
	ok(s.main == makedev(8, 16) && s.spare == makedev(259, 1048575), "devices");
	ok(s.has_uuid && !memcmp(s.uuid, uuid, 16), "uuid");
	ok(s.block_sectors == 8 && s.read_errors == 6 && s.write_errors == 7 &&
	   s.spare_errors == 8 && s.remapped_reads == 9 && s.remapped_writes == 10 &&
	   s.reads == 120 && s.writes == 98, "counters");
	ok(s.buckets == 64 && s.resizes == 11 && s.breaker_left == 1022 && s.parked == 12 &&
	   s.last_error == 13, "index, breaker, last error");
	ok(s.scan_position == 14 && s.sectors == 131072 && s.scan_errors == 15 &&
	   s.scan == STATUS_SCAN_ON && s.scan_passes == 19 && s.scan_share == 20, "scan");
	ok(s.needs_check && s.read_only, "flags");
	ok(s.salvage == STATUS_SALVAGE_RUNNING && s.salvage_tried == 16 &&
	   s.salvage_pending == 17 && s.salvage_recovered == 18, "salvage");
	ok(s.scrub && s.scrub_page == 21 && s.scrub_pages == 59 && s.scrub_bad == 22 &&
	   s.scrub_repaired == 23, "scrub");
	ok(s.recent_errors == 24 && s.fenced == 25, "recent errors, fenced");
}

static void test_unknown(void)
{
	struct status_line s;

	is(status_line_parse(&s, "1 inactive -/- - - - - - 8:16 8:33 - - - - - - - - - - - - - - -/- - - rw - - - off - - off -/- - - - -"),
	   0, "a table that is not live");
	ok(s.mode == STATUS_MODE_INACTIVE && s.used == STATUS_UNKNOWN && !s.has_uuid &&
	   s.slots == STATUS_UNKNOWN && s.salvage_tried == STATUS_UNKNOWN &&
	   s.scrub_pages == STATUS_UNKNOWN && s.fenced == STATUS_UNKNOWN && !s.needs_check &&
	   !s.read_only, "knows nothing");
}

static void test_versions(void)
{
	char early[sizeof(line)], late[sizeof(line) + 20];
	struct status_line s;

	snprintf(early, sizeof(early), "%s", line);
	*strstr(early, " running") = 0;
	is(status_line_parse(&s, early), 0, "a line of the first version");
	ok(s.read_only && s.salvage == STATUS_SALVAGE_NONE && s.salvage_tried == STATUS_UNKNOWN &&
	   s.recent_errors == STATUS_UNKNOWN, "what it does not have is unknown");
	*strstr(early, " ro") = 0;
	is(status_line_parse(&s, early), -EBADMSG, "a line that is cut off");
	snprintf(late, sizeof(late), "%s 26 more/words", line);
	is(status_line_parse(&s, late), 0, "a line with fields of a later version");
	is(status_line_parse(&s, "2 of another kind"), -EPROTONOSUPPORT, "another layout");
	ok(strcmp(status_line_explain(-EPROTONOSUPPORT), status_line_explain(-EBADMSG)),
	   "is another error than one that is not understood");
}

static void test_noise(void)
{
	static const char *const bad[] = { "x", "-1", "99999999999999999999", "1:", "1/", ":", "/",
					   "5cf03c0e", "\033[31m", "oops" };
	struct status_line s;
	unsigned int at, i;
	char *text;
	int wrong = 0;

	is(status_line_parse(&s, ""), -EBADMSG, "an empty line");
	is(status_line_parse(&s, "remap"), -EBADMSG, "a word");
	for (at = 0; at < 40; at++) {
		for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
			text = with(at, bad[i]);
			if (status_line_parse(&s, text) != -EBADMSG) {
				note("field %u as \"%s\" is accepted", at, bad[i]);
				wrong++;
			}
			free(text);
		}
		text = with(at, "1234567890123456789012345678901234567890123456789012345678901234567890");
		wrong += status_line_parse(&s, text) != -EBADMSG;
		free(text);
	}
	is(wrong, 0, "no field takes what it cannot be");
}

int main(void)
{
	test_fields();
	test_unknown();
	test_versions();
	test_noise();
	return done();
}
