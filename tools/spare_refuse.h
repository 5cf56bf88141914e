/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What keeps a spare from being changed for good, which is not in use here: erased, bound to another
 * main, replaced.
 */
#ifndef TOOLS_SPARE_REFUSE_H
#define TOOLS_SPARE_REFUSE_H

#include "spare.h"

/**
 * spare_refuse_unsure() - is what it holds known for certain?
 * @load: the spare, loaded
 * @dev: its device
 *
 * Return: STATUS_DONE; with an error reported STATUS_DAMAGED when it needs a check, STATUS_FAILED
 * when a newer version made it.
 */
int spare_refuse_unsure(const struct spare_load *load, const struct device *dev);

/**
 * spare_refuse_unreleased() - did another host not release it?
 * @sb: its superblock
 * @dev: its device
 * @adopt: --adopt was given, which accepts that
 *
 * Return: STATUS_DONE, or STATUS_FAILED with an error reported.
 */
int spare_refuse_unreleased(const struct rmeta_superblock *sb, const struct device *dev,
			    bool adopt);

#endif
