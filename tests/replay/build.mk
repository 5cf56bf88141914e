# SPDX-License-Identifier: GPL-2.0-only
# What the kernel wrote to a spare, replayed write by write on the host.

TESTS += tests/replay/replay.t

.PHONY: check-replay

$(BUILD)/tests/replay: tests/replay/replay.c tests/vm/guest/lib/sectors.c tests/tap.h $(LIBMETA)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(DEPFLAGS) -Itests -Itests/vm/guest/lib -o $@ $< \
		tests/vm/guest/lib/sectors.c $(LIBMETA) $(TEST_LIBS)

tests-built: $(BUILD)/tests/replay

# Every prefix, on both kernels; make check takes a part of them on one.
check-replay: vm-prepare
	@$(MAKE) --no-print-directory BUILD='$(BUILD)' tests-built
	DM_REMAP_EVERY=1 DM_REMAP_KERNELS="6.1 6.12" prove -v tests/replay/replay.t
