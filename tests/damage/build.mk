# SPDX-License-Identifier: GPL-2.0-only
# The damage corpus and the tests of the check: what they share is linked into each, plain
# and with the sanitizers.

DAMAGE_SRC := tests/damage/disk.c tests/damage/spare.c tests/damage/recipe.c
DAMAGE_OBJ := $(DAMAGE_SRC:%.c=$(O)/%.o)
DAMAGE_TESTS := $(BUILD)/tests/t_check $(BUILD)/tests/t_damage $(BUILD)/tests/t_repair \
	$(BUILD)/tests/t_restore

$(DAMAGE_TESTS): $(DAMAGE_OBJ) $(LIBMETA)
$(DAMAGE_TESTS): private TEST_LIBS := $(DAMAGE_OBJ) $(LIBMETA) -lz
$(DAMAGE_TESTS): private ALL_CFLAGS += -Itests/damage

# The same programs and the engine under ASan and UBSan; a finding ends the program.
DAMAGE_ASAN := $(DAMAGE_TESTS:%=%-asan)
TESTS += $(DAMAGE_ASAN)
tests-built: $(DAMAGE_ASAN)

$(DAMAGE_ASAN): $(BUILD)/tests/%-asan: tests/unit/%.c tests/tap.h $(DAMAGE_SRC) $(LIBMETA_USER_SRC) \
		$(wildcard libmeta/*.h libmeta/*.def tests/damage/*.h)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
		-Itests -Itests/damage -o $@ $< $(DAMAGE_SRC) $(LIBMETA_USER_SRC) -lz

-include $(DAMAGE_OBJ:.o=.d)
