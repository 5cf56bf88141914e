# SPDX-License-Identifier: GPL-2.0-only
# What fails is found block by block: a bad block costs one slot whatever the bio was, only
# sectors that cannot be read are pending, and errors that say nothing about the medium never
# cause a remap.
# vm: mem=512 timeout=600

. /guest/lib.sh

ram_disks 2 64
faulty_pair
need remap_create r $M /dev/mapper/spare format

# used NAME WANTED
used() { is "$(status r used)" "$2" "$1: $2 slots used"; }
pending() { is "$(status r pending)" "$2" "$1: $2 sectors pending"; }

#---- a large write

inject main add w 4003 MEDIUM
is "$(sio w $D 3072 2048 @2)" "w 3072+2048 OK" "1 MiB write, one bad sector: acknowledged"
used "one bad sector" 1
is "$(sio r $D 3072 2048 @2)" "r 3072+2048 OK" "all of it can be read"
is "$(sio r $M 3072 928 @2) $(sio r $M 4008 1112 @2)" "r 3072+928 OK r 4008+1112 OK" "the other blocks are on main"
pending "one bad sector" 0
is "$(sio w $D 4000 8 @3)" "w 4000+8 OK" "writing the block again"
used "again" 1
is "$(sio r $D 3999 1 @2) $(sio r $D 4000 8 @3) $(sio r $D 4008 1 @2)" \
	"r 3999+1 OK r 4000+8 OK r 4008+1 OK" "it and its neighbours are right"

inject main add w 8192 8199 8200 9000 10239 MEDIUM
is "$(sio w $D 8192 2048 @2)" "w 8192+2048 OK" "1 MiB write, four bad blocks"
used "four bad blocks" 5
is "$(sio r $D 8192 2048 @2)" "r 8192+2048 OK" "all of it can be read"
is "$(sio r $M 8208 792 @2)" "r 8208+792 OK" "the good blocks between them are on main"

inject main add w 12288+64 MEDIUM torn
is "$(sio w $D 12284 128 @2)" "w 12284+128 OK" "eight bad blocks in a row, torn writes"
used "eight in a row" 13
is "$(sio r $D 12284 128 @2)" "r 12284+128 OK" "all of it can be read"
is "$(sio r $D 12280 4 @1) $(sio r $D 12412 4 @1)" "r 12280+4 OK r 12412+4 OK" "nothing beside it changed"

inject main add w 16000 MEDIUM reach
is "$(sio w $D 16000 8 @2)" "w 16000+8 OK" "a write that reaches the disk and fails"
used "reached" 14
is "$(sio r $D 16000 8 @2)" "r 16000+8 OK" "can be read"
base=14

#---- less than a block

inject main add w 20000+8 MEDIUM
is "$(sio w $D 20003 1 @2)" "w 20003+1 OK" "write of one sector of a block that reads well"
used "one sector" $((base + 1))
is "$(sio r $D 20003 1 @2)" "r 20003+1 OK" "the sector is right"
is "$(sio r $D 20000 3 @1) $(sio r $D 20004 4 @1)" "r 20000+3 OK r 20004+4 OK" "the rest is what it was"

inject main add rw 20800+8 MEDIUM
is "$(sio w $D 20802 2 @2)" "w 20802+2 OK" "write of two sectors of a block that cannot be read"
used "two sectors" $((base + 2))
pending "two sectors" 6
is "$(sio r $D 20802 2 @2)" "r 20802+2 OK" "the two sectors are right"
is "$(sio r $D 20801)" "r 20801+1 ENODATA" "a pending one fails"
is "$(sio r $D 20800 8)" "r 20800+8 ENODATA" "and so does the whole block"
is "$(sio w $D 20801 1 @3)" "w 20801+1 OK" "it can be written"
is "$(sio r $D 20801 1 @3)" "r 20801+1 OK" "and then read"
pending "one written" 5
is "$(sio w $D 20796 16 @4)" "w 20796+16 OK" "all of the block is written"
is "$(sio r $D 20796 16 @4)" "r 20796+16 OK" "and can be read"
pending "all written" 0
used "still" $((base + 2))
base=16

