// SPDX-License-Identifier: GPL-2.0-only
/*
 * remap-check: find what is wrong with the metadata of a spare, and repair it.
 *
 * The engine finds and repairs; this asks, prints and counts. What may be repaired is
 * decided in fix_problem() alone. The engine asks everything before it writes anything, so
 * an answer that ends the program leaves the spare as it was.
 */
#include <unistd.h>

#include "check.h"
#include "check_losses.h"
#include "check_main.h"
#include "options.h"
#include "progress.h"
#include "signature.h"
#include "spare.h"
#include "stop.h"
#include "undo.h"
#include "undo_apply.h"
#include "verdicts.h"

#define PAGES_SHOWN 20		/* damaged pages, without --verbose */
#define VERDICT_WIDTH 12
#define WHERE_BYTES 96

enum check_mode {
	MODE_ASK,		/* on a terminal; elsewhere as MODE_NO */
	MODE_NO,
	MODE_PREEN,
	MODE_YES,
};

struct check_options {
	struct common_options common;
	int mode;
	bool force;
	bool search;
	const char *main;
	const char *apply_undo;
};

#define FIELD(member) offsetof(struct check_options, member)

static const struct option_row rows[] = {
	{ .letter = 'n', .name = "no", .kind = OPTION_VALUE, .field = FIELD(mode),
	  .value = MODE_NO, .help = "change nothing; works on a live spare too" },
	{ .letter = 'p', .name = "preen", .kind = OPTION_VALUE, .field = FIELD(mode),
	  .value = MODE_PREEN, .help = "repair what can be repaired without any loss" },
	{ .letter = 'a', .kind = OPTION_VALUE, .field = FIELD(mode), .value = MODE_PREEN,
	  .help = "the same as -p" },
	{ .letter = 'y', .name = "yes", .kind = OPTION_VALUE, .field = FIELD(mode),
	  .value = MODE_YES, .help = "repair everything that can be" },
	{ .name = "repair", .kind = OPTION_VALUE, .field = FIELD(mode), .value = MODE_YES,
	  .help = "the same as -y" },
	{ .letter = 'f', .name = "force", .kind = OPTION_FLAG, .field = FIELD(force),
	  .help = "repair also beside a foreign signature" },
	{ .name = "search", .kind = OPTION_FLAG, .field = FIELD(search),
	  .help = "look for a spare on all of the device if it is not where it should be" },
	{ .name = "main", .kind = OPTION_DEVICE, .field = FIELD(main), .argument = "DEV",
	  .help = "compare with the device that SPARE stands in for; only read" },
	{ .name = "apply-undo", .kind = OPTION_FILE, .field = FIELD(apply_undo),
	  .argument = "FILE", .help = "put back what FILE kept (-z of any tool), check nothing" },
};

static const struct tool tool = {
	.name = "remap-check",
	.summary = "Check the metadata of SPARE and repair it. Without options it asks before "
		   "each repair\non a terminal, and changes nothing elsewhere.",
	.usage = "[-n|-p|-a|-y|--repair] [-f] [--search] [--main DEV] [-z FILE]\n"
		 "                   SPARE\n"
		 "       remap-check --apply-undo FILE [-n] [-f] [-z FILE] SPARE",
	.details = "Exit status: 0 clean, 1 problems repaired, 4 problems left, 8 operational "
		   "error,\n16 usage, 32 cancelled.",
	.example = "remap-check -n /dev/sdc1",
	.operand = "SPARE",
	.operand_kind = OPTION_DEVICE,
	.undo = true,
	.rows = rows,
	.nr_rows = ARRAY_SIZE(rows),
};

/* A problem, as it was found and answered, for the JSON. */
struct found_problem {
	enum rmeta_problem_code code;
	char where[WHERE_BYTES];
	char *detail;
	u32 page;
	u8 copies;
	slot_t slot;
	block_t block;
	bool approved;
};

/**
 * struct session - one run
 * @options: command line
 * @dev: the spare
 * @live: somebody uses it
 * @main: what was found out about main
 * @losses: what is gone
 * @check: engine's parameters and outcome
 * @interactive: questions can be asked
 * @all: the rest is answered with yes
 * @searching: the whole device is being read
 * @underway: an undo of it was cut short
 * @foreign: what else is on the device, or NULL
 * @verdicts: of all copies
 * @problems: what was found
 * @nr_problems: how many
 * @problems_room: private
 */
