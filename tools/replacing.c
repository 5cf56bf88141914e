// SPDX-License-Identifier: GPL-2.0-only
/*
 * The old spare of a replacement: where it is, and what it holds; and where main is.
 */
#include <unistd.h>

#include "find_main.h"
#include "replacing.h"
#include "report.h"
#include "spare_refuse.h"

/*
 * Is this a name, and no device of it is up? @why_none: out: none can be, without the module or device mapper;
 * or 0.
 */
static bool is_name_down(const char *operand, int *why_none)
{
	struct live live;
	int r;

	*why_none = 0;
	if (strchr(operand, '/') || !access(operand, F_OK))
		return false;
	r = live_find(&live, operand);
	if (!r)
		live_free(&live);
	if (r == -ENOPKG || r == -ENOSYS)
		*why_none = r;
	return r == -ENXIO || *why_none;
}

static int find_listed(struct replacing *re, int why_none)
{
	const char *operand = re->options->common.operands[0];
	struct blockdev_list list;
	struct spare_search search = {
		.list = &list,
		.tab = re->options->tab,
		.dir = re->options->dir,
		.successor = re->options->common.operands[1],
	};
	int status;

	if (blockdev_list(&list))
		return STATUS_FAILED;
	status = spare_operand_find(&re->named, operand, &search);
	blockdev_list_free(&list);
	re->old_path = re->named.path;
	if (status && why_none && !re->named.line)
		dmdev_report(operand, why_none);
	return status;
}

/**
 * replacing_find_old() - where is the old spare?
 * @re: with options; @swap, @named and @old_path are filled in
 *
 * The operand is a live device, one that is listed, or the spare itself.
 *
 * Return: STATUS_DONE, or what to exit with, said.
 */
int replacing_find_old(struct replacing *re)
{
	const char *operand = re->options->common.operands[0];
	int why_none, status;

	if (is_name_down(operand, &why_none))
		return find_listed(re, why_none);
	status = live_swap_find(&re->swap, operand);
	re->old_path = operand;
	if (status || !re->swap.is_live)
		return status;
	re->old_path = re->swap.live.spare;
	if (re->options->main) {
		report_error("--main is for a spare whose device is down; the main of %s is %s",
			     re->swap.live.dev.shown, re->swap.live.main);
		return STATUS_USAGE;
	}
	return STATUS_DONE;
}

/**
 * replacing_close_old() - give back what replacing_load_old() took
 * @re: it may have taken nothing
 */
void replacing_close_old(struct replacing *re)
{
	spare_unload(&re->load);
	device_close(&re->session.old);
	re->session.old = (struct device){ .sectors = 0 };
	re->session.sources.old = NULL;
}

/**
 * replacing_load_old() - open the old spare and take its table, as if it had been read from a dump
 * @re: replacing_find_old() has found it
 * @access: what the spare is opened for
 *
 * Return: STATUS_DONE, or what to exit with, said; replacing_close_old() in either case.
 */
int replacing_load_old(struct replacing *re, enum device_access access)
{
	struct restore_session *session = &re->session;
	const struct rmeta_table *table = &re->load.table;
	int status;

	if (device_open(&session->old, re->old_path, access, "old spare"))
		return STATUS_FAILED;
	status = spare_load(&re->load, &session->old, true);
	if (!status)
		status = spare_refuse_unsure(&re->load, &session->old);
	if (!status)
		status = spare_refuse_foreign(&re->load, &session->old);
	if (!status && !re->swap.is_live)
		status = spare_refuse_unreleased(&table->sb, &session->old, re->options->adopt);
	if (status)
		return status;
	memcpy(re->old_uuid, table->sb.uuid, sizeof(re->old_uuid));
	session->file = (struct dump_file){
		.sb = table->sb,
		.geo = table->store.geo,
		.entries = table->entries,
		.nr_entries = table->counts.mapped + table->counts.lost + table->counts.retired,
		.counts = table->counts,
	};
	session->sources.old = &session->old;
	session->sources.unchanged = true;
	return STATUS_DONE;
}

/**
 * replacing_open_main() - say where main is, if it can be found
 * @re: its old spare is loaded
 *
 * Pending sectors of blocks that become lost are saved from it. It can be done without.
 */
void replacing_open_main(struct replacing *re)
{
	const struct remaptab_entry *line = re->named.line;
	struct restore_session *session = &re->session;
	struct blockdev_list list;
	struct blockdev found;
	unsigned int others;

	session->live = re->swap.is_live;
	session->options.main = re->swap.is_live ? re->swap.live.main : re->options->main;
	if (!session->options.main && line && line->path && !access(line->path, F_OK))
		session->options.main = line->path;
	if (!session->options.main && session->old.is_block && !blockdev_list(&list)) {
		if (find_main(&found, &others, &list, &session->file.sb, session->old.stat.st_rdev)) {
			memcpy(re->main_path, found.path, sizeof(re->main_path));
			session->options.main = re->main_path;
		}
		blockdev_list_free(&list);
	}
	if (!session->options.main && session->file.counts.pending_sectors)
		report_info("main is not here: pending sectors of blocks of which something else is lost become lost, too (--main DEV saves them)");
}
