// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages that switch something on, off or back, and return at once. The words after the
 * message are one form of those in the table below, or the message is refused as a whole.
 */
#include "remap.h"

static int scan_start(struct remap_target *t, unsigned int nr, char **words)
{
	remap_scan_start(t->core);
	return 0;
}

static int scan_stop(struct remap_target *t, unsigned int nr, char **words)
{
	remap_scan_stop(t->core);
	return 0;
}

static int set_feature(struct remap_target *t, unsigned int nr, char **words)
{
	char *error;
	int r = remap_set_feature(t, nr, words, &error);

	if (r)
		remap_warn(t->core, "message: set %s %s: %s", words[0], nr > 1 ? words[1] : "",
			   error);
	else if (!strcmp(words[0], "scan_interval"))
		remap_scan_wake(t->core);
	return r;
}

static int scan_interval(struct remap_target *t, unsigned int nr, char **words)
{
	char *set[] = { "scan_interval", words[0] };

	return set_feature(t, ARRAY_SIZE(set), set);
}

static int salvage_start(struct remap_target *t, unsigned int nr, char **words)
{
	remap_salvage_start(t->core);
	return 0;
}

static int salvage_stop(struct remap_target *t, unsigned int nr, char **words)
{
	remap_job_stop(&t->core->jobs[REMAP_JOB_SALVAGE]);
	return 0;
}

static int scrub_start(struct remap_target *t, unsigned int nr, char **words)
{
	remap_scrub_start(t->core);
	return 0;
}

static int scrub_stop(struct remap_target *t, unsigned int nr, char **words)
{
	remap_scrub_stop(t->core);
	return 0;
}

static int breaker_reset(struct remap_target *t, unsigned int nr, char **words)
{
	remap_breaker_reset(t->core);
	return 0;
}

static int stats_reset(struct remap_target *t, unsigned int nr, char **words)
{
	remap_stats_reset(t->core);
	return 0;
}

/* @least, @most: words behind @word, or behind the message where @word is NULL. */
static const struct {
	const char *message;
	const char *word;
	unsigned int least;
	unsigned int most;
	int (*run)(struct remap_target *t, unsigned int nr, char **words);
} controls[] = {
	{ "salvage", "start", 0, 0, salvage_start },
	{ "salvage", "stop", 0, 0, salvage_stop },
	{ "scan", "start", 0, 0, scan_start },
	{ "scan", "stop", 0, 0, scan_stop },
	{ "scan", "interval", 1, 1, scan_interval },
	{ "scrub", "start", 0, 0, scrub_start },
	{ "scrub", "stop", 0, 0, scrub_stop },
	{ "breaker", "reset", 0, 0, breaker_reset },
	{ "stats", "reset", 0, 0, stats_reset },
	{ "set", NULL, 2, 3, set_feature },
};

/**
 * remap_control() - do a message that only switches something
 * @t: the live target
 * @argc: words, at least 1
 * @argv: the words
 *
 * Return: 0; -ENOMSG: none of ours; -EINVAL and others: why has been logged.
 * Context: message; does not wait for what it starts.
 */
int remap_control(struct remap_target *t, unsigned int argc, char **argv)
{
	unsigned int i, used;
	bool known = false;

	for (i = 0; i < ARRAY_SIZE(controls); i++) {
		if (strcmp(argv[0], controls[i].message))
			continue;
		known = true;
		used = controls[i].word ? 2 : 1;
		if (argc < used + controls[i].least || argc > used + controls[i].most ||
		    (controls[i].word && strcmp(argv[1], controls[i].word)))
			continue;
		return controls[i].run(t, argc - used, argv + used);
	}
	if (!known)
		return -ENOMSG;
	if (argc == 1)
		remap_warn(t->core, "message: %s: a word is missing", argv[0]);
	else
		remap_warn(t->core, "message: %s: unknown word, or too few or too many of them: %s%s%s",
			   argv[0], argv[1], argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
	return -EINVAL;
}
