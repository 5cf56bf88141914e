# SPDX-License-Identifier: GPL-2.0-only
# The health scan: finds bad blocks before anybody reads them, only while the device is idle,
# for a hundredth of the time at most, and goes on where it was after a suspend.
# vm: mem=512 timeout=600

. /guest/lib.sh

ram_disks 2 64
need dm_create low "0 131072 linear /dev/ram0 0"
faulty_pair /dev/mapper/low
# ends in 3 sectors of a block, in the middle of a MiB
need dm_create r "0 16387 remap $M /dev/mapper/spare 1 format"

# await SECONDS COMMAND...: asks once a second, since asking is work too
await()
{
	_left=$(($1 * $(slow_factor)))
	shift
	until "$@"; do
		_left=$((_left - 1))
		[ $_left -gt 0 ] || return 1
		sleep 1
	done
}
scan_is() { [ "$(status r scan_state)" = "$1" ]; }
passes() { [ "$(status r scan_passes)" -ge "$1" ]; }
position() { status r scan | cut -d / -f 1; }
moved() { [ "$(position)" -gt "$1" ]; }

is "$(status r scan) $(status r scan_errors) $(status r scan_state)" "0/16387 0 off" "nothing is scanned"
reads=$(inject_count main reads)
need dm_message r scan start
await 120 passes 1
ok $? "a pass that was asked for comes to its end"
await 10 scan_is off
ok $? "and no other begins"
is "$(status r scan) $(status r scan_errors)" "0/16387 0" "back at the start, no error"
at_most $(($(inject_count main reads) - reads)) 12 "read a MiB at a time"
at_most "$(status r scan_share)" 10000 "millionths of the time"
is "$(status r used) $(status r health)" "0 100" "nothing was remapped"

#---- what it finds

# mapped already: what main has there is stale, and bad
is "$(dm_message r import manual 5000+16)" 2/2 "two blocks are pending"
inject main add r 5000+16 MEDIUM
inject main add r 9001 MEDIUM
inject main add r 10240+64 MEDIUM
inject main add r 16385 MEDIUM
inject main add r 3000 IOERR
inject main add r 7000+8 TRANSPORT times 1
need dm_message r scan start
await 200 passes 2
ok $? "a pass over a failing disk comes to its end"
is "$(status r scan_errors)" 11 "bad blocks were counted: 1, 8, 1 and one that may be bad"
is "$(status r used)" 12 "those that are bad got slots, what only may be did not"
# of the last block the line has three sectors; what is behind them is not ours to copy
is "$(status r pending)" $((16 + 1 + 64 + 1 + 5)) "what cannot be read is pending, and what is behind the line"
is "$(sio r $D 9000 1 @1) $(sio r $D 9002 6 @1)" "r 9000+1 OK r 9002+6 OK" "the rest of a block can be read"
is "$(sio r $D 9001)" "r 9001+1 ENODATA" "the bad sector fails"
is "$(sio w $D 9001 1 @2)" "w 9001+1 OK" "and can be written"
errors=$(status r read_errors)
need dm_message r scan start
await 200 passes 3
is "$(status r scan_errors)" 12 "the next pass finds only what has no slot"
is "$(status r read_errors)" $((errors + 1)) "and main is not asked for the others"

#---- policy: the breaker, no_auto_remap

need dm_message r set no_auto_remap on
inject main add r 800 MEDIUM
need dm_message r scan start
await 200 passes 4
is "$(status r used) $(status r scan_errors)" "12 14" "no_auto_remap: counted, and left alone"
need dm_message r set no_auto_remap off
need dm_message r set breaker 3 3600
need dm_message r breaker reset
inject main add r 8192+32 MEDIUM
need dm_message r scan start
await 200 passes 5
is "$(status r used) $(status r mode)" "15 breaker" "the breaker opens after three slots"
need dm_message r breaker reset
inject main clear

#---- by itself, and 8 times as often after errors

need dm_message r stats reset
is "$(status r scan_errors) $(status r scan_passes)" "0 0" "stats reset"
need dm_message r scan interval 100000
await 10 scan_is idle
ok $? "a long interval: it waits"
like "$(dm_table r)" ' scan_interval 100000( |$)' "the table has the interval"
# says nothing for certain, so it is not remapped, and is there again in each pass
inject main add r 1000 IOERR
start=$(uptime_ms)
need dm_message r scan start
await 120 passes 1
ok $? "unless it is told to start"
# eight times what a pass takes, so that two can be over within it
every=$((($(uptime_ms) - start) * 8 / 1000))
[ $every -ge 40 ] || every=40
start=$(uptime_ms)
need dm_message r scan interval $every
await $((4 * every)) passes 3
ok $? "after errors passes follow each other"
took=$(($(uptime_ms) - start))
at_most $took $((every * 1500)) "milliseconds for two more passes; without errors it would be some $((every * 2000))"
diag "two passes after errors: $took ms; every $every s without"
inject main clear
need dm_message r scan interval 0
await 120 scan_is off
ok $? "an interval of 0 ends it"
passes=$(status r scan_passes)
need dm_message r scan start
need dm_message r scan interval $every
await 120 passes $((passes + 1))
sleep 7
is "$(status r scan_passes) $(status r scan_state)" "$((passes + 1)) idle" "after a pass without errors the next is not so soon"
need dm_message r scan interval 0
await 120 scan_is off

#---- stop, suspend, and on from there; not while somebody uses the device

# so slow that a pass takes longer than looking at it
need dm_swap low "0 131072 delay /dev/ram0 0 25"
need dm_message r scan start
await 60 moved 2048
ok $? "under way"
need dm_message r scan stop
at=$(position)
is "$(status r scan_state)" off "stopped"
reads=$(inject_count main reads)
sleep 1
is "$(inject_count main reads)" "$reads" "nothing is read"
need dm_message r scan start
await 60 moved "$at"
ok $? "it goes on from there"
need dm_suspend r
at=$(position)
reads=$(inject_count main reads)
sleep 1
is "$(position) $(inject_count main reads)" "$at $reads" "suspended: nothing is read"
table=$(dm_table r)
need dm_load r "$table"
need dm_resume r
at_least "$(position)" "$at" "another table: not from the start again"
await 60 moved "$at"
ok $? "and on"

(
	while [ ! -e /tmp/enough ]; do
		sio r $D 100 8 >/dev/null
	done
) &
busy=$!
sleep 2
at=$(position)
sleep 3
is "$(position)" "$at" "while somebody reads all the time, it does not"
: >/tmp/enough
wait $busy
await 60 moved "$at"
ok $? "then it goes on"
passes=$(status r scan_passes)
await 120 passes $((passes + 1))
ok $? "and comes to its end"
at_most "$(status r scan_share)" 10000 "millionths of the time, after all this"
need dm_remove r
done_testing
