# SPDX-License-Identifier: GPL-2.0-only
# The native benchmark of the index.

BENCHES += $(BUILD)/bench/index

$(BUILD)/bench/index: bench/index/index.c $(O)/libmeta/index.o
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ -lz
