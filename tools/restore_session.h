/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run of remap-restore: what was asked for, what is open, and the two ways that it can go, each
 * of which is planned, with all that can be refused, before it is written.
 */
#ifndef TOOLS_RESTORE_SESSION_H
#define TOOLS_RESTORE_SESSION_H

#include "dump_file.h"
#include "options.h"
#include "restore.h"
#include "restore_table.h"

struct restore_options {
	struct common_options common;
	const char *input;
	const char *old;
	const char *main;
	const char *old_map;
	const char *main_map;
	bool keep_pending;
	bool accept_incomplete;
	bool force;
	bool large_spare;
	bool dry_run;
};

/**
 * struct restore_session - a restore
 * @file: the dump
 * @spare: open for writing
 * @old: open if --data-from was given
 * @main: open if --main was given
 * @judgement: of the spare
 * @old_judgement: of the old one
 * @own: the spare is the one that was dumped
 * @live: main is that of a device which is up, and is taken down before anything is read
 * @half_made: the spare is marked as one that was being made: whatever is on it may be overwritten
 * @sources: for a new spare
 * @table: what it gets
 * @lost: sectors of main that nobody has then
 * @old_absent: sectors that @old, a copy by ddrescue, lacks
 * @main_absent: likewise
 * @restore: for the engine
 * @done: it was written
 */
struct restore_session {
	struct restore_options options;
	struct dump_file file;
	struct device spare;
	struct device old;
	struct device main;
	struct rmeta_judgement judgement;
	struct rmeta_judgement old_judgement;
	bool own;
	bool live;
	bool half_made;
	struct restore_sources sources;
	struct restore_table table;
	struct ranges lost;
	struct ranges old_absent;
	struct ranges main_absent;
	struct rmeta_restore restore;
	bool done;
};

/**
 * restore_read() - read the dump, and decide whether it is one to restore from
 * @session: @options.input says which
 *
 * Return: exit status, everything reported: STATUS_DAMAGED also for the dump of a damaged spare, without
 * @options.accept_incomplete.
 */
int restore_read(struct restore_session *session);

/**
 * restore_judge() - is a device the spare that was dumped?
 * @session: the dump is read
 * @dev: open
 * @judgement: out; its @match is set by the caller
 *
 * Return: exit status, everything reported.
 */
int restore_judge(struct restore_session *session, struct device *dev,
		  struct rmeta_judgement *judgement);

/**
 * restore_check_signature() - is there a foreign signature on the spare, without --force?
 * @session: the spare is open
 * @geo: where slots may hold signatures that are data of main, or NULL
 *
 * Return: exit status, everything reported.
 */
int restore_check_signature(struct restore_session *session, const struct rmeta_geometry *geo);

/**
 * restore_plan_own(), restore_plan_new() - all that can be refused, and the plan
 * @session: the spare is judged
 *
 * Return: exit status, or -1 when the spare is to be written.
 */
int restore_plan_own(struct restore_session *session);
int restore_plan_new(struct restore_session *session);

/**
 * restore_write_own(), restore_write_new() - carry the plan out
 * @session: planned
 *
 * Return: exit status, everything reported.
 */
int restore_write_own(struct restore_session *session);
int restore_write_new(struct restore_session *session);

#endif
