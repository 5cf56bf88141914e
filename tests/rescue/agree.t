#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The rescue reader and remap-dump say the same of the same image, whole or damaged."""
import hashlib
import itertools
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rescue_lib import *  # noqa: E402,F403

ALL = range(5)


def subsets(sizes):
    return [chosen for size in sizes for chosen in itertools.combinations(ALL, size)]


def digest(path):
    with open(path, "rb") as image:
        return hashlib.sha256(image.read()).hexdigest()


# Whole images.

for block_bytes in (512, 1024, 2048, 4096, 8192):
    path = new_spare("size.img", 9 * 1000 * 1000, "1000001s", block_bytes)
    agree(path, "%d-byte blocks, empty" % block_bytes, 0)
    last = 1000000 // (block_bytes // SECTOR)
    import_blocks(path, block_bytes, [0, 3, 4, 5, 700, last - 1, last])
    agree(path, "%d-byte blocks, imported, the last one short" % block_bytes, 0)
    Image(path).damage("sb", ALL, "noise")
    agree(path, "%d-byte blocks, no superblock" % block_bytes, 1)

# One spare with an old and a new version of what is damaged below.

old = Image(new_spare("old.img", 8 << 20, "1G", blocks=list(range(100, 700, 2))))
new = old.copy("new.img")
import_blocks(new.path, 4096, list(range(3000, 3400)))
new = Image("new.img")
before = digest("new.img")
agree("new.img", "a spare of 700 entries", 0)
status, text, _ = read_apart("--json", "new.img")
ok(status == 0 and text == read_here("--json", "new.img")[1], "as a program of its own, too")
status, text, _ = read_apart("new.img")
ok(status == 0 and "rescue me" in text and text.count(" mapped ") == 701, "text report", text)
ok(digest("new.img") == before, "nothing was written")

for kind in ("zero", "noise", "flip", "torn", "old"):
    for copies in subsets((1, 2, 3, 4)):
        bad = new.copy("bad.img")
        bad.damage("sb", copies, kind, old)
        bad.damage(1, copies, kind, old)
        since = int(time.time()) - 1  # as in agree()
        code, theirs, _ = dump("bad.img")
        our_code, text, _ = read_here("--json", "bad.img")
        problems = differences(theirs, json.loads(text), since)
        if code != 1 or our_code != 1 or theirs["summary"]["mapped"] != 700 or problems:
            ok(False, "%s in copies %s" % (kind, copies), code, our_code, *problems)
            break
    else:
        ok(True, "%s in one to four copies of superblock and page, 30 ways" % kind)

for copies in subsets((4,)):
    bad = new.copy("bad.img")
    for page in range(3):
        bad.damage(page, copies, "noise")
    bad.damage("sb", copies, "zero")
    agree("bad.img", "4 of 5 copies of everything are gone, %s" % (copies,), 1)
    bad.damage("sb", ALL, "zero")
    agree("bad.img", "and all superblocks, %s" % (copies,), 1)

bad = new.copy("bad.img")
bad.damage("sb", ALL, "zero")
for page, keep in ((0, 3), (1, 0), (2, 4)):
    bad.damage(page, [copy for copy in ALL if copy != keep], "flip")
agree("bad.img", "no superblock, one copy of each page, in different zones", 1)
bad.damage(0, ALL, "zero")
agree("bad.img", "no superblock, no page 0", 8)

bad = new.copy("bad.img")
bad.damage(2, ALL, "torn", old)
bad.damage(0, (1, 2), "old", old)
agree("bad.img", "a lost page, and an old one", 1)
os.truncate("bad.img", (ZONE_START + 4 * new.layout["zone_sectors"]) * SECTOR)
agree("bad.img", "cut off before zone 4", 1)
os.truncate("bad.img", 5000 * SECTOR)
agree("bad.img", "cut off before zone 0", 1)
os.truncate("bad.img", 0)
agree("bad.img", "cut off altogether", 8)

# A spare formatted twice: what is left of the first is foreign.
bad = new.copy("bad.img")
tool("remap-check", "-y", "-q", "bad.img")
first = bad.copy("first.img")
with open("bad.img", "r+b") as image:
    for sector in SUPER_SECTORS:
        image.seek(sector * SECTOR)
        image.write(bytes(OBJECT))
    for copy in ALL:
        image.seek(bad.place(0, copy))
        image.write(bytes(OBJECT))
for page in (1, 2):
    bad.damage(page, ALL, "zero")
tool("remap-format", "-q", "--main-size", "3G", "bad.img")
import_blocks("bad.img", 4096, [1, 2, 3])
for page, copies in ((0, (3,)), (1, (0, 4)), (2, (1, 2))):
    bad.damage(page, copies, "old", first)
agree("bad.img", "pages of another spare, for another main", 1)
bad.damage("sb", ALL, "zero")
agree("bad.img", "and no superblock", 1)

bad = new.copy("bad.img")
bad.set("sb", ALL, version=5)
for page in range(3):
    bad.damage(page, ALL, "zero")
status, _, errors = read_here("bad.img")
ok(status == 8 and "another version" in errors, "another version of the format", status, errors)

# States, masks, moves: fields set by hand, with checksums that are right.
bad = new.copy("bad.img")
main_blocks = (1 << 30) // 4096
for nr in range(40):
    bad.set_entry(400 + nr, block=50000 + nr, mask=nr * 5 % 255 + 1, state=3, reason=nr % 10,
                  generation=nr * 7 % 256)
    bad.set_entry(440 + nr, block=60000 + nr, mask=nr * 11 % 256, state=1, reason=nr % 10)
    bad.set_entry(480 + nr, block=70000 + nr, state=2, reason=8, generation=250)
