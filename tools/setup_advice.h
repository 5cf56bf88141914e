/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What else has to be set up on a host, by what is on a device.
 */
#ifndef TOOLS_SETUP_ADVICE_H
#define TOOLS_SETUP_ADVICE_H

/**
 * setup_advice() - print what the contents of a live device need, so that nothing takes main instead
 * @name: of the device
 *
 * Looks at the mapped device, since blocks of main may be old. Prints nothing for what is not known,
 * nor when the device cannot be read.
 */
void setup_advice(const char *name);

#endif
