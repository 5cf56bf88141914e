#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# remap-import: a table of bad input. Each line: a clear message, the right exit status, and the
# spare is as it was, by its hash. No part of a list that is refused is imported.
. "$(dirname "$0")/lib.sh"
lists=$tests_dir/lists
smart=$lists/smart-ata.json

new_spare s.img 8M -b 512 --main-size 1T
# bad STATUS REGEX WHAT OPTION...: with standard input from the file "in", if there is one
bad() {
	local status=$1 regex=$2 what=$3 before
	shift 3
	before=$(sum s.img)
	run timeout 60 remap-import "$@" s.img <"${in:-/dev/null}"
	if [ "$rc" -eq "$status" ] && grep -Eq -- "$regex" <<<"$err" && [ "$(sum s.img)" = "$before" ]; then
		pass "$what"
	else
		fail "$what"
		note "exit $rc, want $status; want a message like: $regex"
		sed 's/^/# /' err.txt
	fi
}
in=

# The list as a file.
bad 8 "cannot open the list nolist: No such file" "missing" --from nolist
mkdir dir
bad 8 "dir: cannot read the list: Is a directory" "a directory" --from dir
bad 8 "/dev/zero is a character device, not a list" "a character device" --from /dev/zero
if attach "$(truncate -s 1M loop.img && echo loop.img)"; then
	bad 8 "$loop is a block device, not a list" "a block device" --from "$loop"
else
	skip "a block device" "no loop device to be had"
fi
mkfifo fifo
printf 'x\n' >fifo &
bad 8 "begins like this: \"x\"" "a FIFO with rubbish" --from fifo
wait
ln -s loop1 loop2 && ln -s loop2 loop1
bad 8 "loop1: Too many levels" "a loop of symbolic links" --from loop1
touch unreadable && chmod 0 unreadable
if [ "$(id -u)" -eq 0 ]; then
	skip "an unreadable file" "root reads everything"
else
	bad 8 "Permission denied" "an unreadable file" --from unreadable
fi
bad 8 "list and target are one file" "the spare itself" --from s.img
bad 8 "cannot open the list a.x0ab: No such" "a name with a newline" --from $'a\nb'

# Numbers.
: >in; in=in
bad 0 "" "an empty list"
bad 0 "" "an empty log" -t kmsg --offset 0
bad 0 "" "an empty table" -t csv
bad 8 "this is no mapfile: it is empty, or has comments only" "an empty mapfile" -t ddrescue
bad 8 "no block size in it" "empty: dumpe2fs" -t dumpe2fs
bad 8 "there is nothing in it; mdadm --examine-badblocks prints a line" "empty: mdadm" -t mdadm
printf '# Mapfile. Created by GNU ddrescue version 1.27\n' >in
bad 8 "this is no mapfile: it is empty, or has comments only" "a mapfile of comments"
printf '# Mapfile. Created by GNU ddrescue version 1.27\n0x00000000     +               1\n' >in
bad 8 "the mapfile has no areas: it was cut off" "a mapfile without areas"
refuse_line() { printf '%s\n' "$1" >in; bad 8 "$2" "badblocks: $3" -t badblocks; }
refuse_line "-1" 'line 1: "-1" is negative' "negative"
refuse_line "0x10" "is hexadecimal" "hexadecimal"
refuse_line "18446744073709551616" "larger than 2\^64 - 1" "2^64"
refuse_line "18446744073709551615" "behind the end of main" "2^64 - 1"
refuse_line "9007199254740992" "behind the end of main" "so large that its sector is 2^64"
refuse_line "1e5" "not one decimal number" "with an exponent"
refuse_line "1.5" "not one decimal number" "with a fraction"
refuse_line "1 2" "not one decimal number" "two of them"
refuse_line $'1\x1b[31m' 'x1b\[31m" is not' "with a terminal escape, which is not passed on"
printf '1\0\n' >in
bad 8 "has a NUL byte" "badblocks: NUL" -t badblocks
printf '2147483648\r\n' >in
bad 8 '"2147483648" is behind the end of main' "badblocks: a bigger disk, CR LF" -b 512
seq 5000000000 5000000099 >in
bad 8 "no line is a block of main.*another device" "badblocks: a list for a bigger disk"
bad 8 "and 80 more rejected lines" "badblocks: not all of them are shown"
head -c 3000000 /dev/zero | tr '\0' 7 >in
bad 8 "line 1: .* is too long" "badblocks: a line of 3,000,000 digits" -t badblocks
printf '5\n-6\n' >in
bad 8 "1 line was rejected and --strict" "--strict" --strict
seq 0 20000 >in
bad 8 "does not fit" "more than there are slots"

# Other types.
printf 'hello\n' >in
bad 8 "begins like this: \"hello\"" "no type at all"
for t in ddrescue mdadm csv; do
	bad 8 "line 1" "a wrong type: $t" -t $t
