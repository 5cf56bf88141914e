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

# The parser of status lines, alone.
TESTS_STATUS_LINE := $(BUILD)/tests/t_status_line
TESTS += $(TESTS_STATUS_LINE)
tests-built: $(TESTS_STATUS_LINE)

$(TESTS_STATUS_LINE): tests/tools/t_status_line.c tests/tap.h $(O)/tools/status_line.o $(O)/tools/units.o
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests -Itools -o $@ $< $(O)/tools/status_line.o $(O)/tools/units.o

-include $(O)/tools/status_line.d

# What puts back what was overwritten, alone.
TESTS_KEEP := $(BUILD)/tests/t_keep
TESTS += $(TESTS_KEEP)
tests-built: $(TESTS_KEEP)

$(TESTS_KEEP): tests/tools/t_keep.c tests/tap.h $(O)/tools/keep.o $(TOOLS_COMMON_OBJ) $(LIBMETA)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests -Itools -o $@ $< $(O)/tools/keep.o $(TOOLS_COMMON_OBJ) $(LIBMETA) $(TOOLS_LIBS)

-include $(O)/tools/keep.d

# Which host had a spare last, alone.
TESTS_THIS_HOST := $(BUILD)/tests/t_this_host
TESTS += $(TESTS_THIS_HOST)
tests-built: $(TESTS_THIS_HOST)

$(TESTS_THIS_HOST): tests/tools/t_this_host.c tests/tap.h $(O)/tools/this_host.o $(TOOLS_COMMON_OBJ) $(LIBMETA)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests -Itools -o $@ $< $(O)/tools/this_host.o $(TOOLS_COMMON_OBJ) $(LIBMETA) $(TOOLS_LIBS)

-include $(O)/tools/this_host.d

# The same scripts over tools that are built with ASan and UBSan. A finding ends a tool with a
# status that no test expects. What a tool holds when it ends is no leak.
.PHONY: check-asan
ASAN_BUILD := $(BUILD)/asan
check-asan: setup
	@$(MAKE) --no-print-directory BUILD='$(BUILD)' tools tests-built
	@$(MAKE) --no-print-directory BUILD='$(ASAN_BUILD)' LDFLAGS='$(LDFLAGS)' tools \
		CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all'
	@rm -rf $(ASAN_BUILD)/tests && ln -s $(abspath $(BUILD))/tests $(ASAN_BUILD)/tests
	@BUILD='$(abspath $(ASAN_BUILD))' UBSAN_OPTIONS=exitcode=99 \
		ASAN_OPTIONS=detect_leaks=0:exitcode=99:verify_asan_link_order=0 \
		prove --timer --merge $(PROVEFLAGS) $(wildcard tests/tools/*.t) tests/tui/batch.t
