#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-check: what each mode repairs, what it prints, what it exits with.
. "$(dirname "$0")/lib.sh"

new_spare good.img 8M -L good
remap-import -q -b 4096 good.img < <(seq 50 59)
remap-dump --json good.img >good.json
zone_start=$(json-get superblock.zone_start <good.json)
zone_sectors=$(json-get superblock.zone_sectors <good.json)
# page COPY: sector of that copy of page 0
page() { echo $((zone_start + $1 * zone_sectors)); }

run remap-check good.img </dev/null
exits 0 "a clean spare"
like "$out" "good.img: clean" "is called clean"
is "$err" "" "and nothing else is said"
run remap-check -q good.img
is "$rc:$out:$err" "0::" "-q: nothing at all"
run remap-check --json good.img
is "$(json tool format_version exit_status live found repaired problems.# summary.mapped label)" \
	"remap-check
1
0
false
0
0
0
10
good" "--json: clean"
is "$(json copies.superblock.# copies.superblock.4.sector copies.superblock.4.verdict copies.pages.#)" \
	"5
8192
ok
0" "--json: verdicts"

# One bad superblock: preening is enough. Every mode that may not write does not.
smashed() { cp good.img d.img; smash d.img 1024 "$(page 2)"; }
smashed
for mode in "" -n; do
	before=$(sum d.img)
	run remap-check $mode d.img </dev/null
	exits 4 "two bad copies, mode '$mode'"
	is "$(sum d.img)" "$before" "mode '$mode' changes nothing"
	like "$out" "^ +1 +1024 +corrupt" "the verdict of the superblock"
	like "$out" "page 0 +ok +ok +corrupt +ok +ok" "the verdicts of the page"
	like "$out" "2 problems, 0 repaired, 2 left" "they are counted"
done
run remap-check -q -n d.img
is "$rc:$out" "4:" "-q: no results"
like "$err" "2 problems, 0 repaired, 2 left" "-q: but one warning"
for mode in -p -a -y --repair --preen --yes; do
	smashed
	run remap-check $mode d.img
	exits 1 "two bad copies, mode $mode"
	run remap-check -n d.img
	exits 0 "mode $mode: clean then"
	is "$(remap-dump --json d.img | json-get summary.mapped)" 10 "mode $mode: all there"
done
smashed
run remap-check --json -p d.img
is "$(json exit_status found repaired problems.# problems.0.approved problems.0.loss)" "1
2
2
2
true
false" "--json: a repair"
is "$(json problems.0.code problems.0.copies.0 problems.1.code problems.1.page problems.1.copies.0)" \
	"SB_CORRUPT
1
PAGE_CORRUPT
0
2" "--json: what it was about"
is "$(json copies.superblock.1.verdict copies.pages.0.page copies.pages.0.verdicts.2)" "corrupt
0
corrupt" "--json: verdicts as they were found"

# A lost page: preening does not decide, -y does, and what is lost is said.
lost() { cp good.img d.img; smash d.img $(for c in 0 1 2 3 4; do page $c; done) 1024; }
lost
run remap-check -p d.img
exits 5 "a lost page and a bad superblock, -p: one repaired, one left"
like "$out" "needs a decision" "-p: says that it needs a decision"
run remap-check -n d.img
exits 4 "the page is still lost"
like "$out" "1 problem, 0 repaired, 1 left" "and nothing else"
run remap-check -y d.img
exits 1 "-y gives it up"
run remap-check -n d.img
exits 0 "and then it is clean"
is "$(remap-dump --json d.img | json-get summary.mapped)" 0 "and empty"

