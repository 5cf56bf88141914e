#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-import: lists, good and bad.
. "$(dirname "$0")/lib.sh"

# blocks FILE: blocks of main that have a slot, in order, on one line
blocks() { remap-dump --json "$1" | tr '{' '\n' | sed -n 's/.*"block":\([0-9]*\),.*/\1/p' |
	sort -n | tr '\n' ' '; }
# import_list DESCRIPTION LIST WANT [OPTION...]: into a fresh spare
import_list() {
	local what=$1 list=$2 want=$3
	shift 3
	new_spare s.img
	run remap-import -b 4096 "$@" s.img < <(printf "$list")
	exits 0 "$what"
	is "$(blocks s.img)" "$want" "$what: the blocks"
}

import_list "one number" '7\n' "7 "
import_list "no newline at the end" '7\n9' "7 9 "
import_list "CR LF" '7\r\n9\r\n' "7 9 "
import_list "blanks and tabs" '  7\t\n\t9  \n' "7 9 "
import_list "blank lines" '\n7\n\n\n9\n\n' "7 9 "
import_list "not in order, with duplicates" '9\n7\n9\n8\n1\n7\n' "1 7 8 9 "
import_list "leading zeroes" '007\n' "7 "
import_list "block 0 and the last one" '0\n262143\n' "0 262143 "
import_list "an empty list" '' ""
like "$out" "0 lines" "an empty list says that it is empty"
import_list "only blank lines" '\n\n' ""

new_spare s.img
seq 10 20 >list
run remap-import -b 4096 --from list s.img
exits 0 "--from FILE"
is "$(blocks s.img)" "10 11 12 13 14 15 16 17 18 19 20 " "--from FILE: the blocks"
before=$(sum s.img)
run remap-import -b 4096 --from list s.img
exits 0 "the same list again"
like "$out" "already there +11 blocks" "finds all of it there"
is "$(sum s.img)" "$before" "and changes nothing"
run remap-import -b 4096 s.img < <(seq 18 22)
like "$out" "to import +2 blocks" "a list that overlaps brings what is new"
before=$(sum s.img)
run remap-import -n -b 4096 s.img <<<99
exits 0 "-n"
like "$out" "to import +1 block$" "-n plans"
is "$(sum s.img)" "$before" "-n changes nothing"

# Units.
for unit in 512:81:10 1024:41:10 2048:21:10 4096:10:10; do
	IFS=: read -r bytes number block <<<"$unit"
	new_spare s.img
	remap-import -q -b $bytes s.img <<<"$number"
	is "$(blocks s.img)" "$block " "-b $bytes: $number is block $block"
done
new_spare s.img
remap-import -q -b 64K s.img <<<1
is "$(blocks s.img | wc -w)" 16 "-b 64K: one is 16 blocks of main"
new_spare s.img 8M -b 512
remap-import -q -b 1024 s.img <<<3
is "$(blocks s.img)" "6 7 " "on a spare with blocks of 512 bytes, 1024 bytes are two"
rm -f s.img && truncate -s 8M s.img
remap-format -q --main-size 100005s s.img --allow-large-spare
run remap-import --json -b 4096 s.img <<<12500
exits 0 "the last, short block of main"
run remap-dump --json s.img
is "$(json entries.0.sectors entries.0.mask summary.pending_sectors)" "5
31
5" "has as many pending sectors as it has sectors"
refused 8 "" "one past it" s.img remap-import -b 4096 --from <(echo 12501) s.img

# Bad lines: reported by number, the others are imported.
new_spare s.img
printf '5\nabc\n-3\n0x1F\n18446744073709551616\n99999999999999999999999\n12.5\n6 7\n+4\n262144\n\n1e3\n8\n' >bad
printf '1\0002\n' >>bad
printf '9\n' >>bad
run remap-import -b 4096 --from bad s.img
exits 1 "a list with bad lines"
is "$(blocks s.img)" "5 8 9 " "its good lines are imported"
for line in 2:abc:"not one decimal" 3:-3:negative 4:0x1F:hexadecimal \
	5:18446744073709551616:"2\^64" 6:99999999999999999999999:"2\^64" 7:12.5:"not one" \
	8:"6 7":"not one" 9:.4:"not one" 10:262144:"behind the end of main" 12:1e3:"not one" \
	14:'1.x002':NUL; do
	IFS=: read -r number text why <<<"$line"
	like "$err" "bad: line $number: \"$text\" .*$why" "line $number is reported: $why"
