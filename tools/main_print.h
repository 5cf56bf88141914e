/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The print of main: checksums of the first and the last MiB of the raw device, as a clean
 * release leaves them in the superblock. A difference at the next activation means that
 * somebody wrote to main behind the back of dm-remap.
 */
#ifndef TOOLS_MAIN_PRINT_H
#define TOOLS_MAIN_PRINT_H

#include "device.h"

/**
 * main_print_read() - compute the print of a device
 * @main: open device
 * @main_sectors: its length as the spare has it; the device must not be shorter
 * @print: out: CRC-32 of the first and of the last MiB; of all of a shorter device
 *
 * Return: 0, or a negative errno when something of them cannot be read: there is no print
 * then. Nothing is reported.
 */
int main_print_read(const struct device *main, u64 main_sectors, u32 print[2]);

#endif
