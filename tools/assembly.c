// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bringing up a device from its spare. The cases that are refused, in the order they are looked at:
 *
 *	not a spare, or a damaged one		spare.h says which; remap-check
 *	a spare, and a filesystem since		never, but read-only
 *	in use already				by whom
 *	main is not there, or several are	MAIN has to be given
 *	main is shorter				never
 *	main is another one			--force-main
 *	main is longer, and not known to be it	--force-main
 *	another host had it, or may have	--adopt
 *	a backup knows of a later state of it	--accept-older-spare
 *	main changed since			--accept-changed-main
 */
#include <inttypes.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#include "assembly.h"
#include "backup_dir.h"
#include "closed.h"
#include "command.h"
#include "dm.h"
#include "escape.h"
#include "find_main.h"
#include "kernel_log.h"
#include "main_print.h"
#include "newest_backup.h"
#include "report.h"
#include "table_options.h"
#include "this_host.h"
#include "units.h"

#define UUID_BYTES 40

/*
 * The command that brings it up as it was asked to, whichever verb that was, up to its operands; with one
 * more option: what accepts a refusal, or NULL.
 */
static char *open_command(const struct assembly_options *options, const char *option)
{
	char *command = command_make("remap-setup open"), *words = table_options_text(options->features);

	command = command_flag(command, options->read_only, "--readonly");
	command = command_flag(command, options->force_main, "--force-main");
	command = command_flag(command, options->adopt, "--adopt");
	command = command_flag(command, options->accept_changed, "--accept-changed-main");
	command = command_flag(command, options->accept_older, "--accept-older-spare");
	if (option)
		command = command_flag(command, true, option);
	command = command_value(command, "-d", options->backups, BACKUP_DIR);
	command = command_value(command, "-o", words, "");
	free(words);
	return command;
}

char *assembly_command(const struct assembly_options *options, const char *option)
{
	char *command = open_command(options, option);

	command = command_word(command, options->name);
	command = command_word(command, options->main);
	return command_word(command, options->spare);
}

static void say_how(const struct assembly *assembly, const char *option)
{
	char *command = assembly_command(&assembly->options, option);

	report_error("to accept that: %s", command);
	free(command);
}

/* The same, where main has to be said. */
static char *command_with_main(const struct assembly_options *options)
{
	char *command = open_command(options, NULL);

	command = command_word(command, options->name ?: "NAME");
	command = command_word(command, "MAIN");
	return command_word(command, options->spare);
}

/*
 * Names
 */

int assembly_check_name(const char *name)
{
	const char *problem = dm_table_name_problem(name);
	char *escaped;
	int status = STATUS_DONE;

	escaped = escape_text(name, strlen(name));
	if (problem) {
		report_error("\"%s\" cannot be the name of a device: it %s", escaped, problem);
		status = STATUS_USAGE;
	} else if (dm_table_exists(name, NULL)) {
		report_error("there is a device %s already (dmsetup table %s shows it); nothing was changed",
			     escaped, escaped);
		status = STATUS_FAILED;
	}
	free(escaped);
	return status;
}

/* Given, or the spare's label, or else out of its uuid. */
static int choose_name(struct assembly *assembly)
{
	const struct rmeta_superblock *sb = &assembly->load.table.sb;
	const char *name = assembly->options.name;
	char uuid[UUID_BYTES];

	if (name && dm_table_name_problem(name))
		return assembly_check_name(name);
	if (!name && !dm_table_name_problem(sb->label))
		name = sb->label;
	if (name)
		snprintf(assembly->name, sizeof(assembly->name), "%s", name);
	else
		snprintf(assembly->name, sizeof(assembly->name), "remap-%.8s",
			 units_uuid(sb->uuid, uuid));
	return assembly_check_name(assembly->name);
}

/*
 * Spare and main
 */

int assembly_refuse_used(const struct device *dev, const char *role, const char *what_to_do)
{
	char *usage = device_usage(&dev->stat);

	if (!usage)
		return STATUS_DONE;
	report_error("%s %s is in use: %s; nothing was changed%s", role, dev->shown, usage,
		     what_to_do);
	free(usage);
	return STATUS_FAILED;
}

