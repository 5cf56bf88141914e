# SPDX-License-Identifier: GPL-2.0-only
# The target in a stack: dm-linear below it, so that main and spare begin in the middle of disks,
# several lines in one table, dm-crypt above; a line that is shorter than main, and somebody behind
# it; discards and secure erase, offered and not; requests whose submitter spins for the answer.
# vm: mem=768 timeout=600 modules=dm-remap,dm-inject,dm-gate

. /guest/lib.sh

D=/dev/mapper/r
queue_of() { cat "/sys/block/dm-$(dmsetup info -c --noheadings -o minor "$1")/queue/$2"; }
# each LINE FIELD...: a field of the status of each remap line of device `both`
each() { status both "$1" | grep . | tr '\n' ' '; }

#---- slices of two disks below, in one table with something else; encryption above

ram_disks 2 64
faulty disk /dev/ram0 131072
faulty store /dev/ram1 131072
FIRST_AT=5001 SECOND_AT=40003		# where mains are on the disk
FIRST_LINE=1001 SECOND_LINE=9193	# where they are in the table, of
SECTORS=15337
need dm_create first "0 8192 linear /dev/mapper/disk $FIRST_AT"
need dm_create second "0 6144 linear /dev/mapper/disk $SECOND_AT"
need dm_create spare1 "0 16384 linear /dev/mapper/store 3001"
need dm_create spare2 "0 16384 linear /dev/mapper/store 20007"
make_spare /dev/mapper/spare1
make_spare /dev/mapper/spare2
T="0 $FIRST_LINE linear /dev/mapper/disk 100000
$FIRST_LINE 8192 remap /dev/mapper/first /dev/mapper/spare1 4 format breaker 100000 60
$SECOND_LINE 6144 remap /dev/mapper/second /dev/mapper/spare2 4 format breaker 100000 60"
KEY=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
need dm_create both "$T"
if dm_create secret "0 $SECTORS crypt aes-cbc-plain64 $KEY 0 /dev/mapper/both 0 1 allow_discards" 2>/dev/null; then
	C=/dev/mapper/secret
	is "$(sio w $C 1000 8 @1) $(sio r /dev/mapper/both 1000 8 @1 | cut -d ' ' -f 3)" "w 1000+8 OK WRONG" \
		"what is above encrypts"
else
	is_debug_kernel || bail "no dm-crypt"
	need dm_create secret "0 $SECTORS linear /dev/mapper/both 0"
	C=/dev/mapper/secret
	skip "encryption" "this kernel has none"
fi

# pick COUNT SEED SECTORS: so many sectors at random
pick()
{
	awk -v n="$1" -v seed="$2" -v sectors="$3" \
		'BEGIN { srand(seed); for (i = 0; i < n; i++) print int(rand() * sectors) }'
}
pick 60 1 8192 >/tmp/bad.first
pick 60 2 6144 >/tmp/bad.second
# add OFFSET <SECTORS: words of a range each, moved by so much
add() { awk -v by="$1" '{ print $1 + by }'; }

need pattern init -S /tmp/state $C
pattern load -S /tmp/state -n 600 -j 4 -b 1:64 -w 70 -f 5 >/tmp/load.out 2>&1 &
load=$!
# a few at a time, under load; each takes a part of a block that is not the first one's neighbour
for i in 1 2 3 4 5 6; do
	# shellcheck disable=SC2046
	inject disk add w $(sed -n "$((i * 10 - 9)),$((i * 10))p" /tmp/bad.first | add $FIRST_AT) \
		$(sed -n "$((i * 10 - 9)),$((i * 10))p" /tmp/bad.second | add $SECOND_AT) MEDIUM
	usleep 50000
done
wait $load
is $? 0 "no write fails under load" || diag "$(cat /tmp/load.out)"
runs "all that was written is read" pattern verify -S /tmp/state -b 512
is "$(sio -b 2048 w $C 0 $SECTORS @2) $(sio -b 2048 r $C 0 $SECTORS @2)" \
	"w 0+$SECTORS OK r 0+$SECTORS OK" "all of it is written and read"
is "$(each mode)" "ok ok " "both are well"

