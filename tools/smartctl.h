/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running smartctl on a device, for its JSON.
 */
#ifndef TOOLS_SMARTCTL_H
#define TOOLS_SMARTCTL_H

#include <sys/types.h>

#define SMARTCTL_KILLED 256	/* see smartctl_wait() */

/**
 * smartctl_start() - run smartctl -j -x
 * @path: of the device; no shell sees it, and it is no option even if it looks like one
 * @pid: out: for smartctl_wait()
 *
 * Return: a descriptor to read its output from, to be closed by the caller; or -1 with an
 * error reported.
 */
int smartctl_start(const char *path, pid_t *pid);

/**
 * smartctl_wait() - wait until it has ended
 *
 * Return: its exit status, a mask of bits (smartctl(8)); 256 and the signal's number if one
 * killed it, as SIGPIPE does when nobody reads its output to the end; or -1 with an error
 * reported.
 */
int smartctl_wait(pid_t pid);

#endif
