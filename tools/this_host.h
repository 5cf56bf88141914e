/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which host this is, and whether a spare was last active on it. The kernel writes the host's name
 * when it activates a spare; the tools put the machine-id beside it at a clean release.
 */
#ifndef TOOLS_THIS_HOST_H
#define TOOLS_THIS_HOST_H

#include "format.h"

/**
 * this_host_is_other() - was a spare last active on another host?
 * @sb: superblock of the spare
 *
 * By machine-id where the spare has one, else by name. Names that many hosts have, and those of an
 * initramfs, tell nothing.
 */
bool this_host_is_other(const struct rmeta_superblock *sb);

/* Put this host into a superblock, as the one that had the spare active. */
void this_host_sign(struct rmeta_superblock *sb);

#endif
