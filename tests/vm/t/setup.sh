# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The life of a device by remap-setup: created over a filesystem, used, closed, opened again by what
# its main is, whatever it is called meanwhile; what is accepted only when told so.
#
# vm: mem=512 timeout=600 disks=64M,16M,64M,16M

. /guest/lib.sh

need modprobe virtio_pci
need modprobe virtio_blk
wait_for 60 test -b /dev/vdd || bail "no disks"
need modprobe ext4
hostname alpha
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
unset DM_DISABLE_UDEV	# remap-setup must find out by itself that there is no udev
MAIN=/dev/vda SPARE=/dev/vdb

# A filesystem that was there before.
need mke2fs -q -F -t ext4 $MAIN
need mount $MAIN /mnt
head -c 300000 /dev/urandom >/mnt/file
sum=$(sha256sum </mnt/file)
says 8 "main /dev/vda is in use: mounted on /mnt; nothing was changed; unmount it" "main is mounted" \
	remap-setup create safe $MAIN $SPARE
need umount /mnt

# create
says 0 "dry run: nothing was written" "create -n" remap-setup create -n safe $MAIN $SPARE
fails "nothing is there after it" dm_exists safe
before=$(sum_of $SPARE)
says 32 "Destroy what is on /dev/vdb. .y/N. " "on a terminal create asks, and Enter is no" \
	sh -c "echo | pty remap-setup create safe $MAIN $SPARE"
like "$(cat /tmp/out)" "/dev/vda .*id disk0, ext4 filesystem; kept" "it shows what it is about first"
fails "no device is there" dm_exists safe
is "$(sum_of $SPARE)" "$before" "and the spare is as it was"
says 0 "/dev/mapper/safe is up; use it instead of /dev/vda" "create" remap-setup create safe $MAIN $SPARE
like "$(cat /tmp/out)" "^/dev/vda .*64 MiB.*, id disk0, ext4 filesystem; kept" "it says what main is"
like "$(cat /tmp/out)" "^/dev/vdb .*16 MiB.*, id disk1, no known signature; lost" "and the spare"
ok "$(test -b /dev/mapper/safe; echo $?)" "it has its node when remap-setup returns"
is "$(status safe mode)" ok "the target is up"
uuid=$(status safe uuid)
is "$(dmsetup info -c --noheadings -o uuid safe)" "REMAP-$uuid" "device mapper's uuid"
like "$(remap-dump $SPARE)" "safe" "the name is the label of the spare"
like "$(remap-setup list)" "^safe  *64 MiB  /dev/vda  *\/dev/vdb  *0  rw" "list"
like "$(remap-setup list --json)" '"name":"safe".*"main":"/dev/vda","spare":"/dev/vdb","open_count":0' "list --json"
need mount /dev/mapper/safe /mnt
is "$(sha256sum </mnt/file)" "$sum" "the file is there"
echo more >/mnt/more
need dm_message safe remap 2000+16 4096+8
says 8 "safe is in use: mounted on /mnt; nothing was changed" "close while mounted" remap-setup close safe
need umount /mnt
need dm_message safe remap 100000+8
is "$(remap-setup backup --all -d /tmp/all | grep -c ' written, ')" 1 "backup --all makes one of each spare"

# close
says 0 "safe is down" "close" remap-setup close safe
fails "the device is gone" dm_exists safe
fails "and its node" test -e /dev/mapper/safe
backup=$(ls /var/lib/dm-remap)
like "$backup" "^$uuid-[0-9T]*Z\.json\.gz$" "there is a backup of what the spare holds"
is "$(echo "$backup" | wc -l)" 1 "and one only"
like "$(gzip -dc "/var/lib/dm-remap/$backup")" '"mapped": ?4' "with all that it holds"
is "$(stat -c %a /var/lib/dm-remap)" 700 "for root only"
runs "the spare is clean" remap-check -n $SPARE
dump=$(remap-dump -F json $SPARE)
like "$dump" '"host_name": *"alpha"' "the host's name is on it"
like "$dump" '"host_id": *"0123456789abcdef0123456789abcdef"' "and its id"
like "$dump" 'main_print_valid' "and the print of main"

# open, by what main is
says 0 "/dev/mapper/safe is up: main /dev/vda, spare /dev/vdb" "open SPARE" remap-setup open $SPARE
is "$(status safe used)" 4 "its remaps are there"
touch /tmp/file
says 1 "cannot make the directory /tmp/file/d: Not a directory.*the next open|safe is down" \
	"close without a place for the backup" remap-setup close -d /tmp/file/d safe
fails "it is down all the same" dm_exists safe

