# SPDX-License-Identifier: GPL-2.0-only
# The demo's first machine: a disk dies under ext4 and nobody notices.
# vm: disks=256M,64M,64M timeout=300 mem=512

. /guest/lib.sh

tell() { echo "# > $*"; }
numbers() { tell "   slots used $(status safe used) of $(status safe slots), pending sectors $(status safe pending), lost $(status safe lost), health $(status safe health)"; }

for m in virtio_pci virtio_blk ext4; do need modprobe $m; done
need wait_for 10 test -b /dev/vdc
faulty bad /dev/vda "$(sectors_of /dev/vda)"
tell "/dev/mapper/bad is a disk of 256 MiB that fails as told; /dev/vdb is a blank spare of 64 MiB"
need dm_create safe "0 $(sectors_of /dev/vda) remap /dev/mapper/bad /dev/vdb 1 format"
tell "dmsetup create safe --table \"0 $(sectors_of /dev/vda) remap /dev/mapper/bad /dev/vdb 1 format\""
need mke2fs -q -F -t ext4 /dev/mapper/safe
mkdir -p /mnt/fs /mnt/state
need mount -t ext4 /dev/mapper/safe /mnt/fs
need mke2fs -q -F -t ext4 /dev/vdc
need mount -t ext4 /dev/vdc /mnt/state
need pattern init -S /tmp/state -z 16M /mnt/fs/a /mnt/fs/b /mnt/fs/c
for f in a b c; do pattern extents /mnt/fs/$f; done >/tmp/extents
tell "mkfs.ext4, and three files in which every sector says what it is. Now a load of writes and reads:"

ROUNDS=${ROUNDS:-8}
pattern load -S /tmp/state -j 4 -t $((ROUNDS * 5 + 5)) -f 5 >/tmp/load 2>&1 &
load=$!
died=0
for round in $(seq "$ROUNDS"); do
	sleep 4
	list=$(awk -v seed="$round" 'BEGIN { srand(seed) }
		{ split($1, e, "+"); first[NR] = e[1]; count[NR] = e[2] }
		END { for (i = 0; i < 40; i++) { n = 1 + int(rand() * NR)
			printf "%d ", first[n] + int(rand() * count[n]) } }' /tmp/extents)
	# shellcheck disable=SC2086
	inject bad add w $list MEDIUM
	died=$((died + 40))
	tell "$died sectors under the files cannot be written any more"
	numbers
done
wait $load
rc=$?
tell "the load ended: $(tail -n 1 /tmp/load)"
ok $rc "no write failed and no sector was wrong"
is "$(tail -n 1 /tmp/load | sed 's/.*write_errors=\([0-9]*\).*/\1/')" 0 "no write failed"
at_least "$(status safe used)" 1 "some blocks were remapped"

runs "read everything back" pattern verify -S /tmp/state
need cp /tmp/state /mnt/state/state
need umount /mnt/state
runs "umount" umount /mnt/fs
runs "e2fsck" e2fsck -fn /dev/mapper/safe
tell "umount, e2fsck: clean. $(inject_count bad failed_writes) writes failed on the disk; the filesystem saw none of them"
used=$(status safe used)
runs "remove" dm_remove safe
need remap_create safe /dev/mapper/bad /dev/vdb
is "$(status safe used)" "$used" "every remap is there after remove and create"
tell "removed and created again: $used slots in use, as before"
done_testing
