# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What a person does with a disk that fails, command by command, with the filesystem that was on it: main
# is cloned to a new disk, which takes the spare over, and dm-remap is retired.
#
# vm: mem=512 timeout=600 disks=64M,16M,64M,24M modules=dm-inject,dm-remap

. /guest/lib.sh

need modprobe virtio_pci
need modprobe virtio_blk
wait_for 60 test -b /dev/vdd || bail "no disks"
need modprobe ext4
hostname alpha
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
faulty main /dev/vda 131072
M=/dev/mapper/main

# sums: of the files that are there
sums() { (cd /mnt && sha256sum ./*.bin); }

# A disk with a filesystem, to which a spare was given.
need mke2fs -q -F -t ext4 $M
need mount $M /mnt
head -c 400000 /dev/urandom >/mnt/before.bin
need umount /mnt
need remap-setup create --enable archive $M /dev/vdb
like "$(cat /etc/remaptab)" "^archive - UUID=" "main has no id, and its line says so"
need mount /dev/mapper/archive /mnt

# It fails: what is written now goes to the spare, and some sectors cannot be read any more.
inject main add w 16384+100000 MEDIUM
head -c 600000 /dev/urandom >/mnt/while.bin
sync
want=$(sums)
need umount /mnt
at_least "$(status archive used)" 100 "blocks went to the spare"
is "$(status archive mode)" ok "the device is well"
inject main add r 120000+16 MEDIUM

#---- main is cloned to a new disk ----

need remap-setup close archive
if ! command -v ddrescue >/dev/null; then
	diag "there is no ddrescue here"
	done_testing
fi
need ddrescue -q -f $M /dev/vdc /tmp/clone.map
need dd if=/dev/urandom of=/dev/vdc bs=512 seek=120000 count=16 conv=notrunc,fsync
says 0 "dry run: nothing was written" "rebind -n" remap-setup rebind -n -m /tmp/clone.map /dev/vdb /dev/vdc
like "$(cat /tmp/out)" "^not copied  16 sectors; slots have 0 of them" "it says what is not there"
need mount /dev/vdc /mnt
before=$(sum_of /dev/vdb)
says 8 "new main /dev/vdc is in use: mounted on /mnt; nothing was changed" "the new main is mounted" \
	remap-setup rebind -m /tmp/clone.map /dev/vdb /dev/vdc
need umount /mnt
is "$(sum_of /dev/vdb)" "$before" "the spare is as it was"
# to mount it, though for a moment, was to write to it
says 8 "/dev/vdc is not what main was when /dev/vdb was last released: its first or last MiB differ" \
	"a clone that was written to" remap-setup rebind -m /tmp/clone.map /dev/vdb /dev/vdc
need ddrescue -q -f --force $M /dev/vdc /tmp/clone2.map
says 1 "16 sectors are lost: reads of them fail until they are written" "rebind" \
	remap-setup rebind --mapfile /tmp/clone2.map /dev/vdb /dev/vdc
like "$(cat /tmp/out)" "/dev/vdb is the spare of /dev/vdc now" "it says what is what now"
like "$(cat /etc/remaptab)" "^archive ID=disk2 UUID=" "its line in remaptab names the new disk"
says 0 "/dev/vdb is the spare of /dev/vdc already" "the same again" \
	remap-setup rebind --mapfile /tmp/clone2.map /dev/vdb /dev/vdc
need dm_remove main
says 0 "archive is up: main /dev/vdc, spare /dev/vdb" "the new main is found" remap-setup open archive /dev/vdb
is "$(status archive lost)" 16 "the target knows what is lost"
like "$(sio r /dev/mapper/archive 120000 8 @1 2>&1)" "EIO|ENODATA|error" "it is not read"
need mount /dev/mapper/archive /mnt
is "$(sums)" "$want" "the files are whole, those on the spare, too"
need umount /mnt

#---- and dm-remap is retired ----

says 1 "2 blocks more stay on the spare" "what is lost stays on the spare" remap-setup unmap archive --all
runs "writing heals" sio w /dev/mapper/archive 120000 16 @1
is "$(status archive lost)" 0 "nothing is lost any more"
says 0 "went back" "the rest follows" remap-setup unmap archive --all
need remap-setup close archive
says 1 "remap-setup disable archive" "erase knows of the line in remaptab" remap-setup erase /dev/vdb
need remap-setup disable archive
need mount /dev/vdc /mnt
is "$(sums)" "$want" "the new disk has it all by itself"
need umount /mnt
done_testing