#---- reads

inject main add r 24001 24005 MEDIUM
is "$(sio r $D 23552 2048)" "r 23552+2048 ENODATA" "1 MiB read, two bad sectors in a block: fails"
used "failed read" $((base + 1))
pending "failed read" 2
is "$(sio r $D 24000 1 @1) $(sio r $D 24002 3 @1) $(sio r $D 24006 2 @1)" \
	"r 24000+1 OK r 24002+3 OK r 24006+2 OK" "the block's other sectors can be read"
is "$(sio r $D 24001) $(sio r $D 24005)" "r 24001+1 ENODATA r 24005+1 ENODATA" "the bad ones fail"
is "$(sio r $D 23552 448 @1) $(sio r $D 24008 1592 @1)" "r 23552+448 OK r 24008+1592 OK" "all else can be read"
i=0
while [ $i -lt 50 ]; do
	sio r $D 24000 8 >/dev/null
	i=$((i + 1))
done
used "50 more reads" $((base + 1))
pending "50 more reads" 2
is "$(sio w $D 24001 1 @2)" "w 24001+1 OK" "write of a bad one"
is "$(sio r $D 24000 1 @1) $(sio r $D 24001 1 @2) $(sio r $D 24002 3 @1)" \
	"r 24000+1 OK r 24001+1 OK r 24002+3 OK" "it and its neighbours are right"
pending "one written" 1
is "$(sio r $D 24005)" "r 24005+1 ENODATA" "the other still fails"
inject main del r 24005
is "$(sio r $D 24005 1 @1)" "r 24005+1 OK" "main gives it after all: its data, once lost, is back"

inject main add r 28000 28001 29000 MEDIUM until-written
is "$(sio r $D 28000 1024)" "r 28000+1024 ENODATA" "read of two bad blocks"
is "$(sio -b 64 w $D 28000 1024 @5)" "w 28000+1024 OK" "writing over them"
is "$(sio r $D 28000 1024 @5)" "r 28000+1024 OK" "everything can be read"
inject main clear

#---- after all this, from the beginning of the device to its end

used_before=$(status r used) pending_before=$(status r pending)
need dm_remove r
need remap_create r $M /dev/mapper/spare
used "a new device" "$used_before"
pending "a new device" "$pending_before"
is "$(sio r $D 3072 928 @2) $(sio r $D 4000 8 @3) $(sio r $D 4008 1112 @2)" \
	"r 3072+928 OK r 4000+8 OK r 4008+1112 OK" "what was written first"
is "$(sio r $D 20796 16 @4) $(sio r $D 24001 1 @2) $(sio r $D 28000 1024 @5)" \
	"r 20796+16 OK r 24001+1 OK r 28000+1024 OK" "what was written later"

#---- what says nothing about the medium

base=$(status r used)
s=40000
for error in TRANSPORT:ENOLINK OFFLINE:ENODEV NOSPC:ENOSPC TIMEOUT:ETIMEDOUT PROTECTION:EILSEQ \
	NEXUS:EBADE NOTSUPP:EOPNOTSUPP; do
	inject main add rw $s+8 "${error%:*}"
	is "$(sio w $D $s 8 @2)" "w $s+8 ${error#*:}" "${error%:*}: a write fails with it"
	is "$(sio r $D $s 8)" "r $s+8 ${error#*:}" "${error%:*}: and a read"
	used "${error%:*}" "$base"
	inject main clear
	is "$(sio w $D $s 8 @2)" "w $s+8 OK" "${error%:*}: when it is over all is well"
	s=$((s + 8192))
done
pending "none of them" "$pending_before"

