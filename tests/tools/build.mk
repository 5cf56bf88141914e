# SPDX-License-Identifier: GPL-2.0-only
# Tests of the tools: shell scripts that print TAP, and the two small programs they need.

TESTS += $(sort $(wildcard tests/tools/*.t))
TESTS_TOOLS_HELPERS := $(BUILD)/tests/json-get $(BUILD)/tests/hold-device $(BUILD)/tests/power.so

$(BUILD)/tests/json-get: tests/tools/json-get.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $< -lyajl

$(BUILD)/tests/hold-device: tests/tools/hold-device.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $<

$(BUILD)/tests/power.so: tests/tools/power.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(WARN) -Wno-missing-prototypes $(CFLAGS) -D_GNU_SOURCE -shared -fPIC -o $@ $< -ldl

tests-built: $(TESTS_TOOLS_HELPERS)

TESTS_TOOLS_KILLAT := $(BUILD)/tests/killat.so
tests-built: $(TESTS_TOOLS_KILLAT)

$(TESTS_TOOLS_KILLAT): tests/tools/killat.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -U_FILE_OFFSET_BITS -shared -fPIC -o $@ $< -ldl
