#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The power goes at any write or flush of a restore, which has no undo file: what is there then is
what was there, or all of the table, or something that no tool takes for a whole spare; and the
same restore, done again, completes it. In its last moments, when all of the table is written and only
superblocks lack, it is a spare that holds remaps, which a restore refuses and a check completes."""
import os
import shutil
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pair import *  # noqa: E402,F403

POWER = os.path.join(BUILD, "tests", "power.so")
QUICK = dict(os.environ, LD_PRELOAD=POWER)


def ending(how, at, seed):
    return dict(os.environ, LD_PRELOAD=POWER, POWER_HOW=how, POWER_AT=str(at),
                POWER_SEED=str(seed))


def table(path):
    """Entries by block, without the places that a new spare gives them; None: it is no whole spare."""
    status, theirs, errors = dump(path)
    if status:
        return None
    return {entry["block"]: (entry["state"], entry["mask"], entry["time"], entry["reason"])
            for entry in theirs["entries"] if entry["state"] != "retired"}


def slots_wrong(path):
    """Sectors in slots that do not have what the old spare's slots had."""
    wrong = []
    with open(path, "rb") as device:
        for entry in dump(path)[1]["entries"]:
            for nr in range(entry["sectors"] if entry["state"] == "mapped" else 0):
                device.seek((entry["spare_sector"] + nr) * SECTOR)
                if not entry["mask"] >> nr & 1 and \
                        device.read(SECTOR) != slot_bytes(entry["main_sector"] + nr):
                    wrong.append(entry["main_sector"] + nr)
    return wrong


def calls(before, args, step):
    """Cut a restore onto a copy of BEFORE at each STEP-th call."""
    name, ended, old, new, unfinished, last, bad = "target.img", 0, 0, 0, 0, 0, []
    shutil.copy(before, name)
    run("remap-restore", *args, name, env=QUICK)
    want, was = table(name), table(before)
    for at in range(1, 2000, step):
        for how in ("cut", "kill"):
            shutil.copy(before, name)
            status, out, errors = run("remap-restore", *args, name, env=ending(how, at, at))
            if status != -signal.SIGKILL:
                break
            ended += 1
            now = table(name)
            same = digest(name) == digest(before)
            checked, out, errors = run("remap-check", "-n", name)
            if now == want:
                new += 1
            elif same or (was is not None and now == was):
                old += 1
            elif now is None and checked in (4, 8) and (b"left" in out or errors):
                unfinished += 1
            else:
                bad.append((how, at, checked, out[-200:], errors))
            status, out, errors = run("remap-restore", *args, name, env=QUICK)
            if status == 8 and "is another spare of dm-remap" in errors:
                last += 1
                status, out, errors = run("remap-check", "-q", "-y", name)
            if status not in (0, 1) or table(name) != want or slots_wrong(name) or \
                    run("remap-check", "-n", name)[0] not in (0, 1):
                bad.append(("again", how, at, status, errors))
        if status != -signal.SIGKILL and how == "cut":
            break
    return ended, old, new, unfinished, last, bad


pair = Pair()
tool("remap-dump", "-q", "-F", "json", "-o", "dump.json", "spare.img")
with open("blank.img", "wb") as image:
    image.truncate(8 << 20)
with open("noise.img", "wb") as image:
    image.write(os.urandom(8 << 20))
new_spare("empty.img", 8 << 20, "1G")
image = pair.image.copy("own.img")
image.damage(1, ALL, "noise")
image.damage(0, [0, 2], "zero")
for what, before, args, step in (
        ("its own spare", "own.img", ["-q", "-i", "dump.json"], 1),
        ("a blank device", "blank.img", ["-q", "-i", "dump.json"], 3),
        ("an empty spare", "empty.img", ["-q", "-i", "dump.json"], 3),
        ("noise, with the data of the old spare", "noise.img",
         ["-q", "-i", "dump.json", "--data-from", "spare.img"], 3)):
    ended, old, new, unfinished, last, bad = calls(before, args, step)
    ok(not bad and ended > 8, "%s: cut at %d calls: %d times as before, %d all of the table, %d "
       "unfinished; completed by another run, %d times by the check" %
       (what, ended, old, new, unfinished, last), *bad[:3])
finish()