done
bad 8 "no block size in it" "a wrong type: dumpe2fs" -t dumpe2fs
bad 8 "not valid JSON: at byte 1: lexical error" "a wrong type: smart" -t smart --offset 0
bad 0 "" "a wrong type: kmsg, nothing of it counts" -t kmsg --offset 0
seq 100 >in
bad 8 "not a position" "numbers as ddrescue" -t ddrescue
printf '# Mapfile.\n0x0 0x1000 +\n0x0 zz +\n' >in
bad 8 "line 2: this is no mapfile: the status line is missing" "ddrescue: no status line"
printf '0x0 +\n0x0 0x1000 -x\n' >in
bad 8 'line 2: .* is not a position, a size and a status' "ddrescue: a status that is none"
printf '0x0 +\n0xFFFFFFFFFFFFFE00 0x400 -\n' >in
bad 8 "line 2: .* ends behind 2\^64 - 1" "ddrescue: 64-bit overflow"
printf '0x0 +\n0x0 0x0 -\n' >in
bad 8 "is of length 0" "ddrescue: an area of no bytes"
printf '18446744073709551616 for 8 sectors\n' >in
bad 8 'line 1: .* is not "SECTOR for COUNT sectors"' "mdadm: 64-bit overflow" -t mdadm
printf 'Bad blocks: 5\n' >in
bad 8 "line 1: bad blocks come before the block size" "dumpe2fs: no block size"
printf 'Block size: 1000\nBad blocks: 5\n' >in
bad 8 "block size of the filesystem makes no sense" "dumpe2fs: a block size of 1000" -t dumpe2fs
printf '5,18446744073709551616\n' >in
bad 8 "has a count that is not a number" "csv: 64-bit overflow" -t csv
printf '5,0\n' >in
bad 8 "is of length 0" "csv: a count of 0"
printf 'slot,block,main_sector,sectors\n0,1,x,8\n' >in
bad 8 'line 2: .*not one decimal number' "csv: a dump with rubbish in it"
bad 8 "dump counts sectors of 512 bytes, -b cannot be 4096" "csv: a dump with -b" -b 4096
printf 'critical medium error, dev sda, sector -5\n' >in
bad 8 "names no disk and sector" "kmsg: a negative sector" --offset 0
printf 'critical medium error, dev sda, sector 18446744073709551616\n' >in
bad 8 "names no disk and sector" "kmsg: 64-bit overflow" --offset 0
printf 'critical medium error, dev sda, sector 18446744073709551615\n' >in
bad 8 "behind the end of main" "kmsg: sector 2^64 - 1" --offset 0

# JSON.
in=$smart
bad 8 "spare does not know where main starts" "smart: where main starts is not known"
bad 8 "no-such-dev.*give --offset" "smart: --made-on a device that is not there" --made-on no-such-dev
head -c 4000 "$smart" >in; in=in
bad 8 "ends too early, after 4000 bytes" "smart: truncated" --offset 0
{ cat "$smart"; echo '{}'; } >in
bad 8 "not valid JSON: at byte [0-9]+: .*trailing garbage" "smart: something behind it" --offset 0
tr -d ',' <"$smart" >in
bad 8 "not valid JSON: at byte" "smart: no commas" --offset 0
printf '{"a":"\xff\xfe"}' >in
bad 8 "not valid JSON: .*invalid bytes in UTF8" "smart: not UTF-8" --offset 0
printf '{%s' "$(printf '"a":{%.0s' $(seq 100))" >in
bad 8 "more than 32 maps and arrays inside each other" "smart: 100 levels" --offset 0
printf '[[[[' >in
bad 8 "ends too early" "smart: an array" -t smart --offset 0
printf '{}' >in
bad 8 "JSON, but not of smartctl" "smart: an empty object" --offset 0
printf '{"tool":"remap-dump","format_version":1}' >in
bad 8 "JSON of remap-dump, not of smartctl" "smart: JSON of another tool" --offset 0
printf '{"smartctl":{"exit_status":0}}' >in
bad 8 "version 0 of smartctl's JSON is not known" "smart: no version" --offset 0
in=$lists/smart-failed.json
bad 8 "smartctl failed \(exit status 2\)" "smart: smartctl had failed" --offset 0
sed 's/"logical_block_size": 512/"logical_block_size": 520/' "$smart" >in; in=in
bad 8 "a logical block size of 520 bytes is not supported" "smart: blocks of 520 bytes" --offset 0
sed 's/"lba": [1-9][0-9]*/"lba": -1/' "$smart" >in
bad 8 "entry 1: .*extended.table\\[0\\]\" has an address that is not a number" "smart: negative addresses" --offset 0
sed 's/"lba": [1-9][0-9]*/"lba": 18446744073709551616/' "$smart" >in
bad 8 "has an address that is not a number" "smart: 64-bit overflow" --offset 0
: >in
bad 8 "ends too early, after 0 bytes" "smart: empty" -t smart --offset 0

# The command line.
in=
bad 16 "not one of auto, badblocks, smart" "a type that does not exist" -t nonsense
bad 16 "is not a whole number of 512-byte sectors" "-b 1000" -b 1000
bad 16 "too small" "-b 0" -b 0
bad 16 "is negative" "--offset -1" --offset -1
bad 16 "is not a whole number of 512-byte sectors" "--offset 1000" --offset 1000
bad 16 "too large" "--offset 2^63" --offset 9223372036854775808
bad 16 "exclude each other" "--from and --smart" --from "$smart" --smart /dev/null
bad 16 "gives a list of type smart, not csv" "--smart and -t csv" --smart /dev/null -t csv
bad 16 "verify needs --main" "--verify without --main" --verify
bad 16 "not one of none, sample, all" "--verify=some" --verify=some --main s.img
bad 16 "is for one import, --follow makes many" "--follow and -z" --follow -z undo
bad 16 "there is nothing to --follow" "--follow and --smart" --follow --smart /dev/null
bad 16 "copy is for a live device" "--copy and a spare that is not in use" --copy

# The spare.
refused 8 "cannot find spare nospare" "no spare" s.img remap-import --from in nospare
refused 8 "is a directory; the spare must be" "a directory as spare" s.img remap-import --from in dir
refused 8 "is a FIFO; the spare must be" "a FIFO as spare" s.img remap-import --from in fifo
refused 8 "is not a dm-remap spare" "something else as spare" loop.img remap-import --from in loop.img
truncate -s 100 short.img
refused 8 "too short" "a spare of 100 bytes" short.img remap-import --from in short.img
finish
