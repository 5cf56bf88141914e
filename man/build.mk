# SPDX-License-Identifier: GPL-2.0-only
# The manual: mdoc, installed as it is.

MAN_PAGES := $(sort $(wildcard man/*.[1-9]))

install::
	@set -e; for page in $(MAN_PAGES); do section=$${page##*.}; \
		$(INSTALL) -d $(DESTDIR)$(mandir)/man$$section; \
		$(INSTALL) -m 644 $$page $(DESTDIR)$(mandir)/man$$section; done

uninstall::
	rm -f $(foreach page,$(MAN_PAGES),$(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))
