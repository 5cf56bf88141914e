#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""remap-recover: the composite as an image, sector by sector against a model; read errors,
going on, retrying, comparing; what it refuses. --files is in recover-files.t, kills and cuts of the
power in recover-power.t."""
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pair import *  # noqa: E402,F403


def forget(*paths):
    for path in paths:
        for name in (path, path + ".map"):
            if os.path.exists(name):
                os.unlink(name)


have_ddrescue = shutil.which("ddrescuelog")
if not have_ddrescue:
    print("1..0 # SKIP no ddrescuelog (gddrescue) here")
    sys.exit(0)

for block_bytes in (512, 4096, 8192):
    pair = Pair(main_sectors=20003 * block_bytes // 4096 | 1, block_bytes=block_bytes)
    kept = digest("main.img"), digest("spare.img")
    both = ["--main", "main.img", "--spare", "spare.img"]
    forget("whole.img")
    status, theirs, errors = run_json("remap-recover", *both, "-o", "whole.img")
    check("%d-byte blocks: the composite" % block_bytes, pair, "whole.img", ())
    lost = sum(1 for owner in pair.owner.values() if owner == "lost")
    ok(status == 1 and theirs["bad_sectors"] == theirs["missing_sectors"] == lost and
       sum(part["sectors"] for part in theirs["missing"]) == lost and
       {part["why"] for part in theirs["missing"]} == {"lost"}, "and what nobody has", errors)
    ok(os.stat("whole.img").st_blocks <= os.stat("main.img").st_blocks + 400, "with holes",
       os.stat("whole.img").st_blocks, os.stat("main.img").st_blocks)
    status, theirs, errors = run_json("remap-recover", *both, "--verify", "whole.img")
    ok(status == 1 and theirs["different_sectors"] == 0 and theirs["missing_sectors"] == lost,
       "--verify finds no difference", errors)

pair = Pair()
both = ["--main", "main.img", "--spare", "spare.img"]
lost = {sector for sector in pair.owner if pair.owner[sector] == "lost"}
pending = sorted(sector for sector in pair.owner if pair.owner[sector] == "pending")
in_slot = sorted(sector for sector in pair.owner if pair.owner[sector] == "slot")

# From the dump, when the spare is gone: with what its slots held.
tool("remap-dump", "-q", "--json", "-o", "dump.json", "spare.img")
forget("whole.img")
status, theirs, errors = run_json("remap-recover", "--main", "main.img", "--dump", "dump.json", "-o",
                                  "whole.img")
check("from a dump", pair, "whole.img", in_slot)
ok(status == 1 and {part["why"] for part in theirs["missing"]} == {"lost", "slot"},
   "what was in slots is named", errors)

# Main is bad under slots, which is no matter, and elsewhere, which is.
bad_main = [in_slot[0], in_slot[-1], pending[0], pending[-2], 17, 18, 7999, 12288, 20002]
env = bad("main.img", bad_main)
forget("whole.img")
status, theirs, errors = run_json("remap-recover", *both, "-o", "whole.img", env=env)
check("a main with bad sectors", pair, "whole.img", bad_main[2:])
whys = {(part["why"], part["sector"] + nr) for part in theirs["missing"]
        for nr in range(part["sectors"])}
ok(status == 1 and whys == {("lost", sector) for sector in lost} |
   {(pair.owner.get(sector, "main"), sector) for sector in bad_main[2:]},
   "each with its reason", errors)

# The same again says what is in the mapfile; --retry reads what can be read now.
before = digest("whole.img")
status, theirs, errors = run_json("remap-recover", *both, "-o", "whole.img")
ok(status == 1 and theirs["tried_sectors"] == 0 and digest("whole.img") == before,
   "a finished image is left alone", errors)
status, theirs, errors = run_json("remap-recover", *both, "-o", "whole.img", "--retry")
ok(status == 1 and theirs["tried_sectors"] == len(lost | set(bad_main[2:])), "--retry tries what nobody had", errors)
check("and gets it", pair, "whole.img", ())

# Slots that cannot be read.
bad_slots = [in_slot[3], in_slot[40], in_slot[41]]
forget("whole.img")
status, theirs, errors = run_json("remap-recover", *both, "-o", "whole.img",
                                  env=bad("spare.img", [pair.slot_sector(nr) for nr in bad_slots]))
check("a spare with bad slots", pair, "whole.img", bad_slots)
ok({part["sector"] for part in theirs["missing"] if part["why"] == "slot"} >= set(bad_slots[:2]),
   "each with its reason", theirs["missing"])

# What a killed run wrote beyond the mapfile is not believed.
forget("whole.img")
tool_status, out, errors = run("remap-recover", *both, "-o", "whole.img")
with open("whole.img.map") as text:
    kept_map = text.read()
with open("whole.img", "r+b") as image:
    for sector in range(512, 1024):
        image.seek(sector * SECTOR)
        image.write(b"x" * SECTOR)
with open("whole.img.map", "w") as text:
    text.write(re.sub(r"(?m)^0x00000000  0x0012C000  \+\n",
                      "0x00000000  0x00040000  +\n0x00040000  0x00040000  ?\n"
                      "0x00080000  0x000AC000  +\n", kept_map))
status, theirs, errors = run_json("remap-recover", *both, "-o", "whole.img")
ok(status == 1 and theirs["tried_sectors"] == 512, "an area in the middle is still to be tried", errors)
check("holes where there was something else", pair, "whole.img", ())

# --fill
for fill, want in (("zero", bytes(SECTOR)), ("gone! ", (b"gone! " * 90)[:SECTOR]),
                   ("<%s>", (b"<%d>" % min(lost) * 90)[:SECTOR])):
    forget("fill.img")
    run("remap-recover", *both, "-o", "fill.img", "--fill", fill)
    with open("fill.img", "rb") as image:
        image.seek(min(lost) * SECTOR)
        ok(image.read(SECTOR) == want, "--fill " + fill)

# --verify finds what differs, and what cannot be read there.
with open("whole.img", "r+b") as image:
    for sector in (7, 8, 9, 4000, in_slot[5], 20002):
        image.seek(sector * SECTOR + 100)
        image.write(b"?")
status, theirs, errors = run_json("remap-recover", *both, "--verify", "whole.img",
                                  env=bad("whole.img", [300]))
got = [part["sector"] + nr for part in theirs["different"] for nr in range(part["sectors"])]
ok(status == 1 and got == sorted([7, 8, 9, 300, 4000, in_slot[5], 20002]) and
   theirs["unreadable_sectors"] == 1, "--verify lists what differs", got, errors)
status, theirs, errors = run_json("remap-recover", "--main", "main.img", "--spare", "spare.img",
                                  "--verify", "main.img")
ok(status == 8 and "is main itself" in errors, "--verify with main: refused", errors)

# A spare with damage.
image = pair.image.copy("damaged.img")
image.damage("sb", [0, 1], "zero")
image.damage(0, [1, 2, 3, 4], "noise")
forget("whole.img")
status, out, errors = run("remap-recover", "--main", "main.img", "--spare", "damaged.img", "-o",
                          "whole.img")
ok(status == 1 and "superblocks are not good" in errors, "a spare with damaged copies", errors)
check("is read from the good ones", pair, "whole.img", ())
image.damage(0, ALL, "zero")
forget("whole.img")
status, out, errors = run("remap-recover", "--main", "main.img", "--spare", "damaged.img", "-o",
                          "whole.img")
ok(status == 4 and "stale data" in errors and not os.path.exists("whole.img"),
   "a spare with a lost page: refused", status, errors)
status, out, errors = run("remap-recover", "--main", "main.img", "--spare", "damaged.img",
                          "--accept-incomplete", "-o", "whole.img")
ok(status in (0, 1) and "entries may be missing" in errors, "--accept-incomplete", status, errors)
image = pair.image.copy("damaged.img")
image.set_entry(200, block=1003)
forget("whole.img")
status, theirs, errors = run_json("remap-recover", "--main", "main.img", "--spare", "damaged.img",
                                  "--accept-incomplete", "-o", "whole.img")
ok(status == 1 and sum(part["sectors"] for part in theirs["missing"] if part["why"] == "claimed") == 8,
   "a block with two equal claims is nobody's", theirs.get("missing"), errors)

# Refused, with nothing changed.
forget("new.img")
os.mkdir("dir")
os.mkfifo("fifo")
with open("short.img", "wb") as image:
    image.truncate(20002 * SECTOR)
with open("foreign.map", "wb") as text:
    text.write(subprocess.run(["ddrescuelog", "-a", "?,?", "whole.img.map"],
                              stdout=subprocess.PIPE).stdout)
with open("other.map", "w") as text:
    text.write(kept_map.replace("dm-remap: spare ", "dm-remap: spare 0"))
shutil.copy("whole.img", "begun.img")
with open("begun.img.map", "w") as text:
    text.write(re.sub("sequence [0-9]+", "sequence 5", kept_map))
with open("bad.map", "w") as text:
    text.write(kept_map.replace("  +\n", "  !\n", 1))
for name, old, new in (("nul.map", "  +\n", "\0 +\n"), ("negative.map", "0x00000000  0x", "-0x1  0x"),
                       ("overflow.map", "0x00000000  0x", "0x10000000000000000  0x"),
                       ("bigger.map", "", "")):
    with open(name, "w") as text:
        text.write(kept_map[:kept_map.index("status\n") + 7] +
                   kept_map[kept_map.index("status\n") + 7:].replace(old, new, 1))
with open("bigger.map", "a") as text:
    text.write("0x%08X  0x00100000  +\n" % (pair.main_sectors * SECTOR))
with open("check.json", "wb") as text:
    text.write(run("remap-check", "--json", "-n", "spare.img")[1])
with open("dump.json") as old, open("version.json", "w") as text:
    text.write(old.read().replace('"format_version":1', '"format_version":2', 1))
with open("precious", "w") as text:
    text.write("precious")
kept = {path: digest(path) for path in ("main.img", "spare.img", "precious", "short.img", "dump.json")}
forget("whole.img")
run("remap-recover", *both, "-o", "whole.img")
whole = digest("whole.img")
with open("whole.img.map", newline="") as old, open("crlf.map", "w", newline="") as text:
    text.write(old.read().replace("\n", "\r\n"))
status, theirs, errors = run_json("remap-recover", *both, "-o", "whole.img", "-m", "crlf.map")
ok(status == 1 and theirs["tried_sectors"] == 0, "a mapfile with CR LF is a mapfile", errors)
for what, want, word, args in (
        ("no main", 16, "--main MAIN is needed", ["--spare", "spare.img", "-o", "new.img"]),
        ("no spare", 16, "one of --spare SPARE and --dump", ["--main", "main.img", "-o", "new.img"]),
        ("spare and dump", 16, "one of --spare", both + ["--dump", "dump.json", "-o", "new.img"]),
        ("nothing to do", 16, "one of -o TARGET", both),
        ("two things to do", 16, "one of -o TARGET", both + ["-o", "new.img", "--files"]),
        ("an operand", 16, "no place for \"new.img\"", both + ["-o", "new.img", "new.img"]),
        ("a pipe", 16, "cannot go into a pipe", both + ["-o", "-"]),
        ("a mapfile on standard output", 16, "--mapfile: a mapfile is read again",
         both + ["-o", "new.img", "-m", "-"]),
        ("a compressed mapfile", 16, "--mapfile: .*compressed", both + ["-o", "new.img", "-m", "m.gz"]),
        ("an empty fill", 16, "--fill: needs a value that is not empty", both + ["-o", "new.img", "--fill", ""]),
        ("--retry without -o", 16, "go with -o only", both + ["--files", "--retry"]),
        ("a checkpoint that is too small", 16, "checkpoint", both + ["-o", "new.img", "--checkpoint", "5"]),
        ("a negative offset", 16, "offset.*negative", both + ["--files", "--offset", "-1"]),
        ("a hexadecimal offset", 16, "offset.*hexadecimal", both + ["--files", "--offset", "0x10"]),
        ("an offset of 2^64", 16, "offset.*2\\^64", both + ["--files", "--offset", "18446744073709551616"]),
        ("an offset behind main", 8, "main has", both + ["--files", "--offset", "1T"]),
        ("a main that is not there", 8, "cannot find main nowhere",
         ["--main", "nowhere", "--spare", "spare.img", "-o", "new.img"]),
        ("a spare that is not there", 8, "cannot find spare nowhere",
         ["--main", "main.img", "--spare", "nowhere", "-o", "new.img"]),
        ("a main that is a directory", 8, "dir is a directory",
         ["--main", "dir", "--spare", "spare.img", "-o", "new.img"]),
        ("a main that is a FIFO", 8, "fifo is a FIFO",
         ["--main", "fifo", "--spare", "spare.img", "-o", "new.img"]),
        ("a main that is too short", 8, "main short.img has 20002 sectors, but the spare is for a main of 20003",
         ["--main", "short.img", "--spare", "spare.img", "-o", "new.img"]),
        ("swapped arguments", 8, "main.img is not a dm-remap spare",
         ["--main", "spare.img", "--spare", "main.img", "-o", "new.img"]),
        ("main twice", 8, "both as main and as spare",
         ["--main", "spare.img", "--spare", "spare.img", "-o", "new.img"]),
        ("a dump that is none", 8, "not the JSON of remap-dump",
         ["--main", "main.img", "--dump", "spare.img", "-o", "new.img"]),
        ("JSON of another tool", 8, "JSON of remap-check, not of remap-dump",
         ["--main", "main.img", "--dump", "check.json", "-o", "new.img"]),
        ("JSON of another version", 8, "another format_version than 1",
         ["--main", "main.img", "--dump", "version.json", "-o", "new.img"]),
        ("a mapfile with a NUL byte", 8, "nul.map: line 9: is not a position, a size and a status",
         both + ["-o", "whole.img", "-m", "nul.map"]),
        ("a mapfile with a negative number", 8, "negative.map: line 9: is not a position",
         both + ["-o", "whole.img", "-m", "negative.map"]),
        ("a mapfile with a number of 65 bits", 8, "overflow.map: line 9: is not a position",
         both + ["-o", "whole.img", "-m", "overflow.map"]),
        ("a mapfile of a bigger disk", 8, "bigger.map: line [0-9]+: .*ends behind the end of main",
         both + ["-o", "whole.img", "-m", "bigger.map"]),
        ("onto main", 8, "main.img is main itself", both + ["-o", "main.img"]),
        ("onto the spare", 8, "spare.img is the spare itself", both + ["-o", "spare.img"]),
        ("onto a file", 8, "precious is there already, and no mapfile", both + ["-o", "precious"]),
        ("onto a directory", 8, "dir is neither an image", both + ["-o", "dir"]),
        ("onto a FIFO", 8, "fifo is neither an image", both + ["-o", "fifo"]),
        ("into no directory", 8, "No such file or directory", both + ["-o", "none/new.img"]),
        ("a mapfile of this spare as it was before", 8, "sequence 5,.*and this is.*used or repaired since",
         both + ["-o", "begun.img"]),
        ("a mapfile that ddrescue has written again", 8, "foreign.map does not say what it is of",
         both + ["-o", "whole.img", "-m", "foreign.map"]),
        ("a mapfile of another spare", 8, "is of something else",
         both + ["-o", "whole.img", "-m", "other.map"]),
        ("a broken mapfile", 8, "bad.map: line 9: has an unknown status",
         both + ["-o", "whole.img", "-m", "bad.map"]),
        ("a mapfile that is something else", 8, "mapfile precious: line 1: is cut off",
         both + ["-o", "whole.img", "-m", "precious"]),
        ("one name for image and mapfile", 8, "both as image and as mapfile",
         both + ["-o", "new.img", "-m", "./new.img"]),
        ("a mapfile without its image", 8, "there is a mapfile whole.img.map, but no new.img",
         both + ["-o", "new.img", "-m", "whole.img.map"]),
        ("an image of another length", 8, "short.img has 20002 sectors, and main 20003",
         both + ["-o", "short.img", "-m", "whole.img.map"]),
        ("verify: not there", 8, "cannot find image nowhere", both + ["--verify", "nowhere"]),
        ("verify: too short", 8, "it is not all of it", both + ["--verify", "short.img"]),
        ("files: no filesystem", 8, "no ext2, ext3 or ext4 filesystem", both + ["--files"])):
    status, out, errors = run("remap-recover", *args)
    ok(status == want and re.search(word, errors) and not os.path.exists("new.img") and
       digest("whole.img") == whole and all(digest(path) == kept[path] for path in kept),
       "refused: " + what, status, errors)

# A main that is longer: what is behind is left out, and said.
with open("main.img", "ab") as image:
    image.write(b"behind" * 1000)
    image.truncate(20100 * SECTOR)
forget("whole.img")
status, out, errors = run("remap-recover", *both, "-o", "whole.img")
ok(status == 1 and "20100 sectors; the spare is for a main of 20003" in errors, "a longer main", errors)
check("what is behind is left out", pair, "whole.img", ())

# A block device: only with -f and a mapfile.
loop = None
if os.getuid() == 0:
    with open("device.img", "wb") as image:
        image.write(b"old" * 4000000)
        image.truncate(21000 * SECTOR)
    done = subprocess.run(["/sbin/losetup", "-f", "--show", "device.img"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    loop = done.stdout.decode().strip() if done.returncode == 0 else None
if loop:
    try:
        status, out, errors = run("remap-recover", *both, "-o", loop)
        ok(status == 8 and "--force does it" in errors, "a block device: refused", errors)
        # A source that is in use is read, with a warning: the backing file of a device that is held.
        holder = subprocess.Popen([os.path.join(BUILD, "tests", "hold-device"), loop],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        holder.stdout.readline()
        status, out, errors = run("remap-recover", "--main", "device.img", *both[2:], "--verify", "whole.img")
        ok("device.img is in use" in errors and "read by half, or not at all" in errors,
           "a main that is in use: a warning", errors)
        holder.communicate()
        status, out, errors = run("remap-recover", *both, "-o", loop, "-f")
        ok(status == 16 and "--mapfile" in errors, "a block device: where does the mapfile go?", errors)
        status, out, errors = run("remap-recover", *both, "-o", loop, "-f", "-m", "device.img.map")
        with open("device.img", "r+b") as image:
            image.truncate(20003 * SECTOR)
        ok(status == 1, "a block device", errors)
        check("a block device: the composite", pair, "device.img", ())
    finally:
        subprocess.run(["/sbin/losetup", "-d", loop])
else:
    ok(True, "a block device # SKIP not root, or no loop devices here")
finish()
