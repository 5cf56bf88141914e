# SPDX-License-Identifier: GPL-2.0-only
# Bad input: every malformed table line and message is refused, the kernel log names the word,
# and nothing stays behind: no device, no slot, no memory, no reference to the module.
# vm: mem=512 timeout=600

. /guest/lib.sh

ram_disks 3 64
faulty main /dev/ram0 131072
M=/dev/mapper/main
S=/dev/ram1
D=/dev/mapper/r
need dm_create tiny "0 16383 linear /dev/ram2 0"
need dm_create large "0 131072 linear /dev/ram2 0"
need sio w $M 0 64 @1
make_spare $S
need remap_create r $M $S format
need dm_message r remap 8 16
# zones are not in every kernel
need modprobe null_blk nr_devices=0
need mkdir /sys/kernel/config/nullb/z
for set in size=64 blocksize=512 memory_backed=1 queue_mode=2 zoned=1 zone_size=4; do
	echo "${set#*=}" >"/sys/kernel/config/nullb/z/${set%=*}"
done
Z=
if echo 1 2>/dev/null >/sys/kernel/config/nullb/z/power; then
	Z=$(null_device z)
	wait_for 10 test -b "$Z"
fi

count=0
refs() { awk '$1 == "dm_remap" { print $3 }' /proc/modules; }
areas() { grep -c dm_remap /proc/vmallocinfo; }
everything() { echo "$(dmsetup ls | sort | tr '\n' ' ') $(refs) $(areas) $(status r used) $(status r pending) $(dm_table r)"; }

# table WORDS TABLE: refused, and what the kernel says names WORDS
table()
{
	log_mark
	if dm_create bad "$2" >/tmp/out 2>&1; then
		not_ok "accepted: $2"
		need dm_remove bad
		return
	fi
	like "$(log_since)" "$1" "table refused: $(echo "$2" | cut -d ' ' -f 3- | cut -c 1-70)"
	count=$((count + 1))
}

# message WORDS MESSAGE...: the same
message()
{
	_word=$1
	shift
	log_mark
	if dm_message r "$@" >/tmp/out 2>&1; then
		not_ok "accepted: $(echo "$*" | cut -c 1-70)"
		return
	fi
	like "$(log_since)" "$_word" "message refused: $(echo "$*" | cut -c 1-70)"
	count=$((count + 1))
}

