/* SPDX-License-Identifier: GPL-2.0-only */
/* The version of all of it: what the tools print, and packages and pkg-config say. */
#ifndef TOOLS_VERSION_H
#define TOOLS_VERSION_H

#define DM_REMAP_VERSION "0.1.0"

#endif
