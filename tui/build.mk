# SPDX-License-Identifier: GPL-2.0-only
# remap-top: one model, two views, two sources.

TOP := remap-top top sample source source_live source_replay recording map_reader model \
	model_events model_view columns view_batch view_curses screen_draw screen_keys
TOP_OBJ := $(TOP:%=$(O)/tui/%.o) $(O)/tools/status_line.o $(LIVE:%=$(O)/tools/%.o) \
	$(DUMP_READ_OBJ)
TOP_CURSES := $(shell pkg-config --libs ncursesw 2>/dev/null)
TOP_LIBS := -ldevmapper $(TOP_CURSES)

# remap-status: the same model and sources.
STATUS_TUI := sample source source_live source_replay map_reader model model_events model_view \
	columns top recording
STATUS := remap-status status_problems status_kernels status_backups status_prometheus status_views \
	backup_dir remaptab table_options dm_table status_line output keep $(LIVE)
STATUS_OBJ := $(STATUS:%=$(O)/tools/%.o) $(STATUS_TUI:%=$(O)/tui/%.o) $(DUMP_READ_OBJ)
$(STATUS:%=$(O)/tools/%.o): ALL_CFLAGS += -Itui -Itools

TOOLS += $(BUILD)/remap-top $(BUILD)/remap-status

$(TOP:%=$(O)/tui/%.o): ALL_CFLAGS += -Itools

ifeq ($(TOP_CURSES),)
$(TOP:%=$(O)/tui/%.o):
	@echo 'remap-top needs the headers of ncurses, and pkg-config to find them: as root on Debian: apt-get install libncurses-dev pkg-config' >&2
	@false
endif

$(BUILD)/remap-top: $(TOP_OBJ) $(TOOLS_COMMON_OBJ) $(LIBMETA)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(TOOLS_LIBS) $(TOP_LIBS)

$(BUILD)/remap-status: $(STATUS_OBJ) $(TOOLS_COMMON_OBJ) $(LIBMETA)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(TOOLS_LIBS) -ldevmapper

-include $(STATUS:%=$(O)/tools/%.d) $(TOP_OBJ:.o=.d)
