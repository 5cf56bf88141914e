// SPDX-License-Identifier: GPL-2.0-only
/*
 * Getting the list: from a file, standard input or smartctl, into ranges of blocks of main,
 * with everything said on the way that is wrong with it.
 */
#include <fcntl.h>
#include <unistd.h>

#include "escape.h"
#include "import.h"
#include "progress.h"
#include "smartctl.h"
#include "stop.h"

#define REJECTED_SHOWN 20	/* without --verbose */
#define LINE_SHOWN 40		/* bytes of a rejected line */

static void show_rejected(void *ctx, u64 line, const char *text, size_t bytes, const char *reason)
{
	struct import *import = ctx;
	size_t shown = import->list.parser->chunk ? bytes : LINE_SHOWN;
	char *escaped;

	if (import->list.rejected > REJECTED_SHOWN && !report_is_verbose())
		return;
	escaped = escape_text(text, min(bytes, shown));
	report_warn("%s: %s %llu: \"%s%s\" %s", import->list_name, import_noun(&import->list, 1),
		    (unsigned long long)line, escaped, bytes > shown ? "..." : "", reason);
	free(escaped);
}

static void show_progress(void *ctx, u64 bytes)
{
	progress_update(bytes);
}

/* Notes are for the plan; a warning cannot wait for it. */
static void take_note(void *ctx, enum list_tone tone, const char *text)
{
	struct import *import = ctx;

	if (tone == LIST_WARNING) {
		report_warn("%s: %s", import->list_name, text);
		return;
	}
	import->notes = report_grow(import->notes, import->nr_notes, &import->notes_room,
				    sizeof(*import->notes));
	import->notes[import->nr_notes] = strdup(text);
	if (!import->notes[import->nr_notes++])
		report_out_of_memory();
}

static bool wait_for_input(void *ctx, int fd)
{
	return stop_wait(fd);
}

static int take_arrived(void *ctx)
{
	return import_arrived(ctx);
}

/* The list's type is known: what follows from it, before any of it is taken. */
static int settle_type(void *ctx)
{
	struct import *import = ctx;
	struct import_options *options = &import->options;
	const struct list_parser *parser = import->list.parser;

	if (options->type == IMPORT_AUTO && !options->smart)
		report_verbose("%s: looks like %s (-t %s)", import->list_name, parser->title,
			       parser->name);
	if (parser->unit_fixed && options->unit_bytes) {
		report_error("%s is %s, which says itself what it counts: -b makes no sense with it; nothing was changed",
			     import->list_name, parser->title);
		return -ECANCELED;
	}
	if (options->follow && !parser->follows) {
		report_error("%s is %s, which means something as a whole only: it cannot be followed; nothing was changed",
			     import->list_name, parser->title);
		return -ECANCELED;
	}
	if (options->follow && parser->of_disk && !import->list.wishes.disk) {
		report_error("%s is %s, which may be about several disks: say which with --made-on; nothing was changed",
			     import->list_name, parser->title);
		return -ECANCELED;
	}
	import->list.unit_bytes = (u32)options->unit_bytes;
	if (parser == &list_badblocks && !options->unit_bytes)
		report_info("no -b: the list counts blocks of %u bytes, as badblocks does by default",
			    parser->unit_bytes);
	import->place.made_on = options->made_on ? options->made_on : options->smart;
	import->place.have_offset = options->offset_bytes != IMPORT_NO_OFFSET;
	import->place.offset_sectors = options->offset_bytes / 512;
	if (place_find(&import->place, parser->of_disk, &import->sb))
		return -ECANCELED;
	import->list.origin_sectors = import->place.origin_sectors;
	return 0;
}

