/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel as a source of samples.
 */
#ifndef TUI_SOURCE_LIVE_H
#define TUI_SOURCE_LIVE_H

#include "source.h"

enum live_maps {
	LIVE_MAPS_NONE,		/* spares are not read */
	LIVE_MAPS_LATER,	/* a map is in the first sample after it was read */
	LIVE_MAPS_FIRST,	/* the first sample waits for maps, for half a minute at most */
};

/**
 * source_live() - the devices of this machine
 * @source: out: the source, or NULL
 * @maps: which maps samples have
 *
 * Its samples have all devices of the target that there are at that moment, none being no
 * error. A map is read from the spare by a process of its own, which may take its time, when the
 * number of used slots or pending or lost sectors is another than at the last map.
 *
 * Return: STATUS_DONE, or STATUS_FAILED with an error reported.
 */
int source_live(struct source **source, enum live_maps maps);

#endif
