#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The device-mapper table of the rescue reader: all of main, once each, from where remap-dump
says that it is."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rescue_lib import *  # noqa: E402,F403

ALL = range(5)
MAIN = "/dev/disk/by-id/main"


def parse_table(text):
    """[first sector, sectors, who, where there] of each line; names are kept escaped."""
    pieces = []
    for line in text.splitlines():
        match = re.match(r"(\d+) (\d+) (?:error|linear ((?:[^\s\\]|\\.)+) (\d+))\Z", line)
        if not match:
            raise ValueError("not a line of a table: " + line)
        pieces.append([int(match[1]), int(match[2]), match[3] or "error", int(match[4] or 0)])
    return pieces


def faults_of(pieces, main_sectors):
    """All of main in order, without gap, overlap, or pieces that could be one."""
    faults, at, last = [], 0, None
    for piece in pieces:
        start, count, who, where = piece
        if start != at or count < 1:
            faults.append("%s: expected sector %d" % (piece, at))
        if last and last[2] == who and (who == "error" or last[3] + last[1] == where):
            faults.append("%s and %s could be one" % (last, piece))
        at, last = start + count, piece
    if at != main_sectors:
        faults.append("ends at sector %d of %d" % (at, main_sectors))
    return faults


def owners(pieces, main_sectors):
    """Sector of main -> (who, where there)."""
    owner = [None] * main_sectors
    for start, count, who, where in pieces:
        for nr in range(count):
            owner[start + nr] = (who, 0 if who == "error" else where + nr)
    return owner


def owners_by_dump(theirs, spare, main_sectors):
    owner = [(MAIN, sector) for sector in range(main_sectors)]
    for entry in theirs["entries"]:
        for nr in range(entry["sectors"] if entry["state"] != "retired" else 0):
            sector = entry["main_sector"] + nr
            if not entry["mask"] >> nr & 1:
                owner[sector] = (spare, entry["spare_sector"] + nr)
            elif entry["state"] == "lost":
                owner[sector] = ("error", 0)
    return owner


def check(path, what, status):
    theirs = dump(path)[1]
    main_sectors = theirs["superblock"]["main_sectors"]
    our_status, text, errors = read_here("--dmtable", MAIN, path)
    pieces = parse_table(text)
    faults = faults_of(pieces, main_sectors)
    ok(our_status == status and not faults, what + ": all of main, once, merged", our_status,
       errors, *faults)
    got, want = owners(pieces, main_sectors), owners_by_dump(theirs, path, main_sectors)
    wrong = [(sector, one, other) for sector, (one, other) in enumerate(zip(got, want))
             if one != other]
    ok(not wrong, what + ": every sector from where it is", "%d wrong" % len(wrong), *wrong[:5])
    return pieces


def fill(image, block_sectors, main_sectors):
    """Entries of all kinds: runs of neighbours, all sorts of masks, the short last block."""
    whole = (1 << block_sectors) - 1
    last, rest = divmod(main_sectors, block_sectors)
    for nr in range(12):
        image.set_entry(nr, block=1000 + nr, mask=0)
        image.set_entry(12 + nr, block=2000 - nr, mask=0)
        image.set_entry(30 + nr, block=100 + nr, mask=(nr * 0x9249 + 5) & whole)
        image.set_entry(50 + nr, block=300 + nr, mask=(nr * 0x5555 + 1) & whole or 1, state=3)
        image.set_entry(70 + nr, block=300 + nr, state=2)
        image.set_entry(90 + nr, block=3000 + nr, mask=whole)
    image.set_entry(110, block=0, mask=whole & 0x5a5a)
    if rest:
        image.set_entry(111, block=last, mask=(1 << rest) - 2)
    image.set_entry(112, block=1500, generation=255, mask=whole)
    image.set_entry(113, block=1500, generation=0, mask=0)


