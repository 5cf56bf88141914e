// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keeps a spare from being changed for good. See spare_refuse.h.
 */
#include "escape.h"
#include "report.h"
#include "spare_refuse.h"
#include "this_host.h"
#include "units.h"

int spare_refuse_unsure(const struct spare_load *load, const struct device *dev)
{
	const char *name = dev->shown;

	if (load->table.sb.feature_ro_compat) {
		report_error("%s was made by a newer version, with features unknown here; use its tools",
			     name);
		return STATUS_FAILED;
	}
	if (load->table.needs_check || load->table.sb.state & RMETA_NEEDS_CHECK) {
		report_error("%s is marked as needing a check, and what it holds is not known for certain; nothing was changed (remap-check %s)",
			     name, name);
		return STATUS_DAMAGED;
	}
	return STATUS_DONE;
}

int spare_refuse_unreleased(const struct rmeta_superblock *sb, const struct device *dev,
			    bool adopt)
{
	char *name, when[UNITS_TEXT];

	if (!(sb->state & RMETA_IN_USE) || !this_host_is_other(sb))
		return STATUS_DONE;
	name = escape_text(sb->host_name, strlen(sb->host_name));
	units_time(sb->activated, when);
	if (adopt)
		report_info("%s was not released by host \"%s\" (%s)", dev->shown, name, when);
	else
		report_error("%s was activated by another host, \"%s\", on %s and not released there: it may be in use; nothing was changed (--adopt if that host does not have it any more)",
			     dev->shown, name, when);
	free(name);
	return adopt ? STATUS_DONE : STATUS_FAILED;
}
