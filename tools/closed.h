/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices that an administrator has taken down: they are not to come up again because some other disk
 * was plugged in. They are when they are opened, when their spare is plugged in anew, and at the next boot.
 */
#ifndef CLOSED_H
#define CLOSED_H

#include <stdbool.h>

/**
 * closed_mark() - a device is being taken down by hand
 * @dm_uuid: its uuid in device mapper, which has that of its spare
 * @spare: path of the spare
 *
 * Before it is down, so that no event gets in between. What goes wrong is a warning. A
 * spare that is gone cannot be marked, and needs not be.
 */
void closed_mark(const char *dm_uuid, const char *spare);

/**
 * closed_forget() - it is up, or did not go down
 * @dm_uuid: as above
 */
void closed_forget(const char *dm_uuid);

/**
 * closed_is() - was it taken down by hand, and its spare has been here since?
 * @dm_uuid: as above
 * @spare: path of the spare
 *
 * Return: true or false.
 */
bool closed_is(const char *dm_uuid, const char *spare);

#endif