static int open_spare(struct assembly *assembly)
{
	int status;

	if (device_open(&assembly->spare, assembly->options.spare, DEVICE_READ, "spare"))
		return STATUS_FAILED;
	if (!assembly->spare.is_block) {
		report_error("%s is an image file; losetup -f --show %s makes a block device of it",
			     assembly->spare.shown, assembly->spare.shown);
		return STATUS_FAILED;
	}
	status = assembly_refuse_used(&assembly->spare, "spare", "");
	if (!status)
		status = spare_load(&assembly->load, &assembly->spare, true);
	if (!status && !assembly->options.read_only)
		status = spare_refuse_foreign(&assembly->load, &assembly->spare);
	return status;
}

static void say_not_found(const struct assembly *assembly, const struct blockdev *found,
			  unsigned int others)
{
	const struct rmeta_superblock *sb = &assembly->load.table.sb;
	char *id = escape_text(sb->main_id, strlen(sb->main_id));
	char uuid[UUID_BYTES], partition[80] = "", size[UNITS_TEXT];
	char *command = command_with_main(&assembly->options);

	if (memcmp(sb->main_partuuid, (u8[16]){ 0 }, 16))
		snprintf(partition, sizeof(partition), ", partition %s",
			 units_uuid(sb->main_partuuid, uuid));
	units_size(sb->main_sectors * 512, size);
	if (others)
		report_error("%s and %u other device%s here could all be the main of %s; say which: %s",
			     found->path, others, units_s(others), assembly->spare.shown,
			     command);
	else
		report_error("the main of %s is not here: %s%s%s%s, %" PRIu64 " sectors (%s); nothing was changed",
			     assembly->spare.shown, *id ? "disk \"" : "nothing on record of its disk",
			     id, *id ? "\"" : "", partition, sb->main_sectors, size);
	if (!others && !identity_on_record(sb))
		report_error("say which it is: %s", command);
	free(command);
	free(id);
}

static int open_main(struct assembly *assembly, const struct blockdev_list *list)
{
	const char *path = assembly->options.main;
	struct blockdev found = { .number = 0 };
	unsigned int others;

	if (!path) {
		if (!find_main(&found, &others, list, &assembly->load.table.sb,
			       assembly->spare.stat.st_rdev)) {
			say_not_found(assembly, &found, others);
			return STATUS_FAILED;
		}
		memcpy(assembly->main_path, found.path, sizeof(assembly->main_path));
		path = assembly->main_path;
		report_verbose("main is %s", path);
	}
	if (device_open(&assembly->main, path, DEVICE_READ, "main"))
		return STATUS_FAILED;
	if (!assembly->main.is_block) {
		report_error("%s is an image file; losetup -f --show %s makes a block device of it",
			     assembly->main.shown, assembly->main.shown);
		return STATUS_FAILED;
	}
	if (assembly->main.stat.st_rdev == assembly->spare.stat.st_rdev) {
		report_error("main and spare are one device: %s", assembly->main.shown);
		return STATUS_FAILED;
	}
	return assembly_refuse_used(&assembly->main, "main",
				    "; unmount it, or stop what has it, and then use the mapped device only");
}

/*
 * Do they belong together?
 */

static int check_length(struct assembly *assembly, enum identity_verdict verdict)
{
	const struct rmeta_superblock *sb = &assembly->load.table.sb;
	u64 wanted = sb->main_sectors, got = assembly->main.sectors;
	char size[UNITS_TEXT];

	assembly->is_longer = got > wanted;
	if (!assembly->is_longer && identity_fits(got, verdict, sb))
		return STATUS_DONE;
	if (identity_fits(got, verdict, sb) ||
	    (assembly->is_longer && assembly->options.force_main)) {
		report_info("the last %" PRIu64 " sectors of %s (%s) are not used: the device keeps its length, %" PRIu64 " sectors",
			    got - wanted, assembly->main.shown, units_size((got - wanted) * 512, size),
			    wanted);
		return STATUS_DONE;
	}
	report_error("%s has %" PRIu64 " sectors, but the main of %s has %" PRIu64 ": %s",
		     assembly->main.shown, got, assembly->spare.shown, wanted, got < wanted ?
		     "it cannot be it; nothing was changed" : "is it another device, or was it enlarged?");
	if (got > wanted)
		say_how(assembly, "--force-main");
	return STATUS_FAILED;
}

