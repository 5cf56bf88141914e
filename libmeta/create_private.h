/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps of making a spare (rule 8), which format and restore share.
 */
#ifndef RMETA_CREATE_PRIVATE_H
#define RMETA_CREATE_PRIVATE_H

#include "copies.h"

/* Make @store take sequences above any that is found on the device. Its layout is known. */
void rmeta_create_activation(struct rmeta_store *store);

/*
 * Erase the superblocks, then page 0 of every zone, each durably. -EIO when one of these writes
 * fails.
 */
int rmeta_create_erase(struct rmeta_store *store);

/* Fill in layout, activations and sequence of @sb. */
int rmeta_create_describe(struct rmeta_store *store, struct rmeta_superblock *sb);

/*
 * Write all five superblocks from @sb, of which layout, activations and sequence are filled in.
 * -EIO when one could not be written.
 */
int rmeta_create_super(struct rmeta_store *store, struct rmeta_superblock *sb);

#endif
