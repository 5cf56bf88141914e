# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What remap-setup refuses, and that nothing is half done then: no device, and a spare that is
# byte for byte what it was.
#
# vm: mem=384 timeout=600 disks=64M,16M,64M,16M modules=dm-inject carry=dm-remap

. /guest/lib.sh

need modprobe virtio_pci
need modprobe virtio_blk
wait_for 60 test -b /dev/vdd || bail "no disks"
hostname alpha
MAIN=/dev/vda SPARE=/dev/vdb

# refused STATUS PATTERN NAME COMMAND...: and says why; no device, the spare as before
refused()
{
	_status=$1 _pattern=$2 _name=$3
	shift 3
	_before=$(sum_of $SPARE) _devices=$(dmsetup ls)
	says "$_status" "$_pattern" "$_name" "$@"
	is "$(dmsetup ls)" "$_devices" "$_name: no device is left"
	is "$(sum_of $SPARE)" "$_before" "$_name: the spare is as it was"
}

head -c 20000000 /dev/urandom | dd of=$SPARE bs=1M 2>/dev/null
refused 8 'no target "remap", and no module dm-remap for .* was found' "no module" \
	remap-setup create safe $MAIN $SPARE
need busybox insmod /guest/modules/dm-remap.ko

adduser -D -H nobody 2>/dev/null || echo 'nobody:x:65534:65534::/:/bin/sh' >>/etc/passwd
_out=$(su nobody -s /bin/sh -c "/guest/bin/remap-setup create safe $MAIN $SPARE" 2>&1)
is $? 8 "no permission: status"
like "$_out" "no permission to use device mapper" "and it is named"

refused 16 '"a b" cannot be the name of a device: it has characters' "a bad name" \
	remap-setup create "a b" $MAIN $SPARE
refused 16 'NAME|SPARE is missing|MAIN is missing|SPARE is missing' "an operand is missing" \
	remap-setup create safe $MAIN
refused 8 "cannot find main /dev/nowhere: No such file" "no such main" \
	remap-setup create safe /dev/nowhere $SPARE
refused 8 "main and spare are one device" "one device" remap-setup create safe $SPARE $SPARE
refused 8 "is larger than main" "swapped" remap-setup create safe $SPARE $MAIN
need dm_create taken "0 8 error"
refused 8 "there is a device taken already" "a name in use" remap-setup create taken $MAIN $SPARE
need dm_remove taken
need modprobe ext4
need mke2fs -q -F -t ext4 $SPARE
refused 8 "holds something else: ext4 filesystem; nothing was changed" "a filesystem on the spare" \
	remap-setup create safe $MAIN $SPARE

need dm_create hidden "0 131072 linear $MAIN 0"
refused 8 "main /dev/vda is in use: held by device mapper .dm-[0-9]*, .hidden" "main is held" \
	remap-setup create -f safe $MAIN $SPARE
need dm_remove hidden

# Refused by the kernel only, when the spare has been written: somebody has main who is not to be seen.
mkfifo /tmp/end
hold-device $MAIN </tmp/end >/tmp/held &
exec 3>/tmp/end
wait_for 60 grep -q held /tmp/held || bail "nobody holds main"
refused 8 "safe could not be brought up: main or spare is in use by somebody else; no device is left behind" \
	"main is held by a program" remap-setup create -f safe $MAIN $SPARE
like "$(cat /tmp/out)" "/dev/vdb is as it was before" "and it says that"
exec 3>&-
wait

# A trimmed spare does not come up empty.
need remap-setup create -f safe $MAIN $SPARE
need dm_message safe remap 8+8
need remap-setup close safe
runs "erase the spare" sio z $SPARE 0 32768
refused 8 "not a dm-remap spare: nothing of dm-remap is on it" "a spare that was trimmed" \
	remap-setup open safe $SPARE
refused 8 "not a dm-remap spare" "and with MAIN" remap-setup open safe $MAIN $SPARE

# A spare with a damaged first superblock, and others.
need remap-setup create safe $MAIN $SPARE
need dm_message safe remap 8+8
need remap-setup close safe
need sio z $SPARE 0 8
runs "the first superblock is gone: open" remap-setup open safe $SPARE
is "$(status safe used)" 1 "its remap is there"
need remap-setup close safe
for sector in 0 1024 2048 4096 8192; do need sio z $SPARE $sector 8; done
refused 4 "no superblock is valid; see remap-check" "all superblocks are gone" remap-setup open safe $SPARE

# What vanishes.
refused 8 "cannot find spare /dev/vdz" "a spare that is not there" remap-setup open safe /dev/vdz
refused 8 "nosuch: no such mapped device" "close what is not there" remap-setup close nosuch
need dm_create plain "0 8 error"
refused 8 "plain: not a device of dm-remap" "close what is not ours" remap-setup close plain
need dm_remove plain
done_testing
