# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# remap-setup scan among 200 devices, remaptab, and devices that are called otherwise after a boot.
#
# vm: mem=640 timeout=900 disks=64M,16M,64M,16M

. /guest/lib.sh

need modprobe virtio_pci
need modprobe virtio_blk
wait_for 60 test -b /dev/vdd || bail "no disks"
hostname alpha

need remap-setup create -e one /dev/vda /dev/vdb
need remap-setup create two /dev/vdc /dev/vdd
one=$(status one uuid) two=$(status two uuid)
like "$(cat /etc/remaptab)" "^one ID=disk0 UUID=$one\$" "create --enable writes the line"
runs "enable" remap-setup enable -o scan_interval=86400 two
like "$(cat /etc/remaptab)" "^two ID=disk2 UUID=$two scan_interval=86400\$" "and that one"
runs "enable again, otherwise" remap-setup enable -o readonly two
is "$(grep -c '^two' /etc/remaptab)" 1 "the line is changed, not added"

# What is on a device decides what enable says of it.
advice() { says 0 "$1" "enable, of $2" remap-setup enable -T /tmp/tab two; }
runs "mke2fs" mke2fs -q -F -t ext4 /dev/mapper/two
advice "^filesystem: UUID= in /etc/fstab .*/dev/mapper/two" ext4
need sio z /dev/mapper/two 0 1024
runs "mkswap" mkswap /dev/mapper/two
advice "^swap: UUID= in /etc/fstab .*/dev/mapper/two" swap
need sio z /dev/mapper/two 0 1024
printf 'LUKS\272\276\000\001' | dd of=/dev/mapper/two conv=fsync 2>/dev/null
advice "^LUKS: UUID= in /etc/crypttab .*/dev/mapper/two" LUKS
need sio z /dev/mapper/two 0 1024
for block in 128 129 130 131 132 133 134 135; do	# what ZFS has there of each of its last states
	printf '\014\261\272\000\000\000\000\000' | dd of=/dev/mapper/two bs=1024 seek=$block conv=fsync 2>/dev/null
done
advice "^ZFS: .*zpool import -d /dev/mapper/two POOL" "a member of a pool of ZFS"
need sio z /dev/mapper/two 0 1024
printf 'n\np\n1\n2048\n\nw\n' | busybox fdisk -u /dev/mapper/two >/dev/null 2>&1
advice "^partitions: they are /dev/mapper/two-part1.*kpartx" "a disk with partitions"
need sio z /dev/mapper/two 0 1024

like "$(remap-setup table one)" "^0 131072 remap 254:0 254:16\$|^0 131072 remap [0-9:]* [0-9:]*\$" "table of a live device"
table=$(remap-setup table one)
like "$(remap-setup scan)" "^/dev/vdb  *$one  one  */dev/vda  *live as one" "scan: a live one"
need remap-setup close one
need remap-setup close two
is "$(remap-setup table /dev/vdb)" "$table" "table of a spare is the one it would have"
like "$(remap-setup scan)" "^/dev/vdd  *$two  two  */dev/vdc  *down" "scan: one that is down"

# Two hundred others, with a memory: without one they leave in a page what was there before, such as a superblock.
need modprobe null_blk nr_devices=200 gb=1 memory_backed=1 queue_mode=0
start=$(uptime_ms)
out=$(remap-setup scan --json)
took=$(($(uptime_ms) - start))
figure $took 2000 "remap-setup scan, of $(ls /sys/class/block | wc -l) block devices"
at_most $took $((60000 * $(slow_factor))) "scan of 200 devices, in ms, on any machine"
like "$out" "\"devices_seen\":20[4-9]" "it saw them"
is "$(echo "$out" | grep -o '"state":"down"' | wc -l)" 2 "and found both spares"

# The first superblock is gone.
need sio z /dev/vdb 0 8
like "$(remap-setup scan)" "^/dev/vdb  *$one  one" "scan: without the first superblock"

# Assembly, by remaptab.
out=$(remap-setup scan --assemble --listed 2>&1)
is $? 0 "scan --assemble: status" || diag "$out"
is "$(dmsetup ls --target remap | awk '{ print $1 }' | sort | tr '\n' ' ')" "one two " "both are up"
is "$(status two access)" ro "with the options of the line"
need remap-setup close one
need remap-setup close two

# A spare that is not there, and one that nobody listed.
says 0 "^$" "disable" remap-setup disable two
is "$(grep -c '^two' /etc/remaptab)" 0 "takes the line out"
# Where the initramfs has a copy of the file.
need mkdir -p /etc/initramfs-tools/hooks
true >/etc/initramfs-tools/hooks/dm-remap
cp /etc/remaptab /tmp/tab
says 0 "the initramfs has a copy of /etc/remaptab that is older now: update-initramfs -u" "who changes it is reminded" \
	remap-setup disable one
