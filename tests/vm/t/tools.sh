# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The tools and devices that only a guest has: held by device mapper, live, with a serial number,
# partitions.
#
# vm: mem=384 timeout=600 host=tools disks=64M,16M,64M,64M,16M

. /guest/lib.sh

need modprobe virtio_pci
need modprobe virtio_blk
for _ in 1 2 3 4 5 6 7 8 9; do [ -b /dev/vde ] || sleep 1; done
MAIN=/dev/vda SPARE=/dev/vdb
seq 8 24 >/tmp/list

# refused NAME PATTERN: by every tool that writes; the spare stays as it is
refused()
{
	_before=$(sum_of $SPARE)
	says 8 "$2" "$1: remap-format" remap-format -f --main $MAIN $SPARE
	says 8 "$2" "$1: remap-import" remap-import -b 4096 --from /tmp/list $SPARE
	says 8 "$2" "$1: remap-check -y" remap-check -y $SPARE
	says 8 "$2" "$1: remap-check -p" remap-check -p $SPARE
	says 8 "$2" "$1: remap-check --apply-undo" remap-check --apply-undo /tmp/undo $SPARE
	[ -e /tmp/never ] && not_ok "$1: an undo file was made"
	is "$(sum_of $SPARE)" "$_before" "$1: the spare is as it was"
}

runs "remap-format" remap-format --main $MAIN -L guest -z /tmp/undo $SPARE
runs "remap-import" remap-import -b 4096 --from /tmp/list $SPARE

# Identity of main.
says 0 'identity: as the spare says' "the right main" remap-check -n --main $MAIN $SPARE
says 4 'identity: the disk is "disk2", but the spare is for "disk0"' "another disk of that length" \
	remap-check -n --main /dev/vdc $SPARE
runs "a device over main has no identity" dm_create over "0 $(sectors_of $MAIN) linear $MAIN 0"
says 0 'identity: this main has none' "a main without identity" remap-check -n --main /dev/mapper/over $SPARE
need dm_remove over

# Held by device mapper, but not in use as a filesystem or anything else.
need dm_create holder "0 2048 linear $SPARE 0"
refused "held" "in use: held by device mapper .dm-[0-9]*, .holder"
runs "held: remap-check -n" remap-check -n $SPARE
runs "held: remap-dump" remap-dump $SPARE
need dm_remove holder
need dm_create idle "0 2048 error"
runs "no longer held" remap-check -p $SPARE

# Live.
runs "the target takes it" remap_create r $MAIN $SPARE
refused "live" "in use: held by device mapper .dm-[0-9]*, .r\""
says 0 "is live .held by" "live: remap-check -n" remap-check -n $SPARE
like "$(remap-dump $SPARE 2>&1)" "guest" "live: remap-dump"
like "$(remap-dump --hash sha256 -q -F csv $SPARE 2>&1)" "live .*digest is of no one moment" "live: --hash"
refused_main=$(remap-format -f --main $SPARE $MAIN 2>&1)
like "$refused_main" "vda is in use: held by" "main of a live device is no spare"
need dm_remove r
need dm_remove idle
runs "and after it, clean" remap-check -p $SPARE
says 0 'contents: ' "main after a clean release" remap-check -n --main $MAIN $SPARE

# Its own remaps are never overwritten.
says 8 'labelled "guest", and holds 17 remaps; it is not overwritten, not even with --force' \
	"a spare that holds remaps" remap-format -f --main $MAIN $SPARE

# Partitions of a disk in use.
need dm_create part "0 2048 linear /dev/vdc 2048"
says 8 "vdc is in use: held by" "a disk in use" remap-format -f --main $MAIN --allow-large-spare /dev/vdc
need dm_remove part

# Main is a partition, in the table of a disk that the kernel has read.
PART=/dev/vdd1 START=2048 PART_SPARE=/dev/vde
need [ -b $PART ]
is "$(cat /sys/class/block/vdd1/start)" $START "the partition is where it should be"
runs "remap-format --main a partition" remap-format -q -b 512 --main $PART $PART_SPARE
dump=$(remap-dump -F json $PART_SPARE)
like "$dump" '"main_partuuid": *"aaaaaaaa-0000-4000-8000-000000000001"' "the spare has its PARTUUID"
like "$dump" "\"main_start\": *$START\>" "where it starts"
like "$dump" '"main_id": *"disk3"' "and the identity of its disk"

# Sectors of the whole disk, by its name and by that of the partition.
printf '[ 1.0] blk_update_request: critical medium error, dev vdd, sector %d op 0x0:(READ)\n' \
	$((START + 8)) $((START + 9)) 100 >/tmp/kmsg
echo "[ 1.0] critical medium error, dev vdb, sector $((START + 30))" >>/tmp/kmsg
printf '{"json_format_version":[1,0],"smartctl":{"version":[7,3],"exit_status":0},' >/tmp/smart
printf '"device":{"name":"/dev/vdd","type":"sat","protocol":"ATA"},"serial_number":"disk3",' >>/tmp/smart
printf '"logical_block_size":512,"ata_pending_defects_log":{"count":2,"table":[{"lba":%d},{"lba":%d}]}}\n' \
	$((START + 20)) $((START + 32767)) >>/tmp/smart
says 1 'of the whole disk; main starts at its sector 2048' "a kernel log, a line of it in front of main" \
	remap-import --made-on vdd --from /tmp/kmsg $PART_SPARE
says 0 'of the whole disk; main starts at its sector 2048' "what smartctl says" \
	remap-import -t smart --from /tmp/smart $PART_SPARE
is "$(remap-dump -q -F csv $PART_SPARE | awk -F , 'NR > 1 { printf "%s ", $3 }')" "8 9 20 32767 " \
	"main's start is subtracted, and what is of other disks or before main left out"
sed 's/disk3/disk7/' /tmp/smart >/tmp/other
says 8 'disk7' "what smartctl says of another disk" remap-import -t smart --from /tmp/other $PART_SPARE

says 0 'identity: as the spare says' "remap-check --main the partition" remap-check -n --main $PART $PART_SPARE
says 4 'identity: starts at sector 34816 of the disk, but the spare is for the one at 2048' \
	"another partition of that length" remap-check -n --main /dev/vdd2 $PART_SPARE
says 4 'length: 131072 sectors, but the spare is for a main of 32768' "the disk of the partition" \
	remap-check -n --main /dev/vdd $PART_SPARE
need dd if=/dev/vdd of=/tmp/table bs=512 skip=1024 count=34
need dd if=/tmp/table of=/dev/vdd bs=512 conv=notrunc
says 4 'partition bbbbbbbb-.*1, but the spare is for aaaaaaaa-' "partitioned anew at the same place" \
	remap-check -n --main $PART $PART_SPARE
done_testing