# Asking, on a terminal.
if command -v script >/dev/null; then
	# answer TEXT: run remap-check d.img on a terminal and type TEXT
	answer() { printf "$1" | script -qec "remap-check d.img" /dev/null >tty.txt; rc=$?; out=$(cat tty.txt); err=; }
	smashed
	before=$(sum d.img)
	answer 'n\nn\n'
	exits 4 "asked twice, answered no"
	like "$out" "rewrite it from the copy that counts\? \(y/n/a" "it asks"
	is "$(sum d.img)" "$before" "no changes nothing"
	answer 'y\nn\n'
	exits 5 "answered yes and no"
	answer 'what\ny\n'
	exits 1 "an answer that is none is asked again"
	smashed
	answer 'a\n'
	exits 1 "yes to all"
	smashed
	before=$(sum d.img)
	answer 'y\n\004'
	exits 32 "the end of input at a question"
	is "$(sum d.img)" "$before" "changes nothing, whatever was answered before"
else
	skip "questions on a terminal" "no script(1)"
fi

# Colours and terminals.
smashed
run remap-check -n d.img
unlike "$out" $'\033' "no escapes into a file"
run remap-check -n --color=always d.img
like "$out" $'\033\\[1;31mcorrupt' "--color=always"
run remap-check -n --progress=always d.img
like "$err" "table pages" "--progress=always"
run remap-check -n --progress=json d.img
like "$err" '^\{"progress":"table pages","done":' "--progress=json"
if command -v script >/dev/null; then
	TERM=xterm script -qec "remap-check -n d.img" /dev/null >tty.txt </dev/null
	like "$(cat tty.txt)" $'\033\\[' "colours on a terminal"
	TERM=xterm NO_COLOR=1 script -qec "remap-check -n --progress=never d.img" /dev/null >tty.txt </dev/null
	unlike "$(cat tty.txt)" $'\033' "none with NO_COLOR"
fi

# A spare larger or smaller than it was.
cp good.img d.img && truncate -s 16M d.img
run remap-check -n d.img
exits 0 "a device that has grown"
smash d.img 0 1024 2048 4096 8192
run remap-check -n --search d.img
exits 4 "a device that has grown, without superblocks: --search"
like "$out" "mapped 10" "finds the remaps"
run remap-check -y --search d.img
exits 1 "and brings them back"
run remap-check -n d.img
exits 0 "and then it is clean"
is "$(remap-dump --json d.img | json-get summary.mapped superblock.uuid)" \
	"$(json-get summary.mapped superblock.uuid <good.json)" "with everything"

# Superblocks of two spares: the verdicts are about the one that counts, with the lower sequence here.
image() { (cd "$tests_dir/../.." && "$BUILD/tests/t_check" --image "$1" "$work/$2"); }
image sb-rival d.img
run remap-check --json -n d.img
exits 4 "superblocks of two spares"
is "$(json problems.0.code problems.0.copies.0 copies.superblock.{0,1,2,3,4}.verdict | tr '\n' ' ')" \
	"SB_RIVAL 2 ok ok foreign ok ok " "the verdicts say what the problem says"
run remap-dump --json d.img
is "$(json copies.superblock.{0,1,2,3,4}.verdict | tr '\n' ' ')" "ok ok foreign ok ok " "so does remap-dump"

# What cannot be loaded: claims are settled as a load, or a repair, would.
image claim-in-conflict d.img
run remap-dump --json d.img
exits 4 "two claims, and a page whose copies differ"
claims=$(json summary.mapped summary.lost_sectors summary.retired)
run remap-check -q -y d.img
run remap-dump --json d.img
exits 0 "repaired"
is "$(json summary.mapped summary.lost_sectors summary.retired)" "$claims" "as it was shown"

# Columns stay apart.
cp good.img d.img
run env LD_PRELOAD="$BUILD/tests/badsectors.so" BAD_FILE=d.img BAD_SECTORS="$(page 0),$(page 1)" \
	remap-check -n d.img
like "$out" "page 0 +unreadable +unreadable +ok +ok +ok$" "unreadable copies of a page"

# Output that cannot be written.
run bash -c 'remap-check -n good.img >/dev/full'
exits 8 "standard output is full"
like "$err" "cannot write the output: No space" "and that is said"
run bash -c 'remap-check --json -n good.img >/dev/full'
exits 8 "--json: standard output is full"
finish
