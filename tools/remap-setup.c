// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-setup: live administration. The list of its verbs; each is in a file of its own.
 */
#include "setup.h"

/* In the order of --help: from making a device to leaving it. */
static const struct verb *const verbs[] = {
	&setup_create,
	&setup_open,
	&setup_close,
	&setup_scan,
	&setup_enable,
	&setup_disable,
	&setup_list,
	&setup_table,
	&setup_expose,
	&setup_udev,
	&setup_salvage,
	&setup_scrub,
	&setup_health_scan,
	&setup_commit,
	&setup_breaker_reset,
	&setup_unmap,
	&setup_replace,
	&setup_rebind,
	&setup_erase,
	&setup_backup,
};

static const struct tool tool = {
	.name = SETUP_TOOL,
	.summary = "Set up, look at and take down devices of dm-remap.",
	.usage = "VERB [OPTION]... [OPERAND]...",
	.details = "",
	.example = "remap-setup create archive /dev/sdb /dev/sdc1",
	.operand = "VERB",
	.verbs = verbs,
	.nr_verbs = ARRAY_SIZE(verbs),
};

int main(int argc, char **argv)
{
	return verbs_main(&tool, argc, argv);
}
