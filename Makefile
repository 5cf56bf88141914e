# SPDX-License-Identifier: GPL-2.0-only
#
# dm-remap: the kernel module, the metadata library, the tools and their tests.
#
#   make              tools in build/, and the module when kernel headers are there
#   make module       the module for KVER (default: the newest kernel with headers); make modules:
#                     for every kernel with headers
#   make tools, library, completions   only these
#   make check        every test, through prove; does its own set-up as root on Debian
#   make check-fuzz   a minute of each fuzzer; make fuzz: ten million executions of each
#   make check-asan   the tests of the tools, with the sanitizers; make lint: static checkers
#   make check-debug  the VM tests on a kernel that checks everything; check-vm: as in make check
#   make check-sim, check-replay, check-hazards, check-powercut, check-model, check-lifecycle,
#                     check-scale: proofs of which make check has time for a part: docs/testing.md
#   make check-debian a Debian with systemd in a VM: at boot, root, LVM, LUKS, md, btrfs, hot-plug
#   make demo         a throw-away VM with a failing disk, from end to end
#   make bench        the figures
#   make install      tools, library, manual, completions, and module when built; DESTDIR,
#                     prefix and the directories below are respected; make uninstall, list-install
#   make install-dkms sources of the module for dkms, which builds it for each kernel that comes
#   make deb          Debian's packages, in build/deb; check-deb: installed and purged in a root of their own
#   make setup        what of the above a fresh Debian lacks, installed; make clean
#
# Each directory says in its build.mk what it adds: to TOOLS, to TESTS (what prove runs), and to
# INSTALLS, lines MODE|FILE|PLACE of what install puts where and uninstall takes away.

BUILD ?= build
O := $(BUILD)/obj
prefix ?= /usr/local
sbindir ?= $(prefix)/sbin
libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include
datadir ?= $(prefix)/share
mandir ?= $(datadir)/man
moduledir ?= /lib/modules
VERSION := $(shell sed -n 's/^.define DM_REMAP_VERSION "\(.*\)"$$/\1/p' tools/version.h)

CC ?= gcc
LD ?= ld
OBJCOPY ?= objcopy
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wno-unused-parameter -Wmissing-prototypes -Wstrict-prototypes -Wvla
ALL_CFLAGS := -std=gnu11 $(WARN) $(CFLAGS) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Ilibmeta
DEPFLAGS = -MMD -MP

TOOLS :=
TESTS :=
INSTALLS =
CHECK_BUILDS := tests-built
BENCHES :=

.PHONY: all tools module modules check demo bench install uninstall list-install clean setup
.DELETE_ON_ERROR:

all: tools module-if-possible

include $(sort $(wildcard */build.mk */*/build.mk))

tools: $(TOOLS)

# What a fresh machine lacks; prints exactly what to install where it may not.
setup:
	@tests/setup

# CHECK_JOBS tests at a time, from rows: of each row one at a time, and the first row, the longest, never
# waits for another. In it is what starts guests, runs two at a time by itself, or has make write to
# $(BUILD): none of these may meet. All other tests work in directories of their own.
CHECK_JOBS ?= $(shell nproc)
CHECK_ROWS := --rules='seq={tests/vm/*.t,tests/replay/*.t,tests/fuzz/*.t,tests/packaging/*.t,tests/library/*.t}' \
	--rules='seq=tests/tools/*.t' --rules='seq=**'
PROVE = PYTHONDONTWRITEBYTECODE=1 BUILD='$(abspath $(BUILD))' tests/prove --timer --merge

check: setup
	@$(MAKE) --no-print-directory BUILD='$(BUILD)' -j$(CHECK_JOBS) all $(CHECK_BUILDS)
	@$(PROVE) -j$(CHECK_JOBS) $(CHECK_ROWS) $(PROVEFLAGS) $(TESTS)

demo: setup
	@$(MAKE) --no-print-directory BUILD='$(BUILD)' tools
	@BUILD='$(abspath $(BUILD))' tests/vm/demo

bench: setup
	@$(MAKE) --no-print-directory BUILD='$(BUILD)' all $(BENCHES)
	@BUILD='$(abspath $(BUILD))' bench/run

# One list for both; packaging/install says how it is read. DESTDIR may have blanks in it.
INSTALL_LIST = printf '%s\n' $(foreach line,$(INSTALLS),'$(line)') | DESTDIR='$(DESTDIR)' \
	prefix='$(prefix)' sbindir='$(sbindir)' libdir='$(libdir)' includedir='$(includedir)' \
	datadir='$(datadir)' version='$(VERSION)' udevrulesdir='$(udevrulesdir)' packaging/install

install:: tools library completions
	@$(INSTALL_LIST) put

uninstall::
	@$(INSTALL_LIST) take

# "MODE PLACE" for each file, without DESTDIR
list-install:
	@$(INSTALL_LIST) list

clean:
	rm -rf $(BUILD)