# Backups by events: of what is there, and of what comes.
remap-setup backup --watch -d /tmp/kept >/tmp/watch 2>&1 &
watch=$!
need remap-setup open safe $SPARE
# kept BLOCKS: there is a whole backup with so many mapped; not what is being written
kept()
{
	for _file in /tmp/kept/*Z.json.gz; do
		gzip -dc "$_file" 2>/dev/null | grep -Eq "\"mapped\": ?$1[^0-9]" && return
	done
	return 1
}
wait_for 120 kept 4
ok $? "a device that comes up has a backup" || diag "$(cat /tmp/watch)"
need dm_message safe remap 70000+8
wait_for 120 kept 5
ok $? "a new remap, too" || diag "$(cat /tmp/watch)"
kill $watch
wait $watch
is $? 0 "a signal ends it well"
need dm_message safe unmap 70000+8
need remap-setup close --no-backup safe
says 0 "/dev/mapper/other is up: main /dev/vda" "open NAME SPARE" remap-setup open other $SPARE
need remap-setup close other
says 0 "/dev/mapper/other is up: main /dev/vda" "open NAME MAIN SPARE" remap-setup open other $MAIN $SPARE
need remap-setup close other
says 0 "/dev/mapper/safe is up: main /dev/vda" "open MAIN SPARE" remap-setup open $MAIN $SPARE
says 8 "spare /dev/vdb is in use: held by device mapper .dm-[0-9]*, .safe.*nothing was changed" \
	"open twice" remap-setup open again $SPARE
need remap-setup close safe
says 8 'vdc is not the main of /dev/vdb: the disk is "disk2", but the spare is for "disk0".*' \
	"another main" remap-setup open safe /dev/vdc $SPARE
like "$(cat /tmp/out)" "to accept that: remap-setup open --force-main safe /dev/vdc /dev/vdb" \
	"and how it is accepted"
says 8 "to accept that: remap-setup open --force-main --accept-changed-main safe /dev/vdc /dev/vdb" \
	"which does not hold what the right one did" remap-setup open --force-main safe /dev/vdc $SPARE
says 0 "is up: main /dev/vdc" "with both" \
	remap-setup open --force-main --accept-changed-main safe /dev/vdc $SPARE
like "$(dm_table safe)" "force_main" "the target is told"
# no trace of that main is to be left
need remap-setup close safe
says 8 "main changed while dm-remap was not in use; 4 blocks may be stale" "then the old one again" \
	remap-setup open safe $SPARE
like "$(cat /tmp/out)" "to accept that: remap-setup open --accept-changed-main safe /dev/vdb" \
	"and how that is accepted"
says 0 "accepted" "with that" remap-setup open --accept-changed-main safe $SPARE
need mount /dev/mapper/safe /mnt
is "$(cat /mnt/more)" more "nothing is lost"
need umount /mnt
need remap-setup close safe

# What happens to a main behind the back of dm-remap.
need mount $MAIN /mnt
echo behind >/mnt/behind
need umount /mnt
says 8 "/dev/vda: main changed while dm-remap was not in use; 4 blocks may be stale" "main was mounted raw" \
	remap-setup open safe $SPARE
fails "no device is left" dm_exists safe
need remap-setup open -q --accept-changed-main safe $SPARE
need dm_remove safe
says 0 "is up" "after dmsetup remove there is no print to compare with" remap-setup open safe $SPARE
need remap-setup close safe

# Read-only: neither is written to.
before="$(sum_of $MAIN) $(sum_of $SPARE)"
says 0 "is up, read-only" "open --readonly" remap-setup open --readonly safe $SPARE
fails "writes fail" sio p /dev/mapper/safe 0 8 1
need remap-setup close safe
is "$(sum_of $MAIN) $(sum_of $SPARE)" "$before" "neither main nor spare was written to"

# Options for the target.
says 0 "is up" "open -o" remap-setup open -o read_policy=remap,breaker=77:600 safe $SPARE
like "$(dm_table safe)" "5 read_policy remap breaker 77 600" "the table has them"
need remap-setup close safe
says 16 '-o: option "breaker=77" takes 2 values' "a bad option" remap-setup open -o breaker=77 safe $SPARE

# A spare that is not needed any more, and one of which the erasure was cut short.
need remap-setup create gone /dev/vdc /dev/vdd
need dm_message gone remap 8+8
says 8 "/dev/vdd is in use: held by device mapper .dm-[0-9]*, .gone" "erase a spare in use" \
	remap-setup erase /dev/vdd
need remap-setup close gone
before=$(sum_of /dev/vdd)
says 8 "/dev/vdd holds data of 1 block of main; it is not erased" "erase a spare that is needed" \
	remap-setup erase /dev/vdd
is "$(sum_of /dev/vdd)" "$before" "it is as it was"
need remap-setup open gone /dev/vdd
need remap-setup unmap gone --all
need remap-setup close gone
for sector in 0 1024 2048 4096 8192; do
	printf DMRERASE | dd of=/dev/vdd bs=512 seek=$sector conv=notrunc,fsync 2>/dev/null
done
before=$(sum_of /dev/vdd)
cut="/dev/vdd was a dm-remap spare, and its erasure was cut short; finish it with remap-setup erase /dev/vdd"
says 4 "$cut" "open one that is half erased" remap-setup open gone /dev/vdd
says 8 "$cut" "create on it" remap-setup create -f gone /dev/vdc /dev/vdd
fails "the target refuses it, too" remap_create gone /dev/vdc /dev/vdd format
dm_exists gone && need dm_remove gone
is "$(sum_of /dev/vdd)" "$before" "and it is as it was"
says 0 "/dev/vdd is not a spare any more" "erase goes on" remap-setup erase /dev/vdd
says 0 "^/dev/vdd .*no known signature; lost" "it is a blank device, and y is yes" \
	sh -c "echo y | pty remap-setup create gone /dev/vdc /dev/vdd"
need remap-setup close gone

# One that was to replace another, cut at the last step: main must not get a third one.
for sector in 0 1024 2048 4096 8192; do
	printf DMRTAKES | dd of=/dev/vdd bs=512 seek=$sector conv=notrunc,fsync 2>/dev/null
done
need modprobe loop
truncate -s 16M /tmp/third.img
need losetup /dev/loop7 /tmp/third.img
before=$(sum_of /dev/vdd)
says 8 "/dev/vdc has a spare, /dev/vdd, that was to replace another one, .*remap-setup replace-spare /dev/vdd /dev/vdd" \
	"create beside one that is taking over" remap-setup create third /dev/vdc /dev/loop7
is "$(sum_of /dev/vdd)" "$before" "which is as it was"
need losetup -d /dev/loop7

# Another host.
hostname beta
echo 00000000000000000000000000000001 >/etc/machine-id
says 8 'last active on another host, "alpha", on 20' "another host" remap-setup open safe $SPARE
like "$(cat /tmp/out)" "to accept that: remap-setup open --adopt safe /dev/vdb" "and how it is adopted"
says 0 'last active on host "alpha"' "open --adopt" remap-setup open --adopt safe $SPARE
need remap-setup close safe
says 0 "is up" "it is this host's now" remap-setup open safe $SPARE
need remap-setup close -q --no-backup safe

# Whose a spare is after a crash. crashed: what one leaves is what is on the spare while it is live.
crashed()
{
	need remap-setup open -q "$@" safe $MAIN $SPARE
	echo 3 >/proc/sys/vm/drop_caches
	need dd if=$SPARE of=/tmp/crashed bs=1M 2>/dev/null
	need remap-setup close -q --no-backup safe
	again
}
again() { need dd if=/tmp/crashed of=/dev/vdd bs=1M conv=fsync 2>/dev/null; }

crashed
like "$(remap-dump -F json /dev/vdd 2>/dev/null)" '"host_id": *"00000000000000000000000000000001"' \
	"the target puts the id on the spare"
says 0 "whether main changed since cannot be told|is up" "after a crash of this host" \
	remap-setup open safe $MAIN /dev/vdd
need remap-setup close -q --no-backup safe
again
hostname gamma
says 0 "is up" "after a crash of this host, which has another name now" remap-setup open safe $MAIN /dev/vdd
need remap-setup close -q --no-backup safe
again
hostname beta
echo 00000000000000000000000000000002 >/etc/machine-id
says 8 'another host, "beta" as this one is called, but with another machine-id, on .*, and was not released there' \
	"after a crash of another host of the same name" remap-setup open safe $MAIN /dev/vdd
fails "no device is left" dm_exists safe
rm /etc/machine-id
echo >/sys/module/dm_remap/parameters/host_id
says 8 'another host, "beta" as this one' "an id on record, and none here" remap-setup open safe $MAIN /dev/vdd
fails "a word that is no id" sh -c 'echo 0123 >/sys/module/dm_remap/parameters/host_id'
says 0 "last active on host" "adopted without an id" remap-setup open --adopt safe $MAIN $SPARE
need remap-setup close -q --no-backup safe
crashed
says 8 'a host called "beta", of which no machine-id is on record, on .*, and was not released there' \
	"after a crash, with no id on record" remap-setup open safe $MAIN /dev/vdd
like "$(cat /tmp/out)" "to accept that: remap-setup open --adopt safe /dev/vda /dev/vdd" "and how that is accepted"
uuid=$(remap-dump -F json /dev/vdd 2>/dev/null | sed -n 's/.*"uuid": *"\([^"]*\)".*/\1/p' | head -n 1)
echo "safe ID=disk0 UUID=$uuid" >/etc/remaptab
need sio z $SPARE 0 32768
says 0 "/dev/vdd" "one that remaptab lists comes up" remap-setup scan --assemble --listed
is "$(status safe mode)" ok "it is up"
need remap-setup close -q --no-backup --hand-over safe
echo 00000000000000000000000000000003 >/etc/machine-id
hostname delta
says 0 "is up" "what was handed over is anybody's" remap-setup open safe /dev/vdd
need remap-setup close -q --no-backup safe
like "$(remap-dump -F json /dev/vdd)" '"host_id": *"00000000000000000000000000000003"' "and this host's then"
echo 00000000000000000000000000000004 >/etc/machine-id
says 8 "last active on another host, \"delta\"" "and no other's" remap-setup open safe /dev/vdd
done_testing
