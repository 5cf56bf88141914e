# SPDX-License-Identifier: GPL-2.0-only
"""For the tests of the rescue reader: TAP, images and damage to them, the reader next to
remap-dump.

The layout is worked out here once more, from what remap-dump prints about an image, so that
damage goes to the right place without asking the reader that is tested.
"""
import atexit
import importlib.util
import io
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.abspath(os.environ.get("BUILD", os.path.join(TOP, "build")))
READER = os.path.join(TOP, "contrib", "remap-rescue.py")
CORPUS = os.path.join(TOP, "tests", "damage", "cases")

SECTOR = 512
OBJECT = 4096
SUPER_SECTORS = (0, 1024, 2048, 4096, 8192)
ZONE_START = 10240
PAGE_ENTRIES = 253
SUPER_FIELDS = {"version": (12, "<I"), "uuid": (16, "16s"), "sequence": (32, "<Q"),
                "state": (42, "<H"), "main_sectors": (48, "<Q"), "pages_used": (88, "<I"),
                "partuuid": (160, "16s"), "main_id": (176, "64s"), "label": (240, "32s"),
                "host_id": (272, "16s"), "host_name": (288, "64s"), "main_start": (352, "<Q"),
                "read_errors": (136, "<Q"), "created": (120, "<Q")}
PAGE_FIELDS = {"sequence": (8, "<Q"), "uuid": (16, "16s"), "main_sectors": (32, "<Q"),
               "shift": (45, "B")}

os.environ["LC_ALL"] = "C"
work = tempfile.mkdtemp(prefix="remap-rescue.")
atexit.register(shutil.rmtree, work)
os.chdir(work)

spec = importlib.util.spec_from_file_location("remap_rescue", READER)
rescue = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True
spec.loader.exec_module(rescue)

tap = {"nr": 0, "failed": 0}


def ok(good, what, *details):
    tap["nr"] += 1
    print("%sok %d - %s" % ("" if good else "not ", tap["nr"], what))
    if not good:
        tap["failed"] += 1
        for detail in details:
            for line in str(detail).splitlines():
                print("# " + line[:1000])
    sys.stdout.flush()
    return good


def finish():
    print("1..%d" % tap["nr"])
    sys.exit(1 if tap["failed"] else 0)


def tool(name, *args, stdin=None, env=None, cwd=None):
    """Run a tool that must work."""
    path = os.path.join(BUILD, name)
    done = subprocess.run([path] + list(args), input=stdin, env=env, cwd=cwd,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise SystemExit("Bail out! %s %s: exit %d: %s" % (name, " ".join(args),
                                                           done.returncode, done.stderr))
    return done.stdout


def new_spare(path, size, main_size, block_bytes=4096, blocks=()):
    """A fresh spare with a list of blocks of main imported."""
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "wb") as image:
        image.truncate(size)
    tool("remap-format", "-q", "--allow-large-spare", "--main-size", main_size, "-b",
         str(block_bytes), "-L", "rescue me", path)
    import_blocks(path, block_bytes, blocks)
    return path


def import_blocks(path, block_bytes, blocks):
    if blocks:
        tool("remap-import", "-q", "-b", str(block_bytes), path,
             stdin=b"".join(b"%d\n" % block for block in blocks))


class Image:
    """An image whose layout is known, to be damaged."""

    def __init__(self, path, layout=None):
        self.path = path
        if layout is None:
            layout = json.loads(tool("remap-dump", "--json", path))["superblock"]
        self.layout = layout

    def copy(self, path):
        """A copy with holes where nothing but zeroes is."""
        with open(self.path, "rb") as old, open(path, "wb") as new:
            for part in iter(lambda: old.read(1 << 16), b""):
                if part.count(0) == len(part):
                    new.seek(len(part), os.SEEK_CUR)
                else:
                    new.write(part)
            new.truncate()
        return Image(path, self.layout)

    def place(self, what, copy):
        """First byte of a copy of a page, or of "sb"."""
        if what == "sb":
            return SUPER_SECTORS[copy] * SECTOR
        return (ZONE_START + copy * self.layout["zone_sectors"]) * SECTOR + what * OBJECT

    def get(self, what, copy):
        with open(self.path, "rb") as image:
            image.seek(self.place(what, copy))
            return image.read(OBJECT)

    def put(self, what, copy, data):
        with open(self.path, "r+b") as image:
            image.seek(self.place(what, copy))
            image.write(data)

    def damage(self, what, copies, kind, old=None, seed=0):
        """Destroy copies of an object; OLD is the image that old versions come from."""
        rand = random.Random("%s %s %s %s" % (what, copies, kind, seed))
        for copy in copies:
            data = bytearray(self.get(what, copy))
            if kind == "zero":
                data = bytes(OBJECT)
            elif kind == "noise":
                data = bytes(rand.getrandbits(8) for _ in range(OBJECT))
            elif kind == "flip":
                data[rand.randrange(OBJECT)] ^= 1 << rand.randrange(8)
            elif kind == "old":
                data = old.get(what, copy)
            elif kind == "torn":
                cut = rand.randrange(1, 8) * SECTOR
                data = old.get(what, copy)[:cut] + bytes(data[cut:])
            self.put(what, copy, bytes(data))

    def set(self, what, copies, **fields):
        """Fields of a superblock or of the header of a page, with the checksum made right."""
        table, crc = (SUPER_FIELDS, 8) if what == "sb" else (PAGE_FIELDS, 4)
        for copy in copies:
            data = bytearray(self.get(what, copy))
            for name, value in fields.items():
                offset, form = table[name]
                struct.pack_into(form, data, offset, value)
            self.put(what, copy, seal(data, crc))

    def set_entry(self, slot, copies=range(5), block=0, mask=0, at=1760000000, state=1, reason=1,
                  generation=0, reserved=0):
        page, nr = divmod(slot, PAGE_ENTRIES)
        for copy in copies:
            data = bytearray(self.get(page, copy))
            struct.pack_into("<QIBBBB", data, 48 + 16 * nr, mask << 48 | block, at, state,
                             reason, generation, reserved)
            self.put(page, copy, seal(data, 4))


