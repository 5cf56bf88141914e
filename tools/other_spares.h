/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spares that a main has already, listed or not, among the block devices that are here. Blocks that
 * live on one of them are old on main: with a new spare they would be taken for good.
 */
#ifndef TOOLS_OTHER_SPARES_H
#define TOOLS_OTHER_SPARES_H

#include "signature.h"

/**
 * other_spares_refuse() - may a main get a new spare?
 * @main: open
 * @identity: of it
 * @spare: number of the device that is to be the new one
 * @except: uuid of a spare that the caller has judged, with what was to take over from it; or NULL
 * @tab: path of remaptab, for the commands that are shown
 *
 * What is on record of a spare's main decides; where there is nothing to compare, the checksums that a
 * clean release left. A spare that holds nothing is pointed out. Writes nothing.
 *
 * Return: STATUS_DONE; or with an error that names the spare and the ways out, STATUS_FAILED for one
 * that stands in for blocks, STATUS_DAMAGED for one of which that cannot be told.
 */
int other_spares_refuse(const struct device *main, const struct identity *identity, dev_t spare,
			const u8 *except, const char *tab);

/**
 * listed_spare_refuse() - has remaptab another spare for a main, here or not?
 * @main: open
 * @identity: of it
 * @except: uuid of a spare that may be the one, or NULL
 * @path: of remaptab
 *
 * With a second line for one main scan would bring up neither.
 *
 * Return: STATUS_DONE; or STATUS_FAILED with an error that names the line and the way out.
 */
int listed_spare_refuse(const struct device *main, const struct identity *identity, const u8 *except,
			const char *path);

#endif