for error in IOERR:EIO TARGET:EREMOTEIO; do
	inject main add r 100000+8 "${error%:*}"
	is "$(sio r $D 100000 8)" "r 100000+8 ${error#*:}" "${error%:*}: a read fails with it"
	used "read ${error%:*}" "$base"
	inject main clear
	inject main add w $s+8 "${error%:*}"
	is "$(sio w $D $s 8 @2)" "w $s+8 OK" "${error%:*}: a write is remapped when its neighbours are good"
	base=$((base + 1))
	used "write ${error%:*}" "$base"
	is "$(sio r $D $s 8 @2) $(sio r $D $((s - 8)) 8 @1) $(sio r $D $((s + 8)) 8 @1)" \
		"r $s+8 OK r $((s - 8))+8 OK r $((s + 8))+8 OK" "${error%:*}: it and its neighbours are right"
	inject main clear
	s=$((s + 8192))
done

# neighbours that have nothing to say: those next to them are asked
s=40000
need dm_message r remap $((s - 32768))+8 $((s - 4096))+8 $((s - 512))+8 $((s - 64))+8 $((s - 8))+8 \
	$((s + 8))+8 $((s + 64))+8 $((s + 512))+8 $((s + 4096))+8 $((s + 32768))+8
base=$((base + 10))
inject main add w $s+8 IOERR
is "$(sio w $D $s 8 @2)" "w $s+8 OK" "a write is remapped when its neighbours are remapped"
base=$((base + 1))
used "remapped neighbours" "$base"
is "$(sio r $D $s 8 @2) $(sio r $D $((s - 16)) 8 @1) $(sio r $D $((s + 16)) 8 @1)" \
	"r $s+8 OK r $((s - 16))+8 OK r $((s + 16))+8 OK" "it and who was asked are right"
inject main clear

inject main add w 110000 MEDIUM times 1
is "$(sio w $D 110000 8 @2)" "w 110000+8 OK" "a write that succeeds when tried again"
used "tried again" "$base"
inject main add r 110016 MEDIUM times 1
is "$(sio r $D 110016 8 @1)" "r 110016+8 OK" "a read that succeeds when tried again"
used "read again" "$base"

#---- the whole disk gone: nothing is remapped

inject main add rw 0+131072 IOERR
like "$(sio w $D 50000 8 @9)" 'w 50000\+8 E' "every write of main fails: the error goes up"
used "disk gone" "$base"
is "$(status r mode)" failed "the device says failed"
inject main clear
need dm_remove r
need remap_create r $M /dev/mapper/spare
used "after the disk came back" "$base"
is "$(sio r $D 50000 8 @1)" "r 50000+8 OK" "and it serves again"

need dm_remove r

#---- nobody to ask: a slot takes the write, a read fails

need dm_remove main
faulty main /dev/ram0 136
make_spare /dev/mapper/spare
need remap_create r $M /dev/mapper/spare format read_policy remap
need dm_message r remap 0+64 72+64
inject main add w 64+8 IOERR
is "$(sio w $D 64 8 @4) $(sio r $D 64 8 @4)" "w 64+8 OK r 64+8 OK" "all other blocks are remapped: a write"
used "nobody to ask" 17
is "$(status r mode)" ok "main is not said to be gone"
inject main clear
need dm_message r unmap 64+8
inject main add r 64+8 IOERR
is "$(sio r $D 64 8)" "r 64+8 EIO" "all other blocks are remapped: a read"
used "nobody to ask for a read" 16
inject main clear

# two refusals fail the write, but a bad block and its neighbours are not the whole disk; and nobody counts twice
need dm_message r unmap 0+8 128+8
inject main add w 0+8 IOERR
inject main add w 64+8 IOERR
inject main add w 128+8 IOERR
is "$(sio w $D 64 8 @5)" "w 64+8 EIO" "the only two blocks that can be asked refuse: a write"
is "$(status r mode)" ok "main is not given up for two refusals"
inject main clear
is "$(sio w $D 64 8 @5) $(sio r $D 64 8 @5)" "w 64+8 OK r 64+8 OK" "and it is written when that is over"
need dm_remove r
done_testing