static int open_file(struct import *import, const char *path)
{
	struct stat list_stat, target_stat;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &list_stat)) {
		report_error("cannot open the list %s: %s", import->list_name, strerror(errno));
	} else if (!stat(import->options.common.operand, &target_stat) &&
		   target_stat.st_dev == list_stat.st_dev &&
		   target_stat.st_ino == list_stat.st_ino) {
		report_error("list and target are one file: %s", import->list_name);
	} else if (S_ISBLK(list_stat.st_mode)) {
		report_error("%s is a block device, not a list; nothing was changed (--smart runs smartctl on one)",
			     import->list_name);
	} else if (S_ISCHR(list_stat.st_mode) && strcmp(path, "/dev/null")) {
		report_error("%s is a character device, not a list; nothing was changed (for a kernel log: dmesg | remap-import ...)",
			     import->list_name);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

/* @pid: out: smartctl, if that is where the list comes from. */
static int open_list(struct import *import, pid_t *pid)
{
	const struct import_options *options = &import->options;
	char *device;

	if (options->smart) {
		device = escape_text(options->smart, strlen(options->smart));
		if (asprintf(&import->list_name, "smartctl of %s", device) < 0)
			report_out_of_memory();
		free(device);
		import->list.parser = &list_smart;
		return smartctl_start(options->smart, pid);
	}
	if (!options->from) {
		import->list_name = escape_text("standard input", 14);
		return STDIN_FILENO;
	}
	import->list_name = escape_text(options->from, strlen(options->from));
	return open_file(import, options->from);
}

static int explain_list(const struct import *import, int error)
{
	if (error == -ECANCELED)
		return import->status > STATUS_LOOK ? import->status : STATUS_FAILED;
	if (error == -EBADMSG && import->list.failure)
		report_error("%s: %s; %s", import->list_name, import->list.failure,
			     import_so_far(import));
	else
		report_error("%s: cannot read the list: %s; %s", import->list_name,
			     strerror(-error), import_so_far(import));
	return STATUS_FAILED;
}

/*
 * smartctl says what went wrong in its JSON. Its exit status has to do where there is none; where
 * the list was refused it means nothing, since smartctl was not listened to any more.
 */
static int end_smartctl(struct import *import, pid_t pid, int error)
{
	int exit_status = smartctl_wait(pid);

	if (exit_status < 0)
		return STATUS_FAILED;
	if (error && error != -EBADMSG)
		return explain_list(import, error);
	if (exit_status >= SMARTCTL_KILLED && !error) {
		report_error("%s: it was killed by signal %d; nothing was changed",
			     import->list_name, exit_status - SMARTCTL_KILLED);
		return STATUS_FAILED;
	}
	if (!error)
		return STATUS_DONE;
	if (!import->list.bytes)
		report_error("%s: it printed nothing and ended with status %d (7.0 or newer is needed); nothing was changed",
			     import->list_name, exit_status);
	else
		explain_list(import, error);
	return STATUS_FAILED;
}

/*
 * The disk whose lines of a kernel log count: main of a live device has a name now. A mapped device
 * has none that a disk's errors are logged under.
 */
static const char *find_disk(const struct import *import, char *disk, size_t bytes)
{
	const struct import_options *options = &import->options;

	if (options->made_on)
		place_disk_name(options->made_on, disk, bytes);
	else if (options->smart)
		place_disk_name(options->smart, disk, bytes);
	else if (import->is_live)
		place_disk_name(import->live.main, disk, bytes);
	else
		return NULL;
	return options->made_on || strncmp(disk, "dm-", 3) ? disk : NULL;
}

int import_read(struct import *import)
{
	struct import_options *options = &import->options;
	struct list *list = &import->list;
	char disk[256];
	pid_t pid = 0;
	int fd, r;

	if (options->type != IMPORT_AUTO)
		list->parser = list_parsers[options->type - 1];
	fd = open_list(import, &pid);
	if (fd < 0)
		return STATUS_FAILED;
	list->wishes.disk = find_disk(import, disk, sizeof(disk));
	list->wishes.io_errors = options->io_errors;
	list->wishes.unfinished = options->unfinished;
	list->known = settle_type;
	list->reject = show_rejected;
	list->say = take_note;
	list->progress = show_progress;
	list->ctx = import;
	if (options->follow) {
		list->wait = wait_for_input;
		list->arrived = take_arrived;
	} else {
		progress_begin("reading bytes of the list", 0);
	}
	r = list_read(list, fd);
	progress_end();
	list->wishes.disk = NULL;
	if (fd != STDIN_FILENO)
		close(fd);
	if (list->rejected > REJECTED_SHOWN && !report_is_verbose())
		report_warn("%s: and %llu more rejected %s (-v shows them all)",
			    import->list_name, (unsigned long long)list->rejected - REJECTED_SHOWN,
			    import_noun(list, 0));
	if (pid)
		return end_smartctl(import, pid, r);
	return r ? explain_list(import, r) : STATUS_DONE;
}
