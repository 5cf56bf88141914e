#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""remap-recover --files: who owns what nobody has, on ext2 and ext4 filesystems whose own metadata
are partly in slots."""
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pair import *  # noqa: E402,F403

os.environ["PATH"] += ":/usr/sbin:/sbin"
if not shutil.which("mke2fs") or not shutil.which("debugfs"):
    print("1..0 # SKIP no mke2fs or debugfs (e2fsprogs) here")
    sys.exit(0)

BLOCK = 4096
TREE = {"a/big file": 40, "a/deep/er/small": 1, "whole": 8, "slotted": 6, "pend\x1bing": 5}


def debugfs(image, request):
    return subprocess.run(["debugfs", "-R", request, image], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout.decode()


def bmap(image, path, nr):
    return int(debugfs(image, 'bmap "%s" %d' % (path, nr)).split()[-1])


def inode_of(image, path):
    return int(re.search(r"Inode: (\d+)", debugfs(image, 'stat "%s"' % path)).group(1))


def make_filesystem(image, kind, blocks, offset=0):
    shutil.rmtree("tree", ignore_errors=True)
    for name, length in TREE.items():
        path = os.path.join("tree", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(os.urandom(length * BLOCK))
    if os.path.exists(image):
        os.unlink(image)
    subprocess.run(["mke2fs", "-q", "-F", "-t", kind, "-b", str(BLOCK), "-d", "tree", image,
                    str(blocks)], check=True, stdout=subprocess.DEVNULL)


def owners(theirs):
    found = {}
    for part in theirs["owners"]:
        for nr in range(part["bytes"] // BLOCK):
            at = part["offset"] // BLOCK + nr if "offset" in part else part["block"] + nr
            found[(part["owner"], part["path"], at)] = part["why"]
    return found


for kind in ("ext4", "ext2"):
    make_filesystem("main.img", kind, 8192)
    spare = new_spare("spare.img", 16 << 20, "32M", BLOCK, [1])
    image = Image(spare)
    slots = {}
    entries = []

    def put(block, **members):
        """The next slot stands in for a block."""
        slot = len(entries)
        entries.append(block)
        image.set_entry(slot, block=block, **members)
        return slot

    lost_free = int(debugfs("main.img", "ffb 1 8000").split(":")[1].split()[0])
    big = {nr: bmap("main.img", "/a/big file", nr) for nr in (3, 4, 11, 12, 39)}
    blocks = {
        "small": bmap("main.img", "/a/deep/er/small", 0),
        "pending good": bmap("main.img", "/pend\x1bing", 1),
        "pending bad": bmap("main.img", "/pend\x1bing", 2),
        "slot": bmap("main.img", "/slotted", 2),
    }
    # The directory /a/deep, the root and the first block of inodes are good in slots only.
    slotted = [bmap("main.img", "/a/deep", 0), bmap("main.img", "/", 0),
               int(re.search(r"Inode table at (\d+)|inode table at (\d+)",
                             debugfs("main.img", "stats")).group(1) or 0)
               if re.search(r"Inode table at (\d+)", debugfs("main.img", "stats")) else
               int(re.search(r"inode table at (\d+)", debugfs("main.img", "stats")).group(1))]
    put(big[3], mask=0xff, state=3)
    put(big[4], mask=0x01, state=3)
    put(big[11], mask=0xff, state=3)
    put(big[12], mask=0xff, state=3)
    put(big[39], mask=0x80, state=3)
    put(blocks["small"], mask=0xff, state=3)
    put(blocks["pending good"], mask=0xff)
    put(blocks["pending bad"], mask=0x0f)
    put(lost_free, mask=0xff, state=3)
    if kind == "ext4":
        journal = int(debugfs("main.img", "bmap <8> 100").split()[-1])
        put(journal, mask=2, state=3)
    slot_nr = {block: put(block) for block in slotted + [blocks["slot"]]}
    places = {entry["block"]: entry["spare_sector"] for entry in dump(spare)[1]["entries"]}
    with open("main.img", "r+b") as main, open(spare, "r+b") as device:
        for block in slot_nr:
            main.seek(block * BLOCK)
            data = main.read(BLOCK)
            device.seek(places[block] * SECTOR)
            device.write(data)
            main.seek(block * BLOCK)
            main.write(b"\xa5" * BLOCK)     # old, and bad
    both = ["--main", "main.img", "--spare", "spare.img", "--files"]
    status, theirs, errors = run_json("remap-recover", *both,
                                      env=bad("main.img", [blocks["pending bad"] * 8 + 2]))
    want = {("data", "/a/big file", 3): "lost", ("data", "/a/big file", 4): "lost",
            ("data", "/a/big file", 11): "lost", ("data", "/a/big file", 12): "lost",
            ("data", "/a/big file", 39): "lost", ("data", "/a/deep/er/small", 0): "lost",
            ("data", "/pend\\x1bing", 2): "pending", ("free", None, lost_free): "lost"}
    if kind == "ext4":
        want[("journal", "(journal)", 100)] = "lost"
    ok(status == 1 and owners(theirs) == want and theirs["complete"],
       "%s: every owner, by its path" % kind, owners(theirs), want, errors)
    # ext2 has the indirect block between blocks 11 and 12 of the file.
    ok(all(big[part["offset"] // BLOCK + nr] == part["block"] + nr for part in theirs["owners"]
           if part["path"] == "/a/big file" for nr in range(part["bytes"] // BLOCK)), "%s: and where it is" % kind, theirs["owners"])
    inodes = {part["path"]: part["inode"] for part in theirs["owners"] if part["inode"]}
    ok(inodes.get("/a/deep/er/small") == 0 or all(number > 2 for number in inodes.values()),
       "%s: inodes" % kind, inodes)
    status, out, errors = run("remap-recover", *both)
    text = out.decode()
    ok(status == 1 and "/a/big file" in text and "bytes 12288 to 20479" in text and
       "\x1b" not in text, "%s: the same for a person" % kind, text, errors)

    # The spare is dead: what was in slots is gone, and with it names and inodes.
    tool("remap-dump", "-q", "--json", "-o", "dump.json", "spare.img")
    make_filesystem("good.img", kind, 8192)
    status, theirs, errors = run_json("remap-recover", "--main", "main.img", "--dump", "dump.json",
                                      "--files")
    found = {part["why"] for part in theirs["owners"]} if status == 1 else set()
    ok(status in (1, 8) and (status == 8 or "slot" in found) and
       (status == 8 or not theirs["complete"]), "%s: from a dump" % kind, theirs, errors)

    # From a dump, with a filesystem whose metadata are main's own.
    spare = new_spare("spare.img", 16 << 20, "32M", BLOCK, [1])
    image = Image(spare)
    entries = []
    make_filesystem("main.img", kind, 8192)
    put(bmap("main.img", "/slotted", 2))
    put(bmap("main.img", "/whole", 7), mask=0xfe)
    tool("remap-dump", "-q", "--json", "-o", "dump.json", "spare.img")
    status, theirs, errors = run_json("remap-recover", "--main", "main.img", "--dump", "dump.json",
                                      "--files")
    ok(status == 1 and owners(theirs) == {("data", "/slotted", 2): "slot",
                                          ("data", "/whole", 7): "slot"},
       "%s: from a dump, data only" % kind, owners(theirs), errors)

    # Metadata that nobody has.
    image.set_entry(0, at=0, state=0, reason=0)
    table = int(re.search(r"[Ii]node table at (\d+)", debugfs("main.img", "stats")).group(1))
    bitmap = int(re.search(r"[Bb]lock bitmap at (\d+)", debugfs("main.img", "stats")).group(1))
    image.set_entry(0, block=table + 3, mask=0xff, state=3)
    image.set_entry(1, block=bmap("main.img", "/a/deep", 0), mask=0xff, state=3)
    status, theirs, errors = run_json("remap-recover", *both)
    got = owners(theirs)
    ok(status == 1 and ("inodes", None, table + 3) in got and
       ("directory", "/a/deep", 0) in got, "%s: inodes and a directory" % kind, got, errors)
    image.set_entry(0, at=0, state=0, reason=0)
    image.set_entry(1, block=bitmap, mask=0xff, state=3)
    status, theirs, errors = run_json("remap-recover", *both)
    ok(status == 1 and owners(theirs) == {("metadata", None, bitmap): "lost"} and
       not theirs["complete"], "%s: a bitmap" % kind, owners(theirs), errors)

# Without its first superblock and group descriptors.
BLOCK = 1024
make_filesystem("main.img", "ext4", 32768)
spare = new_spare("spare.img", 16 << 20, "32M", 4096, [1])
image = Image(spare)
at = bmap("main.img", "/whole", 2)
image.set_entry(0, block=0, mask=0xff, state=3)
image.set_entry(1, block=at // 4, mask=3 << at % 4 * 2, state=3)
status, theirs, errors = run_json("remap-recover", *both)
got = owners(theirs) if status == 1 else {}
ok(status == 1 and got.get(("data", "/whole", 2)) == "lost" and ("metadata", None, 1) in got and
   "backup at block 8193" in errors, "the superblock is lost: a backup is used", got, errors)
BLOCK = 4096

# A filesystem in a partition.
make_filesystem("part.img", "ext4", 4096)
with open("main.img", "wb") as main, open("part.img", "rb") as part:
    main.truncate(32 << 20)
    main.seek(1 << 20)
    main.write(part.read())
spare = new_spare("spare.img", 16 << 20, "32M", BLOCK, [1])
image = Image(spare)
image.set_entry(0, block=256 + bmap("part.img", "/whole", 5), mask=0xff, state=3)
image.set_entry(1, block=3, mask=0xff, state=3)
status, theirs, errors = run_json("remap-recover", "--main", "main.img", "--spare", "spare.img",
                                  "--files", "--offset", "1M")
ok(status == 1 and owners(theirs) == {("data", "/whole", 5): "lost"} and
   theirs["outside_sectors"] == 8, "--offset: a partition", owners(theirs), errors)
image.set_entry(0, block=7000)
image.set_entry(1, block=7001, mask=0xff)
status, theirs, errors = run_json("remap-recover", "--main", "main.img", "--spare", "spare.img",
                                  "--files", "--offset", "1M")
ok(status == 0 and theirs["owners"] == [], "nothing is missing", errors)
finish()
