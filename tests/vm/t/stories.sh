# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What a person does with a disk that fails, command by command, with the filesystem that was on it: main
# is cloned to a new disk, which takes the spare over, and dm-remap is retired; the spare dies, and is
# replaced, first one that can be read still, then one of which only a backup is left.
#
# vm: mem=512 timeout=600 disks=64M,16M,96M,24M modules=dm-inject,dm-remap

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
like "$(cat /tmp/out)" "^not used    the last 65536 sectors of new main, 32 MiB; the device keeps its length, 131072 sectors" \
	"and how much larger the new disk is"
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
like "$(cat /tmp/out)" "the last 65536 sectors of /dev/vdc .32 MiB. are not used" "though it is larger"
is "$(sectors_of /dev/mapper/archive)" 131072 "the device is as long as it was"
fails "nothing is behind its end" sio r /dev/mapper/archive 131072 8 @1
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

#---- the spare dies, and is replaced ----

faulty spare /dev/vdb 32768
need remap-setup create --enable -o breaker=77:600 attic /dev/vdc /dev/mapper/spare
old=$(status attic uuid)
need dm_message attic remap 100000+160
need sio w /dev/mapper/attic 100000 160 @7
at=$(remap-dump --json /dev/mapper/spare | tr -d ' ' | tr ',' '\n' | sed -n 's/"spare_sector"://p' | sed -n 5p)
inject spare add r "$at+8" MEDIUM
need mount /dev/mapper/attic /mnt
says 8 "attic is in use: mounted on /mnt; nothing was changed" "replace-spare while mounted" \
	remap-setup replace-spare attic /dev/vdd
need umount /mnt
says 8 "/dev/vdc is in use: held by device mapper" "main for a spare" \
	remap-setup replace-spare attic /dev/vdc
says 0 "dry run: nothing was written" "replace-spare -n" remap-setup replace-spare -n attic /dev/vdd
is "$(status attic mode)" ok "the device was not touched"
says 1 "8 sectors are lost now, for slots could not be read" "replace-spare" \
	remap-setup replace-spare attic /dev/vdd
like "$(cat /tmp/out)" "/dev/mapper/attic is up: main /dev/vdc, spare /dev/vdd" "and the device is up again"
new=$(status attic uuid)
fails "with another uuid" test "$old" = "$new"
is "$(dmsetup info -c --noheadings -o uuid attic)" "REMAP-$new" "which is device mapper's, too"
like "$(dm_table attic)" "breaker 77 600" "and the options that it had"
is "$(status attic used) $(status attic lost)" "20 8" "it has all blocks, one of them lost"
like "$(cat /etc/remaptab)" "^attic ID=disk2 UUID=$new breaker=77:600" "its line in remaptab has the new spare"
is "$(sio r /dev/mapper/attic 100040 120 @7)" "r 100040+120 OK" "what could be read is there"
like "$(sio r /dev/mapper/attic 100032 8 @7 2>&1)" "EIO|ENODATA|error" "what could not is an error"
need mount /dev/mapper/attic /mnt
is "$(sums)" "$want" "the files are there"
need umount /mnt
says 8 "not a dm-remap spare: nothing of dm-remap is on it" "the old spare is none any more" \
	remap-setup open other /dev/vdc /dev/mapper/spare
need remap-setup close attic
like "$(remap-setup scan)" "/dev/vdd" "scan finds the new one"
unlike "$(remap-setup scan)" "/dev/vdb|/dev/mapper/spare" "and not the old one"

#---- the spare dies at once, and only a backup of its list is left ----

need dm_remove spare
faulty dying /dev/vdd 49152
says 0 "attic is up: main /dev/vdc, spare /dev/mapper/dying" "a device is opened by its name alone" \
	remap-setup open attic
like "$(dm_table attic)" "breaker 77 600" "as it is listed"
need remap-setup backup attic
inject dying add rw 0+49152 MEDIUM
says 8 "if it is gone for good: remap-setup replace-spare --from-backup /var/lib/dm-remap/$new-[0-9TZ]*.json.gz attic NEWSPARE" \
	"replace-spare of one that cannot be read says what is left" remap-setup replace-spare attic /dev/vdb