def seal(data, crc):
    data[crc:crc + 4] = bytes(4)
    data[crc:crc + 4] = struct.pack("<I", zlib.crc32(data))
    return bytes(data)


def read_here(*args):
    """The reader in this process: exit status, standard output, standard error."""
    out, err, kept = io.StringIO(), io.StringIO(), sys.stderr
    sys.stderr = err
    try:
        status = rescue.run(list(args), out)
    finally:
        sys.stderr = kept
    return status, out.getvalue(), err.getvalue()


def read_apart(*args, env=None):
    """The same as a program of its own."""
    done = subprocess.run([sys.executable, READER] + list(args), env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return (done.returncode, done.stdout.decode("utf-8", "surrogateescape"),
            done.stderr.decode("utf-8", "surrogateescape"))


def dump(path, env=None):
    done = subprocess.run([os.path.join(BUILD, "remap-dump"), "--json", path], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, json.loads(done.stdout), done.stderr.decode()


def shape(value):
    """Names and kinds of all members, the values left out; lists by their first member."""
    if isinstance(value, dict):
        return [(name, shape(member)) for name, member in value.items()]
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "text or null" if value is None or isinstance(value, str) else type(value).__name__


def differences(theirs, ours, since):
    """How the JSON of the reader differs from that of remap-dump; not in who says it, nor in
    the words of messages. An entry that lost its claim is retired by remap-dump in memory as
    of now; the reader knows no other time than the one on disk."""
    found = []
    for name in ("superblock", "copies", "summary"):
        if theirs.get(name) != ours.get(name):
            found.append("%s: %s\n   but: %s" % (name, theirs.get(name), ours.get(name)))
    one, two = theirs.get("entries"), ours.get("entries")
    if (one is None) != (two is None):
        return found + ["entries: %s, but: %s" % (one and len(one), two and len(two))]
    for entry, other in zip(one or (), two or ()):
        if entry["state"] == "retired" and entry["time"] >= since:
            entry["time"] = other["time"]
        if entry != other:
            found.append("entry: %s\n  but: %s" % (entry, other))
    if len(one or ()) != len(two or ()):
        found.append("%d entries, but %d" % (len(one), len(two)))
    if shape(dict(theirs, messages=[])) != shape(dict(ours, messages=[])):
        found.append("members: %s\n    but: %s" % (shape(theirs), shape(ours)))
    return found


def agree(path, what, status=None, env=None, may_add=()):
    """Do both say the same of an image, and does the reader exit as it should? MAY_ADD: state
    bits that the reader may set in memory where remap-dump does not."""
    # time() of C goes by a coarser clock and may still be in the second before
    since = int(time.time()) - 1
    code, theirs, errors = dump(path, env)
    our_code, text, our_errors = (read_apart if env else read_here)(
        *(["--json", path]), **({"env": env} if env else {}))
    ours = json.loads(text)
    for bit in set(may_add) - set(theirs.get("superblock", {}).get("state", ())):
        if bit in ours["superblock"]["state"]:
            ours["superblock"]["state"].remove(bit)
    # remap-dump's 4 is damage that stops a load; where it has nothing to show, that is an 8.
    want = code if code != 4 else 1 if "superblock" in theirs else 8
    problems = differences(theirs, ours, since)
    if our_code != want or ours["exit_status"] != want or (status is not None and
                                                            want != status):
        problems.append("exit %d and %d, where remap-dump exits %d and %s was expected"
                        % (our_code, ours["exit_status"], code, status))
    return ok(not problems, what, *(problems + [errors, our_errors]))
