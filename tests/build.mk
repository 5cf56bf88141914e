# SPDX-License-Identifier: GPL-2.0-only
# Userspace tests. A test is an executable that prints TAP: C programs built from
# tests/unit/*.c, and scripts.

.PHONY: tests-built

UNIT_SRC := $(wildcard tests/unit/t_*.c)
UNIT_TESTS := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/%)
TESTS += $(UNIT_TESTS)
TEST_LIBS := -lz

$(BUILD)/tests/%: tests/unit/%.c tests/tap.h $(LIBMETA)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(DEPFLAGS) -Itests -o $@ $< $(LIBMETA) $(TEST_LIBS)

tests-built: $(UNIT_TESTS)