# blocks SPARE: first sectors of the blocks that it stands in for; wanted FILE: those that it should
blocks() { remap-dump -q -F csv "/dev/mapper/$1" | awk -F , 'NR > 1 && $7 == "mapped" { print $3 }' | sort -n; }
wanted() { awk '{ print int($1 / 8) * 8 }' "$1" | sort -nu; }
is "$(blocks spare1)" "$(wanted /tmp/bad.first)" "remaps of the first are where it failed, and nowhere else"
is "$(blocks spare2)" "$(wanted /tmp/bad.second)" "and of the second"

# the same addresses of both: neither takes the other's
need dmsetup message both $FIRST_LINE remap 5000+8
is "$(sio w $C $((FIRST_LINE + 5000)) 8 @3) $(sio w $C $((SECOND_LINE + 5000)) 8 @4)" \
	"w 6001+8 OK w 14193+8 OK" "the same sector of both lines is written"
is "$(sio r $C $((FIRST_LINE + 5000)) 8 @3) $(sio r $C $((SECOND_LINE + 5000)) 8 @4)" \
	"r 6001+8 OK r 14193+8 OK" "and each gives its own"
# requests over the borders of lines, which are not borders of anything else
for border in $FIRST_LINE $SECOND_LINE; do
	inject disk add w $((border == FIRST_LINE ? FIRST_AT : SECOND_AT))+1 MEDIUM
	is "$(sio w $C $((border - 7)) 20 @5) $(sio r $C $((border - 7)) 20 @5)" \
		"w $((border - 7))+20 OK r $((border - 7))+20 OK" "over the border at $border, beside a bad sector"
done
is "$(blocks spare2 | head -n 1)" 0 "which is block 0 of the second line"

# reads that fail say so above, and only there; a slot that fails moves
inject disk add r $((FIRST_AT + 5100)) MEDIUM
like "$(sio r $C $((FIRST_LINE + 5100)) 1)" "^r $((FIRST_LINE + 5100))\+1 E" "a sector that cannot be read fails above"
is "$(each pending)" "1 0 " "one sector of the first line is pending"
is "$(sio r $C $((FIRST_LINE + 5101)) 3 @2)" "r $((FIRST_LINE + 5101))+3 OK" "the ones beside it are read"
inject disk del r $((FIRST_AT + 5100))
need dmsetup message both $FIRST_LINE salvage start
healed() { [ "$(each pending)" = "0 0 " ]; }
wait_for 60 healed
is "$(sio r $C $((FIRST_LINE + 5100)) 1 @2)" "r $((FIRST_LINE + 5100))+1 OK" "and salvaged when main gives it"
inject store add w 20007+16384 MEDIUM times 2
is "$(sio w $C $((SECOND_LINE + 1)) 2 @6) $(sio r $C $((SECOND_LINE + 1)) 2 @6)" \
	"w $((SECOND_LINE + 1))+2 OK r $((SECOND_LINE + 1))+2 OK" "a slot of the second line fails and moves"
is "$(each retired)" "0 1 " "it is retired"
inject store clear

hash=$(sio -b 2048 h $C 0 $SECTORS)
need dm_suspend secret
need dm_suspend both
need dm_resume both
need dm_resume secret
need dm_swap both "$(dm_table both)"
is "$(sio -b 2048 h $C 0 $SECTORS)" "$hash" "all is as it was after a suspend and a reload"
crypt=$(dmsetup table --showkeys secret)
need dm_remove secret
need dm_remove both
need dm_create both "$T"
need dm_create secret "$crypt"
is "$(sio -b 2048 h $C 0 $SECTORS)" "$hash" "and on new devices"
need dm_remove secret
need dm_remove both
for d in first second spare1 spare2 store disk; do
	need dm_remove $d
done

#---- a line that ends inside a block of main, and somebody else's behind it