done
is "$(grep -c 'line [0-9]*:' err.txt)" 11 "and no other"
like "$out" "rejected +11 lines" "they are counted"
like "$out" "blank +1 line" "so are blank ones"
run remap-import --json -b 4096 --from bad s.img
exits 1 "the same as JSON"
is "$(json lines blank_lines rejected_lines blocks already_there imported exit_status)" "15
1
11
3
3
0
1" "has the numbers"
new_spare s.img
refused 8 "11 lines were rejected and --strict" "--strict" s.img \
	remap-import --strict -b 4096 --from bad s.img
seq 262144 262243 >bigger
refused 8 "another device, or a wrong -b" "a list for a bigger disk" s.img \
	remap-import -b 4096 --from bigger s.img
is "$(grep -c 'line [0-9]*:' err.txt)" 20 "20 rejected lines are shown"
like "$err" "and 80 more rejected lines \(-v" "and how many more there are"
run remap-import -v -b 4096 --from bigger s.img
is "$(grep -c 'line [0-9]*:' err.txt)" 100 "-v shows them all"
head -c 3000000 /dev/zero >zeroes
refused 8 "line 1: .* too long" "a line of 3,000,000 bytes" s.img \
	remap-import -t badblocks --from zeroes s.img
{ head -c 3000000 /dev/zero; printf '\n4\n'; } >zeroes
run remap-import -t badblocks -b 4096 --from zeroes s.img
is "$rc $(blocks s.img)" "1 4 " "the line after it counts"
new_spare s.img
head -c 1000000 /dev/urandom >noise
run remap-import -t badblocks --from noise s.img
[ $rc -le 8 ] && pass "noise: exit $rc" || fail "noise: exit $rc"
run remap-check -n s.img
exits 0 "noise does no harm"

# A list that does not fit.
new_spare s.img
slots=$(remap-dump --json s.img | json-get summary.slots)
remap-import -q -b 4096 s.img < <(seq 100 104)
seq 1000 $((1000 + slots - 5)) >toomany
refused 8 "does not fit: $((slots - 4)) blocks need a slot, $((slots - 5)) of $slots" \
	"one block more than there are slots" s.img remap-import -b 4096 --from toomany s.img
run remap-import -b 4096 s.img < <(head -n -1 toomany)
exits 0 "exactly as many as there are"
is "$(remap-dump --json s.img | json-get summary.free)" 0 "fill the spare"
refused 8 "does not fit" "a full spare takes no more" s.img remap-import -b 4096 --from <(echo 1) s.img
run remap-import -b 4096 s.img <<<100
exits 0 "but knows what it has"
run remap-check -n s.img
exits 0 "and is clean"
new_spare s.img
refused 8 "does not fit: 262144 blocks" "a list of the whole disk" s.img \
	remap-import -b 4096 --from <(seq 0 262143) s.img

# Where lists and targets come from.
new_spare s.img
refused 8 "cannot open the list nowhere: No such file" "no such list" s.img remap-import --from nowhere s.img
refused 8 "Is a directory" "a directory as list" s.img remap-import --from . s.img
refused 8 "one file" "the spare as its own list" s.img remap-import --from s.img s.img
if command -v script >/dev/null; then
	before=$(sum s.img)
	script -qec "remap-import s.img" /dev/null </dev/null >tty.txt
	like "$(cat tty.txt)" "no list: give --from" "standard input is a terminal: no waiting"
	is "$(sum s.img)" "$before" "and nothing is changed"
else
	skip "standard input is a terminal" "no script(1)"
