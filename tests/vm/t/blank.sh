# SPDX-License-Identifier: GPL-2.0-only
# Formatting: only a spare that reads as blank, only when asked. Everything else is refused,
# in words, with the spare as it was and no device left behind.
# vm: mem=384 timeout=600

. /guest/lib.sh

ram_disks 2 12
faulty main /dev/ram0 24576
MAIN=/dev/mapper/main
faulty spare /dev/ram1 24576
SPARE=/dev/mapper/spare
main_sectors=$(sectors_of $MAIN)
spare_sectors=$(sectors_of $SPARE)

# refused NAME PATTERN TABLE: create fails, the kernel says why, and nothing changed.
# The error of a table that loads but does not come up is a warning at resume.
refused()
{
	before=$(sum_of /dev/ram1)
	log_mark
	if dm_create r "$3" >/tmp/out 2>&1; then
		not_ok "$1: refused"
		diag "$3"
	else
		pass "$1: refused"
	fi
	like "$(log_since)" "$2" "$1: the kernel log says why"
	dm_exists r && { dm_remove r; not_ok "$1: a device was left"; } || pass "$1: no device is left"
	is "$(sum_of /dev/ram1)" "$before" "$1: the spare is as it was"
}
T="0 $main_sectors remap $MAIN $SPARE"

make_spare $SPARE
sio w $SPARE 20000 64 @9 >/dev/null
refused "blank without format" 'dm-remap|device-mapper: .*remap' "$T"
like "$(log_since)" 'format' "the message says what to do"

runs "blank with format" dm_create r "$T 1 format"
is "$(status r mode) $(status r used)" "ok 0" "it is up"
is "$(sio r $SPARE 20000 64 @9)" "r 20000+64 OK" "formatting does not touch the slots"
uuid=$(status r uuid)
need dm_remove r
runs "a formatted spare needs no format" dm_create r "$T"
is "$(status r uuid)" "$uuid" "it is the same"
need dm_remove r
runs "format on a spare of ours opens it" dm_create r "$T 1 format"
is "$(status r uuid)" "$uuid" "and does not format it again"
need dm_remove r
make_spare $SPARE
runs "the old name implies format" dm_create r "0 $main_sectors dm-remap-v4 $MAIN $SPARE"
need dm_remove r

# one sector that is not zero, at every kind of place
for sector in 0 1 8 1023 1024 2048 4096 5000 8192 10239 $((spare_sectors - 2048)) \
	$((spare_sectors - 1000)) $((spare_sectors - 1)); do
	make_spare $SPARE
	need sio w $SPARE "$sector" 1 1
	refused "sector $sector not zero" 'remap-(check|format)' "$T 1 format"
done
for sector in 10240 $((spare_sectors - 2049)); do
	make_spare $SPARE
	need sio w $SPARE "$sector" 1 1
	runs "sector $sector may be anything" dm_create r "$T 1 format"
	need dm_remove r
done

# one byte, at the end of a sector
make_spare $SPARE
{ head -c 511 /dev/zero; printf x; } | sio p $SPARE 9999 1 >/dev/null
refused "one byte not zero" 'remap-(check|format)' "$T 1 format"

make_spare $SPARE
need mke2fs -q -F -t ext4 $SPARE
refused "ext4" 'remap-(check|format)' "$T 1 format"

for sector in 0 4096 7777 10239 $((spare_sectors - 2048)) $((spare_sectors - 1)); do
	make_spare $SPARE
	inject spare add r "$sector" MEDIUM
	log_mark
	fails "sector $sector unreadable: refused" dm_create r "$T 1 format"
	inject spare clear
	dm_exists r && dm_remove r && not_ok "sector $sector unreadable: a device was left"
	is "$(sio -b 2048 r $SPARE 0 10240 0)" "r 0+10240 OK" "sector $sector unreadable: nothing was written"
done

make_spare $SPARE
inject spare add w 0+10240 IOERR
fails "superblocks cannot be written: refused" dm_create r "$T 1 format"
inject spare clear
dm_exists r && dm_remove r && not_ok "superblocks cannot be written: a device was left"

make_spare $SPARE
need dm_create small "0 16383 linear $SPARE 0"
refused "spare too small" '.*' "0 $main_sectors remap $MAIN /dev/mapper/small 1 format"
need dm_remove small
need dm_create small "0 16384 linear $SPARE 0"
make_spare /dev/mapper/small
runs "the smallest spare" dm_create r "0 $main_sectors remap $MAIN /dev/mapper/small 1 format"
need dm_remove r
need dm_remove small

make_spare $SPARE
refused "main is spare" 'remap' "0 $spare_sectors remap $SPARE $SPARE 1 format"
runs "format for a longer main" dm_create r "$T 1 format"
need dm_remove r
need dm_create short "0 16384 linear $MAIN 0"
refused "shorter main" 'main' "0 16384 remap /dev/mapper/short $SPARE"
need dm_remove short
make_spare $SPARE
refused "longer than main" '.*' "0 $((main_sectors + 8)) remap $MAIN $SPARE 1 format"

# table lines; ti->error is in the kernel log
wrong() { refused "table \"$1\"" 'device-mapper: table: .*remap: [A-Za-z]' "0 $main_sectors remap $1"; }
wrong ""
wrong "$MAIN"
wrong "/dev/nonsense $SPARE"
wrong "$MAIN /dev/nonsense"
wrong "$MAIN $SPARE x"
wrong "$MAIN $SPARE 1"
wrong "$MAIN $SPARE 2 format"
wrong "$MAIN $SPARE 1 nonsense"
wrong "$MAIN $SPARE 1 format extra"
wrong "$MAIN $SPARE 1 block_size"
wrong "$MAIN $SPARE 2 block_size x"
wrong "$MAIN $SPARE 2 block_size 0"
wrong "$MAIN $SPARE 2 block_size 3"
wrong "$MAIN $SPARE 2 block_size 32"
wrong "$MAIN $SPARE 2 read_policy maybe"
wrong "$MAIN $SPARE 2 breaker 5"
wrong "$MAIN $SPARE 2 retry_budget -1"
wrong "$MAIN $SPARE 99999999999999999999 format"

# block sizes
for block in 1 2 4 8 16; do
	make_spare $SPARE
	runs "block size $block" dm_create r "$T 3 format block_size $block"
	is "$(status r block_sectors)" $block "block size $block: status"
	need dm_remove r
done

# never smaller than main's physical blocks
faulty physical /dev/ram0 24576 4096
make_spare $SPARE
refused "block size 4 for physical blocks of 8 sectors" 'block' \
	"0 $main_sectors remap /dev/mapper/physical $SPARE 3 format block_size 4"
need dm_remove physical

# a read-only table writes nothing
make_spare $SPARE
need dm_create r "$T 1 format"
need dm_remove r
before=$(sum_of /dev/ram1)
runs "read-only" dm_create_ro r "$T"
is "$(status r access)" ro "read-only: status"
is "$(sio r /dev/mapper/r 0 8)" "r 0+8 OK" "read-only: reads"
need dm_remove r
is "$(sum_of /dev/ram1)" "$before" "read-only: the spare is as it was"
done_testing
