#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# The points of ../debian.t, run by systemd in the guest; the kernel's command line says which part. "plug"
# lines ask the host for a disk that it kept back.

exec </dev/null >/dev/ttyS1 2>/dev/console
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
cd /points || exit 1
usleep() { sleep 0.1; }
. ./lib.sh
stty -F /dev/ttyS1 raw -echo
part=$(sed -n 's/.*points=\([a-z]*\).*/\1/p' /proc/cmdline)

disk() { readlink -f "/dev/disk/by-id/$1"; }
ARCHIVE=11111111-2222-3333-4444-555555555555
PARTED=22222222-2222-3333-4444-555555555555
LOCKED=33333333-2222-3333-4444-555555555555
ROOT=44444444-2222-3333-4444-555555555555
# mounted_from DIRECTORY NAME POINT: by whatever link it was mounted
mounted_from() { is "$(readlink -f "$(findmnt -n -o SOURCE "$1")")" "$(readlink -f "/dev/mapper/$2")" "$3"; }
settle() { udevadm settle --timeout=600; }
# onto_spare NAME FILE TEXT: FILE of the mounted device NAME says TEXT, which is on the spare; main has something else
onto_spare()
{
	printf '%s\n' "$3" | tr '[:print:]' - >"$2"
	sync
	_block=$(filefrag -b4096 -v "$2" | sed -n 's/^ *0: [^:]*: *\([0-9]*\)\..*/\1/p')
	need import "$1" $((_block * 8))+8
	printf '%s\n' "$3" | dd of="$2" conv=notrunc,fsync 2>/dev/null
	is "$(status "$1" used) $(status "$1" pending)" "1 0" "$2 is on the spare of $1"
}
# what a disk is to udev, by the name of its disk: by-id is what stays of a hidden one
type_of() { udevadm info -q property -n "$1" | sed -n 's/^ID_FS_TYPE=//p'; }

# Makes everything, on a plain Debian to which dm-remap is new.
setup()
{
	need modprobe dm-remap
	need mke2fs -q -F -t ext4 -b 4096 -O ^has_journal -U $ARCHIVE "$(disk virtio-arcmain)"
	says 0 'UUID=.*fstab' "create --enable, of ext4" \
		remap-setup create -e archive "$(disk virtio-arcmain)" "$(disk scsi-0QEMU_QEMU_HARDDISK_arcspare)"
	need mount /dev/mapper/archive /mnt
	onto_spare archive /mnt/file kept
	need umount /mnt

	# a pair of partitions for each of the others
	for end in virtio-stackmain scsi-0QEMU_QEMU_HARDDISK_stackspare; do
		size=16M
		[ $end != virtio-stackmain ] || size=128M
		for _ in 1 2 3 4; do echo "size=$size"; done >/tmp/table
		sed -i '1i label: gpt' /tmp/table
		_out=$(sfdisk -q "$(disk $end)" </tmp/table 2>&1) || bail "partitions: $_out"
	done
	settle
	n=0
	for name in lvm luks md btrfs; do
		n=$((n + 1))
		need remap-setup create $name "$(disk virtio-stackmain-part$n)" \
			"$(disk scsi-0QEMU_QEMU_HARDDISK_stackspare-part$n)"
	done
	need pvcreate -q /dev/mapper/lvm
	says 0 'global_filter.*r\|\^/dev/disk/by-id/.*-part1\$\|' "enable, of a PV" remap-setup enable lvm
	filter=$(sed -n 's/.*\(global_filter = .*\]\).*/\1/p' /tmp/out)
	echo "devices { $filter }" >/etc/lvm/lvmlocal.conf
	need vgcreate -q -A n vg /dev/mapper/lvm
	need lvcreate -q -A n -y -L 32M -n lv vg
	need mke2fs -q -t ext4 /dev/vg/lv
	echo secret >/etc/key
	chmod 600 /etc/key
	need cryptsetup -q luksFormat --type luks1 --pbkdf-force-iterations 1000 --uuid $LOCKED /dev/mapper/luks /etc/key
	says 0 'crypttab' "enable, of LUKS" remap-setup enable luks
	need cryptsetup open --key-file /etc/key /dev/mapper/luks opened
	need mke2fs -q -t ext4 /dev/mapper/opened
	need cryptsetup close opened
	need mdadm --create /dev/md/raid --run --force --metadata=1.2 --level=1 --raid-devices=1 /dev/mapper/md
	says 0 'DEVICE /dev/mapper/md' "enable, of a member of an array" remap-setup enable md
	need mke2fs -q -t ext4 /dev/md/raid
	need mdadm --stop /dev/md/raid
	need mkfs.btrfs -q /dev/mapper/btrfs
	says 0 'device=/dev/mapper/btrfs' "enable, of btrfs" remap-setup enable btrfs

	# a disk with partitions of its own
	need remap-setup create -e parts "$(disk virtio-partmain)" "$(disk virtio-partspare)"
	printf 'label: gpt\nsize=64M\n' >/tmp/table
	_out=$(sfdisk -q /dev/mapper/parts </tmp/table 2>&1) || diag "$_out"
	settle
	wait_for 120 test -b /dev/mapper/parts-part1
	ok $? "the partition that was made on the mapped device appears"
	need mke2fs -q -F -t ext4 -U $PARTED /dev/mapper/parts-part1
	need kpartx -d -p -part /dev/mapper/parts
	says 0 'kpartx' "enable, of a disk with partitions" remap-setup enable parts

	need remap-setup create -e root "$(disk virtio-rootmain)" "$(disk scsi-0QEMU_QEMU_HARDDISK_rootspare)"
	mkdir -p /srv/archive /srv/parted
	cat >/etc/fstab <<-END
		UUID=$ROOT / ext4 defaults 0 1
		UUID=$ARCHIVE /srv/archive ext4 nofail,x-systemd.device-timeout=0 0 2
		UUID=$PARTED /srv/parted ext4 nofail 0 2
	END
	echo "opened UUID=$LOCKED /etc/key nofail,x-systemd.device-timeout=0" >/etc/crypttab
	echo 'DEVICE /dev/mapper/md' >/etc/mdadm/mdadm.conf
	mdadm --examine --scan >>/etc/mdadm/mdadm.conf
	need remap-setup create -e hot "$(disk scsi-0QEMU_QEMU_HARDDISK_hotmain)" \
		"$(disk scsi-0QEMU_QEMU_HARDDISK_hotspare)"
	need systemctl enable dm-remap.service dm-remap-backup.timer dm-remap-watch.service
	need mount /dev/mapper/root /mnt
	need cp -a /etc/. /mnt/etc/
	mkdir -p /mnt/srv/archive /mnt/srv/parted
	onto_spare root /mnt/etc/through "root through the spare"
	need umount /mnt
	for name in archive lvm luks md btrfs parts root hot; do
		[ $name != lvm ] || need vgchange -q -an vg
		runs "close $name" remap-setup close $name
	done
	diag "$(cat /etc/remaptab)"
}

