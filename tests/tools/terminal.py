#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""terminal.py [STEP...] -- COMMAND...: run a command on a terminal of its own, and answer it.

A step is "REGEX=TEXT": wait for output that the expression matches, behind what the last
step matched, then type the text. \\n is Enter, \\003 is Ctrl-C, \\004 is Ctrl-D; "!TERM" sends
that signal, "!HUP" hangs the terminal up. Prints what the command printed; exits as it did,
128 and the signal's number if a signal ended it, 99 if an expression never matched.
"""
import os
import pty
import re
import select
import signal
import sys
import time

WAIT_SECONDS = 120


def read_some(fd):
    """What there is; b"" at the end."""
    if not select.select([fd], [], [], 1)[0]:
        return None
    try:
        return os.read(fd, 65536)
    except OSError:
        return b""


def main():
    split = sys.argv.index("--")
    steps = [step.rsplit("=", 1) for step in sys.argv[1:split]]
    pid, fd = pty.fork()
    if pid == 0:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(sys.argv[split + 1], sys.argv[split + 1:])
    output, at, until, hung_up = "", 0, time.time() + WAIT_SECONDS, False
    while time.time() < until:
        while steps:
            match = re.compile(steps[0][0]).search(output, at)
            if not match:
                break
            at = match.end()
            text = steps.pop(0)[1]
            if text == "!HUP":
                os.close(fd)
                hung_up = True
            elif text.startswith("!"):
                os.kill(pid, getattr(signal, "SIG" + text[1:]))
            else:
                os.write(fd, text.encode().decode("unicode_escape").encode("latin-1"))
        if hung_up:
            break
        data = read_some(fd)
        if data == b"":
            break
        output += (data or b"").decode("utf-8", "replace")
    sys.stdout.write(output.replace("\r\n", "\n"))
    if time.time() >= until or (steps and not hung_up):
        print("terminal.py: never seen: %s" % [step[0] for step in steps], file=sys.stderr)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return 99
    status = os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


sys.exit(main())
