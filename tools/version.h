/* SPDX-License-Identifier: GPL-2.0-only */
/* The version that the tools print. */
#ifndef TOOLS_VERSION_H
#define TOOLS_VERSION_H

#define DM_REMAP_VERSION "0.1"

#endif