faulty main /dev/ram0 65536
M=/dev/mapper/main
need sio -b 2048 w $M 0 65536 @1
make_spare /dev/ram1
# up_to SECTOR: the line ends there
up_to() { echo "0 $1 remap $M /dev/ram1 1 format
$1 $((65536 - $1)) linear $M $1"; }
need dm_create r "$(up_to 30724)"
inject main add r 30721 MEDIUM
is "$(sio r $D 30720 4)" "r 30720+4 ENODATA" "a bad sector in a block that the line ends in"
is "$(status r pending | grep .)" 5 "is pending, and so is what is behind the line"
inject main clear
need sio w $D 30724 4 @4
need dm_message r salvage start
left() { [ "$(status r pending | grep .)" = "$1" ]; }
wait_for 60 left 4
is "$(status r pending | grep .) $(status r salvage_tried | grep .)" "4 1/5" "salvage leaves that alone"
need dm_swap r "$(up_to 20484)"
is "$(dm_message r remap 20480) $(status r pending | grep .)" "1/1 8" "so does a remap by message"
need sio w $D 20484 4 @5
need dm_swap r "$(up_to 10244)"
inject main add w 10240 MEDIUM
is "$(sio w $D 10240 2 @6) $(status r pending | grep .)" "w 10240+2 OK 12" "and a write that needs a slot"
inject main clear
need sio w $D 10244 4 @7
need dm_swap r "0 65536 remap $M /dev/ram1"
is "$(sio r $D 30720 4 @1) $(sio r $D 30724 4 @4)" "r 30720+4 OK r 30724+4 OK" "a longer line has what was left there"
is "$(sio r $D 20480 4 @1) $(sio r $D 20484 4 @5)" "r 20480+4 OK r 20484+4 OK" "for each"
is "$(sio r $D 10240 2 @6) $(sio r $D 10242 2 @1) $(sio r $D 10244 4 @7)" \
	"r 10240+2 OK r 10242+2 OK r 10244+4 OK" "of them"
is "$(dm_message r unmap 10240+8 20480+8 30720+8) $(status r pending)" "3/3 0" "they come home"
is "$(sio r $M 30724 4 @4) $(sio r $M 20484 4 @5) $(sio r $M 10244 4 @7)" \
	"r 30724+4 OK r 20484+4 OK r 10244+4 OK" "and nobody's data has changed"
need dm_remove r
need dm_remove main

#---- discard and secure erase

# discarder NAME DISCARD: a disk of 32 MiB
discarder()
{
	[ -d /sys/kernel/config/nullb ] || need modprobe null_blk nr_devices=0
	need mkdir "/sys/kernel/config/nullb/$1"
	for _set in size=32 blocksize=512 memory_backed=1 queue_mode=2 discard="$2"; do
		echo "${_set#*=}" >"/sys/kernel/config/nullb/$1/${_set%=*}"
	done
	null_power "$1" 1
}
discarder with 1
discarder without 0
faulty main "$(null_device with)" 65536
faulty dull "$(null_device without)" 65536
need sio -b 2048 w $M 0 65536 @1
make_spare "$(null_device without)"
need remap_create r $M "$(null_device without)" format
is "$(queue_of r discard_max_bytes)" "$(queue_of main discard_max_bytes)" "discards are as large as main takes them"
is "$(queue_of r discard_granularity)" "$(queue_of main discard_granularity)" "and as small"
need dm_message r remap 2048+8
need dm_message r import manual 4096
before=$(inject_count main discards)
is "$(sio d $D 2040 24) $(sio d $D 4090 16) $(sio d $D 6001 3)" "d 2040+24 OK d 4090+16 OK d 6001+3 OK" \
	"discards over a slot, over a pending block, of three sectors"
is $(($(inject_count main discards) - before)) 5 "main is told of what is not remapped"
is "$(sio r $D 2040 8 0) $(sio r $D 2048 8 @1) $(sio r $D 2056 8 0)" \
	"r 2040+8 OK r 2048+8 OK r 2056+8 OK" "it is gone beside the slot, and there in it"
is "$(sio r $D 4090 6 0) $(sio r $D 4096 8 @1) $(sio r $D 4104 2 0)" \
	"r 4090+6 OK r 4096+8 OK r 4104+2 OK" "and so around the pending block"
is "$(sio r $D 6000 1 @1) $(sio r $D 6001 3 0) $(sio r $D 6004 1 @1)" \
	"r 6000+1 OK r 6001+3 OK r 6004+1 OK" "three sectors are three sectors"
before=$(inject_count main discards)
is "$(sio d $D 2048 8) $(sio d $D 2050 2)" "d 2048+8 OK d 2050+2 OK" "what is in a slot is discarded"
is "$(($(inject_count main discards) - before)) $(sio r $D 2048 8 @1)" "0 r 2048+8 OK" "nobody is told, and nothing changes"
inject main add d 8200 MEDIUM
like "$(sio d $D 8192 16)" "d 8192\+16 E" "a discard that fails says so"
is "$(status r used) $(status r write_errors) $(status r mode)" "2 0 ok" "it remaps nothing and counts as nothing"
inject main clear
is "$(sio e $D 0 65536)" "e 0+65536 EOPNOTSUPP" "secure erase is not offered"
is "$(sio r $D 0 2040 @1)" "r 0+2040 OK" "and does nothing"
is "$(sio d $D 0 65536) $(sio r $D 0 2048 0) $(sio r $D 2048 8 @1) $(sio r $D 4104 61432 0)" \
	"d 0+65536 OK r 0+2048 OK r 2048+8 OK r 4104+61432 OK" "all of it is discarded, but for what is in slots"
need dm_remove r
make_spare "$(null_device with)"
need remap_create r /dev/mapper/dull "$(null_device with)" format
is "$(queue_of r discard_max_bytes)" 0 "a main that does not discard, with a spare that does: not offered"
is "$(sio d $D 0 64) $(sio e $D 0 64)" "d 0+64 EOPNOTSUPP e 0+64 EOPNOTSUPP" "and refused"
need dm_remove r
need dm_remove main
need dm_remove dull

#---- polled

null_disk pm 32 0
null_disk ps 32 0
need dm_create gate "0 65536 gate $(null_device pm)"
faulty main /dev/mapper/gate 65536
faulty spare "$(null_device ps)" 65536
need sio -b 2048 w $M 0 65536 @1
make_spare /dev/mapper/spare
need remap_create r $M /dev/mapper/spare format
is "$(queue_of r io_poll)" 1 "where both disks can be polled, so can the device"
need dm_message r remap 2048+8 2064+64
need dm_message r import manual 4096 4112
is "$(polled r $D 0 16384 @1 24)" "r 0+16384 OK" "reads of main, of slots, of pending sectors, at odd borders"
is "$(polled w $D 8001 8100 @2 28) $(sio -b 2048 r $D 8001 8100 @2)" "w 8001+8100 OK r 8001+8100 OK" "writes to main"
is "$(polled w $D 2001 1003 @2 36) $(polled r $D 2001 1003 @2 250)" "w 2001+1003 OK r 2001+1003 OK" "and to slots"
is "$(polled w $D 4100 16 @3) $(polled r $D 4100 16 @3)" "w 4100+16 OK r 4100+16 OK" \
	"a write of pending sectors needs a process, and gets one"
is "$(status r pending)" 8 "they are pending no longer"
inject main add rw 20001 MEDIUM
is "$(polled r $D 20000 8 @1)" "r 20000+8 ENODATA" "a bad sector fails"
is "$(polled r $D 20002 6 @1)" "r 20002+6 OK" "those beside it do not"
is "$(polled w $D 20000 8 @4) $(polled r $D 20000 8 @4)" "w 20000+8 OK r 20000+8 OK" "written, it is in a slot"
inject main add w 24001 MEDIUM
inject main add w 24017 IOERR
is "$(polled w $D 23900 400 @5 17) $(polled r $D 23900 400 @5 19)" "w 23900+400 OK r 23900+400 OK" \
	"bad sectors under many writes"
is "$(status r used) $(status r pending)" "14 8" "have slots"
inject main clear
# where a block's slot is on the spare
slot_of() { remap-dump -q -F csv /dev/mapper/spare | awk -F , -v block="$1" '$3 == block { print $4 }'; }
inject spare add w "$(slot_of 2064)+8" MEDIUM times 2
is "$(polled w $D 2064 3 @6) $(polled r $D 2064 3 @6) $(status r retired)" "w 2064+3 OK r 2064+3 OK 1" "a slot that fails moves"
inject spare add r "$(slot_of 2072)" MEDIUM
is "$(polled r $D 2072 8 @2)" "r 2072+8 ENODATA" "one that cannot be read says so"
inject spare clear

# a submitter that does not ask for what it has under way is nobody to wait for: the disk's own time is 30 s
need dm_message r remap 30000+32
begun=$(uptime_ms)
for nr in 1 2 3; do
	polled r $D 30008 8 @1 8 /tmp/held.$nr >/tmp/out.$nr &
	wait_for 60 test -e /tmp/held.$nr || not_ok "nothing is submitted"
	case $nr in
	1) inject spare add w "$(slot_of 30000)+8" MEDIUM times 2
	   is "$(sio w $D 30000 8 @2)" "w 30000+8 OK" "nobody polls for a read of a slot: another slot moves" ;;
	2) inject main add w 30032 IOERR
	   is "$(sio w $D 30032 8 @3)" "w 30032+8 OK" "a neighbour is asked" ;;
	3) is "$(dm_message r unmap 30016+8)" "1/1" "and a block comes home" ;;
	esac