struct session {
	struct check_options options;
	struct device dev;
	bool live;
	struct main_check main;
	struct losses losses;
	struct rmeta_check check;
	bool interactive;
	bool all;
	bool searching;
	bool underway;
	char *foreign;
	struct verdicts verdicts;
	struct found_problem *problems;
	size_t nr_problems;
	size_t problems_room;
};

/*
 * Asking
 */

static void cancel(struct session *session) __attribute__((noreturn));

/* One question on the terminal. */
static bool ask(struct session *session, const char *question)
{
	char *line = NULL;
	size_t room = 0;
	bool answered = false, yes = false;

	while (!answered) {
		printf("  %s? (y/n/a: yes to all) ", question);
		fflush(stdout);
		if (!stop_wait(STDIN_FILENO) || getline(&line, &room, stdin) <= 0) {
			free(line);
			printf("\n");
			cancel(session);
		}
		answered = strchr("yYnNaA", line[0]) && line[0];
		yes = strchr("yYaA", line[0]) && line[0];
		session->all = yes && (line[0] == 'a' || line[0] == 'A');
	}
	free(line);
	return yes;
}

/* The policy: may this problem be repaired? */
static bool may_repair(struct session *session, const struct rmeta_problem *problem)
{
	const struct rmeta_problem_type *type = &rmeta_problem_types[problem->code];

	if (!problem->repairable)
		return false;
	switch (session->options.mode) {
	case MODE_PREEN:
		return type->flags & RMETA_PREEN;
	case MODE_YES:
		return true;
	case MODE_ASK:
		return session->all || (session->interactive && ask(session, type->repair));
	default:
		return false;
	}
}

static void remember_problem(struct session *session, const struct rmeta_problem *problem,
			     const char *where, bool approved)
{
	struct found_problem *found;

	session->problems = report_grow(session->problems, session->nr_problems,
					&session->problems_room, sizeof(*session->problems));
	found = &session->problems[session->nr_problems++];
	*found = (struct found_problem){
		.code = problem->code,
		.page = problem->page,
		.copies = problem->copies,
		.slot = problem->slot,
		.block = problem->block,
		.approved = approved,
		.detail = strdup(problem->detail ? problem->detail : ""),
	};
	if (!found->detail)
		report_out_of_memory();
	snprintf(found->where, sizeof(found->where), "%s", where);
}

/* While nothing has been written, a signal ends the run with what was found so far. */
static void check_stop(struct session *session)
{
	if (stop_requested() && !session->check.written)
		cancel(session);
}

/* Called by the engine for every problem: print, decide, remember. */
static bool fix_problem(void *ctx, const struct rmeta_problem *problem)
{
	struct session *session = ctx;
	const struct rmeta_problem_type *type = &rmeta_problem_types[problem->code];
	const char *paint = report_paint(stdout, type->flags & RMETA_LOSS ? COLOR_BAD : COLOR_WARN);
	char where[WHERE_BYTES];
	bool yes;

	progress_hide();
	check_stop(session);
	rmeta_problem_where(problem, where, sizeof(where));
	report_out("%s%s%s: %s%s%s\n", paint, where, *paint ? report_paint(stdout, COLOR_NONE) : "",
		   type->text, problem->detail && *problem->detail ? ": " : "",
		   problem->detail ? problem->detail : "");
	yes = may_repair(session, problem);
	if (type->flags & RMETA_NO_REPAIR)
		report_out("  this cannot be repaired\n");
	else if (session->options.mode != MODE_ASK || !session->interactive || session->all)
		report_out("  %s? %s%s\n", type->repair, yes ? "yes" : "no",
			   !yes && session->options.mode == MODE_PREEN && problem->repairable ?
			   " (needs a decision: -y, or run without -p)" : "");
	remember_problem(session, problem, where, yes);
	return yes;
}

/*
 * Showing
 */

