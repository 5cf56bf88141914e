# SPDX-License-Identifier: GPL-2.0-only
# The manual: mdoc, installed as it is.

MAN_PAGES := $(sort $(wildcard man/*.[1-9]))

INSTALLS += $(foreach page,$(MAN_PAGES),644|$(page)|$(mandir)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))
