/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One scan at a time brings devices up: where several disks come at once there is one for each of them,
 * and two that both see a pair down would both make its device. And none while a device gets a new spare whose own
 * is gone, which may come back.
 */
#ifndef TOOLS_RUN_LOCK_H
#define TOOLS_RUN_LOCK_H

/**
 * run_lock() - wait until no other program has the lock, and take it
 *
 * It is held until run_unlock(), or until this program ends in whatever way. What goes wrong is a warning:
 * that a device comes up counts for more.
 *
 * Return: for run_unlock().
 * Context: before anything is looked at that the other program may change.
 */
int run_lock(void);

#define RUN_LOCK_COVERED (-1000)

/**
 * run_lock_for_event() - the same, for what an event has started
 *
 * One at most of these waits: whoever waits has looked at nothing yet, and will see all that is there by
 * now. So no more than two programs of udev's are kept, however many disks come, and there is one left
 * for the device that the first of them waits for.
 *
 * Return: as run_lock(), or RUN_LOCK_COVERED: one waits already, and there is nothing to do.
 */
int run_lock_for_event(void);

void run_unlock(int lock);

#endif