for block_bytes, main_sectors in ((512, 20001), (1024, 20001), (4096, 80003), (8192, 160015)):
    path = new_spare("s.img", 8 << 20, "%ds" % main_sectors, block_bytes)
    check(path, "%d-byte blocks, empty" % block_bytes, 0)
    import_blocks(path, block_bytes, [4000, 4001, 4002])
    check(path, "%d-byte blocks, imported" % block_bytes, 0)
    image = Image(path)
    fill(image, block_bytes // SECTOR, main_sectors)
    pieces = check(path, "%d-byte blocks, all kinds" % block_bytes, 0)
    run = [piece for piece in pieces if piece[2] == path and
           piece[0] == 1000 * block_bytes // SECTOR]
    ok(run and run[0][1] == 12 * block_bytes // SECTOR,
       "%d-byte blocks: neighbours in neighbouring slots are one piece" % block_bytes, run)
    for copy in ALL:
        image.damage("sb", [copy], "noise")
        image.damage(0, [copy] if copy != 3 else [], "flip")
    check(path, "%d-byte blocks, all but one copy gone" % block_bytes, 1)

# What nobody can be trusted to have is an error.
image = Image(new_spare("s.img", 8 << 20, "80000s", blocks=[7]))
image.set_entry(10, block=500, generation=3)
image.set_entry(11, block=500, generation=3)
image.set_entry(12, block=510, state=7)
image.set_entry(13, block=520, mask=0x1f0, reason=99, reserved=4)
image.set_entry(14, block=1 << 40)
image.set_entry(15, block=530, state=0)
status, text, errors = read_here("--dmtable", MAIN, "s.img")
pieces = parse_table(text)
owner = owners(pieces, 80000)
ok(status == 1 and not faults_of(pieces, 80000), "damaged entries: all of main", errors)
ok(all(owner[4000 + nr] == ("error", 0) for nr in range(8)), "claims with equal rights: error")
ok(all(owner[4080 + nr] == ("error", 0) for nr in range(8)), "an unknown state: error")
ok(all(owner[4240 + nr] == ("error", 0) for nr in range(8)), "free, but not zero: error")
slot = image.layout["zone_start"] + 8 * image.layout["table_pages"] + 8 * 13
ok([owner[4160 + nr] for nr in range(8)] ==
   [("s.img", slot + nr) for nr in range(4)] + [(MAIN, 4164 + nr) for nr in range(4)],
   "a wrong reason does not lose a block", owner[4160:4168])
for word in ("slot 10", "slot 12: unknown state 7", "slot 13", "slot 14"):
    ok(word in errors, "says so: " + word, errors)

# Pages that are lost could have held anything.
image = Image(new_spare("s.img", 8 << 20, "80000s", blocks=range(0, 800, 2)))
image.damage(1, ALL, "zero")
status, text, errors = read_here("--dmtable", MAIN, "s.img")
ok(status == 8 and text == "" and "--accept-lost-pages" in errors, "a lost page: no table", errors)
status, text, errors = read_here("--dmtable", MAIN, "--accept-lost-pages", "s.img")
ok(status == 1 and not faults_of(parse_table(text), 80000), "unless that is accepted", errors)

# A growth cut short is not a loss; without superblocks, nobody knows.
image = Image(new_spare("s.img", 64 << 20, "80000s", 512, blocks=range(16192)))
ok(image.layout["pages_used"] == 64, "one group in use")
import_blocks("s.img", 512, [20000])
image.set("sb", ALL, pages_used=64)
image.set_entry(16192)
for copy in ALL:
    page = bytearray(image.get(64, copy))
    page[48:] = bytes(OBJECT - 48)
    image.put(64, copy, seal(page, 4))
image.damage(100, ALL, "noise")
check("s.img", "a growth cut short", 1)
image.damage("sb", ALL, "zero")
ok(read_here("--dmtable", MAIN, "s.img")[0] == 8, "but not without superblocks")

# Slots behind the end of a device that was cut off.
image = Image(new_spare("s.img", 8 << 20, "80000s", blocks=range(800, 1500)))
for nr in range(700):
    if nr in (0, 699):
        image.set_entry(nr, block=800 + nr)
end = image.layout["zone_start"] + 4 * image.layout["zone_sectors"]
os.truncate("s.img", end * SECTOR)
status, text, errors = read_here("--dmtable", MAIN, "s.img")
owner = owners(parse_table(text), 80000)
ok(status == 1 and owner[6400][0] == "s.img" and
   all(owner[(800 + 699) * 8 + nr] == ("error", 0) for nr in range(8)) and
   all(where < end for who, where in owner if who == "s.img"),
   "slots behind the end of the device are errors", errors)

# The command line.
new_spare("a b\\c.img", 8 << 20, "1M", blocks=[3])
Image("a b\\c.img").set_entry(0, block=3)
with open("main.img", "wb") as main:
    main.truncate(1 << 20)
status, text, errors = read_apart("--dmtable", "main.img", "a b\\c.img")
ok(status == 0 and text == "0 24 linear main.img 0\n24 8 linear a\\ b\\\\c.img %d\n"
   "32 2016 linear main.img 32\n" % (ZONE_START + 24), "names are escaped", text, errors)
os.truncate("main.img", (1 << 20) - SECTOR)
for args, want, word in (
        (["--dmtable", "main.img", "a b\\c.img"], 8, "2047 sectors"),
        (["--dmtable", "a b\\c.img", "a b\\c.img"], 8, "both as main and as spare"),
        (["--dmtable", MAIN, "nowhere"], 8, "No such file"),
        (["--dmtable", MAIN, "--json", "s.img"], 16, "not allowed"),
        (["--dmtable"], 16, "expected one argument"),
        (["--uuid", "xyz", "s.img"], 16, "no uuid"),
        ([], 16, "SPARE"),
        (["--bogus", "s.img"], 16, "--bogus"),
        (["main.img"], 8, "not a dm-remap spare"),
        (["/dev/null"], 8, "neither a block device nor an image"),
        (["."], 8, "neither a block device nor an image")):
    status, text, errors = read_here(*args)
    ok(status == want and word in errors and text == "" and errors.count("\n") == 1,
       "refused: " + " ".join(args), status, text, errors)
status, text, errors = read_apart("--help")
ok(status == 0 and "--dmtable" in text and not errors, "--help")
finish()
