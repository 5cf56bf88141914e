# SPDX-License-Identifier: GPL-2.0-only
# What the target costs where nothing is remapped: guest instructions per request, over
# dm-linear on the same device. Runs under -icount, where a nanosecond is an instruction.
# vm: mem=768 timeout=400

. /guest/lib.sh

MOST_READ=60 MOST_WRITE=90
AREA_MIB=32		# measured; remaps begin well beyond it
OPS=2000 ROUNDS=9
main_sectors=$((1024 * 2048))
ram_disks 2 1024
need sio -b 2048 w /dev/ram0 0 $((AREA_MIB * 2048)) 1
need dm_create linear "0 $main_sectors linear /dev/ram0 0"
make_spare /dev/ram1
need remap_create remap /dev/ram0 /dev/ram1 format

# measure OP DEVICE REQUEST_BYTES OPS: minimum and median
measure() { iobench "$1" "/dev/mapper/$2" $((AREA_MIB << 20)) "$3" "$4" $ROUNDS; }

# minus A B: A - B rounded
minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f\n", a - b }'; }

# remaps FROM TO: block i is at 64 MiB + 8 KiB i
remaps()
{
	_i=$1
	while [ "$_i" -lt "$2" ]; do
		_n=$(($2 - _i))
		[ $_n -le 4000 ] || _n=4000
		_at=$((64 * 2048 + 16 * _i))
		# shellcheck disable=SC2046
		need import remap $(seq -s ' ' $_at 16 $((_at + 16 * (_n - 1))))
		_i=$((_i + _n))
	done
}

# what the kernel still does after booting would be counted
sleep 10
measure r linear 4096 $OPS >/dev/null

have=0
for want in 0 1000 100000; do
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
		diag "$(printf 'figure: 4 KiB %-5s  %6d remaps elsewhere: linear %7.1f  remap %7.1f  extra %4d (at most %d); medians %7.1f %7.1f' \
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
linear=$(measure r linear 1048576 50)
target=$(measure r remap 1048576 50)
diag "$(printf 'figure: 1 MiB read   %6d remaps elsewhere: linear %9.1f  remap %9.1f' $want \
	"${linear% *}" "${target% *}")"
need dm_remove remap
done_testing
