#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""remap-recover and remap-restore from copies that ddrescue made of a failing main and a failing spare: what they lack
is not taken for the zeroes that stand in its place."""
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pair import *  # noqa: E402,F403

if not shutil.which("ddrescue") or not shutil.which("ddrescuelog"):
    print("1..0 # SKIP no ddrescue here")
    sys.exit(0)


def clone(path, sectors, bad_sectors):
    """A copy of an image by ddrescue, as of a disk on which BAD_SECTORS cannot be read."""
    bad_sectors, at = sorted(set(bad_sectors)), 0
    with open("disk.map", "w") as text:
        print("0x0 + 1", file=text)
        for sector in bad_sectors + [sectors]:
            if sector > at:
                print("%#x %#x +" % (at * SECTOR, (sector - at) * SECTOR), file=text)
            if sector < sectors:
                print("%#x %#x -" % (sector * SECTOR, SECTOR), file=text)
            at = sector + 1
    for name in ("clone-" + path, path + ".map"):
        if os.path.exists(name):
            os.unlink(name)
    subprocess.run(["ddrescue", "-q", "-c", "1", "-H", "disk.map", path, "clone-" + path,
                    path + ".map"], check=True)
    os.truncate("clone-" + path, sectors * SECTOR)


pair = Pair()
spare_sectors = (8 << 20) // SECTOR
pending = sorted(sector for sector in pair.owner if pair.owner[sector] == "pending")
in_slot = sorted(sector for sector in pair.owner if pair.owner[sector] == "slot")
lost = {sector for sector in pair.owner if pair.owner[sector] == "lost"}

# Under slots, where it is no matter; pending; main's own in data and in a hole.
# Not at the very end, which ddrescue takes for the end of the disk where it plays a bad one.
bad_main = [in_slot[0], in_slot[-1], pending[0], pending[-2], 17, 18] + list(range(700, 760)) + \
           [7999, 12288]
bad_slots = [in_slot[3], in_slot[40], in_slot[41]]
clone("main.img", pair.main_sectors, bad_main)
clone("spare.img", spare_sectors, [pair.slot_sector(sector) for sector in bad_slots])
clones = ["--main", "clone-main.img", "--main-map", "main.img.map", "--spare", "clone-spare.img",
          "--spare-map", "spare.img.map"]
gone = bad_main[2:] + bad_slots
status, theirs, errors = run_json("remap-recover", *clones, "-o", "whole.img")
check("copies of both", pair, "whole.img", gone)
whys = {(part["why"], part["sector"] + nr) for part in theirs["missing"]
        for nr in range(part["sectors"])}
ok(status == 1 and whys == {("lost", sector) for sector in lost} |
   {(pair.owner.get(sector, "main"), sector) for sector in gone}, "each with its reason", errors)
ok(re.search(r"main is a copy without 34 KiB of it, as main.img.map says", errors) and
   re.search(r"the spare is a copy without 1.5 KiB", errors), "it says what copies lack", errors)
status, theirs, errors = run_json("remap-recover", *clones, "--verify", "whole.img")
ok(status == 1 and theirs["different_sectors"] == 0 and theirs["missing_sectors"] == len(lost) + len(gone),
   "--verify", theirs["missing_sectors"], errors)

# ddrescue gets more of it, and --retry lays that over.
clone("main.img", pair.main_sectors, bad_main[:4])
status, theirs, errors = run_json("remap-recover", *clones, "-o", "whole.img", "--retry")
check("more of main, and --retry", pair, "whole.img", bad_main[2:4] + bad_slots)

# A new spare from them. Of the block whose slot lacks sectors main's copy lacks a pending one, too.
tool("remap-dump", "-q", "--json", "-o", "dump.json", "spare.img")
with open("new-spare.img", "wb") as image:
    image.truncate(9 << 20)
status, theirs, errors = run_json("remap-restore", "-i", "dump.json", "--data-from", "clone-spare.img",
                                  "--data-map", "spare.img.map", "--main", "clone-main.img",
                                  "--main-map", "main.img.map", "new-spare.img")
ok(status == 1 and pair.owner[bad_main[2]] == "pending" and
   theirs["lost_sectors"] == len(lost) + len(bad_slots) + 1, "remap-restore", theirs, errors)
run("remap-recover", "--main", "main.img", "--spare", "new-spare.img", "-o", "again.img")
check("and what it made", pair, "again.img", bad_slots + bad_main[2:3])

# Refused, with nothing changed.
whole, whole_map = digest("whole.img"), digest("whole.img.map")
with open("short.map", "w") as text:
    text.write("0x0 + 1\n0x0 0x200 +\n")
with open("gap.map", "w") as text:
    text.write("0x0 + 1\n0x200 0x%x +\n" % ((pair.main_sectors - 1) * SECTOR))
with open("none.map", "w") as text:
    text.write("# Mapfile. Created by GNU ddrescue\n")
main = ["--main", "clone-main.img", "--spare", "clone-spare.img"]
for what, want, word, args in (
        ("gone on with as if main were the disk", 8, "is of something else", main + ["-o", "whole.img"]),
        ("a mapfile that is not there", 8, "cannot open the mapfile nowhere: No such file",
         main + ["--main-map", "nowhere", "-o", "new.img"]),
        ("a mapfile that is main", 8, "mapfile clone-main.img: line 1",
         main + ["--main-map", "clone-main.img", "-o", "new.img"]),
        ("a directory", 8, "is no mapfile", main + ["--main-map", ".", "-o", "new.img"]),
        ("a mapfile that ends early", 8, "short.map is of 1 sectors, and main has 20003",
         main + ["--main-map", "short.map", "-o", "new.img"]),
        ("of the spare, too", 8, "short.map is of 1 sectors, and the spare has 16384",
         main + ["--spare-map", "short.map", "-o", "new.img"]),
        ("a mapfile with a gap", 8, "line 2: does not begin where", main + ["--main-map", "gap.map", "-o", "new.img"]),
        ("a mapfile without areas", 8, "none.map: line 1: ends before",
         main + ["--main-map", "none.map", "-o", "new.img"]),
        ("restored from a copy with another mapfile", 8, "short.map is of 1 sectors, and the old spare has 16384",
         ["-i", "dump.json", "--data-from", "clone-spare.img", "--data-map", "short.map", "new.img"]),
        ("--data-map without --data-from", 16, "--data-map goes with --data-from",
         ["-i", "dump.json", "--data-map", "spare.img.map", "new.img"]),
        ("--main-map without --main", 16, "--main-map goes with --main",
         ["-i", "dump.json", "--main-map", "main.img.map", "new.img"]),
        ("a mapfile of a spare that is a dump", 16, "--spare-map goes with --spare",
         ["--main", "clone-main.img", "--dump", "d", "--spare-map", "short.map", "-o", "new.img"])):
    name = "remap-restore" if args[0] == "-i" else "remap-recover"
    if name == "remap-restore":
        with open("new.img", "wb") as image:
            image.truncate(9 << 20)
    status, out, errors = run(name, *args)
    if name == "remap-restore" and digest("new.img") == zlib.crc32(bytes(9 << 20)):
        os.unlink("new.img")
    ok(status == want and re.search(word, errors) and not os.path.exists("new.img") and
       (digest("whole.img"), digest("whole.img.map")) == (whole, whole_map), "refused: " + what,
       status, errors)
finish()
