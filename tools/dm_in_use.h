/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mapped device that is to be taken down, but is open.
 */
#ifndef TOOLS_DM_IN_USE_H
#define TOOLS_DM_IN_USE_H

#include "dm.h"

/**
 * dm_in_use_refuse() - report that a device is in use, and by whom
 *
 * Return: STATUS_FAILED.
 */
int dm_in_use_refuse(const struct dmdev *dev);

#endif
