// SPDX-License-Identifier: GPL-2.0-only
/*
 * A live device that gets another spare while it is down. See live_swap.h.
 */
#include "assembly.h"
#include "closed.h"
#include "command.h"
#include "dm_in_use.h"
#include "find_spare.h"
#include "live_swap.h"
#include "report.h"

/* Words of a table behind its two devices. */
static int take_words(struct live_swap *swap, const char *text)
{
	char *copy = strdup(text), *rest = copy, *word;
	unsigned int nr = 0;
	size_t length = 0;

	if (!copy)
		report_out_of_memory();
	while ((word = strsep(&rest, " "))) {
		if (!*word || nr++ < 3)
			continue;
		if (!strcmp(word, "force_main")) {
			swap->force_main = true;
			continue;
		}
		length += (size_t)snprintf(swap->words + length, sizeof(swap->words) - length, "%s%s",
					   length ? " " : "", word);
		if (length >= sizeof(swap->words))
			break;
		swap->nr_words++;
	}
	free(copy);
	if (length < sizeof(swap->words))
		return STATUS_DONE;
	report_error("the table of %s has more features than are known here", swap->live.dev.shown);
	return STATUS_FAILED;
}

int live_swap_find(struct live_swap *swap, const char *operand)
{
	struct dmdev_lines lines;
	int r, status;

	*swap = (struct live_swap){ .is_live = false };
	if (live_choose(&swap->live, operand, &swap->is_live))
		return STATUS_FAILED;
	if (!swap->is_live)
		return STATUS_DONE;
	if (live_refresh(&swap->live, false))
		return STATUS_FAILED;
	if (swap->live.dev.open_count)
		return dm_in_use_refuse(&swap->live.dev);
	r = dmdev_table(&swap->live.dev, &lines);
	if (r) {
		dmdev_report(operand, r);
		return STATUS_FAILED;
	}
	if (lines.nr == 1) {
		status = take_words(swap, lines.line[0].text);
	} else {
		report_error("the table of %s has %zu lines, and this brings up one; nothing was changed (take it down by hand, and give the path of the spare)",
			     swap->live.dev.shown, lines.nr);
		status = STATUS_FAILED;
	}
	dmdev_lines_free(&lines);
	return status;
}

static void forget(struct live_swap *swap)
{
	if (*swap->closed)
		closed_forget(swap->closed);
	*swap->closed = '\0';
}

int live_swap_down(struct live_swap *swap)
{
	u8 uuid[16];
	int r;

	if (!swap->is_live)
		return STATUS_DONE;
	/* By the spare's, which is what events go by, whoever made the device. */
	if (live_spare_uuid(&swap->live, uuid))
		closed_mark(blockdev_dm_uuid(uuid, swap->closed), swap->live.spare);
	r = dm_table_remove(swap->live.dev.name);
	if (r)
		forget(swap);
	if (r == -EBUSY)
		return dm_in_use_refuse(&swap->live.dev);
	if (r) {
		dmdev_report(swap->live.dev.name, r);
		return STATUS_FAILED;
	}
	swap->down = true;
	return STATUS_DONE;
}

static struct assembly_options as_it_was(const struct live_swap *swap, const char *spare)
{
	return (struct assembly_options){
		.name = swap->live.dev.name,
		.main = swap->live.main,
		.spare = spare,
		.features = swap->words,
		.nr_features = swap->nr_words,
		.read_only = swap->live.dev.read_only,
		.force_main = swap->force_main,
	};
}

char *live_swap_command(const struct live_swap *swap, const char *spare)
{
	const struct assembly_options options = as_it_was(swap, spare);

	return assembly_command(&options, NULL);
}

bool live_swap_say_back(const struct live_swap *swap, const struct blockdev_list *list)
{
	const struct live *live = &swap->live;
	struct blockdev found;
	char *down, *up;
	u8 uuid[16];

	/* What somebody has is the disk below the path that the device uses. */
	if (!swap->is_live || !live_spare_uuid(live, uuid) ||
	    !find_spare_that_loads(&found, list, uuid, true))
		return false;
	down = command_word(command_make("remap-setup close"), live->dev.name);
	up = live_swap_command(swap, found.path);
	report_error("the spare of %s came back as %s, which the device does not use, and can be read: %s, and then %s; nothing was changed",
		     live->dev.shown, found.path, down, up);
	free(down);
	free(up);
	return true;
}

int live_swap_up(struct live_swap *swap, const char *spare, const u8 uuid[16])
{
	struct assembly assembly = { .options = as_it_was(swap, spare) };
	char dm_uuid[BLOCKDEV_DM_UUID], *command;
	struct blockdev_list list = { .nr = 0 };
	int status = STATUS_FAILED;

	/* It was live here a moment ago. */
	assembly.options.adopt = true;
	assembly.options.accept_changed = true;
	if (!blockdev_list(&list))
		status = assembly_examine(&assembly, &list);
	if (!status)
		status = assembly_start(&assembly);
	if (!status)
		report_out("/dev/mapper/%s is up: main %s, spare %s\n", swap->live.dev.shown,
			   assembly.main.shown, assembly.spare.shown);
	/* Otherwise events may yet do it: of this spare, or of the one that it had. */
	if (status) {
		closed_forget(blockdev_dm_uuid(uuid, dm_uuid));
		command = live_swap_command(swap, spare);
		report_error("%s is down; to bring it up: %s", swap->live.dev.shown, command);
		free(command);
	}
	forget(swap);
	assembly_end(&assembly);
	blockdev_list_free(&list);
	return status;
}

void live_swap_free(struct live_swap *swap)
{
	if (swap->is_live)
		live_free(&swap->live);
	swap->is_live = false;
}
