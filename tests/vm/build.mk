# SPDX-License-Identifier: GPL-2.0-only
# What the VM tests run in the guest: static programs, and for each kernel the test-only
# modules. The module under test comes from kernel/build.mk.

VM_PROGRAMS := $(patsubst tests/vm/guest/%.c,$(BUILD)/vm/bin/%,$(wildcard tests/vm/guest/*.c))
VM_MODULE_SRC := $(wildcard tests/vm/modules/*.[ch]) tests/vm/modules/Kbuild
VM_MODULE_DIR := $(BUILD)/$(KVER)/vm
VM_MODULES := $(patsubst %.o,$(VM_MODULE_DIR)/%.ko,$(shell sed -n 's/^obj-m := //p' tests/vm/modules/Kbuild))

TESTS += $(wildcard tests/vm/*.t)

.PHONY: vm-prepare vm-programs vm-modules check-vm

vm-prepare: setup
	tests/vm/prepare

vm-programs: $(VM_PROGRAMS)

vm-programs: $(BUILD)/vm/bin/hold-device
$(BUILD)/vm/bin/hold-device: tests/tools/hold-device.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -static -o $@ $<

# What programs share; the linker takes from it what each of them uses.
VM_LIB_OBJ := $(patsubst tests/vm/guest/%.c,$(O)/vm/%.o,$(wildcard tests/vm/guest/lib/*.c))

# A program that is more than one file has the others in a directory of its name.
VM_PARTS_OBJ := $(patsubst tests/vm/guest/%.c,$(O)/vm/%.o, \
	$(filter-out tests/vm/guest/lib/%,$(wildcard tests/vm/guest/*/*.c)))
$(foreach part,$(VM_PARTS_OBJ),$(eval $(patsubst $(O)/vm/%/,$(BUILD)/vm/bin/%,$(dir $(part))): $(part)))

$(O)/vm/%.o: tests/vm/guest/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(DEPFLAGS) -Itests/vm/guest/lib -pthread -c -o $@ $<

$(O)/vm/lib.a: $(VM_LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/vm/bin/%: tests/vm/guest/%.c $(O)/vm/lib.a $(LIBMETA)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(DEPFLAGS) -Itests -Itests/vm/guest/lib -pthread -static -o $@ $< \
		$(filter $(O)/vm/%.o,$^) $(O)/vm/lib.a $(LIBMETA)

# Tools, for what they say of devices that only a guest has.
VM_TOOLS := $(patsubst %,$(BUILD)/vm/bin/%,remap-format remap-check remap-dump)
VM_TOOLS_LIBS := -lblkid -lyajl_s -lz -lnettle
vm-programs: $(VM_TOOLS)

$(VM_TOOLS): $(BUILD)/vm/bin/%: $(BUILD)/%
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -static -o $@ $($*_OBJ) $(TOOLS_COMMON_OBJ) $(LIBMETA) $(VM_TOOLS_LIBS)

# Tools of which a library exists as a shared one only (libdevmapper), as users have them.
VM_SHARED_TOOLS := remap-import remap-setup remap-recover remap-restore remap-top \
	remap-status
VM_SHARED := $(BUILD)/vm/shared
vm-programs: $(VM_SHARED).stamp

# udevd as this machine has it, with the rules that concern block devices, and ours.
VM_UDEV := $(wildcard /usr/bin/udevadm)
VM_UDEV_RULES := $(wildcard $(patsubst %,/usr/lib/udev/rules.d/%.rules,50-udev-default 55-dm \
	60-persistent-storage-dm 60-persistent-storage 95-dm-notify))
VM_OTHERS := $(wildcard /usr/bin/ddrescue /usr/sbin/badblocks)
VM_OUR_RULES := tools/udev/61-dm-remap.rules

$(VM_SHARED).stamp: $(VM_SHARED_TOOLS:%=$(BUILD)/%) tests/vm/shared $(VM_UDEV) $(VM_OUR_RULES)
	tests/vm/shared $(VM_SHARED) $(VM_SHARED_TOOLS:%=$(BUILD)/%) $(VM_UDEV) $(VM_OTHERS)
	@[ -z "$(VM_UDEV)" ] || cp --parents $(VM_UDEV_RULES) $(VM_SHARED)/
	@mkdir -p $(VM_SHARED)/guest/udev
	@cp $(VM_OUR_RULES) $(VM_SHARED)/guest/udev/
	@touch $@

-include $(VM_PROGRAMS:=.d) $(VM_LIB_OBJ:.o=.d) $(VM_PARTS_OBJ:.o=.d)

# For one kernel: make vm-modules KVER=6.1.0-...
vm-modules: $(VM_MODULES)

$(VM_MODULES) &: $(VM_MODULE_SRC)
	@mkdir -p $(VM_MODULE_DIR)/src
	@cp -u $(VM_MODULE_SRC) $(VM_MODULE_DIR)/src/
	$(MAKE) -C $(KDIR) M=$(abspath $(VM_MODULE_DIR)/src) W=1 modules
	@cp $(VM_MODULE_DIR)/src/*.ko $(VM_MODULE_DIR)/

check-vm: vm-prepare
	tests/prove --timer --merge $(PROVEFLAGS) $(wildcard tests/vm/*.t)

# Every race and every cut, 200 rounds of each, on the target as it is and without the protection
# that each is for.
.PHONY: check-hazards
check-hazards: vm-prepare
	tests/vm/run -t 3600 -e ROUNDS=200 hazards
	DM_REMAP_ROUNDS=200 DM_REMAP_KERNELS="6.1 6.12" DM_REMAP_TIMEOUT=7200 prove -v tests/vm/hazards.t

# Longer proofs than `make check` has time for.
.PHONY: check-debug check-lifecycle check-scale

# The whole suite on a kernel that checks everything; built from source the first time.
check-debug: setup
	@$(MAKE) --no-print-directory BUILD='$(BUILD)' tools
	tests/vm/prepare debug
	BUILD='$(abspath $(BUILD))' tests/prove --timer --merge -j$(CHECK_JOBS) $(PROVEFLAGS) --exec 'tests/vm/run -k debug' \
		$(wildcard tests/vm/t/*.sh)

check-lifecycle: setup
	BUILD='$(abspath $(BUILD))' tests/vm/run -t 3600 -e ROUNDS=1000 rounds

check-scale: setup
	@$(MAKE) --no-print-directory BUILD='$(BUILD)' tools
	BUILD='$(abspath $(BUILD))' DM_REMAP_SCALE=1000000 DM_REMAP_SCALE_KERNELS='6.1 6.12' \
		DM_REMAP_TIMEOUT=14400 prove -v --timer --merge tests/vm/scale.t

# A thousand cuts of the power, half of them on each kernel.
.PHONY: check-powercut
check-powercut: vm-prepare
	tests/vm/run -t 7200 -e CUTS=500 powercut

# A million random operations on each kernel. The seed is printed; -e SEED= repeats it.
.PHONY: check-model
check-model: vm-prepare
	tests/vm/run -t 14400 -e OPS=1000000 model

# dm-remap in a Debian with systemd; debootstrap makes it, the first time.
.PHONY: check-debian
check-debian: setup
	@tests/setup packages
	@$(MAKE) --no-print-directory BUILD='$(BUILD)' tools library completions
	DM_REMAP_DEBIAN=yes BUILD='$(abspath $(BUILD))' prove -v --timer --merge tests/vm/debian.t
