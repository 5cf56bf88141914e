// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flag that a signal sets, and a pipe that makes it seen by who waits.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "host.h"
#include "stop.h"

static volatile sig_atomic_t requested;
static int wake[2] = { -1, -1 };

static void request(int signal_number)
{
	int error = errno;

	requested = 1;
	if (write(wake[1], "", 1) == 1 || errno)	/* whatever becomes of it */
		errno = error;
}

void stop_catch(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	/* The second signal has its default action. */
	struct sigaction action = { .sa_handler = request, .sa_flags = SA_RESETHAND }, old;
	unsigned int i;

	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK))
		return;		/* without the flag, signals end the program */
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

bool stop_requested(void)
{
	return requested;
}

bool stop_wait(int fd)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = wake[0], .events = POLLIN },
	};

	while (!requested && poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno == EINTR)
		;
	return !requested;
}

void stop_pause(unsigned int seconds)
{
	struct pollfd fd = { .fd = wake[0], .events = POLLIN };

	if (!requested)
		poll(&fd, 1, (int)seconds * 1000);
}
