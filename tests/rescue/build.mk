# SPDX-License-Identifier: GPL-2.0-only
# The rescue reader against remap-dump: Python scripts that print TAP, and a library that makes
# sectors of a file unreadable for both.

RESCUE_BAD_SECTORS := $(BUILD)/tests/badsectors.so
TESTS += $(sort $(wildcard tests/rescue/*.t))
tests-built: $(RESCUE_BAD_SECTORS)

# It stands in for the functions of either size of offset: none may be another's name.
$(RESCUE_BAD_SECTORS): tests/rescue/badsectors.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -U_FILE_OFFSET_BITS -shared -fPIC -o $@ $< -ldl
