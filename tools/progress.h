/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far a long piece of work is, on stderr: a bar on a terminal, JSON lines on request,
 * nothing into a pipe. At most ten updates a second, so it may be called often.
 */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include "host.h"

/**
 * progress_begin() - a piece of work begins
 * @what: a few words; must stay valid until progress_end()
 * @total: steps it has; 0 when not known
 */
void progress_begin(const char *what, u64 total);

/* @done of the steps are done. */
void progress_update(u64 done);

/* The number of steps became known, or changed. */
void progress_total(u64 total);

/* The work is over, if any had begun; a bar is wiped. */
void progress_end(void);

/* Wipe a bar so that a message can be printed; the next update draws it again. */
void progress_hide(void);

#endif
