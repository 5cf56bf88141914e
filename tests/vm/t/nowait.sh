# SPDX-License-Identifier: GPL-2.0-only
# Requests whose submitter may not wait, as all that io_uring submits: it does not, but they are served
# like any other. And the limits of the device are those of both disks.
# vm: mem=512 timeout=600 modules=dm-remap,dm-inject,dm-gate

. /guest/lib.sh

null_disk m 64 16
null_disk s 64 0
need dm_create gate "0 131072 gate $(null_device m)"
faulty main /dev/mapper/gate 131072
M=/dev/mapper/main
D=/dev/mapper/r
need sio -b 2048 w $M 0 131072 @1
make_spare "$(null_device s)"
need remap_create r $M "$(null_device s)" format
gate() { dm_message gate "$@" || bail "gate $*"; }
errors() { echo "$(status r read_errors) $(status r write_errors) $(status r spare_errors) $(status r used)"; }

#---- what need not wait

is "$(sio -N r $D 4000 8 @1) $(sio -N w $D 4000 8 @2) $(sio r $D 4000 8 @2)" \
	"r 4000+8 OK w 4000+8 OK r 4000+8 OK" "main"
need dm_message r remap 8192+8
is "$(sio -N r $D 8192 8 @1) $(sio -N w $D 8192 8 @2) $(sio r $D 8192 8 @2)" \
	"r 8192+8 OK w 8192+8 OK r 8192+8 OK" "a slot"
need dm_message r import manual 12288
is "$(sio -N r $D 12288 8 @1)" "r 12288+8 OK" "a read of pending sectors"
is "$(errors)" "0 0 0 2" "no errors"

#---- what needs a process, an owner, a retry

is "$(sio -N w $D 12288 1 @2) $(status r pending)" "w 12288+1 OK 7" "a write of a pending sector"
inject main add rw 16387 MEDIUM
is "$(sio -N r $D 16384 8) $(sio -N r $D 16388 4 @1)" "r 16384+8 ENODATA r 16388+4 OK" "a bad sector of main fails alone"
is "$(sio -N w $D 16384 8 @2) $(sio -N r $D 16384 8 @2)" "w 16384+8 OK r 16384+8 OK" "written, it is in a slot"
is "$(errors)" "1 0 0 3" "one error, one slot more"
inject main clear

inject main add w 20481 MEDIUM
gate hold before r 20480+8
sio w $D 20481 1 @3 >/tmp/out &
writer=$!
held() { [ "$(dmsetup status gate | awk '{ print $5 }')" = 1 ]; }
parked() { [ "$(status r parked)" -ge "$1" ]; }
wait_for 60 held || not_ok "the owner does not read main"
sio -N w $D 20486 1 @4 >/tmp/out.1 &
other=$!
wait_for 60 parked 1
ok $? "a block that somebody owns: the request waits, as in a queue"
is "$(sio -N r $D 20488 8 @1)" "r 20488+8 OK" "not the one beside it"
gate release
wait $writer $other
is "$(cat /tmp/out /tmp/out.1 | tr '\n' ' ')" "w 20481+1 OK w 20486+1 OK " "both are done"
inject main clear
is "$(sio r $D 20480 1 @1) $(sio r $D 20481 1 @3) $(sio r $D 20482 4 @1) $(sio r $D 20486 1 @4)" \
	"r 20480+1 OK r 20481+1 OK r 20482+4 OK r 20486+1 OK" "to the right end"
is "$(status r parked)" 0 "nobody waits"

# io_uring: main answers at once, and from elsewhere, when the submitter has long gone on
inject main add rw 28673 MEDIUM
inject main add rw 32769 MEDIUM delay 5
for at in 28672 32768; do
	is "$(polled R $D $at 8 @1) $(polled R $D $((at + 2)) 6 @1)" "R $at+8 ENODATA R $((at + 2))+6 OK" \
		"io_uring: a bad sector at $at cannot be read"
	is "$(polled W $D $at 8 @5) $(polled R $D $at 8 @5)" "W $at+8 OK R $at+8 OK" "and has a slot when it is written"
done
inject main add w 36865 MEDIUM delay 5
is "$(polled W $D 36864 2048 @5 64) $(polled R $D 36864 2048 @5 64)" "W 36864+2048 OK R 36864+2048 OK" \
	"a bad sector among many requests"
inject main clear

#---- parked bios of all kinds, in their order, and a discard beside them

inject main add w 24577 MEDIUM
gate hold before r 24576+8
sio w $D 24577 1 @3 >/tmp/out &
writer=$!
wait_for 60 held || not_ok "the owner does not read main"
sio w $D 24579 1 @4 >/tmp/out.1 &
one=$!
wait_for 60 parked 1 || not_ok "the write does not park"
sio r $D 24579 1 @4 >/tmp/out.2 &
two=$!
wait_for 60 parked 2 || not_ok "the read does not park"
is "$(sio w $D 24584 8 @5)" "w 24584+8 OK" "the block beside it does not wait"
gate release
wait $writer $one $two
is "$(cat /tmp/out /tmp/out.1 /tmp/out.2 | tr '\n' ' ')" "w 24577+1 OK w 24579+1 OK r 24579+1 OK " \
	"those that waited are answered in their order"
inject main clear
need dm_remove r

#---- polling, where the disks cannot be polled: not offered, or done by being woken

ram_disks 2 32
faulty fine /dev/ram0 65536 512
need make_spare /dev/mapper/fine
faulty dull /dev/ram1 65536
need sio -b 2048 w /dev/mapper/dull 0 65536 @1
need remap_create r /dev/mapper/dull /dev/mapper/fine format
if [ "$(polled r $D 0 8 @1)" = "r 0+8 EOPNOTSUPP" ]; then
	skip "polled requests" "this kernel refuses them here"
