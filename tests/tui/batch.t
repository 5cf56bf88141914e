#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-top on recordings, as text and as JSON: what it prints is compared to the byte; and every
# way in which a recording can be wrong.
. "$(dirname "$0")/../tools/lib.sh"
here=$tests_dir/../tui
recording=$here/disk-fails.recording

run remap-top -b --replay "$recording"
exits 0 "a recording"
is "$(diff "$here/disk-fails.batch" out.txt)" "" "all frames are as they should be"
is "$err" "" "and nothing else is said"
run env LC_ALL=C.UTF-8 remap-top -b -v -n 5 -s errors --replay "$recording"
is "$(diff "$here/disk-fails.utf8" out.txt)" "" "with UTF-8, maps, another order, five frames"
LC_ALL=C remap-top --replay "$recording" </dev/null >plain 2>&1
is "$(diff "$here/disk-fails.batch" plain)" "" "without -b the same where there is no terminal"
like "$(LC_ALL=C remap-top -b --color=always --replay "$recording")" $'\033\\[1;31mfailed' "colours when they are asked for"
unlike "$(cat plain)" $'\033' "and not otherwise: names with escapes are escaped, too"
gzip -c "$recording" >copy.gz
remap-top -b --replay copy.gz >plain
is "$(diff "$here/disk-fails.batch" plain)" "" "a compressed recording"
remap-top -b --replay - <"$recording" >plain
is "$(diff "$here/disk-fails.batch" plain)" "" "a recording from a pipe"

# Names
run remap-top -b -n 3 --replay "$recording" safe /dev/mapper/backup
exits 0 "two devices by name"
like "$out" "^2027.* 2 devices: 2 ok$" "only they are shown"
unlike "$out" "archive|pair" "and no others"
run remap-top -b -n 1 --replay "$recording" nowhere
exits 1 "a device that is not there is something to look at"
like "$out" "^nowhere +absent" "and is shown"
run remap-top -b --replay "$recording" /dev/sdb
exits 16 "a path that is no mapped device"
like "$err" 'NAME: "/dev/sdb" is not the name' "is named"

# JSON
run remap-top --json -n 2 --replay "$recording"
exits 0 "JSON"
is "$(json tool frames.0.devices.2.name frames.0.devices.2.mode frames.1.events.0.text)" \
	"$(printf '%s\n' remap-top safe ok '4 read errors of main, last at sector 2000484')" "of frames"
is "$(json frames.1.devices.0.reads_per_second frames.0.devices.0.reads_per_second)" \
	"$(printf '12345.000\nnull')" "with rates where there are"

# Options
for bad in "-d 0" "-d 0.09" "-d 3601" "-d 1e3" "-d -1" "-d x" "-d 1." "-n 0 -b" "-n -1 -b" "-n 3" \
	"-s size" "--record a --replay b"; do
	run remap-top $bad </dev/null
	exits 16 "$bad"
done
like "$(remap-top -d 0.05 2>&1)" '"0.05" is too small; it must be at least 0.1' "limits are said"
run remap-top -b -q --replay "$recording"
is "$rc $out" "0 " "-q prints nothing"

