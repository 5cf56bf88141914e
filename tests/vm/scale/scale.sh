# SPDX-License-Identifier: GPL-2.0-only
# COUNT remaps live: added by message, looked up all the while as the index doubles, and half of
# them and more taken out again as it halves. The first 1,000 stay, and have data in their slots
# that main does not have; a reader goes over them without a pause from the beginning to the end.
# ../scale.t looks at the spare afterwards.
# vm: mem=1024 timeout=300 disks=9G,5G

. /guest/lib.sh

: "${COUNT:=8000}"
KEEP=1000 STRIDE=16
M=/dev/vda SP=/dev/vdb D=/dev/mapper/r
need modprobe virtio_pci
need modprobe virtio_blk
# the host's files are sparse, and blank
need remap_create r $M $SP format
AT=$((2048 * 64))	# block i is at AT + STRIDE i
log_mark
resizes() { log_since | sed -n 's/.*Adaptive hash table resize: //p'; }
# expected FROM_BUCKETS FROM_COUNT TO_COUNT: what the index must have said
expected()
{
	awk -v b="$1" -v n="$2" -v to="$3" 'BEGIN {
		while (n < to) if (++n * 100 > 150 * b) {
			print b " -> " b * 2 " buckets (count=" n ")"; b *= 2 }
		while (n > to) if (--n * 100 < 50 * b && b > 64) {
			print b " -> " b / 2 " buckets (count=" n ")"; b /= 2 }
	}'
}

n=$((KEEP * 8))
need sio -b 8 -s $STRIDE w $M $AT $n @1
is "$(addbench r $AT $STRIDE $KEEP $KEEP 1 >/dev/null; echo $?)" 0 "$KEEP by message"
is "$(sio -b 8 -s $STRIDE w $D $AT $n @2)" "w $AT+$n OK" "written, into their slots"
cat >/tmp/reader <<END
rounds=0
while [ ! -e /tmp/stop ]; do
	out=\$(sio -b 8 -s $STRIDE r $D $AT $n @2)
	[ "\$out" = "r $AT+$n OK" ] || { echo "\$out" >>/tmp/wrong; exit; }
	rounds=\$((rounds + 1))
	echo \$rounds >/tmp/rounds
done
END
: >/tmp/wrong
sh /tmp/reader &
reader=$!

start=$(uptime_ms)
left=$(((COUNT - KEEP) / 2))
out=$(addbench r $((AT + STRIDE * KEEP)) $STRIDE $left 4000 1)
ok "$?" "$left more, each by a range of its own"
# and the rest side by side, behind them
rest=$((COUNT - KEEP - left))
next=$((AT + STRIDE * (KEEP + left)))
is "$(dm_message r import manual $next+$((rest * 8)))" "$rest/$rest" "$rest more by one range"
diag "added in $(($(uptime_ms) - start)) ms, of which the first half took $out ns each"
is "$(status r used)" "$COUNT" "$COUNT remaps"
is "$(resizes)" "$(expected 64 0 "$COUNT")" "one line in the log for each time the index doubled"
is "$(status r mode) $(cat /tmp/wrong)" "ok " "every lookup meanwhile was right"

# read through the whole of it: main has zeroes there, and is where pending blocks are read
is "$(sio -b 8 -s $((STRIDE * 101)) r $D $((AT + STRIDE * KEEP)) $((left / 101 * 8)) 0)" \
	"r $((AT + STRIDE * KEEP))+$((left / 101 * 8)) OK" "one in 101 of them read"

#---- and out again

log_mark
start=$(uptime_ms)
out=$(dm_message r unmap $next+$((rest * 8)))
is "$out" "$rest/$rest" "unmap: one range of $rest"
# and as many single blocks as a message takes
many=$left
[ "$many" -le 4000 ] || many=4000
at=$((AT + STRIDE * KEEP))
# shellcheck disable=SC2046
is "$(dm_message r unmap $(seq -s ' ' $at $STRIDE $((at + STRIDE * (many - 1)))))" "$many/$many" "unmap: $many ranges of one"
remain=$((COUNT - rest - many))
diag "$((rest + many)) taken out in $(($(uptime_ms) - start)) ms"
is "$(status r used)" $remain "$remain are left"
is "$(resizes)" "$(expected "$(expected 64 0 "$COUNT" | tail -n 1 | sed 's/.*> \([0-9]*\) .*/\1/')" "$COUNT" $remain)" \
	"one line in the log for each time the index halved"
: >/tmp/stop
wait $reader
is "$(cat /tmp/wrong)" "" "every lookup was right to the end"
at_least "$(cat /tmp/rounds)" 3 "rounds of the reader"
is "$(sio -b 8 -s $STRIDE r $D $AT $n @2)" "r $AT+$n OK" "what stayed is as it was"
need dm_remove r
diag "left=$remain"
done_testing
