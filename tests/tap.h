/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TAP for C tests: ok(), is(), note(), and done(), which prints the plan. One header, no
 * library; each test program includes it once.
 */
#ifndef TAP_H
#define TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_nr, tap_failed;

__attribute__((format(printf, 4, 5), unused))
static bool tap_point(bool good, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	tap_nr++;
	printf("%sok %d - ", good ? "" : "not ", tap_nr);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (!good) {
		tap_failed++;
		printf("# failed at %s:%d\n", file, line);
	}
	fflush(stdout);
	return good;
}

/* One test point: ok(condition, "what holds %d", x). Yields the condition. */
#define ok(cond, ...) tap_point(!!(cond), __FILE__, __LINE__, __VA_ARGS__)

/* One test point comparing two integers; prints both when they differ. */
#define is(got, want, ...) ({							\
	long long tap_g = (long long)(got), tap_w = (long long)(want);		\
	bool tap_r = tap_point(tap_g == tap_w, __FILE__, __LINE__, __VA_ARGS__);\
	if (!tap_r)								\
		printf("# got %lld (%#llx), want %lld (%#llx)\n", tap_g, tap_g,	\
		       tap_w, tap_w);						\
	tap_r; })

/* One test point comparing two strings. */
#define is_str(got, want, ...) ({						\
	const char *tap_g = (got), *tap_w = (want);				\
	bool tap_r = tap_point(tap_g && tap_w && !strcmp(tap_g, tap_w), __FILE__, __LINE__,	\
			       __VA_ARGS__);					\
	if (!tap_r)								\
		printf("# got \"%s\", want \"%s\"\n", tap_g ? tap_g : "(null)",	\
		       tap_w ? tap_w : "(null)");				\
	tap_r; })

/* A line for the reader of the log. */
#define note(...) (printf("# " __VA_ARGS__), printf("\n"), fflush(stdout))

/* The plan, and main()'s return value. */
__attribute__((unused))
static int done(void)
{
	printf("1..%d\n", tap_nr);
	return tap_failed ? 1 : 0;
}

#endif
