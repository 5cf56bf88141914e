/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The question before something is destroyed.
 */
#ifndef TOOLS_CONFIRM_H
#define TOOLS_CONFIRM_H

#include <stdbool.h>

/**
 * confirm() - have a person agree
 * @yes: it was answered on the command line (-y)
 * @fmt: the question, without a question mark; its arguments are safe to show
 *
 * Asks when standard input is a terminal, where the question can be seen: on standard output, or on
 * standard error where that is no terminal or is not for people (-q, --json).
 *
 * Return: the answer was y, or there is nobody to ask. When false, that nothing was changed has been
 * said.
 */
__attribute__((format(printf, 2, 3))) bool confirm(bool yes, const char *fmt, ...);

#endif
