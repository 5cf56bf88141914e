# SPDX-License-Identifier: GPL-2.0-only
# The races of guest/race.c and the power cuts of guest/cuts.c, a few rounds of each, on the target
# as it is. That each is lost without the protection it is for is shown by ../hazards.t.
# vm: mem=512 timeout=300 modules=dm-remap,dm-inject,dm-gate,dm-volatile

. /guest/lib.sh

ROUNDS=${ROUNDS:-4}
ram_disks 2 1024
race list | sed "s|^|race |" >/tmp/races
cuts list | sed "s|^|cuts |" >>/tmp/races
while read -r program name what; do
	case $program in
	race) out=$(race "$name" "$ROUNDS" /dev/ram0 /dev/ram1 2>&1) ;;
	cuts) out=$(cuts "$name" "$ROUNDS" 2>&1) ;;
	esac
	is "$?" 0 "$name: $what"
	diag "$out"
done </tmp/races
done_testing
