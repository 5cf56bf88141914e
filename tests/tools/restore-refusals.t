#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Bad dumps and bad arguments of remap-restore: a message that names the place, the right exit
status, and a target that is as it was."""
import copy
import gzip
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pair import *  # noqa: E402,F403

new_spare("spare.img", 8 << 20, "80003s", blocks=[4, 5, 9, 7, 10000])
Image("spare.img").set_entry(2, block=7, mask=3, state=3)
TEXT = tool("remap-dump", "-q", "--json", "spare.img").decode()
GOOD = json.loads(TEXT)
with open("target.img", "wb") as target:
    target.truncate(8 << 20)
KEPT = digest("target.img")


def refused(what, status, word, *args, stdin=None, target="target.img", env=None):
    got, out, errors = run("remap-restore", *args, target, stdin=stdin, env=env)
    ok(got == status and re.search(word, errors) and "\0" not in errors and
       digest("target.img") == KEPT, what, "exit %d, want %d, and: %s" % (got, status, word), errors)


def bad_text(what, status, word, text, *args, name="bad.json"):
    with open(name, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    refused(what, status, word, *args, "-i", name)


def bad(what, word, change, status=4):
    """A dump with something changed: as remap-dump lays it out, and on one line."""
    value = copy.deepcopy(GOOD)
    change(value)
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in value["entries"])
    text = json.dumps(dict(value, entries=["HERE"]))
    bad_text(what, status, "bad.json: line [0-9]+.*" + word, text.replace('"HERE"', "\n" + lines))
    bad_text(what + ", on one line", status, "bad.json: line 1.*" + word, json.dumps(value))


def entry(nr, **members):
    return lambda value: value["entries"][nr].update(members)


def superblock(**members):
    return lambda value: value["superblock"].update(members)


def drop(part, name, nr=None):
    def change(value):
        del (value[part] if nr is None else value[part][nr])[name]
    return change


def twice(value):
    value["entries"].append(dict(value["entries"][0]))


def missing_entry(value):
    del value["entries"][1]


# The file.
os.mkdir("dir")
os.mkfifo("fifo")
refused("no such dump", 8, "cannot open the dump nowhere: No such file", "-i", "nowhere")
refused("a directory", 8, "the dump dir is a directory", "-i", "dir")
refused("a FIFO", 8, "the dump fifo is no regular file; .*\"-\"", "-i", "fifo")
refused("a device", 8, "the dump /dev/null is no regular file", "-i", "/dev/null")
refused("the spare instead of a dump", 8, "not the JSON of remap-dump", "-i", "spare.img")
refused("a pipe with nothing in it", 8, "not the JSON of remap-dump", "-i", "-", stdin=b"")
if os.getuid() == 0:
    ok(True, "a file that may not be read # SKIP root may read all")
else:
    os.chmod("spare.img", 0)
    refused("a file that may not be read", 8, "Permission denied", "-i", "spare.img")
bad_text("empty", 8, "bad.json: line 1: not the JSON of remap-dump", "")
bad_text("text", 8, "not the JSON of remap-dump.* at byte", "bad blocks:\n5097\n")
bad_text("a list of numbers", 8, "is JSON, but no object", "5096\n5097\n")
bad_text("NUL bytes", 8, "not the JSON of remap-dump", "\0" * 5000)
bad_text("a number", 8, "is JSON, but no object", "17")
bad_text("a list", 8, "remap-dump", "[]")
bad_text("an empty object", 8, "is JSON, but no object of remap-dump", "{}")
bad_text("JSON of another tool", 8, "line 1: is JSON of remap-check, not of remap-dump",
         run("remap-check", "--json", "-n", "spare.img")[1])
bad_text("JSON of smartctl", 8, 'does not begin with "tool"',
         '{"json_format_version":[1,0],"superblock":{},"smartctl":{}}')
bad_text("one page", 4, 'has no "superblock"',
         run("remap-dump", "--json", "--page", "0", "spare.img")[1])
bad_text("csv", 8, "not the JSON of remap-dump", run("remap-dump", "-F", "csv", "spare.img")[1])
bad_text("a failed dump", 4, "says that it failed", run("remap-dump", "--json", "target.img")[1])
for where in (40, 300, TEXT.index('"slot":2') - 1, TEXT.index('"slot":2') + 40, len(TEXT) - 200, len(TEXT) - 3):
    bad_text("cut off at byte %d" % where, 4, "cut off or damaged: it ends too early", TEXT[:where])
bad_text("cut off between entries", 4, "line 7: .*ends too early|entry .*ends too early",
         TEXT[:TEXT.index('{"slot":3')])
bad_text("two dumps", 4, "cut off or damaged", TEXT + TEXT)
bad_text("a NUL in it", 4, "line 6, entry 2: .*damaged", TEXT.replace('{"slot":2', '\0{"slot":2'))
packed = gzip.compress(TEXT.encode())
bad_text("compressed and cut off", 4, "compressed file is cut off|ends too early", packed[:-20],
         name="bad.json.gz")
bad_text("compressed and damaged", 4, "cannot read bad.json.gz: ",
         packed[:-6] + bytes([packed[-6] ^ 1]) + packed[-5:], name="bad.json.gz")

# The parts.
bad("another version", "another format_version than 1", lambda value: value.update(format_version=2), 8)
bad("no version", 'has no "format_version"', lambda value: value.pop("format_version"))
bad("no entries", "summary.mapped is not what", lambda value: value.update(entries=[]))
bad_text("entries that are no list", 4, "a is no entry, in no list",
         json.dumps(dict(GOOD, entries={"a": 1})))
for part in ("superblock", "summary", "exit_status"):
    bad("no " + part, 'has no "%s"|before the superblock' % part, lambda value: value.pop(part))
bad("the status of a failure", "says that it failed", lambda value: value.update(exit_status=8))
bad("superblock is a number", '"superblock" is not what it should be',
    lambda value: value.update(superblock=7))
bad("a summary that differs", "summary.mapped is not what the entries add up to",
    lambda value: value["summary"].update(mapped=9))
bad("an entry is missing", "summary.mapped is not what", missing_entry)
bad("no uuid", 'superblock has no member "uuid"', drop("superblock", "uuid"))
bad("a uuid that is none", "superblock.uuid is no UUID", superblock(uuid="123"))
bad("a negative length", "superblock.main_sectors is no number", superblock(main_sectors=-1))
bad("a fraction", "superblock.main_sectors is no number", superblock(main_sectors=1.5))
bad("a length of 2^64", "superblock.main_sectors is no number", superblock(main_sectors=1 << 64))
bad("hexadecimal", "superblock.main_sectors is no number", superblock(main_sectors="0x100"))
bad("zone_slots of 2^32", "superblock.zone_slots is too large", superblock(zone_slots=1 << 32))
bad("too many activations", "superblock.activations is too large", superblock(activations=1 << 24))
bad("odd blocks", "superblock.block_sectors is none of 1, 2, 4, 8, 16", superblock(block_sectors=3))
bad("a label that is too long", "superblock.label is too long", superblock(label="x" * 33))
bad("a label with a NUL", "superblock.label is too long, or escaped", superblock(label="a\\x00b"))
bad("a label escaped wrongly", "superblock.label is too long, or escaped", superblock(label="a\\n"))
bad("a label that is a list", "superblock.label is a list", superblock(label=["x"]))
bad("an unknown state", "superblock.state has an unknown element", superblock(state=["happy"]))
bad("a state that is no list", "superblock.state is no list", superblock(state="in_use"))
bad("three prints", "superblock.main_print is not a list of two", superblock(main_print=[1, 2, 3]))
bad("zones elsewhere", "superblock: zone_start is wrong", superblock(zone_start=10248))
bad("zones of another length", "superblock: zone_sectors is wrong", superblock(zone_sectors=8))
bad("another spare's length", "superblock: zone_sectors is wrong", superblock(spare_sectors=20000))
bad("pages that are not there", "superblock: pages_used is wrong", superblock(pages_used=4000))
with open("bad.json", "w") as file:
    json.dump(dict(GOOD, superblock=dict(GOOD["superblock"], feature_ro_compat="4")), file)
refused("features of the future", 8, "bad.json is of a spare made by a newer version", "-i", "bad.json")

# Entries, of which the third has slot 2 and so on.
for name in ("slot", "block", "mask", "state", "reason", "time", "generation"):
    bad("an entry without " + name, 'entry 3: the entry has no member "%s"' % name,
        drop("entries", name, 2))
bad("a slot twice", "entry 6: slot 0: comes a second time", twice)
bad("a slot behind the last one", "entry 3: slot 9999999 is behind the last one in use, ",
    entry(2, slot=9999999, spare_sector=0))
bad("a slot of 2^64", "entry 3: slot is no number|entry 3: .*damaged", entry(2, slot=1 << 64))
bad("a negative slot", "entry 3: slot is no number", entry(2, slot=-2))
bad("two slots for one block", "slots 0 and 3 both stand in for block 4",
    entry(3, block=4, main_sector=32))
bad("a block behind main", "entry 3: slot 2: block is behind the end of main",
    entry(2, block=10001, main_sector=80008))
bad("a block of 2^48", "entry 3: slot 2: block is 2\\^48 or more", entry(2, block=1 << 48))
bad("a mask of 17 bits", "entry 3: slot 2: mask has more than 16 bits", entry(2, mask=1 << 16))
bad("a mask wider than the block", "entry 3: slot 2: mask names sectors that the block does not have",
    entry(2, mask=256))
bad("a mask wider than the last block", "entry 5: slot 4: mask names sectors",
    entry(4, mask=8))
bad("a lost entry without a mask", "entry 3: slot 2: lost entry has no mask", entry(2, mask=0))
bad("a retired entry with a mask", "entry 3: slot 2: retired entry has a mask", entry(2, state="retired"))
bad("an unknown state of an entry", "entry 3: slot 2: state is none of", entry(2, state="lo"))
bad("a free entry", "entry 3: slot 2: state is none of", entry(2, state="free"))
bad("an unknown reason", "entry 3: slot 2: unknown reason", entry(2, reason="whim"))
bad("a reason that is a number", "entry 3: reason is no text", entry(2, reason=4))
bad("a time of 2^32", "entry 3: slot 2: time is 2\\^32 or more", entry(2, time=1 << 32))
bad("a generation of 256", "entry 3: slot 2: generation is more", entry(2, generation=256))
for name in ("main_sector", "spare_sector", "sectors"):
    bad(name + " that contradicts the rest", "entry 3: slot 2: %s contradicts" % name,
        entry(2, **{name: GOOD["entries"][2][name] + 1}))
bad_text("an entry that is a number", 4, "line .*is no entry", TEXT.replace('{"slot":2', '7,\n{"slot":2'))
bad_text("a comma too many", 4, "line 9: a comma with no entry behind it",
         TEXT.replace('"generation":0}]', '"generation":0},\n]'))
bad_text("a comma too few", 4, "line 6, entry 2: .*damaged|entry [23]: .*damaged",
         TEXT.replace('},\n{"slot":2', '}\n{"slot":2'))
bad_text("a number with a zero in front", 4, "damaged", TEXT.replace('"slot":2', '"slot":02'))
bad_text("entries before the superblock", 4, "entries come before the superblock",
         json.dumps({name: GOOD[name] for name in ["tool", "format_version", "entries", "superblock",
                                                   "copies", "summary", "messages", "exit_status"]}))
bad_text("two superblocks", 4, '"superblock" comes a second time',
         TEXT.replace(',"copies"', ',"superblock":{},"copies"', 1))
bad_text("a member twice", 4, "comes a second time", TEXT.replace('"slot":2,', '"slot":2,"slot":3,'))

# A damaged spare's dump.
image = Image("spare.img").copy("damaged.img")
image.damage(0, ALL, "zero")
bad_text("the dump of a damaged spare", 4, "bad.json is the dump of a damaged spare.*--accept-incomplete",
         run("remap-dump", "--json", "damaged.img")[1])

# Arguments.
with open("good.json", "w") as file:
    file.write(TEXT)
refused("no -i", 16, "-i DUMP is needed")
refused("-i without a name", 16, "SPARE is missing", "-i")
refused("--keep-pending with --data-from", 16, "--keep-pending is for when", "-i", "good.json",
        "--keep-pending", "--data-from", "spare.img")
refused("an unknown option", 16, "frce", "-i", "good.json", "--frce")
refused("swapped arguments", 8, "not the JSON of remap-dump", "-i", "spare.img", target="good.json")
for target, word in (("nowhere", "cannot find spare nowhere"), ("dir", "dir is a directory"),
                     ("fifo", "fifo is a FIFO"), ("/dev/null", "/dev/null is a character device")):
    refused("onto " + target, 8, word, "-i", "good.json", target=target)
with open("short.img", "wb") as short:
    short.truncate(4096)
refused("onto 4 KiB", 8, "short.img is too small to be a spare: 4 KiB", "-i", "good.json", target="short.img")
finish()
