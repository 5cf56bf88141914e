# SPDX-License-Identifier: GPL-2.0-only
# What a remapped block costs: guest instructions per 4 KiB request that goes to a slot, over one
# that goes to main, both in a region where every other block has a slot. Runs under -icount.
# vm: mem=512 timeout=600

. /guest/lib.sh

MOST=400
AREA_MIB=16 OPS=2000 ROUNDS=9
BLOCK=4096
ram_disks 2 64
need sio -b 2048 w /dev/ram0 0 $((64 * 2048)) 1
make_spare /dev/ram1
need remap_create remap /dev/ram0 /dev/ram1 format
blocks=$(((AREA_MIB << 20) / BLOCK / 2))
need addbench remap 0 16 $blocks $blocks 1
# with data, and nothing pending
need sio -b 8 -s 16 w /dev/mapper/remap 0 $((blocks * 8)) 2
is "$(status remap used) $(status remap pending)" "$blocks 0" "every other block of $AREA_MIB MiB has a slot"

# measure OP FIRST_BYTE
measure() { iobench "$1" /dev/mapper/remap $((AREA_MIB << 20)) $BLOCK $OPS $ROUNDS $((2 * BLOCK)) "$2"; }

sleep 10
measure r 0 >/dev/null
for op in r w; do
	[ $op = r ] && what=read || what=write
	miss=$(measure $op $BLOCK)
	before=$(status remap remapped_${what}s)
	hit=$(measure $op 0)
	is $(($(status remap remapped_${what}s) - before)) $((OPS * (ROUNDS + 1))) "every $what was one of a slot"
	extra=$(awk -v a="${hit% *}" -v b="${miss% *}" 'BEGIN { printf "%.0f\n", a - b }')
	diag "$(printf 'figure: 4 KiB %-5s  to main %.1f  to a slot %.1f  extra %d (at most %d); medians %.1f %.1f' \
		$what "${miss% *}" "${hit% *}" "$extra" $MOST "${miss#* }" "${hit#* }")"
	at_most "$extra" $MOST "more instructions for a $what of a slot than of main"
done
need dm_remove remap
done_testing
