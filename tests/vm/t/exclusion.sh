# SPDX-License-Identifier: GPL-2.0-only
# One block at a time: the races that exclusion is for, each made wide with a slow disk and
# run many times on fresh blocks.
#
#	remap -> fails at once where told -> takes 150 ms for each write -> memory
#
# or as many times that as programs take longer to start there.
#
# vm: mem=384 timeout=600

. /guest/lib.sh

ROUNDS=30 LANES=3 SLOW=$(slow_factor)
ram_disks 2 256
main_sectors=$(sectors_of /dev/ram0)
modprobe dm-delay
need dm_create slow "0 $main_sectors delay /dev/ram0 0 0 /dev/ram0 0 $((150 * SLOW))"
faulty main /dev/mapper/slow "$main_sectors"
make_spare /dev/ram1
need remap_create r /dev/mapper/main /dev/ram1 format
D=/dev/mapper/r

# together COMMAND... -- COMMAND...: the second starts a little later, while the first is on
# its way; leaves what they said in first and second. It says when the first was still on its
# way after the second had been answered: that round surely was a race.
together()
{
	_one=
	while [ "$1" != -- ]; do
		_one="$_one $1"
		shift
	done
	shift
	# shellcheck disable=SC2086
	$_one >"/tmp/first.$lane" 2>&1 &
	_pid=$!
	usleep 15000
	"$@" >"/tmp/second.$lane" 2>&1
	raced=
	if [ ! -s "/tmp/first.$lane" ]; then
		raced=1
		echo raced
	fi
	wait $_pid
	first=$(cat "/tmp/first.$lane") second=$(cat "/tmp/second.$lane")
}

# place BASE ROUND: its first sector. Rounds come in pairs: the first in a MiB of main that has
# no remaps yet, where bios take the fast path, the second beside it, where they do not.
place() { echo $(($1 + 8 + 4096 * ($2 / 2) + 1000 * ($2 % 2))); }

# rounds NAME FUNCTION BASE [any]: the function gets a round's first sector, a fresh block
# with a good one on either side, and says what was wrong, if anything. Pairs of rounds run in
# lanes side by side, so that the error work of one is in the way of the others. At least a third
# of the rounds must be surely races, or the test proves nothing; "any" where that cannot be.
rounds()
{
	for _i in $(seq 0 $((ROUNDS - 1))); do
		need sio w /dev/ram0 $(($(place "$3" $_i) - 8)) 24 @1
	done
	for lane in $(seq 1 $LANES); do
		for _i in $(seq 0 $((ROUNDS - 1))); do
			[ $((_i / 2 % LANES + 1)) = "$lane" ] || continue
			_said=$($2 "$(place "$3" $_i)")
			case $_said in
			"") ;;
			raced) echo raced ;;
			*) echo "$1: round $_i, sector $(place "$3" $_i):" $_said ;;
			esac
		done >"/tmp/said.$lane" &
	done
	wait
	cat /tmp/said.* >/tmp/said
	is "$(grep -c ': round ' /tmp/said)" 0 "$1: $ROUNDS rounds"
	diag "$(grep ': round ' /tmp/said | head -n 12)"
	[ "${4:-}" = any ] || at_least "$(grep -c raced /tmp/said)" $((ROUNDS / 3)) "$1: rounds that were races"
}

expect() { [ "$1" = "$2" ] || echo "$3: $1;"; }

# A write of one sector is in flight to main while the block moves because of another sector.
sibling_in_flight()
{
	inject main add w $(($1 + 2)) MEDIUM
	together sio w $D $(($1 + 5)) 1 @2 -- sio w $D $(($1 + 2)) 1 @3
	expect "$first" "w $(($1 + 5))+1 OK" "sibling write"
	expect "$second" "w $(($1 + 2))+1 OK" "failing write"
	expect "$(sio r $D $(($1 + 5)) 1 @2)" "r $(($1 + 5))+1 OK" "sibling data"
	expect "$(sio r $D $(($1 + 2)) 1 @3)" "r $(($1 + 2))+1 OK" "failing write's data"
	expect "$(sio r $D "$1" 2 @1)" "r $1+2 OK" "other data"
}
used=$(status r used)
rounds "a sibling's write in flight while the block moves" sibling_in_flight 0
at_least "$(status r used)" $((used + ROUNDS)) "each of them moved"

# The same with a large write in flight that covers the block and its neighbours.
large_in_flight()
{
	inject main add w $(($1 + 2)) MEDIUM times 1
	together sio w $D $(($1 - 8)) 24 @4 -- sio r $D "$1" 8
	expect "$first" "w $(($1 - 8))+24 OK" "large write"
	expect "$(sio r $D $(($1 - 8)) 24 @4)" "r $(($1 - 8))+24 OK" "large write's data"
}
rounds "a large write that fails in the middle, with a reader" large_in_flight 65536 any

