# SPDX-License-Identifier: GPL-2.0-only
# The metadata engine. LIBMETA_SRC is what every host compiles, the kernel too; the tools
# add the check and everything that only userspace needs.

LIBMETA_SRC := libmeta/format.c libmeta/geometry.c libmeta/copies.c libmeta/index.c \
	libmeta/table.c libmeta/change.c libmeta/load.c libmeta/claims.c libmeta/create.c \
	libmeta/scrub.c
LIBMETA_USER_SRC := $(LIBMETA_SRC) libmeta/check.c libmeta/check_super.c \
	libmeta/check_rebuild.c libmeta/check_pages.c libmeta/check_entries.c \
	libmeta/check_claims.c libmeta/check_repair.c libmeta/problems.c libmeta/host_file.c \
	libmeta/restore.c libmeta/erase.c libmeta/lost.c libmeta/marks.c

LIBMETA_OBJ := $(LIBMETA_USER_SRC:%.c=$(O)/%.o)
LIBMETA := $(BUILD)/libremapmeta.a

$(LIBMETA): $(LIBMETA_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(DEPFLAGS) -c -o $@ $<

# The library for other programs: what reads, behind remapmeta.h. Nothing else is exported,
# also not from the archive, whose objects are linked into one for that. What it never calls is
# left out.
LIBRARY_ABI := 0.1.0
LIBRARY_SRC := libmeta/remapmeta.c $(LIBMETA_USER_SRC)
LIBRARY_OBJ := $(LIBRARY_SRC:%.c=$(O)/pic/%.o)
LIBRARY_SO := $(BUILD)/lib/libremapmeta.so.$(LIBRARY_ABI)
LIBRARY_A := $(BUILD)/lib/libremapmeta.a
LIBRARY_MAP := libmeta/libremapmeta.map
LIBRARY_SYMBOLS := $(shell sed -n 's/^\t\(remapmeta_[a-z_]*\);$$/\1/p' $(LIBRARY_MAP))

.PHONY: library
library: $(LIBRARY_SO) $(LIBRARY_A)
all: library

$(O)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fPIC -ffunction-sections -fdata-sections $(DEPFLAGS) -c -o $@ $<

$(LIBRARY_SO): $(LIBRARY_OBJ) $(LIBRARY_MAP)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libremapmeta.so.0 -Wl,-z,defs -Wl,--gc-sections \
		-Wl,--version-script=$(LIBRARY_MAP) -o $@ $(LIBRARY_OBJ) -lz
	@ln -sf $(@F) $(@D)/libremapmeta.so.0
	@ln -sf libremapmeta.so.0 $(@D)/libremapmeta.so

$(LIBRARY_A): $(LIBRARY_OBJ) $(LIBRARY_MAP)
	@mkdir -p $(@D)
	$(LD) -r --gc-sections $(LIBRARY_SYMBOLS:%=-u %) -o $(O)/pic/libremapmeta.o $(LIBRARY_OBJ)
	$(OBJCOPY) $(LIBRARY_SYMBOLS:%=-G %) $(O)/pic/libremapmeta.o
	@rm -f $@
	$(AR) rcs $@ $(O)/pic/libremapmeta.o

INSTALLS += 644|$(LIBRARY_SO)|$(libdir)/$(notdir $(LIBRARY_SO)) \
	link|$(notdir $(LIBRARY_SO))|$(libdir)/libremapmeta.so.0 \
	link|libremapmeta.so.0|$(libdir)/libremapmeta.so \
	644|$(LIBRARY_A)|$(libdir)/$(notdir $(LIBRARY_A)) \
	644|libmeta/remapmeta.h|$(includedir)/remapmeta.h \
	644@|libmeta/libremapmeta.pc.in|$(libdir)/pkgconfig/libremapmeta.pc

-include $(LIBMETA_OBJ:.o=.d) $(LIBRARY_OBJ:.o=.d)
