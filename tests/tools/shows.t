#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The way of a spare through the tools, as the README shows it, and what each prints.
. "$(dirname "$0")/lib.sh"

run truncate -s 64M s.img
run remap-format --main-size 1G s.img
exits 0 "remap-format --main-size 1G s.img"
like "$out" "slots +[0-9]+" "the plan names the slots"
slots=$(sed -n 's/^slots *\([0-9]*\).*/\1/p' <<<"$out")

run remap-import s.img < <(printf '10\n11\n4096\n')
exits 0 "printf '10\\n11\\n4096\\n' | remap-import s.img"
like "$out" "3 lines, in 1024-byte units \(badblocks' default; -b to change\)" "the unit is named"
like "$err" "1024 bytes, as badblocks does by default" "and said aloud"
like "$out" "2 ranges: 2 blocks of 4096 bytes" "1024-byte blocks 10 and 11 are in one block of main"
like "$out" "imported 2 blocks" "both are imported"

run remap-check -n s.img
exits 0 "remap-check -n s.img"
like "$out" "slots $slots: mapped 2, lost 0, retired 0, free $((slots - 2))" "it counts them"
like "$out" "16 pending" "and their pending sectors"

run remap-dump -F json s.img
exits 0 "remap-dump -F json s.img"
is "$(json tool format_version exit_status summary.mapped summary.pending_sectors entries.#)" \
	"remap-dump
1
0
2
16
2" "the JSON is valid and complete"
is "$(json entries.0.block entries.0.main_sector entries.0.mask entries.0.state entries.0.reason)" \
	"2
16
255
mapped
badblocks" "entry 0: 1024-byte blocks 10 and 11 are sectors 20 to 23, in block 2"
is "$(json entries.1.block entries.1.main_sector entries.1.sectors)" "1024
8192
8" "entry 1: 1024-byte block 4096 is in block 1024"

# Damage any four copies, then repair: of the superblock and of page 0 at once.
remap-dump -F json s.img >before.json
zone_start=$(json-get superblock.zone_start <before.json)
zone_sectors=$(json-get superblock.zone_sectors <before.json)
for keep in 0 1 2 3 4; do
	cp s.img d.img
	for copy in 0 1 2 3 4; do
		[ $copy = $keep ] && continue
		smash d.img "$(superblock_sector $copy)" $((zone_start + copy * zone_sectors))
	done
	run remap-dump -F json d.img
	exits 1 "copy $keep left: remap-dump has something to say"
	is "$(json entries.#)" 2 "copy $keep left: remap-dump shows both entries"
	run remap-check -n d.img
	exits 4 "copy $keep left: remap-check -n"
	run remap-check --repair d.img
	exits 1 "copy $keep left: remap-check --repair"
	run remap-check -n d.img
	exits 0 "copy $keep left: remap-check -n again"
	run remap-dump -F json d.img
	exits 0 "copy $keep left: remap-dump is content"
	is "$(json superblock.uuid summary.mapped entries.0.block entries.1.block)" \
		"$(json-get superblock.uuid summary.mapped entries.0.block entries.1.block <before.json)" \
		"copy $keep left: the same spare with the same remaps"
done

# All five superblocks gone.
cp s.img d.img
smash d.img 0 1024 2048 4096 8192
refused 4 "remap-check" "no superblock: remap-import refuses" d.img remap-import d.img
refused 8 "holds 2 remaps" "no superblock: remap-format refuses" d.img \
	remap-format -f --main-size 1G d.img
run remap-dump -F json d.img
exits 4 "no superblock: remap-dump says so"
is "$(json summary.mapped entries.0.block entries.1.block)" "2
2
1024" "and shows what there is"
for mode in -n -p -a; do
	before=$(sum d.img)
	run remap-check $mode d.img
	exits 4 "no superblock: remap-check $mode"
	is "$(sum d.img)" "$before" "no superblock: remap-check $mode changes nothing"
done
run remap-check --repair d.img
exits 1 "no superblock: remap-check --repair"
run remap-check -n d.img
exits 0 "no superblock: then clean"
run remap-dump -F json d.img
is "$(json summary.mapped superblock.uuid)" \
	"$(json-get summary.mapped superblock.uuid <before.json)" "no superblock: all is back"

# What smartctl says, through a pipe. The addresses in it are of the whole disk: for an image it has
# to be said where main is on it.
lists=$tests_dir/lists
new_spare s.img 64M
refused 8 "spare does not know where main starts.*--offset" "smartctl -j -x | remap-import --type smart s.img" \
	s.img bash -c "remap-import --type smart s.img <'$lists/smart-ata-summary.json'"
rm -f s.img
truncate -s 64M s.img
remap-format -q --main-size 16G s.img
run remap-import --type smart --offset 0 s.img < <(cat "$lists/smart-ata-summary.json")
exits 0 "smartctl -j -x | remap-import --type smart --offset 0 s.img"
run remap-dump -F json s.img
is "$(json summary.mapped entries.0.reason entries.0.block)" "1
smart
$((17970262 / 8))" "the block of the sector that the error log names"

# Repair, and undo it. On a clean spare, too: there is nothing to undo then.
cp s.img d.img
run sh -c 'remap-check --undo u --repair d.img && remap-check --apply-undo u d.img'
exits 0 "remap-check --undo u --repair s.img && remap-check --apply-undo u s.img"
like "$out" "nothing was changed on d.img, and there is nothing to undo" "a clean spare: nothing to undo"
is "$(sum d.img)" "$(sum s.img)" "and nothing is changed"
smash d.img 1024 8192
before=$(sum d.img)
rm u
run remap-check --undo u --repair d.img
exits 1 "damaged: remap-check --undo u --repair s.img"
run remap-check -n d.img
exits 0 "it is repaired"
run remap-check --apply-undo u d.img
exits 0 "remap-check --apply-undo u s.img"
is "$(sum d.img)" "$before" "and it is as it was, damage and all"

# A page for people.
run remap-dump -F html -o report.html s.img
exits 0 "remap-dump -F html -o report.html s.img"
like "$(head -1 report.html)" "<!DOCTYPE html>" "is a page"
like "$(cat report.html)" "<svg" "with a map"
unlike "$(cat report.html)" "https?:|src=|@import" "that refers to nothing"

# Main with the remapped blocks laid over: all pending, so it is main as it is.
echo "here I am" >text
truncate -s 64M main.img
dd if=text of=main.img bs=512 seek=9000 conv=notrunc,sync status=none
new_spare s.img 8M --main-size 64M
remap-import -q -b 512 s.img < <(echo 9000)
run remap-recover --main main.img --spare s.img -o whole.img
exits 0 "remap-recover --main main.img --spare s.img -o whole.img"
like "$out" "nobody has +0 sectors" "all of it is there"
ok "and it is what main has" cmp main.img whole.img
like "$(cat whole.img.map)" "^0x00000000 +0x04000000 +\+$" "the mapfile says so"
ok "in little room" test "$(du -k whole.img | cut -f1)" -lt 1024
finish
