// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running smartctl. It may take half a minute where a disk is slow to answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"
#include "smartctl.h"

/* Where Debian has it, which is not in everybody's PATH. */
#define USUAL_PATH "/usr/sbin/smartctl"

extern char **environ;

/* smartctl ends when nobody reads its output: with the signal as it is by default. */
static int spawn(const char *path, int out, pid_t *pid)
{
	char *argv[] = { "smartctl", "-j", "-x", "--", (char *)path, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	int r;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	r = posix_spawnp(pid, "smartctl", &actions, &attributes, argv, environ);
	if (r == ENOENT)
		r = posix_spawn(pid, USUAL_PATH, &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return r;
}

int smartctl_start(const char *path, pid_t *pid)
{
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC)) {
		report_error("no pipe to smartctl: %s", strerror(errno));
		return -1;
	}
	r = spawn(path, ends[1], pid);
	close(ends[1]);
	if (!r)
		return ends[0];
	close(ends[0]);
	report_error("cannot run smartctl: %s%s; nothing was changed", strerror(r),
		     r == ENOENT ? " (it is in the package smartmontools)" : "");
	return -1;
}

int smartctl_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno == EINTR)
			continue;
		report_error("cannot wait for smartctl: %s", strerror(errno));
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : SMARTCTL_KILLED + WTERMSIG(status);
}
