# SPDX-License-Identifier: GPL-2.0-only
# The index grows as remaps are added, says so once per step at the right counts, and every
# lookup is right all along: from 50 to 2,000 remaps with data, then 100,000.
# vm: mem=768 timeout=600

. /guest/lib.sh

MAIN_MIB=1024 MANY=100000
ram_disks 2 $MAIN_MIB
D=/dev/mapper/r
M=/dev/ram0
make_spare /dev/ram1
need remap_create r $M /dev/ram1 format
log_mark
is "$(status r buckets)" 64 "64 buckets at first"

# expected_resizes COUNT: what was logged by then, one resize per line
expected_resizes()
{
	awk -v count="$1" 'BEGIN {
		buckets = 64
		for (n = 1; n <= count; n++)
			if (n * 100 > 150 * buckets) {
				print buckets " -> " buckets * 2 " buckets (count=" n ")"
				buckets *= 2
			}
	}'
}
logged_resizes() { log_since | sed -n 's/.*dm-remap: .*: Adaptive hash table resize: //p'; }
expected_buckets() { awk -v count="$1" 'BEGIN { for (b = 64; count * 100 > 150 * b; ) b *= 2; print b }'; }

# Block i of those remapped is at sector 80 i + 16: one in ten, never two side by side.
first() { echo $((80 * $1 + 16)); }
# Its data is written when it has been remapped, with a tag of its own, and so are the blocks
# on either side; main keeps the old data exactly where a block is remapped.
need sio -b 2048 w $M 0 $((80 * 2000)) @1
have=0
for want in 50 100 200 500 1000 2000; do
	i=$have
	set --
	while [ $i -lt $want ]; do
		set -- "$@" "$((80 * i + 16))+8"
		i=$((i + 1))
	done
	out=$(dm_message r remap "$@")
	is "$?" 0 "$want: remap $((want - have)) blocks by message"
	is "$out" "$((want - have))/$((want - have))" "$want: the answer"
	is "$(status r used)" $want "$want: slots used"
	is "$(status r pending)" 0 "$want: main was readable, nothing is pending"
	is "$(logged_resizes)" "$(expected_resizes $want)" "$want: one line in the log for each resize"
	is "$(status r buckets)" "$(expected_buckets $want)" "$want: buckets"
	# all blocks so far, old and new, through the device
	is "$(sio -b 2048 r $D 0 $((80 * want)) @1)" "r 0+$((80 * want)) OK" "$want: remapped blocks hold main's data"
	n=$((8 * want))
	at=$(first 0)
	need sio -b 8 -s 80 w $D "$at" $n "@$want"
	is "$(sio -b 8 -s 80 r $D "$at" $n "@$want")" "r $at+$n OK" "$want: each holds what was written to it"
	is "$(sio -b 8 -s 80 r $M "$at" $n @1)" "r $at+$n OK" "$want: main has not seen it"
	is "$(sio -b 8 -s 80 r $D $((at - 8)) $n @1) $(sio -b 8 -s 80 r $D $((at + 8)) $n @1)" \
		"r $((at - 8))+$n OK r $((at + 8))+$n OK" "$want: neighbours are as they were"
	need sio -b 8 -s 80 w $D "$at" $n @1
	have=$want
done
is "$(status r resizes)" "$(expected_resizes 2000 | wc -l)" "the status counts the resizes"

# the same sectors again change nothing
is "$(dm_message r remap "$(first 7)+8" "$(first 1999)")" 2/2 "already remapped: done"
is "$(status r used)" 2000 "and nothing taken for it"

# 100,000: as pending, a block in two, from 100 MiB on
base_sector=$((100 * 2048))
start=$(uptime_ms)
i=2000
while [ $i -lt $MANY ]; do
	n=$((MANY - i))
	[ $n -le 4000 ] || n=4000
	# shellcheck disable=SC2046
	out=$(import r $(seq -s ' ' $((base_sector + 16 * i)) 16 $((base_sector + 16 * (i + n - 1)))))
	[ "$out" = "$n/$n" ] || { not_ok "import at $i: $out"; break; }
	i=$((i + n))
done
diag "$((MANY - 2000)) imported in $(($(uptime_ms) - start)) ms"
is "$(status r used)" $MANY "100,000 slots used"
is "$(status r pending)" $(((MANY - 2000) * 8)) "all sectors of the imported blocks are pending"
is "$(logged_resizes)" "$(expected_resizes $MANY)" "one line in the log for each resize up to there"
is "$(status r buckets)" "$(expected_buckets $MANY)" "buckets at 100,000"

# every 97th of the imported blocks is written and read; main stays as it was
stride=$((16 * 97))
at=$((base_sector + 16 * 2000))
n=$((8 * ((MANY - 2000) / 97)))
is "$(sio -b 8 -s $stride w $D $at $n @5)" "w $at+$n OK" "write a thousand of them"
is "$(sio -b 8 -s $stride r $D $at $n @5)" "r $at+$n OK" "they hold it"
is "$(sio -b 8 -s $stride r $M $at $n 0)" "r $at+$n OK" "main does not"
is "$(sio -b 8 -s $stride w $D $((at + 8)) $n @6)" "w $((at + 8))+$n OK" "write the blocks beside them"
is "$(sio -b 8 -s $stride r $M $((at + 8)) $n @6)" "r $((at + 8))+$n OK" "those are on main"
is "$(sio -b 8 -s 80 r $D "$(first 0)" 16000 @1)" "r $(first 0)+16000 OK" "the first 2,000 hold theirs"

start=$(uptime_ms)
runs "remove" dm_remove r
runs "create" remap_create r $M /dev/ram1
diag "100,000 remaps removed and loaded in $(($(uptime_ms) - start)) ms"
is "$(status r used)" $MANY "all are there"
is "$(sio -b 8 -s $stride r $D $at $n @5) $(sio -b 8 -s 80 r $D "$(first 0)" 16000 @1)" \
	"r $at+$n OK r $(first 0)+16000 OK" "and hold what they held"
need dm_remove r
done_testing
