#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-format: what it makes, and what it does not overwrite.
. "$(dirname "$0")/lib.sh"

truncate -s 8M s.img
before=$(sum s.img)
run remap-format -n --main-size 1G s.img
exits 0 "-n"
like "$out" "nothing was written" "-n says so"
is "$(sum s.img)" "$before" "-n writes nothing"

for bytes in 512 1024 2048 4096 8192; do
	rm -f b.img && truncate -s 8M b.img
	run remap-format --json -b $bytes -L "label $bytes" --main-size 1G b.img
	exits 0 "-b $bytes"
	is "$(json written block_sectors label)" "true
$((bytes / 512))
label $bytes" "-b $bytes: the JSON says what was made"
	made=$(json uuid slots)
	run remap-dump -F json b.img
	is "$(json superblock.uuid summary.slots)" "$made" "-b $bytes: and it is on the spare"
	is "$(json superblock.label superblock.block_sectors superblock.main_sectors)" \
		"label $bytes
$((bytes / 512))
2097152" "-b $bytes: with label, block size and length of main"
	run remap-check -n b.img
	exits 0 "-b $bytes: remap-check"
done
remap-format -q --main-size 1G s.img
first=$(remap-dump --json s.img | json-get superblock.uuid)
run remap-format --main-size 1G s.img
exits 0 "a spare without remaps may be formatted again"
like "$err" "without remaps" "and that is said"
second=$(remap-dump --json s.img | json-get superblock.uuid)
[ "$first" != "$second" ] && pass "with a new uuid" || fail "with a new uuid"

# Half a format: of the five superblocks some are new, some old, some gone.
cp s.img old.img
remap-format -q --main-size 2G s.img
dd if=old.img of=s.img bs=512 count=8 seek=4096 skip=4096 conv=notrunc status=none
dd if=old.img of=s.img bs=512 count=8 seek=8192 skip=8192 conv=notrunc status=none
run remap-format --main-size 1G s.img
exits 0 "a format that was cut short may be done again"
run remap-check -n s.img
exits 0 "and is clean then"

# Ours with remaps.
new_spare mine.img 8M -L "attic \"disk\""
remap-import -q mine.img <<<5
refused 8 'labelled "attic "disk"", and holds 1 remap;' "a spare with a remap is refused, by name" \
	mine.img remap-format --main-size 1G mine.img
refused 8 "not even with --force" "with --force too" mine.img remap-format -f --main-size 1G mine.img
smash mine.img 0
refused 8 'holds 1 remap;' "with its first superblock overwritten too" mine.img \
	remap-format -f --main-size 1G mine.img

# Sizes.
for size in 0 1 511 512 4096 5M 8388607; do
	rm -f small.img && truncate -s $size small.img
	refused 8 "too (short|small)" "a spare of $size bytes" small.img \
		remap-format --main-size 1G small.img
	remap-format --main-size 1G small.img 2>&1 | grep -q small.img ||
		fail "a spare of $size bytes: the message names it"
done
rm -f small.img && truncate -s 8M small.img
run remap-format --main-size 1G small.img
exits 0 "a spare of 8 MiB is enough"
refused 8 "larger than main .*swapped" "a spare larger than main" s.img remap-format --main-size 4M s.img
run remap-format --main-size 4M --allow-large-spare s.img
exits 0 "--allow-large-spare"
rm -f odd.img && truncate -s 8389000 odd.img
run remap-format --main-size 1000000000s odd.img
exits 0 "a spare and a main of odd lengths"
is "$(remap-dump --json odd.img | json-get superblock.spare_sectors superblock.main_sectors)" \
	"16384
1000000000" "are taken in whole sectors"
refused 8 "2\^48" "a main with too many blocks" s.img remap-format -b 512 --main-size 9223372036854775296 s.img

# Main as a file.
truncate -s 100M main.img
run remap-format --json --main main.img s.img
exits 0 "--main FILE"
is "$(json main_sectors main)" "204800
main.img" "takes its length"
refused 8 "one device" "main and spare are one file" s.img remap-format --main s.img s.img
ln s.img link.img
refused 8 "one device" "under two names" s.img remap-format --main link.img s.img
: >empty.img
refused 8 "empty.img is too short" "an empty main" s.img remap-format --main empty.img s.img

# Labels.
refused 16 "at most 32" "a label of 33 bytes" s.img \
	remap-format -L 012345678901234567890123456789012 --main-size 1G s.img
refused 16 "control character" "a label with an escape sequence" s.img \
	remap-format -L $'a\033[31m' --main-size 1G s.img
run remap-format -L 01234567890123456789012345678901 --main-size 1G s.img
exits 0 "a label of 32 bytes"
run remap-dump --json s.img
is "$(json superblock.label)" 01234567890123456789012345678901 "is kept whole"
run remap-format -L "Bücher" --main-size 1G s.img
run remap-dump s.img
like "$out" "label +Bücher" "a label in UTF-8 is shown as it is"
run remap-format -L $'\xff\xfe\\' --main-size 1G s.img
run remap-dump --json s.img
is "$(json superblock.label)" '\xff\xfe\x5c' "one that is not UTF-8 is shown escaped"

# Signatures of others.
if command -v mkfs.ext4 >/dev/null; then
	rm -f fs.img && truncate -s 16M fs.img && mkfs.ext4 -q fs.img
	refused 8 "ext4.*--force" "a filesystem is refused" fs.img remap-format --main-size 1G fs.img
	run remap-format -f --main-size 1G fs.img
	exits 0 "--force overwrites it"
	if command -v wipefs >/dev/null; then
		is "$(wipefs -n fs.img)" "" "and leaves nothing of it that wipefs would find"
	fi
else
	skip "a filesystem on the spare" "no mkfs.ext4"
fi
# A signature far behind the superblocks: swap's at 4 KiB from the front is not; md 1.0 is at
# the end. Written by hand, since mdadm may not be there.
if command -v mkswap >/dev/null; then
	rm -f swap.img && truncate -s 16M swap.img && chmod 600 swap.img && mkswap -q swap.img
	refused 8 "swap.*--force" "swap space is refused" swap.img remap-format --main-size 1G swap.img
else
	skip "swap space on the spare" "no mkswap"
fi
rm -f mbr.img && truncate -s 16M mbr.img
printf '\x00\x01\x01\x00\x83\x01\x20\x01\x08\x00\x00\x00\x00\x20\x00\x00' |
	dd of=mbr.img bs=1 seek=446 conv=notrunc status=none
printf '\x55\xaa' | dd of=mbr.img bs=1 seek=510 conv=notrunc status=none
refused 8 "dos partition table" "a partition table is refused" mbr.img remap-format --main-size 1G mbr.img
run remap-format -f --main-size 1G mbr.img
exits 0 "--force overwrites it"
finish
