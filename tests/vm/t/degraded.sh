# SPDX-License-Identifier: GPL-2.0-only
# Metadata copies that die while the device is live, a spare that goes away and comes back, a
# main that loses a flush, a spare that may not be written.
# vm: mem=512 timeout=600

. /guest/lib.sh

ram_disks 2 64
faulty_pair
T="0 131072 remap $M /dev/mapper/spare"
ZONE=24160
need remap_create r $M /dev/mapper/spare format
need dm_message r remap 4096+8
need dm_message r import manual 7000
need sio w $D 4096 8 @2

copies() { is "$(status r copies) $(status r mode)" "$1 $2" "$3: live copies, mode"; }

#---- copies of a page and of the superblock die, one after the other

copies 5 ok "before"
set -- 0 1024 2048 4096 8192
s=8192
for copy in 0 1 2; do
	inject spare add rw "$1+8" $((10240 + copy * ZONE))+8 IOERR
	shift
	is "$(dm_message r remap $s)" "1/1" "copy $copy dies: a remap works"
	need sio w $D $s 8 @3
	copies $((4 - copy)) degraded "copy $copy"
	s=$((s + 8))
done
need dm_message r commit
copies 2 degraded "three dead copies of everything"
inject spare add rw 4096+8 $((10240 + 3 * ZONE))+8 IOERR
is "$(dm_message r remap $s)" "0/1 EIO" "the fourth dies during a remap: reported"
like "$(sio r $D $s 8)" "r $s\+8 EIO" "its outcome is in doubt: fenced"
is "$(status r copies) $(status r needs_check)" "1 needs_check" "one copy is live"
is "$(dm_message r unmap 4096)" "0/1 EROFS 4096" "no more changes in that page"
like "$(sio w $D 7000 1 @3)" "w 7000\+1 E" "not even of a pending bit: the write fails"
is "$(sio r $D 7000 1 @1)" "r 7000+1 OK" "which stays pending"
inject main add w 20480 MEDIUM
is "$(sio w $D 20480 8 @4)" "w 20480+8 OK" "a bad block gets a slot of a page that has its copies"
inject main clear
is "$(sio w $D 4096 8 @5) $(sio r $D 4096 8 @5)" "w 4096+8 OK r 4096+8 OK" "remaps go on"
is "$(sio r $D 8192 24 @3)" "r 8192+24 OK" "all of them"
is "$(sio w $D 30000 8 @5) $(sio r $D 30000 8 @5)" "w 30000+8 OK r 30000+8 OK" "and main"
fails "commit says so" dm_message r commit

# they come back: a reload loads anew
inject spare clear
need dm_swap r "$T"
is "$(status r copies) $(status r access)" "5 rw" "the copies are back after a reload"
is "$(sio r $D $s 8 @1)" "r $s+8 OK" "the fenced block has what it had"
is "$(sio r $D 4096 8 @5) $(sio r $D 8192 24 @3)" "r 4096+8 OK r 8192+24 OK" "and all others"
is "$(dm_message r remap 16384)" "1/1" "changes are possible again"

#---- the whole spare goes and comes back

inject spare add rwf 0+131072 IOERR
is "$(sio w $D 50000 8 @6) $(sio r $D 50000 8 @6)" "w 50000+8 OK r 50000+8 OK" "spare gone: main goes on"
is "$(sio r $D 4096 8)" "r 4096+8 ENODATA" "a read of a slot fails"
like "$(sio w $D 8192 8 @7)" "w 8192\+8 E" "a write to one fails"
inject main add w 51000 MEDIUM
is "$(sio w $D 51000 8 @6)" "w 51000+8 ENODATA" "a bad block of main: its error goes up"
inject main clear
is "$(status r mode)" degraded "degraded"
inject spare clear
is "$(sio r $D 4096 8 @5)" "r 4096+8 OK" "the spare is back: reads"
need dm_swap r "$T"
is "$(status r copies)" 5 "a reload: all copies"
is "$(sio r $D 4096 8 @5)" "r 4096+8 OK" "all data"
is "$(sio w $D 8192 8 @7) $(sio r $D 8192 8 @7)" "w 8192+8 OK r 8192+8 OK" "writes"
is "$(status r lost)" 0 "nothing was lost by it"

