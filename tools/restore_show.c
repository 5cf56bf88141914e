// SPDX-License-Identifier: GPL-2.0-only
/*
 * What became of sectors on a new spare. See restore_show.h.
 */
#include "report.h"
#include "restore_show.h"

#define RANGES_SHOWN 20

void restore_show_lost(const struct restore_session *session)
{
	const struct restore_table *table = &session->table;
	const struct ranges *lost = &session->lost;
	size_t i, shown = report_is_verbose() ? lost->nr : min(lost->nr, (size_t)RANGES_SHOWN);

	report_out("pending     %llu sectors, which only main has\n",
		   (unsigned long long)table->counts.pending_sectors);
	if (table->copied_sectors || table->saved_sectors)
		report_out("copied      %llu sectors from the old spare, %llu from main\n",
			   (unsigned long long)table->copied_sectors,
			   (unsigned long long)table->saved_sectors);
	report_out("lost        %llu sectors of main in %u blocks; %llu were before\n",
		   (unsigned long long)table->counts.lost_sectors, table->counts.lost,
		   (unsigned long long)table->lost_before);
	for (i = 0; i < shown; i++)
		report_out("              %llu to %llu\n", (unsigned long long)lost->range[i].first,
			   (unsigned long long)lost->range[i].end - 1);
	if (shown < lost->nr)
		report_out("              and %zu more ranges (-v lists them)\n", lost->nr - shown);
	if (table->pending_lost)
		report_info("%llu of the lost sectors were on main only, and may be there still: their blocks have other lost sectors (--main DEV saves them)",
			    (unsigned long long)table->pending_lost);
}
