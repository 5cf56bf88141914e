/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One who changes remaptab at a time: between reading it and the new one being there nobody else
 * changes it, so that no line is lost.
 */
#ifndef TOOLS_REMAPTAB_LOCK_H
#define TOOLS_REMAPTAB_LOCK_H

/**
 * struct remaptab_lock - the right to change a file
 * @path: of the file itself, links followed; for remaptab_change()
 * @fd: private: its directory, which is what is locked
 */
struct remaptab_lock {
	char *path;
	int fd;
};

/**
 * remaptab_lock() - wait until nobody else changes the file
 * @lock: out; remaptab_unlock() in any case
 * @path: of the file, which need not be there
 *
 * Readers are not kept out: the file is old or new at every instant.
 *
 * Return: 0, or a negative errno with an error reported.
 */
int remaptab_lock(struct remaptab_lock *lock, const char *path);

void remaptab_unlock(struct remaptab_lock *lock);

#endif
