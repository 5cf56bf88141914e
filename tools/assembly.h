/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bringing up a device from its spare: what is looked at before anything is done, and the doing. Never
 * formats: a spare that came up empty over a main whose blocks it had would give old data as good.
 */
#ifndef TOOLS_ASSEMBLY_H
#define TOOLS_ASSEMBLY_H

#include "blockdev.h"
#include "dm_table.h"
#include "signature.h"
#include "spare.h"

/**
 * struct assembly_options - what is asked for
 * @name: of the device, or NULL: by label or uuid
 * @main: path of main, or NULL: to be found
 * @spare: path of the spare
 * @features: words for the table, or ""
 * @nr_features: how many words
 * @listed: it is in remaptab, so it is this host's unless another one's id is on record
 * @backups: directory of backups, by which an old copy of a spare is told; or NULL
 * @read_only: write to neither
 * @adopt: accept a spare that another host had last
 * @accept_changed: accept a main that was written to behind dm-remap's back
 * @accept_older: accept a spare of which a backup knows a later state
 * @force_main: accept a main that is not the one on record
 */
struct assembly_options {
	const char *name;
	const char *main;
	const char *spare;
	const char *features;
	unsigned int nr_features;
	const char *backups;
	bool listed;
	bool read_only;
	bool adopt;
	bool accept_changed;
	bool accept_older;
	bool force_main;
};

/**
 * struct assembly - a device that is being brought up; all zero but for @options at first
 * @options: what is asked for
 * @spare: open
 * @main: open
 * @main_path: where @main is, if it was found
 * @load: the spare's table, loaded without writing
 * @is_longer: main is longer than the device, which has the length that it was made with
 * @name: of the device
 * @params: for the table line
 * @line: the table
 */
struct assembly {
	struct assembly_options options;
	struct device spare;
	struct device main;
	char main_path[BLOCKDEV_PATH];
	struct spare_load load;
	bool is_longer;
	char name[DM_TABLE_NAME_BYTES + 1];
	char params[512];
	struct dm_line line;
};

/**
 * assembly_command() - the command of remap-setup open that asks for the same
 * @options: what is asked for, by whichever verb
 * @option: one option more, or NULL
 *
 * Return: for a message, to free(); command.h.
 */
char *assembly_command(const struct assembly_options *options, const char *option);

/**
 * assembly_examine() - look at spare and main, and decide
 * @assembly: with @options filled in
 * @list: block devices to find main among
 *
 * Nothing is written. assembly_end() is due in any case.
 *
 * Return: an exit status, with everything said: STATUS_FAILED when it is refused, and the command that
 * would accept it; STATUS_DAMAGED when remap-check has to decide.
 */
int assembly_examine(struct assembly *assembly, const struct blockdev_list *list);

/**
 * assembly_start() - bring the device up
 * @assembly: examined
 *
 * Return: an exit status, with everything said; after an error there is no device.
 */
int assembly_start(struct assembly *assembly);

/* Close the devices, free what was loaded. */
void assembly_end(struct assembly *assembly);

/**
 * assembly_check_name() - can a device be called so, and is it free?
 * @name: name
 *
 * Return: an exit status, with everything said.
 */
int assembly_check_name(const char *name);

/**
 * assembly_refuse_used() - may a device be taken?
 * @dev: open device
 * @role: what it is to be, for the message
 * @what_to_do: end of the message, or ""
 *
 * Return: STATUS_DONE, or STATUS_FAILED with an error that says who uses it.
 */
int assembly_refuse_used(const struct device *dev, const char *role, const char *what_to_do);

/**
 * assembly_check_target() - can this kernel make such devices, and may we?
 *
 * The target is loaded then, and knows which machine this is: due before anything is activated.
 *
 * Return: an exit status, with everything said.
 */
int assembly_check_target(void);

/**
 * assembly_create() - make the device of a spare
 * @name: of the device
 * @uuid: of the spare
 * @line: table
 *
 * Return: an exit status, with everything said; after an error there is no device.
 */
int assembly_create(const char *name, const u8 uuid[16], const struct dm_line *line);

#endif
