# SPDX-License-Identifier: GPL-2.0-only
# The target comes up under both names, prints back its table, does I/O, and goes away.
# vm: mem=384 timeout=300

. /guest/lib.sh

ram_disks 2 64
MAIN=/dev/ram0 SPARE=/dev/ram1
main_sectors=$(sectors_of $MAIN)
spare_sectors=$(sectors_of $SPARE)

# the geometry in the format's own words, for a block of 8 sectors
slots=$(awk -v spare="$spare_sectors" 'BEGIN {
	zone = int((spare - 10240) / 5 / 8) * 8
	for (n = int(zone / 8); n > 0; n--)
		if (8 * int((5 * n + 252) / 253) + n * 8 <= zone)
			break
	print 5 * n
}')

like "$(dmsetup targets)" '^remap ' "the target is registered"
like "$(dmsetup targets)" '^dm-remap-v4 ' "and under its old name"

for name in remap dm-remap-v4; do
	make_spare $SPARE
	sio -b 2048 w $MAIN 0 "$main_sectors" @1 >/dev/null
	case $name in
	remap) features="1 format" ;;
	*) features= ;;
	esac
	log_mark
	runs "$name: create" dm_create r "0 $main_sectors $name $MAIN $SPARE $features"
	unlike "$(log_since)" 'dm-remap.*(error|fail)' "$name: without complaint"

	table=$(dm_table r)
	like "$table" "^0 $main_sectors $name 1:0 1:1( |\$)" "$name: table"
	is "$(status r layout)" 1 "$name: status has layout 1"
	is "$(status r mode)" ok "$name: mode"
	is "$(status r used)/$(status r slots)" "0/$slots" "$name: no slot used of those the geometry gives"
	is "$(status r pending) $(status r lost) $(status r retired)" "0 0 0" "$name: nothing pending, lost, retired"
	is "$(status r copies)" 5 "$name: five live copies"
	is "$(status r health)" 100 "$name: health"
	is "$(status r block_sectors)" 8 "$name: block size"
	like "$(status r uuid)" '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' "$name: uuid"
	is "$(status r access)" rw "$name: read-write"
	uuid=$(status r uuid)

	is "$(sio -b 2048 r /dev/mapper/r 0 "$main_sectors" @1)" "r 0+$main_sectors OK" "$name: main's data is there"
	is "$(sio w /dev/mapper/r 1001 3 @2)" "w 1001+3 OK" "$name: write"
	is "$(sio r /dev/mapper/r 1001 3 @2)" "r 1001+3 OK" "$name: read back"
	is "$(sio r $MAIN 1001 3 @2)" "r 1001+3 OK" "$name: it went to main, at the same place"
	is "$(sio r $MAIN 1000 1 @1)" "r 1000+1 OK" "$name: and only there"
	is "$(sio -D w /dev/mapper/r 1008 8 @2)" "w 1008+8 OK" "$name: durable write"
	is "$(sio f /dev/mapper/r)" "f 0+1 OK" "$name: flush"
	is "$(sio z /dev/mapper/r 2048 64)" "z 2048+64 OK" "$name: zero a range"
	is "$(sio r /dev/mapper/r 2048 64 0)" "r 2048+64 OK" "$name: it is zero"
	is "$(sio r /dev/mapper/r $((main_sectors - 1)) 1 @1)" "r $((main_sectors - 1))+1 OK" "$name: the last sector"
	fails "$name: reading past the end" sio r /dev/mapper/r "$main_sectors" 1

	fails "$name: the module is in use" rmmod dm_remap
	runs "$name: remove" dm_remove r
	runs "$name: create from the printed table" dm_create r "$table"
	is "$(dm_table r)" "$table" "$name: it prints the same table"
	is "$(status r uuid)" "$uuid" "$name: it is the same spare"
	runs "$name: remove again" dm_remove r
done

runs "two devices side by side: make room" dm_create m0 "0 65536 linear $MAIN 0"
need dm_create m1 "0 65536 linear $MAIN 65536"
need dm_create s0 "0 65536 linear $SPARE 0"
need dm_create s1 "0 65536 linear $SPARE 65536"
make_spare /dev/mapper/s0
make_spare /dev/mapper/s1
runs "first" remap_create r0 /dev/mapper/m0 /dev/mapper/s0 format
runs "second" remap_create r1 /dev/mapper/m1 /dev/mapper/s1 format
is "$(sio w /dev/mapper/r0 0 2048 @3) $(sio w /dev/mapper/r1 0 2048 @4)" "w 0+2048 OK w 0+2048 OK" "both write"
is "$(sio r /dev/mapper/r0 0 2048 @3) $(sio r /dev/mapper/r1 0 2048 @4)" "r 0+2048 OK r 0+2048 OK" "both read"
isnt=$(status r0 uuid)
unlike "$(status r1 uuid)" "$isnt" "they have different uuids"
runs "remove first" dm_remove r0
is "$(sio r /dev/mapper/r1 0 2048 @4)" "r 0+2048 OK" "second lives on"
runs "remove second" dm_remove r1

runs "the module can be unloaded" rmmod dm_remap
done_testing
