// SPDX-License-Identifier: GPL-2.0-only
/*
 * The spare that somebody means. See find_spare.h.
 */
#include <fcntl.h>
#include <unistd.h>

#include "command.h"
#include "escape.h"
#include "find_spare.h"
#include "newest_backup.h"
#include "report.h"
#include "spare.h"
#include "units.h"

typedef bool is_it_fn(struct device *dev, const u8 uuid[16]);

static bool is_spare(struct device *dev, const u8 uuid[16])
{
	struct rmeta_superblock sb;
	struct rmeta_geometry geo;

	return spare_superblock(&sb, &geo, dev) && !memcmp(sb.uuid, uuid, sizeof(sb.uuid));
}

static bool is_taking(struct device *dev, const u8 uuid[16])
{
	struct rmeta_superblock sb;

	return spare_mark(dev, &sb) == RMETA_MARK_TAKING &&
	       !memcmp(sb.host_id, uuid, sizeof(sb.host_id));
}

static bool is_half_erased(struct device *dev, const u8 uuid[16])
{
	struct rmeta_superblock sb;

	return spare_mark(dev, &sb) == RMETA_MARK_ERASING &&
	       !memcmp(sb.uuid, uuid, sizeof(sb.uuid));
}

/* @in_use: out: somebody has @found. Return: how many there are; see find_spare(). */
static unsigned int find(struct blockdev *found, const struct blockdev_list *list, is_it_fn *is_it,
			 const u8 uuid[16], bool *in_use)
{
	unsigned int nr = 0, used = 0;
	struct device dev;
	char *usage;
	size_t i;

	for (i = 0; i < list->nr; i++) {
		const struct blockdev *candidate = &list->dev[i];

		if (candidate->sectors < RMETA_MIN_SPARE_SECTORS || candidate->ours ||
		    candidate->suspended || device_peek(&dev, candidate->path))
			continue;
		if (is_it(&dev, uuid)) {
			usage = device_usage(&dev.stat);
			if (!usage || !nr)
				*found = *candidate;
			nr += !usage;
			used += !!usage;
			free(usage);
		}
		device_close(&dev);
	}
	*in_use = !nr && used;
	return nr ? nr : min(used, 1U);
}

unsigned int find_spare(struct blockdev *found, const struct blockdev_list *list, const u8 uuid[16])
{
	bool in_use;

	return find(found, list, is_spare, uuid, &in_use);
}

bool find_taking(struct blockdev *found, const struct blockdev_list *list, const u8 uuid[16])
{
	bool in_use;

	return find(found, list, is_taking, uuid, &in_use);
}

bool find_spare_that_loads(struct blockdev *found, const struct blockdev_list *list,
			   const u8 uuid[16], bool idle)
{
	bool in_use;

	return find(found, list, is_spare, uuid, &in_use) && !(idle && in_use) &&
	       spare_loads_at(found->path);
}

bool spare_loads_at(const char *path)
{
	struct device dev;
	bool loads;

	if (device_peek(&dev, path))
		return false;
	/* What the target reads and writes passes by the cache, which may know what the disk does not any more. */
	posix_fadvise(dev.host.fd, 0, 0, POSIX_FADV_DONTNEED);
	loads = spare_loads(&dev);
	device_close(&dev);
	return loads;
}

char *spare_taking_command(const struct blockdev_list *list, const u8 uuid[16], const char *new,
			   const char *name, const char *tab)
{
	char *command = command_make("remap-setup replace-spare");
	struct blockdev old;

	command = command_value(command, "-T", tab, REMAPTAB_PATH);
	if (find_spare(&old, list, uuid))
		command = command_word(command, old.path);
	else
		command = command_word(command, name ? name : new);
	return command_word(command, new);
}

void spare_warn_used_since(const char *dir, const struct rmeta_superblock *taking, const char *shown)
{
	struct newest_backup backup;
	char when[UNITS_TEXT], *path;

	if (!newest_backup_find(&backup, dir, taking->host_id) || (u64)backup.when <= taking->created)
		return;
	path = escape_text(backup.path, strlen(backup.path));
	report_warn("the old spare was in use since %s was to replace it, for %s is of %s: what it got then is not on %s",
		    shown, path, units_time((u64)backup.when, when), shown);
	free(path);
}

