# SPDX-License-Identifier: GPL-2.0-only
# Fuzzers. A target is tests/fuzz/NAME.c; README.md says how to add one. Engine and tools are
# compiled as they are, with ASan, UBSan and libFuzzer's instrumentation, into one archive from
# which a target takes what it calls. A tool's main() becomes remap_NAME_main() there.

FUZZ_CC ?= clang-14
FUZZ_SECONDS ?= $(if $(CI),7,60)
FUZZ_RUNS ?= 10000000
FUZZ_JOBS ?= 2
FUZZ := $(BUILD)/fuzz
FUZZ_NAMES := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/*.c)))
FUZZ_BINS := $(FUZZ_NAMES:%=$(FUZZ)/%)
FUZZ_LIB_SRC = $(LIBMETA_USER_SRC) $(wildcard tools/*.c tests/fuzz/lib/*.c)
FUZZ_LIB_OBJ = $(FUZZ_LIB_SRC:%.c=$(FUZZ)/obj/%.o)
FUZZ_LIBS = $(TOOLS_LIBS) $(sort $(foreach tool,$(TOOLS_NAMES),$($(tool)_LIBS)))
FUZZ_FLAGS := -O2 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZ_CFLAGS = $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link $(FUZZ_COVERAGE) -std=gnu11 $(WARN) -D_GNU_SOURCE \
	-D_FILE_OFFSET_BITS=64 -Ilibmeta -Itools -Itui -Itests/fuzz/lib

.PHONY: fuzz check-fuzz fuzz-built
.SECONDARY: $(FUZZ_BINS:$(FUZZ)/%=$(FUZZ)/obj/tests/fuzz/%.o)

# Only for `make check`, since they take longer than all other tests to build. Where there is no
# such compiler the test says so and is skipped.
ifneq ($(shell command -v $(FUZZ_CC)),)
CHECK_BUILDS += fuzz-built
endif
TESTS += tests/fuzz/slice.t
export FUZZ_SECONDS FUZZ_RUNS FUZZ_JOBS FUZZ_CC

fuzz-built: $(FUZZ_BINS)

# Learning from comparisons costs more executions than it is worth in what is no parser of text: what
# only ever sees a spare or a record, sorts numbers, or belongs to a target.
FUZZ_NO_CMP := libmeta/% tests/fuzz/% tools/dump_% tools/undo% tools/ranges.c
FUZZ_COVERAGE = $(if $(filter $(FUZZ_NO_CMP),$<),-fno-sanitize-coverage=trace-cmp)
# remap-check.c: -Dmain=remap_check_main
FUZZ_MAIN = $(if $(filter tools/remap-%.c,$<),-Wno-missing-prototypes \
	-Dmain=$(subst -,_,$(basename $(<F)))_main)

$(FUZZ)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_MAIN) $(DEPFLAGS) -c -o $@ $<

$(FUZZ)/libfuzzed.a: $(FUZZ_LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(FUZZ_BINS): $(FUZZ)/%: $(FUZZ)/obj/tests/fuzz/%.o $(FUZZ)/libfuzzed.a
	$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(FUZZ_LIBS)

# A minute for each target; FUZZ_SECONDS on the command line for more.
check-fuzz: FUZZ_SECONDS = 60
check-fuzz: setup
	@$(MAKE) --no-print-directory BUILD='$(BUILD)' tools fuzz-built
	@BUILD='$(abspath $(BUILD))' tests/fuzz/run -t $(FUZZ_SECONDS) -j $(FUZZ_JOBS)

# Until each target has run FUZZ_RUNS times, over all calls since `make clean`.
fuzz: setup
	@$(MAKE) --no-print-directory BUILD='$(BUILD)' tools fuzz-built
	@BUILD='$(abspath $(BUILD))' tests/fuzz/run -n $(FUZZ_RUNS) -j $(FUZZ_JOBS)

-include $(wildcard $(FUZZ)/obj/*/*.d $(FUZZ)/obj/*/*/*.d $(FUZZ)/obj/*/*/*/*.d)
