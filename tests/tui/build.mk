# SPDX-License-Identifier: GPL-2.0-only
# remap-top: its model alone, and the program on recordings, as text and on terminals.

TUI_MODEL_TEST := $(BUILD)/tests/t_model
TESTS += $(TUI_MODEL_TEST) $(sort $(wildcard tests/tui/*.t))
TUI_MODEL_OBJ := $(patsubst %,$(O)/tui/%.o,model model_events model_view columns sample) \
	$(O)/tools/status_line.o

$(TUI_MODEL_TEST): tests/tui/t_model.c tests/tap.h $(TUI_MODEL_OBJ) $(TOOLS_COMMON_OBJ) $(LIBMETA)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(DEPFLAGS) -Itests -Itools -Itui -o $@ $< $(TUI_MODEL_OBJ) \
		$(TOOLS_COMMON_OBJ) $(LIBMETA) $(TOOLS_LIBS)

-include $(TUI_MODEL_TEST).d

tests-built: $(TUI_MODEL_TEST)

# Run by batch.t.
TUI_RECORDING_TEST := $(BUILD)/tests/t_recording
TUI_RECORDING_OBJ := $(patsubst %,$(O)/tui/%.o,recording source source_replay sample)

$(TUI_RECORDING_TEST): tests/tui/t_recording.c tests/tap.h $(TUI_RECORDING_OBJ) $(TOOLS_COMMON_OBJ) $(LIBMETA)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(DEPFLAGS) -Itests -Itools -Itui -o $@ $< $(TUI_RECORDING_OBJ) \
		$(TOOLS_COMMON_OBJ) $(LIBMETA) $(TOOLS_LIBS)

-include $(TUI_RECORDING_TEST).d

tests-built: $(TUI_RECORDING_TEST)
