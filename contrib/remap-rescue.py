#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Read a dm-remap spare with nothing but Python: for a rescue disk, or as a second opinion.

Written from docs/format.md (the bytes) and docs/check.md (which copy counts when they
contradict each other), without a line of the project's code, so that a mistake in either
shows as a difference between this and remap-dump. Needs Python 3.7 and its standard library,
no root for images, no kernel module. It opens what it is given for reading and writes
nothing but its report.

Quantities are named after their unit: a sector is 512 bytes, a block is what is remapped, a
slot is one block of the spare, a page is 4096 bytes of the slot table.
"""
import argparse
import collections
import datetime
import errno
import json
import os
import re
import stat
import struct
import sys
import unicodedata
import zlib

DONE, LOOK, FAILED, USAGE = 0, 1, 8, 16

SECTOR_BYTES = 512
OBJECT_BYTES = 4096  # a superblock, or a page of the table
OBJECT_SECTORS = OBJECT_BYTES // SECTOR_BYTES
COPIES = 5
SUPER_SECTORS = (0, 1024, 2048, 4096, 8192)
ZONE_START = 10240
MIN_SECTORS = 16384  # the smallest spare
PAGE_ENTRIES = 253
GROUP_PAGES = 64
MAX_SHIFT = 4
MAX_SLOTS = 0xffffffff
MAX_BLOCKS = 1 << 48

SUPER = struct.Struct("<8sII16sQBBHIQQQQIIIIQQQQQQQQ16s64s32s16s64sQII")
PAGE = struct.Struct("<IIQ16sQIBBBB")
ENTRY = struct.Struct("<QIBBBB")
PAGE_MAGIC = 0x50524d44
VERSION = 4

FREE, MAPPED, RETIRED, LOST = range(4)
STATES = ("free", "mapped", "retired", "lost")
REASONS = ("none", "write", "read", "manual", "badblocks", "smart", "import", "scan", "moved",
           "repair")
STATE_BITS = ("in_use", "needs_check", "main_print_valid")
NEEDS_CHECK = 2
IN_USE = 1
NO_UUID = bytes(16)


class Failure(Exception):
    """What ends a run: one message, and the exit status."""

    def __init__(self, text, status=FAILED):
        super().__init__(text)
        self.status = status


def shown(data):
    """Text from a disk or a command line, with all that a terminal might obey as \\xNN."""
    if isinstance(data, str):
        data = os.fsencode(data)
    out = []
    for char in data.decode("utf-8", "surrogateescape"):
        category = unicodedata.category(char)
        if char == "\\" or category in ("Cc", "Cs", "Zl", "Zp") or \
                unicodedata.bidirectional(char) in ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI",
                                                    "RLI", "FSI", "PDI") or \
                char in "\u200e\u200f\u061c":
            out.extend("\\x%02x" % byte for byte in char.encode("utf-8", "surrogateescape"))
        else:
            out.append(char)
    return "".join(out)


def uuid_text(uuid):
    text = uuid.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def crc_matches(raw, at):
    """Is the le32 at offset AT the CRC-32 of RAW with those four bytes taken as zero?"""
    crc = zlib.crc32(raw[at + 4:], zlib.crc32(bytes(4), zlib.crc32(raw[:at])))
    return crc == int.from_bytes(raw[at:at + 4], "little")


class Device:
    """A block device or an image file, open for reading only."""

    def __init__(self, path, what):
        self.path = path
        self.shown = shown(path)
        try:
            mode = os.stat(path).st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISBLK(mode):
                raise Failure("%s %s is neither a block device nor an image file"
                              % (what, self.shown))
            self.fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
            self.sectors = os.lseek(self.fd, 0, os.SEEK_END) // SECTOR_BYTES
        except OSError as err:
            raise Failure("cannot open %s %s: %s" % (what, self.shown, err.strerror)) from None

    def read(self, sector, nr_bytes):
        """Bytes from SECTOR on, or None when not all of them can be read."""
        parts = []
        at = sector * SECTOR_BYTES
        while nr_bytes:
            try:
                part = os.pread(self.fd, nr_bytes, at)
            except OSError:
                return None
            if not part:
                return None
            parts.append(part)
            at += len(part)
            nr_bytes -= len(part)
        return b"".join(parts)

    def read_objects(self, sector, count):
        """COUNT superblocks or pages that follow each other; None for each unreadable one."""
        run = self.read(sector, count * OBJECT_BYTES)
        if run is not None:
            return [run[at:at + OBJECT_BYTES] for at in range(0, len(run), OBJECT_BYTES)]
        return [self.read(sector + at * OBJECT_SECTORS, OBJECT_BYTES) if count > 1 else None
                for at in range(count)]


class Layout:
    """Where pages and slots are. Follows from the length of a zone and the block size."""

    def __init__(self, zone_sectors, shift):
        self.zone_sectors = zone_sectors
        self.shift = shift
        self.block_sectors = 1 << shift
        low, high = 0, MAX_SLOTS // COPIES
        while low < high:
            middle = (low + high + 1) // 2
            if OBJECT_SECTORS * self.pages_for(middle) + middle * self.block_sectors \
                    <= zone_sectors:
                low = middle
            else:
                high = middle - 1
        self.zone_slots = low
        self.slots = COPIES * low
        self.table_pages = self.pages_for(low)

    @staticmethod
    def pages_for(zone_slots):
        return -(-COPIES * zone_slots // PAGE_ENTRIES)

    def page_sector(self, page, copy):
        return ZONE_START + copy * self.zone_sectors + OBJECT_SECTORS * page

    def slot_sector(self, slot):
        zone, index = divmod(slot, self.zone_slots)
        return ZONE_START + zone * self.zone_sectors + OBJECT_SECTORS * self.table_pages + \
            index * self.block_sectors

    def device_pages(self, device_sectors):
        """Pages of which a device of this length has at least the first copy."""
        first = self.page_sector(0, 0)
        return min(self.table_pages, max(0, device_sectors - first) // OBJECT_SECTORS)

    def whole_groups(self, pages):
        """Can so many pages be in use?"""
        return pages == self.table_pages or \
            (pages < self.table_pages and pages % GROUP_PAGES == 0)


def zone_sectors_of(spare_sectors):
    return max(0, (spare_sectors - ZONE_START) // COPIES // OBJECT_SECTORS * OBJECT_SECTORS)


class Superblock:
    """The fields of a superblock, and for one from a disk the contents that copies share."""

    FIELDS = ("magic crc version uuid sequence copy shift state activations main_sectors "
              "spare_sectors zone_start zone_sectors zone_slots table_pages pages_used "
              "reserved feature_compat feature_ro_compat feature_incompat created activated "
              "read_errors write_errors reserved2 main_partuuid main_id label host_id "
              "host_name main_start main_print_first main_print_last").split()

    def __init__(self, raw):
        for name, value in zip(self.FIELDS, SUPER.unpack_from(raw)):
            setattr(self, name, value)
        self.consistent = False  # with itself; set by fault()
        self.contents = raw[12:40] + raw[41:]  # all but magic, crc, copy
        for name in ("main_id", "label", "host_name"):
            setattr(self, name, getattr(self, name).split(b"\0")[0])

    def fault(self, place, device_sectors):
        """Why it does not count in place PLACE of a device so long, or None."""
        if self.copy != place:
            return "it is copy %d" % self.copy
        if self.shift > MAX_SHIFT:
            return "impossible block size"
        layout = Layout(zone_sectors_of(self.spare_sectors), self.shift)
        if (self.zone_start, self.zone_sectors, self.zone_slots, self.table_pages) != \
                (ZONE_START, layout.zone_sectors, layout.zone_slots, layout.table_pages):
            return "its layout contradicts itself"
        if not layout.whole_groups(self.pages_used):
            return "%d pages in use are no whole groups" % self.pages_used
        if not 0 < self.main_sectors <= MAX_BLOCKS << self.shift:
            return "impossible length of main: %d sectors" % self.main_sectors
        self.consistent = True
        if self.spare_sectors > device_sectors:
            return "the spare was %d sectors long, the device has %d" % (self.spare_sectors,
                                                                        device_sectors)
        return None


class PageCopy:
    """A page whose magic, CRC and version are right."""

    __slots__ = ("raw", "sequence", "uuid", "main_sectors", "page", "shift", "copy")

    def __init__(self, raw, header):
        self.raw = raw
        (_, _, self.sequence, self.uuid, self.main_sectors, self.page, _, self.shift,
         self.copy, _) = header

    @property
    def contents(self):
        return self.raw[8:46] + self.raw[47:]  # all but magic, crc, copy

    @property
    def binding(self):
        return self.main_sectors, self.shift


def decode_page(raw, page, copy):
    """The page PAGE, copy COPY, that RAW is, whoever owns it; None when it is not."""
    header = PAGE.unpack_from(raw)
    if header[0] != PAGE_MAGIC or header[5:7] != (page, VERSION) or header[8] != copy or \
            not crc_matches(raw, 4):
        return None
    return PageCopy(raw, header)


class Entry:
    """One entry that is not free. fault: how it breaks the format, or None. doubt: why
    neither the slot nor main can be trusted to have the block, or None."""

    __slots__ = ("slot", "block", "mask", "time", "state", "reason", "generation", "fault",
                 "doubt")

    def __init__(self, slot, fields):
        where, self.time, self.state, self.reason, self.generation, _ = fields
        self.slot = slot
        self.block = where & (MAX_BLOCKS - 1)
        self.mask = where >> 48
        self.fault = self.doubt = None


def newer(one, other):
    """Does generation ONE win over OTHER? Half the range apart, neither does."""
    return 0 < (one - other) % 256 < 128


class Table:
    """The slot table as far as it can be read."""

    def __init__(self, layout, uuid, main_sectors):
        self.layout = layout
        self.uuid = uuid
        self.main_sectors = main_sectors
        self.pages = 0  # pages in use, those behind the superblock's included
        self.verdicts = {}  # page -> five verdicts, where not all are ok
        self.lost_pages = []  # pages without a copy that counts
        self.conflicts = []  # pages with equal sequences and different contents
        self.found = 0  # pages with a copy that counts
        self.page0 = False
        self.hidden = False  # two copies of one page are unreadable
        self.short = False  # one page has fewer than two live copies
        self.bindings = collections.Counter()
        self.entries = []
        self.faults = []  # messages about entries that break the format
        self.contested = []  # blocks

    @property
    def main_blocks(self):
        return -(-self.main_sectors // self.layout.block_sectors)

    def block_sectors(self, block):
        """Length of a block in sectors: the last one may be short."""
        return min(self.layout.block_sectors,
                   self.main_sectors - (block << self.layout.shift))

    def read(self, device, pages_used):
        """Read the pages in use and those behind them (rule 7d), then settle the claims."""
        start, end = 0, self.layout.device_pages(device.sectors)
        while start < end:
            nr = min(GROUP_PAGES, end - start)
            group = [device.read_objects(self.layout.page_sector(start, copy), nr)
                     for copy in range(COPIES)]
            judged = [self.judge(start + at, [run[at] for run in group]) for at in range(nr)]
            if start >= pages_used and not any(winner for winner, _, _ in judged) and \
                    (pages_used != NO_PAGES_KNOWN or not self.goes_on(device, start + nr)):
                break
            for at, (winner, verdicts, conflict) in enumerate(judged):
                self.take(start + at, winner, verdicts, conflict)
            if start >= pages_used and not any(winner and any(winner.raw[PAGE.size:])
                                               for winner, _, _ in judged):
                self.forgive_growth(start, pages_used)
            start += nr
            self.pages = start
        if pages_used != NO_PAGES_KNOWN:
            self.lost_pages += range(end, min(pages_used, self.layout.table_pages))
        self.settle_claims()

    def goes_on(self, device, start):
        """Is there a group of this spare from page START on? With no superblock to say how
        many there are, one that was wiped out is no end. Its ends stand for a group."""
        for first in range(start, self.layout.table_pages, GROUP_PAGES):
            last = min(first + GROUP_PAGES, self.layout.table_pages) - 1
            for page in (first, last):
                if self.judge(page, [device.read_objects(self.layout.page_sector(page, copy), 1)[0]
                                     for copy in range(COPIES)])[0]:
                    return True
        return False

    def judge(self, page, raws):
        """The copy of a page that counts, the verdicts on all five, whether equals differ."""
        copies, verdicts = [], []
        for copy, raw in enumerate(raws):
            found, verdict = None, "unreadable"
            if raw is not None:
                found = decode_page(raw, page, copy)
                verdict = "corrupt" if not found else \
                    "foreign" if found.uuid != self.uuid else None
                if verdict is None:
                    self.bindings[found.binding] += 1
                    if found.binding != (self.main_sectors, self.layout.shift):
                        verdict = "corrupt"
            copies.append(None if verdict else found)
            verdicts.append(verdict)
        valid = [found for found in copies if found]
        if not valid:
            return None, verdicts, False
        sequence = max(found.sequence for found in valid)
        newest = [found for found in valid if found.sequence == sequence]
        versions = collections.Counter(found.contents for found in newest)
        winner = max(newest, key=lambda found: (versions[found.contents], -found.copy))
        for copy, found in enumerate(copies):
            if found:
                verdicts[copy] = "ok" if found.sequence == sequence else "stale"
        return winner, verdicts, len(versions) > 1

    def take(self, page, winner, verdicts, conflict):
        if any(verdict != "ok" for verdict in verdicts):
            self.verdicts[page] = verdicts
        self.hidden |= verdicts.count("unreadable") > 1
        self.short |= verdicts.count("ok") < 2
        if conflict:
            self.conflicts.append(page)
        if not winner:
            self.lost_pages.append(page)
            return
        self.found += 1
        self.page0 |= page == 0
        body = winner.raw[PAGE.size:]
        if not any(body):
            return
        for slot, fields in enumerate(ENTRY.iter_unpack(body), page * PAGE_ENTRIES):
            if any(fields):
                self.take_entry(slot, fields)

    def forgive_growth(self, start, pages_used):
        """Missing pages of a group that a superblock does not know, and that holds nothing,
        are a growth cut short. Without a superblock they may as well have been destroyed."""
        if pages_used != NO_PAGES_KNOWN:
            self.lost_pages = [page for page in self.lost_pages if page < start]

    def take_entry(self, slot, fields):
        entry = Entry(slot, fields)
        faults = []
        if slot >= self.layout.slots:
            self.faults.append("slot %d: an entry behind the last slot, %d"
                               % (slot, self.layout.slots - 1))
            return
        beyond = entry.block >= self.main_blocks
        if entry.state == FREE:
            faults.append("a free entry that is not zero")
            entry.doubt = "its entry is free, but not zero"
        elif entry.state > LOST:
            faults.append("unknown state %d" % entry.state)
            entry.doubt = "its entry has the unknown state %d" % entry.state
        if fields[5]:
            faults.append("reserved byte %#x" % fields[5])
        if entry.reason >= len(REASONS):
            faults.append("unknown reason %d" % entry.reason)
        if beyond:
            faults.append("block %d of a main of %d blocks" % (entry.block, self.main_blocks))
        elif entry.state in (MAPPED, LOST):
            mask = (1 << self.block_sectors(entry.block)) - 1
            if entry.mask & ~mask:
                faults.append("mask %#x for %d sectors"
                              % (entry.mask, self.block_sectors(entry.block)))
                entry.mask &= mask
        if entry.state == RETIRED and entry.mask:
            faults.append("retired, with the mask %#x" % entry.mask)
        if entry.state == LOST and not entry.mask:
            faults.append("lost, but names no lost sector")
            entry.state = MAPPED
        if faults:
            entry.fault = ", ".join(faults)
            self.faults.append("slot %d: %s" % (slot, entry.fault))
            if beyond:
                return
        self.entries.append(entry)

    def settle_claims(self):
        """Of several claims of a block the one that is newer than all others is right."""
        claims = collections.defaultdict(list)
        for entry in self.entries:
            if entry.state != RETIRED:
                claims[entry.block].append(entry)
        for block, rivals in claims.items():
            if len(rivals) == 1:
                continue
            best = [one for one in rivals if all(one is other or
                    newer(one.generation, other.generation) for other in rivals)]
            for entry in rivals:
                if not best:
                    entry.doubt = "%d slots claim it with equal rights" % len(rivals)
                elif entry is not best[0]:
                    entry.state = RETIRED
                    entry.mask = 0
            if not best:
                self.contested.append(block)

    def good_entries(self):
        return (entry for entry in self.entries if not entry.fault)


# What is wrong with a superblock that is marked.
MARKS = {b"DMRERASE": "its erasure was cut short: half of its table is left at best",
         b"DMRMAKES": "it was to replace another spare, which is whole still",
         b"DMRTAKES": "it takes over from another spare, and that was cut short: remap-setup "
                      "replace-spare finishes it"}

# Instead of a count of pages in use: there is no superblock to know it.
NO_PAGES_KNOWN = -1


class Spare:
    """Everything that is to be said about a spare."""

    def __init__(self, device, options, messages):
        self.device = device
        self.options = options
        self.messages = messages  # of (level, text); a note is no damage
        self.super_verdicts = []
        self.super_faults = []
        self.sb = None
        self.layout = None
        self.table = None
        self.damaged = False

    def say(self, level, text):
        self.messages.append((level, "%s: %s" % (self.device.shown, text)))
        if level != "note":
            self.damaged = True

    # Superblocks

    def load(self):
        valid, hints = self.read_superblocks()
        chosen = self.choose_uuid(valid) if self.options.uuid else valid
        if chosen:
            self.choose(chosen)
        else:
            self.rebuild(hints)
        self.judge_superblocks(valid)
        self.rebind()
        self.load_in_memory()
        self.sum_up()

    def load_in_memory(self):
        """What a read-only load changes in the superblock, in memory (rules 3 and 7)."""
        table = self.table
        refused = self.damaged or table.conflicts or table.faults or table.contested or any(
            page < self.sb.pages_used for page in table.lost_pages)
        if not refused and (table.short or self.sb.state & IN_USE and table.hidden):
            self.sb.state |= NEEDS_CHECK
        self.sb.pages_used = table.pages

    def read_superblocks(self):
        """Superblocks that count, by place, and those of which only the checksum is right."""
        valid, hints = {}, []
        self.super_verdicts = ["unreadable"] * COPIES
        self.super_faults = [None] * COPIES
        for place, sector in enumerate(SUPER_SECTORS):
            raw = self.device.read_objects(sector, 1)[0]
            if raw is None:
                continue
            self.super_verdicts[place] = "corrupt"
            if raw[:8] in MARKS and crc_matches(b"DMREMAP4" + raw[8:], 8):
                self.super_faults[place] = MARKS[raw[:8]]
                continue
            if raw[:8] != b"DMREMAP4":
                self.super_faults[place] = "no superblock"
                continue
            if not crc_matches(raw, 8):
                self.super_faults[place] = "wrong checksum"
                continue
            sb = Superblock(raw)
            if sb.version != VERSION:
                self.super_faults[place] = "version %d" % sb.version
                continue
            self.super_faults[place] = sb.fault(place, self.device.sectors)
            if self.super_faults[place]:
                hints.append(sb)
            else:
                valid[place] = sb
        hints.sort(key=lambda sb: sb.sequence, reverse=True)
        return valid, hints

    def choose_uuid(self, valid):
        wanted = self.options.uuid
        chosen = {place: sb for place, sb in valid.items() if sb.uuid == wanted}
        if valid and not chosen:
            raise Failure("%s: no superblock is of %s, but there are some of %s"
                          % (self.device.shown, uuid_text(wanted),
                             ", ".join(sorted({uuid_text(sb.uuid) for sb in valid.values()}))))
        return chosen

    def choose(self, valid):
        """Which spare, then which version of its superblock (docs/check.md)."""
        spares = {}
        for _, sb in sorted(valid.items()):
            spares.setdefault(sb.uuid, []).append(sb)
        newest = {uuid: self.choose_version(sbs) for uuid, sbs in spares.items()}
        highest = max(newest.values(), key=lambda sb: sb.sequence)
        tables = {}
        for uuid, sb in newest.items():
            self.refuse_features(sb, len(newest) > 1)
            tables[uuid] = self.read_table(sb)
        uuid = highest.uuid if len(newest) == 1 else self.choose_spare(highest, newest, tables)
        self.sb = newest[uuid]
        self.table = tables[uuid]
        self.layout = self.table.layout

    def refuse_features(self, sb, rivals):
        if sb.feature_incompat and not rivals:
            raise Failure("%s was made by a newer version: unknown incompatible features %#x"
                          % (self.device.shown, sb.feature_incompat))

    def choose_version(self, sbs):
        sequence = max(sb.sequence for sb in sbs)
        newest = [sb for sb in sbs if sb.sequence == sequence]
        versions = collections.Counter(sb.contents for sb in newest)
        if len(versions) == 1:
            return newest[0]
        self.say("error", "superblocks with the sequence %d differ; one of %d versions is shown"
                 % (sequence, len(versions)))
        agrees = {sb.contents: self.read_table(sb).found > 0 for sb in newest}
        return max(newest, key=lambda sb: (agrees[sb.contents], versions[sb.contents],
                                           -sb.copy))

    def read_table(self, sb):
        table = Table(Layout(sb.zone_sectors, sb.shift), sb.uuid, sb.main_sectors)
        table.read(self.device, sb.pages_used)
        return table

    def choose_spare(self, highest, newest, tables):
        names = ", ".join("%s (sequence %d, %d pages)" % (uuid_text(sb.uuid), sb.sequence,
                                                         tables[sb.uuid].found)
                          for sb in sorted(newest.values(), key=lambda sb: -sb.sequence))
        owners = [uuid for uuid in newest if tables[uuid].found]
        whole = [uuid for uuid in owners
                 if not any(page < newest[uuid].pages_used for page in tables[uuid].lost_pages)]
        chosen = None
        if not owners:
            chosen = highest.uuid
        elif len(owners) == 1:
            if owners[0] == highest.uuid or tables[owners[0]].page0:
                chosen = owners[0]
            elif not highest.pages_used:
                chosen = highest.uuid
        elif len(whole) == 1:
            chosen = whole[0]
        if chosen is None:
            raise Failure("%s: superblocks of several spares, and nothing proves which one "
                          "counts: %s; choose one with --uuid" % (self.device.shown, names))
        self.say("error", "superblocks of several spares: %s; %s is shown, --uuid chooses "
                 "another" % (names, uuid_text(chosen)))
        return chosen

    def judge_superblocks(self, valid):
        for place, sb in valid.items():
            self.super_verdicts[place] = \
                "foreign" if sb.uuid != self.sb.uuid else \
                "stale" if sb.sequence < self.sb.sequence else "ok"

    # No superblock

    def rebuild(self, hints):
        """Find the layout by page 0, the binding in it; the rest from a superblock whose
        checksum holds, or not at all."""
        for marked in MARKS.values():
            if marked in self.super_faults:
                raise Failure("%s is no dm-remap spare now: %s" % (self.device.shown, marked))
        versions = [fault for fault in self.super_faults if fault and fault.startswith("version")]
        if versions:
            raise Failure("%s was made by another version of the format: %s, this reads version %d"
                          % (self.device.shown, versions[0], VERSION))
        if self.options.uuid:
            hints = [sb for sb in hints if sb.uuid == self.options.uuid]
        self.device_zone_sectors = zone_sectors_of(self.device.sectors)
        page0, zone_sectors = self.find_page0(hints)
        hint = next((sb for sb in hints if not page0 or sb.uuid == page0.uuid), None)
        if not page0 and hint and hint.consistent:
            zone_sectors = hint.zone_sectors
        elif not page0 and (not hint or hint.pages_used or hint.shift > MAX_SHIFT):
            self.give_up(hints)
        if hint:
            self.refuse_features(hint, False)
        self.sb = hint or Superblock(bytes(OBJECT_BYTES))
        own = (self.sb.spare_sectors, self.sb.zone_sectors, self.sb.pages_used)
        if page0:
            self.sb.uuid = page0.uuid
            self.sb.main_sectors, self.sb.shift = page0.binding
        if not hint:
            self.sb.state = IN_USE  # who knows
        self.layout = Layout(zone_sectors, self.sb.shift)
        if zone_sectors == self.device_zone_sectors:
            self.sb.spare_sectors = self.device.sectors
        elif zone_sectors_of(own[0]) != zone_sectors:
            self.sb.spare_sectors = max(ZONE_START + COPIES * zone_sectors, MIN_SECTORS)
        self.sb.zone_start = ZONE_START
        self.sb.zone_sectors = zone_sectors
        self.sb.zone_slots = self.layout.zone_slots
        self.sb.table_pages = self.layout.table_pages
        known = hint and self.layout.whole_groups(own[2])
        self.table = Table(self.layout, self.sb.uuid, self.sb.main_sectors)
        self.table.read(self.device, own[2] if known else NO_PAGES_KNOWN)
        if hint:
            self.say("error", "no superblock is valid; the layout was found again, the rest is "
                     "of one whose checksum holds (%s)"
                     % next(fault for fault in self.super_faults if fault))
        else:
            self.say("error", "no superblock is valid; shown is what the pages tell: label, "
                     "identity of main and counters are gone")
        if self.sb.spare_sectors > self.device.sectors:
            self.say("error", "the spare was %d sectors long, the device has %d: slots behind "
                     "its end are gone" % (self.sb.spare_sectors, self.device.sectors))

    def page0_at(self, sector, copy):
        """A copy of page 0 that may be followed, or None."""
        raw = self.device.read_objects(sector, 1)[0]
        found = raw and decode_page(raw, 0, copy)
        if not found or found.shift > MAX_SHIFT or not found.main_sectors:
            return None
        return None if self.options.uuid not in (None, found.uuid) else found

    def find_page0(self, hints):
        """Page 0 and the length of a zone, as docs/check.md says; (None, guess) if there is
        no page 0."""
        lengths = [self.device_zone_sectors]
        for sb in hints:
            lengths += [sb.zone_sectors, zone_sectors_of(sb.spare_sectors)]
        first = self.page0_at(ZONE_START, 0)
        best = None
        for length in dict.fromkeys(lengths):
            if not length or length % OBJECT_SECTORS:
                continue
            found = [self.page0_at(ZONE_START + copy * length, copy)
                     for copy in range(1, COPIES)]
            pages = [page for page in found + [first] if page]
            if any(found) and (not best or len(pages) > best[0]):
                best = (len(pages), self.best_page0(pages), length)
        if best:
            return best[1:]
        if self.options.search or first or hints or self.zone0_has_pages():
            found = self.search()
            if found:
                return found
        if first:
            self.say("error", "no page 0 but in zone 0: the layout is a guess from the length "
                     "of the device, right only if that is the length that was formatted")
        return first, self.device_zone_sectors

    def best_page0(self, pages):
        """Of copies of page 0 the newest of the spare that has most of them."""
        copies = collections.Counter(page.uuid for page in pages).most_common(2)
        if len(copies) > 1 and copies[0][1] == copies[1][1]:
            raise Failure("%s: no superblock is valid, and page 0 is there of several spares, "
                          "%s and %s; choose one with --uuid"
                          % (self.device.shown, uuid_text(copies[0][0]), uuid_text(copies[1][0])))
        return max((page for page in pages if page.uuid == copies[0][0]),
                   key=lambda page: page.sequence)

    def zone0_has_pages(self):
        for page, raw in enumerate(self.device.read_objects(ZONE_START, GROUP_PAGES)):
            if raw and decode_page(raw, page, 0):
                return True
        return False

    def search(self):
        """Read all of the device: two copies of page 0 of one spare, at distances that agree,
        tell the length of a zone."""
        chunk = 256
        needle = struct.pack("<IB", 0, VERSION)
        places = collections.defaultdict(dict)  # (uuid, zone length) -> copy -> page
        zone0 = {}
        for start in range(ZONE_START, self.device.sectors - OBJECT_SECTORS + 1,
                           chunk * OBJECT_SECTORS):
            count = min(chunk, (self.device.sectors - start) // OBJECT_SECTORS)
            for at, raw in enumerate(self.device.read_objects(start, count)):
                if not raw or raw[40:45] != needle or raw[46] >= COPIES:
                    continue
                copy, offset = raw[46], at * OBJECT_SECTORS + start - ZONE_START
                page = self.page0_at(start + at * OBJECT_SECTORS, copy)
                if page and copy == 0 and offset == 0:
                    zone0[page.uuid] = page
                elif page and copy and offset % (copy * OBJECT_SECTORS) == 0:
                    places[page.uuid, offset // copy][copy] = page
        best = None
        for (uuid, length), pages in places.items():
            pages = dict(pages)
            if uuid in zone0:
                pages[0] = zone0[uuid]
            if len(pages) > 1 and (not best or len(pages) > best[0]):
                best = (len(pages), self.best_page0(list(pages.values())), length)
        return best and best[1:]

    def give_up(self, hints):
        if hints or self.zone0_has_pages():
            raise Failure("%s is a dm-remap spare, but it has no superblock that counts and no "
                          "page 0 that proves a layout%s"
                          % (self.device.shown, "" if self.options.search else
                             "; --search looks for one on all of the device"))
        if "unreadable" in self.super_verdicts and self.device.sectors > max(SUPER_SECTORS):
            raise Failure("%s: no superblock can be read, and nothing of dm-remap is where "
                          "pages would be" % self.device.shown)
        raise Failure("%s is not a dm-remap spare: nothing of dm-remap is on it%s"
                      % (self.device.shown, "" if self.options.search else
                         " where it should be (--search reads all of it)"))

    # What the pages say about the superblock

    def rebind(self):
        """All pages name another main or block size than the superblock: they are right."""
        table = self.table
        if table.found or len(table.bindings) != 1 or not self.sb.pages_used:
            return
        (main_sectors, shift), = table.bindings
        if shift > MAX_SHIFT or not main_sectors:
            return
        self.say("error", "the superblock is for a main of %d sectors in blocks of %d bytes, all "
                 "pages for one of %d sectors in blocks of %d bytes: the pages are followed"
                 % (self.sb.main_sectors, SECTOR_BYTES << self.sb.shift, main_sectors,
                    SECTOR_BYTES << shift))
        self.sb.main_sectors, self.sb.shift = main_sectors, shift
        self.layout = Layout(self.sb.zone_sectors, shift)
        self.sb.zone_slots = self.layout.zone_slots
        self.sb.table_pages = self.layout.table_pages
        self.table = Table(self.layout, self.sb.uuid, main_sectors)
        self.table.read(self.device, min(self.sb.pages_used, self.layout.table_pages))

    def sum_up(self):
        table = self.table
        bad = sum(verdict != "ok" for verdict in self.super_verdicts)
        if bad:
            self.say("warning", "%d of %d superblocks are not good" % (bad, COPIES))
        if table.verdicts:
            self.say("warning", "%d of %d table pages have copies that are not good"
                     % (len(table.verdicts), table.pages))
        if table.lost_pages:
            self.say("error", "%d table pages have no good copy (%s): which blocks their slots "
                     "stand in for is not known" % (len(table.lost_pages),
                                                    ranges_text(table.lost_pages)))
        for page in table.conflicts:
            self.say("error", "page %d: copies with one sequence differ; the version that most "
                     "copies have is shown" % page)
        for fault in table.faults:
            self.say("error", fault + ": breaks the format, left out")
        for block in table.contested:
            self.say("error", "block %d is claimed by several slots with equal rights" % block)
        if self.sb.state & NEEDS_CHECK:
            self.say("warning", "marked as needing a check")
        if self.sb.state & ~((1 << len(STATE_BITS)) - 1):
            self.say("note", "unknown state bits %#x" % self.sb.state)


def ranges_text(numbers):
    """Sorted numbers as 1-4, 7."""
    runs = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join("%d" % a if a == b else "%d-%d" % (a, b) for a, b in runs)


# What is printed


def json_uuid(uuid):
    return None if uuid == NO_UUID else uuid_text(uuid)


def superblock_object(sb):
    return {
        "uuid": json_uuid(sb.uuid), "label": shown_bytes(sb.label),
        "sequence": str(sb.sequence), "activations": sb.activations,
        "block_sectors": 1 << sb.shift, "main_sectors": sb.main_sectors,
        "spare_sectors": sb.spare_sectors, "zone_start": sb.zone_start,
        "zone_sectors": sb.zone_sectors, "zone_slots": sb.zone_slots,
        "table_pages": sb.table_pages, "pages_used": sb.pages_used,
        "state": [name for bit, name in enumerate(STATE_BITS) if sb.state >> bit & 1],
        "created": sb.created, "activated": sb.activated,
        "main_partuuid": json_uuid(sb.main_partuuid), "main_id": shown_bytes(sb.main_id),
        "main_start": sb.main_start,
        "host_id": None if sb.host_id == NO_UUID else sb.host_id.hex(),
        "host_name": shown_bytes(sb.host_name),
        "read_errors": sb.read_errors, "write_errors": sb.write_errors,
        "main_print": [sb.main_print_first, sb.main_print_last],
        "feature_compat": str(sb.feature_compat),
        "feature_ro_compat": str(sb.feature_ro_compat),
    }


def copies_object(spare):
    return {
        "superblock": [{"copy": copy, "sector": sector, "verdict": verdict} for
                       copy, (sector, verdict) in
                       enumerate(zip(SUPER_SECTORS, spare.super_verdicts))],
        "pages": [{"page": page, "verdicts": verdicts} for page, verdicts in
                  sorted(spare.table.verdicts.items())],
    }


def entry_object(table, entry):
    return {
        "slot": entry.slot, "block": entry.block,
        "main_sector": entry.block << table.layout.shift,
        "spare_sector": table.layout.slot_sector(entry.slot),
        "sectors": table.block_sectors(entry.block), "mask": entry.mask,
        "state": STATES[entry.state], "reason": REASONS[entry.reason], "time": entry.time,
        "generation": entry.generation,
    }


def summary_object(table):
    count = collections.Counter()
    for entry in table.good_entries():
        count[entry.state] += 1
        count[-entry.state] += bin(entry.mask).count("1")
    return {
        "slots": table.layout.slots, "mapped": count[MAPPED],
        "pending_sectors": count[-MAPPED], "lost_sectors": count[-LOST],
        "retired": count[RETIRED],
        "free": table.layout.slots - count[MAPPED] - count[RETIRED] - count[LOST],
    }


def print_json(spare, messages, status, out):
    """The members of remap-dump's JSON, in its order; one entry a line."""
    def text(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    out.write('{"tool":"remap-rescue","format_version":1')
    if spare and spare.table:
        out.write(',"superblock":%s\n,"copies":%s\n,"entries":['
                  % (text(superblock_object(spare.sb)), text(copies_object(spare))))
        between = "\n"
        for entry in spare.table.good_entries():
            out.write(between + text(entry_object(spare.table, entry)))
            between = "\n,"
        out.write(']\n,"summary":%s' % text(summary_object(spare.table)))
    out.write(',"messages":%s,"exit_status":%d}\n'
              % (text([{"level": level, "text": message} for level, message in messages]),
                 status))


def print_text(spare, out):
    sb, table = spare.sb, spare.table
    summary = summary_object(table)

    def line(name, value):
        out.write("  %-17s%s\n" % (name, value))

    out.write("Spare %s\n" % spare.device.shown)
    line("label", shown_bytes(sb.label) or "-")
    line("uuid", uuid_text(sb.uuid))
    line("length", size_text(sb.spare_sectors))
    line("block size", "%d bytes" % (SECTOR_BYTES << sb.shift))
    line("layout", "5 zones of %d sectors from %d, %d slots in each, %d pages in a table"
         % (sb.zone_sectors, sb.zone_start, sb.zone_slots, sb.table_pages))
    line("state", ", ".join(superblock_object(sb)["state"]) or "-")
    line("formatted", time_text(sb.created))
    line("last activated", "%s, by %s (%d activations)"
         % (time_text(sb.activated), shown_bytes(sb.host_name) or "-", sb.activations))
    line("sequence", sb.sequence)
    line("errors of main", "%d read, %d write" % (sb.read_errors, sb.write_errors))
    out.write("\nMain\n")
    line("length", size_text(sb.main_sectors))
    line("disk", shown_bytes(sb.main_id) or "-")
    line("starts at sector", sb.main_start)
    line("partuuid", json_uuid(sb.main_partuuid) or "-")

    out.write("\nSuperblocks\n")
    for copy, sector in enumerate(SUPER_SECTORS):
        fault = spare.super_faults[copy]
        line("sector %d" % sector,
             spare.super_verdicts[copy] + (" (%s)" % fault if fault else ""))
    out.write("\nPages with copies that are not good (%d of %d in use)\n"
              % (len(table.verdicts), table.pages))
    for page, verdicts in sorted(table.verdicts.items()):
        line("page %d" % page, " ".join("%-10s" % verdict for verdict in verdicts).rstrip())

    out.write("\nEntries\n")
    out.write("        slot  spare sector   main sector sectors state    reason     gen  since"
              "                    mask\n")
    for entry in table.good_entries():
        out.write("  %10d %13d %13d %7d %-8s %-10s %3d  %s  %s\n" % (
            entry.slot, table.layout.slot_sector(entry.slot),
            entry.block << table.layout.shift, table.block_sectors(entry.block),
            STATES[entry.state], REASONS[entry.reason], entry.generation,
            time_text(entry.time), mask_text(table, entry)))

    out.write("\nSummary\n")
    line("slots", summary["slots"])
    line("mapped", "%d (%d sectors pending: only on main)"
         % (summary["mapped"], summary["pending_sectors"]))
    line("lost", "%d (%d sectors that nobody has)"
         % (summary["slots"] - summary["free"] - summary["mapped"] - summary["retired"],
            summary["lost_sectors"]))
    line("retired", summary["retired"])
    line("free", summary["free"])


def mask_text(table, entry):
    """The sectors of main that are pending or lost."""
    if not entry.mask:
        return "-"
    first = entry.block << table.layout.shift
    return {MAPPED: "pending ", LOST: "lost "}[entry.state] + ranges_text(
        [first + bit for bit in range(1 << MAX_SHIFT) if entry.mask >> bit & 1])


def shown_bytes(data):
    return shown(os.fsdecode(data))


def size_text(sectors):
    size, unit = sectors * SECTOR_BYTES, 0
    while size >= 1024 and unit < 5:
        size, unit = size / 1024, unit + 1
    return "%.4g %s (%d sectors)" % (size, ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")[unit],
                                     sectors)


def time_text(seconds):
    if not seconds:
        return "%-23s" % "never"
    try:
        return datetime.datetime.fromtimestamp(
            seconds, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return "%d s after 1970" % seconds


# Device mapper


def owner_of(table, spare_sectors, entry, bit):
    """Who has sector BIT of the block of an entry: ("main"|"spare", sector) or ("error", 0)."""
    lost = entry.state == LOST and entry.mask >> bit & 1
    if entry.doubt or lost:
        return "error", 0
    if entry.mask >> bit & 1:
        return "main", (entry.block << table.layout.shift) + bit
    sector = table.layout.slot_sector(entry.slot) + bit
    return ("spare", sector) if sector < spare_sectors else ("error", 0)


def pieces(table, spare_sectors):
    """All of main in order, as [first sector, sectors, who, where there], merged."""
    merged = []

    def add(start, count, who, where):
        if not count:
            return
        if merged and merged[-1][2] == who and \
                (who == "error" or merged[-1][3] + merged[-1][1] == where):
            merged[-1][1] += count
        else:
            merged.append([start, count, who, where])

    claims = {}
    for entry in table.entries:
        if entry.state != RETIRED and (entry.doubt or entry.block not in claims):
            claims[entry.block] = entry
    at = 0
    for block in sorted(claims):
        first = block << table.layout.shift
        add(at, first - at, "main", at)
        for bit in range(table.block_sectors(block)):
            add(first + bit, 1, *owner_of(table, spare_sectors, claims[block], bit))
        at = first + table.block_sectors(block)
    add(at, table.main_sectors - at, "main", at)
    return merged


def dm_name(path):
    """A path as a word of a table: device mapper splits at blanks and knows backslashes."""
    return re.sub(r"([\s\\])", r"\\\1", path)


def print_dmtable(spare, main_path, out):
    table = spare.table
    if os.path.exists(main_path):
        main = Device(main_path, "main")
        if os.path.samefile(main_path, spare.device.path):
            raise Failure("%s is named both as main and as spare" % main.shown)
        if main.sectors < table.main_sectors:
            raise Failure("main %s has %d sectors, but this spare is for a main of %d sectors"
                          % (main.shown, main.sectors, table.main_sectors))
    else:
        spare.say("note", "main %s is not here: its length was not checked" % shown(main_path))
    if table.lost_pages and not spare.options.accept_lost_pages:
        raise Failure("%s: %d table pages are lost, so that some blocks would be read from main "
                      "that stand in slots, with old data; --accept-lost-pages prints the table "
                      "nevertheless" % (spare.device.shown, len(table.lost_pages)))
    for entry in table.entries:
        if entry.doubt and entry.state != RETIRED:
            spare.say("error", "slot %d, block %d: %s; the block is an error in the table"
                      % (entry.slot, entry.block, entry.doubt))
    names = {"main": dm_name(main_path), "spare": dm_name(spare.device.path)}
    for start, count, who, where in pieces(table, spare.device.sectors):
        if who == "error":
            out.write("%d %d error\n" % (start, count))
        else:
            out.write("%d %d linear %s %d\n" % (start, count, names[who], where))


# The command line


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Failure("%s (try --help)" % message, USAGE)


def uuid_argument(text):
    digits = text.replace("-", "")
    if not re.match(r"[0-9a-fA-F]{32}\Z", digits):
        raise argparse.ArgumentTypeError("%s is no uuid" % shown(text))
    return bytes.fromhex(digits)


def parse(argv):
    parser = Parser(
        prog="remap-rescue.py", allow_abbrev=False,
        description="Show what is on SPARE, a spare of dm-remap, without dm-remap. Nothing is "
        "ever written to it.",
        epilog="Exit status: 0 all is well; 1 something is damaged, and said; 8 not a spare, or "
        "it cannot be read; 16 usage. Example: remap-rescue.py --dmtable /dev/sdb /dev/sdc1 | "
        "dmsetup create --readonly rescued")
    parser.add_argument("spare", metavar="SPARE", help="block device or image file")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="print what remap-dump -F json does")
    what.add_argument("--dmtable", metavar="MAIN",
                      help="print a device-mapper table with which any kernel serves what MAIN "
                      "and SPARE have together: sectors that nobody has are errors")
    parser.add_argument("--accept-lost-pages", action="store_true",
                        help="with --dmtable: where pages of the slot table are lost, read main")
    parser.add_argument("--uuid", type=uuid_argument,
                        help="show this spare, where there are traces of several")
    parser.add_argument("--search", action="store_true",
                        help="look for the slot table on all of the device")
    parser.add_argument("-V", "--version", action="version",
                        version="remap-rescue.py, for version %d of the format" % VERSION)
    return parser.parse_args(argv)


def run(argv, out):
    """Return: exit status."""
    options = spare = None
    messages = []
    try:
        options = parse(argv)
        spare = Spare(Device(options.spare, "spare"), options, messages)
        spare.load()
        if options.dmtable is not None:
            print_dmtable(spare, options.dmtable, out)
        elif not options.json:
            print_text(spare, out)
        status = LOOK if spare.damaged else DONE
    except Failure as failure:
        status = failure.status
        messages.append(("error", str(failure)))
    if options and options.json:
        print_json(spare, messages, status, out)
    for level, text in messages:
        print("remap-rescue.py: %s: %s" % (level, text), file=sys.stderr)
    out.flush()
    return status


def main():
    sys.stderr.reconfigure(errors="backslashreplace")
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    try:
        return run(sys.argv[1:], sys.stdout)
    except OSError as err:
        # Python would try to flush once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if err.errno != errno.EPIPE:
            print("remap-rescue.py: error: cannot write the report: %s" % err.strerror,
                  file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 128 + 2


if __name__ == "__main__":
    sys.exit(main())