done
at_most $(($(uptime_ms) - begun)) 25000 "ms, without a wait for it"
rm /tmp/held.*
wait
is "$(cat /tmp/out.? | tr '\n' ' ')" "r 30008+8 OK r 30008+8 OK r 30008+8 OK " "then the reads are answered"
inject main clear
inject spare clear

# a block that somebody owns
inject main add w 28673 MEDIUM
need dm_message gate hold before r 28672+8
sio w $D 28673 1 @7 >/tmp/out &
writer=$!
held() { [ "$(dmsetup status gate | awk '{ print $5 }')" = 1 ]; }
wait_for 60 held || not_ok "the owner does not read main"
polled w $D 28675 2 @8 >/tmp/out.1 &
spinner=$!
parked() { [ "$(status r parked)" = 1 ]; }
wait_for 60 parked
ok $? "a polled write waits for the owner of its block"
is "$(polled r $D 28680 8 @1)" "r 28680+8 OK" "the block beside it does not"
need dm_message gate release
wait $writer $spinner
is "$(cat /tmp/out /tmp/out.1 | tr '\n' ' ')" "w 28673+1 OK w 28675+2 OK " "both are done"
is "$(sio r $D 28673 1 @7) $(polled r $D 28675 2 @8)" "r 28673+1 OK r 28675+2 OK" "to the right end"
inject main clear

