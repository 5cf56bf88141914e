# SPDX-License-Identifier: GPL-2.0-only
# What the target costs where nothing is remapped: guest instructions per request, over
# dm-linear on the same device, with none to a million remaps elsewhere. On the way there, what
# adding them costs, and how much memory they take. Runs under -icount, where a nanosecond is an
# instruction.
# vm: mem=1024 timeout=1500

. /guest/lib.sh

case $(uname -r) in
6.1.*) MOST_READ=50 MOST_WRITE=80 ;;
*) MOST_READ=60 MOST_WRITE=90 ;;
esac
MOST_ADD=20000		# 50,000 a second at 10^9 instructions a second
MOST_BYTES=28		# for each remap
MOST_PERMILLE=10	# a 1 MiB read over linear
AREA_MIB=32		# measured; remaps begin well beyond it
OPS=2000 ROUNDS=9
# Disks of memory, which they take only where they are written: imports write no data.
SIZE_MIB=$((5 * 1024))
main_sectors=$((SIZE_MIB * 2048))
ram_disks 2 $SIZE_MIB
need sio -b 2048 w /dev/ram0 0 $((AREA_MIB * 2048)) 1
need dm_create linear "0 $main_sectors linear /dev/ram0 0"
# about what a million slots need
need dm_create spare "0 $((4100 * 2048)) linear /dev/ram1 0"
SP=/dev/mapper/spare
make_spare $SP
# kernel memory in KiB: slabs with large allocations, and vmalloc
kernel_kib() { awk '/^(Slab|VmallocUsed):/ { n += $2 } END { print n }' /proc/meminfo; }
memory_before=$(kernel_kib)
need remap_create remap /dev/ram0 $SP format

# measure OP DEVICE REQUEST_BYTES OPS: minimum and median
measure() { iobench "$1" "/dev/mapper/$2" $((AREA_MIB << 20)) "$3" "$4" $ROUNDS; }

# minus A B: A - B rounded
minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f\n", a - b }'; }

# remaps FROM TO: block i is at 64 MiB + 4 KiB i; how depends on how many
remaps()
{
	_at=$((64 * 2048 + 8 * $1)) _count=$(($2 - $1))
	case $2 in
	0) ;;
	1000) need addbench remap $_at 8 $_count 1000 1 ;;
	*)
		# a range for each, as a list of bad sectors has them
		_each=100000
		_ns=$(addbench remap $_at 8 $_each 4000 1) || bail "adding"
		diag "figure: adding $_each by message, 4,000 ranges in each: $_ns instructions for each remap (at most $MOST_ADD, which is 50,000 a second at 10^9 a second)"
		at_most "$_ns" $MOST_ADD "instructions for each durable remap, a range for each"
		_ns=$(addbench remap $((_at + 8 * _each)) $((8 * (_count - _each))) 1 1 $((_count - _each))) || bail "adding"
		diag "figure: adding $((_count - _each)) by message, one range: $_ns instructions for each remap (at most $MOST_ADD)"
		at_most "$_ns" $MOST_ADD "instructions for each durable remap, one range"
		;;
	esac
}

# what the kernel still does after booting would be counted
sleep 10
measure r linear 4096 $OPS >/dev/null

have=0
for want in 0 1000 1000000; do
	remaps $have $want
	have=$want
	is "$(status remap used)" $want "$want remaps elsewhere"
	for op in r w; do
		case $op in
		r) what=read most=$MOST_READ ;;
		w) what=write most=$MOST_WRITE ;;
		esac
		linear=$(measure $op linear 4096 $OPS)
		target=$(measure $op remap 4096 $OPS)
		extra=$(minus "${target% *}" "${linear% *}")
		diag "$(printf 'figure: 4 KiB %-5s  %7d remaps elsewhere: linear %7.1f  remap %7.1f  extra %4d (at most %d); medians %7.1f %7.1f' \
			$what $want "${linear% *}" "${target% *}" "$extra" $most "${linear#* }" "${target#* }")"
		at_most "$extra" $most "extra instructions per 4 KiB $what at $want remaps elsewhere"
		if [ $want = 0 ]; then
			eval "base_$op=\$extra linear_$op=\${linear% *}"
		else
			eval "base=\$base_$op of=\$linear_$op"
			# two runs of the same thing differ by up to 0.2% of a request
			differs=$(awk -v a="$extra" -v b="$base" -v of="$of" 'BEGIN {
				d = a > b ? a - b : b - a
				print (d > of / 200) ? "differs by " d : "the same"
			}')
			is "$differs" "the same" "extra per $what at $want remaps as with none"
		fi
	done
done
tenths=$((($(kernel_kib) - memory_before) * 1024 * 10 / have))
diag "figure: memory: $((tenths / 10)).$((tenths % 10)) bytes for each of $have remaps, by slab and vmalloc totals (at most $MOST_BYTES), on a spare of $(status remap slots) slots"
at_most $tenths $((MOST_BYTES * 10)) "tenths of a byte for each of $have remaps"

linear=$(measure r linear 1048576 50)
target=$(measure r remap 1048576 50)
permille=$(awk -v a="${target% *}" -v b="${linear% *}" 'BEGIN { printf "%.0f\n", (a - b) / b * 1000 }')
diag "$(printf 'figure: 1 MiB read, %d remaps elsewhere: linear %.1f  remap %.1f  extra %d/1000 (at most %d/1000)' \
	$have "${linear% *}" "${target% *}" "$permille" $MOST_PERMILLE)"
at_most "$permille" $MOST_PERMILLE "thousandths more for a 1 MiB read at $have remaps elsewhere"
need dm_remove remap
done_testing
