#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""remap-restore: onto the spare that was dumped, onto other devices, with and without the old
spare's data; what it refuses, and that it then changes nothing. Damage to dumps is in
restore-refusals.t, cuts of the power in t_restore."""
import gzip
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pair import *  # noqa: E402,F403


def blank(path, size):
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "wb") as image:
        image.truncate(size)
    return path


def entries_of(path):
    status, theirs, errors = dump(path)
    return {entry["block"]: entry for entry in theirs["entries"]}, theirs


def whole_mask(entry):
    return (1 << entry["sectors"]) - 1


pair = Pair()
tool("remap-dump", "-q", "-F", "json", "-o", "dump.json", "spare.img")
tool("remap-dump", "-q", "-F", "json", "-o", "dump.json.gz", "spare.img")
with open("dump.json", "rb") as text:
    dump_text = text.read()
before = digest("spare.img")
live = [entry for entry in pair.entries if entry["state"] != "retired"]

# Its own spare.
status, out, errors = run("remap-restore", "-i", "dump.json", "spare.img")
ok(status == 0 and "holds all of the dump already" in errors and digest("spare.img") == before,
   "its own spare, intact: nothing is written", status, errors)
for what, page, copies in (("a page is gone", 1, ALL), ("page 0 is gone", 0, ALL),
                           ("one copy of a page is gone", 1, [2]),
                           ("four superblocks are gone", "sb", [0, 1, 3, 4])):
    image = pair.image.copy("own.img")
    image.damage(page, copies, "noise")
    if page == 1:
        image.damage(0, ALL, "zero")
    status, out, errors = run("remap-restore", "-i", "dump.json.gz", "-n", "own.img")
    ok(status == 0 and b"dry run" in out and image.get(page, copies[0]) !=
       pair.image.get(page, copies[0]), "its own spare, %s: the plan" % what, errors)
    status, theirs, errors = run_json("remap-restore", "-i", "dump.json.gz", "own.img")
    ok(status == 0 and theirs["own"] and theirs["written"], "its own spare, %s" % what, errors)
    same = all(image.get(what, copy) == pair.image.get(what, copy)
               if what == "sb" else image.get(what, copy)[16:] == pair.image.get(what, copy)[16:]
               for what in ("sb", 0, 1) for copy in ALL)
    ok(same and tool("remap-dump", "-q", "--json", "own.img") == dump_text,
       "its own spare, %s: back byte for byte but for sequences" % what)
    ok(run("remap-check", "-n", "own.img")[0] == 0, "its own spare, %s: clean" % what)
image = pair.image.copy("own.img")
image.damage("sb", ALL, "zero")
status, out, errors = run("remap-restore", "-i", "dump.json", "own.img")
ok(status == 0 and entries_of("own.img")[0] == entries_of("spare.img")[0] and
   entries_of("own.img")[1]["superblock"]["label"] == "rescue me",
   "its own spare without superblocks, all pages the same", status, errors)
image = pair.image.copy("own.img")
image.damage("sb", ALL, "zero")
image.damage(0, ALL, "zero")
changed = digest("own.img")
status, out, errors = run("remap-restore", "-i", "dump.json", "own.img")
ok(status == 8 and "1 are lost" in errors and digest("own.img") == changed,
   "its own spare without superblocks and a page: it cannot be proved unchanged", status, errors)
image = pair.image.copy("own.img")
import_blocks("own.img", 4096, [77])
changed = digest("own.img")
for force in ((), ("-f",)):
    status, out, errors = run("remap-restore", "-i", "dump.json", *force, "own.img")
    ok(status == 8 and "changed since the dump" in errors and digest("own.img") == changed,
       "its own spare, changed since: refused %s" % " ".join(force), status, errors)
image.damage(1, ALL, "zero")
status, out, errors = run("remap-restore", "-i", "dump.json", "own.img")
ok(status == 8 and "changed since" in errors, "and with a page lost besides", status, errors)

# Another device, without data.
for size in (8 << 20, 5 << 21, 9 << 20):
    new = blank("new.img", size)
    status, theirs, errors = run_json("remap-restore", "--allow-large-spare", "-i", "dump.json", new)
    got, shown = entries_of(new)
    ok(status == 1 and shown["superblock"]["uuid"] != dump("spare.img")[1]["superblock"]["uuid"] and
       shown["superblock"]["uuid"] == theirs["uuid"] and
       shown["superblock"]["label"] == "rescue me" and
       shown["superblock"]["main_sectors"] == pair.main_sectors and
       shown["superblock"]["spare_sectors"] == size // SECTOR, "%d MiB: a new spare" % (size >> 20),
       errors)
    wrong = []
    for entry in live:
        now = got.pop(entry["block"], None)
        only_pending = entry["state"] == "mapped" and entry["mask"] == whole_mask(entry)
        want = ("mapped" if only_pending else "lost", whole_mask(entry))
        if not now or (now["state"], now["mask"]) != want or now["time"] != entry["time"] or \
                now["reason"] != entry["reason"]:
            wrong.append((entry, now))
    ok(not wrong and not got, "what was in slots is lost, what was wholly on main is pending",
       *wrong[:3])
    lost = set()
    for part in theirs["lost_ranges"]:
        lost.update(range(part["main_sector"], part["main_sector"] + part["sectors"]))
    ok(lost == {entry["main_sector"] + nr for entry in shown["entries"]
                if entry["state"] == "lost" for nr in range(16) if entry["mask"] >> nr & 1} and
       theirs["lost_sectors"] == len(lost) and theirs["retired_left_out"] == 12,
       "it says exactly what is lost")
    ok(run("remap-check", "-n", new)[0] == 0, "the check finds nothing")

# Salvage from main: pending sectors beside lost ones.
status, theirs, errors = run_json("remap-restore", "-i", "dump.json", "--main", "main.img",
                                  blank("new.img", 8 << 20), env=bad("main.img", [804, 806]))
got, shown = entries_of("new.img")
wrong = []
with open("new.img", "rb") as device:
    for entry in live:
        now = got[entry["block"]]
        for nr in range(entry["sectors"]):
            sector = entry["main_sector"] + nr
            owner = pair.owner[sector]
            mixed = entry["mask"] != whole_mask(entry)
            saved = owner == "pending" and mixed and sector not in (804, 806)
            device.seek((now["spare_sector"] + nr) * SECTOR)
            if saved and (now["mask"] >> nr & 1 or device.read(SECTOR) != main_bytes(sector)):
                wrong.append((sector, now))
            if not saved and not now["mask"] >> nr & 1:
                wrong.append((sector, now))
ok(status == 1 and not wrong and theirs["saved_sectors"] > 10,
   "--main saves what only main has of blocks that become lost", errors, *wrong[:3])

# A main that is in use is read, with a warning.
loop = subprocess.run(["/sbin/losetup", "-f", "--show", "main.img"], stdout=subprocess.PIPE,
                      stderr=subprocess.DEVNULL).stdout.decode().strip() \
    if os.getuid() == 0 and os.path.exists("/sbin/losetup") else ""
if loop:
    holder = subprocess.Popen([os.path.join(BUILD, "tests", "hold-device"), loop],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdout.readline()
    status, out, errors = run("remap-restore", "-n", "-i", "dump.json", "--main", "main.img",
                              blank("new.img", 8 << 20))
    holder.communicate()
    subprocess.run(["/sbin/losetup", "-d", loop])
    ok(status == 0 and "main.img is in use" in errors, "--main that is in use: a warning", errors)
else:
    ok(True, "--main that is in use: a warning # SKIP not root, or no loop devices here")

# With the data of the old spare, some of which cannot be read.
broken = [pair.slot_sector(8003), pair.slot_sector(8004), pair.slot_sector(801 + 8),
          pair.slot_sector(2401)]
for what, env, gone in (("all of it", None, set()),
                        ("but four sectors", bad("spare.img", broken), {8003, 8004, 809, 2401})):
    status, theirs, errors = run_json("remap-restore", "-i", "dump.json", "--data-from", "spare.img",
                                      blank("new.img", 9 << 20), env=env)
    got, shown = entries_of("new.img")
    wrong = []
    with open("new.img", "rb") as device:
        for entry in live:
            now = got[entry["block"]]
            failed = any(entry["main_sector"] + nr in gone and not entry["mask"] >> nr & 1
                         for nr in range(entry["sectors"]))
            if (now["state"] == "lost") != (failed or entry["state"] == "lost"):
                wrong.append((entry, now))
            for nr in range(entry["sectors"]):
                sector = entry["main_sector"] + nr
                masked = pair.owner[sector] != "slot" or sector in gone
                device.seek((now["spare_sector"] + nr) * SECTOR)
                if bool(now["mask"] >> nr & 1) != masked or \
                        (not masked and device.read(SECTOR) != slot_bytes(sector)):
                    wrong.append((sector, now))
    ok(status == 1 and not wrong and shown["summary"]["mapped"] > 40,
       "--data-from: %s" % what, errors, *wrong[:3])
    ok(run("remap-check", "-n", "new.img")[0] == 0, "--data-from: the check finds nothing")
ok(digest("spare.img") == before, "the old spare was only read")

# Nothing is taken from an old spare that says something else, or is something else.
image = pair.image.copy("old.img")
import_blocks("old.img", 4096, [77])
for old, word in (("old.img", "take a new dump"), ("main.img", "not the spare that was dumped"),
                  ("nowhere", "cannot find old spare nowhere"), ("new.img", "both as new and as old")):
    status, out, errors = run("remap-restore", "-i", "dump.json", "--data-from", old,
                              blank("new.img", 8 << 20))
    ok(status == 8 and word in errors and not any(open("new.img", "rb").read()),
       "--data-from %s: refused" % old, status, errors)
# A page that is lost proves nothing of its slots, unless the superblock does.
image = pair.image.copy("old.img")
image.damage(0, ALL, "noise")
status, theirs, errors = run_json("remap-restore", "-i", "dump.json", "--data-from", "old.img",
                                  blank("new.img", 8 << 20))
ok(status == 1 and dump("new.img")[1]["summary"]["mapped"] > 40,
   "--data-from: a lost page of an unchanged spare is no matter", errors)
image.set("sb", ALL, state=1)
status, theirs, errors = run_json("remap-restore", "-i", "dump.json", "--data-from", "old.img",
                                  blank("new.img", 8 << 20))
got, shown = entries_of("new.img")
ok(status == 1 and "1 of" in errors and "are lost" in errors and
   all(got[entry["block"]]["state"] == ("lost" if entry["slot"] < PAGE_ENTRIES else "mapped") and
       (entry["slot"] >= PAGE_ENTRIES or got[entry["block"]]["mask"] == whole_mask(entry))
       for entry in live), "--data-from: all of its blocks are lost where it may have changed",
   errors)

# A dump of a spare in use: what main has of pending sectors may be old.
used = json.loads(dump_text)
used["superblock"]["state"] = ["in_use"]
with open("used.json", "w") as text:
    json.dump(used, text)
status, theirs, errors = run_json("remap-restore", "-i", "used.json", blank("new.img", 8 << 20))
ok(status == 1 and "--keep-pending" in errors and theirs["mapped"] == 0 and
   theirs["pending_sectors"] == 0, "a dump of a spare in use: pending sectors are lost", errors)
status, theirs, errors = run_json("remap-restore", "-i", "used.json", "--keep-pending",
                                  blank("new.img", 8 << 20))
ok(status == 1 and theirs["mapped"] == 12, "--keep-pending keeps them", errors)

# Any form of the same JSON, and a pipe, are the same.
forms = {"indented": json.dumps(json.loads(dump_text), indent=2),
         "one line": json.dumps(json.loads(dump_text)),
         "CR LF": dump_text.decode().replace("\n", "\r\n"),
         "more members": json.dumps(dict(json.loads(dump_text), later={"a": [{"b": 1}, None]}))}
tables = set()
for form, text in sorted(forms.items()):
    with open("form.json", "w", newline="") as file:
        file.write(text)
    status, out, errors = run("remap-restore", "-i", "form.json", blank("new.img", 8 << 20))
    ok(status == 1, "JSON, %s" % form, errors)
    tables.add(json.dumps(dump("new.img")[1]["entries"]))
for packed in (dump_text, gzip.compress(dump_text)):
    status, out, errors = run("remap-restore", "-i", "-", blank("new.img", 8 << 20), stdin=packed)
    ok(status == 1, "from a pipe", errors)
    tables.add(json.dumps(dump("new.img")[1]["entries"]))
status, out, errors = run("remap-restore", "-i", "dump.json", blank("new.img", 8 << 20))
tables.add(json.dumps(dump("new.img")[1]["entries"]))
ok(len(tables) == 1, "all give the same table")

# What is on the device.
new_spare("other.img", 9 << 20, "1G", blocks=[1, 2, 3])
with open("noise.img", "wb") as image:
    image.write(os.urandom(8 << 20))
for path, args, word in (("other.img", ["-f"], "holds 3 remaps; it is not overwritten"),
                         ("main.img", ["--allow-large-spare", "--main", "main.img"],
                          "both as main and as spare"),
                         ("noise.img", ["--main", "spare.img"], "has 16384 sectors, but")):
    kept = digest(path)
    status, out, errors = run("remap-restore", "-i", "dump.json", *args, path)
    ok(status == 8 and word in errors and digest(path) == kept, "refused: " + word, status, errors)
status, out, errors = run("remap-restore", "-i", "dump.json", blank("new.img", 64 << 20))
ok(status == 8 and "not smaller than main" in errors and not any(open("new.img", "rb").read()),
   "as large as main: refused", errors)
status, out, errors = run("remap-restore", "-i", "dump.json", blank("new.img", 4 << 20))
ok(status == 8 and "too small to be a spare: 4 MiB" in errors, "too small to be a spare", errors)
new_spare("many.img", 64 << 20, "200M", 512, blocks=range(0, 40000, 2))
tool("remap-dump", "-q", "-F", "json", "-o", "many.json", "many.img")
status, out, errors = run("remap-restore", "-i", "many.json", blank("new.img", 9 << 20))
ok(status == 8 and re.search(r"too small: 9 MiB have \d+ slots of 512 bytes, and the dump needs 20000",
                             errors) and not any(open("new.img", "rb").read()),
   "too small for the table: refused with numbers", status, errors)
status, out, errors = run("remap-restore", "-i", "many.json", blank("new.img", 100 << 20))
got, shown = entries_of("new.img")
ok(status == 0 and sorted(got) == list(range(0, 40000, 2)) and shown["superblock"]["pages_used"] == 128,
   "two groups of pages, onto a larger spare", errors)
os.environ["PATH"] += ":/usr/sbin:/sbin"
subprocess.run(["mke2fs", "-q", "-F", blank("new.img", 8 << 20)], check=True,
               stdout=subprocess.DEVNULL)
kept = digest("new.img")
status, out, errors = run("remap-restore", "-i", "dump.json", "new.img")
ok(status == 8 and "holds something else: ext2" in errors and digest("new.img") == kept,
   "a filesystem: refused", errors)
status, out, errors = run("remap-restore", "-i", "dump.json", "-f", "new.img")
ok(status == 1 and dump("new.img")[0] == 0, "--force overwrites it", errors)

# A restore that stopped half-way is no obstacle to the next one.
for stopper in ("restore", "format"):
    image = Image("new.img")
    for copy in ALL:
        image.put("sb", copy, bytes(OBJECT))
        image.put(0, copy, bytes(OBJECT))
    if stopper == "restore":
        status, out, errors = run("remap-restore", "-i", "dump.json", "new.img")
        ok(status == 1 and dump("new.img")[0] == 0, "after a restore that was cut short", errors)
    else:
        status, out, errors = run("remap-format", "--main-size", "1G", "new.img")
        ok(status == 0 and not dump("new.img")[1]["entries"], "it can be formatted, too", errors)

# What it overwrote can be had back.
image = pair.image.copy("own.img")
image.damage(1, ALL, "zero")
with open("new.img", "wb") as device:
    device.write(os.urandom(9 << 20))
for path, args in (("own.img", []), ("new.img", ["--data-from", "spare.img"])):
    kept = digest(path)
    status, out, errors = run("remap-restore", "-i", "dump.json", "-z", "undo-" + path, *args, path)
    again, out, said = run("remap-check", "--apply-undo", "undo-" + path, path)
    ok(status in (0, 1) and again in (0, 1) and digest(path) == kept, "-z: %s is as it was" % path,
       status, errors, again, said)

# Onto its own spare, and onto others, with blocks of all sizes.
for block_bytes in (512, 8192):
    small = Pair("m2.img", "s2.img", 20003 * block_bytes // 4096 | 1, block_bytes)
    tool("remap-dump", "-q", "-F", "json", "-o", "d2.json", "s2.img")
    image = small.image.copy("own.img")
    image.damage(1, ALL, "zero")
    status, out, errors = run("remap-restore", "-i", "d2.json", "own.img")
    ok(status == 0 and entries_of("own.img")[0] == entries_of("s2.img")[0],
       "%d-byte blocks: its own spare" % block_bytes, errors)
    status, out, errors = run("remap-restore", "-i", "d2.json", "--allow-large-spare", "--data-from", "s2.img",
                              blank("new.img", 9 << 20))
    wrong = []
    with open("new.img", "rb") as device:
        for entry in dump("new.img")[1]["entries"]:
            for nr in range(entry["sectors"]):
                sector = entry["main_sector"] + nr
                device.seek((entry["spare_sector"] + nr) * SECTOR)
                if not entry["mask"] >> nr & 1 and device.read(SECTOR) != slot_bytes(sector):
                    wrong.append(sector)
    ok(status == 1 and not wrong, "%d-byte blocks: another with data" % block_bytes, errors, *wrong)
finish()
