/* SPDX-License-Identifier: GPL-2.0-only */
/* Slots ahead of need; see slots.c. */
#ifndef REMAP_SLOTS_H
#define REMAP_SLOTS_H

#include "table.h"

#define REMAP_POOL 64			/* slots reserved ahead */

struct remap_core;

int remap_slot_get(struct remap_core *core, slot_t *slot);
void remap_slot_put(struct remap_core *core, slot_t slot);
int remap_slots_reserve(struct remap_core *core, slot_t *slot);
bool remap_pool_take(struct remap_core *core, slot_t *slot);
void remap_pool_clean(struct remap_core *core);
void remap_slots_prepare(struct remap_core *core);

#endif
