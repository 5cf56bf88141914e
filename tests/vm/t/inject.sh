# SPDX-License-Identifier: GPL-2.0-only
# The fault injector itself: every rule does what it says, and nothing else.
# vm: modules=dm-inject timeout=300

. /guest/lib.sh

ram_disks 1 64
faulty bad /dev/ram0 65536
D=/dev/mapper/bad

is "$(sio -b 2048 w $D 0 65536 @1)" "w 0+65536 OK" "writes without rules"
is "$(sio -b 2048 r /dev/ram0 0 65536 @1)" "r 0+65536 OK" "what was written is on the device below"

# each status, as the errno it becomes
while read -r name errno; do
	inject bad add r 1000 "$name"
	is "$(sio r $D 1000)" "r 1000+1 $errno" "status $name"
	inject bad clear
done <<-END
	MEDIUM ENODATA
	IOERR EIO
	TARGET EREMOTEIO
	TRANSPORT ENOLINK
	TIMEOUT ETIMEDOUT
	NOSPC ENOSPC
	NEXUS EBADE
	RESV_CONFLICT EBADE
	PROTECTION EILSEQ
	RESOURCE ENOMEM
	NOTSUPP EOPNOTSUPP
	OFFLINE ENODEV
	AGAIN EAGAIN
	DEV_RESOURCE EBUSY
	ZONE_OPEN_RESOURCE ETOOMANYREFS
	ZONE_ACTIVE_RESOURCE EOVERFLOW
END

inject bad reset
inject bad add r 1000+2 MEDIUM
is "$(sio r $D 999)" "r 999+1 OK" "the sector before is good"
is "$(sio r $D 1002 1 @1)" "r 1002+1 OK" "the sector after is good"
is "$(sio r $D 996 8)" "r 996+8 ENODATA" "a request that overlaps fails whole"
is "$(sio w $D 1000 2 @2)" "w 1000+2 OK" "another direction is good"
is "$(sio r $D 1000)" "r 1000+1 ENODATA" "always means always, also after a write"
is "$(inject_count bad failed_reads)" 2 "failed reads are counted"
is "$(inject_count bad bad)" 2 "bad sectors are counted"

inject bad clear
inject bad add r 1000+4 2000 MEDIUM until-written
is "$(sio w $D 1001 1 @3)" "w 1001+1 OK" "write into an until-written range"
is "$(sio r $D 1001 1 @3)" "r 1001+1 OK" "heals that sector"
is "$(sio r $D 1000)" "r 1000+1 ENODATA" "not the one before"
is "$(sio r $D 1002 2)" "r 1002+2 ENODATA" "nor those after"
is "$(sio w $D 1000 8 @3)" "w 1000+8 OK" "write over all of it"
is "$(sio r $D 1000 8 @3)" "r 1000+8 OK" "heals all of it"
is "$(inject_count bad bad)" 1 "the other range is left"
is "$(inject_count bad healed)" 4 "healed sectors are counted"

inject bad clear
inject bad add w 1000 IOERR times 2
is "$(sio w $D 1000 1 @4)" "w 1000+1 EIO" "times 2: first"
is "$(sio w $D 1000 1 @4)" "w 1000+1 EIO" "times 2: second"
is "$(sio r $D 1000 1 @3)" "r 1000+1 OK" "nothing of it reached the device"
is "$(sio w $D 1000 1 @4)" "w 1000+1 OK" "times 2: third is good"
is "$(inject_count bad rules)" 0 "the rule is gone"

inject bad add w 1004 MEDIUM torn
is "$(sio w $D 1000 8 @5)" "w 1000+8 ENODATA" "torn write fails"
inject bad clear
is "$(sio r $D 1000 4 @5)" "r 1000+4 OK" "what is before the bad sector is written"
is "$(sio r $D 1004 4 @3)" "r 1004+4 OK" "the rest is not"
inject bad add w 1004 MEDIUM reach
is "$(sio w $D 1000 8 @6)" "w 1000+8 ENODATA" "failed write that reaches the disk"
is "$(sio r $D 1000 8 @6)" "r 1000+8 OK" "has reached it"
inject bad clear

inject bad reset
inject bad add r 1000 MEDIUM delay 300
started=$(uptime_ms)
sio r $D 1000 >/tmp/other &
is "$(sio r $D 1000)" "r 1000+1 ENODATA" "a read that fails late"
wait
at_least $(($(uptime_ms) - started)) 300 "fails as late as told"
is "$(inject_count bad most_delayed)" 2 "two of them were waiting at once"
inject bad clear

inject bad add f 0 IOERR times 1
is "$(sio f $D)" "f 0+1 EIO" "flush fails"
is "$(sio f $D)" "f 0+1 OK" "once"

inject bad add rw 0+100 TARGET
inject bad del r 10+80
is "$(sio r $D 10 80 @1)" "r 10+80 OK" "del cuts a hole"
is "$(sio r $D 9 2)" "r 9+2 EREMOTEIO" "not before it"
is "$(sio r $D 90 1)" "r 90+1 EREMOTEIO" "nor after it"
inject bad clear

i=0
while [ $i -lt 20 ]; do
	inject bad add w $(seq -s ' ' $((i * 3000)) 3 $((i * 3000 + 2999))) MEDIUM
	i=$((i + 1))
done
is "$(inject_count bad rules)" 20000 "20,000 rules"
is "$(sio w $D 30000 1 @7)" "w 30000+1 ENODATA" "one of them bites"
is "$(sio w $D 30001 2 @7)" "w 30001+2 OK" "between them all is well"
inject bad clear

for words in "add" "add x 1 MEDIUM" "add r MEDIUM" "add r 1" "add r 1 NONSENSE" "add r 65536 IOERR" \
	"add r 65530+7 IOERR" "add r 1+0 IOERR" "add r 1 IOERR times 0" "add w 1 IOERR until-written" \
	"add r 1x IOERR" "add r 1 IOERR delay x" "del r" "nonsense"; do
	fails "refused: $words" dm_message bad $words
done
is "$(inject_count bad rules)" 0 "a refused message changes nothing"
# 30001 and 30002 were written with another tag above
is "$(sio -b 2048 r $D 2048 63488 @1)" "r 28672+2048 WRONG at 30001 first=$(
	dd if=/dev/ram0 bs=512 skip=30001 count=1 2>/dev/null | od -A n -t x1 -N 1 | sed 's/ /0x/')" \
	"sio sees wrong data"

runs "remove" dm_remove bad
done_testing
