# SPDX-License-Identifier: GPL-2.0-only
# remap-top: one model, two views, two sources.

TOP := remap-top top sample source source_live source_replay recording map_reader model \
	model_events model_view columns view_batch view_curses screen_draw screen_keys
TOP_OBJ := $(TOP:%=$(O)/tui/%.o) $(O)/tools/status_line.o $(LIVE:%=$(O)/tools/%.o) \
	$(DUMP_READ_OBJ)
TOP_CURSES := $(shell pkg-config --libs ncursesw 2>/dev/null)
TOP_LIBS := -ldevmapper $(TOP_CURSES)

TOOLS += $(BUILD)/remap-top

$(TOP:%=$(O)/tui/%.o): ALL_CFLAGS += -Itools

ifeq ($(TOP_CURSES),)
$(TOP:%=$(O)/tui/%.o):
	@echo 'remap-top needs the headers of ncurses, and pkg-config to find them: as root on Debian: apt-get install libncurses-dev pkg-config' >&2
	@false
endif

$(BUILD)/remap-top: $(TOP_OBJ) $(TOOLS_COMMON_OBJ) $(LIBMETA)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(TOOLS_LIBS) $(TOP_LIBS)

-include $(TOP_OBJ:.o=.d)
