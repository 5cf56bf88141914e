# SPDX-License-Identifier: GPL-2.0-only
"""A main and its spare as images, with entries of all kinds and every sector different, and what
each sector of main is to its user: for the tests of remap-restore and remap-recover."""
import atexit
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rescue"))
from rescue_lib import *  # noqa: E402,F401,F403

ALL = range(5)


def run(name, *args, stdin=None, env=None):
    """A tool's exit status, output and messages."""
    done = subprocess.run([os.path.join(BUILD, name)] + [str(arg) for arg in args], input=stdin,
                          env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr.decode()


def run_json(name, *args, env=None):
    status, out, errors = run(name, "--json", *args, env=env)
    return status, json.loads(out), errors


def digest(path):
    with open(path, "rb") as image:
        return zlib.crc32(image.read())


def main_bytes(sector):
    """What main itself has; a third of it is holes, a few sectors are zeroes."""
    if sector // 512 % 3 == 1 or sector % 97 == 5:
        return bytes(SECTOR)
    return (b"main %010d " % sector * 32)[:SECTOR]


def slot_bytes(sector):
    """What a slot has of a sector of main. One in ten has zeroes."""
    if sector % 10 == 3:
        return bytes(SECTOR)
    return (b"slot %010d " % sector * 32)[:SECTOR]


def make_main(path, sectors):
    with open(path, "wb") as image:
        image.truncate(sectors * SECTOR)
        for sector in range(sectors):
            data = main_bytes(sector)
            if data.count(0) != SECTOR or sector % 97 == 5:
                image.seek(sector * SECTOR)
                image.write(data)


def fill_spare(image, block_sectors, main_sectors):
    """Entries: runs with and against the order of slots, all sorts of masks, the short last block,
    neighbours of pending, mapped and lost ones, retired slots."""
    whole = (1 << block_sectors) - 1
    last, rest = divmod(main_sectors, block_sectors)
    for nr in range(12):
        image.set_entry(nr, block=1000 + nr, reason=nr % 10, at=1700000000 + nr * 40000)
        image.set_entry(12 + nr, block=2000 - nr, generation=nr)
        image.set_entry(30 + nr, block=100 + nr, mask=(nr * 0x9249 + 5) & whole)
        image.set_entry(50 + nr, block=300 + nr, mask=(nr * 0x5555 + 1) & whole or 1, state=3)
        image.set_entry(70 + nr, block=300 + nr, state=2, at=4294967295)
        image.set_entry(90 + nr, block=112 + nr, mask=whole)
    image.set_entry(260, block=0, mask=whole & 0x5a5a)
    if rest:
        image.set_entry(261, block=last, mask=(1 << rest) - 2)


class Pair:
    """MAIN and SPARE, the entries of the spare, and what each remapped sector is."""

    def __init__(self, main="main.img", spare="spare.img", main_sectors=20003, block_bytes=4096,
                 spare_bytes=8 << 20):
        self.main, self.spare = main, spare
        self.main_sectors, self.block_sectors = main_sectors, block_bytes // SECTOR
        make_main(main, main_sectors)
        new_spare(spare, spare_bytes, "%ds" % main_sectors, block_bytes, [1])
        image = Image(spare)
        image.set_entry(0)
        fill_spare(image, self.block_sectors, main_sectors)
        self.image = image
        self.entries = dump(spare)[1]["entries"]
        self.owner = {}
        with open(spare, "r+b") as device:
            for entry in self.entries:
                for nr in range(entry["sectors"] if entry["state"] != "retired" else 0):
                    sector = entry["main_sector"] + nr
                    if entry["mask"] >> nr & 1:
                        self.owner[sector] = "lost" if entry["state"] == "lost" else "pending"
                        continue
                    self.owner[sector] = "slot"
                    device.seek((entry["spare_sector"] + nr) * SECTOR)
                    device.write(slot_bytes(sector))

    def bytes_of(self, sector):
        """What reading a sector of the mapped device gives; None is an error."""
        owner = self.owner.get(sector, "main")
        if owner == "lost":
            return None
        return slot_bytes(sector) if owner == "slot" else main_bytes(sector)

    def slot_sector(self, sector):
        """Where on the spare a sector of main is."""
        for entry in self.entries:
            if entry["state"] != "retired" and \
                    0 <= sector - entry["main_sector"] < entry["sectors"]:
                return entry["spare_sector"] + sector - entry["main_sector"]
        raise KeyError(sector)


def bad(path, sectors):
    """An environment in which sectors of a file cannot be read."""
    return dict(os.environ, BAD_FILE=path, BAD_SECTORS=",".join(str(nr) for nr in sectors),
                LD_PRELOAD=os.path.join(BUILD, "tests", "badsectors.so"))


def fill_of(sector):
    text = b"dm-remap: nobody has sector %d of main\n" % sector
    return (text * 32)[:SECTOR]


def areas_of(path):
    """Sectors that a mapfile calls bad; checked by ddrescue's own reader."""
    bad = set()
    done = subprocess.run(["ddrescuelog", "-t", path], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if done.returncode:
        return "ddrescuelog: %s" % done.stderr
    listed = subprocess.run(["ddrescuelog", "-b", "512", "-l", "-", path], stdout=subprocess.PIPE)
    return {int(line) for line in listed.stdout.split()}


def check(what, pair, image, gone, retried=()):
    """IMAGE is the composite, with the fill where nobody has a sector; GONE: sectors that could
    not be read besides those lost."""
    wrong = []
    with open(image, "rb") as data:
        for sector in range(pair.main_sectors):
            want = pair.bytes_of(sector)
            if want is None or sector in gone:
                want = fill_of(sector)
            got = data.read(SECTOR)
            if got != want:
                wrong.append((sector, got[:40], want[:40]))
        wrong += [data.read(1)] if data.read(1) else []
    lost = {sector for sector in pair.owner if pair.owner[sector] == "lost"} | set(gone)
    return ok(not wrong and areas_of(image + ".map") == lost, what, len(wrong), *wrong[:5])


def attach(path):
    """A loop device of an image; None where there are none to be had."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    done = subprocess.run(["losetup", "-f", "--show", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if os.getuid() or done.returncode:
        return None
    atexit.register(subprocess.run, ["losetup", "-d", done.stdout.decode().strip()], stderr=subprocess.DEVNULL)
    return done.stdout.decode().strip()


def detach(device):
    subprocess.run(["losetup", "-d", device], check=True)
