# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The udev rules under a real udevd: a main that remaptab lists is hidden while its spare is not there,
# and the device comes up when the second of the two appears, whichever it is.
#
# vm: mem=512 timeout=600 disks=64M,16M plug=64M,16M

. /guest/lib.sh

command -v udevadm >/dev/null || { skip "udev" "no udevadm in this guest"; done_testing; }
need modprobe virtio_pci
need modprobe virtio_blk
wait_for 60 test -b /dev/vdb || bail "no disks"
need modprobe ext4
hostname alpha
MAIN=/dev/vda SPARE=/dev/vdb

# What was a spare once, and is main now, holds most of what it was.
need remap-format -q --main-size 1G $MAIN
need mke2fs -q -F -t ext4 -E nodiscard -U 11111111-2222-3333-4444-555555555555 $MAIN
LINK=/dev/disk/by-uuid/11111111-2222-3333-4444-555555555555
need remap-setup create -e safe $MAIN $SPARE
need mount /dev/mapper/safe /mnt
echo kept >/mnt/file
need umount /mnt
need remap-setup close safe

virtio_of() { basename "$(readlink -f "/sys/block/$1/device")"; }
main_device=$(virtio_of vda) spare_device=$(virtio_of vdb)
# by name of the virtio device: what it is called afterwards is the kernel's choice
unbind() { echo "$1" >/sys/bus/virtio/drivers/virtio_blk/unbind; }
bind() { echo "$1" >/sys/bus/virtio/drivers/virtio_blk/bind; }
node_of() { echo "/dev/$(ls "/sys/bus/virtio/devices/$1/block")"; }
property() { udevadm info -q property -n "$1" | sed -n "s/^$2=//p"; }

unbind "$main_device"
unbind "$spare_device"
need mkdir -p /etc/udev/rules.d /run/udev
sed 's,@sbindir@,/guest/bin,' /guest/udev/61-dm-remap.rules >/etc/udev/rules.d/61-dm-remap.rules
ln -s /guest/bin/udevadm /bin/systemd-udevd
unset DM_DISABLE_UDEV
need systemd-udevd --daemon
need udevadm settle

# Main first.
bind "$main_device"
need udevadm settle
main=$(node_of "$main_device")
is "$(property "$main" ID_FS_TYPE)" remap_member "a listed main without its spare is a remap_member"
is "$(property "$main" SYSTEMD_READY)" 0 "systemd leaves it alone"
is "$(property "$main" ID_FS_UUID)" "" "it has no uuid to be mounted by"
fails "and no link" test -e $LINK
ok "$(test -e /dev/disk/by-id/virtio-disk0; echo $?)" "but one by its disk" || diag "$(ls /dev/disk/by-id)"
fails "no device yet" dm_exists safe

# expose
runs "expose" remap-setup expose safe
need udevadm settle
is "$(readlink -f $LINK)" "$main" "an exposed main can be seen"
runs "expose --hide" remap-setup expose --hide safe
need udevadm settle
fails "and no longer" test -e $LINK

# The spare comes.
start=$(uptime_ms)
bind "$spare_device"
wait_for 120 test -e /dev/mapper/safe
ok $? "the device comes up when its spare does"
diag "hot-plug of the spare to the device: $(($(uptime_ms) - start)) ms"
need udevadm settle
spare=$(node_of "$spare_device")
is "$(property "$spare" ID_FS_TYPE)" remap_spare "the spare is a remap_spare"
is "$(status safe mode)" ok "the target is up"
is "$(readlink -f $LINK)" "$(readlink -f /dev/mapper/safe)" "the filesystem's uuid leads to the mapped device"
need mount $LINK /mnt
is "$(cat /mnt/file)" kept "mounted by that"
need umount /mnt
runs "close" remap-setup close safe
need udevadm settle
fails "the node is gone" test -e /dev/mapper/safe
fails "the link, too, and not back to main" test -e $LINK

# Closed by hand: it stays down while other disks come, or these are looked at again.
need udevadm trigger --settle --action=add "$main"
fails "what was closed does not come up with the next event" dm_exists safe
says 0 "$spare: its device was closed and is left down; to bring it up: remap-setup open safe $spare" \
	"and it is said" remap-setup scan --assemble --listed --unless-closed -v
runs "scan by hand brings it up" remap-setup scan --assemble --listed
ok "$(dm_exists safe; echo $?)" "it is up"
fails "the mark is gone" ls /run/dm-remap/closed/*
need remap-setup close safe

# Spare first.
unbind "$main_device"
unbind "$spare_device"
need udevadm settle
bind "$spare_device"
need udevadm settle
fails "the spare alone makes no device" dm_exists safe
bind "$main_device"
wait_for 120 test -e /dev/mapper/safe
ok $? "the device comes up when its main does"
need udevadm settle
is "$(readlink -f $LINK)" "$(readlink -f /dev/mapper/safe)" "and has the link"
runs "close again" remap-setup close safe

# A main that is listed by a link, which is not there yet when the rules are run.
unbind "$spare_device"
unbind "$main_device"
need udevadm settle
need sed -i 's,ID=disk0,/dev/disk/by-id/virtio-disk0,' /etc/remaptab
bind "$main_device"
need udevadm settle
is "$(property "$(node_of "$main_device")" ID_FS_TYPE)" remap_member "a main that is listed by a link is hidden, too"
unlike "$(udevadm info -q symlink -n "$(node_of "$main_device")")" "by-uuid" "it has no link by its contents"
bind "$spare_device"
wait_for 120 test -e /dev/mapper/safe
ok $? "and it comes up by that" || diag "$(remap-setup scan --assemble --listed 2>&1)"
runs "close" remap-setup close safe

# A spare that can be read only when something has been set up, as LVM does.
spare=$(node_of "$spare_device")
need dmsetup create under --table "0 $(sectors_of "$spare") linear $spare 0"
wait_for 120 test -e /dev/mapper/safe
ok $? "the device comes up when its spare is set up"
need udevadm settle
runs "and close" remap-setup close safe
need udevadm trigger --settle --action=change "$(readlink -f /dev/mapper/under)"
fails "an event of the spare does not bring it up again" dm_exists safe
need dmsetup remove under

# A pair that is plugged into the machine.
need modprobe virtio_scsi
need modprobe sd_mod
plug plug0
wait_for 120 test -b /dev/sda || bail "no disk is plugged in"
plug plug1
wait_for 120 test -b /dev/sdb || bail "no second disk is plugged in"
# who creates waits until udev has done with them: it has them locked until then
need udevadm settle
need remap-setup create -e hot /dev/sda /dev/sdb
need remap-setup close hot
need udevadm settle
unplug plug0
unplug plug1
gone() { [ ! -e /sys/block/sda ] && [ ! -e /sys/block/sdb ]; }
wait_for 120 gone || bail "the disks are not unplugged"
udev_watch
plug plug0
wait_for 120 test -b /dev/sda
need udevadm settle
is "$(property /dev/sda ID_FS_TYPE)" remap_member "a main that is plugged in is hidden"
fails "it makes no device" dm_exists hot
plug plug1
wait_for 120 test -e /dev/mapper/hot
ok $? "with its spare it does"
took=$(udev_took hot)
at_least "$took" 1 "ms from the kernel's event of the spare to the device"
figure "$took" 3000 "a spare that is plugged in, until its device is up"
udevadm control --exit
done_testing
