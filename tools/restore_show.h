/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What became of sectors on a new spare, for a person.
 */
#ifndef TOOLS_RESTORE_SHOW_H
#define TOOLS_RESTORE_SHOW_H

#include "restore_session.h"

/* Print what is pending, copied and lost of @session->table, and the ranges of @session->lost. */
void restore_show_lost(const struct restore_session *session);

#endif
