# SPDX-License-Identifier: GPL-2.0-only
# One block at a time: the races that exclusion is for, each made wide with a slow disk and
# run many times on fresh blocks.
#
#	remap -> fails at once where told -> takes 150 ms for each write -> memory
#
# vm: mem=384 timeout=150

. /guest/lib.sh

ROUNDS=30 LANES=3
ram_disks 2 64
modprobe dm-delay
need sio -b 2048 w /dev/ram0 0 131072 @1
need dm_create slow "0 131072 delay /dev/ram0 0 0 /dev/ram0 0 150"
faulty main /dev/mapper/slow 131072
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

# rounds NAME FUNCTION FIRST_SECTOR: the function gets a round's first sector, a fresh block
# with a good one on either side, and says what was wrong, if anything. Rounds run in several
# lanes side by side, so that the error work of one is in the way of the others. At least half
# of the rounds must be surely races, or the test proves nothing.
rounds()
{
	for lane in $(seq 1 $LANES); do
		_i=$((lane - 1))
		while [ $_i -lt $ROUNDS ]; do
			_said=$($2 $(($3 + 24 * _i)))
			case $_said in
			"") ;;
			raced) echo raced ;;
			*) echo "$1: round $_i, sector $(($3 + 24 * _i)):" $_said ;;
			esac
			_i=$((_i + LANES))
		done >"/tmp/said.$lane" &
	done
	wait
	cat /tmp/said.* >/tmp/said
	is "$(grep -c ': round ' /tmp/said)" 0 "$1: $ROUNDS rounds"
	diag "$(grep ': round ' /tmp/said | head -n 12)"
	[ "${4:-}" = any ] || at_least "$(grep -c raced /tmp/said)" $((ROUNDS / 2)) "$1: rounds that were races"
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
rounds "a sibling's write in flight while the block moves" sibling_in_flight 8
at_least "$(status r used)" $((used + ROUNDS)) "each of them moved"

# The same with a large write in flight that covers the block and its neighbours.
large_in_flight()
{
	inject main add w $(($1 + 2)) MEDIUM times 1
	together sio w $D $(($1 - 8)) 24 @4 -- sio r $D "$1" 8
	expect "$first" "w $(($1 - 8))+24 OK" "large write"
	expect "$(sio r $D $(($1 - 8)) 24 @4)" "r $(($1 - 8))+24 OK" "large write's data"
}
rounds "a large write that fails in the middle, with a reader" large_in_flight 8000 any

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
rounds "failing writes race for one block" two_failing 16000 any
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
rounds "a read fails while a write of the same block succeeds" read_fails_write_succeeds 24000

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
rounds "a read fails while a sibling is written" read_fails_sibling_written 32000

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
need dm_swap slow "0 131072 delay /dev/ram0 0 0 /dev/ram0 0 500"
rounds "a message remaps while a write is in flight" message_in_flight 40000

# All of it is still right from a new device.
inject main clear
need dm_remove r
need remap_create r /dev/mapper/main /dev/ram1
wrong=0
i=0
while [ $i -lt $ROUNDS ]; do
	s=$((24 * i))
	for want in "$((8 + s + 5)) 1 @2" "$((8 + s + 2)) 1 @3" "$((8000 + s - 8)) 24 @4" \
		"$((16000 + s)) 3 @5" "$((16003 + s)) 2 @6" "$((16005 + s)) 3 @7" "$((24000 + s)) 4 @8" \
		"$((32000 + s)) 2 @9" "$((40001 + s)) 4 @10"; do
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
