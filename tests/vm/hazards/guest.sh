# SPDX-License-Identifier: GPL-2.0-only
# Each race is lost on the module without the protection that it is for. Run by ../hazards.t,
# which says in its environment which modules there are and what they lose, and whether they are all.
# vm: mem=640 timeout=600 modules=dm-inject,dm-gate,dm-volatile

. /guest/lib.sh

ram_disks 2 1024
words=$(echo "$HAZARDS" | tr , " ")
rounds=$ROUNDS
for word in $words; do
	name=${word%%:*}
	need busybox insmod "/guest/modules/$name.ko"
	for race in $(echo "${word#*:}" | tr : ' '); do
		case $race in
		cut-* | flush-*) out=$(cuts "$race" "$rounds" 2>&1) ;;
		*) out=$(race "$race" "$rounds" /dev/ram0 /dev/ram1 2>&1) ;;
		esac
		bad=$(printf '%s\n' "$out" | sed -n "s/^rounds $rounds bad \([0-9]*\)\$/\1/p")
		at_least "${bad:-no}" $(((rounds + 4) / 5)) "without $name, $race is lost in a fifth of $rounds rounds or more"
		diag "$out"
	done
	need rmmod dm_remap
done
if [ -n "$ALL" ]; then
	races=$( (race list; cuts list) | awk '{ print $1 }' | sort)
	lost=$(printf '%s\n' $words | sed 's/^[^:]*://' | tr : '\n' | sort -u)
	is "$races" "$lost" "there is no race that no protection is for"
fi
done_testing
