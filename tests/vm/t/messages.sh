# SPDX-License-Identifier: GPL-2.0-only
# Messages: what they answer, and that a bad one changes nothing and says which word is bad.
# vm: mem=384 timeout=300 modules=dm-remap,dm-inject,dm-gate

. /guest/lib.sh

ram_disks 2 64
faulty main /dev/ram0 131072
M=/dev/mapper/main
D=/dev/mapper/r
need sio -b 2048 w $M 0 131072 @1
make_spare /dev/ram1
need remap_create r $M /dev/ram1 format

is "$(dm_message r remap 1000)" 1/1 "remap one sector: its block"
is "$(status r used) $(status r pending)" "1 0" "one slot, nothing pending"
is "$(dm_message r remap 1001)" 1/1 "another sector of the same block"
is "$(status r used)" 1 "takes nothing"
is "$(dm_message r remap 2000+16 3004+8)" 4/4 "two ranges: blocks are counted"
is "$(status r used)" 5 "five slots"
is "$(sio r $D 2000 16 @1)" "r 2000+16 OK" "their data came along"
is "$(import r 5000+8 5008 6001+2)" 3/3 "import"
is "$(status r used)" 8 "eight slots"
is "$(status r pending)" 24 "whole blocks are pending"
is "$(sio r $D 5000 16 @1)" "r 5000+16 OK" "what is pending is read from main"
is "$(sio w $D 5000 8 @2)" "w 5000+8 OK" "and written to its slot"
is "$(sio r $D 5000 8 @2)" "r 5000+8 OK" "and read from there"
is "$(sio r $M 5000 8 @1)" "r 5000+8 OK" "main stays as it was"
at_most "$(status r pending)" 16 "pending bits cleared"
is "$(dm_message r remap 131071)" 1/1 "the last sector"
runs "commit" dm_message r commit
is "$(status r used)" 9 "nine slots"

# remap of what main cannot read: taken, with those sectors pending
inject main add r 10003 MEDIUM
like "$(dm_message r remap 10000+8)" '^1/1' "remap of a block with a bad sector"
is "$(status r used)" 10 "takes a slot"
is "$(sio r $D 10003) $(sio r $D 10000 3 @1) $(sio r $D 10004 4 @1)" \
	"r 10003+1 ENODATA r 10000+3 OK r 10004+4 OK" "the bad sector fails, the others are right"
inject main clear

used=$(status r used)
pending=$(status r pending)
# bad WORD MESSAGE...: refused, the kernel log names WORD
bad()
{
	_word=$1
	shift
	log_mark
	fails "refused: $(echo "$*" | cut -c 1-60)" dm_message r "$@"
	[ -z "$_word" ] || like "$(log_since)" "$_word" "... and the log names \"$_word\""
	is "$(status r used) $(status r pending)" "$used $pending" "... and nothing changed"
}
bad abc remap abc
bad "" remap
bad "" import
bad "" import manual
bad nonsense nonsense
bad 131072 remap 131072
bad 999999999999 remap 999999999999
bad "131064\+9" remap 131064+9
bad "7000\+0" remap 7000+0
bad "-1" remap -- -1
bad "7000x" remap 7000x
bad "7000\+" remap 7000+
bad "\+8" remap +8
bad "18446744073709551616" remap 18446744073709551616
bad "8\+18446744073709551615" remap 8+18446744073709551615
bad "junk" remap 7000 7008+8 junk 7016
bad "131080" import manual 7000 131080
bad "weather" import weather 7000
bad "" commit now
# shellcheck disable=SC2046
bad "" remap $(seq -s ' ' 7000 11100)

need dm_suspend r
fails "suspended: remap is refused" dm_message r remap 7000
like "$(dmsetup message r 0 remap 7000 2>&1)" 'busy' "suspended: EBUSY"
fails "suspended: commit is refused" dm_message r commit
need dm_resume r
is "$(status r used)" "$used" "nothing was taken"
is "$(dm_message r remap 7000)" 1/1 "resumed: accepted"

