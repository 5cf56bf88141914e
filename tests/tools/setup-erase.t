#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""remap-setup erase: a spare that anything of main is on is not erased; one that is not needed becomes
a device on which nobody finds anything; and when the power goes at any write or flush of it, what is
left is the spare as it was, or something that says of itself that it is being erased."""
import os
import shutil
import signal
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pair import *  # noqa: E402,F403

POWER = os.path.join(BUILD, "tests", "power.so")
TERMINAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "terminal.py")
os.environ["PATH"] = "%s:/usr/sbin:/sbin:%s" % (BUILD, os.environ["PATH"])
open("tab", "w").close()


def erase(*args, env=None):
    return run("remap-setup", "erase", "-T", "tab", *args, env=env)


def refused(what, status, words, path, *args, env=None):
    """It exits so, says all of WORDS, and PATH is as it was."""
    before = digest(path)
    got, _, errors = erase(*args, path, env=env)
    ok(got == status and all(word in errors for word in words) and digest(path) == before,
       "refused: " + what, "exit %d, want %d" % (got, status), errors, words)


def nothing_on(path):
    """What anybody still finds on a device, as a list of texts."""
    found = []
    for command in (["blkid", "-p", path], ["wipefs", "-n", path]):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.stdout:
            found.append(done.stdout)
    for name, args in (("remap-check", ["-n"]), ("remap-dump", [])):
        status, _, errors = run(name, *args, path)
        if status != 8 or "not a dm-remap spare: nothing of dm-remap" not in errors:
            found.append((name, status, errors))
    status, _, errors = read_here(path)
    if status != 8 or "nothing of dm-remap is on it" not in errors:
        found.append(("rescue", status, errors))
    return found


def erased(what, status, path, *args):
    got, out, errors = erase(*args, path)
    ok(got == status and not nothing_on(path), what, "exit %d" % got, out, errors, nothing_on(path))
    got, out, errors = run("remap-format", "-q", "--main-size", "1G", path)
    ok(not got, "and it can be formatted without -f", out, errors)


pair = Pair()
tool("remap-dump", "-q", "-F", "json", "-o", "dump.json", "spare.img")
status, _, errors = run("remap-recover", "-q", "--main", "main.img", "--spare", "spare.img", "-o",
                        "new.img")
ok(status == 1, "a new main with all that the spare has", status, errors)

# What is needed still.
stored = [sector for sector in sorted(pair.owner) if pair.owner[sector] == "slot"]
blocks = len({sector // pair.block_sectors for sector in stored})
lost = len([entry for entry in pair.entries if entry["state"] == "lost"])
data = ["holds data of %d blocks of main" % blocks, "%d blocks with lost sectors" % lost]
refused("slots hold data", 8, data, "spare.img")
refused("not even with --force", 8, data, "spare.img", "-f", "-y")
differs = [sector for sector in stored if pair.bytes_of(sector) != main_bytes(sector)]
refused("main is not where it was retired to", 8,
        ["main.img: %d of %d sectors" % (len(differs), len(stored)),
         "the first is sector %d;" % differs[0]], "spare.img", "--retired-to", "main.img")
shutil.copy("new.img", "one.img")
with open("one.img", "r+b") as image:
    image.seek(stored[-1] * SECTOR)
    byte = image.read(1)
    image.seek(stored[-1] * SECTOR)
    image.write(bytes([byte[0] ^ 1]))
refused("one bit is another", 8, ["1 of %d sectors" % len(stored), "sector %d;" % stored[-1]],
        "spare.img", "--retired-to", "one.img")
pending = [sector for sector in sorted(pair.owner) if pair.owner[sector] == "pending"]
refused("a pending sector cannot be read there", 8,
        ["sectors that spare.img stands in for cannot be read there, the first is sector %d;" %
         pending[3]], "spare.img", "--retired-to", "new.img", env=bad("new.img", [pending[3]]))
refused("a slot cannot be read", 8, ["spare.img: ", "in slots cannot be read"], "spare.img",
        "--retired-to", "new.img", env=dict(os.environ, LD_PRELOAD=POWER,
                                       POWER_BAD=str(pair.slot_sector(stored[0]))))
refused("retired to itself", 8, ["names the spare itself"], "spare.img", "--retired-to", "spare.img")
shutil.copy("new.img", "short.img")
os.truncate("short.img", os.path.getsize("new.img") - SECTOR)
refused("retired to less than main", 8, ["short.img has 20002 sectors", "has 20003"], "spare.img",
        "--retired-to", "short.img")
refused("retired to nothing", 8, ["cannot find device nowhere: No such file"], "spare.img",
        "--retired-to", "nowhere")

new_spare("lost.img", 8 << 20, "1G")
import_blocks("lost.img", 4096, [7])
Image("lost.img").set_entry(0, block=7, mask=255, state=3)
refused("all that it knows is a lost block", 8, ["1 block with lost sectors"], "lost.img")

# What is no spare, or not for certain, or somebody else's.
with open("blank.img", "wb") as image:
    image.truncate(8 << 20)
refused("a blank device", 8, ["blank.img is not a dm-remap spare"], "blank.img")
damaged = pair.image.copy("damaged.img")
damaged.damage(0, ALL, "noise")
refused("a page is gone", 4, ["damaged.img: table page 0"], "damaged.img", "-f")
damaged = pair.image.copy("damaged.img")
damaged.damage("sb", ALL, "zero")
refused("superblocks are gone", 4, ["damaged.img is a damaged dm-remap spare"], "damaged.img", "-f")
new_spare("host.img", 8 << 20, "1G", blocks=[3])
host = Image("host.img")
host.set("sb", ALL, state=2)
refused("needs a check", 4, ["host.img is marked as needing a check"], "host.img", "-f")
SUPER_FIELDS["activated"] = (128, "<Q")
host.set("sb", ALL, state=1, host_id=b"x" * 16, host_name=b"elsewhere", activated=1760000000)
known = os.path.exists("/etc/machine-id") and os.path.getsize("/etc/machine-id") > 32
if known or socket.gethostname() not in ("localhost", "(none)", ""):
    refused("another host did not release it", 8, ['by another host, "elsewhere", on 2025-10-09',
                                                   "--adopt"], "host.img")
    refused("and --force does not do", 8, ["--adopt"], "host.img", "-f")
erased("but --adopt does", 0, "host.img", "--adopt")
new_spare("swap.img", 8 << 20, "1G")
subprocess.run(["mkswap", "swap.img"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
refused("there is something else on it", 8, ["a spare, but also holds something else: swap"], "swap.img")
erased("--force erases that, too", 0, "swap.img", "-f")

# What is not needed.
shutil.copy("spare.img", "copy.img")
before = digest("copy.img")
status, result, _ = run_json("remap-setup", "erase", "-T", "tab", "-n", "--retired-to", "new.img",
                             "copy.img")
ok(not status and digest("copy.img") == before and not result["written"] and result["dry_run"] and
   result["stored"] == blocks and result["compared_sectors"] == len(stored),
   "a dry run compares and writes nothing", result)
status, _, errors = erase("-z", "undo", "--retired-to", "new.img", "copy.img")
ok(not status and not nothing_on("copy.img"), "retired to a new main that has all of it", errors)
status, _, errors = run("remap-check", "-q", "--apply-undo", "undo", "copy.img")
ok(not status and digest("copy.img") == before, "an undo brings it back, byte for byte", errors)
new_spare("pending.img", 8 << 20, "1G", blocks=[5, 6, 7000])
Image("pending.img").set_entry(2, block=7000, state=2)
uuid = json.loads(tool("remap-dump", "--json", "pending.img"))["superblock"]["uuid"]
with open("listed", "w") as tab:
    tab.write("attic - UUID=%s\n" % uuid)
shutil.copy("pending.img", "copy.img")
status, _, errors = run("remap-setup", "erase", "-T", "listed", "copy.img")
ok(status == 1 and "listed:1: copy.img is the spare of attic" in errors and
   "remap-setup disable -T listed attic" in errors and "knows of 2 bad blocks" in errors,
   "listed in remaptab: erased, with a word on it", status, errors)
before = digest("pending.img")


def terminal(*words):
    done = subprocess.run([TERMINAL] + list(words), stdout=subprocess.PIPE)
    return done.returncode, done.stdout.decode()


command = ["--", "remap-setup", "erase", "-T", "tab", "pending.img"]
status, out = terminal(r"Erase the spare on pending.img\? \(y/N\) =\n", *command)
ok(status == 32 and digest("pending.img") == before and "nothing was changed" in out,
   "on a terminal it asks, and Enter is no", status, out)
status, out = terminal(r"Erase the spare on pending.img\? \(y/N\) =n\n", *command, "-q")
ok(status == 32 and digest("pending.img") == before, "with -q, too", status, out)
status, out = terminal(r"Erase the spare on pending.img\? \(y/N\) =n\n", "--", "sh", "-c",
                       "remap-setup erase -T tab pending.img >out")
ok(status == 32 and digest("pending.img") == before, "and where only standard error is seen", status,
   out)
status, out = terminal("--", "sh", "-c", "remap-setup erase -T tab pending.img >out 2>&1")
with open("out") as seen:
    out = seen.read()
ok(status == 32 and digest("pending.img") == before and "-y answers yes" in out,
   "and refuses where nothing is seen", status, out)
shutil.copy("pending.img", "copy.img")
status, out = terminal(r"\(y/N\) =y\n", *command[:-1], "copy.img")
ok(not status and not nothing_on("copy.img"), "y is yes", status, out)

# A signal ends it in order.
for at in (2, 9, 20):
    shutil.copy("pending.img", "copy.img")
    status, _, errors = erase("copy.img", env=dict(os.environ, LD_PRELOAD=POWER, POWER_HOW="signal",
                                                   POWER_AT=str(at)))
    again, _, more = erase("-q", "copy.img")
    ok(status == 32 and "could not be erased: interrupted; it is" in errors and not again and
       not nothing_on("copy.img"), "a signal at call %d: it says what is there, and can be given again" %
       at, status, errors, more)

# The power goes.
new_spare("big.img", 72 << 20, "1G", blocks=[block * 3 for block in range(16200)])


def table(path):
    """All that the table says, or None."""
    status, theirs, _ = dump(path)
    return theirs["entries"] if status in (0, 1) else None


def takes_no_other(path):
    """Tools that take a half erased spare for something, or change it."""
    wrong, before = [], digest(path)
    for name, args in (("remap-check", ["-n"]), ("remap-check", ["-y", "-f"]), ("remap-import", []),
                       ("remap-format", ["-f", "--main-size", "1G"]),
                       ("remap-restore", ["-f", "-i", "dump.json"])):
        got, _, errors = run(name, *args, path, stdin=b"")
        if got not in (4, 8) or "finish it with remap-setup erase " + path not in errors:
            wrong.append((name, got, errors))
    got, _, errors = run("remap-recover", "--main", "main.img", "--spare", path, "-o", "x.img")
    if got not in (4, 8) or os.path.exists("x.img"):
        wrong.append(("remap-recover", got, errors))
    got, _, errors = read_here(path)
    if got != 8 or "its erasure was cut short" not in errors:
        wrong.append(("rescue", got, errors))
    return wrong + ["changed"] * (digest(path) != before)


def cuts(before, args, step):
    """End an erase of a copy of BEFORE at each STEP-th call."""
    name, ended, old, half, done, wrong = "target.img", 0, 0, 0, 0, []
    want = table(before)
    for at in range(1, 2000, step):
        for how in ("cut", "kill"):
            shutil.copy(before, name)
            env = dict(os.environ, LD_PRELOAD=POWER, POWER_HOW=how, POWER_AT=str(at),
                       POWER_SEED=str(at))
            status, out, errors = erase(*args, name, env=env)
            if status != -signal.SIGKILL:
                break
            ended += 1
            checked = run("remap-check", "-n", name)
            if "erasure was cut short" in checked[2]:
                half += 1
                wrong += takes_no_other(name)
                args_again = []
            elif checked[0] == 8 and not nothing_on(name):
                done += 1
                continue
            elif checked[0] in (0, 4) and table(name) == want:
                old += 1
                args_again = args
            else:
                wrong.append((how, at, checked))
                continue
            status, out, errors = erase(*args_again, name, env=dict(os.environ, LD_PRELOAD=POWER))
            if status or nothing_on(name):
                wrong.append(("again", how, at, status, errors, nothing_on(name)))
        if status != -signal.SIGKILL and how == "cut":
            break
    return ended, old, half, done, wrong


one = pair.image.copy("one-left.img")
one.damage("sb", range(1, 5), "noise")
for what, before, args, step in (
        ("a spare that was retired", "spare.img", ["-q", "--retired-to", "new.img"], 1),
        ("with one good superblock, the first", "one-left.img",
         ["-q", "--retired-to", "new.img"], 2),
        ("a large one", "big.img", ["-q"], 7)):
    ended, old, half, done, wrong = cuts(before, args, step)
    ok(not wrong and ended > 5 and old and half, "%s: cut at %d calls: %d times whole, %d half "
       "erased, %d erased" % (what, ended, old, half, done), *wrong[:3])
finish()