run_all()
{
	#---- table lines
	L="0 131072 remap $M /dev/ram2"
	table 'usage' "0 131072 remap"
	table 'usage' "0 131072 remap $M"
	table 'cannot open main' "0 131072 remap /dev/nothing /dev/ram2"
	table 'cannot open the spare' "0 131072 remap $M /dev/nothing"
	table 'number of feature words.*: x' "$L x"
	table 'number of feature words.*: -1' "$L -1"
	table 'number of feature words.*: 1' "$L 1"
	table 'number of feature words.*: 0' "$L 0 format"
	table 'number of feature words.*: 2' "$L 2 format"
	table 'number of feature words.*: 99999999999' "$L 99999999999 format"
	table 'unknown feature: formt' "$L 1 formt"
	table 'unknown feature: FORMAT' "$L 1 FORMAT"
	table 'unknown feature: 5' "$L 3 format 5 5"
	table 'given twice: format' "$L 2 format format"
	table 'given twice: breaker' "$L 6 breaker 1 1 breaker 1 1"
	table 'lacks its value: block_size' "$L 1 block_size"
	table 'block_size is.*: 0' "$L 2 block_size 0"
	table 'block_size is.*: 3' "$L 2 block_size 3"
	table 'block_size is.*: 32' "$L 2 block_size 32"
	table 'block_size is.*: -8' "$L 2 block_size -8"
	table 'block_size is.*: 8x' "$L 2 block_size 8x"
	table 'block_size is.*: 0x8' "$L 2 block_size 0x8"
	table 'lacks its value: read_policy' "$L 1 read_policy"
	table 'read_policy is.*: never' "$L 2 read_policy never"
	table 'lacks its value: breaker' "$L 1 breaker"
	table 'lacks its value: breaker' "$L 2 breaker 5"
	table 'breaker is.*: 0' "$L 3 breaker 0 60"
	table 'breaker is.*: 5' "$L 3 breaker 5 0"
	table 'breaker is.*: 5' "$L 3 breaker 5 86401"
	table 'breaker is.*: many' "$L 3 breaker many 60"
	table 'lacks its value: retry_budget' "$L 1 retry_budget"
	table 'retry_budget is.*: 86401' "$L 2 retry_budget 86401"
	table 'retry_budget is.*: 1.5' "$L 2 retry_budget 1.5"
	table 'lacks its value: scan_interval' "$L 1 scan_interval"
	table 'scan_interval is.*: 31536001' "$L 2 scan_interval 31536001"
	table 'scan_interval is.*: daily' "$L 2 scan_interval daily"
	table 'lacks its value: scan_interval' "$L 3 no_auto_remap force_main scan_interval"
	table 'same device' "0 131072 remap /dev/ram2 /dev/ram2 1 format"
	table 'smaller than 8 MiB' "0 131072 remap /dev/mapper/large /dev/mapper/tiny 1 format"
	table 'main is shorter' "0 131073 remap /dev/mapper/large /dev/ram2 1 format"
	table 'in use by another device' "0 131072 remap /dev/mapper/large $S"
	table 'in use by another device' "0 131072 remap $M /dev/mapper/large"
	table 'main is the spare of another' "0 131072 remap $S /dev/mapper/large"
	table 'main of another' "0 131072 remap /dev/mapper/large $M"
	if [ -n "$Z" ]; then
		table 'zoned devices are not supported' "0 131072 remap $Z /dev/ram2 1 format"
		table 'zoned devices are not supported' "0 131072 remap /dev/mapper/large $Z 1 format"
	fi

	#---- messages
	message 'range is missing' remap
	message 'abc is not' remap abc
	message '7000x is not' remap 7000x
	message '7000\+ is not' remap 7000+
	message '\+8 is not' remap +8
	message '7000\+0 is not' remap 7000+0
	message '131072 is outside' remap 131072
	message '131064\+9 is outside' remap 131064+9
	message '18446744073709551616 is not' remap 18446744073709551616
	message '8\+18446744073709551615 is outside' remap 8+18446744073709551615
	message 'junk is not' remap 7000 7008+8 junk 7016
	message 'usage: import' import
	message 'range is missing' import manual
	message 'weather is not a reason' import weather 7000
	message '131080 is outside' import manual 7000 131080
	message 'range is missing' unmap
	message 'xyz is not' unmap xyz
	message '131072 is outside' unmap 8 131072
	message 'salvage: .*missing' salvage
	message 'salvage: .*now' salvage now
	message 'scan: .*missing' scan
	message 'scan: .*often' scan often
	message 'scan: .*interval' scan interval
	message 'scan_interval x' scan interval x
	message "scan_interval 1x" scan interval 1x
	message 'scan: .*interval 5' scan interval 5 6
	message 'scrub: .*missing' scrub
	message 'scrub: .*start now' scrub start now
	message 'stats: .*missing' stats
	message 'stats: .*rest' stats rest
	message 'breaker: .*missing' breaker
	message 'breaker: .*open' breaker open
	message 'commit now' commit now
	message 'set: .*missing' set
	message 'set: .*breaker' set breaker
	message 'set breaker 5: wrong number' set breaker 5
	message 'set format on: .*loading only' set format on
	message 'set colour red: unknown' set colour red
	message 'set no_auto_remap 1: .*on or off' set no_auto_remap 1
	message 'malformed: nonsense' nonsense
	# shellcheck disable=SC2046
	message '4102 words' remap $(seq -s ' ' 7000 11100)
}

[ -n "$Z" ] || is_debug_kernel || not_ok "no zoned disk"
before=$(everything)
run_all
at_least $count 60 "bad inputs"
is "$(everything)" "$before" "nothing has changed and nothing is left"
slab() { awk '$1 == "SUnreclaim:" { print $2 }' /proc/meminfo; }
i=0
slab_before=$(slab)
while [ $i -lt 30 ]; do
	dm_create bad "0 131072 remap $M $S 1 breaker" >/dev/null 2>&1
	dm_create bad "0 131072 remap /dev/mapper/large $S" >/dev/null 2>&1
	i=$((i + 1))
done
at_most $(($(slab) - slab_before)) 2048 "KiB of memory after 60 more"
is "$(everything)" "$before" "nothing is left of those either"
is "$(sio r $D 8 8 @1)" "r 8+8 OK" "the device serves"

#---- what loads only at a resume, refused there: the device stays without a table

make_spare /dev/ram2
need sio w /dev/ram2 5000 1 7
fails "a spare that is in use is not formatted" dm_create bad "0 16000 remap $S /dev/ram2 1 format"
fails "no superblock, and no format" dm_create bad "0 100 remap /dev/mapper/large /dev/ram2"
! dm_exists bad || need dm_remove bad
is "$(everything)" "$before" "nothing is left"
need dm_remove r
is "$(refs)" 0 "nobody refers to the module" || lsmod >&2
done_testing
