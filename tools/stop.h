/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ending a program in order when the user or the system asks for it: SIGINT, SIGTERM and
 * SIGHUP set a flag, and a second one of them ends the program at once.
 *
 * Once the flag is set nothing more is written to devices (device_open()): what that leaves
 * is what a power cut would, and the engine is made for that.
 */
#ifndef TOOLS_STOP_H
#define TOOLS_STOP_H

#include <stdbool.h>

/* From now on signals set the flag. */
void stop_catch(void);

/* Is the program to end? Never, without stop_catch(). */
bool stop_requested(void);

/**
 * stop_wait() - wait for input, or for the program to end
 * @fd: what to read from
 *
 * Reading at once would miss a signal that comes just before it.
 *
 * Return: true when reading does not wait; false when stop_requested().
 */
bool stop_wait(int fd);

/* Wait for so many seconds, or for the program to end. */
void stop_pause(unsigned int seconds);

#endif