# while the device is suspended and another table comes; every request meets many slots, so that it
# would be cut (and has less than the 254 sectors of null_blk: Linux 6.1 refuses to cut NOWAIT)
# shellcheck disable=SC2046
need dm_message r remap $(awk 'BEGIN { for (i = 0; i < 4096; i += 16) print i "+8" }')
(
	while [ ! -e /tmp/enough ] && [ "$(polled w $D 0 4096 @9 240)" = "w 0+4096 OK" ]; do
		:
	done
	polled w $D 0 4096 @9 240
) >/tmp/out &
load=$!
for flags in "" --noflush "" --noflush; do
	# shellcheck disable=SC2086
	need timeout 300 dmsetup suspend $flags r
	need dm_resume r
	usleep 50000
done
need dm_load r "$(dm_table r)"
need timeout 300 dmsetup suspend r
need dm_resume r
: >/tmp/enough
ended() { [ -s /tmp/out ]; }
wait_for 300 ended || bail "a polled write does not end"
wait $load
is "$(cat /tmp/out) $(polled r $D 0 4096 @9 61)" "w 0+4096 OK r 0+4096 OK" "polled writes survive suspends and a reload"
is "$(status r mode) $(status r parked)" "degraded 0" "nothing waits"
need dm_message r remap 40016+8
need dm_remove r
need dmsetup create -r r --table "0 65536 remap $M /dev/mapper/spare 3 breaker 1 60"
inject main add r 40001 40009 MEDIUM
is "$(polled r $D 40000 24 @1) $(status r mode)" "r 40000+24 ENODATA ok" "bad blocks of a read-only table want no slots"
need dm_remove r
done_testing
