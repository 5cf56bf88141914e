#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The rescue reader and remap-dump say the same of every case of the damage corpus."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rescue_lib import *  # noqa: E402,F403


def image_of(case):
    """The image of a case. Its "unreadable" copies are zeroes there."""
    tool("tests/t_check", "--image", case, os.path.abspath("case.img"), cwd=TOP)
    return "case.img"


def page_rival(case):
    """The target refuses it, so remap-dump shows the superblock as it stands; the reader loads in
    memory, where one good copy of a page means that a check is due."""
    code, theirs, _ = dump(image_of(case))
    our_code, text, errors = read_here("--json", "case.img")
    ours = json.loads(text)
    theirs["superblock"].pop("state")
    said = ours["superblock"].pop("state")
    problems = differences(theirs, ours, 1 << 32)
    ok(code == 4 and our_code == 1 and said == ["needs_check", "main_print_valid"] and
       not problems, case + ", but for the state", said, errors, *problems)


def one_version(case):
    """One superblock is of a version that does not exist. remap-dump may refuse all of it, the
    reader shows what the others say."""
    if dump(image_of(case))[0] != 8:
        agree("case.img", case, 1)
        return
    status, text, errors = read_here("--json", "case.img")
    ours = json.loads(text)
    ok(status == 1 and len(ours["entries"]) == 300 and
       [copy["verdict"] for copy in ours["copies"]["superblock"]].index("corrupt") == 1,
       case + ": the other four count", errors)


def wiped_group(case):
    """No superblock, and a group of pages wiped out: the table goes on behind it."""
    image_of(case)
    status, text, errors = read_here("--json", "case.img")
    entries = json.loads(text)["entries"]
    ok(status == 1 and entries[-1]["slot"] >= 128 * PAGE_ENTRIES and
       "64 table pages have no good copy (64-127)" in errors, case, errors)
    ok(read_here("--dmtable", "/dev/main", "case.img")[0] == 8, case + ": no table of it")


def forged_layout(case):
    """remap-dump believes what the superblock says of a longer device, of which this may be the
    front; the reader believes the length of the device."""
    image_of(case)
    status, text, errors = read_here("--json", "case.img")
    ours = json.loads(text)
    want = {"spare_sectors": 16384, "table_pages": 3, "pages_used": 3}
    ok(status == 1 and ours["summary"]["mapped"] and
       all(ours["superblock"][name] == value for name, value in want.items()),
       case + ": the reader alone", ours["superblock"], ours["summary"], errors)


def two_page0(case):
    """No superblock, and as many copies of page 0 of one spare as of another."""
    image_of(case)
    status, text, errors = read_here("--json", "case.img")
    ok(status == 8 and "superblock" not in json.loads(text) and "--uuid" in errors,
       case + ": refused, naming --uuid", errors)
    status, text, errors = read_here("--uuid", "77" * 16, "--json", "case.img")
    ok(status == 1 and json.loads(text)["superblock"]["uuid"].startswith("77777777-7777"),
       case + ": read with --uuid", errors)


def undecided(case):
    """Several spares, and nothing proves which one counts: the reader asks."""
    image_of(case)
    theirs = dump("case.img")[1]
    status, text, errors = read_here("--json", "case.img")
    ok(status == 8 and "superblock" not in json.loads(text) and "--uuid" in errors,
       case + ": refused, naming --uuid", errors)
    status, text, errors = read_here("--uuid", theirs["superblock"]["uuid"], "--json", "case.img")
    problems = differences(theirs, json.loads(text), 1 << 32)
    ok(status == 1 and not problems, case + ": the same with --uuid", *(problems + [errors]))


for name in sorted(os.listdir(CORPUS)):
    if name == "page-rival":
        page_rival(name)
    elif name == "sb-forged-huge":
        forged_layout(name)
    elif name == "sb-gone-two-rivals":
        two_page0(name)
    elif name == "sb-gone-group":
        wiped_group(name)
    elif name == "sb-version":
        one_version(name)
    elif name.startswith("sb-undecided"):
        undecided(name)
    else:
        agree(image_of(name), name)
finish()