need cp /tmp/tab /etc/remaptab
says 0 "^$" "another file has no copy there" remap-setup disable -T /tmp/tab one
need rm -r /etc/initramfs-tools
echo "three - UUID=11111111-2222-3333-4444-555555555555 # not here" >>/etc/remaptab
out=$(remap-setup scan --assemble --listed 2>&1)
is $? 1 "scan with a spare missing: status"
like "$out" "three: its spare is not here .uuid 11111111-2222-3333-4444-555555555555" "it is named"
like "$(dmsetup ls)" "^one" "the others are up"
unlike "$(dmsetup ls)" "^two" "--listed: only what is listed"
runs "scan --assemble brings up the rest" remap-setup scan --assemble
like "$(dmsetup ls)" "^two" "under the label of its spare"
need remap-setup close one
need remap-setup close two

# Several at once.
for i in 1 2 3 4; do
	remap-setup scan --assemble >/tmp/scan$i 2>&1 &
done
wait
unlike "$(cat /tmp/scan*)" "error" "none of them fails" || diag "$(cat /tmp/scan*)"
is "$(cat /tmp/scan* | grep -c '/dev/vdb .* live as one')" 4 "and each shows what is up then"
need remap-setup close one
need remap-setup close two

# A copy of a spare: one of the two is old.
need modprobe loop
need dd if=/dev/vdb of=/tmp/copy.img bs=1M 2>/dev/null
need losetup /dev/loop7 /tmp/copy.img
out=$(remap-setup scan --assemble --listed 2>&1)
is $? 1 "a copy of a spare is there: status"
like "$out" "/dev/vdb and /dev/loop7 are both copies of one spare: one of them is old|/dev/loop7 and /dev/vdb are both copies" \
	"both are named"
like "$out" "say which: remap-setup open one MAIN SPARE" "and how it is said which"
unlike "$(dmsetup ls)" "^one" "and neither is used"
runs "who says which gets it" remap-setup open one /dev/vda /dev/vdb
need dm_message one remap 2000+16
need remap-setup close one
need losetup -d /dev/loop7

# The old copy alone: the backup that close has made knows better.
need cp /tmp/copy.img /tmp/old.img
need losetup /dev/loop7 /tmp/old.img
before=$(sum_of /dev/loop7)
vdb=$(basename "$(readlink -f /sys/block/vdb/device)")
echo "$vdb" >/sys/bus/virtio/drivers/virtio_blk/unbind
out=$(remap-setup scan --assemble --listed 2>&1)
is $? 1 "an old copy alone: status"
like "$out" "/dev/loop7 is an old copy of the spare.*the backup /var/lib/dm-remap/$one-[0-9TZ]*.json.gz, of 20.* later state" \
	"the backup that tells is named"
like "$out" "to accept that: remap-setup open --accept-older-spare one /dev/loop7" "and how it is accepted"
need cp -r /var/lib/dm-remap /tmp/kept
need sed -i "s/^one .*/& breaker=77:600,read_policy=remap,readonly,no_auto_remap/" /etc/remaptab
like "$(remap-setup scan --assemble --listed -d /tmp/kept 2>&1)" \
	"to accept that: remap-setup open --readonly --accept-older-spare -d /tmp/kept -o breaker=77:600,read_policy=remap,no_auto_remap one /dev/loop7" \
	"with the options of its line, and of the command"
like "$(remap-setup open -d '/tmp/kept/../kept' -o breaker=77:600 /dev/vda /dev/loop7 2>&1)" \
	"remap-setup open --accept-older-spare -d /tmp/kept/../kept -o breaker=77:600 /dev/vda /dev/loop7" \
	"those of open, too"
need sed -i "s/ breaker=77.*//" /etc/remaptab
unlike "$(dmsetup ls)" "^one" "it is not brought up"
is "$(sum_of /dev/loop7)" "$before" "nothing was written to it"
says 0 "/dev/loop7 is older than the backup .*; accepted" "open --accept-older-spare" \
	remap-setup open --accept-older-spare one /dev/vda /dev/loop7
need remap-setup close --no-backup one
need dd if=/tmp/copy.img of=/dev/loop7 bs=1M conv=fsync 2>/dev/null
says 0 "is up" "without backups nothing tells" remap-setup open -d /tmp/none one /dev/vda /dev/loop7
need remap-setup close --no-backup one
echo "$vdb" >/sys/bus/virtio/drivers/virtio_blk/bind
wait_for 60 test -b /dev/vdb || bail "the spare did not come back"
need losetup -d /dev/loop7
runs "the spare itself opens" remap-setup open one /dev/vda /dev/vdb
is "$(status one used)" 2 "with all that it holds"
need remap-setup close one

