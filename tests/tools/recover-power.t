#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""remap-recover can end at any write, flush or rename, killed, by a signal, by a full disk or with
the power: the same command goes on, and gives what a run without interruption gives."""
import os
import shutil
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pair import *  # noqa: E402,F403

POWER = os.path.join(BUILD, "tests", "power.so")
# Without the waits for a disk, which this is not about.
quick = dict(os.environ, LD_PRELOAD=POWER)


def forget():
    for name in os.listdir("."):
        if name.startswith("whole.img"):
            os.unlink(name)


def ending(how, at, **more):
    """An environment that ends a tool at its call number AT."""
    return dict(os.environ, LD_PRELOAD=POWER, POWER_HOW=how, POWER_AT=str(at), POWER_SEED=str(at),
                **more)


main_sectors = (8 << 11) + 3
pair = Pair(main_sectors=main_sectors)
lost = sum(1 for owner in pair.owner.values() if owner == "lost")
args = ["--main", "main.img", "--spare", "spare.img", "-o", "whole.img", "--checkpoint", "2M"]
forget()
status, theirs, errors = run_json("remap-recover", *args, env=quick)
whole = digest("whole.img")
wrong = []
with open("whole.img", "rb") as image:
    for sector in range(main_sectors):
        want, got = pair.bytes_of(sector), image.read(SECTOR)
        if want is not None and got != want:
            wrong.append(sector)
ok(status == 1 and theirs["bad_sectors"] == lost > 0 and not wrong, "a run without interruption",
   errors, *wrong[:5])


def goes_on(what):
    """The same command, and what is wrong with what it gives."""
    status, theirs, errors = run_json("remap-recover", *args, env=quick)
    if status == 1 and theirs["bad_sectors"] == lost and digest("whole.img") == whole:
        return theirs["tried_sectors"] < main_sectors, []
    return False, [(what, status, errors, theirs)]


for how, step in (("kill", 4), ("torn", 4), ("cut", 1)):
    ended = halfway = 0
    bad_ends = []
    for at in range(1, 1000, step):
        forget()
        status, out, errors = run("remap-recover", *args, env=ending(how, at))
        if status != -signal.SIGKILL:
            break
        ended += 1
        half, wrong = goes_on(at)
        halfway += half
        bad_ends += wrong
    ok(not bad_ends and status == 1 and ended * step > 40 and halfway > 5,
       "%s: ended at each of %d calls, gone on with, %d times from half-way" % (how, ended, halfway),
       *bad_ends[:3])

# An image that is not flushed before its mapfile says so: this test would notice.
bad_ends = []
for at in range(1, 1000):
    forget()
    status, out, errors = run("remap-recover", *args, env=ending("cut", at, POWER_LIE="/whole.img"))
    if status != -signal.SIGKILL or bad_ends:
        break
    bad_ends += goes_on(at)[1]
ok(bad_ends, "an image that is not flushed is noticed")

# A retry that ends on its way: what it tried again is still on the list.
broken = bad("main.img", [sector for sector in range(40, 4000, 300) if sector not in pair.owner])
bad_ends, ended = [], 0
forget()
run("remap-recover", *args, env=broken)
before = digest("whole.img")
for name in ("whole.img", "whole.img.map"):
    shutil.copy(name, "kept." + name)
for how, step in (("kill", 9), ("cut", 3)):
    for at in range(1, 1000, step):
        forget()
        for name in ("whole.img", "whole.img.map"):
            shutil.copy("kept." + name, name)
        status, out, errors = run("remap-recover", *args, "--retry", env=ending(how, at))
        if status != -signal.SIGKILL:
            break
        ended += 1
        status, theirs, errors = run_json("remap-recover", *args, env=quick)
        good = whole if theirs.get("tried_sectors") else before
        if status != 1 or digest("whole.img") not in (good, whole):
            bad_ends.append((how, at, status, errors))
ok(not bad_ends and before != whole and ended > 10, "a retry, ended at each of %d calls" % ended,
   *bad_ends[:3])

# A signal: the report is whole, and so is what goes on.
bad_ends = []
for name, at in (("INT", 6), ("TERM", 15), ("HUP", 20)):
    forget()
    status, theirs, errors = run_json("remap-recover", *args,
                                      env=ending("signal", at, POWER_SIGNAL=name))
    if status != 8 or theirs["exit_status"] != 8 or "interrupted; the same command" not in errors \
            or theirs["tried_sectors"] + theirs["left_sectors"] != main_sectors \
            or not theirs["left_sectors"]:
        bad_ends.append((name, status, theirs, errors))
    half, wrong = goes_on(name)
    bad_ends += wrong
ok(not bad_ends, "a signal", *bad_ends)

# A full disk, also in the middle of what nobody has.
bad_ends, ended = [], 0
for at in range(1, 60, 6):
    forget()
    env = dict(os.environ, LD_PRELOAD=POWER, POWER_FULL=str(at), POWER_FULL_PATH="/whole.img")
    status, theirs, errors = run_json("remap-recover", *args, env=env)
    if status == 1:
        break
    ended += 1
    if status != 8 or "No space left" not in errors or "when there is room" not in errors:
        bad_ends.append((at, status, errors))
    bad_ends += goes_on(at)[1]
ok(not bad_ends and ended > 2, "a disk that is full after each of %d writes" % ended, *bad_ends[:3])

# What an earlier run may leave before anything is copied, and nothing else, is taken for that.
forget()
run("remap-recover", *args, env=ending("kill", 5))
os.unlink("whole.img")
half, wrong = goes_on("map alone")
ok(not wrong, "a mapfile alone, with nothing copied", *wrong)
os.truncate("whole.img", 0)
kept = digest("whole.img.map")
status, out, errors = run("remap-recover", *args, env=quick)
ok(status == 8 and digest("whole.img.map") == kept, "an image that lost its contents: refused",
   status, errors)
# A name that somebody else put in the way of the mapfile's is not followed.
forget()
with open("precious", "w") as text:
    text.write("precious")
os.symlink("precious", "whole.img.map.new")
half, wrong = goes_on("link")
with open("precious") as text:
    ok(not wrong and text.read() == "precious", "a link in the way", *wrong)
finish()
