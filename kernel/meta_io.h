/* SPDX-License-Identifier: GPL-2.0-only */
/* The engine's I/O on the spare; see meta_io.c. */
#ifndef REMAP_META_IO_H
#define REMAP_META_IO_H

#include "host.h"

struct remap_core;

extern const struct rmeta_host_ops remap_host_ops;
int remap_meta_io_init(struct remap_core *core);
void remap_meta_io_exit(struct remap_core *core);

#endif