# With both devices of each pair there: everything is up.
everything()
{
	wait_for 300 mountpoint -q /srv/archive
	mounted_from /srv/archive archive "fstab mounts the mapped device by UUID="
	is "$(cat /srv/archive/file)" kept "what was on it is there"
	wait_for 300 test -b /dev/vg/lv
	is "$(pvs --noheadings -o pv_name 2>/tmp/err | tr -d ' ')" /dev/mapper/lvm "LVM has the mapped device as its one PV"
	unlike "$(cat /tmp/err)" 'uplicate|not using device' "and sees no duplicate"
	ok "$(test -b /dev/vg/lv; echo $?)" "the volume is there by itself" || diag "$(lvs -a 2>&1)"
	wait_for 300 test -b /dev/mapper/opened
	like "$(cryptsetup status opened 2>&1)" "device: +/dev/mapper/luks" "crypttab unlocks the mapped device by UUID="
	wait_for 300 test -b /dev/md/raid
	like "$(mdadm --detail /dev/md/raid 2>&1)" "/dev/(mapper/md|dm-[0-9]+)$" "the array is made of the mapped device" ||
		diag "$(cat /proc/mdstat; ls -l /dev/md)"
	wait_for 300 test -b /dev/mapper/parts-part1
	wait_for 300 mountpoint -q /srv/parted
	mounted_from /srv/parted parts-part1 "fstab mounts a partition of the mapped device by UUID="
	is "$(type_of "$(disk virtio-partmain)")" remap_member "a partitioned main is hidden"
	is "$(type_of "$(disk virtio-partmain)1")" remap_member "its partition is, too"
	wait_for 300 test -b /dev/mapper/btrfs
	btrfs device scan /dev/mapper/btrfs >/dev/null 2>&1
	need mount -o device=/dev/mapper/btrfs /dev/mapper/btrfs /mnt
	mounted_from /mnt btrfs "btrfs is mounted from the mapped device"
	need umount /mnt
}

# says_missing NAMES: the last run of dm-remap.service has found everything but these
says_missing()
{
	[ "$(systemctl show -P ActiveState dm-remap.service)" = failed ] || return
	[ "$(journalctl -b -o cat "_SYSTEMD_INVOCATION_ID=$(systemctl show -P InvocationID dm-remap.service)" |
		sed -n 's/^remap-setup: \(error: \)*\([a-z]*\): its spare is not here.*/\2/p' | sort | paste -sd ' ')" = "$1" ]
}
succeeded() { [ "$(systemctl is-active dm-remap.service) $(systemctl show -P Result dm-remap.service)" = "inactive success" ]; }
state_of_service() { diag "$(systemctl status dm-remap.service 2>&1; journalctl -b -o cat -u dm-remap.service | tail -n 20)"; }

