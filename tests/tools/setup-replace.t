#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""remap-setup replace-spare, of a spare that is not live: what it holds is on the new one, what cannot be
read is lost, and the old one is none any more. What is refused leaves both as they were. When the power
goes at any write or flush of it, one of the two is the spare, with all of it, and never both; or none is,
for an instant, and then both say what finishes it. The same command does."""
import gzip
import os
import re
import shutil
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pair import *  # noqa: E402,F403

POWER = os.path.join(BUILD, "tests", "power.so")
TERMINAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "terminal.py")
os.environ["PATH"] = "%s:%s" % (BUILD, os.environ["PATH"])
QUICK = dict(os.environ, LD_PRELOAD=POWER)


def replace(*args, env=None):
    return run("remap-setup", "replace-spare", "-T", "tab", "-d", "backups", "--main", "main.img", *args, env=env)


def blank(path, size=8 << 20):
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "wb") as image:
        image.truncate(size)


def gives(spare):
    """What main and a spare give, sector by sector; None: nobody has it. A text: it is no spare."""
    for name in ("whole.img", "whole.map"):
        if os.path.exists(name):
            os.unlink(name)
    status, _, errors = run("remap-recover", "-q", "--main", "main.img", "--spare", spare, "-o", "whole.img",
                            "-m", "whole.map")
    if status not in (0, 1):
        return errors
    with open("whole.img", "rb") as image:
        data = image.read()
    sectors = [data[at:at + SECTOR] for at in range(0, len(data), SECTOR)]
    with open("whole.map") as lines:
        for line in [line.split() for line in lines if line[0] != "#"][1:]:
            first, count = int(line[0], 0) // SECTOR, int(line[1], 0) // SECTOR
            if line[2] == "-":
                sectors[first:first + count] = [None] * count
    return sectors


pair = Pair()
want = [pair.bytes_of(sector) for sector in range(pair.main_sectors)]
before = digest("spare.img")
uuid = json.loads(tool("remap-dump", "--json", "spare.img"))["superblock"]["uuid"]
with open("tab", "w") as tab:
    tab.write("# ours\nattic ID=the\\040disk@2048 UUID=%s noauto # the attic\n" % uuid)
listed = open("tab").read()


def refused(what, status, words, *args, env=None):
    """It exits so, says all of WORDS, and devices are as they were."""
    devices = [path for path in ("spare.img",) + args[-2:] if os.path.exists(path)]
    then = [digest(path) for path in devices]
    got, _, errors = replace(*args, env=env)
    ok(got == status and all(word in errors for word in words) and
       [digest(path) for path in devices] == then and open("tab").read() == listed, "refused: " + what,
       "exit %d, want %d" % (got, status), errors, words)


blank("new.img")
refused("no such spare", 8, ["nowhere"], "nowhere", "new.img")
refused("no such new spare", 8, ["cannot find new spare nowhere: No such file"], "spare.img", "nowhere")
refused("one device", 8, ["old and new spare are one device"], "spare.img", "spare.img")
refused("main", 8, ["main.img"], "spare.img", "main.img")
blank("small.img", (8 << 20) - SECTOR)
refused("too small for any spare", 8, ["small.img is too small to be a spare"], "spare.img", "small.img")
new_spare("many.img", 64 << 20, "1G", blocks=[block * 3 for block in range(2000)])
refused("too few slots", 8, ["new.img is too small:", "nothing was changed"], "many.img", "new.img")
refused("the spare of somebody else", 8, ["another spare of dm-remap", "holds 2000 remaps"], "-f", "spare.img", "many.img")
shutil.copy("new.img", "swap.img")
subprocess.run(["mkswap", "swap.img"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
               env=dict(os.environ, PATH="/usr/sbin:/sbin:" + os.environ["PATH"]))
refused("there is something on it", 8, ["swap.img holds something else: swap", "--force"], "spare.img", "swap.img")
refused("old and new swapped", 8, ["new.img is not a dm-remap spare"], "new.img", "many.img")
pair.image.copy("damaged.img").damage(0, ALL, "noise")
refused("a damaged spare", 4, ["damaged.img: table page 0"], "damaged.img", "new.img")
pair.image.copy("check.img").set("sb", ALL, state=2)
refused("a spare that needs a check", 4, ["check.img is marked as needing a check"], "check.img", "new.img")
open("file", "w").close()
got, _, errors = run("remap-setup", "replace-spare", "-T", "tab", "-d", "file/d", "spare.img", "new.img")
ok(got == 8 and "there is no backup" in errors and digest("spare.img") == before, "refused: no place for a backup",
   got, errors)

# What is not.
old_new = digest("new.img")
got, result, errors = run_json("remap-setup", "replace-spare", "-T", "tab", "--main", "main.img", "-n", "spare.img", "new.img")
ok(not got and digest("spare.img") == before and digest("new.img") == old_new and result["dry_run"] and
   not result["written"] and result["lost_sectors"] == want.count(None),
   "a dry run says what would be, and writes nothing", got, result, errors)


def terminal(*words):
    done = subprocess.run([TERMINAL] + list(words), stdout=subprocess.PIPE)
    return done.returncode, done.stdout.decode()


got, out = terminal(r"Destroy what is on new.img, and replace spare.img by it\? \(y/N\) =\n", "--", "remap-setup",
                    "replace-spare", "-T", "tab", "spare.img", "new.img")
ok(got == 32 and digest("spare.img") == before and digest("new.img") == old_new, "on a terminal it asks, and Enter is no",
   got, out)
shutil.copy("spare.img", "old.img")
got, out, errors = replace("old.img", "new.img")
dumped = json.loads(tool("remap-dump", "--json", "new.img"))
ok(not got and gives("new.img") == want and not run("remap-check", "-n", "new.img")[0],
   "everything is on the new spare", got, out, errors)
ok(dumped["superblock"]["uuid"] != uuid and dumped["superblock"]["label"] == "rescue me" and
   dumped["superblock"]["host_id"] in (None, "", "00000000-0000-0000-0000-000000000000") and
   dumped["summary"]["retired"] == 0, "under a new uuid, and without the old one's bad slots", dumped["superblock"])
ok("nothing of dm-remap is on it" in gives("old.img"), "the old one is none any more", gives("old.img")[:200])
ok(open("tab").read() == "# ours\nattic ID=the\\040disk@2048 UUID=%s noauto # the attic\n" %
   dumped["superblock"]["uuid"], "its line in remaptab has the new one", open("tab").read())
ok(len(os.listdir("backups")) == 1 and os.listdir("backups")[0].startswith(uuid), "there is a backup of the old one",
   os.listdir("backups"))
blank("large.img", 24 << 20)
got, out, errors = replace("--allow-large-spare", "new.img", "large.img")
ok(not got and gives("large.img") == want, "and once more, to a larger one", got, out, errors)

# What cannot be read from the old one is lost.
shutil.copy("spare.img", "old.img")
blank("new.img")
gone = [sector for sector in sorted(pair.owner) if pair.owner[sector] == "slot"][5]
got, out, errors = replace("old.img", "new.img", env=dict(QUICK, POWER_BAD=str(pair.slot_sector(gone))))
now = gives("new.img")
lost = [sector for sector in range(pair.main_sectors) if now[sector] is None and want[sector] is not None]
ok(got == 1 and "1 sector is lost now, for slots could not be read" in errors and lost == [gone] and
   [sector for sector in range(pair.main_sectors) if now[sector] != want[sector]] == [gone],
   "a slot that cannot be read is lost, and nothing else", got, out, errors, lost[:5])
# A dying spare may not take writes any more.
shutil.copy("spare.img", "old.img")
blank("new.img")
got, out, errors = replace("old.img", "new.img", env=dict(QUICK, POWER_FULL="1", POWER_FULL_PATH="old.img"))
ok(got == 1 and "old.img could not be erased: No space left" in errors and "take it off this host" in errors and
   gives("new.img") == want, "an old one that cannot be written is left, and that is said", got, out, errors)


# The power goes.
def ends(how, at):
    """Cut at a call. Return: it was."""
    shutil.copy("spare.img", "old.img")
    blank("new.img")
    got, _, _ = replace("--no-backup", "old.img", "new.img",
                        env=dict(QUICK, POWER_HOW=how, POWER_AT=str(at), POWER_SEED=str(at)))
    return got == -signal.SIGKILL


os.unlink("tab")
low, total = 1, 2000
while low < total:
    middle = (low + total) // 2
    low, total = (middle + 1, total) if ends("kill", middle) else (low, middle)
ended, first, second, neither, taking, wrong = 0, 0, 0, 0, None, []
for at in sorted(set(range(1, total, 13)) | set(range(total - 34, total))):
    how = "cut" if at % 3 else "kill"
    if not ends(how, at):
        wrong.append(("not ended", how, at))
    ended += 1
    old, new = gives("old.img"), gives("new.img")
    first += old == want
    second += new == want
    if old == want and new == want:
        wrong.append(("both", how, at))
    if old != want and new != want:
        neither += 1
        taking = how, at
        checked = run("remap-check", "-y", "-f", "new.img")
        if "finish it with remap-setup replace-spare OLDSPARE new.img" not in checked[2] or \
                checked[0] != 4 or run("remap-format", "-f", "--main-size", "1G", "new.img")[0] != 8:
            wrong.append(("neither", how, at, old[:99], checked))
    elif new != want and run("remap-check", "-y", "-f", "new.img")[0] not in (4, 8):
        wrong.append(("new is taken for something", how, at))
    if new == want and old != want:
        continue
    got, _, errors = replace("--no-backup", "old.img", "new.img", env=QUICK)
    if got not in (0, 1) or gives("new.img") != want or gives("old.img") == want:
        wrong.append(("again", how, at, got, errors))
ok(not wrong and ended > 10 and first and second and neither, "cut at %d of %d calls: %d times the old one is the spare, "
   "%d times the new one, %d times none for now" % (ended, total, first, second, neither), *wrong[:3])

# It can be finished without the old one, or given up.
ends(*taking)
then = digest("new.img")
got, out, errors = replace("many.img", "new.img")
ok(got == 8 and "new.img takes over from the spare with uuid %s, which many.img is not" % uuid in errors and
   digest("new.img") == then, "refused: another spare than the one it was about", got, errors)
got, out, errors = replace("nowhere/x", "new.img")
ok(got == 8 and "replace-spare --main main.img -d backups -T tab new.img new.img makes a spare" in errors and digest("new.img") == then,
   "refused: an old one that is not there, with a word on that", got, errors)
got, out, errors = replace("new.img", "new.img")
ok(not got and gives("new.img") == want, "the old one died: the new one, named twice", got, errors)
ends("kill", total // 2)
got, out, errors = run("remap-setup", "erase", "-T", "tab", "new.img")
ok(not got and "is to replace" not in gives("new.img") and gives("old.img") == want,
   "one that was being made can be erased, and the old one is whole", got, out, errors)


# The same on block devices, where the old one, and what takes over from it, are found by what is on them.
ends(*taking)
taker = attach("new.img")
if not taker:
    ok(True, "block devices # SKIP not root, or no loop devices here")
    finish()
with open("tab", "w") as tab:
    tab.write("attic - UUID=%s\n" % uuid)
listed = open("tab").read()
saved = os.path.join("backups", max(name for name in os.listdir("backups") if name.startswith(uuid)))


def told(what, status, words, *command, never="--from-backup"):
    """As refused(), of any command."""
    then = digest("new.img")
    got, _, errors = run("remap-setup", *command)
    ok(got == status and all(word in errors for word in words) and never not in errors and
       digest("new.img") == then and open("tab").read() == listed, what, "exit %d" % got, errors, words)


with gzip.open(saved, "rb") as known:
    later = known.read()
sequence = int(json.loads(later)["superblock"]["sequence"])
newer = os.path.join("backups", uuid + "-20990101T000000Z.json.gz")
with gzip.open(newer, "wb") as known:
    known.write(re.sub(rb'("sequence": *"?)%d' % sequence, rb"\g<1>%d" % (sequence + 1), later, count=1))
told("a newer backup is warned of", 8,
     [saved + ", of ", "(sequence %d), is not the newest backup of that spare: %s is, of 2099-01-01 00:00:00 UTC (sequence %d)" %
      (sequence, newer, sequence + 1)],
     "replace-spare", "-T", "tab", "-d", "backups", "--from-backup", saved, "attic", "many.img")
told("so is a replacement that is older than it", 8,
     ["the old spare was in use since %s was to replace it, for %s is of 2099-01-01 00:00:00 UTC: what it got then is not on %s" %
      (taker, newer, taker)],
     "open", "-T", "tab", "-d", "backups", "attic")
os.unlink(newer)
told("the newest is not", 8, ["attic: "],
     "replace-spare", "-T", "tab", "-d", "backups", "--from-backup", saved, "attic", "many.img", never="newest")
cut = "attic: its spare (uuid %s) was being replaced by %s, and that was cut short: " % (uuid, taker)
told("a backup does not take the place of a replacement that was cut short", 8,
     [cut + "remap-setup replace-spare -T tab attic %s goes on" % taker],
     "replace-spare", "-T", "tab", "--from-backup", saved, "attic", "many.img")
told("nor under a name that is not listed", 8,
     ["of another name", "remap-setup replace-spare -T tab %s %s goes on" % (taker, taker)],
     "replace-spare", "-T", "tab", "--from-backup", saved, "of another name", "many.img")
goes_on = cut + "remap-setup replace-spare -T tab attic %s goes on" % taker
told("open says what goes on with it", 8, [goes_on], "open", "-T", "tab", "-d", "backups", "attic", never="in use since")
told("so does scan", 1, [goes_on], "scan", "--listed", "-T", "tab")
told("and replace-spare with another new one", 8, [goes_on], "replace-spare", "-T", "tab", "-d", "backups", "attic", "many.img")
shutil.copy("spare.img", "whole.spare")
whole = attach("whole.spare")
told("the new one, named twice, is not finished while the old one is here", 8,
     ["the spare that %s was to replace (uuid %s) is here, %s, and may have been used since; nothing was changed: "
      "remap-setup replace-spare -T tab %s %s copies it anew" % (taker, uuid, whole, whole, taker)],
     "replace-spare", "-T", "tab", taker, taker)
main = attach("main.img")
blank("other.img")
said = []
for path in "-", main:
    with open("main.tab", "w") as tab:
        tab.write("attic %s UUID=%s\n" % (path, uuid))
    got, _, errors = run("remap-setup", "replace-spare", "-n", "-T", "main.tab", "attic", "other.img")
    said.append((got, "main is not here" in errors))
ok(said == [(0, True), (0, False)], "main is where the line in remaptab says", said, errors)
detach(main)
detach(whole)
older = attach("old.img")
got, out, errors = run("remap-setup", "replace-spare", "-T", "tab", "-d", "backups", "attic", taker)
detach(taker)
ok(not got and gives("new.img") == want and "it is finished" in errors and "from-backup" not in errors,
   "that command, by the name, finishes it", got, out, errors)
made = json.loads(tool("remap-dump", "--json", "new.img"))["superblock"]["uuid"]
ok(open("tab").read() == "attic - UUID=%s\n" % made, "the line in remaptab follows", open("tab").read())
detach(older)
ok("nothing of dm-remap is on it" in gives("old.img"), "and the rest of the old one is erased", gives("old.img")[:200])
finish()
