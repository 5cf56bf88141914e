// SPDX-License-Identifier: GPL-2.0-only
/*
 * The problem table as data, and how to say what a problem is about. The rows themselves are
 * in problems.def; what they mean at length is in docs/check.md.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "check.h"

const struct rmeta_problem_type rmeta_problem_types[RMETA_NR_PROBLEMS] = {
#define RMETA_PROBLEM(code, flags, text, repair) { #code, flags, text, repair },
#include "problems.def"
#undef RMETA_PROBLEM
};

/* Append to @text, of which @used bytes are taken; what does not fit is cut off. */
__attribute__((format(printf, 4, 5)))
static void append(char *text, size_t bytes, size_t *used, const char *format, ...)
{
	va_list args;
	int length;

	if (*used >= bytes)
		return;
	va_start(args, format);
	length = vsnprintf(text + *used, bytes - *used, format, args);
	va_end(args);
	if (length > 0)
		*used += (size_t)length;
}

static void append_slots(const struct rmeta_problem *problem, char *text, size_t bytes,
			 size_t *used)
{
	if (problem->slot == RMETA_NO_SLOT)
		return;
	if (problem->other == RMETA_NO_SLOT)
		append(text, bytes, used, ", slot %" PRIu32, problem->slot);
	else
		append(text, bytes, used, problem->code == RMETA_P_PAGE_LOST ?
		       ", slots %" PRIu32 " to %" PRIu32 : ", slots %" PRIu32 " and %" PRIu32,
		       problem->slot, problem->other);
}

const char *rmeta_problem_where(const struct rmeta_problem *problem, char *text, size_t bytes)
{
	unsigned int copy;
	size_t used = 0;

	if (problem->page == RMETA_OBJECT_SUPERBLOCK)
		append(text, bytes, &used, "superblock");
	else
		append(text, bytes, &used, "page %" PRIu32, problem->page);
	if (problem->copies)
		append(text, bytes, &used, hweight8(problem->copies) == 1 ? " copy" : " copies");
	for (copy = 0; copy < RMETA_COPIES; copy++)
		if (problem->copies & BIT(copy))
			append(text, bytes, &used, " %u", copy);
	append_slots(problem, text, bytes, &used);
	if (problem->block != RMETA_NO_BLOCK)
		append(text, bytes, &used, ", block %" PRIu64, problem->block);
	return text;
}