static int check_identity(struct assembly *assembly)
{
	const struct rmeta_superblock *sb = &assembly->load.table.sb;
	enum identity_verdict verdict;
	struct identity identity;
	char *difference;
	int status;

	identity_get(&assembly->main, &identity);
	verdict = identity_compare(&identity, sb);
	status = check_length(assembly, verdict);
	if (status)
		return status;
	if (verdict == IDENTITY_SAME || verdict == IDENTITY_UNKNOWN)
		return STATUS_DONE;
	difference = identity_difference(&identity, sb, verdict);
	if (assembly->options.force_main) {
		report_warn("%s: %s; accepted", assembly->main.shown, difference);
		free(difference);
		return STATUS_DONE;
	}
	report_error("%s is not the main of %s: %s; nothing was changed", assembly->main.shown,
		     assembly->spare.shown, difference);
	free(difference);
	say_how(assembly, "--force-main");
	return STATUS_FAILED;
}

static int check_host(struct assembly *assembly)
{
	const struct rmeta_superblock *sb = &assembly->load.table.sb;
	enum this_host host = this_host_compare(sb);
	char *name, when[UNITS_TEXT];
	int status = STATUS_DONE;

	if (!this_host_is_other(sb))
		return STATUS_DONE;
	/* Whose it was is not on record, but remaptab says whose it is. */
	if (host == THIS_HOST_UNKNOWN && assembly->options.listed)
		return STATUS_DONE;
	name = escape_text(sb->host_name, strlen(sb->host_name));
	units_time(sb->activated, when);
	if (assembly->options.adopt) {
		report_info("%s was last active on host \"%s\" (%s)", assembly->spare.shown, name,
			    when);
	} else {
		if (host == THIS_HOST_OTHER)
			report_error("%s was last active on another host, \"%s\"%s, on %s%s: two hosts at a time destroy what is on it",
				     assembly->spare.shown, name, this_host_other_name(sb) ? "" :
				     " as this one is called, but with another machine-id", when,
				     assembly->load.load.was_in_use ? ", and was not released there" : "");
		else
			report_error("%s was last active on a host called \"%s\", of which no machine-id is on record, on %s%s: if that was another host, two at a time destroy what is on it",
				     assembly->spare.shown, name, when,
				     assembly->load.load.was_in_use ? ", and was not released there" : "");
		say_how(assembly, "--adopt");
		status = STATUS_FAILED;
	}
	free(name);
	return status;
}

/*
 * An older copy of a spare, alone: a backup that saw a later activation, or more growth, tells. Within one
 * activation the table changes without the superblock, so that nothing tells there.
 */
static int check_age(struct assembly *assembly)
{
	const struct assembly_options *options = &assembly->options;
	const struct rmeta_superblock *sb = &assembly->load.table.sb;
	struct newest_backup backup;
	char when[UNITS_TEXT], *path;
	int status = STATUS_DONE;

	if (!options->backups || !newest_backup_find(&backup, options->backups, sb->uuid) ||
	    backup.sequence <= sb->sequence)
		return STATUS_DONE;
	path = escape_text(backup.path, strlen(backup.path));
	units_time((u64)backup.when, when);
	if (options->accept_older) {
		report_warn("%s is older than the backup %s; accepted", assembly->spare.shown, path);
	} else {
		report_error("%s is an old copy of the spare, or was put back to what it once was: the backup %s, of %s, is of a later state (sequence %" PRIu64 ", here %" PRIu64 "); blocks remapped since would be read from main, where they are old; nothing was changed",
			     assembly->spare.shown, path, when, backup.sequence, sb->sequence);
		say_how(assembly, "--accept-older-spare");
		status = STATUS_FAILED;
	}
	free(path);
	return status;
}

static int check_print(struct assembly *assembly)
{
	const struct rmeta_superblock *sb = &assembly->load.table.sb;
	u32 print[2], stale;

	if (assembly->load.load.was_in_use) {
		report_info("%s was not released cleanly: whether main changed since cannot be told",
			    assembly->spare.shown);
		return STATUS_DONE;
	}
	if (!(sb->state & RMETA_PRINT_VALID))
		return STATUS_DONE;
	if (main_print_read(&assembly->main, sb->main_sectors, print)) {
		report_info("the first or last MiB of %s cannot be read: whether main changed since the last release cannot be told",
			    assembly->main.shown);
		return STATUS_DONE;
	}
	stale = spare_count_stored(&assembly->load.table);
	if ((print[0] == sb->main_print[0] && print[1] == sb->main_print[1]) || !stale)
		return STATUS_DONE;
	if (assembly->options.accept_changed) {
		report_warn("main changed while dm-remap was not in use; %u block%s may be stale; accepted",
			    stale, units_s(stale));
		return STATUS_DONE;
	}
	report_error("%s: main changed while dm-remap was not in use; %u block%s may be stale",
		     assembly->main.shown, stale, units_s(stale));
	say_how(assembly, "--accept-changed-main");
	return STATUS_FAILED;
}