# A spare that was given to somebody else, who left most of what it was.
cp /tmp/copy.img /tmp/given.img
need mke2fs -q -F -t ext4 -E nodiscard /tmp/given.img
need losetup /dev/loop7 /tmp/given.img
before=$(sum_of /dev/loop7)
out=$(remap-setup open one /dev/vda /dev/loop7 2>&1)
is $? 8 "a filesystem over a spare: status"
like "$out" "/dev/loop7 is a spare, but also holds something else: ext4 filesystem" "and it is named"
is "$(sum_of /dev/loop7)" "$before" "nothing was written to it"
need losetup -d /dev/loop7

# A second spare for a main that has one.
out=$(remap-setup create three /dev/vda /dev/vdd 2>&1)
is $? 8 "a second spare: status"
like "$out" "/etc/remaptab:[0-9]*: /dev/vda has a spare already, that of one" "and it says where the first is"

# One that is in no remaptab.
before=$(sum_of /dev/vdd)
says 8 "/dev/vda has a spare already, /dev/vdb .uuid $one, label \"one\"., and 2 blocks that live there are old on main" \
	"a second spare, and the first is not listed" remap-setup create -f -T /tmp/none three /dev/vda /dev/vdd
like "$(cat /tmp/out)" "to use that one: remap-setup open NAME /dev/vda /dev/vdb" "and what to do"
is "$(sum_of /dev/vdd)" "$before" "nothing was written"
truncate -s 16M /tmp/third.img
need losetup /dev/loop6 /tmp/third.img
says 0 "/dev/vdc has another spare, /dev/vdd .*which holds nothing" "one that holds nothing is pointed out" \
	remap-setup create -n -T /tmp/none three /dev/vdc /dev/loop6
need losetup -d /dev/loop6

# What udev is told of a spare that was given to somebody else: it is what it is now.
need losetup /dev/loop7 /tmp/given.img
is "$(remap-setup udev -T /tmp/none /dev/loop7)" "" "a filesystem over a spare is none to udev"
like "$(remap-setup udev -T /tmp/none /dev/vdb)" "^ID_FS_TYPE=remap_spare" "a spare is"
need losetup -d /dev/loop7

# Mistakes in remaptab.
cat >/etc/remaptab <<END
# comment
one -
two nonsense UUID=$two

one ID=disk0 UUID=$one breaker=1
one ID=disk0 UUID=$one
one ID=disk0 UUID=$two
END
out=$(remap-setup scan --listed 2>&1)
is $? 1 "mistakes: status"
like "$out" "/etc/remaptab:2: has 2 fields; a line is: NAME MAIN SPARE .OPTIONS" "line 2"
like "$out" '/etc/remaptab:3: MAIN is "nonsense"; it must be' "line 3"
like "$out" '/etc/remaptab:5: option "breaker=1" takes 2 values' "line 5"
like "$out" '/etc/remaptab:7: the name "one" is that of line 6 already' "line 7"
like "$out" "^/dev/vdb" "the good line counts"

# A mistake in the options of a line does not let its main be mounted.
like "$(remap-setup udev /dev/vda)" "DM_REMAP_NAME=one" "main is hidden"
echo "one ID=disk0 UUID=$one breaker=1" >/etc/remaptab
like "$(remap-setup udev /dev/vda 2>/dev/null)" "DM_REMAP_ROLE=member" "with a mistake in its line, too"

# Main on a device without any identity is found by its print.
truncate -s 64M /tmp/main.img
truncate -s 16M /tmp/spare.img
head -c 1000 /dev/urandom | dd of=/tmp/main.img conv=notrunc 2>/dev/null
need losetup /dev/loop0 /tmp/main.img
need losetup /dev/loop1 /tmp/spare.img
need remap-setup create loops /dev/loop0 /dev/loop1
need dm_message loops remap 8+8
need remap-setup close loops
need losetup /dev/loop2 /tmp/third.img
says 8 "/dev/loop0 has a spare already, /dev/loop1 .*and 1 block that lives there" \
	"a second spare for it" remap-setup create four /dev/loop0 /dev/loop2
need losetup -d /dev/loop2
need losetup -d /dev/loop0
need losetup -d /dev/loop1
need losetup /dev/loop5 /tmp/main.img
need losetup /dev/loop3 /tmp/spare.img
like "$(remap-setup open -v /dev/loop3 2>&1)" "/dev/mapper/loops is up: main /dev/loop5, spare /dev/loop3" \
	"loop devices that have other names now"
need remap-setup close loops
need losetup -d /dev/loop5
out=$(remap-setup open loops /dev/loop3 2>&1)
is $? 8 "main is not here: status"
like "$out" "the main of /dev/loop3 is not here: nothing on record of its disk, 131072 sectors .64 MiB" "it says what it is"
done_testing
