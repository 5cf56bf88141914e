# SPDX-License-Identifier: GPL-2.0-only
# Requests of every shape, over devices of every block size: all block sizes of the target,
# 4Kn disks, requests of one sector and of more than a MiB, discards, zeroes, flush and FUA,
# dm-linear below and above, and devices that change their length.
# vm: mem=768 timeout=600

. /guest/lib.sh

ram_disks 2 32
faulty main /dev/ram0 65536
M=/dev/mapper/main
S=/dev/ram1
D=/dev/mapper/r

#---- block sizes: remaps, odd sectors and long requests give what was written

for size in 1 2 4 8 16; do
	make_spare $S
	need sio -b 2048 w $M 0 65536 @1
	need remap_create r $M $S format block_size $size
	is "$(status r block_sectors)" $size "blocks of $size sectors"
	is "$(dm_message r remap 1000+33 4096+2048)" \
		"$(awk -v s=$size 'BEGIN { n = int(1032 / s) - int(1000 / s) + 1 + 2048 / s; print n "/" n }')" "$size: remaps"
	inject main add w 20003 30000+5 MEDIUM
	is "$(sio w $D 19001 4099 @2)" "w 19001+4099 OK" "$size: a write of 2 MiB and a bit, a bad sector in it"
	is "$(sio w $D 30002 1 @2)" "w 30002+1 OK" "$size: a write of one sector, bad"
	inject main clear
	is "$(sio w $D 999 1 @2) $(sio w $D 1007 3 @2) $(sio w $D 4095 2050 @2)" \
		"w 999+1 OK w 1007+3 OK w 4095+2050 OK" "$size: over the borders of slots"
	is "$(sio r $D 0 999 @1) $(sio r $D 999 1 @2) $(sio r $D 1000 7 @1) $(sio r $D 1007 3 @2)" \
		"r 0+999 OK r 999+1 OK r 1000+7 OK r 1007+3 OK" "$size: what was written is read"
	is "$(sio r $D 1010 3085 @1) $(sio r $D 4095 2050 @2) $(sio r $D 6145 12856 @1) $(sio r $D 19001 4099 @2)" \
		"r 1010+3085 OK r 4095+2050 OK r 6145+12856 OK r 19001+4099 OK" "$size: in long requests too"
	is "$(sio r $D 30002 1 @2) $(sio r $D 30003 35533 @1)" "r 30002+1 OK r 30003+35533 OK" "$size: to the end"
	need dm_remove r
	need remap_create r $M $S
	is "$(sio r $D 4095 2050 @2) $(sio -b 17 r $D 19001 4099 @2)" "r 4095+2050 OK r 19001+4099 OK" "$size: also after a load"
	need dm_remove r
done

#---- discard, zeroes, flush, FUA

make_spare $S
need sio -b 2048 w $M 0 65536 @1
need remap_create r $M $S format
need dm_message r remap 2048+8
queue=/sys/block/dm-$(dmsetup info -c --noheadings -o minor r)/queue
is "$(cat $queue/write_zeroes_max_bytes)" 0 "write-zeroes is not offered"
# brd of newer kernels discards; the device says what main says
main_discard=$(cat /sys/block/dm-"$(dmsetup info -c --noheadings -o minor main)"/queue/discard_max_bytes)
is "$(cat $queue/discard_max_bytes)" "$main_discard" "discard is what main can do"
if [ "$main_discard" != 0 ]; then
	before=$(inject_count main discards)
	is "$(sio d $D 1024 4096)" "d 1024+4096 OK" "a discard over a remapped block"
	at_least $(($(inject_count main discards) - before)) 2 "goes to main on both sides of it"
	is "$(sio r $D 2048 8 @1)" "r 2048+8 OK" "the block's data stays"
	is "$(sio r $D 0 1024 @1)" "r 0+1024 OK" "and so does what was not discarded"
fi
is "$(sio z $D 3000 100)" "z 3000+100 OK" "zeroes are written"
is "$(sio r $D 3000 100 0)" "r 3000+100 OK" "and read"
is "$(sio z $D 2040 24)" "z 2040+24 OK" "over a remapped block"
is "$(sio r $D 2040 24 0)" "r 2040+24 OK" "too"
before=$(inject_count main flushes)
is "$(sio f $D)" "f 0+1 OK" "flush"
at_least $(($(inject_count main flushes) - before)) 1 "main is told"
is "$(sio -D w $D 2048 8 @4) $(sio -D w $D 9000 8 @4)" "w 2048+8 OK w 9000+8 OK" "FUA, to a slot and to main"
is "$(sio r $D 2048 8 @4) $(sio r $D 9000 8 @4)" "r 2048+8 OK r 9000+8 OK" "are there"

#---- linear above

need dm_create above "0 4096 linear $D 100
4096 100 linear $D 60000"
is "$(sio -a 2048 r /dev/mapper/above 1948 8 @4) $(sio -a 60000 r /dev/mapper/above 4096 100 @1)" \
	"r 1948+8 OK r 4096+100 OK" "linear above"
need dm_remove above
need dm_remove r

#---- linear below, of different lengths; a main that grew, a table that is too long