# Recordings that are not what they should be
bad_recording() {	# STATUS MESSAGE DESCRIPTION, file "bad"
	run remap-top -b --replay bad
	exits "$1" "$3"
	like "$err" "$2" "$3: is said"
}
rm -f bad
bad_recording 8 "cannot open bad: No such file" "no recording"
: >bad
bad_recording 4 "bad: line 1: not a recording" "an empty file"
head -c 1000 /dev/urandom >bad
bad_recording 4 "bad: line 1: " "noise"
sed 1s/1/2/ "$recording" >bad
bad_recording 4 'bad: line 1: a recording of another version; this remap-top reads "remap-top-recording 1"' "another version"
head -n 20 "$recording" >bad
bad_recording 4 "bad: line 21: the recording ends within a sample" "one that is cut off"
is "$(grep -c UTC out.txt)" 1 "what is whole is shown before"
head -c 3000 "$recording" >bad
bad_recording 4 "bad: line [0-9]+: is cut off" "one that is cut off within a line"
head -c 700 copy.gz >bad
bad_recording 4 "bad: line [0-9]+: the compressed file is cut off here" "one that is cut off while compressed"
edit() { sed -E "$1" "$recording" >bad; cmp -s bad "$recording" && note "edit \"$1\" does nothing"; }
edit '4d'
bad_recording 4 'bad: line 6: the device before this has no status' "no status"
edit '4s/^status .*/status/'
bad_recording 4 'bad: line 4: the status is missing' "an empty status"
edit '3s/ sdb.*//'
bad_recording 4 'bad: line 3: the name of main is missing' "no main"
edit '3s/$/ more/'
bad_recording 4 'bad: line 3: there is more than a device' "too many words"
edit '3s/131072/-1/'
bad_recording 4 'bad: line 3: the length "-1" is negative' "a negative length"
edit '3s/131072/99999999999999999/'
bad_recording 4 'bad: line 3: the length "99999999999999999" is too large' "a length that is too large"
edit '5s/1000/1x/'
bad_recording 4 'bad: line 5: the number of reads "1x" is not' "a counter that is no number"
edit '5s/$/ 1/'
bad_recording 4 'bad: line 5: there is more than four numbers' "too many counters"
edit '5{p}'
bad_recording 4 'bad: line 6: "io" is not expected here' "counters twice"
edit '6s/4\+1/4+1021/'
bad_recording 4 'bad: line 6: the map is not one of 1024 cells' "a map that is too long"
edit '6s/remapped/wrong/'
bad_recording 4 'bad: line 6: the map is not' "a map with a word that is not known"
edit '6s/131072.*/0/'
bad_recording 4 'bad: line 6: main has no length' "a map of nothing"
edit '3s/safe/sa\\fe/'
bad_recording 4 'bad: line 3: the name is not a text' "an escape that is none"
edit '2s/^sample/simple/'
bad_recording 4 'bad: line 2: "sample" is expected here' "no sample"
edit '2s/5000000/6000000/'
bad_recording 4 'the clock goes back, from 6000000 to 5001000 ms' "a clock that goes back"
edit '3s/^device/d\x1b[31m/'
bad_recording 4 'bad: line 3: "d\\x1b\[31m" is not expected here' "a word that is not known, escaped"
{ head -n 3 "$recording"; head -c 70000 /dev/zero | tr '\0' x; } >bad
bad_recording 4 'bad: line 4: is longer than 65535 bytes' "a line without end"
{ head -n 3 "$recording"; printf 'a\0b\n'; } >bad
bad_recording 4 'bad: line 4: ' "a zero byte"
mkdir dir
run remap-top -b --replay dir
exits 8 "a directory"

# The target's status is not the recording's business.
sed 's/^status 1 ok/status 1 nonsense/' "$recording" >bad
run remap-top -b --replay bad
exits 0 "a status that is not understood"
like "$out" "status not understood" "is said, and the rest is shown"

# Reading and writing are each other's inverse.
run "$BUILD/tests/t_recording" "$recording" copy
exits 0 "a recording that is read and written again"
unlike "$out" "^not ok" "is the same"
: >there
run "$BUILD/tests/t_recording" "$recording" there
like "$err" "there is there already; remove it, or give another name" "no file is overwritten"

# Without the headers of ncurses make says what to install.
run make -C "$here/../.." BUILD="$PWD/build" TOP_CURSES= "$PWD/build/remap-top"
like "$err" "as root on Debian: apt-get install libncurses-dev pkg-config" "make without ncurses"
ok "fails" test "$rc" -ne 0

# Fifty devices: what a frame costs, of reading, working out and printing it. 1% of a core at one
# frame a second is 10 ms; it is a tenth of that on a machine of today.
awk -v frames=300 'BEGIN {
	print "remap-top-recording 1"
	for (f = 0; f < frames; f++) {
		printf "sample 1800000%03d000 %d\n", f, f * 1000
		for (d = 0; d < 50; d++) {
			printf "device disk%d 253:%d 0 7814037168 sd%d sd%dx\n", d, d, d, d
			printf "status 1 ok %d/400000 %d 0 0 5 99 8:16 8:32 5cf03c0e-1f4e-4a55-9d7e-0d6f0c1b2a%02d 8 %d 0 0 %d %d - - 64 0 1022 0 %d 0/7814037168 0 - rw - - - off 0 0 off 0/59 0 0 0 0\n",
				f * d, d, d, f * d, f * 7, f * 9, f
			printf "io %d %d %d %d\n", f * 100, f * 800, f * 10, f * 80
			if (f % 10 == 0) printf "map 7814037168 remapped:%d+%d\n", d, f + 1
		}
		print "end"
	}
}' >fifty
TIMEFORMAT='%3U %3S'
spent=$( { time remap-top -b -v --replay fifty >fifty.out; } 2>&1)
is "$(grep -c UTC fifty.out)" 300 "300 frames of fifty devices"
ms=$(awk '{ printf "%d", ($1 + $2) * 1000 / 300 }' <<<"$spent")
note "$spent seconds of user and system time, $ms ms a frame"
ok "a frame takes less than 10 ms" test "$ms" -lt 10
finish
