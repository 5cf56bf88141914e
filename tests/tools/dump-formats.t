#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The formats of remap-dump against its JSON, which the rescue reader confirms elsewhere: on
empty spares, after imports, with entries of all kinds, for all sizes of blocks, and on spares
that are damaged."""
import collections
import csv
import gzip
import html.parser
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rescue"))
from rescue_lib import *  # noqa: E402,F403

MAIN = "/dev/disk/by-id/main"
VOID = {"meta", "br", "hr"}
LIMIT = 1 << 20


def show(path, *args):
    """remap-dump's exit status, output and messages."""
    done = subprocess.run([os.path.join(BUILD, "remap-dump")] + list(args) + [path],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr.decode()


def fill(image, block_sectors, main_sectors):
    """Runs of neighbours in and against the order of slots, all sorts of masks, the short last
    block, retired slots."""
    whole = (1 << block_sectors) - 1
    last, rest = divmod(main_sectors, block_sectors)
    for nr in range(12):
        image.set_entry(nr, block=1000 + nr, reason=nr % 10, at=1700000000 + nr * 40000)
        image.set_entry(12 + nr, block=2000 - nr)
        image.set_entry(30 + nr, block=100 + nr, mask=(nr * 0x9249 + 5) & whole)
        image.set_entry(50 + nr, block=300 + nr, mask=(nr * 0x5555 + 1) & whole or 1, state=3)
        image.set_entry(70 + nr, block=300 + nr, state=2, at=4294967295)
        image.set_entry(90 + nr, block=3000 + nr, mask=whole)
    image.set_entry(110, block=0, mask=whole & 0x5a5a)
    if rest:
        image.set_entry(111, block=last, mask=(1 << rest) - 2)


def owners_of(theirs):
    """Sector of main -> main, pending, lost, or where on the spare, for those not main's."""
    owner = {}
    for entry in theirs["entries"]:
        for nr in range(entry["sectors"] if entry["state"] != "retired" else 0):
            owner[entry["main_sector"] + nr] = (
                entry["spare_sector"] + nr if not entry["mask"] >> nr & 1 else
                "lost" if entry["state"] == "lost" else "pending")
    return owner


def covers(pieces, end):
    """Pieces (start, count, ...) are all of 0 to END in order, none empty, none overlapping."""
    at = 0
    for piece in pieces:
        if piece[0] != at or piece[1] < 1:
            return False
        at += piece[1]
    return at == end


def check_csv(path, what, theirs):
    out = show(path, "-q", "-F", "csv")[1].decode()
    rows = list(csv.DictReader(out.splitlines()))
    want = [{name: str(value) for name, value in entry.items()} for entry in theirs["entries"]]
    ok(rows == want and out.endswith("\n") and "\r" not in out, what + ": csv", rows[:2], want[:2])
    ok(out.split("\n", 1)[0] == "slot,block,main_sector,spare_sector,sectors,mask,state,reason,"
       "time,generation", what + ": csv: its first line")


def check_badblocks(path, what, theirs):
    bad = [entry for entry in theirs["entries"] if entry["state"] != "retired"]
    for unit_bytes in (512, 1024, 4096, 12288, 1 << 20):
        unit = unit_bytes // SECTOR
        want = sorted({(entry["main_sector"] + nr) // unit for entry in bad
                       for nr in range(entry["sectors"])})
        got = show(path, "-q", "-F", "badblocks", "-b", str(unit_bytes))[1].split()
        ok([int(number) for number in got] == want, "%s: badblocks, %d bytes" %
           (what, unit_bytes), got[:9], want[:9])
    ok(show(path, "-F", "badblocks")[1] == show(path, "-F", "badblocks", "-b", "1024")[1],
       what + ": badblocks: 1024 if nothing is said")
    # There and back again.
    layout = theirs["superblock"]
    block_bytes = layout["block_sectors"] * SECTOR
    new_spare("again.img", 8 << 20, "%ds" % layout["main_sectors"], block_bytes)
    numbers = show(path, "-q", "-F", "badblocks", "-b", str(block_bytes))[1]
    tool("remap-import", "-q", "--strict", "-b", str(block_bytes), "again.img", stdin=numbers)
    ok({entry["block"] for entry in dump("again.img")[1]["entries"]} ==
       {entry["block"] for entry in bad}, what + ": badblocks: imported, it is the same blocks")


def check_mapfile(path, what, theirs):
    lines = show(path, "-q", "-F", "mapfile")[1].decode().splitlines()
    end = theirs["superblock"]["main_sectors"] * SECTOR
    ok(re.match(r"# Mapfile\. Created by ", lines[0]) and lines[1].startswith("# Command line: ")
       and re.match(r"# Start time:   \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\Z", lines[2])
       and lines[4:6] == ["# Finished", "# current_pos  current_status  current_pass"]
       and lines[6] == "0x%08X     +               1" % end
       and lines[7] == "#      pos        size  status", what + ": mapfile: heading", *lines[:8])
    pieces = []
    for line in lines[8:]:
        match = re.match(r"0x([0-9A-F]{8,})  0x([0-9A-F]{8,})  ([+-])\Z", line)
        pieces.append((int(match[1], 16), int(match[2], 16), match[3]) if match else (-1, 0, line))
    ok(covers(pieces, end) and all(a[2] != b[2] for a, b in zip(pieces, pieces[1:])),
       what + ": mapfile: all of main, once, merged", pieces[:9])
    want = {sector for sector, who in owners_of(theirs).items() if who in ("pending", "lost")}
    got = {sector for start, count, status in pieces if status == "-"
           for sector in range(start // SECTOR, (start + count) // SECTOR)}
    ok(got == want and not any(n % SECTOR for piece in pieces for n in piece[:2]),
       what + ": mapfile: what is missing", sorted(got ^ want)[:9])


def check_dmtable(path, what, theirs):
    status, text, errors = show(path, "-q", "-F", "dmtable", "--main", MAIN)
    text = text.decode()
    ok(text == read_here("--dmtable", MAIN, path)[1] and text, what + ": dmtable: the same as "
       "the rescue reader's", errors)
    named = show(path, "-q", "-F", "dmtable", "--main", MAIN, "--spare", "/dev/a b\\c")[1].decode()
    ok(named == text.replace(" linear %s " % path, " linear /dev/a\\ b\\\\c "),
       what + ": dmtable: the spare's name", named[:300])
    pieces = []
    for line in text.splitlines():
        words = line.split(" ")
        pieces.append((int(words[0]), int(words[1])) + tuple(words[2:]))
    ok(covers(pieces, theirs["superblock"]["main_sectors"]), what + ": dmtable: all of main, once")
    owner, wrong = owners_of(theirs), []
    for start, count, target, *place in pieces:
        for sector in range(start, start + count):
            who = owner.get(sector, "main")
            got = "lost" if target == "error" else int(place[1]) + sector - start
            want = sector if who in ("main", "pending") else who
            if got != want or (place and place[0] != (path if isinstance(who, int) else MAIN)):
                wrong.append((sector, who, target, place))
    ok(not wrong, what + ": dmtable: every sector from where it is", *wrong[:5])


class Page(html.parser.HTMLParser):
    """Tags must nest; what a page refers to, its text, and titles in it are kept."""

    def __init__(self, text):
        super().__init__()
        self.open, self.faults, self.words, self.titles = [], [], [], []
        self.tags = collections.Counter()
        self.feed(text)
        self.close()
        if self.open:
            self.faults.append("never closed: %s" % self.open)

    def handle_starttag(self, tag, attributes, closed=False):
        self.tags[tag] += 1
        if tag in ("script", "link", "img", "iframe", "object", "embed", "base", "a", "use",
                   "image", "form"):
            self.faults.append("there is a " + tag)
        for name, value in attributes:
            if name not in ("lang", "charset", "http-equiv", "content", "name", "class", "role",
                            "aria-label", "viewbox", "x", "y", "width", "height", "open",
                            "fill-opacity"):
                self.faults.append("attribute %s=%s" % (name, value))
        if tag not in VOID and not closed:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes, True)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append("</%s> ends nothing" % tag)

    def handle_data(self, data):
        if self.open and self.open[-1] == "title" and "svg" in self.open:
            self.titles.append(data)
        if "style" not in self.open:
            self.words.append(data)


def check_html(path, what, theirs):
    text = show(path, "-q", "-F", "html")[1].decode()
    page = Page(text)
    ok(not page.faults and text.startswith("<!DOCTYPE html>\n") and len(text) < LIMIT,
       what + ": html is well-formed", len(text), *page.faults)
    ok(not re.search(r"https?:|//|url\(|@import|src=|href", text), what + ": html refers to nothing")
    sums = [0, 0, 0]
    for title in page.titles:
        match = re.match(r"sectors \d+ - \d+: (\d+) in slots, (\d+) pending, (\d+) lost\Z", title)
        if match:
            sums = [one + int(match[nr + 1]) for nr, one in enumerate(sums)]
    owner = collections.Counter(who if isinstance(who, str) else "slot"
                                for who in owners_of(theirs).values())
    ok(sums == [owner["slot"], owner["pending"], owner["lost"]], what + ": html: its map",
       sums, owner)
    words = " ".join(page.words)
    counts = theirs["summary"]
    ok(all("%d %s" % (counts[name], word) in words for name, word in (
        ("slots", "slots"), ("mapped", "mapped"), ("pending_sectors", "sectors pending"),
        ("lost_sectors", "sectors lost"), ("retired", "slots retired"), ("free", "slots free"))),
       what + ": html: its numbers", words[:300])


def check_page(path, what, theirs):
    """Pages, their bytes, and the verdicts of all copies."""
    image = Image(path)
    used = image.layout["pages_used"]
    entries = []
    for page in range(min(used, 2)):
        one = json.loads(show(path, "--json", "--page", str(page))[1])["page"]
        entries += one["entries"]
        if page:
            continue
        ok([(copy["copy"], copy["verdict"], copy["defect"]) for copy in one["copies"]] ==
           [(nr, "ok", None) for nr in range(5)] and one["winner"] == 0 and all(
               copy["header"]["uuid"] == image.layout["uuid"] and copy["sector"] * SECTOR ==
               image.place(0, copy["copy"]) for copy in one["copies"]), what + ": --page", one)
        text = show(path, "--page", "0")[1].decode()
        lines = re.findall(r"(?m)^ +(\d+) +(\d+) ([0-9a-f]{4}) (\w+) +(\w+) +(\d+)  ", text)
        ok(lines == [(str(e["slot"]), str(e["block"]), "%04x" % e["mask"], e["state"], e["reason"],
                      str(e["generation"])) for e in one["entries"]], what + ": --page as text",
           text)
    ok(entries == [entry for entry in theirs["entries"] if entry["slot"] < 2 * PAGE_ENTRIES],
       what + ": --page: its entries")
    every = json.loads(show(path, "--json", "--copies")[1])["copies"]["pages"]
    ok([page["page"] for page in every] == list(range(used)) and
       all(page["verdicts"] == ["ok"] * 5 for page in every), what + ": --copies", every[:2])
    ok(len(re.findall(r"(?m)^  page \d+ +ok +ok +ok +ok +ok *$",
                      show(path, "--copies")[1].decode())) == used, what + ": --copies as text")


def check_raw(path, what):
    image = Image(path)
    for name, where, args in (("superblock", "sb", []), ("page 1", 1, ["--page", "1"])):
        show(path, "-q", "--raw", "-o", "raw.bin", *args)
        with open("raw.bin", "rb") as raw:
            ok(raw.read() == image.get(where, 0), "%s: --raw of %s" % (what, name))
        show(path, "-q", "--raw", "--copies", "-o", "raw.bin.gz", *args)
        with gzip.open("raw.bin.gz") as raw:
            ok(raw.read() == b"".join(image.get(where, copy) for copy in range(5)),
               "%s: --raw --copies of %s, compressed" % (what, name))
        lines = show(path, "--raw", *args)[1].decode().splitlines()
        got, at, last = bytearray(), 0, b""
        for line in lines[1:]:
            match = re.match(r"([0-9a-f]{8})(?:  ([0-9a-f ]{48})  \|.{16}\||)\Z", line)
            if match:
                got += last * ((int(match[1], 16) - len(got)) // 16)
                last = bytes.fromhex(match[2] or "")
                got += last
        ok(bytes(got) == image.get(where, 0) and
           lines[0] == "%s, copy 0 at sector %d: ok" % (name, image.place(where, 0) // SECTOR),
           "%s: --raw of %s as text" % (what, name), *lines[:4])


def check_all(path, what):
    code, theirs, errors = dump(path)
    ok(code == 0, what + ": nothing is wrong with it", errors)
    for check in (check_csv, check_badblocks, check_mapfile, check_dmtable, check_html,
                  check_page):
        check(path, what, theirs)


for block_bytes, main_sectors in ((512, 20001), (4096, 80003), (8192, 160015)):
    path = new_spare("s.img", 8 << 20, "%ds" % main_sectors, block_bytes)
    if block_bytes == 4096:
        check_all(path, "empty")
    import_blocks(path, block_bytes, [4000, 4001, 4002, 4999])
    if block_bytes == 4096:
        check_all(path, "imported")
    fill(Image(path), block_bytes // SECTOR, main_sectors)
    check_all(path, "%d-byte blocks, all kinds" % block_bytes)
check_raw(path, "all kinds")

# Compressed is the same.
for form in ("csv", "json", "text", "badblocks"):
    tool("remap-dump", "-q", "-F", form, "-o", "plain", path)
    tool("remap-dump", "-q", "-F", form, "-o", "plain.gz", path)
    with open("plain", "rb") as plain, gzip.open("plain.gz") as packed:
        ok(plain.read() == packed.read() != b"", form + ": compressed, it is the same")

# Text from a disk is text.
image = Image(new_spare("<i>.img", 8 << 20, "80000s", blocks=[7]))
image.set("sb", range(5), label=b"<script>&\"'\x1b\xe2\x80\xae", host_name=b"</table>")
text = show("<i>.img", "-F", "html")[1].decode()
page = Page(text)
ok(not page.faults and "<script>&\"'\\x1b\\xe2\\x80\\xae" in "".join(page.words) and
   "</table>" in "".join(page.words) and "<i>.img" in "".join(page.words),
   "html: text from a disk is escaped", *page.faults)

# Many entries stay a small page, and a list of as many lines.
image = Image(new_spare("many.img", 64 << 20, "400000s", 512,
                        blocks=range(0, 200000, 3)))
ok(len(show("many.img", "-F", "html")[1]) < LIMIT, "html: many entries, small file")
ok(show("many.img", "-q", "-F", "badblocks", "-b", "512")[1] ==
   b"".join(b"%d\n" % block for block in range(0, 200000, 3)), "badblocks: many entries")

# A file system made with the list avoids the blocks.
new_spare("s.img", 8 << 20, "64M", blocks=[4000, 4001, 9000])
tool("remap-dump", "-q", "-F", "badblocks", "-b", "4096", "-o", "bad.txt", "s.img")
os.environ["PATH"] += ":/usr/sbin:/sbin"
subprocess.run(["mke2fs", "-q", "-F", "-b", "4096", "-l", "bad.txt", "fs.img", "64M"], check=True,
               stdout=subprocess.DEVNULL)
done = subprocess.run(["dumpe2fs", "-b", "fs.img"], stdout=subprocess.PIPE,
                      stderr=subprocess.DEVNULL)
ok(done.stdout == b"4000\n4001\n9000\n", "badblocks: mke2fs -l takes the list", done.stdout)

# Damage: shown where it is, with its reason.
image = Image(new_spare("s.img", 8 << 20, "80000s", blocks=range(0, 800, 2)))
image.damage(1, [3], "flip")
image.damage(0, [1], "zero")
image.set(1, [4], uuid=bytes(16))
status, out, errors = show("s.img", "--json", "--page", "1")
one = json.loads(out)["page"]
ok(status == 1 and [copy["verdict"] for copy in one["copies"]] ==
   ["ok", "ok", "ok", "corrupt", "foreign"] and one["copies"][3]["header"] is None and
   one["copies"][3]["defect"] and one["copies"][4]["header"]["uuid"] ==
   "00000000-0000-0000-0000-000000000000", "--page: damaged copies", out)
every = json.loads(show("s.img", "--json", "--copies")[1])["copies"]["pages"]
ok([page["verdicts"].count("ok") for page in every] ==
   [4, 3] + [5] * (len(every) - 2), "--copies: damaged and good ones", every)
status, out, errors = show("s.img", "--raw", "--copies", "--page", "1")
ok(status == 1 and re.search(r"(?m)^page 1, copy 3 at sector \d+: corrupt: .", out.decode()),
   "--raw --copies: damaged copies have their reason", out[:300])

# An entry that breaks the format is shown by --page, with what is wrong.
image.set_entry(5, block=1 << 40)
status, out, errors = show("s.img", "--json", "--page", "0")
bad = [entry for entry in json.loads(out)["page"]["entries"] if "problem" in entry]
ok(status == 4 and [entry["slot"] for entry in bad] == [5] and bad[0]["block"] == 1 << 40,
   "--page: an entry that breaks the format", bad)
ok(re.search(r"(?m)^ +5 +1099511627776 .*  ! .", show("s.img", "--page", "0")[1].decode()),
   "--page: the same as text")

# Cases of the corpus where it matters what is believed: a table is the rescue reader's, or there
# is none, and a page is well-formed.
for case in sorted(case for case in os.listdir(CORPUS) if not case.startswith("sb-")) + \
        ["sb-behind", "sb-gone", "sb-gone-page-lost", "sb-rival"]:
    tool("tests/t_check", "--image", case, os.path.abspath("case.img"), cwd=TOP)
    status, table, errors = show("case.img", "-q", "-F", "dmtable", "--main", MAIN)
    ours = read_here("--dmtable", MAIN, "case.img")
    good = status in (4, 8) and not table and "error" in errors or \
        status in (0, 1) and table.decode() == ours[1] and ours[0] in (0, 1)
    status, text, said = show("case.img", "-q", "-F", "html")
    faults = Page(text.decode()).faults
    ok(good and status in (0, 1, 4, 8) and not faults, case + ": table and page",
       status, errors, ours[2], *faults)
finish()
