# SPDX-License-Identifier: GPL-2.0-only
# The message unmap: data comes home to main, slots become free, and nothing is pretended.
# vm: mem=512 timeout=600 modules=dm-remap,dm-inject,dm-gate

. /guest/lib.sh

ram_disks 2 64
need dm_create gate "0 131072 gate /dev/ram0"
faulty_pair /dev/mapper/gate
need remap_create r $M /dev/mapper/spare format

# counts USED PENDING LOST NAME
counts() { is "$(status r used) $(status r pending) $(status r lost)" "$1 $2 $3" "$4: used, pending, lost"; }

#---- blocks that were written while they had slots

need dm_message r remap 4096+64 8192+8
need sio w $D 4096 64 @2
need sio w $D 8195 2 @3
counts 9 0 0 "nine blocks"
is "$(sio r $M 4096 64 @1)" "r 4096+64 OK" "main does not have the new data"
is "$(dm_message r unmap 4096+64 8192+8)" "9/9" "all of them come home"
counts 0 0 0 "nine blocks at home"
is "$(sio r $M 4096 64 @2) $(sio r $M 8192 3 @1) $(sio r $M 8195 2 @3) $(sio r $M 8197 3 @1)" \
	"r 4096+64 OK r 8192+3 OK r 8195+2 OK r 8197+3 OK" "main has it"
is "$(sio r $D 4096 64 @2) $(sio r $D 8195 2 @3)" "r 4096+64 OK r 8195+2 OK" "and the device gives it"
is "$(dm_message r unmap 4096+64)" "8/8" "again: nothing to do"
is "$(dm_message r unmap 0+131072)" "16384/16384" "nor anywhere"

#---- words

fails "a range is missing" dm_message r unmap
fails "a range outside" dm_message r unmap 8+8 131072
fails "not a range" dm_message r unmap 8+
counts 0 0 0 "after these"

#---- pending sectors never left main

need dm_message r import manual 12288+16
need sio w $D 12289 2 @4
counts 2 14 0 "two imported blocks, two sectors written"
is "$(dm_message r unmap 12288+16)" "2/2" "they come home"
counts 0 0 0 "imported blocks"
is "$(sio r $D 12288 1 @1) $(sio r $D 12289 2 @4) $(sio r $D 12291 13 @1)" \
	"r 12288+1 OK r 12289+2 OK r 12291+13 OK" "with all they had"

inject main add r 16003 MEDIUM
is "$(sio r $D 16000 8)" "r 16000+8 ENODATA" "a block with a bad sector"
counts 1 1 0 "it has a slot"
is "$(dm_message r unmap 16000)" "1/1" "it comes home"
counts 0 0 0 "and is gone"
is "$(sio r $D 16000 3 @1) $(sio r $D 16004 4 @1)" "r 16000+3 OK r 16004+4 OK" "the rest of it is there"
inject main clear
is "$(sio r $D 16003 1 @1)" "r 16003+1 OK" "main has the bad one, as before"
is "$(dm_message r unmap 16000)" "1/1" "home again"

#---- a main that does not take it

need dm_message r remap 20480+24
need sio w $D 20480 24 @5
inject main add w 20490 MEDIUM
is "$(dm_message r unmap 20480+24)" "2/3 EIO 20488" "main refuses the second of three blocks"
counts 1 0 0 "that one"
is "$(sio r $D 20480 24 @5)" "r 20480+24 OK" "all can be read"
errors=$(status r write_errors)
at_least "$errors" 1 "the error of main is counted"
is "$(status r last_error)" 20488 "and where it was"
inject main clear
inject main add r 20488+8 MEDIUM
is "$(dm_message r unmap 20488)" "0/1 EIO 20488" "main takes it and does not give it back"
counts 1 0 0 "that one"
inject main clear
inject main add f 0 IOERR times 1
is "$(dm_message r unmap 20488)" "0/1 EIO 20488" "a flush of main fails"
counts 1 0 0 "that one"
is "$(sio f $D | cut -d' ' -f1-3 | sed 's/ [0-9].*E/ E/')" "f EIO" "the next flush of the device says so"
like "$(sio f $D)" "OK" "once"
inject main clear
is "$(dm_message r unmap 20488)" "1/1" "all is well again"
is "$(sio r $M 20480 24 @5)" "r 20480+24 OK" "main has it"

#---- a slot that does not give it

need dm_message r remap 24576
need sio w $D 24576 8 @6
inject spare add r 10240+120832 MEDIUM
is "$(dm_message r unmap 24576)" "0/1 EIO 24576" "the slot cannot be read: refused"
inject spare clear
counts 1 0 0 "that one"
inject spare add r 10240+120832 TRANSPORT
is "$(dm_message r unmap 24576)" "0/1 EIO 24576" "the spare is away: refused"
inject spare clear
is "$(dm_message r unmap 24576)" "1/1" "all is well again"

#---- lost sectors: main would pretend to have them

need dm_message r remap 28672
need sio w $D 28672 8 @7
# the slots of the first zone, but not the copy of the table before them
inject spare add r 10712+23688 MEDIUM
inject spare add w 10712+23688 MEDIUM times 2
sio w $D 28672 1 @8 >/dev/null
inject spare clear
counts 1 0 7 "a block whose slot went bad"
is "$(dm_message r unmap 28672)" "0/1 ENODATA 28672" "it is refused"
is "$(sio r $D 28672 1 @8)" "r 28672+1 OK" "what it has can be read"
is "$(sio r $D 28673)" "r 28673+1 ENODATA" "what is lost fails"
need sio w $D 28672 8 @9
is "$(dm_message r unmap 28672)" "1/1" "with all of it written it comes home"
is "$(sio r $M 28672 8 @9)" "r 28672+8 OK" "main has it"

