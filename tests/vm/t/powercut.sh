# SPDX-License-Identifier: GPL-2.0-only
# Power is cut under load, again and again: each sector that was not flushed is lost or not, by
# itself. What was flushed through the device is there, and so is every remap a write was
# acknowledged for; nothing is ever read that nobody wrote there.
#
#	pattern -> remap -> inject (writes that fail) -> volatile main
#	                 -> inject (slots that fail)  -> volatile spare
#
# vm: mem=384 timeout=800 modules=dm-remap,dm-inject,dm-volatile

. /guest/lib.sh

CUTS=${CUTS:-50} SEED=${SEED:-1}
MAIN_SECTORS=16384 SPARE_SECTORS=32768
# slots of the first zone of a spare of that length, which are used first
SLOTS=10328 SLOT_SECTORS=4416
S=/tmp/state
D=/dev/mapper/r
need dm_create vmain "0 $MAIN_SECTORS volatile"
need dm_create vspare "0 $SPARE_SECTORS volatile"
faulty main /dev/mapper/vmain $MAIN_SECTORS
faulty spare /dev/mapper/vspare $SPARE_SECTORS
bring_up() { dm_create r "0 $MAIN_SECTORS remap /dev/mapper/main /dev/mapper/spare $*"; }
need bring_up 1 format
need pattern init -S $S $D

# For each cut: bad sectors of main, bad sectors of slots, milliseconds of load, what loses power
# in which order, with which error.
awk -v cuts="$CUTS" -v seed="$SEED" -v slow="$(slow_factor)" -v main=$MAIN_SECTORS -v slots=$SLOTS -v sectors=$SLOT_SECTORS '
	function some(n, first, range,   text, i) {
		for (i = 0; i < n; i++) text = text (i ? "," : "") first + int(rand() * range)
		return text
	}
	BEGIN {
		srand(seed)
		split("vmain:vspare vspare:vmain vspare vmain", order, " ")
		for (c = 1; c <= cuts; c++)
			print c, some(5, 0, main), some(1, slots, sectors), (100 + int(rand() * 300)) * slow,
				order[1 + int(rand() * 4)], rand() < 0.5 ? "IOERR" : "OFFLINE"
	}' >/tmp/plan

# taken STATUS: slots that stand in for a block or did so once. For an instant a block that moves has
# two, of which the old one is retired then, or by the load after a cut: it is counted once in either case.
taken() { echo "$1" | awk '{ split($6, used, "/"); print used[1] + $9 }'; }

# One cut; says what was wrong.
cut_once()
{
	inject main add w $(echo "$2" | tr , ' ') MEDIUM
	inject spare add w $(echo "$3" | tr , ' ') MEDIUM
	pattern load -S $S -t 100 -j 4 -d -e -b 1:256 -f 6 -r $((SEED * 1000 + $1)) >/tmp/load.out 2>&1 &
	_load=$!
	usleep "${4}000"
	_before=$(taken "$(dmsetup status r)")
	for _disk in $(echo "$5" | tr : ' '); do
		dm_message "$_disk" off $((SEED * 2000 + $1)) "$6" || echo "cut $1: cannot cut $_disk"
	done
	kill $_load
	# one that had not yet begun dies of it, and the shell says so
	wait $_load 2>/dev/null
	dm_remove r || echo "cut $1: cannot be removed"
	dm_message vmain on
	dm_message vspare on
	bring_up || echo "cut $1: does not load"
	set -- "$1" "$(dmsetup status r)"
	_mode=$(echo "$2" | awk '{ print $5 }') _now=$(taken "$2")
	[ "$_now" -ge "$_before" ] || echo "cut $1: $_before slots were taken, $_now are: $2"
	[ "$_mode" = ok ] || [ "$_mode" = degraded ] || echo "cut $1: mode $_mode"
	[ "$(echo "$2" | awk '{ print $10 }')" = 5 ] || echo "cut $1: not five live copies: $2"
	pattern verify -S $S -c >/tmp/verify.out 2>&1 || echo "cut $1: $(cat /tmp/verify.out)"
	grep -q 'unreadable_sectors=0 ' /tmp/verify.out || echo "cut $1: not all can be read: $(cat /tmp/verify.out)"
}

: >/tmp/said
while read -r line; do
	# shellcheck disable=SC2086
	cut_once $line >>/tmp/said 2>&1
	cat /tmp/load.out >>/tmp/loads
done </tmp/plan
is "$(wc -l </tmp/said)" 0 "$CUTS cuts, seed $SEED: everything flushed is there, and all remaps"
diag "$(head -n 20 /tmp/said)"
# and it was not all for nothing
lost=$(for disk in vmain vspare; do dmsetup status $disk; done | awk '{ n += $7 } END { print n }')
at_least "$lost" $((CUTS * 5)) "sectors that the disks lost"
at_least "$(status r used)" $((CUTS * 2)) "blocks that are remapped at the end"
diag "status: $(dmsetup status r)"
diag "loads: $(awk '{ for (i = 1; i <= NF; i++) { split($i, kv, "="); sum[kv[1]] += kv[2] } }
	END { print sum["writes"], "writes", sum["reads"], "reads", sum["syncs"], "flushes" }' /tmp/loads)"
need dm_remove r
done_testing
