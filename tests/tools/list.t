#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
remap-import's reading of lists against a reference that is slow and plain: random lists of good
and bad lines, in every unit, must give the same number of lines, blank and rejected ones, blocks
and ranges. The lists are the same at every run.
"""
import os
import random
import re
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD") or os.path.join(os.path.dirname(__file__), "../../build")
IMPORT = os.path.join(os.path.abspath(BUILD), "remap-import")
FORMAT = os.path.join(os.path.abspath(BUILD), "remap-format")
MAIN_SECTORS = 1000001  # the last block is short
LISTS = 150
ODD = [b" ", b"\t", b"\r", b"\0", b"-", b"+", b"0x1", b"0" * 30 + b"5", b"18446744073709551615",
       b"18446744073709551616", b"999999999999999999", b"9999999999999999999", b"1 2", b"abc\xff"]


def make_line(rng, unit_bytes):
    kind = rng.randrange(5)
    if kind == 0:
        return str(rng.randrange(MAIN_SECTORS * 512 // unit_bytes + 3)).encode()
    if kind == 1:
        return str(rng.randrange(50)).encode()
    if kind == 2:
        return rng.choice(ODD)
    if kind == 3:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(5)))
    return b""


def make_list(rng, unit_bytes):
    text = b""
    for _ in range(rng.randrange(200)):
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            text += make_line(rng, unit_bytes)
        text += rng.choice([b"\n", b"\n", b"\r\n", b""])
    return text


def reference(text, unit_bytes):
    lines = text.split(b"\n")
    if not lines[-1]:
        lines.pop()
    blank = rejected = 0
    blocks = set()
    for line in lines:
        number = line.strip(b" \t\r\v\f")
        if not number:
            blank += 1
        elif not re.fullmatch(rb"[0-9]+", number) or int(number) >= 2 ** 64 or \
                int(number) * unit_bytes // 512 >= MAIN_SECTORS:
            rejected += 1
        else:
            first = int(number) * unit_bytes // 512
            last = min(first + unit_bytes // 512, MAIN_SECTORS) - 1
            blocks.update(range(first // 8, last // 8 + 1))
    ranges = sum(1 for block in blocks if block - 1 not in blocks)
    return {"lines": len(lines), "blank_lines": blank, "rejected_lines": rejected,
            "blocks": len(blocks), "ranges": ranges}


def main():
    failed = 0
    rng = random.Random(4)
    print("1..%d" % LISTS)
    with tempfile.TemporaryDirectory() as work:
        spare = os.path.join(work, "s.img")
        with open(spare, "wb") as image:
            image.truncate(8 << 20)
        subprocess.run([FORMAT, "-q", "--main-size", "%ds" % MAIN_SECTORS, spare], check=True)
        for nr in range(1, LISTS + 1):
            unit_bytes = rng.choice([512, 1024, 1536, 4096, 65536])
            text = make_list(rng, unit_bytes)
            run = subprocess.run([IMPORT, "--json", "-n", "-t", "badblocks", "-b", str(unit_bytes), spare], input=text,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            want = reference(text, unit_bytes)
            got = {}
            for key in want:
                match = re.search(rb'"%s":([0-9]+)' % key.encode(), run.stdout)
                got[key] = int(match.group(1)) if match else None
            good = got == want
            failed += not good
            print("%sok %d - list %d, %d lines of %d-byte units" %
                  ("" if good else "not ", nr, nr, want["lines"], unit_bytes))
            if not good:
                print("# got  %s, exit status %d\n# want %s" % (got, run.returncode, want))
    return 1 if failed else 0


sys.exit(main())
