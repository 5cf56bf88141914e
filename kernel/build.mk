# SPDX-License-Identifier: GPL-2.0-only
# The module, built from a copy of the sources for each kernel, so that several kernels can
# be built side by side and the checkout stays clean.
#
# KVER: a kernel with headers under /lib/modules; KDIR: any kernel build tree instead.

KVERS := $(notdir $(patsubst %/build,%,$(wildcard /lib/modules/*/build)))
KVER ?= $(lastword $(sort $(KVERS)))
KDIR ?= /lib/modules/$(KVER)/build
MODULE_DIR := $(BUILD)/$(KVER)
MODULE_SRC := $(wildcard kernel/*.[ch] libmeta/*.[ch])

# What it is built from, wherever it is: the kernel's part at the top, the engine below it.
MODULE_TOP := $(wildcard kernel/*.[ch]) kernel/Kbuild
MODULE_ENGINE = $(wildcard libmeta/*.h) $(LIBMETA_SRC)

.PHONY: module-if-possible FORCE

module: $(MODULE_DIR)/dm-remap.ko

$(MODULE_DIR)/dm-remap.ko: $(MODULE_SRC) kernel/Kbuild
	@[ -n "$(KVER)" ] && [ -e "$(KDIR)" ] || { \
		echo "no kernel headers: apt-get install linux-headers-amd64, or make module KDIR=<tree> KVER=<name>" >&2; exit 1; }
	@mkdir -p $(MODULE_DIR)/src/libmeta
	@cp -u $(MODULE_TOP) $(MODULE_DIR)/src/
	@cp -u $(MODULE_ENGINE) $(MODULE_DIR)/src/libmeta/
	@rm -f $(filter-out $(LIBMETA_SRC:%=$(MODULE_DIR)/src/%),$(wildcard $(MODULE_DIR)/src/libmeta/*.c))
	$(MAKE) -C $(KDIR) M=$(abspath $(MODULE_DIR)/src) W=1 $(if $(C),C=$(C)) modules
	@cp $(MODULE_DIR)/src/dm-remap.ko $@

modules:
	@set -e; for kver in $(KVERS); do $(MAKE) --no-print-directory module KVER=$$kver; done

module-if-possible:
	@if [ -n "$(KVER)" ] && [ -e "$(KDIR)" ]; then \
		$(MAKE) --no-print-directory module; \
	else echo "no kernel headers here: the module is not built (tools are)"; fi

# Modules that are built, of kernels that are here.
INSTALLS += $(foreach kver,$(sort $(KVERS) $(KVER)),$(foreach module,$(wildcard $(BUILD)/$(kver)/dm-remap.ko), \
	644|$(module)|$(moduledir)/$(kver)/updates/dm-remap.ko))