static void show_phase(void *ctx, enum rmeta_check_phase phase)
{
	struct session *session = ctx;
	static const char *const names[] = {
		[RMETA_PHASE_SUPERBLOCKS] = "Phase 1: superblocks",
		[RMETA_PHASE_PAGES] = "Phase 2: table pages",
		[RMETA_PHASE_CLAIMS] = "Phase 3: claims",
		[RMETA_PHASE_SUMMARY] = "Phase 4: main",	/* the summary is conclude()'s */
	};

	progress_end();
	check_stop(session);
	if (session->verdicts.nr_pages > PAGES_SHOWN && phase == RMETA_PHASE_CLAIMS && !report_is_verbose())
		report_out("  and %zu more pages with damaged copies (-v shows them all)\n",
			   session->verdicts.nr_pages - PAGES_SHOWN);
	report_out("%s\n", names[phase]);
	if (phase == RMETA_PHASE_SUMMARY && !session->options.main)
		report_out("  not compared (--main DEV)\n");
	if (phase == RMETA_PHASE_PAGES)
		progress_begin("table pages", 0);
}

static void show_superblocks(void *ctx, const struct rmeta_scan *scan)
{
	struct session *session = ctx;
	unsigned int copy;

	session->verdicts.superblocks = *scan;
	session->verdicts.judged = true;
	if (!report_is_text())
		return;
	report_out("  copy      sector  verdict\n");
	for (copy = 0; copy < RMETA_COPIES; copy++) {
		report_out("  %4u  %10llu  ", copy,
			   (unsigned long long)rmeta_superblock_sector(copy));
		verdict_print(stdout, scan->verdict[copy],
			      scan->verdict[copy] == RMETA_OK ? 0 : VERDICT_WIDTH);
		if (scan->verdict[copy] != RMETA_OK)
			report_out("  %s", scan->verdict[copy] == RMETA_STALE ?
				   "older than another copy" :
				   rmeta_defect_text(scan->defect[copy]));
		report_out("\n");
	}
}

static void show_page(void *ctx, u32 page, const struct rmeta_scan *scan)
{
	struct session *session = ctx;
	unsigned int copy;

	verdicts_add_page(&session->verdicts, page, scan);
	if (!report_is_text() ||
	    (session->verdicts.nr_pages > PAGES_SHOWN && !report_is_verbose()))
		return;
	progress_hide();
	report_out("  page %-8u", page);
	for (copy = 0; copy < RMETA_COPIES; copy++)
		verdict_print(stdout, scan->verdict[copy],
			      copy < RMETA_COPIES - 1 ? VERDICT_WIDTH : 0);
	report_out("\n");
}

static void show_progress(void *ctx, u32 done, u32 total)
{
	check_stop(ctx);
	progress_total(total);
	progress_update(done);
}

static void show_search(void *ctx, u64 done, u64 total)
{
	struct session *session = ctx;

	check_stop(session);
	if (!session->searching)
		progress_begin("searching sectors", total);
	session->searching = true;
	progress_update(done);
}

static void remember_loss(void *ctx, const struct rmeta_loss *loss)
{
	struct session *session = ctx;

	losses_add(&session->losses, loss);
}

static void show_counts(const struct session *session)
{
	const struct rmeta_check *check = &session->check;
	const struct rmeta_counts *counts = &check->counts;
	u32 slots = rmeta_slots(&check->geo);

	report_out("  slots %u: mapped %u, lost %u, retired %u, free %u\n", slots, counts->mapped,
		   counts->lost, counts->retired,
		   slots - counts->mapped - counts->lost - counts->retired);
	report_out("  sectors of main: %llu pending (only on main), %llu lost (nobody has them)\n",
		   (unsigned long long)counts->pending_sectors,
		   (unsigned long long)counts->lost_sectors);
}

static void write_json_problem(const struct found_problem *found, struct json *json)
{
	const struct rmeta_problem_type *type = &rmeta_problem_types[found->code];
	unsigned int copy;

	json_line(json);
	json_map(json);
	json_key_text(json, "code", type->name);
	json_key_text(json, "where", found->where);
	json_key_text(json, "text", type->text);
	json_key_text(json, "detail", found->detail);
	if (found->page != RMETA_OBJECT_SUPERBLOCK)
		json_key_number(json, "page", found->page);
	json_key(json, "copies");
	json_array(json);
	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (found->copies & BIT(copy))
			json_number(json, copy);
	json_array_end(json);
	if (found->slot != RMETA_NO_SLOT)
		json_key_number(json, "slot", found->slot);
	if (found->block != RMETA_NO_BLOCK)
		json_key_number(json, "block", found->block);
	json_key_text(json, "repair", *type->repair ? type->repair : NULL);
	json_key_bool(json, "loss", type->flags & RMETA_LOSS);
	json_key_bool(json, "approved", found->approved);
	json_map_end(json);
}

