/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel says of dm-remap while something is done. An ioctl answers with a number; why
 * the target refused is in the kernel's log only.
 */
#ifndef TOOLS_KERNEL_LOG_H
#define TOOLS_KERNEL_LOG_H

#include <stdbool.h>

/**
 * kernel_log_begin() - remember where the log ends
 *
 * Return: a handle for kernel_log_end(); negative where the log cannot be read, which is fine.
 */
int kernel_log_begin(void);

/**
 * kernel_log_end() - stop listening
 * @log: from kernel_log_begin()
 * @shown: report what device mapper and dm-remap said since, as part of the error at hand
 */
void kernel_log_end(int log, bool shown);

#endif
