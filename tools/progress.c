// SPDX-License-Identifier: GPL-2.0-only
/*
 * How far a long piece of work is. One at a time.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "progress.h"
#include "report.h"

#define BAR_CHARS 30U
#define UPDATE_NS 100000000	/* between two updates */

static struct {
	const char *what;
	u64 total;
	u64 done;
	u64 last_ns;
	bool drawn;
} progress;

static u64 clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

static bool wants_bar(void)
{
	const char *term = getenv("TERM");

	if (report_options()->progress == REPORT_ALWAYS)
		return true;
	return report_options()->progress == REPORT_AUTO && !report_options()->quiet &&
	       isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
}

static void draw(u64 done)
{
	unsigned int filled;

	if (report_options()->progress == REPORT_JSON) {
		fprintf(stderr, "{\"progress\":\"%s\",\"done\":%llu,\"total\":%llu}\n",
			progress.what, (unsigned long long)done,
			(unsigned long long)progress.total);
		return;
	}
	if (!wants_bar())
		return;
	if (!progress.total) {
		fprintf(stderr, "\r\033[K%s: %llu", progress.what, (unsigned long long)done);
	} else {
		filled = (unsigned int)((double)done * BAR_CHARS / (double)progress.total);
		filled = min(filled, BAR_CHARS);
		fprintf(stderr, "\r\033[K%s: [%.*s%*s] %3u%%", progress.what, (int)filled,
			"##############################", (int)(BAR_CHARS - filled), "",
			(unsigned int)((double)done * 100 / (double)progress.total));
	}
	fflush(stderr);
	progress.drawn = true;
}

void progress_begin(const char *what, u64 total)
{
	progress.what = what;
	progress.total = total;
	progress.done = 0;
	progress.last_ns = clock_ns();
}

void progress_update(u64 done)
{
	u64 now_ns;

	progress.done = done;
	if (!progress.what || report_options()->progress == REPORT_NEVER)
		return;
	now_ns = clock_ns();
	if (now_ns - progress.last_ns < UPDATE_NS)
		return;
	progress.last_ns = now_ns;
	draw(done);
}

void progress_total(u64 total)
{
	progress.total = total;
}

void progress_hide(void)
{
	if (!progress.drawn)
		return;
	fprintf(stderr, "\r\033[K");
	fflush(stderr);
	progress.drawn = false;
}

void progress_end(void)
{
	if (!progress.what)
		return;
	/* Whoever asked for it sees short work too. */
	if (report_options()->progress == REPORT_JSON ||
	    report_options()->progress == REPORT_ALWAYS)
		draw(progress.done);
	progress_hide();
	progress.what = NULL;
}