static void write_json(const struct session *session)
{
	const struct rmeta_check *check = &session->check;
	struct json *json = report_json();
	size_t i;

	if (!json)
		return;
	json_key_text(json, "spare", session->options.common.operand);
	json_key_bool(json, "live", session->live);
	json_key_bool(json, "undo_underway", session->underway);
	verdicts_json(&session->verdicts, json);
	json_key(json, "problems");
	json_array(json);
	for (i = 0; i < session->nr_problems; i++)
		write_json_problem(&session->problems[i], json);
	json_array_end(json);
	json_key_number(json, "found", check->found);
	json_key_number(json, "repaired", check->fixed);
	json_key_bool(json, "written", check->written);
	losses_json(&session->losses, &check->sb, json);
	if (session->options.main)
		main_check_json(&session->main, json);
	if (!check->have_sb)
		return;
	json_key_text(json, "label", check->sb.label);
	json_key(json, "summary");
	json_map(json);
	json_key_number(json, "slots", rmeta_slots(&check->geo));
	json_key_number(json, "mapped", check->counts.mapped);
	json_key_number(json, "pending_sectors", check->counts.pending_sectors);
	json_key_number(json, "lost", check->counts.lost);
	json_key_number(json, "lost_sectors", check->counts.lost_sectors);
	json_key_number(json, "retired", check->counts.retired);
	json_map_end(json);
}

/*
 * Running
 */

/* The user, or a signal, ends the run before anything was written. */
static void cancel(struct session *session)
{
	progress_end();
	report_error("%s; %s was not changed", stop_requested() ? "interrupted" : "cancelled",
		     session->dev.shown);
	write_json(session);
	exit(report_finish(STATUS_CANCELLED));
}

/* The last words. Return: exit status. */
static int conclude(const struct session *session)
{
	const struct rmeta_check *check = &session->check;
	const char *name = session->dev.shown;
	u32 left = check->found - check->fixed;

	if (session->losses.nr)
		losses_print(&session->losses, &check->sb);
	if (check->have_sb)
		show_counts(session);
	if (!check->found) {
		report_out("%s: clean%s\n", name, session->main.mismatches ? ", but see main" : "");
		return session->main.mismatches ? STATUS_DAMAGED : STATUS_DONE;
	}
	report_out("%s: %u problem%s, %u repaired, %u left\n", name, check->found,
		   check->found == 1 ? "" : "s", check->fixed, left);
	if (!report_is_text())
		report_warn("%s: %u problem%s, %u repaired, %u left", name, check->found,
			    check->found == 1 ? "" : "s", check->fixed, left);
	if (left && session->foreign && !session->options.force &&
	    session->options.mode != MODE_NO)
		report_error("%s also holds something else: %s; nothing was repaired (--force repairs it all the same)",
			     name, session->foreign);
	else if (left && !check->writable)
		report_info("%s: nothing was changed; remap-check --repair %s repairs what can be",
			    name, name);
	return (check->fixed ? STATUS_CORRECTED : 0) |
	       (left || session->main.mismatches ? STATUS_DAMAGED : 0);
}

static int run(struct session *session)
{
	static const struct rmeta_check_ops ops = {
		.fix = fix_problem,
		.phase = show_phase,
		.superblocks = show_superblocks,
		.page = show_page,
		.progress = show_progress,
		.search = show_search,
		.lost = remember_loss,
	};
	struct rmeta_check *check = &session->check;
	int r, status;

	check->device_sectors = session->dev.sectors;
	check->search = session->options.search;
	check->ops = &ops;
	check->ctx = session;
	r = rmeta_check_run(&rmeta_file_ops, &session->dev.host, check);
	progress_end();
	if (r == -EIO && session->dev.sectors < RMETA_SECTORS) {
		report_error("%s is not a dm-remap spare: %llu bytes are less than a superblock",
			     session->dev.shown, (unsigned long long)session->dev.sectors * 512);
		return STATUS_FAILED;
	}
	if (r == -ENODATA) {
		report_error("%s is not a dm-remap spare: nothing of dm-remap is %s", session->dev.shown,
			     session->options.search ? "on it" :
			     "where it should be (--search reads all of the device)");
		return STATUS_FAILED;
	}
	if (session->options.main && check->have_sb)
		main_check_compare(&session->main, check);
	report_out("Phase 5: summary\n");
	status = conclude(session);
	if (stop_requested() && (r || check->found > check->fixed)) {
		report_error("interrupted; the repair of %s that had begun is finished by the next one",
			     session->dev.shown);
		return status | STATUS_CANCELLED;
	}
	if (!r && !check->found)
		undo_nothing(&session->dev);
	if (!r)
		return status;
	report_error("%s: %s: %s", session->dev.shown,
		     check->written ? "a repair could not be finished; run the check again" :
		     "could not be checked", strerror(-r));
	return status | STATUS_FAILED;
}

