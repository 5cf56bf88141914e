// SPDX-License-Identifier: GPL-2.0-only
/* Contract in scene.h. */
#include "scene.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COMPLAINTS 8u

int scene_fd;
unsigned int scene_round;
static unsigned int bad_rounds;
static bool round_bad;

void scenes_print(const struct scene *scenes)
{
	for (; scenes->name; scenes++)
		printf("%s %s\n", scenes->name, scenes->what);
}

const struct scene *scenes_find(const struct scene *scenes, const char *name)
{
	while (scenes->name && strcmp(scenes->name, name))
		scenes++;
	return scenes->name ? scenes : NULL;
}

void scene_begin(unsigned int round)
{
	scene_round = round;
	round_bad = false;
}

bool scene_is_bad(void)
{
	return bad_rounds;
}

int scene_report(unsigned int rounds)
{
	printf("rounds %u bad %u\n", rounds, bad_rounds);
	return bad_rounds ? 1 : 0;
}

void expect(bool good, const char *format, ...)
{
	va_list args;

	if (good)
		return;
	if (!round_bad && bad_rounds++ < COMPLAINTS) {
		printf("# round %u: ", scene_round);
		va_start(args, format);
		vprintf(format, args);
		va_end(args);
		printf("\n");
	}
	round_bad = true;
}

void expect_done(int error, const char *what)
{
	expect(!error, "%s: %s", what, error ? strerrorname_np(-error) : "");
}

void expect_data(uint64_t sector, uint64_t sectors, enum scene_tag tag, const char *what)
{
	int error = bed_read(scene_fd, sector, sectors, tag);

	expect(!error, "%s, sectors %llu+%llu: %s", what, (unsigned long long)sector,
	       (unsigned long long)sectors, error == -EILSEQ ? "other data" :
	       error ? strerrorname_np(-error) : "");
}

void must(bool happened, const char *what)
{
	if (!happened)
		bed_die("round %u: %s", scene_round, what);
}

void scene_message(const char *verb, uint64_t block)
{
	char text[64], answer[DMCTL_TEXT];
	int r;

	snprintf(text, sizeof(text), "%s %llu+%u", verb, (unsigned long long)block, SCENE_BLOCK);
	r = dmctl_message(SCENE_REMAP, text, answer);
	if (r || strcmp(answer, "1/1"))
		bed_die("round %u: %s: %s", scene_round, text, r ? strerror(-r) : answer);
}

int scene_up(uint64_t sectors, const char *params, ...)
{
	char line[DMCTL_TEXT];
	va_list args;
	int r;

	va_start(args, params);
	vsnprintf(line, sizeof(line), params, args);
	va_end(args);
	r = dmctl_load(SCENE_REMAP, sectors, "remap", line);
	if (!r)
		r = dmctl_suspend(SCENE_REMAP, false, false);
	if (!r)
		scene_fd = bed_open(SCENE_REMAP);
	else
		dmctl_remove(SCENE_REMAP);
	return r;
}

void scene_down(void)
{
	close(scene_fd);
	bed_remove(SCENE_REMAP);
}
