/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel as a source of samples.
 */
#ifndef TUI_SOURCE_LIVE_H
#define TUI_SOURCE_LIVE_H

#include "source.h"

/**
 * source_live() - the devices of this machine
 * @source: out: the source, or NULL
 * @wait_maps: the first sample waits for maps, for half a minute at most
 *
 * Its samples have all devices of the target that there are at that moment, none being no
 * error. A map is read from the spare by a process of its own, which may take its time, when the
 * number of used slots or pending or lost sectors is another than at the last map.
 *
 * Return: STATUS_DONE, or STATUS_FAILED with an error reported.
 */
int source_live(struct source **source, bool wait_maps);

#endif
