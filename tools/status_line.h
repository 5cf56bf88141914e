/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The status line of the target (docs/target.md, *Status*), taken apart. Does no I/O and reports
 * nothing: a line may come from the kernel, from a recording, from a bug report.
 */
#ifndef TOOLS_STATUS_LINE_H
#define TOOLS_STATUS_LINE_H

#include <sys/types.h>

#include "host.h"

#define STATUS_LAYOUT 1			/* the first field; later fields are added at the end */
#define STATUS_UNKNOWN UINT64_MAX	/* a number that the target prints as "-" */

enum status_mode {
	STATUS_MODE_INACTIVE, STATUS_MODE_OK, STATUS_MODE_DEGRADED, STATUS_MODE_FULL,
	STATUS_MODE_BREAKER, STATUS_MODE_FAILED,
	STATUS_NR_MODES
};

enum status_salvage { STATUS_SALVAGE_NONE, STATUS_SALVAGE_RUNNING, STATUS_SALVAGE_STOPPED };

enum status_scan { STATUS_SCAN_OFF, STATUS_SCAN_ON, STATUS_SCAN_IDLE };

/**
 * struct status_line - the fields, in their order
 * @mode: see docs/target.md, as all that are not named here
 * @main: its device number
 * @spare: likewise
 * @has_uuid: @uuid is known
 * @uuid: of the spare
 * @last_error: sector of main
 * @scan_position: sector of main, of @sectors
 * @scan_share: millionths
 *
 * Numbers may each be STATUS_UNKNOWN, and those behind @read_only are it if the line ends
 * there: it is of an earlier version.
 */
struct status_line {
	enum status_mode mode;
	u64 used;
	u64 slots;
	u64 pending;
	u64 lost;
	u64 retired;
	u64 live_copies;
	u64 health;
	dev_t main;
	dev_t spare;
	bool has_uuid;
	u8 uuid[16];
	u64 block_sectors;
	u64 read_errors;
	u64 write_errors;
	u64 spare_errors;
	u64 remapped_reads;
	u64 remapped_writes;
	u64 reads;
	u64 writes;
	u64 buckets;
	u64 resizes;
	u64 breaker_left;
	u64 parked;
	u64 last_error;
	u64 scan_position;
	u64 sectors;
	u64 scan_errors;
	bool needs_check;
	bool read_only;
	enum status_salvage salvage;
	u64 salvage_tried;
	u64 salvage_pending;
	u64 salvage_recovered;
	enum status_scan scan;
	u64 scan_passes;
	u64 scan_share;
	bool scrub;
	u64 scrub_page;
	u64 scrub_pages;
	u64 scrub_bad;
	u64 scrub_repaired;
	u64 recent_errors;
	u64 fenced;
};

/**
 * status_line_parse() - take a status line apart
 * @status: out
 * @text: what follows the target's name
 *
 * Fields behind the last that is known are of a later version, and are left alone.
 *
 * Return: 0; -EPROTONOSUPPORT when the layout is another one; -EBADMSG when a field is not what it
 * should be, or missing.
 */
int status_line_parse(struct status_line *status, const char *text);

/* Why status_line_parse() failed, and what to do: words that follow "NAME: ". */
const char *status_line_explain(int error);

/* A mode as the target spells it. */
const char *status_mode_name(enum status_mode mode);

#endif