#---- a flush of main that fails is told twice, and then it is over

inject main add f 0 IOERR times 1
is "$(sio f $D | cut -c1)$(sio f $D | sed 's/.* //')$(sio f $D | sed 's/.* //')" "fEIOOK" "a failed flush"
inject main clear
need dm_remove r

#---- nothing at all is written where nothing may be

need remap_create r $M /dev/mapper/spare
need dm_message r import manual 60000
inject main add r 60001 MEDIUM
need dm_remove r
before="$(sum_of /dev/ram0) $(sum_of /dev/ram1)"
need dm_create_ro r "$T"
is "$(status r access)" ro "read-only table"
is "$(sio r $D 4096 8 @5) $(sio r $D 60000 1 @1) $(sio r $D 60001)" \
	"r 4096+8 OK r 60000+1 OK r 60001+1 ENODATA" "it serves"
fails "no message changes anything" dm_message r remap 70000
inject main add r 70000 MEDIUM
is "$(sio r $D 70000 8)" "r 70000+8 ENODATA" "a bad read is not recorded"
is "$(status r pending)" 16 "nor counted"
need dm_remove r
is "$(sum_of /dev/ram0) $(sum_of /dev/ram1)" "$before" "no byte of either has changed"

need blockdev --setro /dev/mapper/spare
need dm_create r "$T"
is "$(status r access)" ro "read-only spare"
is "$(sio r $D 4096 8 @5)" "r 4096+8 OK" "it serves"
like "$(sio w $D 80000 8 @5)" "w 80000\+8 E" "a write is refused"
need dm_remove r
is "$(sum_of /dev/ram0) $(sum_of /dev/ram1)" "$before" "no byte of either has changed"
inject main clear

#---- a spare without power

null_disk sp 64 0
make_spare "$(null_device sp)"
need remap_create r $M "$(null_device sp)" format
need dm_message r remap 4096+8
need sio w $D 4096 8 @8
null_power sp 0
is "$(sio w $D 50000 8 @9) $(sio r $D 50000 8 @9)" "w 50000+8 OK r 50000+8 OK" "no power: main goes on"
is "$(sio r $D 4096 8)" "r 4096+8 ENODATA" "a slot does not"
like "$(sio w $D 4096 8 @9)" "w 4096\+8 E" "nor for a write"
need dm_remove r
null_power sp 1
need remap_create r $M "$(null_device sp)"
like "$(sio r $D 4096 8 @8)" "OK" "with power, from a new device"
is "$(status r lost) $(status r copies)" "0 5" "nothing is lost"

#---- disks that are somebody else's already

ram_disk=/dev/ram1
fails "main of another device as main" dm_create q "0 131072 remap $M $ram_disk"
fails "another's spare as main" dm_create q "0 131072 remap $(null_device sp) $ram_disk"
fails "another's main as spare" dm_create q "0 131072 remap $ram_disk $M"
runs "but two tables of one device may" dm_load r "0 131072 remap $M $(null_device sp)"
need dm_remove r

#---- a main that grows between the table and its resume

need dm_remove main
need dm_remove spare
make_spare /dev/ram1
need dm_create small "0 65536 linear /dev/ram0 0"
need dmsetup create --noudevsync q --notable
need dm_load q "0 65536 remap /dev/mapper/small /dev/ram1 1 format"
need dm_swap small "0 131072 linear /dev/ram0 0"
log_mark
fails "the device does not cover it: refused" dm_resume q
like "$(log_since)" "main has grown from 65536 to 131072 sectors" "it says so"
is "$(sio r /dev/ram1 0 10240 0)" "r 0+10240 OK" "nothing was written to the spare"
need dm_remove q
runs "created anew it works" dm_create q "0 131072 remap /dev/mapper/small /dev/ram1 1 format"
need dm_remove q
done_testing
