# SPDX-License-Identifier: GPL-2.0-only
# The tools. Each is its own remap-*.c over the shared parts below, linked with the engine.

TOOLS_COMMON_SRC := tools/options.c tools/report.c tools/progress.c tools/json.c tools/json_read.c tools/escape.c tools/command.c \
	tools/sysfs.c tools/units.c tools/device.c tools/usage.c tools/signature.c tools/spare.c \
	tools/verdicts.c tools/stop.c tools/directory.c tools/undo.c tools/undo_file.c \
	tools/undo_apply.c tools/main_print.c
TOOLS_COMMON_OBJ := $(TOOLS_COMMON_SRC:%.c=$(O)/%.o)
TOOLS_LIBS := -lblkid -lyajl -lz

# What is on a spare, or in a dump of one.
DUMP_READ_OBJ := $(patsubst %,$(O)/tools/%.o,dump_examine dump_claims dump_file dump_members)

remap-format_OBJ := $(O)/tools/remap-format.o $(O)/tools/make_spare.o
remap-check_OBJ := $(O)/tools/remap-check.o $(O)/tools/check_main.o $(O)/tools/check_losses.o
remap-dump_OBJ := $(O)/tools/remap-dump.o $(O)/tools/dump_json.o $(O)/tools/dump_text.o \
	$(O)/tools/dump_html.o $(O)/tools/dump_lists.o $(O)/tools/dump_page.o \
	$(O)/tools/dump_survey.o $(O)/tools/output.o $(O)/tools/digest.o $(O)/tools/dump_record.o \
	$(DUMP_READ_OBJ)
remap-dump_LIBS := -lnettle
# Live devices; who has them needs -ldevmapper.
LIVE := dm live live_send status_line blockdev
LISTS := list ranges list_badblocks list_csv list_ddrescue list_dumpe2fs list_kmsg list_mdadm \
	list_smart list_smart_end
IMPORT := remap-import import_target import_read import_run import_plan import_verify import_show \
	import_apply import_live place smartctl
remap-import_OBJ := $(patsubst %,$(O)/tools/%.o,$(IMPORT) $(LISTS) $(LIVE))
remap-import_LIBS := -ldevmapper

remap-restore_OBJ := $(O)/tools/remap-restore.o $(O)/tools/restore_own.o $(O)/tools/restore_new.o \
	$(O)/tools/restore_read.o $(O)/tools/restore_table.o \
	$(O)/tools/dump_file.o $(O)/tools/dump_members.o $(O)/tools/salvage.o $(O)/tools/ranges.o \
	$(O)/tools/slot_copy.o $(O)/tools/clone_map.o $(O)/tools/rescue_map.o \
	$(O)/tools/output.o $(O)/tools/restore_show.o
RECOVER := remap-recover composite salvage recover_missing recover_image recover_target \
	recover_verify recover_files composite_fs clone_map rescue_map output ranges dump_survey
remap-recover_OBJ := $(patsubst %,$(O)/tools/%.o,$(RECOVER)) $(DUMP_READ_OBJ)
remap-recover_LIBS := -lext2fs -lcom_err

SETUP := remap-setup verbs setup_list setup_create setup_open setup_close make_spare blockdev \
	dm_table kernel_log this_host find_main find_spare other_spares newest_backup assembly table_options keep \
	setup_scan setup_table setup_enable setup_advice setup_udev closed run_mark run_lock remaptab remaptab_lock output \
	setup_message setup_unmap setup_erase setup_backup backup backup_dir \
	retired_to salvage confirm ranges spare_refuse setup_rebind rebind rescue_map slot_copy \
	remaptab_follow setup_replace replacing replace_dead dead_spare live_swap dm_in_use restore_read restore_new restore_own restore_table restore_show \
	dump_file dump_members clone_map
remap-setup_OBJ := $(patsubst %,$(O)/tools/%.o,$(SETUP) $(LIVE))
remap-setup_LIBS := -ldevmapper

TOOLS_NAMES := remap-setup remap-format remap-check remap-dump remap-import remap-restore remap-recover
TOOLS += $(TOOLS_NAMES:%=$(BUILD)/%)
INSTALLS += $(foreach tool,$(TOOLS),755|$(tool)|$(sbindir)/$(notdir $(tool)))

define TOOL_RULE
$(BUILD)/$(1): $$($(1)_OBJ) $(TOOLS_COMMON_OBJ) $(LIBMETA)
	$$(CC) $$(ALL_CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(TOOLS_LIBS) $$($(1)_LIBS)
endef
$(foreach tool,$(TOOLS_NAMES),$(eval $(call TOOL_RULE,$(tool))))

-include $(TOOLS_COMMON_OBJ:.o=.d) $(foreach tool,$(TOOLS_NAMES),$($(tool)_OBJ:.o=.d))
