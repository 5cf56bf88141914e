#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""remap-setup rebind: main was cloned, and the spare becomes the clone's. Every sector is then what it
was to its user, or lost where the clone does not have it and no slot has; what a new disk happens to have
there is never given. What is refused leaves both devices as they were. When the power goes at any write
or flush of it, the old main with its spare gives what it gave, but perhaps for what could not be read
there, and the same command goes on."""
import os
import shutil
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pair import *  # noqa: E402,F403

POWER = os.path.join(BUILD, "tests", "power.so")
TERMINAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "terminal.py")
os.environ["PATH"] = "%s:%s" % (BUILD, os.environ["PATH"])
open("tab", "w").close()
QUICK = dict(os.environ, LD_PRELOAD=POWER)


def rebind(*args, env=None):
    return run("remap-setup", "rebind", "-T", "tab", *args, env=env)


def write_map(path, areas, sectors):
    """A mapfile of ddrescue: (first, end, status) of what is not rescued."""
    at, lines = 0, ["# Mapfile. Created by GNU ddrescue version 1.27", "0x00000000     +               1"]
    for first, end, status in areas + [(sectors, sectors, "")]:
        for start, stop, what in ((at, first, "+"), (first, end, status)):
            if stop > start:
                lines.append("0x%08X  0x%08X  %s" % (start * SECTOR, (stop - start) * SECTOR, what))
        at = end
    with open(path, "w") as out:
        out.write("\n".join(lines) + "\n")


def clone(path, areas):
    """Main as it was rescued; elsewhere a new disk has something of its own."""
    shutil.copy("main.img", path)
    with open(path, "r+b") as image:
        for first, end, _ in areas:
            image.seek(first * SECTOR)
            image.write((b"left over " * 52)[:SECTOR] * (end - first))


def composite(main, spare):
    """What the two give, sector by sector; None: nobody has it."""
    for name in ("whole.img", "whole.map"):
        if os.path.exists(name):
            os.unlink(name)
    status, _, errors = run("remap-recover", "-q", "--main", main, "--spare", spare, "-o", "whole.img",
                            "-m", "whole.map")
    if status not in (0, 1):
        return "remap-recover: %d %s" % (status, errors)
    with open("whole.img", "rb") as image:
        data = image.read()
    sectors = [data[at:at + SECTOR] for at in range(0, len(data), SECTOR)]
    with open("whole.map") as lines:
        for line in [line.split() for line in lines if line[0] != "#"][1:]:
            if line[2] == "-":
                first = int(line[0], 0) // SECTOR
                sectors[first:first + int(line[1], 0) // SECTOR] = [None] * (int(line[1], 0) // SECTOR)
    return sectors


pair = Pair()
last = pair.main_sectors
before = digest("spare.img")
blocks = pair.block_sectors
# Beginning and end; whole blocks and parts; between, in and beside blocks of all kinds of entries.
areas = [(0, 3, "-"), (40, 41, "-"), (43, 44, "-"), (100 * blocks, 106 * blocks + 3, "-"),
         (112 * blocks + 2, 113 * blocks, "-"), (300 * blocks - 4, 303 * blocks + 1, "-"),
         (1000 * blocks + 5, 1003 * blocks, "*"), (2300 * blocks, 2330 * blocks, "-"), (last - 2, last, "-")]
missing = {sector for first, end, _ in areas for sector in range(first, end)}
write_map("map", areas, last)
clone("new.img", areas)
want = [None if sector in missing and pair.owner.get(sector, "main") in ("main", "pending") else
        pair.bytes_of(sector) for sector in range(last)]
lost = {sector for sector in range(last) if want[sector] is None}
was = composite("main.img", "spare.img")
ok(was == [pair.bytes_of(sector) for sector in range(last)], "main and spare as they were")


def refused(what, status, words, *args, env=None):
    """It exits so, says all of WORDS, and devices are as they were."""
    devices = [path for path in ("spare.img", "new.img") + args[-2:] if os.path.exists(path)]
    then = [digest(path) for path in devices]
    got, _, errors = rebind(*args, env=env)
    ok(got == status and all(word in errors for word in words) and
       [digest(path) for path in devices] == then, "refused: " + what,
       "exit %d, want %d" % (got, status), errors, words)


# What is refused.
both = ("spare.img", "new.img")
refused("nothing says what was copied", 16, ["by --mapfile, or --complete"], *both)
refused("two things do", 16, ["by --mapfile, or --complete"], "-m", "map", "--complete", *both)
refused("no mapfile", 8, ["cannot open the mapfile nowhere: No such file"], "-m", "nowhere", *both)
refused("no mapfile either", 8, ["mapfile tab: line 0"], "-m", "tab", *both)
write_map("other", [(5, 9, "-")], last + 8)
refused("the mapfile of a larger main", 8, ["mapfile other: line", "behind the end of main"], "-m", "other", *both)
write_map("other", [(5, 9, "-")], last - 8)
refused("the mapfile of a smaller one", 8, ["ends before the end of main"], "-m", "other", *both)
write_map("other", [(5, 9, "-"), (1000 * blocks, 1001 * blocks, "/"), (2300 * blocks - 3, 2300 * blocks, "?")], last)
refused("a copy that is not finished", 8, ["3 sectors which no slot has were not tried", "--accept-incomplete"],
        "-m", "other", *both)
refused("one device", 8, ["are one device"], "-m", "map", "spare.img", "spare.img")
refused("no such spare", 8, ["cannot find spare nowhere: No such file"], "-m", "map", "nowhere", "new.img")
refused("no such main", 8, ["cannot find new main nowhere: No such file"], "-m", "map", "spare.img", "nowhere")
refused("swapped", 8, ["new.img is not a dm-remap spare"], "-m", "map", "new.img", "spare.img")
shutil.copy("new.img", "size.img")
os.truncate("size.img", (last - 1) * SECTOR)
refused("a smaller main", 8, ["size.img has 20002 sectors, fewer than the 20003"], "-m", "map", "spare.img", "size.img")
os.truncate("size.img", (last + 1) * SECTOR)
refused("a larger main", 8, ["size.img has 20004 sectors, more than the 20003", "nothing that it could be recognised by", "a volume, of 20003 sectors"],
        "-m", "map", "spare.img", "size.img")
new_spare("other.img", 8 << 20, "1G")
refused("new main is a spare", 8, ["other.img is a spare of dm-remap itself"], "-m", "map", "spare.img", "other.img")
refused("new main cannot be read where it has to be", 8, ["new.img: sector %d cannot be read" % (300 * blocks - 6), "take another"],
        "-m", "map", *both, env=bad("new.img", [300 * blocks - 6]))
refused("nor at its end", 8, ["last MiB of new main new.img cannot be read"], "-m", "map", *both,
        env=bad("new.img", [last - 3]))
new_spare("full.img", 8 << 20, "1G")
slots = json.loads(tool("remap-dump", "--json", "full.img"))["summary"]["slots"]
with open("large.img", "wb") as image:
    image.truncate(1 << 30)
write_map("other", [(8 * nr, 8 * nr + 1, "-") for nr in range(10, slots + 11)], 1 << 21)
refused("there are too few slots", 8, ["has %d free slots, but %d blocks" % (slots, slots + 1)], "-m", "other",
        "full.img", "large.img")
pair.image.copy("damaged.img").damage(0, ALL, "noise")
refused("a damaged spare", 4, ["damaged.img: table page 0"], "-m", "map", "damaged.img", "new.img")
pair.image.copy("check.img").set("sb", ALL, state=2)
refused("a spare that needs a check", 4, ["check.img is marked as needing a check"], "-m", "map", "check.img", "new.img")
SUPER_FIELDS["print"] = (360, "<Q")
printed = pair.image.copy("printed.img")
printed.set("sb", ALL, state=4, print=12345)
refused("it is no clone of what main was", 8, ["its first or last MiB differ", "--accept-changed-main"],
        "--complete", "printed.img", "new.img")
status, _, errors = rebind("-m", "map", "--accept-incomplete", "-n", "printed.img", "new.img")
ok(not status, "where both of them are not whole nothing can be said", status, errors)
status, _, errors = rebind("--complete", "--accept-changed-main", "-n", "printed.img", "new.img")
ok(not status and "accepted" in errors, "and it can be accepted", status, errors)

# What is not.
status, result, errors = run_json("remap-setup", "rebind", "-T", "tab", "-n", "-m", "map", *both)
ok(not status and digest("spare.img") == before and not result["written"] and
   result["missing_sectors"] == len(missing) and
   result["pending_lost_sectors"] + result["fresh_lost_sectors"] + result["lost_before_sectors"] ==
   len(missing & lost) and result["in_slots_sectors"] == len(missing - lost),
   "a dry run says what would be lost, and writes nothing", status, result, errors)
uuid = json.loads(tool("remap-dump", "--json", "spare.img"))["superblock"]["uuid"]
with open("tab", "w") as tab:
    tab.write("# ours\nattic ID=old\\040disk@2048 UUID=%s noauto # the attic\nb - UUID=%s\n" %
              (uuid, "11111111-2222-3333-4444-555555555555"))
shutil.copy("spare.img", "copy.img")
news = digest("new.img")
status, out, errors = rebind("-z", "undo", "-m", "map", "copy.img", "new.img")
ok(status == 1 and "%d sectors are lost" % len(lost - {s for s in lost if pair.owner.get(s) == "lost"}) in errors,
   "rebound, and what is lost is said", status, out, errors)
ok(digest("new.img") == news, "new main was not written to")
status, _, errors = run("remap-check", "-n", "copy.img")
ok(not status, "the spare is clean", status, errors)
got = composite("new.img", "copy.img")
ok(got == want, "every sector is what it was, or lost", [(nr, got[nr], want[nr]) for nr in range(last)
                                                        if got[nr] != want[nr]][:4])
with open("tab") as tab:
    lines = tab.read()
ok(lines == "# ours\nb - UUID=%s\nattic - UUID=%s noauto # the attic\n" %
   ("11111111-2222-3333-4444-555555555555", uuid), "its line in remaptab has the new main", lines)
loop = attach("new.img")
if loop:
    now = digest("copy.img")
    with open("tab", "a") as tab:
        tab.write("other %s UUID=22222222-2222-3333-4444-555555555555\n" % loop)
    status, _, errors = rebind("-m", "map", "copy.img", loop)
    ok(status == 8 and "%s has a spare already, that of other" % loop in errors and
       "remap-setup disable -T tab other" in errors and digest("copy.img") == now,
       "a main that is listed with another spare is refused", status, errors)
    detach(loop)
else:
    ok(True, "a main that is listed with another spare # SKIP no loop devices here")
with open("tab", "w") as tab:
    tab.write(lines)
status, result, errors = run_json("remap-setup", "rebind", "-T", "tab", "-m", "map", "copy.img", "new.img")
ok(not status and result["slots"] == 0 and result["copied_sectors"] == 0 and
   result["lost_before_sectors"] == len(missing & lost) and composite("new.img", "copy.img") == want,
   "the same again changes nothing", status, result, errors)
shutil.copy("copy.img", "twice.img")
status, _, errors = run("remap-check", "-q", "--apply-undo", "undo", "copy.img")
ok(status == 8 and "undo" in errors and digest("copy.img") == digest("twice.img"),
   "an undo file does not apply to what was changed since", status, errors)
shutil.copy("spare.img", "copy.img")
rebind("-q", "-z", "undo2", "-m", "map", "copy.img", "new.img")
status, _, errors = run("remap-check", "-q", "--apply-undo", "undo2", "copy.img")
ok(not status and digest("copy.img") == before, "an undo brings it back, byte for byte", status, errors)
shutil.copy("spare.img", "copy.img")
shutil.copy("main.img", "whole-clone.img")
status, _, errors = rebind("--complete", "copy.img", "whole-clone.img")
ok(not status and composite("whole-clone.img", "copy.img") == was, "a complete clone", status, errors)


def terminal(*words):
    done = subprocess.run([TERMINAL] + list(words), stdout=subprocess.PIPE)
    return done.returncode, done.stdout.decode()


status, out = terminal(r"Make spare.img the spare of new.img\? \(y/N\) =\n", "--", "remap-setup", "rebind", "-T",
                       "tab", "-m", "map", *both)
ok(status == 32 and digest("spare.img") == before and "nothing was changed" in out,
   "on a terminal it asks, and Enter is no", status, out)

# The power goes.
os.unlink("tab")
ended, old, new, wrong = 0, 0, 0, []
for at in range(1, 2000, 3):
    for how in ("cut", "kill"):
        shutil.copy("spare.img", "copy.img")
        status, _, _ = rebind("-m", "map", "copy.img", "new.img",
                              env=dict(QUICK, POWER_HOW=how, POWER_AT=str(at), POWER_SEED=str(at)))
        if status != -signal.SIGKILL:
            break
        ended += 1
        if run("remap-check", "-n", "copy.img")[0] not in (0, 4):
            wrong.append(("check", how, at))
        with_old = composite("main.img", "copy.img")
        bad_sectors = [nr for nr in range(last) if with_old[nr] != was[nr] and
                       not (with_old[nr] is None and nr in missing)]
        old += with_old == was
        new += with_old != was
        if bad_sectors:
            wrong.append(("old main", how, at, bad_sectors[:4]))
        status, _, errors = rebind("-m", "map", "copy.img", "new.img", env=QUICK)
        if status not in (0, 1) or composite("new.img", "copy.img") != want:
            wrong.append(("again", how, at, status, errors))
    if status != -signal.SIGKILL and how == "cut":
        break
ok(not wrong and ended > 10 and old and new,
   "cut at %d calls: %d times as before, %d with blocks marked" % (ended, old, new), *wrong[:3])
finish()