# Two bios fail for the same block at once: one slot, both data.
two_failing()
{
	inject main add w "$1+8" MEDIUM
	(usleep 2000; sio w $D "$1" 3 @5 >"/tmp/third.$lane") &
	together sio w $D $(($1 + 3)) 2 @6 -- sio w $D $(($1 + 5)) 3 @7
	wait
	expect "$(cat "/tmp/third.$lane")" "w $1+3 OK" "first write"
	expect "$first" "w $(($1 + 3))+2 OK" "second write"
	expect "$second" "w $(($1 + 5))+3 OK" "third write"
	expect "$(sio r $D "$1" 3 @5)" "r $1+3 OK" "first data"
	expect "$(sio r $D $(($1 + 3)) 2 @6)" "r $(($1 + 3))+2 OK" "second data"
	expect "$(sio r $D $(($1 + 5)) 3 @7)" "r $(($1 + 5))+3 OK" "third data"
}
used=$(status r used)
rounds "failing writes race for one block" two_failing 131072 any
is "$(status r used)" $((used + ROUNDS)) "one slot for each of those blocks"

# A read fails for good while a write of the same sector is on its way to main and succeeds:
# what was acknowledged must be readable, though main will never give it. (When the write is
# over before the read fails, the sector is simply lost.)
read_fails_write_succeeds()
{
	inject main add r $(($1 + 4)) MEDIUM
	together sio w $D "$1" 8 @8 -- sio r $D "$1" 8
	expect "$first" "w $1+8 OK" "write"
	[ -z "$raced" ] || expect "$(sio r $D "$1" 8 @8)" "r $1+8 OK" "its data"
}
rounds "a read fails while a write of the same block succeeds" read_fails_write_succeeds 196608

# The same for another sector of the block.
read_fails_sibling_written()
{
	inject main add r $(($1 + 4)) MEDIUM
	together sio w $D "$1" 2 @9 -- sio r $D "$1" 8
	expect "$first" "w $1+2 OK" "write"
	expect "$second" "r $1+8 ENODATA" "read"
	expect "$(sio r $D "$1" 2 @9)" "r $1+2 OK" "its data"
	expect "$(sio r $D $(($1 + 2)) 2 @1) $(sio r $D $(($1 + 5)) 3 @1)" \
		"r $(($1 + 2))+2 OK r $(($1 + 5))+3 OK" "other data"
	expect "$(sio r $D $(($1 + 4)))" "r $(($1 + 4))+1 ENODATA" "the bad sector"
}
rounds "a read fails while a sibling is written" read_fails_sibling_written 262144

# A block is remapped by message while a write of it is in flight.
message_in_flight()
{
	together sio w $D $(($1 + 1)) 4 @10 -- dm_message r remap "$1+8"
	expect "$first" "w $(($1 + 1))+4 OK" "write"
	expect "$second" "1/1" "message"
	expect "$(sio r $D $(($1 + 1)) 4 @10)" "r $(($1 + 1))+4 OK" "its data"
	expect "$(sio r $D "$1" 1 @1) $(sio r $D $(($1 + 5)) 3 @1)" \
		"r $1+1 OK r $(($1 + 5))+3 OK" "other data"
}
# dmsetup takes its time
need dm_swap slow "0 $main_sectors delay /dev/ram0 0 0 /dev/ram0 0 $((500 * SLOW))"
rounds "a message remaps while a write is in flight" message_in_flight 327680

is "$(awk '{ print $1, $2 }' "/sys/block/dm-$(dmsetup info -c --noheadings -o minor r)/inflight")" "0 0" \
	"every request was counted in flight once"

# All of it is still right from a new device.
inject main clear
need dm_remove r
need remap_create r /dev/mapper/main /dev/ram1
wrong=0
i=0
while [ $i -lt $ROUNDS ]; do
	s=$(place 0 $i)
	for want in "$((s + 5)) 1 @2" "$((s + 2)) 1 @3" "$((s + 65536 - 8)) 24 @4" \
		"$((s + 131072)) 3 @5" "$((s + 131075)) 2 @6" "$((s + 131077)) 3 @7" \
		"$((s + 196608)) 4 @8" "$((s + 262144)) 2 @9" "$((s + 327681)) 4 @10"; do
		# shellcheck disable=SC2086
		case $(sio r $D $want) in
		*OK) ;;
		*) wrong=$((wrong + 1)) ;;
		esac
	done
	i=$((i + 1))
done
is $wrong 0 "all of it is there on a new device"
need dm_remove r
done_testing
