# SPDX-License-Identifier: GPL-2.0-only
# The crash simulator: the engine compiled a third time, with rules that can be switched
# off. A slice of it and the check of the rules run with all tests; check-sim is the whole.

.PHONY: check-sim

SIM_SRC := $(filter-out libmeta/host_file.c,$(LIBMETA_USER_SRC)) $(wildcard tests/sim/*.c)
SIM_OBJ := $(SIM_SRC:%.c=$(O)/sim/%.o)
SIM := $(BUILD)/tests/crash-sim

$(SIM): $(SIM_OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ -lz

$(O)/sim/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(DEPFLAGS) -DRMETA_MUTABLE -Itests -c -o $@ $<

TESTS += $(SIM)
tests-built: $(SIM)

check-sim: $(SIM)
	$(SIM) --full --jobs 2

-include $(SIM_OBJ:.o=.d)