# hot DISK POINT: the disk of the pair "hot" that comes last
hot()
{
	udev_watch
	plug "$1"
	wait_for 300 test -e /dev/mapper/hot
	ok $? "$2"
	at_most "$(udev_took hot)" 30000 "ms from the kernel's event of the disk to the mapped device, at full speed less than 3000"
	wait_for 300 succeeded
	ok $? "and the unit is content" || state_of_service
}

# The units that keep what spares hold.
kept() { find /var/lib/dm-remap -name "$(dmsetup info -c --noheadings -o uuid archive | sed s/REMAP-//)-*.json.gz" | wc -l; }
more_kept() { [ "$(kept)" -gt "$1" ]; }
backups()
{
	wait_for 300 more_kept 0
	ok $? "dm-remap-watch.service has made a backup at boot"
	is "$(systemctl is-active dm-remap-watch.service)" active "and waits for events"
	like "$(systemctl list-timers --no-legend dm-remap-backup.timer)" "^[A-Z].* dm-remap-backup.service" "the timer has a next time"
	before=$(kept)
	runs "systemctl start dm-remap-backup.service" systemctl start dm-remap-backup.service
	at_least "$(kept)" $((before + 1)) "it makes one more"
	before=$(kept)
	need import archive 4096+8
	wait_for 300 more_kept "$before"
	ok $? "and so does an event"
	is "$(stat -c %a /var/lib/dm-remap)" 700 "they are for root only"
	is "$(systemctl --failed --no-legend | grep -c remap)" 0 "no unit of dm-remap has failed" || diag "$(systemctl --failed)"
}

# Root is on a remapped disk, and so is everything else.
up()
{
	mounted_from / root "root is the mapped device"
	is "$(cat /etc/through)" "root through the spare" "and what was written through it"
	everything
	wait_for 300 says_missing hot
	ok $? "dm-remap.service fails, and names the one device of which the spare is missing" || state_of_service

	# a pair is plugged in: main, then its spare
	plug hotmain
	wait_for 300 test -e /dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_hotmain
	settle
	is "$(type_of "$(disk scsi-0QEMU_QEMU_HARDDISK_hotmain)")" remap_member "a main that is plugged in is hidden"
	fails "it makes no device" test -e /dev/mapper/hot
	hot hotspare "plugged in behind its main, a spare makes the device appear"
	backups
}

# The spares of two disks are not there yet.
late()
{
	mounted_from / root "root is the mapped device, though its spare came late"
	wait_for 300 says_missing "archive btrfs hot luks lvm md"
	ok $? "dm-remap.service fails, and names those of which the spare is missing" || state_of_service
	for main in virtio-arcmain virtio-stackmain-part1 virtio-stackmain-part2 virtio-stackmain-part3 virtio-stackmain-part4; do
		is "$(type_of "$(disk $main)")" remap_member "$main is hidden"
	done
	fails "there is no link to main by its UUID" test -e /dev/disk/by-uuid/$ARCHIVE
	fails "main is not mounted" mountpoint -q /srv/archive
	vgchange -ay >/dev/null 2>&1
	is "$(pvs --noheadings -o pv_name 2>/dev/null | tr -d ' ')" "" "LVM does not see the PV on main, not even when asked to look"
	mdadm --assemble --scan >/dev/null 2>&1
	fails "mdadm --assemble --scan makes no array of main" grep -q '^md.*active' /proc/mdstat
	fails "no key is asked for main" test -e /dev/mapper/opened
	unlike "$(lsblk -no FSTYPE "$(disk virtio-stackmain-part4)" 2>&1)" btrfs "btrfs on main is not shown"
	fails "systemd does not count main as there" systemctl is-active "$(systemd-escape -p --suffix=device "$(disk virtio-arcmain)")"

	plug arcspare
	wait_for 300 test -e /dev/mapper/archive
	ok $? "plugged in, the spare makes the device appear"
	plug stackspare
	everything
	plug hotspare
	wait_for 300 test -e /dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_hotspare
	settle
	fails "a spare alone makes no device" test -e /dev/mapper/hot
	hot hotmain "plugged in behind its spare, a main makes the device appear"
}

# a point that has to hold ends the part
(
	case $part in
	setup | up | late) $part ;;
	*) bail "no part \"$part\"" ;;
	esac
	done_testing
)
sync
echo "points: end"
systemctl poweroff -ff