# a spare too small for what is asked
need dm_remove r
need dm_create small "0 16384 linear /dev/ram1 65536"
make_spare /dev/mapper/small
need remap_create r $M /dev/mapper/small format
slots=$(status r slots)
like "$(dm_message r remap 0+$((8 * slots)) 2>&1)" "^$slots/$slots" "remap as many blocks as there are slots"
is "$(status r used)" "$slots" "the spare is full"
is "$(status r mode)" full "and says so"
out=$(dm_message r remap $((8 * slots)) 2>&1)
unlike "$out" '^1/1$' "one more is not possible"
is "$(status r used)" "$slots" "and nothing is pretended"
is "$(sio -b 2048 r $D 0 8192 @1)" "r 0+8192 OK" "what is remapped can be read"
inject main add w 120000 MEDIUM
is "$(sio w $D 120000 8 @3)" "w 120000+8 ENODATA" "a bad block now is an error, not a lie"
inject main clear
is "$(sio w $D 0 8192 @4)" "w 0+8192 OK" "everything else works"
is "$(sio r $D 0 8192 @4)" "r 0+8192 OK" "reads and writes"
need dm_remove r
need dm_remove small
need dm_remove main

#---- thousands of ranges in one call are written together: each by itself would be five writes

need dm_create gmain "0 131072 gate /dev/ram0"
need dm_create gspare "0 131072 gate /dev/ram1"
faulty spare /dev/mapper/gspare 131072
M=/dev/mapper/gmain
SP=/dev/mapper/spare
make_spare $SP
need remap_create r $M $SP format
writes=$(inject_count spare writes)
# shellcheck disable=SC2046
is "$(import r $(seq -s ' ' 40000 16 103984))" "4000/4000" "import, 4,000 ranges of a block each"
at_most $(($(inject_count spare writes) - writes)) 2000 "writes of the spare for these"
writes=$(inject_count spare writes)
# shellcheck disable=SC2046
is "$(dm_message r remap $(seq -s ' ' 8 16 32000))" "2000/2000" "remap, 2,000 ranges"
at_most $(($(inject_count spare writes) - writes - 2000)) 2000 "writes of the spare for these beside the data"

#---- a call whose caller is killed ends soon, with what it has done; it can be repeated

# killed NAME GATE DIRS SECTOR MESSAGE...: while the gate holds a request there
killed()
{
	_name=$1 _gate=$2
	need dm_message "$2" hold before "$3" "$4+8"
	shift 4
	dmsetup message r 0 "$@" >/tmp/killed 2>&1 &
	_caller=$!
	held() { [ "$(dmsetup status "$_gate" | awk '{ print $5 }')" = 1 ]; }
	wait_for 60 held || not_ok "$_name: is not where it should be"
	kill -9 $_caller
	need dm_message "$_gate" release
	wait $_caller
	is "$?" 137 "$_name: killed"
}
need dm_message r unmap 0+131072
is "$(status r used)" 0 "all at home"
killed remap gmain r $((20000 + 8 * 300)) remap 20000+4800
is "$(status r used)" 301 "remap: the block at hand was the last"
is "$(dm_message r remap 20000+4800) $(status r used)" "600/600 600" "again: all of them"
killed unmap gmain w $((20000 + 8 * 10)) unmap 20000+4800
at_most "$(status r used)" 599 "unmap: some are at home"
at_least "$(status r used)" $((600 - 253)) "but no more than one batch"
is "$(dm_message r unmap 20000+4800) $(status r used)" "600/600 0" "again: all of them"
killed import gspare w $((10240 + 8 * 10)) import manual 20000+80000
at_least "$(status r used)" 2024 "import: what was being written is there"
at_most "$(status r used)" 8096 "and the rest not"
is "$(import r 20000+80000) $(status r used)" "10000/10000 10000" "again: all of them"
is "$(status r mode)" ok "all is well"
need dm_remove r
done_testing
