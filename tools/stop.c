// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flag that a signal sets.
 */
#include <signal.h>

#include "host.h"
#include "stop.h"

static volatile sig_atomic_t requested;

static void request(int signal_number)
{
	requested = 1;
}

void stop_catch(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	/* Without SA_RESTART, so that a question ends; the second signal has its default action. */
	struct sigaction action = { .sa_handler = request, .sa_flags = SA_RESETHAND }, old;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		if (!sigaction(signals[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
}

bool stop_requested(void)
{
	return requested;
}