is "$(status attic uuid)" "$new" "the device was not touched"
backup=$(sed -n 's/.*--from-backup \([^ ]*\) .*/\1/p' /tmp/out)
says 8 "is of another spare than that of attic: of uuid $old, not $new; nothing was changed" "the backup of another one" \
	remap-setup replace-spare --from-backup "$(find /var/lib/dm-remap -name "$old-*" | tail -n 1)" attic /dev/vdb
says 0 "dry run: nothing was written" "replace-spare --from-backup -n" \
	remap-setup replace-spare -n --from-backup "$backup" attic /dev/vdb
is "$(status attic uuid)" "$new" "the device was not touched"
says 1 "152 sectors are lost: reads of them fail until they are written" "replace-spare --from-backup" \
	remap-setup replace-spare --from-backup "$backup" attic /dev/vdb
like "$(cat /tmp/out)" "/dev/mapper/attic is up: main /dev/vdc, spare /dev/vdb" "and the device is up again"
unlike "$(cat /tmp/out)" "is in use" "main is not said to be in use by the device itself"
like "$(cat /tmp/out)" "should the old spare .uuid $new. come back, keep it away from main" "it says what the old one is"
third=$(status attic uuid)
is "$(status attic used) $(status attic lost)" "20 160" "it has all blocks, all lost"
like "$(dm_table attic)" "breaker 77 600" "and the options that it had"
like "$(cat /etc/remaptab)" "^attic ID=disk2 UUID=$third breaker=77:600" "its line in remaptab has the new spare"
like "$(sio r /dev/mapper/attic 100000 8 @7 2>&1)" "EIO|ENODATA|error" "old data of main are not read for what is lost"
runs "writing heals" sio w /dev/mapper/attic 100000 80 @8
is "$(status attic lost)" 80 "half of it"
need mount /dev/mapper/attic /mnt
is "$(sums)" "$want" "the files are there"
need umount /mnt

# The same at a boot: the device is not up, for its spare is not here.
need remap-setup close attic
need sio z /dev/vdb 0 32768
inject dying clear
need dm_remove dying
says 8 "attic: its spare is not here .uuid $third.: without it blocks of main are old" "open says that the spare is missing" \
	remap-setup open attic
like "$(cat /tmp/out)" "replace-spare --from-backup .*$third-[0-9TZ]*.json.gz attic NEWSPARE" "and what is left of it"
says 8 "attic: its spare is not here" "so does replace-spare" remap-setup replace-spare attic /dev/vdb
backup=$(sed -n 's/.*--from-backup \([^ ]*\) .*/\1/p' /tmp/out)
says 8 "/dev/vdd is another spare of dm-remap" "one that holds something is no new one" \
	remap-setup replace-spare --from-backup "$backup" attic /dev/vdd
need mount /dev/vdc /mnt
says 8 "main /dev/vdc is in use: mounted on /mnt" "main is mounted" \
	remap-setup replace-spare --from-backup "$backup" attic /dev/vdb
need umount /mnt
says 8 "/dev/vdc has a spare already, /dev/vdd .uuid $new.*, and 20 blocks that live there are old on main" \
	"one of earlier came back" remap-setup replace-spare --from-backup "$backup" attic /dev/vdb
need sio z /dev/vdd 0 49152
says 1 "/dev/mapper/attic is up: main /dev/vdc, spare /dev/vdb" "the device comes up with another one" \
	remap-setup replace-spare --from-backup "$backup" attic /dev/vdb
is "$(status attic used) $(status attic lost)" "20 160" "with all blocks, all lost"
says 8 "the spare /dev/vdb can be read" "what can be read is not replaced by a backup" \
	remap-setup replace-spare --from-backup "$(remap-setup backup attic | sed -n 's/ written.*//p')" attic /dev/vdd
need remap-setup close attic
done_testing