fi
mkfifo pipe
(seq 3 5 >pipe) &
run remap-import -b 4096 --from pipe s.img
is "$(blocks s.img)" "3 4 5 " "a FIFO as list"
wait $!

# A spare that takes no more writes: everything behind a limit on the size of files fails. On
# 8 MiB, zones begin at 5120, 5732, 6344, 6956 and 7568 KiB, superblocks at 0 to 4096 KiB.
limited() { local limit=$1; shift; (trap '' XFSZ; ulimit -f "$limit"; exec "$@"); }
new_spare s.img
run limited 6400 remap-import -b 4096 s.img < <(seq 10 19)
exits 1 "two of five copies cannot be written"
like "$err" "only 3 of 5 copies" "and that is said"
run remap-check -n s.img
exits 4 "the check finds them"
is "$(blocks s.img)" "10 11 12 13 14 15 16 17 18 19 " "all blocks are in the other three"
run remap-check -p s.img
exits 1 "and preening brings them back"
run limited 5732 remap-import -b 4096 s.img < <(seq 20 29)
exits 8 "four of five copies cannot be written"
like "$err" "after 0 of 10 blocks" "the error says how far it came"
run remap-check -p s.img
[ $rc -le 1 ] && pass "then it can be repaired (exit $rc)" || fail "then it can be repaired (exit $rc)"
is "$(blocks s.img | cut -d' ' -f1-10)" "10 11 12 13 14 15 16 17 18 19" "what was there is there still"
run remap-import -b 4096 s.img < <(seq 20 29)
exits 0 "the same list again"
is "$(blocks s.img | wc -w)" 20 "completes it"
run limited 600 remap-import -b 4096 s.img < <(seq 30 39)
[ $rc -ge 4 ] && pass "one superblock can be written (exit $rc)" || fail "one superblock can be written (exit $rc)"
run remap-check -p s.img
[ $rc -le 1 ] && pass "nothing is lost by it (exit $rc)" || fail "nothing is lost by it (exit $rc)"
is "$(blocks s.img | cut -d' ' -f1-20 | wc -w)" 20 "all blocks are there"

# Shuffled lists with duplicates, longer than what is sorted at once, against sort(1).
rm -f plan.img && truncate -s 8M plan.img
remap-format -q --main-size 100G plan.img
{ seq 0 3 4499999; seq 0 5 4499999; seq 7000000 7000099; } >long
shuf long >shuffled
run remap-import --json -n -b 4096 --from shuffled plan.img
is "$(json lines blocks ranges)" "2400100
$(sort -nu long | awk '!NR || $1 != last + 1 { r++ } { last = $1; n++ } END { print n; print r }')" \
	"2,400,100 shuffled lines: as many blocks and ranges as sort finds"

# A million, and that they come back out.
rm -f big.img && truncate -s 6G big.img
remap-format -q --main-size 100G big.img
seq 0 7 6999999 >million
start=$(date +%s%N)
run remap-import -b 4096 --from million big.img
end=$(date +%s%N)
exits 0 "1,000,000 lines"
note "1,000,000 lines read and imported in $(((end - start) / 1000000)) ms"
start=$(date +%s%N)
remap-dump --json big.img >big.json
end=$(date +%s%N)
note "dumped as JSON in $(((end - start) / 1000000)) ms"
grep -o '"block":[0-9]*,' big.json | tr -dc '0-9\n' | cmp -s - million &&
	pass "1,000,000 lines come back" || fail "1,000,000 lines come back"
start=$(date +%s%N)
run remap-check -n big.img
end=$(date +%s%N)
exits 0 "1,000,000 remaps are clean"
note "checked in $(((end - start) / 1000000)) ms"
start=$(date +%s%N)
run remap-import -b 4096 big.img < <(shuf --random-source=million million)
end=$(date +%s%N)
like "$out" "already there +1000000" "the same, shuffled, is found again"
note "shuffled and found in $(((end - start) / 1000000)) ms, shuf included"
finish
