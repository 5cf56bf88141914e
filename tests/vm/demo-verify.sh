# SPDX-License-Identifier: GPL-2.0-only
# The demo's second machine: the spare has been to the workshop; is everything there?
# vm: disks=256M,64M,64M timeout=200 mem=512

. /guest/lib.sh

tell() { echo "# > $*"; }

for m in virtio_pci virtio_blk ext4; do need modprobe $m; done
need wait_for 10 test -b /dev/vdc
mkdir -p /mnt/fs /mnt/state
need mount -t ext4 /dev/vdc /mnt/state
need cp /mnt/state/state /tmp/state
need umount /mnt/state
need remap_create safe /dev/vda /dev/vdb
tell "status: $(dmsetup status safe | cut -d ' ' -f 4-11)"
runs "e2fsck" e2fsck -fn /dev/mapper/safe
need mount -t ext4 /dev/mapper/safe /mnt/fs
pattern verify -S /tmp/state >/tmp/verify 2>&1
ok $? "every sector is what was last written"
tell "$(tail -n 1 /tmp/verify)"
tell "every sector of every file is what was last written"
umount /mnt/fs
done_testing