agree("bad.img", "lost, mapped, pending and retired entries, all reasons", 0)
for nr, (one, other) in enumerate(((0, 1), (255, 0), (1, 255), (200, 70), (127, 0), (0, 127))):
    bad.set_entry(300 + nr, block=80000 + nr, mask=3, generation=one)
    bad.set_entry(600 + nr, block=80000 + nr, generation=other, state=1 + 2 * (nr & 1), mask=1)
agree("bad.img", "moves cut short, over the wrap of the generation", 0)
bad.set_entry(310, block=90000, generation=77)
bad.set_entry(311, block=90000, generation=77)
status, text, _ = read_here("--json", "bad.img")
states = {entry["slot"]: entry["state"] for entry in json.loads(text)["entries"]}
ok(status == 1 and states[301] == "retired" and states[602] == "retired" and
   states[310] == states[311] == "mapped", "and beside them two claims with equal rights")

bad = new.copy("bad.img")
for copies, fields in (((0, 1, 2, 3, 4), {
        "label": b"a\xc2\x9bb\xffc\\d\xe2\x80\xaee\xc3\xa9\x1b[m\n\xed\xa0\x80\xf0\x9f\x98\x80",
        "main_id": b"naa.5000c500a1b2c3d4", "main_start": 2048, "partuuid": bytes(range(16)),
        "host_id": bytes(range(100, 116)), "host_name": b"x" * 64, "read_errors": 2 ** 53 + 1,
        "state": 7, "created": 2 ** 63}),):
    bad.set("sb", copies, **fields)
agree("bad.img", "every field of a superblock, text that is not fit to print", 1)
status, text, _ = read_here("bad.img")
ok(status == 1 and "\x1b" not in text and "\\xff" in text, "which the text report escapes", text)

# Growth: three groups of pages.
blocks = list(range(0, 3 * 33000, 3))
grown = Image(new_spare("grown.img", 64 << 20, "1G", 512, blocks))
ok(grown.layout["pages_used"] == 192, "a spare of three groups of pages",
   grown.layout["pages_used"])
agree("grown.img", "three groups", 0)
grown.set("sb", (0, 1, 2, 3, 4), pages_used=64)
agree("grown.img", "two groups behind an old superblock", 0)
grown.damage(150, ALL, "zero")
grown.damage(70, (1, 2, 4), "noise")
agree("grown.img", "and pages missing in them", 1)
grown.damage("sb", ALL, "noise")
grown.damage(0, (0, 1, 2, 4), "flip")
agree("grown.img", "and no superblock", 1)
for page in range(64, 128):
    grown.damage(page, ALL, "zero")
status, text, errors = read_here("--json", "grown.img")
ours = json.loads(text)
ok(status == 1 and ours["superblock"]["pages_used"] == 192 and
   ours["summary"]["mapped"] == len(blocks) - 64 * PAGE_ENTRIES and
   "(64-127, 150)" in errors, "and a group between two others gone: no end of the table",
   ours["summary"], errors)

# Sectors that cannot be read. Neither may open the image for writing.

def bad_sectors(sectors):
    return dict(os.environ, LD_PRELOAD=os.path.join(BUILD, "tests", "badsectors.so"),
                BAD_FILE="bad.img", BAD_SECTORS=sectors)


zone = new.layout["zone_sectors"]
for what, state, sectors in (
        ("a superblock", 0, "1027"),
        ("four superblocks", 0, "0+8,1024+8,4099,8199"),
        ("a page", 0, str(ZONE_START + zone + 9)),
        ("two copies of a page, released", 0, "%d,%d" % (ZONE_START, ZONE_START + 2 * zone + 7)),
        ("two copies of a page, in use", 1, "%d,%d" % (ZONE_START, ZONE_START + 2 * zone + 7)),
        ("a page of which nothing is left", 0, ",".join(
            str(ZONE_START + copy * zone + 8) for copy in ALL)),
        ("most of everything", 1, "0+2000,4096+20,%d+%d" % (ZONE_START, 4 * zone))):
    bad = new.copy("bad.img")
    bad.set("sb", ALL, state=state)
    agree("bad.img", "unreadable: " + what, env=bad_sectors(sectors), may_add=("needs_check",))

# Two unreadable copies of a page in use: a check is due (rule 7).
status, text, _ = read_apart("--json", "bad.img", env=bad_sectors(sectors))
ok("needs_check" in json.loads(text)["superblock"]["state"], "which makes a check due", text)

# All superblocks unreadable: as if they were zero. remap-dump gives up here.
bad = new.copy("bad.img")
status, text, errors = read_apart("--json", "bad.img", env=bad_sectors(
    ",".join("%d+8" % sector for sector in SUPER_SECTORS)))
unreadable = json.loads(text)
bad.damage("sb", ALL, "zero")
zeroed = json.loads(read_here("--json", "bad.img")[1])
ok(status == 1 and all(unreadable[name] == zeroed[name] for name in (
    "superblock", "entries", "summary")) and
   [copy["verdict"] for copy in unreadable["copies"]["superblock"]] == ["unreadable"] * 5,
   "no superblock can be read: the pages tell", errors)
finish()
