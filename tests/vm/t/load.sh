# SPDX-License-Identifier: GPL-2.0-only
# The purpose of it all: ext4 under load on a disk that dies block by block. No wrong byte, no
# failed write, a clean filesystem; and everything still there on a new device.
# vm: mem=768 timeout=600

. /guest/lib.sh

MAIN_MIB=192 FILE_MIB=16 STEPS=20
S=/tmp/state
ram_disks 2 $MAIN_MIB
main_sectors=$((MAIN_MIB * 2048))
faulty main /dev/ram0 $main_sectors
need dm_create spare "0 131072 linear /dev/ram1 0"
make_spare /dev/mapper/spare
D=/dev/mapper/r
count() { sed -n "s/.*\b$1=\([0-9]*\).*/\1/p" "$2" | tail -n 1; }

need remap_create r /dev/mapper/main /dev/mapper/spare format
need mke2fs -q -F -t ext4 $D
need mount -t ext4 $D /mnt
need pattern init -S $S -z ${FILE_MIB}M /mnt/a /mnt/b buffered:/mnt/c
for f in a b c; do
	pattern extents /mnt/$f >/tmp/extents.$f
done

# pick COUNT SEED FILE...: so many sectors at random among the extents, one per block
pick()
{
	_count=$1 _seed=$2
	shift 2
	cat "$@" | awk -F + -v want="$_count" -v seed="$_seed" '
		{ first[NR] = $1; size[NR] = $2; total += $2 }
		END {
			srand(seed)
			while (got < want) {
				at = int(rand() * total)
				for (i = 1; at >= size[i]; i++)
					at -= size[i]
				sector = first[i] + at
				block = int(sector / 8)
				if (block in seen)
					continue
				seen[block] = 1
				got++
				print sector
			}
		}'
}

# writes fail anywhere: most in the files, some wherever the filesystem keeps its own things
pick 600 1 /tmp/extents.a /tmp/extents.b /tmp/extents.c >/tmp/write.bad
echo "0+$main_sectors" | pick 100 2 - >>/tmp/write.bad
# reads fail for good, where files are: metadata that cannot be read is another test
pick 120 3 /tmp/extents.a /tmp/extents.b >/tmp/read.bad

log_mark
pattern load -S $S -t $((150 * $(slow_factor))) -j 6 -b 1:2048 >/tmp/load.out 2>/tmp/load.err &
load=$!
# they go bad a few at a time, under load
i=0
while [ $i -lt $STEPS ]; do
	inject main add w $(awk -v i=$i -v n=$STEPS 'NR % n == i' /tmp/write.bad) MEDIUM
	inject main add r $(awk -v i=$i -v n=$STEPS 'NR % n == i' /tmp/read.bad) MEDIUM
	usleep 200000
	i=$((i + 1))
done
# and the load goes on until it has met most of them
wait_for 60 sh -c '. /guest/lib.sh; [ "$(status r used)" -ge 560 ]'
sleep 3
kill $load
wait $load
is "$?" 0 "load: no wrong data, no failed write"
diag "$(cat /tmp/load.out /tmp/load.err)"
is "$(count wrong_sectors /tmp/load.out)" 0 "0 wrong sectors"
is "$(count write_errors /tmp/load.out)" 0 "0 failed writes"
is "$(count sync_errors /tmp/load.out)" 0 "0 failed syncs"
at_least "$(count writes /tmp/load.out)" 500 "writes"
at_least "$(count reads /tmp/load.out)" 300 "reads"
diag "main failed $(inject_count main failed_writes) writes and $(inject_count main failed_reads) reads"

# some more cannot be read, and nobody writes to them any more
# shellcheck disable=SC2046
inject main add r $(pick 60 4 /tmp/extents.a /tmp/extents.b) MEDIUM

sync
pattern verify -S $S >/tmp/verify.out 2>/tmp/verify.err
is "$?" 0 "verify after the load"
diag "$(cat /tmp/verify.out /tmp/verify.err)"
unreadable=$(count unreadable_sectors /tmp/verify.out)
at_least "$unreadable" 30 "sectors that cannot be read"
used=$(status r used)
at_least "$used" 500 "blocks of main that went bad and are remapped"
diag "status: $(dmsetup status r)"
is "$(status r mode)" ok "the device is well"
is "$(status r lost)" 0 "nothing is lost"
is "$(status r pending)" "$unreadable" "what cannot be read is what is pending, to the sector"

runs "umount" umount /mnt
out=$(e2fsck -fn $D 2>&1)
is "$?" 0 "e2fsck finds nothing"
diag "$(printf '%s\n' "$out" | tail -n 1)"
unlike "$(log_since)" 'EXT4-fs (error|warning.*I/O)|lost (async|sync) page write|JBD2.*(err|abort)' \
	"the filesystem saw no failed write"

# a new device on the same two disks
used=$(status r used)
pending=$(status r pending)
runs "remove" dm_remove r
runs "create" remap_create r /dev/mapper/main /dev/mapper/spare
is "$(status r used) $(status r pending)" "$used $pending" "all remaps are there"
need mount -t ext4 $D /mnt
pattern verify -S $S >/tmp/verify.out 2>/tmp/verify.err
is "$?" 0 "verify on the new device"
diag "$(cat /tmp/verify.out /tmp/verify.err)"
is "$(count unreadable_sectors /tmp/verify.out)" "$unreadable" "the same sectors cannot be read"
is "$(count wrong_sectors /tmp/verify.out)" 0 "0 wrong sectors"

# what cannot be read can be written, and then it can
need pattern init -S $S -z ${FILE_MIB}M /mnt/a /mnt/b buffered:/mnt/c
pattern verify -S $S >/tmp/verify.out 2>/tmp/verify.err
is "$?" 0 "everything written again"
is "$(count unreadable_sectors /tmp/verify.out)" 0 "everything can be read again"
runs "umount again" umount /mnt
out=$(e2fsck -fn $D 2>&1)
is "$?" 0 "e2fsck again"
is "$(status r pending)" 0 "nothing is pending any more"
runs "remove again" dm_remove r
done_testing
