// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dump that is restored, before anything else is looked at. See restore_session.h.
 */
#include "report.h"
#include "restore_session.h"

int restore_read(struct restore_session *session)
{
	const struct restore_options *options = &session->options;
	struct dump_file *file = &session->file;
	int status = dump_file_read(file, options->input);

	if (status)
		return status;
	if (file->damaged && !options->accept_incomplete) {
		report_error("%s is the dump of a damaged spare and may lack entries: their blocks would be read from main, where they are old; --accept-incomplete takes it as it is",
			     file->shown);
		return STATUS_DAMAGED;
	}
	if (file->damaged)
		report_warn("%s may lack entries; blocks that it does not name are read from main",
			    file->shown);
	if (file->sb.feature_ro_compat) {
		report_error("%s is of a spare made by a newer version, with features unknown here; use its tools",
			     file->shown);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}
