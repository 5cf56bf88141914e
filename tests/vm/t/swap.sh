# SPDX-License-Identifier: GPL-2.0-only
# What must not wait for memory does not: requests that refuse to wait at all, and swap on the
# device, on a disk that fails. The blocks that go bad are remapped while memory is short, nothing
# waits for itself, and every page comes back as it was.
# vm: mem=384 timeout=600

. /guest/lib.sh

SECTORS=262144 HOG_MIB=48 LIMIT_MIB=16
CG=/tmp/cgroup
ram_disks 2 128
faulty main /dev/ram0 $SECTORS
need dm_create spare "0 65536 linear /dev/ram1 0"
make_spare /dev/mapper/spare
D=/dev/mapper/r
need remap_create r /dev/mapper/main /dev/mapper/spare format breaker 100000 60

#---- NOWAIT

need sio -b 2048 w $D 0 4096 @1
is "$(dm_message r remap 1000+8) $(import r 2000+8)" "1/1 1/1" "a block in a slot, another pending"
is "$(sio -N r $D 1000 8 @1) $(sio -N r $D 2000 8 @1) $(sio -N r $D 3000 8 @1)" \
	"r 1000+8 OK r 2000+8 OK r 3000+8 OK" "NOWAIT reads: of a slot, of main for a pending block, of main"
is "$(sio -N r $D 992 24 @1)" "r 992+24 OK" "NOWAIT read across a block in a slot"
is "$(sio -N w $D 1000 8 @2) $(sio -N w $D 3000 8 @2)" "w 1000+8 OK w 3000+8 OK" "NOWAIT writes: to a slot, to main"
is "$(sio -N w $D 2000 8 @2) $(sio -N r $D 2000 8 @2)" "w 2000+8 OK r 2000+8 OK" "NOWAIT write to a pending block"
inject main add r 3000 MEDIUM
is "$(sio -N r $D 3000 8) $(status r used)" "r 3000+8 ENODATA 3" "NOWAIT read error: recorded like any other"
inject main clear
is "$(sio -N w $D 3000 8 @2) $(status r pending)" "w 3000+8 OK 0" "and mended by a NOWAIT write"

#---- swap

need mkswap $D
need swapon $D
need mkdir -p $CG
need mount -t cgroup2 none $CG
echo +memory >$CG/cgroup.subtree_control
need mkdir $CG/hog
echo ${LIMIT_MIB}M >$CG/hog/memory.max
swapped_mib() { awk '/SwapTotal/ { total = $2 } /SwapFree/ { free = $2 }
	END { print int((total - free) / 1024) }' /proc/meminfo; }

# the area that swap uses first, a sector in every third block on average
# shellcheck disable=SC2046
for seed in 1 2; do
	inject main add w $(awk -v seed=$seed 'BEGIN { srand(seed)
		for (i = 0; i < 1000; i++) print 8 + int(rand() * 90000) }') MEDIUM
done
sh -c "echo \$\$ >$CG/hog/cgroup.procs; exec hog $HOG_MIB 2" >/tmp/hog.out 2>&1 &
hog=$!
wait_for 60 sh -c '[ $(awk "/SwapTotal/ { t = \$2 } /SwapFree/ { f = \$2 } END { print int((t - f) / 1024) }" /proc/meminfo) -ge 20 ]'
at_least "$(swapped_mib)" 20 "MiB are on swap"
# a disk that begins to fail elsewhere while swap is in use, and a suspend for good measure
inject main add w 100000+4000 MEDIUM
# at high it waits for memory; at max it would be killed, as long as nothing can be swapped out
echo ${LIMIT_MIB}M >$CG/hog/memory.high
echo $((2 * LIMIT_MIB))M >$CG/hog/memory.max
need dm_suspend --noflush r
usleep 300000
need dm_resume r
echo ${LIMIT_MIB}M >$CG/hog/memory.max
echo max >$CG/hog/memory.high
wait $hog
is "$?" 0 "every page came back as it was"
like "$(cat /tmp/hog.out)" 'wrong=0$' "none was wrong"
diag "$(cat /tmp/hog.out) $(dmsetup status r)"
at_least "$(status r used)" 300 "blocks went bad under swap and are remapped"
is "$(status r mode)" ok "the device is well"
is "$(status r pending) $(status r lost)" "0 0" "nothing is pending or lost"
runs "swapoff" swapoff $D
need rmdir $CG/hog
runs "remove" dm_remove r
done_testing