else
	dm_message r import manual 4096
	inject dull add rw 8193 MEDIUM
	inject dull add rw 16385 MEDIUM delay 5
	is "$(polled w $D 4096 8 @2) $(polled r $D 4096 8 @2)" "w 4096+8 OK r 4096+8 OK" "polled: a pending block"
	for at in 8192 16384; do
		is "$(polled r $D $at 8 @1) $(polled w $D $at 8 @2) $(polled r $D $at 8 @2)" \
			"r $at+8 ENODATA w $at+8 OK r $at+8 OK" "polled: a bad sector at $at"
	done
fi
need dm_remove r
need dm_remove dull

#---- limits

limit() { cat "/sys/block/dm-$(dmsetup info -c --noheadings -o minor r | tr -d ' ')/queue/$1"; }
limits() { echo "$(limit logical_block_size) $(limit physical_block_size)"; }

faulty coarse $M 131072 4096
need make_spare /dev/mapper/fine
need dm_create r "0 131072 remap /dev/mapper/coarse /dev/mapper/fine 1 format"
is "$(limits)" "512 4096" "a main with large physical sectors"
is "$(limit write_zeroes_max_bytes)" 0 "no write zeroes"
is "$(limit zoned)" none "not zoned"
is "$(limit dax)" 0 "no DAX"
is "$(limit write_cache)" "write back" \
	"main's volatile cache is seen"
need dm_remove r
make_spare /dev/mapper/fine
fails "a block smaller than a physical sector of main" \
	dm_create r "0 131072 remap /dev/mapper/coarse /dev/mapper/fine 3 format block_size 4"
need dm_create r "0 131072 remap $M /dev/mapper/fine 3 format block_size 1"
is "$(limits) $(status r block_sectors)" "512 512 1" "blocks of one sector where main has such"
inject main add w 4001 MEDIUM
is "$(sio w $D 4000 8 @6) $(sio r $D 4000 8 @6) $(status r used)" "w 4000+8 OK r 4000+8 OK 1" \
	"one bad sector, one slot"
inject main clear
is "$(dm_message r unmap 4001) $(sio r $M 4000 8 @6)" "1/1 r 4000+8 OK" "and home again"
need dm_remove r

#---- what a disk below can do and the device does not pass on

# the directory of a disk in /sys, and a file in it
block_of()
{
	case $1 in
	/dev/mapper/*) echo "/sys/block/dm-$(dmsetup info -c --noheadings -o minor "$1" | tr -d ' ')" ;;
	*) echo "/sys/block/${1#/dev/}" ;;
	esac
}
of() { cat "$(block_of "$1")/$2"; }
need modprobe sd_mod
need modprobe scsi_debug dev_size_mb=32 dif=1 dix=1 lbpu=1 unmap_granularity=256 \
	$([ ! -e "$(block_of /dev/ram0)/queue/atomic_write_max_bytes" ] || echo atomic_wr=1) \
	opts=2 medium_error_start=8001 medium_error_count=1
P=/dev/sda
wait_for 60 test -e "$(block_of $P)/integrity/format" || bail "no disk of scsi_debug"
make_spare /dev/ram0
need remap_create r $P /dev/ram0 format
is "$(of $P integrity/format) $(of $D integrity/format)" "T10-DIF-TYPE1-CRC none" "no integrity data"
is "$(sio -b 32 w $D 0 8000 @1) $(sio -b 32 r $D 0 8000 @1)" "w 0+8000 OK r 0+8000 OK" \
	"main makes and checks its own"
need sio w $P 8000 8 @1
is "$(sio r $D 8000 8) $(sio r $D 8000 1 @1) $(sio r $D 8002 6 @1)" \
	"r 8000+8 ENODATA r 8000+1 OK r 8002+6 OK" "also where it fails, and in the retries"
is "$(status r used) $(status r pending)" "1 1" "which finds one bad sector"
is "$(sio w $D 8000 8 @2) $(sio r $D 8000 8 @2)" "w 8000+8 OK r 8000+8 OK" "and it is written, to its slot"
if [ -e "$(block_of $P)/queue/atomic_write_max_bytes" ]; then
	at_least "$(of $P queue/atomic_write_max_bytes)" 512 "bytes that main writes at once or not at all"
	is "$(of $D queue/atomic_write_max_bytes)" 0 "the device does not: a block may be in a slot"
fi
need dm_remove r
echo 0 >/sys/bus/pseudo/drivers/scsi_debug/opts

# discards go to main alone, so the spare has no say in them
need mkdir /sys/kernel/config/nullb/d
for set in size=32 blocksize=512 memory_backed=1 queue_mode=2 discard=1; do
	echo "${set#*=}" >"/sys/kernel/config/nullb/d/${set%=*}"
done
null_power d 1
M=$(null_device d)
# written: scsi_debug forgets to protect what it is told to zero
need sio -b 2048 w $P 0 10240 0
need sio -b 2048 w $P $(($(sectors_of $P) - 2048)) 2048 0
need remap_create r "$M" $P format
is "$(of $P queue/discard_granularity)" 131072 "a spare that discards in pieces of 128 KiB"
for limit in granularity max_bytes max_hw_bytes; do
	is "$(of $D queue/discard_$limit)" "$(of "$M" queue/discard_$limit)" "discard_$limit is that of main"
done
need sio w "$M" 0 4096 @1
is "$(sio d $D 1000 24) $(sio r $D 992 8 @1) $(sio r $D 1000 24 0) $(sio r $D 1024 8 @1)" \
	"d 1000+24 OK r 992+8 OK r 1000+24 OK r 1024+8 OK" "a small one is done"
need dm_remove r
done_testing