#---- many at once: batches, and what is in their way

need dm_message r remap 65536+4800
need dm_message r import manual 70336+8
need sio w $D 65536 4800 @11
need dm_message r unmap 65616+8 66000+8
before=$(inject_count spare writes)
is "$(dm_message r unmap 65536+8000)" "1000/1000" "598 blocks in slots, one pending, among a thousand"
at_most $(($(inject_count spare writes) - before)) 200 "writes to the spare: many blocks at each commit"
is "$(sio -b 2048 r $M 65536 4800 @11) $(sio r $M 70336 8 @1)" "r 65536+4800 OK r 70336+8 OK" "all are home"
is "$(sio r $D 65536 4800 @11)" "r 65536+4800 OK" "and the device gives them"

# blocks that main refuses, in two ranges, each after as long as a batch has for all of its blocks
need dm_message r remap 65536+2400 81920+800
need sio w $D 65536 2400 @12
need sio w $D 81920 800 @12
used=$(status r used)
inject main add w 66330 67001 82000 MEDIUM delay 1200
dm_message r unmap 65536+2400 81920+800 >/tmp/out &
unmap=$!
# none of them is in the way of these for good
is "$(sio w $D 65600 8 @13) $(sio w $D 67920 8 @13) $(sio r $D 82712 8 @12)" \
	"w 65600+8 OK w 67920+8 OK r 82712+8 OK" "meanwhile they are read and written"
wait $unmap
is "$(cat /tmp/out)" "397/400 EIO 66328" "all but these come home, and the answer names the first"
is "$((used - $(status r used)))" 397 "their slots are free"
inject main clear
is "$(sio r $D 66328 8 @12) $(sio r $D 67000 8 @12) $(sio r $D 82000 8 @12)" \
	"r 66328+8 OK r 67000+8 OK r 82000+8 OK" "those that stayed are as they were"
is "$(dm_message r unmap 65536+2400 81920+800)" "400/400" "later they come home, too"
is "$(sio r $M 65600 8 @13) $(sio r $M 67920 8 @13) $(sio r $M 66328 800 @12)" \
	"r 65600+8 OK r 67920+8 OK r 66328+800 OK" "main has all of it"

#---- a table that is shorter than main, and ends in a block

need dm_message r remap 30720
need sio w $D 30720 8 @9
table=$(dm_table r)
need dm_swap r "$(echo "$table" | sed 's/^0 131072/0 30724/')"
need sio w $M 30724 4 @10	# somebody else's
is "$(dm_message r unmap 30720)" "0/1 ERANGE 30720" "it is refused"
is "$(sio r $D 30720 4 @9) $(sio r $M 30724 4 @10)" "r 30720+4 OK r 30724+4 OK" "nobody's data is touched"
need dm_swap r "$table"
is "$(dm_message r unmap 30720)" "1/1" "with a table for all of it the block comes home"
is "$(sio r $M 30720 8 @9)" "r 30720+8 OK" "with all it had"

#---- a write that is under way to main since before its block had a slot

held() { [ "$(dmsetup status gate | awk '{ print $5 }')" = "$1" ]; }
# begin SECTOR HOLDS: leaves a write held, its block with a slot, and an unmap begun
begin()
{
	need dm_message gate hold before w "$1+8" "$2"
	sio w $D $(($1 + 2)) 4 @11 >/tmp/out.1 &
	writer=$!
	wait_for 30 held 1 || not_ok "the write is not under way"
	is "$(dm_message r remap "$1")" "1/1" "the block of $1 gets a slot"
	dm_message r unmap "$1" >/tmp/out.2 &
	mover=$!
}
end()
{
	need dm_message gate release
	need dm_message gate open
	wait $writer $mover
	is "$(cat /tmp/out.1 /tmp/out.2 | tr '\n' ' ')" "w $(($1 + 2))+4 OK 1/1 " "written, and at home"
	is "$(sio r $D $(($1 + 2)) 4 @11)" "r $(($1 + 2))+4 OK" "the write is not undone"
	need sio w $D "$1" 8 @1
}

# by the fast path: it lands while the unmap owns the block, which copies older data home then
begin 110592 2
wait_for 30 held 2 || not_ok "the copy is not under way"
need dm_message gate release first
wait_for 30 test "$(status r parked)" = 1
end 110592
# by the slow path, where there has been a slot in that MiB: it is waited for
begin 28688 1
sleep 1
is "$(cat /tmp/out.2)" "" "the unmap waits for it"
end 28688

#---- after all this, and thousands in one message

counts 0 0 0 "everything"
words=
s=32768
while [ $s -lt 98288 ]; do
	words="$words $s"
	s=$((s + 16))
done
# shellcheck disable=SC2086
is "$(dm_message r remap $words)" "4095/4095" "4,095 blocks get slots"
need sio -b 64 w $D 32768 65536 @10
# shellcheck disable=SC2086
is "$(dm_message r unmap $words)" "4095/4095" "and come home"
counts 0 0 0 "all of these"
is "$(sio -b 2048 r $M 32768 65536 @10)" "r 32768+65536 OK" "main has all of it"
is "$(status r mode)" degraded "slots have failed in this activation"
need dm_remove r
need remap_create r $M /dev/mapper/spare
counts 0 0 0 "on a new device"
is "$(status r mode)" ok "which is well"
is "$(sio -b 2048 r $D 32768 65536 @10)" "r 32768+65536 OK" "and gives all of it"
need dm_remove r
done_testing
