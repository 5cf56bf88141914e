// SPDX-License-Identifier: GPL-2.0-only
/*
 * The screen: the terminal taken and given back, signals, time. All signals that matter are let
 * in only while it waits, so that none of their handlers meets curses at work, and none comes
 * between looking for one and waiting.
 */
#include <fcntl.h>
#include <curses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <term.h>
#include <unistd.h>

#include "screen.h"

static volatile sig_atomic_t end_requested, continued;

static void request_end(int number)
{
	end_requested = 1;
}

static void note_continued(int number)
{
	continued = 1;
}

static void catch_signals(sigset_t *waiting)
{
	static const int ending[] = { SIGHUP, SIGINT, SIGTERM, SIGQUIT };
	struct sigaction end = { .sa_handler = request_end };
	struct sigaction go_on = { .sa_handler = note_continued };
	struct sigaction old;
	sigset_t set;
	unsigned int i;

	sigemptyset(&set);
	for (i = 0; i < ARRAY_SIZE(ending); i++) {
		sigaddset(&set, ending[i]);
		if (!sigaction(ending[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(ending[i], &end, NULL);
	}
	sigaction(SIGCONT, &go_on, NULL);
	sigaddset(&set, SIGCONT);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTSTP);
	sigprocmask(SIG_BLOCK, &set, waiting);
}

/* Can this terminal place its cursor? The rest curses can do without. */
static bool can_have_screen(void)
{
	int error;
	const char *cup;

	if (setupterm(NULL, STDOUT_FILENO, &error) != OK)
		return false;
	cup = tigetstr("cup");
	return cup && cup != (const char *)-1;
}

static int real_stderr = -1;
static SCREEN *terminal;

/* What anything else says meanwhile would be written across the screen. */
static void hide_stderr(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	fflush(stderr);
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (null >= 0 && real_stderr >= 0)
		dup2(null, STDERR_FILENO);
	if (null >= 0)
		close(null);
}

static void restore_terminal(void)
{
	if (!terminal)
		return;
	endwin();
	terminal = NULL;
	report_before_exit(NULL);
	if (real_stderr >= 0) {
		dup2(real_stderr, STDERR_FILENO);
		close(real_stderr);
		real_stderr = -1;
	}
}

static bool wants_color(void)
{
	const char *no_color = getenv("NO_COLOR");

	if (report_options()->color != REPORT_AUTO)
		return report_options()->color == REPORT_ALWAYS;
	return !no_color || !*no_color;
}

/* What terminals send for Home and End, whatever their description says. */
static void define_keys(void)
{
	define_key("\033[H", KEY_HOME);
	define_key("\033OH", KEY_HOME);
	define_key("\033[1~", KEY_HOME);
	define_key("\033[F", KEY_END);
	define_key("\033OF", KEY_END);
	define_key("\033[4~", KEY_END);
}

static bool take_terminal(struct screen *screen)
{
	static const short colors[] = {
		[COLOR_GOOD] = 2, [COLOR_WARN] = 3, [COLOR_BAD] = 1,	/* green, yellow, red */
	};
	short i;

	if (!can_have_screen())
		return false;
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal)
		return false;
	hide_stderr();
	report_before_exit(restore_terminal);
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	define_keys();
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	if (wants_color() && has_colors() && start_color() == OK) {
		use_default_colors();
		for (i = COLOR_GOOD; i <= COLOR_BAD; i++)
			init_pair(i, colors[i], -1);
		screen->has_color = true;
	}
	return true;
}

/* Once more what a program does that was stopped in a way it could not see. */
static void come_back(void)
{
	continued = 0;
	endwin();
	clearok(curscr, TRUE);
	refresh();
}

/* Wait for a key, a signal, or until @until_ms. Return: false when the terminal is gone. */
static bool wait_for_something(u64 until_ms, bool is_endless, const sigset_t *waiting)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };
	u64 now_ms = top_clock_ms(), left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
	struct timespec left = { (time_t)(left_ms / 1000), (long)(left_ms % 1000 * 1000000) };

	if (ppoll(&fd, 1, is_endless ? NULL : &left, waiting) <= 0)
		return true;
	return !(fd.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static void take_keys(struct screen *screen)
{
	int key;

	while (!screen->quit && (key = getch()) != ERR)
		screen_key(screen, key);
}

static void take_sample(struct screen *screen)
{
	int r = top_step(screen->top);

	if (r > 0 && !screen->top->recording_failed) {
		free(screen->top->problem);
		screen->top->problem = NULL;
		screen->top->status = STATUS_DONE;
	} else if (r == 0 || (r < 0 && screen->top->source->is_recording)) {
		screen->ended = true;
	}
	screen_settle(screen);
}

static void run(struct screen *screen, const sigset_t *waiting)
{
	struct top *top = screen->top;
	u64 interval_ms = top->interval_ms ? top->interval_ms : TOP_INTERVAL_MS;
	u64 next_ms = top_clock_ms(), now_ms;

	while (!screen->quit && !end_requested) {
		now_ms = top_clock_ms();
		if (!screen->ended && (screen->steps || (!screen->paused && now_ms >= next_ms))) {
			take_sample(screen);
			screen->steps -= screen->steps > 0;
			next_ms = max(next_ms + interval_ms, now_ms);
		}
		if (screen->ended)
			screen->steps = 0;
		if (continued)
			come_back();
		screen_draw(screen);
		if (!wait_for_something(screen->steps ? 0 : next_ms,
					!screen->steps && (screen->ended || screen->paused),
					waiting))
			break;
		take_keys(screen);
	}
}

bool view_curses(struct top *top, int *status)
{
	struct screen screen = { .top = top, .charset = charset_get() };
	sigset_t waiting;

	if (!take_terminal(&screen))
		return false;
	catch_signals(&waiting);
	run(&screen, &waiting);
	restore_terminal();
	sigprocmask(SIG_SETMASK, &waiting, NULL);
	*status = top->problem ? top->status : STATUS_DONE;
	if (top->problem)
		report_error("%s", top->problem);
	return true;
}