need sio -b 2048 w $M 0 65536 @1
need dm_create lower "0 40000 linear $M 1000"
make_spare $S
need remap_create r /dev/mapper/lower $S format
is "$(sio -a 1000 r $D 0 100 @1)" "r 0+100 OK" "linear below: main begins where it does"
need dm_message r remap 100 39999
need dm_swap lower "0 50000 linear $M 1000"
fails "a table longer than main was is refused" dm_load r "0 50000 remap /dev/mapper/lower $S"
need dm_swap r "$(dm_table r)"
is "$(sectors_of $D) $(status r used)" "40000 2" "the device is as long as it was"
need dm_remove r
fails "a main of another length is refused" remap_create r /dev/mapper/lower $S
! dm_exists r || need dm_remove r
need dm_create r "0 40000 remap /dev/mapper/lower $S 1 force_main"
is "$(status r used)" 2 "unless force_main says so"
need dm_remove r
need dm_swap lower "0 30000 linear $M 1000"
fails "a main that is shorter is refused in any case" dm_create r "0 30000 remap /dev/mapper/lower $S 1 force_main"
! dm_exists r || need dm_remove r
need dm_remove lower

#---- 4Kn: main, spare, both

disk4k()
{
	[ -d /sys/kernel/config/nullb ] || need modprobe null_blk nr_devices=0
	need mkdir "/sys/kernel/config/nullb/$1"
	echo 32 >"/sys/kernel/config/nullb/$1/size"
	echo 4096 >"/sys/kernel/config/nullb/$1/blocksize"
	echo 1 >"/sys/kernel/config/nullb/$1/memory_backed"
	echo 1 >"/sys/kernel/config/nullb/$1/power"
	wait_for 10 test -b "$(null_device "$1")" || bail "null_blk $1 did not come up"
}
disk4k a
disk4k b
A=$(null_device a) B=$(null_device b)
make_spare "$B"
need sio -b 2048 w "$A" 0 65536 @1
fails "a 4Kn spare of a main with sectors of 512 bytes is refused" remap_create r $M "$B" format
fails "blocks of 4 sectors of a 4Kn main are refused" remap_create r "$A" "$B" format block_size 4
! dm_exists r || need dm_remove r
for spare in $S "$B"; do
	for size in 8 16; do
		make_spare "$spare"
		need sio -b 2048 w "$A" 0 65536 @1
		need remap_create r "$A" "$spare" format block_size $size
		is "$(blockdev --getss $D) $(status r block_sectors)" "4096 $size" "4Kn main, ${spare##*/}, $size: sectors of 4096 bytes"
		is "$(dm_message r remap 800+16 | cut -d / -f 2)" $((size == 8 ? 2 : 1)) "4Kn, $size: remap"
		is "$(sio w $D 792 32 @2)" "w 792+32 OK" "4Kn, $size: write"
		is "$(sio r $D 792 32 @2) $(sio r $D 0 792 @1) $(sio r $D 824 4096 @1)" \
			"r 792+32 OK r 0+792 OK r 824+4096 OK" "4Kn, $size: read"
		is "$(dm_message r import manual 4096+16)" "$((16 / size))/$((16 / size))" "4Kn, $size: import"
		is "$(sio w $D 4096 8 @3) $(sio r $D 4096 8 @3) $(sio r $D 4104 8 @1)" \
			"w 4096+8 OK r 4096+8 OK r 4104+8 OK" "4Kn, $size: half of what is pending is written"
		need dm_remove r
	done
done

# and when they fail: what is lost or pending is whole sectors of theirs
faulty bad "$A" 65536 4096
faulty slots "$B" 65536 4096
M=/dev/mapper/bad
for size in 8 16; do
	make_spare "$B"
	need sio -b 2048 w "$A" 0 65536 @1
	need remap_create r $M /dev/mapper/slots format block_size $size
	inject bad add w 20003 MEDIUM
	inject bad add r 24003 MEDIUM
	is "$(sio w $D 20000 8 @2) $(sio r $D 20000 8 @2) $(sio r $D 20008 8 @1)" \
		"w 20000+8 OK r 20000+8 OK r 20008+8 OK" "4Kn, $size: a write of a bad sector"
	is "$(sio r $D 24000 16) $(sio r $D 24000 8) $(sio r $D 24008 8 @1)" \
		"r 24000+16 ENODATA r 24000+8 ENODATA r 24008+8 OK" "4Kn, $size: a read of one"
	is "$(status r used) $(status r pending)" "2 8" "4Kn, $size: two slots, one sector pending"
	is "$(sio w $D 24000 8 @3) $(sio r $D 24000 8 @3) $(status r pending)" \
		"w 24000+8 OK r 24000+8 OK 0" "4Kn, $size: it is written"
	inject bad clear
	inject slots add w 10240+55296 MEDIUM times 2
	is "$(sio w $D 20000 8 @4) $(sio r $D 20000 8 @4) $(status r retired) $(status r lost)" \
		"w 20000+8 OK r 20000+8 OK 1 0" "4Kn, $size: a slot that fails moves"
	inject slots clear
	is "$(dm_message r unmap 20000 24000) $(sio r "$A" 20000 8 @4) $(sio r "$A" 24000 8 @3)" \
		"2/2 r 20000+8 OK r 24000+8 OK" "4Kn, $size: they come home"
	need dm_remove r
done
done_testing
