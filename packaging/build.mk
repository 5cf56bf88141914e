# SPDX-License-Identifier: GPL-2.0-only
# What distributions make of it: the source tree for dkms, and Debian's packages.

.PHONY: install-dkms uninstall-dkms list-install-dkms check-dkms deb check-deb
TESTS += $(sort $(wildcard tests/packaging/*.t))

# The same files as kernel/build.mk copies for a build, with a dkms.conf.
dkmsdir ?= /usr/src
DKMS_TREE := $(dkmsdir)/dm-remap-$(VERSION)
DKMS_LIST = $(foreach file,$(MODULE_TOP),644|$(file)|$(DKMS_TREE)/$(notdir $(file))) \
	$(foreach file,$(MODULE_ENGINE),644|$(file)|$(DKMS_TREE)/$(file)) \
	644@|packaging/dkms.conf.in|$(DKMS_TREE)/dkms.conf

install-dkms uninstall-dkms list-install-dkms: INSTALLS = $(DKMS_LIST)
install-dkms:
	@$(INSTALL_LIST) put

uninstall-dkms:
	@$(INSTALL_LIST) take

list-install-dkms:
	@$(INSTALL_LIST) list

check-dkms: setup
	DM_REMAP_DKMS_KERNELS='$(KVERS)' BUILD='$(abspath $(BUILD))' prove -v --merge tests/packaging/dkms.t

# Debian's packages, in build/deb; and all of their life, in a root of their own.
deb:
	@tests/setup packages
	@BUILD='$(abspath $(BUILD))' packaging/deb

check-deb:
	@tests/setup packages
	BUILD='$(abspath $(BUILD))' prove -v --merge packaging/check-deb
