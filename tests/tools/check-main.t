#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-check --main: length, identity, and what a clean release left of main's contents. And
# the list of what is lost, with what it means for main.
. "$(dirname "$0")/lib.sh"

# release FILE MAIN [ID PARTUUID START]: write the superblocks as a clean release of MAIN would
release() {
	python3 - "$@" <<'PY'
import struct, sys, zlib
path, main = sys.argv[1:3]
data = open(main, "rb").read()
with open(path, "r+b") as spare:
    for sector in (0, 1024, 2048, 4096, 8192):
        spare.seek(sector * 512)
        sb = bytearray(spare.read(4096))
        struct.pack_into("<H", sb, 42, 4)
        struct.pack_into("<II", sb, 360, zlib.crc32(data[:1 << 20]), zlib.crc32(data[-(1 << 20):]))
        if len(sys.argv) > 3:
            sb[176:240] = sys.argv[3].encode().ljust(64, b"\0")
            sb[160:176] = bytes.fromhex(sys.argv[4])
            struct.pack_into("<Q", sb, 352, int(sys.argv[5]))
        sb[8:12] = bytes(4)
        struct.pack_into("<I", sb, 8, zlib.crc32(sb))
        spare.seek(sector * 512)
        spare.write(sb)
PY
}

head -c 16M /dev/urandom >main.img
truncate -s 8M s.img
remap-format -q --main main.img s.img
remap-import -q -b 4096 s.img < <(seq 50 59)

run remap-check -n --main main.img s.img
exits 0 "main is as long as it was"
like "$out" "Phase 4: main" "there is a phase for it"
like "$out" "length: 32768 sectors \(16.0? ?MiB\), as the spare says" "length"
like "$out" "identity: none is on record" "an image has no identity"
like "$out" "contents: no checksum of them was left" "nothing to compare"
phases=$(grep -oE '^Phase [0-9]: [a-z ]+' out.txt)
is "$phases" "Phase 1: superblocks
Phase 2: table pages
Phase 3: claims
Phase 4: main
Phase 5: summary" "all phases, in order"
run remap-check -n s.img
like "$out" "not compared \(--main DEV\)" "without --main it is said"

release s.img main.img
before=$(sum main.img)
run remap-check -n --main main.img s.img
exits 0 "main did not change"
like "$out" "first and last MiB are as they were" "is said"
run remap-check -n --json --main main.img s.img
is "$(json main.length main.identity main.contents main.stale_blocks)" "same
unknown
same
0" "--json"
for offset in 4096 $((16 * 1048576 - 512)); do
	cp main.img other.img
	printf x | dd of=other.img bs=1 seek=$offset conv=notrunc status=none
	run remap-check -n --main other.img s.img
	exits 4 "one byte at $offset changed"
	like "$out" "main changed while dm-remap was not in use; 0 blocks may be stale" "all blocks are pending: none is stale"
done
# Of two blocks the slot has something: one sector of block 50, all of 51.
python3 - s.img <<'PY'
import struct, sys, zlib
with open(sys.argv[1], "r+b") as spare:
    spare.seek(64 + 0)
    start, size = struct.unpack("<QQ", spare.read(16))
    for copy in range(5):
        at = (start + copy * size) * 512
        spare.seek(at)
        page = bytearray(spare.read(4096))
        for nr, mask in ((0, 0x7f), (1, 0)):
            where = struct.unpack_from("<Q", page, 48 + 16 * nr)[0]
            struct.pack_into("<Q", page, 48 + 16 * nr, where & (1 << 48) - 1 | mask << 48)
        page[4:8] = bytes(4)
        struct.pack_into("<I", page, 4, zlib.crc32(page))
        spare.seek(at)
        spare.write(page)
PY
run remap-check -n --main other.img s.img
exits 4 "two blocks have something in their slots"
like "$out" "main changed while dm-remap was not in use; 2 blocks may be stale" "two are stale"
run remap-check -n --json --main other.img s.img
is "$(json exit_status found main.contents main.stale_blocks)" "4
0
differs
2" "--json"
run remap-check -q -n --main other.img s.img
like "$err" "warning: other.img: main changed" "-q: one warning"
# In use, or after a crash, there is nothing to compare with.
cp s.img used.img
remap-import -q -b 4096 used.img < <(seq 50 59)
cp main.img longer.img && truncate -s 17M longer.img
run remap-check -n --main longer.img s.img
exits 4 "another length"
like "$out" "length: 34816 sectors, but the spare is for a main of 32768" "is said"
like "$out" "contents: not compared" "and contents are not compared"
is "$(sum main.img)" "$before" "main is never written to"

# Repairs do not depend on main.
cp s.img d.img
smash d.img 1024
run remap-check -y --main other.img d.img
exits 5 "a repair, and a main that changed"
run remap-check -n --main main.img d.img
exits 0 "what was on record of main is still there"
like "$out" "are as they were" "its checksums too"

# Identity.
if attach main.img; then
	release s.img main.img "some-other-disk" 00000000000000000000000000000000 0
	run remap-check -n --main "$loop" s.img
	exits 0 "a loop device has no identity"
	like "$out" "identity: this main has none to compare" "which is said"
	losetup -d "$loop"
else
	skip "a main without identity" "not root, or no loop devices here"
fi

# Bad mains.
refused 8 "cannot find main nowhere" "--main: missing" s.img remap-check -y --main nowhere s.img
refused 8 "the main must be a block device" "--main: a directory" s.img remap-check -y --main . s.img
refused 8 "main and spare are one device" "--main: the spare" s.img remap-check -y --main s.img s.img
ln s.img link
refused 8 "main and spare are one device" "--main: another name of the spare" s.img remap-check -n --main link s.img
: >empty
refused 8 "empty is too short to be a main: 0 bytes" "--main: empty" s.img remap-check -n --main empty s.img

# What is lost.
new_spare good.img 8M
remap-import -q -b 4096 good.img < <(seq 1000 1299)
start=$(remap-dump --json good.img | json-get superblock.zone_start)
size=$(remap-dump --json good.img | json-get superblock.zone_sectors)
cp good.img d.img
smash d.img $(for c in 0 1 2 3 4; do echo $((start + c * size + 8)); done)
run remap-check -n d.img
like "$out" "slots 253 to 505: which blocks of main were there is not known; up to 253 may be stale" "a lost page"
run remap-check -y --json d.img
is "$(json exit_status lost.# lost.0.code lost.0.first_slot lost.0.last_slot lost.0.certain)" "1
1
PAGE_LOST
253
505
true" "--json"
# The same, but one copy is whole but for a sector: what the others name is a hint.
cp good.img d.img
smash d.img $(for c in 0 1 2 3; do echo $((start + c * size + 8)); done)
dd if=/dev/urandom of=d.img bs=512 seek=$((start + 4 * size + 8 + 7)) count=1 conv=notrunc status=none
run remap-check -n -v d.img
like "$out" "which blocks of main were there is not known" "a torn copy proves nothing"
like "$out" "  block 1253 of main \(sectors 10024 to 10031\) may be stale: a copy with a wrong checksum has it in slot 253" "but it gives hints"
is "$(grep -c "wrong checksum has it" out.txt)" 47 "one for each slot that it shows taken"
run remap-check -n d.img
like "$out" "and 28 more \(-v shows them all\)" "20 of them without -v"
finish
