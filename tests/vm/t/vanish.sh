# SPDX-License-Identifier: GPL-2.0-only
# Disks vanish under load, both or one of them, and come back. What was flushed through the device
# is there, and so is every remap a write was acknowledged for. (Loss of a cache is powercut.sh's.)
# vm: mem=768 timeout=600

. /guest/lib.sh

ROUNDS=4
S=/tmp/state
D=/dev/mapper/r
null_disk main 24 24
null_disk spare 24 24

# bring_up [FEATURE]: both disks have power
bring_up()
{
	faulty bad "$(null_device main)" 49152
	need remap_create r /dev/mapper/bad "$(null_device spare)" "$@"
}

bring_up format
need pattern init -S $S $D
used_before=0
round=1
while [ $round -le $ROUNDS ]; do
	# new places go bad each round, those of earlier rounds stay bad
	awk -v rounds=$round 'BEGIN {
		srand(11)
		for (i = 0; i < 60 * rounds; i++)
			print int(rand() * 49152)
	}' >/tmp/sectors
	# shellcheck disable=SC2046
	inject bad add w $(cat /tmp/sectors) MEDIUM
	pattern load -S $S -t 100 -j 6 -d -e -b 1:256 -f 5 >/tmp/load.out 2>/tmp/load.err &
	load=$!
	usleep $((1200000 + 300000 * round))
	used=$(status r used)
	# in either order, or only one of them
	case $((round % 4)) in
	1) null_power main 0; null_power spare 0 ;;
	2) null_power spare 0; null_power main 0 ;;
	3) null_power spare 0 ;;
	0) null_power main 0 ;;
	esac
	usleep 200000
	kill $load
	wait $load
	need dm_remove r
	need dm_remove bad
	for disk in main spare; do
		[ "$(cat /sys/kernel/config/nullb/$disk/power)" = 0 ] && null_power $disk 1
	done
	bring_up
	at_least "$(status r used)" "$used" "round $round: remaps there before the cut are there after it"
	unlike "$(status r mode)" 'failed' "round $round: mode $(status r mode)"
	is "$(status r copies)" 5 "round $round: five live copies"
	at_least "$used" $((used_before + 1)) "round $round: blocks went bad"
	pattern verify -S $S -c >/tmp/verify.out 2>&1
	is "$?" 0 "round $round: every flushed write is there"
	diag "load:   $(cat /tmp/load.out)"
	diag "verify: $(cat /tmp/verify.out)"
	is "$(sed -n 's/.*unreadable_sectors=\([0-9]*\).*/\1/p' /tmp/verify.out)" 0 \
		"round $round: everything can be read"
	used_before=$(status r used)
	round=$((round + 1))
done
need dm_remove r
done_testing