bool spare_say_taking(const struct spare_search *search, const u8 uuid[16], const char *shown,
		      const char *name)
{
	struct rmeta_superblock sb;
	struct blockdev new;
	struct device dev;
	char text[40], *command;

	if (!find_taking(&new, search->list, uuid) || device_peek(&dev, new.path))
		return false;
	if (spare_mark(&dev, &sb) == RMETA_MARK_TAKING)
		spare_warn_used_since(search->dir, &sb, new.path);
	device_close(&dev);
	command = spare_taking_command(search->list, uuid, new.path, name, search->tab);
	report_error("%s: its spare (uuid %s) was being replaced by %s, and that was cut short: %s goes on",
		     shown, units_uuid(uuid, text), new.path, command);
	free(command);
	return true;
}

void spare_say_backup(const char *dir, const char *tab, const u8 uuid[16], const char *name)
{
	struct newest_backup backup;
	char when[UNITS_TEXT], *command;

	if (!newest_backup_find(&backup, dir, uuid))
		return;
	command = command_make("remap-setup replace-spare");
	command = command_value(command, "-T", tab, REMAPTAB_PATH);
	command = command_value(command, "--from-backup", backup.path, NULL);
	command = command_word(command, name ? name : "NAME");
	report_error("if it is gone for good: %s NEWSPARE makes another one by the backup of %s; what was in its slots is lost then",
		     command, units_time((u64)backup.when, when));
	free(command);
}

/* Is @successor to take over from the spare? The rest of the old one is on a device that is half erased. */
static bool find_last_step(struct spare_operand *operand, const char *successor,
			   const u8 uuid[16], const struct blockdev_list *list)
{
	bool taking, in_use;
	struct device dev;

	if (!successor || device_open(&dev, successor, DEVICE_READ, "new spare"))
		return false;
	taking = is_taking(&dev, uuid);
	device_close(&dev);
	if (taking)
		operand->path = find(&operand->found, list, is_half_erased, uuid, &in_use) ?
					operand->found.path : successor;
	return taking;
}

static int find_by_uuid(struct spare_operand *operand, const struct spare_search *search,
			const char *shown, const u8 uuid[16])
{
	unsigned int nr = find_spare(&operand->found, search->list, uuid);
	const char *name = operand->line ? operand->line->name : NULL;
	char text[40];

	operand->path = operand->found.path;
	if (nr == 1)
		return STATUS_DONE;
	if (nr) {
		report_error("%s: %s and %u other device%s are copies of its spare (uuid %s): one of them is old; give the path of the right one",
			     shown, operand->found.path, nr - 1, units_s(nr - 1),
			     units_uuid(uuid, text));
		return STATUS_FAILED;
	}
	if (find_last_step(operand, search->successor, uuid, search->list))
		return STATUS_DONE;
	if (spare_say_taking(search, uuid, shown, name))
		return STATUS_FAILED;
	report_error("%s: its spare is not here (uuid %s): without it blocks of main are old", shown,
		     units_uuid(uuid, text));
	spare_say_backup(search->dir, search->tab, uuid, name);
	return STATUS_FAILED;
}

int spare_operand_find(struct spare_operand *operand, const char *word,
		       const struct spare_search *search)
{
	char *shown;
	u8 uuid[16];
	int status;

	*operand = (struct spare_operand){ .path = word };
	if (!strncmp(word, "UUID=", 5)) {
		if (!units_parse_uuid(word + 5, uuid)) {
			shown = escape_text(word, strlen(word));
			report_error("\"%s\" is no uuid; remap-setup scan shows those of spares", shown);
			free(shown);
			return STATUS_USAGE;
		}
		return find_by_uuid(operand, search, word, uuid);
	}
	if (strchr(word, '/') || !access(word, F_OK))
		return STATUS_DONE;
	if (remaptab_read(&operand->tab, search->tab))
		return STATUS_FAILED;
	operand->line = remaptab_by_name(&operand->tab, word);
	if (operand->line && !remaptab_is_used(&operand->tab, operand->line)) {
		report_error("%s:%u: this line is not used, so it says nothing of the spare: give its path",
			     operand->tab.shown, operand->line->line);
		return STATUS_FAILED;
	}
	if (!operand->line) {
		shown = escape_text(word, strlen(word));
		report_error("%s is no device, and %s has no line of that name: give the path of the spare (remap-setup scan shows them)",
			     shown, operand->tab.shown);
		free(shown);
		return STATUS_FAILED;
	}
	shown = escape_text(word, strlen(word));
	status = find_by_uuid(operand, search, shown, operand->line->spare_uuid);
	free(shown);
	return status;
}

void spare_operand_free(struct spare_operand *operand)
{
	remaptab_free(&operand->tab);
	*operand = (struct spare_operand){ .path = NULL };
}