static void make_line(struct assembly *assembly)
{
	const struct assembly_options *options = &assembly->options;
	/* The target itself takes none of another length without it. */
	bool force_main = options->force_main || assembly->is_longer;
	unsigned int nr = options->nr_features + force_main;
	char count[16] = "";

	if (nr)
		snprintf(count, sizeof(count), " %u", nr);
	snprintf(assembly->params, sizeof(assembly->params), "%u:%u %u:%u%s%s%s%s",
		 major(assembly->main.stat.st_rdev), minor(assembly->main.stat.st_rdev),
		 major(assembly->spare.stat.st_rdev), minor(assembly->spare.stat.st_rdev), count,
		 options->nr_features ? " " : "", options->nr_features ? options->features : "",
		 force_main ? " force_main" : "");
	assembly->line = (struct dm_line){
		.sectors = assembly->load.table.sb.main_sectors,
		.target = DMDEV_TARGET,
		.params = assembly->params,
		.read_only = options->read_only,
	};
}

int assembly_examine(struct assembly *assembly, const struct blockdev_list *list)
{
	int status;

	status = open_spare(assembly);
	if (!status)
		status = open_main(assembly, list);
	if (!status)
		status = check_identity(assembly);
	if (!status)
		status = check_host(assembly);
	if (!status)
		status = check_age(assembly);
	if (!status)
		status = check_print(assembly);
	if (status)
		return status;
	if (assembly->load.table.needs_check)
		report_warn("the metadata of %s needs a check: remap-check, when it is not in use",
			    assembly->spare.shown);
	make_line(assembly);
	return STATUS_DONE;
}

/*
 * Doing it
 */

int assembly_check_target(void)
{
	struct utsname kernel;
	u32 version[3];
	int r;

	r = dmdev_check();
	if (r) {
		dmdev_report(NULL, r);
		return STATUS_FAILED;
	}
	r = dm_table_has_target(DMDEV_TARGET);
	if (r == -ENOENT) {
		uname(&kernel);
		report_error("the kernel has no target \"%s\", and no module dm-remap for %s was found: is it built and installed (modinfo dm-remap)?",
			     DMDEV_TARGET, kernel.release);
		return STATUS_FAILED;
	}
	if (!r)
		r = dmdev_target_version(version);
	if (!r && version[0] != DMDEV_VERSION)
		r = -EPROTONOSUPPORT;
	if (!r) {
		this_host_tell();
		return STATUS_DONE;
	}
	dmdev_report(NULL, r);
	return STATUS_FAILED;
}

static const char *explain_create(int error)
{
	switch (error) {
	case -EEXIST:
		return "a device of this name, or of this spare, is there already";
	case -EBUSY:
		return "main or spare is in use by somebody else";
	case -ENXIO:
	case -ENODEV:
		return "main or spare went away";
	default:
		return strerror(-error);
	}
}

int assembly_create(const char *name, const u8 uuid[16], const struct dm_line *line)
{
	char dm_uuid[BLOCKDEV_DM_UUID];
	bool left;
	int log, r;

	blockdev_dm_uuid(uuid, dm_uuid);
	log = kernel_log_begin();
	r = dm_table_create(name, dm_uuid, line);
	if (!r)
		closed_forget(dm_uuid);
	/* What of another one is there under -EEXIST is not this one's. */
	left = r && r != -EEXIST && dm_table_exists(NULL, dm_uuid);
	if (r)
		report_error("%s could not be brought up: %s%s", name, explain_create(r),
			     r == -EEXIST || left ? "" : "; no device is left behind");
	if (left)
		report_error("a device %s that serves nothing could not be removed, and is left behind: dmsetup remove %s",
			     name, name);
	kernel_log_end(log, r);
	return r ? STATUS_FAILED : STATUS_DONE;
}

int assembly_start(struct assembly *assembly)
{
	int status;

	status = assembly_check_target();
	if (!status)
		status = choose_name(assembly);
	if (status)
		return status;
	return assembly_create(assembly->name, assembly->load.table.sb.uuid, &assembly->line);
}

void assembly_end(struct assembly *assembly)
{
	spare_unload(&assembly->load);
	device_close(&assembly->main);
	device_close(&assembly->spare);
}
