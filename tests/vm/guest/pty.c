// SPDX-License-Identifier: GPL-2.0-only
/*
 * pty COMMAND... - run a command on a terminal of its own, 80x24.
 *
 * Standard input is typed, as it comes; what the command shows goes to standard output. Exits as
 * the command did, 128 and the number of the signal that ended it, or 99 when the terminal is not
 * given back with the settings that it had.
 */
#include <poll.h>
#include <pty.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#define EXIT_NOT_RESTORED 99

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Return: false at the end. */
static bool copy_some(int from, int to)
{
	char bytes[4096];
	ssize_t nr = read(from, bytes, sizeof(bytes)), at, r;

	if (nr <= 0)
		return false;
	for (at = 0; at < nr; at += r) {
		r = write(to, bytes + at, (size_t)(nr - at));
		if (r <= 0)
			die("pty: write");
	}
	return true;
}

/* Until the command has ended and all that it showed was read. Return: its wait status. */
static int serve(int terminal, pid_t pid)
{
	struct pollfd fds[] = {
		{ .fd = terminal, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN },
	};
	int status = 0;
	bool ended = false;

	while (poll(fds, 2, ended ? 0 : 100) >= 0) {
		if (fds[0].revents && !copy_some(terminal, STDOUT_FILENO))
			fds[0].fd = -1;
		if (fds[1].revents && !copy_some(STDIN_FILENO, terminal))
			fds[1].fd = -1;
		if (ended && !fds[0].revents)
			return status;
		if (!ended)
			ended = waitpid(pid, &status, WNOHANG) == pid;
	}
	die("pty: poll");
	return 0;
}

int main(int argc, char **argv)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	struct termios before, after;
	int terminal, slave, status;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: pty COMMAND...\n");
		return 16;
	}
	if (openpty(&terminal, &slave, NULL, NULL, &size) || tcgetattr(slave, &before))
		die("pty: no terminal");
	pid = fork();
	if (pid < 0)
		die("pty: fork");
	if (!pid) {
		close(terminal);
		if (login_tty(slave))
			die("pty: login_tty");
		execvp(argv[1], argv + 1);
		die(argv[1]);
	}
	/* ours stays open, so that the settings outlive the command */
	status = serve(terminal, pid);
	if (tcgetattr(slave, &after))
		die("pty: settings");
	if (after.c_iflag != before.c_iflag || after.c_oflag != before.c_oflag ||
	    after.c_lflag != before.c_lflag || after.c_cflag != before.c_cflag ||
	    memcmp(after.c_cc, before.c_cc, sizeof(after.c_cc)))
		return EXIT_NOT_RESTORED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