/* An undo was cut short, and what is there is a mixture. Return: STATUS_DONE to go on. */
static int explain_underway(const struct session *session)
{
	static const char text[] = "an undo of %s was cut short, and what is there is a mixture; finish it with remap-check --apply-undo FILE %s";
	const char *name = session->dev.shown;

	if (session->options.mode == MODE_NO || session->options.force) {
		report_warn(text, name, name);
		return STATUS_DONE;
	}
	report_error(text, name, name);
	return STATUS_DAMAGED;
}

/* What can be said of the command line alone. Return: -1, or the exit status. */
static int check_options(const struct check_options *options)
{
	if (!options->apply_undo)
		return -1;
	if (options->search || options->main || options->mode == MODE_PREEN ||
	    options->mode == MODE_YES)
		return options_misused(&tool,
				       "--apply-undo checks nothing: only -n, -f and -z go with it");
	if (options->common.undo && !strcmp(options->common.undo, options->apply_undo))
		return options_misused(&tool, "-z and --apply-undo name the same file");
	return -1;
}

/* Open as the mode needs it. */
static int open_spare(struct session *session)
{
	struct check_options *options = &session->options;
	bool writes = options->mode != MODE_NO;
	struct rmeta_geometry geo;
	char *usage;

	if (device_open(&session->dev, options->common.operand,
			writes ? DEVICE_WRITE : DEVICE_READ, "spare")) {
		if (writes)
			report_info("-n checks without writing, also what is in use");
		return STATUS_FAILED;
	}
	usage = writes ? NULL : device_usage(&session->dev.stat);
	session->live = usage;
	if (usage)
		report_info("%s is live (%s): what is being written just now may look wrong",
			    session->dev.shown, usage);
	free(usage);
	if (writes)
		session->foreign = signature_find(&session->dev,
						  spare_geometry(&geo, &session->dev) ? &geo : NULL);
	session->check.writable = writes && (!session->foreign || options->force);
	/* Half a table is left at best, also for -f. */
	if (spare_refuse_marked(&session->dev))
		return STATUS_DAMAGED;
	session->underway = undo_is_underway(&session->dev);
	return session->underway ? explain_underway(session) : STATUS_DONE;
}

int main(int argc, char **argv)
{
	struct session session = { .options.mode = MODE_ASK };
	size_t i;
	int status;

	status = options_parse(&tool, &session.options, argc, argv);
	if (status >= 0)
		return status;
	status = check_options(&session.options);
	if (status >= 0)
		return status;
	stop_catch();
	if (session.options.apply_undo)
		return report_finish(undo_apply(session.options.apply_undo,
						session.options.common.operand,
						session.options.force,
						session.options.mode == MODE_NO));
	session.interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && report_is_text();
	/* What is waited for must not be in a buffer already. */
	setvbuf(stdin, NULL, _IONBF, 0);
	if (session.options.mode == MODE_ASK && !session.interactive)
		session.options.mode = MODE_NO;
	session.main.path = session.options.main;
	status = open_spare(&session);
	if (!status && session.options.main)
		status = main_check_open(&session.main, session.options.main, &session.dev);
	if (!status)
		status = run(&session);
	write_json(&session);
	for (i = 0; i < session.nr_problems; i++)
		free(session.problems[i].detail);
	free(session.problems);
	verdicts_free(&session.verdicts);
	free(session.foreign);
	losses_free(&session.losses);
	main_check_close(&session.main);
	device_close(&session.dev);
	return report_finish(status);
}
