// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose a spare was: each case of this_host.h, and that no name decides it.
 */
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "this_host.h"

static const u8 here[16] = { 1, 2, 3, 4 }, there[16] = { 1, 2, 3, 5 };

struct row {
	const char *what;
	u64 activated;
	const u8 *on_record;
	const char *name;
	const u8 *id;
	enum this_host verdict;
};

/* NULL for a name: that of this host. */
static const struct row rows[] = {
	{ "never active", 0, NULL, "", here, THIS_HOST_NOBODY },
	{ "never active, nonsense beside it", 0, there, "alpha", here, THIS_HOST_NOBODY },
	{ "handed over", 5, NULL, "", here, THIS_HOST_NOBODY },
	{ "this host", 5, here, NULL, here, THIS_HOST_SAME },
	{ "this host, renamed since", 5, here, "elsewhere", here, THIS_HOST_SAME },
	{ "this host, in an initramfs", 5, here, "(none)", here, THIS_HOST_SAME },
	{ "another host", 5, there, "elsewhere", here, THIS_HOST_OTHER },
	{ "another host of the same name", 5, there, NULL, here, THIS_HOST_OTHER },
	{ "another host in an initramfs", 5, there, "(none)", here, THIS_HOST_OTHER },
	{ "an id, and none here", 5, there, NULL, NULL, THIS_HOST_OTHER },
	{ "no id on record", 5, NULL, NULL, here, THIS_HOST_UNKNOWN },
	{ "no id on record nor here", 5, NULL, NULL, NULL, THIS_HOST_UNKNOWN },
	{ "no id, another name", 5, NULL, "elsewhere", here, THIS_HOST_UNKNOWN },
};

static void judge_all(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];
		struct rmeta_superblock sb = { .activated = row->activated };

		if (row->on_record)
			memcpy(sb.host_id, row->on_record, 16);
		snprintf(sb.host_name, sizeof(sb.host_name), "%s", row->name ? row->name : name);
		is(this_host_judge(&sb, row->id), row->verdict, "%s", row->what);
	}
}

static void test_names(const char *name)
{
	struct rmeta_superblock sb = { .activated = 5 };

	snprintf(sb.host_name, sizeof(sb.host_name), "%s", name);
	ok(!this_host_other_name(&sb), "the name of this host is that of no other");
	strcpy(sb.host_name, "(none)");
	ok(!this_host_other_name(&sb), "nor is none");
	strcpy(sb.host_name, "localhost");
	ok(!this_host_other_name(&sb), "nor localhost");
	strcpy(sb.host_name, "elsewhere");
	is(this_host_other_name(&sb), strcmp(name, "localhost") && *name && strcmp(name, "(none)"),
	   "another name is, where this host has one");
}

static void test_forget(void)
{
	struct rmeta_superblock sb = { .activated = 5 };

	memcpy(sb.host_id, there, 16);
	strcpy(sb.host_name, "elsewhere");
	this_host_forget(&sb);
	is(this_host_judge(&sb, here), THIS_HOST_NOBODY, "a host that was forgotten is nobody");
	this_host_sign(&sb);
	ok(this_host_compare(&sb) != THIS_HOST_OTHER, "what this host signed is no other's");
}

int main(void)
{
	char name[65] = "";

	gethostname(name, sizeof(name) - 1);
	judge_all(name);
	test_names(name);
	test_forget();
	return done();
}
