#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-dump: combinations of options that make no sense, names that cannot be, output files
# that must not be half a dump.
. "$(dirname "$0")/lib.sh"

new_spare s.img 8M -L attic
remap-import -q -b 4096 s.img < <(printf '%s\n' 5 6 7 100 200)
truncate -s 1G main.img
truncate -s $(((1 << 30) - 512)) short.img
chmod 444 s.img

no() {
	local words=${*:3}
	refused "$1" "$2" "refused: remap-dump ${words//$'\n'/ }" s.img remap-dump "${@:3}"
}
no 16 "contradicts -F csv" --json -F csv s.img
no 16 "contradicts -F text" -F text --json s.img
no 16 "raw has no format" --raw -F json s.img
no 16 "raw has no format" --raw --json s.img
no 16 "copies goes with .*not with -F html" --copies -F html s.img
no 16 "page goes with .*not with -F dmtable" --page 0 -F dmtable --main /dev/sdz s.img
no 16 "b goes with -F badblocks" -b 4096 s.img
no 16 "1025 bytes is not a multiple of 512" -F badblocks -b 1025 s.img
no 16 "too small" -F badblocks -b 0 s.img
no 16 "too large" -F badblocks -b 2G s.img
no 16 "main and --spare go with -F dmtable" --main /dev/sdz s.img
no 16 "main and --spare go with -F dmtable" -F mapfile --spare /dev/sdz s.img
no 16 "needs --main DEV" -F dmtable s.img
no 16 "the same name" -F dmtable --main s.img s.img
no 16 "the same name" -F dmtable --main a --spare a s.img
no 16 "line break" -F dmtable --main $'a\nb' s.img
no 16 "line break" -F dmtable --main a --spare $'b\nc' s.img
no 8 "both as main and as spare" -F dmtable --main ./s.img s.img
no 8 "both as main and as spare" -F dmtable --main main.img --spare ./main.img s.img
no 8 "short.img has 2097151 sectors.*of 2097152" -F dmtable --main short.img s.img
no 8 "directory" -F dmtable --main . s.img
for page in -1 0x0 "" 1s 3.5 18446744073709551616; do
	no 16 "page" --page "$page" s.img
done
no 16 "larger than any page" --page 4294967295 s.img
no 8 "has 3 table pages, 0 to 2; there is no page 3" --page 3 s.img
no 8 "there is no page 4294967294" --raw --page 4294967294 s.img
no 8 "is the spare itself" -F csv -o s.img s.img
no 8 "is a directory" -F csv -o . s.img
no 8 "not a dm-remap spare" -F csv main.img
no 8 "not a dm-remap spare" --raw main.img
no 8 "cannot find" -F badblocks nowhere.img

run remap-dump --page x --json s.img
is "$(json exit_status messages.0.level)" "16
error" "a mistake found after parsing is in the JSON, too"

# What is not there is not checked, and said.
run remap-dump -F dmtable --main /nowhere/sdz s.img
exits 0 "a main that is not here"
like "$err" "nowhere/sdz is not here" "is said"
run remap-dump -q -F dmtable --main main.img --spare "/dev/a b" s.img
is "$err" "" "a main that is here"
is "$out" "0 2097152 linear main.img 0" "imported blocks are on main"

# Units of bad blocks are said.
run remap-dump -F badblocks s.img
like "$err" "units of 1024 bytes \(badblocks' default" "badblocks: its default unit is said"
run remap-dump -F badblocks -b 8192 s.img
like "$err" "units of 8192 bytes$" "badblocks: a given unit is said"
like "$err" "listed whole where one of its blocks of 4096" "badblocks: larger than a block"
is "$out" "2
3
50
100" "badblocks: units of several blocks"
run remap-dump -q -F badblocks s.img
is "$err" "" "badblocks: -q"
run remap-dump -F badblocks -b 4096 s.img
is "$out" "5
6
7
100
200" "badblocks: what was imported"

# A failed dump leaves the file that was there.
for name in out out.gz; do
	for format in text json csv html mapfile badblocks dmtable; do
		main=$([ $format = dmtable ] && echo --main /dev/sdz)
		echo old >$name
		run remap-dump -q -F $format $main -o $name main.img
		[ "$rc" -eq 8 ] && [ "$(cat $name)" = old ]
		ok "$format: a failed dump leaves $name as it was" [ $? -eq 0 ]
		run remap-dump -q -F $format $main -o /dev/full s.img
		exits 8 "$format: a full device"
	done
done
ln -s /dev/full full.gz
run remap-dump -q -F csv -o full.gz s.img
exits 8 "a full device, compressed"
like "$err" "No space left" "says why"

# Half a dump: the file system is full in the middle of it.
cp s.img many.img && chmod 644 many.img
seq 300 2 1500 | remap-import -q -b 4096 many.img
echo old >out.csv
(ulimit -f 8; trap '' XFSZ; remap-dump -q -F csv -o out.csv many.img 2>err.txt; echo $? >rc.txt)
is "$(cat rc.txt out.csv)" "8
old" "no room for all of it: the old file stays"
like "$(cat err.txt)" "cannot write out.csv: File too large" "says why"

# A signal in the middle of a dump that takes long enough to meet it.
new_spare long.img 64M -b 512
seq 0 2 160000 | remap-import -q -b 512 long.img
remap-dump -q -F json -o slow.json.gz long.img &
dumper=$!
until compgen -G 'slow.json.gz.??????' >/dev/null; do kill -0 $dumper 2>/dev/null || break; done
kill -TERM $dumper
wait $dumper 2>/dev/null
is "$?" 143 "SIGTERM ends a dump"
is "$(ls slow* 2>/dev/null)" "" "and leaves no temporary file"
run remap-dump -q -F csv -o full.gz long.img
exits 8 "a device that is full in the middle of a compressed dump"
is "$(grep -c 'cannot write full.gz: No space left' err.txt)" 1 "says why, once"
is "$(ls | grep -E '\.[A-Za-z0-9]{6}$')" "" "no temporary file is left anywhere"

# A page without a good copy: what is known is listed, what would lie is refused.
cp s.img d.img && chmod 644 d.img
run remap-dump --json s.img
start=$(json superblock.zone_start)
size=$(json superblock.zone_sectors)
for copy in 0 1 2 3 4; do smash d.img $((start + copy * size)); done
echo old >out
for format in mapfile "dmtable --main /dev/sdz"; do
	refused 4 "no ${format%% *} of a spare whose entries are not all known" \
		"a lost page: no ${format%% *}" d.img remap-dump -F $format -o out d.img
	is "$(cat out)" old "the old ${format%% *} stays"
done
for format in text json csv html badblocks; do
	run remap-dump -F $format -o out d.img
	exits 4 "a lost page: $format as far as it goes"
	[ "$(cat out)" != old ]
	ok "$format replaces the old file" [ $? -eq 0 ]
done
like "$(remap-dump -F html d.img 2>/dev/null)" "1 table page without a good copy" \
	"html says what is missing"
refused 4 "no copy is good; --copies shows all" "--raw: none is good" d.img \
	remap-dump --raw --page 0 d.img
run remap-dump --page 0 d.img
exits 4 "--page: none is good"
is "$(grep -c ': corrupt: ' out.txt)" 5 "--page: five verdicts with their reason"
finish
