# SPDX-License-Identifier: GPL-2.0-only
# The index under concurrent readers, on liburcu: plain, and with ThreadSanitizer.

INDEX_TEST := $(BUILD)/tests/index
INDEX_TEST_DEPS := tests/index/concurrent.c tests/tap.h libmeta/index.c $(wildcard libmeta/*.h)
TESTS += $(INDEX_TEST)/concurrent tests/index/concurrent-tsan

$(INDEX_TEST)/concurrent: TEST_SANITIZE :=
$(INDEX_TEST)/concurrent-tsan: TEST_SANITIZE := -fsanitize=thread

$(INDEX_TEST)/concurrent $(INDEX_TEST)/concurrent-tsan: $(INDEX_TEST_DEPS)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(TEST_SANITIZE) -DRMETA_URCU -Itests -o $@ $< -lurcu -lz -lpthread

tests-built: $(INDEX_TEST)/concurrent $(INDEX_TEST)/concurrent-tsan

# The unit tests of the index include its source.
$(BUILD)/tests/t_index $(BUILD)/tests/t_index_hash $(BUILD)/tests/t_index_steps: tests/unit/index_bed.h libmeta/index.c
