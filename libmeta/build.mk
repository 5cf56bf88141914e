# SPDX-License-Identifier: GPL-2.0-only
# The metadata engine. LIBMETA_SRC is what every host compiles, the kernel too; the tools
# add the check and everything that only userspace needs.

LIBMETA_SRC := libmeta/format.c libmeta/geometry.c libmeta/copies.c libmeta/index.c \
	libmeta/table.c libmeta/change.c libmeta/load.c libmeta/claims.c libmeta/create.c \
	libmeta/scrub.c
LIBMETA_USER_SRC := $(LIBMETA_SRC) libmeta/check.c libmeta/check_super.c \
	libmeta/check_rebuild.c libmeta/check_pages.c libmeta/check_entries.c \
	libmeta/check_claims.c libmeta/check_repair.c libmeta/problems.c libmeta/host_file.c \
	libmeta/restore.c

LIBMETA_OBJ := $(LIBMETA_USER_SRC:%.c=$(O)/%.o)
LIBMETA := $(BUILD)/libremapmeta.a

$(LIBMETA): $(LIBMETA_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(DEPFLAGS) -c -o $@ $<

-include $(LIBMETA_OBJ:.o=.d)
