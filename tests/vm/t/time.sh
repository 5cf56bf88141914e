# SPDX-License-Identifier: GPL-2.0-only
# A disk that takes half a minute for a bad sector: what it is asked for, how many of these
# requests are under way at once, what one request of ours may cost, and that everything beside
# the bad place goes on meanwhile. All of it is counted in requests that the disk sees, or shown
# while a request is held; nothing here depends on how fast the machine is.
# vm: mem=512 timeout=600 modules=dm-remap,dm-inject,dm-gate

. /guest/lib.sh

ram_disks 2 64
faulty disk /dev/ram0 131072
need dm_create gate "0 131072 gate /dev/mapper/disk"
M=/dev/mapper/gate
S=/dev/ram1
D=/dev/mapper/r
need sio -b 2048 w $M 0 131072 @1
make_spare $S
need remap_create r $M $S format retry_budget 3600

gate() { dm_message gate "$@" || bail "gate $*"; }
# gate_has ARMED HELD
gate_has() { [ "$(dmsetup status gate | awk '{ print $4, $5 }')" = "$1 $2" ]; }
# asked FIELD COMMAND...: how many requests (reads, writes) the disk sees meanwhile; what it
# prints is in /tmp/out
asked()
{
	_field=$1
	shift
	_before=$(inject_count disk "$_field")
	"$@" >/tmp/out 2>&1
	echo $(($(inject_count disk "$_field") - _before))
}
used() { is "$(status r used)" "$2" "$1: $2 slots used"; }

#---- one retry at a time, and all else goes on meanwhile

need dm_message r remap 4000+8
bad="40960 45056 49152 53248 57344 61440"
for s in $bad; do
	inject disk add r "$s+8" MEDIUM
	gate hold before r "$s+8" 1 1	# not the request itself, but the retry of it
done
failed=$(inject_count disk failed_reads)
for s in $bad; do sio r $D "$s" 8 >"/tmp/bad.$s" & done
all_failed() { [ $(($(inject_count disk failed_reads) - failed)) = 6 ]; }
wait_for 60 all_failed || bail "six reads should have failed"
wait_for 60 gate_has 5 1 || bail "a retry should be held"
is "$(sio -b 8 r $D 65536 16384 @1)" "r 65536+16384 OK" "2,048 reads of other places while a retry is held"
is "$(sio -b 8 w $D 98304 8192 @3) $(sio f $D)" "w 98304+8192 OK f 0+1 OK" "1,024 writes and a flush"
is "$(sio -b 8 r $D 40968 1024 @1) $(sio -b 8 w $D 41992 256 @3)" "r 40968+1024 OK w 41992+256 OK" "in the same MiB too"
is "$(sio r $D 4000 8 @1) $(sio w $D 4000 8 @4)" "r 4000+8 OK w 4000+8 OK" "a block with a slot"
gate_has 5 1
ok $? "meanwhile no other retry was sent, and this one is still held"
for left in 4 3 2 1 0; do
	gate release
	wait_for 60 gate_has $left 1
	ok $? "when it is done the next one is, $left wait"
done
gate release
wait
for s in $bad; do is "$(cat "/tmp/bad.$s")" "r $s+8 ENODATA" "$s: answered"; done
used "six more" 7

#---- the budget: disks that take longer than that for a sector

inject disk clear
need dm_remove r
need remap_create r $M $S retry_budget 1
base=$(status r used)

inject disk add rw 81920 MEDIUM delay 1100
n=$(asked writes sio w $D 81920 128 @2)
is "$(cat /tmp/out)" "w 81920+128 OK" "a write, its first block bad"
is "$n" 2 "the write and one retry: then time is up"
used "the others went to slots untried" $((base + 16))
inject disk add r 90112 MEDIUM delay 1100
n=$(asked reads sio r $D 90112 128)
is "$(cat /tmp/out)" "r 90112+128 ENODATA" "a read, its first block bad"
is "$n" 2 "the read and one retry"
used "it is recorded" $((base + 17))
is "$(sio r $D 90120 120 @1)" "r 90120+120 OK" "another read has a budget of its own"
need dm_remove r

#---- one budget for a bio, also when a block of it moves on the way

inject disk clear
faulty spare $S 131072
need remap_create r $M /dev/mapper/spare retry_budget 1 no_auto_remap
gate hold before w 106496+8
sio w $D 106496 10 @5 >/tmp/out &	# a block that main fails, and two sectors of the next
writer=$!
wait_for 60 gate_has 0 1 || bail "the write should be held"
need dm_message r import manual 106504	# which gets a slot meanwhile, with
need sio w $D 106509 1 @6		# one sector of it in there
for op in r "w times 2"; do
	# shellcheck disable=SC2086
	set -- $op
	inject spare add "$1" 10712+23688 MEDIUM $2 $3
done
inject disk add w 106496+8 MEDIUM delay 1100
inject disk add r 106504+8 MEDIUM delay 600
before=$(inject_count disk reads)
gate release
wait $writer
is "$(cat /tmp/out)" "w 106496+10 ENODATA" "a write to a bad block, and to one whose slot is bad"
is "$(status r lost)" 6 "what its slot and main do not give is lost"
is $(($(inject_count disk reads) - before)) 1 "time is up: one request to save what was pending, and no more"
need dm_remove r
done_testing
