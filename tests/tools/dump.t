#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-dump: its JSON, its text, its output files; that it never writes to a spare.
. "$(dirname "$0")/lib.sh"

new_spare s.img 8M -L attic
remap-import -q -b 4096 s.img < <(printf '%s\n' 5 6 7 100 200)
before=$(sum s.img)
chmod 444 s.img

run remap-dump -F json s.img
exits 0 "JSON"
is "$(json .)" "tool format_version superblock copies entries summary messages exit_status" \
	"JSON: its members"
is "$(json superblock)" "uuid label sequence activations block_sectors main_sectors spare_sectors zone_start zone_sectors zone_slots table_pages pages_used state created activated main_partuuid main_id main_start host_id host_name read_errors write_errors main_print feature_compat feature_ro_compat" \
	"JSON: members of superblock"
is "$(json copies copies.superblock.0)" "superblock pages
copy sector verdict" "JSON: members of copies"
is "$(json entries.0)" "slot block main_sector spare_sector sectors mask state reason time generation" \
	"JSON: members of an entry"
is "$(json summary)" "slots mapped pending_sectors lost_sectors retired free" "JSON: members of summary"
is "$(json superblock.label superblock.spare_sectors superblock.main_sectors superblock.zone_start)" \
	"attic
16384
2097152
10240" "JSON: the superblock"
like "$(tr ',' '\n' <out.txt)" '^"sequence":"[0-9]+"$' "JSON: sequence is a string"
is "$(json copies.superblock.#)" 5 "JSON: five superblocks"
is "$(json summary.mapped summary.pending_sectors summary.lost_sectors summary.retired)" "5
40
0
0" "JSON: the summary"
is "$(($(json summary.slots) - $(json summary.free)))" 5 "JSON: free slots"
is "$(json entries.3.slot entries.3.block entries.3.main_sector entries.3.mask entries.3.generation)" \
	"3
100
800
255
0" "JSON: an entry"
is "$(json entries.1.spare_sector)" $(($(json entries.0.spare_sector) + 8)) "JSON: where slots are"
cp out.txt json.txt
run remap-dump --json s.img
cmp -s out.txt json.txt && pass "--json is -F json" || fail "--json is -F json"

run remap-dump s.img
exits 0 "text"
for regex in "^Spare s.img" "label +attic" "main|Main" "superblock +ok +ok +ok +ok +ok" \
	"mapped +5 \(40 sectors pending" "5 slots: 5 badblocks" "40 - 63 +12 KiB +mapped, badblocks, 24" \
	"800 - 807 " "^Pending sectors" "^ +40 - 63$"; do
	like "$out" "$regex" "text: $regex"
done
unlike "$out" $'\033' "text: no escapes into a file"
run remap-dump -q s.img
like "$out" "^Spare s.img" "-q still dumps"

# Output files.
run remap-dump -F json -o o.json s.img
exits 0 "-o"
is "$out" "" "-o: nothing on standard output"
cmp -s o.json json.txt && pass "-o: the same" || fail "-o: the same"
run remap-dump -F json -o o.json s.img
exits 0 "-o: again, over the first"
run remap-dump -o - s.img
like "$out" "^Spare" "-o -: standard output"
run remap-dump -o missing/o.txt s.img
exits 8 "-o: no such directory"
like "$err" "cannot write missing/o.txt: No such file" "-o: says which"
run remap-dump -o /dev/full s.img
exits 8 "-o: a full device"
run remap-dump -F json -o o.json nowhere
exits 8 "-o: no spare"
cmp -s o.json json.txt && pass "-o: an old file survives a failure" ||
	fail "-o: an old file survives a failure"
is "$(echo o.*)" "o.json" "-o: no temporary files are left"
mkfifo fifo
(cat fifo >from-fifo) &
run remap-dump -F json -o fifo s.img
wait $!
cmp -s from-fifo json.txt && pass "-o: a FIFO" || fail "-o: a FIFO"

is "$(sum s.img)" "$before" "nothing was written to the spare"
chmod 644 s.img

# Damage: shown, and told apart from what a healthy spare would give.
cp s.img d.img
start=$(json-get superblock.zone_start <json.txt)
size=$(json-get superblock.zone_sectors <json.txt)
smash d.img 2048 $((start + size))
before=$(sum d.img)
run remap-dump --json d.img
exits 1 "two bad copies"
is "$(json copies.superblock.2.verdict copies.pages.0.page copies.pages.0.verdicts.1 summary.mapped)" \
	"corrupt
0
corrupt
5" "are named, and all entries shown"
like "$(json messages.0.text messages.1.text)" "1 of 5 superblocks" "messages are in the JSON"
like "$err" "table pages have copies that are not good" "and on standard error"
run remap-dump d.img
like "$out" "superblock +ok +ok +corrupt +ok +ok" "text: the superblock's copies"
like "$out" "page 0 +ok +corrupt +ok +ok +ok" "text: the page's copies"
for copy in 0 2 3 4; do smash d.img $((start + copy * size)); done
run remap-dump --json d.img
exits 4 "a lost page"
is "$(json summary.mapped exit_status)" "0
4" "is dumped as far as it goes"
run remap-dump d.img
like "$out" "1 page without a good copy" "text: says what is missing"
[ "$(sum d.img)" != "$before" ]
before=$(sum d.img)
run remap-dump d.img
is "$(sum d.img)" "$before" "a damaged spare is not written to either"

# Text from a disk: written by hand into a label, with its checksum made right by a repair.
remap-format -q -L $'x\xc2\x9b31m\xe2\x80\xaey' --main-size 1G -f d2.img 2>/dev/null
rm -f d2.img && truncate -s 8M d2.img
remap-format -q -L $'x\xc2\x9b31m\xe2\x80\xaey' --main-size 1G d2.img
run remap-dump d2.img
like "$out" 'label +x.xc2.x9b31m.xe2.x80.xaey' "control and direction characters are escaped"
finish
